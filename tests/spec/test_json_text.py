"""JSON that every parser reads alike."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganzoo.spec.json_text import read_json

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(scalars, lambda v: st.lists(v) | st.dictionaries(st.text(), v), max_leaves=20)


@given(values)
def test_json_is_read(value):
    assert read_json(json.dumps(value)) == value
    assert read_json(json.dumps(value).encode()) == value


@given(values, st.text(), values, values)
def test_a_repeated_key_is_refused_at_any_depth(value, key, first, second):
    name, a, b = (json.dumps(part) for part in (key, first, second))
    table = f"{{{name}: {a}, {name}: {b}}}"
    for text in (table, f"[{json.dumps(value)}, {table}]", f'{{"outer": {table}}}'):
        with pytest.raises(ValueError, match="more than once"):
            read_json(text)


def test_keys_that_differ_only_by_escapes_are_the_same():
    with pytest.raises(ValueError, match="it has the key 'a' more than once"):
        read_json(r'{"a": 1, "b": 2, "\u0061": 3}')


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_other_encodings_than_utf_8_are_refused(encoding):
    with pytest.raises(ValueError, match=r"decode|BOM"):
        read_json('{"a": 1}'.encode(encoding))


def test_depth_is_limited_and_nan_is_a_number():
    with pytest.raises(ValueError, match="nested too deeply"):
        read_json("[" * 100_000)
    assert math.isnan(read_json("NaN"))
