"""The Hub's real client in forks: it is imported, and reads the environment, after the fork."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.processes import start_python

_WORKER = """
import contextlib, io, json, logging, socket, sys, traceback, warnings
answers = socket.socket(fileno=0).makefile("w")
import huggingface_hub.utils  # its logger prints to what is stderr now
logging.basicConfig(level=logging.INFO)
warnings.simplefilter("always")
for line in sys.stdin:
    names, answer = {}, {"error": None, "text": ""}
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            exec(json.loads(line), names)
        except Exception as error:
            answer = {"error": [c.__name__ for c in type(error).__mro__], "text": str(error)}
            traceback.print_exc()
    answer |= {"value": names.get("value"), "out": out.getvalue(), "err": err.getvalue()}
    print(json.dumps(answer), file=answers, flush=True)
"""

# The client retries as often as usual, and does not wait: the clock of its limit of time goes on by
# a tenth of its usual waits, and stands still while a slow machine computes.
IMPATIENT = """
import time, types
from ganzoo.hub import budget, failures, upload
failures.WAITS = upload.WAITS = tuple(wait / 10 for wait in failures.WAITS)
now = [0.0]
def sleep(seconds):
    now[0] += seconds
time.sleep = sleep
budget.time = types.SimpleNamespace(monotonic=lambda: now[0])
"""

# Certain requests alone have the limit of time, so that a slow machine may answer all others. If one
# of them is not answered, the whole limit has passed. Comes after IMPATIENT.
SELECTIVE = """
import re
from ganzoo.hub import client, progress
is_network = progress.is_network
def is_network_or_late(error):
    if "Timeout" in type(error).__name__:
        now[0] += budget.limit()
    return is_network(error)
progress.is_network = is_network_or_late
limit_time, client.limited = client._limit_time, "no request"
def limit_some(request, budget):
    limit_time(request, budget)
    if not re.search(client.limited, f"{request.method} {request.url.path}"):
        request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), 60)
client._limit_time = limit_some
"""


@dataclass(frozen=True)
class Answer:
    """The result of code: the value of `value`, or the error and its bases."""

    value: Any
    error: list[str] | None
    text: str
    out: str
    err: str


def environment(endpoint: str, home: Path, **variables: str) -> dict[str, str | None]:
    """Return a client's environment without the Hub variables of the tests' environment."""
    return {
        **{name: None for name in os.environ if name.startswith(("HF_", "HUGGING"))},
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",  # the test server does not support it
        "no_proxy": "127.0.0.1,localhost",
        **variables,
    }


class HubClient:
    """A process that runs several pieces of code, faster than a process for each."""

    def __init__(self, endpoint: str, home: Path, **variables: str) -> None:
        self.home = home
        self.output = ""  # everything that was printed
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = start_python(
                _WORKER, env=environment(endpoint, home, **variables), stdin=theirs.fileno()
            )
        self._socket, self._talk = ours, ours.makefile("rw")

    def run(self, code: str) -> Answer:
        self._talk.write(json.dumps(code) + "\n")
        self._talk.flush()
        line = self._talk.readline()
        assert line, self._process.output()
        answer = Answer(**json.loads(line))
        self.output += answer.out + answer.err + answer.text
        return answer

    def limit(self, request: str) -> None:
        """Limit the time of the requests that match "METHOD path", a regular expression."""
        self.run(f"from ganzoo.hub import client; client.limited = {request!r}")

    def load(self, name: str, runtime: str = "onnx", role: str = "generator") -> Answer:
        """Load and sample; the value is a digest of the images."""
        return self.run(
            "import ganzoo, hashlib\n"
            f"model = ganzoo.load({name!r}, runtime={runtime!r}, role={role!r})\n"
            "value = hashlib.sha256(model.sample(2, seed=0).numpy().tobytes()).hexdigest()"
        )

    def push(self, bundle: Path, repository: str, **how: Any) -> Answer:
        """Push; the value is the commit, the files that changed and whether the card was kept."""
        return self.run(
            "import ganzoo\n"
            f"done = ganzoo.push({str(bundle)!r}, {repository!r}, **{how!r})\n"
            "value = [done.model and done.model.commit, list(done.changed), done.card_kept,\n"
            "         done.model and done.model.sha256]"
        )

    def stop(self) -> None:
        self._talk.close()
        self._socket.close()
        self._process.wait(60)
        self.output += "".join(self._process.output())
