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
        "security/ir.model.access.csv",
        "views/crm_scoring_menus.xml",
    ],
    "demo": [],
}
