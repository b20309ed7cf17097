"""Directions in latent space: the numerics, the file, and the sampler that moves along them."""

import re
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from torch import nn

import ganzoo
from ganzoo import DataSpec, Draw, ImageSpec, ModelSpec
from ganzoo.errors import OutputError, SampleError
from ganzoo.runtimes.torch import wrap
from ganzoo.sampling.code_files import write_codes
from ganzoo.sampling.direction_methods import compute_directions, eigenvectors, learn_normal
from ganzoo.sampling.directions import Directions
from ganzoo.sampling.moments import Moments
from ganzoo.spec import LatentSpec

RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def model():
    return ganzoo.load("dcgan-mnist", runtime="onnx")


@pytest.fixture(scope="module")
def directions(model):
    return compute_directions(model, "ganspace", count=3, draws=300, seed=4)


@pytest.fixture
def file(directions, tmp_path):
    return directions.save(tmp_path / "a.safetensors")


def test_principal_components_are_those_that_were_planted():
    axes = np.linalg.qr(RANDOM.standard_normal((6, 6)))[0].T
    values = RANDOM.standard_normal((20_000, 6)) * [5, 3, 1, 0.5, 0.5, 0.5] @ axes + 7
    moments = Moments.of(np.array_split(values.astype(np.float32), 7))
    vectors, variances = eigenvectors(moments.covariance, 2)
    assert np.allclose(np.abs(vectors @ axes.T), np.eye(2, 6), atol=0.02)
    assert np.allclose(variances, [25, 9], rtol=0.05)
    assert (vectors[[0, 1], np.abs(vectors).argmax(1)] > 0).all()


def test_the_regression_has_the_normal_that_was_planted():
    normal = np.array([0.6, 0, -0.8, 0, 0])
    scales = np.array([1, 2, 0.5, 1, 1])
    x = (RANDOM.standard_normal((20_000, 5)) * scales + 3).astype(np.float32)
    logits = 4 * ((x - 3) @ normal) + 1
    is_class = RANDOM.random(len(x)) < 1 / (1 + np.exp(-logits))
    learned = learn_normal(x, is_class)
    assert np.linalg.norm(learned) == pytest.approx(1)
    assert learned @ normal > 0.999
    assert np.allclose(learn_normal(x, ~is_class), -learned, atol=1e-6)


def test_the_regression_is_finite_for_separable_and_constant_latents():
    x = np.zeros((20, 3), np.float32)
    x[:, 0] = np.linspace(-1, 1, 20)
    assert np.allclose(learn_normal(x, x[:, 0] > 0), [1, 0, 0])


