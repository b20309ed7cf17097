from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganzoo.errors import RecipeError
from ganzoo.spec.durations import parse_duration

SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


@given(st.lists(st.tuples(st.integers(1, 999), st.sampled_from("dhms")), min_size=1))
def test_parts_add_up(parts):
    expected = sum(n * SECONDS[unit] for n, unit in parts)
    assert parse_duration("".join(f"{n}{unit}" for n, unit in parts)) == expected
    assert parse_duration(" ".join(f"{n} {unit}" for n, unit in parts)) == expected


@pytest.mark.parametrize("wrong", ["", "3", "h", "3x", "-3h", "0s", "3h!", "1.h", "three hours"])
def test_anything_else_is_refused(wrong):
    with pytest.raises(RecipeError, match="is not a duration. Write 3h, 90m, 1h30m or 45s"):
        parse_duration(wrong)


@given(st.text())
def test_any_text_is_parsed_or_refused(text):
    with suppress(RecipeError):
        assert parse_duration(text) > 0
