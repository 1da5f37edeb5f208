import threading
from datetime import timedelta

from odoo import SUPERUSER_ID, api
from odoo.addons.base.tests.common import BaseCommon
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command, Date
from odoo.modules.registry import DummyRLock, Registry
from odoo.tests import BaseCase, Form, HttpCase, new_test_user, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger
from psycopg2 import IntegrityError


class RelationCommon(BaseCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("en_US")
        cls.env = cls.env(context=dict(cls.env.context, lang="en_US"))
        cls.salesman, cls.manager, cls.accountant, cls.clerk = (
            new_test_user(cls.env, f"rel_{name}", f"base.group_user,{groups}", lang="en_US")
            for name, groups in (
                ("sales", "sales_team.group_sale_salesman"),
                ("manager", "sales_team.group_sale_manager"),
                ("accountant", "account.group_account_readonly"),
                ("clerk", "base.group_partner_manager"),
            )
        )
        Type = cls.env["crm.partner.relation.type"]
        cls.parent = Type.create(
            {
                "name": "mother of",
                "inverse_name": "daughter of",
                "left_kind": "company",
                "right_kind": "company",
            }
        )
        cls.relative = Type.create(
            {
                "name": "kin of",
                "is_symmetric": True,
                "left_kind": "person",
                "right_kind": "person",
            }
        )
        cls.knows = Type.create({"name": "has named", "inverse_name": "named by"})
        Partner = cls.env["res.partner"]
        cls.alpha, cls.beta, cls.gamma, cls.delta = Partner.create(
            [{"name": f"Rel {name}", "is_company": True} for name in ("A", "B", "C", "D")]
        )
        cls.anna, cls.boris = Partner.create(
            [
                {"name": "Rel Anna", "parent_id": cls.alpha.id},
                {"name": "Rel Boris", "parent_id": cls.gamma.id},
            ]
        )
        cls.today = Date.context_today(cls.alpha)

    @classmethod
    def _relate(cls, left, kind, right, **values):
        return cls.env["crm.partner.relation"].create(
            {
                "left_partner_id": left.id,
                "type_id": kind.id,
                "right_partner_id": right.id,
                **values,
            }
        )

    def _owe(self, partner):
        """An invoice of 70 that should have been paid a month ago."""
        self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": partner.id,
                "invoice_date": self._day(-60),
                "invoice_date_due": self._day(-30),
                "invoice_line_ids": [
                    Command.create({"name": "Thing", "price_unit": 70, "tax_ids": []})
                ],
            }
        ).action_post()

    def _day(self, days):
        return self.today + timedelta(days=days)


