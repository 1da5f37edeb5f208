from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Overdue work counts activities and steps of investigations, too; a changed metric stays.

    Metrics are data that an upgrade does not touch. Its description and terms follow.
    """
    env = api.Environment(cr, SUPERUSER_ID, {})
    metric = env.ref("crm_extended.crm_metric_overdue_work", raise_if_not_found=False)
    if not metric or metric.model != "crm.interaction":
        return
    metric.write(
        {
            "model": "crm.overdue",
            "domain": "[]",
            "date_field": "date_due",
            "partner_field": False,
            "description": "Contacts, activities and other work whose time is over, now.",
        }
    )
    russian = env["res.lang"]._get_data(code="ru_RU")
    if russian:
        metric.with_context(
            lang="ru_RU"
        ).description = (
            "Контакты, дела и другая работа, срок которой уже прошёл, на текущий момент."
        )
