"""Weights stored in fewer bits: format, images and errors."""

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
from ganzoo.exporters.precision import FINEST_FIRST, TOLERANCES, precision_of
from ganzoo.runtimes.int8 import dequantize
from ganzoo.sampling import latents
from ganzoo.spec import Component
from helpers.bundles import rehash
from helpers.recipes import tiny

LEVELS = 127.5


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    """Bundles of one run in every precision; the first has figures, the second is exported by the CLI."""
    folder = tmp_path_factory.mktemp("precision")
    recipe = tiny(architecture=Component("dcgan", {"latent_dim": 8, "width": 32}), images=64)
    run = ganzoo.train(recipe, out=folder / "run", progress=False).path
    ganzoo.export(run, folder / "fp32")
    command = ["export", str(run), "-o", str(folder / "fp16"), "--precision", "fp16"]
    assert main([*command, "--no-figures"]) == 0
    ganzoo.export(run, folder / "int8", precision="int8", figures=False)
    return {each: folder / each for each in FINEST_FIRST}


def test_each_precision_takes_fewer_bytes(bundles):
    for name in ("model.onnx", "model.safetensors"):
        whole, half, quarter = ((bundles[p] / name).stat().st_size for p in FINEST_FIRST)
        assert half < 0.55 * whole + 8_000
        assert quarter < 0.28 * whole + 10_000


@pytest.mark.parametrize("precision", FINEST_FIRST)
def test_both_runtimes_compute_with_the_same_rounded_weights(bundles, precision):
    z = latents.normal(0, 7, 8)
    images = [ganzoo.load(bundles[precision], runtime=r).generate(z) for r in ("torch", "onnx")]
    assert np.abs(images[0] - images[1]).max() < 1e-5
    whole = ganzoo.load(bundles["fp32"], runtime="torch").generate(z)
    moved = np.sqrt(np.square(images[0] - whole).mean())
    assert bool(moved == 0) is (precision == "fp32")
    assert moved <= TOLERANCES.get(precision, 0)


