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
    """Indices, distances and authenticity by their definitions."""
    between = cdist(samples.astype(float), training.astype(float))
    index = between.argmin(1)
    among = cdist(training.astype(float), training.astype(float))
    np.fill_diagonal(among, np.inf)
    return index, between.min(1), between.min(1) > among.min(1)[index]


def test_they_are_their_definitions():
    rng = np.random.default_rng(0)
    samples, training = rng.standard_normal((60, 5)), rng.standard_normal((200, 5))
    index, distance, mask = brute(samples, training)
    found = nearest_training(samples, training)
    assert np.array_equal(found.indices, index)
    np.testing.assert_allclose(found.distances, distance, rtol=1e-12)
    assert np.array_equal(authentic(found, training), mask)
    assert 0.2 < mask.mean() < 0.8
    assert authenticity(found, training) == pytest.approx(mask.mean())


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_pixels_of_any_dtype(digits, dtype):
    training, held_out = (x.astype(dtype) for x in digits)
    found = nearest_training(held_out, training)
    _, distance, mask = brute(held_out, training)
    np.testing.assert_allclose(found.distances, distance, rtol=1e-12)
    assert np.array_equal(authentic(found, training), mask)


def test_copies_are_found_out(digits):
    training, held_out = digits
    copies = [7, 3, 3, 900]
    samples = np.concatenate([held_out[:5], training[copies]]).astype(np.float32) / 16
    found = nearest_training(samples, training / 16)
    assert found.indices[5:].tolist() == copies
    assert (found.distances[5:] == 0).all()
    assert (found.distances[:5] > 0.1).all()
    assert not authentic(found, training / 16)[5:].any()


def test_the_more_is_copied_the_less_is_authentic(digits):
    training, held_out = digits
    rng = np.random.default_rng(0)
    shares = []
    for copied in (0.0, 0.5, 1.0):
        samples = held_out.astype(float)
        chosen = rng.random(len(samples)) < copied
        noise = rng.normal(0, 0.5, (chosen.sum(), 64))
        samples[chosen] = training[rng.integers(0, len(training), chosen.sum())] + noise
        shares.append(authenticity(nearest_training(samples, training), training))
    assert 0.35 < shares[0] < 0.65
    assert shares[1] == pytest.approx(shares[0] / 2, abs=0.1)
    assert shares[2] < 0.05


@pytest.mark.parametrize(
    ("d", "mutual"),
    [(1, 2 / 3), (2, 6 * math.pi / (8 * math.pi + 3 * math.sqrt(3)))],
)
def test_new_images_are_mutual_neighbours_as_often_as_geometry_says(d, mutual):
    rng = np.random.default_rng(d)
    training, samples = rng.random((20_000, d)), rng.random((4000, d))
    found = authenticity(nearest_training(samples, training), training)
    assert found == pytest.approx(1 - mutual, abs=0.025)  # three standard errors


def test_an_image_that_is_there_twice_can_still_be_copied():
    training = np.float32([[0, 0], [0, 0], [0, 0], [5, 5], [9, 5]])
    found = nearest_training([[0, 0], [0, 1], [5, 6], [5, 10]], training)
    assert found.distances.tolist() == [0, 1, 1, 5]
    assert authentic(found, training).tolist() == [False, True, False, True]


def test_a_tie_is_not_authentic():
    training = np.float32([[0, 0], [0, 2]])
    assert not authentic(nearest_training([[2, 0]], training), training).any()


def test_far_from_zero_a_copy_is_at_no_distance():
    training = np.random.default_rng(0).normal(size=(50, 30)) + 1000
    found = nearest_training(training[::-1], training)
    assert found.indices.tolist() == list(range(50))[::-1]
    assert (found.distances == 0).all()


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(MetricError, match="the samples have 3 dimensions and the training images"):
        nearest_training(np.ones((2, 3)), np.ones((2, 4)))
    with pytest.raises(MetricError, match="the samples must be a matrix"):
        nearest_training(np.ones((2, 8, 8)), np.ones((2, 64)))
    found = nearest_training([[5.0]], [[1.0], [2.0], [3.0]])
    with pytest.raises(MetricError, match="with 2 training images. Pass all"):
        authentic(found, [[1.0], [2.0]])
    with pytest.raises(MetricError, match="2 or more"):
        authentic(nearest_training([[5.0]], [[1.0]]), [[1.0]])