@tagged("post_install", "-at_install")
class TestPartnerRelation(RelationCommon):
    # ------------------------------------------------------------
    # What may be entered
    # ------------------------------------------------------------

    def test_not_to_itself(self):
        with self.assertRaises(ValidationError):
            self._relate(self.alpha, self.knows, self.alpha)

    def test_kinds_of_the_sides(self):
        for left, kind, right in (
            (self.anna, self.parent, self.beta),
            (self.alpha, self.parent, self.boris),
            (self.anna, self.relative, self.beta),
        ):
            with self.assertRaisesRegex(ValidationError, "it must be a"):
                self._relate(left, kind, right)
        self._relate(self.anna, self.knows, self.beta)
        with self.assertRaises(ValidationError):
            self.knows.left_kind = "company"

    def test_type_is_whole(self):
        Type = self.env["crm.partner.relation.type"]
        with self.assertRaises(ValidationError):
            Type.create({"name": "half"})
        with self.assertRaises(ValidationError):
            Type.create({"name": "odd", "is_symmetric": True, "left_kind": "person"})
        self._relate(self.alpha, self.knows, self.beta)
        with self.assertRaises(ValidationError):
            self.knows.is_symmetric = True

    def test_no_overlap(self):
        self._relate(
            self.alpha,
            self.parent,
            self.beta,
            date_start=self._day(-100),
            date_end=self._day(-50),
        )
        for start, end in ((None, None), (-60, None), (None, -100), (-50, -50), (-200, 200)):
            with self.assertRaisesRegex(ValidationError, "There is already"):
                self._relate(
                    self.alpha,
                    self.parent,
                    self.beta,
                    date_start=start and self._day(start),
                    date_end=end and self._day(end),
                )
        later = self._relate(self.alpha, self.parent, self.beta, date_start=self._day(-49))
        self._relate(self.alpha, self.knows, self.beta)
        self._relate(self.beta, self.parent, self.alpha)
        with self.assertRaises(ValidationError):
            later.date_start = self._day(-70)

    def test_symmetric_is_one_row(self):
        kin = self._relate(self.boris, self.relative, self.anna)
        self.assertEqual(kin.left_partner_id, self.anna, "the older card first")
        with self.assertRaisesRegex(ValidationError, "There is already"):
            self._relate(self.boris, self.relative, self.anna)
        with self.assertRaisesRegex(ValidationError, "There is already"):
            self._relate(self.anna, self.relative, self.boris)

    def test_dates_in_order(self):
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.cr.savepoint():
            self._relate(
                self.alpha,
                self.parent,
                self.beta,
                date_start=self.today,
                date_end=self._day(-1),
            )

    def test_form(self):
        with Form(self.env["crm.partner.relation"].with_user(self.salesman)) as form:
            form.left_partner_id = self.alpha
            form.type_id = self.parent
            form.right_partner_id = self.beta
        relation = form.save()
        self.assertEqual(relation.display_name, "Rel A mother of Rel B")
        self.assertTrue(relation.is_current)

    # ------------------------------------------------------------
    # Search
    # ------------------------------------------------------------

    def test_clients_related_to_x_by_y(self):
        self._relate(self.alpha, self.parent, self.beta)
        self._relate(self.gamma, self.knows, self.beta)
        self._relate(self.delta, self.parent, self.beta, date_end=self._day(-1))
        Partner = self.env["res.partner"].with_user(self.salesman)
        for text, found in (
            ("Rel B", self.alpha + self.gamma),
            ("Rel B / mother", self.alpha),
            ("Rel A / daughter", self.beta),
            ("Rel A / mother", Partner),
            ("/ named by", self.beta),
        ):
            with self.subTest(text=text):
                ours = self.alpha + self.beta + self.gamma + self.delta
                self.assertEqual(
                    Partner.search([("id", "in", ours.ids), ("relation_search", "ilike", text)]),
                    found,
                )
        domain = [
            ("relation_side_ids.other_partner_id", "=", self.beta.id),
            ("relation_side_ids.type_id", "=", self.knows.id),
        ]
        self.assertIn(self.gamma, Partner.search(domain))
        self.assertEqual(self.beta.with_user(self.salesman).relation_count, 2)

    def test_dialog_finds_related_clients(self):
        self._relate(self.alpha, self.parent, self.beta)
        self._relate(self.gamma, self.knows, self.beta)
        self._relate(self.delta, self.parent, self.beta, date_end=self._day(-1))
        searches = (
            (False, False, self.alpha + self.gamma),
            (f"{self.parent.id}/left", False, self.alpha),
            (f"{self.parent.id}/left", True, self.alpha + self.delta),
            (f"{self.parent.id}/right", True, self.beta.browse()),
            (f"{self.knows.id}/left", False, self.gamma),
        )
        for user in (self.salesman, self.accountant):
            env = self.env(user=user)
            dialog = Form(env["crm.partner.relation.search"])
            dialog.partner_id = self.beta
            for relation, with_past, found in searches:
                with self.subTest(user=user.login, relation=relation, with_past=with_past):
                    dialog.relation, dialog.with_past = relation, with_past
                    self.assertEqual(dialog.found_count, len(found))
                    action = dialog.save().action_search()
                    self.assertEqual(env["res.partner"].search(action["domain"]), found)
        with self.assertRaises(AccessError):
            self.env["crm.partner.relation.search"].with_user(self.clerk).create(
                {"partner_id": self.beta.id}
            )
        self.assertIn(
            (f"{self.parent.id}/right", "daughter of"),
            self.env["crm.partner.relation.search"]._get_relations(),
        )

    # ------------------------------------------------------------
    # Graph
    # ------------------------------------------------------------

    def _get_graph(self, partner, user=None, **options):
        return partner.with_user(user or self.salesman).get_relation_graph(**options)

    def _get_depths(self, graph):
        return {node["id"]: node["depth"] for node in graph["nodes"]}

    def test_graph_goes_two_steps(self):
        first = self._relate(self.alpha, self.parent, self.beta)
        second = self._relate(self.gamma, self.knows, self.beta)
        self._relate(self.gamma, self.knows, self.delta)
        circle = self._relate(self.alpha, self.knows, self.gamma, date_end=self._day(-1))
        graph = self._get_graph(self.alpha)
        self.assertEqual(
            self._get_depths(graph), {self.alpha.id: 0, self.beta.id: 1, self.gamma.id: 2}
        )
        self.assertEqual({edge["id"] for edge in graph["edges"]}, {first.id, second.id})
        edge = next(edge for edge in graph["edges"] if edge["id"] == first.id)
        self.assertEqual((edge["from"], edge["to"]), (self.alpha.id, self.beta.id))
        self.assertEqual((edge["label"], edge["inverse"]), ("mother of", "daughter of"))
        self.assertEqual(
            self._get_depths(self._get_graph(self.alpha, depth=1)),
            {self.alpha.id: 0, self.beta.id: 1},
        )
        graph = self._get_graph(self.alpha, past=True)
        self.assertEqual(self._get_depths(graph)[self.gamma.id], 1)
        self.assertEqual(self._get_depths(graph)[self.delta.id], 2)
        past = next(edge for edge in graph["edges"] if edge["id"] == circle.id)
        self.assertTrue(past["is_past"])
        self.assertEqual(
            len(self._get_graph(self.alpha, depth=99)["nodes"]), 3, "not deeper than two"
        )

    def test_graph_shows_contacts_that_are_related(self):
        self._relate(self.anna, self.relative, self.boris)
        graph = self._get_graph(self.alpha)
        self.assertEqual(
            self._get_depths(graph), {self.alpha.id: 0, self.anna.id: 1, self.boris.id: 2}
        )
        graph = self._get_graph(self.anna)
        self.assertEqual(
            self._get_depths(graph),
            {self.anna.id: 0, self.alpha.id: 1, self.boris.id: 1, self.gamma.id: 2},
        )
        self.assertEqual(len([edge for edge in graph["edges"] if not edge["id"]]), 2)

    def test_graph_of_a_lonely_client(self):
        graph = self._get_graph(self.delta)
        self.assertEqual(self._get_depths(graph), {self.delta.id: 0})
        self.assertFalse(graph["edges"])

    def test_graph_is_bounded_and_costs_the_same(self):
        Partner = self.env["res.partner"]

        def count(partner):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            graph = self._get_graph(partner)
            return graph, self.cr.sql_log_count - before

        self._relate(self.gamma, self.knows, self.delta)
        self._get_graph(self.gamma)
        _graph, few = count(self.gamma)
        others = Partner.create([{"name": f"Rel {n}"} for n in range(200)])
        self.env["crm.partner.relation"].create(
            [
                {
                    "left_partner_id": self.alpha.id,
                    "type_id": self.knows.id,
                    "right_partner_id": other.id,
                }
                for other in others
            ]
        )
        graph, many = count(self.alpha)
        self.assertTrue(graph["has_more"])
        self.assertEqual(len(graph["nodes"]), 150)
        self.assertLessEqual(many, few + 3)

    def test_risks(self):
        self._relate(self.alpha, self.parent, self.beta)
        self._owe(self.beta)
        accountant = self._get_graph(self.alpha, self.accountant)
        risks = {node["id"]: node["risks"] for node in accountant["nodes"]}
        self.assertFalse(risks[self.alpha.id])
        self.assertEqual(risks[self.beta.id][0]["name"], "debt")
        self.assertIn("70", risks[self.beta.id][0]["label"])

    # ------------------------------------------------------------
    # Merge
    # ------------------------------------------------------------

    def _merge(self, source, target):
        self.env["base.partner.merge.automatic.wizard"]._merge(
            (source + target).ids, target, extra_checks=False
        )

    def test_merge_keeps_relations(self):
        moved = self._relate(self.beta, self.parent, self.gamma)
        inner = self._relate(self.beta, self.knows, self.alpha)
        self._relate(
            self.alpha,
            self.knows,
            self.delta,
            date_start=self._day(-100),
            date_end=self._day(-50),
            note="One",
        )
        double = self._relate(
            self.beta, self.knows, self.delta, date_start=self._day(-60), note="Two"
        )
        self._merge(self.beta, self.alpha)
        self.assertEqual(moved.left_partner_id, self.alpha)
        self.assertFalse(inner.exists())
        kept = self.env["crm.partner.relation"].search([("right_partner_id", "=", self.delta.id)])
        self.assertEqual(len(kept), 1)
        self.assertEqual((kept.date_start, kept.date_end), (self._day(-100), False))
        self.assertEqual(set(kept.note.split("\n")), {"One", "Two"})
        self.assertTrue(double)

    def test_merge_of_people(self):
        kin = self._relate(self.anna, self.relative, self.boris)
        clara = self.env["res.partner"].create({"name": "Rel Clara"})
        self._relate(clara, self.relative, self.boris)
        self._merge(self.anna, clara)
        rows = self.env["crm.partner.relation"].search([("type_id", "=", self.relative.id)])
        self.assertEqual(len(rows), 1)
        self.assertEqual(rows.left_partner_id | rows.right_partner_id, clara + self.boris)
        self.assertEqual(rows, kin)

    # ------------------------------------------------------------
    # Companies and roles
    # ------------------------------------------------------------

    def test_two_companies(self):
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        hidden = self._relate(self.alpha, self.parent, self.beta, company_id=elsewhere.id)
        graph = self._get_graph(self.alpha)
        self.assertEqual(self._get_depths(graph), {self.alpha.id: 0})
        with self.assertRaises(AccessError):
            hidden.with_user(self.salesman).read(["note"])
        self.assertEqual(self.alpha.with_user(self.salesman).relation_count, 0)
        found = self.env["res.partner"].with_user(self.salesman)
        self.assertNotIn(self.alpha, found.search([("relation_search", "ilike", "Rel B")]))
        # a client of the other company is not walked through
        theirs = self.env["res.partner"].create({"name": "Rel X", "company_id": elsewhere.id})
        shown = self._relate(self.gamma, self.knows, theirs)
        self.assertEqual(shown.company_id, elsewhere)
        self.assertEqual(self._get_depths(self._get_graph(self.gamma)), {self.gamma.id: 0})
        ours = self.env["res.partner"].create({"name": "Rel Y", "company_id": self.env.company.id})
        with self.assertRaises(UserError):
            self._relate(ours, self.knows, theirs)

    def test_roles(self):
        relation = self._relate(self.alpha, self.parent, self.beta)
        relation.with_user(self.salesman).note = "Seen"
        with self.assertRaises(AccessError):
            relation.with_user(self.salesman).unlink()
        with self.assertRaises(AccessError):
            self.parent.with_user(self.salesman).name = "Mine"
        self.assertTrue(self._get_graph(self.alpha, self.accountant)["edges"])
        self.assertFalse(self._get_graph(self.alpha, self.accountant)["can_create"])
        with self.assertRaises(AccessError):
            relation.with_user(self.accountant).note = "No"
        with self.assertRaises(AccessError):
            self._get_graph(self.alpha, self.clerk)
        with self.assertRaises(AccessError):
            relation.with_user(self.clerk).read(["note"])
        relation.with_user(self.manager).unlink()


