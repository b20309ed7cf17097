import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_digits
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torchmetrics.image.kid import KernelInceptionDistance, poly_mmd

from ganzoo.errors import MetricError
from ganzoo.evaluation import distances, frechet_distance, kernel_distance, usable_subset_size


def with_moments(rng, n, mean, cov):
    """Return points with exactly this mean and covariance."""
    x = rng.standard_normal((n, len(mean)))
    x -= x.mean(0)
    x = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T).reshape(len(mean), -1))).T
    return x @ np.linalg.cholesky(cov).T + mean


def random_gaussian(rng, d):
    a = rng.standard_normal((d, d))
    return rng.standard_normal(d), a @ a.T + 0.1 * np.eye(d)


def torch_fidelitys(real, fake):
    """Return the value of torch-fidelity."""
    statistics = [fid_features_to_statistics(torch.from_numpy(x).double()) for x in (real, fake)]
    return fid_statistics_to_metric(*statistics, False)["frechet_inception_distance"]


@pytest.fixture(scope="module")
def digits():
    """Two halves of the digits, shuffled, (n, 64) from 0 to 1."""
    images = load_digits().data / 16
    images = images[np.random.default_rng(0).permutation(len(images))]
    return images[:898], images[898:]


# Fréchet


def test_diagonal_covariances_match_the_closed_form():
    rng = np.random.default_rng(0)
    real = with_moments(rng, 50, [0, 0, 0], np.diag([1.0, 4.0, 9.0]))
    fake = with_moments(rng, 70, [1, 2, 0], np.diag([4.0, 4.0, 1.0]))
    # |m1 - m2|² + the sum of (s1 - s2)²
    assert frechet_distance(real, fake) == pytest.approx(5 + 1 + 0 + 4, rel=1e-9)
    assert frechet_distance(fake, real) == pytest.approx(10, rel=1e-9)


@given(st.integers(0, 2**32), st.integers(1, 8))
@settings(max_examples=25, deadline=None)
def test_full_covariances_match_the_closed_form_and_torch_fidelity(seed, d):
    rng = np.random.default_rng(seed)
    (m1, c1), (m2, c2) = random_gaussian(rng, d), random_gaussian(rng, d)
    real, fake = with_moments(rng, 20, m1, c1), with_moments(rng, 30, m2, c2)
    root = scipy.linalg.sqrtm(c1)
    cross = scipy.linalg.sqrtm(root @ c2 @ root)
    expected = ((m1 - m2) ** 2).sum() + np.trace(c1 + c2 - 2 * cross.real)
    distance = frechet_distance(real, fake)
    assert distance == pytest.approx(expected, rel=1e-6)
    if d > 1:
        assert distance == pytest.approx(torch_fidelitys(real, fake), rel=1e-6)


def test_pixel_features_match_torch_fidelity(digits):
    """Some pixels are always 0, so the covariances are singular."""
    real, fake = (x.astype(np.float32) for x in (digits[0], digits[1] * 0.8))
    assert frechet_distance(real, fake) == pytest.approx(torch_fidelitys(real, fake), rel=1e-6)


def test_a_common_shift_changes_nothing():
    rng = np.random.default_rng(1)
    real, fake = rng.standard_normal((40, 5)), rng.standard_normal((40, 5)) * 1.5
    expected = frechet_distance(real, fake)
    assert frechet_distance(real + 1e6, fake + 1e6) == pytest.approx(expected, rel=1e-6)


def test_the_distance_is_computed_in_chunks(monkeypatch):
    rng = np.random.default_rng(2)
    real, fake = rng.standard_normal((40, 5)), rng.standard_normal((33, 5))
    whole = frechet_distance(real, fake)
    monkeypatch.setattr(distances, "ROWS", 7)
    assert frechet_distance(real, fake) == pytest.approx(whole, rel=1e-9)


def blurred(x, amount):
    return gaussian_filter(x.reshape(-1, 8, 8), (0, amount, amount)).reshape(-1, 64)


