"""A folder of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.transforms.functional import pil_to_tensor

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import DataError
from ganzoo.pictures import find_folder, find_pictures, fit_picture, read_picture


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
        picture = read_picture(self.files[index], self.mode)
        image = pil_to_tensor(fit_picture(picture, self.size, self.size))
        return image, torch.tensor(self.labels[index])


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
    where = find_folder("folder", root)
    files = find_pictures(where)
    parents = [file.relative_to(where).parts[0] for file in files]
    in_classes = all(file.parent != where for file in files)
    names = tuple(sorted(set(parents))) if in_classes else ()
    labels = [names.index(parent) if names else 0 for parent in parents]
    spec = DataSpec(
        ImageSpec(size, size, channels),
        classes=len(names),
        labels=names,
        source=f"{len(files)} pictures of the folder {where.name!r}",
    )
    return ImageFolder(files, labels, size, "RGB" if channels == 3 else "L"), spec
