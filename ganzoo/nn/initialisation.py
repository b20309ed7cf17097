"""Initialisation of weights."""

from __future__ import annotations

from torch import nn


def init_normal(network: nn.Module, std: float = 0.02) -> nn.Module:
    """Draw the weights of a network as DCGAN does, and return it.

    Convolutions and linear layers from N(0, `std`), their biases 0; the scales of BatchNorm from
    N(1, `std`), its shifts 0. "Unsupervised Representation Learning with Deep Convolutional GANs"
    (Radford et al., 2016), section 4, https://arxiv.org/abs/1511.06434.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, std)
            nn.init.zeros_(module.bias)
    return network
