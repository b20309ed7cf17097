import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.datasets import load_digits
from torch_fidelity.metric_prc import prc_features_to_metric

from ganzoo.errors import MetricError
from ganzoo.evaluation import density_coverage, neighbours, precision_recall


@pytest.fixture(scope="module")
def digits():
    """Two halves of the digits, shuffled, (n, 64) from 0 to 1, and their labels."""
    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.data))
    images, labels = data.data[order].astype(np.float32) / 16, data.target[order]
    return images[:898], images[898:], labels[898:]


def brute(real, fake, k):
    """Return all four metrics by their definitions."""
    of_real, of_fake = (np.sort(cdist(x, x), axis=1)[:, k] for x in (real, fake))
    between = cdist(real, fake)
    in_real, in_fake = between <= of_real[:, None], between <= of_fake
    return (
        (in_real.any(0).mean(), in_fake.any(1).mean()),
        (in_real.sum() / (k * len(fake)), in_real.any(1).mean()),
    )


@pytest.mark.parametrize("k", [1, 3, 5])
def test_values_equal_their_definitions(monkeypatch, k):
    monkeypatch.setattr(neighbours, "BLOCK", 1)  # MiB: several blocks
    rng = np.random.default_rng(k)
    real = rng.standard_normal((600, 6)).astype(np.float32)
    fake = (rng.standard_normal((700, 6)) * 0.7 + 0.2).astype(np.float32)
    manifold, balls = brute(real, fake, k)
    assert precision_recall(real, fake, k) == pytest.approx(manifold, abs=1e-12)
    assert density_coverage(real, fake, k) == pytest.approx(balls, abs=1e-12)
    assert precision_recall(fake, real, k) == pytest.approx(manifold[::-1], abs=1e-12)


def test_a_common_shift_changes_nothing():
    real, fake = np.random.default_rng(0).standard_normal((2, 200, 3))
    for metric in (precision_recall, density_coverage):
        assert metric(real + 1e6, fake + 1e6) == metric(real, fake)


@pytest.mark.parametrize("k", [3, 4])
def test_precision_and_recall_equal_torch_fidelitys(digits, k):
    real, fake = digits[0], digits[1] + 0.1
    theirs = prc_features_to_metric(
        *(torch.from_numpy(x).double() for x in (fake, real)), prc_neighborhood=k
    )
    expected = theirs["precision"], theirs["recall"]
    assert expected[0] != expected[1]
    assert precision_recall(real, fake, k) == pytest.approx(expected, rel=1e-4)


def test_defaults_are_the_papers(digits):
    real, fake, _ = digits
    assert precision_recall(real, fake) == precision_recall(real, fake, k=3)
    assert density_coverage(real, fake) == density_coverage(real, fake, k=5)


def test_samples_of_one_distribution_have_the_expected_values():
    """E[density] = 1; E[coverage] = 1 - prod (n - i) / (n + m - i) (Naeem et al., 2020)."""
    rng = np.random.default_rng(0)
    n, m, k = 300, 200, 4
    values = [density_coverage(*np.split(rng.random((n + m, 3)), [n]), k) for _ in range(40)]
    density, coverage = np.mean(values, axis=0)
    i = np.arange(1, k + 1)
    assert density == pytest.approx(1, abs=0.03)
    assert coverage == pytest.approx(1 - np.prod((n - i) / (n + m - i)), abs=0.01)


def test_noise_costs_precision_and_density(digits):
    real, fake, _ = digits
    rng = np.random.default_rng(0)
    noisy = [fake + a * rng.standard_normal(fake.shape) for a in (0, 0.1, 0.2, 0.4)]
    precision, recall = zip(*(precision_recall(real, x) for x in noisy), strict=True)
    density = [density_coverage(real, x).density for x in noisy]
    assert np.all(np.diff(precision) < 0), precision
    assert precision[-1] < 0.05
    assert np.all(np.diff(density) < 0), density
    assert recall[1] > 0.9 * recall[0]


def test_collapse_costs_recall_and_coverage(digits):
    real, fake, labels = digits
    left = [fake[labels < classes] for classes in (10, 6, 3, 1)]
    precision, recall = zip(*(precision_recall(real, x) for x in left), strict=True)
    density, coverage = zip(*(density_coverage(real, x) for x in left), strict=True)
    assert np.all(np.diff(recall) < -0.15), recall
    assert np.all(np.diff(coverage) < -0.15), coverage
    assert min(precision) > 0.9 * precision[0]
    assert min(density) > 0.7 * density[0]


def test_one_outlier_widens_the_fake_manifold_but_no_ball_of_coverage():
    rng = np.random.default_rng(0)
    real = rng.standard_normal((200, 2)) + 5
    fake = np.concatenate([rng.standard_normal((10, 2)) * 0.01, [[100, 100]]])
    assert precision_recall(real, fake).recall == 1
    assert density_coverage(real, fake).coverage == 0


@pytest.mark.parametrize("offset", [0, 1000.3])
def test_copies_are_inside_balls_of_radius_zero(offset):
    """On a grid, many points coincide; far from 0, rounding changes their distances."""
    grid = np.random.default_rng(0).integers(0, 12, (400, 2)) / 255 + offset
    copies = np.repeat(grid, 2, axis=0)
    assert precision_recall(copies, grid, k=1) == (1, 1)
    assert density_coverage(copies, grid, k=1).coverage == 1


def test_a_set_covers_itself():
    points = np.random.default_rng(0).standard_normal((300, 7)).astype(np.float32)
    assert precision_recall(points, points) == (1, 1)
    # Each ball holds its centre and k others.
    assert density_coverage(points, points, k=4) == pytest.approx((5 / 4, 1), rel=1e-12)


@pytest.mark.parametrize("k", [4, 9])
def test_fewer_images_than_k_are_refused(k):
    few, many = np.random.default_rng(0).standard_normal((2, 12, 3))
    with pytest.raises(MetricError, match=f"neighbour k={k} does not exist among 4 fake"):
        precision_recall(many, few[:4], k)
    for metric in (precision_recall, density_coverage):
        with pytest.raises(MetricError, match=f"k={k} does not exist among 4 real"):
            metric(few[:4], many, k)
        with pytest.raises(MetricError, match="Use k of at least 1"):
            metric(few, many, 0)


def test_incomparable_features_are_refused():
    for metric in (precision_recall, density_coverage):
        with pytest.raises(MetricError, match="Compute both with the same extractor"):
            metric(np.ones((9, 2)), np.ones((9, 3)))
