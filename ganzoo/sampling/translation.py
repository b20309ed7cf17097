"""The classes that `load` returns for networks that read images: translators and encoders."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import SampleError, quantity
from ganzoo.sampling import latents
from ganzoo.sampling.arrays import as_pixels
from ganzoo.sampling.images import ImageBatch, to_pixels, to_unit
from ganzoo.sampling.model import Model, check_finite, check_latents, run_in_parts, to_integer
from ganzoo.sampling.sizes import MAX_TILE_MEMORY, WHOLE
from ganzoo.sampling.tiles import Progress, Tiles, choose_side, translate_in_tiles
from ganzoo.spec import ImageSpec, ModelSpec, SizesSpec

Tile = int | Literal["auto"] | None
"""The side of tiles in pixels, ``auto`` by the free memory, or None for none."""


class LargeResultError(SampleError):
    """A result that exceeds the free memory."""


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
        overlap: int | None = None,
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
            overlap: pixels that two tiles share at least, half of them blended; by default twice
                `sizes.reach`, so that the result is that of the whole image, or 32 if the reach is
                not known, see `ganzoo.sampling.tiles`.

        Raises:
            SampleError: there are no images, they have a size that the model does not read, an
                argument is out of range, or the output is not finite.
        """
        seed, start = check_latents(seed, start)
        tiles = self._tiles(tile, overlap)
        shape = self.condition.shape
        pixels = _pixels(images, shape if self.sizes is None else (shape[0], None, None), self.spec)
        return ImageBatch(self._translate(pixels, seed, start, tiles))

    def _translate(
        self,
        pixels: NDArray[Any],
        seed: int,
        start: int,
        tiles: Tiles | None,
        progress: Progress | None = None,
    ) -> NDArray[Any]:
        """Translate images of 8 or 16 bits."""
        shape = self.condition.shape
        n, height, width = pixels.shape[:3]
        arrays: dict[str, NDArray[Any]] = {}
        if self.spec.latent is not None:
            arrays["z"] = latents.normal(seed, n, self.spec.latent.dim, start=start)
        if (height, width) == shape[1:] and (tiles is None or max(height, width) <= tiles.side):
            arrays["condition"] = to_unit(pixels)
            inputs = {name: arrays[name] for name in self.spec.inputs}
            output = check_finite(run_in_parts(self, inputs), self.spec.name)
            return to_pixels(output, pixels.dtype)
        translated = [
            self._translate_any(
                image,
                {name: z[k : k + 1] for name, z in arrays.items()},
                tiles,
                _part_of(progress, k, n),
            )
            for k, image in enumerate(pixels)
        ]
        return translated[0][None] if n == 1 else np.stack(translated)

    def upscale(
        self,
        images: ImageBatch | NDArray[np.uint8],
        *,
        tile: Tile = "auto",
        progress: Progress | None = None,
    ) -> ImageBatch:
        """Enlarge images by `sizes.scale`, or restore them if it is 1.

        Of images with transparency, the network enlarges the colours, and a Lanczos filter the
        transparency. A network of three channels reads a grey image as three equal ones, and a
        network of one channel reads the channels of a colour image one by one.

        Args:
            images: uint8 (n, height, width, channels) of the channels that the network reads, or 1
                for grey, 2 for grey and alpha, 3 for RGB, 4 for RGBA.
            tile: side of the tiles of larger images, see `translate`; None for no tiles; ``auto``
                for tiles if an image needs more than half of the free memory, or 1 GiB.
            progress: called after each tile with the share of the work that is done, up to 1.

        Returns:
            Images of the same kind, or with the channels that the network makes.

        Warns:
            UserWarning: the network combines the whole image, so its tiles differ from it.

        Raises:
            SampleError: there are no images, they have a kind that the model does not read, the
                model reads one size, the tile is too small, or the result exceeds the free memory.
        """
        pixels = images.numpy() if isinstance(images, ImageBatch) else images
        if getattr(pixels, "dtype", None) == np.uint16:
            raise SampleError("the images have 16 bits. Use upscale_array, or pass uint8.")
        return ImageBatch(self.upscale_array(pixels, tile=tile, progress=progress))

    def upscale_array(
        self, pixels: NDArray[Any], *, tile: Tile = "auto", progress: Progress | None = None
    ) -> NDArray[Any]:
        """Enlarge images of 8 or 16 bits as `upscale` does. The network computes in float32.

        Args:
            pixels: uint8 or uint16, (n, height, width, channels).
            tile: as for `upscale`.
            progress: as for `upscale`.

        Returns:
            Pixels of the same type.

        Warns, and raises errors, as `upscale`.
        """
        if self.sizes is None:
            raise SampleError(
                f"{self.spec.name!r} reads images of {self.condition} only, so it cannot enlarge "
                "images of other sizes. Use translate."
            )
        reads, n = self.condition.channels, np.shape(pixels)[-1] if np.ndim(pixels) == 4 else 0
        if n == reads or n not in (1, 2, 3, 4):
            return self._upscale(pixels, tile, progress)
        colours = pixels[..., : n - 1] if n in (2, 4) else pixels
        kinds = colours.shape[-1], reads
        if kinds == (1, 3):
            output = self._upscale(colours.repeat(3, -1), tile, progress)
            output = output[..., :1] if output.shape[-1] == 1 else _to_grey(output)
        elif kinds == (3, 1):
            parts = [
                self._upscale(colours[..., k : k + 1], tile, _part_of(progress, k, 3))
                for k in range(3)
            ]
            output = np.concatenate(parts, -1)
        else:  # the channels that the model reads; others are refused
            output = self._upscale(colours, tile, progress)
        if n in (2, 4):
            alpha = _resize(pixels[..., -1], output.shape[1:3])
            output = np.concatenate([output, alpha[..., None]], -1)
        return output

    def _upscale(self, pixels: NDArray[Any], tile: Tile, progress: Progress | None) -> NDArray[Any]:
        """Enlarge images of the channels that the network reads."""
        assert self.sizes is not None
        reads = self.condition.channels, None, None
        pixels = as_pixels(pixels, reads, self.spec.name, ("uint8", "uint16"))
        n, height, width, _ = pixels.shape
        side = self.choose_tile(height, width, tile)
        channels, scale = self.spec.data.image.channels, self.sizes.scale
        needs = n * height * width * channels * scale**2 * pixels.itemsize
        result = f"the result of {quantity(n, 'image')} of {height}x{width} pixels takes "
        result += f"{needs / 2**30:.1f} GiB"
        if needs > (free := self.free_memory()):
            raise LargeResultError(
                f"{result}, and {free / 2**30:.1f} GiB are free. Pass smaller or fewer images."
            )
        if side is not None and self.sizes.reach is None:
            warnings.warn(
                f"{self.spec.name!r} combines the whole image, or its reach is not measured, so "
                f"tiles differ from the whole image at their borders. They are blended.",
                stacklevel=3,
            )
        try:
            return self._translate(pixels, 0, 0, self._tiles(side, None), progress)
        except MemoryError as error:  # the tiles take some, too
            raise LargeResultError(
                f"{result}, which is too much beside the images and their tiles. Pass smaller or "
                "fewer images."
            ) from error

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
        memory = min(self.free_memory() // 2, MAX_TILE_MEMORY) // self.memory_factor
        if sides[0] * sides[1] <= (memory // sizes.memory if sizes.memory else WHOLE):
            return None
        side = choose_side(memory, sizes)
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
        self,
        image: NDArray[Any],
        z: Mapping[str, NDArray[Any]],
        tiles: Tiles | None,
        progress: Progress | None,
    ) -> NDArray[Any]:
        """Translate one image of any size."""
        assert self.sizes is not None  # else the size is that of the training
        scale = self.sizes.scale
        height, width = image.shape[:2]
        padding = [(0, self.sizes.padded(side) - side) for side in (height, width)]
        if any(after for _, after in padding):
            image = np.pad(image, (*padding, (0, 0)), "reflect")

        def run(part: NDArray[Any]) -> NDArray[np.float32]:
            arrays = {**z, "condition": to_unit(part[None])}
            inputs = {name: arrays[name] for name in self.spec.inputs}
            output: NDArray[np.float32] = check_finite(self.run(inputs), self.spec.name)[0]
            return output

        if tiles is None:
            tiles = Tiles(max(image.shape))
        output = translate_in_tiles(run, image, tiles, scale, progress)
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


def _part_of(progress: Progress | None, k: int, n: int) -> Progress | None:
    """Return the progress of part k of n."""
    return None if progress is None else lambda share: progress((k + share) / n)


def _to_grey(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return the luma of colour images, (n, height, width, 1), by the weights of ITU-R BT.601."""
    weights = np.array([19595, 38470, 7471], np.uint32)  # of 2**16, as in Pillow
    sums = np.einsum("...c,c->...", pixels, weights, dtype=np.uint32)  # buffers the conversion
    luma: NDArray[Any] = ((sums + 2**15) >> 16).astype(pixels.dtype)
    return luma[..., None]


def _resize(pixels: NDArray[Any], size: tuple[int, ...]) -> NDArray[Any]:
    """Return grey images (n, height, width) of another size, by a Lanczos filter."""
    from PIL import Image

    shape, largest = (size[1], size[0]), np.iinfo(pixels.dtype).max
    values = pixels if pixels.dtype == np.uint8 else pixels.astype(np.float32)
    resized = [
        np.asarray(Image.fromarray(each).resize(shape, Image.Resampling.LANCZOS)) for each in values
    ]
    return np.stack(resized).round().clip(0, largest).astype(pixels.dtype)


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
