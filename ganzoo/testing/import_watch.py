"""Import modules and report side effects: ``python -m ganzoo.testing.import_watch MODULE ...``.

Prints JSON: module -> forbidden side effects of its import, in a few words each.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")

_side_effects: list[str] = []


def _refuse_network(event: str, args: tuple[Any, ...]) -> None:
    # Network addresses are tuples; text or bytes are the address of a local socket.
    if event in NETWORK and not isinstance(args[-1], str | bytes):
        _side_effects.append(f"uses the network ({event})")
        raise ConnectionRefusedError("an import must not use the network")


def watch(modules: list[str]) -> dict[str, list[str]]:
    """Import each module without network, and return its forbidden side effects."""
    sys.addaudithook(_refuse_network)
    report = {}
    initialised = False
    for module in modules:
        _side_effects.clear()
        try:
            importlib.import_module(module)
        except BaseException as error:  # noqa: BLE001 - a plugin may raise anything, also SystemExit
            if not _side_effects:
                _side_effects.append(f"raises {type(error).__name__}: {error}")
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_initialized() and not initialised:
            initialised = True
            _side_effects.append("initialises CUDA")
        report[module] = list(dict.fromkeys(_side_effects))
    return report


if __name__ == "__main__":
    print(json.dumps(watch(sys.argv[1:])))
