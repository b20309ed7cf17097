"""The warnings and errors of reads, shown in the training process."""

from __future__ import annotations

import warnings

from ganzoo.data.reading import Read
from ganzoo.sampling.corrupt_files import CorruptFileWarning
from ganzoo.sampling.image_warnings import ImageNotes


class ReadWarnings:
    """Shows the warnings of reads, each text once.

    Those about image files are shown once for each kind: after the last read with the number of
    images that they hold for, or at once if the reads do not end. Those about each corrupt file are
    shown at once.

    Args:
        images: number of images in all reads, if the reads end.

    Attributes:
        texts: the texts of all warnings that were shown, and their classes.
    """

    def __init__(self, images: int | None) -> None:
        self.texts: dict[str, type[Warning]] = {}
        self._images = images
        self._notes = ImageNotes()

    @property
    def replaced(self) -> int:
        """Number of corrupt files that other images replaced."""
        return sum(issubclass(kind, CorruptFileWarning) for kind in self.texts.values())

    def show(self, read: Read) -> None:
        """Show the warnings of a read, and raise its error."""
        self._notes.add(read.notes)
        for kind, text in read.warnings:
            self._show(kind, text)
        for text, kind in read.notes.each.items():
            self._show(kind, text)
        if self._images is None:
            for kind, text in self._notes.first.items():
                self._show(kind, text)
        if read.failure is not None:
            raise read.failure.kind(read.failure.message)

    def finish(self) -> None:
        """Show the warnings about image files after the last read."""
        if self._images is not None:
            for kind, text in self._notes.texts(self._images):
                self._show(kind, text)

    def _show(self, kind: type[Warning], text: str) -> None:
        if text not in self.texts:
            self.texts[text] = kind
            warnings.warn(text, kind, stacklevel=4)
