"""Choose how weights are stored, and round them first so that both runtimes use the same ones."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import onnx
import torch
from torch import Tensor

from ganzoo.errors import ExportError
from ganzoo.exporters.half import halve, store_as_half
from ganzoo.exporters.int8 import quantize, store_as_int8
from ganzoo.exporters.parity import LEVEL, compare
from ganzoo.runtimes.int8 import dequantize
from ganzoo.runtimes.torch import TorchModel
from ganzoo.spec import ROUNDING, STORED_AS
from ganzoo.spec.parsing import shorten

Precision = Literal["fp32", "fp16", "int8"]
FINEST_FIRST: tuple[Precision, ...] = get_args(Precision)

# Largest root mean square change of the outputs after rounding. Within it, the Fréchet distance of
# the shipped models changes by less than 1 %: `tools/bench_precision.py`.
TOLERANCES: Mapping[Precision, float] = {"fp16": LEVEL / 4, "int8": 3 * LEVEL}


def precision_of(provenance: Mapping[str, Any]) -> Precision:
    """Return how a bundle's weights are stored.

    Raises:
        ExportError: the provenance, which is free-form, states an unknown precision.
    """
    stored: Precision = provenance.get(STORED_AS, "fp16" if ROUNDING in provenance else "fp32")
    if stored not in FINEST_FIRST:
        raise ExportError(
            f"the config states that weights are stored as {shorten(repr(stored))}, which is not "
            f"one of {', '.join(FINEST_FIRST)}. Export the run that trained the model."
        )
    return stored


def choose(precision: Precision | None, provenance: Mapping[str, Any]) -> Precision:
    """Return the precision to store a model in, by default the current one.

    Raises:
        ExportError: the precision is unknown, or finer than the stored weights.
    """
    current = precision_of(provenance)
    if precision not in (None, *FINEST_FIRST):
        raise ExportError(f"unknown precision {precision!r}. Use {', '.join(FINEST_FIRST)}.")
    if precision and FINEST_FIRST.index(precision) < FINEST_FIRST.index(current):
        raise ExportError(
            f"cannot export as {precision}: the stored weights are rounded to {current}. Export "
            "the run that trained the model."
        )
    return precision or current


def pack(model: TorchModel, precision: Precision) -> dict[str, Tensor]:
    """Return a network's weights in a precision, on the CPU."""
    network = model.on_cpu().network
    pack_as = {"fp32": lambda network: dict(network.state_dict()), "fp16": halve, "int8": quantize}
    return {name: t.contiguous() for name, t in pack_as[precision](network).items()}


@torch.no_grad()
def round_weights(model: TorchModel, role: str, precision: Precision) -> float:
    """Round a model's weights in place to values that the precision can store.

    Returns:
        The largest change of an output, on the inputs that compare the runtimes.

    Raises:
        ExportError: a weight is out of the precision's range, or the outputs change too much.
    """
    before = copy.deepcopy(model)
    rounded = dequantize(Path("the weights"), pack(model, precision))
    for name, tensor in model.network.state_dict().items():
        tensor.copy_(rounded[name])
    difference, tolerance = compare(before, model, role), TOLERANCES[precision]
    if difference.rms > tolerance:
        raise ExportError(
            f"cannot export the {role} as {precision}: rounding its weights changes outputs by "
            f"{difference.rms:.2g} (root mean square), and the limit is {tolerance:.2g}. "
            f"Export as {FINEST_FIRST[FINEST_FIRST.index(precision) - 1]}."
        )
    return difference.largest


def store(graph: onnx.ModelProto, model: TorchModel, precision: Precision) -> None:
    """Store the weights of a rounded model's graph in a precision."""
    if precision == "fp16":
        store_as_half(graph)
    elif precision == "int8":
        store_as_int8(graph, pack(model, precision))
