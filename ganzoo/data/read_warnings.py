"""The warnings, errors and counts of reads, in the training process."""

from __future__ import annotations

import warnings
from collections import Counter

from ganzoo.data.reading import Read
from ganzoo.sampling.image_warnings import ImageNotes


class ReadWarnings:
    """Shows the warnings of reads, each text once, and counts the images of each kind.

    A file that is read again, such as in the next epoch or flipped, counts once.

    Those about image files are shown once for each kind: after the last read with the number of
    images that they hold for, or at once if the reads do not end. Those about each corrupt file are
    shown at once.

    Args:
        files: number of files in the dataset.
        ends: whether the reads end.

    Attributes:
        texts: the texts of all warnings that were shown, and their classes.
    """

    def __init__(self, files: int, *, ends: bool) -> None:
        self.texts: dict[str, type[Warning]] = {}
        self._files, self._ends = files, ends
        self._counted = bytearray(files)
        self._notes = ImageNotes()

    @property
    def counts(self) -> Counter[str]:
        """Numbers of files by name, see `count_image`, of the files that were read until now."""
        return self._notes.counts

    def show(self, read: Read) -> None:
        """Show the warnings of a read, and raise its error."""
        for kind, text in read.warnings:
            self._show(kind, text)
        for file, notes in read.notes.items():
            if not self._counted[file]:
                self._counted[file] = True
                self._notes.add(notes)
                for text, kind in notes.each.items():
                    self._show(kind, text)
        if not self._ends:
            for kind, text in self._notes.first.items():
                self._show(kind, text)
        if read.failure is not None:
            raise read.failure.kind(read.failure.message)

    def finish(self) -> None:
        """Show the warnings about image files after the last read."""
        if self._ends:
            for kind, text in self._notes.texts(self._files):
                self._show(kind, text)

    def _show(self, kind: type[Warning], text: str) -> None:
        if text not in self.texts:
            self.texts[text] = kind
            warnings.warn(text, kind, stacklevel=4)
