from odoo import SUPERUSER_ID, api
from odoo.tools import html2plaintext

# how the notes of 19.0.1.1.0 began, in the languages it spoke
HEADS = ("Guilt:", "Вина:")
EMPTY = ("No guilt.", "Виновные не указаны.")


def migrate(cr, version):
    """Take guilt out of the chatter, which accountants read, into its own log.

    Those who are accused today stop following the claim, as with any change of guilt from now on.
    """
    env = api.Environment(cr, SUPERUSER_ID, {})
    candidates = env["mail.message"].search(
        [
            ("model", "=", "crm.claim"),
            ("message_type", "=", "notification"),
            *["|"] * (len(HEADS + EMPTY) - 1),
            *[("body", "ilike", text) for text in HEADS + EMPTY],
        ],
        order="id",
    )
    notes, values = env["mail.message"], []
    for message in candidates:
        head, *lines = html2plaintext(message.body or "").strip().split("\n")
        if head in HEADS or (head in EMPTY and not lines):
            notes |= message
            values.append(
                {
                    "claim_id": message.res_id,
                    "date": message.date,
                    "user_id": message.author_id.user_ids[:1].id or message.create_uid.id,
                    "guilt": "\n".join(lines) if head in HEADS else False,
                }
            )
    claims = env["crm.claim"].with_context(active_test=False)
    living = set(claims.search([("id", "in", [value["claim_id"] for value in values])]).ids)
    env["crm.claim.fault.log"].create([v for v in values if v["claim_id"] in living])
    notes.unlink()
    claims.search([("fault_ids.accused_user_id", "!=", False)])._unfollow_accused()
