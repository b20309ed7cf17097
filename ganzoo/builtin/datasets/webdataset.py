"""ImageFiles in tar shards, in WebDataset's layout."""

from __future__ import annotations

import hashlib
import io
from functools import cached_property
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

from ganzoo import DataSpec, ImageSpec
from ganzoo.builtin.image_files.items import ImageFiles, check_size
from ganzoo.builtin.image_files.ranges import is_url
from ganzoo.builtin.image_files.shards import index_shards, read_member
from ganzoo.errors import DataError, DataNotFoundError
from ganzoo.sampling.image_files import decode_image, find_folder


class Shards(ImageFiles):
    """ImageFiles that are members of tars, each read from where it lies, in any order.

    Args:
        places: paths and URLs of the tars.
        entries: where each picture lies, as `index_shards` returns it.
        size: as for `ImageFiles`, and so the others.
        channels: 3 for colour, 1 for grey.
        skip_corrupt: whether others stand in for those that cannot be read.
    """

    def __init__(
        self,
        places: list[str],
        entries: np.ndarray,
        size: int,
        channels: int,
        *,
        skip_corrupt: bool = False,
    ) -> None:
        super().__init__(entries["label"], size, channels, skip_corrupt=skip_corrupt)
        self.places = places
        self.entries = entries

    def read(self, index: int) -> Image.Image:
        """Return a picture upright."""
        entry = self.entries[index]
        place, offset = self.places[entry["shard"]], int(entry["offset"])
        name, content = read_member(place, offset, int(entry["size"]))
        return decode_image(io.BytesIO(content), self.mode, f"{name} of the shard {place}")

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the shards' names, and of where in them the pictures lie and their labels."""
        names = "\0".join(Path(urlsplit(place).path).name for place in self.places)
        digest = hashlib.sha256(names.encode(errors="surrogateescape"))
        digest.update(self.entries.data)
        return digest.hexdigest()


def webdataset(
    root: Path | None,
    *,
    size: int = 64,
    channels: Literal[1, 3] = 3,
    classes: int = 0,
    urls: tuple[str, ...] = (),
    skip_corrupt: bool = False,
) -> tuple[Shards, DataSpec]:
    """Tar shards of pictures, in the layout of WebDataset, from a folder or from the web.

    A picture is a member ``KEY.jpg``, ``.jpeg``, ``.png`` or ``.webp``; beside it ``KEY.cls`` holds
    the number of its class. First all shards' headers are read, to learn where the pictures lie;
    these are then read in any order, so that an epoch shuffles over all shards and a run resumes
    where it was. The short side is resized to `size`, the middle cut out.

    Args:
        root: folder of the shards, all its ``*.tar`` sorted by name. It is only read.
        size: side of the images in pixels.
        channels: 3 for colour, 1 for grey.
        classes: number of classes; 0 reads no labels.
        urls: shards on the web, http or https, instead of those in `root`; or text files that name
            such a URL a line. Each picture is a request, of a server that can send parts of files.
        skip_corrupt: whether the next picture that can be read stands in for one that cannot; a
            warning names it.

    Raises:
        DataNotFoundError: no such folder or address, or no shard.
        DataError: a size below 1; a shard that is no whole tar, or not in that layout; a server
            that does not answer or sends no parts; when an image is read that is corrupt, its name.
    """
    check_size("webdataset", size)
    places = _expand(urls) if urls else _find(root)
    entries = index_shards(places, classes)
    if len(entries) == 0:
        raise DataNotFoundError(
            f"the {len(places)} shards hold no picture: {places[0]} has no member such as "
            "000000.jpg. Say where such shards lie with --data DIR."
        )
    where = urlsplit(places[0]).hostname if urls else f"the folder {Path(places[0]).parent.name!r}"
    spec = DataSpec(
        ImageSpec(size, size, channels),
        classes=classes,
        origin=f"{len(entries)} pictures in {len(places)} shards of {where}",
    )
    return Shards(places, entries, size, channels, skip_corrupt=skip_corrupt), spec


def _find(root: Path | None) -> list[str]:
    where = find_folder("webdataset", root)
    found = sorted(str(path) for path in where.glob("*.tar") if not path.name.startswith("."))
    if not found:
        raise DataNotFoundError(
            f"{where} holds no shard (.tar). Say where they lie with --data DIR or --dataset.urls; "
            "a folder of pictures is --dataset folder."
        )
    return found


def _expand(urls: tuple[str, ...]) -> list[str]:
    """The URLs, those of text files among them."""
    places = []
    for given in urls:
        if is_url(given):
            parts = urlsplit(given)
            if parts.query or parts.username or parts.password:
                raise DataError(
                    f"the URL of {parts.hostname} holds what may be a key, and a recipe goes"
                    " with its model. Write such URLs in a text file: --dataset.urls FILE"
                )
            places.append(given)
            continue
        try:
            lines = Path(given).expanduser().read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError) as error:
            raise DataNotFoundError(
                f"{given} is neither an http or https URL nor a text file of such URLs: {error}."
            ) from error
        listed = [line.strip() for line in lines if line.strip()]
        if wrong := [line for line in listed if not is_url(line)]:
            raise DataError(f"{given} lists {wrong[0]!r}, which is no http or https URL.")
        places += listed
    if not places:
        raise DataNotFoundError(f"{', '.join(urls)} lists no URL.")
    return places
