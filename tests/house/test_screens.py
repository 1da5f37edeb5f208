"""Every screen of the suite opens for everybody who finds it in his menus.

A field, a button or a related model without rights shows as an error on a whole form; nobody who
builds as an administrator sees it. So: for each role, walk the menus, open every action in every
view it offers, and read what these views read.
"""

from lxml import etree
from odoo.fields import Command
from odoo.tests import TransactionCase, new_test_user, tagged

ROLES = {
    "salesperson": "sales_team.group_sale_salesman",
    "sales lead": "sales_team.group_sale_salesman_all_leads",
    "sales manager": "sales_team.group_sale_manager",
    "approver": "crm_extended.crm_agreements_group_approver",
    "accountant": "account.group_account_invoice,account.group_account_readonly",
    "claim handler": "crm_claims.crm_claims_group_user",
    "all claims": "crm_claims.crm_claims_group_user_all",
    "claims manager": "crm_claims.crm_claims_group_manager",
}
APPS = ("crm.crm_menu_root", "crm_claims.crm_claims_menu_root", "account.menu_finance")
ADDONS = ("crm_extended", "crm_scoring", "crm_claims", "crm_portal")
# What a role comes to from other records: from an invoice to its deal, from a claim to its client.
FORMS = {
    "salesperson": ("crm.lead", "sale.order", "crm.agreement", "crm.interaction", "res.partner"),
    "sales manager": ("crm.lead", "sale.order", "crm.agreement", "crm.interaction", "res.partner"),
    "accountant": ("crm.lead", "sale.order", "crm.agreement", "crm.claim", "account.move"),
    "claim handler": ("crm.claim", "res.partner"),
    "claims manager": ("crm.claim", "crm.claim.investigation", "res.partner"),
}


@tagged("post_install", "-at_install")
class TestScreens(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not cls.env.company.chart_template:
            cls.env["account.chart.template"].try_loading(
                "generic_coa", cls.env.company, install_demo=False
            )
        cls.users = {
            role: new_test_user(cls.env, login=f"screens {role}", groups=groups)
            for role, groups in ROLES.items()
        }
        seller = cls.users["salesperson"]
        handler = cls.users["claim handler"]
        partner = cls.env["res.partner"].create(
            {"name": "Screen Client", "is_company": True, "user_id": seller.id}
        )
        product = cls.env["product.product"].create(
            {"name": "Screen Product", "list_price": 100.0, "invoice_policy": "order"}
        )
        lead = cls.env["crm.lead"].create(
            {
                "name": "Screen Deal",
                "type": "opportunity",
                "partner_id": partner.id,
                "user_id": seller.id,
                "expected_revenue": 1000.0,
            }
        )
        order = cls.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "user_id": seller.id,
                "opportunity_id": lead.id,
                "order_line": [Command.create({"product_id": product.id, "product_uom_qty": 2})],
            }
        )
        order.action_confirm()
        invoice = order._create_invoices()
        invoice.action_post()
        agreement = cls.env["crm.agreement"].create(
            {"kind": "individual", "partner_id": partner.id, "user_id": seller.id}
        )
        interaction = cls.env["crm.interaction"].create(
            {
                "subject": "Screen Call",
                "kind": "call",
                "partner_id": partner.id,
                "user_id": seller.id,
            }
        )
        department = cls.env["hr.department"].create({"name": "Screen Department"})
        claim = cls.env["crm.claim"].create(
            {
                "subject": "Screen Claim",
                "partner_id": partner.id,
                "order_id": order.id,
                "user_id": handler.id,
                "cause_id": cls.env["crm.claim.cause"].create({"name": "Screen Cause"}).id,
                "fault_ids": [
                    Command.create({"department_id": department.id, "reason": "Seen there"})
                ],
            }
        )
        investigation = cls.env["crm.claim.investigation"].create(
            {"name": "Screen Investigation", "claim_ids": [Command.link(claim.id)]}
        )
        cls.env["crm.customer.profile"]._refresh()
        cls.records = {
            record._name: record
            for record in (
                *(partner, lead, order, invoice),
                *(agreement, interaction, claim, investigation),
            )
        }
        cls.env.flush_all()

    def _get_spec(self, arch, model):
        """What the web client asks for when it opens a view."""
        spec = {}
        for node in etree.fromstring(arch).iter("field"):
            if any(ancestor.tag == "field" for ancestor in node.iterancestors()):
                continue  # belongs to the view of an x2many
            field = model._fields.get(node.get("name"))
            if not field:
                continue
            spec[field.name] = {}
            if field.type == "many2one":
                spec[field.name] = {"fields": {"display_name": {}}}
            elif field.type in ("one2many", "many2many"):
                rows = model.env[field.comodel_name]
                inner = [
                    child
                    for child in node.iterdescendants("field")
                    if next(a for a in child.iterancestors() if a.tag == "field") is node
                ]
                names = {child.get("name") for child in inner} & rows._fields.keys()
                spec[field.name] = {"fields": {name: {} for name in names}, "limit": 40}
        return spec

    def _open(self, model, view_type, view_id, domain, record=None):
        views = model.get_views([(view_id, view_type), (False, "search")])
        if view_type in ("list", "kanban", "form"):
            spec = self._get_spec(views["views"][view_type]["arch"], model)
            records = record or model.search(domain, limit=2)
            if view_type == "form":
                records.web_read(spec)
                if not record and model.has_access("create"):
                    model.onchange({}, [], spec)
            else:
                model.web_search_read(domain, spec, limit=2)
        elif view_type in ("pivot", "graph"):
            arch = etree.fromstring(views["views"][view_type]["arch"])
            groupby = [
                self._get_groupby(model, node)
                for node in arch.iter("field")
                if node.get("type") in ("row", "col")
                or (view_type == "graph" and not node.get("type"))
            ]
            model.formatted_read_group(domain, groupby, ["__count"])

    def _get_groupby(self, model, node):
        name = node.get("name")
        if model._fields[name].type in ("date", "datetime"):
            return f"{name}:{node.get('interval', 'month')}"
        return name

    def _get_actions(self, user):
        """Window actions that stand in this user's menus, below the apps of the suite."""
        menus = self.env["ir.ui.menu"].with_user(user).load_menus(False)
        roots = {self.env.ref(xid).id for xid in APPS}
        data = self.env["ir.model.data"].sudo()
        for menu in menus.values():
            if menu.get("app_id") not in roots:
                continue
            if menu["action_model"] != "ir.actions.act_window":
                continue
            action_id = menu["action_id"]
            origin = data.search(
                [("model", "=", "ir.actions.act_window"), ("res_id", "=", action_id)], limit=1
            )
            if origin.module in ADDONS:
                yield self.env["ir.actions.act_window"].with_user(user).browse(action_id)

    def test_menus_open(self):
        opened = set()
        for role, user in self.users.items():
            for action in self._get_actions(user):
                with self.subTest(role=role, action=action.sudo().name):
                    values = action._get_action_dict()
                    model = self.env[values["res_model"]].with_user(user)
                    for view_id, view_type in values["views"]:
                        self._open(model, view_type, view_id, [])
                    opened.add(values["res_model"])
        self.assertGreater(len(opened), 12, f"only {opened} were reached: the walk is broken")

    def test_forms_open(self):
        for role, models in FORMS.items():
            for name in models:
                with self.subTest(role=role, model=name):
                    record = self.records[name].with_user(self.users[role])
                    self._open(record.browse(), "form", False, [], record)
