"""The cache of a dataset's decoded images: when it is read and written, and checks of its data."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import inspect
import json
import os
import shutil
import warnings
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import PIL
from filelock import FileLock, Timeout
from PIL import features
from torch import Tensor
from torch.utils.data import Dataset

from ganzoo.bundle import leftovers
from ganzoo.bundle.files import new_file, reporting_output
from ganzoo.data.cache_file import DAMAGED, OTHER, CacheFile, FileStore
from ganzoo.data.decoded_images import DecodedImages, decode_images
from ganzoo.data.decoding import decode_into
from ganzoo.data.fingerprints import fingerprint_items, fingerprint_stream
from ganzoo.data.reading import Items, check_items
from ganzoo.errors import DataError, OutputError, did_you_mean
from ganzoo.registry import datasets
from ganzoo.sampling.image_warnings import ImageFileWarning
from ganzoo.spec import Component, DataSpec
from ganzoo.system.terminal import print_error

FOLDER = ".ganzoo-cache"  # beside the folder of a run
AUTO_SECONDS = 5.0  # `auto` caches images that take longer to decode
AUTO_SHARE = 0.25  # of the free disk space, the most that `auto` uses
DECODER = 2  # increase it if the decoding of image files changes a pixel or a count
MAX_WARNINGS = 2**14  # characters in a file


@dataclass(frozen=True)
class CacheOptions:
    """Where a training caches decoded images, and when.

    Attributes:
        folder: folder of the caches.
        always: cache all images; otherwise those that fit into memory and take longer than
            `AUTO_SECONDS` to decode.
        writes: write a cache that is missing or is of other images.
    """

    folder: Path
    always: bool = False
    writes: bool = True

    @classmethod
    def of(cls, value: str, run: Path, *, writes: bool = True) -> CacheOptions | None:
        """Return the options that `RunOptions.cache` states, for the folder of a run.

        Raises:
            DataError: it is a misspelt word, not a folder.
        """
        if value == "off":
            return None
        if value in ("auto", "on"):
            parent = run.parent if run.name not in ("", "..") else run.resolve().parent
            return cls(parent / FOLDER, value == "on", writes)
        folder = Path(value).expanduser()
        if (hint := did_you_mean(value, ("auto", "on", "off"))) and not folder.exists():
            raise DataError(
                f"there is no folder {value!r} for the cache of images.{hint} To make such a "
                f"folder, type --cache ./{value}"
            )
        return cls(folder, True, writes)


class ImageCache:
    """The cache of a dataset.

    Args:
        options: where it is, and when it is written.
        component: name and arguments of the dataset.
        root: folder of the dataset, if there is one.
        dataset: the dataset.
        spec: its spec.
        ranks: number of processes on this machine that need the images.

    Attributes:
        path: the file.
        forecast: what a training does about the cache, for a dry run.
    """

    def __init__(
        self,
        options: CacheOptions,
        component: Component,
        root: Path | None,
        dataset: Dataset[tuple[Tensor, ...]],
        spec: DataSpec,
        *,
        ranks: int = 1,
    ) -> None:
        key = json.dumps([component.name, component.arguments], sort_keys=True, default=str)
        self._key = _digest(key)
        place = _digest(f"{key}{root and root.resolve()}")[:12]
        self.path = options.folder / f"{component.name.replace(':', '-')}-{place}.safetensors"
        self._options = options
        self._name = component.name
        self._dataset = dataset
        self._spec = spec
        self._ranks = ranks
        self._file = CacheFile(self.path, len(dataset), spec)  # type: ignore[arg-type]
        self._identity = self._identify()
        self.forecast = "" if options.writes else "none"
        self._difference = ""  # why the file is not used

    def load(self, *, fits: bool, progress: bool = False) -> DecodedImages | None:
        """Return all images, from the cache or decoded. Returns None for a stream.

        Args:
            fits: whether memory holds them.
            progress: show progress on a terminal.

        Raises:
            DataError: the images do not match the spec, or an image is corrupt.
        """
        if known := self._read(fits):
            return known
        always, possible = self._options.always, self._is_possible(fits)
        writes = self._options.writes and possible
        is_dry_run = possible and not writes
        if is_dry_run:
            self.forecast = f"a training writes {self._describe_file()}"
        if writes and (always or self._ranks > 1):
            try:
                # The other processes of this machine wait, and read what the first one writes.
                with self._lock(announce=progress):
                    return self._read(fits) or self._fill(fits)
            except OutputError as error:
                self._warn(error)
                writes = False
        if not fits:
            return None
        images = decode_images(self._dataset, self._spec, progress=progress, ranks=self._ranks)
        if writes and images.seconds >= AUTO_SECONDS:
            try:
                with self._lock(announce=None):
                    return self._write(images)
            except OutputError as error:
                self._warn(error)
        if is_dry_run and not always and images.seconds < AUTO_SECONDS:
            self.forecast = f"none: the images take less than {AUTO_SECONDS:g} seconds to decode"
        if self._difference and not writes and not is_dry_run:
            return images._replace(cache=f"{self.path} is not used: it is {self._difference}")
        return images

    def _is_possible(self, fits: bool) -> bool:
        """Return whether this dataset can and should be cached, if its images take long enough."""
        always = self._options.always
        if self._identity is None:
            if always:
                self._warn("changes of its files or its code would not be noticed")
            return False
        if not fits and not always:
            return False
        free = shutil.disk_usage(next(p for p in self.path.absolute().parents if p.exists())).free
        if always and self._file.size > free:
            self._warn(
                self._trouble() or f"it needs {_size(self._file.size)}, and {_size(free)} are free"
            )
        return self._file.size <= (free if always else AUTO_SHARE * free)

    def _trouble(self) -> OutputError | None:
        """Return why the folder cannot be written. Such file systems often state no free space."""
        if not self._options.writes:
            return None
        try:
            with reporting_output(self.path):
                self.path.parent.mkdir(parents=True, exist_ok=True)
                if not os.access(self.path.parent, os.W_OK):
                    raise PermissionError(errno.EACCES, "the folder is not writable")
        except OutputError as error:
            return error
        return None

    def _fill(self, fits: bool) -> DecodedImages:
        """Decode the images and write them, unless they are decoded too fast to be cached."""
        if fits:
            images = decode_images(self._dataset, self._spec, progress=True)
            slow = images.seconds >= AUTO_SECONDS / self._ranks
            return self._write(images) if self._options.always or slow else images
        with self._new_file() as store:
            decoding = decode_into(store, self._dataset, self._spec, shown=True)
            items = store.map()
            sha256, texts = fingerprint_items(items), tuple(decoding.warnings)
            store.finish(self._metadata(items, sha256, texts, decoding.counts))
        mapped = self._read(fits, tell=False)
        assert mapped is not None
        return mapped._replace(decoding=str(decoding), cache=f"written to {self._describe_file()}")

    def _write(self, images: DecodedImages) -> DecodedImages:
        """Write images that memory holds. They are not lost if it fails."""
        try:
            with self._new_file() as store:
                store.put(0, images.items)
                facts = images.sha256, images.warnings, images.counts
                store.finish(self._metadata(images.items, *facts))
        except OutputError as error:
            self._warn(error)
            return images
        return images._replace(cache=f"written to {self._describe_file()}")

    @contextlib.contextmanager
    def _new_file(self) -> Iterator[FileStore]:
        with new_file(self.path) as file:
            yield FileStore(self._file, file)

    def _read(self, fits: bool, *, tell: bool = True) -> DecodedImages | None:
        """Return the images of the file, or None if it is missing or not of this dataset."""
        if self._identity is None or not self.path.exists():
            return None
        content = self._file.read()
        if isinstance(content, str):
            self._difference = content
            return None
        items, checksums, metadata = content
        for key, value in self._identity.items():
            if metadata.get(key) != value:
                versions = "of another version of the code"
                self._difference = versions if key == "decoder" else OTHER
                return None
        try:
            check_items(items, self._spec)
            sha256, texts = metadata["sha256"], json.loads(metadata["warnings"])
            counts = {name: int(n) for name, n in json.loads(metadata["counts"]).items()}
            if metadata["labels"] != _sum_labels(items):
                raise DataError("a label differs from the one that was written")
        except (DataError, ValueError, KeyError, TypeError, AttributeError):
            self._difference = DAMAGED
            return None
        for text in texts if tell else ():
            warnings.warn(str(text), ImageFileWarning, stacklevel=4)
        size = _size(self._file.size)
        return DecodedImages(
            items,
            sha256,
            fits,
            checksums,
            cache=f"read from {self.path} ({size})",
            counts=counts,
        )

    @contextlib.contextmanager
    def _lock(self, *, announce: bool | None) -> Iterator[None]:
        """Lock the cache.

        Args:
            announce: whether to say that this waits for another process; None does not wait.

        Raises:
            OutputError: the folder cannot be written, or, without waiting, another process writes
                the cache.
        """
        with reporting_output(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path.with_suffix(".lock"))
            try:
                lock.acquire(blocking=False)
            except Timeout:
                if announce is None:
                    raise OutputError("another process writes it.") from None
                if announce:
                    print_error(f"waiting for another process that writes {self.path}")
                lock.acquire()
        try:
            leftovers.remove_all(self.path.parent)
            yield
        finally:
            lock.release()

    def _identify(self) -> dict[str, str] | None:
        """Return what the cache depends on; None if changes could not be noticed."""
        files, code = getattr(self._dataset, "fingerprint", None), _hash_code(type(self._dataset))
        if not isinstance(files, str) or code is None:
            return None
        versions = f"Pillow {PIL.__version__}, libjpeg {features.version('jpg')}"
        return {
            "dataset": self._key,
            "images": fingerprint_stream(self._dataset, self._spec),
            "timestamps": str(getattr(self._dataset, "timestamps", "")),
            "decoder": f"{DECODER}, {versions}, {datasets.entry(self._name).provider}, {code}",
        }

    def _metadata(
        self, items: Items, sha256: str, texts: tuple[str, ...], counts: Mapping[str, int]
    ) -> dict[str, str]:
        assert self._identity is not None
        size, lines = 0, []
        for text in texts:
            size += len(json.dumps(text))
            lines += [text] if size <= MAX_WARNINGS else []
        return {
            **self._identity,
            "sha256": sha256,
            "labels": _sum_labels(items),
            "warnings": json.dumps(lines),
            "counts": json.dumps(dict(counts)),
        }

    def _describe_file(self) -> str:
        former = f"; the former one was {self._difference}" if self._difference else ""
        return f"{self.path} ({_size(self._file.size)}){former}"

    def _warn(self, reason: OutputError | str) -> None:
        if isinstance(reason, OutputError) and isinstance(reason.__cause__, OSError):
            reason = reason.__cause__.strerror or str(reason.__cause__)
        warnings.warn(
            f"the images of the dataset {self._name!r} are not cached in {self.path}: "
            f"{str(reason).removesuffix('.')}. The training continues without a cache",
            stacklevel=4,
        )


def _hash_code(kind: type) -> str | None:
    """Return the SHA-256 of the source files of a class and its bases; None if there are none."""
    digest = hashlib.sha256()
    for base in kind.__mro__:
        if base.__module__.partition(".")[0] in ("builtins", "typing", "torch"):
            continue
        try:
            digest.update(Path(inspect.getfile(base)).read_bytes())
        except (OSError, TypeError):  # in a notebook or an archive
            return None
    return digest.hexdigest()


def _sum_labels(items: Items) -> str:
    """Return the CRC-32 of all labels, as metadata store it."""
    return str(zlib.crc32(items.labels.contiguous().numpy().data))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()


def _size(count: int) -> str:
    return f"{count / 2**30:,.1f} GiB" if count >= 2**30 else f"{count / 2**20:,.1f} MiB"
