from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError

VALID_DAYS = 30  # so long can a survey be answered
PROMOTER, DETRACTOR = 9, 6  # marks of the net promoter score, from 0 to 10


class CrmPortalFeedback(models.Model):
    """A short survey that went to a customer after an order, a deal or a claim, and its result.

    - *CSI*: mean of the questions marked so, each from 0 % (worst) to 100 % (best).
    - *NPS*: a mark from 0 to 10; 9 and 10 promote (+100), 0 to 6 detract (-100), the rest counts
      zero: the mean over answers is the net promoter score.
    - What a survey is about, who was responsible and in which segment the customer was are kept as
      they were when it was sent.
    - A customer (his whole company) is asked at most once within the days of our company. What came
      too soon, went to nobody or is not wanted is kept as *not sent*, with the reason, so that
      nobody is asked about it later.
    - A low mark becomes a to-do of the head of the team, else of the responsible, once. One after a
      claim that he may not know (confidential, against himself) goes to the next of them.
    """

    _name = "crm.portal.feedback"
    _description = "Satisfaction Survey Sent"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "date_sent desc, id desc"
    _rec_name = "partner_id"
    _check_company_auto = True

    trigger = fields.Selection(
        [("order", "Delivered Order"), ("deal", "Won Deal"), ("claim", "Closed Claim")],
        "After",
        required=True,
        readonly=True,
    )
    order_id = fields.Many2one("sale.order", readonly=True, ondelete="cascade")
    lead_id = fields.Many2one("crm.lead", "Deal", readonly=True, ondelete="cascade")
    claim_id = fields.Many2one("crm.claim", readonly=True, ondelete="cascade")
    partner_id = fields.Many2one(
        "res.partner", "Asked", required=True, readonly=True, index=True, ondelete="cascade"
    )
    commercial_partner_id = fields.Many2one(
        "res.partner", "Client", readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    user_id = fields.Many2one("res.users", "Manager", readonly=True, index=True)
    team_id = fields.Many2one("crm.team", "Sales Team", readonly=True)
    claim_team_id = fields.Many2one("crm.claim.team", readonly=True)
    cause_id = fields.Many2one("crm.claim.cause", readonly=True)
    segment_id = fields.Many2one(
        "crm.segment", readonly=True, help="The smallest segment the client was in."
    )
    user_input_id = fields.Many2one(
        "survey.user_input",
        "Answer Sheet",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        groups="survey.group_survey_user",
    )
    survey_url = fields.Char(compute="_compute_survey_url", groups="base.group_system")
    state = fields.Selection(
        [("sent", "Sent"), ("answered", "Answered"), ("skipped", "Not Sent")],
        "Status",
        required=True,
        readonly=True,
        index=True,
    )
    skip_reason = fields.Selection(
        [
            ("recent", "Asked lately"),
            ("no_mail", "No e-mail address"),
            ("opted_out", "The customer does not want surveys"),
        ],
        readonly=True,
    )
    date_sent = fields.Datetime("Sent On", readonly=True)
    date_answered = fields.Datetime("Answered On", readonly=True)
    sent_count = fields.Integer("Surveys Sent", readonly=True)
    answered_count = fields.Integer("Answers", readonly=True)
    csi = fields.Float("CSI (%)", readonly=True, aggregator="avg", digits=(5, 1))
    nps_mark = fields.Integer("Recommends Us (0-10)", readonly=True, aggregator=None)
    nps = fields.Float("NPS", readonly=True, aggregator="avg", digits=(5, 1))
    has_csi = fields.Boolean(readonly=True)
    has_nps = fields.Boolean(readonly=True)
    is_low = fields.Boolean("Low Mark", readonly=True)
    comment = fields.Text(readonly=True)

    _order_unique = models.UniqueIndex("(order_id) WHERE order_id IS NOT NULL")
    _lead_unique = models.UniqueIndex("(lead_id) WHERE lead_id IS NOT NULL")
    _claim_unique = models.UniqueIndex("(claim_id) WHERE claim_id IS NOT NULL")
    _client_sent = models.Index("(commercial_partner_id, company_id, date_sent)")

    def _compute_survey_url(self):
        for feedback in self:
            answer_sudo = feedback.sudo().user_input_id
            feedback.survey_url = answer_sudo and (
                feedback.get_base_url() + answer_sudo.get_start_url()
            )

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            raise AccessError(self.env._("Surveys are sent by the system."))
        return super().create(vals_list)

    # ------------------------------------------------------------
    # Sending
    # ------------------------------------------------------------

    @api.model
    def _send(self, company, trigger, records, now=None):
        """Ask the customers of documents, as far as they may be asked.

        :param company: res.company
        :param str trigger: order, deal or claim
        :param records: the documents, as superuser
        :return: crm.portal.feedback, one for each document with a customer
        """
        now = now or fields.Datetime.now()
        records = records.filtered("partner_id")
        clients = records.partner_id.commercial_partner_id
        asked = set(
            self.sudo()
            .search(
                [
                    ("commercial_partner_id", "in", clients.ids),
                    ("company_id", "=", company.id),
                    ("date_sent", ">", now - timedelta(days=company.feedback_days)),
                ]
            )
            .commercial_partner_id.ids
        )
        wanted = self.env["crm.portal.notice.choice"]._get_wanted(records.partner_id, "survey")
        segments = self._get_segments(clients)
        survey = company.feedback_survey_id
        vals_list = []
        for record in records:
            partner = record.partner_id
            client = partner.commercial_partner_id
            reason = False
            if not partner.email_normalized:
                reason = "no_mail"
            elif "mail" not in wanted[partner.id]:
                reason = "opted_out"
            elif client.id in asked:
                reason = "recent"
            values = {
                **self._prepare_values(trigger, record),
                "trigger": trigger,
                "partner_id": partner.id,
                "commercial_partner_id": client.id,
                "company_id": company.id,
                "segment_id": segments.get(client.id),
                "state": "skipped" if reason else "sent",
                "skip_reason": reason,
            }
            if not reason:
                asked.add(client.id)
                values |= {
                    "date_sent": now,
                    "sent_count": 1,
                    "user_input_id": self._create_answer(survey, partner, now).id,
                }
            vals_list.append(values)
        feedbacks = self.sudo().with_context(mail_create_nosubscribe=True).create(vals_list)
        template = self.env.ref("crm_portal.mail_template_feedback", raise_if_not_found=False)
        sent = feedbacks.filtered(lambda feedback: feedback.state == "sent")
        if template and sent:
            template.sudo().send_mail_batch(
                sent.ids,
                force_send=False,
                # of no document and by the company: who is marked must not find the link in it
                email_values={
                    "model": False,
                    "res_id": False,
                    "author_id": company.partner_id.id,
                },
                email_layout_xmlid="mail.mail_notification_light",
            )
        return feedbacks

    @api.model
    def _create_answer(self, survey, partner, now):
        """The answer sheet of a customer: opened by its own token, without login."""
        lang = self.env["res.lang"].sudo()._lang_get(partner.lang or self.env.lang)
        return survey.sudo()._create_answer(
            partner=partner.sudo(),
            check_attempts=False,
            deadline=now + timedelta(days=VALID_DAYS),
            lang_id=lang.id if not survey.lang_ids or lang in survey.lang_ids else False,
        )

    @api.model
    def _prepare_values(self, trigger, record):
        """What a survey is about."""
        if trigger == "order":
            return {"order_id": record.id, "user_id": record.user_id.id,
                    "team_id": record.team_id.id}  # fmt: skip
        if trigger == "deal":
            return {"lead_id": record.id, "user_id": record.user_id.id,
                    "team_id": record.team_id.id}  # fmt: skip
        return {
            "claim_id": record.id,
            "user_id": record.user_id.id,
            "claim_team_id": record.team_id.id,
            "cause_id": record.cause_id.id,
        }

    @api.model
    def _get_segments(self, clients):
        """The smallest segment that each client is in now.

        :return: client id → segment id
        """
        members = self.env["crm.segment.member"].sudo()
        mine = members.search([("partner_id", "in", clients.ids), ("date_exit", "=", False)])
        sizes = dict(
            members._read_group(
                [("segment_id", "in", mine.segment_id.ids), ("date_exit", "=", False)],
                ["segment_id"],
                ["__count"],
            )
        )
        result = {}
        for member in mine.sorted(lambda m: (-sizes[m.segment_id], m.segment_id.id)):
            result[member.partner_id.id] = member.segment_id.id
        return result

    # ------------------------------------------------------------
    # Answers
    # ------------------------------------------------------------

    def _take_answers(self):
        """Read the marks out of the answers that have just been given."""
        for feedback in self.filtered(lambda feedback: feedback.state == "sent"):
            lines = feedback.user_input_id.user_input_line_ids.filtered(
                lambda line: not line.skipped
            )
            values = {
                "state": "answered",
                "date_answered": fields.Datetime.now(),
                "answered_count": 1,
            }
            marks = [
                100.0
                * (line.value_scale - line.question_id.scale_min)
                / (line.question_id.scale_max - line.question_id.scale_min)
                for line in lines
                if line.question_id.crm_measure == "csi" and line.answer_type == "scale"
            ]
            if marks:
                values |= {"csi": sum(marks) / len(marks), "has_csi": True}
            nps = lines.filtered(
                lambda line: line.question_id.crm_measure == "nps" and line.answer_type == "scale"
            )
            if nps:
                mark = nps[0].value_scale
                value = 100 if mark >= PROMOTER else -100 if mark <= DETRACTOR else 0
                values |= {"nps_mark": mark, "nps": value, "has_nps": True}
            values["comment"] = "\n".join(
                filter(
                    None,
                    (line.value_text_box or line.value_char_box for line in lines),
                )
            )
            values["is_low"] = bool(
                (marks and values["csi"] < feedback.company_id.feedback_low_csi)
                or (nps and nps[0].value_scale <= DETRACTOR)
            )
            feedback.write(values)
            if values["is_low"]:
                feedback._schedule_low_mark()

    def _get_head(self):
        """Who takes care of a low mark: the head of the team, else of the person, else himself."""
        self.ensure_one()
        heads = (
            self.team_id.user_id
            | self.claim_team_id.user_id
            | self.user_id.employee_id.parent_id.user_id
            | self.user_id
            | self.partner_id._portal_get_manager(self.company_id)
        )
        claim = self.claim_id
        heads -= claim.fault_ids.accused_user_id
        if claim.confidential:
            heads = heads.filtered(lambda user: claim.with_user(user).has_access("read"))
        return heads[:1]

    def _schedule_low_mark(self):
        self.ensure_one()
        head = self._get_head()
        if head:
            self.activity_schedule(
                "mail.mail_activity_data_todo",
                user_id=head.id,
                summary=self.env._("Low mark by %s: talk to the client", self.partner_id.name),
                note=self.comment,
            )


class SurveyQuestion(models.Model):
    """Which question measures the satisfaction index, which the net promoter score."""

    _inherit = "survey.question"

    crm_measure = fields.Selection(
        [("csi", "Satisfaction Index (CSI)"), ("nps", "Net Promoter Score (NPS)")],
        "Measures",
        help="For questions with a scale. What surveys to customers count by.",
    )


class SurveyUserInput(models.Model):
    _inherit = "survey.user_input"

    def _mark_done(self):
        result = super()._mark_done()
        # sudo: the answer of a visitor without login makes the result
        self.env["crm.portal.feedback"].sudo().search(
            [("user_input_id", "in", self.filtered(lambda answer: not answer.test_entry).ids)]
        )._take_answers()
        return result
