import doctest
import math
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist, jensenshannon
from scipy.stats import wasserstein_distance
from torch.distributions import MultivariateNormal, kl_divergence

from ganzoo.builtin.losses.adversarial import MINIMAX, NONSATURATING
from ganzoo.errors import MetricError
from ganzoo.evaluation import (
    divergences,
    js,
    js_from_discriminator_loss,
    kl,
    kl_normal,
    wasserstein1,
)
from helpers.process_state import unchanged

COUNTS = st.lists(st.integers(0, 50), min_size=6, max_size=6).filter(any)


def test_the_docstrings_are_true():
    results = doctest.testmod(divergences)
    assert results.attempted >= 8
    assert results.failed == 0


def test_the_import_of_pot_leaves_the_process_as_before(tmp_path, monkeypatch):
    """A module in its place: POT's own import takes seconds."""
    code = (
        "import os, random, warnings\n"
        "os.environ['KMP_INIT_AT_FORK'] = 'changed'\n"
        "warnings.simplefilter('ignore', SyntaxWarning)\n"
        "random.random()\n"
        "def emd2(p, q, cost, log): return 0.5, {'warning': None}\n"
    )
    (tmp_path / "ot.py").write_text(code)
    monkeypatch.delitem(sys.modules, "ot", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    divergences._import_pot.cache_clear()
    with unchanged("wasserstein1"):
        assert wasserstein1([1, 0], [0, 1]) == 0.5
    divergences._import_pot.cache_clear()
    del sys.modules["ot"]


def random_covariance(rng, d):
    a = rng.standard_normal((d, d))
    return a @ a.T + 0.1 * np.eye(d)


# KL and JS of discrete distributions


def test_kl_accepts_counts():
    p, q = np.array([1.0, 2.0, 5.0]) / 8, np.array([4.0, 3.0, 1.0]) / 8
    expected = (p * np.log(p / q)).sum()
    assert kl(p, q) == pytest.approx(expected, rel=1e-12)
    assert kl(10 * p, 3 * q) == pytest.approx(expected, rel=1e-12)
    assert kl(p.reshape(3, 1), q.reshape(3, 1)) == pytest.approx(expected, rel=1e-12)
    assert kl(q, p) != pytest.approx(expected, rel=0.05)


def test_kl_is_infinite_where_only_q_is_zero():
    assert kl([1, 0], [1, 1]) == pytest.approx(math.log(2))
    assert kl([1, 1], [1, 0]) == math.inf


@given(COUNTS, COUNTS)
@settings(deadline=None)
def test_js_is_symmetric_bounded_and_equals_scipys(p, q):
    divergence = js(p, q)
    assert divergence == pytest.approx(js(q, p), abs=1e-15)
    assert 0 <= divergence <= math.log(2) + 1e-12
    assert js(p, p) == 0
    assert kl(p, q) >= 0
    scipys = jensenshannon(p, q)  # NaN where rounding makes it the root of a negative number
    assert divergence == pytest.approx(0 if np.isnan(scipys) else scipys**2, abs=1e-7)


def test_js_of_disjoint_distributions_is_log_2():
    assert js([1, 0, 0], [0, 1, 0]) == pytest.approx(math.log(2), rel=1e-12)
    assert js([1, 0, 0], [0, 0, 1]) == pytest.approx(math.log(2), rel=1e-12)


@pytest.mark.parametrize("criterion", [MINIMAX, NONSATURATING])
def test_the_loss_of_the_best_discriminator_gives_js(criterion):
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.3, 0.6])
    logits = torch.from_numpy(np.log(p / q))  # D = p / (p + q)
    # Ten images in the proportions of p, ten in those of q.
    real = logits.repeat_interleave(torch.tensor([5, 3, 2]))
    fake = logits.repeat_interleave(torch.tensor([1, 3, 6]))
    loss = criterion.d(real, fake).mean().item()
    assert js_from_discriminator_loss(loss) == pytest.approx(js(p, q), rel=1e-9)
    worse = criterion.d(real + 0.5, fake + 0.5).mean().item()
    assert js_from_discriminator_loss(worse) < js(p, q)


