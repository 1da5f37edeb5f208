from odoo import api, fields, models

from ..tools.mail_table import render_plain_text

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


class MailMail(models.Model):
    """A mail may bring its own plain text, which reads better than one made of its HTML."""

    _inherit = "mail.mail"

    crm_body_text = fields.Text(string="Plain Text", help="Left empty: made of the HTML.")

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
