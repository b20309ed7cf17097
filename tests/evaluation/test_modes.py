import math

import numpy as np
import pytest

from ganzoo.builtin.datasets.ring import RADIUS, ring
from ganzoo.errors import MetricError
from ganzoo.evaluation import gaussian_modes, label_accuracy, mode_coverage, modes_hit


def logits(classes, known=4):
    """Return logits that are certain of these classes."""
    return np.eye(known, dtype=np.float32)[classes] * 5 - 2


# Classes


def test_histograms_and_their_reverse_divergence():
    result = mode_coverage([0, 1, 2, 2], logits([0, 0, 0, 2]))
    assert result.real.tolist() == [1, 1, 2, 0]
    assert result.fake.tolist() == [3, 0, 1, 0]
    expected = 0.75 * math.log(0.75 / 0.25) + 0.25 * math.log(0.25 / 0.5)
    assert result.kl == pytest.approx(expected, rel=1e-12)
    assert result.missing == (1,)  # and not 3, which the data lacks too


def test_the_data_can_be_logits():
    real, fake = [0, 1, 1, 3, 3], logits([3, 1, 0])
    by_labels, by_logits = mode_coverage(real, fake), mode_coverage(logits(real), fake)
    assert by_labels.real.tolist() == by_logits.real.tolist() == [1, 2, 0, 2]
    assert by_labels[2:] == by_logits[2:]


def test_divergence_is_zero_for_equal_and_infinite_for_missing_classes():
    assert mode_coverage([0, 1, 2, 3], logits([3, 2, 1, 0] * 5))[2:] == (0, ())
    assert mode_coverage([0, 1], logits([0, 1, 2])).kl == math.inf


@pytest.mark.parametrize(
    ("real", "message"),
    [
        ([0, 4], "go from 0 to 4, but the classifier has 0 to 3"),
        ([-1, 2], "go from -1 to 2"),
        ([0.0, 1.0], "Pass integers"),
        ([], "Pass integers"),
        (np.ones((3, 5)), "logits have 5 dimensions and the fake images' logits 4"),
        (np.ones((3, 1, 4), dtype=int), "Pass integers"),
    ],
)
def test_the_data_must_be_of_the_classifiers_classes(real, message):
    with pytest.raises(MetricError, match=message):
        mode_coverage(real, logits([0, 1]))


def test_label_accuracy_is_the_share_of_matching_classes():
    assert label_accuracy([0, 1, 2, 2], logits([0, 1, 2, 3])) == 0.75
    with pytest.raises(MetricError, match="there are 3 labels for 2 images"):
        label_accuracy([0, 1, 2], logits([0, 1]))
    with pytest.raises(MetricError, match="go from 0 to 4"):
        label_accuracy([0, 4], logits([0, 1]))


# Gaussians


@pytest.fixture(scope="module")
def points():
    """The dataset ring, as points from -1 to 1, with their modes."""
    dataset, _ = ring(None)
    images, labels = dataset.tensors
    return images.numpy().reshape(-1, 2) / 127.5 - 1, labels.numpy()


def test_the_modes_of_the_ring_are_recovered(points):
    centres, std = gaussian_modes(*points)
    angle = 2 * np.pi * np.arange(8) / 8
    expected = RADIUS * np.stack([np.cos(angle), np.sin(angle)], 1)
    # 2,048 points a mode: means are known to 0.0007, the deviation to 0.00012.
    np.testing.assert_allclose(centres, expected, atol=0.003)
    assert std == pytest.approx(0.03, abs=0.0006)


def test_the_deviation_is_unbiased():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(500), 2)  # two points a mode: half of the freedom goes to means
    points = rng.normal(size=(1000, 3)) * 2 + rng.normal(size=(500, 3))[labels] * 9
    assert gaussian_modes(points, labels).std == pytest.approx(2, abs=0.12)


def test_the_data_hits_every_mode_at_the_expected_rate(points):
    result = modes_hit(points[0], *gaussian_modes(*points))
    assert result.hit == 8
    assert result.high_quality == pytest.approx(1 - math.exp(-4.5), abs=0.003)
    assert result.counts.sum() == round(result.high_quality * len(points[0]))
    near = modes_hit(points[0], *gaussian_modes(*points), deviations=1)
    assert near.high_quality == pytest.approx(1 - math.exp(-0.5), abs=0.012)


def test_only_points_of_high_quality_hit_a_mode():
    centres = [[0, 0], [10, 0], [0, 10]]
    result = modes_hit([[0.5, 0], [0, 2.9], [2.2, 2.2], [10, 3.1], [-2.9, 0]], centres, 1.0)
    assert result.counts.tolist() == [3, 0, 0]
    assert result.hit == 1
    assert result.high_quality == pytest.approx(3 / 5)
    assert modes_hit([[0, 2.9]], centres, 0.5).hit == 0
    assert modes_hit([[0, 3.0]], centres, 1.0).hit == 1


def test_a_collapsed_ring_loses_modes(points):
    modes = gaussian_modes(*points)
    result = modes_hit(points[0][points[1] < 3], *modes)
    assert result.hit == 3
    assert result.counts[3:].sum() == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: modes_hit([[0, 0]], [[0, 0, 0]], 1), "2 dimensions and the centres 3"),
        (lambda: modes_hit([[0, 0]], [[0, 0]], 0), "std=0"),
        (lambda: modes_hit([[0, 0]], [[0, 0]], math.nan), "std=nan"),
        (lambda: modes_hit([[0, 0]], [[0, 0]], 1, deviations=0), "deviations=0"),
        (lambda: gaussian_modes([[0, 0], [1, 1]], [0]), "there are 2 points"),
        (lambda: gaussian_modes([[0, 0], [1, 1]], [0, 1]), "every point has a different label"),
    ],
)
def test_invalid_modes_are_refused(call, message):
    with pytest.raises(MetricError, match=message):
        call()
