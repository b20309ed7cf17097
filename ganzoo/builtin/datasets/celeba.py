"""Faces of CelebA, in torchvision's folder layout."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.utils.data import Dataset

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import DataError, DataNotFoundError


class Faces(Dataset[tuple[Tensor, Tensor]]):
    """torchvision's CelebA as uint8 (3, size, size) and a label that says nothing."""

    def __init__(self, pictures: Any, size: int) -> None:
        self.pictures = pictures
        self.size = size

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        try:
            picture, _ = self.pictures[index]
        except OSError as error:
            name = self.pictures.filename[index]
            raise DataError(
                f"cannot read CelebA's image {name}: {error}. Fetch it again."
            ) from error
        square = ImageOps.fit(picture, (self.size, self.size), Image.Resampling.LANCZOS)
        return torch.from_numpy(np.array(square)).permute(2, 0, 1).contiguous(), torch.tensor(0)


def celeba(
    root: Path | None, *, split: Literal["train", "valid", "test", "all"] = "train", size: int = 64
) -> tuple[Faces, DataSpec]:
    """CelebA: 202,599 faces of celebrities, 178x218, aligned; for non-commercial research only.

    "Deep Learning Face Attributes in the Wild" (Liu et al., 2015),
    https://arxiv.org/abs/1411.7766. The short side is resized, the middle cut out.

    Args:
        root: folder that holds ``celeba``, with ``img_align_celeba`` and the lists beside it as
            torchvision has them. It is only read.
        split: which part.
        size: side of the images in pixels, 8 or more.

    Raises:
        DataNotFoundError: no such folder, or files missing from it.
        DataError: a size outside 8 to 256; a corrupt image, its name.
    """
    from torchvision.datasets import CelebA

    if not 8 <= size <= 256:
        raise DataError(f"dataset 'celeba' cannot be resized to {size}: its size is 8 to 256.")
    where = root if root is not None else Path()
    try:
        pictures = CelebA(str(where), split=split, download=False)
    except (RuntimeError, OSError) as error:
        raise DataNotFoundError(
            f"no whole CelebA at {(where / 'celeba').resolve()}: {error}. Say where it lies with "
            "--data DIR or GANZOO_DATA=DIR; a folder of pictures alone is --dataset folder."
        ) from error
    spec = DataSpec(
        ImageSpec(size, size, 3), license="other", origin="CelebA (Liu et al., 2015), aligned"
    )
    return Faces(pictures, size), spec
