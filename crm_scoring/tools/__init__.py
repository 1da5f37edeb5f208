from . import profiles_xlsx, purchase_model, relative_dates, rfm, scoring
