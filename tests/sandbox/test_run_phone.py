"""The exchange of the sandbox's telephone, as it is made in the suite's database."""

from odoo.tests import TransactionCase, new_test_user, tagged

from sandbox.run_phone import find_provider


@tagged("post_install", "-at_install")
class TestRunPhone(TransactionCase):
    def test_find_provider(self):
        """It is made once, gets a line for each login that exists, and keeps what it has."""
        user = new_test_user(self.env, "phone_user", "base.group_user")
        provider = find_provider(self.env, {"101": "phone_user", "102": "nobody"})
        self.assertEqual(provider.line_ids.mapped("number"), ["101"])
        self.assertEqual(provider.line_ids.user_id, user)
        later = new_test_user(self.env, "phone_later", "base.group_user")
        again = find_provider(self.env, {"101": "phone_later", "102": "phone_later"})
        self.assertEqual(again, provider)
        self.assertEqual(
            {line.number: line.user_id for line in provider.line_ids}, {"101": user, "102": later}
        )
        token = provider._generate_token()
        self.assertEqual(self.env["crm.telephony.provider"]._authenticate(token), (provider, True))
