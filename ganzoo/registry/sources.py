"""Docstrings of registered objects, read from source files that are not imported."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from importlib.machinery import PathFinder
from importlib.util import find_spec

from ganzoo.registry.entries import Entry

_DEPTH = 8  # steps from a registered name to its function, such as re-exports


def read_docstring(entry: Entry) -> str:
    """Return the docstring of a registered function, class or `Metric` without importing it.

    It is empty if the source does not state it, for example because a program builds it.
    """
    module, _, attribute = entry.target.partition(":")
    try:
        return _follow(module, attribute, _DEPTH)
    except (ImportError, SyntaxError, ValueError, OSError, RecursionError):
        return ""


def _follow(module: str, attribute: str, depth: int) -> str:
    """Return the docstring of a module's attribute."""
    package, body = _parse(module)
    for node in reversed(body):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) if name == attribute:
                return ast.get_docstring(node) or ""
            case ast.ImportFrom() if depth:
                for alias in node.names:
                    if attribute == (alias.asname or alias.name):
                        parent = package.rsplit(".", node.level - 1)[0] if node.level else ""
                        target = ".".join(filter(None, (parent, node.module)))
                        return _follow(target, alias.name, depth - 1)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if (
                name == attribute and depth
            ):
                if source := _source_of(value):
                    return _follow(module, source, depth - 1)
    return ""


def _source_of(value: ast.expr) -> str:
    """Return the name that an assigned value is computed from; empty if there is none."""
    match value:
        case ast.Name(id=name):
            return name
        case ast.Call(args=[ast.Name(id=name), *_]):
            return name
        case ast.Call(keywords=keywords):
            names = [k.value.id for k in keywords if isinstance(k.value, ast.Name)]
            return names[0] if names and keywords[0].arg == "compute" else ""
    return ""


def _parse(module: str) -> tuple[str, Sequence[ast.stmt]]:
    """Return the name of a module's package, and its statements."""
    first, *others = module.split(".")
    spec, name = find_spec(first), first  # a top-level name, so nothing is imported
    for part in others:
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, spec.submodule_search_locations) if spec else None
    source = getattr(spec and spec.loader, "get_source", lambda _: None)(name)
    if spec is None or source is None:
        raise ImportError(name)
    return (name if spec.submodule_search_locations else name.rpartition(".")[0]), ast.parse(
        source
    ).body
