"""Checks of what becomes of trained networks: a bundle, read by torch and by onnxruntime."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch

from ganzoo.bundle import open_bundle
from ganzoo.errors import ConformanceError, ExportError
from ganzoo.exporters import prove
from ganzoo.runtimes.torch import load_torch
from ganzoo.testing.networks import ask

if TYPE_CHECKING:
    from ganzoo.testing.architecture import Architecture


def loads_again(subject: Architecture) -> None:
    """Saved as a bundle and loaded, its networks have the same weights and give the same bits."""
    recipe, data, _ = subject.built
    for role, trained in subject.trained.prepared.state.ema.networks.items():
        # As a bundle's weights lie in memory: another layout rounds otherwise.
        before = copy.deepcopy(trained).to(memory_format=torch.contiguous_format).eval()
        after = load_torch(open_bundle(subject.bundle), role).network
        weights, loaded = before.state_dict(), after.state_dict()
        same = all(torch.equal(weights[name], loaded[name]) for name in weights)
        said = [ask(recipe, data, role, net) for net in (before, after)]
        if not same or not torch.equal(*said):
            raise ConformanceError(
                f"{subject.label}: its {role} answers otherwise once it is saved and loaded: keep "
                "whatever changes as a parameter or a persistent buffer."
            )


def exports(subject: Architecture) -> None:
    """It exports to ONNX with a dynamic batch, and both runtimes agree."""
    bundle = open_bundle(subject.bundle)
    try:
        for role in bundle.spec.roles:
            prove(load_torch(bundle, role), role)
    except ExportError as error:
        raise ConformanceError(f"{subject.label}: {error}") from error
