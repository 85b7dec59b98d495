"""Entry point of ``python3 -m ffcourse``; written so that even an old Python can read it."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the whole point is to say so in an old Python
    message = (
        "ffcourse needs Python 3.11 or later, and this is Python %d.%d: install a newer one from "
        "python.org or your system's packages, then run the command with it, for example "
        "`python3.12 -m ffcourse lab`."
    )
    sys.exit(message % sys.version_info[:2])

from ffcourse.cli import main

if __name__ == "__main__":
    sys.exit(main())
