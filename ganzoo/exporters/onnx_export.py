"""Export a network as ONNX and check that onnxruntime computes the same as torch."""

from __future__ import annotations

from typing import Any, NamedTuple

import onnx

from ganzoo.bundle import Bundle
from ganzoo.bundle.files import temporary_folder
from ganzoo.errors import BundleError, ExportError
from ganzoo.exporters import onnx_graph
from ganzoo.exporters.parity import check_parity
from ganzoo.exporters.precision import Precision, store
from ganzoo.runtimes.onnx import load_onnx
from ganzoo.runtimes.signature import MAPPING, SYNTHESIS, W_AVERAGE
from ganzoo.runtimes.torch import TorchModel


class OnnxExport(NamedTuple):
    """An ONNX file without its config, see `onnx_graph.write`, and its difference from torch."""

    content: bytes
    parity: dict[str, Any]
    memory: int  # bytes of results that are in memory at once, for one image


def prove(model: TorchModel, role: str, precision: Precision = "fp32") -> OnnxExport:
    """Export a network, and compare the outputs of torch and onnxruntime on the same inputs.

    Args:
        model: the network, with weights rounded to the precision.
        role: its role.
        precision: how the file stores the weights.

    Raises:
        ExportError: the network cannot be exported, or the runtimes disagree.
    """
    with temporary_folder() as folder:  # the exporter of torch needs one, too
        graph = onnx_graph.trace(model, role, fold=precision == "fp32")
        store(graph, model, precision)
        if model.w_average is not None:
            graph.graph.initializer.append(onnx.numpy_helper.from_array(model.w_average, W_AVERAGE))
        content = graph.SerializeToString()
        onnx.checker.check_model(content, full_check=True)
        trial = Bundle(folder, model.spec)
        onnx_graph.write(content, model.spec, trial.onnx_of(role))
        try:
            exported = load_onnx(trial, role)
        except BundleError as error:
            raise ExportError(
                f"the {role} of {model.spec.name!r} cannot be exported to ONNX: "
                f"{error.__cause__ or error}. ganzoo runs the operators of "
                "ganzoo.runtimes.onnx_shapes, within the limits of ganzoo.runtimes.onnx_work.",
                f"in the {role}, {error.__cause__ or error}",
            ) from error
        parity = check_parity(model, exported, role)
        if role == "generator" and model.spec.styles:
            for part in (MAPPING, SYNTHESIS):
                compared = check_parity(model.part(part), exported.part(part), part)
                parity[f"{part}_max_abs_error"] = compared["max_abs_error"]
        return OnnxExport(content, parity, 4 * exported.peak)
