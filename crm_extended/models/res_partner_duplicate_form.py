from odoo import api, models

from ..tools.duplicate_evidence import CERTAIN


class ResPartner(models.Model):
    """What a screen is told of clients similar to the one that is being entered."""

    _inherit = "res.partner"

    @api.model
    def _find_duplicates(self, values, company=None, limit=10, exclude=()):
        """Find the partners that may be a client who is not saved yet.

        :param dict values: of the fields of a partner, as for `create`; `bank_accounts` is a list
            of account numbers
        :param company: res.company for which the client is entered; the current one by default
        :param int limit: at most so many
        :param exclude: ids of partners that are not looked for
        :return: list of (partner id, Evidence), best first: evidence has `score` from 0 to 1,
            `kind` ("duplicate", "branch", "other_number") and `reasons`; the user may not be
            allowed to see the partners: `_describe_candidates` is what a screen may show
        """
        Fingerprint = self.env["crm.partner.fingerprint"].sudo()
        card = Fingerprint._fold(self._prepare_duplicate_values(values))
        exclude = {*exclude, *filter(None, [self._get_id_of(values.get("parent_id"))])}
        (candidates,) = Fingerprint._search_cards([card], limit=limit, exclude=[exclude])
        return candidates

    @api.model
    def _prepare_duplicate_values(self, values):
        """Complete the values of a form for folding."""
        # sudo: a code of a country
        country_sudo = self.env["res.country"].sudo().browse(
            self._get_id_of(values.get("country_id"))
        )  # fmt: skip
        values = values | {
            "country": country_sudo.exists().code or "",
            "accounts": [
                account for account in values.get("bank_accounts") or () if isinstance(account, str)
            ],
        }
        parent_id = self._get_id_of(values.get("parent_id"))
        if parent_id:
            values |= dict.fromkeys(("street", "street2", "city", "zip"), False)
            if not values.get("is_company"):
                values |= dict.fromkeys(("vat", "kpp", "company_registry"), False)
                # sudo: which company a contact belongs to
                parent_sudo = self.sudo().browse(parent_id).exists()
                values["employer"] = parent_sudo.commercial_partner_id.id
        if "is_company" in values:
            values["is_company"] = bool(values["is_company"])
        return values

    @api.model
    def _get_id_of(self, value):
        """The id in a value of a many2one field as a form or an RPC call gives it."""
        if isinstance(value, dict):
            value = value.get("id")
        elif isinstance(value, list | tuple):
            value = value[0] if value else False
        return value if isinstance(value, int) else False

    @api.model
    @api.readonly
    def get_duplicates(self, values, partner_id=False):
        """Similar clients, for the form that is being filled in.

        :param dict values: of the fields of a partner, as typed so far
        :param partner_id: the partner if it is saved already
        :return: dict: `mode` of the company (off, warn, block), `may_create` whether the user may
            create a duplicate with a reason, `is_certain`, `candidates` (see
            `_describe_candidates`)
        """
        self.check_access("read")
        partner = self.browse(partner_id or []).exists()
        company = self.env["res.company"].browse(self._get_id_of(values.get("company_id")))
        company = company & self.env.companies or partner.company_id or self.env.company
        # sudo: a setting of the company
        mode = company.sudo().crm_duplicate_mode
        result = {
            "mode": mode,
            "may_create": self.env.user.has_group("crm_extended.crm_duplicates_group_creator"),
            "is_certain": False,
            "candidates": [],
        }
        if mode == "off" or not self.env.user._is_internal():
            return result
        found = self._find_duplicates(
            values, company, exclude=partner._get_family_ids() if partner else ()
        )
        decided = self.env["crm.partner.duplicate"].sudo()._get_decided(partner.ids)
        found = [
            pair for pair in found if frozenset((partner.id, pair[0])) not in decided
        ]  # fmt: skip
        result["candidates"] = self._describe_candidates(found, company)
        result["is_certain"] = any(row["is_certain"] for row in result["candidates"])
        return result

    @api.model
    def _describe_candidates(self, candidates, company=None):
        """What the current user may see of similar clients.

        :param candidates: list of (partner id, Evidence)
        :return: list of dicts: id (False for a client the user may not see), name, detail, kind,
            score, percent, reasons (list of texts), is_certain (would be refused in mode "block").
            Of clients whom the user may not see those alone are told, without a name and a
            number, that he would be refused to enter: whoever types phones or names learns no
            more of them than saving would tell him, and nothing of other companies
        """
        company = company or self.env.company
        known = self.with_context(active_test=False).browse([pair[0] for pair in candidates])
        visible = known.exists()._filtered_access("read")
        # sudo: only whether the card belongs to another company
        usable = {
            partner_sudo.id
            for partner_sudo in known.sudo().exists()
            if partner_sudo.company_id in (company, company.browse())
        }
        rows = []
        for partner_id, evidence in candidates:
            partner = visible.filtered(lambda p, partner_id=partner_id: p.id == partner_id)
            is_certain = (
                evidence.kind == "duplicate" and evidence.score >= CERTAIN and partner_id in usable
            )
            if not partner and not is_certain:
                continue
            row = {
                "id": False,
                "name": self.env._("a client you cannot see"),
                "detail": "",
                "kind": "duplicate",
                "score": 1.0,
                "percent": "",
                "reasons": [],
                "is_certain": is_certain,
            }
            if partner:
                details = (partner.vat, partner.city, partner.phone, partner.email)
                row |= {
                    "id": partner.id,
                    "kind": evidence.kind,
                    "score": evidence.score,
                    "percent": f"{evidence.score:.0%}",
                    "name": partner.display_name,
                    "detail": " · ".join(filter(None, details)),
                    "reasons": self._get_duplicate_reasons(evidence),
                }
                if not partner.active:
                    row["reasons"].append(self.env._("archived"))
            rows.append(row)
        return rows

    @api.model
    def _get_duplicate_reasons(self, evidence):
        """Reasons in words.

        :return: list of str
        """
        return self.env["crm.partner.duplicate"]._get_reason_texts(evidence.reasons)
