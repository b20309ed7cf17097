"""Tiny files of noise in the layouts of the datasets that torchvision downloads."""

from __future__ import annotations

import bz2
import pickle
import string
from pathlib import Path

import numpy as np
import torchvision
from scipy.io import savemat

from helpers.datasets import pictures, write_idx

BREEDS = ("Abyssinian", "american_bulldog")


def noise(*shape):
    return np.random.default_rng(3).integers(0, 256, shape, np.uint8)


def write_mnist_like(root: Path, name: str, prefixes, n=6, first=0):
    for prefix in prefixes:
        raw = root / name / "raw"
        write_idx(raw / f"{prefix}-images-idx3-ubyte", noise(n, 28, 28))
        write_idx(raw / f"{prefix}-labels-idx1-ubyte", np.arange(n) % 10 + first)


def write_kmnist(root):
    write_mnist_like(root, "KMNIST", ("train", "t10k"))


def write_emnist(root):
    write_mnist_like(root, "EMNIST", ("emnist-balanced-train", "emnist-digits-test"))
    write_mnist_like(root, "EMNIST", ("emnist-letters-train",), first=1)


def write_usps(root):
    for name in ("usps.bz2", "usps.t.bz2"):
        rows = noise(6, 256) / 127.5 - 1
        lines = [
            f"{k + 1} " + " ".join(f"{i}:{value:.6f}" for i, value in enumerate(row, 1))
            for k, row in enumerate(rows)
        ]
        (root / name).write_bytes(bz2.compress("\n".join(lines).encode()))


def write_cifar(root, n=4):
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    for number, name in enumerate(["test_batch", *(f"data_batch_{k}" for k in range(1, 6))]):
        labels = [(k + number) % 10 for k in range(n)]
        table = {"data": noise(n, 3072) + number, "labels": labels, "filenames": ["a.png"] * n}
        (folder / name).write_bytes(pickle.dumps(table, protocol=2))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list(range(10))}))


def write_svhn(root):
    for split in ("train", "test", "extra"):
        labels = np.array([[10], [1], [2], [10]], np.uint8)
        arrays = {"X": noise(32, 32, 3, 4), "y": labels}
        savemat(root / f"{split}_32x32.mat", arrays, do_compression=True)


def write_stl(root):
    folder = root / "stl10_binary"
    folder.mkdir(parents=True)
    for split in ("train", "test", "unlabeled"):
        noise(3, 3, 96, 96).tofile(folder / f"{split}_X.bin")
        if split != "unlabeled":
            np.array([10, 1, 3], np.uint8).tofile(folder / f"{split}_y.bin")


def write_omniglot(root):
    for split in ("background", "evaluation"):
        names = [
            f"{a}/character0{c}/{k}.png" for a in ("Greek", "Latin") for c in (1, 2) for k in "ab"
        ]
        pictures(root / "omniglot-py" / f"images_{split}", names, (105, 105), "1")


def write_flowers(root):
    folder = root / "flowers-102"
    pictures(folder / "jpg", [f"image_{k:05d}.jpg" for k in range(1, 7)], (30, 20))
    savemat(folder / "imagelabels.mat", {"labels": np.array([[77, 1, 102, 2, 2, 3]], np.uint8)})
    ids = {"trnid": [[6, 3]], "valid": [[1, 2]], "tstid": [[4, 5]]}
    savemat(folder / "setid.mat", {k: np.array(v, np.uint16) for k, v in ids.items()})


def write_pets(root):
    folder = root / "oxford-iiit-pet"
    names = [f"{breed}_{k}" for breed in BREEDS for k in (1, 2)]
    pictures(folder / "images", [f"{name}.jpg" for name in names], (30, 20))
    (folder / "annotations").mkdir()
    lines = [f"{name} {1 + k // 2} 1 1\n" for k, name in enumerate(names)]
    for file in ("trainval.txt", "test.txt"):
        (folder / "annotations" / file).write_text("".join(lines))


WRITERS = {
    "kmnist": write_kmnist,
    "emnist": write_emnist,
    "usps": write_usps,
    "cifar-10": write_cifar,
    "svhn": write_svhn,
    "stl-10": write_stl,
    "omniglot": write_omniglot,
    "flowers-102": write_flowers,
    "oxford-pets": write_pets,
}


def open_with_torchvision(name, root, split, monkeypatch):
    """Return torchvision's dataset of the same files, without its checks of their MD5."""
    sets = torchvision.datasets
    for module in (sets.cifar, sets.svhn, sets.stl10, sets.omniglot, sets.flowers102, sets.mnist):
        monkeypatch.setattr(module, "check_integrity", lambda *_: True)
    train = split in ("train", "background")
    match name:
        case "kmnist":
            return sets.KMNIST(root, train=train)
        case "emnist":
            return sets.EMNIST(root, "balanced", train=train)
        case "usps":
            return sets.USPS(root, train=train)
        case "cifar-10":
            return sets.CIFAR10(root, train=train)
        case "svhn":
            return sets.SVHN(root, split)
        case "stl-10":
            return sets.STL10(root, split)
        case "omniglot":
            return sets.Omniglot(root, background=train)
        case "flowers-102":
            return sets.Flowers102(root, {"valid": "val"}.get(split, split))
        case "oxford-pets":
            return sets.OxfordIIITPet(root, {"train": "trainval"}.get(split, split))


LETTERS = tuple(string.ascii_lowercase)
