from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_date

from ..tools.legal_numbers import compact
from ..tools.registry import RegistryError, choose_status
from ..tools.registry_dadata import MAX_PARTIES
from ..tools.registry_fns import UNANSWERED, check_clients

STATUS_FIELDS = frozenset({"counterparty_status", "counterparty_date", "counterparty_source"})
# a merge takes a status over; an object cannot be sent by a client
MERGED = object()
MERGED_KEY = "crm_counterparty_merged"
# what we know of a client is not the customer's to read
INTERNAL_FIELDS = STATUS_FIELDS | {
    "counterparty_alert",
    "counterparty_message",
    "crm_duplicate_reason",
}
# numbers whose change makes what a register said of the old ones worthless
STATUS_KEYS = ("vat", "kpp", "company_registry", "country_id")
# of these the tax service's check knows nothing: its word does not clear a client of them
BEYOND_FNS = ("reorganising", "liquidating", "bankrupt")


class ResPartner(models.Model):
    """What the register says of a client: is there anybody to sell to?

    The status belongs to the commercial entity and is written by the check only, never by hand:
    a salesperson could otherwise clear a client before confirming an order. It has a date and
    the name of the register; when a number of the client changes, it is forgotten.

    A client that is being wound up, bankrupt, gone, unknown to the register or registered under
    another KPP is a danger; a reorganisation is only worth knowing. A service that knows less
    does not overrule one that knows more: the tax service calls a client active until it is
    struck off, whoever is winding it up.
    """

    _inherit = "res.partner"

    counterparty_status = fields.Selection(
        [
            ("active", "Active"),
            ("reorganising", "Being reorganised"),
            ("kpp_mismatch", "KPP does not match"),
            ("liquidating", "Being liquidated"),
            ("bankrupt", "Bankrupt"),
            ("liquidated", "Liquidated"),
            ("not_found", "Not in the register"),
        ],
        string="Counterparty Status",
        readonly=True,
        copy=False,
        tracking=True,
    )
    counterparty_date = fields.Datetime("Checked On", readonly=True, copy=False)
    counterparty_source = fields.Char("Checked By", readonly=True, copy=False)
    counterparty_alert = fields.Selection(
        [("warning", "Worth knowing"), ("danger", "Danger")],
        compute="_compute_counterparty_alert",
        compute_sudo=True,
        help="How bad the status of the client is.",
    )
    counterparty_message = fields.Char(compute="_compute_counterparty_alert", compute_sudo=True)
    can_check_counterparty = fields.Boolean(compute="_compute_can_check_counterparty")

    def _has_field_access(self, field, operation):
        if field.name in INTERNAL_FIELDS and not self.env.su and self.env.user.share:
            return False
        return super()._has_field_access(field, operation)

    @api.depends(
        "commercial_partner_id.counterparty_status",
        "commercial_partner_id.counterparty_date",
        "commercial_partner_id.name",
    )
    @api.depends_context("lang")
    def _compute_counterparty_alert(self):
        for partner in self:
            client = partner.commercial_partner_id
            partner.counterparty_alert = self._get_counterparty_alert(client.counterparty_status)
            partner.counterparty_message = (
                client._get_counterparty_message() if client.counterparty_status else False
            )

    def _get_counterparty_message(self):
        """Which client is in what state, since when and by whose word."""
        self.ensure_one()
        statuses = dict(self._fields["counterparty_status"]._description_selection(self.env))
        return self.env._(
            "%(client)s: %(status)s (%(register)s, %(date)s).",
            client=self.name,
            status=statuses[self.counterparty_status],
            register=self.counterparty_source or "",
            date=format_date(self.env, self.counterparty_date),
        )

    @api.model
    def _get_counterparty_alert(self, status):
        """How bad a status is: False, warning or danger."""
        if not status or status == "active":
            return False
        return "warning" if status == "reorganising" else "danger"

    @api.depends("vat", "company_registry")
    @api.depends_context("company")
    def _compute_can_check_counterparty(self):
        Provider = self.env["crm.registry.provider"]
        providers = Provider.browse()
        if Provider.has_access("read"):
            providers = Provider.search([("company_id", "=", self.env.company.id)])
        for partner in self:
            number = partner._get_register_number()
            partner.can_check_counterparty = bool(number) and any(
                provider._supports("check", number) for provider in providers
            )

    # ------------------------------------------------------------
    # CRUD
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_status_fields(vals)
        forged = {f"default_{name}" for name in STATUS_FIELDS} & set(self.env.context)
        if forged and not self.env.su:
            context = {k: v for k, v in self.env.context.items() if k not in forged}
            self = self.with_context(context)  # noqa: PLW0642
        return super().create(vals_list)

    def write(self, vals):
        self._check_status_fields(vals)
        names = [name for name in STATUS_KEYS if name in vals]
        before = {}
        if names and "counterparty_status" not in vals:
            # sudo: who has a status does not depend on who writes
            before = {
                partner: [partner[name] for name in names]
                for partner in self.sudo()
                if partner.counterparty_status or partner.counterparty_date
            }
        result = super().write(vals)
        stale_sudo = self.sudo().browse(
            partner.id
            for partner, old in before.items()
            if [partner[name] for name in names] != old
        )
        if stale_sudo:
            stale_sudo.write(dict.fromkeys(STATUS_FIELDS, False))
        return result

    def _check_status_fields(self, vals):
        if self.env.su or self.env.context.get(MERGED_KEY) is MERGED:
            return
        if not STATUS_FIELDS.isdisjoint(vals):
            raise AccessError(
                self.env._(
                    "The counterparty status comes from the register and is not entered by hand: "
                    "use the button Check in Register."
                )
            )

    # ------------------------------------------------------------
    # ASKING
    # ------------------------------------------------------------

    def _get_register_number(self):
        """The number by which a register knows this client; foreign ones with their country."""
        self.ensure_one()
        country = self._get_legal_country()
        return self._prepare_register_number(self.vat, self.company_registry, country)

    @api.model
    def _prepare_register_number(self, vat, company_registry, country):
        number = vat if vat and vat != "/" else ""
        if not number:
            # of the registration numbers the Russian ones alone identify in a register we know
            is_ogrn = len(compact(company_registry or "")) in (13, 15)
            number = company_registry if is_ogrn else ""
        if country and country.code != "RU" and number and not number[:2].isalpha():
            # ten digits are a Polish number, too: the country tells them from a Russian one
            number = {"GR": "EL"}.get(country.code, country.code) + number
        return number

    def action_check_counterparty(self):
        """Ask a register about these clients now.

        :return: a notification that says what came out
        :raise UserError: if no register can be asked about one of them
        """
        clients = self.commercial_partner_id
        clients.check_access("read")
        lines, failed = [], False
        statuses = dict(self._fields["counterparty_status"]._description_selection(self.env))
        for client in clients:
            number = client._get_register_number()
            if not number:
                raise UserError(
                    self.env._(
                        "Enter the tax number of %s to ask a register about it.",
                        client.display_name,
                    )
                )
            done, messages = client._ask_register()
            failed = failed or not done
            if done:
                status = statuses.get(client.counterparty_status, self.env._("Unknown"))
                lines.append(f"{client.display_name}: {status}")
            else:
                lines += messages or [
                    self.env._(
                        "No register is set up that knows the number %(number)s of %(client)s. An "
                        "administrator sets registers up in CRM / Configuration.",
                        number=number,
                        client=client.display_name,
                    )
                ]
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.env._("Register"),
                "message": "\n".join(lines),
                "type": "warning"
                if failed or any(clients.mapped("counterparty_alert"))
                else "info",
                "sticky": failed,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _ask_register(self):
        """Ask the registers of the current company about this client, and keep the answer.

        :return: (whether one answered, messages about those that did not)
        """
        self.ensure_one()
        answer, provider, messages = self.env["crm.registry.provider"]._look_up(
            "check",
            self._get_register_number(),
            lambda provider: provider._ask_statuses(self),
        )
        if provider:
            self._keep_statuses(answer, provider)
        return bool(provider), messages

    def _keep_statuses(self, statuses, provider):
        """Keep what a register answered about these clients.

        :param statuses: in the order of `self`; None where the service could not be asked
        """
        now = fields.Datetime.now()
        # sudo: the status is written by nobody but here
        for partner_sudo, status in zip(self.sudo(), statuses, strict=True):
            values = {"counterparty_date": now}
            is_overruled = (
                provider.kind == "fns"
                and status == "active"
                and partner_sudo.counterparty_status in BEYOND_FNS
            )
            if status and not is_overruled:
                values |= {"counterparty_status": status, "counterparty_source": provider.name}
            partner_sudo.write(values)

    # ------------------------------------------------------------
    # WHO IS CHECKED AGAIN
    # ------------------------------------------------------------

    @api.model
    def _get_counterparty_domain(self, company, before):
        """Clients with open business in a company whose last check is older than a moment.

        :param datetime before: naive, UTC
        """
        return (
            Domain("vat", "not in", (False, "/"))
            & Domain("is_company", "=", True)
            & (Domain("counterparty_date", "=", False) | Domain("counterparty_date", "<", before))
            & Domain("company_id", "in", (False, company.id))
            & self._get_open_business_domain(company)
        )

    @api.model
    def _get_open_business_domain(self, company):
        """Clients with an open deal, quotation, undelivered or unpaid order or agreement."""
        subqueries = [
            self.env[model].sudo()._search(domain).subselect("partner_id")
            for model, domain in self._get_open_business(company).items()
        ]
        clients = SQL(
            "SELECT client.commercial_partner_id FROM res_partner client WHERE client.id IN (%s)",
            SQL(" UNION ").join(subqueries),
        )
        self.flush_model(["commercial_partner_id"])
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s IN (%s)", SQL.identifier(alias, "id"), clients
            )
        )

    @api.model
    def _get_open_business(self, company):
        """What counts as open business, by model; other add-ons add theirs.

        :return: dict of model name to a domain of records with a `partner_id`
        """
        return {
            "crm.lead": Domain("partner_id", "!=", False)
            & Domain("won_status", "=", "pending")
            & Domain("company_id", "in", (False, company.id)),
            "sale.order": Domain("company_id", "=", company.id)
            & (
                Domain("state", "in", ("draft", "sent"))
                | (Domain("state", "=", "sale") & Domain("date_order", ">", "-365d"))
            ),
            "crm.agreement": Domain("company_id", "=", company.id)
            & Domain("partner_id", "!=", False)
            & Domain("state", "=", "active"),
        }


