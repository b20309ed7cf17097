"""The conditional model makes the digit it is asked for, as a classifier of real digits sees it."""

import os
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torchvision.datasets import MNIST

import ganzoo

REAL_DATA = os.environ.get("GANZOO_DATA")

pytestmark = pytest.mark.skipif(
    not REAL_DATA or not (Path(REAL_DATA) / "MNIST").is_dir(),
    reason="GANZOO_DATA names no folder with MNIST",
)


def read(train):
    raw = MNIST(REAL_DATA, train=train)
    return raw.data[:, None].float() / 127.5 - 1, raw.targets


@pytest.fixture(scope="module")
def classifier():
    """A small convolutional network, two epochs of real MNIST, at least 99 % on its test set."""
    torch.manual_seed(0)
    network = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(64 * 49, 10)),
    )
    images, labels = read(train=True)
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
    order = torch.cat([torch.randperm(len(images)) for _ in range(2)]).split(128)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, len(order))
    for index in order:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(images[index])
        cross_entropy(logits.float(), labels[index]).backward()
        optimizer.step()
        schedule.step()
    network.eval()
    images, labels = read(train=False)
    assert (tell(network, images) == labels).double().mean() >= 0.99
    return network


@torch.no_grad()
def tell(classifier, images):
    return torch.cat([classifier(part).argmax(1) for part in images.split(1000)])


def test_it_makes_the_digit_that_was_asked_for(classifier):
    labels = [k % 10 for k in range(1000)]
    samples = ganzoo.load("cgan-mnist").sample(1000, seed=1, label=labels).numpy()
    images = torch.from_numpy(samples).permute(0, 3, 1, 2).float() / 127.5 - 1
    told = tell(classifier, images)
    assert (told == torch.tensor(labels)).double().mean() >= 0.97
