"""JSON and TOML to frozen dataclasses, strictly; one sentence for each mistake."""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from typing import TYPE_CHECKING, Any

from ganzoo.errors import did_you_mean, enumerate_names

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

MAX_NAME = 200  # characters
MAX_EXPLAINED = 1_000  # mistakes, of which three are told
UNBOUNDED = 2**62
STRICT: dict[str, Any] = {"extra": "forbid", "strict": True}
_NAME = re.compile(r"[A-Za-z0-9]+([-._][A-Za-z0-9]+)*")  # so that it can name a folder


def check_name(name: str) -> None:
    """Raise ValueError for a name that cannot name a folder."""
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME:
        raise ValueError(f"the name {name[:80]!r} is not a few words joined by '-', '.' or '_'")


def check_range(what: str, value: float, low: float, high: float) -> None:
    """Raise ValueError for a number outside [low, high]."""
    if low <= value <= high:
        return
    too_large = isinstance(value, int) and abs(value) > UNBOUNDED**8  # for a float
    shown = "beyond all measure" if too_large else f"{value:g}"
    if value < low and high >= UNBOUNDED:
        raise ValueError(f"{what} is {shown}, it must be at least {low:g}")
    raise ValueError(f"{what} is {shown}, it must lie between {low:g} and {high:g}")


def parse(cls: Any, text: str | bytes) -> Any:
    """Return the dataclass that a JSON text describes."""
    return reader(cls).validate_json(text)


@functools.cache
def reader(cls: Any) -> TypeAdapter[Any]:
    """What parses and checks JSON; to make it takes longer than to use it."""
    from pydantic import TypeAdapter

    return TypeAdapter(cls)


def explain(error: ValidationError, cls: type) -> str:
    """Say in a sentence each what pydantic found."""
    if error.error_count() > MAX_EXPLAINED:  # to list them would take memory for each
        return f"it has {error.error_count():,} mistakes."
    sentences = []
    for found in error.errors(include_url=False)[:3]:
        path = shorten(".".join(map(str, found["loc"])))
        if found["type"] in {"unexpected_keyword_argument", "extra_forbidden"}:
            names = field_names(cls, found["loc"][:-1])
            last = shorten(str(found["loc"][-1]))
            sentences.append(
                f"there is no field {path!r}.{did_you_mean(last, names)} "
                f"Fields: {enumerate_names(names)}."
            )
        elif found["type"] in {"missing", "missing_argument"}:
            sentences.append(f"the field {path!r} is missing.")
        elif found["type"] == "json_invalid":
            sentences.append(f"it is not JSON ({found['ctx']['error']}).")
        else:
            message = shorten(found["msg"].removeprefix("Value error, "))
            value = found["input"]
            given = isinstance(value, str | int | float)
            shown = f" (it is {shorten(repr(value))})" if given else ""
            sentences.append(f"{path or 'it'}: {message}{shown}.")
    return " ".join(sentences)


def shorten(text: str, most: int = 400) -> str:
    """A text of somebody else's as a part of one line."""
    text = "".join(c if c.isprintable() else " " for c in text)
    return text if len(text) <= most else f"{text[:most]}..."


def field_names(cls: Any, location: tuple[int | str, ...]) -> list[str]:
    """Names of the fields of the dataclass at a location inside `cls`."""
    from typing import get_type_hints

    for part in location:
        cls = get_type_hints(cls).get(str(part), cls)
    return [f.name for f in dataclasses.fields(cls)] if dataclasses.is_dataclass(cls) else []


def is_finite(value: Any) -> bool:
    """Whether no number in a value of JSON is NaN or infinite."""
    match value:
        case float():
            return math.isfinite(value)
        case list():
            return all(map(is_finite, value))
        case dict():
            return all(map(is_finite, value.values()))
    return True


def is_toml(value: Any) -> bool:
    """Whether a value survives TOML and JSON: what an argument of a component may be."""
    match value:
        case bool() | int() | str():
            return True
        case float():
            return math.isfinite(value)
        case list() | tuple():
            return all(is_toml(item) for item in value)
        case dict():
            return all(isinstance(key, str) and is_toml(item) for key, item in value.items())
    return False
