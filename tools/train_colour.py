"""Train the network of `colour-64@1` by contrast and write its weights.

pip install scikit-image
python tools/train_colour.py --data DIR -o colour-64.safetensors

The training is self-supervised (SimCLR: "A Simple Framework for Contrastive Learning of Visual
Representations", Chen et al., 2020, https://arxiv.org/abs/2002.05709). Two windows of one image are
to have similar features, and other images of the batch different ones. A distorted copy of an image
counts as another image, so the features tell blur, noise, colour casts and shuffled parts apart.

DIR contains the image sets `fluent_emoji/images` and `emoji_styles`. The photographs come with
scikit-learn and scikit-image. Random shapes are drawn ("Learning to See by Looking at Noise",
Baradad et al., 2021, https://arxiv.org/abs/2106.05963).

New weights are a new extractor. Register them as `colour-64@2`.
"""

import argparse
import hashlib
import os
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from PIL import Image, ImageDraw
from torch import nn
from torch.nn.functional import conv2d, cross_entropy, normalize, pad
from tqdm import tqdm

from ganzoo.builtin.extractors.colour import DIMENSIONS, SIDE, Colour64

STORED = 72  # side of the stored images; a window of SIDE moves within it
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "hubble_deep_field", "rocket")
CROPS, DRAWINGS = 300, 1_500  # crops of each photograph, drawings in all
BATCH, DISTORTED, STEPS = 48, 16, 2_000  # images, distorted copies in addition
TEMPERATURE = 0.2


