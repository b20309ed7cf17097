"""Tables of operators that torch's exporter builds once per process here, not once per export."""

from __future__ import annotations

import functools
import sys

REGISTRATION = "torch.onnx._internal.exporter._registration"


def share_operators() -> None:
    """Keep the tables that take half the time of a small export; no test changes them.

    One maps torch's operators to functions that write ONNX nodes. The other lists the operators of
    torch's own libraries. Nothing happens before torch's exporter is imported.
    """
    if (registration := sys.modules.get(REGISTRATION)) is None:
        return
    from torch._export import utils

    registry = registration.ONNXRegistry
    if not hasattr(registry.from_torchlib, "cache_info"):
        registry.from_torchlib = staticmethod(functools.cache(registry.from_torchlib))
        utils._materialize_cpp_cia_ops = functools.cache(utils._materialize_cpp_cia_ops)
