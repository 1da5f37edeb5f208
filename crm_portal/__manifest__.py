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
        "security/ir.model.access.csv",
    ],
    "demo": [
        "demo/res_users_demo.xml",
    ],
}
