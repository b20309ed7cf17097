"""What `load` returns: what makes, translates and encodes images, alike on both runtimes."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import SampleError, did_you_mean, enumerate_names
from ganzoo.sampling import latents
from ganzoo.sampling.images import ImageBatch
from ganzoo.spec import ImageSpec, ModelSpec

# Images are computed this many at a time, always: a kernel may round differently at another batch
# size, and image k of a seed must not depend on how many images were asked for with it.
COMPUTE_BATCH = 16

SAMPLES = "samples.png"
MANIFOLD = "manifold.png"  # what a generator makes of a plane of latents

MAX_SAMPLES = 1_000_000
MAX_PIXELS = 2**32  # bytes that the images of one call may take: a call keeps all of them
MAX_BATCH = 4_096  # latents in one run of a network, which keeps every layer's maps of all of them
PREVIEW = 64  # images in a model's picture: numbers 0 to 63 of seed 0, uncurated
PREVIEW_CLASSES = 10  # rows of the picture of a model with classes
PREVIEW_COLUMNS = 10

Label = int | str
PathKind = Literal["spherical", "linear"]


class Model(ABC):
    """A network of a bundle.

    Attributes:
        spec: what the model is and where it comes from.
    """

    spec: ModelSpec

    @abstractmethod
    def run(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Run the network on arrays by name, all with the same first dimension."""

    def accelerate(self, local_rank: int = 0) -> None:  # noqa: B027 - a runtime may have no GPU
        """Move to this machine's GPU of that number, where the runtime can use one."""


