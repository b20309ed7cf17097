"""Factories of adversarial losses, which take every option as an argument of its own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Annotated, Any, get_type_hints

from ganzoo.games.game import Loss
from ganzoo.games.options import AdversarialOptions
from ganzoo.games.registered_penalties import BUILTIN, describe_penalty, penalty_options
from ganzoo.registry.signatures import OMIT_DEFAULT

OPTIONS = tuple(f.name for f in fields(AdversarialOptions) if f.name != "penalties")
"""Options of every adversarial loss that no plugin adds."""


class AdversarialLossFactory:
    """A function of keyword arguments that returns an adversarial loss.

    Its signature and its docstring have an argument for each option of `AdversarialOptions` and
    for each penalty that is registered when they are read.

    Args:
        function: takes an `AdversarialOptions` by position, and its own arguments by keyword.
        defaults: options, and weights of penalties, that have another default in this loss.
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
        """Return the loss at some arguments.

        Raises:
            TypeError: an argument that it does not have.
            ValueError: a number out of its range.
            UnknownNameError, BrokenPluginError, ...: a penalty cannot be loaded or built.
        """
        weights = self.weights_of(arguments)
        fixed = {name: arguments[name] for name in OPTIONS if name in arguments}
        own = {k: v for k, v in arguments.items() if k not in self._penalties() and k not in fixed}
        return self.function(replace(self._standard, **fixed, penalties=weights), **own)

    def weights_of(self, arguments: Mapping[str, Any]) -> dict[str, float]:
        """Return the weights of penalties at some arguments, by the penalties' registered names."""
        names = self._penalties()
        weights = self._weights | {k: v for k, v in arguments.items() if k in names}
        return {names.get(argument, argument): weight for argument, weight in weights.items()}

    @property
    def __signature__(self) -> inspect.Signature:
        hints = get_type_hints(AdversarialOptions)
        weights = [self._weight(argument) for argument in self._penalties()]
        fixed = [_keyword(name, getattr(self._standard, name), hints[name]) for name in OPTIONS]
        return inspect.Signature([*self._own, *weights, *fixed])

    @property
    def __doc__(self) -> str:  # type: ignore[override]
        described = inspect.cleandoc(AdversarialOptions.__doc__ or "")
        _, _, others = described[: described.index("Raises:")].partition("    penalty_every:")
        weights = (
            f"    {argument}: {describe_penalty(name)}"
            for argument, name in self._penalties().items()
        )
        return "\n".join(
            [
                inspect.cleandoc(self.function.__doc__ or ""),
                "",
                "Attributes:",
                *weights,
                f"    penalty_every:{others}",
            ]
        )

    def __repr__(self) -> str:
        return f"<adversarial loss {self.__module__}:{self.__qualname__}>"

    def _penalties(self) -> dict[str, str]:
        """The penalties that are registered now, by argument."""
        return penalty_options([*OPTIONS, *(parameter.name for parameter in self._own)])

    def _weight(self, argument: str) -> inspect.Parameter:
        default = self._weights.get(argument, 0.0)
        omitted = argument not in BUILTIN and not default
        return _keyword(argument, default, Annotated[float, OMIT_DEFAULT] if omitted else float)


def with_adversarial_options(
    **defaults: Any,
) -> Callable[[Callable[..., Loss]], AdversarialLossFactory]:
    """Give a loss every adversarial option, and every registered penalty, as an argument.

    The decorated function takes the options as its one positional parameter::

        @with_adversarial_options(gp=10.0, discriminator_steps=5)
        def wgan_gp(options: AdversarialOptions) -> Loss:
            return AdversarialLoss(WASSERSTEIN, options)

    and is called as ``wgan_gp(gp=5.0)``.

    Args:
        defaults: options, and weights of penalties, that have another default in this loss.
    """
    return lambda function: AdversarialLossFactory(function, defaults)


def _keyword(name: str, default: Any, annotation: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )
