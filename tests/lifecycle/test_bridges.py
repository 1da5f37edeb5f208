"""What needs optional apps: add-ons that install themselves beside them, and labour in time sheets.

The whole suite's database has neither stock nor time sheets: this one gets them.
"""

import socket
import tempfile
from pathlib import Path

from sandbox import paths, po_files

from .test_install_uninstall import database  # a fixture

__all__ = ["database"]


def run_tests(database, *arguments):
    output = database.odoo(
        *[*arguments, "--stop-after-init", "--no-http"],
        *["--log-handler", "odoo.tests.result:INFO"],
    )
    assert "0 failed, 0 error(s) of" in output, output[-4000:]
    assert " of 0 tests" not in output, output[-4000:]


def test_stock_and_time_sheets(database):
    bridge = "crm_claims_stock"
    database.install("crm_claims")
    assert bridge not in database.installed()
    database.install("sale_stock")
    assert bridge in database.installed()
    database.install("sale_margin")  # what it shows is tested beside

    run_tests(database, "-u", bridge, "--test-tags", f"/{bridge}")

    # the customer's portal reads deliveries without a bridge
    database.install("crm_portal")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    output = database.odoo(
        *["-u", "crm_portal", "--test-tags", "/crm_portal:TestOrderDelivery", "--stop-after-init"],
        *["--http-interface", "127.0.0.1", "--http-port", str(port)],
        *["--log-handler", "odoo.tests.result:INFO"],
    )
    assert "0 failed, 0 error(s) of 2 tests" in output, output[-4000:]

    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / f"{bridge}.pot"
        database.odoo("i18n", "export", "-o", str(fresh), bridge)
        assert po_files.merge_addon(bridge, fresh, check=True) == []

    database.uninstall(bridge)
    assert not database.rows(f"SELECT 1 FROM ir_model_data WHERE module = '{bridge}'")
    assert "sale_stock" in database.installed()

    database.install("hr_timesheet")
    run_tests(database, "--test-tags", "crm_claims_timesheet")


def test_every_bridge_is_tested_here():
    assert paths.bridges() == ["crm_claims_stock"]
