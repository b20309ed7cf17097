"""``python -m ganzoo`` is ``ganzoo``."""

import os
import sys

from ganzoo.cli import main

if __name__ == "__main__":
    status = main()
    if "RANK" in os.environ:
        # Threads of the communication between processes may abort one that unwinds, after all is
        # done: torchrun would report a failure.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)