def emoji(data):
    """Yield emoji on white."""
    for folder in ("fluent_emoji/images", "emoji_styles/trainA", "emoji_styles/trainB"):
        for file in sorted(data.joinpath(folder).rglob("*.*")):
            image = Image.open(file).convert("RGB")
            if image.width > STORED:
                image = image.resize((STORED, STORED), Image.Resampling.LANCZOS)
            canvas = Image.new("RGB", (STORED, STORED), "white")
            canvas.paste(image, ((STORED - image.width) // 2, (STORED - image.height) // 2))
            yield canvas


def crops(rng):
    """Yield square crops of photographs, at all scales."""
    from skimage import data
    from sklearn.datasets import load_sample_image

    photographs = [load_sample_image("flower.jpg"), *(getattr(data, p)() for p in PHOTOGRAPHS)]
    for photograph in map(Image.fromarray, photographs):
        for _ in range(CROPS):
            side = int(STORED * (min(photograph.size) / STORED) ** rng.random())
            left, top = (int(rng.integers(0, s - side, endpoint=True)) for s in photograph.size)
            box = (left, top, left + side, top + side)
            yield photograph.resize((STORED, STORED), Image.Resampling.LANCZOS, box)


def drawings(rng):
    """Yield ellipses and rectangles that cover each other, small ones more often than large."""
    for _ in range(DRAWINGS):
        palette = rng.integers(0, 256, (int(rng.integers(2, 8)), 3))
        canvas = Image.new("RGB", (2 * STORED, 2 * STORED), tuple(map(int, palette[0])))
        draw = ImageDraw.Draw(canvas)
        for _ in range(int(rng.integers(1, 80))):
            radius = np.minimum(4 / rng.random(2), STORED)
            centre = rng.uniform(0, 2 * STORED, 2)
            colour = palette[rng.integers(len(palette))] + rng.normal(0, 20, 3)
            shape = draw.ellipse if rng.random() < 0.5 else draw.rectangle
            shape([*(centre - radius), *(centre + radius)], tuple(map(int, colour.clip(0, 255))))
        yield canvas.resize((STORED, STORED), Image.Resampling.BOX)


def blur(images):
    """Blur with a Gaussian of 1 to 4 pixels."""
    sigma = 4 ** torch.rand(len(images), 1)
    kernel = torch.exp(-0.5 * (torch.arange(-8, 9) / sigma) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(3, 0)[:, None]
    flat = pad(images.flatten(0, 1)[None], (8, 8, 8, 8), mode="reflect")
    flat = conv2d(flat, kernel[..., None], groups=len(kernel))
    return conv2d(flat, kernel[:, :, None], groups=len(kernel)).view_as(images)


def add_noise(images):
    """Add Gaussian noise with a standard deviation of 0.1 to 0.5."""
    sigma = 0.1 * 5 ** torch.rand(len(images), 1, 1, 1)
    return images + sigma * torch.randn_like(images)


def cast(images):
    """Scale and move the colours."""
    gain, offset = torch.rand(2, len(images), 3, 1, 1)
    return images * (0.4 + 1.2 * gain) + 0.8 * (offset - 0.5)


def shuffle(images):
    """Shuffle the 16 parts of each image."""
    side = STORED // 4
    parts = images.unflatten(3, (4, side)).unflatten(2, (4, side)).permute(0, 2, 4, 1, 3, 5)
    parts = parts.flatten(1, 2)
    order = torch.rand(parts.shape[:2]).argsort(1)[:, :, None, None, None]
    parts = parts.take_along_dim(order, 1).unflatten(1, (4, 4))
    return parts.permute(0, 3, 1, 4, 2, 5).reshape(images.shape)


DISTORTIONS = (blur, add_noise, cast, shuffle)


def view(images):
    """Return a random window of each image, flipped at random, with slightly other colours."""
    left, top = torch.randint(STORED - SIDE + 1, (2, len(images), 1))
    rows, columns = top + torch.arange(SIDE), left + torch.arange(SIDE)
    flipped = torch.rand(len(images), 1) < 0.5
    columns = torch.where(flipped, columns.flip(1), columns)
    index = torch.arange(len(images))[:, None, None]
    windows = images.permute(0, 2, 3, 1)[index, rows[:, :, None], columns[:, None]]
    gain, offset = torch.rand(2, len(images), 1, 1, 3)
    windows = windows * (0.85 + 0.3 * gain) + 0.2 * (offset - 0.5)
    return windows.permute(0, 3, 1, 2).contiguous()


def contrast(first, second):
    """Return NT-Xent: each view's nearest neighbour among all is to be the other view."""
    views = normalize(torch.cat([first, second]))
    similarity = views @ views.T / TEMPERATURE
    similarity.fill_diagonal_(-torch.inf)
    n = len(first)
    return cross_entropy(similarity, torch.arange(2 * n).roll(n))


def to_uint8(images):
    """Return images as the extractor reads them."""
    return ((images + 1) * 127.5).round().clamp(0, 255).byte()


def train(images, steps):
    """Return a trained network. The same seed of torch gives the same weights on one machine."""
    torch.set_num_threads(1)  # sums depend on the number of threads
    network = Colour64("").train()
    head = nn.Sequential(nn.ReLU(), nn.Linear(DIMENSIONS, 2 * DIMENSIONS), nn.ReLU())
    head.append(nn.Linear(2 * DIMENSIONS, DIMENSIONS))
    parameters = [*network.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=2e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    progress = tqdm(range(steps))
    for step in progress:
        batch = images[torch.randint(len(images), (BATCH,))].float() / 127.5 - 1
        parts = batch[:DISTORTED].chunk(len(DISTORTIONS))
        distorted = [f(part) for f, part in zip(DISTORTIONS, parts, strict=True)]
        batch = torch.cat([batch, *distorted]).clamp(-1, 1)
        views = to_uint8(torch.cat([view(batch), view(batch)]))
        loss = contrast(*head(network(views).features).chunk(2))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 50 == 0:
            progress.set_postfix(loss=f"{loss.item():.3f}")
    return network.eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("GANZOO_DATA"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    if options.data is None:
        parser.error("no data folder was given. Pass --data DIR or set GANZOO_DATA.")
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    sets = {"emoji": emoji(options.data), "crops": crops(rng), "drawings": drawings(rng)}
    images = {name: np.stack([*map(np.asarray, images)]) for name, images in sets.items()}
    print(", ".join(f"{len(array):,} {name}" for name, array in images.items()))
    stored = torch.from_numpy(np.concatenate([*images.values()])).permute(0, 3, 1, 2)
    network = train(stored.contiguous(), options.steps)
    content = safetensors.torch.save(network.half().state_dict())  # half the size
    options.output.write_bytes(content)
    print(f"{options.output}: {len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
