from odoo import api, models
from odoo.tools import SQL


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    """Clients that were merged can be told apart again.

    Each merge, from whatever screen, is logged so that it can be undone (`crm.partner.merge`).
    What somebody has decided about duplicates of a merged card holds for the one that stays.
    """

    _inherit = "base.partner.merge.automatic.wizard"

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        partners = self.env["res.partner"].browse(partner_ids).exists()
        if len(partners) < 2:
            return super()._merge(partner_ids, dst_partner, extra_checks)
        if not dst_partner or dst_partner not in partners:
            dst_partner = self._get_ordered_partner(partners.ids)[-1]
        sources = partners - dst_partner
        # sudo: rows of all kinds point to a client, and the log is written by the program alone
        Merge = self.env["crm.partner.merge"].sudo()
        before = Merge._take_snapshot(sources, dst_partner)
        names = [{"id": source.id, "name": source.display_name or ""} for source in sources]
        # sudo: groups are formed by the program alone
        Group = self.env["crm.partner.duplicate.group"].sudo()
        concerned = Group._get_neighbours(partners.ids)
        result = super()._merge(partner_ids, dst_partner, extra_checks)
        Merge._log(before, names, dst_partner)
        self.env["crm.partner.fingerprint"].sudo()._refresh(dst_partner.ids)
        Group._regroup(concerned - set(sources.ids))
        return result

    @api.model
    def _update_foreign_keys(self, src_partners, dst_partner):
        self._move_duplicate_decisions(src_partners, dst_partner)
        return super()._update_foreign_keys(src_partners, dst_partner)

    @api.model
    def _move_duplicate_decisions(self, src_partners, dst_partner):
        """What was decided about a merged card holds for the one that stays."""
        self.env["crm.partner.duplicate"].flush_model()
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO crm_partner_duplicate (partner_id, other_id, score, reasons, state,
                            decision_user_id, decision_date, create_uid, create_date)
                SELECT DISTINCT ON (LEAST(x.other, %(target)s), GREATEST(x.other, %(target)s))
                       LEAST(x.other, %(target)s), GREATEST(x.other, %(target)s), x.score,
                       x.reasons, x.state, x.decision_user_id, x.decision_date, x.create_uid,
                       x.create_date
                  FROM (SELECT d.*, CASE WHEN partner_id = ANY(%(sources)s) THEN other_id
                                         ELSE partner_id END AS other
                          FROM crm_partner_duplicate d
                         WHERE state != 'open' AND (partner_id = ANY(%(sources)s)
                                                    OR other_id = ANY(%(sources)s))) x
                 WHERE x.other != %(target)s AND x.other != ALL(%(sources)s)
           ON CONFLICT (partner_id, other_id) DO UPDATE SET state = excluded.state
                 WHERE crm_partner_duplicate.state = 'open';
                DELETE FROM crm_partner_duplicate
                 WHERE partner_id = ANY(%(sources)s) OR other_id = ANY(%(sources)s);
                DELETE FROM crm_partner_duplicate_group_rel WHERE partner_id = ANY(%(sources)s);
                """,
                sources=src_partners.ids,
                target=dst_partner.id,
            )
        )
        self.env["crm.partner.duplicate"].invalidate_model()
        self.env["crm.partner.duplicate.group"].invalidate_model()
