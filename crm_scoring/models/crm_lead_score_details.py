from babel.units import format_unit
from markupsafe import Markup
from odoo import api, fields, models
from odoo.tools import babel_locale_parse, format_amount, format_date, format_list, formatLang

from ..tools import scoring
from ..tools.scoring import MIN_SAMPLE

# Inputs of the model that move the odds by less than this are not worth a word.
MIN_LOG_ODDS = 0.1


class CrmLead(models.Model):
    """Says in words, in the language of the reader, why a deal has its score.

    The refresh stores what applied and what was measured; the sentences are those of the
    factors at the time of reading.
    """

    _inherit = "crm.lead"

    score_details = fields.Html(
        "Why", compute="_compute_score_details", sanitize=False, readonly=True
    )
    score_reason = fields.Char(
        "Main Reason",
        compute="_compute_score_details",
        help="What costs the deal most points; what brings most, when nothing costs any.",
    )

    score_advice = fields.Char("What to Do", compute="_compute_score_details")

    @api.depends_context("lang")
    @api.depends("score_value", "score_probability", "score_drop")
    def _compute_score_details(self):
        self._flush_scoring()
        # sudo: who reads the deal reads why it is scored so
        details = self.env["crm.lead.scoring"].sudo()._read_reasons(self._origin.ids)
        factor_ids = {
            entry["factor"] for data in details.values() for entry in data.get("factors", [])
        }
        factors = self.env["crm.scorecard.factor"].sudo().with_context(active_test=False)
        factors = factors.search([("id", "in", list(factor_ids))])
        factors = {factor.id: factor for factor in factors}
        for lead in self:
            data = details.get(lead._origin.id)
            reasons = lead._get_score_reasons(data, factors) if data else []
            lead.score_reason = (lead._get_main_reason(reasons) or {}).get("text", False)
            against = [reason for reason in reasons if reason["points"] < 0]
            lead.score_advice = next((r["advice"] for r in against if r.get("advice")), False)
            lead.score_details = lead._render_score_details(data, reasons) if data else False

    @api.model
    def _get_main_reason(self, reasons):
        against = [reason for reason in reasons if reason["points"] < 0]
        return next(iter(against or reasons), None)

    def _get_score_reasons(self, data, factors):
        """Return the ranked reasons of a deal's score in words.

        :param dict data: stored details
        :param dict factors: factors by id, those that still exist
        :return: list of dict(points, text, expected), the weightiest first
        """
        self.ensure_one()
        return [
            self._get_score_reason(entry, factors.get(entry["factor"]))
            for entry in scoring.rank_contributions(data.get("factors", []), "factor")
        ]

    def _get_score_reason(self, entry, factor):
        if not factor:  # deleted since: its name at that time
            past_sudo = self.env["crm.scorecard.factor.past"].sudo()
            name = entry.get("name") or past_sudo._get_name(entry["factor"])
            return {"points": entry["points"], "text": name, "expected": ""}
        value = entry.get("value")
        found = factor._get_band(value)
        expected = factor.expected_value if factor.expected_sample and found else None
        words = {
            "points": f"{entry['points']:+g}",
            "value": self._format_measure(factor, value),
            "bound": self._format_measure(factor, found.lower_bound if found else None),
            "expected": self._format_measure(factor, expected),
            "days": self._format_days(value),
        }
        sentence = factor.sentence or factor.name
        try:
            text = sentence.format(**words)
        except (ValueError, LookupError, AttributeError):  # a translation with a bad brace
            text = factor.name
        expected = ""
        if words["expected"] and "{expected}" not in sentence:
            expected = self.env._("won deals: %(value)s", value=words["expected"])
        return {
            "points": entry["points"],
            "text": text,
            "expected": expected,
            "advice": factor.advice,
        }

    def _format_measure(self, factor, value):
        if value is None:
            return ""
        if factor.field_type == "monetary":
            currency = self.company_currency or self.env.company.currency_id
            return format_amount(self.env, value, currency, trailing_zeroes=False)
        return formatLang(self.env, value, digits=0 if float(value).is_integer() else 1)

    @api.model
    def _format_days(self, value):
        """Return a number of days in words: "1 day", "21 days"."""
        if value is None:
            return ""
        locale = babel_locale_parse(self.env.context.get("lang") or "en_US")
        return format_unit(round(value), "duration-day", locale=locale)

    def _get_probability_words(self, estimate):
        """Say what the probability rests on, and when it rests on little."""
        self.ensure_one()
        versions_sudo = self.env["crm.lead.scoring.model"].sudo()  # figures behind a deal's own
        if version_sudo := versions_sudo.browse(estimate.get("model")).exists():
            return " ".join([version_sudo._get_summary(), *self._get_model_words(version_sudo)])
        number = {
            "sample": estimate.get("sample", 0),
            "won": estimate.get("won", 0),
            "needed": MIN_SAMPLE,
            "start": formatLang(self.env, estimate.get("start", 0), digits=1),
        }
        if number["sample"] < MIN_SAMPLE:
            return self.env._(
                "Not enough data: %(sample)s closed deals had a similar score, %(needed)s are "
                "needed. The probability rests mostly on Odoo's estimate and on the win rates "
                "of team and company (%(start)s%%).",
                **number,
            )
        return self.env._(
            "Of %(sample)s closed deals with a similar score %(won)s were won; Odoo's estimate "
            "and the win rates of team and company say %(start)s%%.",
            **number,
        )

    def _get_model_words(self, version):
        """Say what raises and what lowers the probability of this deal most.

        :return: list of at most two sentences
        """
        found = version._get_contributions(self._origin.id, self.score_value)
        raising = [words for odds, words in found if odds > MIN_LOG_ODDS][:3]
        lowering = [words for odds, words in reversed(found) if odds < -MIN_LOG_ODDS][:3]
        sentences = []
        if raising:
            sentences.append(
                self.env._("Speaks for it: %(inputs)s.", inputs=format_list(self.env, raising))
            )
        if lowering:
            sentences.append(
                self.env._("Speaks against it: %(inputs)s.", inputs=format_list(self.env, lowering))
            )
        return sentences

    def _get_drop_words(self):
        self.ensure_one()
        if not self.score_drop:
            return ""
        currency = self.company_currency or self.env.company.currency_id
        return self.env._(
            "Down %(points)s points (%(percent)s%%) from %(peak)s on %(date)s: %(amount)s at "
            "risk.",
            points=formatLang(self.env, self.score_drop, digits=1),
            percent=formatLang(self.env, self.score_drop_percent, digits=0),
            peak=formatLang(self.env, self.score_peak, digits=1),
            date=format_date(self.env, self.score_peak_date),
            amount=format_amount(self.env, self.score_amount_at_risk, currency),
        )

    def _render_score_details(self, data, reasons):
        """Build the HTML from escaped parts only."""
        self.ensure_one()
        rows = Markup().join(
            Markup(
                '<tr><td class="text-end pe-3 fw-bold text-nowrap {color}">{points}</td>'
                '<td>{text} <span class="text-muted">{expected}</span></td></tr>'
            ).format(
                color="text-success" if reason["points"] > 0 else "text-danger",
                points=f"{reason['points']:+g}",
                text=reason["text"],
                expected=reason["expected"] and f"({reason['expected']})",
            )
            for reason in reasons
        )
        base = Markup(
            '<tr><td class="text-end pe-3 text-muted">{points:g}</td>'
            '<td class="text-muted">{text}</td></tr>'
        ).format(points=data.get("base", 0), text=self.env._("every deal starts with"))
        notes = [self._get_drop_words(), self._get_probability_words(data.get("estimate", {}))]
        return (
            Markup('<table class="o_crm_score_details mb-2"><tbody>')
            + rows
            + base
            + Markup("</tbody></table>")
            + Markup().join(Markup('<p class="mb-1">{}</p>').format(note) for note in notes if note)
        )
