from . import relative_dates, scoring
