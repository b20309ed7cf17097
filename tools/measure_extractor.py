"""Measure how the distance of an extractor grows with distortions of real images.

python tools/measure_extractor.py FOLDER [--extractor colour-64@1] [--size 64] [-n 300] [--seeds 3]

One half of a random choice of 2n images is compared with the other half, of which each kind of
distortion makes three strengths or more. Undistorted, the distance is the floor: that of as many
images of the same set. FOLDER contains image files, as for the dataset `folder`.
"""

import argparse
import io
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.stats import spearmanr
from torchvision.transforms.v2 import functional

from ganzoo.data import decode, find_dataset
from ganzoo.evaluation.distances import frechet_distance, kernel_distance
from ganzoo.evaluation.extraction import extract, fit, make_extractor


def blur(images, sigma):
    """A Gaussian blur. Strength: standard deviation in pixels."""
    return functional.gaussian_blur(images, 2 * round(3 * sigma) + 1, sigma)


def noise(images, sigma):
    """Gaussian noise. Strength: standard deviation in grey levels."""
    generator = torch.Generator().manual_seed(0)
    return _to_uint8(images + sigma * torch.randn(images.shape, generator=generator))


def salt(images, share):
    """Black and white pixels. Strength: share of the pixels."""
    generator = torch.Generator().manual_seed(0)
    draws = torch.rand(images[:, :1].shape, generator=generator).expand_as(images)
    return images.masked_fill(draws < share / 2, 0).masked_fill(draws > 1 - share / 2, 255)


def shift(images, pixels):
    """A shift to the right; the border is repeated. Strength: pixels."""
    return functional.pad(images, [pixels, 0, 0, 0], padding_mode="edge")[..., :-pixels]


def crop(images, share):
    """A cut at every border, enlarged to the old size. Strength: share of the side."""
    height, width = images.shape[2:]
    cut = functional.center_crop(images, [round(height * (1 - share)), round(width * (1 - share))])
    return functional.resize(cut, [height, width], antialias=True)


def cast(images, levels):
    """More red and less blue. Strength: grey levels."""
    return _to_uint8(images + torch.tensor([levels, 0, -levels])[:, None, None])


def jpeg(images, loss):
    """JPEG. Strength: 100 minus the quality."""
    coded = []
    for image in images.permute(0, 2, 3, 1).numpy():
        Image.fromarray(image).save(file := io.BytesIO(), "JPEG", quality=100 - loss)
        coded.append(np.array(Image.open(file)))
    return torch.from_numpy(np.stack(coded)).permute(0, 3, 1, 2)


def coarse(images, factor):
    """Fewer pixels, enlarged. Strength: factor of the side."""
    height, width = images.shape[2:]
    small = functional.resize(images, [height // factor, width // factor], antialias=True)
    return functional.resize(small, [height, width])


def collapse(images, factor):
    """Mode collapse: few images, repeated. Strength: copies of each image."""
    distinct = -(-len(images) // factor)
    return images[torch.arange(len(images)) % distinct]


def none(images, strength):
    """No distortion."""
    return images


REDUCED = (8, 8)  # 192 pixels in colour: the Fréchet distance needs more images than pixels
STRENGTHS = {
    none: (0,),
    blur: (0.5, 1, 2, 4),
    noise: (5, 10, 20, 40),
    salt: (0.01, 0.03, 0.1, 0.3),
    shift: (2, 4, 8, 16),
    crop: (0.05, 0.1, 0.2, 0.4),
    cast: (10, 20, 40, 80),
    jpeg: (50, 80, 90, 95),
    coarse: (2, 4, 8),
    collapse: (2, 4, 10, 30),
}


def measure(real, fake, extractor):
    """Yield kind, strength, and the distances of distorted images to real ones.

    The distances are the extractor's Fréchet and kernel distance, and the Fréchet distance of the
    pixels of the images, reduced to `REDUCED`.
    """

    def represent(images):
        return extract(extractor, images).features, fit(images, None, REDUCED).flatten(1) / 127.5

    features, pixels = represent(real)
    for kind, strengths in STRENGTHS.items():
        for strength in strengths:
            distorted_features, distorted_pixels = represent(kind(fake, strength))
            yield (
                kind.__name__,
                strength,
                frechet_distance(features, distorted_features),
                kernel_distance(features, distorted_features).value,
                frechet_distance(pixels, distorted_pixels),
            )


def correlate(rows):
    """Return the rank correlation of both Fréchet distances within a kind, the mean of all kinds.

    Args:
        rows: output of `measure`, which begins with no distortion.
    """
    (_, _, *undistorted), *rows = rows
    by_kind = {}
    for kind, _, *distances in rows:
        by_kind.setdefault(kind, [undistorted]).append(distances)
    pairs = (np.transpose(distances)[[0, 2]] for distances in by_kind.values())
    return np.mean([spearmanr(*pair).statistic for pair in pairs])


def _to_uint8(images):
    return images.round().clamp(0, 255).byte()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--extractor", default="colour-64@1")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("-n", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    images = decode(*find_dataset("folder", {"size": options.size}, options.folder)).images
    if len(images) < 2 * options.n:
        parser.error(f"{options.folder} has {len(images)} images. Pass -n {len(images) // 2}.")
    extractor = make_extractor(options.extractor)
    runs = []
    for seed in range(options.seeds):
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
        real, fake = images[order[: 2 * options.n]].split(options.n)
        runs.append([*measure(real, fake, extractor)])
    distances = np.array([[row[2:] for row in rows] for rows in runs])
    means = [(*row[:2], *mean) for row, mean in zip(runs[0], distances.mean(0), strict=True)]
    print("| distortion | strengths | Fréchet distance | kernel distance | of 8x8 pixels |")
    print("|---|---|---|---|---|")
    for kind, rows in groupby(means, lambda row: row[0]):
        columns = [*zip(*rows, strict=True)][1:]
        print("|", " | ".join([kind, *(", ".join(f"{x:.3g}" for x in c) for c in columns)]), "|")
    spread = np.ptp(distances[..., 0], axis=0) / distances[..., 0].mean(0)
    print(f"\nFréchet distance, largest range of the seeds: {spread.max():.0%} of the mean")
    print(f"rank correlation with pixels, mean of all kinds: {correlate(means):.2f}")


if __name__ == "__main__":
    main()
