"""Import the modules of plugins in forks, which have imported torch and ganzoo already."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from ganzoo.testing import imports
from helpers.processes import run_python

WATCH = """
import sys
assert not sys.modules.keys() & {*sys.argv[1:]}, "imported before"
import runpy
runpy.run_module("ganzoo.testing.import_watch", run_name="__main__", alter_sys=True)
"""
run_new_interpreter = imports.run_watch


def run_watch(modules: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Import modules and report their side effects, without those of torch and ganzoo."""
    if any(module.startswith("ganzoo.") for module in modules):
        return run_new_interpreter(modules)
    path = os.pathsep.join(filter(None, sys.path))
    return run_python(WATCH, *modules, env={"PYTHONPATH": path})
