"""A folder of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.utils.data import Dataset

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import DataError, DataNotFoundError

ENDINGS = frozenset(
    [".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"]
)


class ImageFolder(Dataset[tuple[Tensor, Tensor]]):
    """Pictures, decoded when asked for: uint8 (channels, size, size), and the class's number."""

    def __init__(self, files: list[Path], labels: list[int], size: int, mode: str) -> None:
        self.files = files
        self.labels = labels
        self.size = size
        self.mode = mode

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        file = self.files[index]
        try:
            with Image.open(file) as picture:
                upright = _eight_bits(ImageOps.exif_transpose(picture)).convert(self.mode)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise DataError(
                f"cannot read the image {file}: {error}. Repair it or take it out of the folder."
            ) from error
        square = ImageOps.fit(upright, (self.size, self.size), Image.Resampling.LANCZOS)
        pixels = torch.from_numpy(np.array(square))
        image = pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1).contiguous()
        return image, torch.tensor(self.labels[index])


def _eight_bits(picture: Image.Image) -> Image.Image:
    """A picture of 16 bits a pixel would turn white when it is converted."""
    if not picture.mode.startswith("I"):
        return picture
    return Image.fromarray((np.asarray(picture).clip(0, 65535) / 257).round().astype(np.uint8))


def folder(
    root: Path | None, *, size: int = 64, channels: Literal[1, 3] = 3
) -> tuple[ImageFolder, DataSpec]:
    """Any folder of pictures, with its sub-folders.

    Where all lie in sub-folders, these are the classes, as torchvision's ImageFolder has it. Hidden
    files are passed over. The short side is resized to `size`, the middle cut out.

    Args:
        root: the folder. It is only read.
        size: side of the images in pixels.
        channels: 3 for colour, 1 for grey.

    Raises:
        DataNotFoundError: no such folder, or no picture in it.
        DataError: a size below 1; when an image is read that is corrupt, its name.
    """
    if not 1 <= size <= 4096:
        raise DataError(f"dataset 'folder' cannot resize to {size}: size is 1 to 4096.")
    if root is None:
        raise DataNotFoundError(
            "dataset 'folder' needs a folder of pictures: --data DIR or GANZOO_DATA=DIR."
        )
    if not root.is_dir():
        raise DataNotFoundError(f"no folder at {root}. Say where it lies with --data DIR.")
    files = sorted(
        file
        for file in root.rglob("*")
        if file.suffix.lower() in ENDINGS
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(root).parts)
    )
    if not files:
        raise DataNotFoundError(f"{root} holds no picture (such as .png or .jpg).")
    parents = [file.relative_to(root).parts[0] for file in files]
    in_classes = all(file.parent != root for file in files)
    names = tuple(sorted(set(parents))) if in_classes else ()
    labels = [names.index(parent) if names else 0 for parent in parents]
    spec = DataSpec(
        ImageSpec(size, size, channels),
        classes=len(names),
        labels=names,
        source=f"{len(files)} pictures of the folder {root.name!r}",
    )
    return ImageFolder(files, labels, size, "RGB" if channels == 3 else "L"), spec
