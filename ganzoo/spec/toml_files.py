"""TOML files that people write: recipes and specs of benchmarks."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from ganzoo.errors import MALFORMED, RecipeError, missing_extra
from ganzoo.spec.lfs import explain_pointer
from ganzoo.spec.parsing import explain, parse, shorten

T = TypeVar("T")
MAX_TOML = 2**20  # characters of a file


def read_file(path: Path, kind: str) -> dict[str, Any]:
    """Return the table of a TOML file.

    Args:
        path: the file.
        kind: what it is in error messages, such as ``recipe``.

    Raises:
        RecipeError: the file cannot be read, is too long, or is not TOML.
    """
    try:
        if path.exists() and not path.is_file():  # to open a pipe would wait for a writer
            raise RecipeError(f"cannot read the {kind} {path}: it is not a file. Pass a TOML file.")
        content = path.read_bytes()
        if text := explain_pointer(path):
            raise RecipeError(text)
    except OSError as error:
        raise RecipeError(
            f"cannot read the {kind} {path}: {error.strerror}. Check the path."
        ) from error
    try:
        text = content.decode("utf-8-sig")  # some editors write a byte order mark
    except UnicodeDecodeError as error:
        raise RecipeError(f"the {kind} {path} is not TOML: {error}. Save it as UTF-8.") from error
    return parse_table(text, kind, where=str(path))


def parse_table(text: str, kind: str, *, where: str) -> dict[str, Any]:
    """Return the table of a TOML text; `where` names it in error messages.

    Raises:
        RecipeError: the text is too long, or is not TOML.
    """
    if len(text) > MAX_TOML:
        raise RecipeError(
            f"{where} has {len(text):,} characters; the limit of a {kind} is {MAX_TOML:,}. "
            "Shorten it."
        )
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        reason = shorten(str(error)).removesuffix(".")
        raise RecipeError(f"{where} is not TOML: {reason}. Correct the file.") from error


def check_fields(cls: type[T], fields: Mapping[str, Any], *, where: str) -> T:
    """Return the dataclass of a parsed TOML table; `where` names it in error messages.

    Raises:
        RecipeError: a field is unknown, missing, of the wrong type or out of range.
    """
    from pydantic import ValidationError

    try:
        # Via JSON: strict parsing accepts a JSON list for a tuple, but not a Python list.
        text = json.dumps(fields, default=str)
    except MALFORMED as error:
        reason = shorten(str(error)).removesuffix(".")
        raise RecipeError(f"{where} is not valid: {reason}.") from error
    try:
        checked: T = parse(cls, text)
    except ValidationError as error:
        raise RecipeError(f"{where} is not valid: {explain(error, cls)}") from error
    return checked


def write_table(table: Mapping[str, Any], kind: str) -> str:
    """Return a table as TOML; `kind` is what it is in error messages.

    Raises:
        MissingExtraError: tomli-w is not installed.
    """
    try:
        import tomli_w
    except ModuleNotFoundError as error:
        raise missing_extra(f"writing a {kind}", error) from error
    return tomli_w.dumps(table)
