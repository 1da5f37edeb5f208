from odoo.tests import BaseCase, tagged

from ..tools.meeting_text import strip_contact_block
from ..tools.text import shorten

BLOCK = (
    "<strong>Organized by</strong><br>Anna &amp; Co"
    '<br><a href="mailto:a@example.com">a@example.com</a><br><br>'
    "<strong>Contact Details</strong><br>Boris"
    '<br><a href="mailto:b@example.com">b@example.com</a><br><a href="tel:+371">+371</a>'
)
NAMES = ["Anna & Co", "Boris", False]


@tagged("post_install", "-at_install")
class TestMeetingText(BaseCase):
    """What somebody wrote about a meeting, without what Odoo has put below it."""

    def test_block_alone(self):
        self.assertEqual(strip_contact_block(f"<div>{BLOCK}</div>", NAMES), "<div></div>")

    def test_block_below_text(self):
        html = f"<div><p>Bring the drawings</p><br>{BLOCK}</div>"
        self.assertEqual(strip_contact_block(html, NAMES), "<div><p>Bring the drawings</p></div>")

    def test_what_people_write_stays(self):
        for html in (
            "",
            "<p>Text</p>",
            "<div><strong>Agenda</strong><br>Prices</div>",
            f"<div>{BLOCK}<p>and this</p></div>",
        ):
            self.assertEqual(strip_contact_block(html, NAMES), html)
        self.assertEqual(strip_contact_block(BLOCK, []), BLOCK)

    def test_shorten(self):
        self.assertEqual(shorten("one two", 7), "one two")
        self.assertEqual(shorten("one two three", 8), "one two…")
        self.assertEqual(shorten("one two three", 7), "one…")
        self.assertEqual(shorten("endless", 4), "end…")