class Generator(Model):
    """A model that makes images out of latents, and of labels where it has classes."""

    def generate(
        self, z: NDArray[np.float32], y: NDArray[np.int64] | None = None
    ) -> NDArray[np.float32]:
        """Run the network: (n, latent_dim), (n,) -> (n, channels, height, width) in [-1, 1].

        Args:
            z: latents.
            y: classes' numbers, where the model has classes.

        Raises:
            SampleError: arrays of another shape, no labels, or labels that do not exist; more
                than 4,096 latents, which `decode` takes.
        """
        self._check(z, y)
        if len(z) > MAX_BATCH:
            raise SampleError(
                f"cannot run a batch of {len(z):,}: one is up to {MAX_BATCH:,} latents. "
                "decode(z) takes any number, in parts."
            )
        given: dict[str, NDArray[Any]] = {"z": z}
        if y is not None:
            given["y"] = np.asarray(y).astype(np.int64)
        return self.run({name: given[name] for name in self.spec.inputs})

    def sample(
        self,
        n: int = 1,
        seed: int = 0,
        *,
        label: Label | Sequence[Label] | None = None,
        start: int = 0,
    ) -> ImageBatch:
        """Make `n` images.

        Image k of a seed depends on that seed, its label and k only: not on `n`, device or runtime
        (two runtimes or devices may round a pixel to neighbouring levels of 255).

        Args:
            n: number of images, 1 to 1,000,000.
            seed: 0 to 2**64 - 1.
            label: a class's number or name for all images, or one for each; by default image k is
                of class k modulo the number of classes. Only for models with classes.
            start: number of the first image, so that a long series can be made in parts.

        Raises:
            SampleError: an argument out of its range, a label that does not exist, or weights that
                make what is no number.
        """
        if not 1 <= n <= MAX_SAMPLES:
            raise SampleError(f"cannot sample {n} images: n is 1 to {MAX_SAMPLES:,} a call.")
        if (size := n * math.prod(self.spec.data.image.shape)) > MAX_PIXELS:
            raise SampleError(
                f"{n:,} images of {self.spec.data.image} take {size / 2**30:,.0f} GiB, a call "
                f"makes up to {MAX_PIXELS / 2**30:.0f}. Ask for parts with start; "
                "`ganzoo sample --out FOLDER` writes them so, each of --shard-size."
            )
        _check_latents(seed, start)
        skip = start % COMPUTE_BATCH  # so that image k always is row k % COMPUTE_BATCH
        first, end = start - skip, start + n
        blocks = range(first, end, COMPUTE_BATCH)
        dim = self._latent_dim
        z = np.concatenate([latents.normal(seed, COMPUTE_BATCH, dim, start=k) for k in blocks])
        y = self.labels(n, label=label, start=start)
        if y is not None:
            y = np.pad(y, (skip, len(z) - skip - n))
        return ImageBatch(self._in_blocks(z, y)[skip : skip + n])

    def labels(
        self, n: int = 1, *, label: Label | Sequence[Label] | None = None, start: int = 0
    ) -> NDArray[np.int64] | None:
        """Return the classes' numbers of the images that `sample` makes, None without classes.

        Raises:
            SampleError: a label that does not exist.
        """
        if "y" not in self.spec.inputs:
            self._refuse_labels(label)
            return None
        if label is None:
            return np.arange(start, start + n) % self.spec.data.classes
        if isinstance(label, int | np.integer | str):
            y = np.full(n, self._number(label))
        else:
            y = np.array([self._number(each) for each in _as_list(label)])
            if len(y) != n:
                raise SampleError(f"{len(y)} labels were given for {n} images.")
        self._check_labels(y)
        return y

    def class_grid(self, columns: int = PREVIEW_COLUMNS, seed: int = 0) -> ImageBatch:
        """Make a row of each class; a column shares one latent.

        Raises:
            SampleError: a model without classes, or an argument out of its range.
        """
        if "y" not in self.spec.inputs:
            self._refuse_labels(0)
        rows = [self.sample(columns, seed, label=c) for c in range(self.spec.data.classes)]
        return ImageBatch(np.concatenate([row.numpy() for row in rows]), columns)

    def preview(self) -> ImageBatch:
        """Make the picture that stands for the model: uncurated samples of seed 0."""
        if "y" in self.spec.inputs and self.spec.data.classes <= PREVIEW_CLASSES:
            return self.class_grid()
        return self.sample(PREVIEW, seed=0)

    def preview_images(self) -> dict[str, ImageBatch]:
        """Make the pictures of a bundle, by file name: the preview, and the plane of latents."""
        found = {SAMPLES: self.preview()}
        return found | ({MANIFOLD: self.manifold()} if self._latent_dim == 2 else {})

    def decode(self, z: NDArray[np.float32], y: NDArray[np.int64] | None = None) -> ImageBatch:
        """Make images out of latents, float32 (n, latent_dim), computed as `sample` computes them.

        Args:
            z: latents.
            y: classes' numbers (n,), where the model has classes.

        Raises:
            SampleError: as for `generate`.
        """
        self._check(z, y)
        padding = -len(z) % COMPUTE_BATCH
        padded = np.pad(z, ((0, padding), (0, 0)))
        images = self._in_blocks(padded, None if y is None else np.pad(y, (0, padding)))
        return ImageBatch(images[: len(z)])

    def interpolate(
        self,
        seed_a: int,
        seed_b: int,
        steps: int = 8,
        *,
        label: Label | None = None,
        path: PathKind = "spherical",
    ) -> ImageBatch:
        """Make `steps` images on the way from image 0 of one seed to image 0 of another.

        Args:
            seed_a: where it begins.
            seed_b: where it ends.
            steps: number of images.
            label: the class of all of them, 0 by default. Only for models with classes.
            path: the arc between the two latents, or the straight line.

        Raises:
            SampleError: fewer than 2 steps, a seed out of range, a label that does not exist.
        """
        if not all(0 <= seed < 2**64 for seed in (seed_a, seed_b)):
            raise SampleError(f"cannot interpolate {seed_a} -> {seed_b}: a seed is 0 to 2**64 - 1.")
        a, b = (latents.normal(seed, 1, self._latent_dim)[0] for seed in (seed_a, seed_b))
        return self.interpolate_latents(a, b, steps, label=label, path=path)

    def interpolate_latents(
        self,
        a: NDArray[np.float32],
        b: NDArray[np.float32],
        steps: int = 8,
        *,
        label: Label | None = None,
        path: PathKind = "spherical",
    ) -> ImageBatch:
        """Make `steps` images on the way from one latent to another, both float32 (latent_dim,).

        Args:
            a: where it begins, such as an encoder's latent of an image.
            b: where it ends.
            steps: as for `interpolate`, and so the others.
            label: the class of all of them.
            path: the arc or the straight line.

        Raises:
            SampleError: as for `interpolate`; latents of another length.
        """
        if not 2 <= steps <= MAX_SAMPLES or path not in latents.PATHS:
            raise SampleError(
                f"cannot interpolate in {steps} steps on a {path!r} path: there are 2 to "
                f"{MAX_SAMPLES:,} steps, and the paths {enumerate_names(latents.PATHS)}."
            )
        z = latents.PATHS[path](a, b, np.linspace(0, 1, steps, dtype=np.float32))
        has_classes = "y" in self.spec.inputs
        y = self.labels(steps, label=0 if label is None and has_classes else label)
        return ImageBatch(self.decode(z, y).numpy(), steps)

    def manifold(self, steps: int = 20) -> ImageBatch:
        """Make the picture of a plane of latents: `steps` x `steps` images.

        Both coordinates run through equally likely values of N(0, 1), the second from top to
        bottom ("Auto-Encoding Variational Bayes", Kingma and Welling, 2013, figure 4,
        https://arxiv.org/abs/1312.6114).

        Raises:
            SampleError: latents of another length than 2, or steps outside 2 to 100.
        """
        if self._latent_dim != 2 or not 2 <= steps <= 100:
            raise SampleError(
                f"{self.spec.name!r} has latents of length {self._latent_dim}; a plane of 2 to 100 "
                f"steps (here {steps}) takes length 2."
            )
        quantiles = [NormalDist().inv_cdf((k + 0.5) / steps) for k in range(steps)]
        z = np.array([(x, y) for y in quantiles for x in quantiles], dtype=np.float32)
        y = np.zeros(len(z), np.int64) if "y" in self.spec.inputs else None
        return ImageBatch(self.decode(z, y).numpy(), steps)

    @property
    def _latent_dim(self) -> int:
        assert self.spec.latent is not None  # the spec of a generator says so
        return self.spec.latent.dim

    def _check(self, z: NDArray[np.float32], y: NDArray[np.int64] | None) -> None:
        dim = self._latent_dim
        if z.ndim != 2 or z.shape[1] != dim or not len(z):
            raise SampleError(
                f"{self.spec.name!r} reads latents of shape (n, {dim}), not {tuple(z.shape)}."
            )
        if "y" not in self.spec.inputs:
            self._refuse_labels(y)
            return
        y = np.asarray(y)
        if y.shape != z.shape[:1] or y.dtype.kind not in "iu":
            raise SampleError(
                f"{self.spec.name!r} reads a label with each latent: y of whole numbers, (n,)."
            )
        self._check_labels(y)

    def _in_blocks(self, z: NDArray[np.float32], y: NDArray[np.int64] | None) -> NDArray[np.uint8]:
        parts = []
        for k in range(0, len(z), COMPUTE_BATCH):
            block = slice(k, k + COMPUTE_BATCH)
            images = self.generate(z[block], None if y is None else y[block])
            parts.append(_as_images(images, self.spec.name).numpy())
        return np.concatenate(parts)

    def _number(self, label: Label) -> int:
        names = self.spec.data.labels
        if isinstance(label, bool) or not isinstance(label, int | np.integer | str):
            raise SampleError(f"{label!r} is no label: a label is a class's number or name.")
        if isinstance(label, str) and label in names:
            return names.index(label)
        if isinstance(label, str) and not label.isdecimal():
            raise SampleError(
                f"{self.spec.name!r} has no class {label!r}.{did_you_mean(label, names)} "
                f"Its classes: {enumerate_names(names)}."
            )
        return int(label)

    def _check_labels(self, y: NDArray[np.int64]) -> None:
        classes = self.spec.data.classes
        wrong = y[(y < 0) | (y >= classes)]
        if wrong.size:
            raise SampleError(
                f"{self.spec.name!r} has no class {wrong[0]}: labels are 0 to {classes - 1}."
            )

    def _refuse_labels(self, label: Any) -> None:
        if label is not None:
            raise SampleError(
                f"{self.spec.name!r} has no classes to choose from: leave the label out."
            )


