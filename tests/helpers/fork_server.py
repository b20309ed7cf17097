"""A process that has imported the modules of most commands, and forks for each job.

`helpers.processes` starts it with two sockets: one accepts connections, the other one is closed
when the process must end. A connection sends one job: a message of JSON with four files: standard
output, standard error, a pipe for the process id and the exit status, and standard input.
"""

import contextlib
import gc
import importlib
import json
import multiprocessing
import os
import runpy
import select
import signal
import socket
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

# Modules that commands import when needed: training, plots, export, evaluation.
LIBRARIES = (
    *("matplotlib.backends.backend_agg", "networkx", "onnxruntime", "onnx.helper"),
    *("onnxscript.function_libs.torch_lib.ops", "packaging.markers", "pydantic.dataclasses"),
    *("sklearn.datasets", "sklearn.manifold", "tomli_w", "torch.onnx._internal.exporter._core"),
    *("torch.utils.tensorboard", "torchmetrics.image.fid", "torchvision", "typeguard", "yaml"),
)


def _import_all() -> None:
    """Import the libraries, and the modules of ganzoo.

    Those of the demo and the tests of plugins are rarely needed, and the Hub's client reads the
    environment of the job when it is imported.
    """
    import PIL.Image

    import ganzoo

    for name in LIBRARIES:
        importlib.import_module(name)
    root = Path(ganzoo.__file__).parent
    for file in root.rglob("[!_]*.py"):
        parts = file.relative_to(root.parent).with_suffix("").parts
        if not {"demo", "hub", "testing"} & {*parts}:
            importlib.import_module(".".join(parts))
    PIL.Image.init()


def _warm_up() -> None:
    """Export a network, which fills caches that every job would fill again."""
    import torch

    from ganzoo.exporters.onnx_graph import OPSET

    operators = Path(__file__).with_name("operators.py")  # this script's folder is not on the path
    runpy.run_path(str(operators))["share_operators"]()
    with torch.no_grad(), contextlib.redirect_stderr(None):
        torch.onnx.export(
            torch.nn.Linear(1, 1),
            (torch.zeros(2, 1),),
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            opset_version=OPSET,
            verbose=False,
        )
    multiprocessing.set_start_method(None, force=True)  # the exporter reads it, which sets it


def serve(connections: socket.socket, life: socket.socket) -> None:
    """Fork for each job, and write how each ends, until the second socket is closed.

    Modules are imported when the first job arrives: most runs of a single test need none.
    """
    if life in select.select([connections, life], [], [])[0]:
        return
    _import_all()
    _warm_up()
    gc.freeze()  # so that a collection in a job does not copy the pages of every module
    ends, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    jobs: dict[int, int] = {}  # the pipe of each process
    while True:
        ready, _, _ = select.select([connections, life, ends], [], [])
        if life in ready:
            return
        if ends in ready:
            os.read(ends, 4096)
            _report_ends(jobs)
        if connections in ready:
            connection, _ = connections.accept()
            with connection:
                length, files, _, _ = socket.recv_fds(connection, 4, 4)
                job = connection.recv(int.from_bytes(length, "big"), socket.MSG_WAITALL)
            out, err, status, stdin = files
            if not (pid := os.fork()):
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                ours = (connections.detach(), life.detach(), ends, wake, status, *jobs.values())
                for file in ours:
                    os.close(file)
                _run(json.loads(job), stdin, out, err)
            for file in (out, err, stdin):
                os.close(file)
            _tell(status, pid)
            jobs[pid] = status


def _report_ends(jobs: dict[int, int]) -> None:
    while jobs:
        pid, code = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        status = jobs.pop(pid)
        _tell(status, os.waitstatus_to_exitcode(code))
        os.close(status)


def _tell(status: int, number: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # the test has ended
        os.write(status, f"{number}\n".encode())


def _run(job: dict[str, Any], stdin: int, out: int, err: int) -> None:
    if job["new_session"]:
        os.setsid()
    for place, file in enumerate((stdin, out, err)):
        os.dup2(file, place)
        os.close(file)
    os.environ.clear()
    os.environ.update(job["env"])
    os.chdir(job["cwd"])
    added = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.path[:0] = [os.getcwd(), *added]  # as a new interpreter would have them
    importlib.invalidate_caches()  # installed since
    sys.argv = ["ganzoo" if job["code"] is None else "-c", *job["arguments"]]
    code = 0
    try:
        if job["code"] is None:
            runpy.run_module("ganzoo", run_name="__main__", alter_sys=True)
        else:
            exec(compile(job["code"], "<string>", "exec"), _new_main())
    except SystemExit as end:
        code = _status_of(end)
    except BaseException:  # noqa: BLE001 - whatever the job raises
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # libraries would wait for threads that a fork does not have


def _new_main() -> dict[str, Any]:
    """Return the variables of a main module that child processes of the job do not import."""
    sys.modules["__main__"] = ModuleType("__main__")
    return vars(sys.modules["__main__"])


def _status_of(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)
    return 1


if __name__ == "__main__":
    serve(*(socket.socket(fileno=int(number)) for number in sys.argv[1:]))
