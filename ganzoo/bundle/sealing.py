"""Safetensors files that hold a digest of their content, so that damage is noticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from ganzoo.spec.json_text import read_json

KEY = "ganzoo.sha256"  # of the metadata
CHUNK = 2**20  # bytes read at a time
MAX_HEADER = 100_000_000  # bytes, the limit of the format
_PREFIX = 8  # bytes of the header's length


def seal(content: bytes) -> Iterator[bytes | memoryview]:
    """Yield the parts of a safetensors file with a digest in its metadata.

    The digest covers the header and the data, so a change of any bit is noticed.

    Args:
        content: a safetensors file.
    """
    length = _PREFIX + int.from_bytes(content[:_PREFIX], "little")
    header = read_json(content[_PREFIX:length])
    data = memoryview(content)[length:]
    digest = hashlib.sha256(_canonical(header))
    digest.update(data)
    header.setdefault("__metadata__", {})[KEY] = digest.hexdigest()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % _PREFIX)  # the format aligns the data
    yield len(text).to_bytes(_PREFIX, "little") + text
    yield data


def check_seal(path: Path) -> None:
    """Check the digest of a file that `seal` wrote.

    Raises:
        ValueError: the file differs from what was written.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        header = _read_header(file)
        expected = header.get("__metadata__", {}).pop(KEY, None)
        digest = hashlib.sha256(_canonical(header))
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    if digest.hexdigest() != expected:
        raise ValueError("its content differs from its digest")


def _read_header(file: BinaryIO) -> dict[str, Any]:
    length = int.from_bytes(file.read(_PREFIX), "little")
    if length > MAX_HEADER:
        raise ValueError(f"its header has {length} bytes")
    header = read_json(file.read(length))
    metadata = header.get("__metadata__", {}) if isinstance(header, dict) else None
    if not isinstance(metadata, dict):
        raise ValueError("its header is not a table")
    return dict(header) | {"__metadata__": metadata}


def _canonical(header: dict[str, Any]) -> bytes:
    """Return a header, without its digest, as text that does not depend on its layout."""
    return json.dumps({"__metadata__": {}} | header, sort_keys=True).encode()
