"""The main module of a fork of torchrun: store the process id, then run a script.

torchrun_worker.py FOLDER SCRIPT.py ARGUMENTS ...
"""

import os
import runpy
import signal
import sys
from pathlib import Path

# A new interpreter has none of the handlers of the process that started it.
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
    signal.signal(number, signal.SIG_DFL)
_, folder, *sys.argv = sys.argv
Path(folder, os.environ["RANK"]).write_text(str(os.getpid()))
runpy.run_path(sys.argv[0], run_name="__main__")
