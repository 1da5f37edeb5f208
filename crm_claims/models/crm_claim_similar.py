from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

#: points that what two claims have in common is worth; the text counts by its similarity
POINTS = {"lot": 40, "product": 20, "cause": 15, "client": 10, "text": 30}
#: claims with fewer points are not shown
LEAST = 15


class CrmClaim(models.Model):
    """Claims that resemble another one: by lot, product, cause, client and text.

    - Only claims of the same company are compared, and only those that the user may read are shown.
    - Texts are compared by the trigrams of their subjects, so that a misspelt word does not matter.
    - Similar claims are linked with each other (both show the link), or merged
      (``crm_claim_merge.py``).
    """

    _inherit = "crm.claim"

    linked_ids = fields.Many2many(
        "crm.claim",
        "crm_claim_link_rel",
        "claim_id",
        "linked_id",
        string="Linked Claims",
        copy=False,
        groups="crm_claims.crm_claims_group_user",
    )

    def action_view_similar(self):
        """Open the list of similar claims, from which they are linked and merged."""
        self.ensure_one()
        wizard = self.env["crm.claim.similar"].create({"claim_id": self.id})
        return {
            "type": "ir.actions.act_window",
            "res_model": "crm.claim.similar",
            "res_id": wizard.id,
            "view_mode": "form",
            "target": "new",
            "context": {"dialog_size": "extra-large"},
            "name": self.env._("Claims like %(claim)s", claim=self.display_name),
        }

    def _find_similar(self, limit=20):
        """Readable claims that resemble this one, the nearest first.

        :return: list of ``(crm.claim, points, set of what they have in common)``; the set holds
            keys of ``POINTS``
        """
        self.ensure_one()
        self.check_access("read")
        self.env.flush_all()
        found = {}
        for claim_id, *common, similarity in self.env.execute_query(self._get_similar_query()):
            keys = {
                key
                for key, holds in zip(("lot", "product", "cause", "client"), common, strict=True)
                if holds
            }
            points = sum(POINTS[key] for key in keys) + round(POINTS["text"] * similarity)
            if similarity > 0.3:
                keys.add("text")
            if points >= LEAST:
                found[claim_id] = (points, keys)
        # the query looked with all rights; what is shown is what the user may read
        claims = self.search([("id", "in", list(found))])
        rows = [(claim, *found[claim.id]) for claim in claims]
        return sorted(rows, key=lambda row: (-row[1], -row[0].id))[:limit]

    def _get_similar_query(self):
        """``(id, same lot, same product, same cause, same client, similarity of the subjects)``.

        Candidates come from indexes, the newest of each sort.
        """
        has_text = self.env.registry.has_trigram
        # written as the index of the field is
        unaccent = self.env.registry.unaccent
        subject = unaccent(SQL("%s", self.subject))
        text = SQL(
            "UNION (SELECT id FROM crm_claim WHERE %s %% %s AND company_id = %s LIMIT 300)",
            unaccent(SQL.identifier("crm_claim", "subject")),
            subject,
            self.company_id.id,
        )
        return SQL(
            """
              WITH mine AS (
            SELECT product_id, NULLIF(lower(trim(lot_name)), '') AS lot
              FROM crm_claim_line
             WHERE claim_id = %(claim)s AND product_id IS NOT NULL),
                   candidate AS (
           (SELECT line.claim_id AS id
              FROM crm_claim_line line
             WHERE line.product_id IN (SELECT product_id FROM mine)
          ORDER BY line.claim_id DESC
             LIMIT 300)
             UNION
           (SELECT id FROM crm_claim
             WHERE cause_id = %(cause)s AND company_id = %(company)s
          ORDER BY id DESC
             LIMIT 100)
             UNION
           (SELECT id FROM crm_claim
             WHERE commercial_partner_id = %(client)s
          ORDER BY date_registered DESC
             LIMIT 100)
                   %(text)s)
            SELECT claim.id,
                   EXISTS (SELECT FROM crm_claim_line line JOIN mine USING (product_id)
                            WHERE line.claim_id = claim.id
                              AND lower(trim(line.lot_name)) = mine.lot),
                   EXISTS (SELECT FROM crm_claim_line line JOIN mine USING (product_id)
                            WHERE line.claim_id = claim.id),
                   COALESCE(claim.cause_id = %(cause)s, FALSE),
                   COALESCE(claim.commercial_partner_id = %(client)s, FALSE),
                   %(similarity)s
              FROM candidate JOIN crm_claim claim USING (id)
             WHERE claim.id <> %(claim)s
               AND claim.company_id = %(company)s
               AND claim.active
            """,
            claim=self.id,
            company=self.company_id.id,
            cause=self.cause_id.id or None,
            client=self.commercial_partner_id.id or None,
            text=text if has_text else SQL(),
            similarity=SQL(
                "similarity(%s, %s)", unaccent(SQL.identifier("claim", "subject")), subject
            )
            if has_text
            else SQL("0.0"),
        )

    def action_link(self, other_ids):
        """Link this claim with others, both ways.

        :param other_ids: ids of ``crm.claim``
        """
        self.ensure_one()
        self.check_access("write")
        others = self.browse(other_ids).exists() - self
        others.check_access("read")
        if others.company_id - self.company_id:
            raise UserError(self.env._("Only claims of one company are linked."))
        # sudo: the other claim shows the link, too, also if the user may only read it
        claim_sudo = self.sudo()
        claim_sudo.linked_ids |= others.sudo()
        for other in others.sudo():
            other.linked_ids |= claim_sudo

    def action_unlink_claims(self, other_ids):
        """Take the links with others away, both ways."""
        self.ensure_one()
        self.check_access("write")
        others = self.browse(other_ids)
        # sudo: as above
        self.sudo().linked_ids -= others.sudo()
        for other in others.sudo():
            other.linked_ids -= self.sudo()
