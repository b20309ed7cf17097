"""Strict parsing of JSON and TOML to frozen dataclasses, with one sentence for each mistake."""

from __future__ import annotations

import dataclasses
import functools
import math
import numbers
import operator
import re
from typing import TYPE_CHECKING, Any

from ganzoo.errors import did_you_mean, enumerate_names

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

MAX_NAME = 200  # characters
MAX_EXPLAINED = 1_000  # mistakes; the first three are explained
UNBOUNDED = 2**62
STRICT: dict[str, Any] = {"extra": "forbid", "strict": True}
_NAME = re.compile(r"[A-Za-z0-9]+([-._][A-Za-z0-9]+)*")  # also valid as a folder name


def check_name(name: str) -> None:
    """Raise ValueError for a name that is not a valid folder name."""
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME:
        raise ValueError(
            f"the name {name[:80]!r} must be letters and digits, joined by '-', '.' or '_'"
        )


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Raise ValueError for a value that is no number, or outside [low, high]."""
    if low <= as_number(name, value) <= high:
        return
    too_large = isinstance(value, int) and abs(value) > UNBOUNDED**8  # for a float
    text = "too large to print" if too_large else f"{value:g}"
    if value < low and high >= UNBOUNDED:
        raise ValueError(f"{name} is {text}; it must be at least {low:g}")
    raise ValueError(f"{name} is {text}; it must be between {low:g} and {high:g}")


def as_number(name: str, value: Any) -> Any:
    """Return a real number, such as Python's or NumPy's, as it is.

    Raises:
        ValueError: the value has another type, such as True or "1".
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ValueError(f"{name} is {shorten(repr(value))}; it must be a number")
    return value


def as_integer(name: str, value: Any) -> int:
    """Return an integer, such as Python's or NumPy's, as an int.

    Raises:
        ValueError: the value has another type, such as 1.5, 1.0, "1" or True.
    """
    if not isinstance(value, bool):
        try:
            return operator.index(value)
        except TypeError:
            pass
    raise ValueError(f"{name} is {shorten(repr(value))}; it must be an integer")


def check_integer(name: str, value: Any, low: float, high: float) -> None:
    """Raise ValueError for a number that is no integer, or outside [low, high]."""
    check_range(name, as_integer(name, value), low, high)


def parse(cls: Any, text: str | bytes) -> Any:
    """Return the dataclass that a JSON text describes."""
    return reader(cls).validate_json(text)


@functools.cache
def reader(cls: Any) -> TypeAdapter[Any]:
    """Return a cached parser of JSON; creating one takes longer than using it."""
    from pydantic import TypeAdapter

    return TypeAdapter(cls)


def explain(error: ValidationError, cls: type) -> str:
    """Return the first three mistakes that pydantic reports, one sentence each."""
    if error.error_count() > MAX_EXPLAINED:  # listing them takes memory for each
        return f"it has {error.error_count():,} mistakes."
    sentences = []
    for mistake in error.errors(include_url=False)[:3]:
        path = shorten(".".join(map(str, mistake["loc"])))
        if mistake["type"] in {"unexpected_keyword_argument", "extra_forbidden"}:
            names = field_names(cls, mistake["loc"][:-1])
            last = shorten(str(mistake["loc"][-1]))
            sentences.append(
                f"there is no field {path!r}.{did_you_mean(last, names)} "
                f"Fields: {enumerate_names(names)}."
            )
        elif mistake["type"] in {"missing", "missing_argument"}:
            sentences.append(f"the field {path!r} is missing.")
        elif mistake["type"] == "json_invalid":
            sentences.append(f"it is not JSON ({mistake['ctx']['error']}).")
        else:
            message = shorten(mistake["msg"].removeprefix("Value error, "))
            value = mistake["input"]
            is_scalar = isinstance(value, str | int | float)
            actual = f" (it is {shorten(repr(value))})" if is_scalar else ""
            sentences.append(f"{path or 'it'}: {message}{actual}.")
    return " ".join(sentences)


def shorten(text: str, most: int = 400) -> str:
    """Return untrusted text as part of one line, without control characters."""
    text = "".join(c if c.isprintable() else " " for c in text)
    return text if len(text) <= most else f"{text[:most]}..."


def field_names(cls: Any, location: tuple[int | str, ...]) -> list[str]:
    """Return the field names of the dataclass at a location inside `cls`."""
    from typing import get_type_hints

    for part in location:
        cls = get_type_hints(cls).get(str(part), cls)
    return [f.name for f in dataclasses.fields(cls)] if dataclasses.is_dataclass(cls) else []


def is_finite(value: Any) -> bool:
    """Return whether all numbers in a JSON value are finite."""
    match value:
        case float():
            return math.isfinite(value)
        case list():
            return all(map(is_finite, value))
        case dict():
            return all(map(is_finite, value.values()))
    return True


def is_toml(value: Any) -> bool:
    """Return whether TOML and JSON can store a value, as an argument of a component requires."""
    match value:
        case bool() | str():
            return True
        case int():
            return -(2**63) <= value < 2**63
        case float():
            return math.isfinite(value)
        case list() | tuple():
            return all(is_toml(item) for item in value)
        case dict():
            return all(isinstance(key, str) and is_toml(item) for key, item in value.items())
    return False
