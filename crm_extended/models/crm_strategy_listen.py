from odoo import api, fields, models
from odoo.fields import Command

_WOKEN = "crm_strategy_woken"


class BaseAutomation(models.Model):
    """The automation rules by which Odoo itself tells that an event may have happened."""

    _inherit = "base.automation"

    crm_strategy_event = fields.Char(
        "Listens for the CRM Event", readonly=True, copy=False, index="btree_not_null"
    )


class CrmStrategy(models.Model):
    """Strategies act soon after the event, not at the next full hour.

    - An event names the fields of Odoo's records whose change may mean that it has happened
      (``triggers`` in `_get_events`). As long as a strategy for it is switched on, an automation
      rule of Odoo watches them. It only wakes the job, which finds whom it concerns as always,
      after the change is saved: nobody waits for a strategy, and a failure of one breaks nothing.
    - What is computed in bulk, past Odoo's records (scores), wakes the job by `_wake`.
    - Events of days (an agreement expires, a birthday, no contact) need no more than the hourly
      job.
    """

    _inherit = "crm.strategy"

    @api.model
    def _wake(self, event=None):
        """Let the job run right after this transaction, once.

        :param str event: wake it only if a strategy for this event is switched on
        """
        # sudo: whoever changes a record may not see strategies
        self_sudo = self.sudo()
        if event and not self_sudo.search_count([("event", "=", event), ("is_on", "=", True)], 1):
            return
        woken = self.env.cr.precommit.data
        cron_sudo = self_sudo.env.ref("crm_extended.ir_cron_crm_strategy", raise_if_not_found=False)
        if cron_sudo and not woken.get(_WOKEN):
            woken[_WOKEN] = True
            cron_sudo._trigger()

    @api.model
    def _listen(self):
        """Watch the records of the events for which some strategy is switched on, and no others."""
        # sudo: sales administrators need not manage Odoo's automation rules
        Automation_sudo = self.env["base.automation"].sudo().with_context(active_test=False)
        listeners = Automation_sudo.search([("crm_strategy_event", "!=", False)])
        wanted = set(self.sudo().search([("is_on", "=", True)]).mapped("event"))
        events = self._get_events()
        for event, rules in listeners.grouped("crm_strategy_event").items():
            changed = rules.filtered(lambda rule, on=event in wanted: rule.active != on)
            if changed:
                changed.active = event in wanted
        for event in wanted - set(listeners.mapped("crm_strategy_event")):
            Automation_sudo.create(
                [
                    self._prepare_listener_values(event, events[event]["label"], *trigger)
                    for trigger in events.get(event, {}).get("triggers", ())
                ]
            )

    @api.model
    def _prepare_listener_values(self, event, label, model_name, names, domain):
        """Values of the automation rule that watches fields of a model.

        :param list domain: what a record fulfils after the change if it may be the event
        """
        # sudo: names of models and fields
        model_id = self.env["ir.model"].sudo()._get_id(model_name)
        get_field = self.env["ir.model.fields"].sudo()._get
        name = self.env._("CRM strategies listen: %(event)s", event=label)
        return {
            "name": name,
            "crm_strategy_event": event,
            "model_id": model_id,
            "trigger": "on_create_or_write",
            "trigger_field_ids": [
                Command.set([get_field(model_name, field_name).id for field_name in names])
            ],
            "filter_domain": repr(domain),
            "action_server_ids": [
                Command.create(
                    {
                        "name": name,
                        "model_id": model_id,
                        "usage": "base_automation",
                        "state": "code",
                        "code": "env['crm.strategy']._wake()",
                    }
                )
            ],
        }
