"""Weights stored in fewer bits: how they are, what they compute, and what is refused."""

import shutil

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

import ganzoo
from ganzoo.bundle.tensors import SCALE
from ganzoo.cli import main
from ganzoo.errors import BundleError, ExportError
from ganzoo.exporters.int8 import LARGEST, quantize
from ganzoo.exporters.precision import FINEST_FIRST, TOLERANCES
from ganzoo.runtimes.int8 import dequantize
from ganzoo.sampling import latents
from ganzoo.spec import Component
from helpers.bundles import rehash
from helpers.recipes import tiny

LEVELS = 127.5


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """One run in every precision; the first with pictures, the second by the command line."""
    folder = tmp_path_factory.mktemp("precision")
    recipe = tiny(architecture=Component("dcgan", {"latent_dim": 8, "width": 32}), images=64)
    run = ganzoo.train(recipe, out=folder / "run", progress=False).path
    ganzoo.export(run, folder / "fp32")
    command = ["export", str(run), "-o", str(folder / "fp16"), "--precision", "fp16"]
    assert main([*command, "--no-figures"]) == 0
    ganzoo.export(run, folder / "int8", precision="int8", figures=False)
    return {each: folder / each for each in FINEST_FIRST}


def test_each_precision_takes_fewer_bytes(stored):
    for name in ("model.onnx", "model.safetensors"):
        whole, half, quarter = ((stored[p] / name).stat().st_size for p in FINEST_FIRST)
        assert half < 0.55 * whole + 8_000
        assert quarter < 0.28 * whole + 10_000


@pytest.mark.parametrize("precision", FINEST_FIRST)
def test_both_runtimes_compute_with_the_same_rounded_weights(stored, precision):
    z = latents.normal(0, 7, 8)
    made = [ganzoo.load(stored[precision], runtime=r).generate(z) for r in ("torch", "onnx")]
    assert np.abs(made[0] - made[1]).max() < 1e-5
    whole = ganzoo.load(stored["fp32"], runtime="torch").generate(z)
    moved = np.sqrt(np.square(made[0] - whole).mean())
    assert bool(moved == 0) is (precision == "fp32")
    assert moved <= TOLERANCES.get(precision, 0)


def test_half_stores_half_and_computes_in_float32(stored):
    whole, half = stored["fp32"], stored["fp16"]
    for name in ("model.safetensors", "model.onnx"):
        assert (half / name).stat().st_size < 0.6 * (whole / name).stat().st_size + 8_000
    with safe_open(half / "model.safetensors", "pt") as file:
        kept = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    network = ganzoo.load(half, runtime="torch").state_dict()
    for name, tensor in ganzoo.load(whole, runtime="torch").state_dict().items():
        wanted = tensor.half() if tensor.is_floating_point() else tensor
        assert torch.equal(kept[name.removeprefix("network.")], wanted)
        assert network[name].dtype == tensor.dtype
        assert torch.equal(network[name], wanted.to(tensor.dtype))


def test_half_says_how_far_images_moved_and_both_runtimes_agree(stored):
    whole, half = stored["fp32"], stored["fp16"]
    rounding = ganzoo.info(half).provenance["rounding"]
    assert "rounding" not in ganzoo.info(whole).provenance
    worst = 0.0
    for seed in (0, 1):
        z = latents.normal(seed, 7, 8)
        made = {
            (path, runtime): ganzoo.load(path, runtime=runtime).generate(z)
            for path in (whole, half)
            for runtime in ("torch", "onnx")
        }
        assert np.abs(made[half, "torch"] - made[half, "onnx"]).max() < 1e-5
        worst = max(worst, float(np.abs(made[half, "torch"] - made[whole, "torch"]).max()))
    assert 0 < worst == pytest.approx(rounding["generator"], rel=1e-3)
    assert f"of the generator by at most {rounding['generator']:.1e}" in (
        half / "README.md"
    ).read_text().replace("\n", " ")


def test_half_refuses_weights_beyond_its_range(stored, tmp_path):
    large = tmp_path / "large"
    shutil.copytree(stored["fp32"], large)
    weights = load_file(large / "model.safetensors")
    weights[next(k for k in weights if k.endswith("bias"))][0] = 1e6
    metadata = {"ganzoo.config": (large / "config.json").read_text()}
    save_file(weights, large / "model.safetensors", metadata)
    rehash(large)
    with pytest.raises(ExportError, match=r"reaches 1e\+06, and the largest float16 is 65,504"):
        ganzoo.export(large, tmp_path / "half", precision="fp16")
    assert not (tmp_path / "half").exists()


def test_a_count_stored_as_a_fraction_is_refused(stored, tmp_path):
    wrong = tmp_path / "wrong"
    shutil.copytree(stored["fp32"], wrong)
    weights = load_file(wrong / "model.safetensors")
    count = next(k for k in weights if k.endswith("num_batches_tracked"))
    weights[count] = weights[count].float()
    metadata = {"ganzoo.config": (wrong / "config.json").read_text()}
    save_file(weights, wrong / "model.safetensors", metadata)
    rehash(wrong)
    with pytest.raises(BundleError, match="holds torch.float32 in the file and torch.int64"):
        ganzoo.load(wrong, runtime="torch")


