"""The part of ``import`` that runs inside the virtual environment, with Odoo."""

import base64
import json
import sys
from pathlib import Path


def main(task):
    """Import ``task["file"]`` as the administrator; print the outcome, return the exit status."""
    import odoo.api
    from odoo import SUPERUSER_ID
    from odoo.exceptions import AccessError, UserError, ValidationError
    from odoo.modules.registry import Registry
    from odoo.tools import config

    options = ["-c", task["config"], "-d", task["database"], "--no-http", "--log-level=error"]
    config.parse_config([*options, "--log-handler=py.warnings:CRITICAL"], setup_logging=True)
    with Registry(task["database"]).cursor() as cr:
        env = odoo.api.Environment(cr, SUPERUSER_ID, {})
        administrator = env.ref("base.user_admin")
        env = env(user=administrator.id, context={"lang": administrator.lang})
        try:
            outcome = env["crm.sale.import"]._import_file(
                task["file"], options=task["options"], progress=show_progress
            )
        except (AccessError, UserError, ValidationError) as error:
            cr.rollback()
            clear()
            print(f"Nothing was imported: {error.args[0]}", file=sys.stderr)
            return 1
        clear()
        report(outcome)
        job = env["crm.sale.import"].browse(outcome["import_id"])
        if outcome["refused"] and job.result_file:
            Path(task["refused"]).write_bytes(base64.b64decode(job.result_file))
            print(f"Refused rows with their reasons: {task['refused']}")
        return 0 if outcome["state"] == "done" else 1


def show_progress(phase, percent, _counters):
    """One line that counts, on a terminal."""
    if sys.stdout.isatty():
        print(f"\r\033[K… {phase}: {percent:.0f} %", end="", flush=True)


def clear():
    if sys.stdout.isatty():
        print("\r\033[K", end="")


def report(outcome):
    """Print the counts; rows read are the sum of the others."""
    if outcome["error"]:
        print(outcome["error"])
    rows = [("Rows read", outcome["read"])]
    rows += [("imported", outcome["imported"]), ("updated", outcome["updated"])]
    rows += [("already there", outcome["present"]), ("refused", outcome["refused"])]
    for label, count in rows:
        indent = "" if label == "Rows read" else "  "
        print(f"{indent + label:<24}{count:>12,}")
    for reason, count in sorted(outcome["refusals"].items(), key=lambda item: -item[1]):
        print(f"    {outcome['reasons'][reason]}: {count:,}")
    print(
        f"Created: {outcome['created_clients']:,} clients, {outcome['created_products']:,} products"
    )


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
