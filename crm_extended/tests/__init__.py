from . import (
    test_accountant,
    test_agreement,
    test_agreement_approval,
    test_agreement_orders,
    test_agreement_portal,
    test_agreement_roads,
    test_agreement_terms,
    test_calling_window,
    test_interaction,
    test_interaction_outcome,
    test_interaction_race,
    test_sale_deal_report,
)