@tagged("post_install", "-at_install")
class TestPartnerRelationTour(RelationCommon, HttpCase):
    """The graph in a real browser."""

    def test_relations_tour(self):
        mother, daughter, friend = self.env["res.partner"].create(
            [
                {"name": name, "is_company": True}
                for name in ("Tour Mother", "Tour Daughter", "Tour Friend")
            ]
        )
        self._relate(mother, self.parent, daughter)
        self._relate(daughter, self.knows, friend)
        self._owe(friend)
        deal = self.env["crm.lead"].create(
            {"name": "Tour", "type": "opportunity", "partner_id": mother.id}
        )
        # sales administrators read invoices
        self.start_tour(
            f"/odoo/crm.lead/{deal.id}", "crm_extended_relations_tour", login="rel_manager"
        )


@tagged("post_install", "-at_install")
class TestPartnerRelationRace(BaseCase):
    def test_entered_twice_at_once(self):
        """Two colleagues enter one relation at the same moment: it is there once."""
        # the test runner holds the lock of the registry, which the threads would wait for
        self.patch(Registry, "_lock", DummyRLock())
        registry = Registry(get_db_name())
        with registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            partners = env["res.partner"].create([{"name": "Race L"}, {"name": "Race R"}])
            kind = env["crm.partner.relation.type"].create(
                {"name": "races", "inverse_name": "raced by"}
            )
            partner_ids, kind_id = partners.ids, kind.id

        def clean():
            with registry.cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                env["res.partner"].browse(partner_ids).unlink()
                env["crm.partner.relation.type"].browse(kind_id).unlink()

        self.addCleanup(clean)
        barrier, errors = threading.Barrier(2), []

        def enter():
            try:
                with registry.cursor() as cr:
                    env = api.Environment(cr, SUPERUSER_ID, {})
                    env["res.partner"].browse(partner_ids).mapped("name")
                    barrier.wait(20)
                    env["crm.partner.relation"].create(
                        {
                            "left_partner_id": partner_ids[0],
                            "type_id": kind_id,
                            "right_partner_id": partner_ids[1],
                        }
                    )
            except Exception as error:
                errors.append(error)

        with mute_logger("odoo.sql_db"):
            threads = [threading.Thread(target=enter) for _number in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        self.assertEqual(len(errors), 1)
        with registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            count = env["crm.partner.relation"].search_count([("type_id", "=", kind_id)])
            self.assertEqual(count, 1)
