from contextlib import closing

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name, tagged
from odoo.tools import mute_logger
from psycopg2.errors import SerializationFailure


@tagged("post_install", "-at_install")
class TestClaimRace(BaseCase):
    """Two handlers decide at once: with two connections and committed data."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {"tracking_disable": True})
            self.claim_id = (
                env["crm.claim"]
                .create(
                    {
                        "subject": "Race",
                        "partner_name": "Racer",
                        "state": "acknowledged",
                        "cause_id": env["crm.claim.cause"].search([], limit=1).id,
                        "decision_text": "Because",
                    }
                )
                .id
            )
        self.addCleanup(self._clean)

    def _clean(self):
        with self.registry.cursor() as cr:
            cr.execute("DELETE FROM crm_claim WHERE id = %s", [self.claim_id])
            cr.execute(
                "DELETE FROM mail_message WHERE model = 'crm.claim' AND res_id = %s",
                [self.claim_id],
            )

    def _claim(self, cr):
        return api.Environment(cr, SUPERUSER_ID, {})["crm.claim"].browse(self.claim_id)

    def test_second_handler_meets_a_lock(self):
        with self.registry.cursor() as first, self.registry.cursor() as second:
            self._claim(first)._move_to("decided", decision="satisfied")
            self._claim(first).flush_recordset()
            with self.assertRaisesRegex(UserError, "changed by somebody else"):
                self._claim(second)._move_to("cancelled")
            second.rollback()
            first.commit()
            with self.assertRaisesRegex(UserError, "cannot go from Decided to Cancelled"):
                self._claim(second)._move_to("cancelled")
            second.rollback()

    def test_who_takes_it_first_has_it(self):
        with self.registry.cursor() as first, self.registry.cursor() as second:
            self._claim(first).action_take()
            self._claim(first).flush_recordset()
            other = self._claim(second)
            admin = other.env.ref("base.user_admin")
            with self.assertRaisesRegex(UserError, "changed by somebody else"):
                other.with_user(admin).action_take()
            second.rollback()
            first.commit()
            with self.assertRaisesRegex(UserError, "handles claim"):
                self._claim(second).with_user(admin).action_take()
            second.rollback()

    def test_second_answer_is_refused(self):
        with self.registry.cursor() as first, self.registry.cursor() as second:
            self._claim(first)._move_to("decided", decision="satisfied")
            first.commit()
            claim = self._claim(first)
            claim._answer("accepted", "", claim.env.user.partner_id)
            with self.assertRaisesRegex(UserError, "changed by somebody else"):
                other = self._claim(second)
                other._answer("rejected", "No", other.env.user.partner_id)
            second.rollback()
            first.commit()
            with self.assertRaisesRegex(UserError, "no decision that waits"):
                other = self._claim(second)
                other._answer("rejected", "No", other.env.user.partner_id)
            second.rollback()


@tagged("post_install", "-at_install")
class TestClaimLineRace(BaseCase):
    """Two colleagues claim one order line at once: together never more than was sold."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {"tracking_disable": True})
            partner = env["res.partner"].create({"name": "Racer"})
            product = env["product.product"].create({"name": "Raced", "type": "consu"})
            order = env["sale.order"].create(
                {
                    "partner_id": partner.id,
                    "order_line": [
                        Command.create({"product_id": product.id, "product_uom_qty": 5})
                    ],
                }
            )
            order.action_confirm()
            self.order_id, self.line_id = order.id, order.order_line.id
            self.partner_id, self.template_id = partner.id, product.product_tmpl_id.id
        self.addCleanup(self._clean)

    def _clean(self):
        with self.registry.cursor() as cr:
            cr.execute("DELETE FROM crm_claim WHERE order_id = %s", [self.order_id])
            env = api.Environment(cr, SUPERUSER_ID, {})
            order = env["sale.order"].browse(self.order_id)
            order._action_cancel()
            order.unlink()
            env["product.template"].browse(self.template_id).unlink()
            env["res.partner"].browse(self.partner_id).unlink()

    def _claim(self, cr, quantity):
        env = api.Environment(cr, SUPERUSER_ID, {"tracking_disable": True})
        claim = env["crm.claim"].create(
            {
                "subject": "Race",
                "order_id": self.order_id,
                "line_ids": [Command.create({"order_line_id": self.line_id, "quantity": quantity})],
            }
        )
        env.flush_all()
        return claim

    @mute_logger("odoo.sql_db")
    def test_second_claim_is_counted_again(self):
        with closing(self.registry.cursor()) as first, closing(self.registry.cursor()) as second:
            # both have looked before either has claimed
            first.execute("SELECT count(*) FROM crm_claim_line")
            second.execute("SELECT count(*) FROM crm_claim_line")
            self._claim(first, 3)
            first.commit()
            # what makes Odoo repeat the request of the second
            with self.assertRaises(SerializationFailure):
                self._claim(second, 3)
            second.rollback()
            with self.assertRaisesRegex(ValidationError, "only 2 can be"):
                self._claim(second, 3)
            second.rollback()
            self._claim(second, 2)
            second.commit()
