"""Base class of datasets whose image files are parts of other files."""

from __future__ import annotations

import io
from abc import abstractmethod

from PIL import Image

from ganzoo.builtin.image_files.items import ImageFiles
from ganzoo.sampling.image_files import decode_image


class EncodedImages(ImageFiles):
    """A dataset of image files that are read as bytes."""

    @abstractmethod
    def content(self, index: int) -> tuple[str, bytes]:
        """Return an image file: its name, for messages, and its bytes.

        Raises:
            ImageFileError: it cannot be read.
        """

    @abstractmethod
    def key(self, index: int) -> str:
        """Return the name of an image in the dataset, which does not depend on its place."""

    def read(self, index: int) -> Image.Image:
        """Return an image, rotated upright and fitted to the size."""
        name, content = self.content(index)
        background = self.fitting.background
        image = decode_image(
            io.BytesIO(content), self.mode, name, self.value_range, background=background
        )
        return self.fitting.apply(image, name, self.key(index))
