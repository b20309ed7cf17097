"""Checkpoints of pytorch_GAN_zoo: a known one, and ours in its layout."""

import argparse
import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch

import ganzoo
from ganzoo.errors import ImportFileError
from ganzoo.exporters.checkpoint_networks import build, load
from ganzoo.importers import convert, open_checkpoint, recognise
from ganzoo.importers.recognition import parts
from ganzoo.testing import importer as checks
from ganzoo_pgan.importers import PGANZoo

CONFIG = {
    "alpha": 0.0,
    "categoryVectorDim": 0,
    "depthOtherScales": [6, 4],
    "equalizedlR": True,
    "leakyReluLeak": 0.2,
    "lossCriterion": "WGANGP",
    "miniBatchStdDev": True,
    "perChannelNormalization": True,
}
NAMES = {"first": "formatLayer", "smallest": "groupScale0.0", "to_image": "toRGBLayers.2"}
NAMES |= {f"blocks.{k}.{n}": f"scaleLayers.{k}.{n // 2}" for k in (0, 1) for n in (1, 3)}
NAMES["to_smaller_image"] = "toRGBLayers.1"
CRITIC = {"trunk.from_image": "fromRGBLayers.2", "trunk.from_smaller_image": "fromRGBLayers.1"}
CRITIC |= {"trunk.blocks.0.0": "scaleLayers.1.0", "trunk.blocks.0.2": "scaleLayers.1.1"}
CRITIC |= {"trunk.blocks.1.0": "scaleLayers.0.0", "trunk.blocks.1.2": "scaleLayers.0.1"}
CRITIC |= {"trunk.smallest.1": "groupScaleZero.0", "trunk.smallest.4": "groupScaleZero.1"}
CRITIC |= {"last": "decisionLayer"}


def in_their_names(network, names, config):
    """Return weights of layers that return (W x + b) c with equalizedlR, else W x + b."""
    images = "toRGBLayers" if "to_image" in names else "fromRGBLayers"
    smaller = (f"{images}.{k}.module.{part}" for k in (0, 1) for part in ("weight", "bias"))
    state = dict.fromkeys(smaller, torch.ones(1))
    for ours, theirs in names.items():
        if "smaller" in ours and not config["alpha"]:
            continue
        layer = network.get_submodule(ours)
        constant = math.sqrt(2 / layer.weight[0].numel())
        weight, bias = layer.weight.detach(), layer.bias.detach()
        equalised = config["equalizedlR"]
        state[f"{theirs}.module.weight"] = weight.clone() if equalised else weight * constant
        state[f"{theirs}.module.bias"] = bias / constant if equalised else bias.clone()
    return state


def in_their_layout(generator, critic=None, **config):
    """Return the content of a file."""
    config = CONFIG | config
    state = in_their_names(generator, NAMES, config)
    return {
        "config": argparse.Namespace(**config),
        "netG": {name: weight + 1 for name, weight in state.items()},
        "netD": in_their_names(critic, CRITIC, config) if critic else {},
        "avgG": state,
    }


def ours(role="generator", **arguments):
    torch.manual_seed(0)
    data = ganzoo.DataSpec(ganzoo.ImageSpec(16, 16, 3))
    factory = ganzoo.architectures.get("pgan")
    network = factory(data, latent_dim=5, widths=(8, 6, 4), **arguments)[role]
    for weight in network.parameters():
        torch.nn.init.normal_(weight)
    return network.eval()


def networks(file, **options):
    match = recognise(open_checkpoint(file))
    assert match.entry.name == "pgan-zoo"
    conversion = convert(match, options)
    _, _, nets = build(conversion)
    load(match, conversion, nets)
    return nets


@pytest.fixture
def save(tmp_path):
    def write(content):
        torch.save(content, tmp_path / "pictures_s2_i7.pt")
        return tmp_path / "pictures_s2_i7.pt"

    return write


