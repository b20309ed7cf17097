"""A factory's signature is its schema: keyword-only parameters are the arguments of a recipe."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin

from ganzoo.errors import BrokenPluginError, RecipeError, did_you_mean, enumerate_names

OMIT_DEFAULT = "omit default"
"""Metadata of an annotation: `bind` leaves the argument out where it has its default."""


@dataclass(frozen=True)
class Argument:
    """One keyword-only parameter of a factory.

    Attributes:
        name: the parameter's name.
        annotation: its type.
        default: its default, or inspect.Parameter.empty where the caller must give a value.
        omits_default: whether `bind` leaves it out where it has its default. So a recipe depends
            on no plugin that it does not use.
    """

    name: str
    annotation: Any
    default: Any
    omits_default: bool = False


def arguments_of(factory: Callable[..., Any]) -> dict[str, Argument]:
    """Return a factory's keyword-only parameters by name, in order.

    Raises:
        BrokenPluginError: its signature cannot be read.
    """
    try:
        parameters = inspect.signature(factory, eval_str=True).parameters
    except Exception as error:
        name = f"{getattr(factory, '__module__', '')}:{getattr(factory, '__qualname__', factory)}"
        raise BrokenPluginError(
            f"the signature of {name} cannot be read: {error}. Its author must import what its "
            "annotations name, not under TYPE_CHECKING alone."
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


def bind(
    kind: str, name: str, factory: Callable[..., Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Return all arguments of a factory: those given, checked, and the defaults of the others.

    An argument that `omits_default` is left out where it has its default.

    Raises:
        RecipeError: an argument that the factory does not have, lacks, or that has another type.
    """
    checked = check(kind, name, factory, given)
    bound = {}
    for key, argument in arguments_of(factory).items():
        if key not in given and argument.default is inspect.Parameter.empty:
            raise RecipeError(f"{kind} {name!r} needs the argument {key!r}: --{kind}.{key} VALUE")
        value = checked.get(key, argument.default)
        if not (argument.omits_default and value == argument.default):
            bound[key] = value
    return bound


def check(
    kind: str, name: str, factory: Callable[..., Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments that are given, checked, and none of the others.

    Raises:
        RecipeError: an argument that the factory does not have, or that has another type.
    """
    from pydantic import PydanticUserError, TypeAdapter, ValidationError

    schema = arguments_of(factory)
    checked = {}
    for key in given:
        if key not in schema:
            raise RecipeError(
                f"{kind} {name!r} has no argument {key!r}.{did_you_mean(key, schema)} "
                f"Its arguments: {enumerate_names(schema)}."
            )
    for key, value in given.items():
        try:
            checked[key] = TypeAdapter(schema[key].annotation).validate_python(value)
        except PydanticUserError as error:
            raise BrokenPluginError(
                f"{kind} {name!r}, argument {key!r}: a recipe cannot state a "
                f"{schema[key].annotation}; its author must choose another type."
            ) from error
        except ValidationError as error:
            raise RecipeError(
                f"{kind} {name!r}, argument {key!r}: {error.errors()[0]['msg'].lower()}, "
                f"not {value!r}."
            ) from error
    return checked
