"""Checks of whatever is registered: that it loads, is called what it is, and says what it takes."""

from __future__ import annotations

import inspect
import re
import typing

from ganzoo.errors import BrokenPluginError, ConformanceError
from ganzoo.registry.signatures import arguments_of
from ganzoo.spec import is_toml
from ganzoo.testing.checked_plugin import CheckedPlugin

LINK = re.compile(r"https?://\w|arxiv:\s*\d{4}\.\d{4,5}|\bdoi:\s*10\.\d+", re.IGNORECASE)
POSITIONAL = {"architecture": ("data",), "dataset": ("root",)}  # what ganzoo itself passes


def loads(subject: CheckedPlugin) -> None:
    """It loads, and is what its group of entry points holds."""
    try:
        subject.registry.load(subject.entry)
    except BrokenPluginError as error:
        because = str(error).partition("because")[2].partition("\n")[0].strip()
        raise ConformanceError(
            f"{subject.line} does not load: {because}. Correct that line or what it names, and "
            "install the distribution again."
        ) from error


def is_named_alike(subject: CheckedPlugin) -> None:
    """The registered name is the object's own, with '_' for whatever Python does not allow."""
    target = subject.entry.target.rpartition(":")[2].rpartition(".")[2]
    wanted = re.sub(r"[^a-z0-9]", "_", subject.entry.name)
    if target.strip("_") != wanted:
        raise ConformanceError(
            f"{subject.label} is registered by that name, and its object is called {target!r}: "
            f"call it {wanted!r}, or register it as {target.replace('_', '-').lower()!r}."
        )


def takes_named_arguments(subject: CheckedPlugin) -> None:
    """Its arguments are named in its signature, keyword-only, with types, and fit into a recipe."""
    label = subject.label
    wanted = POSITIONAL.get(subject.registry.kind, ())
    positional = []
    for parameter in inspect.signature(subject.thing).parameters.values():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            raise ConformanceError(
                f"{label} takes {parameter}, with which no misspelt argument of a recipe would be "
                "noticed: name each argument, keyword-only."
            )
        if parameter.kind is not parameter.KEYWORD_ONLY:
            positional.append(parameter.name)
    if len(positional) != len(wanted):
        raise ConformanceError(
            f"{label} takes ({', '.join(positional)}) by position, and ganzoo passes it "
            f"({', '.join(wanted)}): write def {subject.entry.target.rpartition(':')[2]}"
            f"({', '.join([*wanted, '*', '...'])})."
        )
    try:
        arguments = arguments_of(subject.thing)
    except NameError as error:
        raise ConformanceError(
            f"{label} has a type in its signature that cannot be found ({error}): import it "
            "outside of `if TYPE_CHECKING`."
        ) from error
    for argument in arguments.values():
        if argument.annotation is typing.Any:
            raise ConformanceError(
                f"{label} says no type for its argument {argument.name!r}, so that the command "
                "line cannot read it: write one, such as int."
            )
        if argument.default is not inspect.Parameter.empty and not is_toml(argument.default):
            raise ConformanceError(
                f"{label} has {argument.name}={argument.default!r} as a default, which no recipe "
                "can hold: use text, finite numbers, booleans, or lists or tables of them."
            )


def names_its_source(subject: CheckedPlugin) -> None:
    """Its docstring links to where it comes from: a paper, or a page."""
    if not LINK.search(inspect.getdoc(subject.thing) or ""):
        raise ConformanceError(
            f"{subject.label} says in its docstring no source that can be followed: add the "
            "paper's link, such as https://arxiv.org/abs/1406.2661, or your own page's."
        )
