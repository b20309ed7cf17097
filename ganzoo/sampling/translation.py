"""The classes that `load` returns for networks that read images: translators and encoders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import SampleError
from ganzoo.sampling import latents
from ganzoo.sampling.arrays import as_pixels
from ganzoo.sampling.images import ImageBatch
from ganzoo.sampling.model import Model, check_finite, check_latents, run_in_parts, to_integer
from ganzoo.sampling.sizes import OVERLAP
from ganzoo.sampling.tiles import Tiles, translate_in_tiles
from ganzoo.spec import ImageSpec, ModelSpec, SizesSpec


class Translator(Model):
    """A model that translates images, with random latents if it reads any."""

    @property
    def condition(self) -> ImageSpec:
        """Size of the input images of the training."""
        assert self.spec.data.condition is not None  # guaranteed by the spec of a translator
        return self.spec.data.condition

    @property
    def sizes(self) -> SizesSpec | None:
        """The sizes of input images besides `condition`; None if there are no others."""
        return self.spec.sizes

    def translate(
        self,
        images: ImageBatch | NDArray[np.uint8],
        seed: int = 0,
        *,
        start: int = 0,
        tile: int | None = None,
        overlap: int | None = OVERLAP,
    ) -> ImageBatch:
        """Translate images. Their sides are multiplied by `sizes.scale`.

        Args:
            images: uint8 (n, height, width, channels). Their height and width are those of
                `condition`, or any if the model has `sizes`: images are then padded by reflection
                to a multiple, and the translations are cropped back.
            seed: seed of the latents, if the model reads any, 0 to 2**64 - 1.
            start: number of the first latent: image k has latent start + k of the seed.
            tile: translate images with a side of more pixels in overlapping tiles of this side,
                rounded up to a multiple of `sizes`, to limit the memory; by default images are
                translated whole. A network that normalises by the statistics of an image, or sees
                farther than a quarter of the overlap, translates tiles in another way than the
                whole image.
            overlap: pixels that two tiles share at least, half of them blended; None for twice
                `sizes.reach`, so that the result is that of the whole image, see
                `ganzoo.sampling.tiles`.

        Raises:
            SampleError: there are no images, they have a size that the model does not read, an
                argument is out of range, or the output is not finite.
        """
        seed, start = check_latents(seed, start)
        tiles = self._tiles(tile, overlap)
        shape = self.condition.shape
        pixels = _pixels(images, shape if self.sizes is None else (shape[0], None, None), self.spec)
        n, height, width = pixels.shape[:3]
        arrays: dict[str, NDArray[Any]] = {}
        if self.spec.latent is not None:
            arrays["z"] = latents.normal(seed, n, self.spec.latent.dim, start=start)
        if (height, width) == shape[1:] and (tiles is None or max(height, width) <= tiles.side):
            arrays["condition"] = ImageBatch(pixels).to_unit()
            inputs = {name: arrays[name] for name in self.spec.inputs}
            return ImageBatch.from_unit(check_finite(run_in_parts(self, inputs), self.spec.name))
        translated = [
            self._translate_any(image, {name: z[k : k + 1] for name, z in arrays.items()}, tiles)
            for k, image in enumerate(pixels)
        ]
        return ImageBatch(translated[0][None] if n == 1 else np.stack(translated))

    def _tiles(self, tile: int | None, overlap: int | None) -> Tiles | None:
        if tile is None:
            return None
        if self.sizes is None:
            raise SampleError(
                f"{self.spec.name!r} reads images of {self.condition} only, so it cannot translate "
                "tiles. Omit the tile."
            )
        pixels = None if overlap is None else to_integer("overlap", overlap)
        return Tiles.of(to_integer("tile", tile), pixels, self.sizes)

    def _translate_any(
        self, image: NDArray[np.uint8], z: Mapping[str, NDArray[Any]], tiles: Tiles | None
    ) -> NDArray[np.uint8]:
        """Translate one image of any size."""
        assert self.sizes is not None  # else the size is that of the training
        scale = self.sizes.scale
        height, width = image.shape[:2]
        padding = [(0, self.sizes.padded(side) - side) for side in (height, width)]
        padded = np.pad(image, (*padding, (0, 0)), "reflect")

        def run(part: NDArray[np.uint8]) -> NDArray[np.float32]:
            arrays = {**z, "condition": ImageBatch(part[None]).to_unit()}
            inputs = {name: arrays[name] for name in self.spec.inputs}
            output: NDArray[np.float32] = check_finite(self.run(inputs), self.spec.name)[0]
            return output

        if tiles is None:
            tiles = Tiles(max(padded.shape))
        output = translate_in_tiles(run, padded, tiles, scale)
        return output[: scale * height, : scale * width]


class Encoder(Model):
    """A model that encodes images as latents."""

    def encode(self, images: ImageBatch | NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return latents, float32 (n, latent_dim); the mean if the encoder returns a distribution.

        Args:
            images: uint8 (n, height, width, channels) of size `spec.data.image`.

        Raises:
            SampleError: there are no images, they have the wrong size, or a latent is not finite.
        """
        x = _to_unit(images, self.spec.data.image.shape, self.spec)
        return check_finite(run_in_parts(self, {"images": x}), self.spec.name)


def _to_unit(
    images: ImageBatch | NDArray[np.uint8], shape: tuple[int, int, int], spec: ModelSpec
) -> NDArray[np.float32]:
    return ImageBatch(_pixels(images, shape, spec)).to_unit()


def _pixels(
    images: ImageBatch | NDArray[np.uint8],
    shape: tuple[int, int | None, int | None],
    spec: ModelSpec,
) -> NDArray[np.uint8]:
    pixels = images.numpy() if isinstance(images, ImageBatch) else images
    return as_pixels(pixels, shape, spec.name)
