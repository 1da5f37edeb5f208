from datetime import date, datetime
from itertools import pairwise

from lxml import html
from odoo.tests import tagged

from .common import PortalCase, make_picture


@tagged("post_install", "-at_install")
class TestClaimPages(PortalCase):
    def setUp(self):
        super().setUp()
        self.login(self.nina)

    def get_listed(self, query=""):
        """Subjects on the list, in order."""
        response = self.url_open(f"/my/claims{query}")
        self.assertEqual(response.status_code, 200)
        page = html.fromstring(response.text)
        rows = page.xpath("//table//tbody/tr[td]")
        return [row.xpath("./td[1]/a/span/text()")[0].strip() for row in rows]

    # ------------------------------------------------------------
    # Home
    # ------------------------------------------------------------

    def test_home(self):
        page = html.fromstring(self.url_open("/my/home").text)
        cards = {
            card.get("href"): card.getparent().get("class")
            for card in page.xpath("//div[contains(@class, 'o_portal_index_card')]/a")
        }
        self.assertIn("/my/claims", cards)
        self.assertIn("/my/agreements", cards)
        self.assertIn("/my/claims?filterby=waiting", cards)
        self.assertNotIn("d-none", cards["/my/claims/new"], "filing is always offered")

    def test_counters(self):
        self._create_claim()
        self._create_claim(self.ned)
        self._create_claim(self.boris)
        self._create_decided_claim()
        counters = ["claim_count", "claim_waiting_count", "agreement_count"]
        result = self.jsonrpc("/my/counters", counters=counters)["result"]
        self.assertEqual(result, {"claim_count": 3, "claim_waiting_count": 1, "agreement_count": 0})

    # ------------------------------------------------------------
    # List
    # ------------------------------------------------------------

    def test_empty_list_invites(self):
        page = self.url_open("/my/claims").text
        self.assertIn("It takes two minutes", page)
        self.assertIn('href="/my/claims/new"', page)
        self.assertIn("Nothing found", self.url_open("/my/claims?search=unicorn").text)

    def test_list(self):
        self._create_claim(subject="First", date_registered=datetime(2026, 1, 1))
        self._create_claim(self.ned, subject="Second", date_registered=datetime(2026, 1, 2))
        self._create_decided_claim(subject="Third", date_registered=datetime(2026, 1, 3))
        self._create_claim(self.boris, subject="Not his")
        self._create_claim(self.carla, subject="Not ours")
        self.assertEqual(self.get_listed(), ["Third", "Second", "First"])
        self.assertEqual(self.get_listed("?filterby=waiting"), ["Third"])
        self.assertEqual(self.get_listed("?filterby=open"), ["Third", "Second", "First"])
        self.assertEqual(self.get_listed("?filterby=closed"), [])
        self.assertEqual(self.get_listed("?sortby=name"), ["Third", "Second", "First"])
        self.assertEqual(self.get_listed("?search=seco"), ["Second"])

    def test_search_by_number_and_order(self):
        claim = self._create_claim(subject="With order", order_id=self.order.id)
        self._create_claim(subject="Without")
        self.assertEqual(self.get_listed(f"?search={claim.name}"), ["With order"])
        self.assertEqual(
            self.get_listed(f"?search_in=order&search={self.order.name}"), ["With order"]
        )

    def test_groups(self):
        self._create_claim(subject="Mine", order_id=self.order.id)
        self._create_decided_claim(self.ned, subject="His")
        for groupby, title in (
            ("state", "Decision ready"),
            ("order", self.order.name),
            ("partner", self.ned.partner_id.name),
        ):
            with self.subTest(groupby):
                page = html.fromstring(self.url_open(f"/my/claims?groupby={groupby}").text)
                titles = [th.text_content() for th in page.xpath("//th[@scope='rowgroup']")]
                self.assertEqual(len(titles), 2)
                self.assertTrue(any(title in text for text in titles), titles)
                self.assertEqual(len(page.xpath("//table//tbody/tr[td]")), 2)

    def test_unknown_parameters_fall_back(self):
        self._create_claim(subject="Only one")
        for query in (
            "?sortby=password&filterby=x&groupby=user_id&search_in=fault_ids",
            "?sortby=date_registered;drop&groupby=stage_id",
            "?search=%00&search_in=%00",
            "/page/0",
            "/page/99999999999999999999",
            "?page=-1",
        ):
            with self.subTest(query):
                self.assertEqual(self.get_listed(query), ["Only one"])
        self.assertEqual(self.get_listed("?search=" + "x" * 3000), [])

    def test_pager(self):
        values = [{"subject": f"Claim {i:03}"} for i in range(85)]
        for vals in values:
            vals.update(
                partner_id=self.nina.partner_id.id, company_id=self.company.id, user_id=False
            )
        self.env["crm.claim"].create(values)
        self.assertEqual(len(self.get_listed()), 80)
        self.assertEqual(len(self.get_listed("/page/2")), 5)

    def test_number_of_queries_does_not_grow(self):
        def count():
            self.env.cr.flush()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.url_open("/my/claims?groupby=partner")
            return self.env.cr.sql_log_count - before

        for _i in range(3):
            self._create_claim(order_id=self.order.id)
        count()
        few = count()
        for user in (self.nina, self.ned) * 10:
            self._create_claim(user, order_id=self.order.id)
        self.assertLessEqual(count(), few + 1)

    # ------------------------------------------------------------
    # One claim
    # ------------------------------------------------------------

    def test_number_of_queries_of_a_claim_does_not_grow(self):
        """Neither with its messages, files and products nor with other claims."""
        claim = self._create_decided_claim(
            order_id=self.order.id,
            line_ids=[
                (0, 0, {"order_line_id": self.line_drill.id, "quantity": 1}),
            ],
        )

        def write():
            for author in (self.nina.partner_id, self.ned.partner_id, self.handler.partner_id):
                claim.message_post(
                    body="Look at this",
                    author_id=author.id,
                    message_type="comment",
                    subtype_xmlid="mail.mt_comment",
                    attachments=[("a.png", make_picture()), ("b.txt", b"Text")],
                )

        def count():
            self.env.cr.flush()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(self.url_open(f"/my/claims/{claim.id}").status_code, 200)
            return self.env.cr.sql_log_count - before

        write()
        count()
        few = count()
        for _i in range(10):
            write()
            self._create_claim(self.ned, order_id=self.order.id)
        claim.line_ids = [(0, 0, {"order_line_id": self.line_battery.id, "quantity": 1})]
        many = count()
        self.assertLessEqual(many, few)
        self.assertLessEqual(many, 26)

    def test_page_tells_nothing_internal(self):
        claim = self._create_claim(
            user_id=self.handler.id,
            cause_id=self.cause.id,
            state="investigating",
            decision="satisfied",
            decision_text="<p>Secret draft decision</p>",
            amount_granted=4321.0,
            fault_ids=[
                (0, 0, {"department_id": self.department.id, "share": 100, "reason": "Secret"})
            ],
        )
        claim.message_post(body="Secret note", subtype_xmlid="mail.mt_note")
        page = self.url_open(f"/my/claims/{claim.id}").text
        self.assertIn("Being looked into", page)
        for secret in ("Secret", "4,321", "Guilty", self.handler.name):
            self.assertNotIn(secret, page)

    def test_each_state_has_plain_words(self):
        states = dict(self.env["crm.claim"]._fields["state"].selection)
        self.assertEqual(set(self.env["crm.claim"]._portal_get_state_labels()), set(states))
        for state in states:
            claim = self._create_decided_claim(
                state=state,
                decision="rejected" if state == "rejected" else "satisfied",
                recourse="<p>Ombudsman</p>",
                waiting_question="Which one?",
            )
            with self.subTest(state):
                status = claim._portal_get_status()
                self.assertTrue(status["label"] and status["text"])
                timeline = claim._portal_get_timeline()
                self.assertEqual(sum(step["current"] for step in timeline), 1)
                self.assertEqual(self.url_open(f"/my/claims/{claim.id}").status_code, 200)
        self.assertEqual(len(self.get_listed()), len(states), "the list shows every state")

    def test_a_merged_claim_leads_to_where_it_went(self):
        claim, other = self._create_claim(), self._create_claim()
        claim.action_merge(other.ids)
        page = self.url_open(f"/my/claims/{other.id}").text
        self.assertIn(f"the same matter as your claim {claim.name}", page)
        self.assertNotIn("You withdrew", page)
        self.assertNotIn("Withdrawn", page)

    def test_headings_in_order(self):
        claim = self._create_decided_claim()
        for url in ("/my/claims", f"/my/claims/{claim.id}", "/my/claims/new", "/my/agreements"):
            page = html.fromstring(self.url_open(url).text)
            main = page.xpath("//main")[0]
            levels = [int(heading.tag[1]) for heading in main.xpath(".//h1|.//h2|.//h3|.//h4")]
            with self.subTest(url):
                self.assertEqual(levels[0], 1)
                self.assertEqual(levels.count(1), 1)
                for before, after in pairwise(levels):
                    self.assertLessEqual(after - before, 1, levels)

    def test_times_in_the_zone_of_the_customer(self):
        claim = self._create_claim(date_registered=datetime(2026, 3, 31, 22, 0))
        self.nina.tz = "Asia/Tokyo"
        self.assertIn("04/01/2026", self.url_open(f"/my/claims/{claim.id}").text)

    def test_language_of_the_customer(self):
        self.env["res.lang"]._activate_lang("ru_RU")
        self.nina.lang = "ru_RU"
        claim = self._create_claim(date_promised=date(2026, 12, 1))
        claim.date_promised = date(2026, 12, 1)
        self.login(self.nina)
        response = self.url_open(f"/my/claims/{claim.id}")
        self.assertEqual(response.status_code, 200)
        self.assertIn('lang="ru-RU"', response.text)
        self.assertIn("01.12.2026", response.text)

    def test_neighbours(self):
        first = self._create_claim(date_registered=datetime(2026, 1, 1))
        second = self._create_claim(date_registered=datetime(2026, 1, 2))
        self.get_listed()
        page = html.fromstring(self.url_open(f"/my/claims/{second.id}").text)
        links = page.xpath("//div[contains(@class, 'record_pager')]/a/@href")
        self.assertEqual(links, ["#", f"/my/claims/{first.id}"])

    def test_messages_both_ways(self):
        claim = self._create_claim()
        claim.with_user(self.handler).message_post(
            body="Please look at the attached drawing",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            attachments=[("drawing.png", make_picture())],
        )
        messages = self.jsonrpc(
            "/mail/chatter_fetch", thread_model="crm.claim", thread_id=claim.id
        )["result"]["data"]["mail.message"]
        self.assertEqual(len(messages), 1)
        answer = self.jsonrpc(
            "/mail/message/post",
            thread_model="crm.claim",
            thread_id=claim.id,
            post_data={
                "body": "Thank you",
                "message_type": "comment",
                "subtype_xmlid": "mail.mt_comment",
            },
        )
        self.assertNotIn("error", answer)
        self.assertEqual(claim._portal_get_messages()[-1].author_id, self.nina.partner_id)

    def test_mail_link_leads_to_the_page(self):
        claim = self._create_claim()
        token = claim._portal_ensure_token()
        self.login(None)
        response = self.url_open(
            f"/mail/view?model=crm.claim&res_id={claim.id}&access_token={token}"
        )
        self.assertEqual(response.status_code, 200)
        self.assertIn(f"/my/claims/{claim.id}", response.url)
        self.assertIn("Drill does not drill", response.text)
