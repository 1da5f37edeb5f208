from . import (
    test_claim,
    test_claim_access,
    test_claim_answer,
    test_claim_fault,
    test_claim_investigation,
    test_claim_line,
    test_claim_mail,
    test_claim_race,
    test_claim_refund,
    test_claim_report,
    test_claim_workflow,
    test_tools,
)
