from odoo import api, models
from odoo.tools import SQL, formatLang

# Fields of the deal that tell something about its outcome and are known while it is open.
DEAL_FIELDS = (
    "team_id",
    "user_id",
    "source_id",
    "medium_id",
    "campaign_id",
    "country_id",
    "state_id",
    "lang_id",
    "process_id",
    "priority",
    "phone_state",
    "email_state",
    "expected_revenue",
    "recurring_revenue",
)
CATEGORIES = ("char", "selection", "many2one", "boolean")
NUMBERS = ("integer", "float", "monetary")
DATES = ("date", "datetime")


class CrmLeadScoringModel(models.Model):
    """What the model of winning may look at.

    - Fields of the deal that are known while it is open, the fields chosen for Odoo's own
      predictive lead scoring, and every field the company added to the deal itself.
    - Where the deal stands: lead or opportunity, stage, days open, days in the stage.
    - What others make of it: the value by the scorecard and Odoo's own estimate, as they were
      while the deal was open.

    An input is an SQL expression over the table ``crm_lead``. Nothing that is written
    when a deal closes is among them: not its probability, not its closing date, not the reason
    it was lost for.
    """

    _inherit = "crm.lead.scoring.model"

    @api.model
    def _get_field_names(self):
        """Return the names of the fields of the deal that are inputs."""
        lead_model = self.env["crm.lead"]
        names = [name for name in DEAL_FIELDS if name in lead_model._fields]
        names += [
            name
            for name in sorted({*lead_model._pls_get_safe_fields(), *self._get_own_fields()})
            if name not in names and name not in ("stage_id", "tag_ids")
        ]
        return [name for name in names if self._is_input(lead_model._fields[name])]

    @api.model
    def _get_own_fields(self):
        """Return the names of the fields the company added to the deal."""
        return [name for name, field in self.env["crm.lead"]._fields.items() if field.manual]

    @api.model
    def _is_input(self, field):
        return bool(
            field.store
            and field.column_type
            and not field.company_dependent
            and not field.translate
            and field.type in (*CATEGORIES, *NUMBERS, *DATES)
        )

    @api.model
    def _get_inputs(self):
        """Return the inputs of the model.

        :return: list of dict(name, kind, sql); ``kind`` is "category" or "number", ``sql`` an
            expression of text or float8 over the table ``crm_lead``, NULL when there is no value
        """
        lead_model = self.env["crm.lead"]
        inputs = []
        for name in self._get_field_names():
            field = lead_model._fields[name]
            column = SQL.identifier("crm_lead", name)
            entry = {"name": name, "kind": "category"}
            if field.type == "boolean":
                entry["sql"] = SQL("COALESCE(%s, FALSE)::text", column)
            elif field.type == "char":
                entry["sql"] = SQL("NULLIF(lower(btrim(%s)), '')", column)
            elif field.type in CATEGORIES:
                entry["sql"] = SQL("%s::text", column)
            elif field.type in DATES:  # how far from the day the deal came up
                entry |= {"kind": "number"}
                entry["sql"] = SQL("(%s::date - crm_lead.create_date::date)::float8", column)
            else:
                entry |= {"kind": "number"}
                # nobody enters an expected revenue of nothing: it is not known yet
                empty = field.type == "monetary"
                entry["sql"] = SQL("NULLIF(%s, 0)::float8" if empty else "%s::float8", column)
            inputs.append(entry)
        return inputs

    @api.model
    def _get_moment_inputs(self, now):
        """Return the inputs that depend on the moment, in the form of :meth:`_get_inputs`.

        Those marked as derived can be told from the dates of the deal and of its stages at any
        later time; the history keeps the others.

        :param SQL now: expression of the moment
        """
        return [
            {"name": "type", "kind": "category", "derived": True, "sql": SQL("crm_lead.type")},
            {
                "name": "stage_id",
                "kind": "category",
                "derived": True,
                "sql": SQL("crm_lead.stage_id::text"),
            },
            {
                "name": "days_open",
                "kind": "number",
                "elapsed": True,
                "derived": True,
                "sql": SQL("(%s::date - crm_lead.create_date::date)::float8", now),
            },
            {
                "name": "days_in_stage",
                "kind": "number",
                "elapsed": True,
                "derived": True,
                "sql": SQL(
                    """(%s::date - COALESCE(crm_lead.date_last_stage_update,
                                            crm_lead.create_date)::date)::float8""",
                    now,
                ),
            },
            {
                "name": "automated",
                "kind": "number",
                "sql": SQL(
                    """CASE WHEN crm_lead.automated_probability > 0
                             AND crm_lead.automated_probability < 100
                            THEN crm_lead.automated_probability::float8 END"""
                ),
            },
        ]

    @api.model
    def _get_input_label(self, name):
        """Return the name of an input in words."""
        labels = {
            "days_open": self.env._("Days open"),
            "days_in_stage": self.env._("Days in the stage"),
            "automated": self.env._("Odoo's own estimate"),
            "score_value": self.env._("Value by the scorecard"),
        }
        field = self.env["crm.lead"]._fields.get(name)
        if name in labels or field is None:
            return labels.get(name, name)
        return field._description_string(self.env)

    @api.model
    def _get_value_label(self, name, value):
        """Return a value of an input in words."""
        if value is None:
            return self.env._("unknown")
        field = self.env["crm.lead"]._fields.get(name)
        if field is not None and field.type == "many2one":
            # sudo: a name beside a figure the reader may see
            record = self.env[field.comodel_name].sudo().browse(int(value)).exists()
            return record.display_name or value
        if field is not None and field.type == "selection":
            return dict(field._description_selection(self.env)).get(value, value)
        if field is not None and field.type == "boolean":
            return self.env._("yes") if value == "true" else self.env._("no")
        if not isinstance(value, float):
            return value
        number = formatLang(self.env, value, digits=0 if value.is_integer() else 1)
        return f"{number}%" if name == "automated" else number

    # Closed deals as they were while they were open

    @api.model
    def _read_closed_deals(self, company, limit):
        """Read closed deals of a company as they were at a moment when they were open.

        The moment is a share of each deal's life that depends on its id only, so that young
        and old deals are learned from and two readings agree. Values come from the row of score
        history that held at the moment; of deals without history, from the deal, with tracked
        changes undone that were made after the moment.

        :param company: ``res.company`` record; empty: deals without a company
        :param int limit: how many, the latest
        :return: ``(won, columns, closed)``: lists in the order of closing
        """
        fields_sql = [
            SQL("%s AS %s", i["sql"], SQL.identifier(i["name"])) for i in self._get_inputs()
        ]
        lead_model = self.env["crm.lead"]
        lead_model.flush_model()
        for model in (
            "crm.lead.score", "crm.lead.stage.history", "mail.message", "mail.tracking.value"
        ):  # fmt: skip
            self.env[model].flush_model()
        rows = self.env.execute_query_dict(
            SQL(
                """WITH l AS (
                       SELECT l.*,
                              l.won_status = 'won' AS is_won,
                              GREATEST(l.create_date, COALESCE(l.date_closed, l.write_date))
                                  AS closed_at,
                              (l.id::bigint * 7919 %% 1009) / 1009.0 AS share
                         FROM crm_lead l
                        WHERE l.won_status IN ('won', 'lost') AND l.company_id %(company)s
                     ORDER BY COALESCE(l.date_closed, l.write_date) DESC, l.id DESC
                        LIMIT %(limit)s
                   ), m AS (
                       SELECT l.*, l.create_date + (l.closed_at - l.create_date) * l.share AS moment
                         FROM l
                   )
                   SELECT crm_lead.id AS lead_id, crm_lead.is_won, crm_lead.closed_at,
                          crm_lead.moment,
                          i.inputs AS then_inputs, h.score_value AS then_value,
                          stay.stage_id::text AS then_stage,
                          (crm_lead.moment::date - crm_lead.create_date::date)::float8 AS days_open,
                          (crm_lead.moment::date - stay.date_in::date)::float8 AS days_in_stage,
                          CASE WHEN crm_lead.type = 'lead'
                                 OR crm_lead.date_conversion > crm_lead.moment
                               THEN 'lead' ELSE 'opportunity' END AS then_type,
                          %(fields)s
                     FROM m AS crm_lead
                LEFT JOIN LATERAL (
                              SELECT h.inputs FROM crm_lead_score h
                               WHERE h.lead_id = crm_lead.id AND h.date < crm_lead.closed_at
                                 AND h.inputs IS NOT NULL
                            ORDER BY h.date <= crm_lead.moment DESC,
                                     abs(EXTRACT(EPOCH FROM h.date - crm_lead.moment)), h.id
                               LIMIT 1
                          ) i ON TRUE
                LEFT JOIN LATERAL (
                              SELECT h.score_value FROM crm_lead_score h
                               WHERE h.lead_id = crm_lead.id AND h.date < crm_lead.closed_at
                            ORDER BY h.date <= crm_lead.moment DESC,
                                     abs(EXTRACT(EPOCH FROM h.date - crm_lead.moment)), h.id
                               LIMIT 1
                          ) h ON TRUE
                LEFT JOIN LATERAL (
                              SELECT s.stage_id, s.date_in FROM crm_lead_stage_history s
                                JOIN crm_stage st ON st.id = s.stage_id AND NOT st.is_won
                               WHERE s.lead_id = crm_lead.id AND s.date_in <= crm_lead.moment
                                 AND crm_lead.closed_at > crm_lead.create_date + interval '1 hour'
                            ORDER BY s.date_in DESC, s.id DESC
                               LIMIT 1
                          ) stay ON TRUE
                 ORDER BY crm_lead.closed_at, crm_lead.id""",
                company=SQL("= %s", company.id) if company else SQL("IS NULL"),
                limit=limit,
                fields=SQL(", ").join(fields_sql),
            )
        )
        self._undo_later_changes([row for row in rows if row["then_inputs"] is None])
        return self._prepare_columns(rows)

    @api.model
    def _undo_later_changes(self, rows):
        """Put tracked values back to what they were at each row's moment."""
        lead_model = self.env["crm.lead"]
        inputs = {i["name"]: i["kind"] for i in self._get_inputs()}
        tracked = [name for name in inputs if getattr(lead_model._fields[name], "tracking", None)]
        if not rows or not tracked:
            return
        by_id = {row["lead_id"]: row for row in rows}
        changes = self.env.execute_query(
            SQL(
                """SELECT DISTINCT ON (m.res_id, f.name)
                          m.res_id, f.name, f.ttype, v.old_value_integer, v.old_value_float,
                          v.old_value_char
                     FROM unnest(%s::int4[], %s::timestamp[]) AS d (lead_id, moment)
                     JOIN mail_message m
                       ON m.model = 'crm.lead' AND m.res_id = d.lead_id AND m.date > d.moment
                     JOIN mail_tracking_value v ON v.mail_message_id = m.id
                     JOIN ir_model_fields f ON f.id = v.field_id AND f.name = ANY(%s)
                 ORDER BY m.res_id, f.name, m.date, m.id""",
                list(by_id),
                [row["moment"] for row in rows],
                tracked,
            )
        )
        for lead_id, name, kind, integer, number, text in changes:
            if kind == "many2one":
                old = str(integer) if integer else None
            elif kind in NUMBERS:
                old = (integer if kind == "integer" else number) or None
                old = None if old is None else float(old)
            elif kind == "boolean":
                old = str(bool(integer)).lower()
            elif kind == "char":
                old = (text or "").strip().lower() or None
            else:  # the words of a selection, the text of a date: not what the column holds
                continue
            by_id[lead_id][name] = old

    @api.model
    def _prepare_columns(self, rows):
        """Return outcomes, columns of inputs and closing dates of the rows read."""
        columns = {i["name"]: [] for i in self._get_inputs()}
        plain = list(columns)
        kinds = {i["name"]: i["kind"] for i in self._get_inputs()}
        columns |= {
            name: []
            for name in (
                "type",
                "stage_id",
                "days_open",
                "days_in_stage",
                "automated",
                "score_value",
            )
        }
        for row in rows:
            then = row["then_inputs"]
            for name in plain:
                value = row[name] if then is None else then.get(name)
                if value is not None and kinds[name] == "number":
                    value = float(value)
                columns[name].append(value)
            columns["type"].append(row["then_type"])
            columns["stage_id"].append(row["then_stage"])
            columns["days_open"].append(row["days_open"])
            columns["days_in_stage"].append(row["days_in_stage"])
            columns["automated"].append((then or {}).get("automated"))
            value = row["then_value"]
            columns["score_value"].append(None if value is None else float(value))
        return [row["is_won"] for row in rows], columns, [row["closed_at"] for row in rows]
