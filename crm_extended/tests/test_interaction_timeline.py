from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, new_test_user, tagged, users

from .common_interaction import InteractionCommon


@tagged("post_install", "-at_install")
class TestInteractionTimeline(InteractionCommon):
    """What the time line shows, to whom, and at which cost."""

    def _get(self, document=None, user=None, **options):
        document = self.lead if document is None else document
        return (
            self.env["crm.interaction"]
            .with_user(user or self.user_sales)
            .get_timeline(document._name, document.id, **options)
        )

    def _fill(self, count, document=None, **values):
        """Interactions one minute apart, the last one a minute ago."""
        document = self.lead if document is None else document
        now = fields.Datetime.now()
        return (
            self.env["crm.interaction"]
            .with_user(self.user_sales)
            .create(
                [
                    {
                        "subject": f"Contact {number}",
                        "res_model": document._name,
                        "res_id": document.id,
                        "date_start": now - timedelta(minutes=count - number),
                        **values,
                    }
                    for number in range(count)
                ]
            )
        )

    def test_order(self):
        now = fields.Datetime.now()
        old = self._log(date_start=now - timedelta(days=9), kind="meeting")
        unhandled = self._log(date_start=now - timedelta(days=5), state="new", direction="in")
        new = self._log(date_start=now - timedelta(days=1), kind="email", direction="none")
        cancelled = self._log(date_start=now - timedelta(days=2), state="cancelled")
        later = self._log(date_start=now + timedelta(days=9), state="planned")
        sooner = self._log(date_start=now + timedelta(days=1), state="planned")
        page = self._get()
        self.assertEqual([entry["id"] for entry in page["planned"]], [sooner.id, later.id])
        self.assertEqual(
            [entry["id"] for entry in page["entries"]],
            [new.id, cancelled.id, unhandled.id, old.id],
        )
        self.assertEqual(
            page["counts"], {"all": 6, "unhandled": 1, "call": 4, "meeting": 1, "email": 1}
        )
        self.assertFalse(page["has_more"])
        self.assertEqual(page, self._get(self.lead.interaction_chain_id))
        only = self._get(kind="meeting")
        self.assertEqual([entry["id"] for entry in only["entries"] + only["planned"]], [old.id])
        only = self._get(unhandled=True)
        self.assertEqual(
            [entry["id"] for entry in only["entries"] + only["planned"]], [unhandled.id]
        )
        self.assertEqual(only["counts"]["all"], 6, "the filter does not hide what else there is")

    def test_pages(self):
        """Every entry once, also when something arrives in between or dates are equal."""
        interactions = self._fill(90)
        interactions[20:60].write({"date_start": interactions[20].date_start})
        seen, page = [], self._get()
        self.assertEqual(len(page["entries"]), 40)
        while True:
            seen += [entry["id"] for entry in page["entries"]]
            if not page["has_more"]:
                break
            self._log()
            last = page["entries"][-1]
            page = self._get(before=[last["date_start"], last["id"]])
            self.assertNotIn("planned", page)
        expected = interactions.sorted(lambda i: (i.date_start, i.id), reverse=True)
        self.assertEqual(seen, expected.ids)

    def test_entry(self):
        attachment = (
            self.env["ir.attachment"]
            .with_user(self.user_sales)
            .create({"name": "offer.pdf", "raw": b"%PDF", "mimetype": "application/pdf"})
        )
        interaction = self._log(
            kind="meeting",
            direction="none",
            duration=45,
            body="<p>Two fitters <b>tried</b> it</p>" + "<p>and more</p>" * 100,
            result_note="They want 20",
            attachment_ids=[Command.link(attachment.id)],
            participant_ids=[
                Command.create({"partner_id": self.client_contact.id}),
                Command.create({"name": "Oscar", "phone": "+371 67 000 302"}),
            ],
        )
        (entry,) = self._get()["entries"]
        self.assertEqual((entry["kind"], entry["duration"]), ("meeting", 45))
        self.assertTrue(entry["preview"].startswith("Two fitters tried it"))
        self.assertTrue(entry["preview"].endswith("…"))
        self.assertTrue(entry["has_more"])
        self.assertIn("<b>tried</b>", interaction.get_timeline_body())
        self.assertEqual(entry["result_note"], "They want 20")
        self.assertEqual([file["name"] for file in entry["attachments"]], ["offer.pdf"])
        self.assertEqual(
            [(person["name"], person["partner_id"]) for person in entry["participants"]],
            [(self.client_contact.display_name, self.client_contact.id), ("Oscar", False)],
        )
        self.assertEqual(entry["user"]["id"], self.user_sales.id)
        self.assertTrue(entry["can_write"])

    def test_message(self):
        """A mail is shown from its message."""
        self.lead.with_user(self.user_sales).message_post(
            body="Our <b>offer</b>",
            subject="Offer",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            partner_ids=self.client_contact.ids,
            attachments=[("offer.txt", b"20 drills")],
        )
        (entry,) = self._get()["entries"]
        self.assertEqual((entry["kind"], entry["direction"]), ("email", "out"))
        self.assertEqual(entry["preview"], "Our <b>offer</b>")
        self.assertEqual([file["name"] for file in entry["attachments"]], ["offer.txt"])
        self.assertFalse(entry["has_more"])

    def test_client_sees_all_conversations(self):
        about_deal = self._log()
        about_client = self._log(document=self.client_company)
        page = self._get(self.client_company)
        self.assertEqual(
            {entry["id"]: entry["chain"]["name"] for entry in page["entries"]},
            {about_deal.id: self.lead.name, about_client.id: self.client_company.name},
        )

    def test_calls_offer_outcomes(self):
        self._log(state="planned")
        (entry,) = self._get()["planned"]
        self.assertEqual(
            [outcome["name"] for outcome in entry["outcome_buttons"]["outcomes"]],
            ["Talked", "Silence"],
        )

    # ------------------------------------------------------------
    # RIGHTS
    # ------------------------------------------------------------

    def test_rights(self):
        own = self._log(body="<p>secret</p>", result_note="secret")
        about_client = self._log(document=self.client_company, body="<p>secret</p>")
        with self.assertRaises(AccessError):
            self._get(user=self.user_sales2)
        with self.assertRaises(AccessError):
            self._get(own.chain_id, user=self.user_sales2)
        self.assertFalse(self._get(self.client_company, user=self.user_sales2)["entries"])
        with self.assertRaises(AccessError):
            own.with_user(self.user_sales2).get_timeline_body()
        self.assertEqual(len(self._get(self.client_company, user=self.user_all)["entries"]), 2)
        # one's own part of somebody else's conversation
        about_client.sudo().user_id = self.user_sales2
        page = self._get(self.client_company, user=self.user_sales2)
        self.assertEqual([entry["id"] for entry in page["entries"]], [about_client.id])

    def test_rights_of_accountant(self):
        own = self._log(
            body="<p>secret</p>",
            result_note="secret",
            participant_ids=[Command.create({"name": "secret"})],
        )
        page = self._get(own.chain_id, user=self.user_accountant)
        (entry,) = page["entries"]
        self.assertEqual(entry["subject"], "Contact")
        self.assertNotIn("secret", str(page))
        self.assertFalse(entry["can_write"])
        self.assertFalse(page["can_log"])
        with self.assertRaises(AccessError):
            own.with_user(self.user_accountant).get_timeline_body()

    def test_rights_of_others(self):
        portal = new_test_user(self.env, "int_portal4", groups="base.group_portal")
        for user in (self.user_plain, portal):
            with self.assertRaises(AccessError):
                self._get(self.client_company, user=user)
        with self.assertRaises(UserError):
            self._get(self.user_sales)
        with self.assertRaises(UserError):
            self.env["crm.interaction"].get_timeline("no.such.model", 1)

    def test_two_companies(self):
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        self._log(document=self.client_company)
        colleague = new_test_user(
            self.env,
            "int_elsewhere2",
            groups="base.group_user,sales_team.group_sale_salesman_all_leads",
            company_id=elsewhere.id,
            company_ids=[Command.set(elsewhere.ids)],
        )
        there = self._log(user=colleague, document=self.client_company)
        page = self._get(self.client_company, user=colleague)
        self.assertEqual([entry["id"] for entry in page["entries"]], [there.id])
        self.assertEqual(page["counts"]["all"], 1)

    # ------------------------------------------------------------
    # COST
    # ------------------------------------------------------------

    @users("int_sales")
    def test_cost_does_not_grow(self):
        values = {
            "body": "<p>text</p>",
            "participant_ids": [Command.create({"name": "Oscar"})],
        }
        few = self.env["crm.lead"].create({"name": "Few", "user_id": self.env.uid})
        self._fill(3, few, **values)
        self._fill(200, **values)

        def count(document):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self._get(document)
            return self.cr.sql_log_count - before

        count(few)
        # names of the few clients and users are read once more, entries are not
        self.assertLessEqual(count(self.lead), count(few) + 3)
        self.assertLessEqual(count(self.lead), 40)


