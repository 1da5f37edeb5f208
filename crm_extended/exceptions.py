from odoo.exceptions import UserError, ValidationError


class StepBackNeeded(UserError):
    """A deal of a strict process would go back, and nobody has said why.

    The web client knows this class and offers the dialog that asks for the reason; everybody
    else sees a plain error whose message names the remedy.
    """

    def __init__(self, message, action, button_text, context):
        super().__init__(message)
        # the shape of a redirect warning, which the dialog of the web client expects
        self.args = (message, action, button_text, context)

    def __str__(self):
        return self.args[0]


class KnownClient(ValidationError):
    """A client was entered who is known already, where the company blocks duplicates."""
