"""Several people at their own browser windows, on one test database."""

import resource
import shutil
from contextlib import contextmanager

from odoo.tests import HttpCase, new_test_user
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from playwright.sync_api import expect, sync_playwright

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
TIMEOUT = 60_000  # milliseconds; the first page of a window compiles its assets
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]


def start_browser(case):
    """A browser that is closed after the class ``case`` of tests."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if not executable:
        raise RuntimeError("The story needs a browser: install Debian's package chromium.")
    # Odoo limits the address space of its process, and with it of every child; a browser
    # reserves more than that.
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    try:
        playwright = sync_playwright().start()
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    case.addClassCleanup(playwright.stop)
    browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_ARGUMENTS)
    case.addClassCleanup(browser.close)
    expect.set_options(timeout=TIMEOUT)
    return browser


def sign_in(page, login):
    """Sign in by the form; the password is the login.

    Waits until the page that follows has its scripts and styles: the first such page compiles
    them, and whoever leaves it earlier finds the server still busy with that.
    """
    page.goto("/web/login")
    page.fill("#login", login)
    page.fill("#password", login)
    page.click("form.oe_login_form button[type=submit]")
    page.wait_for_url(lambda url: "/web/login" not in url, timeout=2 * TIMEOUT)


def open_page(page, url, selector):
    """Open a page and wait until what ``selector`` names is there."""
    page.goto(url)
    page.wait_for_selector(selector)


class StoryCase(HttpCase):
    """Tells a story in a real browser: each person has a window of his own, signed in by the form.

    Between :meth:`browsing` blocks the test looks into the database; within them it must not,
    because there the server's threads are using it.
    """

    # Requests take turns at the one transaction of the test. With Odoo's 20 seconds, a request that
    # waits for another one that compiles the assets is answered by "Internal Server Error", and the
    # page stays empty.
    test_cursor_lock_timeout = 3 * TIMEOUT // 1000

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("en_US")
        cls.env["ir.default"].set("res.partner", "lang", "en_US")
        cls.browser = start_browser(cls)

    @classmethod
    def create_user(cls, login, groups, **values):
        """An employee whose password is his login."""
        return new_test_user(
            cls.env, login, groups, password=login, lang="en_US", tz="Europe/Berlin", **values
        )

    @contextmanager
    def browsing(self):
        """Let the windows talk to the server; afterwards the test sees what they changed."""
        self.env.flush_all()
        with self.allow_requests(all_requests=True):
            yield
            self._wait_remaining_requests()
        self.env.invalidate_all()

    def open_window(self, user, size=DESKTOP):
        """A new browser window in which ``user`` is signed in; to be used while browsing."""
        context = self.browser.new_context(
            viewport=size,
            locale="en-US",
            timezone_id="Europe/Berlin",
            base_url=self.base_url(),
            service_workers="block",
        )
        context.set_default_timeout(TIMEOUT)
        context.set_default_navigation_timeout(TIMEOUT)
        self.addCleanup(self._close_window, context)
        page = context.new_page()
        self.page_errors = []
        page.on("pageerror", lambda error: self.page_errors.append(str(error)))
        sign_in(page, user)
        return page

    def _close_window(self, context):
        with self.allow_requests(all_requests=True):
            context.close()
            self._wait_remaining_requests()

    # ------------------------------------------------------------
    # Steps in the back office
    # ------------------------------------------------------------

    def open_record(self, page, action, record_id):
        open_page(page, f"/odoo/action-{action}/{record_id}", ".o_form_view")

    def press(self, page, name, within=""):
        """Press the button of a method and wait until the server has answered."""
        try:
            with page.expect_response(
                lambda response: "/web/dataset/call_button" in response.url, timeout=TIMEOUT
            ):
                page.click(f"{within} button[name={name}]:visible")
        except PlaywrightTimeout as error:
            # a refusal of the screen itself never reaches the server
            shown = page.locator(".o_notification, .modal:visible").all_inner_texts()
            raise AssertionError(f"Nothing came of {name}; the screen shows {shown}") from error

    def choose(self, page, field, text, within=""):
        """Choose a record in a many2one field by its name."""
        page.fill(f"{within} [name={field}] input", text)
        page.click(f".o-autocomplete--dropdown-item:has-text('{text}')")

    def save(self, page):
        page.click(".o_form_button_save")
        page.wait_for_selector(".o_form_status_indicator_buttons.invisible", state="attached")

    def write_html(self, page, field, text, within=""):
        editor = page.locator(f"{within} [name={field}] .odoo-editor-editable")
        editor.click()
        editor.press_sequentially(text)
