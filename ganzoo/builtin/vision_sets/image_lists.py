"""Readers of datasets of image files: which files, and of which classes."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from ganzoo.builtin.vision_sets.readers import read_mat
from ganzoo.builtin.vision_sets.sets import Files
from ganzoo.errors import DataNotFoundError
from ganzoo.sampling.image_folders import list_images

_NAME = re.compile(r"[A-Za-z0-9_]+")  # of an image of a pet, without a folder


def read_omniglot(folder: Path, split: str, subset: str = "") -> Files:
    """Read Omniglot: a class is a character, the folder ``ALPHABET/characterNN``."""
    root = folder / f"images_{split}"
    if not root.is_dir():
        raise FileNotFoundError(f"{root} is absent")
    try:
        names = list_images(root).names
    except DataNotFoundError as error:
        raise ValueError(str(error)) from error
    characters = [os.path.dirname(name).replace(os.sep, "/") for name in names]
    if any(character.count("/") != 1 for character in characters):
        raise ValueError(f"{root} has image files outside of folders ALPHABET/CHARACTER")
    classes = tuple(sorted(set(characters)))
    numbers = {character: number for number, character in enumerate(classes)}
    return Files(root, names, np.array([numbers[c] for c in characters], np.int64), classes)


def read_flowers(folder: Path, split: str, subset: str = "") -> Files:
    """Read Flowers 102: the numbers of the images of a split, and the class of each image."""
    from torchvision.datasets import Flowers102

    variable = {"train": "trnid", "valid": "valid", "test": "tstid"}[split]
    numbers = read_mat(folder / "setid.mat", variable, "uint16", (1, None))[0].astype(np.int64)
    labels = read_mat(folder / "imagelabels.mat", "labels", "uint16", (1, None))[0].astype(np.int64)
    classes = tuple(Flowers102.classes)
    if not (numbers.min() >= 1 and numbers.max() <= len(labels)):
        raise ValueError("setid.mat has numbers of images that imagelabels.mat has no label for")
    if not (labels.min() >= 1 and labels.max() <= len(classes)):
        raise ValueError(f"imagelabels.mat has classes that are not 1 to {len(classes)}")
    names = [f"image_{number:05d}.jpg" for number in numbers]
    return Files(folder / "jpg", names, labels[numbers - 1] - 1, classes)


def read_pets(folder: Path, split: str, subset: str = "") -> Files:
    """Read Oxford-IIIT Pet: lines of an image's name, its breed, 1 to 37, and two more numbers."""
    list_of = {"train": "trainval.txt", "test": "test.txt"}[split]
    names, labels = [], []
    breeds: dict[int, str] = {}
    text = (folder / "annotations" / list_of).read_text(encoding="ascii")
    for number, line in enumerate(text.splitlines(), 1):
        name, label, *_ = [*line.split(), "", ""]
        breed = name.rpartition("_")[0].replace("_", " ").title()
        if not _NAME.fullmatch(name) or not label.isdecimal() or len(label) > 4:
            raise ValueError(f"{list_of}: line {number:,} is not a name and a class number")
        if breeds.setdefault(int(label), breed) != breed:
            raise ValueError(f"{list_of}: line {number:,} gives class {label} a second name")
        names.append(f"{name}.jpg")
        labels.append(int(label) - 1)
    if sorted(breeds) != list(range(1, len(breeds) + 1)):
        raise ValueError(f"{list_of} does not name the classes 1 to {max(breeds, default=0)}")
    classes = tuple(breeds[number] for number in sorted(breeds))
    return Files(folder / "images", names, np.array(labels, np.int64), classes)
