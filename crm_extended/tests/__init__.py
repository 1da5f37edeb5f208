# ruff: noqa: I001 - one line for each file
from . import test_calling_window
from . import test_interaction
from . import test_interaction_outcome
from . import test_interaction_race
