from odoo.tests import HttpCase, tagged

from .common_interaction import InteractionCommon


@tagged("post_install", "-at_install")
class TestInteractionTour(InteractionCommon, HttpCase):
    """The outcome buttons and the log dialog in a real browser."""

    def test_interaction_tour(self):
        self.start_tour(
            f"/odoo/crm.lead/{self.lead.id}", "crm_extended_interaction_tour", login="int_sales"
        )
        interactions = self.lead.interaction_ids.sorted("id")
        self.assertEqual(interactions.mapped("state"), ["done", "done", "done"])
        self.assertEqual(interactions[:2].outcome_id, self.missed + self.reached)
        self.assertEqual(interactions[2].subject, "Sent the price list")
        self.assertEqual(interactions[2].partner_id, self.client_contact)
