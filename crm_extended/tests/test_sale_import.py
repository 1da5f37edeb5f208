import base64
import io
import json
import re
from contextlib import contextmanager
from unittest.mock import patch

from odoo.addons.base.tests.common import BaseCommon
from odoo.addons.crm_extended.models.crm_sale_import_run import ImportStopped
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged, users
from openpyxl import load_workbook

HEADER = "Date;Invoice;Customer ID;Customer Name;Email;SKU;Description;Quantity;Price\n"


class SaleImportCommon(BaseCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        cls.manager = new_test_user(
            cls.env,
            "import_manager",
            "base.group_user,sales_team.group_sale_manager,product.group_product_manager",
        )
        cls.salesman = new_test_user(
            cls.env, "import_salesman", "base.group_user,sales_team.group_sale_salesman"
        )
        cls.outsider = new_test_user(cls.env, "import_outsider", "base.group_user")
        cls.ann = cls.env["res.partner"].create({"name": "Ann Import", "ref": "T-1"})
        cls.drill = cls.env["product.product"].create(
            {"name": "Import Drill", "default_code": "TD-1"}
        )
        cls.history = cls.env["crm.sale.history"]

    @contextmanager
    def no_commit(self):
        """Run imports inside the transaction of the test."""
        model = type(self.env["crm.sale.import"])
        with (
            patch.object(model, "_commit_batch", lambda *args: float("inf")),
            patch.object(model, "_rollback", lambda self: self.env.invalidate_all()),
        ):
            yield

    def prepare(self, text, user=None, check=True, **values):
        content = text if isinstance(text, bytes) else text.encode()
        job = (
            self.env["crm.sale.import"]
            .with_user(user or self.manager)
            .create(
                {
                    "file": base64.b64encode(content),
                    "file_name": "sales.csv",
                    "source": "Test shop",
                    **values,
                }
            )
        )
        if check:
            job.action_check()
        return job

    def run_import(self, text, **values):
        job = self.prepare(text, **values)
        with self.no_commit():
            job.action_start()
            job._run()
        return job

    def assertAddsUp(self, job, **expected):
        self.assertEqual(job.state, "done", job.error_message)
        counts = job.read(["count_new", "count_updated", "count_present", "count_refused"])[0]
        counts.pop("id")
        self.assertEqual(sum(counts.values()), job.count_read)
        self.assertEqual(sum((job.refusals or {}).values()), job.count_refused)
        for name, value in expected.items():
            self.assertEqual(job[f"count_{name}"], value, name)


@tagged("post_install", "-at_install")
class TestSaleImport(SaleImportCommon):
    def test_whole_way(self):
        job = self.run_import(
            HEADER
            + "31.03.2024;A1;T-1;;;TD-1;Import Drill;2;10,50\n"
            + "31.03.2024;A1;T-1;;;TX-9;New saw;1;1.234,50\n"
            + "01.04.2024;A2;T-2;Bob Import;bob@import.example.com;TX-9;New saw;1;5\n"
            + "02.04.2024;A3;T-1;;;TD-1;Import Drill;-1;10,50\n"
            + "xx;A4;T-1;;;TD-1;Import Drill;1;1\n"
            + "02.04.2024;A5;;;;TD-1;Import Drill;1;1\n"
        )
        self.assertAddsUp(job, read=6, new=4, refused=2)
        self.assertEqual(job.refusals, {"bad_date": 1, "no_client": 1})
        self.assertEqual((job.created_clients, job.created_products), (1, 1))
        rows = self.history.search([("import_id", "=", job.id)], order="date, id")
        self.assertEqual(rows.mapped("amount"), [21.0, 1234.5, 5.0, -10.5])
        self.assertEqual(rows.mapped("is_return"), [False, False, False, True])
        self.assertEqual(rows[0].partner_id, self.ann)
        self.assertEqual(rows[0].product_id, self.drill)
        bob = rows[2].partner_id
        self.assertEqual((bob.name, bob.ref), ("Bob Import", "T-2"))
        saw = rows[1].product_id
        self.assertEqual((saw.default_code, saw.name, saw.type), ("TX-9", "New saw", "consu"))
        self.assertFalse(
            self.env["crm.sale.import.row"].search([("import_id", "=", job.id)]), "left behind"
        )

    def test_nothing_written_before_start(self):
        partners = self.env["res.partner"].search_count([])
        job = self.prepare(
            HEADER
            + "31.03.2024;A1;T-9;;;TX-1;Saw;2;10\n"
            + "bad;A1;T-9;;;TX-1;<script>alert(1)</script>;2;10\n"
        )
        self.assertEqual(job.state, "ready")
        self.assertEqual(self.env["res.partner"].search_count([]), partners)
        self.assertFalse(self.history.search([("import_id", "=", job.id)]))
        text = str(job.preview_html)
        self.assertIn("Not a date", text)
        self.assertIn("1 to be created", text)
        self.assertNotIn("<script", text)

    def test_repeat_adds_nothing(self):
        lines = [
            "31.03.2024;A1;T-1;;;TD-1;Drill;2;10\n",
            "31.03.2024;A1;T-1;;;TD-1;Drill;2;10\n",
            "01.04.2024;A2;T-1;;;TD-1;Drill;1;10\n",
        ]
        job = self.run_import(HEADER + "".join(lines))
        self.assertAddsUp(job, read=3, new=3)
        again = self.run_import(HEADER + "".join(reversed(lines)))
        self.assertAddsUp(again, read=3, new=0, present=3)
        # the same sales in another encoding, delimiter and number style
        text = "".join([HEADER, *lines]).replace(";", ",").replace(",10\n", ",10.00\n")
        other = self.run_import(text.encode("utf-16"))
        self.assertAddsUp(other, read=3, new=0, present=3)
        self.assertEqual(self.history.search_count([("source", "=", "Test shop")]), 3)
        # the same file of another shop is another thing
        foreign = self.run_import(HEADER + "".join(lines), source="Other shop")
        self.assertAddsUp(foreign, new=3)

    def test_line_numbers_update(self):
        header = "Date,Invoice,Line,Customer ID,Amount\n"
        self.run_import(header + "2024-03-31,A1,1,T-1,5\n2024-03-31,A1,2,T-1,6\n")
        job = self.run_import(header + "2024-03-31,A1,1,T-1,5\n2024-03-31,A1,2,T-1,7\n")
        self.assertAddsUp(job, read=2, new=0, updated=1, present=1)
        rows = self.history.search([("source", "=", "Test shop")])
        self.assertEqual(sorted(rows.mapped("amount")), [5, 7])

    def test_interrupted_import_goes_on(self):
        text = HEADER + "".join(f"31.03.2024;A{n};T-1;;;TD-1;Drill;1;{n + 1}\n" for n in range(10))
        path = "odoo.addons.crm_extended.models.crm_sale_import_phase"
        for stop_after in (1, 2, 4, 6, 8, 10, 12):
            source = f"shop {stop_after}"
            job = self.prepare(text, source=source)
            job.action_start()
            calls = []

            def commit(*args, calls=calls, stop_after=stop_after):
                calls.append(args)
                return 0.0 if len(calls) == stop_after else float("inf")

            model = type(job)
            with (
                patch(f"{path}.READ_BATCH", 3),
                patch(f"{path}.BOOK_BATCH", 4),
                patch.object(model, "_rollback", lambda self: None),
            ):
                with patch.object(model, "_commit_batch", commit):
                    job._run()
                if job.state == "running":
                    self.assertLess(job.progress, 100)
                with self.no_commit():
                    job._run()
            self.assertAddsUp(job, read=10, new=10)
            rows = self.history.search([("source", "=", source)])
            self.assertEqual(sum(rows.mapped("amount")), 55)

    def test_lost_waiting_room(self):
        job = self.prepare(HEADER + "31.03.2024;A1;T-1;;;TD-1;Drill;1;5\n")
        job.action_start()
        job._set(phase="book", position=0, count_read=1)
        with self.no_commit():
            job._run()
        self.assertAddsUp(job, read=1, new=1)

    def test_cancel_while_running(self):
        job = self.prepare(HEADER + "31.03.2024;A1;T-1;;;TD-1;Drill;1;5\n")
        job.action_start()
        self.assertEqual(job.state, "queued")

        def cancel(self, *args):
            if self.phase == "match":
                self.action_cancel()
            return float("inf")

        with patch.object(type(job), "_commit_batch", cancel):
            job._run()
        self.assertEqual(job.state, "cancelled")
        with self.no_commit():
            job.action_start()
            job._run()
        self.assertAddsUp(job, read=1, new=1)

    def test_unexpected_error_is_kept(self):
        job = self.prepare(HEADER + "31.03.2024;A1;T-1;;;TD-1;Drill;1;5\n")
        with (
            self.no_commit(),
            self.assertLogs("odoo.addons.crm_extended.models.crm_sale_import_run", "ERROR"),
        ):
            job.action_start()
            with patch.object(type(job), "_book", side_effect=ZeroDivisionError("boom")):
                job._run()
            self.assertEqual(job.state, "failed")
            self.assertIn("boom", job.error_message)
            job.action_start()
            job._run()
        self.assertAddsUp(job, read=1, new=1)

    def test_stop_is_no_error(self):
        self.assertTrue(ImportStopped(cancelled=True).cancelled)

    def test_refused_rows_come_back_harmless(self):
        evil = '=HYPERLINK("http://evil.example.com";"x")'
        job = self.run_import(
            HEADER
            + f'nope;A1;T-1;;;TD-1;"{evil.replace(chr(34), chr(34) * 2)}";1;1\n'
            + "nope;A1;T-1;;;TD-1;@SUM(A1);1;-5\n"
            + "31.03.2024;A1;T-1;;;TD-1;=1+1;1;1\n"
        )
        self.assertAddsUp(job, read=3, new=1, refused=2)
        book = load_workbook(io.BytesIO(base64.b64decode(job.result_file)))
        rows = list(book.active.iter_rows())
        self.assertEqual(len(rows), 3)
        self.assertEqual(rows[1][0].value, 2)
        self.assertEqual(rows[1][1].value, "Not a date")
        self.assertEqual(rows[1][2].value, "nope")
        for row in rows[1:]:
            for cell in row:
                self.assertNotEqual(cell.data_type, "f", "a cell must not be a formula")
        self.assertEqual(rows[1][9].value, evil)
        # what comes back can be corrected and imported as it is
        again = self.prepare(base64.b64decode(job.result_file), file_name="refused.xlsx")
        self.assertEqual(again._get_positions()["date"], 3)

    def test_unknown_are_refused_when_told(self):
        job = self.run_import(
            HEADER
            + "31.03.2024;A1;T-1;;;TD-1;Drill;1;5\n"
            + "31.03.2024;A2;T-77;;;TD-1;Drill;1;5\n"
            + "31.03.2024;A3;T-1;;;TD-77;Nothing;1;5\n",
            create_clients=False,
            create_products=False,
        )
        self.assertAddsUp(job, read=3, new=1, refused=2)
        self.assertEqual(job.refusals, {"unknown_client": 1, "unknown_product": 1})
        self.assertFalse(self.env["res.partner"].search([("ref", "=", "T-77")]))

    def test_known_client_is_refused(self):
        """Where duplicates are blocked, an import cannot enter them either."""
        self.company.crm_duplicate_mode = "block"
        job = self.run_import(
            HEADER
            + "31.03.2024;A1;T-501;Ann Import;;TD-1;Drill;1;5\n"
            + "31.03.2024;A2;T-502;Quite Another;;TD-1;Drill;1;5\n"
        )
        self.assertAddsUp(job, read=2, new=1, refused=1)
        self.assertEqual(job.refusals, {"known_client": 1})
        self.assertFalse(self.env["res.partner"].search([("ref", "=", "T-501")]))
        self.assertTrue(self.env["res.partner"].search([("ref", "=", "T-502")]))

    def test_walk_in(self):
        job = self.run_import(HEADER + "31.03.2024;A1;;;;TD-1;Drill;1;5\n", no_client="walk_in")
        self.assertAddsUp(job, new=1)
        row = self.history.search([("import_id", "=", job.id)])
        self.assertEqual(row.partner_id, self.env.ref("crm_extended.partner_walk_in"))

    def test_charges(self):
        lines = "".join(f"31.03.2024;A{n};T-1;;;TQ-{n};Thing {n};1;5\n" for n in range(20))
        text = HEADER + lines + "31.03.2024;A1;T-1;;;POST;Postage;1;5\n"
        job = self.run_import(text)
        self.assertAddsUp(job, new=21)
        post = self.history.search([("import_id", "=", job.id)]).product_id.filtered(
            lambda product: product.default_code == "POST"
        )
        self.assertEqual((post.type, post.sale_ok), ("service", False))
        refused = self.run_import(text, services="refuse", source="Other")
        self.assertAddsUp(refused, new=20, refused=1)
        self.assertEqual(refused.refusals, {"service": 1})

    def test_matching(self):
        partners = self.env["res.partner"].create(
            [
                {"name": "Daisy Trade", "vat": "DE-999 999", "email": "sales@daisy.example.com"},
                {"name": "Twin", "ref": "TW-1"},
            ]
        )
        self.drill.barcode = "4006381333931"
        job = self.run_import(
            "Date,VAT,Email,Customer Name,Customer ID,Barcode,Amount\n"
            "2024-01-02,DE999999,,x,,4006381333931,1\n"
            "2024-01-02,,SALES@daisy.example.com,y,,4006381333931,2\n"
            "2024-01-02,,,daisy  TRADE,,,3\n"
            "2024-01-02,,,Twin,TW-2,,4\n"
        )
        self.assertAddsUp(job, new=4)
        rows = self.history.search([("import_id", "=", job.id)], order="amount")
        self.assertEqual(rows[:3].partner_id, partners[0])
        self.assertEqual(rows[0].product_id, self.drill)
        self.assertNotIn(rows[3].partner_id, partners, "another reference is another client")

    def test_client_of_other_company_is_not_taken(self):
        other = self.env["res.company"].create({"name": "Import other"})
        self.env["res.partner"].create({"name": "Foreign", "ref": "F-1", "company_id": other.id})
        job = self.run_import(HEADER + "31.03.2024;A1;F-1;Foreign;;TD-1;Drill;1;5\n")
        self.assertEqual(job.created_clients, 1)
        row = self.history.search([("import_id", "=", job.id)])
        self.assertFalse(row.partner_id.company_id)

    def test_currencies(self):
        foreign = (
            self.env["res.currency"]
            .with_context(active_test=False)
            .search([("name", "=", "CHF" if self.company.currency_id.name != "CHF" else "SEK")])
        )
        self.env["res.currency.rate"].search([("currency_id", "=", foreign.id)]).unlink()
        self.env["res.currency.rate"].create(
            [
                {"currency_id": foreign.id, "name": "2024-01-01", "rate": 2.0},
                {"currency_id": foreign.id, "name": "2024-03-01", "rate": 4.0},
            ]
        )
        own = self.env["res.currency.rate"].search(
            [("currency_id", "=", self.company.currency_id.id)]
        )
        own.unlink()
        job = self.run_import(
            "Date,Customer ID,Amount,Currency\n"
            f"2023-06-01,T-1,100,{foreign.name}\n"
            f"2024-02-28,T-1,100,{foreign.name}\n"
            f"2024-03-01,T-1,100,{foreign.name.lower()}\n"
            "2024-03-01,T-1,100,\n"
            "2024-03-01,T-1,100,NOPE\n"
        )
        self.assertAddsUp(job, new=4, refused=1)
        rows = self.history.search([("import_id", "=", job.id)], order="date, id")
        self.assertEqual(rows.mapped("amount"), [50, 50, 25, 100])
        self.assertEqual(rows.mapped("amount_currency"), [100] * 4)

    def test_mapping_by_hand(self):
        text = "when,who,much\n2024-03-31,T-1,5\n2024-04-30,T-1,6\n"
        job = self.prepare(text)
        self.assertEqual(job._get_positions(), {"date": 0})
        with self.assertRaisesRegex(UserError, "Say which column"):
            job.action_start()
        columns = {column.name: column for column in job.column_ids}
        columns["who"].target = "client_ref"
        columns["much"].target = "amount"
        self.assertFalse(job.preview_rows, "what was shown no longer holds")
        job.action_check()
        with self.no_commit():
            job.action_start()
            job._run()
        self.assertAddsUp(job, new=2)
        other = self.prepare(text)
        with self.assertRaises(ValidationError):
            other.write(
                {
                    "column_ids": [
                        (1, column.id, {"target": "amount"}) for column in other.column_ids
                    ]
                }
            )

    def test_rights_of_the_importer(self):
        modest = new_test_user(
            self.env, "import_modest", "base.group_user,sales_team.group_sale_manager"
        )
        job = self.prepare(HEADER + "31.03.2024;A1;T-1;;;TD-9;Saw;1;5\n", user=modest)
        self.assertFalse(job.create_products, "what the user may not do is not offered")
        job.create_products = True
        job.action_check()
        with self.assertRaisesRegex(UserError, "may not create products"):
            job.action_start()

    def test_bad_files(self):
        for content, words in (
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 100, "Save it as .xlsx"),
            (b"%PDF-1.4", "no table"),
            (HEADER.encode(), "no rows"),
            (b" \n", "empty"),
        ):
            with self.assertRaisesRegex(UserError, words):
                self.prepare(content)
        with self.assertRaisesRegex(UserError, "Choose the file"):
            self.env["crm.sale.import"].create({}).action_check()

    def test_started_import_is_closed(self):
        job = self.prepare(HEADER + "31.03.2024;A1;T-1;;;TD-1;Drill;1;5\n")
        job.action_start()
        with self.assertRaises(UserError):
            job.source = "Another"
        with self.assertRaises(UserError):
            job.column_ids[0].target = False
        with self.assertRaises(UserError):
            job.unlink()
        job.action_cancel()
        self.assertEqual(job.state, "cancelled")

    @users("import_manager")
    def test_state_cannot_be_faked(self):
        job = self.prepare(HEADER + "31.03.2024;A1;T-1;;;TD-1;Drill;1;5\n").with_user(self.env.user)
        for values in ({"state": "done"}, {"count_new": 5}, {"progress": 99}, {"user_id": 1}):
            with self.assertRaises(UserError):
                job.write(values)
        with self.assertRaises(UserError):
            self.env["crm.sale.import"].create({"state": "running"})
        with self.assertRaises(UserError):
            job.column_ids[0].import_id = False

    def test_access(self):
        job = self.run_import(HEADER + "31.03.2024;A1;T-1;;;TD-1;Drill;1;5\n")
        row = self.history.search([("import_id", "=", job.id)])
        self.assertTrue(row.with_user(self.salesman).read(["amount"]), "nobody's client")
        for user in (self.salesman, self.manager):
            with self.assertRaises(AccessError):
                row.with_user(user).write({"amount": 1})
        with self.assertRaises(AccessError):
            row.with_user(self.salesman).unlink()
        with self.assertRaises(AccessError):
            job.with_user(self.salesman).read(["state"])
        with self.assertRaises(AccessError):
            row.with_user(self.outsider).read(["amount"])
        self.ann.user_id = self.manager
        self.env.invalidate_all()
        self.assertFalse(self.history.with_user(self.salesman).search([("id", "=", row.id)]))
        self.assertTrue(self.history.with_user(self.manager).search([("id", "=", row.id)]))
        job.action_delete_history()
        self.assertFalse(row.exists())

    def test_companies(self):
        other = self.env["res.company"].create({"name": "Import other"})
        job = self.run_import(HEADER + "31.03.2024;A1;T-1;;;TD-1;Drill;1;5\n")
        self.manager.write({"company_ids": [(4, other.id)]})
        seen = self.history.with_user(self.manager).with_context(allowed_company_ids=other.ids)
        self.assertFalse(seen.search([("import_id", "=", job.id)]))
        jobs = self.env["crm.sale.import"].with_user(self.manager)
        self.assertFalse(
            jobs.with_context(allowed_company_ids=other.ids).search([("id", "=", job.id)])
        )

    def test_command_line(self):
        path = self.env["ir.attachment"].create(
            {"name": "f", "raw": (HEADER + "31.03.2024;A1;T-1;;;TD-1;Drill;1;5\n").encode()}
        )
        file_path = path._full_path(path.store_fname)
        seen = []
        jobs = self.env["crm.sale.import"]
        with self.no_commit():
            report = jobs._import_file(
                file_path,
                {"source": "Shell", "currency": "eur", "no_client": "walk_in"},
                progress=lambda phase, percent, counters: seen.append((phase, percent)),
            )
            self.assertEqual(
                (report["state"], report["read"], report["imported"], report["refused"]),
                ("done", 1, 1, 0),
            )
            self.assertTrue(seen)
            json.dumps(report)
            with self.assertRaisesRegex(UserError, "Unknown options"):
                jobs._import_file(file_path, {"nonsense": 1})
            with self.assertRaisesRegex(UserError, "no currency"):
                jobs._import_file(file_path, {"currency": "zzz"})
            with self.assertRaisesRegex(UserError, "no column"):
                jobs._import_file(file_path, {"columns": {"nope": "date"}})

    def test_cron(self):
        job = self.prepare(HEADER + "31.03.2024;A1;T-1;;;TD-1;Drill;1;5\n")
        job.action_start()
        with self.no_commit():
            self.env["crm.sale.import"]._cron_run()
        self.assertAddsUp(job, new=1)
        self.assertFalse(re.search("[1-9]", str(job.count_refused)))


