from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import format_amount, format_date

# rows of each list on the card
ROWS = 4


class ResPartner(models.Model):
    """What a client's card shows while he is on the telephone.

    Everything is read under the rights of the current user: deals, invoices and contacts that
    he may not see do not appear, and a figure that he may not know is left out.
    """

    _inherit = "res.partner"

    def _get_call_card_values(self):
        """Values of this client's card; other add-ons extend them.

        :return: dict of plain values:

            * id, name, company, function, salesperson, is_company
            * clock: the client's clock, as in `client_clock`
            * badges: list of dicts with name, label, value, color (a Bootstrap colour name)
            * sections: list of dicts with name, label, count, rows; a row is a dict with
              model, id, title, detail, badge
        """
        self.ensure_one()
        company = self.commercial_partner_id
        return {
            "id": self.id,
            "name": self.name or self.display_name,
            "company": company.name if company != self and company.has_access("read") else False,
            "function": self.function or False,
            "salesperson": (self.user_id or company.user_id).sudo().name or False,
            "is_company": self.is_company,
            "clock": self.client_clock,
            "badges": self._get_call_card_badges(),
            "sections": self._get_call_card_sections(),
        }

    def _get_call_card_badges(self):
        """Short figures below the client's name."""
        return self._get_call_card_debt()

    def _get_call_card_sections(self):
        """Short lists on the card, in the order in which they are shown."""
        return [*self._get_call_card_deals(), *self._get_call_card_contacts()]

    def _get_call_card_client_domain(self):
        """The client with all its people."""
        return Domain("partner_id", "child_of", self.commercial_partner_id.id)

    def _get_call_card_deals(self):
        Lead = self.env["crm.lead"]
        if not Lead.has_access("read"):
            return []
        domain = self._get_call_card_client_domain() & Domain("won_status", "=", "pending")
        deals = Lead.search(domain, order="priority desc, id desc")
        return [
            {
                "name": "deals",
                "label": self.env._("Open deals"),
                "count": len(deals),
                "rows": [deal._prepare_call_card_row() for deal in deals[:ROWS]],
            }
        ]

    def _get_call_card_contacts(self):
        Interaction = self.env["crm.interaction"]
        if not Interaction.has_access("read"):
            return []
        interactions = Interaction.search(
            self._get_call_card_client_domain()
            & Domain("state", "in", ("new", "done"))
            & Domain("date_start", "<=", fields.Datetime.now()),
            limit=3,
        )
        kinds = dict(Interaction._fields["kind"]._description_selection(self.env))
        return [
            {
                "name": "contacts",
                "label": self.env._("Last contacts"),
                "count": 0,
                "rows": [
                    {
                        "model": "crm.interaction",
                        "id": interaction.id,
                        "title": interaction.subject,
                        "detail": " · ".join(
                            filter(
                                None,
                                [
                                    format_date(
                                        self.env,
                                        fields.Datetime.context_timestamp(
                                            interaction, interaction.date_start
                                        ),
                                    ),
                                    kinds[interaction.kind],
                                    interaction.user_id.sudo().name,
                                ],
                            )
                        ),
                        "badge": False,
                    }
                    for interaction in interactions
                ],
            }
        ]

    def _get_call_card_debt(self):
        """What the client owes by the invoices that the user may read, and what is overdue."""
        Move = self.env["account.move"]
        if not Move.has_access("read"):
            return []
        company = self.env.company
        unpaid = Domain(
            [
                ("commercial_partner_id", "=", self.commercial_partner_id.id),
                ("company_id", "=", company.id),
                ("move_type", "in", ("out_invoice", "out_refund")),
                ("state", "=", "posted"),
                ("payment_state", "in", ("not_paid", "partial")),
            ]
        )
        late = unpaid & Domain("invoice_date_due", "<", fields.Date.context_today(self))
        [[debt]] = Move._read_group(unpaid, [], ["amount_residual_signed:sum"])
        if not debt:
            return []
        [[overdue]] = Move._read_group(late, [], ["amount_residual_signed:sum"])
        badges = [
            {
                "name": "debt",
                "label": self.env._("Debt"),
                "value": format_amount(self.env, debt, company.currency_id),
                "color": "warning",
            }
        ]
        if overdue and overdue > 0:
            badges.append(
                {
                    "name": "overdue",
                    "label": self.env._("Overdue"),
                    "value": format_amount(self.env, overdue, company.currency_id),
                    "color": "danger",
                }
            )
        return badges
