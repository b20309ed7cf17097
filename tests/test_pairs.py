"""Every architecture with every loss that fits it, as the registry has them: plugins' too."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest
import torch
from conftest import tiny
from safetensors.torch import load_file
from torch.utils.data import TensorDataset

import ganzoo
from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import GanzooError
from ganzoo.registry import architectures, datasets, losses
from ganzoo.signatures import arguments_of
from ganzoo.spec import Component
from ganzoo.training import prepare
from ganzoo.training.assembly import build_loss, build_networks, check_pair
from ganzoo.training.loop import run_ticks

IMAGE = ImageSpec(32, 32, 1)
SPEC = DataSpec(IMAGE, classes=3, condition=IMAGE)
SMALL = {"latent_dim": 12, "width": 4, "hidden": 8, "blocks": 1, "patch_layers": 2}
CODES = {"categorical_code": 3, "continuous_codes": 2}


def pairs_data(root):
    """Noise of three classes, each image with another that it is to be made from."""
    rng = torch.Generator().manual_seed(0)
    images, sources = torch.randint(256, (2, 24, *IMAGE.shape), generator=rng, dtype=torch.uint8)
    return TensorDataset(images, torch.arange(24) % 3, sources), SPEC


@pytest.fixture(autouse=True, scope="module")
def _data():
    datasets.register("tiny-pairs")(pairs_data)
    yield
    datasets.unregister("tiny-pairs")


def variants(name):
    """Arguments of an architecture at tiny size, for each value of each choice that it offers."""
    arguments = arguments_of(architectures.get(name))
    small = {k: v for k, v in SMALL.items() if k in arguments}
    yield small
    if arguments.keys() >= CODES.keys():
        yield small | CODES
    for key, argument in arguments.items():
        if get_origin(argument.annotation) is Literal:
            for value in get_args(argument.annotation):
                if value != argument.default:
                    yield small | {key: value}


def fits(recipe, nets):
    """Whether training would accept the two: asked as training asks, after a cheap look."""
    loss = build_loss(recipe)
    try:
        return loss.roles == set(nets) and check_pair(recipe, nets, loss, SPEC) is None
    except GanzooError:
        return False


def fitting_pairs():
    """Each loss with the first variant of an architecture that it fits, and each variant once."""
    for architecture in architectures.names():
        alone = set(losses.names())
        for arguments in variants(architecture):
            recipe = tiny(
                architecture=Component(architecture, arguments),
                dataset=Component("tiny-pairs"),
                batch_size=4,
                images=16,
                log_every=8,
                checkpoint_every=8,
                ema_halflife=8,
            )
            nets = build_networks(recipe, SPEC)
            pairs = [replace(recipe, loss=Component(name)) for name in losses.names()]
            pairs = [pair for pair in pairs if fits(pair, nets)]
            yield from [p for p in pairs if p.loss.name in alone] or pairs[:1]
            alone -= {p.loss.name for p in pairs}


def describe(recipe):
    arguments = recipe.architecture.arguments.items()
    chosen = [f"{k}={v}" for k, v in arguments if k not in SMALL]
    return "-".join([recipe.architecture.name, *chosen, recipe.loss.name])


PAIRS = {describe(recipe): recipe for recipe in fitting_pairs()}


def test_the_pairs_are_those_one_expects():
    assert {
        "mlp-minimax",
        "dcgan-wgan-gp",
        "dcgan-conditioning=auxiliary-acgan",
        "resnet-rpgan",
        "mlp-categorical_code=3-continuous_codes=2-infogan",
        "conv-autoencoder-vae",
        "mlp-autoencoder-autoencoder",
        "conv-autoencoder-discriminator=image-vaegan",
        "mlp-autoencoder-discriminator=joint-bigan",
    } <= PAIRS.keys()
    assert {
        f"{trunk}-conditioning={kind}"
        for trunk in ("dcgan", "mlp", "resnet")
        for kind in ("concat", "projection", "auxiliary")
    } <= {name.rpartition("-")[0] for name in PAIRS}
    assert "dcgan-acgan" not in PAIRS
    assert "dcgan-vae" not in PAIRS


def ticks(prepared, n):
    values = []
    run_ticks(
        prepared.state,
        prepared.batches,
        record=lambda player, term, value: values.append((player.name, term, float(value))),
        watch=lambda player, name, value: values.append((player.name, name, float(value))),
        report=lambda: prepared.state.tick < n,
    )
    return values


def weights(state):
    return {
        role: {name: p.detach().clone() for name, p in net.named_parameters()}
        for role, net in state.nets.items()
    }


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_it_trains_and_moves_every_network(name, precision):
    prepared = prepare(replace(PAIRS[name], precision=precision))
    before = weights(prepared.state)
    values = ticks(prepared, 3)
    assert prepared.state.tick == 3
    assert {player for player, _, _ in values} == {p.name for p in prepared.state.loss.players}
    assert all(math.isfinite(value) for _, _, value in values), values
    after = weights(prepared.state)
    for role in before:
        still = [k for k, w in before[role].items() if torch.equal(w, after[role][k])]
        assert len(still) < len(before[role]), f"{role} did not move"
        # What nothing is asked of may rest: log-variances without noise, heads without a question,
        # a critic's last bias, which cancels in D(fake) - D(real).
        idle = ("bias", "log_variance", "heads")
        assert all(any(part in k for part in idle) for k in still), still


@pytest.mark.parametrize("name", PAIRS)
def test_resuming_changes_nothing(name, tmp_path):
    whole = ganzoo.train(PAIRS[name], out=tmp_path / "whole", progress=False).path
    newest = last_checkpoint(whole)
    expected = newest.read_bytes()
    newest.unlink()
    again = ganzoo.resume(whole, progress=False)
    assert again.finished
    a, b = load_file(newest), safetensors_of(expected, tmp_path)
    assert a.keys() == b.keys()
    assert all(torch.equal(a[key], b[key]) for key in a)


def last_checkpoint(run: Path) -> Path:
    return sorted((run / "checkpoints").iterdir())[-1]


def safetensors_of(content, folder):
    path = folder / "expected.safetensors"
    path.write_bytes(content)
    return load_file(path)
