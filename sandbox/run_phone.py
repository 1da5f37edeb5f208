"""The part of ``phone`` that runs inside the virtual environment, with Odoo: makes a token."""

import json
import sys
from pathlib import Path

NAME = "Sandbox phone"


def main(task):
    """Make the sandbox's exchange if it is missing, and write a new token into the state file.

    The token goes nowhere else: not into the output, not into a log.
    """
    import odoo.api
    from odoo import SUPERUSER_ID
    from odoo.modules.registry import Registry
    from odoo.tools import config

    from sandbox import cache

    options = ["-c", task["config"], "-d", task["database"], "--no-http", "--log-level=error"]
    config.parse_config([*options, "--log-handler=py.warnings:CRITICAL"], setup_logging=True)
    with Registry(task["database"]).cursor() as cr:
        env = odoo.api.Environment(cr, SUPERUSER_ID, {})
        provider = find_provider(env, task["lines"])
        token = provider._generate_token()
    path = Path(task["state"])
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        state = {}
    cache.write_file(path, json.dumps({**state, "token": token}), mode=0o600)
    return 0


def find_provider(env, lines):
    """The sandbox's exchange, with a line for each of the logins that exist."""
    Provider = env["crm.telephony.provider"]
    provider = Provider.search([("name", "=", NAME)], limit=1) or Provider.create(
        {"name": NAME, "company_id": env.ref("base.main_company").id}
    )
    known = set(provider.line_ids.mapped("number_key"))
    for number, login in lines.items():
        user = env["res.users"].search([("login", "=", login)], limit=1)
        if user and number not in known and provider.company_id in user.company_ids:
            provider.write({"line_ids": [(0, 0, {"number": number, "user_id": user.id})]})
    return provider


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
