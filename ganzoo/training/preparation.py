"""Build and check everything that a training needs, before it writes a file."""

from __future__ import annotations

import os
import shutil
import warnings
from pathlib import Path

import torch
from torch import Tensor

from ganzoo.cards.training import describe_images
from ganzoo.data import find_dataset, find_root, open_batches
from ganzoo.data.batches import Batches
from ganzoo.data.cache import CacheOptions
from ganzoo.errors import DataError, RecipeError, did_you_mean, enumerate_names, quantity
from ganzoo.nn import torch_defaults
from ganzoo.nn.random_numbers import own_random_numbers
from ganzoo.registry import find_recipe
from ganzoo.spec import Recipe
from ganzoo.system.dependencies import kept_variables
from ganzoo.system.machine import describe_hardware
from ganzoo.training import build
from ganzoo.training.distributed import ALONE, Group, launched, local_device
from ganzoo.training.evaluation import evaluator_of
from ganzoo.training.initial_weights import InitialWeights, copy_tensors, take_weights
from ganzoo.training.prepared import Prepared
from ganzoo.training.seeding import seed_networks
from ganzoo.training.state import State
from ganzoo.training.trained_model import TrainedModel


@torch_defaults()
@own_random_numbers()
@kept_variables()
def prepare(
    recipe: Recipe | str | Path,
    *,
    data: str | Path | None = None,
    device: str | torch.device | None = None,
    init_from: str | Path | None = None,
    group: Group = ALONE,
    cache: CacheOptions | None = None,
) -> Prepared:
    """Build and check everything that `train` needs; arguments and errors are those of `train`."""
    recipe = build.complete(recipe if isinstance(recipe, Recipe) else find_recipe(recipe))
    root = find_root(recipe.dataset.name, data)
    device = _find_device(device)
    _check_compiler(recipe, device)
    seed_networks(recipe.seed)  # a loss may have random initial parameters
    loss = build.build_loss(recipe)
    dataset, spec = find_dataset(recipe.dataset.name, recipe.dataset.arguments, root)
    if group.first and (text := getattr(dataset, "warning", "")):
        warnings.warn(text, stacklevel=3)
    seed_networks(recipe.seed)
    nets = build.build_networks(recipe, spec)
    build.check_combination(recipe, nets, loss, spec)
    initial: InitialWeights | None = None
    averages: dict[str, dict[str, Tensor]] = {}
    if init_from is not None and group.first:  # `State` shares the weights of the first process
        model = TrainedModel.find(init_from)
        initial, averages = take_weights(model, recipe, nets, loss, spec)
    tensors = {role: tuple(net.state_dict()) for role, net in nets.items()}
    build.normalise_discriminators(recipe, nets, loss)
    state = State(recipe, nets, loss, device, group)
    if init_from is not None:
        for role, average in averages.items():
            copy_tensors(state.ema.networks[role], average)
        state.ema.start(group)
    _check_keep_best(recipe, [player.name for player in loss.players])
    batches = open_batches(
        dataset,
        spec,
        recipe.batch_size,
        recipe.seed,
        device,
        streaming=recipe.streaming,
        rank=group.rank,
        ranks=group.size,
        parts=recipe.accumulate,
        agree=lambda stream: bool(group.most(stream)),
        component=recipe.dataset,
        root=root,
        cache=cache,
    )
    _check_data(batches, group)
    evaluator = evaluator_of(recipe, batches, state)
    return Prepared(recipe, root, spec, batches, state, evaluator, tensors, initial)


def _find_device(device: str | torch.device | None) -> torch.device:
    cuda = torch.cuda.is_available()
    if cuda and launched() > 1:
        if device is None or str(device) == "cuda":
            return local_device()
        if str(device) != "cpu":
            raise RecipeError(
                f"--device {device} is one device, but torchrun started several processes. Use "
                "--device cuda, which gives each process its own GPU."
            )
    try:
        selected = torch.device(device or ("cuda" if cuda else "cpu"))
    except RuntimeError as error:
        raise RecipeError(f"unknown device {device!r}. Use --device cpu or cuda.") from error
    if selected.type not in ("cpu", "cuda"):
        raise RecipeError(f"unsupported device {str(selected)!r}. Use --device cpu or cuda.")
    if selected.type == "cuda" and not cuda:
        raise RecipeError("no CUDA device found. Use --device cpu.")
    return selected


def _check_keep_best(recipe: Recipe, players: list[str]) -> None:
    player, slash, _ = recipe.keep_best.partition("/")
    if slash and player not in players:
        raise RecipeError(
            f"keep_best is {recipe.keep_best!r}, but loss {recipe.loss.name!r} has no player "
            f"{player!r}.{did_you_mean(player, players)} Its players: {enumerate_names(players)}."
        )


def _check_compiler(recipe: Recipe, device: torch.device) -> None:
    names = filter(None, (os.environ.get("CXX"), "g++", "clang++", "c++", "cl"))
    if recipe.compile and device.type == "cpu" and not any(map(shutil.which, names)):
        raise RecipeError(
            "--compile needs a C++ compiler for the CPU, and found none. Install g++, or remove "
            "--compile."
        )


def _check_data(batches: Batches, group: Group) -> None:
    if not batches.matches(group.tell(batches.fingerprint.encode()).decode()):
        raise DataError(
            f"process {group.rank} reads other images than the first process. Pass the same --data "
            "to all processes."
        )


def plan(prepared: Prepared) -> str:
    """Return a description of a training in a few lines, for `--dry-run`."""
    recipe, state = prepared.recipe, prepared.state
    sizes = "  ".join(
        f"{role} {sum(p.numel() for p in net.parameters()):,}" for role, net in state.nets.items()
    )
    if state.loss_parameters:
        sizes += f"  loss {sum(p.numel() for p in state.loss_parameters):,}"
    for role, weights in state.frozen.items():
        sizes += f"  frozen in the {role} {sum(w.numel() for w in weights):,}"
    players = "  ".join(
        f"{player.name} ({quantity(player.repeat, 'update')} "
        f"{'a step' if player.every == 1 else f'every {player.every} steps'})"
        for player in state.loss.players
    )
    steps = -(-recipe.images // recipe.batch_size)
    settings = state.in_force()
    enabled = [name for name in ("compile", "deterministic") if settings[name]]
    if settings["processes"] > 1:
        enabled.append(f"{settings['processes']} processes, BatchNorm over {settings['batchnorm']}")
    batches = prepared.batches
    lines = dict(describe_images(prepared.data_facts))
    lines |= {"note": batches.advice, "decoding": batches.decoding, "cache": batches.cache}
    extra = "".join(f"  {name:<10}  {text}\n" for name, text in lines.items() if text)
    initial = prepared.initial.describe() if prepared.initial and not state.tick else ()
    return (
        f"{recipe.name}: {recipe.architecture.name} + {recipe.loss.name} on {recipe.dataset.name}\n"
        f"  data        {quantity(len(batches), 'image')} of {prepared.data.image}, "
        f"{batches.kept}\n"
        f"{extra}"
        f"  parameters  {sizes}\n"
        f"{''.join(f'  {line}{chr(10)}' for line in initial)}"
        f"  players     {players}\n"
        f"  length      {quantity(recipe.images, 'image')} = {quantity(steps, 'step')} of "
        f"{recipe.batch_size}\n"
        f"  on          {describe_hardware(state.device)}, "
        f"{', '.join([settings['precision'], *enabled])}"
    )
