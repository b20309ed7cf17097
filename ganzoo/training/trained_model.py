"""The networks of a trained model that another training starts from."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn

from ganzoo import zoo
from ganzoo.bundle import CONFIG, Bundle
from ganzoo.bundle.folder import RUN_RECIPE
from ganzoo.errors import MALFORMED, CheckpointError, as_folder
from ganzoo.nn import add_spectral_norm
from ganzoo.nn.uninitialised import Uninitialised
from ganzoo.registry.names import parse_model_name
from ganzoo.runtimes.build import build, find_architecture
from ganzoo.runtimes.torch import load_torch
from ganzoo.runtimes.weights import check_finite
from ganzoo.spec import Recipe
from ganzoo.spec.parsing import shorten
from ganzoo.training.checkpoint import read_checkpoint

_AVERAGE = "module."  # prefix of a network's role in the state of the averages


@dataclass(frozen=True)
class TrainedModel:
    """A trained model: a bundle, or the newest checkpoint of a run.

    Attributes:
        bundle: the bundle; of a run, the one that was saved with the checkpoint.
        address: name by which others find the model; empty for a folder.
        checkpoint: the run's newest checkpoint, None for a bundle.
    """

    bundle: Bundle
    address: str = ""
    checkpoint: Path | None = None

    @classmethod
    def find(cls, name: str | Path) -> TrainedModel:
        """Find a model.

        Args:
            name: a registered name, the folder of a bundle or run, or ``hf://org/repo``.

        Raises:
            UnknownNameError, NotABundleError, BundleError, HubError, ...: as `ganzoo.load`.
        """
        bundle = zoo.find(name)
        parsed = parse_model_name(name)
        if not isinstance(parsed, Path):
            return cls(bundle, address=str(name))
        files = []
        if (parsed / RUN_RECIPE).is_file() and not (parsed / CONFIG).is_file():
            files = sorted((parsed / "checkpoints").glob("*.safetensors"))
        return cls(bundle, checkpoint=files[-1] if files else None)

    def load(self) -> Networks:
        """Load the networks.

        Raises:
            BundleError, MissingPluginError, BrokenPluginError: as `ganzoo.load`.
            CheckpointError: the checkpoint is damaged, or the installed architecture is another.
        """
        if self.checkpoint is not None:
            return _load_checkpoint(self.bundle, self.checkpoint)
        roles = (*self.bundle.spec.roles, *self.bundle.spec.training_roles)
        return Networks({role: load_torch(self.bundle, role).network for role in roles})


@dataclass(frozen=True)
class Networks:
    """The networks of a trained model by role.

    Attributes:
        trained: the networks that were trained; of a bundle, their averages.
        averages: their averages, if they differ from `trained`.
    """

    trained: Mapping[str, nn.Module]
    averages: Mapping[str, nn.Module] = field(default_factory=dict)


def _load_checkpoint(bundle: Bundle, file: Path) -> Networks:
    """Load the networks of a run's checkpoint, and the averages of those that it exports."""
    spec = bundle.spec
    entry = find_architecture(bundle, "generator")
    try:
        checkpoint = read_checkpoint(file)
        recipe = Recipe.from_text(checkpoint["recipe"], where=f"the recipe in {file}")
        trained, averages = {}, {}
        for role, state in checkpoint["state"]["nets"].items():
            network = build(spec, role, entry)
            if role in spec.roles:
                prefix = f"{_AVERAGE}{role}."
                average = _only(prefix, checkpoint["state"]["ema"])
                averages[role] = _filled(copy.deepcopy(network), average, file)
            elif recipe.spectral_norm:
                with torch.device("meta"), Uninitialised():
                    add_spectral_norm(network)
            trained[role] = _filled(network, state, file)
    except (SafetensorError, OSError, RuntimeError, *MALFORMED) as error:
        raise CheckpointError(
            f"cannot start from the checkpoint {file}: {shorten(str(error)).removesuffix('.')}. "
            f"Start from the averaged networks that were saved with it: --init-from "
            f"{as_folder(bundle.path)}"
        ) from error
    return Networks(trained, averages)


def _only(prefix: str, state: Mapping[str, Any]) -> dict[str, Any]:
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


def _filled(network: nn.Module, state: Mapping[str, Any], file: Path) -> nn.Module:
    """Return a network that was built without memory, with these weights."""
    check_finite(file, state)
    network.load_state_dict(state, strict=True, assign=True)
    return network.requires_grad_(False)
