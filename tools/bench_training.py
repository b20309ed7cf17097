"""Compare images per second of ganzoo's trainer and of common example loops.

python tools/bench_training.py [w1 w2 w3] [--blocks 5] [--threads 2]

Each reference follows public example scripts: items transformed one by one with PIL and batched by
a DataLoader, Adam, `.item()` in every step, and the generator's graph built in the critic's step.
ganzoo trains the same networks, loss and hyper-parameters with `ganzoo.training`. Blocks of both
alternate in one process. The output is medians and their ratio.

w1  DCGAN with upsampling before 3x3 convolutions, 32x32x1, batch 128
w2  DCGAN of 64x64x3, width 64, from JPEG files of 178x218, batch 64
w3  WGAN-GP with fully connected networks, 28x28x1, five critic steps, batch 64; counts the real
    images seen by the critic
"""

import argparse
import itertools
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torchvision import transforms
from torchvision.datasets import ImageFolder

import ganzoo
from ganzoo import DataSpec, ImageSpec
from ganzoo.nn import UpsampleConv2d
from ganzoo.spec import Component, Optimizer, Recipe
from ganzoo.training import prepare
from ganzoo.training.loop import run_ticks

LATENT = 100
HOW = list(itertools.product(("fp32", "bf16"), (False, True)))
ADAM = Optimizer(lr=2e-4, betas=(0.5, 0.999))


class Digits(Dataset):
    """Grey images like the items of MNIST: PIL images of 28x28, transformed one by one."""

    def __init__(self, transform):
        self.pixels = np.random.default_rng(0).integers(0, 256, (4096, 28, 28), dtype=np.uint8)
        self.transform = transform

    def __len__(self):
        return len(self.pixels)

    def __getitem__(self, index):
        return self.transform(Image.fromarray(self.pixels[index])), 0


class UpsampleGenerator(nn.Module):
    """Generator with two upsamplings from 8x8; `enlarge` builds an upsampling convolution."""

    def __init__(self, enlarge):
        super().__init__()
        self.first = nn.Linear(LATENT, 128 * 8 * 8)
        self.layers = nn.Sequential(
            nn.BatchNorm2d(128),
            enlarge(128, 128),
            nn.BatchNorm2d(128, 0.8),
            nn.LeakyReLU(0.2),
            enlarge(128, 64),
            nn.BatchNorm2d(64, 0.8),
            nn.LeakyReLU(0.2),
            nn.Conv2d(64, 1, 3, padding=1),
            nn.Tanh(),
        )

    def forward(self, z):
        return self.layers(self.first(z).unflatten(1, (128, 8, 8)))


def plain_enlargement(inputs, outputs):
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 3, padding=1))


class StridedDiscriminator(nn.Module):
    """Discriminator of four convolutions with stride 2 and dropout."""

    def __init__(self):
        super().__init__()
        layers = []
        for inputs, outputs in itertools.pairwise((1, 16, 32, 64, 128)):
            layers += [nn.Conv2d(inputs, outputs, 3, 2, 1), nn.LeakyReLU(0.2), nn.Dropout2d(0.25)]
            layers += [nn.BatchNorm2d(outputs, 0.8)] * (inputs > 1)
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(128 * 2 * 2, 1))

    def forward(self, images):
        return self.layers(images).squeeze(1)


def mlp_generator():
    layers, widths = [], (LATENT, 128, 256, 512, 1024)
    for inputs, outputs in itertools.pairwise(widths):
        layers.append(nn.Linear(inputs, outputs))
        layers += [nn.BatchNorm1d(outputs, 0.8)] * (inputs > LATENT)
        layers.append(nn.LeakyReLU(0.2))
    return nn.Sequential(*layers, nn.Linear(1024, 784), nn.Tanh(), nn.Unflatten(1, (1, 28, 28)))


def mlp_critic():
    layers = [nn.Flatten(), nn.Linear(784, 512), nn.LeakyReLU(0.2), nn.Linear(512, 256)]
    return nn.Sequential(*layers, nn.LeakyReLU(0.2), nn.Linear(256, 1), nn.Flatten(0))


def upsampling(data, *, latent_dim: int = LATENT):
    """Networks of w1, with upsampling and convolution in one layer."""
    return {"generator": UpsampleGenerator(UpsampleConv2d), "discriminator": StridedDiscriminator()}


def perceptrons(data, *, latent_dim: int = LATENT):
    """Networks of w3."""
    return {"generator": mlp_generator(), "discriminator": mlp_critic()}


def in_memory(side):
    def noise(root):
        pixels = torch.randint(256, (4096, 1, side, side), dtype=torch.uint8)
        return TensorDataset(pixels, torch.zeros(4096)), DataSpec(ImageSpec(side, side, 1))

    return noise


def cycle(loader):
    while True:
        yield from loader


def adversarial_reference(generator, discriminator, batches):
    """Yield after each step of the plain GAN loop."""
    criterion = nn.BCEWithLogitsLoss()
    optimizers = [
        torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999))
        for net in (generator, discriminator)
    ]
    for real, _ in batches:
        ones, zeros = torch.ones(len(real)), torch.zeros(len(real))
        optimizers[0].zero_grad()
        fake = generator(torch.randn(len(real), LATENT))
        loss_g = criterion(discriminator(fake), ones)
        loss_g.backward()
        optimizers[0].step()
        optimizers[1].zero_grad()
        loss_d = criterion(discriminator(real), ones)
        loss_d = loss_d + criterion(discriminator(fake.detach()), zeros)
        loss_d.backward()
        optimizers[1].step()
        yield len(real), loss_g.item(), loss_d.item()


