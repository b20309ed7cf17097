"""Checkpoints of the authors' program: known ones, and ours in their layout."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from r3gan_helpers import build, wake
from torch import nn

from ganzoo.errors import ImportFileError
from ganzoo.exporters.checkpoint_networks import build as build_imported
from ganzoo.exporters.checkpoint_networks import load
from ganzoo.importers import convert, open_checkpoint, recognise
from ganzoo.importers.recognition import parts
from ganzoo.testing import importer as checks
from ganzoo_r3gan.blocks import ResidualBlock
from ganzoo_r3gan.importers import R3GAN

KERNEL = torch.tensor([1.0, 3.0, 3.0, 1.0]).outer(torch.tensor([1.0, 3.0, 3.0, 1.0])) / 64


def theirs(layers, *, first, down):
    """Yield the weights of layers by their names: stages have a list of layers each."""
    stage, k, between = 0, first, ""
    for layer in layers:
        if isinstance(layer, ResidualBlock):
            path = f"MainLayers.{stage}.Layers.{k}"
            for n, conv in enumerate((layer.widen, layer.mix, layer.narrow), 1):
                yield f"{path}.LinearLayer{n}.Layer.weight", conv.weight
                if conv.bias is not None:
                    yield f"{path}.NonLinearity{n}.Bias", conv.bias
            k += 1
        elif isinstance(layer, nn.Conv2d):  # it comes before the doubling, and after the halving
            at = between if down else f"MainLayers.{stage + 1}.Layers.0"
            yield f"{at}.LinearLayer.Layer.weight", layer.weight
        else:
            between = (
                f"MainLayers.{stage}.Layers.{k}" if down else f"MainLayers.{stage + 1}.Layers.0"
            )
            yield f"{between}.Resampler.Kernel", KERNEL
            stage, k = stage + 1, first


def in_their_layout(nets, classes=0):
    """Return the content of a file with these networks; labels are embedded in 5 numbers."""
    generator = getattr(nets["generator"], "trunk", nets["generator"])
    discriminator, trunk = nets["discriminator"], nets["discriminator"].trunk
    g = dict(theirs(generator.layers, first=1, down=False))
    d = dict(theirs(trunk.layers, first=0, down=True))
    modulation, linear = generator.modulation.weight, discriminator.last
    if classes:
        g["EmbeddingLayer.weight"] = embedding = torch.randn(5, classes)
        labels = modulation[:, -classes:] @ torch.linalg.pinv(embedding)
        modulation, linear = torch.cat([modulation[:, :-classes], labels], 1), trunk.linear
        d["EmbeddingLayer.weight"] = discriminator.projection.weight.T
    g["MainLayers.0.Layers.0.Basis"] = generator.basis
    g["MainLayers.0.Layers.0.LinearLayer.weight"] = modulation
    g["AggregationLayer.Layer.weight"] = generator.to_image.weight
    d["ExtractionLayer.Layer.weight"] = trunk.from_image.weight
    blocks = sum(name.startswith("MainLayers.2.") and "Layer1" in name for name in d)
    d[f"MainLayers.2.Layers.{blocks}.Basis.weight"] = trunk.pool.weight
    d[f"MainLayers.2.Layers.{blocks}.LinearLayer.weight"] = linear.weight
    content = {"G_ema": g, "D": d, "G": g | {"MainLayers.0.Layers.0.Basis": 2 * generator.basis}}
    return {
        f"{net}.Model.{name}": weight.detach().clone()
        for net, weights in content.items()
        for name, weight in weights.items()
    } | {
        "cur_nimg": 7,
        "G_ema.z_dim": 5,
        "G_ema.c_dim": classes,
        "G_opt_state.state.0.exp_avg": torch.ones(3),
    }


def networks(file, **options):
    """Return the networks of a file."""
    match = recognise(open_checkpoint(file))
    conversion = convert(match, options)
    _, _, nets = build_imported(conversion)
    load(match, conversion, nets)
    return nets


def outputs(nets, z, images, *labels):
    """Return images and logits; labels are those of z and those of the images."""
    with torch.no_grad():
        fake, logits = nets["generator"](z, *labels[:1]), nets["discriminator"](images, *labels[1:])
    return [fake, logits.logits]


NETS = {
    "narrowing": {"widths": (16, 12, 8), "groups": (4, 2, 8)},
    "blocks and expansion": {"widths": (8, 8, 8), "groups": (2, 2, 2), "blocks": 2, "expansion": 3},
    "labels": {"widths": (16, 8, 8), "groups": (4, 2, 8), "conditioning": "projection"},
}


@pytest.fixture
def saved(tmp_path):
    def save(change=lambda content: content, **arguments):
        torch.manual_seed(0)
        nets = wake(build(16, 3, output="linear", **NETS["narrowing"] | arguments))
        labels = 3 if "conditioning" in arguments else 0
        torch.save(
            change(in_their_layout(nets, labels)), tmp_path / "network-snapshot-000000007.pkl"
        )
        return tmp_path / "network-snapshot-000000007.pkl", {k: v.eval() for k, v in nets.items()}

    return save


@pytest.mark.parametrize("name", NETS)
def test_our_networks_in_their_layout_give_the_same_outputs(saved, name):
    file, ours = saved(**NETS[name])
    imported = networks(file)
    labels = [torch.tensor([2, 0, 1]), torch.tensor([1, 1, 0])] if name == "labels" else []
    inputs = torch.randn(3, 5), torch.randn(3, 3, 16, 16)
    for result, expected in zip(
        outputs(imported, *inputs, *labels), outputs(ours, *inputs, *labels), strict=True
    ):
        torch.testing.assert_close(result, expected)


def test_the_other_generator_and_the_generator_alone(saved):
    file, ours = saved()
    imported = networks(file, network="G", without_discriminator=True)
    assert imported.keys() == {"generator"}
    torch.testing.assert_close(imported["generator"].basis, 2 * ours["generator"].basis)
    file, _ = saved(lambda content: {k: v for k, v in content.items() if k.startswith("G_ema")})
    assert networks(file).keys() == {"generator"}


def changed(path, change):
    return lambda content: content | {path: change(content[path])}


WRONG = {
    "another filter": (
        changed("G_ema.Model.MainLayers.1.Layers.0.Resampler.Kernel", lambda k: k.flip(0) + 1),
        "Kernel is not the filter.*another ResamplingFilter",
    ),
    "the discriminator's filter": (
        changed("D.Model.MainLayers.1.Layers.1.Resampler.Kernel", torch.zeros_like),
        "Kernel is not the filter.*another ResamplingFilter",
    ),
    "kernels of 1": (
        changed(
            "G_ema.Model.MainLayers.2.Layers.1.LinearLayer2.Layer.weight", lambda w: w[..., :1, :1]
        ),
        r"weights \(16, 2, 1, 1\).*KernelSize 3",
    ),
    "a wider discriminator": (
        changed("D.Model.MainLayers.0.Layers.0.LinearLayer2.Layer.weight", lambda w: w[:, :1]),
        "1 x 8 channels in 16 groups.*--without-discriminator",
    ),
    "a flat basis": (
        changed("G_ema.Model.MainLayers.0.Layers.0.Basis", torch.flatten),
        r"Basis has shape \(256,\), not 3 dimensions",
    ),
    "no filter": (
        lambda content: {
            k: v
            for k, v in content.items()
            if k != "G_ema.Model.MainLayers.1.Layers.0.Resampler.Kernel"
        },
        "lacks the tensor 'G_ema.Model.MainLayers.1.Layers.0.Resampler.Kernel'",
    ),
    "another length of z": (lambda content: content | {"G_ema.z_dim": 6}, "says z_dim=6, .* has 5"),
    "an unknown tensor": (
        lambda content: content | {"G_ema.Model.Noise": torch.ones(3)},
        "has tensors that a file of 'r3gan' does not have: G_ema.Model.Noise",
    ),
    "another expansion at one side": (
        lambda content: (
            content
            | {
                f"G_ema.Model.MainLayers.1.Layers.1.LinearLayer{n}.Layer.weight": torch.ones(*shape)
                for n, shape in enumerate(((12, 12, 1, 1), (12, 6, 3, 3), (12, 12, 1, 1)), 1)
            }
        ),
        r"ExpansionFactor \[2, 1, 2\]",
    ),
    "an embedding of labels with other channels": (
        changed("D.Model.EmbeddingLayer.weight", lambda w: w[:3]),
        "ConditionEmbeddingDimension of 3.*--without-discriminator",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_the_architecture_cannot_hold_is_refused(saved, name):
    change, message = WRONG[name]
    file, _ = saved(change, **{"conditioning": "projection"} if "embedding" in name else {})
    with pytest.raises(ImportFileError, match=message):
        networks(file)


@pytest.mark.parametrize("check", [checks.converts, checks.accounts_for_all_tensors])
def test_the_importer_passes_the_checks(saved, check):
    check(checks.Importer("r3gan", saved(conditioning="projection")[0]))


FIXTURES = os.environ.get("GANZOO_CHECKPOINTS", "")
needs_fixtures = pytest.mark.skipif(not FIXTURES, reason="GANZOO_CHECKPOINTS names no folder")


@needs_fixtures
@pytest.mark.parametrize("name", ["r3gan-uncond32", "r3gan-cond32-narrowing"])
def test_known_checkpoints_give_the_known_outputs(name):
    folder = Path(FIXTURES) / name
    known = {k: torch.tensor(v) for k, v in np.load(folder / "expected.npz").items()}
    nets = networks(next(folder.glob("*.pkl")))
    labels = [known[key] for key in ("labels", "d_labels") if key in known]
    images, logits = outputs(nets, known["z"], known["d_images"], *labels)
    torch.testing.assert_close(images, known["images"].clamp(-1, 1), atol=1e-5, rtol=0)
    torch.testing.assert_close(logits, known["d_logits"], atol=1e-5, rtol=0)


@needs_fixtures
def test_files_of_other_programs_are_not_recognised():
    files = [
        f
        for f in Path(FIXTURES).rglob("*.p*")
        if not f.match("*/r3gan-*/*") and "hostile" not in str(f)
    ]
    assert len(files) > 10
    for file in files:
        for _, part in parts(open_checkpoint(file)):
            assert not R3GAN().recognises(part)
