"""Checks of what networks are, and of what they answer."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ganzoo.errors import ConformanceError
from ganzoo.nn import DiscriminatorOutput, call_discriminator, generate, inputs_of
from ganzoo.spec import DataSpec, Recipe
from ganzoo.testing.checks import NotChecked, after
from ganzoo.testing.short_training import Play
from ganzoo.training.state import latent_of

if TYPE_CHECKING:
    from ganzoo.testing.architecture import Architecture

EVERY = slice(None)
IMAGES = 3  # that networks are asked about at once
ASCENT = 8  # steps of Adam towards large values, in which an output without bounds leaves [-1, 1]
ASCENT_LR = 1.0
ROUNDING = 1e-4  # of the largest output: what the size of a batch may change


def builds(subject: Architecture) -> None:
    """It builds networks by role, small ones, a generator among them."""
    subject.build()


def makes_images_of_the_size(subject: Architecture) -> None:
    """Its generator returns float32 images of the size that the data has."""
    recipe, data, nets = subject.built
    images = _make(recipe, nets["generator"], data)
    wanted = (IMAGES, *data.image.shape)
    if not isinstance(images, Tensor):
        raise ConformanceError(
            f"{subject.label}: its generator returns {type(images).__name__}, and a generator "
            f"returns one tensor of images, float32 {wanted}."
        )
    if tuple(images.shape) != wanted or images.dtype != torch.float32:
        raise ConformanceError(
            f"{subject.label}: for {IMAGES} images of {data.image} its generator returns "
            f"{str(images.dtype).removeprefix('torch.')} {tuple(images.shape)}, and must return "
            f"float32 {wanted}: take the size from `data.image`."
        )


def stays_in_range(subject: Architecture) -> None:
    """Its generator's images lie in [-1, 1], whatever its weights are."""
    with after("builds"):
        recipe, data, nets = subject.build()
    generator = nets["generator"].eval()
    weights = list(generator.parameters())
    optimizer = torch.optim.Adam(weights or [torch.zeros(1)], ASCENT_LR)
    for step in range(ASCENT):
        images = _make(recipe, generator, data)
        largest = float(images.detach().abs().nan_to_num(0.0).max())
        if largest > 1.0:
            raise ConformanceError(
                f"{subject.label}: its generator's images reach {largest:.3g}"
                f"{' after its weights were moved' * (step > 0)}, and must lie in [-1, 1]: end it "
                "with tanh, or another function onto that interval."
            )
        if weights:
            optimizer.zero_grad()
            (-images.abs().mean()).backward()  # type: ignore[no-untyped-call]
            optimizer.step()


def answers_for_each_image(subject: Architecture) -> None:
    """Its discriminator returns logits, and its encoder latents, a row for each image."""
    recipe, data, nets = subject.built
    images, y, condition = _images(data), _labels(data), _images(data, condition=True)
    with torch.no_grad():
        if "discriminator" in nets:
            said = call_discriminator(nets["discriminator"], images, y=y, condition=condition)
            logits = said.logits if isinstance(said, DiscriminatorOutput) else said
            if not isinstance(logits, Tensor) or logits.shape[:1] != (IMAGES,):
                shape = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
                raise ConformanceError(
                    f"{subject.label}: of {IMAGES} images its discriminator returns {shape}, and "
                    "must return logits (n,) or (n, ...), or a ganzoo.nn.DiscriminatorOutput with "
                    "them."
                )
        if "encoder" in nets:
            latent = latent_of(recipe, nets["generator"])
            wanted = (IMAGES, latent.dim) if latent else None
            answer = nets["encoder"](images)
            shapes = [tuple(part.shape) for part in answer] if isinstance(answer, tuple) else answer
            if shapes != [wanted, wanted]:
                raise ConformanceError(
                    f"{subject.label}: of {IMAGES} images its encoder returns {shapes}, and must "
                    f"return mean and log-variance of the latents, {wanted} each."
                )


def is_deterministic(subject: Architecture) -> None:
    """In eval mode each exported network gives the same bits for the same inputs."""
    for role, answer in _delivered(subject).items():
        if not torch.equal(answer(EVERY), answer(EVERY)):
            raise ConformanceError(
                f"{subject.label}: its {role} gives two answers to one question in eval mode: "
                "draw nothing inside a network; what is random comes in as z."
            )


