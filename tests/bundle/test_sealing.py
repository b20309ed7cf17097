"""A sealed file differs from its digest after any change of a bit."""

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganzoo.bundle.json_lines import cut_back, read_lines
from ganzoo.bundle.sealing import check_seal, seal

CONTENT = safetensors.numpy.save(
    {"b": np.arange(7, dtype=np.float32), "a": np.ones((2, 3), np.int64)}, {"key": "value"}
)
SEALED = b"".join(seal(CONTENT))


def test_a_sealed_file_is_the_same_safetensors_file(tmp_path):
    (tmp_path / "a").write_bytes(SEALED)
    check_seal(tmp_path / "a")
    sealed, plain = safetensors.numpy.load(SEALED), safetensors.numpy.load(CONTENT)
    assert all(np.array_equal(sealed[name], plain[name]) for name in plain)
    with safetensors.safe_open(tmp_path / "a", "np") as file:
        assert file.metadata()["key"] == "value"
    assert b"".join(seal(safetensors.numpy.save({}))) != safetensors.numpy.save({})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 8 * len(SEALED) - 1))
def test_every_flipped_bit_is_noticed(tmp_path, bit):
    content = bytearray(SEALED)
    content[bit // 8] ^= 1 << bit % 8
    (tmp_path / "a").write_bytes(content)
    try:
        check_seal(tmp_path / "a")
    except ValueError:
        return
    # Only the padding of the header is not covered: what is read is the same.
    again = safetensors.numpy.load(bytes(content))
    assert all(np.array_equal(again[k], v) for k, v in safetensors.numpy.load(CONTENT).items())


@pytest.mark.parametrize("content", [b"", b"abc", CONTENT, SEALED[:-1], SEALED + b"x"])
def test_other_content_is_refused(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ValueError, match="header|digest|Expecting"):
        check_seal(tmp_path / "a")


GOOD = '{"images": 5, "terms": {"a/b": 1.5}}'
BAD = ["{", "[]", "5", '{"images": 1.5, "terms": {}}', '{"images": -1, "terms": {}}']
BAD += ['{"images": 5}', '{"images": 5, "terms": {"a/b": "1"}}', "[" * 100_000, "\\x00"]


@given(st.lists(st.sampled_from([GOOD, *BAD])), st.sampled_from(["", '{"images": 6, "te']))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.filterwarnings("ignore:.*damaged")
def test_good_lines_are_read_and_damaged_ones_skipped(tmp_path, lines, rest):
    file = tmp_path / "log.jsonl"
    file.write_text("".join(f"{line}\n" for line in lines) + rest)
    good = lines.count(GOOD)
    assert read_lines(file, ("terms",)) == [{"images": 5, "terms": {"a/b": 1.5}}] * good
    cut_back(file, 5, ("terms",))
    assert file.read_text() == f"{GOOD}\n" * good
    cut_back(file, 4, ("terms",))
    assert file.read_text() == ""


def test_damaged_lines_are_warned_of(tmp_path):
    file = tmp_path / "log.jsonl"
    file.write_text(f"{GOOD}\n{{\n")
    with pytest.warns(UserWarning, match="line 2 of .* is damaged and skipped"):
        read_lines(file)
    file.write_text("{\n{\n")
    with pytest.warns(UserWarning, match="2 lines of .* are damaged and skipped"):
        cut_back(file, 9)
