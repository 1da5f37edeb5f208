from datetime import timedelta

from odoo import api, models
from odoo.addons.crm_claims.models.crm_claim_stage import ANSWERABLE_STATES
from odoo.fields import Domain

PORTAL_READABLE_FIELDS = frozenset(
    {
        "id",
        "active",
        "display_name",
        "name",
        "subject",
        "description",
        "partner_id",
        "company_id",
        "currency_id",
        "state",
        "remedy",
        "amount_claimed",
        "order_id",
        "line_ids",
        "date_registered",
        "date_acknowledged",
        "date_promised",
        "date_decided",
        "date_closed",
        "waiting_question",
        "customer_answer",
        "customer_answer_reason",
        "customer_answer_date",
        "create_date",
        "access_url",
    }
)

PORTAL_ORDER = "date_registered desc, id desc"
#: states in which the decision has been given to the customer
DECIDED_STATES = (*ANSWERABLE_STATES, "closed")
FINISHED_STATES = ("closed", "rejected", "cancelled")


class CrmClaim(models.Model):
    """What the customer sees of a claim, and in which words.

    A portal user reads the claims of his own commercial partner, and of those only the fields of a
    fixed list: not the cause, not who is at fault, not the internal handling, and nothing of the
    decision before it is given. He never writes: answers, withdrawal, rating and messages pass
    through the controllers, which check each of them. A confidential claim stays between us and
    the person who filed it: colleagues of that person do not see it, unless it was filed in the
    name of the company itself.
    """

    _name = "crm.claim"
    _inherit = ["crm.claim", "crm.portal.mixin"]

    def _compute_access_url(self):
        super()._compute_access_url()
        for claim in self:
            claim.access_url = f"/my/claims/{claim.id}"

    # ------------------------------------------------------------
    # Field access
    # ------------------------------------------------------------

    @api.model
    def _portal_readable_fields(self):
        return super()._portal_readable_fields() | PORTAL_READABLE_FIELDS

    def _order_to_sql(self, order, query, alias=None, reverse=False):
        """The usual order starts with the severity, which customers do not know."""
        if order == self._order and not self.env.su and self.env.user.share:
            order = PORTAL_ORDER
        return super()._order_to_sql(order, query, alias=alias, reverse=reverse)

    # ------------------------------------------------------------
    # Domains
    # ------------------------------------------------------------

    @api.model
    def _portal_get_open_domain(self):
        return Domain("state", "not in", FINISHED_STATES)

    @api.model
    def _portal_get_closed_domain(self):
        return Domain("state", "in", FINISHED_STATES)

    @api.model
    def _portal_get_waiting_domain(self):
        """Claims on which the customer has the next word."""
        return Domain("state", "=", "waiting_client") | (
            Domain("state", "in", ANSWERABLE_STATES) & Domain("customer_answer", "=", False)
        )

    # ------------------------------------------------------------
    # Plain words
    # ------------------------------------------------------------

    @api.model
    def _portal_get_state_labels(self):
        """Public name of each state, in the order in which a claim goes through them."""
        return {
            "new": self.env._("Received"),
            "acknowledged": self.env._("Accepted for handling"),
            "investigating": self.env._("Being looked into"),
            "waiting_client": self.env._("Waiting for you"),
            "decided": self.env._("Decision ready"),
            "closed": self.env._("Closed"),
            "rejected": self.env._("Declined"),
            "cancelled": self.env._("Withdrawn"),
        }

    def _portal_get_status(self):
        """Status of the claim for its customer.

        :return: ``label`` (a word or two), ``text`` (what it means and what comes next), ``color``
            (a Bootstrap theme colour)
        :rtype: dict
        """
        self.ensure_one()
        texts = {
            "new": self.env._(
                "We have your claim. Somebody will look at it and confirm it to you."
            ),
            "acknowledged": self.env._(
                "Your claim is confirmed and has been given to a specialist."
            ),
            "investigating": self.env._("We are finding out what happened and why."),
            "waiting_client": self.env._(
                "We need something from you to go on. Please answer below."
            ),
            "decided": self.env._("Please read our decision and tell us whether you accept it."),
            "closed": self.env._("This claim is settled. Thank you for telling us."),
            "rejected": self.env._(
                "We could not satisfy this claim. Please read our reasons and tell us whether you"
                " accept them."
            ),
            "cancelled": self.env._("You withdrew this claim; nothing more will happen with it."),
        }
        colors = {
            "waiting_client": "warning",
            "decided": "primary",
            "closed": "success",
            "rejected": "danger",
            "cancelled": "secondary",
        }
        label = self._portal_get_state_labels().get(self.state, "")
        text = texts.get(self.state, "")
        color = colors.get(self.state, "info")
        answer = self.customer_answer
        if self.state in ANSWERABLE_STATES and answer == "accepted":
            label = self.env._("Decision accepted")
            text = self.env._("You accepted our decision. Thank you.")
            color = "success"
        elif self.state in ANSWERABLE_STATES and answer == "rejected":
            label = self.env._("Decision not accepted")
            text = self.env._("You did not accept our decision. We will come back to you.")
            color = "warning"
        # sudo: customers do not read where a claim went, but are told
        elif self.state == "cancelled" and (merged_sudo := self.sudo().merged_into_id):
            label = self.env._("Joined with another claim")
            text = self.env._(
                "This is about the same matter as your claim %(claim)s. We go on with it there.",
                claim=merged_sudo.name,
            )
            color = "info"
        # sudo: the number is internal, that the work began anew is not
        elif self.state == "investigating" and self.sudo().reopen_count:
            text = self.env._("We are looking into your claim once more.")
        return {"label": label, "text": text, "color": color}

    def _portal_get_timeline(self):
        """Steps of the claim for its customer, oldest first.

        :return: dicts with ``label``, ``date`` (date, datetime or ``False``), ``done`` and
            ``current`` (bool) and ``expected`` (bool: the date is a promise)
        :rtype: list[dict]
        """
        self.ensure_one()
        labels = self._portal_get_state_labels()
        steps = [{"label": labels["new"], "date": self.date_registered, "done": True}]
        if self.state == "cancelled":
            label = self._portal_get_status()["label"]
            steps.append({"label": label, "date": self.date_closed, "done": True})
        else:
            order = ("new", "acknowledged", "investigating", "decided", "closed")
            reached = {"waiting_client": "investigating", "rejected": "decided"}.get(
                self.state, self.state
            )
            position = order.index(reached) if reached in order else 0
            steps += [
                {
                    "label": labels["acknowledged"],
                    "date": self.date_acknowledged,
                    "done": position >= 1,
                },
                {
                    "label": labels[
                        "waiting_client" if self.state == "waiting_client" else "investigating"
                    ],
                    "date": False,
                    "done": position >= 2,
                },
                {
                    "label": labels["rejected"]
                    if self.state == "rejected"
                    else self.env._("Decision"),
                    "date": self.date_decided if position >= 3 else self.date_promised,
                    "done": position >= 3,
                    "expected": position < 3,
                },
                {
                    "label": labels["closed"],
                    "date": self.date_closed if position >= 4 else False,
                    "done": position >= 4,
                },
            ]
        last_done = max(index for index, step in enumerate(steps) if step["done"])
        for index, step in enumerate(steps):
            step["current"] = index == last_done
            step.setdefault("expected", False)
        return steps

    # ------------------------------------------------------------
    # What the customer may do now
    # ------------------------------------------------------------

    def _portal_is_decision_visible(self):
        self.ensure_one()
        return self.state in DECIDED_STATES

    def _portal_can_answer(self):
        """A decision was given and the customer has not yet said whether he accepts it."""
        self.ensure_one()
        return self.state in ANSWERABLE_STATES and not self.customer_answer

    def _portal_can_cancel(self):
        self.ensure_one()
        return self.state not in (*FINISHED_STATES, *ANSWERABLE_STATES)

    def _portal_get_reopen_date(self):
        """Moment until which :meth:`_can_customer_reopen` holds."""
        self.ensure_one()
        return self.date_closed + timedelta(days=self.sudo().company_id.claim_reopen_days)

    def _portal_can_rate(self):
        """Once decided, each claim is rated once."""
        self.ensure_one()
        return self.state in DECIDED_STATES and not self.sudo().rating_ids.filtered("consumed")

    # ------------------------------------------------------------
    # Messages and files
    # ------------------------------------------------------------

    def _mail_get_operation_for_mail_message_operation(self, message_operation):
        """Customers write to a claim they may read; of us only who works on it does."""
        if message_operation == "create" and self.env.user.share:
            return dict.fromkeys(self, "read")
        return super()._mail_get_operation_for_mail_message_operation(message_operation)

    def _portal_get_message_domain(self):
        """Messages that the customer may see: discussions, no internal notes, no tracking."""
        field = self._fields["website_message_ids"]
        return (
            Domain(field.get_comodel_domain(self))
            & Domain("res_id", "in", self.ids)
            & self.env["mail.message"]._get_search_domain_share()
            & Domain(
                "subtype_id", "=", self.env["ir.model.data"]._xmlid_to_res_id("mail.mt_comment")
            )
        )

    def _portal_get_messages(self):
        """mail.message records the customer may see, oldest first, as superuser."""
        self.ensure_one()
        return (
            self.env["mail.message"]
            .sudo()
            .search_fetch(
                self._portal_get_message_domain(),
                ["author_id", "body", "date", "email_from"],
                order="id",
            )
        )

    # ------------------------------------------------------------
    # Rating
    # ------------------------------------------------------------

    def _portal_rate(self, partner, rate, feedback):
        """Keep the customer's rating of a claim that :meth:`_portal_can_rate`.

        :param partner: res.partner who rates
        :param int rate: 1, 3 or 5, as Odoo's rating counts
        :param str feedback: plain text, may be empty
        """
        self.ensure_one()
        claim_sudo = self.sudo()  # customers have no access to ratings; the caller checked him
        token = claim_sudo._rating_get_access_token(partner)
        rating_sudo = claim_sudo.env["rating.rating"].search([("access_token", "=", token)])
        claim_sudo.rating_apply(rate, rating=rating_sudo, feedback=feedback)
