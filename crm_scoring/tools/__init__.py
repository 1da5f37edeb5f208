from . import (
    association,
    copying,
    profiles_xlsx,
    purchase_model,
    recommender,
    relative_dates,
    rfm,
    scoring,
)