@tagged("post_install", "-at_install")
class TestSaleFact(SaleImportCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # a company of its own: no agreement of demo data holds its orders
        cls.company = cls.env["res.company"].create({"name": "Fact company"})
        (cls.manager | cls.salesman | cls.outsider).company_ids = [(4, cls.company.id)]
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": cls.company.ids})
        cls.ann, cls.drill = cls.ann.with_env(cls.env), cls.drill.with_env(cls.env)
        cls.history = cls.history.with_env(cls.env)

    def test_history_and_orders_side_by_side(self):
        contact = self.env["res.partner"].create({"name": "Desk", "parent_id": self.ann.id})
        self.history.create(
            {"date": "2024-03-31", "document": "H1", "partner_id": contact.id, "amount": 10}
        )
        dozen = self.env.ref("uom.product_uom_dozen")
        self.drill.taxes_id = False
        order = self.env["sale.order"].create(
            {
                "partner_id": contact.id,
                "order_line": [
                    (0, 0, {"product_id": self.drill.id, "product_uom_qty": 2,
                            "product_uom_id": dozen.id, "price_unit": 12}),
                    (0, 0, {"product_id": self.drill.id, "product_uom_qty": -1, "price_unit": 1}),
                    (0, 0, {"display_type": "line_section", "name": "Section"}),
                ],
            }
        )  # fmt: skip
        facts = self.env["crm.sale.fact"]
        domain = [("commercial_partner_id", "=", self.ann.id)]
        self.env.flush_all()
        self.assertEqual(facts.search(domain).mapped("origin"), ["history"])
        order.action_confirm()
        self.env.flush_all()
        found = facts.search(domain, order="amount desc")
        self.assertEqual(found.mapped("amount"), [24, 10, -1])
        self.assertEqual(found.mapped("quantity"), [24, 0, -1])
        self.assertEqual(found.mapped("is_return"), [False, False, True])
        self.assertEqual(len(set(found.ids)), 3)
        self.assertEqual(found[0].order_line_id, order.order_line[0])
        totals = facts._read_group(domain, ["origin"], ["amount:sum"])
        self.assertEqual(dict(totals), {"history": 10, "order": 23})

    def test_foreign_order_is_converted(self):
        foreign = (
            self.env["res.currency"]
            .with_context(active_test=False)
            .search([("name", "=", "CHF" if self.company.currency_id.name != "CHF" else "SEK")])
        )
        foreign.active = True
        self.env["res.currency.rate"].search([("currency_id", "=", foreign.id)]).unlink()
        self.env["res.currency.rate"].create(
            {"currency_id": foreign.id, "name": "2020-01-01", "rate": 4.0}
        )
        self.env["res.currency.rate"].search(
            [("currency_id", "=", self.company.currency_id.id)]
        ).unlink()
        pricelist = self.env["product.pricelist"].create(
            {"name": "Foreign", "currency_id": foreign.id}
        )
        order = self.env["sale.order"].create(
            {
                "partner_id": self.ann.id,
                "pricelist_id": pricelist.id,
                "order_line": [
                    (0, 0, {"product_id": self.drill.id, "price_unit": 100, "tax_ids": False})
                ],
            }
        )
        order.action_confirm()
        self.env.flush_all()
        fact = self.env["crm.sale.fact"].search([("commercial_partner_id", "=", self.ann.id)])
        self.assertEqual(fact.amount, 25)

    def test_salesperson_sees_own(self):
        self.env["res.partner"].create({"name": "Other", "user_id": self.manager.id})
        self.ann.user_id = self.salesman
        self.history.create({"date": "2024-03-31", "partner_id": self.ann.id, "amount": 10})
        self.env.flush_all()
        facts = self.env["crm.sale.fact"].with_user(self.salesman)
        domain = [("commercial_partner_id", "=", self.ann.id)]
        self.assertEqual(len(facts.search(domain)), 1)
        self.ann.user_id = self.manager
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertFalse(facts.search(domain))
        with self.assertRaises(AccessError):
            self.env["crm.sale.fact"].with_user(self.outsider).search(domain)
