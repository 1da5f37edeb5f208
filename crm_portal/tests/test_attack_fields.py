from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import PortalCase


@tagged("post_install", "-at_install")
class TestFieldAttacks(PortalCase):
    """What the suite adds to documents of Odoo is closed to customers, on every road."""

    def get_open_fields(self, user):
        """``model.field`` of each field of ours that a user may read, on all models he may read."""
        closed = self.env["crm.portal.closed"]
        return {
            f"{name}.{field.name}"
            for name, model in self.env(user=user).items()
            if not model._abstract and model.has_access("read")
            for field in model._fields.values()
            if closed._portal_is_ours(field) and model._has_field_access(field, "read")
        }

    def test_nothing_of_ours_is_open_but_what_is_listed(self):
        """A field that is added next year, to any document of Odoo, is covered then."""
        listed = {
            f"{name}.{field}"
            for name in ("crm.claim", "crm.claim.line", "crm.agreement", "sale.order")
            for field in self.env[name]._portal_readable_fields()
        }
        public = self.env.ref("base.public_user")
        for user in (self.nina, public):
            with self.subTest(user.login):
                self.assertEqual(self.get_open_fields(user) - listed, set())
        self.assertTrue(self.get_open_fields(self.nina), "the walk must have something to walk")

    @mute_logger("odoo.http")
    def test_orders_and_cards_by_rpc(self):
        self.login(self.nina)
        order, card = self.order, self.nina.partner_id
        self.call("sale.order", "read", [order.id], ["name", "amount_total", "order_line"])
        self.call("res.partner", "read", [card.id], ["name", "email"])
        for model, record, names in (
            (
                "sale.order",
                order,
                ("agreement_check", "agreement_terms_html", "deviation_count", "agreement_id",
                 "can_decide_deviations", "interaction_count", "interaction_next_date",
                 "client_turn", "counterparty_message", "portal_left_out"),
            ),
            ("res.partner", card, ("interaction_count", "interaction_next_id", "rfm_segment",
                                   "portal_hide_offers")),
        ):  # fmt: skip
            for name in names:
                with self.subTest(f"{model}.{name}"):
                    self.assertIn("error", self.rpc(model, "read", [record.id], [name]))
                    if not record._fields[name].store:
                        continue  # Odoo leaves what it cannot search for out of a domain
                    self.assertIn("error", self.rpc(model, "search_count", [[name, "!=", False]]))
                    self.assertIn(
                        "error",
                        self.rpc(model, "formatted_read_group", [], [name], ["__count"]),
                    )
            self.assertFalse(set(names) & set(self.call(model, "fields_get")))

    def test_we_read_them(self):
        order = self.order.with_user(self.env.ref("base.user_admin"))
        self.assertTrue(order.read(["agreement_check", "interaction_count"]))
        self.assertIn("agreement_check", order.fields_get())

    def test_own_user(self):
        """Nor does he write of his own user what is meant for colleagues."""
        self.login(self.nina)
        with mute_logger("odoo.http"):
            answer = self.rpc(
                "res.users", "write", [self.nina.id], {"crm_substitute_id": self.handler.id}
            )
        self.assertIn("error", answer)
