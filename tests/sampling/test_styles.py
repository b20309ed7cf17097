"""One w per layer: names of layers, truncation and mixing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganzoo.errors import SampleError
from ganzoo.sampling.styles import mix, parse_layers, truncate
from ganzoo.spec import StyleSpec


def test_groups_are_those_of_the_paper():
    groups = [parse_layers(name, 18) for name in ("coarse", "middle", "fine")]
    assert groups == [[0, 1, 2, 3], [4, 5, 6, 7], [*range(8, 18)]]


@given(st.integers(3, 64))
def test_groups_divide_the_layers_of_any_network(count):
    groups = [parse_layers(name, count) for name in ("coarse", "middle", "fine")]
    assert [layer for group in groups for layer in group] == [*range(count)]
    assert all(groups)


@given(st.sets(st.integers(0, 17), min_size=1))
def test_numbers_and_ranges_mean_their_layers(layers):
    assert parse_layers(",".join(map(str, layers)), 18) == sorted(layers)
    low, high = min(layers), max(layers)
    assert parse_layers(f"{low}-{high}", 18) == [*range(low, high + 1)]


@given(st.text(max_size=12))
def test_any_text_is_layers_or_an_error(text):
    try:
        layers = parse_layers(text, 18)
    except SampleError:
        return
    assert layers
    assert {*layers} <= {*range(18)}


@pytest.mark.parametrize("text", ["", "5-", "-5", "3-1", "18", "1,,2", "0x1", "all"])
def test_wrong_layers_are_named(text):
    with pytest.raises(SampleError, match="no layer or range"):
        parse_layers(text, 18)


def test_truncation_moves_w_towards_the_average():
    average, w = np.float32([1, -1]), np.float32([[3, 3], [1, -1]])
    moved = truncate(StyleSpec(2, 3), average, w, 0.5, 2)
    assert np.array_equal(moved[0], [[2, 1], [2, 1], [3, 3]])
    assert np.array_equal(moved[1], [[1, -1]] * 3)
    own = truncate(StyleSpec(2, 3, truncation=0.5), average, w)
    assert np.array_equal(own[0], [[2, 1]] * 3)


@pytest.mark.parametrize(("psi", "cutoff"), [(2.1, None), (-3, None), (0.5, 4), (0.5, -1)])
def test_truncation_outside_its_range_is_refused(psi, cutoff):
    with pytest.raises(SampleError, match="must be"):
        truncate(StyleSpec(2, 3), np.zeros(2, np.float32), np.ones((1, 2), np.float32), psi, cutoff)


@pytest.mark.parametrize(("psi", "cutoff"), [("0.7", None), (True, None), (1, 1.5), (1, "2")])
def test_truncation_of_another_type_is_refused(psi, cutoff):
    with pytest.raises(SampleError, match="must be an? (number|integer)"):
        truncate(StyleSpec(2, 3), np.zeros(2, np.float32), np.ones((1, 2), np.float32), psi, cutoff)


def test_mixing_takes_the_chosen_layers_of_the_second():
    a, b = np.zeros((2, 4, 3), np.float32), np.ones((2, 4, 3), np.float32)
    assert mix(a, b, "1-2")[:, :, 0].tolist() == [[0, 1, 1, 0]] * 2
    assert not a.any()
