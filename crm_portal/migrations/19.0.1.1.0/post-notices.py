OLD_SENDERS = (
    "{{ (object.user_id.email_formatted or object.company_id.email_formatted or"
    " user.email_formatted) }}",
    "{{ (object.decided_by_id.email_formatted or object.company_id.email_formatted or"
    " user.email_formatted) }}",
)
COMPANY = "{{ object.company_id.email_formatted or user.email_formatted }}"
TEAM = (
    "{{ object.team_id.alias_email or object.company_id.email_formatted or user.email_formatted }}"
)
SENDERS = {
    "mail_template_order_confirmed": TEAM,
    "mail_template_order_delivered": TEAM,
    "mail_template_appointment": COMPANY,
    "mail_template_agreement_started": COMPANY,
    "mail_template_agreement_ends": COMPANY,
    "mail_template_change": COMPANY,
    "mail_template_feedback": COMPANY,
}
# document of a notice: table, and its column that names the customer
DOCUMENTS = {
    "sale.order": ("sale_order", "partner_id"),
    "crm.agreement": ("crm_agreement", "partner_id"),
    "crm.interaction": ("crm_interaction", "portal_request_partner_id"),
    "crm.portal.change": ("crm_portal_change", "requested_by_id"),
    "res.users": ("res_users", "partner_id"),
}


def migrate(cr, version):
    """Notices come from the team or the company; each says whom it told, for which company.

    A template whose sender somebody has changed keeps it.
    """
    for name, sender in SENDERS.items():
        cr.execute(
            """
            UPDATE mail_template template SET email_from = %s
              FROM ir_model_data data
             WHERE data.module = 'crm_portal' AND data.name = %s
               AND data.model = 'mail.template' AND data.res_id = template.id
               AND template.email_from = ANY(%s)
            """,
            [sender, name, list(OLD_SENDERS)],
        )
    for model, (table, column) in DOCUMENTS.items():
        cr.execute(
            f"""
            UPDATE crm_portal_notice notice
               SET partner_id = document.{column}, company_id = document.company_id
              FROM {table} document
             WHERE notice.res_model = %s AND notice.res_id = document.id
               AND notice.company_id IS NULL
            """,
            [model],
        )
