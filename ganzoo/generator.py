"""What `load` returns: the thing that makes images, the same on both runtimes."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from ganzoo import latents
from ganzoo.errors import SampleError
from ganzoo.images import ImageBatch
from ganzoo.spec import ModelSpec

# Images are computed this many at a time, always: a kernel may round differently at another batch
# size, and image k of a seed must not depend on how many images were asked for with it.
COMPUTE_BATCH = 16

MAX_SAMPLES = 1_000_000


class Generator(ABC):
    """A model that makes images.

    Attributes:
        spec: what the model is and where it comes from.
    """

    spec: ModelSpec

    @abstractmethod
    def generate(self, z: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network: (n, latent_dim) -> (n, channels, height, width) in [-1, 1]."""

    def sample(self, n: int = 1, seed: int = 0, *, start: int = 0) -> ImageBatch:
        """Make `n` images.

        Image k of a seed depends on that seed and k only: not on `n`, device or runtime (two
        runtimes or devices may round a pixel to neighbouring levels of 255).

        Args:
            n: number of images, 1 to 1,000,000.
            seed: 0 to 2**64 - 1.
            start: number of the first image, so that a long series can be made in parts.

        Raises:
            SampleError: an argument out of its range.
        """
        if not 1 <= n <= MAX_SAMPLES:
            raise SampleError(f"cannot sample {n} images: n is 1 to {MAX_SAMPLES:,} a call.")
        if not 0 <= seed < 2**64 or not 0 <= start < 2**48:
            raise SampleError(f"seed {seed}, start {start}: seed is 0 to 2**64 - 1, start >= 0.")
        dim = self.spec.latent.dim
        skip = start % COMPUTE_BATCH  # so that image k always is row k % COMPUTE_BATCH
        blocks = range(start - skip, start + n, COMPUTE_BATCH)
        parts = [self._block(latents.normal(seed, COMPUTE_BATCH, dim, start=k)) for k in blocks]
        return ImageBatch(np.concatenate(parts)[skip : skip + n])

    def interpolate(self, seed_a: int, seed_b: int, steps: int = 8) -> ImageBatch:
        """Make `steps` images on the arc from image 0 of one seed to image 0 of another.

        Raises:
            SampleError: fewer than 2 steps, or a seed out of range.
        """
        if not 2 <= steps <= MAX_SAMPLES or not all(0 <= s < 2**64 for s in (seed_a, seed_b)):
            raise SampleError(f"cannot interpolate {seed_a} -> {seed_b} in {steps} steps.")
        a, b = (latents.normal(seed, 1, self.spec.latent.dim)[0] for seed in (seed_a, seed_b))
        z = latents.slerp(a, b, np.linspace(0, 1, steps, dtype=np.float32))
        padding = np.zeros((-steps % COMPUTE_BATCH, self.spec.latent.dim), dtype=np.float32)
        blocks = np.concatenate([z, padding]).reshape(-1, COMPUTE_BATCH, self.spec.latent.dim)
        return ImageBatch(np.concatenate([self._block(block) for block in blocks])[:steps])

    def _block(self, z: NDArray[np.float32]) -> NDArray[np.uint8]:
        return ImageBatch.from_unit(self.generate(z)).numpy()

    def _check_latents(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 2 or shape[1] != self.spec.latent.dim:
            raise SampleError(
                f"{self.spec.name!r} reads latents of shape (n, {self.spec.latent.dim}), "
                f"not {tuple(shape)}."
            )
