import ast

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

UNITS = [
    ("number", "Number"),
    ("money", "Money"),
    ("percent", "Percent"),
    ("hours", "Hours"),
    ("days", "Days"),
]
CATEGORIES = [
    ("deals", "Deals"),
    ("money", "Money"),
    ("clients", "Clients"),
    ("interactions", "Interactions"),
    ("work", "Work"),
    ("plan", "Plan"),
    ("quality", "Quality"),
]
#: aggregates of which a group's figure is the sum of its members' figures
ADDITIVE = frozenset({"count", "sum"})


class CrmMetric(models.Model):
    """One figure by which people are compared, told by data: a company adds its own.

    - *Of records*: which records count (model and conditions), which date puts them in a period,
      whose they are, and what is counted, added or averaged.
    - *Ratio*: one metric over another, as a share (in percent) or as an amount per piece. The
      ratio of a group is that of its sums, not the average of its members' ratios.
    - *Plan*: how much of its plan (``crm.sales.target``) a metric has reached, in percent.

    When a record counts: *in the period* (its date lies there), *at the end of the period* (it
    began by then and had not ended yet), or *now*, which has no past to be compared with.

    Money is told in the currency of the user's company, converted at the record's own date.
    Archived records count like others unless the conditions say otherwise: a lost deal is
    archived. A metric whose app was uninstalled, or whose field is gone, is left out and says
    why (``problem``); nothing else suffers.
    """

    _name = "crm.metric"
    _description = "Metric of Managers"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(
        required=True, copy=False, help="Short name by which programs know the metric."
    )
    description = fields.Text(
        translate=True, help="What the figure tells, in the words of those who are measured."
    )
    sequence = fields.Integer(default=100)
    active = fields.Boolean(default=True)
    category = fields.Selection(CATEGORIES, required=True, default="deals")
    kind = fields.Selection(
        [("own", "Of records"), ("ratio", "Ratio of two metrics"), ("plan", "Plan reached")],
        required=True,
        default="own",
    )
    unit = fields.Selection(UNITS, required=True, default="number")
    better = fields.Selection(
        [("up", "More is better"), ("down", "Less is better"), ("none", "Neither")],
        required=True,
        default="up",
    )

    # of records
    model_id = fields.Many2one(
        "ir.model",
        string="Records",
        compute="_compute_model_id",
        inverse="_inverse_model_id",
        domain=[("transient", "=", False)],
    )
    model = fields.Char(string="Model")
    domain = fields.Char(string="Conditions", default="[]")
    timing = fields.Selection(
        [
            ("period", "Date in the period"),
            ("end", "Begun and not ended at the end of the period"),
            ("now", "Now"),
        ],
        string="Counts When",
        required=True,
        default="period",
    )
    date_field = fields.Char(string="Date", help="Field, or fields joined by dots.")
    date_end_field = fields.Char(
        string="Ended", help="Date at which the record is over; empty while it lasts."
    )
    user_field = fields.Char(
        string="Person", default="user_id", help="Field, or fields joined by dots."
    )
    team_field = fields.Char(
        string="Team",
        help="Team to which the record belonged. Left empty: the main team of the person at its "
        "date.",
    )
    company_field = fields.Char(string="Company", default="company_id")
    partner_field = fields.Char(string="Client", help="Needed to narrow it to a segment.")
    aggregate = fields.Selection(
        [
            ("count", "Number of records"),
            ("sum", "Sum"),
            ("avg", "Average"),
            ("median", "Median"),
            ("distinct", "Number of different values"),
        ],
        required=True,
        default="count",
    )
    measure = fields.Char(string="Of", help="Field that is added up or averaged.")

    # of other metrics
    numerator_id = fields.Many2one(
        "crm.metric", string="Metric", index="btree_not_null", ondelete="restrict"
    )
    denominator_id = fields.Many2one(
        "crm.metric", string="Divided By", index="btree_not_null", ondelete="restrict"
    )
    problem = fields.Char(
        compute="_compute_problem", help="Why the metric cannot be told at present."
    )

    _code_uniq = models.Constraint("UNIQUE (code)", "There is a metric with this code already.")

    @api.depends("model")
    def _compute_model_id(self):
        for metric in self:
            # sudo: whoever reads a metric may read what it is about
            metric.model_id = self.env["ir.model"].sudo()._get(metric.model or "")

    def _inverse_model_id(self):
        for metric in self:
            metric.model = metric.model_id.model

    @api.depends_context("uid", "lang")
    @api.depends("kind", "model", "domain", "numerator_id", "denominator_id", "measure")
    def _compute_problem(self):
        for metric in self:
            metric.problem = metric._get_problem() or False

    @api.model
    def default_get(self, fields):  # pylint: disable=redefined-outer-name
        values = super().default_get(fields)
        if "code" in fields and not values.get("code"):
            values["code"] = f"own_{self.search([], order='id desc', limit=1).id + 1}"
        return values

    # ------------------------------------------------------------
    # Validity
    # ------------------------------------------------------------

    @api.constrains(
        "kind", "model", "domain", "timing", "date_field", "date_end_field", "user_field",
        "team_field", "company_field", "partner_field", "aggregate", "measure", "numerator_id",
        "denominator_id",
    )  # fmt: skip
    def _check_definition(self):
        if self.env.context.get("install_mode"):
            return  # data files may name apps that are not there: such metrics are left out
        for metric in self:
            problem = metric._get_problem()
            if problem:
                raise ValidationError(
                    self.env._(
                        "“%(metric)s” cannot be told. %(problem)s",
                        metric=metric.name,
                        problem=problem,
                    )
                )

    def _get_problem(self):
        """Why the metric cannot be told to this user, in words; None if it can."""
        self.ensure_one()
        return getattr(self, f"_get_{self.kind}_problem")()

    def _get_plan_problem(self):
        if not self.numerator_id or self.numerator_id.kind == "plan":
            return self.env._("Choose the metric whose plan is meant.")
        return self.numerator_id._get_problem()

    def _get_ratio_problem(self):
        parts = (self.numerator_id, self.denominator_id)
        if not all(parts) or any(part.kind != "own" for part in parts):
            return self.env._("A ratio needs two metrics of records.")
        return next(filter(None, (part._get_problem() for part in parts)), None)

    def _get_own_problem(self):
        _ = self.env._
        if not self.model or self.model not in self.env:
            return _("There is no model “%(model)s” in this database.", model=self.model or "")
        Model = self.env[self.model]
        if Model._transient or Model._abstract:
            return _("Dialogs and abstract models cannot be counted.")
        if not Model.has_access("read"):
            return _("You have no right to read “%(model)s”.", model=Model._description)
        needed = {"user_field"}
        needed |= {"company_field"} if "company_id" in Model._fields else set()
        needed |= {"measure"} if self.aggregate != "count" else set()
        needed |= {"date_field"} if self.timing != "now" else set()
        needed |= {"date_end_field"} if self.timing == "end" else set()
        types = {
            "user_field": ("res.users",),
            "team_field": ("crm.team",),
            "company_field": ("res.company",),
            "partner_field": ("res.partner",),
            "date_field": ("date", "datetime"),
            "date_end_field": ("date", "datetime"),
        }
        if self.aggregate in ("sum", "avg", "median"):
            types["measure"] = ("integer", "float", "monetary")
        for name in (*types, "measure"):
            label = self._fields[name]._description_string(self.env)
            if not self[name]:
                if name in needed:
                    return _("“%(label)s” is missing.", label=label)
                continue
            problem = self._get_path_problem(Model, self[name], types.get(name))
            if problem:
                return f"{label}: {problem}"
        return self._get_domain_problem(Model)

    def _get_path_problem(self, Model, path, kinds):
        """Why a path of fields cannot be read in bulk, or None.

        :param list kinds: types of field, or models that a link leads to
        """
        _ = self.env._
        *links, last = path.split(".")
        for link in links:
            field = Model._fields.get(link)
            if not field or field.type != "many2one":
                return _(
                    "“%(model)s” has no link “%(field)s”.", model=Model._description, field=link
                )
            problem = self._get_field_problem(Model, field)
            if problem:
                return problem
            Model = self.env[field.comodel_name]
            # the statement follows links without asking for the rights to their records
            secret = self.env["crm.secrecy.rule"]._get_record_domain(Model._name)
            if not Model.has_access("read") or not secret.is_true():
                return _("You have no right to read “%(model)s”.", model=Model._description)
        field = Model._fields.get(last)
        if not field:
            return _("“%(model)s” has no field “%(field)s”.", model=Model._description, field=last)
        if kinds and field.type not in kinds and field.comodel_name not in kinds:
            return _("The field “%(field)s” is not of the right kind.", field=last)
        return self._get_field_problem(Model, field)

    def _get_field_problem(self, Model, field):
        if not Model._has_field_access(field, "read"):
            return self.env._("You have no right to read “%(field)s”.", field=field.name)
        if not self._is_readable_in_bulk(Model, field):
            return self.env._(
                "“%(field)s” is not stored, so it cannot be counted in the database.",
                field=field.name,
            )
        return None

    @api.model
    def _is_readable_in_bulk(self, Model, field):
        if field.store:
            return bool(field.column_type) or not Model._auto
        return bool(field.related) and (field.compute_sudo or field.inherited)

    def _get_domain_problem(self, Model):
        try:
            # the search asks for the rights to the fields, too, and is not run
            Model.with_context(active_test=False)._search(Domain(self._get_domain()))
        except (ValueError, SyntaxError, TypeError, KeyError, UserError) as error:
            return self.env._("The conditions cannot be understood: %(error)s", error=error)
        return None

    def _get_domain(self):
        """The conditions as a list; only literals, nothing is run.

        :raises ValueError, SyntaxError: when they are none
        """
        self.ensure_one()
        return ast.literal_eval(self.domain or "[]")

    # ------------------------------------------------------------
    # What it is made of
    # ------------------------------------------------------------

    def _is_additive(self):
        """Whether the figure of a group is the sum of those of its members."""
        self.ensure_one()
        return self.kind == "own" and self.aggregate in ADDITIVE

    def _is_flow(self):
        """Whether the figure grows with the length of the period."""
        self.ensure_one()
        return self._is_additive() and self.timing == "period"

    def _get_parts(self):
        """The metrics of records of which these are made."""
        parts = self.filtered(lambda metric: metric.kind == "own")
        others = self - parts
        if others:
            parts |= (others.numerator_id | others.denominator_id)._get_parts()
        return parts

    @api.model
    def _get_by_code(self, code):
        """:return: the active metric with this code, or none
        :rtype: crm.metric
        """
        return self.search([("code", "=", code)], limit=1)

    def _format_value(self, value):
        """A figure with its unit, in the language of the user; a dash where there is none."""
        self.ensure_one()
        if value is None:
            return "\N{EN DASH}"
        lang = self.env["res.lang"]._lang_get(self.env.user.lang or "en_US")
        lang = lang or self.env["res.lang"]._lang_get("en_US")
        if self.unit == "money":
            number = lang.format("%.0f", value, grouping=True)
            currency = self.env.company.currency_id
            space = "\N{NO-BREAK SPACE}"
            if currency.position == "before":
                return f"{currency.symbol}{space}{number}"
            return f"{number}{space}{currency.symbol}"
        digits = 0 if float(value).is_integer() and self.unit == "number" else 1
        number = lang.format(f"%.{digits}f", value, grouping=True)
        if self.unit == "percent":
            return f"{number}\N{NO-BREAK SPACE}%"
        if self.unit == "hours":
            return self.env._("%(number)s h", number=number)
        if self.unit == "days":
            return self.env._("%(number)s d", number=number)
        return number
