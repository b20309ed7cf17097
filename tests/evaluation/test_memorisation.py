import math

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.datasets import load_digits

from ganzoo.errors import MetricError
from ganzoo.evaluation import authentic, authenticity, nearest_training


@pytest.fixture(scope="module")
def digits():
    """Training and held-out digits, uint8 pixels (n, 64) from 0 to 16."""
    images = np.unique(load_digits().data.astype(np.uint8), axis=0)
    images = images[np.random.default_rng(0).permutation(len(images))]
    return images[:1200], images[1200:]


def brute(samples, training):
    """Return indices, distances and authenticity by their definitions."""
    between = cdist(samples.astype(float), training.astype(float))
    index = between.argmin(1)
    among = cdist(training.astype(float), training.astype(float))
    np.fill_diagonal(among, np.inf)
    return index, between.min(1), between.min(1) > among.min(1)[index]


def test_values_equal_their_definitions():
    rng = np.random.default_rng(0)
    samples, training = rng.standard_normal((60, 5)), rng.standard_normal((200, 5))
    index, distance, mask = brute(samples, training)
    neighbours = nearest_training(samples, training)
    assert np.array_equal(neighbours.indices, index)
    np.testing.assert_allclose(neighbours.distances, distance, rtol=1e-12)
    assert np.array_equal(authentic(neighbours, training), mask)
    assert 0.2 < mask.mean() < 0.8
    assert authenticity(neighbours, training) == pytest.approx(mask.mean())


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_pixels_can_have_any_dtype(digits, dtype):
    training, held_out = (x.astype(dtype) for x in digits)
    neighbours = nearest_training(held_out, training)
    _, distance, mask = brute(held_out, training)
    np.testing.assert_allclose(neighbours.distances, distance, rtol=1e-12)
    assert np.array_equal(authentic(neighbours, training), mask)


@pytest.mark.parametrize(("dtype", "shift"), [(np.float32, 1e3), (np.float64, 1e8)])
def test_copies_are_detected_far_from_0(dtype, shift):
    training = (np.random.default_rng(0).standard_normal((50, 4)) + shift).astype(dtype)
    neighbours = nearest_training(training, training)
    assert (neighbours.distances == 0).all()
    assert not authentic(neighbours, training).any()


def test_copies_are_detected(digits):
    training, held_out = digits
    copies = [7, 3, 3, 900]
    samples = np.concatenate([held_out[:5], training[copies]]).astype(np.float32) / 16
    neighbours = nearest_training(samples, training / 16)
    assert neighbours.indices[5:].tolist() == copies
    assert (neighbours.distances[5:] == 0).all()
    assert (neighbours.distances[:5] > 0.1).all()
    assert not authentic(neighbours, training / 16)[5:].any()


def test_authenticity_falls_with_the_share_of_copies(digits):
    training, held_out = digits
    rng = np.random.default_rng(0)
    shares = []
    for copied in (0.0, 0.5, 1.0):
        samples = held_out.astype(float)
        mask = rng.random(len(samples)) < copied
        noise = rng.normal(0, 0.5, (mask.sum(), 64))
        samples[mask] = training[rng.integers(0, len(training), mask.sum())] + noise
        shares.append(authenticity(nearest_training(samples, training), training))
    assert 0.35 < shares[0] < 0.65
    assert shares[1] == pytest.approx(shares[0] / 2, abs=0.1)
    assert shares[2] < 0.05


@pytest.mark.parametrize(
    ("d", "mutual"),
    [(1, 2 / 3), (2, 6 * math.pi / (8 * math.pi + 3 * math.sqrt(3)))],
)
def test_authenticity_of_new_images_matches_geometry(d, mutual):
    rng = np.random.default_rng(d)
    training, samples = rng.random((20_000, d)), rng.random((4000, d))
    share = authenticity(nearest_training(samples, training), training)
    assert share == pytest.approx(1 - mutual, abs=0.025)  # three standard errors


def test_duplicates_in_the_training_set_can_be_copied():
    training = np.float32([[0, 0], [0, 0], [0, 0], [5, 5], [9, 5]])
    neighbours = nearest_training([[0, 0], [0, 1], [5, 6], [5, 10]], training)
    assert neighbours.distances.tolist() == [0, 1, 1, 5]
    assert authentic(neighbours, training).tolist() == [False, True, False, True]


def test_a_tie_is_not_authentic():
    training = np.float32([[0, 0], [0, 2]])
    assert not authentic(nearest_training([[2, 0]], training), training).any()


def test_a_copy_far_from_zero_has_distance_zero():
    training = np.random.default_rng(0).normal(size=(50, 30)) + 1000
    neighbours = nearest_training(training[::-1], training)
    assert neighbours.indices.tolist() == list(range(50))[::-1]
    assert (neighbours.distances == 0).all()


def test_incomparable_sets_are_refused():
    with pytest.raises(MetricError, match="the samples have 3 dimensions and the training images"):
        nearest_training(np.ones((2, 3)), np.ones((2, 4)))
    with pytest.raises(MetricError, match="the samples must be a matrix"):
        nearest_training(np.ones((2, 8, 8)), np.ones((2, 64)))
    neighbours = nearest_training([[5.0]], [[1.0], [2.0], [3.0]])
    with pytest.raises(MetricError, match="with 2 training images. Pass all"):
        authentic(neighbours, [[1.0], [2.0]])
    with pytest.raises(MetricError, match="2 or more"):
        authentic(nearest_training([[5.0]], [[1.0]]), [[1.0]])
