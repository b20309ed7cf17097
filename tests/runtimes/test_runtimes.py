import inspect

import numpy as np
import pytest
import torch

import ganzoo
from ganzoo.errors import MissingExtraError, SampleError
from ganzoo.sampling import latents
from helpers.processes import run_new

RUNTIMES = ["onnx", "torch"]


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_sample_is_uint8_height_width_channels(tiny_bundle, runtime):
    images = ganzoo.load(tiny_bundle, runtime=runtime).sample(5)
    assert images.numpy().shape == (5, 16, 16, 1)
    assert images.numpy().dtype == np.uint8
    assert images.numpy().std() > 0


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("name", ["tiny", "dcgan-mnist"])
def test_image_k_of_a_seed_does_not_depend_on_the_batch(tiny_bundle, runtime, name):
    model = ganzoo.load(tiny_bundle if name == "tiny" else name, runtime=runtime)
    whole = model.sample(100, seed=3).numpy()
    for n in (1, 15, 16, 17, 64):
        assert np.array_equal(model.sample(n, seed=3).numpy(), whole[:n])
    for start in (1, 16, 37):
        assert np.array_equal(model.sample(20, seed=3, start=start).numpy(), whole[start:][:20])
    assert not np.array_equal(model.sample(4, seed=4).numpy(), whole[:4])


def test_the_runtimes_differ_by_at_most_one_level(tiny_bundle):
    for model in (tiny_bundle, "dcgan-mnist"):
        a, b = (ganzoo.load(model, runtime=r).sample(200, seed=5).numpy() for r in RUNTIMES)
        assert np.abs(a.astype(int) - b).max() <= 1


def test_the_torch_model_is_a_module(tiny_bundle):
    model = ganzoo.load(tiny_bundle, runtime="torch")
    assert isinstance(model, torch.nn.Module)
    assert isinstance(model, ganzoo.Generator)
    z = torch.from_numpy(latents.normal(0, 3, 8))
    images = model(z)
    assert images.shape == (3, 1, 16, 16)
    assert images.abs().max() <= 1
    assert not images.requires_grad
    before = model.sample(3).numpy()
    model.train()
    assert np.array_equal(model.sample(3).numpy(), before), "sampling is in eval mode always"
    assert model.training
    model = ganzoo.load(tiny_bundle, runtime="torch")
    assert not any(module.training for module in model.modules())
    images = model(z)
    model.sample(1)
    assert torch.equal(model(z), images), "sampling leaves the module as it was"
    assert np.array_equal(model.sample(3).numpy(), before)
    half = model.to(torch.float64)
    assert np.abs(half.sample(3).numpy().astype(int) - before).max() <= 1


def test_torch_compile_works(tiny_bundle):
    model = ganzoo.load(tiny_bundle, runtime="torch")
    z = torch.from_numpy(latents.normal(0, 3, 8))
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(z), model(z))


def test_the_onnx_model_accepts_arrays(tiny_bundle):
    model = ganzoo.load(tiny_bundle, runtime="onnx")
    assert isinstance(model, ganzoo.Generator)
    assert model(latents.normal(0, 3, 8)).shape == (3, 1, 16, 16)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_interpolation_has_the_given_ends(tiny_bundle, runtime):
    model = ganzoo.load(tiny_bundle, runtime=runtime)
    path = model.interpolate(3, 9, steps=5).numpy()
    assert path.shape == (5, 16, 16, 1)
    for end, seed in ((0, 3), (-1, 9)):
        assert np.abs(path[end].astype(int) - model.sample(1, seed=seed).numpy()[0]).max() <= 1


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(
    "wrong", [{"n": 0}, {"n": -1}, {"n": 10**7}, {"seed": -1}, {"seed": 2**64}, {"start": -1}]
)
def test_invalid_sample_arguments_are_refused(tiny_bundle, runtime, wrong):
    model = ganzoo.load(tiny_bundle, runtime=runtime)
    with pytest.raises(SampleError):
        model.sample(**{"n": 1} | wrong)
    with pytest.raises(SampleError, match=r"the latents have shape \(2, 9\)"):
        model.generate(np.zeros((2, 9), np.float32))
    with pytest.raises(SampleError, match="in 1 steps"):
        model.interpolate(0, 1, steps=1)


BLOCK_TORCH = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "torchvision"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Block())
import importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name == "torch" else real(name, *a)
"""


def test_the_onnx_runtime_imports_no_torch(tiny_bundle):
    code = """
import sys, ganzoo
images = ganzoo.load(sys.argv[1], runtime="onnx").sample(3)
assert images.numpy().shape == (3, 16, 16, 1)
assert ganzoo.load("dcgan-mnist", runtime="onnx").sample(2).numpy().std() > 0
assert "torch" not in sys.modules
"""
    result = run_new("-c", BLOCK_TORCH + code, str(tiny_bundle))
    assert result.returncode == 0, result.stderr


def test_without_torch_onnx_is_the_default(tiny_bundle):
    code = """
import ganzoo
from ganzoo.errors import MissingExtraError
assert type(ganzoo.load(sys.argv[1])).__name__ == "OnnxGenerator"
for act in (
    lambda: ganzoo.load(sys.argv[1], runtime="torch"),
    lambda: ganzoo.train("dcgan-digits"),
    lambda: ganzoo.Loss,
    lambda: ganzoo.export("x"),
):
    try:
        act()
    except MissingExtraError as error:
        assert "pip install '.[train]'" in str(error), error
    else:
        raise SystemExit("no error")
from ganzoo.cli import main
for command in (["train", "dcgan-digits"], ["export", sys.argv[1]], ["sample", "dcgan-mnist", "--runtime", "torch"]):
    assert main(command) == 1
"""
    result = run_new("-c", BLOCK_TORCH + code, str(tiny_bundle))
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("pip install '.[train]'") == 3
    assert issubclass(MissingExtraError, ImportError)


def test_an_unknown_runtime_is_refused():
    with pytest.raises(ValueError, match="unknown runtime 'jax'. Use 'torch' or 'onnx'"):
        ganzoo.load("dcgan-mnist", runtime="jax")


def test_every_public_name_has_a_docstring():
    for name in ganzoo.__all__:
        assert inspect.getdoc(getattr(ganzoo, name)), name
    assert set(ganzoo.__all__) >= set(
        [
            "load",
            "list_models",
            "info",
            "Generator",
            "ImageBatch",
            "ModelSpec",
            "ImageSpec",
            "DataSpec",
            "Recipe",
            "Player",
            "Loss",
            "architectures",
            "losses",
            "datasets",
            "recipes",
            "train",
            "export",
        ]
    )
    assert set(ganzoo.__all__) <= set(dir(ganzoo))
