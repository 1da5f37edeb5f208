from .models.crm_customer_change import WATCHED


def uninstall_hook(env):
    """Take the triggers away that note changed sales facts, and the room left in deals' pages."""
    for table in WATCHED:
        # the names are constants
        env.cr.execute(  # pylint: disable=sql-injection
            f"""
            DROP TRIGGER IF EXISTS crm_customer_change_insert ON {table};
            DROP TRIGGER IF EXISTS crm_customer_change_update ON {table};
            DROP TRIGGER IF EXISTS crm_customer_change_delete ON {table};
            DROP FUNCTION IF EXISTS crm_customer_change_{table}();
            """
        )
    env.cr.execute(
        """
        DROP TRIGGER IF EXISTS crm_customer_change ON res_partner;
        DROP FUNCTION IF EXISTS crm_customer_change_partner();
        ALTER TABLE crm_lead RESET (fillfactor);
        """
    )
