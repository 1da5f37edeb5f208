import csv
import io
import os
from collections import defaultdict
from datetime import datetime
from pathlib import Path

from odoo.addons.mail.tests.common import MailCommon
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import file_open, file_path, mute_logger

from .common import ClaimCommon

# a file of another system as it comes: US dates, NA, a blank at the end of a header, no ids,
# equal rows, a row without a cause, one without a name, an umlaut and a comma
HEADER = (
    "Business Name,Industry,Complaint Type,Mediation Start Date,Mediation Close Date,"
    "Complaint Result,Satisfaction,Restitution,Business City,Complainant Zip "
)
DRILL = "DRILLS & MORE INC.,Hardware - 811,Defective Goods - D02"
OWN_FILE = "\r\n".join(
    (
        HEADER,
        f"{DRILL},01/05/2015,01/30/2015,Cash Amount - AMT,Yes,120.50,NY,10036",
        f"{DRILL},01/31/2015,02/10/2015,Goods Repaired - GRS,Yes,0.00,NY,10036",
        f"{DRILL},01/31/2015,02/10/2015,Goods Repaired - GRS,Yes,0.00,NY,10036",
        '"MÜLLER, SONS",Garage - 049,Overcharge - S02,02/28/2015,03/01/2015,Reduced,No,15.00,NY,',
        ",Garage - 049,Overcharge - S02,03/01/2015,03/02/2015,No Response,No,0.00,NY,10040",
        "LAST ONE,Other,,03/31/2015,04/28/2015,Advised to Sue - ATS,NA,0.00,NY,11201",
        "=SUM(A1),Other,,12/31/2015,01/02/2016,,NA,1000.00,NY,11201",
        "",
    )
)
OPTIONS = {
    "has_headers": True,
    "separator": ",",
    "quoting": '"',
    "encoding": "utf-8",
    "date_format": "%m/%d/%Y",
    "datetime_format": "%m/%d/%Y",
    "float_decimal_separator": ".",
    "float_thousand_separator": ",",
}


