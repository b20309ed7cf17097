"""Checks of networks and of their outputs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from ganzoo.errors import ConformanceError
from ganzoo.nn import DiscriminatorOutput, call_discriminator, generate, inputs_of, latent_of
from ganzoo.spec import DataSpec, Recipe
from ganzoo.testing.built_architecture import BuiltArchitecture
from ganzoo.testing.checks import NotChecked, prerequisite
from ganzoo.testing.short_training import ShortTraining

ALL = slice(None)
IMAGES = 3  # batch size
ASCENT = 8  # steps of Adam that enlarge the output; an unbounded one then leaves [-1, 1]
ASCENT_LR = 1.0
ROUNDING = 1e-4  # tolerance of the largest output against another batch size


def builds(subject: BuiltArchitecture) -> None:
    """It builds small networks by role, with a generator among them."""
    subject.build()


def makes_images_of_the_size(subject: BuiltArchitecture) -> None:
    """Its generator returns float32 images of the size of the data."""
    recipe, data, nets = subject.built
    images = _generate(recipe, nets["generator"], data)
    shape = (IMAGES, *data.image.shape)
    if not isinstance(images, Tensor):
        raise ConformanceError(
            f"{subject.label}: its generator returns {type(images).__name__}, but must return one "
            f"tensor of images, float32 {shape}."
        )
    if tuple(images.shape) != shape or images.dtype != torch.float32:
        raise ConformanceError(
            f"{subject.label}: for {IMAGES} images of {data.image} its generator returns "
            f"{str(images.dtype).removeprefix('torch.')} {tuple(images.shape)}, but must return "
            f"float32 {shape}: use the size in `data.image`."
        )


def stays_in_range(subject: BuiltArchitecture) -> None:
    """Its generator's images are in [-1, 1] for all weights."""
    with prerequisite("builds"):
        recipe, data, nets = subject.build()
    generator = nets["generator"].eval()
    weights = list(generator.parameters())
    optimizer = torch.optim.Adam(weights or [torch.zeros(1)], ASCENT_LR)
    for step in range(ASCENT):
        images = _generate(recipe, generator, data)
        largest = float(images.detach().abs().nan_to_num(0.0).max())
        if largest > 1.0:
            raise ConformanceError(
                f"{subject.label}: its generator's images reach {largest:.3g}"
                f"{' after changes of its weights' * (step > 0)}, but must be in [-1, 1]: end it "
                "with tanh, or another function onto that interval."
            )
        if weights:
            optimizer.zero_grad()
            (-images.abs().mean()).backward()  # type: ignore[no-untyped-call]
            optimizer.step()


def returns_one_row_per_image(subject: BuiltArchitecture) -> None:
    """Its discriminator returns logits, and its encoder latents, with one row per image."""
    recipe, data, nets = subject.built
    images, y, condition = _images(data), _labels(data), _images(data, condition=True)
    with torch.no_grad():
        if "discriminator" in nets:
            output = call_discriminator(nets["discriminator"], images, y=y, condition=condition)
            logits = output.logits if isinstance(output, DiscriminatorOutput) else output
            if not isinstance(logits, Tensor) or logits.shape[:1] != (IMAGES,):
                shape = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
                raise ConformanceError(
                    f"{subject.label}: for {IMAGES} images its discriminator returns {shape}, but "
                    "must return logits (n,) or (n, ...), or a ganzoo.nn.DiscriminatorOutput with "
                    "them."
                )
        if "encoder" in nets:
            latent = latent_of(nets["generator"], recipe.architecture.arguments)
            expected = (IMAGES, latent.dim) if latent else None
            output = nets["encoder"](images)
            shapes = [tuple(part.shape) for part in output] if isinstance(output, tuple) else output
            if shapes != [expected, expected]:
                raise ConformanceError(
                    f"{subject.label}: for {IMAGES} images its encoder returns {shapes}, but must "
                    f"return mean and log-variance of the latents, {expected} each."
                )


def is_deterministic(subject: BuiltArchitecture) -> None:
    """In eval mode each exported network returns the same bits for the same inputs."""
    for role, run in _exported(subject).items():
        if not torch.equal(run(ALL), run(ALL)):
            raise ConformanceError(
                f"{subject.label}: in eval mode its {role} returns different outputs for the same "
                "inputs: draw no random numbers inside a network; use z."
            )


