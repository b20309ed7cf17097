"""Download the files of a dataset."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import shutil
import tarfile
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast
from urllib.parse import urlsplit

from ganzoo.bundle.files import new_file, reporting_output
from ganzoo.errors import AmbiguousNameError, DataError, OutputError, UnknownNameError
from ganzoo.registry import datasets
from ganzoo.spec.downloads import DownloadFile, Downloads
from ganzoo.system.bars import progress_bar
from ganzoo.system.dependencies import quiet_imports

TIMEOUT = 30.0  # seconds without a byte
BLOCK = 2**18  # bytes


def find_downloads(name: str) -> Downloads:
    """Return what `ganzoo data download` fetches for a dataset.

    Raises:
        UnknownNameError, BrokenPluginError, ...: there is no such dataset, see `Registry.get`.
        DataError: the dataset has no files to download.
    """
    downloads = getattr(datasets.get(name), "downloads", None)
    if isinstance(downloads, Downloads):
        return downloads
    others = [entry.name for entry in datasets.entries() if _has_downloads(entry.name)]
    raise DataError(
        f"ganzoo cannot download the dataset {name!r}. It downloads {', '.join(others)}. Get the "
        f"files of {name!r} yourself, and pass their location with --data."
    )


def _has_downloads(name: str) -> bool:
    try:
        return isinstance(getattr(datasets.get(name), "downloads", None), Downloads)
    except (AmbiguousNameError, UnknownNameError, ImportError):
        return False  # several distributions register it, or it is broken


def choose_files(name: str, downloads: Downloads, split: str) -> list[DownloadFile]:
    """Return the files of a split; without one, those of all but the optional splits.

    Raises:
        DataError: there is no such split.
    """
    with quiet_imports():  # the lists are torchvision's
        files = downloads.files()
    if not split:
        return [file for file in files if not file.optional]
    splits = sorted({file.split for file in files} - {""})
    if split not in splits:
        advice = f"Use --split {', '.join(splits)}." if splits else "Leave out --split."
        raise DataError(f"the files of {name!r} have no split {split!r}. {advice}")
    return [file for file in files if file.split in ("", split)]


def download(
    files: Sequence[DownloadFile], root: Path, tell: Callable[[str], None]
) -> list[DownloadFile]:
    """Download files below a folder, check them, and unpack each into its own folder.

    A file that is there with the right MD5 is not downloaded again. The archives stay: torchvision
    looks for some of them.

    Args:
        files: the files.
        root: the folder.
        tell: takes a line for each file.

    Returns:
        The files that were downloaded.

    Raises:
        DataError: no server sends a file, or what it sends has another MD5.
        OutputError: a file cannot be written.
    """
    fresh = []
    for file in files:
        target = root / file.path
        if _has_md5(target, file.md5):
            tell(f"{target} is there already")
        else:
            _fetch(file, target)
            fresh.append(file)
            tell(f"{target}: {target.stat().st_size:,} bytes, MD5 {file.md5}")
        _unpack(file, target)
    return fresh


def measure(files: Sequence[DownloadFile], root: Path) -> tuple[int, int]:
    """Ask the servers for the sizes of the files that are not there.

    Returns:
        The sum of the sizes in bytes, and the number of files of unknown size.
    """
    total, unknown = 0, 0
    for file in files:
        if _has_md5(root / file.path, file.md5):
            continue
        size = next((size for url in file.urls if (size := _size(url)) is not None), None)
        total += size or 0
        unknown += size is None
    return total, unknown


def _size(url: str) -> int | None:
    try:
        with _open(url, "HEAD") as response:
            return int(response.headers["Content-Length"])
    except (OSError, http.client.HTTPException, TypeError, ValueError):
        return None


def _open(url: str, method: str = "GET") -> http.client.HTTPResponse:
    # Some servers refuse Python's own name.
    request = urllib.request.Request(url, headers={"User-Agent": "ganzoo"}, method=method)
    response = urllib.request.urlopen(request, timeout=TIMEOUT)
    return cast(http.client.HTTPResponse, response)


def _fetch(file: DownloadFile, target: Path) -> None:
    """Download a file from the first of its addresses that sends it, whole or not at all."""
    reasons = []
    for url in file.urls:
        host = urlsplit(url).hostname
        try:
            _fetch_from(url, file.md5, target)
        except OutputError:
            raise
        except (OSError, http.client.HTTPException, _FetchError) as error:
            reasons.append(f"{host}: {str(error) or type(error).__name__}")
        else:
            return
    raise DataError(
        f"cannot download {PurePosixPath(file.path).name}: {'; '.join(reasons)}. Try again later, "
        f"or get the file elsewhere, put it at {target}, and type the command again to unpack it."
    )


class _FetchError(Exception):
    """A server does not send the file; an OSError would be one of the disk to `new_file`."""


def _fetch_from(url: str, md5: str, target: Path) -> None:
    digest = hashlib.md5(usedforsecurity=False)
    with _open(url) as response, new_file(target) as opened:
        length, count = response.length, 0
        name = target.name
        with progress_bar(None, name, total=length, unit="B", unit_scale=True) as progress:
            while block := _read(response):
                digest.update(block)
                opened.write(block)
                count += len(block)
                progress.update(len(block))
        if length is not None and count < length:
            raise _FetchError(f"it sent {count:,} of {length:,} bytes")
        if digest.hexdigest() != md5:
            raise _FetchError(f"it sent {count:,} bytes with another MD5, {digest.hexdigest()}")


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read(BLOCK)
    except TimeoutError as error:
        raise _FetchError(f"it sent nothing for {TIMEOUT:g} seconds") from error
    except (OSError, http.client.HTTPException) as error:
        raise _FetchError(str(error) or type(error).__name__) from error


def _has_md5(path: Path, md5: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    return digest.hexdigest() == md5


def _unpack(file: DownloadFile, archive: Path) -> None:
    """Unpack an archive into its own folder; replace files that are there."""
    match file.unpack:
        case "gzip":
            _copy(_open_gzip(archive), archive.with_suffix(""))
        case "tar":
            with tarfile.open(archive) as tar:
                for member in progress_bar(tar, f"unpacking {archive.name}"):
                    opened = tar.extractfile(member) if member.isreg() else None
                    if opened is not None:
                        _copy(cast(BinaryIO, opened), _inside(archive.parent, member.name))
        case "zip":
            for name, opened in _members(archive):
                _copy(opened, _inside(archive.parent, name))
        case "zip of gzip":
            for name, opened in _members(archive):
                if name.endswith(".gz"):
                    flat = PurePosixPath(name).name.removesuffix(".gz")
                    _copy(cast(BinaryIO, gzip.GzipFile(fileobj=opened)), archive.parent / flat)


def _open_gzip(archive: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(archive, "rb"))


def _members(archive: Path) -> Iterator[tuple[str, BinaryIO]]:
    with zipfile.ZipFile(archive) as file:
        for info in progress_bar(file.infolist(), f"unpacking {archive.name}"):
            if not info.is_dir():
                with file.open(info) as opened:
                    yield info.filename, cast(BinaryIO, opened)


def _inside(folder: Path, name: str) -> Path:
    """Return the place of a member of an archive.

    Raises:
        DataError: it leads out of the folder.
    """
    target = folder / name
    if not target.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"the archive holds {name!r}, whose path leads out of it. Delete it.")
    return target


def _copy(source: BinaryIO, target: Path) -> None:
    with source, reporting_output(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as opened:
            shutil.copyfileobj(source, opened, BLOCK)
