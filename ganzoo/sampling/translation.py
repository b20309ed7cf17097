"""The classes that `load` returns for networks that read images: translators and encoders."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import SampleError, quantity
from ganzoo.sampling import latents
from ganzoo.sampling.arrays import as_pixels
from ganzoo.sampling.images import ImageBatch
from ganzoo.sampling.model import Model, check_finite, check_latents, run_in_parts, to_integer
from ganzoo.sampling.sizes import MAX_TILE_MEMORY, OVERLAP, TILE, WHOLE
from ganzoo.sampling.tiles import Tiles, translate_in_tiles
from ganzoo.spec import ImageSpec, ModelSpec, SizesSpec

Tile = int | Literal["auto"] | None
"""The side of tiles in pixels, ``auto`` by the free memory, or None for none."""


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

    def upscale(self, images: ImageBatch | NDArray[np.uint8], *, tile: Tile = "auto") -> ImageBatch:
        """Enlarge images by `sizes.scale`, or restore them if it is 1.

        Of images with transparency, the network enlarges the colours, and a Lanczos filter the
        transparency. A network of three channels reads a grey image as three equal ones, and a
        network of one channel reads the channels of a colour image one by one.

        Args:
            images: uint8 (n, height, width, channels) of the channels that the network reads, or 1
                for grey, 2 for grey and alpha, 3 for RGB, 4 for RGBA.
            tile: side of the tiles of larger images, see `translate`; None for no tiles; ``auto``
                for tiles if an image needs more than half of the free memory, or 2 GiB.

        Returns:
            Images of the same kind, or with the channels that the network makes.

        Warns:
            UserWarning: the network combines the whole image, so its tiles differ from it.

        Raises:
            SampleError: there are no images, they have a kind that the model does not read, the
                model reads one size, the tile is too small, or the result exceeds the free memory.
        """
        if self.sizes is None:
            raise SampleError(
                f"{self.spec.name!r} reads images of {self.condition} only, so it cannot enlarge "
                "images of other sizes. Use translate."
            )
        pixels = images.numpy() if isinstance(images, ImageBatch) else images
        reads, n = self.condition.channels, np.shape(pixels)[-1] if np.ndim(pixels) == 4 else 0
        if n == reads or n not in (1, 2, 3, 4):
            return self._upscale(pixels, tile)
        colours = pixels[..., : n - 1] if n in (2, 4) else pixels
        kinds = colours.shape[-1], reads
        if kinds == (1, 3):
            output = self._upscale(colours.repeat(3, -1), tile).numpy()
            output = output[..., :1] if output.shape[-1] == 1 else _to_grey(output)
        elif kinds == (3, 1):
            parts = [self._upscale(colours[..., k : k + 1], tile).numpy() for k in range(3)]
            output = np.concatenate(parts, -1)
        else:  # the channels that the model reads; others are refused
            output = self._upscale(colours, tile).numpy()
        if n in (2, 4):
            alpha = _resize(pixels[..., -1], output.shape[1:3])
            output = np.concatenate([output, alpha[..., None]], -1)
        return ImageBatch(output)

    def _upscale(self, pixels: NDArray[np.uint8], tile: Tile) -> ImageBatch:
        """Enlarge images of the channels that the network reads."""
        assert self.sizes is not None
        side = tile
        if np.ndim(pixels) == 4:
            height, width = pixels.shape[1:3]
            side = self.choose_tile(height, width, tile)
            needs = self.sizes.scale**2 * height * width * self.spec.data.image.channels
            if len(pixels) * needs > (free := self.free_memory()):
                raise SampleError(
                    f"the result of {quantity(len(pixels), 'image')} of {height}x{width} "
                    "pixels takes "
                    f"{len(pixels) * needs / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB are free. "
                    "Pass smaller or fewer images."
                )
        if side is not None and self.sizes.reach is None:
            warnings.warn(
                f"{self.spec.name!r} combines the whole image, or its reach is not measured, so "
                f"tiles differ from the whole image at their borders. They are blended.",
                stacklevel=3,
            )
        return self.translate(pixels, tile=None if side == "auto" else side, overlap=None)

    def choose_tile(self, height: int, width: int, tile: Tile) -> int | None:
        """Return the side of the tiles of an image, or None if it is translated whole.

        Args:
            height: height of the image.
            width: width of the image.
            tile: as for `upscale`.

        Raises:
            SampleError: the tile is no integer and not ``auto``.
        """
        sizes = self.sizes
        if sizes is None or tile is None or tile == 0:
            return None
        if tile != "auto":
            side = to_integer("tile", tile)
            return side if max(height, width) > sizes.padded(side) else None
        sides = sizes.padded(height), sizes.padded(width)
        if sizes.memory is None:
            side = TILE if height * width > WHOLE else max(sides)
        else:
            pixels = min(self.free_memory() // 2, MAX_TILE_MEMORY) // sizes.memory
            if sides[0] * sides[1] <= pixels:
                return None
            side = math.isqrt(pixels) // sizes.multiple * sizes.multiple
        overlap = OVERLAP if sizes.reach is None else 2 * sizes.reach
        side = max(side, sizes.padded(overlap + sizes.padded(max(overlap, 1))))
        return side if max(sides) > side else None

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


def _to_grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the luma of colour images, (n, height, width, 1)."""
    from PIL import Image

    return np.stack([np.asarray(Image.fromarray(p).convert("L"))[..., None] for p in pixels])


def _resize(pixels: NDArray[np.uint8], size: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return grey images (n, height, width) of another size, by a Lanczos filter."""
    from PIL import Image

    shape = size[1], size[0]
    return np.stack(
        [np.asarray(Image.fromarray(p).resize(shape, Image.Resampling.LANCZOS)) for p in pixels]
    )


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
