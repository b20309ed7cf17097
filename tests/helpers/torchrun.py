"""Groups of forked processes, started by torchrun.

It is the real torchrun, with its agent, rendezvous, variables and restarts. It forks its workers
instead of starting an interpreter for each. A fork that succeeds waits for the others: tests that
stop the agent by a signal use new interpreters, since forks would wait for 30 seconds.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import ganzoo
from helpers.processes import TIMEOUT, Process, start_python

GANZOO = Path(ganzoo.__file__).with_name("__main__.py")
WORKER = Path(__file__).with_name("torchrun_worker.py")
MAIN = "from torch.distributed.run import main; main()"


class Group:
    """Processes that train together.

    Attributes:
        agent: the process of torchrun.
    """

    def __init__(
        self, processes: int, *arguments: object, restarts: int, script: str | Path
    ) -> None:
        self._ranks = tempfile.TemporaryDirectory()
        options = ["--standalone", "--nproc-per-node", processes, "--max-restarts", restarts]
        options += ["--start-method", "fork", "--run-path", WORKER, self._ranks.name, script]
        # Scripts import the helpers.
        paths = [str(WORKER.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
        env = {"PYTHONPATH": os.pathsep.join(paths)}
        self.agent: Process = start_python(MAIN, *map(str, [*options, *arguments]), env=env)

    def pid(self, rank: int) -> int:
        """Return the process id of a started rank; after a restart, of the newest process."""
        return int(Path(self._ranks.name, str(rank)).read_text())

    def finish(self, timeout: float = TIMEOUT) -> tuple[int, str, str]:
        """Wait for the end; return torchrun's status and the output of all processes."""
        status = self.agent.wait(timeout)
        self._ranks.cleanup()
        return status, *self.agent.output()


def start_group(
    processes: int, *arguments: object, restarts: int = 0, script: str | Path = GANZOO
) -> Group:
    """Start several processes of ``ganzoo``, or of another script."""
    return Group(processes, *arguments, restarts=restarts, script=script)


def run_group(
    processes: int, *arguments: object, script: str | Path = GANZOO
) -> tuple[int, str, str]:
    """Run several processes; return torchrun's status and the output of all processes."""
    return start_group(processes, *arguments, script=script).finish()
