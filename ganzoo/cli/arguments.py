"""Types of command arguments, and their values."""

from __future__ import annotations

import dataclasses
import functools
import operator
import tomllib
from collections.abc import Collection, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import docstring_parser
import tyro
from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

from ganzoo.errors import SampleError
from ganzoo.registry.docstrings import docstring_of
from ganzoo.spec.parsing import shorten

_TYPES = ConstructorRegistry()
PARSING: dict[str, Any] = {"config": (tyro.conf.FlagCreatePairsOff,), "registry": _TYPES}
"""How tyro parses every command: a flag has one form, and None is the absence of an option."""

Text = tyro.conf.Positional[str]
Folder = tyro.conf.Positional[Path]
Output = Annotated[Path, tyro.conf.arg(aliases=["-o"])]


@_TYPES.primitive_rule
def _optional(type_info: PrimitiveTypeInfo) -> Any:
    """Return how to parse ``X | None``: as X, so that no list of choices holds None."""
    types = get_args(type_info.type)
    if get_origin(type_info.type) not in (Union, UnionType) or NoneType not in types:
        return None
    inner: Any = functools.reduce(operator.or_, (t for t in types if t is not NoneType))
    spec = ConstructorRegistry.get_primitive_spec(PrimitiveTypeInfo.make(inner, type_info.markers))
    if not isinstance(spec, PrimitiveConstructorSpec):
        return spec
    return dataclasses.replace(
        spec,
        is_instance=lambda value: value is None or spec.is_instance(value),
        str_from_instance=lambda value: (
            ["none"] if value is None else spec.str_from_instance(value)
        ),
    )


def helps_of(documented: Any) -> dict[str, str]:
    """Return the descriptions of parameters in a docstring, by name, as help of options."""
    parsed = docstring_parser.parse(docstring_of(documented))
    return {
        part.strip(): " ".join((parameter.description or "").split()).replace("``", "'")
        for parameter in parsed.params
        for part in parameter.arg_name.split(",")
    }


def parse_options(texts: Sequence[str], as_text: Collection[str] = ()) -> dict[str, Any]:
    """Return the values of ``KEY=VALUE`` by key.

    Args:
        texts: the texts.
        as_text: keys whose values are text, whatever they look like.

    Raises:
        SampleError: a text has no ``=``.
    """
    pairs = [text.partition("=") for text in texts]
    for key, equals, _ in pairs:
        if not equals or not key:
            raise SampleError(f"{shorten(key, 80)!r} is no KEY=VALUE, such as psi=0.7.")
    values = {key.replace("-", "_"): value for key, _, value in pairs}
    return {key: text if key in as_text else parse_value(text) for key, text in values.items()}


def parse_value(text: str) -> Any:
    """Return the value that a text states in TOML, such as a number or ``true``; else the text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):  # of TOML, or a number of many digits
        return text