def shifted(x, amount):
    return np.roll(x.reshape(-1, 8, 8), amount, axis=2).reshape(-1, 64)


def collapsed(x, amount):
    """Return images with only so many different ones."""
    return x[np.arange(len(x)) % amount]


@pytest.mark.parametrize(
    ("spoil", "amounts"),
    [(blurred, [0.4, 0.7, 1.0, 1.5]), (shifted, [1, 2, 3]), (collapsed, [300, 100, 30, 10])],
)
def test_the_distance_grows_with_corruption(digits, spoil, amounts):
    real, held_out = digits
    none = frechet_distance(real, held_out)
    # The trace of the covariance is 4.6: halves differ by what 898 images leave to chance.
    assert 0 < none < 0.2
    distances_by_amount = [
        none,
        *(frechet_distance(real, spoil(held_out, amount)) for amount in amounts),
    ]
    assert np.all(np.diff(distances_by_amount) > 0.02), distances_by_amount
    real, held_out = real[:400], held_out[:400]
    kernel = [
        kernel_distance(real, held_out),
        *(kernel_distance(real, spoil(held_out, amount)) for amount in amounts),
    ]
    assert abs(kernel[0].value) < 3 * kernel[0].error
    assert np.all(np.diff([k.value for k in kernel]) > 0), kernel


def test_the_distance_of_a_set_to_itself_is_zero(digits):
    assert frechet_distance(digits[0], digits[0]) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(("real", "fake", "kind"), [(5, 9, "5 real"), (9, 5, "5 fake")])
def test_the_distance_needs_more_images_than_dimensions(real, fake, kind):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((real, 5)), rng.standard_normal((fake, 5))
    with pytest.raises(MetricError, match=f"with {kind} images.* need 6 or more"):
        frechet_distance(x, y)
    assert frechet_distance(rng.standard_normal((6, 5)), rng.standard_normal((6, 5))) > 0


@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        (np.ones((9, 2)), np.ones((9, 3)), "2 dimensions and the fake images' features 3"),
        (np.ones((9, 2, 2)), np.ones((9, 4)), "the real images' features must be a matrix"),
        (np.ones((9, 2)), np.full((9, 2), np.nan), "the fake images' features must be finite"),
        (np.ones((0, 2)), np.ones((9, 2)), "the real images' features must not be empty"),
        (np.ones((9, 2)), np.full((9, 2), 1e30), "features reach 1.0e.30, .* the limit is 1e.25"),
    ],
)
@pytest.mark.parametrize("distance", [frechet_distance, kernel_distance])
def test_invalid_features_are_refused(distance, real, fake, message):
    with pytest.raises(MetricError, match=message):
        distance(real, fake)


# Kernel


