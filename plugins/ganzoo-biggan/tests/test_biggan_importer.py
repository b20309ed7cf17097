"""Weights of pytorch-pretrained-BigGAN, in their own layout."""

import copy
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
from ganzoo_biggan.importer import select_row

torch.set_num_threads(1)
LAYERS = [[False, 4, 4], [True, 4, 4], [True, 4, 2], [True, 2, 1]]
CONFIG = {
    "output_dim": 32,
    "z_dim": 3,
    "class_embed_dim": 2,
    "channel_width": 4,
    "num_classes": 3,
    "layers": LAYERS,
    "attention_layer_position": 2,
    "eps": 1e-4,
    "n_stats": 6,
}
ATTENTION = {"query": "theta", "key": "phi", "value": "g", "last": "o_conv"}


def network():
    """Return a tiny generator with random weights and statistics."""
    torch.manual_seed(0)
    data = DataSpec(ImageSpec(32, 32, 3), classes=3)
    net = ganzoo.architectures.get("biggan-deep")(
        data,
        latent_dim=3,
        class_dim=2,
        width=4,
        multiples=(4, 4, 4, 2, 1),
        up_blocks=(1, 2, 3),
        attention_side=8,
        truncation=0.4,
    )["generator"].eval()
    with torch.no_grad():
        for name, weight in net.state_dict().items():
            positive = "var" in name or name.startswith("norm.")
            if weight.dtype == torch.float32:
                values = 0.5 + torch.rand_like(weight) if positive else torch.randn_like(weight) / 3
                weight.copy_(values)
    return net


def normalised(path, weight, scale=2.5):
    """Return a weight with spectral normalisation: W / (u^T W v) is `weight`."""
    matrix = weight.reshape(len(weight), -1)
    v = torch.randn(matrix.shape[1])
    product = matrix @ v
    u = torch.nn.functional.normalize(product, dim=0)
    original = scale * weight
    v = v / float(u @ product)  # now u^T W v = scale
    return {f"{path}.weight_orig": original, f"{path}.weight_u": u, f"{path}.weight_v": v}


def rows(statistic, row=2):
    """Return statistics by truncation, 0 to 1 in steps of 0.2; those of 0.4 are `statistic`."""
    table = torch.rand(6, len(statistic)) + 1
    table[row] = statistic
    return table


def layout(net):
    """Return the weights under the names of the project."""
    state = net.state_dict()

    def norm(ours, theirs):
        return {
            f"{theirs}.running_means": rows(state[f"{ours}.running_mean"]),
            f"{theirs}.running_vars": rows(state[f"{ours}.running_var"]),
        }

    def layer(ours, theirs):
        weights = normalised(theirs, state[f"{ours}.weight"])
        bias = f"{ours}.bias"
        return weights | ({f"{theirs}.bias": state[bias]} if bias in state else {})

    file = {"embeddings.weight": state["embedding.weight"].T.contiguous()}
    file |= layer("first", "generator.gen_z")
    for k in range(len(LAYERS)):
        path = f"generator.layers.{k if k < 2 else k + 1}"
        for i in range(4):
            ours = f"blocks.{k}.norms.{i}"
            file |= norm(f"{ours}.norm", f"{path}.bn_{i}")
            file |= layer(f"{ours}.scale", f"{path}.bn_{i}.scale")
            file |= layer(f"{ours}.shift", f"{path}.bn_{i}.offset")
            file |= layer(f"blocks.{k}.convolutions.{i}", f"{path}.conv_{i}")
    for ours, theirs in ATTENTION.items():
        file |= layer(f"attention.{ours}", f"generator.layers.2.snconv1x1_{theirs}")
    file["generator.layers.2.gamma"] = state["attention.gamma"]
    file |= norm("norm", "generator.bn")
    file |= {f"generator.bn.{part}": state[f"norm.{part}"] for part in ("weight", "bias")}
    # The project computes as many channels as the last map has, and uses three.
    extra = torch.randn(1, *state["last.weight"].shape[1:])
    file |= normalised("generator.conv_to_rgb", torch.cat([state["last.weight"], extra]))
    file["generator.conv_to_rgb.bias"] = torch.cat([state["last.bias"], torch.ones(1)])
    return file


def save(folder, state, config=CONFIG):
    torch.save(state, folder / "pytorch_model.bin")
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def generator():
    return network()


@pytest.fixture(scope="module")
def state(generator):
    return layout(generator)


def imported(folder, **options):
    match = recognise(open_checkpoint(folder))
    assert match.entry.name == "biggan-deep"
    conversion = convert(match, options)
    _, _, nets = build(conversion)
    load(match, conversion, nets)
    return conversion, nets["generator"].eval()


@torch.no_grad()
def difference(net, z, y, images):
    return float((net(z, y) - images).abs().max())


