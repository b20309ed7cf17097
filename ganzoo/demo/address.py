"""Find and check the address of a page."""

from __future__ import annotations

import os
import socket

from ganzoo.errors import DemoError

HOST = "127.0.0.1"  # only this machine can reach it
PORT = 7860


def find_address(host: str | None, port: int | None) -> tuple[str, int]:
    """Return host and port, by default from the environment, or `HOST` and `PORT`.

    Raises:
        DemoError: the address cannot be used, or the environment's port is not a number.
    """
    address = host or os.environ.get("GRADIO_SERVER_NAME", HOST)
    text = os.environ.get("GRADIO_SERVER_PORT", str(PORT))
    if port is None and not text.isdecimal():
        raise DemoError(
            f"GRADIO_SERVER_PORT is {text!r}, which is not a number. Set it to a number, or use "
            f"--port {PORT}."
        )
    number = int(text) if port is None else port
    check_port(address, number)
    return address, number


def check_port(host: str, port: int) -> None:
    """Raise an error if a page cannot be served at an address.

    Raises:
        DemoError: the port is in use, not allowed or out of range, or this machine does not have
            the address.
    """
    if not 1 <= port <= 65535:
        raise DemoError(f"port {port} is out of range. Use --port with a number from 1 to 65535.")
    try:
        (family, *_, address), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except PermissionError as error:
        raise DemoError(
            f"port {port} needs administrator rights. Use another port, such as --port {PORT}."
        ) from error
    except socket.gaierror as error:
        raise DemoError(
            f"host {host!r} is unknown. Use --host 127.0.0.1, or --host 0.0.0.0 to serve on all "
            "networks of this machine."
        ) from error
    except OSError as error:
        raise DemoError(
            f"port {port} of {host} cannot be used ({error.strerror}). Use another port, such as "
            f"--port {port + 1 if port < 65535 else PORT}."
        ) from error
