"""Write many images as a folder of tar shards, with any number of processes.

A shard is a tar of PNG files for WebDataset: ``000000123.png``, and ``000000123.cls`` with the
class index if the model has classes; ``index.json`` names the classes. On one type of device and
runtime, the bytes of a shard depend only on the settings. A process that is killed loses at most
its current shard.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganzoo.bundle.files import new_file, reporting_output, sha256, write_file
from ganzoo.errors import OutputError, SampleError
from ganzoo.sampling.classes import Label
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.progress import Progress
from ganzoo.sampling.sizes import images_at_once
from ganzoo.spec import as_integer
from ganzoo.spec.json_text import read_json

SHARD_SIZE = 10_000
MAX_IMAGES = 10**9  # images that nine digits can number
INDEX = "index.json"
_MAX_INDEX = 2**24  # bytes

_UNFINISHED = ".unfinished"  # exists while shards are missing
_LEFTOVERS = (f".{INDEX}.", ".images-")  # prefixes of the temporary files of a killed process


@dataclass(frozen=True)
class Process:
    """The index of one of the processes that share the work.

    Attributes:
        rank: index of the process.
        count: number of processes.
        local_rank: index of the process on this machine.

    Raises:
        SampleError: the indices are negative, or rank is not below count.
    """

    rank: int = 0
    count: int = 1
    local_rank: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.rank < self.count or self.local_rank < 0:
            raise SampleError(
                f"RANK is {self.rank}, WORLD_SIZE is {self.count} and LOCAL_RANK is "
                f"{self.local_rank}, but ranks are 0 to WORLD_SIZE - 1. Let torchrun set them."
            )

    @classmethod
    def of_environment(cls) -> Process:
        """Return the process of RANK, WORLD_SIZE and LOCAL_RANK; by default the only one.

        Raises:
            SampleError: the variables are not whole numbers, or contradict each other.
        """
        values = [os.environ.get(name, "") for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK")]
        try:
            return cls(int(values[0] or 0), int(values[1] or 1), int(values[2] or 0))
        except ValueError as error:
            if isinstance(error, SampleError):
                raise
            raise SampleError(
                f"RANK, WORLD_SIZE and LOCAL_RANK are {values}; each is a whole number. "
                "Let torchrun set them, or unset them."
            ) from error


@dataclass(frozen=True)
class ShardReport:
    """The result of a call of `sample_to`.

    Attributes:
        images: images that were missing at the start, and that all processes wrote.
        seconds: duration of the call.
        whole: whether the folder contains all shards.
        ended_it: whether this call completed the folder; true for one of several processes.
    """

    images: int
    seconds: float
    whole: bool
    ended_it: bool

    @property
    def images_per_second(self) -> float:
        """Images per second of all processes together."""
        return self.images / max(self.seconds, 1e-9)


def sample_to(
    model: Generator,
    folder: str | Path,
    n: int,
    seed: int = 0,
    *,
    label: Label | None = None,
    shard_size: int = SHARD_SIZE,
    process: Process | None = None,
    progress: bool = False,
    sampler: str = "plain",
    options: Mapping[str, Any] | None = None,
) -> ShardReport:
    """Write images 0 to `n` - 1 of a seed into a folder of shards.

    The images are those of `model.sample`. Existing shards are kept, so the same call resumes an
    interrupted one. Process r of c writes the shards r, r + c, ...; the processes share only the
    folder.

    Args:
        model: the generator.
        folder: a new or empty folder, or one with shards of the same settings.
        n: number of images, 1 to 1,000,000,000.
        seed: 0 to 2**64 - 1.
        label: name or index of the class, as for `Generator.sample`; by default image k has class
            k modulo their number.
        shard_size: images in a shard.
        process: index of this process among several; by default the only one.
        progress: whether process 0 prints its progress on stderr.
        sampler: registered name of the sampler, as for `Generator.sample`.
        options: its options.

    Returns:
        The number of images, the duration, and whether the folder is complete.

    Raises:
        SampleError: an argument is out of range, or the label does not exist.
        OutputError: the folder contains other files, or cannot be written.
    """
    folder, process = Path(folder), process or Process()
    try:
        n, shard_size = as_integer("n", n), as_integer("shard_size", shard_size)
    except ValueError as error:
        raise SampleError(f"{error}.") from error
    if not 1 <= n <= MAX_IMAGES:
        raise SampleError(f"cannot sample {n} images: n is 1 to {MAX_IMAGES:,}.")
    if shard_size < 1:
        raise SampleError(f"cannot put {shard_size} images in a shard. Pass 1 or more.")
    chosen = {"sampler": sampler, **(options or {})}
    # Raises for a wrong argument before the folder is created.
    model.sample(1, seed, label=label, **chosen)
    since = time.perf_counter()
    shards = _plan(n, shard_size)
    mine = dict(list(shards.items())[process.rank :: process.count])
    index = _describe(model, n, seed, label, shard_size, len(shards))
    index |= _describe_sampler(chosen)
    # As the file has it: lists for tuples, and numbers of Python for those of NumPy.
    index = json.loads(json.dumps(index, default=lambda value: value.item()))
    existing = _claim(folder, index, bool(mine))
    missing = sum(len(numbers) for name, numbers in shards.items() if name not in existing)
    todo = {name: numbers for name, numbers in mine.items() if name not in existing}
    visible = progress and process.rank == 0
    if todo:
        with reporting_output(folder):
            (folder / _UNFINISHED).touch()
    with Progress(sum(map(len, todo.values())), process.count, visible) as line:
        for name, numbers in todo.items():
            _write_shard(folder / name, model, numbers, seed, label, chosen, line)
    whole = _tidy(folder, set(shards))
    ended_it = whole and bool(todo) and _end(folder)
    return ShardReport(missing, time.perf_counter() - since, whole, ended_it)


def count_images(folder: Path) -> int | None:
    """Return the number of images that `sample_to` writes into a folder, None for other folders."""
    path = folder / INDEX
    try:
        if not path.is_file() or path.stat().st_size > _MAX_INDEX:
            return None
        index = _parse(path.read_bytes())
    except OSError:
        return None
    images = index.get("images")
    is_own = index.get("format") == "webdataset" and "config_sha256" in index
    return images if is_own and isinstance(images, int) else None


def _plan(n: int, shard_size: int) -> dict[str, range]:
    """Return the image numbers of each shard, by file name."""
    return {
        f"images-{shard:06d}.tar": range(first, min(first + shard_size, n))
        for shard, first in enumerate(range(0, n, shard_size))
    }


def _describe(
    model: Generator, n: int, seed: int, label: Label | None, shard_size: int, shards: int
) -> dict[str, Any]:
    """Return the content of index.json: all settings that determine the bytes of the folder."""
    chosen = None if label is None else model.labels(label=label)
    return {
        "format": "webdataset",
        "shards": f"images-{{000000..{shards - 1:06d}}}.tar",
        "images": n,
        "shard_size": shard_size,
        "seed": seed,
        "label": None if chosen is None else int(chosen[0]),
        "classes": list(model.spec.data.class_names) if "y" in model.spec.inputs else [],
        "model": model.spec.name,
        "config_sha256": hashlib.sha256(model.spec.to_json().encode()).hexdigest(),
    }


def _describe_sampler(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of index.json about a sampler; empty for the plain one.

    A file is described by its name and content. Its folder would say where the user's files are.
    """
    if chosen == {"sampler": "plain"}:
        return {}
    files = {key: Path(value) for key, value in chosen.items() if isinstance(value, str)}
    files = {key: file for key, file in files.items() if file.is_file()}
    return {
        "sampler": {**chosen, **{key: file.name for key, file in files.items()}},
        "sampler_files": {key: sha256(file) for key, file in files.items()},
    }


