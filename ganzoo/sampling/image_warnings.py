"""Warnings about image files. Files of a dataset are often alike, so each kind is told once."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Kind = type["ImageFileWarning"]

_texts: ContextVar[dict[Kind, str] | None] = ContextVar("texts", default=None)


class ImageFileWarning(UserWarning):
    """A property of an image file that many files of a dataset may share."""


def warn_of_image(kind: Kind, text: str) -> None:
    """Warn about an image file, or note it for the `ImageNotes` that are open."""
    texts = _texts.get()
    if texts is None:
        warnings.warn(text, kind, stacklevel=5)
    else:
        texts.setdefault(kind, text)


class ImageNotes:
    """Warnings about many images: of each kind the first text, and the number of images.

    Attributes:
        first: the first text by kind.
        images: the number of images by kind.
    """

    def __init__(self) -> None:
        self.first: dict[Kind, str] = {}
        self.images: Counter[Kind] = Counter()

    @contextmanager
    def of_image(self) -> Iterator[None]:
        """Note the warnings about one image, instead of showing them."""
        texts: dict[Kind, str] = {}
        token = _texts.set(texts)
        try:
            yield
        finally:
            _texts.reset(token)
            self._add(texts, Counter(texts.keys()))

    def add(self, other: ImageNotes) -> None:
        """Add the notes on other images."""
        self._add(other.first, other.images)

    def texts(self, images: int) -> list[tuple[Kind, str]]:
        """Return one warning for each kind.

        Args:
            images: number of images with and without warnings.
        """
        texts = []
        for kind, text in self.first.items():
            n = self.images[kind]
            share = f"{n:,} of {images:,} images {'has' if n == 1 else 'have'} this warning: "
            texts.append((kind, f"{share if images > 1 else ''}{text}"))
        return texts

    def tell(self, images: int) -> None:
        """Show the `texts`."""
        for kind, text in self.texts(images):
            warnings.warn(text, kind, stacklevel=3)

    def _add(self, first: dict[Kind, str], images: Counter[Kind]) -> None:
        self.first = first | self.first
        self.images += images
