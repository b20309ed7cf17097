"""How weights are stored: rounded first, so that both runtimes compute with the same ones."""

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

Precision = Literal["fp32", "fp16", "int8"]
FINEST_FIRST: tuple[Precision, ...] = get_args(Precision)

# How far rounded weights may move an output, root mean square. Within it, the Frechet distance of
# the shipped models changes by less than a hundredth of itself: `tools/bench_precision.py`.
TOLERANCES: Mapping[Precision, float] = {"fp16": LEVEL / 4, "int8": 3 * LEVEL}


def precision_of(provenance: Mapping[str, Any]) -> Precision:
    """Return how a bundle's weights are stored."""
    stored: Precision = provenance.get(STORED_AS, "fp16" if ROUNDING in provenance else "fp32")
    return stored


def choose(asked: Precision | None, provenance: Mapping[str, Any]) -> Precision:
    """Return the precision to store a model in: what is asked, by default what it has.

    Raises:
        ExportError: finer than it has.
    """
    has = precision_of(provenance)
    if asked not in (None, *FINEST_FIRST):
        raise ExportError(f"no precision {asked!r}: it is {', '.join(FINEST_FIRST)}.")
    if asked and FINEST_FIRST.index(asked) < FINEST_FIRST.index(has):
        raise ExportError(
            f"its weights were rounded to {has}, which nothing makes {asked} again: export the run "
            "that trained it."
        )
    return asked or has


def pack(model: TorchModel, precision: Precision) -> dict[str, Tensor]:
    """Return a network's weights as they are stored, on the CPU."""
    network = model.cpu().network
    pack_as = {"fp32": lambda network: dict(network.state_dict()), "fp16": halve, "int8": quantize}
    return {name: t.contiguous() for name, t in pack_as[precision](network).items()}


@torch.no_grad()
def round_weights(model: TorchModel, role: str, precision: Precision) -> float:
    """Round a model's weights, in place, to numbers that the precision stores.

    Returns:
        How far that moves an output at most, on the inputs by which runtimes are compared.

    Raises:
        ExportError: a weight beyond its range, or it moves outputs too far.
    """
    before = copy.deepcopy(model)
    rounded = dequantize(Path("the weights"), pack(model, precision))
    for name, tensor in model.network.state_dict().items():
        tensor.copy_(rounded[name])
    moved, allowed = compare(before, model, role), TOLERANCES[precision]
    if moved.rms > allowed:
        raise ExportError(
            f"the export of the {role} as {precision} is refused: rounding its weights moves "
            f"outputs by {moved.rms:.2g} (root mean square), {allowed:.2g} is allowed. "
            f"Export as {FINEST_FIRST[FINEST_FIRST.index(precision) - 1]}."
        )
    return moved.largest


def store(graph: onnx.ModelProto, model: TorchModel, precision: Precision) -> None:
    """Store the weights of the graph of a rounded model in a precision."""
    if precision == "fp16":
        store_as_half(graph)
    elif precision == "int8":
        store_as_int8(graph, pack(model, precision))
