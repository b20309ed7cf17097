"""CelebA in torchvision's folder layout."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.transforms.functional import pil_to_tensor

from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import DataError, DataNotFoundError
from ganzoo.sampling.corrupt_files import SkipCorrupt, read_good
from ganzoo.sampling.image_files import fit_image, read_image
from ganzoo.spec.lfs import explain_pointer


class Faces(Dataset[tuple[Tensor, Tensor]]):
    """torchvision's CelebA as uint8 images (3, size, size) and a label that is always 0."""

    def __init__(self, files: Any, size: int, skip_corrupt: bool) -> None:
        self.files = files
        self.size = size
        self.skip_corrupt = skip_corrupt

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        _, image = read_good(self._read, index, len(self), skip_corrupt=self.skip_corrupt)
        return pil_to_tensor(image), torch.tensor(0)

    def _read(self, index: int) -> Image.Image:
        folder = Path(self.files.root, self.files.base_folder, "img_align_celeba")
        file = folder / self.files.filename[index]
        return fit_image(read_image(file), self.size, self.size, file)


def celeba(
    root: Path | None,
    *,
    split: Literal["train", "valid", "test", "all"] = "train",
    size: int = 64,
    skip_corrupt: SkipCorrupt = False,
) -> tuple[Faces, DataSpec]:
    """CelebA: 202,599 aligned faces of celebrities, 178x218, for non-commercial research only.

    "Deep Learning Face Attributes in the Wild" (Liu et al., 2015),
    https://arxiv.org/abs/1411.7766. Images are resized on their short side and cropped to a centred
    square.

    Args:
        root: folder that contains ``celeba``, with ``img_align_celeba`` and the lists in
            torchvision's layout. Nothing is written to it.
        split: part of the dataset.
        size: height and width of the images in pixels, 8 to 256.
        skip_corrupt: replace an image that cannot be read by the next one that can, with a warning.

    Raises:
        DataNotFoundError: the folder or some of its files are missing.
        DataError: the size is not in 8 to 256, or an image is corrupt.
    """
    from torchvision.datasets import CelebA

    if not 8 <= size <= 256:
        raise DataError(
            f"dataset 'celeba' cannot resize images to {size} pixels. Use --dataset.size 8 to 256."
        )
    folder = root if root is not None else Path()
    try:
        files = CelebA(str(folder), split=split, download=False)
    except Exception as error:
        for file in (folder / "celeba").glob("*.txt"):
            if text := explain_pointer(file):
                raise DataError(text) from error
        raise DataNotFoundError(
            f"CelebA not found or not complete: {(folder / 'celeba').resolve()}. {error} Pass its "
            "location with --data DIR or GANZOO_DATA=DIR. For a plain folder of image files use "
            "--dataset folder."
        ) from error
    spec = DataSpec(
        ImageSpec(size, size, 3), license="other", origin="CelebA (Liu et al., 2015), aligned"
    )
    return Faces(files, size, skip_corrupt), spec
