{
    "name": "CRM Extended",
    "version": "19.0.1.0.0",
    "category": "Sales/CRM",
    "summary": "One card per client: interactions, agreements, sales history",
    "author": "CRM Suite",
    "license": "LGPL-3",
    "depends": [
        "sale_crm",
        "sale_management",
        "account",
        "calendar",
        "contacts",
        "phone_validation",
        "base_automation",
    ],
    "data": [
        "security/crm_extended_security.xml",
        "security/crm_interaction_security.xml",
        "security/ir.model.access.csv",
        "views/crm_extended_menus.xml",
    ],
    "demo": [
        "demo/res_users_demo.xml",
        "demo/res_partner_demo.xml",
        "demo/product_demo.xml",
    ],
}
