"""A process that has imported the modules of most commands, and forks for each job.

`helpers.processes` starts it with a socket as its only argument. A job is a message of JSON with
four files: standard output, standard error, a pipe for the process id and the exit status, and
standard input.
"""

import importlib
import json
import os
import runpy
import socket
import sys
import traceback
from types import ModuleType
from typing import Any

# Modules that commands import when needed: training, plots, export, evaluation.
import onnxscript.function_libs.torch_lib.ops  # noqa: F401
import pydantic.dataclasses  # noqa: F401
import sklearn.datasets  # noqa: F401
import torch.onnx._internal.exporter._core
import torch.utils.tensorboard  # noqa: F401
import torchvision  # noqa: F401

import ganzoo.cli
import ganzoo.data
import ganzoo.evaluation.evaluator
import ganzoo.exporters
import ganzoo.plots
import ganzoo.training  # noqa: F401


def serve(requests: socket.socket) -> None:
    """Fork for each job, until the socket is closed."""
    while True:
        length, files, _, _ = socket.recv_fds(requests, 4, 4)
        if not length:
            return
        message = requests.recv(int.from_bytes(length, "big"), socket.MSG_WAITALL)
        if supervisor := os.fork():
            for file in files:
                os.close(file)
            os.waitpid(supervisor, 0)  # it has forked and ends, so the job does not become a zombie
        elif os.fork():
            os._exit(0)
        else:
            requests.close()
            _supervise(json.loads(message), *files)


def _supervise(job: dict[str, Any], out: int, err: int, status: int, stdin: int) -> None:
    """Wait for the job, as its parent in a shell would."""
    pid = os.fork()
    if not pid:
        os.close(status)
        _run(job, stdin, out, err)
    for file in (out, err, stdin):
        os.close(file)  # so that a reader of the pipe sees the end of the job
    os.write(status, f"{pid}\n".encode())
    _, code = os.waitpid(pid, 0)
    os.write(status, f"{os.waitstatus_to_exitcode(code)}\n".encode())
    os._exit(0)


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
    serve(socket.socket(fileno=int(sys.argv[1])))