def test_int8_is_int8_in_both_files(stored):
    with safe_open(stored["int8"] / "model.safetensors", "pt") as file:
        kept = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    graph = onnx.load(stored["int8"] / "model.onnx").graph
    in_graph = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
    scaled = [name for name in kept if name + SCALE in kept]
    weights = ganzoo.load(stored["fp32"], runtime="torch").network.state_dict()
    assert sorted(scaled) == sorted(k for k, v in weights.items() if v.ndim == 4)
    for name in scaled:
        assert kept[name].dtype == torch.int8
        assert np.array_equal(in_graph[f"network.{name}.int8"], kept[name].numpy())
        error = (kept[name].float() * kept[name + SCALE] - weights[name]).abs()
        assert (error <= 0.5001 * kept[name + SCALE]).all(), "to the nearest step"
        assert (kept[name + SCALE] <= weights[name].abs().max() / LARGEST * 1.001).all()
    assert sum(node.op_type == "DequantizeLinear" for node in graph.node) == len(scaled)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([nn.Linear(16, 20), nn.Conv2d(6, 5, 3), nn.ConvTranspose2d(5, 6, 3)]),
    st.integers(0, 2**31),
    st.floats(-30, 15),
)
def test_rounding_again_changes_nothing(layer, seed, exponent):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        drawn = torch.randn(layer.weight.shape, generator=generator) * 2.0**exponent
        layer.weight.copy_(drawn * (torch.rand(drawn.shape, generator=generator) > 0.2))
        once = quantize(layer)
        restored = dequantize("here", once)
        layer.weight.copy_(restored["weight"])
        again = quantize(layer)
    assert once["weight"].abs().max() <= LARGEST
    assert once["weight" + SCALE].numel() == len(layer.bias), "one for each output channel"
    assert all(torch.equal(once[name], again[name]) for name in once)


def test_what_is_stored_stays_so_when_exported_again(stored, tmp_path):
    for precision in ("fp16", "int8"):
        again = ganzoo.export(stored[precision], tmp_path / precision, figures=False)
        for name in ("model.safetensors", "model.onnx", "config.json", "README.md"):
            assert (again / name).read_bytes() == (stored[precision] / name).read_bytes()
    assert "int8 with one scale per output channel" in (stored["int8"] / "README.md").read_text()


def test_what_was_rounded_away_does_not_come_back(stored, tmp_path):
    for has, asked in (("fp16", "fp32"), ("int8", "fp16"), ("int8", "fp32")):
        with pytest.raises(
            ExportError, match=f"as {asked}: the stored weights are rounded to {has}"
        ):
            ganzoo.export(stored[has], tmp_path / "out", precision=asked)
    coarser = ganzoo.export(stored["fp16"], tmp_path / "coarser", precision="int8", figures=False)
    assert ganzoo.info(coarser).provenance["stored_as"] == "int8"
    with pytest.raises(ExportError, match="unknown precision 'int4'. Use fp32, fp16, int8"):
        ganzoo.export(stored["fp32"], tmp_path / "out", precision="int4")


def rewrite(bundle, weights):
    metadata = {"ganzoo.config": (bundle / "config.json").read_text()}
    save_file(weights, bundle / "model.safetensors", metadata)
    rehash(bundle)


def test_a_precision_that_harms_is_refused_in_one_line(stored, tmp_path, capsys):
    """A weight far from the others of its channel leaves those no steps of their own."""
    harmed = shutil.copytree(stored["fp32"], tmp_path / "harmed")
    weights = load_file(harmed / "model.safetensors")
    last = [name for name, tensor in weights.items() if tensor.ndim == 4][-1]
    weights[last] *= 20
    weights[last][0, 0, 0, 0] = 3000.0
    rewrite(harmed, weights)
    before = {p: p.read_bytes() for p in harmed.rglob("*") if p.is_file()}
    assert main(["export", str(harmed), "--precision", "int8"]) == 1
    said = capsys.readouterr().err.strip()
    assert said.startswith("error: cannot export the generator as int8: rounding its")
    assert said.endswith("Export as fp16.")
    assert "\n" not in said
    assert {p: p.read_bytes() for p in harmed.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("wrong", ["shape", "dtype", "lost"])
def test_scales_that_do_not_fit_are_refused(stored, tmp_path, wrong):
    bundle = shutil.copytree(stored["int8"], tmp_path / "bundle")
    weights = load_file(bundle / "model.safetensors")
    scale = next(name for name in weights if name.endswith(SCALE))
    if wrong == "shape":
        weights[scale] = weights[scale].reshape(-1)
    elif wrong == "dtype":
        weights[scale] = weights[scale].double()
    else:
        del weights[scale]
    rewrite(bundle, weights)
    with pytest.raises(BundleError, match="Get the bundle again"):
        ganzoo.load(bundle, runtime="torch")


def test_the_onnx_file_stands_alone(stored, tmp_path):
    """It names no other file, so that it can be served, sent and read from memory by itself."""
    z = latents.normal(0, 2, 8)
    for bundle in stored.values():
        content = (bundle / "model.onnx").read_bytes()
        assert not any(t.external_data for t in onnx.load_from_string(content).graph.initializer)
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        (images,) = session.run(None, {"z": z})
        np.testing.assert_allclose(
            images, ganzoo.load(bundle, runtime="onnx").generate(z), atol=1e-6
        )
