"""The memory format of networks in training."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.instancenorm import _InstanceNorm


def set_memory_format(network: nn.Module, channels_last: bool) -> nn.Module:
    """Store the weights of a network channels last, or contiguously, and return the network.

    On CPUs, torch's gradient of the instance normalisation of one sample is wrong if the gradient
    of its output is channels last. So this gradient is stored contiguously.
    """
    for module in network.modules():
        if isinstance(module, _InstanceNorm):
            module.register_forward_hook(_with_contiguous_gradient)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    return network.to(memory_format=layout)


def _with_contiguous_gradient(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
    if not output.requires_grad:
        return output
    return _ContiguousGradient.apply(output)  # type: ignore[no-any-return]


class _ContiguousGradient(torch.autograd.Function):
    """The identity, whose gradient is stored contiguously."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient.contiguous()
