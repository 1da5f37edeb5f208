def post_init_hook(env):
    """Take over what an existing database knows."""
    env["crm.lead.stage.history"]._fill_from_past()
    # the clients of an old database are folded in batches, soon and in the background
    env.ref("crm_extended.ir_cron_crm_partner_fingerprint")._trigger()


def uninstall_hook(env):
    """Drop the tables that belong to no model of their own, and what would call this add-on."""
    env["base.automation"].with_context(active_test=False).search(
        [("crm_strategy_event", "!=", False)]
    ).unlink()
    env.cr.execute(
        """
        DROP TABLE IF EXISTS crm_partner_key, crm_partner_word_part, crm_partner_word,
                             crm_partner_guard, crm_partner_block, crm_partner_block_all
        """
    )