@pytest.mark.parametrize("method", ["sefa", "ganspace"])
@pytest.mark.parametrize("name", ["dcgan-mnist", "cgan-mnist"])
def test_runtimes_agree(method, name):
    both = [
        compute_directions(ganzoo.load(name, runtime=runtime), method, count=3, draws=300)
        for runtime in ("torch", "onnx")
    ]
    assert np.abs(both[0].vectors - both[1].vectors).max() < 1e-4
    assert np.allclose(np.linalg.norm(both[0].vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(both[0].scales, 1, atol=0.5)


def test_ganspace_in_z_tends_to_sefa(model):
    """The first layer is linear in z, whose principal components are its singular vectors."""
    a, b = (
        compute_directions(model, "sefa", count=1, draws=2),
        compute_directions(model, "ganspace", count=1, draws=10_000),
    )
    assert a.vectors[0] @ b.vectors[0] > 0.98


def test_results_depend_on_the_seed_alone(model, directions):
    again = compute_directions(model, "ganspace", count=3, draws=300, seed=4)
    assert np.array_equal(again.vectors, directions.vectors)
    assert not np.allclose(
        compute_directions(model, "ganspace", count=3, draws=300).vectors, directions.vectors
    )


def test_a_file_keeps_everything(directions, file):
    again = Directions.read(file)
    assert np.array_equal(again.vectors, directions.vectors)
    assert np.array_equal(again.scales, directions.scales)
    assert (again.space, again.layers, again.names) == ("z", (), directions.names)
    assert (again.model, again.method, again.seed) == ("dcgan-mnist", "ganspace", 4)


def test_a_flipped_bit_is_noticed(directions, tmp_path):
    path = directions.save(tmp_path / "a.safetensors")
    content = bytearray(path.read_bytes())
    content[-1] ^= 128
    path.write_bytes(content)
    with pytest.raises(SampleError, match="is damaged: its content differs from its digest"):
        Directions.read(path)


def test_a_file_does_not_depend_on_the_order_in_memory(directions, tmp_path):
    transposed = replace(directions, vectors=np.asfortranarray(directions.vectors))
    again = Directions.read(transposed.save(tmp_path / "a.safetensors"))
    assert np.array_equal(again.vectors, directions.vectors)


def test_the_sampler_moves_along_a_direction(model, directions, file):
    draw = Draw.of(5, 4)
    plain = model.codes(draw)
    moved = model.codes(draw, "directed", directions=str(file), number=1, strength=-2.0)
    step = -2 * directions.scales[1] * directions.vectors[1]
    assert np.allclose(moved.z - plain.z, step, atol=1e-6)
    still = model.codes(draw, "directed", directions=str(file), strength=0)
    assert np.array_equal(still.z, plain.z)
    images = model.sample(4, 5, sampler="directed", directions=str(file), number=1, strength=-2)
    assert np.array_equal(images.numpy(), model.render(moved).numpy())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"number": 3}, "no direction 3. Use 0 to 2"),
        ({"number": -1}, "no direction -1"),
        ({"strength": float("inf")}, "must be finite"),
        ({"strength": 1e300}, "beyond the range of float32"),
        ({"strength": 1e38}, "not finite from latents that reach"),
        ({"psi": 0.5}, "no w to truncate"),
        ({"layers": "fine"}, "no w, which layers read"),
        ({"directions": "absent.safetensors"}, "Write one with: ganzoo directions"),
        ({"file": "absent.safetensors"}, "Write one with: ganzoo invert"),
        ({"file": "absent.safetensors", "psi": 0.5}, "psi truncates images of seeds"),
    ],
)
def test_wrong_options_are_named(model, file, options, says):
    with pytest.raises(SampleError, match=says):
        model.sample(2, sampler="directed", **{"directions": str(file)} | options)


def test_layers_have_no_effect_in_z(model, directions):
    with pytest.raises(SampleError, match="codes in z have no w, which layers read"):
        directions.move(model.codes(Draw.of(5, 1)), 0, 1.0, layers=[0])


def test_directions_of_another_model_are_refused_or_give_a_warning(file):
    with pytest.raises(SampleError, match="z of length 64, but 'cgan-mnist'"):
        ganzoo.load("cgan-mnist", runtime="onnx").sample(sampler="directed", directions=str(file))
    with pytest.warns(UserWarning, match="for 'dcgan-mnist', not for 'dcgan-fashion'"):
        ganzoo.load("dcgan-fashion", runtime="onnx").sample(
            sampler="directed", directions=str(file)
        )


@pytest.mark.parametrize(
    "change",
    [
        {"directions": np.ones((2, 64), np.float32)},
        {"directions": np.eye(2, 64).astype(np.float64)},
        {"directions": np.full((2, 64), np.nan, np.float32)},
        {"directions": np.eye(64, dtype=np.float32)[0]},
        {"scales": np.ones(3, np.float32)},
        {"scales": np.full(2, -1, np.float32)},
        {"layers": np.array([-1, 0]), "space": "w"},
        {"layers": np.zeros(1, np.int64)},
        {"layers": np.zeros(0, np.int64), "space": "w"},
        {"names": "[1"},
        {"names": '["a"]'},
        {"seed": "x"},
        {"space": "w"},
    ],
)
def test_a_damaged_file_is_named(tmp_path, change):
    arrays = {"directions": np.eye(2, 64, dtype=np.float32), "scales": np.ones(2, np.float32)}
    metadata = {"model": "m", "space": "z", "method": "sefa", "seed": "0", "names": '["a", "b"]'}
    path = tmp_path / "a.safetensors"
    save_file(arrays, path, metadata)
    assert len(Directions.read(path)) == 2
    for key, value in change.items():
        (metadata if isinstance(value, str) else arrays)[key] = value
    save_file(arrays, path, metadata)
    with pytest.raises(SampleError, match=re.escape(f"{path} is no file of directions")):
        Directions.read(path)


