"""FastGAN's networks, and the self-supervision of its discriminator."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import ganzoo
from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import ArchitectureError, IncompatibleCombinationError
from ganzoo.games import Batch, Turn
from ganzoo.registry import find_recipe
from ganzoo.spec import Component
from ganzoo.training import prepare
from ganzoo.training.build import normalise_discriminators
from ganzoo.training.players import find_frozen
from ganzoo_lightweight.fastgan.decoder import quarter
from ganzoo_lightweight.fastgan.loss import reconstruction_error


def build(side=64, *, height=None, device="meta", **arguments):
    data = DataSpec(ImageSpec(height or side, side, 3))
    with torch.device(device):
        return ganzoo.architectures.get("fastgan")(data, **arguments)


@pytest.mark.parametrize(
    ("side", "excitations"), [(64, 1), (128, 2), (256, 3), (512, 4), (1024, 4)]
)
def test_networks_fit_every_supported_size(side, excitations):
    nets = build(side, width=8, latent_dim=5)
    assert len(nets["generator"].excitations) == excitations
    images = nets["generator"](torch.empty(2, 5, device="meta"))
    assert images.shape == (2, 3, side, side)
    output = nets["discriminator"](images)
    assert output.logits.shape == (2, 5, 5)
    assert output.heads["middle"].shape[2:] == (16, 16)
    assert output.heads["last"].shape[2:] == (8, 8)
    maps = output.heads["middle"][:, :, :8, :8], output.heads["last"]
    decoded = min(128, side // 2)
    assert [each.shape for each in nets["decoder"](*maps)] == [(2, 3, decoded, decoded)] * 2


def test_widths_are_those_of_the_paper():
    nets = build(256)
    blocks = nets["generator"].blocks
    assert list(blocks) == ["8", "16", "32", "64", "128", "256"]
    convolutions = [m for m in nets["generator"].modules() if type(m).__name__ == "UpsampleConv2d"]
    assert [m.out_channels // 2 for m in convolutions] == [512, 256, 128, 128, 64, 32]
    assert [n for n, block in blocks.items() if isinstance(block, nn.Sequential)] == [
        *["8", "32", "128"]
    ], "blocks with two convolutions"
    down = [block.main[0][0].out_channels for block in nets["discriminator"].blocks]
    assert down == [64, 128, 256, 512]


def test_an_excitation_scales_a_map_by_the_one_of_a_sixteenth_of_its_side():
    torch.manual_seed(0)
    generator = build(64, device="cpu", width=2, latent_dim=3)["generator"].eval()
    calls = []
    generator.excitations["64"].register_forward_hook(lambda _, x, y: calls.append((x[0], y)))
    generator.blocks["64"].register_forward_hook(lambda _, x, y: calls.append((x[0], y)))
    generator.last.register_forward_hook(lambda _, x, y: calls.append((x[0], y)))
    generator(torch.randn(2, 3))
    (_, block), (small, factors), (scaled, _) = calls
    assert small.shape[2:] == (4, 4)
    assert 0 < factors.min() < factors.max() < 1
    assert torch.equal(scaled, block * factors)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"side": 32}, "does not support images of 32x32x3.*--architecture lightweight"),
        ({"side": 96}, "96x96x3"),
        ({"height": 128, "side": 64}, "128x64x3"),
        ({"width": 0}, "must be at least 1"),
    ],
)
def test_invalid_arguments_raise_an_error(arguments, message):
    with pytest.raises(ArchitectureError) as error:
        build(**arguments)
    assert re.search(message, str(error.value)), error.value


def test_quarters_are_cut_by_number():
    maps = torch.arange(16.0).view(1, 1, 4, 4).expand(4, 1, 4, 4)
    assert quarter(maps, torch.arange(4)).flatten(1).tolist() == [
        [0, 1, 4, 5],
        [2, 3, 6, 7],
        [8, 9, 12, 13],
        [10, 11, 14, 15],
    ]


class MeanDecoder(nn.Module):
    """Decodes each image to the mean of its map, at 2x2 pixels."""

    side = 2

    def forward(self, middle, last):
        return [m.mean((1, 2, 3), keepdim=True).expand(-1, 1, 2, 2) for m in (middle, last)]


def test_the_error_compares_a_quarter_and_the_whole_with_the_image():
    rng = np.random.default_rng(0)
    image, middle, last = (rng.normal(size=(4, 1, n, n)) for n in (8, 16, 8))
    torch.manual_seed(5)
    quarters = (4 * torch.rand(4)).long().tolist()
    expected = []
    for k, q in enumerate(quarters):
        rows, columns = (slice(4 * p, 4 * p + 4) for p in divmod(q, 2))
        target = image[k, 0, rows, columns].reshape(2, 2, 2, 2).mean((1, 3))
        rows, columns = (slice(8 * p, 8 * p + 8) for p in divmod(q, 2))
        of_part = abs(middle[k, 0, rows, columns].mean() - target).mean()
        whole = image[k, 0].reshape(2, 4, 2, 4).mean((1, 3))
        expected.append(of_part + abs(last[k].mean() - whole).mean())
    assert len(set(quarters)) > 1
    torch.manual_seed(5)
    heads = {"image": image, "middle": middle, "last": last}
    error = reconstruction_error(MeanDecoder(), {n: torch.tensor(v) for n, v in heads.items()})
    assert np.allclose(error, expected)


def test_the_reconstruction_of_real_images_trains_discriminator_and_decoder():
    torch.manual_seed(0)
    nets = build(64, device="cpu", width=1, latent_dim=2)
    loss = ganzoo.losses.get("fastgan")(reconstruction_weight=3.0, augmentation=["color"])
    batch = Batch(torch.rand(4, 3, 64, 64) * 2 - 1)
    turn = Turn(0, lambda n: torch.randn(n, 2))
    terms = loss.discriminator(nets, batch, turn)
    assert terms.keys() == {"adversarial", "reconstruction"}
    assert torch.allclose(terms["reconstruction"], 3 * turn.unweighted["reconstruction"])
    terms["reconstruction"].mean().backward()
    for role, learns in (("generator", False), ("discriminator", True), ("decoder", True)):
        weights = list(nets[role].parameters())
        assert any(w.grad is not None and w.grad.any() for w in weights) == learns, role
    assert {p.name: p.trains for p in loss.players} == {
        "discriminator": ("discriminator", "decoder"),
        "generator": ("generator",),
    }


def test_adaptive_augmentation_observes_the_hinge_loss():
    nets = build(64, device="cpu", width=1, latent_dim=2)
    loss = ganzoo.losses.get("fastgan")(ada=True)
    turn = Turn(0, lambda n: torch.randn(n, 2))
    terms = loss.discriminator(nets, Batch(torch.rand(4, 3, 64, 64) * 2 - 1), turn)
    assert terms.keys() == {"adversarial", "reconstruction"}
    assert {"augmentation", "real_sign"} <= turn.metrics.keys()


def test_frozen_layers_are_those_of_the_discriminator_alone():
    nets = build(64, device="cpu", width=1, latent_dim=2)
    recipe = replace(find_recipe("fastgan"), freeze_layers=1)
    frozen = find_frozen(recipe, ganzoo.losses.get("fastgan")(), nets)
    assert list(frozen) == ["discriminator"]  # the decoder reads maps, not images
    assert frozen["discriminator"] == list(nets["discriminator"].first.parameters())


def test_the_decoder_is_neither_normalised_nor_clipped():
    nets = build(64, device="cpu", width=1, latent_dim=2)
    loss = ganzoo.losses.get("fastgan")(weight_clip=1e-3)
    before = nets["decoder"].state_dict()
    before = {name: value.clone() for name, value in before.items()}
    loss.constrain(loss.players[0], nets)
    normalise_discriminators(find_recipe("fastgan"), nets, loss)
    after = nets["decoder"].state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    weights = dict(nets["discriminator"].named_parameters())
    assert any("parametrizations" in name for name in weights)
    assert max(weight.abs().max() for weight in weights.values()) <= 1e-3


def test_other_losses_need_networks_without_a_decoder(tmp_path):
    from dataclasses import replace

    from PIL import Image

    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    recipe = find_recipe("fastgan")
    small = Component("folder", {"size": 64})
    with pytest.raises(IncompatibleCombinationError, match=r"--architecture.supervision none"):
        prepare(replace(recipe, dataset=small, loss=Component("hinge")), data=tmp_path)
