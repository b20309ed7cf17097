"""The networks, as the core and losses call them, and the recipe."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from stylegan3_helpers import SMALL, build, recipe

import ganzoo
from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import ArchitectureError
from ganzoo.nn import inputs_of
from ganzoo.registry import find_recipe
from ganzoo.runtimes.linear_layers import find_style_maps
from ganzoo.spec import Component
from ganzoo.training import prepare
from ganzoo.training.build import complete
from ganzoo.training.loop import run_ticks

Z = torch.randn(3, SMALL["latent_dim"], generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("configuration", ["T", "R"])
@pytest.mark.parametrize(("side", "channels"), [(16, 1), (64, 3), (128, 4)])
def test_networks_fit_every_supported_size(side, channels, configuration):
    nets = build(side, channels, configuration=configuration)
    images = nets["generator"](Z[:2])
    assert images.shape == (2, channels, side, side)
    assert nets["discriminator"](images).logits.shape == (2,)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (28, 28), (32, 64), (2048, 2048)])
def test_other_sizes_are_refused(height, width):
    data = DataSpec(ImageSpec(height, width, 1))
    with pytest.raises(ArchitectureError, match=r"16, 32, 64.*--architecture stylegan2"):
        ganzoo.architectures.get("stylegan3")(data)


WRONG = {
    "latent_dim": (0, "latent_dim=0: it must be at least 1"),
    "widths": ((3, 0, 3, 3), "widths=0: it must be at least 1"),
    "margin": (-1, "margin=-1: it must be at least 0"),
    "clamp": (float("nan"), "clamp=nan: it must be at least 0"),
    "magnitude_memory": (1.5, r"magnitude_memory=1\.5: it must be in \[0, 1\]"),
    "truncation": (-0.5, r"truncation=-0\.5: it must be in \[0, 1\]"),
    "critical_layers": (4, r"critical_layers=4 of layers=4.*--architecture\.layers 5"),
    "discriminator_widths": ((3, 3), r"3 maps .* discriminator_widths, which has 2 .*3, 6, 6"),
    "conditioning": ("mapping", "two classes or more, but the data has none"),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_argument_out_of_its_range_is_refused(name):
    value, message = WRONG[name]
    with pytest.raises(ArchitectureError, match=message):
        build(**{name: value})


def test_the_defaults_are_the_papers_networks():
    """Table of appendix F: configurations T and R at 256x256, with C_base 32768 and 65536."""
    data = DataSpec(ImageSpec(256, 256, 3))
    for configuration, factor in (("T", 1), ("R", 2)):
        with torch.device("meta"):
            nets = ganzoo.architectures.get("stylegan3")(
                data, configuration=configuration, width=128
            )
        synthesis = nets["generator"].synthesis
        widths = [len(layer.convolution.bias) for layer in synthesis.layers]
        assert widths[:2] == [factor * 512] * 2
        assert widths[-1] == factor * 128
        kernels = {layer.convolution.convolution.weight.shape[2] for layer in synthesis.layers}
        assert kernels == {3 if configuration == "T" else 1}
        ranks = [layer.activation.down_filter.ndim for layer in synthesis.layers]
        assert ranks == ([1] * 14 if configuration == "T" else [2] * 12 + [1] * 2)
        assert synthesis.style_count == 16
        assert len(nets["generator"].mapping.layers) == 2
        assert nets["discriminator"].from_image.weight.shape[0] == 128


def test_labels_choose_the_image():
    nets, y = build(classes=3), torch.tensor([0, 1, 2])
    generator = nets["generator"].eval()
    assert inputs_of(generator) == ("z", "y")
    with torch.no_grad():
        images = generator(Z, y)
        assert images.abs().max() <= 1
        assert not torch.allclose(images, generator(Z, y.flip(0)), atol=1e-3)
        logits = nets["discriminator"](images, y).logits
        assert not torch.allclose(logits, nets["discriminator"](images, y.flip(0)).logits)


def test_the_papers_loss_moves_averages_and_leaves_constants():
    prepared = prepare(recipe({"configuration": "R"}), device="cpu")
    generator = prepared.state.nets["generator"]
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    ignore = {"log_term": lambda *_: None, "log_metric": lambda *_: None}
    run_ticks(prepared.state, prepared.batches, report=lambda: False, **ignore)
    for name, value in generator.state_dict().items():
        constant = name.endswith(("filter", "frequencies", "phases", "transform"))
        assert torch.equal(value, before[name]) == constant, name


def test_the_recipe_holds_the_papers_settings(tmp_path):
    for k in range(2):
        pixels = np.random.default_rng(k).integers(0, 256, (64, 64, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{k}.png")
    whole = complete(find_recipe("stylegan3-t-64"))
    assert (whole.batch_size, whole.ema_halflife, whole.images) == (32, 10_000, 25_000_000)
    assert whole.optimizer.betas == (0.0, 0.99)
    assert (whole.optimizer.lr, whole.learning_rates) == (2.5e-3, {"discriminator": 2e-3})
    loss = whole.loss.arguments
    assert loss["style_mixing"] == loss["path_length"] == 0
    assert loss["r1"] == pytest.approx(8.2 * (64 / 512) ** 2, rel=0.01)
    arguments = whole.architecture.arguments
    assert arguments["magnitude_memory"] == pytest.approx(0.5 ** (32 / 20_000), abs=1e-4)
    # C_base = 32768 of the generator and of the discriminator.
    assert arguments["width"] == 32_768 / 64
    small = arguments | {"width": 2, "widest": 2, "latent_dim": 4, "style_dim": 4}
    small = replace(whole, architecture=Component("stylegan3", small), batch_size=2)
    assert prepare(small, data=tmp_path).data.image.shape == (3, 64, 64)


def test_the_plugin_uses_only_public_names():
    """The plugin imports only names of ganzoo that are public."""
    import ganzoo_stylegan3

    allowed = {
        "ganzoo",
        "ganzoo.games",
        "ganzoo.nn",
        "ganzoo.errors",
        "ganzoo.importers",
        "ganzoo.spec",
    }
    files = list(Path(ganzoo_stylegan3.__file__).parent.rglob("*.py"))
    assert len(files) > 3
    for file in files:
        used = re.findall(r"^\s*(?:from|import) (ganzoo(?:\.\w+)*)\b", file.read_text(), re.M)
        assert set(used) <= allowed, file


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_call_does_not_depend_on_the_default_dtype(dtype):
    generator = build()["generator"].eval()
    with torch.no_grad():
        expected = generator(Z)
        torch.set_default_dtype(dtype)
        try:
            images = generator(Z)
        finally:
            torch.set_default_dtype(torch.float32)
    assert torch.equal(images, expected)


def test_the_affine_maps_of_all_layers_read_w():
    synthesis = build(16)["generator"].eval().synthesis
    with torch.no_grad():
        maps = find_style_maps(synthesis, torch.randn(1, synthesis.style_count, SMALL["style_dim"]))
    assert {layer: len(matrices) for layer, matrices in maps.items()} == {
        layer: 1 for layer in range(synthesis.style_count)
    }
    style = synthesis.to_image.convolution.style
    assert torch.allclose(maps[synthesis.style_count - 1][0], style.weight * style.scale, atol=1e-5)