class Translator(Model):
    """A model that makes an image out of another, and of latents where it draws any."""

    @property
    def condition(self) -> ImageSpec:
        """Size of the images it reads."""
        assert self.spec.data.condition is not None  # the spec of a translator says so
        return self.spec.data.condition

    def translate(
        self, images: ImageBatch | NDArray[np.uint8], seed: int = 0, *, start: int = 0
    ) -> ImageBatch:
        """Translate images.

        Args:
            images: uint8 (n, height, width, channels) of the size that `condition` says.
            seed: of the latents, where the model reads any, 0 to 2**64 - 1.
            start: number of the first image: image k has latent start + k of the seed.

        Raises:
            SampleError: images of another size, or none; a seed or start out of its range.
        """
        _check_latents(seed, start)
        x = _to_unit(images, self.condition.shape, self.spec.name)
        given: dict[str, NDArray[Any]] = {"condition": x}
        if self.spec.latent is not None:
            given["z"] = latents.normal(seed, len(x), self.spec.latent.dim, start=start)
        inputs = {name: given[name] for name in self.spec.inputs}
        return _as_images(_run_in_parts(self, inputs), self.spec.name)


class Encoder(Model):
    """A model that finds the latents of images."""

    def encode(self, images: ImageBatch | NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return latents, float32 (n, latent_dim): the mean where the encoder gives a distribution.

        Args:
            images: uint8 (n, height, width, channels) of the size that `spec.data.image` says.

        Raises:
            SampleError: images of another size, or none.
        """
        x = _to_unit(images, self.spec.data.image.shape, self.spec.name)
        return _run_in_parts(self, {"images": x})


def _check_latents(seed: int, start: int) -> None:
    if not 0 <= seed < 2**64:
        raise SampleError(f"seed is {seed}: it is 0 to 2**64 - 1.")
    if not 0 <= start < 2**48:
        raise SampleError(f"start is {start}: it is 0 to 2**48 - 1.")


def _as_list(label: Any) -> list[Any]:
    try:
        return list(label)
    except TypeError as error:
        raise SampleError(
            f"{label!r} is no label: a label is a class's number or name, or one for each image."
        ) from error


def _to_unit(
    images: ImageBatch | NDArray[np.uint8], shape: tuple[int, int, int], name: str
) -> NDArray[np.float32]:
    pixels = images.numpy() if isinstance(images, ImageBatch) else np.asarray(images)
    channels, height, width = shape
    wanted = (height, width, channels)
    if pixels.dtype != np.uint8 or pixels.shape[1:] != wanted or not len(pixels):
        raise SampleError(
            f"{name!r} reads images that are uint8 (n, {', '.join(map(str, wanted))}), not "
            f"{pixels.dtype} {pixels.shape}."
        )
    return ImageBatch(pixels).to_unit()


def _as_images(images: NDArray[np.float32], name: str) -> ImageBatch:
    if not np.isfinite(images).all():
        raise SampleError(
            f"{name!r} makes numbers that are not finite: its weights are damaged. Get another "
            "version of the model."
        )
    return ImageBatch.from_unit(images)


def _run_in_parts(model: Model, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    n = len(next(iter(inputs.values())))
    parts = [
        model.run({name: array[k : k + COMPUTE_BATCH] for name, array in inputs.items()})
        for k in range(0, n, COMPUTE_BATCH)
    ]
    return np.concatenate(parts)
