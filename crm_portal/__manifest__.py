{
    "name": "CRM Customer Portal",
    "version": "19.0.1.0.0",
    "category": "Services/Claims",
    "summary": "Customers file and follow claims and see their agreements",
    "author": "CRM Suite",
    "license": "LGPL-3",
    "depends": [
        "crm_claims",
        "crm_scoring",
        "portal",
        "survey",
    ],
    "data": [
        "security/crm_portal_security.xml",
        "security/ir.model.access.csv",
        "views/portal_templates.xml",
        "views/portal_claim_templates.xml",
        "views/portal_claim_form_templates.xml",
        "views/portal_agreement_templates.xml",
        "views/portal_home_templates.xml",
        "views/portal_order_templates.xml",
        "views/portal_debt_templates.xml",
        "views/portal_call_templates.xml",
        "views/sale_order_views.xml",
        "views/res_config_settings_views.xml",
        "views/res_config_settings_portal_views.xml",
    ],
    "demo": [
        "demo/res_users_demo.xml",
    ],
    "assets": {
        "web.assets_frontend": [
            "crm_portal/static/src/interactions/**/*",
            "crm_portal/static/src/scss/**/*",
        ],
    },
}
