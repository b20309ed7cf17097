"""Gradient descent on codes.

"Analyzing and Improving the Image Quality of StyleGAN" (Karras et al., 2020), appendix D,
https://arxiv.org/abs/1912.04958.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ganzoo.inversion.distances import Distance
from ganzoo.inversion.network import Network
from ganzoo.inversion.noise_maps import correlation, normalise
from ganzoo.inversion.starts import Starts
from ganzoo.system.bars import progress_bar

# Of the paper: the share of the steps in which the rate rises and falls, and the noise falls.
RISE, FALL, NOISY = 0.05, 0.25, 0.75
NOISE = 0.05  # standard deviation of the first noise on w, relative to its deviation
CORRELATION = 1e5  # weight of the correlation of noise maps


@dataclass(frozen=True)
class Settings:
    """How to descend.

    Attributes:
        steps: number of steps.
        rate: largest learning rate of Adam.
        noise: whether to optimise noise maps, too.
        seed: seed of the noise on codes.
        progress: whether to show progress on a terminal.
        on_step: is called with the number of steps so far and with the number of all; the descent
            ends if it returns False.
    """

    steps: int
    rate: float
    noise: bool
    seed: int
    progress: bool
    on_step: Callable[[int, int], bool] | None = None


@dataclass(frozen=True, eq=False)
class Descent:
    """The nearest codes of a descent.

    Attributes:
        codes: the nearest code from each start, (n, ...).
        distances: (n,).
        steps: number of steps.
        interrupted: whether Ctrl-C or `on_step` ended the descent.
    """

    codes: Tensor
    distances: Tensor
    steps: int
    interrupted: bool


def descend(
    network: Network, distance: Distance, starts: Starts, deviation: float, settings: Settings
) -> Descent:
    """Descend from all starts at once; they do not influence each other.

    Args:
        network: the generator.
        distance: distance to the photo.
        starts: where to start.
        deviation: root mean square distance of w from its average; 0 for no noise on codes.
        settings: how to descend.

    Warns:
        UserWarning: all codes became NaN or infinite, which ends the descent.
    """
    codes = starts.codes.clone().requires_grad_()
    maps = {
        name: noise.expand(len(codes), 1, -1, -1).clone().requires_grad_()
        for name, noise in (network.noise if settings.noise else {}).items()
    }
    nearest, distances = starts.codes.clone(), starts.distances.clone()
    adam = torch.optim.Adam([codes, *maps.values()], betas=(0.9, 0.999))
    random = torch.Generator().manual_seed(settings.seed % 2**63)
    interrupted, step = False, 0
    steps = progress_bar(
        range(settings.steps + 1), "inversion", unit="step", visible=settings.progress
    )
    try:
        for step in steps:
            t = step / settings.steps
            noise = torch.randn(codes.shape, generator=random).to(codes.device)
            noisy = codes + noise_scale(t) * deviation * noise
            far = distance(network.images(noisy, starts.y, maps))
            closer = far.detach() < distances
            nearest[closer], distances[closer] = noisy.detach()[closer], far.detach()[closer]
            if not far.isfinite().any():
                warnings.warn(
                    f"the codes became NaN or infinite after {step} of {settings.steps} steps, and "
                    "the descent ended. The nearest code until then is used. Try a lower --rate",
                    stacklevel=4,
                )
                break
            steps.set_postfix_str(f"distance {float(distances.min()):.4g}", refresh=False)
            if step == settings.steps:  # the last codes are measured alone
                break
            if settings.on_step and not settings.on_step(step, settings.steps):
                interrupted = True
                break
            loss = far.sum()
            if maps:
                loss = loss + CORRELATION * correlation(maps.values()).sum()
            for group in adam.param_groups:
                group["lr"] = settings.rate * rate_scale(t)
            parameters = [codes, *maps.values()]
            for parameter, gradient in zip(
                parameters, torch.autograd.grad(loss, parameters), strict=True
            ):
                parameter.grad = gradient
            adam.step()
            normalise(maps.values())
    except KeyboardInterrupt:
        interrupted = True
    finally:
        steps.close()
    return Descent(nearest, distances, step, interrupted)


def rate_scale(t: float) -> float:
    """Return the factor of the learning rate at a share t of the steps: it rises linearly, and
    falls as a cosine."""
    fall = min(1.0, (1 - t) / FALL)
    return (0.5 - 0.5 * math.cos(fall * math.pi)) * min(1.0, t / RISE)


def noise_scale(t: float) -> float:
    """Return the standard deviation of the noise on codes, relative to their deviation."""
    return NOISE * max(0.0, 1 - t / NOISY) ** 2
