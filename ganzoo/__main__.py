"""Entry point of ``python -m ganzoo``, which is the same as ``ganzoo``."""

import sys

from ganzoo.cli import main

sys.exit(main())
