"""Weights that ship beside a module."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import safetensors.torch
import torch
from torch import Tensor, nn

from ganzoo.errors import BundleError
from ganzoo.nn.uninitialised import Uninitialised

N = TypeVar("N", bound=nn.Module)


def load_network(build: Callable[[], N], file: Path, sha256: str) -> N:
    """Return a network with the weights of a file, in eval mode.

    It draws no random numbers: the generators of torch may be those of a training in another
    thread.

    Args:
        build: builds the network.
        file: the file.
        sha256: SHA-256 of the file, in hexadecimal.

    Raises:
        BundleError: the file has another hash.
    """
    with torch.device("meta"), Uninitialised():
        network = build()
    dtypes = {name: tensor.dtype for name, tensor in network.state_dict().items()}
    weights = read_weights(file, sha256)
    tensors = {name: tensor.to(dtypes.get(name)) for name, tensor in weights.items()}
    network.load_state_dict(tensors, strict=True, assign=True)
    return network.eval().requires_grad_(False)


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
