from odoo import api, fields, models
from odoo.exceptions import UserError

SHOWN = 8  # products at a time
CHANNELS = {"sale.order": "order", "crm.lead": "deal", "res.partner": "client"}


class CrmProductRecommendation(models.Model):
    """The recommendations on an order, a deal, a client and, by a hook, in the portal.

    On an order the rules come first that its own lines fire; then what is due again, then what
    similar clients buy. Showing them notes them as offered; a client of the hold-out sees none.
    """

    _inherit = "crm.product.recommendation"

    @api.model
    def get_for(self, model, record_id):
        """Return what to offer on a document, and note it as offered.

        :param str model: sale.order, crm.lead or res.partner
        :param int record_id: its id; the user must be allowed to read it
        :return: dict with ``rows`` (product_id, name, source, source_name, reason, is_due),
            ``held_out``, ``can_add``
        """
        if model not in CHANNELS:
            raise UserError(self.env._("Recommendations are shown on orders, deals and clients."))
        record = self.env[model].browse(record_id)
        record.check_access("read")
        self.check_access("read")
        # sudo: who reads the document reads what to offer there
        record_sudo = record.sudo()
        partner = record_sudo if model == "res.partner" else record_sudo.partner_id
        company = self.env.company
        if model != "res.partner":
            company = record_sudo.company_id or company
        order_sudo = record_sudo if model == "sale.order" else None
        rows, held_out = self._get_rows(
            company, partner.commercial_partner_id, order_sudo, CHANNELS[model]
        )
        can_add = bool(
            order_sudo and record_sudo.state in ("draft", "sent") and record.has_access("write")
        )
        return {"rows": rows, "held_out": held_out, "can_add": can_add}

    @api.model
    def _get_rows(self, company, partner, order=None, channel="portal", limit=SHOWN):
        """Return (rows as :meth:`get_for` has them, whether the client is held out).

        The portal calls it with its own company and client.
        """
        advice = self.env["crm.product.advice"]._get_for(company)
        barred = self._get_barred_products(company, partner, order)
        lines = order.order_line.filtered("product_id").product_id if order else None
        found = {}

        def add(product, source, reason, is_due=False):
            if product.id not in barred and product.id not in found:
                found[product.id] = {
                    "product_id": product.id,
                    "name": product.display_name,
                    "source": source,
                    "reason": reason,
                    "is_due": is_due,
                }

        # sudo: the caller has checked the document; its recommendations belong to it
        self_sudo = self.sudo()
        products = self_sudo.env["product.product"]
        if lines:
            barred |= set(lines.ids)
            for rule, offered in self_sudo.env["crm.product.rule"]._get_fired(company, lines):
                reason = self.env._(
                    "In %(percent).0f%% of the orders with “%(product)s”",
                    percent=rule.confidence,
                    product=" + ".join(
                        (rule.antecedent_product_ids or rule.antecedent_categ_ids).mapped(
                            "display_name"
                        )
                    ),
                )
                for product in products.browse(offered):
                    add(product, "rule", reason)
        today = self.env["crm.customer.profile"]._get_today(company)
        rows = self_sudo.search(
            [("company_id", "=", company.id), ("partner_id", "=", partner.id)], order="rank, id"
        )
        by_source = rows.grouped("source")
        queues = [list(by_source.get(name, ())) for name in ("repeat", "similar", "rule")]
        while any(queues):  # one of each in turn, so that no voice drowns the others
            for queue in queues:
                if queue:
                    row = queue.pop(0)
                    due = bool(row.date_due and row.date_due <= today)
                    add(row.product_id, row.source, row._get_reason(today), due)
        if not found:  # nothing of his own, or all of it barred
            for row in self_sudo.search(
                [("company_id", "=", company.id), ("partner_id", "=", False)], order="rank, id"
            ):
                add(row.product_id, row.source, row._get_reason(today))
        usable = products.search(
            [
                ("id", "in", list(found)),
                ("sale_ok", "=", True),
                ("company_id", "in", [False, *company.parent_ids.ids]),
            ]
        )
        shown = [row for product, row in found.items() if product in set(usable.ids)][:limit]
        names = dict(self._fields["source"]._description_selection(self.env))
        for row in shown:
            row["source_name"] = names[row["source"]]
        offers = self.env["crm.product.offer"]
        held_out = bool(partner) and offers._is_held_out(advice, partner)
        if partner:
            offers._log(
                advice,
                partner,
                [(row["product_id"], row["source"]) for row in shown],
                channel,
                held_out,
            )
        return ([] if held_out else shown), held_out

    @api.model
    def _get_barred_products(self, company, partner, order=None):
        """Return the ids of products that settings or agreement exclude, or just bought."""
        advice = self.env["crm.product.advice"]._get_for(company)
        barred = advice._get_excluded_products()
        barred |= self._get_agreement(company, partner, order)._get_excluded_products()
        if partner and advice.just_bought_days:
            today = self.env["crm.customer.profile"]._get_today(company)
            since = fields.Date.subtract(today, days=advice.just_bought_days)
            # sudo: what a colleague sold was bought as well
            bought = dict(
                self.env["crm.sale.fact"]
                .sudo()
                ._read_group(
                    [
                        ("commercial_partner_id", "=", partner.id),
                        ("company_id", "=", company.id),
                        ("date", ">", since),
                        ("quantity", ">", 0),
                    ],
                    ["product_id"],
                    ["date:max"],
                )
            )
            due = self.sudo().search(
                [
                    ("company_id", "=", company.id),
                    ("partner_id", "=", partner.id),
                    ("date_due", "<=", fields.Date.add(today, days=advice.due_days)),
                ]
            )
            known = {row.product_id: row.date_last for row in due}
            barred |= {
                product.id
                for product, date in bought.items()
                if product not in known or known[product] < date
            }
        return barred

    @api.model
    def _get_agreement(self, company, partner, order=None):
        """Return the agreement that governs the client, as far as any excludes products."""
        # sudo: terms hold whether or not the user may open the agreement
        agreements_sudo = self.env["crm.agreement"].sudo()
        if order:
            return order.sudo().agreement_id
        excluding = agreements_sudo.search_count(
            [
                ("company_id", "=", company.id),
                ("state", "=", "active"),
                "|",
                ("excluded_product_ids", "!=", False),
                ("excluded_categ_ids", "!=", False),
            ],
            limit=1,
        )
        if not excluding or not partner:
            return agreements_sudo
        orders_sudo = self.env["sale.order"].sudo().with_company(company)
        return orders_sudo.new({"partner_id": partner.id, "company_id": company.id}).agreement_id