def _claim(folder: Path, index: dict[str, Any], writes: bool) -> set[str]:
    """Check that the folder belongs to these settings, and return the names of its files.

    Every process that has shards to write writes the same index if there is none.

    Raises:
        OutputError: the folder contains other files, or cannot be read or written.
    """
    path = folder / INDEX
    with reporting_output(folder):
        # In this order: if a shard of another process is listed, its index exists too.
        names = {p.name for p in folder.iterdir()} if folder.exists() else set()
        if os.path.lexists(path) and not path.is_file():  # to open a pipe would wait for a writer
            raise OutputError(f"{path} is not a file. Choose a new folder for the shards.")
        content = path.read_bytes() if path.exists() else None
    if content is None:
        unknown = sorted(name for name in names if not name.startswith(_LEFTOVERS))
        if unknown:
            raise OutputError(
                f"{folder} contains other files, such as {unknown[0]!r}. "
                "Choose a new folder for the shards."
            )
        if writes:
            write_file(path, json.dumps(index, indent=2) + "\n")
        return names
    known = _parse(content)
    differences = [f"{k} {known.get(k)}, not {v}" for k, v in index.items() if known.get(k) != v]
    if differences:
        raise OutputError(
            f"{folder} contains images of other settings: its {INDEX} says "
            f"{'; '.join(differences)}. Pass the settings of the folder, or choose a new folder."
        )
    return names


def _parse(content: bytes) -> dict[str, Any]:
    try:
        known = read_json(content)
    except ValueError:
        known = None
    return known if isinstance(known, dict) else {}


def _write_shard(
    path: Path,
    model: Generator,
    numbers: range,
    seed: int,
    label: Label | None,
    sampler: Mapping[str, Any],
    progress: Progress,
) -> None:
    with new_file(path) as file:
        at_once = images_at_once(model.spec)
        first = numbers.start
        while first < numbers.stop:
            # Parts end at the borders of the generator's batches.
            end = min(first - first % at_once + at_once, numbers.stop)
            codes = model.codes(model.draw(end - first, seed, first, label), **sampler)
            images, classes = model.render(codes, first), codes.y  # a sampler may choose classes
            for k, image in enumerate(images):
                buffer = io.BytesIO()
                image.save(buffer, "PNG")
                file.write(_member(f"{first + k:09d}.png", buffer.getvalue()))
                if classes is not None:
                    file.write(_member(f"{first + k:09d}.cls", str(classes[k]).encode()))
            progress.update(end - first)
            first = end
        file.write(bytes(2 * tarfile.BLOCKSIZE))  # the end of a tar


def _member(name: str, content: bytes) -> bytes:
    """Return a tar member without owner and time, so that its bytes are reproducible."""
    info = tarfile.TarInfo(name)  # a TarFile would keep all members in memory
    info.size = len(content)
    padding = bytes(-len(content) % tarfile.BLOCKSIZE)
    return info.tobuf(tarfile.USTAR_FORMAT) + content + padding


def _tidy(folder: Path, shards: set[str]) -> bool:
    """Return whether all shards exist; if so, remove the temporary files of killed processes.

    Until then, another process may still be writing a temporary file.
    """
    with reporting_output(folder):
        names = {p.name for p in folder.iterdir()} if folder.exists() else set()
        if not shards <= names:
            return False
        for name in names:
            if name.startswith(_LEFTOVERS):
                (folder / name).unlink(missing_ok=True)
    return True


def _end(folder: Path) -> bool:
    """Return whether this process is the first to find the folder complete.

    Two processes may find that after their last shards, but only one can remove a file.
    """
    with reporting_output(folder):
        try:
            (folder / _UNFINISHED).unlink()
        except FileNotFoundError:
            return False
    return True
