import threading
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.addons.base.tests.common import BaseCommon
from odoo.exceptions import AccessError, LockError, UserError, ValidationError
from odoo.fields import Command, Date
from odoo.modules.registry import DummyRLock, Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, Form, new_test_user, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger
from psycopg2 import IntegrityError


class SegmentCommon(BaseCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("en_US")
        cls.env = cls.env(context=dict(cls.env.context, lang="en_US"))
        cls.env["crm.segment"].search([]).active = False
        cls.company = cls.env.company
        cls.other_company = cls.env["res.company"].create({"name": "Other company"})
        cls.salesman, cls.manager, cls.accountant, cls.clerk = (
            new_test_user(cls.env, f"seg_{name}", f"base.group_user,{groups}", lang="en_US")
            for name, groups in (
                ("sales", "sales_team.group_sale_salesman"),
                ("manager", "sales_team.group_sale_manager"),
                ("accountant", "account.group_account_readonly"),
                ("clerk", "base.group_partner_manager"),
            )
        )
        cls.alpha, cls.beta = cls.env["res.partner"].create(
            [
                {"name": "Alpha", "is_company": True, "ref": "SEG", "city": "Riga"},
                {"name": "Beta", "is_company": True, "ref": "SEG", "city": "Oslo"},
            ]
        )
        cls.anna = cls.env["res.partner"].create(
            {"name": "Anna", "parent_id": cls.alpha.id, "ref": "SEG", "city": "Riga"}
        )
        cls.riga = cls._create_segment("Riga")

    @classmethod
    def _create_segment(cls, city=None, **values):
        return cls.env["crm.segment"].create(
            {
                "name": city or "Segment",
                "domain": repr([("ref", "=", "SEG"), ("city", "=", city)]) if city else "[]",
                **values,
            }
        )

    def _get_open(self, segment):
        rows = segment.sudo().member_ids.filtered(lambda member: not member.date_exit)
        return rows.partner_id


@tagged("post_install", "-at_install")
class TestSegment(SegmentCommon):
    # ------------------------------------------------------------
    # Members
    # ------------------------------------------------------------

    def test_contact_is_where_its_company_is(self):
        self.assertEqual(self._get_open(self.riga), self.alpha)
        self.assertEqual(self.anna.segment_ids, self.riga)
        self.assertEqual(
            self.env["res.partner"].search([("segment_ids", "in", self.riga.ids)]),
            self.alpha + self.anna,
        )
        self.assertEqual((self.riga.member_count, self.riga.match_count), (1, 1))

    def test_follows_the_card_at_once(self):
        self.beta.city = "Riga"
        self.assertEqual(self._get_open(self.riga), self.alpha + self.beta)
        self.alpha.active = False
        self.assertEqual(self._get_open(self.riga), self.beta)
        gamma = self.env["res.partner"].create({"name": "Gamma", "ref": "SEG", "city": "Riga"})
        self.assertIn(gamma, self._get_open(self.riga))
        gamma.parent_id = self.beta
        self.assertNotIn(gamma, self._get_open(self.riga), "it is a contact of another now")

    def test_new_client_of_a_contact(self):
        self.anna.parent_id = False
        self.assertEqual(self._get_open(self.riga), self.alpha + self.anna)

    def test_salesperson_moves_a_client_by_saving_it(self):
        self.beta.with_user(self.salesman).city = "Riga"
        self.assertIn(self.beta, self._get_open(self.riga))

    def test_history_is_kept(self):
        today = Date.context_today(self.riga)
        self.env.cr.execute(
            "UPDATE crm_segment_member SET date_entry = %s WHERE segment_id = %s",
            (Date.subtract(today, days=10), self.riga.id),
        )
        self.riga.invalidate_recordset()
        self.alpha.city = "Oslo"
        self.assertFalse(self._get_open(self.riga))
        self.alpha.city = "Riga"
        rows = self.riga.member_ids.sorted("id")
        self.assertEqual(rows.mapped("date_exit"), [today, False])
        domain = self.riga._get_partner_domain(Date.subtract(today, days=3))
        self.assertEqual(self.env["res.partner"].search(domain), self.alpha + self.anna)
        domain = self.riga._get_partner_domain(Date.subtract(today, days=11))
        self.assertFalse(self.env["res.partner"].search(domain))

    def test_other_tables_wait_for_the_job(self):
        domain = [("sale_order_ids", "any", [("state", "=", "sale")])]
        buyers = self._create_segment(domain=repr(domain))
        self.assertNotIn(buyers.id, dict(self.env["crm.segment"]._get_watched_fields()))
        product = self.env["product.product"].create({"name": "Thing"})
        order = self.env["sale.order"].create(
            {
                "partner_id": self.beta.id,
                "order_line": [Command.create({"product_id": product.id})],
            }
        )
        order.action_confirm()
        self.assertNotIn(self.beta, self._get_open(buyers))
        buyers.date_refreshed = False
        with self.enter_registry_test_mode():
            self.env.ref("crm_extended.ir_cron_crm_segment_refresh").method_direct_trigger()
        self.assertIn(self.beta, self._get_open(buyers))
        self.assertTrue(buyers.date_refreshed)

    def test_conditions_change(self):
        self.riga.domain = repr([("ref", "=", "SEG"), ("city", "=", "Oslo")])
        self.assertEqual(self._get_open(self.riga), self.beta)
        self.alpha.city = "Oslo"
        self.assertEqual(self._get_open(self.riga), self.alpha + self.beta)

    def test_saves_of_other_fields_cost_nothing(self):
        self.riga.flush_recordset()
        self.env["crm.segment"]._get_watched_fields()
        with patch.object(type(self.riga), "_refresh") as refresh:
            self.alpha.write({"comment": "Hello", "street": "Somewhere"})
        refresh.assert_not_called()

    # ------------------------------------------------------------
    # Static
    # ------------------------------------------------------------

    def test_static(self):
        segment = self._create_segment("Riga", kind="static")
        self.assertFalse(segment.member_ids)
        segment.action_add_matching()
        self.assertEqual(self._get_open(segment), self.alpha)
        self.alpha.city = "Oslo"
        segment.action_add_matching()
        self.assertEqual(self._get_open(segment), self.alpha, "nobody leaves by itself")
        segment.member_ids.action_leave()
        self.assertFalse(self._get_open(segment))
        with Form(segment.with_user(self.manager)) as form, form.member_ids.new() as line:
            line.partner_id = self.anna
        self.assertEqual(self._get_open(segment), self.alpha, "a contact stands for its company")
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.cr.savepoint():
            self.env["crm.segment.member"].create(
                {"segment_id": segment.id, "partner_id": self.alpha.id}
            )

    def test_live_is_not_edited(self):
        member = self.riga.member_ids
        with self.assertRaises(UserError):
            member.write({"date_exit": member.date_entry})
        with self.assertRaises(UserError):
            self.env["crm.segment.member"].create(
                {"segment_id": self.riga.id, "partner_id": self.beta.id}
            )
        with self.assertRaises(UserError):
            self.riga.action_add_matching()
        self.riga.kind = "static"
        with self.assertRaises(UserError):
            self.riga.member_ids.write({"partner_id": self.beta.id})

    def test_choose_in_the_list(self):
        segment = self._create_segment(kind="static")
        dialog = (
            self.env["crm.segment.assign"]
            .with_user(self.manager)
            .with_context(active_model="res.partner", active_ids=(self.anna + self.beta).ids)
            .create({"segment_ids": [Command.set(segment.ids)]})
        )
        dialog.action_confirm()
        dialog.action_confirm()
        self.assertEqual(self._get_open(segment), self.alpha + self.beta)
        dialog.write({"operation": "remove", "partner_ids": [Command.set(self.beta.ids)]})
        dialog.action_confirm()
        self.assertEqual(self._get_open(segment), self.alpha)

    # ------------------------------------------------------------
    # Conditions that do not work
    # ------------------------------------------------------------

    def test_bad_conditions_are_refused(self):
        for domain in ("[('nonsense', '=', 1)]", "[(", "[('user_id', '=', uid)]", "7"):
            with self.subTest(domain=domain), self.assertRaises(ValidationError) as caught:
                self._create_segment(domain=domain)
            self.assertIn("cannot be evaluated", caught.exception.args[0])

    def test_failing_segment_stops_nobody(self):
        broken = self._create_segment("Oslo")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE crm_segment SET domain = %s, date_refreshed = NULL WHERE id = %s",
            ("[('lost_in_an_upgrade', '=', True)]", broken.id),
        )
        self.env.cr.execute(
            "UPDATE crm_segment SET date_refreshed = NULL WHERE id = %s", (self.riga.id,)
        )
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        with self.enter_registry_test_mode(), mute_logger("odoo.addons.crm_extended.models"):
            self.env.ref("crm_extended.ir_cron_crm_segment_refresh").method_direct_trigger()
        broken.invalidate_recordset()
        self.assertIn("lost_in_an_upgrade", broken.error or "")
        self.assertEqual(self._get_open(broken), self.beta, "its members stay")
        self.assertTrue(self.riga.date_refreshed)
        self.assertFalse(self.riga.error)
        # clients are saved as before, and the segment recovers
        self.beta.city = "Riga"
        self.assertIn(self.beta, self._get_open(self.riga))
        broken.domain = repr([("ref", "=", "SEG"), ("city", "=", "Oslo")])
        self.assertFalse(broken.error)
        self.assertFalse(self._get_open(broken))

    def test_button_says_what_is_out_of_order(self):
        self.env.cr.execute("UPDATE crm_segment SET domain = '[(' WHERE id = %s", (self.riga.id,))
        self.env.invalidate_all()
        with mute_logger("odoo.addons.crm_extended.models.crm_segment_refresh"):
            action = self.riga.action_refresh()
        self.assertEqual(action["params"]["type"], "danger")
        self.assertIn("Riga", action["params"]["message"])

    # ------------------------------------------------------------
    # For others
    # ------------------------------------------------------------

    def test_segments_of_partners(self):
        first = self._create_segment("Riga", sequence=1)
        foreign = self._create_segment("Riga", company_id=self.other_company.id)
        shared = self._create_segment("Riga", company_id=False, sequence=2)
        partners = self.alpha + self.anna + self.beta
        partners.invalidate_recordset()
        self.env["crm.segment"].invalidate_model()
        with self.assertQueryCount(2):  # the rows, the companies of the contacts
            found = partners._get_segments(self.company)
        self.assertEqual(found[self.alpha], first + shared + self.riga)
        self.assertEqual(found[self.anna], found[self.alpha])
        self.assertFalse(found[self.beta])
        found = partners.with_user(self.clerk)._get_segments(self.other_company)
        self.assertEqual(found[self.anna].ids, (shared + foreign).ids)

    def test_search_and_group(self):
        oslo = self._create_segment("Oslo")
        Partner = self.env["res.partner"].with_user(self.salesman)
        ours = [("id", "in", (self.alpha + self.beta + self.anna).ids)]
        found = Partner.search([*ours, ("segment_ids", "ilike", "osl")])
        self.assertEqual(found, self.beta)
        self.assertEqual(
            Partner.search([*ours, ("segment_ids", "!=", oslo.id)]), self.alpha + self.anna
        )
        self.assertEqual(Partner.search([*ours, ("segment_ids.name", "=", "Oslo")]), self.beta)
        self.assertFalse(Partner.search([*ours, ("segment_ids", "=", False)]))
        groups = Partner.formatted_read_group(ours, ["segment_ids"], ["__count"])
        self.assertEqual(
            {group["segment_ids"][1]: group["__count"] for group in groups},
            {"Riga": 2, "Oslo": 1},
        )
        group = Partner.web_read_group(ours, ["segment_ids"])["groups"]
        self.assertEqual(len(group), 2)
        self.riga.active = False
        self.assertEqual(
            Partner.search([*ours, ("segment_ids", "=", False)]), self.alpha + self.anna
        )

    def test_mailing_asks_nothing_else(self):
        """Who may only mail names segments, and asks no questions through them under sudo."""
        if "mailing.mailing" not in self.env:
            self.skipTest("mass_mailing is not installed")
        clerk = new_test_user(
            self.env,
            "seg_curious",
            "base.group_user,base.group_partner_manager,mass_mailing.group_mass_mailing_user",
        )
        Partner = self.env["res.partner"].with_user(clerk)
        self.assertIn(self.alpha, Partner.search([("segment_ids", "in", self.riga.ids)]))
        for domain in (
            [("segment_ids.company_id.partner_id.bank_ids.acc_number", "!=", "1")],
            [("segment_ids", "any", [("company_id.crm_duplicate_mode", "=", "off")])],
        ):
            with self.assertRaises(AccessError):
                Partner.search_count(domain)

    def test_mailing(self):
        if "mailing.mailing" not in self.env:
            self.skipTest("mass_mailing is not installed")
        user = new_test_user(
            self.env,
            "seg_mailing",
            "base.group_user,base.group_partner_manager,mass_mailing.group_mass_mailing_user",
        )
        self.assertTrue(self.riga.with_user(user)._can_mail_segments())
        self.assertFalse(self.riga.with_user(self.salesman)._can_mail_segments())
        with self.assertRaises(UserError):
            self.riga.with_user(self.salesman).action_new_mailing()
        self.manager.group_ids += self.env.ref("mass_mailing.group_mass_mailing_user")
        action = self.riga.with_user(self.manager).action_new_mailing()
        mailing = (
            self.env["mailing.mailing"]
            .with_user(user)
            .with_context(action["context"])
            .create({"subject": "Hello"})
        )
        self.assertEqual(mailing.mailing_model_real, "res.partner")
        self.assertEqual(mailing._get_remaining_recipients(), (self.alpha + self.anna).ids)
        self.beta.city = "Riga"
        self.assertIn(self.beta.id, mailing._get_remaining_recipients())

    def test_merge_keeps_the_longer_membership(self):
        self.beta.city = "Riga"
        today = Date.context_today(self.riga)
        self.env.cr.execute(
            "UPDATE crm_segment_member SET date_entry = %s WHERE partner_id = %s",
            (Date.subtract(today, days=30), self.beta.id),
        )
        static = self._create_segment(kind="static")
        self.env["crm.segment.member"].create(
            {
                "segment_id": static.id,
                "partner_id": self.beta.id,
                "date_entry": Date.subtract(today, days=30),
                "date_exit": Date.subtract(today, days=20),
            }
        )
        self.env.invalidate_all()
        self.env["base.partner.merge.automatic.wizard"]._merge(
            (self.alpha + self.beta).ids, self.alpha, extra_checks=False
        )
        self.assertEqual(self._get_open(self.riga), self.alpha)
        row = self.riga.member_ids.filtered(lambda m: not m.date_exit)
        self.assertEqual(row.date_entry, Date.subtract(today, days=30))
        self.assertEqual(static.member_ids.partner_id, self.alpha)

    # ------------------------------------------------------------
    # Companies
    # ------------------------------------------------------------

    def test_clients_of_another_company(self):
        self.beta.write({"city": "Riga", "company_id": self.other_company.id})
        self.assertEqual(self._get_open(self.riga), self.alpha)
        other = self._create_segment("Riga", company_id=self.other_company.id)
        self.assertEqual(self._get_open(other), self.alpha + self.beta)
        shared = self._create_segment("Riga", company_id=False)
        self.assertEqual(self._get_open(shared), self.alpha + self.beta)
        static = self._create_segment(kind="static")
        with self.assertRaises(ValidationError):
            self.env["crm.segment.member"].create(
                {"segment_id": static.id, "partner_id": self.beta.id}
            )

    def test_other_company_is_not_seen(self):
        other = self._create_segment("Riga", company_id=self.other_company.id)
        self.assertFalse(
            self.env["crm.segment"].with_user(self.manager).search([("id", "=", other.id)])
        )
        with self.assertRaises(AccessError):
            other.with_user(self.manager).read(["name"])
        with self.assertRaises(AccessError):
            other.member_ids.with_user(self.manager).read(["partner_id"])
        self.assertEqual(self.alpha.with_user(self.salesman).segment_ids, self.riga)
        found = (
            self.env["res.partner"]
            .with_user(self.salesman)
            .search([("segment_ids", "in", other.ids)])
        )
        self.assertFalse(found)

    def test_values_of_the_segment_s_company(self):
        """A field that differs by company has the value of the segment's company."""
        self.alpha.with_company(self.other_company).barcode = "777"
        domain = repr([("barcode", "=", "777")])
        here = self._create_segment(domain=domain)
        there = self._create_segment(domain=domain, company_id=self.other_company.id)
        self.assertFalse(self._get_open(here))
        self.assertEqual(self._get_open(there), self.alpha)

    # ------------------------------------------------------------
    # Access
    # ------------------------------------------------------------

    def test_roles(self):
        for user in (self.salesman, self.accountant):
            segment = self.riga.with_user(user)
            self.assertEqual(segment.member_ids.partner_id, self.alpha)
            self.assertEqual(segment.member_count, 1)
            for change in (
                lambda s=segment: s.write({"name": "Mine"}),
                lambda s=segment: s.unlink(),
                lambda s=segment: s.action_refresh(),
                lambda s=segment: s.member_ids.action_leave(),
                lambda s=segment: s.create({"name": "Mine"}),
            ):
                with self.assertRaises(AccessError):
                    change()
        clerk_view = self.alpha.with_user(self.clerk)
        self.assertFalse(clerk_view.segment_ids)
        with self.assertRaises(AccessError):
            clerk_view.search([("segment_ids", "in", self.riga.ids)])
        with self.assertRaises(AccessError):
            clerk_view.formatted_read_group([], ["segment_ids"], ["__count"])
        self.riga.with_user(self.manager).action_refresh()
        with self.assertRaises(AccessError):
            self.riga.with_user(self.manager).member_ids.unlink()

    def test_no_oracle(self):
        """Whoever saves conditions must be allowed to read what they are about."""
        field = self.env["res.partner"]._fields["ref"]
        domain = repr([("ref", "=", "SEG")])
        with patch.object(field, "groups", "base.group_system"):
            with self.assertRaises(ValidationError):
                self.env["crm.segment"].with_user(self.manager).create(
                    {"name": "Secret", "domain": domain}
                )
            draft = self.env["crm.segment"].with_user(self.manager).new({"domain": domain})
            self.assertEqual(draft.match_count, 0)

    def test_clients_of_another_company_are_not_counted(self):
        """Members of a segment for all companies are asked with all rights; a count tells no more
        than its reader may see."""
        self.beta.write({"city": "Riga", "company_id": self.other_company.id})
        self.riga.company_id = False
        self.assertEqual(self.riga.with_user(self.manager).match_count, 1)
        self.manager.company_ids = [Command.link(self.other_company.id)]
        both = self.riga.with_user(self.manager).with_context(
            allowed_company_ids=(self.company + self.other_company).ids
        )
        self.assertEqual(both.match_count, 2)

    def test_busy(self):
        with (
            patch.object(type(self.riga), "lock_for_update", side_effect=LockError("busy")),
            self.assertRaises(UserError),
        ):
            self.riga.action_refresh()


