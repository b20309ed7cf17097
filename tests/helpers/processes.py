"""Commands in separate processes: forks of a process with imported modules, or new interpreters.

A new interpreter imports for seconds before a command starts. A fork is as isolated as a new
process: it has its own memory, files, environment, working folder and process id, and can be
killed. It does not show the effects of imports; tests of imports use a new interpreter.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TIMEOUT = 300  # seconds
TEMPORARY = tempfile.gettempdir()  # of this module's files; tests give their process another one
# Variables that an interpreter reads at its start; forks would ignore them.
STARTUP = {"PYTHONOPTIMIZE", "PYTHONWARNINGS", "PYTHONIOENCODING", "PYTHONUTF8", "PYTHONHASHSEED"}


class Process:
    """A running fork, with the interface of `subprocess.Popen`.

    Attributes:
        pid: its process id.
        returncode: its exit status; None while it runs.
    """

    def __init__(self, status: int, out: Any, err: Any, arguments: list[str]) -> None:
        self._status = status
        self._out, self._err = out, err
        self._arguments = arguments
        self._progress = b""
        self.returncode: int | None = None
        assert self._read_until(1, TIMEOUT), "the process that forks did not start the job"
        self.pid = int(self._progress.split()[0])

    def poll(self) -> int | None:
        """Return its exit status; None while it runs."""
        if self.returncode is None and self._read_until(2, 0):
            self.returncode = int(self._progress.split()[1])
            os.close(self._status)
        return self.returncode

    def wait(self, timeout: float = TIMEOUT) -> int:
        """Wait for its end, and return its exit status."""
        if self.returncode is None and not self._read_until(2, timeout):
            raise subprocess.TimeoutExpired(self._arguments, timeout, *self.output())
        status = self.poll()
        assert status is not None
        return status

    def communicate(self, timeout: float = TIMEOUT) -> tuple[str, str]:
        """Wait for its end, and return what it printed."""
        self.wait(timeout)
        return self.output()

    def wait_for(self, text: str, timeout: float = TIMEOUT) -> str:
        """Wait until it has printed a text; return its standard output so far."""
        deadline = time.monotonic() + timeout
        while True:
            finished = self._read_until(2, 0.02)  # read before the output, which is then complete
            if text in (output := self.output()[0]):
                return output
            assert not finished, self.output()
            assert time.monotonic() < deadline, self.output()

    def output(self) -> tuple[str, str]:
        """Return what it has printed so far: standard output and standard error."""
        return Path(self._out.name).read_text(), Path(self._err.name).read_text()

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it can end in between
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)

    def _read_until(self, lines: int, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        while self._progress.count(b"\n") < lines:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self._status], [], [], left)[0]:
                return False
            chunk = os.read(self._status, 64)
            assert chunk, "the process that forks is gone"
            self._progress += chunk
        return True


shared_server: str | None = None  # address of the fork server that the workers of pytest share


@functools.cache
def fork_server(python: str = sys.executable) -> str:
    """Start a fork server that ends with this process; return the address of its Unix socket."""
    folder = tempfile.TemporaryDirectory(prefix="forks", dir=TEMPORARY)
    address = f"{folder.name}/socket"
    script = Path(__file__).with_name("fork_server.py")
    life, theirs = socket.socketpair()
    with socket.socket(socket.AF_UNIX) as connections, theirs:
        connections.bind(address)
        connections.listen(64)
        files = (connections.fileno(), theirs.fileno())
        # -P: files next to the script shadow no package.
        command = [python, "-P", str(script), *map(str, files)]
        process = subprocess.Popen(command, pass_fds=files)

    def stop() -> None:
        life.close()
        process.wait(60)
        folder.cleanup()

    atexit.register(stop)
    return address


def start_python(
    code: str | None,
    *arguments: str | Path,
    cwd: str | Path = ".",
    env: Mapping[str, str | None] | None = None,
    new_session: bool = False,
    stdin: int | None = None,
    python: str | Path = sys.executable,
) -> Process:
    """Start code in a fork.

    Args:
        code: Python; None runs ``ganzoo``.
        arguments: arguments in `sys.argv`.
        cwd: working folder.
        env: variables to add to this process's environment; None removes one.
        new_session: whether it leads a new session and process group.
        stdin: an open file; by default it is empty.
        python: interpreter of the fork server.
    """
    environment = {k: v for k, v in {**os.environ, **(env or {})}.items() if v is not None}
    assert not STARTUP & (env or {}).keys(), "read when an interpreter starts: take a new process"
    words = [str(argument) for argument in arguments]
    job = {
        "code": code,
        "arguments": words,
        "cwd": os.path.abspath(cwd),
        "env": environment,
        "new_session": new_session,
    }
    out, err = (tempfile.NamedTemporaryFile("r", dir=TEMPORARY) for _ in range(2))  # noqa: SIM115
    status, theirs = os.pipe()
    files = [os.open(file.name, os.O_WRONLY | os.O_APPEND) for file in (out, err)] + [theirs]
    files.append(os.open(os.devnull, os.O_RDONLY) if stdin is None else os.dup(stdin))
    # A length and then the job: macOS has no sequenced packets on Unix sockets.
    message = json.dumps(job).encode()
    with socket.socket(socket.AF_UNIX) as server:
        shared = shared_server if python == sys.executable else None
        server.connect(shared or fork_server(str(python)))
        socket.send_fds(server, [len(message).to_bytes(4, "big")], files)
        server.sendall(message)
    for file in files:
        os.close(file)
    return Process(status, out, err, words)


def start_cli(*arguments: str | Path, **options: Any) -> Process:
    """Start ``ganzoo`` in a fork; options as those of `start_python`."""
    return start_python(None, *arguments, **options)


def run_python(
    code: str, *arguments: str | Path, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run code in a fork; options as those of `start_python`."""
    return _finish(start_python(code, *arguments, **options), arguments)


def run_cli(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run ``ganzoo`` in a fork; options as those of `start_python`."""
    return _finish(start_cli(*arguments, **options), arguments)


def run_new(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run Python in a new interpreter, for tests of imports and start-up.

    Args:
        arguments: arguments of ``python``, such as ``-m ganzoo list`` or ``-c CODE``.
        options: ``python`` for another one, ``env`` for variables to add, and those of
            `subprocess.run`.
    """
    command = [str(options.pop("python", sys.executable)), *map(str, arguments)]
    environment = os.environ | options.pop("env", {})
    return subprocess.run(
        command, capture_output=True, text=True, timeout=TIMEOUT, env=environment, **options
    )


def _finish(
    process: Process, arguments: tuple[str | Path, ...]
) -> subprocess.CompletedProcess[str]:
    try:
        out, err = process.communicate()
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)