@pytest.mark.parametrize("loss", [-1.2, math.nan, math.inf])
def test_a_value_function_is_not_a_loss(loss):
    with pytest.raises(MetricError, match="pass -V"):
        js_from_discriminator_loss(loss)


@pytest.mark.parametrize(
    ("p", "q", "message"),
    [
        ([1, 1], [1, 1, 1], "shape"),
        ([1, -1], [1, 1], "p must have no mass below 0"),
        ([1, 1], [0, 0], "q must have no mass below 0, and some mass above"),
        ([1, math.nan], [1, 1], "p must be finite"),
        ([1e308, 1e308], [1e308, 1e308], "p has more mass than a number can hold"),
        ([], [], "p must not be empty"),
        (["a"], ["b"], "p must be real numbers"),
    ],
)
@pytest.mark.parametrize("divergence", [kl, js, wasserstein1])
def test_invalid_distributions_are_refused(divergence, p, q, message):
    with pytest.raises(MetricError, match=message):
        divergence(p, q)


# KL of normals


@given(st.integers(0, 2**32), st.integers(1, 6))
@settings(deadline=None)
def test_kl_of_normals_equals_torchs(seed, d):
    rng = np.random.default_rng(seed)
    mean_p, mean_q = rng.standard_normal((2, d))
    cov_p, cov_q = random_covariance(rng, d), random_covariance(rng, d)
    p, q = (
        MultivariateNormal(torch.from_numpy(mean), torch.from_numpy(cov))
        for mean, cov in ((mean_p, cov_p), (mean_q, cov_q))
    )
    expected = kl_divergence(p, q).item()
    assert kl_normal(mean_p, cov_p, mean_q, cov_q) == pytest.approx(expected, rel=1e-7)


def test_kl_of_normals_in_one_dimension():
    # log(s2 / s1) + (s1² + (m1 - m2)²) / (2 s2²) - 1/2
    expected = math.log(3 / 2) + (4 + 1) / 18 - 0.5
    assert kl_normal([0], [[4]], [1], [[9]]) == pytest.approx(expected, rel=1e-12)
    assert kl_normal([1], [[9]], [1], [[9]]) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cov_q": [[1, 1], [1, 1]]}, "covariance of q is not positive-definite"),
        ({"cov_p": [[1, 0], [0, -1]]}, "covariance of p is not positive-definite"),
        ({"cov_p": [[1, 0.5], [0, 1]]}, "covariance of p is not symmetric"),
        ({"cov_p": [1, 1]}, "Pass \\(d, d\\)"),
        ({"mean_p": [0, 0, 0]}, "of one d"),
        ({"mean_q": [[0, 0]]}, "of one d"),
        ({"cov_p": np.eye(3)}, "of one d"),
    ],
)
def test_invalid_normals_are_refused(change, message):
    good = {"mean_p": [0, 0], "cov_p": np.eye(2), "mean_q": [0, 0], "cov_q": np.eye(2)}
    assert kl_normal(**good) == 0
    with pytest.raises(MetricError, match=message):
        kl_normal(**good | change)


# The earth mover's distance

P, Q = [4, 4, 4, 2], [2, 3, 4, 5]


def test_normalisations_match_their_formulas():
    assert wasserstein1(P, Q, normalise=None) == pytest.approx(8)
    assert wasserstein1(P, Q) == pytest.approx(8 / 14)
    assert wasserstein1(P, Q, normalise="total-mass") == pytest.approx(8 / 14)
    assert wasserstein1(P, Q, normalise="largest-distance") == pytest.approx(8 / 14 / 3)
    assert wasserstein1(P, Q, normalise="mean-transport") == pytest.approx(8 / 3)
    with pytest.raises(MetricError, match="unknown normalisation 'mass'"):
        wasserstein1(P, Q, normalise="mass")


