"""The class that `load` returns for models that generate images from latents."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ganzoo.errors import SampleError, enumerate_names
from ganzoo.sampling import latents
from ganzoo.sampling.arrays import as_labels, as_latents
from ganzoo.sampling.classes import Label, choose_classes, refuse_labels
from ganzoo.sampling.images import ImageBatch, to_pixels
from ganzoo.sampling.model import (
    Model,
    check_finite,
    check_latents,
    run_in_batches,
    to_integer,
)
from ganzoo.sampling.samplers import Codes, Draw, draw_codes
from ganzoo.sampling.sizes import (
    PADDING,
    WEBP_SIDE,
    arrange,
    is_large,
    preview_count,
    samples_name,
)
from ganzoo.sampling.styles import truncate
from ganzoo.spec import ModelSpec, StyleSpec

MANIFOLD = "manifold.png"  # the images of a plane of latents

MAX_SAMPLES = 1_000_000
MAX_PIXELS = 2**32  # bytes of the images of one call, which keeps all of them in memory
MAX_BATCH = 4_096  # latents in one run of a network, which keeps the feature maps of all of them
PREVIEW_CLASSES = 10  # largest number of classes for a preview with one row per class
PREVIEW_COLUMNS = 10

PathKind = Literal["spherical", "linear"]


def has_class_rows(spec: ModelSpec) -> bool:
    """Return whether the preview of a model has one row per class: if it has up to 10 classes, and
    the rows fit into a WebP file, which previews of images above 128x128 pixels are."""
    data = spec.data
    fits = arrange(data.classes, *data.image.shape[1:], columns=1)[1] <= WEBP_SIDE
    return "y" in spec.inputs and data.classes <= PREVIEW_CLASSES and fits


class Generator(Model):
    """A model that generates images from latents, and from labels if it has classes."""

    def generate(
        self, z: NDArray[np.float32], y: NDArray[np.int64] | None = None
    ) -> NDArray[np.float32]:
        """Run the network: (n, latent_dim), (n,) -> (n, channels, height, width) in [-1, 1].

        Args:
            z: latents (n, latent_dim), n up to 4,096; `decode` accepts any number. They are
                converted to float32.
            y: class labels, integers (n,), if the model has classes.

        Raises:
            SampleError: an array has the wrong shape or type, a latent is not finite, labels are
                missing or out of range, or there are more than 4,096 latents.
        """
        z, y = self._check(z, y)
        if len(z) > MAX_BATCH:
            raise SampleError(
                f"cannot run a batch of {len(z):,}: a batch has up to {MAX_BATCH:,} latents. "
                "Use decode(z), which accepts any number."
            )
        return self.run(self._inputs(z, y))

    def sample(
        self,
        n: int = 1,
        seed: int = 0,
        *,
        label: Label | Sequence[Label] | None = None,
        start: int = 0,
        seeds: Iterable[int] | None = None,
        sampler: str = "plain",
        **options: Any,
    ) -> ImageBatch:
        """Generate images.

        Image k depends only on the seed, its label, k and the sampler, not on `n`, the device or
        the runtime. Runtimes and devices may round a pixel to neighbouring levels of 0 to 255.

        Args:
            n: number of images, 1 to 1,000,000.
            seed: 0 to 2**64 - 1.
            label: name or index of the class of all images, or a list with one per image; by
                default image k has class k modulo the number of classes. If all names are numbers,
                such as 1, 2 and 5, a number means the name. Only for models with classes.
            start: number of the first image, to generate a long series in parts.
            seeds: instead of `n`, `seed` and `start`, generate image 0 of each of these seeds, by
                default of the first class.
            sampler: registered name of the sampler, such as ``truncated`` or ``mixed``.
            options: options of the sampler, such as ``psi=0.7``.

        Raises:
            SampleError: an argument is out of range, a label does not exist, the output is not
                finite, or the sampler needs a mapping network and the model has none.
            UnknownNameError: no sampler has this name.
        """
        if seeds is None:
            draw, skip = self.draw(n, seed, start, label), start
        else:
            if (n, seed, start) != (1, 0, 0):
                raise SampleError("pass either seeds, or n, seed and start.")
            draw, skip = self.draw_seeds(seeds, label), 0
        return self.render(self.codes(draw, sampler, **options), skip)

    def codes(self, draw: Draw, sampler: str = "plain", **options: Any) -> Codes:
        """Return the inputs of the network for images; arguments and errors as for `sample`."""
        if sampler == "plain" and not options:  # without the import of a plugin
            return Codes(draw.normal(self.latent_dim), draw.y)
        return draw_codes(self, draw, sampler, options)

    def render(self, codes: Codes, start: int = 0) -> ImageBatch:
        """Generate images from codes.

        Args:
            codes: the inputs of the network.
            start: number of the first image in its series, whose bits it has then.

        Raises:
            SampleError: an array has the wrong shape, or the output is not finite.
        """
        network: Model = self
        if codes.styles is not None:
            shape = self._need_styles()
            styles = as_latents(codes.styles, (None, shape.layers, shape.dim), self.spec.name)
            network, inputs = self.part("synthesis"), {"styles": styles}
        else:
            z, y = self._check(codes.z, codes.y)
            codes, inputs = Codes(z, y), self._inputs(z, y)
        name, latent = self.spec.name, "z" if codes.styles is None else "styles"

        def to_images(output: NDArray[np.float32], batch: Mapping[str, NDArray[Any]]) -> Any:
            return to_pixels(check_finite(output, name, batch.get(latent)))

        return ImageBatch(run_in_batches(network, inputs, start, to_images), labels=codes.y)

    def map(
        self, z: NDArray[np.float32], y: NDArray[np.int64] | None = None
    ) -> NDArray[np.float32]:
        """Run the mapping network: latents -> w, float32 (n, dim), before truncation.

        Args:
            z: latents (n, latent_dim), any number, converted to float32.
            y: class labels, integers (n,), if the model has classes.

        Raises:
            SampleError: the model has no mapping network; or as for `generate`.
        """
        self._need_styles()
        z, y = self._check(z, y)
        w = run_in_batches(self.part("mapping"), self._inputs(z, y))
        return check_finite(w, self.spec.name, z)

    def to_styles(
        self, w: NDArray[np.float32], psi: float | None = None, cutoff: int | None = None
    ) -> NDArray[np.float32]:
        """Return one w per layer, truncated: (n, dim) -> (n, layers, dim).

        Args:
            w: one w for each image.
            psi: factor of the distance from the average w, -2 to 2; by default the generator's own.
            cutoff: number of layers that read the truncated w; by default all.

        Raises:
            SampleError: the model has no mapping network, or an argument is out of range.
        """
        spec, average = self._need_styles(), self.w_average
        assert average is not None  # guaranteed by the runtimes
        w = as_latents(w, (None, spec.dim), self.spec.name)
        return truncate(spec, average, w, psi, cutoff)

    def styles_of(
        self, codes: Codes, psi: float | None = None, cutoff: int | None = None
    ) -> NDArray[np.float32]:
        """Return one w per layer, (n, layers, dim): z is mapped, and w truncated.

        Args:
            codes: codes of the model. Those that have one w per layer do not change.
            psi: as for `to_styles`.
            cutoff: as for `to_styles`.

        Raises:
            SampleError: as for `map` and `to_styles`.
        """
        if codes.styles is not None:
            return codes.styles
        if codes.z is None:
            raise SampleError("the codes have neither z nor styles. Pass one of both.")
        return self.to_styles(self.map(codes.z, codes.y), psi, cutoff)

    def synthesize(self, styles: NDArray[np.float32]) -> ImageBatch:
        """Generate images from one w per layer, (n, layers, dim), converted to float32.

        Raises:
            SampleError: the model has no mapping network, an array has the wrong shape, or the
                output is not finite.
        """
        return self.render(Codes(styles=styles))

    def style_maps(self) -> dict[int, list[NDArray[np.float32]]]:
        """Return the matrices of the linear layers that read w, (outputs, dim), by number of layer.

        Raises:
            SampleError: the model has no mapping network, or is not of the torch runtime.
        """
        self._need_styles()
        raise SampleError(
            f"the weights that read w need the torch runtime. Use runtime='torch' for "
            f"{self.spec.name!r}, or the method ganspace."
        )

    def without_noise(self) -> Generator:
        """Return a copy whose layers add no noise: the parameters `noise_strength` are 0.

        Raises:
            SampleError: no layer has this parameter, or the model is not of the torch runtime.
        """
        raise SampleError(
            f"an ONNX file has no switch for noise. Use runtime='torch' for {self.spec.name!r}."
        )

    def draw(
        self,
        n: int,
        seed: int = 0,
        start: int = 0,
        label: Label | Sequence[Label] | None = None,
    ) -> Draw:
        """Return images `start` to `start + n - 1` of a seed; arguments and errors as `sample`."""
        n = to_integer("n", n)
        if not 1 <= n <= MAX_SAMPLES:
            raise SampleError(f"cannot sample {n} images: n is 1 to {MAX_SAMPLES:,} in one call.")
        size = n * math.prod(self.spec.data.image.shape)
        if styles := self.spec.styles:
            size = max(size, 4 * n * styles.layers * styles.dim)
        if size > MAX_PIXELS:
            raise SampleError(
                f"{n:,} images of {self.spec.data.image} take {size / 2**30:,.0f} GiB; the limit "
                f"of a call is {MAX_PIXELS / 2**30:.0f} GiB. Sample in parts with start, or write "
                "shards with `ganzoo sample --out FOLDER`."
            )
        seed, start = check_latents(seed, start)
        y = self.labels(n, label=label, start=start)
        return Draw.of(seed, n, start=start, y=y, labelled=label is not None)

    def draw_seeds(
        self, seeds: Iterable[int], label: Label | Sequence[Label] | None = None
    ) -> Draw:
        """Return image 0 of each seed, by default of the first class.

        Raises:
            SampleError: a seed is out of range, or a label does not exist.
        """
        if not isinstance(seeds, Iterable):
            raise SampleError(f"seeds is {seeds!r}, not a list. Pass seeds=[{seeds!r}].")
        checked = [check_latents(seed, 0)[0] for seed in seeds]
        self.draw(len(checked), 0, 0, label)  # checks the number of images
        y = self.labels(len(checked), label=label)
        numbers = np.zeros(len(checked), np.int64)
        if y is not None and label is None:
            y = numbers  # the class of image 0
        return Draw(np.array(checked, np.uint64), numbers, y, labelled=label is not None)

    def labels(
        self, n: int = 1, *, label: Label | Sequence[Label] | None = None, start: int = 0
    ) -> NDArray[np.int64] | None:
        """Return the class labels of the images of `sample`; None if the model has no classes.

        Raises:
            SampleError: a label does not exist.
        """
        return choose_classes(self.spec, to_integer("n", n), label, to_integer("start", start))

    def class_grid(self, columns: int = PREVIEW_COLUMNS, seed: int = 0) -> ImageBatch:
        """Generate one row per class; each column has one latent.

        Raises:
            SampleError: the model has no classes, or an argument is out of range.
        """
        if "y" not in self.spec.inputs:
            refuse_labels(self.spec, 0)
        rows = [self.sample(columns, seed, label=name) for name in self.spec.data.class_names]
        return ImageBatch(np.concatenate([row.numpy() for row in rows]), columns)

    def preview(self) -> ImageBatch:
        """Generate the preview of the model: uncurated samples of seed 0.

        A model of up to 10 classes has a row for each, see `has_class_rows`.

        Warns:
            UserWarning: the rows do not fit into a WebP file.
        """
        image, classes = self.spec.data.image, self.spec.data.classes
        if has_class_rows(self.spec):
            if not is_large(image):
                return self.class_grid()
            widest = (WEBP_SIDE - PADDING) // (image.width + PADDING)
            return self.class_grid(max(1, min(preview_count(image) // classes, widest)))
        if "y" in self.spec.inputs and classes <= PREVIEW_CLASSES:
            warnings.warn(
                f"the preview of {self.spec.name!r} has no row for each class: {classes} rows of "
                f"images of {image} are higher than the {WEBP_SIDE:,} pixels of a WebP file",
                stacklevel=2,
            )
        return self.sample(preview_count(image), seed=0)

    def preview_images(self) -> dict[str, ImageBatch]:
        """Generate the preview images of a bundle by file name: samples, and the latent plane."""
        images = {samples_name(self.spec.data.image): self.preview()}
        return images | ({MANIFOLD: self.manifold()} if self.latent_dim == 2 else {})

    def decode(self, z: NDArray[np.float32], y: NDArray[np.int64] | None = None) -> ImageBatch:
        """Generate images from any number of latents, in the batches of `sample`.

        Args:
            z: latents (n, latent_dim), converted to float32.
            y: class labels, integers (n,), if the model has classes.

        Raises:
            SampleError: as for `generate`, or the output is not finite.
        """
        return self.render(Codes(z, y))

    def interpolate(
        self,
        seed_a: int,
        seed_b: int,
        steps: int = 8,
        *,
        label: Label | None = None,
        path: PathKind = "spherical",
    ) -> ImageBatch:
        """Generate `steps` images between image 0 of one seed and image 0 of another.

        Args:
            seed_a: seed of the first image.
            seed_b: seed of the last image.
            steps: number of images.
            label: class of all images, by default the first. Only for models with classes.
            path: ``spherical`` is the arc between the two latents, ``linear`` the straight line.

        Raises:
            SampleError: there are fewer than 2 steps, a seed is out of range, or the label does not
                exist.
        """
        seed_a, seed_b = to_integer("seed_a", seed_a), to_integer("seed_b", seed_b)
        if not all(0 <= seed < 2**64 for seed in (seed_a, seed_b)):
            raise SampleError(f"cannot interpolate {seed_a} -> {seed_b}: a seed is 0 to 2**64 - 1.")
        a, b = (latents.normal(seed, 1, self.latent_dim)[0] for seed in (seed_a, seed_b))
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
        """Generate `steps` images between two latents (latent_dim,), converted to float32.

        Args:
            a: first latent, such as an encoder's latent of an image.
            b: last latent.
            steps: number of images.
            label: as for `interpolate`.
            path: as for `interpolate`.

        Raises:
            SampleError: as for `interpolate`; or a latent has the wrong length or is not finite.
        """
        steps = to_integer("steps", steps)
        if not 2 <= steps <= MAX_SAMPLES or path not in latents.PATHS:
            raise SampleError(
                f"cannot interpolate in {steps} steps on a {path!r} path: steps is 2 to "
                f"{MAX_SAMPLES:,} and path is one of {enumerate_names(latents.PATHS)}."
            )
        self.draw(steps)  # checks the memory
        a, b = (as_latents(z, (self.latent_dim,), self.spec.name) for z in (a, b))
        z = latents.PATHS[path](a, b, np.linspace(0, 1, steps, dtype=np.float32))
        if label is None and "y" in self.spec.inputs:
            label = self.spec.data.class_names[0]
        y = self.labels(steps, label=label)
        return ImageBatch(self.decode(z, y).numpy(), steps)

    def manifold(self, steps: int = 20) -> ImageBatch:
        """Generate the plane of latents: `steps` x `steps` images.

        Both coordinates take equally likely values of N(0, 1), the second from top to bottom
        ("Auto-Encoding Variational Bayes", Kingma and Welling, 2013, figure 4,
        https://arxiv.org/abs/1312.6114).

        Raises:
            SampleError: the latents do not have length 2, or steps is outside 2 to 100.
        """
        steps = to_integer("steps", steps)
        if self.latent_dim != 2 or not 2 <= steps <= 100:
            raise SampleError(
                f"cannot generate a plane of {steps} steps: {self.spec.name!r} has latents of "
                f"length {self.latent_dim}. A plane needs length 2 and 2 to 100 steps."
            )
        quantiles = [NormalDist().inv_cdf((k + 0.5) / steps) for k in range(steps)]
        z = np.array([(x, y) for y in quantiles for x in quantiles], dtype=np.float32)
        y = np.zeros(len(z), np.int64) if "y" in self.spec.inputs else None
        return ImageBatch(self.decode(z, y).numpy(), steps)

    @property
    def latent_dim(self) -> int:
        """Length of z."""
        assert self.spec.latent is not None  # guaranteed by the spec of a generator
        return self.spec.latent.dim

    def _check(
        self, z: NDArray[np.float32] | None, y: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64] | None]:
        """Return latents as float32 and labels as int64."""
        name = self.spec.name
        z = as_latents(z, (None, self.latent_dim), name)
        if "y" not in self.spec.inputs:
            refuse_labels(self.spec, y)
            return z, None
        return z, as_labels(y, len(z), self.spec.data.classes, name)

    def _need_styles(self) -> StyleSpec:
        if self.spec.styles is None:
            raise SampleError(
                f"{self.spec.name!r} has no w: it has no mapping network, as a StyleGAN has. Work "
                "in z, or use a model that has one, such as stylegan2-tinyhero."
            )
        return self.spec.styles

    def _inputs(
        self, z: NDArray[np.float32], y: NDArray[np.int64] | None
    ) -> dict[str, NDArray[Any]]:
        arrays: dict[str, NDArray[Any]] = {"z": z}
        if y is not None:
            arrays["y"] = y
        return {name: arrays[name] for name in self.spec.inputs}
