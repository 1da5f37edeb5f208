{
    "name": "Claims about Deliveries",
    "version": "19.0.1.0.0",
    "category": "Services/Claims",
    "summary": "Register a claim from a delivery, with its items and lots",
    "author": "CRM Suite",
    "license": "LGPL-3",
    "depends": [
        "crm_claims",
        "sale_stock",
    ],
    "auto_install": True,
    "data": [
        "security/ir.model.access.csv",
        "wizard/crm_claim_delivery_views.xml",
        "views/stock_picking_views.xml",
        "views/crm_claim_views.xml",
    ],
}
