"""Initialisation and normalisation of weights."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize

from ganzoo.errors import ArchitectureError

LAYERS = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
WEIGHTED = (*LAYERS, nn.Embedding)


def init_normal(network: nn.Module, std: float = 0.02) -> nn.Module:
    """Initialise the weights of a network as DCGAN does, and return the network.

    Weights of convolutions, linear layers and embeddings are N(0, `std`), with biases 0. Scales of
    BatchNorm are N(1, `std`), with shifts 0. "Unsupervised Representation Learning with Deep
    Convolutional GANs" (Radford et al., 2016), section 4, https://arxiv.org/abs/1511.06434.
    """
    for module in network.modules():
        if isinstance(module, WEIGHTED):
            nn.init.normal_(_weight(module), 0.0, std)
            _zero_bias(module)
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) and module.affine:
            nn.init.normal_(module.weight, 1.0, std)
            nn.init.zeros_(module.bias)
    return network


def init_orthogonal(network: nn.Module) -> nn.Module:
    """Initialise the weights of a network to orthogonal matrices, and return the network.

    This applies to convolutions and linear layers, with biases 0. Embeddings do not change: they
    are not linear maps, whose norms the initialisation preserves.

    "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks" (Saxe et
    al., 2014), https://arxiv.org/abs/1312.6120.
    """
    for module in network.modules():
        if isinstance(module, LAYERS):
            nn.init.orthogonal_(_weight(module))
            _zero_bias(module)
    return network


def add_spectral_norm(network: nn.Module) -> nn.Module:
    """Add spectral normalisation to all layers of a network, and return the network.

    Each weight is divided by its largest singular value, estimated with one power iteration for
    each forward pass. Layers that are already normalised do not change. "Spectral Normalization for
    Generative Adversarial Networks" (Miyato et al., 2018), https://arxiv.org/abs/1802.05957.

    Raises:
        ArchitectureError: a weight is zero, for example at the end of a residual block, so its
            largest singular value is 0.
    """
    for name, module in list(network.named_modules()):
        if isinstance(module, WEIGHTED) and not parametrize.is_parametrized(module, "weight"):
            if not module.weight.is_meta and not module.weight.any():
                raise ArchitectureError(
                    f"cannot apply spectral normalisation to {name or type(module).__name__!r}: "
                    "its weights are initialised to zero, and so is their largest singular value. "
                    "Leave out --spectral-norm, or use --initialisation orthogonal."
                )
            parametrizations.spectral_norm(module)
    return network


def normalised(name: str) -> str:
    """Return the name of a tensor in `state_dict` after spectral normalisation."""
    module, _, weight = name.rpartition(".")
    return f"{module}.parametrizations.{weight}.original".removeprefix(".")


def _zero_bias(module: nn.Module) -> None:
    if isinstance(bias := getattr(module, "bias", None), Tensor):
        nn.init.zeros_(bias)


def _weight(module: nn.Module) -> Tensor:
    """Return the trained weight, from which spectral normalisation computes `module.weight`."""
    parametrized = parametrize.is_parametrized(module, "weight")
    return module.get_parameter("parametrizations.weight.original" if parametrized else "weight")
