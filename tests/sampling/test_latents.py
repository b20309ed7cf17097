import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganzoo.sampling import latents

SEEDS = st.integers(0, 2**64 - 1)


@given(SEEDS, st.integers(0, 50), st.integers(1, 20), st.integers(1, 33))
def test_a_row_depends_only_on_its_seed_and_number(seed, start, n, dim):
    whole = latents.normal(seed, start + n, dim)
    part = latents.normal(seed, n, dim, start=start)
    assert part.shape == (n, dim)
    assert part.dtype == np.float32
    assert np.array_equal(whole[start:], part)


@given(SEEDS)
def test_rows_and_seeds_differ(seed):
    rows = latents.normal(seed, 4, 8)
    assert len({row.tobytes() for row in rows}) == 4
    assert not np.array_equal(rows, latents.normal((seed + 1) % 2**64, 4, 8))


def test_latents_are_standard_normal():
    z = latents.normal(3, 20_000, 5).astype(np.float64)
    # Standard errors at n = 100,000: mean 0.003, variance 0.0045, kurtosis 0.015.
    assert abs(z.mean()) < 0.015
    assert abs(z.var() - 1) < 0.022
    assert abs((z**4).mean() - 3) < 0.08
    assert np.abs(np.corrcoef(z.T) - np.eye(5)).max() < 0.035


def test_the_bits_equal_published_values():
    """Models are cited by seed: these values must never change."""
    expected = [[-2.7457597, -1.6854463, -0.3615508], [1.1239619, -1.6238916, -0.02591195]]
    np.testing.assert_allclose(latents.normal(0, 2, 3), expected, atol=1e-7, rtol=1e-6)


def test_slerp_stays_on_the_arc():
    a, b = np.float32([1, 0]), np.float32([0, 1])
    path = latents.slerp(a, b, np.float32([0, 0.5, 1]))
    np.testing.assert_allclose(path, [[1, 0], [0.5**0.5, 0.5**0.5], [0, 1]], atol=1e-6)
    np.testing.assert_allclose(latents.slerp(a, a, np.float32([0.3])), [a])


@pytest.mark.parametrize("angle", [1e-4, 0.3, 2.0, np.pi - 0.1, np.pi - 1e-3, np.pi - 1e-5])
def test_slerp_is_exact_at_any_angle(angle):
    a, other = latents.normal(3, 2, 128).astype(np.float64)
    other -= a * (a @ other) / (a @ a)
    other *= np.linalg.norm(a) / np.linalg.norm(other)
    b = (np.cos(angle) * a + np.sin(angle) * other).astype(np.float32)
    first, share = a.astype(np.float32), np.linspace(0, 1, 5, dtype=np.float32)
    path = latents.slerp(first, b, share)
    expected = np.cos(angle * share[:, None]) * a + np.sin(angle * share[:, None]) * other
    # The rounding of the ends to float32 turns the plane of the arc.
    np.testing.assert_allclose(path, expected, atol=1e-6 / np.sin(angle))
    lengths = np.linalg.norm(path, axis=1)
    np.testing.assert_allclose(lengths, np.linalg.norm(a), rtol=1e-6 / np.sin(angle))


def test_slerp_between_opposite_ends_stays_between_them():
    path = latents.slerp(np.float32([2]), np.float32([-1]), np.linspace(0, 1, 5, dtype=np.float32))
    np.testing.assert_allclose(path[:, 0], [2, 1.25, 0.5, -0.25, -1], atol=1e-6)


@pytest.mark.parametrize("dim", [1, 2, 3, 4, 5])
def test_no_value_is_infinite(dim):
    assert np.isfinite(latents.normal(1, 10_000, dim)).all()
