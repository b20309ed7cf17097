"""Commands in forks of one process: as alone as in a new one, without seconds of imports each."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

_SERVER = """
import importlib, json, os, runpy, sys, traceback
import matplotlib.pyplot, onnxruntime, onnxscript, sklearn.datasets, torch, torchmetrics, torchvision
import ganzoo.cli, ganzoo.evaluation, ganzoo.exporters, ganzoo.training

for line in sys.stdin:
    job = json.loads(line)
    if child := os.fork():
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
        continue
    for place, name in enumerate((os.devnull, job["out"], job["err"])):
        os.dup2(os.open(name, os.O_RDWR), place)
    os.environ.update(job["env"])
    os.chdir(job["cwd"])
    importlib.invalidate_caches()  # what was installed since
    sys.argv = ["ganzoo", *job["arguments"]]
    status = 0
    try:
        if job["code"] is None:
            runpy.run_module("ganzoo", run_name="__main__", alter_sys=True)
        else:
            exec(compile(job["code"], "<code>", "exec"), {"__name__": "__main__"})
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # libraries would wait for threads that a fork does not have
"""


class Forks:
    """A process that has imported what most commands need, and forks for each.

    Args:
        python: whose.
    """

    def __init__(self, python: str | Path = sys.executable) -> None:
        self._server = subprocess.Popen(
            [str(python), "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def cli(self, *arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
        """Run `ganzoo` as `conftest.run_cli` does."""
        return self._run(None, [str(a) for a in arguments], **options)

    def python(self, code: str, **options: object) -> subprocess.CompletedProcess[str]:
        """Run code as `conftest.run_python` does."""
        return self._run(code, [], **options)

    def close(self) -> None:
        """End the process."""
        self._server.communicate(timeout=60)

    def _run(
        self, code: str | None, arguments: list[str], *, cwd: object, env: object = None
    ) -> subprocess.CompletedProcess[str]:
        with tempfile.NamedTemporaryFile("r") as out, tempfile.NamedTemporaryFile("r") as err:
            job = {"code": code, "arguments": arguments, "cwd": str(cwd), "env": env or {}}
            print(
                json.dumps(job | {"out": out.name, "err": err.name}),
                file=self._server.stdin,
                flush=True,
            )
            assert self._server.stdout is not None
            status = int(self._server.stdout.readline())
            return subprocess.CompletedProcess(arguments, status, out.read(), err.read())
