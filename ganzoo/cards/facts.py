"""What a model is: its networks, what they read and make, and how far its runtimes agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ganzoo.bundle import onnx_name, weights_name
from ganzoo.cards.context import CardContext
from ganzoo.cards.tables import table
from ganzoo.spec import ROUNDING, STORED_AS, ModelSpec

NAMED = 10  # classes that are listed


_STORED = {"fp16": "float16", "int8": "int8 with a scale for each output channel"}


def render(context: CardContext) -> str:
    """Return the facts as a table, and how large the files are."""
    return f"{table(_rows(context))}\nSizes: {_sizes(context)}.\n"


def switched_on(arguments: Mapping[str, Any]) -> str:
    """Return arguments as text, but for those that switch something off."""
    return ", ".join(f"{k} {v}" for k, v in arguments.items() if v not in (0, "none", [], ()))


def _rows(context: CardContext) -> Iterator[tuple[str, str]]:
    spec, made = context.spec, context.made
    yield "architecture", f"`{spec.architecture}` {switched_on(spec.arguments)}".strip()
    for role in spec.roles:
        numbers, kind = context.weights(role)
        yield f"weights of the {role}", f"{numbers:,} numbers, {kind}"
    for name in spec.inputs:
        yield f"input `{name}`", _input(spec, name)
    size = spec.data.image
    yield (
        "output `images`",
        f"float32 (n, {', '.join(map(str, size.shape))}) in [-1, 1]: "
        f"{size} (height x width x channels)",
    )
    if "encoder" in spec.roles and spec.latent:
        yield "the encoder's output", f"float32 (n, {spec.latent.dim}): latents of such images"
    yield "parity", _parity(made)
    if ROUNDING in made:
        moved = ", of the ".join(f"{role} by at most {x:.1e}" for role, x in made[ROUNDING].items())
        yield (
            "rounding",
            f"stored as {_STORED[made.get(STORED_AS, 'fp16')]}, computed with in float32; that "
            f"moved outputs of the {moved}",
        )
    yield "needs", f"onnxruntime alone, or torch and {', '.join(spec.requires) or 'its program'}"


def _sizes(context: CardContext) -> str:
    names = [name(role) for role in context.spec.roles for name in (weights_name, onnx_name)]
    return ", ".join(
        f"`{name}` {(context.folder / name).stat().st_size:,} bytes"
        for name in names
        if name in context.digests
    )


def _input(spec: ModelSpec, name: str) -> str:
    if name == "z" and spec.latent:
        return f"float32 (n, {spec.latent.dim}), drawn from N(0, 1)"
    if name == "y":
        labels = spec.data.labels
        numbers = tuple(map(str, range(spec.data.classes)))
        named = f": {', '.join(labels[:NAMED])}" if labels and labels != numbers else ""
        more = ", ..." if named and len(labels) > NAMED else ""
        return f"int64 (n,), 0 to {spec.data.classes - 1}, the number of a class{named}{more}"
    shape = ", ".join(map(str, spec.data.condition.shape)) if spec.data.condition else ""
    return f"float32 (n, {shape}) in [-1, 1], an image"


def _parity(made: dict[str, Any]) -> str:
    """How far torch and onnxruntime are apart on each network."""
    parity = made["parity"]
    return (
        f"torch and onnxruntime differ by at most {parity['max_abs_error']:.1e} on images in "
        f"[-1, 1] (batches {_joined(parity['batches'])}, seeds {_joined(parity['seeds'])})"
    ) + "".join(
        f"; on the outputs of the {key.removesuffix('_parity').replace('_', ' ')} at most "
        f"{figures['max_abs_error']:.1e}"
        for key, figures in made.items()
        if key.endswith("_parity")
    )


def _joined(numbers: list[int]) -> str:
    return " and ".join(map(str, numbers))
