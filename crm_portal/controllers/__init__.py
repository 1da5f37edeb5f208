from . import agreements, attachments, claim_answers, claim_filing, claims, home
