from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from .crm_customer_analysis import NUMBER_MEASURES, VALUE_MEASURES


class CrmCustomerFactor(models.Model):
    """A line of the scorecard of clients: points for a figure of the profile.

    A number brings the points of the highest bound it reaches; a value those of its line. A figure
    that is not known brings nothing.
    """

    _name = "crm.customer.factor"
    _description = "Factor of a Client's Class"
    _order = "analysis_id, sequence, id"

    analysis_id = fields.Many2one(
        "crm.customer.analysis", required=True, ondelete="cascade", index=True
    )
    sequence = fields.Integer(default=10)
    measure = fields.Selection(selection="_get_measures", string="Figure", required=True)
    is_number = fields.Boolean(compute="_compute_is_number")
    lower_bound = fields.Float(string="From")
    value = fields.Char(string="Is", help="Code of the value, for example A, X, loyal or at_risk.")
    value_text = fields.Char(string="Condition", compute="_compute_value_text")
    points = fields.Float(digits=(5, 1), required=True)

    @api.model
    def _get_measures(self):
        profile_fields = self.env["crm.customer.profile"]._fields
        labels = {
            "score_recency": self.env._("Recency Score"),
            "score_frequency": self.env._("Frequency Score"),
            "score_monetary": self.env._("Turnover Score"),
        }
        return [
            (name, labels.get(name) or profile_fields[name]._description_string(self.env))
            for name in (*NUMBER_MEASURES, *VALUE_MEASURES)
        ]

    @api.depends("measure")
    def _compute_is_number(self):
        for factor in self:
            factor.is_number = factor.measure in NUMBER_MEASURES

    @api.depends("measure", "lower_bound", "value")
    def _compute_value_text(self):
        for factor in self:
            if factor.measure in NUMBER_MEASURES:
                factor.value_text = self.env._("from %(bound)g", bound=factor.lower_bound)
            else:
                factor.value_text = dict(factor._get_values()).get(factor.value, factor.value)

    def _get_values(self):
        self.ensure_one()
        field = self.env["crm.customer.profile"]._fields.get(self.measure)
        if field is None or field.type != "selection":
            return []
        return field._description_selection(self.env)

    @api.constrains("measure", "value")
    def _check_value(self):
        for factor in self:
            codes = [code for code, _label in factor._get_values()]
            if codes and factor.value not in codes:
                raise ValidationError(
                    self.env._(
                        "Factor “%(figure)s”: “%(value)s” is none of its values. Enter one of "
                        "%(codes)s.",
                        figure=dict(self._get_measures())[factor.measure],
                        value=factor.value or "",
                        codes=", ".join(codes),
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        factors = super().create(vals_list)
        factors.analysis_id._set_facts(is_stale=True)
        return factors

    def write(self, vals):
        res = super().write(vals)
        self.analysis_id._set_facts(is_stale=True)
        return res

    def unlink(self):
        self.analysis_id._set_facts(is_stale=True)
        return super().unlink()

    def _get_points_expression(self):
        """Return the SQL of the sum of points over columns named like the measures."""
        terms = [SQL("0")]
        for measure, factors in self.grouped("measure").items():
            column = SQL.identifier(measure)
            if measure in VALUE_MEASURES:
                cases = [SQL("WHEN %s THEN %s", f.value, f.points) for f in factors]
                terms.append(SQL("CASE %s %s ELSE 0 END", column, SQL(" ").join(cases)))
            elif measure in NUMBER_MEASURES:
                cases = [
                    SQL("WHEN %s >= %s THEN %s", column, f.lower_bound, f.points)
                    for f in factors.sorted(lambda f: -f.lower_bound)
                ]
                terms.append(SQL("CASE %s ELSE 0 END", SQL(" ").join(cases)))
        return SQL("(%s)", SQL(" + ").join(terms))

    def _explain(self, profile):
        """Return which lines apply to a profile, the heaviest first.

        :return: list of (words, points)
        """
        found = []
        labels = dict(self._get_measures())
        known = profile._get_known_measures()
        for measure, factors in self.grouped("measure").items():
            if measure not in known:
                continue
            value = profile[measure]
            if measure in VALUE_MEASURES:
                hit = factors.filtered(lambda f, value=value: f.value == value)[:1]
            else:
                reached = factors.filtered(lambda f, value=value: f.lower_bound <= value)
                hit = reached.sorted(lambda f: -f.lower_bound)[:1]
            if hit and hit.points:
                found.append((f"{labels[measure]}: {hit.value_text}", hit.points))
        return sorted(found, key=lambda line: -abs(line[1]))
