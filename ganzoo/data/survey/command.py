"""The command that trains on a folder of image files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ganzoo.bundle.summary import find_summary
from ganzoo.data.survey.recipes import FolderRecipe
from ganzoo.data.survey.zips import ENDING, explain_refusal
from ganzoo.errors import shell_word
from ganzoo.nn.uninitialised import Uninitialised
from ganzoo.registry import architectures, find_recipe, losses, models
from ganzoo.registry.signatures import as_option
from ganzoo.sampling.image_folders import warn_of_loose
from ganzoo.spec import DataSpec, ImageSpec

if TYPE_CHECKING:
    from ganzoo.data.survey.summary import DataSummary

FEW = 2000  # images below which a discriminator soon memorises them
SMALLEST = 16  # pixels of a side that most architectures make


def choose_recipe(summary: DataSummary) -> FolderRecipe | None:
    """Return the recipe that suits a dataset best; None if no installed one does.

    The networks of the recipe are built for the size of the images, without memory. Without a GPU,
    recipes for a CPU come first, and last otherwise. For few images, recipes that augment them come
    next; then those of the suggested size; then short ones.
    """
    recipes = sorted(
        summary.recipes,
        key=lambda each: (
            each.short == summary.gpu,
            summary.readable < FEW and not each.augments,
            _size(summary, each) != (each.height, each.width),
            each.epochs,
        ),
    )
    return next((recipe for recipe in recipes if _builds(summary, recipe)), None)


def write_command(summary: DataSummary, recipe: FolderRecipe) -> str:
    """Return the command that trains a recipe on a dataset, without the data's location."""
    is_zip = summary.folder.lower().endswith(ENDING)
    flip = recipe.images_per_epoch > summary.images
    values: dict[str, object] = {
        "size": _text(*_size(summary, recipe)),
        "channels": summary.channels,
        "fit": summary.fit or "crop",
        "flip": flip,
        "labels": _labels(summary),
        "skip_corrupt": bool(summary.unreadable or explain_refusal(summary)),
        "value_range": list(summary.value_range),
    }
    known: dict[str, object] = dict(channels=3, fit="crop", flip=False, labels="auto")
    known |= dict(skip_corrupt=False, value_range=[])
    if not is_zip:  # the recipe's arguments are those of the dataset 'folder'
        size = _text(recipe.height, recipe.width)
        known |= dict(size=size, channels=recipe.channels, flip=flip)
    options = [as_option(f"dataset.{k}", v) for k, v in values.items() if v != known.get(k)]
    return " ".join(["ganzoo train", recipe.name, *["--dataset zip"] * is_zip, *options])


def _text(height: int, width: int) -> str:
    return str(height) if height == width else f"{height}x{width}"


def with_location(command: str, folder: str) -> str:
    """Return a command of `write_command` with the location of the data."""
    return f"{command} --data {shell_word(folder)}"


def _labels(summary: DataSummary) -> str:
    loose = warn_of_loose(summary.skipped, summary.images, summary.labels)
    return "none" if loose else summary.labels


def _size(summary: DataSummary, recipe: FolderRecipe) -> tuple[int, int]:
    """Return the size to train a recipe at: its own, if it enlarges few images."""
    if summary.fixed_size:
        return summary.size
    if min(recipe.height, recipe.width) <= summary.sizes.shorter_sides[2]:
        return recipe.height, recipe.width
    side = max(summary.suggested_size, SMALLEST)
    return side, side


def find_start(summary: DataSummary, recipe: FolderRecipe | None) -> tuple[str, str] | None:
    """Return a recipe that fits, and a registered model whose architecture and colours it shares.

    Args:
        summary: the dataset.
        recipe: the recipe to prefer.
    """
    recipes = sorted(
        (each for each in summary.recipes if each.fits and not each.needs_classes),
        key=lambda each: (each != recipe, not each.augments, each.epochs),
    )
    specs = [each.spec for each in map(find_summary, models.entries()) if each]
    for each in recipes:
        for spec in specs:
            same = spec.architecture, spec.data.image.channels, "y" in spec.inputs
            if same == (each.architecture, each.channels, False):
                return each.name, spec.name
    return None


def data_spec(summary: DataSummary, recipe: FolderRecipe) -> DataSpec:
    """Return the spec of the images that a recipe trains on."""
    height, width = _size(summary, recipe)
    labels = () if _labels(summary) == "none" else tuple(summary.classes)
    return DataSpec(ImageSpec(height, width, summary.channels), classes=len(labels), labels=labels)


def _builds(summary: DataSummary, recipe: FolderRecipe) -> bool:
    """Return whether networks and loss of a recipe can be built for the images of a dataset."""
    if recipe.needs_classes and _labels(summary) == "none":
        return False
    data = data_spec(summary, recipe)
    try:
        parts = find_recipe(recipe.name)
        loss = losses.make(parts.loss.name, **parts.loss.arguments)
        with torch.device("meta"), Uninitialised():
            nets = architectures.make(parts.architecture.name, data, **parts.architecture.arguments)
        loss.check(nets, data)
    except Exception:  # noqa: BLE001 - a plugin may raise anything
        return False
    return True
