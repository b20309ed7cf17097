"""The papers that the docstring of a plugin cites."""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

from ganzoo.errors import GanzooError
from ganzoo.registry import COMPONENTS, Registry, architectures, importers
from ganzoo.registry.docstrings import docstring_of
from ganzoo.spec import IMPORTED, ModelSpec

_UP_TO_LINK = re.compile(r".*https?://(?:dx\.)?(?:doi\.org|arxiv\.org)/[^\s,;)]+", re.DOTALL)

_FIELDS = re.compile(
    r"^[A-Z]\w+:$", re.MULTILINE
)  # headings such as "Args:", whose items may cite other papers


def find_references(spec: ModelSpec) -> list[str]:
    """Return the papers cited in the docstrings of a model's components, one line each.

    The function imports the plugins of the components. A missing plugin is skipped.
    """
    return list(dict.fromkeys(_all(spec)))


def read_references(text: str) -> Iterator[str]:
    """Yield each paragraph of a docstring that cites a paper, up to the paper's link."""
    text = _FIELDS.split(inspect.cleandoc(text))[0]
    for paragraph in text.split("\n\n"):
        if match := _UP_TO_LINK.match(paragraph):
            yield " ".join(match[0].split()).rstrip(".")


def _all(spec: ModelSpec) -> Iterator[str]:
    for registry, name in _components(spec):
        with contextlib.suppress(GanzooError):
            yield from read_references(docstring_of(registry.get(name)))


def _components(spec: ModelSpec) -> Iterator[tuple[Registry[Any], str]]:
    if imported := spec.recorded(IMPORTED):
        yield architectures, spec.architecture
        yield importers, imported["importer"]
        return
    for registry in COMPONENTS:
        yield registry, spec.provenance["recipe"][registry.kind]["name"]
