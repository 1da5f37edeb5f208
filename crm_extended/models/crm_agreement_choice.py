from odoo import api, models


class CrmAgreement(models.Model):
    """Which agreement applies to a client on a day.

    The individual agreement of the client's commercial entity that is in force, the latest one
    first; then the narrowest standard agreement (that of the smallest segment the client is in,
    then that for all); then none.
    """

    _inherit = "crm.agreement"

    @api.model
    def _get_applicable(self, wanted):
        """The agreement that applies by precedence, for many documents at once.

        :param dict wanted: mapping of a document (any key) to ``(client, company, day)``; the
            client may be a contact, and any of the three may be empty
        :return: mapping of every key to an agreement, empty when none applies
        :rtype: dict
        """
        result = dict.fromkeys(wanted, self.browse())
        by_company = {}
        for key, (partner, company, day) in wanted.items():
            client = partner.commercial_partner_id._origin
            if client and company and day:
                by_company.setdefault(company, {})[key] = (client, day)
        for company, asked in by_company.items():
            clients = self.env["res.partner"].union(*(client for client, _day in asked.values()))
            # sudo: terms bind a document whether or not its salesperson may open the agreement
            candidates_sudo = self.sudo().search(
                [
                    ("company_id", "=", company.id),
                    ("state", "=", "active"),
                    ("date_start", "<=", max(day for _client, day in asked.values())),
                    "|",
                    ("kind", "=", "standard"),
                    ("commercial_partner_id", "in", clients.ids),
                ]
            )
            individual_sudo = candidates_sudo.filtered(lambda a: a.kind == "individual").sorted(
                lambda a: (a.date_start, a.id), reverse=True
            )
            standard_sudo = candidates_sudo.filtered(lambda a: a.kind == "standard")
            ranked_standard = standard_sudo._sort_standard()
            segments = clients._get_segments(company) if standard_sudo.segment_id else {}
            for key, (client, day) in asked.items():
                ranked = [a for a in individual_sudo if a.commercial_partner_id == client]
                member_of = {False, *segments.get(client, standard_sudo.segment_id.browse()).ids}
                ranked += [a for a, segment_id in ranked_standard if segment_id in member_of]
                chosen = next((a for a in ranked if a._is_in_force(day)), self.browse())
                result[key] = chosen.sudo(self.env.su)
        return result
