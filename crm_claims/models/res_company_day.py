from collections import defaultdict

import pytz
from odoo import api, fields, models
from odoo.tools import ormcache


class ResCompany(models.Model):
    """When the days of a company begin, for what is counted by days and months.

    As in the analysis of sales it is the time zone on the card of the company; a company that has
    none there has that of its working schedule, on which its deadlines run.
    """

    _inherit = "res.company"

    @api.model_create_multi
    def create(self, vals_list):
        companies = super().create(vals_list)
        self.env.registry.clear_cache()
        return companies

    def write(self, vals):
        result = super().write(vals)
        if {"resource_calendar_id", "partner_id"} & vals.keys():
            self.env.registry.clear_cache()
        return result

    def _get_claim_day_zone(self):
        """Name of the time zone in which the days of one company begin."""
        self.ensure_one()
        return next(iter(self._get_claim_day_zones()))

    def _get_claim_day(self, moment=None):
        """Day of the company to which a moment (naive, UTC; by default now) belongs."""
        zone = pytz.timezone(self._get_claim_day_zone())
        return pytz.utc.localize(moment or fields.Datetime.now()).astimezone(zone).date()

    def _get_claim_day_zones(self):
        """Time zones of these companies, of all if none: name → ids of companies."""
        return self.env["res.company"]._read_claim_day_zones(self._ids)

    @api.model
    @ormcache("company_ids", cache="default")
    def _read_claim_day_zones(self, company_ids):
        # sudo: when the day of a company begins is no secret
        companies = self.sudo().with_context(active_test=False)
        companies = companies.browse(company_ids) if company_ids else companies.search([])
        zones = defaultdict(list)
        for company in companies:
            zone = company.partner_id.tz or company.resource_calendar_id.tz or "UTC"
            zones[zone].append(company.id)
        return dict(zones)
