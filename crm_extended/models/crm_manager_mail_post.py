from odoo import api, fields, models

from ..tools.mail_table import render_plain_text
from .crm_manager_mail import MOST_ATTEMPTS

#: attachments with such a name are pictures inside the text, not files below it
INLINE = "cid:"


class CrmManagerMail(models.Model):
    """From what a mail says to the mail: HTML, plain text, pictures, files."""

    _inherit = "crm.manager.mail"

    @api.model
    def _post(self, mail):
        """Put a mail into Odoo's queue.

        :param dict mail: see ``_build_mail``
        :rtype: mail.mail
        """
        user, company = mail["user"], mail["company"]
        body = self.env["ir.qweb"]._render(
            "crm_extended.manager_mail", {"mail": mail}, lang=user.lang, minimal_qcontext=True
        )
        files = [
            *mail["files"],
            *((f"{INLINE}{chart['cid']}", chart["png"], "image/png") for chart in mail["charts"]),
        ]
        return self.env["mail.mail"].create(
            {
                "subject": mail["subject"],
                "body_html": body,
                "crm_body_text": render_plain_text(mail),
                "email_from": company.email_formatted or self.env.user.email_formatted,
                "email_to": user.email_formatted,
                "auto_delete": True,
                "state": "outgoing",
                "headers": {
                    "List-Unsubscribe": f"<{mail['unsubscribe_url']}>",
                    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                    "X-Auto-Response-Suppress": "OOF",
                },
                "attachment_ids": [
                    (0, 0, {"name": name, "raw": content, "mimetype": mimetype,
                            "res_model": "mail.message"})
                    for name, content, mimetype in files
                ],
            }
        )  # fmt: skip

    @api.model
    def _hand_out(self, mail):
        """Take a mail out of the queue, and commit that, before it is sent.

        :param mail: mail.mail
        :return: whether it may be sent; False if it was taken before, and may have come
        :rtype: bool
        """
        # sudo: the log of whoever's mail it is
        row_sudo = self.sudo().search([("mail_id", "=", mail.id)], limit=1)
        known = bool(row_sudo.date_handed)
        if known:
            row_sudo.write(
                {
                    "state": "failed",
                    "attempts": MOST_ATTEMPTS,
                    "note": self.env._(
                        "The program was stopped while this mail was being sent. It is not sent "
                        "again, as it may have come."
                    ),
                }
            )
            mail.state = "cancel"
        else:
            row_sudo.date_handed = fields.Datetime.now()
        self.env.cr.commit()
        return not known


class MailMail(models.Model):
    """A mail may bring its own plain text, which reads better than one made of its HTML.

    Mails of figures are sent once: Odoo marks a mail as sent after it was handed to the mail
    server, and would send it again if it was killed between.
    """

    _inherit = "mail.mail"

    crm_body_text = fields.Text(string="Plain Text", help="Left empty: made of the HTML.")

    def _send(self, auto_commit=False, *args, **kwargs):
        figures = self.filtered(lambda mail: mail.crm_body_text and mail.state == "outgoing")
        # without a commit after each mail, somebody waits, and sees what becomes of it
        if not auto_commit or not figures:
            return super()._send(auto_commit, *args, **kwargs)
        for mail in figures:
            if self.env["crm.manager.mail"]._hand_out(mail):
                super(MailMail, mail)._send(auto_commit, *args, **kwargs)
        return super(MailMail, self - figures)._send(auto_commit, *args, **kwargs)

    def mark_outgoing(self):
        # sudo: whoever sends it again on purpose need not see the log
        self.env["crm.manager.mail"].sudo().search([("mail_id", "in", self.ids)]).write(
            {"date_handed": False, "state": "sent", "note": False}
        )
        return super().mark_outgoing()

    def _prepare_outgoing_list(self, *args, **kwargs):
        outgoing = super()._prepare_outgoing_list(*args, **kwargs)
        if self.crm_body_text:
            for values in outgoing:
                values["body_alternative"] = self.crm_body_text
        return outgoing


class IrMailServer(models.Model):
    """Pictures that the text of a mail shows (``cid:``) travel inside of it, not as files."""

    _inherit = "ir.mail_server"

    def _build_email__(self, email_from, email_to, subject, body, *args, **kwargs):
        attachments = kwargs.get("attachments") or []
        inline = [file for file in attachments if file[0].startswith(INLINE)]
        if inline:
            kwargs["attachments"] = [file for file in attachments if file not in inline]
        message = super()._build_email__(email_from, email_to, subject, body, *args, **kwargs)
        html = message.get_body(("html",)) if inline else None
        for name, content, mimetype in inline:
            if html is not None:
                maintype, _sep, subtype = mimetype.partition("/")
                cid = name.removeprefix(INLINE)
                html.add_related(
                    content,
                    maintype,
                    subtype,
                    cid=f"<{cid}>",
                    filename=f"{cid.partition('.')[0]}.{subtype}",
                    disposition="inline",
                )
        return message
