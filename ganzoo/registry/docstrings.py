"""Docstrings, also under ``python -OO``, which removes them: they are help texts and citations."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from typing import Any


def docstring_of(thing: Any) -> str:
    """Return the docstring of a function or class without its indentation; empty if it has none."""
    # A dataclass without a docstring gets its signature as one.
    text = _read_source(inspect.unwrap(thing)) if sys.flags.optimize >= 2 else ""
    return inspect.cleandoc(text or getattr(thing, "__doc__", None) or "")


def _read_source(thing: Any) -> str:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    except (OSError, TypeError, SyntaxError):  # there is no source
        return ""
    (node,) = tree.body
    if not isinstance(node, ast.FunctionDef | ast.ClassDef):
        return ""
    return ast.get_docstring(node) or ""
