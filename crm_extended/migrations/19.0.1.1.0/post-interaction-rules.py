from odoo import SUPERUSER_ID, api

# rule: (domain before 19.0.1.1.0, domain now)
_RULES = {
    "crm_interaction_rule_own": (
        "['|', ('user_id', 'in', [user.id, False]), ('chain_id.user_id', '=', user.id)]",
        "['|', ('user_id', 'in', [user.id, False]), ('chain_user_id', '=', user.id)]",
    ),
    "crm_interaction_chain_rule_own": (
        "['|', ('user_id', 'in', [user.id, False]), ('interaction_ids.user_id', '=', user.id)]",
        "['|', ('user_id', 'in', [user.id, False]), ('guest_user_ids', 'in', user.ids)]",
    ),
    "crm_interaction_participant_rule_own": (
        "['|', ('interaction_id.user_id', 'in', [user.id, False]),"
        " ('interaction_id.chain_id.user_id', '=', user.id)]",
        "['|', ('interaction_id.user_id', 'in', [user.id, False]),"
        " ('interaction_id.chain_user_id', '=', user.id)]",
    ),
}
# replaced by indexes that fit the screens; Odoo leaves those that are no longer declared
_OLD_INDEXES = ("crm_interaction__kind_index", "crm_interaction__state_index")


def migrate(cr, version):
    """Let the rules of own interactions read their new columns; a changed rule stays as it is.

    The rules are data that an upgrade does not touch, and by their old domains each list would
    still join the interactions with their conversations.
    """
    env = api.Environment(cr, SUPERUSER_ID, {})
    for name, (old, new) in _RULES.items():
        rule = env.ref(f"crm_extended.{name}", raise_if_not_found=False)
        if rule and rule.domain_force == old:
            rule.domain_force = new
    for index in _OLD_INDEXES:
        cr.execute(f'DROP INDEX IF EXISTS "{index}"')
