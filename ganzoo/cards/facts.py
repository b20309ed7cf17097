"""The facts of a model: networks, inputs, outputs, and how closely the runtimes agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ganzoo.bundle import onnx_name, weights_name
from ganzoo.cards.context import CardContext
from ganzoo.cards.tables import table
from ganzoo.spec import ROUNDING, STORED_AS, ImageSpec, ModelSpec, SizesSpec

MAX_LABELS = 10  # class names that are listed

_STORED = {"fp16": "float16", "int8": "int8 with one scale per output channel"}


def render(context: CardContext) -> str:
    """Return the facts as a table, followed by the sizes of the files."""
    return f"{table(_rows(context))}\nFile sizes: {_sizes(context)}.\n"


def switched_on(arguments: Mapping[str, Any]) -> str:
    """Return arguments as text, without those whose value disables a feature."""
    return ", ".join(f"{k} {v}" for k, v in arguments.items() if v not in (0, "none", [], ()))


def describe_distribution(spec: ModelSpec) -> str:
    """Return the distribution of a model's latents."""
    is_uniform = spec.arguments.get("latent_distribution") == "uniform"
    return "N(0, 1)" + ", which the generator maps to uniform numbers in [-1, 1]" * is_uniform


def _rows(context: CardContext) -> Iterator[tuple[str, str]]:
    spec, provenance = context.spec, context.provenance
    yield "architecture", f"`{spec.architecture}` {switched_on(spec.arguments)}".strip()
    for role in (*spec.roles, *spec.training_roles):
        parameters, dtype = context.weights(role)
        purpose = ", kept for further training" if role in spec.training_roles else ""
        yield f"weights of the {role}", f"{parameters:,} parameters, {dtype}{purpose}"
    for name in spec.inputs:
        yield f"input `{name}`", _input(spec, name)
    size = spec.data.image
    yield (
        "output `images`",
        f"float32 (n, {_shape(spec, size)}) in [-1, 1]: "
        + (f"{size} (height x width x channels)" if spec.sizes is None else _size_of(spec.sizes)),
    )
    if "encoder" in spec.roles and spec.latent:
        yield "output of the encoder", f"float32 (n, {spec.latent.dim}), the latents of images"
    if spec.onnx_failure:
        yield "ONNX", f"none, because the export failed: {spec.onnx_failure}"
    else:
        yield "parity", _parity(provenance)
    if ROUNDING in provenance:
        changes = ", of the ".join(
            f"{role} by at most {x:.1e}" for role, x in provenance[ROUNDING].items()
        )
        yield (
            "rounding",
            f"stored as {_STORED[provenance.get(STORED_AS, 'fp16')]}, computed in float32; "
            f"rounding changes the outputs of the {changes}",
        )
    requires = ", ".join(spec.requires) or "the program that trained it"
    yield (
        "requires",
        f"{'' if spec.onnx_failure else 'onnxruntime alone, or '}torch with {requires}",
    )


def _sizes(context: CardContext) -> str:
    roles = (*context.spec.roles, *context.spec.training_roles)
    names = [name(role) for role in roles for name in (weights_name, onnx_name)]
    return ", ".join(
        f"`{name}` {(context.folder / name).stat().st_size:,} bytes"
        for name in names
        if name in context.digests
    )


def _input(spec: ModelSpec, name: str) -> str:
    if name == "z" and spec.latent:
        return f"float32 (n, {spec.latent.dim}), drawn from {describe_distribution(spec)}"
    if name == "y":
        labels = spec.data.labels
        numbers = tuple(map(str, range(spec.data.classes)))
        names = f": {', '.join(labels[:MAX_LABELS])}" if labels and labels != numbers else ""
        more = ", ..." if names and len(labels) > MAX_LABELS else ""
        return f"int64 (n,) in 0 to {spec.data.classes - 1}, the class labels{names}{more}"
    shape = _shape(spec, spec.data.condition) if spec.data.condition else ""
    text = f"float32 (n, {shape}) in [-1, 1], the images to translate"
    if spec.sizes is None:
        return text
    return (
        f"{text}: {spec.data.condition} in training; both sides are multiples of "
        f"{spec.sizes.multiple}, at least {spec.sizes.padded(1)}"
    )


def _size_of(sizes: SizesSpec) -> str:
    """Return the size of a translation, and how it is computed in tiles."""
    size = "as large as the input"
    if sizes.scale > 1:
        size = f"both sides are {sizes.scale} times those of the input"
    if sizes.reach is None:
        return size
    return f"{size}; tiles that share {2 * sizes.reach} pixels give the same image"


def _shape(spec: ModelSpec, image: ImageSpec) -> str:
    """Return the shape of an image, with names for the free sides."""
    if spec.sizes is not None:
        return f"{image.channels}, height, width"
    return ", ".join(map(str, image.shape))


def _parity(provenance: dict[str, Any]) -> str:
    """Return how far the outputs of torch and onnxruntime differ, for each network."""
    parity = provenance["parity"]
    return (
        f"torch and onnxruntime differ by at most {parity['max_abs_error']:.1e} on images in "
        f"[-1, 1] (batches of {_joined(parity['batches'])}, seeds {_joined(parity['seeds'])}"
        f"{_other_sizes(parity)})"
    ) + "".join(
        f"; on the outputs of the {key.removesuffix('_parity').replace('_', ' ')} by at most "
        f"{figures['max_abs_error']:.1e}"
        for key, figures in provenance.items()
        if key.endswith("_parity")
    )


def _other_sizes(parity: dict[str, Any]) -> str:
    sizes = ["x".join(map(str, size)) for size in parity.get("other_sizes", ())]
    return f"; also at {' and '.join(sizes)} pixels" if sizes else ""


def _joined(numbers: list[int]) -> str:
    return " and ".join(map(str, numbers))
