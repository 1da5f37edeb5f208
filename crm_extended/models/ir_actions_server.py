from odoo import models

from .crm_interaction import INTERNAL


class IrActionsServer(models.Model):
    """What an action sends is sent by a machine: it is nobody's contact with a client.

    Odoo marks e-mails of actions as automatic itself.
    """

    _inherit = "ir.actions.server"

    def _run_action_sms_multi(self, eval_context=None):
        automatic = self.with_context(crm_automatic_message=INTERNAL)
        return super(IrActionsServer, automatic)._run_action_sms_multi(eval_context=eval_context)
