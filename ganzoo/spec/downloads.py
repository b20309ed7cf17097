"""Files of a dataset that can be downloaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Unpacking = Literal["", "gzip", "tar", "zip", "zip of gzip"]


@dataclass(frozen=True)
class DownloadFile:
    """A file of a dataset.

    Attributes:
        path: its place below the data folder.
        urls: its addresses; the next is used if one fails.
        md5: its MD5, in hexadecimal.
        unpack: how it is unpacked, into its own folder.
        split: the part of the dataset that it belongs to; empty for all.
        optional: whether it is downloaded only if its split is named.
    """

    path: str
    urls: tuple[str, ...]
    md5: str
    unpack: Unpacking = ""
    split: str = ""
    optional: bool = False


@dataclass(frozen=True)
class Downloads:
    """What `ganzoo data download` fetches: the attribute `downloads` of a dataset's factory.

    Attributes:
        origin: a short citation of the dataset.
        license: Hub id of its licence; None if its authors state none.
        files: returns the files.
    """

    origin: str
    license: str | None
    files: Callable[[], list[DownloadFile]]
