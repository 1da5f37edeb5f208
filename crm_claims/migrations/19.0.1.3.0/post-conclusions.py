from markupsafe import Markup
from odoo import SUPERUSER_ID, api
from odoo.tools import html2plaintext


def migrate(cr, version):
    """Take conclusions, which name the guilty, out of the chatter of claims.

    Accountants and the accused read that; the investigation keeps its conclusion.
    """
    env = api.Environment(cr, SUPERUSER_ID, {})
    investigations = env["crm.claim.investigation"].search([("date_done", "!=", False)])
    for investigation in investigations:
        conclusion = html2plaintext(investigation.conclusion or "").strip()
        notes = env["mail.message"].search(
            [("model", "=", "crm.claim"), ("res_id", "in", investigation.claim_ids.ids)]
        )
        for note in notes if conclusion else ():
            head, *rest = html2plaintext(note.body or "").strip().split("\n", 1)
            if investigation.name in head and rest and rest[0].strip() == conclusion:
                note.body = Markup("<p>%s</p>") % head
