"""Networks of converted checkpoints, and checkpoints of other projects with their own outputs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ganzoo.exporters.checkpoint_networks import build, load
from ganzoo.importers import Conversion, convert, open_checkpoint, recognise
from ganzoo.nn import generate
from ganzoo.testing import importer as checks


def fixture(name: str) -> Path:
    """Return the folder of a checkpoint of another project, or skip the test."""
    root = os.environ.get("GANZOO_CHECKPOINTS")
    if not root:
        pytest.skip("GANZOO_CHECKPOINTS, a folder of other projects' checkpoints, is not set")
    return Path(root) / name


def expected(name: str) -> dict[str, Tensor]:
    """Return inputs and outputs of the original program."""
    with np.load(fixture(name) / "expected.npz") as arrays:
        return {key: torch.from_numpy(arrays[key]) for key in arrays.files}


def save(path: Path, tensors: dict[str, Any]) -> Path:
    """Write a file of torch.save."""
    torch.save(tensors, path)
    return path


def check_rules(name: str, file: Path, **options: Any) -> None:
    """Check that a file becomes a bundle, and that no other one does."""
    subject = checks.Importer(name, file, options)
    checks.converts(subject)
    checks.accounts_for_all_tensors(subject)
    checks.recognises_no_other_file(subject)


def networks(file: Path, name: str, **options: Any) -> tuple[Conversion, dict[str, nn.Module]]:
    """Convert a file, and return the networks in eval mode with all its weights."""
    match = recognise(open_checkpoint(file))
    assert match.entry.name == name
    conversion = convert(match, options)
    _, _, nets = build(conversion)
    load(match, conversion, nets)
    return conversion, nets


def images(network: nn.Module, **inputs: Tensor) -> Tensor:
    """Return the images of a generator."""
    with torch.inference_mode():
        return generate(network, **inputs)


def difference(a: Tensor, b: Tensor) -> float:
    """Return the largest absolute difference of two tensors of one shape."""
    assert a.shape == b.shape
    return float((a - b).abs().max())
