from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, new_test_user, tagged
from odoo.tests.common import users
from odoo.tools import mute_logger

from .agreement_common import AgreementCommon

SALESMAN = "sales_team.group_sale_salesman_all_leads"


class SecrecyCommon(AgreementCommon):
    """Two sellers of all documents: one of the team of key accounts, one of none."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.config.settings"].create({"group_product_pricelist": True}).execute()
        groups = f"base.group_user,base.group_allow_export,{SALESMAN}"
        cls.insider = new_test_user(cls.env, "sec_insider", groups)
        cls.outsider = new_test_user(cls.env, "sec_outsider", groups)
        cls.admin = new_test_user(cls.env, "sec_admin", f"base.group_system,{SALESMAN}")
        cls.team = cls.env["crm.team"].create({"name": "Key accounts"})
        cls.env["crm.team.member"].create({"crm_team_id": cls.team.id, "user_id": cls.insider.id})
        cls.segment = cls.env["crm.segment"].create({"name": "Keys", "kind": "static"})
        cls.env["crm.segment.member"].create(
            {"segment_id": cls.segment.id, "partner_id": cls.client.id}
        )
        cls.role = cls.env.ref(SALESMAN)

    @classmethod
    def _create_rule(cls, subject, **values):
        return cls.env["crm.secrecy.rule"].create(
            {"name": f"About {subject}", "subject": subject, **values}
        )

    def _sees(self, record, user):
        return record in record.with_user(user).search([("id", "in", record.ids)])


@tagged("post_install", "-at_install")
class TestSecrecyAgreements(SecrecyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.secret = cls._create_agreement(title="Velvet terms")
        cls.plain = cls._create_agreement(
            partner_id=cls.other_client.id, user_id=cls.other_salesman.id
        )

    def test_open_until_a_rule_is_there(self):
        for user in (self.insider, self.outsider, self.accountant, self.admin):
            self.assertTrue(self._sees(self.secret, user))
        rule = self._create_rule("agreement", active=False)
        self.assertTrue(self._sees(self.secret, self.outsider))
        rule.active = True
        self.assertFalse(self._sees(self.secret, self.outsider))
        rule.unlink()
        self.assertTrue(self._sees(self.secret, self.outsider))

    def test_role_team_and_segment(self):
        self._create_rule(
            "agreement",
            group_ids=self.role.ids,
            team_ids=self.team.ids,
            segment_ids=self.segment.ids,
        )
        self.assertTrue(self._sees(self.secret, self.insider))
        self.assertFalse(self._sees(self.plain, self.insider), "not a client of the segment")
        self.assertFalse(self._sees(self.secret, self.outsider), "not of the team")
        for user in (self.accountant, self.auditor, self.admin, self.approver):
            self.assertTrue(self._sees(self.secret, user))
        self.assertTrue(self._sees(self.secret, self.salesman), "his own agreement")
        self.team.crm_team_member_ids.unlink()
        self.assertFalse(self._sees(self.secret, self.insider), "left the team")
        self.team.user_id = self.outsider
        self.assertTrue(self._sees(self.secret, self.outsider), "leads the team")
        self.segment.member_ids.unlink()
        self.assertFalse(self._sees(self.secret, self.outsider), "no key account any more")

    def test_standard_agreement_of_the_segment(self):
        standard = self._create_agreement(
            kind="standard", segment_id=self.segment.id, user_id=self.other_salesman.id
        )
        self._create_rule("agreement", team_ids=self.team.ids, segment_ids=self.segment.ids)
        self.assertTrue(self._sees(standard, self.insider))
        self.assertFalse(self._sees(standard, self.outsider))

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_roads_round_it(self):
        contract = self.env["crm.agreement.contract"].create(
            {"name": "C-1", "agreement_id": self.secret.id, "user_id": self.salesman.id}
        )
        order = self._create_order()
        order.invalidate_recordset()
        self._create_rule("agreement")
        secret = self.secret.with_user(self.outsider)
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            secret.read(["title"])
        with self.assertRaises(AccessError):
            secret.export_data(["title"])
        with self.assertRaises(AccessError):
            secret.write({"title": "Mine"})
        with self.assertRaises(AccessError):
            secret.message_post(body="Hello")
        self.assertFalse(secret.name_search("Velvet"))
        self.assertEqual(secret.search_count([("title", "=", "Velvet terms")]), 0)
        self.assertFalse(
            secret.formatted_read_group([("title", "=", "Velvet terms")], ["title"], ["__count"])
        )
        # what belongs to it
        for part in (contract, self.secret.discount_line_ids):
            self.assertFalse(self._sees(part, self.outsider))
            with self.assertRaises(AccessError):
                part.with_user(self.outsider).read(["display_name"])
        self.assertFalse(
            self.env["mail.message"]
            .with_user(self.outsider)
            .search([("model", "=", "crm.agreement"), ("res_id", "=", self.secret.id)])
        )
        # from an order
        order = order.with_user(self.outsider)
        self.assertFalse(order.search([("agreement_id.title", "ilike", "velvet")]))
        number = self.secret.sudo().name
        self.assertEqual(order.read(["agreement_id"])[0]["agreement_id"][1], number)
        with self.assertRaises(AccessError):
            order.web_read({"agreement_id": {"fields": {"title": {}, "minimum_amount": {}}}})
        with self.assertRaises(AccessError):
            order.export_data(["agreement_id/title"])
        groups = order.formatted_read_group([], ["agreement_id"], ["__count"])
        self.assertNotIn("Velvet", str(groups))
        self.assertNotIn(
            "Velvet", str(self.env["crm.agreement.replay"].with_user(self.outsider).name_search(""))
        )
        with self.assertRaises(AccessError):
            self.env["ir.actions.report"].with_user(self.outsider)._render_qweb_html(
                "crm_extended.report_crm_agreement", self.secret.ids
            )
        self.assertFalse(order._get_document_values()["agreement.terms"])
        self.assertTrue(order.with_user(self.approver)._get_document_values()["agreement.terms"])
        with self.assertRaises(AccessError):
            self.env["crm.agreement.replay"].with_user(self.outsider).create(
                {"agreement_id": self.secret.id}
            )

    def test_seller_sells_under_an_agreement_he_may_not_open(self):
        self._create_rule("agreement")
        secret = self._create_agreement(
            partner_id=self.other_client.id, user_id=self.other_salesman.id
        )
        self.plain.with_user(self.approver).action_close()
        order = self._create_order(
            user=self.outsider, partner_id=self.other_client.id, user_id=self.outsider.id
        )
        self.assertEqual(order.agreement_id.id, secret.id)
        self.assertEqual(order.order_line.price_unit, 90)
        order.order_line.discount = 50
        self.assertIn("discount", self._get_kinds(order))
        with self.assertRaisesRegex(AccessError, "not this client's"):
            order.write({"agreement_id": self.secret.id})

    def test_two_companies(self):
        company = self.env["res.company"].create({"name": "Second"})
        for user in (self.insider, self.outsider):
            user.company_ids += company
        self._create_rule("agreement", company_id=company.id)
        self.assertTrue(self._sees(self.secret, self.outsider), "closed in the other one only")
        self._create_rule("agreement", company_id=self.env.company.id, team_ids=self.team.ids)
        self.assertFalse(self._sees(self.secret, self.outsider))
        self.assertTrue(self._sees(self.secret, self.insider))
        self.env["crm.secrecy.rule"].search([("company_id", "=", company.id)]).team_ids = self.team
        self.env["crm.secrecy.rule"].search(
            [("company_id", "=", self.env.company.id)]
        ).team_ids = False
        self.assertFalse(self._sees(self.secret, self.insider), "opened in the other one only")

    def test_no_query_while_nothing_is_secret(self):
        self.assertTrue(self.env["crm.agreement"].with_user(self.outsider).search([]))
        Rule = self.env["ir.rule"].with_user(self.outsider)
        with self.assertQueryCount(0):
            before = Rule._compute_domain("crm.agreement", "read")
        self.assertNotIn("segment", str(before))


@tagged("post_install", "-at_install")
class TestSecrecyPriceLists(SecrecyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client.property_product_pricelist = cls.pricelist

    def _order_values(self, **values):
        return {"user": self.outsider, "user_id": self.outsider.id, **values}

    def test_lists_of_a_segment_and_named_ones(self):
        self._create_agreement(pricelist_id=self.cheap_pricelist.id)
        rule = self._create_rule("pricelist", team_ids=self.team.ids, segment_ids=self.segment.ids)
        self.assertTrue(self._sees(self.cheap_pricelist, self.insider))
        self.assertFalse(self._sees(self.pricelist, self.insider))
        self.assertFalse(self._sees(self.cheap_pricelist, self.outsider))
        self.assertTrue(self._sees(self.cheap_pricelist.item_ids, self.insider))
        self.assertFalse(self._sees(self.cheap_pricelist.item_ids, self.outsider))
        rule.write({"segment_ids": [Command.clear()], "pricelist_ids": self.pricelist.ids})
        self.assertFalse(self._sees(self.cheap_pricelist, self.insider))
        self.assertTrue(self._sees(self.pricelist, self.insider))
        for user in (self.accountant, self.admin):
            self.assertTrue(self._sees(self.pricelist, user))

    def test_selling_by_a_list_one_may_not_open(self):
        self._create_rule("pricelist")
        self.env.invalidate_all()
        order = self._create_order(**self._order_values())
        self.env.invalidate_all()
        self.assertEqual(order.pricelist_id.id, self.pricelist.id, "still the client's list")
        self.assertEqual(order.order_line.price_unit, 90)
        self.assertEqual(order.pricelist_id.display_name, "Confidential price list")
        order.order_line.product_uom_qty = 3
        order.action_update_prices()
        self.assertEqual(order.order_line.price_unit, 90)
        line = order.order_line.create({"order_id": order.id, "product_id": self.saw.id})
        self.assertEqual(line.price_unit, 180)
        data = order._get_product_catalog_order_data(self.glove)
        self.assertEqual(data[self.glove.id]["price"], 9)
        with Form(self.env["sale.order"].with_user(self.outsider)) as form:
            form.partner_id = self.client
            with form.order_line.new() as new:
                new.product_id = self.drill
                self.assertEqual(new.price_unit, 90)
        order.action_confirm()
        self.assertEqual(order.state, "sale")

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_roads_round_it(self):
        self._create_rule("pricelist")
        self.env.invalidate_all()
        cheap = self.cheap_pricelist.with_user(self.outsider)
        with self.assertRaises(AccessError):
            cheap.read(["name"])
        with self.assertRaises(AccessError):
            cheap.item_ids.read(["percent_price"])
        with self.assertRaisesRegex(AccessError, "not this client's"), self.cr.savepoint():
            self._create_order(**self._order_values(pricelist_id=cheap.id))
        order = self._create_order(**self._order_values())
        with self.assertRaisesRegex(AccessError, "not this client's"), self.cr.savepoint():
            order.pricelist_id = cheap
        with self.assertRaisesRegex(AccessError, "not this client's"):
            self.env["sale.order"].with_user(self.outsider).onchange(
                {"partner_id": self.client.id, "pricelist_id": cheap.id},
                ["pricelist_id"],
                {"pricelist_id": {}, "order_line": {"fields": {"price_unit": {}}}},
            )
        # a price by a list which no order of his has
        with self.assertRaisesRegex(AccessError, "confidential"):
            cheap._get_product_price(self.drill.with_user(self.outsider), 1.0)
        self.env.invalidate_all()
        data = {"pricelist_id": self.pricelist.id, "active_ids": self.drill.ids,
                "active_model": "product.product", "quantities": [1]}  # fmt: skip
        with self.assertRaises(AccessError):
            self.env["report.product.report_pricelist"].with_user(self.outsider).get_html(data)
        with self.assertRaises(AccessError):
            self.env["product.label.layout"].with_user(self.outsider).create(
                {"pricelist_id": self.pricelist.id, "product_ids": self.drill.ids}
            )
        orders = self.env["sale.order"].with_user(self.outsider)
        self.assertFalse(orders.search([("pricelist_id.name", "ilike", "ten off")]))
        self.assertNotIn("Ten off", str(orders.formatted_read_group([], ["pricelist_id"])))
        partner = self.client.with_user(self.outsider).read(["property_product_pricelist"])
        self.assertNotIn("Ten off", str(partner))


@tagged("post_install", "-at_install")
class TestSecrecyCost(SecrecyCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.drill.standard_price = 60

    @mute_logger("odoo.models")
    def test_roads_round_it(self):
        drill = self.drill.with_user(self.outsider)
        self.assertEqual(drill.standard_price, 60)
        self._create_rule("cost", team_ids=self.team.ids)
        self.env.invalidate_all()
        template = drill.product_tmpl_id
        for record in (drill, template):
            with self.assertRaises(AccessError):
                record.read(["standard_price"])
            with self.assertRaises(AccessError):
                record.search([("standard_price", ">", 50)])
            with self.assertRaises(AccessError):
                record.search_count([("name", "=", "Drill"), ("standard_price", ">", 50)])
            with self.assertRaises(AccessError):
                record.export_data(["standard_price"])
            with self.assertRaises(AccessError):
                record.write({"standard_price": 1})
            self.assertNotIn("standard_price", record.fields_get())
        for domain in (
            [("product_tmpl_id.standard_price", ">", 50)],
            [("product_tmpl_id", "any", [("standard_price", ">", 50)])],
            ["!", ("product_variant_ids.standard_price", "<", 50)],
        ):
            with self.assertRaises(AccessError):
                drill.search(domain)
        with self.assertRaises(AccessError):
            drill.search([], order="standard_price")
        with self.assertRaises(AccessError):
            drill.formatted_read_group([], ["categ_id"], ["standard_price:sum"])
        with self.assertRaises(AccessError):
            drill.formatted_read_group([("standard_price", ">", 1)], ["categ_id"], ["__count"])
        orders = self.env["sale.order"].with_user(self.outsider)
        for path in (
            "order_line.product_id.standard_price",
            "order_line.product_template_id.standard_price",
        ):
            with self.assertRaises(AccessError):
                orders.search([(path, ">", 50)])
        with self.assertRaises(AccessError):
            orders.order_line.formatted_read_group([], ["product_id.standard_price"], ["__count"])
        supplier = self.env["product.supplierinfo"].create(
            {"partner_id": self.other_client.id, "product_tmpl_id": template.id, "price": 60}
        )
        with self.assertRaises(AccessError):
            supplier.with_user(self.outsider).read(["price"])
        for user in (self.insider, self.accountant, self.auditor, self.admin):
            self.env.invalidate_all()
            self.assertEqual(
                self.drill.with_user(user).read(["standard_price"])[0]["standard_price"], 60
            )

    def test_screens_leave_it_out(self):
        view = self.env.ref("product.product_template_form_view")
        before = self.env["product.template"].with_user(self.outsider).get_view(view.id, "form")
        self.assertIn('"standard_price"', before["arch"])
        self._create_rule("cost", team_ids=self.team.ids)
        model = self.env["product.template"].with_user(self.outsider)
        self.assertNotIn('name="standard_price"', model.get_view(view.id, "form")["arch"])
        views = model.get_views([(view.id, "form")])
        self.assertNotIn("standard_price", views["models"]["product.template"]["fields"])
        insider = self.env["product.template"].with_user(self.insider)
        self.assertEqual(insider.get_view(view.id, "form")["arch"], before["arch"])
        # it is still there for the next one
        self.assertIn("standard_price", insider.get_view(view.id, "form")["arch"])
        with Form(self.env["sale.order"].with_user(self.outsider)) as form:
            form.partner_id = self.client
            with form.order_line.new() as line:
                line.product_id = self.drill
        self.assertEqual(form.record.order_line.price_unit, 100)

    def test_fields_of_margins(self):
        """With Margins installed its fields obey alike."""
        self._create_rule("cost")
        for model in ("sale.order", "sale.order.line", "sale.report"):
            self.assertIn("margin", self.env[model]._secret_cost_fields)

    def test_markup_on_a_secret_cost_is_priced(self):
        self._create_rule("cost")
        self._create_agreement(price_rule="markup", markup_percent=50, discounts=[])
        order = self._create_order(user=self.outsider, user_id=self.outsider.id)
        self.assertEqual(order.order_line.price_unit, 90, "60 and a half")

    @mute_logger("odoo.addons.mail.models.mail_render_mixin", "odoo.addons.base.models.ir_qweb")
    def test_letters_tell_no_cost(self):
        template = self.env["mail.template"].create(
            {
                "name": "Cost",
                "model_id": self.env["ir.model"]._get_id("product.product"),
                "subject": "{{ object.standard_price }}",
                "body_html": "<t t-out='object.product_tmpl_id.standard_price'/>",
            }
        )
        insider = template.with_user(self.insider)
        self._create_rule("cost", team_ids=self.team.ids)
        for name in ("subject", "body_html"):
            self.env.invalidate_all()
            self.assertIn("60", insider._render_field(name, self.drill.ids)[self.drill.id])
            self.env.invalidate_all()
            with self.assertRaises(UserError):
                template.with_user(self.outsider)._render_field(name, self.drill.ids)

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_prices_made_of_the_cost(self):
        """They are told; neither the rule nor a rule of one's own tells the cost behind them."""
        manager = new_test_user(
            self.env, "sec_manager", "base.group_user,sales_team.group_sale_manager"
        )
        cost_plus = {
            "applied_on": "3_global",
            "compute_price": "formula",
            "base": "standard_price",
            "price_markup": 20.0,
        }
        self.client.property_product_pricelist = self.env["product.pricelist"].create(
            {"name": "Cost plus", "item_ids": [Command.create(cost_plus)]}
        )
        [rule] = self.client.property_product_pricelist.item_ids
        self._create_rule("cost")
        self.env.invalidate_all()
        order = self._create_order(user=self.outsider, user_id=self.outsider.id)
        self.assertEqual(order.order_line.price_unit, 72, "60 and a fifth")
        order.order_line.product_uom_qty = 2
        order.action_update_prices()
        self.assertEqual(order.order_line.price_unit, 72)
        self.env.invalidate_all()
        for user in (self.outsider, manager):
            with self.assertRaises(AccessError):
                rule.with_user(user).read(["price_markup"])
            self.assertFalse(self._sees(rule, user))
        Item = self.env["product.pricelist.item"].with_user(manager)
        own = self.pricelist.item_ids.with_user(manager)
        with self.assertRaisesRegex(AccessError, "confidential"), self.cr.savepoint():
            Item.create({**cost_plus, "pricelist_id": self.pricelist.id})
        with self.assertRaisesRegex(AccessError, "confidential"), self.cr.savepoint():
            own.base = "standard_price"
        with self.assertRaisesRegex(AccessError, "confidential"), self.cr.savepoint():
            self.env["product.pricelist"].with_user(manager).create(
                {"name": "Mine", "item_ids": [Command.create(cost_plus)]}
            )
        own.price_discount = 12.0
        # agreements alike
        with self.assertRaisesRegex(AccessError, "confidential"), self.cr.savepoint():
            self.env["crm.agreement"].with_user(self.salesman).create(
                {"kind": "individual", "partner_id": self.client.id, "price_rule": "markup"}
            )
        draft = self._create_agreement(activate=False)
        with self.assertRaisesRegex(AccessError, "confidential"), self.cr.savepoint():
            draft.with_user(self.salesman).price_rule = "markup"
        standard = self._create_agreement(
            kind="standard", price_rule="markup", markup_percent=30, activate=False
        )
        derived = (
            self.env["crm.agreement"]
            .with_user(self.salesman)
            .create({"kind": "individual", "partner_id": self.client.id, "parent_id": standard.id})
        )
        self.assertEqual(derived.markup_percent, 30)
        with self.assertRaisesRegex(AccessError, "confidential"), self.cr.savepoint():
            derived.markup_percent = 0

    def test_replay_without_margin(self):
        agreement = self._create_agreement()
        self._create_order().action_confirm()
        self._create_rule("cost")
        figures = agreement.with_user(self.salesman)._replay()
        self.assertFalse(figures["sees_cost"])
        self.assertFalse(figures["margin_agreed"] or figures["margin_actual"])
        wizard = self.env["crm.agreement.replay"].with_user(self.salesman)
        page = wizard.create({"agreement_id": agreement.id}).page_html
        self.assertNotIn("Margin", page)

    @mute_logger("odoo.models")
    def test_margin_of_the_clients_of_a_segment(self):
        """The team of key accounts sees what is earned with these, not what things cost."""
        agreement = self._create_agreement()
        other = self._create_agreement(partner_id=self.other_client.id)
        self._create_order().action_confirm()
        self._create_rule("cost", team_ids=self.team.ids, segment_ids=self.segment.ids)
        self.env.invalidate_all()
        figures = agreement.with_user(self.insider)._replay()
        self.assertTrue(figures["sees_cost"])
        self.assertEqual(figures["margin_actual"], 30, "90 less 60")
        for user, hidden in ((self.insider, other), (self.outsider, agreement)):
            figures = hidden.with_user(user)._replay()
            self.assertFalse(figures["sees_cost"] or figures["margin_actual"])
            with self.assertRaises(AccessError):
                self.drill.with_user(user).read(["standard_price"])
        self.segment.member_ids.unlink()
        self.assertFalse(agreement.with_user(self.insider)._replay()["sees_cost"])

    def test_company_of_a_rule(self):
        company = self.env["res.company"].create({"name": "Second"})
        self.outsider.company_ids += company
        self._create_rule("cost", company_id=company.id)
        drill = self.drill.with_user(self.outsider)
        drill.with_context(allowed_company_ids=self.env.company.ids).read(["standard_price"])
        with self.assertRaises(AccessError):
            drill.with_context(allowed_company_ids=company.ids).read(["standard_price"])