def wgan_gp_reference(generator, critic, batches):
    """Yield after each critic step; every fifth is followed by a generator step."""
    optimizers = [
        torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999))
        for net in (generator, critic)
    ]
    for step, (real, _) in enumerate(batches):
        optimizers[1].zero_grad()
        z = torch.randn(len(real), LATENT)
        fake = generator(z)
        share = torch.rand(len(real), 1, 1, 1)
        between = (share * real + (1 - share) * fake).detach().requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        penalty = ((slope.flatten(1).norm(dim=1) - 1) ** 2).mean()
        loss = critic(fake).mean() - critic(real).mean() + 10 * penalty
        loss.backward()
        optimizers[1].step()
        optimizers[0].zero_grad()
        if step % 5 == 0:
            loss_g = -critic(generator(z)).mean()
            loss_g.backward()
            optimizers[0].step()
        yield len(real), loss.item(), loss_g.item()


def ours(recipe, data=None):
    """Yield after each tick the number of images that the first player read."""
    prepared = prepare(recipe, data=data)
    per_tick = recipe.batch_size * prepared.state.loss.players[0].repeat

    def run_tick():
        target = prepared.state.tick + 1
        run_ticks(
            prepared.state,
            prepared.batches,
            log_term=lambda *a: None,
            log_metric=lambda *a: None,
            report=lambda: prepared.state.tick < target,
        )

    while True:
        run_tick()
        yield per_tick, 0.0, 0.0


def recipe(name, loss, batch_size, dataset, precision, compiled=False):
    return Recipe(
        architecture=Component(name),
        loss=Component(loss),
        dataset=dataset,
        images=10**9,
        batch_size=batch_size,
        optimizer=ADAM,
        precision=precision,
        compile=compiled,
    )


def label(precision, compiled):
    return f"ganzoo {precision}{' compiled' * compiled}"


def w1(folder):
    transform = transforms.Compose(
        [transforms.Resize(32), transforms.ToTensor(), transforms.Normalize([0.5], [0.5])]
    )
    loader = DataLoader(Digits(transform), 128, shuffle=True, drop_last=True)
    reference = UpsampleGenerator(plain_enlargement), StridedDiscriminator()
    data = Component("bench-32")
    yield "reference", adversarial_reference(*reference, cycle(loader))
    for precision, compiled in HOW:
        options = recipe("bench-upsampling", "nonsaturating", 128, data, precision, compiled)
        yield label(precision, compiled), ours(options)


def w2(folder):
    rng = np.random.default_rng(0)
    (folder / "all").mkdir()
    for k in range(1024):
        small = Image.fromarray(rng.integers(0, 256, (7, 6, 3), dtype=np.uint8))
        small.resize((178, 218), Image.Resampling.BICUBIC).save(folder / "all" / f"{k:04d}.jpg")
    transform = transforms.Compose(
        [
            transforms.Resize(64),
            transforms.CenterCrop(64),
            transforms.ToTensor(),
            transforms.Normalize([0.5] * 3, [0.5] * 3),
        ]
    )
    images = ImageFolder(folder, transform)
    loader = DataLoader(images, 64, shuffle=True, drop_last=True, num_workers=2)
    spec = DataSpec(ImageSpec(64, 64, 3))
    nets = ganzoo.architectures.get("dcgan")(spec, latent_dim=LATENT)
    logits = Logits(nets["discriminator"])
    yield "reference", adversarial_reference(nets["generator"], logits, cycle(loader))
    files = Component("folder", {"size": 64})
    for precision, compiled in HOW:
        options = recipe("dcgan", "nonsaturating", 64, files, precision, compiled)
        yield label(precision, compiled), ours(options, folder)


class Logits(nn.Module):
    """A discriminator that returns only its logits."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, images):
        return self.network(images).logits


def w3(folder):
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.5], [0.5])])
    loader = DataLoader(Digits(transform), 64, shuffle=True, drop_last=True)
    yield "reference", wgan_gp_reference(mlp_generator(), mlp_critic(), cycle(loader))
    for compiled in (False, True):
        options = recipe(
            "bench-perceptrons", "wgan-gp", 64, Component("bench-28"), "fp32", compiled
        )
        yield label("fp32", compiled), ours(options)


def measure(steps, seconds):
    """Return images per second over a minimum number of seconds, after one warm-up step."""
    next(steps)
    images, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        images += next(steps)[0]
    return images / (time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("workloads", nargs="*", default=["w1", "w2", "w3"])
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0, help="seconds per block")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    ganzoo.architectures.register("bench-upsampling")(upsampling)
    ganzoo.architectures.register("bench-perceptrons")(perceptrons)
    for side in (28, 32):
        ganzoo.datasets.register(f"bench-{side}")(in_memory(side))
    for name in options.workloads:
        with tempfile.TemporaryDirectory() as folder:
            loops = dict(globals()[name](Path(folder)))
            rates = {kind: [] for kind in loops}
            for _ in range(options.blocks):
                for kind, steps in loops.items():
                    rates[kind].append(measure(steps, options.seconds))
        medians = {kind: statistics.median(values) for kind, values in rates.items()}
        for kind, rate in medians.items():
            low, high = min(rates[kind]), max(rates[kind])
            ratio = rate / medians["reference"]
            spread = f"({low:.0f} to {high:.0f})"
            print(f"{name}  {kind:<20} {rate:7.0f} images/s {spread:<16} {ratio:.2f}x")


if __name__ == "__main__":
    main()
