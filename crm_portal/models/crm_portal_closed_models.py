from odoo import models

# Documents of Odoo that portal users may read, by its own rights or with its optional apps, and to
# which this suite adds fields; a test walks the registry for one that is missing here.


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = ["account.move", "crm.portal.closed"]


class AccountMoveLine(models.Model):
    _name = "account.move.line"
    _inherit = ["account.move.line", "crm.portal.closed"]


class CalendarEvent(models.Model):
    _name = "calendar.event"
    _inherit = ["calendar.event", "crm.portal.closed"]


class MailMessage(models.Model):
    _name = "mail.message"
    _inherit = ["mail.message", "crm.portal.closed"]


class ProductProduct(models.Model):
    _name = "product.product"
    _inherit = ["product.product", "crm.portal.closed"]


class ProductTemplate(models.Model):
    _name = "product.template"
    _inherit = ["product.template", "crm.portal.closed"]


class ProjectProject(models.Model):
    _name = "project.project"
    _inherit = ["project.project", "crm.portal.closed"]


class ProjectTask(models.Model):
    _name = "project.task"
    _inherit = ["project.task", "crm.portal.closed"]


class ResCompany(models.Model):
    _name = "res.company"
    _inherit = ["res.company", "crm.portal.closed"]


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "crm.portal.closed"]


class ResUsers(models.Model):
    _name = "res.users"
    _inherit = ["res.users", "crm.portal.closed"]


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = ["sale.order", "crm.portal.closed"]


class SaleOrderLine(models.Model):
    _name = "sale.order.line"
    _inherit = ["sale.order.line", "crm.portal.closed"]