@pytest.mark.parametrize("options", [{"count": 65}, {"count": 0}, {"draws": 1}, {"layers": "0"}])
def test_impossible_directions_are_refused(model, options):
    with pytest.raises(SampleError):
        compute_directions(model, "ganspace", **options)


class Toy(nn.Module):
    """A generator whose first layer maps 4 numbers to 8 of a rank."""

    def __init__(self, rank):
        super().__init__()
        random = torch.Generator().manual_seed(0)
        maps = torch.randn(4, rank, generator=random), torch.randn(rank, 64, generator=random)
        self.weight = nn.Parameter(maps[0] @ maps[1])

    def forward(self, z):
        return (z @ self.weight).tanh().view(-1, 1, 8, 8)


@pytest.mark.parametrize("method", ["sefa", "ganspace"])
@pytest.mark.parametrize(
    ("rank", "says"),
    [(2, "have 2 dimensions, fewer than 3 directions. Use --count 2"), (0, "are all alike")],
)
def test_arbitrary_directions_are_refused(method, rank, says):
    spec = ModelSpec("toy", "none", {}, (), DataSpec(ImageSpec(8, 8, 1)), LatentSpec(4))
    model = wrap(spec, Toy(rank))
    if rank:
        assert len(compute_directions(model, method, count=rank, draws=100)) == rank
    with pytest.raises(SampleError, match=says):
        compute_directions(model, method, count=3, draws=100)


def test_directions_of_other_weights_of_a_name_give_a_warning(model, directions):
    other = replace(directions, weights="0" * 64)
    with pytest.warns(UserWarning, match="for other weights of 'dcgan-mnist'"):
        other.start(model, model.codes(Draw.of(0)))


def test_another_extension_is_refused(directions, tmp_path):
    with pytest.raises(OutputError, match="-o a.safetensors"):
        directions.save(tmp_path / "a.npz")


def test_a_stored_code_moves_along_a_direction(model, directions, file, tmp_path):
    codes = model.codes(Draw.of(5, 2))
    stored = str(write_codes(tmp_path / "codes.safetensors", codes, model.spec))
    options = {"directions": str(file), "number": 1, "strength": -2.0}
    moved = model.codes(Draw.of(0, 3), "directed", file=stored, **options)
    expected = model.codes(Draw.of(5, 2), "directed", **options)
    assert np.array_equal(moved.z, expected.z[[0, 1, 0]])
    with pytest.raises(SampleError, match="a seed or a label has no effect"):
        model.codes(Draw.of(5, 2), "directed", file=stored, **options)


def test_a_file_of_another_kind_is_named(model, file, tmp_path):
    codes = str(write_codes(tmp_path / "codes.safetensors", model.codes(Draw.of(5)), model.spec))
    with pytest.raises(SampleError, match="no file of directions: its tensors are z, not 'dir"):
        model.sample(sampler="directed", directions=codes)
    with pytest.raises(SampleError, match="no file of codes: its tensors are directions, scales"):
        model.sample(sampler="stored", file=str(file))


def test_moments_of_parts_are_those_of_all_rows():
    rows = RANDOM.standard_normal((1_000, 4)) * [1, 2, 3, 4] + 1e6
    moments = Moments.of([rows[:1], rows[1:300], rows[300:]])
    assert moments.count == 1_000
    assert np.allclose(moments.mean, rows.mean(0), rtol=1e-15)
    assert np.allclose(moments.covariance, np.cov(rows.T, bias=True), atol=1e-6)
    vectors = np.eye(4)[:2]
    assert np.allclose(moments.deviations(vectors), rows.std(0)[:2])


def test_memory_does_not_grow_with_the_number_of_latents(model):
    peaks = []
    for draws in (2_000, 20_000):
        tracemalloc.start()
        compute_directions(model, "ganspace", draws=draws)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]
