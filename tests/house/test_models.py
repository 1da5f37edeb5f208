"""The rules of the house, checked for every model of the suite, present and future.

Each check walks the registry, so a model added next year is covered the day it is added.
"""

import re

from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL

ADDONS = ("crm_extended", "crm_scoring", "crm_claims", "crm_portal")
READERS = ("account.group_account_readonly", "account.group_account_invoice")
OUTSIDERS = ("base.group_portal", "base.group_public")


@tagged("post_install", "-at_install")
class TestHouseRules(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.own_models = {
            name: model
            for name, model in cls.env.items()
            if cls.env.registry[name]._original_module in ADDONS
        }
        cls.stored_models = {
            name: model
            for name, model in cls.own_models.items()
            if not model._abstract and not model._transient
        }
        cls.access = cls.env["ir.model.access"].search(
            [("model_id.model", "in", list(cls.own_models))]
        )
        cls.rules = cls.env["ir.rule"].search([("model_id.model", "in", list(cls.stored_models))])

    def _assert_none(self, offenders, message):
        self.assertFalse(offenders, f"{message}: {', '.join(sorted(offenders))}")

    def _get_many2ones(self, model_name):
        return [f for f in self.env[model_name]._fields.values() if f.type == "many2one"]

    def test_suite_is_seen(self):
        self.assertGreater(
            len(self.stored_models), 15, "the walk below must have something to walk"
        )

    def test_every_model_names_its_readers(self):
        reached = set(
            self.access.filtered(lambda a: a.active and a.perm_read).model_id.mapped("model")
        )
        self._assert_none(
            {n for n, m in self.own_models.items() if not m._abstract} - reached,
            "Models that nobody but the superuser may read",
        )

    def test_no_access_without_a_group(self):
        self._assert_none(
            {a.name for a in self.access if not a.group_id},
            "Access lines that hold for everybody",
        )

    def test_outsiders_read_at_most(self):
        groups = self.env["res.groups"].browse(self.env.ref(xid).id for xid in OUTSIDERS)
        self._assert_none(
            {
                a.model_id.model
                for a in self.access
                if a.group_id in groups and (a.perm_write or a.perm_create or a.perm_unlink)
            },
            "Models that customers could change past the portal's controllers",
        )

    def test_outsiders_are_held_by_a_rule(self):
        portal = self.env.ref("base.group_portal")
        readable = {
            a.model_id.model
            for a in self.access
            if a.group_id == portal
            and a.perm_read
            # lists of words (stages, categories) are nobody's; what names a partner is somebody's
            and any(f.comodel_name == "res.partner" for f in self._get_many2ones(a.model_id.model))
        }
        ruled = {r.model_id.model for r in self.rules if portal in r.groups and r.perm_read}
        self._assert_none(readable - ruled, "Models that a customer reads without a record rule")

    def test_accountants_only_read(self):
        groups = self.env["res.groups"].browse(self.env.ref(xid).id for xid in READERS)
        self._assert_none(
            {
                a.model_id.model
                for a in self.access
                if a.group_id in groups
                and not self.own_models[a.model_id.model]._transient
                and (a.perm_write or a.perm_create or a.perm_unlink)
            },
            "Models that the accounting groups may change",
        )

    def test_company_rule(self):
        """A model with a company of its own has a global rule on it."""
        ruled = {
            r.model_id.model
            for r in self.rules
            if not r.groups
            and "company_id" in (r.domain_force or "")
            and "company_ids" in r.domain_force
        }
        with_company = {
            n
            for n, m in self.stored_models.items()
            if "company_id" in m._fields and m._fields["company_id"].store
        }
        self._assert_none(with_company - ruled, "Models with a company and no global company rule")

    def test_company_checked(self):
        self._assert_none(
            {
                n
                for n, m in self.stored_models.items()
                if m._auto
                and "company_id" in m._fields
                and not m._check_company_auto
                and any(getattr(f, "check_company", False) for f in m._fields.values())
            },
            "Models that declare check_company and never check it",
        )

    def test_inverse_many2one_is_indexed(self):
        """A one2many reads its rows by the many2one behind it: by index, or the whole table."""
        own_one2manys = [
            field
            for model in self.env.values()
            for field in model._fields.values()
            if field.type == "one2many" and field._module in ADDONS and field.inverse_name
        ]
        leading = set(
            self.env.execute_query(
                SQL(
                    """SELECT c.relname, a.attname FROM pg_index i
                         JOIN pg_class c ON c.oid = i.indrelid
                         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]"""
                )
            )
        )
        offenders = set()
        for field in own_one2manys:
            rows = self.env[field.comodel_name]
            inverse = rows._fields[field.inverse_name]
            in_table = rows._auto and not rows._transient and inverse.store
            is_column = in_table and inverse.type == "many2one"
            if is_column and (rows._table, inverse.name) not in leading:
                offenders.add(str(inverse))
        self._assert_none(offenders, "Many2one fields behind a one2many without an index")

    def test_models_are_described(self):
        nameless = {
            n for n, m in self.own_models.items() if not m._description or m._description == n
        }
        self._assert_none(nameless, "Models without a description")

    def test_classes_state_their_rules(self):
        """Every model opens with a docstring that says what it is for."""
        offenders = set()
        for name, model in self.stored_models.items():
            bases = [b for b in type(model).__mro__ if b.__module__.startswith("odoo.addons.crm_")]
            if not any(
                (b.__dict__.get("__doc__") or "").strip()
                for b in bases
                if getattr(b, "_name", None) == name
            ):
                offenders.add(name)
        self._assert_none(offenders, "Models whose class says nothing")

    def test_rpc_doors_are_guarded_by_name(self):
        """No public method of ours takes raw SQL or a table name from its caller."""
        offenders = set()
        for name, model in self.own_models.items():
            for klass in type(model).__mro__:
                if not klass.__module__.startswith("odoo.addons.crm_"):
                    continue
                offenders |= {
                    f"{name}.{attr}"
                    for attr, value in vars(klass).items()
                    if callable(value)
                    and not attr.startswith("_")
                    and not getattr(value, "_api_private", False)
                    and re.search(r"(sudo|execute|sql|cron)", attr)
                }
        self._assert_none(offenders, "Public methods that should be private")