@tagged("post_install", "-at_install")
class TestSecrecyRules(SecrecyCommon):
    def test_only_administrators(self):
        rule = self._create_rule("cost")
        for user in (self.outsider, self.approver, self.accountant):
            with self.assertRaises(AccessError):
                rule.with_user(user).read(["name"])
            with self.assertRaises(AccessError):
                self.env["crm.secrecy.view"].with_user(user).create({"user_id": user.id})
        rule.with_user(self.admin).name = "Known to few"

    def test_bad_input(self):
        with self.assertRaisesRegex(ValidationError, "price lists"):
            self._create_rule("agreement", pricelist_ids=self.pricelist.ids)

    @users("sec_admin")
    def test_seen_by(self):
        self._create_agreement(title="Velvet")
        self._create_rule("agreement", team_ids=self.team.ids)
        self._create_rule("cost")
        view = self.env["crm.secrecy.view"].create({"user_id": self.outsider.id})
        self.assertFalse(view.agreement_ids)
        self.assertIn("closed", view.agreement_summary)
        self.assertEqual(view.cost_summary, "hidden")
        self.assertTrue(view.pricelist_ids)
        view.user_id = self.insider
        self.assertIn("Velvet", view.agreement_ids.mapped("title"))
        self.assertEqual(view.rule_ids.mapped("name"), ["About agreement"])
        view.user_id = self.accountant
        self.assertEqual(view.cost_summary, "visible")


