from string import Formatter

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.safe_eval import safe_eval

PLACEHOLDERS = ("value", "days", "points", "expected", "bound")


class CrmScorecardFactor(models.Model):
    """One reason why a deal is worth more or less.

    A *condition* brings its points to the deals that match a domain. A *measure*
    takes a field of the deal (a number as it is, a date as days passed since) and
    brings the points of the band it falls in. Both say why in a sentence.

    A factor is tried out when it is saved. One that stops working later, because a
    field went away with an add-on, is skipped, carries the error until somebody
    mends it or the nightly job finds it working again, and never keeps a deal from
    being saved.
    """

    _name = "crm.scorecard.factor"
    _description = "Scorecard factor"
    _order = "scorecard_id, sequence, id"

    scorecard_id = fields.Many2one("crm.scorecard", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="scorecard_id.company_id")
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    name = fields.Char("Factor", required=True, translate=True)
    kind = fields.Selection(
        [("condition", "Condition"), ("measure", "Measure")], required=True, default="condition"
    )
    # Condition
    model_name = fields.Char(compute="_compute_model_name")
    domain = fields.Char("Deals", default="[]", help="The deals to which the factor applies.")
    points = fields.Float(
        digits=(5, 1), help="Added to the score of matching deals; negative takes away."
    )
    # Measure
    measure = fields.Selection(
        selection="_get_measures",
        string="Measured Field",
        help="A number counts as it is, a date as the days passed since it.",
    )
    field_type = fields.Char(compute="_compute_field_type")
    band_ids = fields.One2many("crm.scorecard.band", "factor_id", string="Bands", copy=True)
    expected_value = fields.Float(
        "Won Deals",
        readonly=True,
        copy=False,
        help="Median of the measured field over won deals; refreshed at night.",
    )
    expected_sample = fields.Integer("Won Deals Measured", readonly=True, copy=False)
    # Words and health
    sentence = fields.Char(
        translate=True,
        help="Shown on the deal when the factor applies. Placeholders: {value} measured "
        "value, {days} the same with the word for days, {expected} the same on won deals, "
        "{bound} start of the band, {points}. "
        "Empty: the name of the factor.",
    )
    advice = fields.Char(
        "What to Do", translate=True, help="Suggested on deals that this factor costs most points."
    )
    error = fields.Text(
        readonly=True, copy=False, help="Why the factor is skipped until it is fixed."
    )
    deal_count = fields.Integer("Deals Touched", compute="_compute_deal_count")

    def _compute_model_name(self):
        self.model_name = "crm.lead"

    @api.depends("measure")
    def _compute_field_type(self):
        for factor in self:
            field = factor._get_measured_field()
            special = self._get_special_measures().get(factor.measure)
            if special:
                factor.field_type = "monetary" if special.get("monetary") else "float"
            else:
                factor.field_type = field.type if field else False

    @api.depends_context("uid", "crm_scoring_try_out")
    @api.depends("domain", "kind", "measure", "band_ids.lower_bound", "error")
    def _compute_deal_count(self):
        """Count the open deals, visible to the user, that the factor touches.

        Counting costs a query each, so it happens only where it was asked for.
        """
        wanted = self.env.context.get("crm_scoring_try_out")
        for factor in self:
            factor.deal_count = 0
            if wanted and not factor.error:
                factor.deal_count = self.env["crm.lead"].search_count(factor._get_deal_domain())

    # Constraints

    @api.constrains("kind", "domain", "measure", "band_ids", "active")
    def _check_works(self):
        for factor in self.filtered("active"):
            if factor.kind == "measure":
                factor._check_measure()
            else:
                factor._check_domain()

    def _check_measure(self):
        self.ensure_one()
        if not self.measure or not self.band_ids:
            raise ValidationError(
                self.env._(
                    "Factor “%(factor)s”: choose the measured field and at least one band.",
                    factor=self.name,
                )
            )
        if not self._get_measured_field() and self.measure not in self._get_special_measures():
            raise ValidationError(
                self.env._(
                    "Factor “%(factor)s”: the field “%(field)s” cannot be measured. Choose a "
                    "stored number or date of the deal.",
                    factor=self.name,
                    field=self.measure,
                )
            )

    def _check_domain(self):
        """Run the domain as the user who writes it, so that it can only use fields
        this user may read (the scores themselves are computed with all rights)."""
        self.ensure_one()
        try:
            domain = self._parse_domain()
            # constraints run with all rights: step back to those of the user
            lead_model = self.env["crm.lead"].with_user(self.env.user)
            lead_model = lead_model.with_context(active_test=False)
            with self.env.cr.savepoint(flush=False):
                lead_model.search(domain, limit=1)
        except AccessError:
            raise
        except Exception as error:  # anything a hand-written domain can do
            raise ValidationError(
                self.env._(
                    "Factor “%(factor)s”: the condition cannot be evaluated. %(error)s",
                    factor=self.name,
                    error=error,
                )
            ) from error

    @api.constrains("sentence")
    def _check_sentence(self):
        for factor in self.filtered("sentence"):
            try:
                names = [part[1] for part in Formatter().parse(factor.sentence)]
            except ValueError as error:
                raise ValidationError(
                    self.env._(
                        "Factor “%(factor)s”: a brace in the sentence has no partner.",
                        factor=factor.name,
                    )
                ) from error
            unknown = [name for name in names if name is not None and name not in PLACEHOLDERS]
            if unknown:
                raise ValidationError(
                    self.env._(
                        "Factor “%(factor)s”: unknown placeholder {%(name)s}. Known are "
                        "%(known)s.",
                        factor=factor.name,
                        name=unknown[0],
                        known=", ".join(f"{{{name}}}" for name in PLACEHOLDERS),
                    )
                )

    # CRUD

    @api.model_create_multi
    def create(self, vals_list):
        factors = super().create(vals_list)
        factors._rules_changed()
        return factors

    def write(self, vals):
        if vals.keys() & self._get_rule_fields() and "error" not in vals:
            vals = dict(vals, error=False)
        res = super().write(vals)
        if vals.keys() & (self._get_rule_fields() | {"error"}):
            self._rules_changed()
        return res

    def unlink(self):
        scorecards = self.scorecard_id
        self.env["crm.scorecard.factor.past"].sudo()._keep(self)  # sudo: names only
        res = super().unlink()
        scorecards._rules_changed()
        return res

    @api.model
    def _get_rule_fields(self):
        """Fields that decide which points a deal gets."""
        return {"active", "kind", "domain", "points", "measure", "band_ids", "scorecard_id"}

    def _rules_changed(self):
        self.scorecard_id._rules_changed()

    # Buttons

    def action_view_deals(self):
        """Open the open deals the factor touches."""
        self.ensure_one()
        if self.error:
            raise UserError(self.env._("Fix the factor first: %(error)s", error=self.error))
        action = self.env["ir.actions.act_window"]._for_xml_id("crm.crm_lead_opportunities")
        action["display_name"] = self.name
        action["domain"] = list(self._get_deal_domain())
        action["views"] = [(False, "list"), (False, "form")]
        action["context"] = {"create": False}
        return action

    # Rules

    def _get_band(self, value):
        """Return the band a measured value falls in; empty without one."""
        if not self or self.kind != "measure" or value is None:
            return self.env["crm.scorecard.band"]
        bands = self.band_ids.sorted("lower_bound").filtered(lambda b: b.lower_bound <= value)
        return bands[-1:]

    @api.model
    def _is_measurable(self, field):
        """Whether the column of a deal's field can be measured."""
        return (
            field.store
            and field.column_type
            and not field.company_dependent
            and field.type in ("integer", "float", "monetary", "date", "datetime")
            and field.name not in ("id", "color", "class_adjustment")
        )

    @api.model
    def _get_measures(self):
        """Selection of the fields of the deal that can be measured."""
        own = [
            (name, field._description_string(self.env))
            for name, field in self.env["crm.lead"]._fields.items()
            if self._is_measurable(field)
        ]
        special = [(name, data["label"]) for name, data in self._get_special_measures().items()]
        return sorted(own + special, key=lambda option: option[1])

    def _parse_domain(self):
        """Return the condition as a Domain; raises what a bad text raises."""
        self.ensure_one()
        return Domain(safe_eval(self.domain or "[]"))

    def _get_measured_field(self):
        """Return the deal's field if a database column can be measured, else None."""
        self.ensure_one()
        field = self.env["crm.lead"]._fields.get(self.measure)
        return field if field is not None and self._is_measurable(field) else None

    def _get_deal_domain(self):
        """Domain of the open deals the factor gives points to."""
        self.ensure_one()
        domain = self.scorecard_id._get_deal_domain()
        if self.kind == "condition":
            return domain & self._parse_domain()
        field = self._get_measured_field()
        if self.measure in self._get_special_measures() and self.band_ids:
            return domain & Domain("id", "in", self._get_special_matches())
        if not field or not self.band_ids:
            return Domain.FALSE
        bound = min(self.band_ids.mapped("lower_bound"))
        if field.type in ("date", "datetime"):
            limit = fields.Datetime.subtract(fields.Datetime.now(), days=bound)
            return domain & Domain(field.name, "<=", limit)
        return domain & Domain(field.name, ">=", bound)

    def _get_special_matches(self):
        """Return the SQL of the deals that a special measure gives points to."""
        special = self._get_special_measures()[self.measure]
        self._flush_special_measures()
        value = special["sql"]
        if special.get("dated"):
            value = SQL("((now() AT TIME ZONE 'UTC')::date - %s::date)", value)
        bound = min(self.band_ids.mapped("lower_bound"))
        return SQL("(SELECT id FROM crm_lead WHERE %s >= %s)", value, bound)

    def _prepare_rule(self):
        """Return the factor as plain data, or None when it cannot be used.

        :return: dict(id, name, kind, domain, points, field, dated, bands, inputs);
            ``inputs`` are the fields of the deal that the factor looks at
        """
        self.ensure_one()
        rule = {
            "id": self.id,
            "name": self.name,
            "kind": self.kind,
            "points": self.points,
            "expected": self.expected_value if self.expected_sample else None,
        }
        if self.kind == "measure":
            bands = tuple((band.lower_bound, band.points) for band in self.band_ids.sorted())
            if special := self._get_special_measures().get(self.measure):
                return rule | {
                    "field": self.measure,
                    "dated": bool(special.get("dated")),
                    "bands": bands,
                    "inputs": (),
                }
            field = self._get_measured_field()
            if not field:
                return None
            return rule | {
                "field": field.name,
                "dated": field.type in ("date", "datetime"),
                "bands": bands,
                "inputs": (field.name,),
            }
        try:
            domain = self._parse_domain()
        except Exception as error:  # see _check_domain
            self._report_error(error)
            return None
        return rule | {
            "domain": domain,
            "source": self.domain or "",
            "inputs": tuple(c.field_expr.split(".")[0] for c in domain.iter_conditions()),
        }

    def _refresh_expectations(self):
        """Store what won deals looked like: the median of the measured field.

        Dates count as days from the date to the day the deal was won. The stage's own
        date says nothing about a won deal (it is the day it was won) and is left out.
        """
        # sudo: the figures are those of the whole company, not of one salesperson
        for factor in self.sudo().search([("kind", "=", "measure")]):
            field = factor._get_measured_field()
            if not field or field.name in ("date_last_stage_update", "date_closed"):
                continue
            column = SQL.identifier("l", field.name)
            if field.type in ("date", "datetime"):
                column = SQL("EXTRACT(EPOCH FROM l.date_closed - %s) / 86400", column)
            company = factor.scorecard_id.company_id
            [(median, sample)] = self.env.execute_query(
                SQL(
                    """SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY value), count(value)
                         FROM (SELECT %s AS value FROM crm_lead l
                                WHERE l.won_status = 'won'%s) won""",
                    column,
                    SQL(" AND l.company_id = %s", company.id) if company else SQL(),
                )
            )
            values = {"expected_value": round(float(median or 0), 2), "expected_sample": sample}
            if any(factor[name] != value for name, value in values.items()):
                factor.write(values)
                factor._rules_changed_silently()

    def _rules_changed_silently(self):
        """Forget the cached rules without asking for a new refresh of all deals."""
        self.env.registry.clear_cache()
