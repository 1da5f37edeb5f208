from . import customer_effect, customer_profile
