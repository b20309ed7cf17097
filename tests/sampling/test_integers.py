"""Where an integer is expected, 1.5 is an error and not 1."""

import numpy as np
import pytest

import ganzoo
from ganzoo import evaluation
from ganzoo.errors import DeviceError, MetricError, SampleError
from ganzoo.sampling.direction_methods import compute_directions
from ganzoo.sampling.shards import sample_to
from helpers.processes import run_cli


@pytest.fixture(scope="module")
def model(tiny_bundle):
    return ganzoo.load(tiny_bundle)


@pytest.mark.parametrize("value", [1.5, 2.0, True, "2", None])
def test_a_number_that_is_no_integer_is_refused(model, tiny_bundle, tmp_path, value):
    for call in (
        lambda: model.sample(value),
        lambda: model.sample(2, value),
        lambda: model.sample(2, start=value),
        lambda: model.interpolate(value, 1),
        lambda: model.interpolate(0, value),
        lambda: model.interpolate(0, 1, value),
        lambda: model.manifold(value),
        lambda: compute_directions(model, "sefa", count=value, draws=2),
        lambda: compute_directions(model, "sefa", count=1, draws=value),
        lambda: sample_to(model, tmp_path / "a", value),
        lambda: sample_to(model, tmp_path / "a", 2, value),
        lambda: sample_to(model, tmp_path / "a", 2, shard_size=value),
    ):
        with pytest.raises(SampleError, match="must be an integer"):
            call()
    assert not (tmp_path / "a").exists()
    rows = np.random.default_rng(0).normal(size=(30, 2))
    for call in (
        lambda: evaluation.kernel_distance(rows, rows, seed=value),
        lambda: evaluation.kernel_distance(rows, rows, subsets=value),
        lambda: evaluation.kernel_distance(rows, rows, subset_size=value),
        lambda: evaluation.inception_score(rows, splits=value),
        lambda: evaluation.inception_score(rows, seed=value),
        lambda: evaluation.precision_recall(rows, rows, k=value),
        lambda: evaluation.density_coverage(rows, rows, k=value),
    ):
        with pytest.raises(MetricError, match="must be an integer"):
            call()
    for name in ("seed", "n", "dim"):
        arguments = {"seed": 0, "n": 1, "dim": 2, name: value}
        with pytest.raises(ValueError, match=f"{name} is .* it must be an integer"):
            ganzoo.latents.normal(**arguments)
    if value is not None:
        with pytest.raises(DeviceError, match="threads is .* it must be an integer"):
            ganzoo.load(tiny_bundle, runtime="onnx", threads=value)
        with pytest.raises(ValueError, match="columns is .* it must be an integer"):
            model.sample(2).grid(value)


def test_integers_of_numpy_are_integers(model):
    images = model.sample(np.int32(3), np.uint64(7), start=np.int64(2)).numpy()
    assert np.array_equal(images, model.sample(3, 7, start=2).numpy())


@pytest.mark.parametrize("option", ["-n", "--seed"])
def test_the_command_line_refuses_fractions(tiny_bundle, tmp_path, option):
    done = run_cli("sample", tiny_bundle, option, "1.5", "-o", tmp_path / "a.png")
    assert done.returncode
    assert not (tmp_path / "a.png").exists()
