from . import test_delivery, test_terms