def is_batch_independent(subject: BuiltArchitecture) -> None:
    """In eval mode image k is the same alone and in a batch."""
    for role, run in _exported(subject).items():
        together = run(ALL)
        alone = torch.cat([run(slice(k, k + 1)) for k in range(IMAGES)])
        largest = float((together - alone).abs().max())
        if largest > ROUNDING * float(together.abs().max()):
            raise ConformanceError(
                f"{subject.label}: in eval mode its {role} changes an image by {largest:.2g} if "
                "there are others in the batch: use no statistics of the batch, such as those of "
                "BatchNorm with track_running_stats=False."
            )


def uses_labels(subject: BuiltArchitecture) -> None:
    """If its generator reads labels, another label gives another image."""
    recipe, data, nets = subject.built
    if "y" not in inputs_of(nets["generator"]):
        raise NotChecked("its generator reads no labels with these arguments.")
    # After some ticks, because the initial weights of labels may be 0.
    generator = subject.trained.prepared.state.ema.networks["generator"]
    with torch.no_grad():
        images = [_generate(recipe, generator, data, shift=shift) for shift in (0, 1)]
    if torch.equal(*images):
        raise ConformanceError(
            f"{subject.label}: its generator reads y but returns the same images for other "
            "classes: use y, or remove it from `forward`."
        )


def learns_everywhere(subject: BuiltArchitecture) -> None:
    """Every parameter gets a gradient from at least one loss that fits."""
    _, _, nets = subject.built
    unused = [(role, name) for role, net in nets.items() for name, _ in net.named_parameters()]
    partners: list[str] = []
    for partner, with_gradient in _gradients(subject):
        partners.append(partner)
        unused = [weight for weight in unused if weight not in with_gradient]
        if not unused:
            return
    names = ", ".join(".".join(weight) for weight in unused[:3])
    more = f" and {len(unused) - 3} more" if len(unused) > 3 else ""
    raise ConformanceError(
        f"{subject.label}: {names}{more} got no gradient other than 0 with {', '.join(partners)}: "
        "use it in `forward`, make it a buffer, or remove it."
    )


def _gradients(subject: BuiltArchitecture) -> Iterator[tuple[str, set[tuple[str, str]]]]:
    """Yield each partner and the parameters with a gradient; the selection comes first."""
    for partner, result in subject.successful_trainings.items():
        yield partner, result.weights_with_gradient
    for partner, combination in subject.combinations.items():
        if partner in subject.selection:
            continue
        training = subject.train_with({partner: combination}, "fp32")[partner]
        if isinstance(training, ShortTraining):
            yield partner, training.weights_with_gradient


def run_role(
    recipe: Recipe, data: DataSpec, role: str, net: nn.Module, rows: slice = ALL
) -> Tensor:
    """Return the output of a generator or an encoder for rows of fixed inputs, (n, ...)."""
    with torch.no_grad():
        if role == "encoder":
            return torch.cat(net(_images(data)[rows]), 1)
        return _generate(recipe, net, data, rows)


def _exported(subject: BuiltArchitecture) -> dict[str, Callable[[slice], Tensor]]:
    recipe, data, nets = subject.built
    return {
        role: functools.partial(run_role, recipe, data, role, net)
        for role, net in nets.items()
        if role.endswith("generator") or role == "encoder"
    }


def _generate(
    recipe: Recipe, net: nn.Module, data: DataSpec, rows: slice = ALL, shift: int = 0
) -> Tensor:
    latent = latent_of(net, recipe.architecture.arguments)
    z = torch.randn(IMAGES, latent.dim, generator=_rng(1))[rows] if latent else None
    return generate(
        net, z=z, y=(_labels(data, shift))[rows], condition=_images(data, condition=True)[rows]
    )


def _labels(data: DataSpec, shift: int = 0) -> Tensor:
    return (torch.arange(IMAGES) + shift) % max(data.classes, 1)


def _images(data: DataSpec, condition: bool = False) -> Tensor:
    size = (data.condition if condition else None) or data.image
    return torch.rand(IMAGES, *size.shape, generator=_rng(2)) * 2 - 1


def _rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
