"""Types of command arguments, and their values."""

from __future__ import annotations

import dataclasses
import functools
import operator
import re
import tomllib
from collections.abc import Collection, Sequence
from fractions import Fraction
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
AsJson = Annotated[bool, tyro.conf.arg(name="json", help="print one JSON document.")]

_COUNT = re.compile(r"([+-]?\d+(?:_\d+)*(?:\.\d+)?)([km]?)", re.ASCII | re.IGNORECASE)
_FACTORS = {"": 1, "k": 10**3, "m": 10**6}


def parse_count(text: str) -> int:
    """Return the whole number that a text states: ``10000``, ``10_000``, ``10k`` or ``1.5M``.

    Raises:
        ValueError: the text has another form, or states no whole number.
    """
    match = _COUNT.fullmatch(text)
    if match and (match[2] or "." not in match[1]):
        number = Fraction(match[1]) * _FACTORS[match[2].lower()]
        if number.denominator == 1:
            return number.numerator
    raise ValueError(
        f"{shorten(repr(text), 80)} is not a whole number. Write it as 10000, 10_000, 10k or 1.5M."
    )


@_TYPES.primitive_rule
def _count(type_info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[int] | None:
    """Return how to parse every whole number: with `parse_count`."""
    if type_info.type is not int:
        return None
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar="INT",
        instance_from_str=lambda words: parse_count(words[0]),
        is_instance=lambda value: isinstance(value, int) and not isinstance(value, bool),
        str_from_instance=lambda value: [str(value)],
    )


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
        SampleError: a text has no ``=``, or a key is there twice.
    """
    pairs = [text.partition("=") for text in texts]
    for key, equals, _ in pairs:
        if not equals or not key:
            raise SampleError(f"{shorten(key, 80)!r} is no KEY=VALUE, such as psi=0.7.")
    values: dict[str, str] = {}
    for key, _, value in pairs:
        if values.setdefault(key.replace("-", "_"), value) != value:
            raise SampleError(f"{shorten(key, 80)} has two values. Pass one.")
    return {key: text if key in as_text else parse_value(text) for key, text in values.items()}


def parse_value(text: str) -> Any:
    """Return the value that a text states in TOML, such as a number or ``true``; else the text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):  # of TOML, or a number of many digits
        return text
