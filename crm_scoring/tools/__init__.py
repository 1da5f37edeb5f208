from . import (
    association,
    copying,
    profiles_xlsx,
    purchase_model,
    recommendations_xlsx,
    recommender,
    relative_dates,
    rfm,
    scoring,
)