def test_fp16_stores_half_and_computes_in_float32(bundles):
    whole, half = bundles["fp32"], bundles["fp16"]
    for name in ("model.safetensors", "model.onnx"):
        assert (half / name).stat().st_size < 0.6 * (whole / name).stat().st_size + 8_000
    with safe_open(half / "model.safetensors", "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    network = ganzoo.load(half, runtime="torch").state_dict()
    for name, tensor in ganzoo.load(whole, runtime="torch").state_dict().items():
        expected = tensor.half() if tensor.is_floating_point() else tensor
        assert torch.equal(tensors[name.removeprefix("network.")], expected)
        assert network[name].dtype == tensor.dtype
        assert torch.equal(network[name], expected.to(tensor.dtype))


def test_fp16_reports_the_change_of_images_and_runtimes_agree(bundles):
    whole, half = bundles["fp32"], bundles["fp16"]
    rounding = ganzoo.info(half).provenance["rounding"]
    assert "rounding" not in ganzoo.info(whole).provenance
    worst = 0.0
    for seed in (0, 1):
        z = latents.normal(seed, 7, 8)
        images = {
            (path, runtime): ganzoo.load(path, runtime=runtime).generate(z)
            for path in (whole, half)
            for runtime in ("torch", "onnx")
        }
        assert np.abs(images[half, "torch"] - images[half, "onnx"]).max() < 1e-5
        worst = max(worst, float(np.abs(images[half, "torch"] - images[whole, "torch"]).max()))
    assert 0 < worst == pytest.approx(rounding["generator"], rel=1e-3)
    assert f"of the generator by at most {rounding['generator']:.1e}" in (
        half / "README.md"
    ).read_text().replace("\n", " ")


def test_fp16_refuses_weights_out_of_range(bundles, tmp_path):
    large = tmp_path / "large"
    shutil.copytree(bundles["fp32"], large)
    weights = load_file(large / "model.safetensors")
    weights[next(k for k in weights if k.endswith("bias"))][0] = 1e6
    metadata = {"ganzoo.config": (large / "config.json").read_text()}
    save_file(weights, large / "model.safetensors", metadata)
    rehash(large)
    with pytest.raises(ExportError, match=r"reaches 1e\+06, and the largest float16 is 65,504"):
        ganzoo.export(large, tmp_path / "half", precision="fp16")
    assert not (tmp_path / "half").exists()


def test_a_count_stored_as_a_fraction_is_refused(bundles, tmp_path):
    wrong = tmp_path / "wrong"
    shutil.copytree(bundles["fp32"], wrong)
    weights = load_file(wrong / "model.safetensors")
    count = next(k for k in weights if k.endswith("num_batches_tracked"))
    weights[count] = weights[count].float()
    metadata = {"ganzoo.config": (wrong / "config.json").read_text()}
    save_file(weights, wrong / "model.safetensors", metadata)
    rehash(wrong)
    with pytest.raises(BundleError, match="holds torch.float32 in the file and torch.int64"):
        ganzoo.load(wrong, runtime="torch")


def test_int8_is_int8_in_both_files(bundles):
    with safe_open(bundles["int8"] / "model.safetensors", "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    graph = onnx.load(bundles["int8"] / "model.onnx").graph
    in_graph = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
    scaled = [name for name in tensors if name + SCALE in tensors]
    weights = ganzoo.load(bundles["fp32"], runtime="torch").network.state_dict()
    assert sorted(scaled) == sorted(k for k, v in weights.items() if v.ndim == 4)
    for name in scaled:
        assert tensors[name].dtype == torch.int8
        assert np.array_equal(in_graph[f"network.{name}.int8"], tensors[name].numpy())
        error = (tensors[name].float() * tensors[name + SCALE] - weights[name]).abs()
        assert (error <= 0.5001 * tensors[name + SCALE]).all(), "to the nearest step"
        assert (tensors[name + SCALE] <= weights[name].abs().max() / LARGEST * 1.001).all()
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
        weight = torch.randn(layer.weight.shape, generator=generator) * 2.0**exponent
        layer.weight.copy_(weight * (torch.rand(weight.shape, generator=generator) > 0.2))
        once = quantize(layer)
        restored = dequantize("here", once)
        layer.weight.copy_(restored["weight"])
        again = quantize(layer)
    assert once["weight"].abs().max() <= LARGEST
    assert once["weight" + SCALE].numel() == len(layer.bias), "one for each output channel"
    assert all(torch.equal(once[name], again[name]) for name in once)


def test_a_second_export_keeps_the_precision(bundles, tmp_path):
    for precision in ("fp16", "int8"):
        again = ganzoo.export(bundles[precision], tmp_path / precision, figures=False)
        for name in ("model.safetensors", "model.onnx", "config.json", "README.md"):
            assert (again / name).read_bytes() == (bundles[precision] / name).read_bytes()
    assert "int8 with one scale per output channel" in (bundles["int8"] / "README.md").read_text()


def test_a_finer_precision_than_stored_is_refused(bundles, tmp_path):
    for has, precision in (("fp16", "fp32"), ("int8", "fp16"), ("int8", "fp32")):
        with pytest.raises(
            ExportError, match=f"as {precision}: the stored weights are rounded to {has}"
        ):
            ganzoo.export(bundles[has], tmp_path / "out", precision=precision)
    coarser = ganzoo.export(bundles["fp16"], tmp_path / "coarser", precision="int8", figures=False)
    assert ganzoo.info(coarser).provenance["stored_as"] == "int8"
    with pytest.raises(ExportError, match="unknown precision 'int4'. Use fp32, fp16, int8"):
        ganzoo.export(bundles["fp32"], tmp_path / "out", precision="int4")


def rewrite(bundle, weights):
    metadata = {"ganzoo.config": (bundle / "config.json").read_text()}
    save_file(weights, bundle / "model.safetensors", metadata)
    rehash(bundle)


def test_a_precision_with_large_errors_is_refused_in_one_line(bundles, tmp_path, capsys):
    """An outlier of a channel leaves too few steps for its other weights."""
    folder = shutil.copytree(bundles["fp32"], tmp_path / "harmed")
    weights = load_file(folder / "model.safetensors")
    last = [name for name, tensor in weights.items() if tensor.ndim == 4][-1]
    weights[last] *= 20
    weights[last][0, 0, 0, 0] = 3000.0
    rewrite(folder, weights)
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert main(["export", str(folder), "--precision", "int8"]) == 1
    err = capsys.readouterr().err.strip()
    assert err.startswith("error: cannot export the generator as int8: rounding its")
    assert err.endswith("Export as fp16.")
    assert "\n" not in err
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("wrong", ["shape", "dtype", "lost"])
def test_scales_that_do_not_fit_are_refused(bundles, tmp_path, wrong):
    bundle = shutil.copytree(bundles["int8"], tmp_path / "bundle")
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


def test_the_onnx_file_is_self_contained(bundles, tmp_path):
    """The file refers to no other file, so it can be served and read from memory."""
    z = latents.normal(0, 2, 8)
    for bundle in bundles.values():
        content = (bundle / "model.onnx").read_bytes()
        assert not any(t.external_data for t in onnx.load_from_string(content).graph.initializer)
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        (images,) = session.run(None, {"z": z})
        np.testing.assert_allclose(
            images, ganzoo.load(bundle, runtime="onnx").generate(z), atol=1e-6
        )


@pytest.mark.parametrize("value", [7, None, "fp8", {}, "x" * 5000])
def test_an_unknown_stored_precision_is_one_line(value):
    with pytest.raises(ExportError, match="weights are stored as .* not one of fp32") as error:
        precision_of({"stored_as": value})
    assert len(str(error.value)) < 1000
