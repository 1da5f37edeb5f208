{
    "name": "Claims",
    "version": "19.0.1.0.0",
    "category": "Services/Claims",
    "summary": "Register, investigate, decide and learn from claims",
    "author": "CRM Suite",
    "license": "LGPL-3",
    "depends": [
        "crm_extended",
        "hr",
        "project",
        "rating",
        "sms",
    ],
    "excludes": ["crm_claim"],
    "application": True,
    "data": [
        "security/crm_claims_security.xml",
        "security/ir.model.access.csv",
        "views/crm_claims_menus.xml",
    ],
    "demo": [
        "demo/res_users_demo.xml",
    ],
}
