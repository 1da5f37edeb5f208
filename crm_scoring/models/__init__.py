from . import (
    crm_lead,
    crm_lead_class_adjustment,
    crm_lead_score,
    crm_lead_score_details,
    crm_lead_scoring,
    crm_lead_scoring_queue,
    crm_lead_scoring_rate,
    crm_scorecard,
    crm_scorecard_band,
    crm_scorecard_factor,
)