class CrmRegistryProvider(models.Model):
    """The statuses of many clients, in as few questions as a service allows."""

    _inherit = "crm.registry.provider"

    def _ask_statuses(self, partners):
        """Ask about clients.

        :param partners: no more than `_get_batch_size`
        :return: list of statuses in their order
        :raise RegistryError: if the service did not answer
        """
        self.ensure_one()
        # sudo: the numbers of a client do not depend on who asks
        partners_sudo = partners.sudo()
        if self.kind == "fns":
            return self._ask_tax_service(partners_sudo)
        return [self._ask_status(partner) for partner in partners_sudo]

    def _ask_tax_service(self, partners):
        """Ask the tax service; whoever has no number that it knows is not asked about."""
        numbers = [compact(partner.vat or "") for partner in partners]
        known = [place for place, number in enumerate(numbers) if self._supports("check", number)]
        statuses = [None] * len(partners)
        if not known:
            return statuses
        clients = [(numbers[place], partners[place].kpp or "") for place in known]
        day = fields.Date.context_today(self.with_context(tz="Europe/Moscow"))
        number = clients[0][0] if len(clients) == 1 else str(len(clients))
        answers = self._ask(
            "check", number, lambda provider: check_clients(provider.url, clients, day)
        )
        for place, status in zip(known, answers, strict=True):
            if status == UNANSWERED:
                continue
            # a malformed number is in no register
            statuses[place] = status or "not_found"
        return statuses

    def _ask_status(self, partner):
        number, kpp = partner._get_register_number(), partner.kpp or ""
        if not self._supports("check", number):
            return None
        try:
            parties = self._find_parties(number)
            status = choose_status(parties, kpp)
            if status == "kpp_mismatch" and len(parties) >= MAX_PARTIES:
                # the branch may be among those that did not fit into the answer
                unit = self._find_parties(number, kpp)
                status = choose_status([parties[0], *unit], kpp)
        except RegistryError as error:
            if error.code == "request":
                return None
            raise
        return status

    def _get_batch_size(self):
        """About how many clients one question can be."""
        self.ensure_one()
        return 200 if self.kind == "fns" else 1
