from datetime import datetime, time

import pytz
from odoo import api, fields, models
from odoo.addons.crm_claims.tools.history import (
    derive_decision,
    get_row_keys,
    read_satisfaction,
)
from odoo.exceptions import AccessError
from odoo.tools import plaintext2html


class CrmClaim(models.Model):
    """Past claims, taken over from another system through Odoo's own import.

    - A row with a date of closing, or with the result as the other system put it, is a past claim.
      Only claims administrators enter such claims, whichever way they come.
    - Past claims come closed, with the dates they bring: nothing is stamped with today, nobody is
      assigned or told, no mail goes out, no deadline is set.
    - A decision that is not given follows from what is known: the client was satisfied, something
      was paid, or neither (``tools/history.py``). The result becomes the text of the decision.
    - Causes and categories that do not exist yet are created by their names. A cause is a path:
      "Delivery / Late" is the cause Late below Delivery.
    - A row keeps its external ID; a file without any gets IDs that follow from its rows. So a file
      that is read twice makes no claim twice: what is there is left as it is.
    - A day without a time is taken as its noon in the time zone of the company, so that it stays
      that day in reports, and for people at most half a day away.
    """

    _inherit = "crm.claim"

    source_result = fields.Char(
        "Result Elsewhere",
        copy=False,
        help="Of a past claim: its result in the words of the system that it comes from.",
    )
    source_satisfaction = fields.Char(
        "Satisfaction Elsewhere",
        copy=False,
        help="Of a past claim: whether the client was satisfied, as the other system put it.",
    )

    # ------------------------------------------------------------
    # IMPORT
    # ------------------------------------------------------------

    @api.model
    def get_import_templates(self):
        return [
            {
                "label": self.env._("Import Template for Past Claims"),
                "template": "/crm_claims/static/xls/past_claims.xlsx",
            }
        ]

    @api.model
    def _get_import_mappings(self):
        """Names of columns in files of complaints, and the fields they belong to."""
        return {
            "business name": "subject",
            "company": "subject",
            "industry": "category_id",
            "product": "category_id",
            "complaint type": "cause_id",
            "issue": "cause_id",
            "mediation start date": "date_registered",
            "date received": "date_registered",
            "mediation close date": "date_closed",
            "complaint result": "source_result",
            "satisfaction": "source_satisfaction",
            "restitution": "amount_granted",
            "complainant zip": "partner_name",
            # as the complaints of New York City have it
            "complainant zip ": "partner_name",
            "complaint id": "id",
        }

    @api.model
    def _create_import_mappings(self):
        """Teach the import screen, where it is installed, the columns of such files."""
        if "base_import.mapping" not in self.env:
            return
        mappings = self.env["base_import.mapping"].sudo()
        known = set(mappings.search([("res_model", "=", self._name)]).mapped("column_name"))
        mappings.create(
            [
                {"res_model": self._name, "column_name": column, "field_name": field}
                for column, field in self._get_import_mappings().items()
                if column not in known
            ]
        )

    @api.model
    def load(self, fields, data):
        # the parameter has the name that Odoo gives it; the module of fields is not needed here
        if not {"date_closed", "source_result"} & set(fields):
            return super().load(fields, data)
        if not self.env.user.has_group("crm_claims.crm_claims_group_manager"):
            raise AccessError(self.env._("Only a claims administrator imports past claims."))
        names = self.env.context.get("name_create_enabled_fields") or {}
        self = self.with_context(  # noqa: PLW0642
            name_create_enabled_fields={"category_id": True, "cause_id": True, **names}
        )
        fields, data = self._prepare_history_rows(fields, data)
        known = self._find_known_rows(fields, data)
        fresh = [row for row, claim_id in zip(data, known, strict=True) if not claim_id]
        if not fresh:
            return {"ids": [claim_id for claim_id in known if claim_id], "messages": []}
        result = super().load(fields, fresh)
        if result["ids"]:
            result["ids"] = [claim_id for claim_id in known if claim_id] + list(result["ids"])
        return result

    @api.model
    def _prepare_history_rows(self, fields, data):
        """Rows with an external ID each, and with noon where a day has no time."""
        fields, data = list(fields), [list(row) for row in data]
        dates = [
            index
            for index, name in enumerate(fields)
            if name in self._fields and self._fields[name].type == "datetime"
        ]
        if "id" not in fields:
            keys = get_row_keys(data)
            fields.append("id")
            for row, key in zip(data, keys, strict=True):
                row.append(f"__import__.crm_claim_{key}")
        for row in data:
            for index in dates:
                value = str(row[index] or "")
                if value.endswith(" 00:00:00") or len(value) == len("2026-01-31"):
                    row[index] = self._get_history_noon(value)
        return fields, data

    @api.model
    def _get_history_noon(self, text):
        """Noon of a day at the company, as Odoo's import takes it: by the clock of the user."""
        try:
            day = fields.Date.to_date(text[:10])
        except ValueError:
            return text  # the import says what is wrong with it
        company_zone = pytz.timezone(self.env.company._get_claim_day_zone())
        noon = company_zone.localize(datetime.combine(day, time(12)))
        return fields.Datetime.to_string(noon.astimezone(self.env.tz).replace(tzinfo=None))

    @api.model
    def _find_known_rows(self, fields, data):
        """Ids of the claims that rows were imported as before; ``False`` for new rows."""
        column = fields.index("id")
        names = [str(row[column] or "") for row in data]
        names = [name if not name or "." in name else f"__import__.{name}" for name in names]
        # sudo: external ids are technical; whether the claim is readable does not matter here
        records = (
            self.env["ir.model.data"]
            .sudo()
            .search(
                [
                    ("model", "=", self._name),
                    ("name", "in", [name.split(".", 1)[1] for name in names if name]),
                ]
            )
        )
        known = {record.complete_name: record.res_id for record in records}
        return [known.get(name, False) for name in names]

    # ------------------------------------------------------------
    # CREATE
    # ------------------------------------------------------------

    @api.model
    def _is_history(self, vals):
        """Whether values describe a past claim."""
        return bool(vals.get("date_closed") or vals.get("source_result"))

    @api.model
    def _prepare_history_values(self, vals):
        """Complete the values of a past claim; what is given stays."""
        satisfied = read_satisfaction(vals.get("source_satisfaction"))
        result = (vals.get("source_result") or "").strip()
        decision = vals.get("decision") or derive_decision(satisfied, vals.get("amount_granted"))
        values = {
            **vals,
            "decision": decision,
            "decision_text": vals.get("decision_text")
            or plaintext2html(result or self.env._("Taken over from another system.")),
            "subject": vals.get("subject") or self._get_history_subject(vals),
            "date_decided": vals.get("date_decided") or vals.get("date_closed"),
            "user_id": vals.get("user_id") or False,
        }
        if not vals.get("stage_id") and not vals.get("state"):
            values["stage_id"] = self._get_stage_of_state("closed").id
        if not any(
            vals.get(name) for name in ("partner_id", "partner_name", "email_from", "partner_phone")
        ):
            values["partner_name"] = self.env._("Unknown")
        if satisfied and not vals.get("customer_answer"):
            values["customer_answer"] = "accepted"
        return values

    @api.model
    def _get_history_subject(self, vals):
        """Something to call a past claim that came without a subject."""
        cause = self.env["crm.claim.cause"].browse(vals.get("cause_id") or False)
        category = self.env["crm.claim.category"].browse(vals.get("category_id") or False)
        return cause.name or category.name or vals.get("source_result") or self.env._("No subject")