@pytest.mark.parametrize(
    ("arguments", "config"),
    [
        ({}, {}),
        ({"alpha": 0.75}, {"alpha": 0.25}),
        ({"pixel_norm": False}, {"perChannelNormalization": False}),
        ({}, {"equalizedlR": False}),
        ({}, {"lossCriterion": "Logistic", "kInnerD": 1, "kInnerG": 1}),
        ({"output": "tanh"}, {"lossCriterion": "DCGAN"}),
        ({"output": "tanh", "alpha": 0.75}, {"lossCriterion": "MSE", "alpha": 0.25}),
    ],
)
def test_our_networks_in_its_layout_give_the_same_results(save, arguments, config):
    generator, critic = ours(**arguments), ours("discriminator", **arguments)
    nets = networks(save(in_their_layout(generator, critic, **config)))
    with torch.no_grad():
        images = generator(torch.randn(3, 5, generator=torch.manual_seed(1)))
        again = nets["generator"](torch.randn(3, 5, generator=torch.manual_seed(1)))
        torch.testing.assert_close(again, images, atol=1e-5, rtol=1e-5)
        logits = critic(images).logits
        torch.testing.assert_close(nets["discriminator"](images).logits, logits)


def test_a_discriminator_is_left_out_if_asked_or_if_the_architecture_lacks_it(save):
    content = in_their_layout(ours(), ours("discriminator"))
    assert networks(save(content), without_discriminator=True).keys() == {"generator"}
    content["config"].miniBatchStdDev = False
    match = recognise(open_checkpoint(save(content)))
    conversion = convert(match, {})
    assert conversion.weights.keys() == {"generator"}
    assert "lacks the deviation" in conversion.ignored["netD.*"]


def test_the_other_copy_of_the_generator(save):
    content = in_their_layout(ours())
    imported = networks(save(content), network="netG")["generator"].first.weight
    torch.testing.assert_close(imported, content["avgG"]["formatLayer.module.weight"] + 1)


@pytest.mark.parametrize("check", [checks.converts, checks.accounts_for_all_tensors])
def test_the_importer_passes_the_checks(save, check):
    critic = ours("discriminator", alpha=0.75)
    content = in_their_layout(ours(alpha=0.75), critic, alpha=0.25)
    check(checks.Importer("pgan-zoo", save(content)))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"categoryVectorDim": 3}, "its option categoryVectorDim is 3. Architecture 'pgan' has 0"),
        ({"leakyReluLeak": 0.1}, "its option leakyReluLeak is 0.1. Architecture 'pgan' has 0.2"),
        ({"generationActivation": argparse.Namespace()}, "its config has .* generationActivation"),
        ({"generationActivation": "tanh"}, "its config has the options generationActivation"),
        ({"alpha": 1.0}, r"its option alpha is 1.0, not a number in \[0, 1\)"),
        ({"alpha": math.nan}, "its option alpha is nan"),
        ({"alpha": "x"}, "its option alpha is x"),
        ({"lossCriterion": "Hinge"}, "its option lossCriterion is Hinge"),
        ({"equalizedlR": 1}, "its option equalizedlR is not True or False"),
    ],
)
def test_options_that_the_architecture_lacks_are_refused(save, config, message):
    content = in_their_layout(ours())
    content["config"] = argparse.Namespace(**CONFIG | config)
    with pytest.raises(ImportFileError, match=message):
        networks(save(content))


def test_a_file_without_options_is_refused(save):
    content = in_their_layout(ours())
    del content["config"].alpha
    with pytest.raises(ImportFileError, match="lacks 'alpha'"):
        networks(save(content))
    with pytest.raises(ImportFileError, match="lacks"):
        networks(save({"avgG": content["avgG"]}))


def test_a_layer_without_numbers_is_refused(save):
    content = in_their_layout(ours())
    content["avgG"]["scaleLayers.0.1.module.weight"] = torch.ones(6, 0, 3, 3)
    with pytest.raises(ImportFileError, match="scaleLayers.0.1.module.weight is empty"):
        networks(save(content))


FIXTURES = os.environ.get("GANZOO_CHECKPOINTS", "")
needs_fixtures = pytest.mark.skipif(not FIXTURES, reason="GANZOO_CHECKPOINTS names no folder")


@needs_fixtures
def test_a_known_checkpoint_gives_the_known_images():
    folder = Path(FIXTURES) / "pgan-zoo-pgan32"
    known = np.load(folder / "expected.npz")
    with torch.no_grad():
        images = networks(folder / "pictures_s3_i48000.pt")["generator"](torch.tensor(known["z"]))
    np.testing.assert_allclose(images, known["images"].clip(-1, 1), atol=5e-5)


@needs_fixtures
def test_files_of_other_programs_are_not_recognised():
    files = [
        f
        for f in Path(FIXTURES).rglob("*.p*")
        if not f.match("*/pgan-zoo-*/*") and "hostile" not in str(f)
    ]
    assert len(files) > 10
    for file in files:
        for _, part in parts(open_checkpoint(file)):
            assert not PGANZoo().recognises(part)
