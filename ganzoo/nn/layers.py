"""The layers of a discriminator, in the order in which they read the image."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn
from torch.nn.utils import parametrize


def layers_from_image(discriminator: nn.Module) -> list[list[nn.Parameter]]:
    """Return the parameters of each layer of a discriminator, the one next to the image first.

    A layer is a module with a matrix or a kernel, and the modules after it that have only vectors
    and scalars, such as BatchNorm. Modules are in the order in which the network registers them. A
    network that uses them in another order has a method `modules_from_image`, which returns them;
    none if it reads no image.

    Args:
        discriminator: the network.
    """
    layers: list[list[nn.Parameter]] = []
    known: set[int] = set()  # modules may share parameters
    for parameters in _by_module(discriminator):
        own = [weight for weight in parameters if id(weight) not in known]
        known |= {id(weight) for weight in own}
        if layers and (not any(w.dim() > 1 for w in own) or not _has_kernel(layers[-1])):
            layers[-1] += own
        elif own:
            layers.append(own)
    return layers


def reads_images(network: nn.Module) -> bool:
    """Return whether a network has layers that read an image, as every discriminator has.

    FastGAN's decoder has none, because it reads maps of the discriminator.
    """
    return bool(layers_from_image(network))


def _has_kernel(layer: list[nn.Parameter]) -> bool:
    return any(weight.dim() > 1 for weight in layer)


def _by_module(module: nn.Module) -> Iterator[list[nn.Parameter]]:
    """Yield the parameters of each module."""
    if parametrize.is_parametrized(module):  # such as by spectral normalisation
        yield list(module.parameters())
        return
    yield list(module.parameters(recurse=False))
    ordered = getattr(module, "modules_from_image", module.children)
    for part in ordered():
        yield from _by_module(part)
