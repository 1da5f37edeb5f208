import time
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytz
from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools import registry_dadata, registry_fns, registry_vies
from ..tools.legal_numbers import compact
from ..tools.registry import RegistryError

# the Russian services begin their day in Moscow
MOSCOW = pytz.timezone("Europe/Moscow")
# after the second failure in a row, doubled with each further one
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)
ANSWERED = ("ok", "not_found")


class CrmRegistryProvider(models.Model):
    """A service that tells who has a tax or registration number.

    Each company has its own, with its own key: DaData (names, addresses, people, branches and
    status of Russian organisations and entrepreneurs), the Russian tax service's check (status
    only, hundreds of clients at once, no key) and VIES (names and addresses in the European
    Union, where member states tell them, no key).

    The key is write-only for everybody but system administrators, who alone may change addresses
    too, so that no salesperson can turn our server to addresses inside the company's network.

    Questions are asked by a button or by the scheduled check, never while something is saved.
    What became of each is kept (`crm.registry.request`), and from that follows the state:

    - key refused: nobody asks until the key or the address is changed or somebody tries again;
    - quota used up, by the service's word or by our own count: nobody asks until the day of
      the service is over;
    - failed: after the second failure in a row there is a pause of half a minute, then of one, of
      two... of a quarter of an hour at most, or as long as the service says.
    """

    _name = "crm.registry.provider"
    _description = "Register of Companies"
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(
        required=True, compute="_compute_name", store=True, precompute=True, readonly=False
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        string="Company",
        required=True,
        default=lambda self: self.env.company,
        index=True,
    )
    kind = fields.Selection(
        [
            ("dadata", "DaData"),
            ("fns", "Federal Tax Service (Russia)"),
            ("vies", "VIES (European Union)"),
        ],
        string="Service",
        required=True,
        default="dadata",
    )
    url = fields.Char(
        "Address",
        compute="_compute_url",
        store=True,
        precompute=True,
        readonly=False,
        groups="base.group_system",
        help="Where the service is asked. Change it only for a copy of the service of your own.",
    )
    api_key = fields.Char(
        "Key", copy=False, groups="base.group_system", help="From your account with the service."
    )
    has_key = fields.Boolean(compute="_compute_has_key", compute_sudo=True)
    daily_limit = fields.Integer(
        "Requests per Day",
        compute="_compute_daily_limit",
        store=True,
        precompute=True,
        readonly=False,
        help="By your contract with the service. The scheduled check leaves a fifth of them to "
        "people. 0: without a limit.",
    )
    reset_date = fields.Datetime(readonly=True, copy=False)
    request_ids = fields.One2many("crm.registry.request", "provider_id", string="Questions")

    # state
    used_today = fields.Integer(compute="_compute_state")
    state = fields.Selection(
        [
            ("ready", "Ready"),
            ("no_key", "Key missing"),
            ("unauthorized", "Key refused"),
            ("quota", "Quota used up"),
            ("paused", "Pause after failures"),
        ],
        string="Status",
        compute="_compute_state",
    )
    paused_until = fields.Datetime(compute="_compute_state")
    last_failure = fields.Char(compute="_compute_state")

    _check_daily_limit = models.Constraint(
        "CHECK (daily_limit >= 0)", "The number of requests per day cannot be negative."
    )

    @api.depends("kind")
    def _compute_name(self):
        names = dict(self._fields["kind"]._description_selection(self.env))
        for provider in self:
            provider.name = names.get(provider.kind)

    @api.depends("kind")
    def _compute_url(self):
        urls = {"dadata": registry_dadata.DADATA_URL, "fns": registry_fns.FNS_URL}
        for provider in self:
            provider.url = urls.get(provider.kind, False)

    @api.depends("kind")
    def _compute_daily_limit(self):
        for provider in self:
            provider.daily_limit = 10000 if provider.kind == "dadata" else 0

    @api.depends("api_key", "kind")
    def _compute_has_key(self):
        for provider in self:
            provider.has_key = bool(provider.api_key) or provider.kind != "dadata"

    @api.depends("has_key", "daily_limit", "reset_date")
    def _compute_state(self):
        now = fields.Datetime.now()
        failures = dict(
            self.env["crm.registry.request"]._fields["code"]._description_selection(self.env)
        )
        for provider in self:
            provider.used_today = provider._origin._count_today(now)
            code, until = provider._origin._get_pause(now)
            state = "ready"
            if not provider.has_key:
                state = "no_key"
            elif code == "unauthorized":
                state = code
            elif code == "quota" or 0 < provider.daily_limit <= provider.used_today:
                state = "quota"
                until = until or provider._get_next_day(now)
            elif until:
                state = "paused"
            provider.state = state
            provider.paused_until = until
            provider.last_failure = failures.get(code, False)

    @api.constrains("url")
    def _check_url(self):
        for provider_sudo in self.sudo().filtered("url"):
            parts = urlsplit(provider_sudo.url)
            if parts.scheme not in ("https", "http") or not parts.hostname or parts.username:
                raise ValidationError(
                    self.env._(
                        "Address “%s” of the register is not one of a service: it must begin with "
                        "https:// and name a server.",
                        provider_sudo.url,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([vals | {"reset_date": False} for vals in vals_list])

    def write(self, vals):
        if {"api_key", "url", "daily_limit", "kind"} & vals.keys():
            vals = vals | {"reset_date": fields.Datetime.now()}
        return super().write(vals)

    def action_reset(self):
        """Ask again at once: forget past failures, keep the count of today."""
        self.write({"reset_date": fields.Datetime.now()})

    def action_view_requests(self):
        """Open what became of the questions to this service."""
        self.ensure_one()
        return self.env["ir.actions.act_window"]._for_xml_id(
            "crm_extended.crm_registry_request_action"
        ) | {"domain": [("provider_id", "=", self.id)]}

    # ------------------------------------------------------------
    # STATE
    # ------------------------------------------------------------

    def _get_day(self, now):
        """Moment at which the service's day began; naive, UTC."""
        zone = pytz.utc if self.kind == "vies" else MOSCOW
        local = pytz.utc.localize(now).astimezone(zone)
        midnight = zone.localize(datetime(local.year, local.month, local.day))
        return midnight.astimezone(pytz.utc).replace(tzinfo=None)

    def _get_next_day(self, now):
        return self._get_day(self._get_day(now) + timedelta(hours=36))

    def _count_today(self, now):
        """Requests of the service's day that it has counted too."""
        if not self:
            return 0
        # sudo: the log is the administrators' to read
        return (
            self.env["crm.registry.request"]
            .sudo()
            .search_count([("provider_id", "=", self.id), ("date", ">=", self._get_day(now))])
        )

    def _get_pause(self, now):
        """What keeps us from asking, by what became of the last questions.

        :param datetime now: naive, UTC
        :return: (code of the last failure or False, until when to wait or False)
        """
        if not self:
            return False, False
        domain = [("provider_id", "=", self.id), ("code", "!=", "request")]
        if self.reset_date:
            domain.append(("date", ">=", self.reset_date))
        # sudo: as above
        last_sudo = self.env["crm.registry.request"].sudo().search(domain, limit=8)
        failed = 0
        for request_sudo in last_sudo:
            if request_sudo.code in ANSWERED:
                break
            failed += 1
        if not failed:
            return False, False
        newest_sudo = last_sudo[0]
        if newest_sudo.code == "unauthorized":
            return newest_sudo.code, False
        if newest_sudo.code == "quota":
            until = self._get_next_day(newest_sudo.date)
            return (newest_sudo.code, until) if until > now else (False, False)
        pause = timedelta(seconds=min(newest_sudo.retry_after, 86400))
        if failed > 1:
            pause = max(pause, min(FIRST_PAUSE * 2 ** (failed - 2), LONGEST_PAUSE))
        until = newest_sudo.date + pause
        return newest_sudo.code, (until if until > now else False)

    def _is_ready(self):
        """Whether a question may be asked now."""
        self.ensure_one()
        return self.active and self.state == "ready"

    # ------------------------------------------------------------
    # QUESTIONS
    # ------------------------------------------------------------

    def _supports(self, method, number=""):
        """Whether this service answers such a question.

        :param str method: find, suggest or check
        :param str number: tax or registration number
        """
        self.ensure_one()
        digits = compact(number)
        is_russian = digits.isdigit() and len(digits) in (10, 12, 13, 15)
        if self.kind == "dadata":
            return method == "suggest" or is_russian
        if self.kind == "fns":
            return method == "check" and digits.isdigit() and len(digits) in (10, 12)
        return method in ("find", "check") and registry_vies.is_vies_number(digits)

    def _ask(self, method, number, callback):
        """Ask, and keep what became of it.

        :param str number: what is asked for, as it is kept
        :param callback: gets this provider under sudo, returns the answer
        :return: the answer
        :raise RegistryError: if the service did not answer; it is kept already
        """
        self.ensure_one()
        start = time.monotonic()
        values = {"provider_id": self.id, "method": method, "number": number[:64], "code": "ok"}
        try:
            # sudo: whoever asks, the address and the key stay secret
            answer = callback(self.sudo())
        except RegistryError as error:
            self._keep_request(
                values | {"code": error.code, "retry_after": error.retry_after or 0}, start
            )
            raise
        self._keep_request(values | ({} if answer else {"code": "not_found"}), start)
        return answer

    def _keep_request(self, values, start):
        # sudo: the log is written by nobody but here
        self.env["crm.registry.request"].sudo().create(
            values | {"duration": time.monotonic() - start, "user_id": self.env.uid}
        )

    def _find_parties(self, number, kpp=None):
        """Everything that has this number: the organisation and its branches, or an entrepreneur.

        :return: list of Party
        :raise RegistryError: if the service did not answer
        """
        number = compact(number)
        if self.kind == "vies":
            return self._ask("find", number, lambda provider: registry_vies.find_party(number))
        return self._ask(
            "find",
            number,
            lambda provider: registry_dadata.find_party(
                provider.url, provider.api_key, number, kpp
            ),
        )

    def _suggest_parties(self, text):
        """Organisations and entrepreneurs by a piece of their name.

        :return: list of Party
        :raise RegistryError: if the service did not answer
        """
        return self._ask(
            "suggest",
            text,
            lambda provider: registry_dadata.suggest_party(provider.url, provider.api_key, text),
        )

    def _get_failure_message(self, code):
        """What to tell about a failure: which service, what is wrong, what to do."""
        self.ensure_one()
        _ = self.env._
        texts = {
            "no_key": _("%s has no key yet: an administrator enters it in the settings."),
            "unauthorized": _("%s refuses our key: an administrator has to check it."),
            "quota": _(
                "The requests to %s are used up for today. Fill in by hand or ask tomorrow."
            ),
            "paused": _("%s has failed repeatedly and is left alone for a few minutes."),
            "timeout": _("%s did not answer in time. Fill in by hand or try again."),
            "rate": _("%s is asked too often at the moment. Try again in a minute."),
            "server": _("%s has a failure of its own. Fill in by hand or try again later."),
            "broken": _("%s gave an answer that cannot be read. Fill in by hand."),
            "request": _("%s does not accept this number. Check it."),
        }
        return texts[code] % self.name

    @api.model
    def _look_up(self, method, number, callback):
        """Ask the services of the current company in their order until one answers.

        :param str method: find, suggest or check
        :param callback: gets a provider, returns its answer or raises RegistryError
        :return: (answer or None, provider or an empty recordset, list of messages about those
            that could not be asked or failed)
        """
        messages = []
        providers = self.search([("company_id", "=", self.env.company.id)])
        for provider in providers:
            if not provider._supports(method, number):
                continue
            if not provider._is_ready():
                messages.append(provider._get_failure_message(provider.state))
                continue
            try:
                return callback(provider), provider, messages
            except RegistryError as error:
                messages.append(provider._get_failure_message(error.code))
                provider.invalidate_recordset(["state", "paused_until", "used_today"])
        return None, self.browse(), messages
