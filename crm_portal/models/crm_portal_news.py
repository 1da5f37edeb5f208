from odoo import api, fields, models
from odoo.fields import Domain


class CrmPortalNews(models.Model):
    """A piece of news for customers, shown on the home page of the portal.

    It is seen from its first day to its last, by customers of the companies named (of all, when
    none is) and, when a segment is named, by those who are in it.
    """

    _name = "crm.portal.news"
    _description = "News for Customers"
    _order = "date_from desc, id desc"

    name = fields.Char("Title", required=True, translate=True)
    body = fields.Html("Text", translate=True, sanitize_attributes=True, sanitize_form=True)
    image = fields.Image("Picture", max_width=1200, max_height=800)
    active = fields.Boolean(default=True)
    is_published = fields.Boolean("Published")
    date_from = fields.Date("Shown From", required=True, default=fields.Date.context_today)
    date_to = fields.Date("Shown Until", help="Last day, included. Empty: without an end.")
    company_ids = fields.Many2many(
        "res.company", string="Companies", help="Whose customers see it. Empty: of all companies."
    )
    segment_id = fields.Many2one(
        "crm.segment", "Only for Segment", ondelete="restrict", help="Empty: for all customers."
    )

    _dates_check = models.Constraint(
        "CHECK(date_to IS NULL OR date_to >= date_from)",
        "News cannot end before they begin: check Shown From and Shown Until.",
    )

    @api.model
    def _portal_get_domain(self, user):
        """What a customer sees today."""
        today = fields.Date.context_today(self)
        client = user.partner_id.commercial_partner_id
        member = Domain(
            "segment_id.member_ids",
            "any",
            Domain("partner_id", "=", client.id) & Domain("date_exit", "=", False),
        )
        return (
            Domain("is_published", "=", True)
            & Domain("date_from", "<=", today)
            & (Domain("date_to", "=", False) | Domain("date_to", ">=", today))
            & (Domain("company_ids", "=", False) | Domain("company_ids", "in", user.company_id.ids))
            & (Domain("segment_id", "=", False) | member)
        )

    @api.model
    def _portal_get_news(self, user, limit=None):
        """News of a customer, newest first, as superuser."""
        return self.sudo().search_fetch(
            self._portal_get_domain(user), ["name", "date_from"], limit=limit
        )
