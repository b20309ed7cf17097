"""Checks of bundles of trained networks, in torch and in onnxruntime."""

from __future__ import annotations

import copy

import torch

from ganzoo.bundle import open_bundle
from ganzoo.errors import ConformanceError, ExportError
from ganzoo.exporters import prove
from ganzoo.runtimes.torch import load_torch
from ganzoo.testing.built_architecture import BuiltArchitecture
from ganzoo.testing.networks import run_role


def loads_again(subject: BuiltArchitecture) -> None:
    """Loaded from a bundle, its networks have the same weights and give the same bits."""
    recipe, data, _ = subject.built
    for role, trained in subject.trained.prepared.state.ema.networks.items():
        # The memory layout of a loaded bundle, because rounding depends on it.
        before = copy.deepcopy(trained).to(memory_format=torch.contiguous_format).eval()
        after = load_torch(open_bundle(subject.bundle), role).network
        weights, loaded = before.state_dict(), after.state_dict()
        same = all(torch.equal(weights[name], loaded[name]) for name in weights)
        outputs = [run_role(recipe, data, role, net) for net in (before, after)]
        if not same or not torch.equal(*outputs):
            raise ConformanceError(
                f"{subject.label}: its {role} has another output after saving and loading: keep "
                "all state in parameters or persistent buffers."
            )


def exports(subject: BuiltArchitecture) -> None:
    """It exports to ONNX with a dynamic batch, and both runtimes agree."""
    bundle = open_bundle(subject.bundle)
    try:
        for role in bundle.spec.roles:
            prove(load_torch(bundle, role), role)
    except ExportError as error:
        raise ConformanceError(f"{subject.label}: {error}") from error
