"""The networks of the README's table: a bundle of each, compared at three sizes."""

import importlib
import re
from pathlib import Path

import pytest
import torch
from restore_helpers import random_matrices

import ganzoo

TINY = {
    "ESRGAN": {"num_filters": 8, "num_blocks": 1},
    "Compact": {"num_feat": 8, "num_conv": 2},
    "SwiftSRGAN": {"num_channels": 8, "num_blocks": 1},
    "OmniSR": {"num_feat": 16, "res_num": 1},
    "DITN": {"dim": 12, "ITL_blocks": 1, "SAL_blocks": 1, "upscale": 2},
    "SAFMN": {"dim": 8, "n_blocks": 1, "upscaling_factor": 2},
    "SAFMNBCIE": {"dim": 8, "n_blocks": 1, "num_layers": 1},
    "RealCUGAN.UpCunet2x_fast": {},
    "NAFNet": {"width": 4, "enc_blk_nums": [1, 1], "dec_blk_nums": [1, 1]},
}
README = Path(__file__).parents[1] / "README.md"


@pytest.mark.slow
@pytest.mark.parametrize("network", TINY)
def test_a_network_with_random_weights_becomes_a_bundle(network, tmp_path):
    module, _, name = network.partition(".")
    kind = getattr(importlib.import_module(f"spandrel.architectures.{module}"), name or module)
    file = tmp_path / "network.pth"
    torch.save(random_matrices(kind(**TINY[network])).state_dict(), file)
    spec = ganzoo.info(str(ganzoo.import_checkpoint(file, tmp_path / "bundle", figures=False)))
    assert spec.arguments["network"] == network
    assert len(spec.provenance["parity"]["other_sizes"]) == 2
    assert spec.provenance["parity"]["max_abs_error"] < 1e-4


def test_the_readme_lists_the_networks_that_are_tested():
    rows = re.findall(r"^\| `([\w.]+)` \| (?:.*x\d|SRVGG)", README.read_text(), re.MULTILINE)
    assert rows == list(TINY)
