"""The networks of the README's table: a bundle of each, at three sizes."""

import importlib
import re
import warnings
from pathlib import Path

import pytest
import torch
from restore_helpers import random_matrices

import ganzoo

SWIN = {"embed_dim": 12, "depths": [2], "num_heads": [2], "window_size": 8, "upscale": 2}
PARITY = {
    "ESRGAN": {"num_filters": 8, "num_blocks": 1},
    "Compact": {"num_feat": 8, "num_conv": 2},
    "SwiftSRGAN": {"num_channels": 8, "num_blocks": 1},
    "OmniSR": {"num_feat": 16, "res_num": 1},
    "DITN": {"dim": 12, "ITL_blocks": 1, "SAL_blocks": 1, "upscale": 2},
    "SAFMN": {"dim": 8, "n_blocks": 1, "upscaling_factor": 2},
    "SAFMNBCIE": {"dim": 8, "n_blocks": 1, "num_layers": 1},
    "PLKSR.PLKSR": {"dim": 8, "n_blocks": 1, "upscaling_factor": 2},
    "PLKSR.RealPLKSR": {"dim": 8, "n_blocks": 1, "upscaling_factor": 2},
    "MoSR": {"upscale": 2, "n_block": 1, "dim": 16},
    "MoESR": {"scale": 2, "dim": 16, "n_blocks": 1, "n_block": 1, "upsample_dim": 16},
    "FDAT": {
        "scale": 2,
        "embed_dim": 16,
        "num_groups": 1,
        "depth_per_group": 1,
        "num_heads": 2,
        "mid_dim": 8,
    },
    "MMRealSR": {
        "num_in_ch": 3,
        "num_out_ch": 3,
        "num_feat": 8,
        "num_block": 1,
        "num_grow_ch": 4,
    },
    "RealCUGAN.UpCunet2x": {},
    "RealCUGAN.UpCunet2x_fast": {},
    "RealCUGAN.UpCunet3x": {},
    "RealCUGAN.UpCunet4x": {},
    "NAFNet": {"width": 4, "enc_blk_nums": [1, 1], "dec_blk_nums": [1, 1]},
    "KBNet.KBNet_s": {
        "width": 8,
        "middle_blk_num": 1,
        "enc_blk_nums": [1] * 4,
        "dec_blk_nums": [1] * 4,
    },
    "SCUNet": {"config": [1] * 7, "dim": 64},
    "DnCNN": {"in_nc": 3, "out_nc": 3, "nc": 8, "act_mode": "R"},
    "RetinexFormer": {"n_feat": 8, "stage": 1},
    "SwinIR": {**SWIN, "upsampler": "pixelshuffle"},
    "Swin2SR": {**SWIN, "upsampler": "pixelshuffle"},
    "HAT": {**SWIN, "num_feat": 8, "squeeze_factor": 3, "compress_ratio": 3},
    "DRCT": {**SWIN, "upsampler": "pixelshuffle", "gc": 4},
    "DAT": {
        "embed_dim": 32,
        "split_size": [2, 4],
        "depth": [2],
        "num_heads": [2],
        "expansion_factor": 2.0,
        "upscale": 2,
    },
    "CRAFT": {"depths": [2], "num_heads": [6], "upscale": 2},
    "RCAN": {"n_resgroups": 2, "n_resblocks": 1, "n_feats": 16, "reduction": 4, "scale": 2},
}
TORCH_ALONE = {
    "SPAN": {"num_in_ch": 3, "num_out_ch": 3, "feature_channels": 8, "upscale": 2},
    "FFTformer": {"dim": 8, "num_blocks": [1, 1, 1], "num_refinement_blocks": 1},
    "HVICIDNet": {"channels": [4, 4, 8, 16], "heads": [1, 2, 4, 8]},
    "RGT": {"embed_dim": 32, "depth": [2], "num_heads": [2], "upscale": 2},
}
QUICK = ("Compact", "RCAN", "SPAN")
README = Path(__file__).parents[1] / "README.md"


@pytest.mark.parametrize(
    "network",
    [
        pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
        for name in [*PARITY, *TORCH_ALONE]
    ],
)
def test_a_network_with_random_weights_becomes_a_bundle(network, tmp_path):
    module, _, name = network.partition(".")
    kind = getattr(importlib.import_module(f"spandrel.architectures.{module}"), name or module)
    torch.manual_seed(0)  # of weights that are no matrices
    original = random_matrices(kind(**(PARITY | TORCH_ALONE)[network])).eval()
    torch.save(original.state_dict(), tmp_path / "network.pth")
    with warnings.catch_warnings(record=True) as records:
        warnings.simplefilter("always")
        bundle = ganzoo.import_checkpoint(
            tmp_path / "network.pth", tmp_path / "bundle", figures=False
        )
    spec = ganzoo.info(bundle)
    assert spec.arguments["network"] == network
    if network in PARITY:
        assert len(spec.provenance["parity"]["other_sizes"]) == 2
        assert spec.provenance["parity"]["max_abs_error"] < 1e-4
        return
    assert any("runs on torch alone" in str(warning.message) for warning in records)
    assert spec.onnx_failure
    assert not (bundle / "model.onnx").exists()
    assert spec.sizes.memory
    images = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = original(images).clamp(0, 1)
        torch.testing.assert_close(
            (ganzoo.load(bundle)(images * 2 - 1) + 1) / 2, expected, atol=1e-5, rtol=0
        )


def test_the_readme_lists_the_networks_that_are_tested():
    rows = re.findall(r"^\| `([\w.]+)` \| (parity|none) \|", README.read_text(), re.MULTILINE)
    assert rows == [
        *((name, "parity") for name in PARITY),
        *((name, "none") for name in TORCH_ALONE),
    ]