def test_a_file_becomes_the_same_network(tmp_path, generator, state):
    conversion, copy = imported(save(tmp_path, state), truncation=0.4)
    assert conversion.data == DataSpec(ImageSpec(32, 32, 3), classes=3)
    assert conversion.arguments["truncation"] == 0.4
    assert conversion.options["z_dim"] == 3
    assert any("cut at -2 and 2" in sentence for sentence in conversion.deviations)
    z, y = torch.randn(3, 3), torch.tensor([0, 1, 2])
    with torch.no_grad():
        images = generator(z, y)
    assert images.std() > 0.05
    assert difference(copy, z, y, images) < 1e-5
    _, other = imported(tmp_path, truncation=0.8)
    assert difference(other, z, y, images) > 1e-3


@pytest.mark.parametrize(
    ("truncation", "row"),
    [
        (1.0, 50),
        (0.3, 15),
        (0.37, 18.5),
        (0.372, 18.4),  # 18.6 steps: the weights of both rows are exchanged
        (0.28, 15),  # 14 steps and a rounding error
        (0.58, 28),  # almost 29 steps
        (0.01, 0.5),
    ],
)
def test_rows_are_selected_as_the_project_does(truncation, row):
    selected = select_row(np.arange(51, dtype=np.float32)[:, None], truncation)
    assert selected == pytest.approx([row], abs=1e-5)


@pytest.mark.parametrize("truncation", [0.0, 1.1, -1.0, float("nan")])
def test_a_truncation_out_of_its_range_is_refused(tmp_path, state, truncation):
    with pytest.raises(ImportFileError, match=r"above 0 and at most 1\. Use --truncation 0\.4"):
        imported(save(tmp_path, state), truncation=truncation)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (None, "there is no config.json beside it"),
        ({"bias": True}, "bias: .*"),
        ({"n_stats": None}, "n_stats: "),
        ({"layers": []}, "do not fit together"),
        ({"layers": [[False, 4, 4], [True, 2, 1]]}, "do not fit together"),
        ({"attention_layer_position": 1}, "attention_layer_position is 1 .*doubles the side"),
        ({"attention_layer_position": 9}, "attention_layer_position is 9"),
    ],
)
def test_configs_without_counterpart_are_refused(tmp_path, state, change, message):
    config = None if change is None else CONFIG | change
    with pytest.raises(ImportFileError, match=rf"pytorch_model\.bin: .*{message}"):
        imported(save(tmp_path, state, config))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("generator.layers.0.conv_1.bias", None, r"lacks generator\.layers\.0\.conv_1\.bias"),
        ("generator.layers.0.conv_4.bias", torch.ones(1), r"conv_4"),
        ("generator.layers.0.conv_1.bias", torch.ones(3), r"convolutions\.1\.bias"),
        ("generator.layers.0.conv_1.weight_u", torch.zeros(4), "NaN or infinite"),
        (
            "generator.layers.0.conv_1.weight_u",
            torch.ones(8),
            r"convolutions\.1\.weight cannot be computed from .*weight_orig \(4x4x3x3\), .*weight_u \(8\)",
        ),
    ],
)
def test_files_with_other_tensors_are_refused(tmp_path, state, name, change, message):
    changed = {k: v for k, v in state.items() if k != name}
    if change is not None:
        changed[name] = change
    with pytest.raises(ImportFileError, match=message):
        imported(save(tmp_path, changed))


class TestBigGanDeep(ImporterSuite):
    name = "biggan-deep"
    options = {"truncation": 0.5}

    @pytest.fixture
    def file(self, tmp_path, state):
        return save(tmp_path, state)


@pytest.mark.parametrize("runtime", ["torch", "onnx"])
@pytest.mark.parametrize(
    ("name", "truncation"),
    [
        ("biggan-deep-32", 1.0),
        ("biggan-deep-32", 0.37),
        ("biggan-deep-32", 0.3),
        ("biggan-deep-32", 0.28),
        ("biggan-deep-128", 0.55),
    ],
)
def test_images_are_those_of_the_project(tmp_path, name, truncation, runtime):
    """Some of these statistics enlarge rounding: the project's own images have up to 1.7e-4 of it."""
    root = os.environ.get("GANZOO_CHECKPOINTS")
    if not root:
        pytest.skip("GANZOO_CHECKPOINTS, a folder of other projects' checkpoints, is not set")
    folder = Path(root) / name
    _, net = imported(folder, truncation=truncation)
    arrays = {k: torch.from_numpy(v) for k, v in np.load(folder / "expected.npz").items()}
    z, y = arrays["z"], arrays["labels"].long()
    expected = arrays[f"images_truncation_{truncation}"]
    rounding = difference(copy.deepcopy(net).double(), z.double(), y, expected)
    if runtime == "torch":
        actual = difference(net, z, y, expected)
    else:
        out = tmp_path / "bundle"
        ganzoo.import_checkpoint(folder, out, truncation=truncation, figures=False)
        images = ganzoo.load(out, runtime="onnx").run({"z": z.numpy(), "y": y.numpy()})
        actual = float(np.abs(images - expected.numpy()).max())
    assert rounding < 2e-4
    assert actual < max(1e-4, 2 * rounding)
