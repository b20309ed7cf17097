"""The classes that `load` returns for networks that read images: translators and encoders."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.sampling import latents
from ganzoo.sampling.arrays import as_pixels
from ganzoo.sampling.images import ImageBatch
from ganzoo.sampling.model import Model, check_finite, check_latents, run_in_parts
from ganzoo.spec import ImageSpec


class Translator(Model):
    """A model that translates images, with random latents if it reads any."""

    @property
    def condition(self) -> ImageSpec:
        """Size of the input images."""
        assert self.spec.data.condition is not None  # guaranteed by the spec of a translator
        return self.spec.data.condition

    def translate(
        self, images: ImageBatch | NDArray[np.uint8], seed: int = 0, *, start: int = 0
    ) -> ImageBatch:
        """Translate images.

        Args:
            images: uint8 (n, height, width, channels) of size `condition`.
            seed: seed of the latents, if the model reads any, 0 to 2**64 - 1.
            start: number of the first latent: image k has latent start + k of the seed.

        Raises:
            SampleError: there are no images, they have the wrong size, an argument is out of
                range, or the output is not finite.
        """
        seed, start = check_latents(seed, start)
        x = _to_unit(images, self.condition.shape, self.spec.name)
        arrays: dict[str, NDArray[Any]] = {"condition": x}
        if self.spec.latent is not None:
            arrays["z"] = latents.normal(seed, len(x), self.spec.latent.dim, start=start)
        inputs = {name: arrays[name] for name in self.spec.inputs}
        return ImageBatch.from_unit(check_finite(run_in_parts(self, inputs), self.spec.name))


class Encoder(Model):
    """A model that encodes images as latents."""

    def encode(self, images: ImageBatch | NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return latents, float32 (n, latent_dim); the mean if the encoder returns a distribution.

        Args:
            images: uint8 (n, height, width, channels) of size `spec.data.image`.

        Raises:
            SampleError: there are no images, they have the wrong size, or a latent is not finite.
        """
        x = _to_unit(images, self.spec.data.image.shape, self.spec.name)
        return check_finite(run_in_parts(self, {"images": x}), self.spec.name)


def _to_unit(
    images: ImageBatch | NDArray[np.uint8], shape: tuple[int, int, int], name: str
) -> NDArray[np.float32]:
    pixels = images.numpy() if isinstance(images, ImageBatch) else images
    return ImageBatch(as_pixels(pixels, shape, name)).to_unit()
