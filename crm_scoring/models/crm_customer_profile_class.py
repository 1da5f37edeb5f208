from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..tools.scoring import adjust_class


class CrmCustomerProfile(models.Model):
    """The class of a client: why it is what it is, and the step that somebody moves it by hand.

    The salesperson of the client and those who see all clients may adjust it, with a reason. The
    adjustment stays until it is changed; each is kept in ``crm.customer.class.adjustment``.
    """

    _inherit = "crm.customer.profile"

    can_adjust_class = fields.Boolean(compute="_compute_can_adjust_class")
    class_adjustment_reason = fields.Text("Reason", compute="_compute_class_adjustment_reason")

    @api.depends_context("uid")
    @api.depends("partner_id.user_id", "class_auto")
    def _compute_can_adjust_class(self):
        for profile in self:
            profile.can_adjust_class = bool(profile.class_auto and profile._may_adjust_class())

    def _compute_class_adjustment_reason(self):
        # sudo: who reads the profile reads why its class was moved
        logs = (
            self.env["crm.customer.class.adjustment"]
            .sudo()
            .search(
                [
                    ("partner_id", "in", self.partner_id.ids),
                    ("company_id", "in", self.company_id.ids),
                ]
            )
        )
        for profile in self:
            log = logs.filtered(
                lambda log, profile=profile: log.partner_id == profile.partner_id
                and log.company_id == profile.company_id
            )[:1]
            profile.class_adjustment_reason = (
                self.env._(
                    "%(user)s, %(date)s: %(reason)s",
                    user=log.user_id.name,
                    date=log.date.date(),
                    reason=log.reason,
                )
                if log and profile.class_adjustment
                else False
            )

    def _compute_class_reasons(self):
        analyses = {
            company: self.env["crm.customer.analysis"]._get_for(company)
            for company in self.company_id
        }
        for profile in self:
            lines = []
            if profile.class_auto:
                analysis = analyses[profile.company_id]
                lines.append(self.env._("Base: %(points)g", points=analysis.base_points))
                lines += [
                    f"{words}: {points:+g}"
                    for words, points in analysis.factor_ids._explain(profile)
                ]
            profile.class_reasons = "\n".join(lines)

    def _get_known_measures(self):
        """Return the measures that have a value; an empty number reads as zero."""
        self.ensure_one()
        known = {
            "frequency", "monetary", "monetary_year", "stage", "segment",
            "score_recency", "score_frequency", "score_monetary",
        }  # fmt: skip
        if self.frequency:
            known |= {"recency", "average_purchase"}
        if self.rhythm:
            known.add("rhythm_ratio")
        if self.amount_half_before > 0:
            known.add("trend")
        if self.monetary + self.amount_returned:
            known.add("return_rate")
        if self.abc_margin:
            known.add("margin_rate")
        if self.p_alive:
            known |= {"p_alive", "expected_amount_90"}
        known |= {name for name in ("abc_turnover", "abc_margin", "xyz") if self[name]}
        return known

    def _may_adjust_class(self):
        self.ensure_one()
        if not self.env.user.has_group("sales_team.group_sale_salesman"):
            return False
        return self.partner_id.user_id == self.env.user or self.env.user.has_group(
            "sales_team.group_sale_salesman_all_leads"
        )

    def adjust_class(self, adjustment, reason):
        """Move the class of clients by one step, with a reason.

        :param int adjustment: +1, -1, or 0 to follow the computed class again
        :param str reason: why; required
        :raise UserError: no reason, no such step, or a client without a class
        :raise AccessError: the user may not adjust the client
        """
        if isinstance(adjustment, bool) or adjustment not in (-1, 0, 1):
            raise UserError(self.env._("A class is adjusted by one step: +1, -1 or 0."))
        reason = reason.strip() if isinstance(reason, str) else ""
        if not reason:
            raise UserError(self.env._("Say why you adjust the class: a reason is required."))
        self.check_access("read")
        logs = []
        for profile in self:
            if not profile._may_adjust_class():
                raise AccessError(
                    self.env._(
                        "Only the salesperson of “%(client)s” and those who see all clients may "
                        "adjust its class.",
                        client=profile.partner_id.display_name,
                    )
                )
            if not profile.class_auto:
                raise UserError(
                    self.env._(
                        "“%(client)s” has not bought yet and has no class to adjust.",
                        client=profile.partner_id.display_name,
                    )
                )
            after = adjust_class(profile.class_auto, adjustment)
            logs.append(profile._prepare_class_adjustment_values(adjustment, reason, after))
            # sudo: profiles are written by the refresh and here, after the checks above
            profile.sudo().write({"class_adjustment": adjustment, "customer_class": after})
        # sudo: nobody writes the log by hand
        self.env["crm.customer.class.adjustment"].sudo().create(logs)

    def _prepare_class_adjustment_values(self, adjustment, reason, after):
        return {
            "partner_id": self.partner_id.id,
            "company_id": self.company_id.id,
            "user_id": self.env.uid,
            "date": fields.Datetime.now(),
            "adjustment_before": self.class_adjustment,
            "adjustment": adjustment,
            "class_auto": self.class_auto,
            "class_before": self.customer_class,
            "class_after": after,
            "class_score": self.class_score,
            "monetary_year": self.monetary_year,
            "reason": reason,
        }

    def action_raise_class(self):
        return self._action_adjust_class(min(self.class_adjustment + 1, 1))

    def action_lower_class(self):
        return self._action_adjust_class(max(self.class_adjustment - 1, -1))

    def _action_adjust_class(self, adjustment):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Adjust the Class"),
            "res_model": "crm.customer.class.adjust",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_profile_id": self.id,
                "default_adjustment": str(adjustment),
            },
        }
