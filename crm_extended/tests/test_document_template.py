from datetime import timedelta

from markupsafe import Markup
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import BaseCase, Form, new_test_user, tagged

from ..tools.document_text import BLANK, fill_placeholders, find_placeholders
from .agreement_common import AgreementCommon


@tagged("-at_install", "post_install")
class TestDocumentText(BaseCase):
    def test_placeholders(self):
        body = "<p>{{ a.b }} {{a.b}} {{ c }} {{ object.env }} {{ 1 + 1 }}</p>"
        self.assertEqual(find_placeholders(body), ["a.b", "c", "object.env"])
        text = fill_placeholders(body, {"a.b": "<b>", "c": Markup("<i>x</i>")})
        self.assertIn("&lt;b&gt;", text)
        self.assertIn("<i>x</i>", text)
        self.assertIn(BLANK, text)
        self.assertIn("{{ 1 + 1 }}", text, "nothing is evaluated")


@tagged("post_install", "-at_install")
class TestDocumentTemplate(AgreementCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lawyer = new_test_user(
            cls.env, "ag_doc_lawyer", "base.group_user,crm_extended.crm_agreements_group_lawyer"
        )
        cls.agreement = cls._create_agreement()
        cls.contract = (
            cls.env["crm.agreement.contract"]
            .with_user(cls.salesman)
            .create({"name": "5/26", "agreement_id": cls.agreement.id})
        )
        cls.template = cls.env["crm.document.template"].create(
            {
                "name": "Deal",
                "kind": "contract",
                "body": "<p>{{ contract.number }}: {{ client.name }}, {{ client.vat }}</p>"
                "<div>{{ agreement.terms }}</div>",
            }
        )

    def _open(self, record, user=None):
        action = record.with_user(user or self.salesman).action_generate_document()
        Wizard = self.env[action["res_model"]].with_user(user or self.salesman)
        return Form(Wizard.with_context(**action["context"]))

    def test_missing_data_is_named_first(self):
        form = self._open(self.contract)
        form.template_id = self.template
        self.assertEqual(form.missing, "Client's tax number")
        wizard = form.save()
        with self.assertRaisesRegex(UserError, "tax number"):
            wizard.action_generate()
        self.client.vat = "BE0477472701"
        self.assertFalse(self.contract._get_missing_data(self.template))

    def test_versions_are_kept(self):
        form = self._open(self.contract)
        form.template_id = self.template
        form.accept_missing = True
        wizard = form.save()
        for _time in range(2):
            wizard.action_generate()
        files = self.contract.attachment_ids.sorted("id")
        self.assertEqual(len(files), 2)
        self.assertIn("version 1", files[0].name)
        self.assertIn("version 2", files[1].name)
        self.assertIn(b"5/26: Alpha", files[1].raw, "tests print HTML")

    def test_text_is_settled_once_it_is_with_the_lawyers(self):
        self.contract.action_submit()
        with self.assertRaises(UserError):
            self.contract._generate_document(self.template)
        with self.assertRaises(UserError):
            self.contract.action_send_to_client()
        self.contract.with_user(self.lawyer).action_approve()
        action = self.contract.action_send_to_client()
        self.assertEqual(action["context"]["default_partner_ids"], self.client.ids)

    def test_client_gets_what_was_approved(self):
        first = self.contract._generate_document(self.template)
        chosen = self.contract._generate_document(self.template)
        self.assertEqual(self.contract.document_id, chosen, "the last one, until told otherwise")
        self.contract.document_id = first
        foreign = self.env["ir.attachment"].create({"name": "Other", "raw": b"x"})
        with self.assertRaises(ValidationError):
            self.contract.document_id = foreign
        self.contract.action_submit()
        self.contract.with_user(self.lawyer).action_approve()
        later = self.env["ir.attachment"].create(
            {
                "name": "Later",
                "raw": b"x",
                "res_model": self.contract._name,
                "res_id": self.contract.id,
            }
        )
        with self.assertRaisesRegex(UserError, "locked"):
            self.contract.document_id = later
        context = self.contract.action_send_to_client()["context"]
        self.assertEqual(context["default_attachment_ids"], first.ids)

    def test_file_attached_after_the_approval_is_not_sent(self):
        """A contract whose text nobody chose: what the lawyers could see."""
        files = self.env["ir.attachment"].create(
            [
                {
                    "name": name,
                    "raw": name.encode(),
                    "res_model": self.contract._name,
                    "res_id": self.contract.id,
                }
                for name in ("Seen", "Later")
            ]
        )
        self.contract.action_submit()
        self.contract.with_user(self.lawyer).action_approve()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE ir_attachment SET create_date = %s WHERE id = %s",
            [self.contract.approved_on + timedelta(minutes=1), files[1].id],
        )
        self.env.invalidate_all()
        context = self.contract.action_send_to_client()["context"]
        self.assertEqual(context["default_attachment_ids"], files[0].ids)

    def test_versions_cannot_be_overwritten(self):
        """Not by the web client, nor by a remote call on the files themselves."""
        generated = self.contract._generate_document(self.template)
        Files = self.env["ir.attachment"].with_user(self.salesman)
        owner = {"res_model": self.contract._name, "res_id": self.contract.id}
        upload = Files.create({"name": "Annex", "raw": b"annex", **owner})
        mine = Files.create({"name": "Mine", "raw": b"mine"})
        pending = Files.create(
            {"name": "Pending", "raw": b"p", "res_model": "mail.compose.message", "res_id": 0}
        )
        upload.raw = b"better annex"  # a draft is worked on
        for values in ({"raw": b"x"}, {"datas": "eA=="}, {"description": "x"}, {"name": "Other"}):
            with self.assertRaisesRegex(UserError, "generated"):
                generated.write(values)
        with self.assertRaisesRegex(UserError, "generated"):
            generated.unlink()
        self.contract.action_submit()
        for operation in (
            lambda: upload.write({"raw": b"x"}),
            lambda: upload.write({"res_id": 0}),
            lambda: upload.with_user(self.lawyer).write({"name": "x"}),
            upload.unlink,
            # Odoo's route that deletes a file in the chatter
            upload.sudo()._delete_and_notify,
        ):
            with self.assertRaisesRegex(UserError, "as it was sent to the lawyers"):
                operation()
        self.contract.with_user(self.lawyer).action_approve()
        self.assertEqual(upload.raw, b"better annex")
        with self.assertRaisesRegex(UserError, "lawyers"):
            upload.write({"raw": b"x"})
        with self.assertRaisesRegex(UserError, "approved without"):
            mine.write(owner)
        with self.assertRaisesRegex(UserError, "approved without"), self.cr.savepoint():
            self.contract.with_user(self.salesman).message_post(
                body="Here", attachment_ids=pending.ids
            )
        # what else happens to a file goes on, and the signed paper is added, or taken away again
        generated.generate_access_token()
        self.env.flush_all()
        self.contract.sudo().approved_on = self.contract.approved_on - timedelta(minutes=5)
        upload.sudo()._write({"create_date": self.contract.approved_on})
        scan = Files.create({"name": "Scan", "raw": b"scan", **owner})
        scan.raw = b"better scan"
        scan.unlink()
        with self.assertRaises(UserError):
            upload.unlink()

    def test_offer(self):
        template = self.env.ref("crm_extended.crm_document_template_offer")
        order = self._create_order()
        values = order._get_document_values()
        self.assertIn("Drill", values["order.lines"])
        attachment = order._generate_document(template)
        self.assertEqual((attachment.res_model, attachment.res_id), ("sale.order", order.id))
        order.order_line.price_unit = 10.0
        with self.assertRaises(UserError):
            order._generate_document(template)

    def test_unknown_placeholder(self):
        with self.assertRaisesRegex(ValidationError, "client.salary"):
            self.template.body = "<p>{{ client.salary }}</p>"
        with self.assertRaises(AccessError):
            self.template.with_user(self.salesman).body = "<p>x</p>"
        self.template.with_user(self.lawyer).body = "<p>{{ client.name }}</p>"

    def test_foreign_record(self):
        Wizard = self.env["crm.document.generate"].with_user(self.other_salesman)
        with self.assertRaises(AccessError):
            Wizard.create(
                {
                    "res_model": "crm.agreement.contract",
                    "res_id": self.contract.id,
                    "template_id": self.template.id,
                }
            )
