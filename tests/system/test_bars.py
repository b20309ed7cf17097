"""Progress bars appear in terminals and notebooks, and not in files."""

import io

import pytest

from ganzoo.system.bars import progress_bar, rewrites_lines


class Notebook(io.StringIO):
    """A stream as that of a notebook's kernel, which is no terminal."""


Notebook.__module__ = "ipykernel.iostream"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "expected"), [(Notebook(), True), (Terminal(), True), (io.StringIO(), False)]
)
def test_a_bar_is_where_lines_can_be_rewritten(stream, expected, monkeypatch):
    monkeypatch.setattr("sys.stderr", stream)
    assert rewrites_lines() == expected
    assert list(progress_bar(range(3), "counting")) == [0, 1, 2]
    assert ("counting" in stream.getvalue()) == expected
    before = stream.getvalue()
    assert list(progress_bar([1], "hidden", visible=False)) == [1]
    assert stream.getvalue() == before


def test_there_is_no_bar_without_a_stream(monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    assert not rewrites_lines()
