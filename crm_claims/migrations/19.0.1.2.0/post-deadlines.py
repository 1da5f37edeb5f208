from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields
from odoo.addons.crm_claims.tools.deadline import get_midnight
from odoo.fields import Command

# working days in which a decision was promised by severity, as 19.0.1.1.0 had them by itself
DEFAULTS = {"low": 20, "normal": 10, "high": 5, "critical": 3}


def migrate(cr, version):
    """Days promised by severity become policies; open claims keep the date they were promised."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    move_settings(env)
    keep_dates(env)


def move_settings(env):
    """A company that had changed its days gets policies of its own.

    The strictest policy wins, so the general ones no longer set the decision then, and every
    company gets its own.
    """
    columns = [f"claim_promise_days_{name}" for name in DEFAULTS]
    env.cr.execute(
        "SELECT column_name FROM information_schema.columns "
        "WHERE table_name = 'res_company' AND column_name = ANY(%s)",
        [columns],
    )
    if env.cr.rowcount < len(columns):
        return
    env.cr.execute(f"SELECT id, {', '.join(columns)} FROM res_company")
    days = {row[0]: dict(zip(DEFAULTS, row[1:], strict=True)) for row in env.cr.fetchall()}
    if all(
        (value if value is not None else DEFAULTS[name]) == DEFAULTS[name]
        for values in days.values()
        for name, value in values.items()
    ):
        return
    general = env["crm.claim.sla"].union(
        *(env.ref(f"crm_claims.crm_claim_sla_{name}") for name in DEFAULTS)
    )
    general.target_ids.filtered(lambda line: line.target == "decide").unlink()
    for company_id, values in days.items():
        company = env["res.company"].browse(company_id)
        for severity, (name, default) in enumerate(DEFAULTS.items()):
            amount = values[name] if values[name] is not None else default
            if amount <= 0:
                continue
            policy = env.ref(f"crm_claims.crm_claim_sla_{name}")
            env["crm.claim.sla"].create(
                {
                    "name": f"{policy.name} ({company.name})",
                    "sequence": policy.sequence,
                    "company_id": company_id,
                    "kind": "consumer",
                    "severity": str(severity),
                    "target_ids": [
                        Command.create(
                            {"target": "decide", "amount": amount, "unit": "working_days"}
                        )
                    ],
                }
            )


def keep_dates(env):
    """The promised date of each open claim becomes its deadline for the decision.

    What is overdue already is marked as missed, without telling anybody again.
    """
    now = fields.Datetime.now()
    claims = env["crm.claim"].with_context(active_test=False).search([("is_open", "=", True)])
    pauses, statuses = [], []
    for claim in claims:
        if claim.state == "waiting_client":
            pauses.append(
                {
                    "claim_id": claim.id,
                    "date_from": claim.waiting_since or now,
                    "question": claim.waiting_question,
                }
            )
        if not claim.date_promised:
            continue
        zone = claim.company_id._get_claim_timezone()
        deadline = get_midnight(claim.date_promised + timedelta(days=1), zone)
        state = "running" if deadline > now else "failed"
        if claim.state == "waiting_client" and state == "running":
            state = "paused"
        statuses.append(
            {
                "claim_id": claim.id,
                "company_id": claim.company_id.id,
                "target": "decide",
                "cycle": claim.reopen_count,
                "date_start": claim.date_registered,
                "date_deadline": deadline,
                "state": state,
                "date_alarmed": now if state == "failed" else False,
            }
        )
    env["crm.claim.pause"].create(pauses)
    env["crm.claim.sla.status"].create(statuses)
    claims._summarise_deadlines()
