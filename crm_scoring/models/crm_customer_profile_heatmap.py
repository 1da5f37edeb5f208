from odoo import api, models
from odoo.fields import Domain


class CrmCustomerProfile(models.Model):
    """The heat map: clients by recency and value score, as far as the user may see them."""

    _inherit = "crm.customer.profile"

    @api.model
    @api.readonly
    def get_rfm_cells(self, domain=None):
        """Return the 25 cells of the RFM grid.

        :param list domain: of profiles, besides the companies and the clients the user may see
        :return: dict with ``cells`` (recency and value score 1 to 5, segment and its name,
            clients, monetary, monetary_year), ``segments`` (code, name, clients), ``currency_id``
            (False when the companies have several), ``prospects``, ``date`` of the figures
        """
        own = Domain("company_id", "in", self.env.companies.ids) & Domain(domain or Domain.TRUE)
        measured = ["__count", "monetary:sum", "monetary_year:sum"]
        groups = self._read_group(
            own & Domain("score_recency", ">", 0),
            ["score_recency", "score_frequency", "score_monetary", "segment"],
            measured,
        )
        names = dict(self._fields["segment"]._description_selection(self.env))
        cells, segments = {}, {}
        for recency, frequency, monetary, segment, count, total, year in groups:
            key = (recency, (frequency + monetary + 1) // 2)
            cell = cells.setdefault(
                key, {"segment": segment, "clients": 0, "monetary": 0.0, "monetary_year": 0.0}
            )
            cell["clients"] += count
            cell["monetary"] += total
            cell["monetary_year"] += year
            segments[segment] = segments.get(segment, 0) + count
        currencies = self.env.companies.currency_id
        last = self.search(own, order="date_refreshed desc", limit=1)
        return {
            "cells": [
                {"recency": recency, "value": value, "name": names[cell["segment"]], **cell}
                for (recency, value), cell in sorted(cells.items())
            ],
            "segments": [
                {"code": code, "name": names[code], "clients": count}
                for code, count in sorted(segments.items(), key=lambda item: -item[1])
            ],
            "currency_id": currencies.id if len(currencies) == 1 else False,
            "prospects": self.search_count(own & Domain("stage", "=", "prospect")),
            "date": last.date_refreshed,
        }
