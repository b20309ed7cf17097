"""Where a page can be served."""

from __future__ import annotations

import os
import socket

from ganzoo.errors import DemoError

HOST = "127.0.0.1"  # which this machine alone can reach
PORT = 7860


def find_address(host: str | None, port: int | None) -> tuple[str, int]:
    """Return host and port, by default those of the environment, as a Space sets them, or ours.

    Raises:
        DemoError: nothing can be served there, or the environment's port is no number.
    """
    where = host or os.environ.get("GRADIO_SERVER_NAME", HOST)
    text = os.environ.get("GRADIO_SERVER_PORT", str(PORT))
    if port is None and not text.isdecimal():
        raise DemoError(
            f"GRADIO_SERVER_PORT is {text!r}: set it to a number, or type --port {PORT}."
        )
    number = int(text) if port is None else port
    check_port(where, number)
    return where, number


def check_port(host: str, port: int) -> None:
    """Refuse an address that nothing can be served at.

    Raises:
        DemoError: the port is in use, not allowed or no port, or the host is not this machine's.
    """
    if not 1 <= port <= 65535:
        raise DemoError(f"{port} is no port: type --port with a number from 1 to 65535.")
    try:
        (family, *_, address), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except PermissionError as error:
        raise DemoError(
            f"port {port} is only for the system's administrator: type --port 7860, for example."
        ) from error
    except socket.gaierror as error:
        raise DemoError(
            f"there is no host {host!r}: type --host 127.0.0.1, or 0.0.0.0 for every network that "
            "this machine is in."
        ) from error
    except OSError as error:
        raise DemoError(
            f"port {port} of {host} cannot be used ({error.strerror}). Type another, such as "
            f"--port {port + 1 if port < 65535 else PORT}."
        ) from error
