"""Initialisation and normalisation of weights."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize

from ganzoo.errors import ArchitectureError

LAYERS = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
WEIGHTED = (*LAYERS, nn.Embedding)


def init_normal(network: nn.Module, std: float = 0.02) -> nn.Module:
    """Draw the weights of a network as DCGAN does, and return it.

    Convolutions, linear layers and embeddings from N(0, `std`), biases 0; the scales of BatchNorm
    from N(1, `std`), its shifts 0. "Unsupervised Representation Learning with Deep Convolutional
    GANs" (Radford et al., 2016), section 4, https://arxiv.org/abs/1511.06434.
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
    """Make the weights of convolutions and linear layers orthogonal, biases 0; return the network.

    Embeddings stay: they are no maps from inputs to outputs, whose lengths it would keep.

    "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks" (Saxe et
    al., 2014), https://arxiv.org/abs/1312.6120.
    """
    for module in network.modules():
        if isinstance(module, LAYERS):
            nn.init.orthogonal_(_weight(module))
            _zero_bias(module)
    return network


def add_spectral_norm(network: nn.Module) -> nn.Module:
    """Divide each weight by its largest singular value, as one power iteration a pass finds it.

    "Spectral Normalization for Generative Adversarial Networks" (Miyato et al., 2018),
    https://arxiv.org/abs/1802.05957. Layers that have it already keep it. Returns the network.

    Raises:
        ArchitectureError: a weight that is zero, as residual blocks may begin: it has nothing to be
            divided by.
    """
    for name, module in list(network.named_modules()):
        if isinstance(module, WEIGHTED) and not parametrize.is_parametrized(module, "weight"):
            if not module.weight.is_meta and not module.weight.any():
                raise ArchitectureError(
                    f"spectral normalisation divides weights by their largest singular value, and "
                    f"{name or type(module).__name__!r} begins at zero: leave out --spectral-norm, "
                    "or give all weights values (--initialisation orthogonal)."
                )
            parametrizations.spectral_norm(module)
    return network


def _zero_bias(module: nn.Module) -> None:
    if isinstance(bias := getattr(module, "bias", None), Tensor):
        nn.init.zeros_(bias)


def _weight(module: nn.Module) -> Tensor:
    """The weight that is learnt: under spectral norm `module.weight` is computed from it."""
    parametrized = parametrize.is_parametrized(module, "weight")
    return module.get_parameter("parametrizations.weight.original" if parametrized else "weight")
