{
    "name": "CRM Scoring",
    "version": "19.0.1.0.0",
    "category": "Sales/CRM",
    "summary": "Scores deals and clients, and says why",
    "author": "CRM Suite",
    "license": "LGPL-3",
    "depends": [
        "crm_extended",
    ],
    "data": [
        "security/crm_scoring_security.xml",
        "security/ir.model.access.csv",
        "security/crm_customer_profile_security.xml",
        "data/ir_cron_data.xml",
        "data/crm_scorecard_data.xml",
        "data/crm_customer_profile_data.xml",
        "views/crm_customer_profile_views.xml",
        "views/crm_interaction_views.xml",
        "views/crm_lead_score_views.xml",
        "views/crm_lead_scoring_rate_views.xml",
        "views/crm_lead_views.xml",
        "views/crm_scorecard_factor_views.xml",
        "views/crm_scorecard_views.xml",
        "views/res_partner_views.xml",
        "views/crm_scoring_menus.xml",
        "wizard/crm_lead_class_adjust_views.xml",
    ],
    "assets": {
        "web.assets_backend": [
            "crm_scoring/static/src/scss/crm_lead_form.scss",
        ],
    },
    "demo": [
        "demo/crm_lead_demo.xml",
        "demo/crm_customer_profile_demo.xml",
    ],
}
