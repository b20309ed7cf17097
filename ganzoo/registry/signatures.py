"""Arguments of factories: keyword-only parameters are the arguments of a recipe."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin

from ganzoo.errors import BrokenPluginError, RecipeError, did_you_mean, enumerate_names
from ganzoo.spec.parsing import shorten

OMIT_DEFAULT = "omit default"
"""Metadata of an annotation: `bind` omits the argument if it has its default value."""


@dataclass(frozen=True)
class Argument:
    """One keyword-only parameter of a factory.

    Attributes:
        name: the parameter's name.
        annotation: its type.
        default: its default, or inspect.Parameter.empty if it is required.
        omits_default: whether `bind` omits it if it has its default value, so that a recipe
            depends only on plugins that it uses.
    """

    name: str
    annotation: Any
    default: Any
    omits_default: bool = False


def arguments_of(factory: Callable[..., Any]) -> dict[str, Argument]:
    """Return the keyword-only parameters of a factory by name, in order.

    Raises:
        BrokenPluginError: the signature cannot be read.
    """
    try:
        parameters = inspect.signature(factory, eval_str=True).parameters
    except Exception as error:
        name = f"{getattr(factory, '__module__', '')}:{getattr(factory, '__qualname__', factory)}"
        raise BrokenPluginError(
            f"the signature of {name} cannot be read: {error}. Report this to its author: the "
            "types of its annotations must be imported outside of `if TYPE_CHECKING`."
        ) from error
    return {
        name: _argument(parameter)
        for name, parameter in parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


def _argument(parameter: inspect.Parameter) -> Argument:
    annotation = Any if parameter.annotation is parameter.empty else parameter.annotation
    if get_origin(annotation) is Annotated and OMIT_DEFAULT in get_args(annotation):
        return Argument(parameter.name, get_args(annotation)[0], parameter.default, True)
    return Argument(parameter.name, annotation, parameter.default)


def as_option(name: str, value: Any) -> str:
    """Return the option of the command line that sets a value.

    Args:
        name: name of the option, such as ``architecture.last_convolution``.
        value: a value of a recipe; of tables, only one of names and numbers.

    >>> as_option("architecture.widths", (16, 8)), as_option("architecture.last_convolution", False)
    ('--architecture.widths 16 8', '--architecture.no-last-convolution')
    """
    name = name.replace("_", "-")
    if isinstance(value, bool):
        prefix, dot, last = name.rpartition(".")
        return f"--{prefix}{dot}{'' if value else 'no-'}{last}"
    if isinstance(value, dict):
        value = [each for pair in value.items() for each in pair]
    values = value if _is_array(value) else [value]
    return " ".join([f"--{name}", *(shlex.quote(str(each)) for each in values)])


def bind(
    kind: str, name: str, factory: Callable[..., Any], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """Return checked arguments of a factory, with the defaults of those that are missing.

    An argument with `omits_default` is left out if it has its default value.

    Raises:
        RecipeError: an argument is unknown or has the wrong type, or a required one is missing.
    """
    checked = check(kind, name, factory, arguments)
    bound = {}
    for key, argument in arguments_of(factory).items():
        if key not in arguments and argument.default is inspect.Parameter.empty:
            raise RecipeError(f"{kind} {name!r} needs the argument {key!r}: --{kind}.{key} VALUE")
        value = checked.get(key, argument.default)
        if not (argument.omits_default and value == argument.default):
            bound[key] = value
    return bound


def _is_same(value: Any, converted: Any) -> bool:
    """Return whether a conversion kept what a value is: "16", 16.0 and True are not 16."""
    match value:
        case list() | tuple():
            return all(map(_is_same, value, converted)) if _is_array(converted) else True
        case dict() if isinstance(converted, dict):
            return all(map(_is_same, value.values(), converted.values()))
        case bool():
            return isinstance(converted, bool)
        case int():
            return not isinstance(converted, bool)
        case float():
            return not isinstance(converted, int)
        case str():
            return not isinstance(converted, bool | int | float)
    return True


def _is_array(value: Any) -> bool:
    return isinstance(value, list | tuple)


def check(
    kind: str, name: str, factory: Callable[..., Any], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """Return these arguments, converted to the types in the signature, without defaults.

    Raises:
        RecipeError: an argument is unknown or has the wrong type.
    """
    from pydantic import PydanticUserError, TypeAdapter, ValidationError

    schema = arguments_of(factory)
    checked = {}
    for key in arguments:
        if key not in schema:
            raise RecipeError(
                f"{kind} {name!r} has no argument {shorten(key)!r}."
                f"{did_you_mean(shorten(key), schema)} "
                f"Its arguments: {enumerate_names(schema)}."
            )
    for key, value in arguments.items():
        try:
            checked[key] = TypeAdapter(schema[key].annotation).validate_python(value)
            if not _is_same(value, checked[key]):
                raise RecipeError(
                    f"{kind} {name!r}, argument {key!r}: {shorten(repr(value))} is of another "
                    f"type. Use {shorten(repr(checked[key]))} if you mean that."
                )
        except PydanticUserError as error:
            raise BrokenPluginError(
                f"{kind} {name!r}, argument {key!r}: a recipe cannot hold the type "
                f"{schema[key].annotation}. Use another type."
            ) from error
        except ValidationError as error:
            mistake = error.errors()[0]
            example = f" For example: {key}='{{a = 2, b = 1}}'." * (mistake["type"] == "dict_type")
            raise RecipeError(
                f"{kind} {name!r}, argument {key!r}: {mistake['msg'].lower()}, "
                f"not {shorten(repr(value))}.{example}"
            ) from error
    return checked
