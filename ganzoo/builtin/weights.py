"""Weights that ship beside a module."""

from __future__ import annotations

import hashlib
from pathlib import Path

import safetensors.torch
from torch import Tensor

from ganzoo.errors import BundleError


def read_weights(file: Path, sha256: str) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file by name.

    Args:
        file: the file.
        sha256: SHA-256 of the file, in hexadecimal.

    Raises:
        BundleError: the file has another hash.
    """
    content = file.read_bytes()
    if (digest := hashlib.sha256(content).hexdigest()) != sha256:
        raise BundleError(
            f"{file} is damaged: its SHA-256 is {digest}, not {sha256}. Reinstall ganzoo: type "
            "pip install --force-reinstall . in a clone of ganzoo."
        )
    return safetensors.torch.load(content)
