import logging

import psycopg2
from odoo import models
from odoo.fields import Domain
from odoo.tools import is_html_empty
from odoo.tools.safe_eval import datetime as safe_datetime
from odoo.tools.safe_eval import dateutil as safe_dateutil
from odoo.tools.safe_eval import safe_eval
from odoo.tools.safe_eval import time as safe_time

_logger = logging.getLogger(__name__)


class CrmSaleProcessStep(models.Model):
    """What a step asks of deals, and which deals meet it.

    All deals of a batch are checked together: one search for each condition, one count for each
    kind of evidence. The checks see everything, whoever moves the deal: what counts is whether
    the quotation was sent, not whether this user may open it, and a rule that holds for one
    holds for all. The result tells yes or no and nothing else.
    """

    _inherit = "crm.sale.process.step"

    # ------------------------------------------------------------
    # REQUIREMENTS
    # ------------------------------------------------------------

    def _get_requirements(self):
        """What this step asks for; others may add kinds, with a check in `_get_fulfilled`.

        :return: list of dicts: `key` (unique in the step), `kind` (field, condition,
            interaction, order, agreement), `label` (what to do, in the user's language), and
            for fields `name`
        """
        self.ensure_one()
        # sudo: the labels of fields, which salespeople have no list of
        lead_fields = self.env["crm.lead"]._fields
        requirements = [
            {
                "key": f"field:{field.name}",
                "kind": "field",
                "name": field.name,
                "label": field.field_description,
            }
            for field in self.sudo().required_field_ids
            if field.name in lead_fields
        ]
        if self._has_condition():
            requirements.append(
                {
                    "key": "condition",
                    "kind": "condition",
                    "label": self.condition_message or self.env._("Condition of the step"),
                }
            )
        if self.interaction_kind:
            requirements.append(
                {
                    "key": "interaction",
                    "kind": "interaction",
                    "label": self._get_interaction_label(),
                }
            )
        if self.order_required:
            requirements.append(
                {"key": "order", "kind": "order", "label": self.env._("Quotation sent")}
            )
        if self.agreement_required:
            requirements.append(
                {
                    "key": "agreement",
                    "kind": "agreement",
                    "label": self.env._("Agreement with the client in force"),
                }
            )
        return requirements

    def _get_interaction_label(self):
        _ = self.env._
        label = {
            "any": _("Contact with the client"),
            "call": _("Call with the client"),
            "meeting": _("Meeting with the client"),
            "email": _("Email exchanged with the client"),
            "message": _("Message exchanged with the client"),
        }.get(self.interaction_kind, _("Other contact with the client"))
        return f"{label} ({self.interaction_count})" if self.interaction_count > 1 else label

    def _get_fulfilled(self, leads):
        """Which deals meet what these steps ask for.

        :param leads: crm.lead, all of them checked for each of the steps
        :return: dict (step id, key of the requirement) → set of ids of the deals that meet it
        """
        # sudo: see the docstring of the class
        leads_sudo = leads.sudo().with_context(active_test=False)
        leads_sudo.flush_recordset()
        evidence = {}
        fulfilled = {}
        for step in self:
            for requirement in step._get_requirements():
                kind = requirement["kind"]
                if kind == "field":
                    name = requirement["name"]
                    ids = {lead.id for lead in leads_sudo if step._is_filled(lead, name)}
                elif kind == "condition":
                    ids = step._get_condition_ids(leads_sudo)
                else:
                    if kind not in evidence:
                        evidence[kind] = getattr(self, f"_get_{kind}_evidence")(leads_sudo)
                    ids = step._filter_evidence(kind, evidence[kind], leads_sudo)
                fulfilled[step.id, requirement["key"]] = ids
        return fulfilled

    def _get_missing(self, leads):
        """What deals still lack of all these steps.

        :return: dict deal id → list of labels, in the order of the steps; every deal has its key
        """
        fulfilled = self._get_fulfilled(leads)
        missing = {lead.id: [] for lead in leads}
        for step in self:
            for requirement in step._get_requirements():
                met = fulfilled[step.id, requirement["key"]]
                for lead in leads:
                    label = requirement["label"]
                    if lead.id not in met and label not in missing[lead.id]:
                        missing[lead.id].append(label)
        return missing

    def _is_filled(self, lead, name):
        value = lead[name]
        if lead._fields[name].type == "html":
            return not is_html_empty(value)
        if isinstance(value, str):
            return bool(value.strip())
        return bool(value)

    # ------------------------------------------------------------
    # CONDITION
    # ------------------------------------------------------------

    def _has_condition(self):
        return (self.condition or "").strip() not in ("", "[]")

    def _get_condition_domain(self):
        """The condition as a domain.

        :raise Exception: whatever a text that is no domain leads to
        """
        self.ensure_one()
        return Domain(
            safe_eval(
                self.condition or "[]",
                {
                    "uid": self.env.uid,
                    "datetime": safe_datetime,
                    "dateutil": safe_dateutil,
                    "relativedelta": safe_dateutil.relativedelta.relativedelta,
                    "time": safe_time,
                    "context_today": lambda: safe_datetime.datetime.today(),
                },
            )
        )

    def _get_condition_error(self, Lead=None):
        """Why the condition cannot be evaluated; False if it can.

        :param Lead: crm.lead with the rights under which to try it; by default all of them
        """
        self.ensure_one()
        if not self._has_condition():
            return False
        if Lead is None:
            # sudo: the condition is about the deal, not about what the user may see of it
            Lead = self.env["crm.lead"].sudo()
        try:
            with self.env.cr.savepoint(flush=False):
                Lead.search(self._get_condition_domain() & Domain("id", "=", 0), limit=1)
        except psycopg2.OperationalError:
            raise
        except Exception as error:
            return str(error).strip() or type(error).__name__
        return False

    def _get_condition_ids(self, leads_sudo):
        """Ids of the deals that meet the condition; all of them when it is out of order."""
        self.ensure_one()
        ids = set()
        try:
            with self.env.cr.savepoint(flush=False):
                # fields that differ by company have the values of the deal's own
                for company, deals in leads_sudo.grouped("company_id").items():
                    Lead = leads_sudo.with_company(company or self.env.company)
                    domain = Domain("id", "in", deals.ids) & self._get_condition_domain()
                    ids.update(Lead.search(domain).ids)
        except psycopg2.OperationalError:
            raise
        except Exception as error:
            _logger.warning(
                "Condition of step %s (%s) cannot be evaluated: %s", self.id, self.condition, error
            )
            return set(leads_sudo.ids)
        return ids

    # ------------------------------------------------------------
    # EVIDENCE
    # ------------------------------------------------------------

    def _filter_evidence(self, kind, evidence, leads_sudo):
        """Ids of the deals whose evidence is enough for this step."""
        self.ensure_one()
        if kind != "interaction":
            return evidence
        return {
            lead.id
            for lead in leads_sudo
            if self.interaction_count
            <= (
                sum(evidence.get(lead.id, {}).values())
                if self.interaction_kind == "any"
                else evidence.get(lead.id, {}).get(self.interaction_kind, 0)
            )
        }

    def _get_interaction_evidence(self, leads_sudo):
        """Contacts that took place.

        :return: dict deal id → dict kind → number
        """
        counts = {}
        for res_id, kind, count in leads_sudo.env["crm.interaction"]._read_group(
            [
                ("res_model", "=", "crm.lead"),
                ("res_id", "in", leads_sudo.ids),
                ("state", "=", "done"),
                "|",
                ("outcome_id", "=", False),
                ("outcome_id.reached", "=", True),
            ],
            ["res_id", "kind"],
            ["__count"],
        ):
            counts.setdefault(res_id, {})[kind] = count
        return counts

    def _get_order_evidence(self, leads_sudo):
        """:return: set of ids of the deals with a quotation that was sent or confirmed"""
        return {
            lead.id
            for (lead,) in leads_sudo.env["sale.order"]._read_group(
                [("opportunity_id", "in", leads_sudo.ids), ("state", "in", ("sent", "sale"))],
                ["opportunity_id"],
            )
        }

    def _get_agreement_evidence(self, leads_sudo):
        """:return: set of ids of the deals whose client has an agreement of his own in force"""
        Agreement = leads_sudo.env["crm.agreement"]
        today = Agreement._fields["date_start"].context_today(Agreement)
        held = set(
            Agreement._read_group(
                Domain("kind", "=", "individual")
                & Domain(
                    "commercial_partner_id", "in", leads_sudo.partner_id.commercial_partner_id.ids
                )
                & Agreement._get_in_force_domain(today),
                ["commercial_partner_id", "company_id"],
            )
        )
        return {
            lead.id
            for lead in leads_sudo
            if (lead.partner_id.commercial_partner_id, lead.company_id or self.env.company) in held
        }
