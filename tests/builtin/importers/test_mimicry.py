"""Generators of mimicry: a known one, and ours under its names."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from ganzoo.errors import ImportFileError
from ganzoo.exporters.checkpoint_networks import build, load
from ganzoo.importers import convert, open_checkpoint, recognise
from ganzoo.testing import importer as checks
from helpers.mimicry import WIDTHS, in_their_layout, ours


def networks(file):
    match = recognise(open_checkpoint(file))
    assert match.entry.name == "sngan-mimicry"
    conversion = convert(match, {})
    _, _, nets = build(conversion)
    load(match, conversion, nets)
    return nets


@pytest.mark.parametrize("check", [checks.converts, checks.accounts_for_all_tensors])
def test_the_importer_passes_the_checks(tmp_path, check):
    torch.save(in_their_layout(ours(24)), tmp_path / "netG_7_steps.pth")
    check(checks.Importer("sngan-mimicry", tmp_path / "netG_7_steps.pth"))


@pytest.mark.parametrize("side", WIDTHS)
def test_our_generator_under_its_names_gives_the_same_images(tmp_path, side):
    torch.save(in_their_layout(expected := ours(side)), tmp_path / "netG.pth")
    nets, z = networks(tmp_path / "netG.pth"), torch.randn(3, 5)
    assert nets.keys() == {"generator"}
    with torch.no_grad():
        torch.testing.assert_close(nets["generator"](z), expected(z))


def test_a_discriminator_is_refused(tmp_path):
    paths = [f"block{k}.c{n}.sn_u" for k in (1, 2) for n in (1, 2)]
    torch.save({"model_state_dict": {p: torch.ones(1, 8) for p in paths}}, tmp_path / "netD.pth")
    with pytest.raises(ImportFileError, match=r"discriminator alone.*netG_\*_steps.pth"):
        networks(tmp_path / "netD.pth")


def test_a_first_map_that_is_no_square_is_refused(tmp_path):
    content = in_their_layout(ours(24))
    content["model_state_dict"]["l1.weight"] = torch.ones(8 * 35, 5)
    torch.save(content, tmp_path / "netG.pth")
    with pytest.raises(ImportFileError, match="first map has 280 numbers, which is no square map"):
        networks(tmp_path / "netG.pth")


def test_a_bias_of_another_shape_is_refused(tmp_path):
    """NumPy would subtract one number from all."""
    content = in_their_layout(ours(24))
    content["model_state_dict"]["block3.c1.bias"] = torch.ones(1)
    torch.save(content, tmp_path / "netG.pth")
    message = r"blocks.1.norm2.running_mean cannot be computed from .*mean \(4\), .*bias \(1\)"
    with pytest.raises(ImportFileError, match=message):
        networks(tmp_path / "netG.pth")


def test_generators_with_labels_are_not_recognised(tmp_path):
    """Their normalisations have an embedding of the label each."""
    state = in_their_layout(ours(24))["model_state_dict"]
    state = {name.replace(".b1.", ".b1.bn."): weight for name, weight in state.items()}
    torch.save(state | {"block2.b1.embed.weight": torch.ones(3, 16)}, tmp_path / "netG.pth")
    with pytest.raises(ImportFileError, match="no importer recognises"):
        networks(tmp_path / "netG.pth")


def test_a_known_checkpoint_gives_the_known_images():
    if not (root := os.environ.get("GANZOO_CHECKPOINTS")):
        pytest.skip("GANZOO_CHECKPOINTS names no folder of other programs' checkpoints")
    folder = Path(root) / "mimicry-sngan32"
    known = np.load(folder / "expected.npz")
    nets = networks(folder / "netG" / "netG_100000_steps.pth")
    with torch.no_grad():
        images = nets["generator"](torch.tensor(known["z"])).numpy()
    np.testing.assert_allclose(images, known["images"], atol=1e-5)
    with pytest.raises(ImportFileError, match="discriminator alone"):
        networks(folder / "netD" / "netD_100000_steps.pth")