@tagged("post_install", "-at_install")
class TestClaimHistory(ClaimCommon, MailCommon):
    """Complaints of another system, through Odoo's own import as its screen uses it."""

    def _open_import(self, content, user=None, file_type="text/csv"):
        return (
            self.env["base_import.import"]
            .with_user(user or self.user_manager)
            .with_context(tz="Asia/Kamchatka")
            .create({"res_model": "crm.claim", "file": content, "file_type": file_type})
        )

    def _import(self, content, user=None):
        """Import a file by the columns that the screen proposes."""
        wizard = self._open_import(content, user)
        preview = wizard.parse_preview(dict(OPTIONS))
        self.assertNotIn("error", preview)
        headers = preview["headers"]
        fields = [
            "/".join(preview["matches"][index]) if index in preview["matches"] else False
            for index in range(len(headers))
        ]
        with self.mock_mail_gateway():
            result = wizard.execute_import(fields, headers, dict(OPTIONS))
        self.env.flush_all()
        self.env.invalidate_all()
        return result

    def _read(self, content):
        return list(csv.DictReader(io.StringIO(content.decode())))

    # ------------------------------------------------------------
    # Figures, computed in plain Python from the file alone
    # ------------------------------------------------------------

    def _expected_decision(self, row):
        if row["Satisfaction"] == "Yes":
            return "satisfied"
        return "partly" if float(row["Restitution"]) > 0 else "rejected"

    def _assert_reports(self, claims, rows):
        """Dynamics by month, satisfaction by cause, structure by cause: of file and of reports."""
        dynamics, satisfaction, structure = (defaultdict(float) for __ in range(3))
        granted = defaultdict(float)
        for row in rows:
            month = datetime.strptime(row["Mediation Start Date"], "%m/%d/%Y").strftime("%Y-%m")
            cause = row["Complaint Type"].strip()
            dynamics[month] += 1
            satisfaction[cause, self._expected_decision(row)] += 1
            structure[row["Industry"].strip(), cause] += 1
            granted[cause] += float(row["Restitution"])
        report = self.env["crm.claim.report"].with_user(self.user_manager)
        domain = [("claim_id", "in", claims.ids)]
        figures = {
            month.strftime("%Y-%m"): (registered, handled, unhandled)
            for month, registered, handled, unhandled in report._read_group(
                domain, ["date:month"], ["registered:sum", "handled:sum", "unhandled:sum"]
            )
        }
        self.assertEqual(figures, {month: (n, n, 0) for month, n in dynamics.items()})
        self.assertEqual(
            {
                (cause.complete_name or "", decision): count
                for cause, decision, count in report._read_group(
                    domain, ["cause_id", "decision"], ["registered:sum"]
                )
            },
            satisfaction,
        )
        self.assertEqual(
            {
                (category.name, cause.complete_name or ""): count
                for category, cause, count in report._read_group(
                    domain, ["category_id", "cause_id"], ["registered:sum"]
                )
            },
            structure,
        )
        for cause, amount in report._read_group(domain, ["cause_id"], ["amount_granted:sum"]):
            self.assertAlmostEqual(amount, granted[cause.complete_name or ""], 2)

    # ------------------------------------------------------------
    # Own file
    # ------------------------------------------------------------

    def test_own_file(self):
        content = OWN_FILE.encode()
        before = self.env["mail.mail"].sudo().search_count([])
        result = self._import(content)
        self.assertFalse(result["messages"])
        claims = self.env["crm.claim"].browse(result["ids"])
        self.assertEqual(len(claims), 7)
        self._assert_reports(claims, self._read(content))
        self.assertEqual(set(claims.mapped("state")), {"closed"})
        self.assertFalse(claims.user_id)
        self.assertFalse(claims.sla_status_ids)
        self.assertEqual(self.env["mail.mail"].sudo().search_count([]), before)
        self.assertFalse(claims.message_ids.notification_ids)
        first = claims[0]
        self.assertEqual(first.date_registered.strftime("%Y-%m-%d"), "2015-01-05")
        self.assertEqual(first.date_closed.strftime("%Y-%m-%d"), "2015-01-30")
        self.assertEqual(first.date_decided, first.date_closed)
        self.assertFalse(first.date_acknowledged)
        self.assertTrue(first.name.startswith("CLM/2015/"))
        self.assertEqual((first.subject, first.partner_name), ("DRILLS & MORE INC.", "10036"))
        self.assertEqual((first.customer_answer, first.amount_granted), ("accepted", 120.5))
        self.assertIn("Cash Amount - AMT", str(first.decision_text))
        self.assertEqual(claims[3].partner_name, "Unknown")
        self.assertEqual(claims[4].subject, "Overcharge - S02")
        self.assertEqual(claims[6].subject, "=SUM(A1)")

    def test_read_twice(self):
        content = OWN_FILE.encode()
        first = self._import(content)
        again = self._import(content + b"NEW,Other,,01/01/2016,01/02/2016,Done,NA,0,NY,1\r\n")
        self.assertEqual(set(first["ids"]) - set(again["ids"]), set())
        self.assertEqual(len(again["ids"]), 8)
        self.assertEqual(
            len(set(self.env["crm.claim"].browse(again["ids"]).get_external_id().values())), 8
        )

    def test_only_administrators(self):
        for user in (self.user_all, self.user_accountant):
            with self.assertRaises(AccessError), mute_logger("odoo.sql_db"):
                self._import(OWN_FILE.encode(), user)
        # nor by any other way in, nor with a context
        claims = self.env["crm.claim"].with_user(self.user_all)
        for values in ({"source_result": "x"}, {"date_closed": "2015-01-01"}):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                claims.with_context(import_file=True, tracking_disable=True).create(
                    {"subject": "x", "partner_name": "y", **values}
                )

    def test_wrong_rows_write_nothing(self):
        before = self.env["crm.claim"].search_count([])
        result = self._import(OWN_FILE.replace("02/28/2015", "30/28/2015").encode())
        self.assertIn("30/28/2015", result["messages"][0]["message"])
        self.assertEqual(self.env["crm.claim"].search_count([]), before)

    def test_other_columns(self):
        """A file of another shape, with ids, decisions and a tree of causes."""
        fields = ["id", "subject", "email_from", "cause_id", "date_registered", "date_closed",
                  "decision", "severity"]  # fmt: skip
        rows = [
            ["old.c_1", "Late", "a@test.example.com", "Delivery X / Late", "2024-01-05 09:30:00",
             "2024-02-01", "Partly Satisfied", "High"],
            ["old.c_2", "Lost", "b@test.example.com", "Delivery X / Lost", "2024-01-06",
             "2024-02-02", "Rejected", "Low"],
        ]  # fmt: skip
        load = self.env["crm.claim"].with_user(self.user_manager).load
        result = load(fields, rows)
        self.assertFalse(result["messages"])
        late, lost = self.env["crm.claim"].browse(result["ids"])
        self.assertEqual(self.env.ref("old.c_1"), late)
        self.assertEqual((late.decision, late.severity), ("partly", "2"))
        self.assertEqual((lost.decision, lost.state), ("rejected", "closed"))
        self.assertEqual(late.cause_id.parent_id, lost.cause_id.parent_id)
        self.assertEqual(late.cause_id.complete_name, "Delivery X / Late")
        self.assertEqual(load(fields, rows)["ids"], result["ids"])

    def test_template_that_is_shipped(self):
        template = self.env["crm.claim"].get_import_templates()[0]["template"]
        with file_open(template.lstrip("/"), "rb") as file:
            wizard = self._open_import(
                file.read(),
                file_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            )
        options = {"has_headers": True, "sheet": "Past claims"}
        preview = wizard.parse_preview(options)
        self.assertNotIn("error", preview)
        headers = preview["headers"]
        lost = [name for index, name in enumerate(headers) if index not in preview["matches"]]
        self.assertFalse(lost, "every column finds its field")
        fields = ["/".join(preview["matches"][index]) for index in range(len(headers))]
        result = wizard.execute_import(fields, headers, {"date_format": "%Y-%m-%d", **options})
        self.assertFalse(result["messages"])
        claim = self.env["crm.claim"].browse(result["ids"])
        self.assertEqual((claim.state, claim.decision), ("closed", "satisfied"))
        self.assertEqual(claim.cause_id.complete_name, "Production / Faulty part")

    # ------------------------------------------------------------
    # The real one
    # ------------------------------------------------------------

    def _find_real_file(self):
        checkout = Path(file_path("crm_claims/__init__.py")).parents[1]
        for folder in (os.environ.get("CRM_SAMPLE_DATA"), checkout.parent / "shared" / "data"):
            path = Path(folder or "-") / "nyc_complaints" / "mediated_complaints_2014_2016.csv"
            if path.is_file():
                return path
        return None

    def test_real_file(self):
        path = self._find_real_file()
        if not path:
            self.skipTest("the complaints of New York City are not at hand")
        content = path.read_bytes()
        result = self._import(content)
        self.assertFalse(result["messages"])
        rows = self._read(content)
        self.assertEqual(len(result["ids"]), len(rows))
        self._assert_reports(self.env["crm.claim"].browse(result["ids"]), rows)
