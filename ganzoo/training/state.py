"""The state of a training: everything that changes while it runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ganzoo.errors import NonFiniteLossError, quantity
from ganzoo.games import Loss, Player
from ganzoo.nn import latent_of
from ganzoo.spec import Recipe
from ganzoo.training.distributed import ALONE, Group
from ganzoo.training.ema import RAMP_UP, Averaged
from ganzoo.training.memory_format import set_memory_format
from ganzoo.training.players import check_moments, find_frozen, make_optimizers, trained_parameters


class State:
    """Networks, their averages, the loss, the optimizers and the progress of a training.

    Args:
        recipe: the recipe.
        nets: networks by role.
        loss: the loss.
        device: the device that trains.
        group: processes that train together.

    Attributes:
        tick: number of completed ticks.
        seconds: time of all training steps, also before a resume, without evaluations, samples
            and checkpoints.
        loss_parameters: parameters of the loss that a player trains.
        frozen: parameters that no player trains, by the role of the discriminator.
        gradient_norms: by player, the Euclidean norm of the first gradient since the last line of
            the log, before clipping; scalars on the device.
    """

    def __init__(
        self,
        recipe: Recipe,
        nets: Mapping[str, nn.Module],
        loss: Loss,
        device: torch.device,
        group: Group = ALONE,
    ) -> None:
        self.recipe = recipe
        self.device = device
        self.group = group
        self.nets = {
            role: set_memory_format(net.to(device), recipe.channels_last).train()
            for role, net in nets.items()
        }
        self.loss = loss.to(device)
        self.loss_parameters = list(trained_parameters(loss).values())
        self.frozen = find_frozen(recipe, loss, self.nets)
        group.share([*self.nets.values(), nn.ParameterList(self.loss_parameters)])
        self.optimizers: dict[str, Optimizer] = make_optimizers(
            recipe, loss, self.nets, self.loss_parameters, self.frozen_parameters
        )
        scaled = self.precision == "fp16"
        self.scalers = {
            player.name: torch.amp.GradScaler(device.type, enabled=scaled)
            for player in loss.players
        }
        exported = {role: self.nets[role] for role in loss.exported_roles}
        self.ema = Averaged(
            exported,
            recipe.ema_halflife,
            recipe.batch_size,
            cosine_over=recipe.images if recipe.ema_ramp == "cosine" else 0,
            ramp_up=math.inf if recipe.ema_ramp == "none" else RAMP_UP,
        )
        self.latent = latent_of(nets["generator"], recipe.architecture.arguments)
        if recipe.compile:
            for net in self.nets.values():
                net.compile(dynamic=False)
        self.tick = 0
        self.seconds = 0.0
        self.gradient_norms: dict[str, Tensor] = {}

    @property
    def frozen_parameters(self) -> list[nn.Parameter]:
        """The parameters that no player trains."""
        return [weight for weights in self.frozen.values() for weight in weights]

    @property
    def images_seen(self) -> int:
        """Number of images that the completed ticks have used."""
        return self.tick * self.recipe.batch_size

    @property
    def precision(self) -> Literal["fp32", "bf16", "fp16"]:
        """The precision that the networks compute in."""
        if self.recipe.precision == "auto":
            return "bf16" if self.device.type == "cuda" else "fp32"
        return self.recipe.precision

    def in_force(self) -> dict[str, Any]:
        """Return the settings that affect speed and numerical precision."""
        return {
            "precision": self.precision,
            "channels_last": self.recipe.channels_last,
            "compile": self.recipe.compile,
            "deterministic": self.recipe.deterministic,
            "threads": torch.get_num_threads(),
            "processes": self.group.size,
            "batchnorm": "whole batch"
            if self.recipe.sync_batchnorm or self.group.size == 1
            else "each process",
        }

    def autocast(self) -> torch.autocast:
        """Return the autocast context of the networks."""
        dtype = torch.float16 if self.precision == "fp16" else torch.bfloat16
        return torch.autocast(self.device.type, dtype, enabled=self.precision != "fp32")

    def backward(self, player: Player, loss: Tensor) -> None:
        """Add the gradient of one part of a batch to a player's gradient."""
        loss = self.scalers[player.name].scale(loss / self.recipe.accumulate)
        loss.backward()  # type: ignore[no-untyped-call]

    def step(self, player: Player) -> None:
        """Update a player's weights by the mean gradient of all processes."""
        optimizer, scaler = self.optimizers[player.name], self.scalers[player.name]
        weights = [w for group in optimizer.param_groups for w in group["params"]]
        self.group.average_gradients(weights)
        scaler.unscale_(optimizer)
        if player.name not in self.gradient_norms:
            gradients = [w.grad for w in weights if w.grad is not None]
            self.gradient_norms[player.name] = nn.utils.get_total_norm(gradients)
        if norm := self.recipe.optimizer.clip_norm:
            nn.utils.clip_grad_norm_(weights, norm)
        scaler.step(optimizer)
        scaler.update()

    def draw_latents(self, n: int) -> Tensor:
        """Draw latents, float32 (n, latent_dim), from N(0, 1)."""
        assert self.latent is not None  # no loss draws latents for a generator without them
        return torch.randn(n, self.latent.dim, device=self.device)

    def check_finite(self) -> None:
        """Check that all weights and moments are finite.

        Raises:
            NonFiniteLossError: one is NaN or infinite. The message names the network or optimizer.
        """
        groups: dict[str, Iterable[Tensor]] = {
            f"network {role!r}": net.state_dict().values() for role, net in self.nets.items()
        }
        groups["the loss"] = self.loss_parameters
        for name, optimizer in self.optimizers.items():
            moments = (m for state in optimizer.state.values() for m in state.values())
            groups[f"the {name}'s optimizer"] = (m for m in moments if isinstance(m, Tensor))
        for name, tensors in groups.items():
            if not all(bool(torch.isfinite(t).all()) for t in tensors if t.is_floating_point()):
                raise NonFiniteLossError(
                    f"{name} holds NaN or infinity after {quantity(self.images_seen, 'image')}. "
                    "All losses were finite, so a gradient was not."
                )

    def state_dict(self) -> dict[str, Any]:
        """Return nested dicts of tensors and numbers."""
        return {
            "tick": self.tick,
            "seconds": self.seconds,
            "nets": {role: net.state_dict() for role, net in self.nets.items()},
            "ema": self.ema.average.state_dict(),
            "loss": self.loss.state_dict(),
            "optimizers": {name: o.state_dict() for name, o in self.optimizers.items()},
            "scalers": {name: s.state_dict() for name, s in self.scalers.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Load a state that `state_dict` returned.

        Raises:
            ValueError, TypeError, LookupError, RuntimeError, ...: it is not the state of these
                networks and optimizers.
        """
        tick, seconds = state["tick"], state["seconds"]
        if type(tick) is not int or tick < 0:
            raise ValueError(f"the tick is {tick!r}, not a number of ticks")
        if type(seconds) not in (int, float) or not 0 <= seconds < float("inf"):
            raise ValueError(f"the time is {seconds!r}, not a number of seconds")
        for role, net in self.nets.items():
            net.load_state_dict(state["nets"][role])
        self.ema.average.load_state_dict(state["ema"])
        self.loss.load_state_dict(state["loss"])
        for name, optimizer in self.optimizers.items():
            # The recipe defines the settings of the groups.
            groups = optimizer.state_dict()["param_groups"]
            saved = state["optimizers"][name]["state"]
            optimizer.load_state_dict({"state": saved, "param_groups": groups})
            check_moments(optimizer)
            _match_memory_format(optimizer)
        for name, scaler in self.scalers.items():
            _check_like(scaler.state_dict(), state["scalers"][name])
            scaler.load_state_dict(state["scalers"][name])
        self.tick, self.seconds = tick, seconds


def _check_like(current: Mapping[str, Any], loaded: Mapping[str, Any]) -> None:
    """Raise ValueError unless the loaded numbers have the names and types of the current ones."""
    kinds = {name: type(value) for name, value in current.items()}
    if {name: type(value) for name, value in loaded.items()} != kinds:
        raise ValueError(f"the scaler of losses is {dict(loaded)!r}; it needs {dict(current)!r}")


def _match_memory_format(optimizer: Optimizer) -> None:
    """Give loaded moments the memory format of their weights, which fused steps need."""
    for weight, moments in optimizer.state.items():
        for name, moment in moments.items():
            if isinstance(moment, Tensor) and moment.shape == weight.shape:
                moments[name] = torch.empty_like(weight).copy_(moment)