@pytest.mark.parametrize("normalise", ["total-mass", "largest-distance", "mean-transport", None])
def test_equal_distributions_have_no_transport_cost(normalise):
    assert wasserstein1(P, P, normalise=normalise) == 0
    assert wasserstein1([3], [3], normalise=normalise) == 0


@given(COUNTS, COUNTS, st.integers(0, 2**32))
@settings(deadline=None)
def test_one_dimensional_transport_equals_scipys(p, q, seed):
    positions = np.random.default_rng(seed).normal(size=6)
    p, q = np.array(p) / sum(p), np.array(q) / sum(q)
    expected = wasserstein_distance(positions, positions, p, q)
    assert wasserstein1(p, q, positions=positions) == pytest.approx(expected, abs=1e-9)
    assert wasserstein1(q, p, positions=positions) == pytest.approx(expected, abs=1e-9)
    share = wasserstein1(p, q, positions=positions, normalise="largest-distance")
    assert 0 <= share <= 1 + 1e-9
    assert share * np.ptp(positions) == pytest.approx(expected, abs=1e-9)


def test_transport_of_a_pixel_is_its_distance():
    p, q = np.zeros((5, 7)), np.zeros((5, 7))
    p[0, 0], q[3, 4] = 2, 2
    assert wasserstein1(p, q) == pytest.approx(5)
    assert wasserstein1(p, q, normalise=None) == pytest.approx(10)
    assert wasserstein1(p, q, normalise="largest-distance") == pytest.approx(5 / math.hypot(4, 6))
    p[4, 6], q[4, 6] = 6, 6
    assert wasserstein1(p, q) == pytest.approx(5 / 4)
    assert wasserstein1(p, q, normalise="mean-transport") == pytest.approx(5)


def test_transport_of_points_is_the_best_assignment():
    places = np.random.default_rng(0).normal(size=(12, 3))
    between = cdist(places[:6], places[6:])
    expected = between[linear_sum_assignment(between)].mean()
    p, q = np.repeat([1, 0], 6), np.repeat([0, 1], 6)
    assert wasserstein1(p, q, positions=places) == pytest.approx(expected, rel=1e-9)


def test_a_cost_matrix_has_rows_of_p_and_columns_of_q():
    cost = [[0, 1], [5, 0]]
    assert wasserstein1([1, 0], [0, 1], cost=cost) == pytest.approx(1)
    assert wasserstein1([0, 1], [1, 0], cost=cost) == pytest.approx(5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"q": [2, 3, 4, 6]}, "p has the mass 14 and q 15"),
        ({"p": np.ones((2, 2, 2)), "q": np.ones((2, 2, 2))}, "\\(rows, columns\\)"),
        ({"positions": [0, 1]}, "positions have the shape \\(2,\\). 4 bins"),
        ({"positions": [0, 1, 2, 1e308]}, "positions are too far apart"),
        ({"cost": np.ones((4, 4))}, "0 on the diagonal"),
        ({"cost": np.eye(4) - 1}, "at least 0"),
        ({"cost": np.zeros((3, 3))}, "need \\(4, 4\\)"),
        ({"cost": 1 - np.eye(4), "positions": [0, 1, 2, 3]}, "Pass only one of them"),
    ],
)
def test_invalid_transport_problems_are_refused(arguments, message):
    with pytest.raises(MetricError, match=message):
        wasserstein1(**{"p": P, "q": Q} | arguments)


def test_float32_masses_are_accepted():
    p = np.full(1000, 1 / 1000, dtype=np.float32)
    q = np.roll(np.linspace(1, 2, 1000, dtype=np.float32), 1)
    assert p.sum() != 1
    assert wasserstein1(p, q / q.sum()) > 0
