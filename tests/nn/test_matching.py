"""Tensors that two networks of one architecture have in common."""

import pytest
import torch
from torch import nn

from ganzoo.nn import add_spectral_norm
from ganzoo.nn.matching import match_tensors
from ganzoo.nn.uninitialised import Uninitialised
from ganzoo.registry import architectures
from ganzoo.spec import DataSpec, ImageSpec


def build(name, side, channels=1, classes=0, **arguments):
    with torch.device("meta"), Uninitialised():
        data = DataSpec(ImageSpec(side, side, channels), classes=classes)
        return architectures.make(name, data, **arguments)


def layers(pairs):
    """The source's module of each module of the target."""
    return {new.rpartition(".")[0]: old.rpartition(".")[0] for new, old in pairs.items()}


@pytest.mark.parametrize("name", ["dcgan", "mlp", "resnet", "upsampling-dcgan", "conv-autoencoder"])
def test_equal_networks_match_by_name(name):
    for net in build(name, 16).values():
        assert match_tensors(net, net) == {key: key for key in net.state_dict()}


def test_dcgan_is_matched_from_the_image():
    small, large = (build("dcgan", side, width=4, latent_dim=8) for side in (16, 32))
    # 16: LatentToMap (0) to 4x4, 8x8 (3), 16x16 (6). 32: one more stage after the first.
    pairs = layers(match_tensors(small["generator"], large["generator"]))
    assert pairs == {"layers.6": "layers.3", "layers.7": "layers.4", "layers.9": "layers.6"}
    pairs = layers(match_tensors(small["discriminator"], large["discriminator"]))
    assert pairs == {f"trunk.layers.{k}": f"trunk.layers.{k}" for k in (0, 2, 3)}


def test_resnet_is_matched_by_the_side_of_maps():
    small, large = (build("resnet", side, width=4, spectral_norm=False) for side in (16, 32))
    pairs = match_tensors(small["generator"], large["generator"])
    parts = {".".join(name.split(".")[:2]) for name in layers(pairs)}
    assert parts == {"first", "blocks.0", "blocks.1"}
    pairs = layers(match_tensors(small["discriminator"], large["discriminator"]))
    # 16: 16 to 8 (0), 8 (1), 8 (2). 32: 32 to 16 (0), then the same.
    blocks = {
        (new.split(".")[2], old.split(".")[2]) for new, old in pairs.items() if "blocks" in new
    }
    assert blocks == {("1", "0"), ("2", "1"), ("3", "2")}
    assert pairs["last.layer"] == "last.layer"


def test_a_class_label_around_a_generator_shifts_names():
    plain = build("dcgan", 16, width=4)["generator"]
    labelled = build("dcgan", 16, width=4, classes=3, conditioning="concat")["generator"]
    pairs = match_tensors(plain, labelled)
    assert pairs == {f"trunk.{name}": name for name in plain.state_dict()}


def test_spectral_norm_shifts_names():
    plain = nn.Sequential(nn.Conv2d(1, 2, 3))
    normalised = add_spectral_norm(nn.Sequential(nn.Conv2d(1, 2, 3)))
    weight = "0.parametrizations.weight.original"
    assert match_tensors(plain, normalised) == {"0.bias": "0.bias", weight: "0.weight"}
    assert match_tensors(normalised, plain) == {"0.bias": "0.bias", "0.weight": weight}


def test_layers_of_other_types_and_undeclared_lists_do_not_match():
    assert not match_tensors(
        nn.Sequential(nn.Conv2d(1, 2, 3)), nn.Sequential(nn.ConvTranspose2d(1, 2, 3))
    )
    deep, deeper = (build("mlp", 8, depth=depth)["generator"] for depth in (1, 2))
    assert not match_tensors(deep, deeper)
