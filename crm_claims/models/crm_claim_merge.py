from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class CrmClaim(models.Model):
    """Several claims about one thing become one.

    - The one that stays gets the messages, files, items, activities, followers, conversations and
      investigations of the others, and what of claimant, order, cause and category it lacks. The
      others are cancelled and archived, and lead to it; a mail that answers them arrives there.
    - Merged are undecided claims of one company and one client about one order. Claims of different
      clients are linked instead: each would read the other's letters. So are claims of different
      people of one client when one of them is confidential.
    - What was confidential makes the whole confidential.
    """

    _inherit = "crm.claim"

    merged_into_id = fields.Many2one(
        "crm.claim", "Merged Into", readonly=True, copy=False, index="btree_not_null"
    )

    def action_merge(self, other_ids):
        """Merge other claims into this one.

        :param other_ids: ids of ``crm.claim``
        :raises UserError: they do not belong together, or are decided already
        """
        self.ensure_one()
        others = self.browse(other_ids).exists() - self
        claims = self | others
        claims.check_access("write")
        claims._lock_for_transition()
        self._check_mergeable(others)
        # sudo: messages and files move along, whoever wrote them; the rights were checked
        self.sudo()._merge(others.sudo())

    def _check_mergeable(self, others):
        if not others:
            raise UserError(self.env._("Choose the claims to merge into this one."))
        for other in others:
            reason = self._get_merge_obstacle(other)
            if reason:
                raise UserError(
                    self.env._(
                        "%(other)s cannot be merged into %(claim)s: %(reason)s Link them instead.",
                        other=other.display_name,
                        claim=self.display_name,
                        reason=reason,
                    )
                )

    def _get_merge_obstacle(self, other):
        """Why ``other`` cannot be merged into this claim, or ``None``."""
        self.ensure_one()
        if self.company_id != other.company_id:
            return self.env._("they belong to different companies.")
        if not self.is_open or not other.is_open:
            return self.env._("only claims that are not decided yet are merged.")
        if self.order_id and other.order_id and self.order_id != other.order_id:
            return self.env._("they are about different orders.")
        people = self.partner_id | other.partner_id
        if len(people) > 1 and (self.confidential or other.confidential):
            # each would read in the portal what the other told us in confidence
            return self.env._("one of them is confidential, and different people filed them.")
        client, other_client = self.commercial_partner_id, other.commercial_partner_id
        if client and other_client:
            return None if client == other_client else self.env._("their clients are different.")
        addresses = {(claim.email_from or "").strip().lower() for claim in (self, other)}
        if len(addresses) > 1 or "" in addresses:
            return self.env._("it is not certain that their clients are the same.")
        return None

    def _merge(self, others):
        """Move all that hangs on ``others`` here; called as superuser."""
        self.ensure_one()
        domain = [("res_id", "in", others.ids)]
        self.env["mail.message"].search([("model", "=", self._name), *domain]).write(
            {"res_id": self.id}
        )
        for model in ("ir.attachment", "mail.activity"):
            self.env[model].search([("res_model", "=", self._name), *domain]).write(
                {"res_id": self.id}
            )
        self._merge_followers(others)
        self._merge_interaction_chains(others)
        self.write(self._prepare_merge_values(others))
        others.line_ids.write({"claim_id": self.id})
        if not self.fault_ids:
            others.filtered("fault_ids")[:1].fault_ids.claim_id = self
        self._unfollow_accused()
        self.linked_ids |= others.linked_ids - self
        names = ", ".join(others.mapped("name"))
        others._move_to("cancelled")
        others.write({"merged_into_id": self.id, "active": False})
        self._message_log(body=self.env._("Merged with %(claims)s.", claims=names))
        others._message_log_batch(
            bodies={
                other.id: self.env._("Merged into %(claim)s.", claim=self.name) for other in others
            }
        )

    def _merge_followers(self, others):
        """Who followed one of the claims follows the whole.

        A confidential one is followed by those alone who follow what was confidential before: the
        others were not trusted with it. Its client and its responsible stay.
        """
        claims = self | others
        followers = claims.message_partner_ids
        if secret := claims.filtered("confidential"):
            trusted = secret.message_partner_ids | self.partner_id | self.user_id.partner_id
            followers &= trusted
            self.message_unsubscribe((self.message_partner_ids - trusted).ids)
        self.message_subscribe(followers.ids)

    def _prepare_merge_values(self, others):
        """What this claim takes over of the others."""
        values = {
            "confidential": self.confidential or any(others.mapped("confidential")),
            "severity": max((self | others).mapped("severity")),
            "investigation_ids": [Command.link(id_) for id_ in others.investigation_ids.ids],
        }
        for name in self._get_merge_fields():
            if not self[name]:
                for other in others.filtered(name)[:1]:
                    values[name] = self._fields[name].convert_to_write(other[name], other)
        descriptions = [claim.description for claim in self | others if claim.description]
        if len(descriptions) > 1:
            values["description"] = descriptions[0].__class__("<hr/>").join(descriptions)
        elif descriptions:
            values["description"] = descriptions[0]
        return values

    @api.model
    def _get_merge_fields(self):
        """Fields that a claim takes over from the others if its own are empty."""
        return (
            "partner_id",
            "partner_name",
            "email_from",
            "partner_phone",
            "order_id",
            "category_id",
            "cause_id",
            "user_id",
            "remedy",
        )

    def _check_not_merged(self):
        self.ensure_one()
        if self.merged_into_id:
            raise UserError(
                self.env._(
                    "Claim %(claim)s was merged into %(target)s: go on there.",
                    claim=self.display_name,
                    target=self.merged_into_id.display_name,
                )
            )
