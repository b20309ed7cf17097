"""A generator as a function from codes to images, with gradients."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call

from ganzoo.errors import SampleError
from ganzoo.nn import StyleGenerator, in_eval_mode
from ganzoo.runtimes.torch import TorchGenerator
from ganzoo.sampling.samplers import Codes

Space = Literal["z", "w", "w+"]
NOISE = "noise"  # name of the buffers that are noise maps, such as those of a StyleGAN2


class Network:
    """A generator in eval mode, which it leaves unchanged.

    Args:
        model: the generator.
        space: ``z``; ``w``, one for all layers; or ``w+``, one for each layer.

    Attributes:
        device: the device of the weights.
        noise: the noise maps of the synthesis network, (height, width) each, by name.

    Raises:
        SampleError: w is requested of a model without a mapping network.
    """

    def __init__(self, model: TorchGenerator, space: Space) -> None:
        if space != "z" and model.spec.styles is None:
            raise SampleError(
                f"{model.spec.name!r} has no {space}: it has no mapping network, as a StyleGAN "
                "has. Use --space z."
            )
        self.space, self.spec = space, model.spec
        self._model: Any = in_eval_mode(model).network
        parameter = next(model.parameters())
        self.device, self._dtype = parameter.device, parameter.dtype
        self.noise = self._noise_maps()

    def images(self, codes: Tensor, y: Tensor | None, noise: dict[str, Tensor]) -> Tensor:
        """Return images, (n, channels, height, width) in [-1, 1].

        Args:
            codes: (n, latent_dim), (n, dim) or (n, layers, dim) as the space is.
            y: classes (n,), if the model has classes.
            noise: noise maps (n, 1, height, width) in place of those of the model, by name.
        """
        codes = codes.to(self._dtype)
        labels = (y,) if "y" in self.spec.inputs else ()
        if not isinstance(self._model, StyleGenerator):
            return _clamp(self._model(codes, *labels).float())
        if self.space == "z":
            styles = self._model.to_styles(self._model.mapping(codes, *labels))
        else:
            styles = self._styles(codes)
        replaced = {name: maps.to(self._dtype) for name, maps in noise.items()}
        synthesis: Any = self._model.synthesis  # `synthesize` would clamp without gradients
        return _clamp(functional_call(synthesis, replaced, (styles,)).float())

    def to_codes(self, codes: Tensor, y: Tensor | None) -> Codes:
        """Return codes as the inputs of the model."""
        if self.space != "z":
            return Codes(styles=_to_numpy(self._styles(codes)))
        return Codes(_to_numpy(codes), None if y is None else y.cpu().numpy())

    def _styles(self, w: Tensor) -> Tensor:
        """Return one w per layer, without truncation."""
        assert self.spec.styles is not None  # checked at the start
        return w if w.ndim == 3 else w[:, None].expand(-1, self.spec.styles.layers, -1)

    def _noise_maps(self) -> dict[str, Tensor]:
        synthesis = getattr(self._model, "synthesis", None)
        if not isinstance(self._model, StyleGenerator) or not isinstance(synthesis, nn.Module):
            return {}
        return {
            name: buffer.detach().float()
            for name, buffer in synthesis.named_buffers()
            if name.rpartition(".")[2] == NOISE and buffer.ndim == 2
        }


def _clamp(images: Tensor) -> Tensor:
    """Return images in [-1, 1], with the gradients of the images before: a pixel that is beyond
    the range can return to it."""
    return images + (images.clamp(-1, 1) - images).detach()


def _to_numpy(codes: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = np.ascontiguousarray(codes.detach().float().cpu().numpy())
    return array


def to_tensor(array: NDArray[Any], device: torch.device) -> Tensor:
    """Return an array as a tensor of its own on a device."""
    return torch.tensor(array, device=device)
