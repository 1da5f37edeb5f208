from . import crm_channel_report, crm_lead_score_review, crm_scorecard_factor_review
