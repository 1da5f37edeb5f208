from . import (
    test_call_card,
    test_class_adjustment,
    test_customer_profile,
    test_customer_profile_figures,
    test_lead_score,
    test_leaving,
    test_my_calls,
    test_purchase_model,
    test_scorecard,
    test_scoring_model,
    test_tools,
    test_win_model,
)
