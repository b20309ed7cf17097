"""Factories of adversarial losses, with each option as a keyword argument."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Annotated, Any, get_type_hints

from ganzoo.games.game import Loss
from ganzoo.games.options import AdversarialOptions
from ganzoo.games.registered_penalties import describe_penalty, own_penalties, penalty_options
from ganzoo.registry.docstrings import docstring_of
from ganzoo.registry.signatures import OMIT_DEFAULT

OPTIONS = tuple(f.name for f in fields(AdversarialOptions) if f.name != "penalties")
"""The options of every adversarial loss that are fixed; penalties from plugins add more."""
OMITTED = ("ada", "ada_target", "ada_images")  # options that a recipe states only if they differ


class AdversarialLossFactory:
    """A callable that takes keyword arguments and returns an adversarial loss.

    Its signature and its docstring list each option of `AdversarialOptions` and each penalty that
    is registered at that moment.

    Args:
        function: takes an `AdversarialOptions` by position, and its own arguments by keyword.
        defaults: this loss's defaults of options and penalty weights, where they differ.
    """

    def __init__(self, function: Callable[..., Loss], defaults: Mapping[str, Any]) -> None:
        self.function = function
        self.__module__ = function.__module__
        self.__name__ = function.__name__
        self.__qualname__ = function.__qualname__
        self._standard = replace(
            AdversarialOptions(), **{k: v for k, v in defaults.items() if k in OPTIONS}
        )
        self._weights = {k: v for k, v in defaults.items() if k not in OPTIONS}
        hints = get_type_hints(function)
        self._own = [
            parameter.replace(annotation=hints[parameter.name])
            for parameter in inspect.signature(function).parameters.values()
            if parameter.kind is parameter.KEYWORD_ONLY
        ]

    def __call__(self, **arguments: Any) -> Loss:
        """Return the loss with these arguments.

        Raises:
            TypeError: an unknown argument.
            ValueError: a number out of its range.
            UnknownNameError, BrokenPluginError, ...: a penalty cannot be loaded or built.
        """
        weights = self.weights_of(arguments)
        fixed = {name: arguments[name] for name in OPTIONS if name in arguments}
        names = self._penalties()
        own = {k: v for k, v in arguments.items() if k not in names and k not in fixed}
        return self.function(replace(self._standard, **fixed, penalties=weights), **own)

    def weights_of(self, arguments: Mapping[str, Any]) -> dict[str, float]:
        """Return the penalty weights that these arguments set, by registered name."""
        names = self._penalties()
        weights = self._weights | {k: v for k, v in arguments.items() if k in names}
        return {names.get(argument, argument): weight for argument, weight in weights.items()}

    @property
    def __signature__(self) -> inspect.Signature:
        hints = get_type_hints(AdversarialOptions)
        own = own_penalties()
        weights = [self._weight(argument, argument in own) for argument in self._penalties()]
        hints |= {name: Annotated[hints[name], OMIT_DEFAULT] for name in OMITTED}
        fixed = [_keyword(name, getattr(self._standard, name), hints[name]) for name in OPTIONS]
        return inspect.Signature([*self._own, *weights, *fixed])

    @property
    def __doc__(self) -> str:  # type: ignore[override]
        options = docstring_of(AdversarialOptions)
        _, _, fixed = options[: options.index("Raises:")].partition("    penalty_every:")
        weights = (
            f"    {argument}: {describe_penalty(name)}"
            for argument, name in self._penalties().items()
        )
        return "\n".join(
            [
                docstring_of(self.function),
                "",
                "Attributes:",
                *weights,
                f"    penalty_every:{fixed}",
            ]
        )

    def __repr__(self) -> str:
        return f"<adversarial loss {self.__module__}:{self.__qualname__}>"

    def _penalties(self) -> dict[str, str]:
        """Return the registered names of the penalties, by argument."""
        return penalty_options([*OPTIONS, *(parameter.name for parameter in self._own)])

    def _weight(self, argument: str, always: bool) -> inspect.Parameter:
        """Return the parameter of a penalty; a recipe lists its default if `always` or not 0."""
        default = self._weights.get(argument, 0.0)
        hint = float if always or default else Annotated[float, OMIT_DEFAULT]
        return _keyword(argument, default, hint)


def with_adversarial_options(
    **defaults: Any,
) -> Callable[[Callable[..., Loss]], AdversarialLossFactory]:
    """Return a decorator that adds every adversarial option and registered penalty as an argument.

    The decorated function takes the options as its only positional parameter::

        @with_adversarial_options(gp=10.0, discriminator_steps=5)
        def wgan_gp(options: AdversarialOptions) -> Loss:
            return AdversarialLoss(WASSERSTEIN, options)

    Users call it as ``wgan_gp(gp=5.0)``.

    Args:
        defaults: this loss's defaults of options and penalty weights, where they differ.
    """
    return lambda function: AdversarialLossFactory(function, defaults)


def _keyword(name: str, default: Any, annotation: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )
