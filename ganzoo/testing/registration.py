"""Checks of all plugins: loading, name, arguments and source."""

from __future__ import annotations

import inspect
import re
import typing

from ganzoo.errors import BrokenPluginError, ConformanceError
from ganzoo.registry.docstrings import docstring_of
from ganzoo.registry.signatures import arguments_of
from ganzoo.spec import is_toml
from ganzoo.testing.checked_plugin import CheckedPlugin

LINK = re.compile(r"https?://\w|arxiv:\s*\d{4}\.\d{4,5}|\bdoi:\s*10\.\d+", re.IGNORECASE)
# Arguments that ganzoo passes.
POSITIONAL = {"architecture": ("data",), "dataset": ("root",), "sampler": ("model", "draw")}


def loads(subject: CheckedPlugin) -> None:
    """It loads, and has the type of its group of entry points."""
    try:
        subject.registry.load(subject.entry)
    except BrokenPluginError as error:
        because = str(error).partition("because")[2].partition("\n")[0].strip()
        raise ConformanceError(
            f"{subject.line} does not load: {because}. Correct that line or the object it names, "
            "and reinstall the distribution."
        ) from error


def has_matching_name(subject: CheckedPlugin) -> None:
    """The registered name is the object's, with '_' for characters that Python does not allow."""
    target = subject.entry.target.rpartition(":")[2].rpartition(".")[2]
    expected = re.sub(r"[^a-z0-9]", "_", subject.entry.name)
    if target.strip("_") != expected:
        raise ConformanceError(
            f"{subject.label} is the registered name, but the object is named {target!r}: "
            f"rename it to {expected!r}, or register it as {target.replace('_', '-').lower()!r}."
        )


def takes_named_arguments(subject: CheckedPlugin) -> None:
    """Its arguments are keyword-only, with types, and their defaults fit into a recipe."""
    label = subject.label
    expected = POSITIONAL.get(subject.registry.kind, ())
    positional = []
    for parameter in inspect.signature(subject.thing).parameters.values():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            raise ConformanceError(
                f"{label} takes {parameter}, which would accept misspelt arguments of a recipe: "
                "name each argument, keyword-only."
            )
        if parameter.kind is not parameter.KEYWORD_ONLY:
            positional.append(parameter.name)
    if len(positional) != len(expected):
        raise ConformanceError(
            f"{label} takes ({', '.join(positional)}) by position, but ganzoo passes "
            f"({', '.join(expected)}): write def {subject.entry.target.rpartition(':')[2]}"
            f"({', '.join([*expected, '*', '...'])})."
        )
    try:
        arguments = arguments_of(subject.thing)
    except NameError as error:
        raise ConformanceError(
            f"{label} has an undefined type in its signature ({error}): import it outside of "
            "`if TYPE_CHECKING`."
        ) from error
    for argument in arguments.values():
        if argument.annotation is typing.Any:
            raise ConformanceError(
                f"{label} has no type for its argument {argument.name!r}, so the command line "
                "cannot read it: add one, such as int."
            )
        # The options of a sampler are in no recipe.
        fits = argument.default is inspect.Parameter.empty or is_toml(argument.default)
        if subject.registry.kind != "sampler" and not fits:
            raise ConformanceError(
                f"{label} has the default {argument.name}={argument.default!r}, which a recipe "
                "cannot hold: use strings, finite numbers, booleans, or lists or tables of them."
            )


def names_its_source(subject: CheckedPlugin) -> None:
    """Its docstring links to its source: a paper, or a web page."""
    if not LINK.search(docstring_of(subject.thing)):
        raise ConformanceError(
            f"{subject.label} has no link to its source in its docstring: add the link of the "
            "paper, such as https://arxiv.org/abs/1406.2661, or of a web page."
        )
