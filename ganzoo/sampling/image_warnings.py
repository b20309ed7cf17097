"""Warnings about image files. Files of a dataset are often alike, so each kind is told once."""

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
    """

    for_each_file: ClassVar[bool] = False


def warn_of_image(kind: Kind, text: str) -> None:
    """Warn about an image file, or note it for the `ImageNotes` that are open."""
    notes = _notes.get()
    if notes is None:
        warnings.warn(text, kind, stacklevel=5)
    elif kind.for_each_file:
        notes.each[text] = kind
    else:
        notes.first.setdefault(kind, text)
        notes.images[kind] = 1


class ImageNotes:
    """Warnings about many images: of each kind the first text, and the number of images.

    Attributes:
        first: the first text by kind, for kinds that are shown once.
        images: the number of images by kind.
        each: the kind by text, for kinds that are shown for each file.
    """

    def __init__(self) -> None:
        self.first: dict[Kind, str] = {}
        self.images: Counter[Kind] = Counter()
        self.each: dict[str, Kind] = {}

    @contextmanager
    def of_image(self) -> Iterator[None]:
        """Note the warnings about one image, instead of showing them."""
        notes = ImageNotes()
        token = _notes.set(notes)
        try:
            yield
        finally:
            _notes.reset(token)
            self.add(notes)

    def add(self, other: ImageNotes) -> None:
        """Add the notes on other images."""
        self.first = other.first | self.first
        self.images += other.images
        self.each |= other.each

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
