import hashlib
import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, consteq

from .crm_telephony_call import LOCK_TIMEOUT

# what a token begins with, so that it is recognised where it should not be
TOKEN_PREFIX = "crmtel_"
# of it: enough to find the row, useless for guessing the rest
TOKEN_INDEX_SIZE = len(TOKEN_PREFIX) + 8
TOKEN_FIELDS = frozenset({"token_index", "token_hash", "token_date", "token_state"})
RATE_WINDOW = timedelta(minutes=1)


class CrmTelephonyProvider(models.Model):
    """A telephone exchange that reports its calls to us.

    It proves itself by a token of 256 random bits. We keep its SHA-256 only: the token is shown
    once, when it is generated, and cannot be read afterwards. A new token replaces the old one
    at once; a revoked token is refused, and so is that of an archived exchange.

    Its calls are recorded in its company. An operator is known by the extension or phone login
    that stands in `line_ids`.

    No more than `rate_limit` events are taken in a minute, whichever worker they reach: they are
    counted in the log of requests, to which a request is added when it is let in, one at a time.
    A request is taken or refused as a whole, so that the last one may pass the limit by the rest
    of its list.
    """

    _name = "crm.telephony.provider"
    _description = "Telephony Provider"
    _order = "sequence, name, id"
    _check_company_auto = True

    name = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        string="Company",
        required=True,
        default=lambda self: self.env.company,
        index=True,
    )
    country_id = fields.Many2one(
        "res.country",
        string="Numbers Are Read In",
        compute="_compute_country_id",
        store=True,
        readonly=False,
        help="Country in which a number without a country code is read.",
    )
    rate_limit = fields.Integer(
        string="Events per Minute",
        required=True,
        default=600,
        help="More are answered with “too many requests” until the minute is over.",
    )
    line_ids = fields.One2many("crm.telephony.line", "provider_id", string="Lines", copy=False)

    # token
    token_index = fields.Char(string="Token", readonly=True, copy=False, index="btree_not_null")
    token_hash = fields.Char(copy=False, groups=fields.NO_ACCESS)
    token_date = fields.Datetime(string="Generated On", readonly=True, copy=False)
    token_state = fields.Selection(
        [("none", "No token yet"), ("active", "Active"), ("revoked", "Revoked")],
        string="Token Status",
        required=True,
        default="none",
        readonly=True,
        copy=False,
    )

    # traffic
    request_ids = fields.One2many("crm.telephony.request", "provider_id", string="Requests")
    event_date = fields.Datetime(string="Last Event", compute="_compute_traffic")
    call_count = fields.Integer(string="Calls", compute="_compute_traffic")
    refused_count = fields.Integer(
        string="Refused",
        compute="_compute_traffic",
        help="Requests of the last seven days that were not taken.",
    )
    refused_message = fields.Char(string="Last Refusal", compute="_compute_traffic")

    _check_rate_limit = models.Constraint(
        "CHECK (rate_limit > 0)", "A provider may send at least one event per minute."
    )

    @api.depends("company_id")
    def _compute_country_id(self):
        for provider in self:
            provider.country_id = provider.country_id or provider.company_id.country_id

    def _compute_traffic(self):
        calls = {
            provider: (count, last)
            for provider, count, last in self.env["crm.telephony.call"]._read_group(
                [("provider_id", "in", self.ids)],
                ["provider_id"],
                ["__count", "write_date:max"],
            )
        }
        refused = {
            provider: (count, last)
            for provider, count, last in self.env["crm.telephony.request"]._read_group(
                [
                    ("provider_id", "in", self.ids),
                    ("state", "=", "refused"),
                    ("date", ">", fields.Datetime.now() - timedelta(days=7)),
                ],
                ["provider_id"],
                ["__count", "id:max"],
            )
        }
        for provider in self:
            provider.call_count, provider.event_date = calls.get(provider, (0, False))
            provider.refused_count, last_id = refused.get(provider, (0, False))
            request = self.env["crm.telephony.request"].browse(last_id or [])
            provider.refused_message = request.message if last_id else False

    # ------------------------------------------------------------
    # TOKEN
    # ------------------------------------------------------------

    @api.model
    def _hash_token(self, token):
        # a plain hash is enough: nobody can try 2^256 tokens, unlike passwords
        return hashlib.sha256(token.encode()).hexdigest()

    def _generate_token(self):
        """Replace the token of this provider.

        :return: the new token, which is kept nowhere
        """
        self.ensure_one()
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        self.check_access("write")
        # sudo: the fields of the token are written by nobody but here
        self.sudo().write(
            {
                "token_index": token[:TOKEN_INDEX_SIZE],
                "token_hash": self._hash_token(token),
                "token_date": fields.Datetime.now(),
                "token_state": "active",
            }
        )
        return token

    def action_generate_token(self):
        """Generate a token and show it, this once."""
        self.ensure_one()
        if not self.active:
            raise UserError(self.env._("Restore “%(provider)s” first.", provider=self.name))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Token of %(provider)s", provider=self.name),
            "res_model": "crm.telephony.token.show",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_token": self._generate_token(),
                "default_url": self.get_base_url() + "/crm_extended/telephony/v1/events",
            },
        }

    def action_revoke_token(self):
        """Refuse the token from now on."""
        self.check_access("write")
        # sudo: as above. The hash stays, so that its further use shows in the log.
        self.sudo().filtered("token_hash").write({"token_state": "revoked"})

    @api.model
    def _authenticate(self, token):
        """Find the provider to whom a token belongs.

        :param str token: what the request brought
        :return: (crm.telephony.provider under sudo, whether the token is in force); an empty
            recordset for a token that is nobody's
        """
        candidates_sudo = (
            self.sudo()
            .with_context(active_test=False)
            .search([("token_index", "=", token[:TOKEN_INDEX_SIZE]), ("token_hash", "!=", False)])
        )
        hashed = self._hash_token(token)
        found_sudo = candidates_sudo.browse()
        for provider_sudo in candidates_sudo:
            if consteq(provider_sudo.token_hash, hashed):
                found_sudo = provider_sudo
        return found_sudo, found_sudo.active and found_sudo.token_state == "active"

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_token_fields(vals)
        forged = {f"default_{name}" for name in TOKEN_FIELDS} & set(self.env.context)
        if forged:
            context = {k: v for k, v in self.env.context.items() if k not in forged}
            self = self.with_context(context)  # noqa: PLW0642
        return super().create(vals_list)

    def write(self, vals):
        self._check_token_fields(vals)
        return super().write(vals)

    def _check_token_fields(self, vals):
        if not self.env.su and not TOKEN_FIELDS.isdisjoint(vals):
            raise AccessError(
                self.env._("A token is neither entered nor changed by hand: generate a new one.")
            )

    # ------------------------------------------------------------
    # TRAFFIC
    # ------------------------------------------------------------

    def _get_rate_delay(self):
        """Seconds to wait until events are taken again; 0 if they are taken now."""
        self.ensure_one()
        now = fields.Datetime.now()
        requests = self.env["crm.telephony.request"].search_fetch(
            [("provider_id", "=", self.id), ("date", ">", now - RATE_WINDOW)],
            ["date", "event_count"],
            order="date desc, id desc",
            limit=self.rate_limit,
        )
        total = 0
        for request in requests:
            total += request.event_count
            if total >= self.rate_limit:
                return max(1, round((request.date + RATE_WINDOW - now).total_seconds()))
        return 0

    def _admit(self, event_count):
        """Let a request in, or tell it to wait: the only request that is being judged.

        Judged and logged in a transaction of its own, which begins when those before are over:
        so requests that arrive together are counted, and none waits for what another one does.

        :param int event_count: of the request
        :return: seconds to wait; 0 if the request is let in
        """
        self.ensure_one()
        key = f"{self._name}/{self.id}"
        cr = self.env.cr
        cr.execute(SQL("SET LOCAL lock_timeout = %s", LOCK_TIMEOUT))
        cr.execute(SQL("SELECT pg_advisory_lock(hashtextextended(%s, 0))", key))
        try:
            with self.env.registry.cursor() as own_cr:
                provider = self.with_env(self.env(cr=own_cr))
                delay = provider._get_rate_delay()
                if not delay:
                    provider._log_request("accepted", event_count)
        finally:
            cr.execute(SQL("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", key))
        return delay

    def _log_request(self, state, event_count=0, code=False, message=False):
        """Keep what became of a request.

        :param str state: accepted or refused
        :param str message: why it was refused; names the field, never what was in it
        """
        self.ensure_one()
        return self.env["crm.telephony.request"].create(
            {
                "provider_id": self.id,
                "state": state,
                "event_count": event_count,
                "code": code,
                "message": message,
            }
        )

    def _log_limited(self, code, message):
        """Keep the first of many like refusals in each minute: the log stays short."""
        self.ensure_one()
        recent = self.env["crm.telephony.request"].search_count(
            [
                ("provider_id", "=", self.id),
                ("code", "=", code),
                ("date", ">", fields.Datetime.now() - RATE_WINDOW),
            ],
            limit=1,
        )
        if not recent:
            self._log_request("refused", code=code, message=message)

    def _get_users(self, extensions):
        """The operators at these extensions.

        :param extensions: normalised extensions or phone logins
        :return: res.users, in the order of the extensions, under sudo
        """
        self.ensure_one()
        lines = {line.number_key: line.user_id for line in self.line_ids}
        users = self.env["res.users"]
        for extension in extensions:
            user = lines.get(extension, users)
            if user.active and not user.share and self.company_id in user.company_ids:
                users |= user
        return users

    def action_view_calls(self):
        """Open the calls that this provider has reported."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "crm_extended.crm_telephony_call_action"
            ),
            "domain": [("provider_id", "=", self.id)],
        }

    def action_view_refused(self):
        """Open the requests of this provider that were refused."""
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "crm_extended.crm_telephony_request_action"
            ),
            "domain": [("provider_id", "=", self.id)],
        }
