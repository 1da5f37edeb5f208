from . import relative_dates, rfm, scoring
