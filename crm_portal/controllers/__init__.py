from . import (
    agreement_renewal,
    agreements,
    attachments,
    calls,
    claim_answers,
    claim_filing,
    claims,
    company,
    debt,
    home,
    home_service,
    orders,
)
