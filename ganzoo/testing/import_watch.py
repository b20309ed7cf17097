"""Import modules and report what they reached for: ``python -m ganzoo.testing.import_watch M ...``.

Prints JSON: for each module, in a few words, what its import must not do and did.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")

_seen: list[str] = []


def _refuse_network(event: str, args: tuple[Any, ...]) -> None:
    # A pair of host and port; an address that is text or bytes is a socket of this machine's own.
    if event in NETWORK and not isinstance(args[-1], str | bytes):
        _seen.append(f"reaches for the network ({event})")
        raise ConnectionRefusedError("an import must not reach for the network")


def watch(modules: list[str]) -> dict[str, list[str]]:
    """Import each module, with no network to be had."""
    sys.addaudithook(_refuse_network)
    found = {}
    initialised = False
    for module in modules:
        _seen.clear()
        try:
            importlib.import_module(module)
        except BaseException as error:  # noqa: BLE001 - a plugin may raise anything, also SystemExit
            if not _seen:
                _seen.append(f"raises {type(error).__name__}: {error}")
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_initialized() and not initialised:
            initialised = True
            _seen.append("initialises CUDA")
        found[module] = list(dict.fromkeys(_seen))
    return found


if __name__ == "__main__":
    print(json.dumps(watch(sys.argv[1:])))
