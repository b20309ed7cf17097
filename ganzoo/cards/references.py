"""The papers that a plugin's docstring names."""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Iterator

from ganzoo.errors import GanzooError
from ganzoo.registry import COMPONENTS
from ganzoo.spec import ModelSpec

_UP_TO_LINK = re.compile(r".*https?://(?:dx\.)?(?:doi\.org|arxiv\.org)/[^\s,;)]+", re.DOTALL)

_FIELDS = re.compile(r"^[A-Z]\w+:$", re.MULTILINE)  # such as "Args:", of single ones


def find_references(spec: ModelSpec) -> list[str]:
    """Return what the docstrings of a model's components cite, in a line each.

    That imports their plugins; what is not installed cites nothing.
    """
    return list(dict.fromkeys(_all(spec)))


def read_references(text: str) -> Iterator[str]:
    """Yield each paragraph of a docstring that names a paper, up to its link."""
    said = _FIELDS.split(inspect.cleandoc(text))[0]
    for paragraph in said.split("\n\n"):
        if match := _UP_TO_LINK.match(paragraph):
            yield " ".join(match[0].split()).rstrip(".")


def _all(spec: ModelSpec) -> Iterator[str]:
    recipe = spec.provenance["recipe"]
    for registry in COMPONENTS:
        with contextlib.suppress(GanzooError):
            documented = registry.get(recipe[registry.kind]["name"])
            yield from read_references(documented.__doc__ or "")