@tagged("post_install", "-at_install")
class TestSegmentRace(BaseCase):
    """Two refreshes of a segment in real transactions that begin together."""

    def setUp(self):
        super().setUp()
        # the test runner holds the lock of the registry, which the threads would wait for
        self.patch(Registry, "_lock", DummyRLock())
        self.registry = Registry(get_db_name())
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            self.segment_id = (
                env["crm.segment"]
                .create({"name": "Race", "domain": "[('ref', '=', 'SEGRACE')]"})
                .id
            )
            # made ready for the refresh behind the back of the segment
            self.partner_ids = (
                env["res.partner"]
                .create([{"name": f"Race {i}", "ref": "SEGRACE"} for i in range(20)])
                .ids
            )
            cr.execute("DELETE FROM crm_segment_member WHERE segment_id = %s", (self.segment_id,))
        self.addCleanup(self._clean)

    def _clean(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["crm.segment"].browse(self.segment_id).unlink()
            env["res.partner"].browse(self.partner_ids).unlink()

    def test_refresh_together(self):
        barrier = threading.Barrier(2)
        errors = []

        def run(job):
            with self.registry.cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                segment = env["crm.segment"].browse(self.segment_id)
                segment.read(["name"])
                barrier.wait(20)
                try:
                    retrying(lambda: job(env, segment), env)
                except Exception as error:
                    errors.append(error)

        def refresh(env, segment):
            segment._refresh()

        def save(env, segment):
            env["res.partner"].browse(self.partner_ids).write({"ref": "SEGRACE"})

        with mute_logger("odoo.sql_db", "odoo.service.model"):
            threads = [threading.Thread(target=run, args=(job,)) for job in (refresh, save)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        self.assertFalse(errors)
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            segment = env["crm.segment"].browse(self.segment_id)
            self.assertEqual(len(segment.member_ids), 20, "one row each, whoever came first")
            self.assertFalse(segment.error)
