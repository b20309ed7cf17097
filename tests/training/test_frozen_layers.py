"""Layers of a discriminator that keep their weights."""

import warnings
from dataclasses import replace

import pytest
import torch
from torch import nn

import ganzoo
from ganzoo.cli import main
from ganzoo.errors import RecipeError
from ganzoo.nn import add_spectral_norm
from ganzoo.nn.layers import layers_from_image
from ganzoo.spec import Component
from ganzoo.training import prepare
from helpers.recipes import play, tiny

STANDARD = Component("nonsaturating")
TWO = tiny(freeze_layers=2, images=32, ema_halflife=0)


def names(network):
    of = {id(weight): name for name, weight in network.named_parameters()}
    return [[of[id(weight)] for weight in layer] for layer in layers_from_image(network)]


def discriminator(state):
    return {k: v.detach().clone() for k, v in state.nets["discriminator"].named_parameters()}


def test_layers_are_counted_from_the_image():
    net = prepare(tiny(), device="cpu").state.nets["discriminator"]
    bn = ["trunk.layers.3.weight", "trunk.layers.3.bias"]
    assert names(net) == [
        ["trunk.layers.0.weight", "trunk.layers.0.bias"],
        ["trunk.layers.2.weight", *bn],
        ["last.weight", "last.bias"],
    ]
    counts = [len(layer) for layer in names(add_spectral_norm(net))]
    assert counts == [2, 3, 2]


def test_a_network_can_state_the_order_of_its_modules():
    class Backwards(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.last, self.first = nn.BatchNorm2d(1), nn.Linear(2, 1), nn.Linear(2, 2)

        def modules_from_image(self):
            return [self.norm, self.first, self.last]

    first = ["norm.weight", "norm.bias", "first.weight", "first.bias"]
    assert names(Backwards()) == [first, ["last.weight", "last.bias"]]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"spectral_norm": True},
        {"loss": Component("wgan", {"weight_clip": 1e-3, "discriminator_steps": 1})},
        {"loss": Component("nonsaturating", {"r1": 1.0}), "accumulate": 2},
    ],
    ids=["plain", "spectral norm", "clipping", "penalty and parts"],
)
@pytest.mark.filterwarnings("ignore:the loss penalises")
def test_frozen_layers_keep_their_weights_and_the_others_learn(changes):
    prepared = prepare(replace(TWO, **changes), device="cpu")
    before = discriminator(prepared.state)
    generator = prepared.state.nets["generator"].layers[0].weight.detach().clone()
    play(prepared)
    after = discriminator(prepared.state)
    same = {k for k in before if torch.equal(before[k], after[k])}
    frozen = {k for k in before if not k.startswith("last.")}
    shifts = {"last.bias"} if changes.get("loss", STANDARD).name == "wgan" else set()
    assert same == frozen | shifts, "a critic's constant has no gradient"
    assert not torch.equal(prepared.state.nets["generator"].layers[0].weight, generator)
    trained = prepared.state.optimizers["discriminator"].param_groups[0]["params"]
    assert len(trained) == 2


def test_the_generator_has_the_gradient_of_a_discriminator_that_learns():
    gradients = []
    for recipe in (TWO, replace(TWO, freeze_layers=0)):
        # A frozen discriminator changes nothing for the generator in the first turn.
        prepared = prepare(replace(recipe, images=16), device="cpu")
        prepared.state.optimizers["discriminator"].step = lambda *a, **k: None
        play(prepared)
        gradients.append(prepared.state.nets["generator"].layers[0].weight.grad)
    assert gradients[0].abs().sum() > 0
    torch.testing.assert_close(*gradients)


def test_a_resumed_run_has_the_same_weights(tmp_path):
    options = {"progress": False, "monitors": "off", "tensorboard": "off"}
    whole = prepare(replace(TWO, images=64), device="cpu")
    play(whole)
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        run = ganzoo.train(replace(TWO, images=32), out=tmp_path / "run", device="cpu", **options)
    texts = [str(warning.message) for warning in record]
    assert [text for text in texts if "Add --init-from MODEL" in text] == [
        "--freeze-layers keeps layers of the discriminator whose weights are random: the run starts "
        "from random weights. Add --init-from MODEL"
    ]
    resumed = ganzoo.resume(run.path, images=64, device="cpu", **options)
    stored = ganzoo.load(resumed.bundle).network.state_dict()
    for name, tensor in whole.state.ema.networks["generator"].state_dict().items():
        assert torch.equal(stored[name], tensor)
    with pytest.raises(RecipeError, match="a run keeps its --freeze-layers"):
        ganzoo.resume(run.path, freeze_layers=1, change=True, **options)


def test_only_layers_of_another_network_are_random(tmp_path):
    source = ganzoo.train(tiny(images=16), out=tmp_path / "source", progress=False).path
    for model, reason in ((source, ""), (source / "bundle", "'tiny' has no discriminator")):
        with warnings.catch_warnings(record=True) as record:
            warnings.simplefilter("always")
            out = tmp_path / f"run{len(reason)}"
            ganzoo.train(replace(TWO, images=16), out=out, init_from=model, progress=False)
        texts = [str(each.message) for each in record if "--freeze" in str(each.message)]
        assert len(texts) == bool(reason)
        assert not reason or reason in texts[0]


def test_too_many_layers_and_no_discriminator_are_errors(capsys):
    command = ["train", "dcgan-digits", "--dry-run", "--freeze-layers"]
    assert main([*command, "3"]) == 1
    assert (
        "the discriminator has 3 layers, and one must be trained. Use at most --freeze-layers 2."
        in (capsys.readouterr().err)
    )
    assert main([*command, "1"]) == 0
    printed = capsys.readouterr()
    assert "frozen in the discriminator" in printed.out
    assert "warning: --freeze-layers keeps layers of the discriminator whose" in printed.err
    auto = {"architecture": Component("mlp-autoencoder"), "loss": Component("autoencoder")}
    with pytest.raises(RecipeError, match="trains no discriminator"):
        prepare(tiny(freeze_layers=1, **auto), device="cpu")
