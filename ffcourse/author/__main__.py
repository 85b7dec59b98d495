"""Run the authors' tools without the front command: ``python -m ffcourse.author VERB``."""

import sys

from ffcourse.author.command import main

sys.exit(main(sys.argv[1:]))