@tagged("post_install", "-at_install")
class TestSecrecyLeavesTheRest(SecrecyCommon):
    """People go on working with everything that is no secret."""

    def _get_readable(self, records, names=None):
        """Names of the fields that can be read, found by halves."""
        names = sorted(records.fields_get()) if names is None else names
        self.env.invalidate_all()
        try:
            with self.cr.savepoint():
                records.read(names)
            return set(names)
        except AccessError:
            half = len(names) // 2
            if not half:
                return set()
        return self._get_readable(records, names[:half]) | self._get_readable(records, names[half:])

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    @mute_logger("odoo.addons.base.models.ir_model")
    def test_only_secret_fields_are_closed(self):
        self.client.property_product_pricelist = self.pricelist
        agreement = self._create_agreement()
        lead = self.env["crm.lead"].create({"name": "Deal", "partner_id": self.client.id})
        order = self._create_order(
            user=self.outsider, user_id=self.outsider.id, opportunity_id=lead.id
        )
        order.action_confirm()
        invoice = order.sudo()._create_invoices()
        self.assertEqual(order.agreement_id, agreement)
        documents = [
            order,
            order.order_line,
            lead,
            self.client,
            self.drill,
            self.drill.product_tmpl_id,
            invoice,
        ]
        documents = [
            document.with_user(self.outsider)
            for document in documents
            if document.with_user(self.outsider).has_access("read")
        ]
        before = [self._get_readable(document) for document in documents]
        for subject in ("agreement", "pricelist", "cost"):
            self._create_rule(subject)
        for document, readable in zip(documents, before, strict=True):
            closed = readable - self._get_readable(document)
            secret = getattr(document, "_secret_cost_fields", ())
            self.assertLessEqual(closed, set(secret), document)
