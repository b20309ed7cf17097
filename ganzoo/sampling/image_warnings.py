"""Warnings about image files, and counts of them. Each kind of warning is told once, since files
of a dataset are often alike.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ClassVar

Kind = type["ImageFileWarning"]

_notes: ContextVar[ImageNotes | None] = ContextVar("notes", default=None)


class ImageFileWarning(UserWarning):
    """A property of an image file that many files of a dataset may share.

    Attributes:
        for_each_file: whether the warning about every file is shown, not only the first of its
            kind.
        count: name of the number of such images, see `count_image`; empty if they are not counted.
    """

    for_each_file: ClassVar[bool] = False
    count: ClassVar[str] = ""


def warn_of_image(kind: Kind, text: str) -> None:
    """Warn about an image file, or note it for the `ImageNotes` that are open."""
    if kind.count:
        count_image(kind.count)
    notes = _notes.get()
    if notes is None:
        warnings.warn(text, kind, stacklevel=5)
    elif kind.for_each_file:
        notes.each[text] = kind
    else:
        notes.first.setdefault(kind, text)
        notes.images[kind] = 1


def count_image(name: str) -> None:
    """Count an image file for the `ImageNotes` that are open, once for each name.

    Args:
        name: how the image is converted, after a number, such as ``turned by EXIF``.
    """
    if (notes := _notes.get()) is not None:
        notes.counts[name] = 1


class ImageNotes:
    """Warnings about many images: of each kind the first text, and the number of images.

    Attributes:
        first: the first text by kind, for kinds that are shown once.
        images: the number of images by kind.
        each: the kind by text, for kinds that are shown for each file.
        counts: the number of images by name, see `count_image`.
    """

    def __init__(self) -> None:
        self.first: dict[Kind, str] = {}
        self.images: Counter[Kind] = Counter()
        self.each: dict[str, Kind] = {}
        self.counts: Counter[str] = Counter()

    def __bool__(self) -> bool:
        return bool(self.images or self.each or self.counts)

    @contextmanager
    def collect(self) -> Iterator[None]:
        """Note the warnings about one image, instead of showing them."""
        token = _notes.set(self)
        try:
            yield
        finally:
            _notes.reset(token)

    @contextmanager
    def of_image(self) -> Iterator[None]:
        """Note the warnings about one of several images, instead of showing them."""
        notes = ImageNotes()
        try:
            with notes.collect():
                yield
        finally:
            self.add(notes)

    def add(self, other: ImageNotes) -> None:
        """Add the notes on other images."""
        self.first = other.first | self.first
        self.images += other.images
        self.each |= other.each
        self.counts += other.counts

    def texts(self, images: int) -> list[tuple[Kind, str]]:
        """Return one warning for each kind, or for each file.

        Args:
            images: number of images with and without warnings.
        """
        texts = []
        for kind, text in self.first.items():
            n = self.images[kind]
            share = f"{n:,} of {images:,} images {'has' if n == 1 else 'have'} this warning: "
            texts.append((kind, f"{share if images > 1 else ''}{text}"))
        return texts + [(kind, text) for text, kind in self.each.items()]

    def tell(self, images: int) -> None:
        """Show the `texts`."""
        for kind, text in self.texts(images):
            warnings.warn(text, kind, stacklevel=3)
