"""Options of adversarial losses: arguments that every adversarial loss has."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, get_type_hints

from ganzoo.games.augmentation import Policy
from ganzoo.games.game import Loss, check_weight
from ganzoo.games.penalties import R1, R2, Dragan, GradientPenalty, Penalty


@dataclass(frozen=True)
class AdversarialOptions:
    """Options of every adversarial loss.

    Attributes:
        r1: weight of the penalty R1 (Mescheder et al., 2018), 0 for none.
        r2: weight of the penalty R2, R1's counterpart on fake images, 0 for none.
        gp: weight of the gradient penalty (Gulrajani et al., 2017), 0 for none.
        dragan: weight of DRAGAN's penalty (Kodali et al., 2017), 0 for none.
        penalty_every: compute penalties in every so many of the discriminator's turns only, so many
            times as strong.
        discriminator_steps: updates of the discriminator per turn, each on a fresh batch.
        discriminator_every: the discriminator plays on every so many ticks only, for when it wins.
        weight_clip: bound of the discriminator's weights (Arjovsky et al., 2017), 0 for none.
        label_smoothing: share of real images that the discriminator is told are fake, in
            expectation: one-sided (Salimans et al., 2016, https://arxiv.org/abs/1606.03498).
        instance_noise: standard deviation of the noise on all images the discriminator sees,
            falling linearly to 0 over the run (Sønderby et al., 2016,
            https://arxiv.org/abs/1610.04490).
        augmentation: changes to all images that the discriminator sees (Zhao et al., 2020,
            https://arxiv.org/abs/2006.10738).

    Raises:
        ValueError: a number out of its range.
    """

    r1: float = 0.0
    r2: float = 0.0
    gp: float = 0.0
    dragan: float = 0.0
    penalty_every: int = 1
    discriminator_steps: int = 1
    discriminator_every: int = 1
    weight_clip: float = 0.0
    label_smoothing: float = 0.0
    instance_noise: float = 0.0
    augmentation: tuple[Policy, ...] = ()

    def __post_init__(self) -> None:
        for name in ("penalty_every", "discriminator_steps", "discriminator_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, it must be at least 1")
        for name in ("r1", "r2", "gp", "dragan", "weight_clip", "instance_noise"):
            check_weight(name, getattr(self, name))
        if not 0 <= self.label_smoothing < 0.5:
            raise ValueError(f"label_smoothing is {self.label_smoothing}, it lies in [0, 0.5)")

    @property
    def penalties(self) -> tuple[Penalty, ...]:
        """The penalties that are switched on."""
        kinds = (R1, self.r1), (R2, self.r2), (GradientPenalty, self.gp), (Dragan, self.dragan)
        return tuple(kind(weight, self.penalty_every) for kind, weight in kinds if weight)


def with_adversarial_options(
    **defaults: Any,
) -> Callable[[Callable[..., Loss]], Callable[..., Loss]]:
    """Give a loss every field of `AdversarialOptions` as an argument of its own.

    The decorated function takes the options as its one positional parameter::

        @with_adversarial_options(gp=10.0, discriminator_steps=5)
        def wgan_gp(options: AdversarialOptions) -> Loss:
            return AdversarialLoss(WASSERSTEIN, options)

    and is called as ``wgan_gp(gp=5.0)``.

    Args:
        defaults: fields that have another default in this loss.
    """
    standard = replace(AdversarialOptions(), **defaults)

    def decorate(function: Callable[..., Loss]) -> Callable[..., Loss]:
        def factory(**arguments: Any) -> Loss:
            given = {
                f.name: arguments.pop(f.name)
                for f in fields(AdversarialOptions)
                if f.name in arguments
            }
            return function(replace(standard, **given), **arguments)

        # A factory's signature is its schema, and its docstring the help of its options.
        functools.update_wrapper(factory, function)
        own, shared = get_type_hints(function), get_type_hints(AdversarialOptions)
        keyword = functools.partial(inspect.Parameter, kind=inspect.Parameter.KEYWORD_ONLY)
        parameters = [
            p.replace(annotation=own[p.name])
            for p in inspect.signature(function).parameters.values()
            if p.kind is inspect.Parameter.KEYWORD_ONLY
        ] + [
            keyword(f.name, default=getattr(standard, f.name), annotation=shared[f.name])
            for f in fields(AdversarialOptions)
        ]
        factory.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        factory.__annotations__ = {p.name: p.annotation for p in parameters}
        described = inspect.cleandoc(AdversarialOptions.__doc__ or "")
        about_rules = described[described.index("Attributes:") : described.index("Raises:")]
        factory.__doc__ = f"{inspect.cleandoc(function.__doc__ or '')}\n\n{about_rules}"
        return factory

    return decorate
