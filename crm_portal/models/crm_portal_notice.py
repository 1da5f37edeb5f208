from odoo import api, fields, models
from odoo.tools import SQL


class CrmPortalNoticeChoice(models.Model):
    """Which events a customer is told of, and by which way; without a row: by mail, not by SMS."""

    _name = "crm.portal.notice.choice"
    _description = "Customer's Choice of Notices"
    _order = "partner_id, event"
    _rec_name = "event"

    partner_id = fields.Many2one("res.partner", required=True, index=True, ondelete="cascade")
    event = fields.Selection(
        lambda self: list(self._get_events().items()), required=True, readonly=True
    )
    by_mail = fields.Boolean(default=True)
    by_sms = fields.Boolean("By SMS")

    _partner_event_unique = models.UniqueIndex(
        "(partner_id, event)", "The choice for this event exists already."
    )

    @api.model
    def _get_events(self):
        """What customers can be told of, in the order of the page; other add-ons extend it."""
        return {
            "order_confirmed": self.env._("An order is confirmed"),
            "order_delivered": self.env._("An order is delivered"),
            "claim_received": self.env._("We have received your claim"),
            "claim_question": self.env._("We need something from you for a claim"),
            "claim_promise": self.env._("The promised date of a claim moves"),
            "claim_decision": self.env._("A claim is decided"),
            "claim_rating": self.env._("A claim is closed: how did we handle it?"),
            "appointment": self.env._("An appointment with us is fixed, moved or cancelled"),
            "agreement_started": self.env._("An agreement comes into force"),
            "agreement_ends": self.env._("An agreement ends soon"),
            "change": self.env._("Your data were changed as you asked, or not"),
            "survey": self.env._("Short surveys about our work"),
        }

    @api.model
    def _get_sms_events(self):
        """Events short enough for an SMS."""
        return {
            "order_confirmed", "order_delivered", "claim_received", "claim_question",
            "claim_promise", "claim_decision", "appointment",
        }  # fmt: skip

    @api.model
    def _get_wanted(self, partners, event):
        """Ways by which customers want to hear of an event.

        :return: partner id → set of ``mail`` and ``sms``
        :rtype: dict[int, set]
        """
        wanted = {partner.id: {"mail"} for partner in partners}
        # sudo: a customer's choice binds whoever's act makes the notice go out
        for choice in self.sudo().search(
            [("partner_id", "in", partners.ids), ("event", "=", event)]
        ):
            ways = {"mail"} if choice.by_mail else set()
            if choice.by_sms and event in self._get_sms_events():
                ways.add("sms")
            wanted[choice.partner_id.id] = ways
        return wanted

    @api.model
    def _set_choices(self, partner, ticked):
        """Store what a customer ticked.

        :param set ticked: (event, way) pairs; what is not in it is switched off
        """
        rows = [
            (partner.id, event, (event, "mail") in ticked, (event, "sms") in ticked)
            for event in self._get_events()
        ]
        # one statement: two windows of one customer do not collide
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO crm_portal_notice_choice (partner_id, event, by_mail, by_sms)
                     VALUES %s
                ON CONFLICT (partner_id, event)
                  DO UPDATE SET by_mail = EXCLUDED.by_mail, by_sms = EXCLUDED.by_sms
                """,
                SQL(", ").join(SQL("%s", row) for row in rows),
            )
        )
        self.invalidate_model()


class CrmPortalNotice(models.Model):
    """A notice that went to a customer: kept so that nothing is told twice."""

    _name = "crm.portal.notice"
    _description = "Notice Sent to a Customer"
    _order = "date desc, id desc"
    _rec_name = "event"
    _log_access = False

    res_model = fields.Char("Document Model", required=True, readonly=True)
    res_id = fields.Many2oneReference(
        "Document", model_field="res_model", required=True, readonly=True
    )
    event = fields.Char(required=True, readonly=True)
    stamp = fields.Char(required=True, readonly=True, help="What tells two of a kind apart.")
    partner_id = fields.Many2one("res.partner", readonly=True, index=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", readonly=True, index=True)
    date = fields.Datetime(readonly=True)

    _once = models.UniqueIndex("(res_model, res_id, event, stamp)", "This was told already.")

    @api.model
    def _get_addressee(self, record_sudo):
        """Ids of whom is told, and of the company that tells; ``None`` where there is none."""
        is_notifier = isinstance(record_sudo, self.pool["crm.portal.notifier"])
        partner = (
            record_sudo._portal_get_notice_partner() if is_notifier else record_sudo.partner_id
        )
        company = (
            record_sudo._portal_get_notice_company() if is_notifier else record_sudo.company_id
        )
        return partner.id or None, company.id or None

    @api.model
    def _claim(self, records, event, stamp=""):
        """Take the right to tell of an event; of two processes one gets it.

        :param records: documents with ``crm.portal.notifier``, or with a partner and a company
        :return: those of ``records`` that were not told of yet
        """
        if not records:
            return records
        now = fields.Datetime.now()
        rows = [
            (
                records._name,
                record.id,
                event,
                stamp,
                now,
                *self._get_addressee(record),
            )
            for record in records.sudo()
        ]
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO crm_portal_notice
                            (res_model, res_id, event, stamp, date, partner_id, company_id)
                     VALUES %s
                ON CONFLICT (res_model, res_id, event, stamp) DO NOTHING RETURNING res_id
                """,
                SQL(", ").join(SQL("%s", row) for row in rows),
            )
        )
        return records.browse(row[0] for row in self.env.cr.fetchall())


class CrmPortalNotifier(models.AbstractModel):
    """A document whose customer is told of what happens to it, in his language, once.

    Only customers who have an account in the portal are told: they can choose. The mail comes from
    a template, so that a company can word it; answers go to the document. An SMS costs money and is
    sent only where the company has switched it on and the customer has ticked it.
    """

    _name = "crm.portal.notifier"
    _description = "Document That Tells Its Customer"

    def _portal_get_notice_partner(self):
        """Whom to tell: res.partner, may be empty."""
        self.ensure_one()
        return self.partner_id

    def _portal_get_notice_company(self):
        self.ensure_one()
        return self.company_id or self.env.company

    def _portal_get_reply_document(self):
        """The record at which answers to a notice arrive: one of a model that takes mails."""
        self.ensure_one()
        return self

    def _portal_prepare_notice_mail(self):
        """Values of the mail beside those of the template, so that answers find their way.

        A mail of a template has no address for answers, and would bring them to its sender.
        """
        self.ensure_one()
        document = self._portal_get_reply_document()
        values = {} if document == self else {"model": document._name, "res_id": document.id}
        if reply_to := document._notify_get_reply_to()[document.id]:
            values["reply_to"] = reply_to
        return values

    def _portal_notify(self, event, template_xmlid, sms_xmlid=None, stamp=""):
        """Tell the customers of these documents of an event.

        :param str event: key of ``crm.portal.notice.choice._get_events``
        :param str stamp: tells apart events of a kind that may happen several times
        :return: documents of which a notice was queued
        """
        # sudo: templates and choices, whoever's act makes the notice go out
        records = self.sudo()
        partners = {record: record._portal_get_notice_partner() for record in records}
        members = self._portal_get_members(self.env["res.partner"].sudo().union(*partners.values()))
        records = records.filtered(lambda record: partners[record] in members)
        told = self.env["crm.portal.notice"]._claim(records, event, stamp)
        if not told:
            return self.browse()
        wanted = self.env["crm.portal.notice.choice"]._get_wanted(members, event)
        by_mail = told.filtered(
            lambda record: "mail" in wanted[partners[record].id] and partners[record].email
        )
        template_sudo = self.env.ref(template_xmlid, raise_if_not_found=False)
        if template_sudo and by_mail:
            for record in by_mail:
                template_sudo.sudo().send_mail(
                    record.id,
                    force_send=False,
                    email_values=record._portal_prepare_notice_mail(),
                    email_layout_xmlid="mail.mail_notification_light",
                )
        by_sms = told.filtered(lambda record: "sms" in wanted[partners[record].id])
        if sms_xmlid and by_sms:
            by_sms._portal_send_sms(sms_xmlid, partners)
        return told.sudo(self.env.su)

    @api.model
    def _portal_get_members(self, partners):
        """Those who can choose: with an account in the portal."""
        return (
            self.env["res.users"]
            .sudo()
            .search([("partner_id", "in", partners.ids), ("share", "=", True)])
            .partner_id
        )

    def _portal_send_sms(self, sms_xmlid, partners):
        """Queue an SMS to each customer who wants it, where the company pays for it."""
        template_sudo = self.env.ref(sms_xmlid, raise_if_not_found=False)
        records = self.filtered(
            lambda record: record._portal_get_notice_company().portal_sms_notices
            and partners[record]._phone_format(number=partners[record].phone)
        )
        if not template_sudo or not records:
            return
        bodies = template_sudo.sudo()._render_field("body", records.ids, compute_lang=True)
        self.env["sms.sms"].sudo().create(
            [
                {
                    "number": partners[record]._phone_format(number=partners[record].phone),
                    "partner_id": partners[record].id,
                    "body": bodies[record.id],
                }
                for record in records
            ]
        )
