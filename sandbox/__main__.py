"""Entry point of ``python3 -m sandbox``."""

import sys

if sys.version_info < (3, 10):  # noqa: UP036  (the message is for those who run an older one)
    sys.exit(
        "The sandbox needs Python 3.10 or newer.\n"
        "  To mend it: run it with a newer one, e.g. python3.11 -m sandbox"
    )

from .cli import main

sys.exit(main())
