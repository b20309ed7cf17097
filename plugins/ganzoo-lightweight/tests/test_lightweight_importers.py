"""Weights of lightweight-gan and of HugGAN, in their own layouts."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

import ganzoo
from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import ImportFileError
from ganzoo.exporters.checkpoint_networks import build, load
from ganzoo.importers import convert, open_checkpoint, recognise
from ganzoo.testing import ImporterSuite

torch.set_num_threads(1)
TINY = {"latent_dim": 4, "width": 2, "widest": 4, "output": "linear"}
VARIANTS = {
    "lightweight-gan": {"upsampling": "shuffle", "attention": "linear-local"},
    "huggan-lightweight": {"upsampling": "nearest", "attention": "linear", "noise": False},
}


def network(format, side, channels=3, **arguments):
    """Return a tiny generator with random weights and statistics."""
    torch.manual_seed(0)
    data = DataSpec(ImageSpec(side, side, channels))
    net = ganzoo.architectures.get("lightweight")(data, **TINY | VARIANTS[format] | arguments)
    with torch.no_grad():
        for name, weight in net["generator"].state_dict().items():
            if weight.dtype == torch.float32:
                positive = "var" in name
                values = 0.5 + torch.rand_like(weight) if positive else torch.randn_like(weight) / 2
                weight.copy_(values)
        net["generator"].last.weight.mul_(0.3)  # few pixels are clamped
        net["generator"].last.bias.mul_(0.3)
    return net["generator"].eval()


def layer(state, ours, theirs):
    return {
        f"{theirs}.{name.removeprefix(f'{ours}.')}": weight
        for name, weight in state.items()
        if name.startswith(f"{ours}.")
    }


def layout(format, net):
    """Return the weights under the names of the project, as it saves them."""
    state, new = net.state_dict(), format == "lightweight-gan"
    file = layer(state, "first", "GE.initial_conv.0") | layer(state, "norm", "GE.initial_conv.1")
    for k in range(len(net.blocks)):
        side, path = 4 << k, f"GE.layers.{k}"
        file |= layer(state, f"blocks.{side}.norm", f"{path}.0.4" if new else f"{path}.0.3")
        if new:
            file |= layer(state, f"blocks.{side}.enlarge.expand", f"{path}.0.0.net.0")
            file |= layer(state, f"blocks.{side}.enlarge.convolution", f"{path}.0.2.1")
            file[f"{path}.0.3.weight"] = state[f"blocks.{side}.noise.strength"]
            file[f"{path}.0.1.f"] = torch.tensor([1.0, 2.0, 1.0])
        else:
            file |= layer(state, f"blocks.{side}.enlarge", f"{path}.0.2")
        excitation = f"excitations.{2 * side}"
        file |= layer(state, f"{excitation}.attention", f"{path}.1.to_k")
        file |= layer(state, f"{excitation}.squeeze", f"{path}.1.net.0")
        file |= layer(state, f"{excitation}.excite", f"{path}.1.net.2")
        attention, linear = f"attentions.{side}", "lin_" if new else ""
        for name, weight in layer(state, f"{attention}.norm", f"{path}.2.norm").items():
            file[name.replace("weight", "g").replace("bias", "b")] = weight[None, :, None, None]
        file |= layer(state, f"{attention}.query", f"{path}.2.fn.to_{linear}q")
        file |= layer(state, f"{attention}.depthwise", f"{path}.2.fn.to_{linear}kv.net.0")
        file |= layer(state, f"{attention}.key_value", f"{path}.2.fn.to_{linear}kv.net.1")
        file |= layer(state, f"{attention}.local_query", f"{path}.2.fn.to_q")
        file |= layer(state, f"{attention}.local_key_value", f"{path}.2.fn.to_kv")
        file |= layer(state, f"{attention}.last", f"{path}.2.fn.to_out")
    file["GE.out_conv.weight"] = state["last.weight"] / 2
    file["GE.out_conv.bias"] = (state["last.bias"] + 1) / 2
    others = {
        "G.out_conv.weight": torch.ones(1),
        "D.to_logits.0.weight": torch.ones(2),
        "D_aug.D.to_logits.0.weight": torch.ones(2),
    }
    return file | others


def save(folder, state, config=None):
    torch.save({"GAN": state, "version": "1.2.1"}, folder / "model_12.pt")
    if config is not None:
        (folder / ".config.json").write_text(json.dumps(config))
    return folder / "model_12.pt"


def imported(file):
    """Return the format, the conversion, and the generator with its weights."""
    match = recognise(open_checkpoint(file))
    conversion = convert(match, {})
    _, _, nets = build(conversion)
    load(match, conversion, nets)
    return match.entry.name, conversion, nets["generator"].eval()


@torch.no_grad()
def difference(net, z, images):
    return float((net(z) - images.clamp(-1, 1)).abs().max())


@pytest.mark.parametrize("format", VARIANTS)
@pytest.mark.parametrize(
    ("side", "arguments"),
    [
        (16, {"attention_sides": (8, 4), "channels": 1}),
        (128, {"excitation_widths": (2,), "channels": 4}),
    ],
)
def test_a_file_becomes_the_same_network(tmp_path, format, side, arguments):
    net = network(format, side, **arguments)
    file = save(tmp_path, layout(format, net), {"image_size": side, "freq_chan_attn": False})
    name, conversion, copy = imported(file)
    assert name == format
    assert conversion.data.image.shape == (arguments["channels"], side, side)
    assert conversion.options["image_size"] == side
    assert conversion.network == "GE"
    z = torch.randn(2, 4)
    with torch.no_grad():
        images = net(z)
    assert images.clamp(-1, 1).std() > 0.02
    assert difference(copy, z, images) < 1e-5


def test_what_the_bundle_does_not_do_is_said(tmp_path):
    for format, words in {"lightweight-gan": "noise is 0", "huggan-lightweight": "0 to 1"}.items():
        _, conversion, _ = imported(save(tmp_path, layout(format, network(format, 16))))
        assert any(words in sentence for sentence in conversion.deviations)


def test_noise_is_added_in_training_alone():
    net = network("lightweight-gan", 16)
    z = torch.randn(4, 4)
    assert torch.equal(net(z), net(z))
    noisy = net.blocks["4"].noise.train()
    noisy.strength.data.fill_(2.0)
    changes = noisy(torch.zeros(500, 3, 2, 2))
    assert torch.equal(changes[:, 0], changes[:, 2]), "one noise for all channels"
    assert float(changes.detach().std()) == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize("format", VARIANTS)
@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"freq_chan_attn": True}, "freq_chan_attn, excitations by frequencies"),
        ({"image_size": 32}, "image_size 32, but its weights generate images of 16 pixels"),
        ({"colour_space": "lab"}, "the option 'colour_space', which this format does not have"),
    ],
)
def test_options_without_counterpart_are_refused(tmp_path, format, config, message):
    file = save(tmp_path, layout(format, network(format, 16)), config)
    with pytest.raises(ImportFileError, match=rf"model_12\.pt: .*{message}"):
        imported(file)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("GE.layers.0.0.1.f", torch.tensor([1.0, 3.0, 1.0]), r"GE\.layers\.0\.0\.1\.f is \[1"),
        ("GE.layers.1.0.4.bias", None, r"lacks GE\.layers\.1\.0\.4\.bias"),
        ("GE.layers.1.0.5.weight", torch.ones(1), r"does not have: GE\.layers\.1\.0\.5"),
        ("GE.layers.1.0.4.bias", torch.ones(3), r"blocks\.8\.norm\.bias is 3, not 8"),
        ("GE.layers.7.0.4.bias", torch.ones(3), r"some layers of GE are missing"),
        ("GE.out_conv.bias", torch.full((3,), torch.nan), "finite"),
    ],
)
def test_files_with_other_tensors_are_refused(tmp_path, name, change, message):
    state = layout("lightweight-gan", network("lightweight-gan", 16))
    state.pop(name, None)
    if change is not None:
        state[name] = change
    with pytest.raises(ImportFileError, match=message):
        imported(save(tmp_path, state))


class TestLightweightGan(ImporterSuite):
    name = "lightweight-gan"
    arguments = {"attention_sides": (4,)}

    @pytest.fixture
    def file(self, tmp_path):
        return save(tmp_path, layout(self.name, network(self.name, 16, **self.arguments)))


class TestHugganLightweight(TestLightweightGan):
    name = "huggan-lightweight"


@pytest.mark.parametrize(
    "name",
    [
        *("lightweight-gan-64", "lightweight-gan-128-sle-attention"),
        *("huggan-lightweight-64", "huggan-lightweight-128-sle-attention"),
    ],
)
def test_images_are_those_of_the_project(name):
    root = os.environ.get("GANZOO_CHECKPOINTS")
    if not root:
        pytest.skip("GANZOO_CHECKPOINTS, a folder of other projects' checkpoints, is not set")
    folder = Path(root) / name
    (file,) = (path for path in folder.iterdir() if path.suffix in (".pt", ".bin"))
    format, _, net = imported(file)
    assert name.startswith(format)
    arrays = {k: torch.from_numpy(v) for k, v in np.load(folder / "expected.npz").items()}
    assert difference(net, arrays["z"], 2 * arrays["images"] - 1) < 2e-5
    if "images_with_noise" in arrays:
        for k, block in enumerate(net.blocks.values()):
            noise = block.noise.strength.detach() * arrays[f"noise_{k}"]
            block.noise.register_forward_hook(lambda _, __, x, noise=noise: x + noise)
        assert difference(net, arrays["z"], 2 * arrays["images_with_noise"] - 1) < 2e-5