def mmd(x, y):
    """Return the unbiased estimate over whole sets, by its formula."""
    kxx, kyy, kxy = ((a @ b.T / x.shape[1] + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
    n, m = len(x), len(y)
    within = (kxx.sum() - np.trace(kxx)) / (n * (n - 1)) + (kyy.sum() - np.trace(kyy)) / (
        m * (m - 1)
    )
    return within - 2 * kxy.mean()


def test_two_points_match_the_closed_form_of_the_kernel():
    x, y = np.array([1.0, 2.0]), np.array([0.0, 1.0])
    distance = kernel_distance(np.tile(x, (10, 1)), np.tile(y, (12, 1)), subsets=5)
    # k(x, x) + k(y, y) - 2 k(x, y) with k(a, b) = (a·b / 2 + 1)³
    assert distance.value == pytest.approx(3.5**3 + 1.5**3 - 2 * 2**3, rel=1e-12)
    assert distance.error == pytest.approx(0, abs=1e-9)


def test_equal_subsets_match_torchmetrics():
    rng = np.random.default_rng(0)
    real, fake = rng.standard_normal((60, 4)), rng.standard_normal((50, 4)) + 0.5
    distance = kernel_distance(real, fake, seed=3, subsets=8, subset_size=20)
    draw = np.random.RandomState(np.random.SeedSequence(3).generate_state(4))
    values = []
    for _ in range(8):
        rows = draw.choice(60, 20, replace=False), draw.choice(50, 20, replace=False)
        pair = torch.from_numpy(real[rows[0]]), torch.from_numpy(fake[rows[1]])
        values.append(poly_mmd(*pair).item())
    assert distance.value == pytest.approx(np.mean(values), rel=1e-9)
    assert distance.error == pytest.approx(np.std(values) * (20 / 30) ** 0.5, rel=1e-9)


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance`")
def test_the_mean_over_subsets_approximates_the_whole_sets():
    rng = np.random.default_rng(1)
    real = rng.standard_normal((500, 8)).astype(np.float32)
    fake = (rng.standard_normal((400, 8)) * 1.2 + 0.3).astype(np.float32)
    distance = kernel_distance(real, fake, subset_size=100, subsets=2000)
    assert distance.value == pytest.approx(mmd(real, fake), abs=0.1 * distance.error)
    metric = KernelInceptionDistance(torch.nn.Identity(), subset_size=100, subsets=2000)
    torch.manual_seed(0)
    metric.update(torch.from_numpy(real), real=True)
    metric.update(torch.from_numpy(fake), real=False)
    value, deviation = metric.compute()
    assert distance.value == pytest.approx(value.item(), abs=0.2 * distance.error)
    assert distance.error == pytest.approx(deviation.item() * (100 / 300) ** 0.5, rel=0.1)


@pytest.mark.parametrize("subset_size", [50, 1000])
def test_the_error_is_the_spread_over_samples(subset_size):
    rng = np.random.default_rng(0)
    distances = [
        kernel_distance(
            rng.standard_normal((200, 4)),
            rng.standard_normal((200, 4)) + 1,
            subset_size=subset_size,
        )
        for _ in range(60)
    ]
    # The deviation of 60 values has an error of 9 %.
    spread = np.std([f.value for f in distances], ddof=1)
    assert np.mean([f.error for f in distances]) == pytest.approx(spread, rel=0.3)


def test_the_estimator_is_unbiased():
    rng = np.random.default_rng(0)
    values = [
        kernel_distance(*rng.standard_normal((2, 20, 4)), subsets=10).value for _ in range(300)
    ]
    assert min(values) < 0
    assert abs(np.mean(values)) < 3 * np.std(values) / 300**0.5


def test_a_seed_draws_the_same_subsets_without_side_effects():
    rng = np.random.default_rng(0)
    real, fake = rng.standard_normal((2, 40, 4))
    before = torch.get_rng_state(), np.random.get_state()[1]
    first = kernel_distance(real, fake, seed=2**63)
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])
    assert kernel_distance(real, fake, seed=2**63) == first
    assert kernel_distance(real, fake, seed=1) != first


def test_subsets_are_at_most_half_of_the_images():
    assert usable_subset_size(5000, 5000) == 1000
    assert usable_subset_size(5000, 1001) == 500
    assert usable_subset_size(7, 5000, 100) == 3
    rng = np.random.default_rng(0)
    real, fake = rng.standard_normal((30, 4)), rng.standard_normal((21, 4))
    assert kernel_distance(real, fake) == kernel_distance(real, fake, subset_size=10)
    assert kernel_distance(real, fake) != kernel_distance(real, fake, subset_size=9)


@pytest.mark.parametrize(
    ("real", "arguments"),
    [(3, {}), (9, {"subset_size": 1}), (9, {"subsets": 1}), (9, {"seed": -1})],
)
def test_the_kernel_distance_refuses_too_few_images(real, arguments):
    with pytest.raises(MetricError, match="the kernel distance cannot be computed with .* Use "):
        kernel_distance(np.ones((real, 2)), np.ones((9, 2)), **arguments)