@tagged("post_install", "-at_install")
class TestInteractionTimelineTour(InteractionCommon, HttpCase):
    """The time line in a real browser."""

    def test_timeline_tour(self):
        now = fields.Datetime.now()
        self.env["crm.interaction"].with_user(self.user_sales).create(
            [
                {
                    "subject": f"Old {number}",
                    "res_model": "crm.lead",
                    "res_id": self.lead.id,
                    "kind": "message",
                    "date_start": now - timedelta(days=10, minutes=number),
                }
                for number in range(45)
            ]
        )
        asked = self._log(
            subject="How much is it?",
            kind="email",
            direction="in",
            state="new",
            body="<p>" + "Please tell us. " * 40 + "<b>Thanks</b></p>",
            participant_ids=[Command.create({"name": "Zelda", "email": "zelda@z.example.com"})],
        )
        planned = self._log(subject="Ring back", state="planned", kind="meeting")
        self.start_tour(
            f"/odoo/crm.lead/{self.lead.id}", "crm_extended_timeline_tour", login="int_sales"
        )
        self.assertEqual(asked.participant_ids.partner_id.name, "Zelda")
        self.assertEqual(asked.state, "done")
        self.assertEqual(asked.child_ids.subject, "Send the price list")
        self.assertEqual(asked.child_ids.state, "planned")
        self.assertEqual(planned.state, "postponed")