def is_batch_independent(subject: Architecture) -> None:
    """In eval mode image k is the same alone and in a batch."""
    for role, answer in _delivered(subject).items():
        together = answer(EVERY)
        alone = torch.cat([answer(slice(k, k + 1)) for k in range(IMAGES)])
        largest = float((together - alone).abs().max())
        if largest > ROUNDING * float(together.abs().max()):
            raise ConformanceError(
                f"{subject.label}: in eval mode its {role} changes an image by {largest:.2g} when "
                "others are made beside it: use no statistics of the batch there, such as "
                "BatchNorm's with track_running_stats=False."
            )


def uses_labels(subject: Architecture) -> None:
    """Another label gives another image, where the generator reads labels."""
    recipe, data, nets = subject.built
    if "y" not in inputs_of(nets["generator"]):
        raise NotChecked("its generator reads no labels at these arguments.")
    # After some ticks: a network may begin with weights of 0 where labels enter.
    generator = subject.trained.prepared.state.ema.networks["generator"]
    with torch.no_grad():
        made = [_make(recipe, generator, data, shift=shift) for shift in (0, 1)]
    if torch.equal(*made):
        raise ConformanceError(
            f"{subject.label}: its generator reads y and makes the same images of other classes: "
            "use y, or take it out of `forward`."
        )


def learns_everywhere(subject: Architecture) -> None:
    """Every parameter gets a gradient under some loss that fits."""
    _, _, nets = subject.built
    idle = [(role, name) for role, net in nets.items() for name, _ in net.named_parameters()]
    tried: list[str] = []
    for partner, learnt in _lessons(subject):
        tried.append(partner)
        idle = [weight for weight in idle if weight not in learnt]
        if not idle:
            return
    names = ", ".join(".".join(weight) for weight in idle[:3])
    more = f" and {len(idle) - 3} more" if len(idle) > 3 else ""
    raise ConformanceError(
        f"{subject.label}: {names}{more} got no gradient other than 0 with {', '.join(tried)}: "
        "use it in `forward`, make it a buffer, or leave it out."
    )


def _lessons(subject: Architecture) -> Iterator[tuple[str, set[tuple[str, str]]]]:
    """Yield each partner and the parameters that it gave a gradient; those played come first."""
    for partner, result in subject.plays.items():
        yield partner, result.learnt
    for partner, pair in subject.pairs.items():
        if partner in subject.chosen:
            continue
        played = subject.play({partner: pair}, "fp32")[partner]
        if isinstance(played, Play):
            yield partner, played.learnt


def ask(recipe: Recipe, data: DataSpec, role: str, net: nn.Module, some: slice = EVERY) -> Tensor:
    """Return what a generator or an encoder says of some of the same questions, (n, ...)."""
    with torch.no_grad():
        if role == "encoder":
            return torch.cat(net(_images(data)[some]), 1)
        return _make(recipe, net, data, some)


def _delivered(subject: Architecture) -> dict[str, Callable[[slice], Tensor]]:
    recipe, data, nets = subject.built
    return {
        role: functools.partial(ask, recipe, data, role, net)
        for role, net in nets.items()
        if role.endswith("generator") or role == "encoder"
    }


def _make(
    recipe: Recipe, net: nn.Module, data: DataSpec, some: slice = EVERY, shift: int = 0
) -> Tensor:
    latent = latent_of(recipe, net)
    z = torch.randn(IMAGES, latent.dim, generator=_rng(1))[some] if latent else None
    return generate(
        net, z=z, y=(_labels(data, shift))[some], condition=_images(data, condition=True)[some]
    )


def _labels(data: DataSpec, shift: int = 0) -> Tensor:
    return (torch.arange(IMAGES) + shift) % max(data.classes, 1)


def _images(data: DataSpec, condition: bool = False) -> Tensor:
    size = (data.condition if condition else None) or data.image
    return torch.rand(IMAGES, *size.shape, generator=_rng(2)) * 2 - 1


def _rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
