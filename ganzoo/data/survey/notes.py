"""What to know before a training on a folder of image files, and what to type."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from ganzoo.data.survey.command import FEW, find_start
from ganzoo.data.survey.recipes import FolderRecipe
from ganzoo.data.survey.summary import DataSummary
from ganzoo.data.survey.zips import ENDING, explain_refusal
from ganzoo.errors import GanzooError, quantity, shell_word
from ganzoo.registry import find_recipe, losses
from ganzoo.sampling.image_folders import UNREAD_ENDINGS, advise_labels, warn_of_loose
from ganzoo.spec.parsing import shorten

AUGMENTATIONS: dict[str, dict[str, Any]] = {
    "--loss.ada": {"ada": True},
    "--loss.augmentation color translation cutout": {"augmentation": ("color",)},
}
ROUNDED = 0.005  # share of the pixels that a note rounds to 1 %
UNEVEN = 10  # times that the largest class has the images of the smallest
NAMES = 5  # names in a note
ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")  # modes with an alpha channel


def write_notes(summary: DataSummary, recipe: FolderRecipe | None) -> tuple[str, ...]:
    """Return what to know before a training, each in a sentence or two.

    Args:
        summary: the dataset.
        recipe: the recipe that suits it, if there is one.
    """
    parts = (_loose, _files, _folders, _images, _duplicates)
    notes = [note for part in parts for note in part(summary)]
    return tuple(notes + _device(summary, recipe) + _flip(summary, recipe) + _few(summary, recipe))


def _loose(summary: DataSummary) -> list[str]:
    loose = warn_of_loose(summary.skipped, summary.images, summary.labels)
    return [f"{loose}."] if loose else []


def _files(summary: DataSummary) -> list[str]:
    notes = []
    if summary.folder.lower().endswith(ENDING):
        notes.append(
            f"--dataset zip --data {shell_word(summary.folder)} trains on this zip without "
            "unpacking it."
        )
    if refusal := explain_refusal(summary):
        notes.append(refusal)
    if n := len(summary.unreadable):
        notes.append(
            f"{quantity(n, 'file')} cannot be read, and a training ends with an error at the "
            "first. --dataset.skip-corrupt replaces each by the next image, which counts once more."
        )
    if types := sorted(ending for ending in UNREAD_ENDINGS if f"type {ending}" in summary.skipped):
        n = sum(summary.skipped[f"type {ending}"] for ending in types)
        notes.append(
            f"{quantity(n, 'image')} of type {' or '.join(types)} {'is' if n == 1 else 'are'} not "
            "read. Convert such files to JPEG or PNG to train on them."
        )
    if summary.repeats:
        notes.append(
            f"{quantity(summary.repeats, 'file')} in use repeat{'s' * (summary.repeats == 1)} "
            "another one by a link, so a training reads that image more often."
        )
    return notes


def _folders(summary: DataSummary) -> list[str]:
    notes = []
    if summary.empty_folders:
        names = _names(summary.empty_folders)
        kind = "is no class" if len(summary.empty_folders) == 1 else "are no classes"
        ending = f", so it {kind}" if summary.classes else ""
        if len(summary.empty_folders) > 1:
            ending = ending.replace("so it", "so they")
        notes.append(f"{names}: no image files{ending}.")
    if summary.splits:
        as_classes = ", but a training uses them as classes" * (
            bool(summary.classes) and set(summary.splits) <= set(summary.classes)
        )
        unpack = "Unpack the zip, and pass" * summary.folder.lower().endswith(ENDING) or "Pass"
        notes.append(
            f"the folders {_names(tuple(summary.splits))} look like splits{as_classes}. {unpack} "
            "one of them with --data to train on it alone."
        )
    else:
        notes += _classes(summary)
    return notes


def _classes(summary: DataSummary) -> list[str]:
    notes = []
    advice = advise_labels(list(summary.classes), summary.labels, "--labels")
    folders = {part for name in summary.names for part in PurePath(name).parts[:-1]}
    if advice and folders >= summary.classes.keys() and not _loose(summary):
        notes.append(f"{advice[0].lower()}{advice[1:]}; in a training, --dataset.labels none does.")
    if len(summary.classes) > 1:
        least = min(summary.classes, key=lambda name: summary.classes[name])
        most = max(summary.classes, key=lambda name: summary.classes[name])
        if summary.classes[most] >= UNEVEN * summary.classes[least]:
            notes.append(
                f"the class {_quote(most)} has {quantity(summary.classes[most], 'image')}, and "
                f"{_quote(least)} has {summary.classes[least]:,}. Models learn small classes worse."
            )
    return notes


def _images(summary: DataSummary) -> list[str]:
    notes = [
        f"{warning.images:,} of {quantity(summary.readable, 'image')}: {warning.text}."
        for warning in summary.warnings
    ]
    if summary.suggested_rectangle and not summary.fixed_size:
        height, width = summary.suggested_rectangle
        square, rectangle = summary.fits[:2]
        notes.append(
            f"a crop to {square.height}x{square.width} drops {100 * square.lost:.0f} % of an image "
            f"on average. --dataset.size {height}x{width} (height x width) drops "
            f"{100 * rectangle.lost:.0f} %, for architectures such as dcgan, resnet, stylegan2 and "
            "r3gan. --dataset.fit pad or stretch keeps all of an image."
        )
    elif summary.fit in ("", "crop", "random-crop"):
        cost = summary.costs[0]
        if cost.lost >= ROUNDED:
            notes.append(
                f"a crop to {cost.height}x{cost.width} drops {100 * cost.lost:.0f} % of an image "
                "on average. --dataset.fit pad or stretch keeps all of an image."
            )
    if summary.sizes.doubled:
        notes.append(
            f"{quantity(summary.sizes.doubled, 'image')} of {summary.readable:,} "
            f"{'is' if summary.sizes.doubled == 1 else 'are'} twice as wide as high, as pairs side "
            "by side are. Pairs need --dataset paired, of ganzoo-translate."
        )
    if summary.enlarged:
        notes.append(
            f"{quantity(summary.enlarged, 'image')} of {summary.readable:,} "
            f"{'is' if summary.enlarged == 1 else 'are'} smaller than "
            f"{summary.size[0]}x{summary.size[1]}; a training at this size enlarges such images."
        )
    if summary.channels == 1:
        notes.append("no image has colours. --dataset.channels 1 saves two thirds of the memory.")
    elif summary.grey:
        notes.append(
            f"{quantity(summary.grey, 'image')} of {summary.readable:,} "
            f"{'has' if summary.grey == 1 else 'have'} no colours."
        )
    if n := sum(count for mode, count in summary.modes.items() if mode in ALPHA):
        notes.append(
            f"{quantity(n, 'image')} of {summary.readable:,} {'has' if n == 1 else 'have'} an "
            "alpha channel. Transparent pixels become white, or black with --dataset.background "
            "black."
        )
    return notes


def _device(summary: DataSummary, recipe: FolderRecipe | None) -> list[str]:
    if summary.gpu or recipe is None or not recipe.short:
        return []
    return [
        f"there is no GPU, so {recipe.name} is suggested, which takes hours on most CPUs. Longer "
        "recipes and larger sizes take days to weeks."
    ]


def _flip(summary: DataSummary, recipe: FolderRecipe | None) -> list[str]:
    if recipe is None or recipe.images_per_epoch <= summary.images:
        return []
    return [
        f"{recipe.name} also reads each image flipped, left to right. Add --dataset.no-flip if the "
        "images show text or digits."
    ]


def _few(summary: DataSummary, recipe: FolderRecipe | None) -> list[str]:
    """Return what few images need."""
    if summary.readable >= FEW:
        return []
    delay = ""
    if recipe and recipe.augments:
        delay = f" {recipe.name} augments them, which delays it."
    elif recipe:
        name = find_recipe(recipe.name).loss.name
        if options := [option for option, each in AUGMENTATIONS.items() if _accepts(name, each)]:
            delay = f" {' or '.join(options)} delays it."
    start = ""
    if pair := find_start(summary, recipe):
        start = (
            f" {pair[0]} can start from trained weights: --init-from {shell_word(pair[1])} "
            "--dry-run names the options that fit."
        )
    return [
        f"{quantity(summary.readable, 'image')} {'is' if summary.readable == 1 else 'are'} few: a "
        f"discriminator soon memorises them.{delay}{start}"
    ]


def _accepts(loss: str, arguments: Mapping[str, Any]) -> bool:
    try:
        losses.make(loss, **arguments)
    except GanzooError:  # it has no such argument, or refuses the value
        return False
    return True


def _duplicates(summary: DataSummary) -> list[str]:
    if not summary.across_splits:
        return []
    return [
        f"{quantity(summary.across_splits, 'group')} of duplicates "
        f"{'is' if summary.across_splits == 1 else 'are'} in several splits, so the splits are "
        "not independent."
    ]


def _names(names: tuple[str, ...]) -> str:
    some = ", ".join(map(_quote, names[:NAMES]))
    return some + (f" and {len(names) - NAMES:,} more" if len(names) > NAMES else "")


def _quote(name: str) -> str:
    return repr(shorten(name, 80))
