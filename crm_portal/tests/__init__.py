from . import (
    test_agreements,
    test_attacks,
    test_calls,
    test_claim_answers,
    test_claim_filing,
    test_claim_pages,
    test_company,
    test_orders,
    test_posting,
    test_uploads,
)
