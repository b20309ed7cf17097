"""The size that suits images, and the recipes that train on a folder of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ganzoo.bundle.summary import read_recipe
from ganzoo.errors import MALFORMED, DataError
from ganzoo.registry import datasets, recipes
from ganzoo.registry.signatures import arguments_of
from ganzoo.sampling.image_fits import parse_size
from ganzoo.spec import MAX_IMAGE_SIZE

LARGEST = 1024  # pixels; recipes for larger images are rare
LARGEST_ON_CPU = 64
BASES = range(4, 8)  # sides of the smallest maps of most architectures
SMALLEST = 2 * BASES[0]
SHORT = 1e9  # pixels of all images of a training that ends in hours on a CPU


@dataclass(frozen=True)
class FolderRecipe:
    """A registered recipe that trains on a folder of image files.

    Attributes:
        name: its registered name.
        height, width: size of its images in pixels.
        channels: 3 for colour, 1 for grey.
        images_per_epoch: number of images in the folder, twice if the recipe flips them.
        epochs: how often the recipe reads each image in the whole run.
        fits: whether size, channels and classes suit the folder.
        reason: why they do not; empty if they do.
        augments: whether its loss augments the images.
        needs_classes: whether its architecture reads classes.
        architecture: registered name of its architecture.
        short: whether the whole run reads few enough pixels for a CPU.
    """

    name: str
    height: int
    width: int
    channels: int
    images_per_epoch: int
    epochs: float
    fits: bool
    reason: str
    augments: bool
    needs_classes: bool
    architecture: str
    short: bool


def suggest_size(
    shorter_side: float, recipes: Sequence[FolderRecipe] = (), largest: int = LARGEST
) -> int:
    """Return the side of square images that suits a dataset, in pixels.

    It is the largest side of a recipe that is not above the shorter side. Without such a recipe, it
    is the largest such side, 8 or more, that is 4, 5, 6 or 7 times a power of two.

    Args:
        shorter_side: median of the shorter sides of the images.
        recipes: recipes with sizes.
        largest: limit of the side.

    >>> [suggest_size(side) for side in (5, 28, 30, 100, 4000)]
    [8, 28, 28, 96, 1024]
    """
    limit = int(min(shorter_side, largest))
    squares = [each.height for each in recipes if each.height == each.width <= limit]
    if squares:
        return max(squares)
    sides = [base << power for base in BASES for power in range(1, 9)]
    return max((side for side in sides if side <= limit), default=SMALLEST)


def find_folder_recipes(
    images: int, shorter_side: float, channels: int, classes: int
) -> list[FolderRecipe]:
    """Return the registered recipes of the dataset ``folder``, read without their plugins.

    Args:
        images: number of image files.
        shorter_side: median of their shorter sides in pixels.
        channels: 3, or 1 if no image has colours.
        classes: number of classes.
    """
    rows, own = [], arguments_of(datasets.get("folder"))
    defaults = {name: argument.default for name, argument in own.items()}
    for entry in recipes.entries():
        try:
            table = read_recipe(entry)
            for part in ("architecture", "dataset", "loss"):  # a name alone has no arguments
                if not isinstance(table.get(part), dict):
                    table[part] = {"name": table.get(part)}
            if table["dataset"]["name"] == "folder":
                table["dataset"] = defaults | table["dataset"]
                rows.append(_judge(entry.name, table, images, shorter_side, channels, classes))
        except (*MALFORMED, DataError):  # not a recipe, or in Python
            continue
    return sorted(rows, key=lambda row: (not row.fits, row.height * row.width, row.name))


def _judge(
    name: str,
    table: Mapping[str, Any],
    images: int,
    shorter_side: float,
    channels: int,
    classes: int,
) -> FolderRecipe:
    dataset = table["dataset"]
    height, width = parse_size("folder", dataset["size"], 1, MAX_IMAGE_SIZE)
    own_channels = int(dataset["channels"])
    each = images * (2 if dataset["flip"] else 1)
    reasons = []
    if (shorter := min(height, width)) > shorter_side:
        reasons.append(f"enlarges at least half of the images to {shorter} pixels")
    if own_channels != channels:
        reasons.append(
            "the images have no colour: --dataset.channels 1"
            if channels == 1
            else "reads colour images as grey"
        )
    needs_classes = table["architecture"].get("conditioning", "none") != "none"
    if needs_classes and classes < 2:
        reasons.append("needs classes")
    return FolderRecipe(
        name,
        height,
        width,
        own_channels,
        each,
        int(table["images"]) / each,
        not reasons,
        "; ".join(reasons),
        augments=_augments(table["loss"]),
        needs_classes=needs_classes,
        architecture=str(table["architecture"]["name"]),
        short=int(table["images"]) * height * width <= SHORT,
    )


def _augments(loss: Mapping[str, Any]) -> bool:
    return bool(loss.get("ada") or loss.get("augmentation"))
