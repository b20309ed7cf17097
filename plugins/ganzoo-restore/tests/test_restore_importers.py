"""Files of ESRGAN, Real-ESRGAN and others become translators of any size."""

import numpy as np
import pytest
import torch
from restore_helpers import BASICSR, XINNTAO, compact, newer_layout, rrdbnet
from spandrel.architectures.DnCNN import DnCNN
from spandrel.architectures.SwinIR import SwinIR
from torch import nn

import ganzoo
from ganzoo.errors import ArchitectureError, ImportFileError
from ganzoo.exporters.checkpoint_networks import build, load
from ganzoo.importers import convert, open_checkpoint, recognise
from ganzoo.testing import importer as checks


def imported(file, **options):
    """Return the network of a file, and the conversion."""
    match = recognise(open_checkpoint(file))
    assert match.entry.name == "spandrel"
    conversion = convert(match, options)
    _, _, networks = build(conversion)
    load(match, conversion, networks)
    return networks["generator"], conversion


@pytest.fixture
def save(tmp_path):
    def write(content):
        torch.save(content, tmp_path / "network.pth")
        return tmp_path / "network.pth"

    return write


def check_images(network, original, channels=3, size=(8, 12)):
    """Compare the images with those of the original in [0, 1]."""
    images = torch.rand(2, channels, *size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = original.eval()(images).clamp(0, 1)
        assert expected.std() > 0.01
        torch.testing.assert_close((network(images * 2 - 1) + 1) / 2, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("factors", "scale"),
    [((4, None), 4), ((2, None), 2), ((1, None), 1), ((4, 2), 2), ((4, 4), 1), ((8, None), 8)],
)
@pytest.mark.parametrize("layout", ["old", BASICSR, XINNTAO], ids=["old", "basicsr", "xinntao"])
def test_rrdbnet_of_each_layout_and_scale(save, layout, factors, scale):
    original = rrdbnet(*factors, blocks=2)
    state = original.state_dict() if layout == "old" else newer_layout(original, layout, 2)
    network, conversion = imported(save({"params_ema": state}))
    assert network.sizes.scale == scale
    assert network.sizes.multiple == (4 if factors[1] else 1)
    assert conversion.data.condition == ganzoo.ImageSpec(64, 64, 3)
    assert conversion.data.image == ganzoo.ImageSpec(64 * scale, 64 * scale, 3)
    check_images(network, original)


@pytest.mark.parametrize(("scale", "channels"), [(1, 3), (2, 1), (4, 3)])
def test_compact_networks(save, scale, channels):
    original = compact(scale, channels)
    network, conversion = imported(save({"params": original.state_dict()}), height=20, width=24)
    assert conversion.arguments["network"] == "Compact"
    assert conversion.data.condition == ganzoo.ImageSpec(20, 24, channels)
    check_images(network, original, channels)


def test_weights_of_half_precision(save):
    original = rrdbnet().half().float()
    state = {name: tensor.half() for name, tensor in original.state_dict().items()}
    check_images(imported(save(state))[0], original)


def test_windows_of_attention_set_the_multiple(save):
    original = SwinIR(
        embed_dim=8, depths=[2], num_heads=[2], window_size=8, upscale=2, upsampler="pixelshuffle"
    )
    network, _ = imported(save(original.state_dict()))
    assert network.sizes.multiple == 8
    check_images(network, original, size=(16, 24))


def test_a_bundle_enlarges_alike_on_both_runtimes_and_states_its_reach(save, tmp_path):
    """With the file's three sizes in the comparison."""
    out = ganzoo.import_checkpoint(
        save(newer_layout(rrdbnet(), BASICSR)), tmp_path / "upscaler", height=24, width=24
    )
    spec = ganzoo.info(str(out))
    assert spec.provenance["parity"]["other_sizes"] == [[12, 25], [25, 12]]
    assert spec.sizes.scale == 4
    assert 2 <= spec.sizes.reach <= 22, "15 convolutions of the blocks, and 7 others"
    assert spec.sizes.memory > 1000
    image = np.random.default_rng(0).integers(0, 256, (1, 90, 77, 3)).astype(np.uint8)
    models = [ganzoo.load(str(out), runtime=runtime) for runtime in ("torch", "onnx")]
    wholes = [model.upscale(image, tile=None).numpy().astype(int) for model in models]
    assert wholes[0].shape == (1, 360, 308, 3)
    assert np.abs(wholes[0] - wholes[1]).max() <= 1
    side = 2 * spec.sizes.reach + 8
    for model, whole in zip(models, wholes, strict=True):
        assert np.abs(model.upscale(image, tile=side).numpy() - whole).max() <= 1
    halved = models[0].translate(image, tile=side, overlap=0).numpy()
    assert np.abs(halved - wholes[0]).max() > 1, "and the overlap is needed"


@pytest.mark.parametrize("check", [checks.converts, checks.accounts_for_all_tensors])
def test_the_importer_passes_the_checks(save, check):
    check(checks.Importer("spandrel", save(compact().state_dict())))


def test_a_state_dict_that_spandrel_does_not_know(save):
    with pytest.raises(ImportFileError, match="spandrel detects none of its networks in it: .*HAT"):
        recognise(open_checkpoint(save({"layer.weight": torch.ones(3, 3, 1, 1)})))


def test_the_nearest_network_is_named(save):
    state = {k: v for k, v in compact().state_dict().items() if k != "body.1.weight"}
    with pytest.raises(ImportFileError, match="Nearest: RealESRGAN Compact, but for the tensor 'b"):
        recognise(open_checkpoint(save(state)))


def test_a_network_that_spandrel_detects_and_cannot_load(save):
    state = rrdbnet().state_dict()
    state["model.0.weight"] = torch.ones(7, 3, 3, 3)
    with pytest.raises(ImportFileError, match="spandrel detects ESRGAN, but cannot load it: "):
        imported(save(state))


def test_a_number_in_a_name_does_not_build_a_large_network(save):
    """A file of a few kB, for whose network spandrel builds a block for each number."""
    state = newer_layout(rrdbnet(blocks=2), BASICSR, 2)
    changed = {name.replace("body.1.", "body.100000000."): each for name, each in state.items()}
    assert changed.keys() != state.keys()
    with pytest.raises(ImportFileError, match=r"would build 100,000,0\d\d numbered parts for"):
        recognise(open_checkpoint(save(changed)))


def test_a_network_that_spandrel_calls_in_another_way_is_refused(save):
    """It adds a map of the strength of the noise to the image."""
    from spandrel.architectures.DRUNet import DRUNet

    state = DRUNet(in_nc=4, out_nc=3, nc=[4, 4, 4, 4], nb=4).state_dict()
    with pytest.raises(ImportFileError, match="spandrel detects DRUNet, "):
        imported(save(state))


def test_nothing_of_a_torchscript_file_is_executed(tmp_path):
    class Scripted(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

    file = tmp_path / "network.pt"
    torch.jit.script(Scripted()).save(file)
    with pytest.raises(ImportFileError):
        recognise(open_checkpoint(file))


def test_unknown_networks_and_options_of_the_architecture_are_refused():
    data = ganzoo.DataSpec(ganzoo.ImageSpec(16, 16, 3), condition=ganzoo.ImageSpec(8, 8, 3))
    factory = ganzoo.architectures.get("spandrel")
    for arguments, message in [
        ({"network": "os.system"}, "has no network 'os.system'. Use .*Compact, "),
        (
            {"network": "KBNet"},
            "Use --architecture.network with one of KBNet.KBNet_l, KBNet.KBNet_s",
        ),
        ({"options": ("num_blocks",)}, "'num_blocks' is not NAME=VALUE"),
        ({"options": ("depth=3",)}, "cannot build ESRGAN with the options depth=3"),
    ]:
        with pytest.raises(ArchitectureError, match=message):
            factory(data, **arguments)
    for image in (ganzoo.ImageSpec(12, 16, 3), ganzoo.ImageSpec(4, 4, 3)):
        with pytest.raises(ArchitectureError, match="cannot make images of"):
            factory(ganzoo.DataSpec(image, condition=data.condition))
    with pytest.raises(ArchitectureError, match="has no condition images"):
        factory(ganzoo.DataSpec(data.image))
    network = factory(data, options=("num_filters=4", "num_blocks=1"))["generator"]
    assert network.sizes.scale == 2
    assert network(torch.zeros(1, 3, 8, 8)).shape == (1, 3, 16, 16)


def test_grey_networks_that_add_noise_are_read(save):
    original = DnCNN(nc=4, nb=17, act_mode="R")
    check_images(imported(save(original.state_dict()))[0], original, 1)
