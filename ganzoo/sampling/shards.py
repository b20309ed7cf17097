"""Many images as a folder of tar shards, made by any number of processes, kills survived.

A shard is a tar of PNGs as WebDataset reads it: ``000000123.png``, and beside it
``000000123.cls`` with the class's number where the model has classes. Bytes follow from the
settings, so on one kind of device and runtime it is the same file whoever makes a shard, and
however often it was begun.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganzoo.bundle.files import new_file, reporting_output, write_file
from ganzoo.errors import OutputError, SampleError
from ganzoo.sampling.generator import Generator, Label

SHARD_SIZE = 10_000
MAX_IMAGES = 10**9  # as many as nine digits can number
INDEX = "index.json"

_AT_ONCE = 256  # images held in memory; a multiple of the generator's batch
_LEFTOVERS = (f".{INDEX}.", ".images-")  # how temporary files of a killed process begin


@dataclass(frozen=True)
class Process:
    """Which one of the processes that share the work this is.

    Attributes:
        rank: its number.
        count: how many there are.
        local_rank: its number on this machine.
    """

    rank: int = 0
    count: int = 1
    local_rank: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.rank < self.count or self.local_rank < 0:
            raise SampleError(
                f"there is no process {self.rank} of {self.count} (number {self.local_rank} on its "
                "machine): ranks count from 0. Let torchrun set RANK, WORLD_SIZE and LOCAL_RANK."
            )

    @classmethod
    def of_environment(cls) -> Process:
        """Read RANK, WORLD_SIZE and LOCAL_RANK, as torchrun sets them; one process without.

        Raises:
            SampleError: they are no numbers, or do not fit each other.
        """
        given = [os.environ.get(name, "") for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK")]
        try:
            return cls(int(given[0] or 0), int(given[1] or 1), int(given[2] or 0))
        except ValueError as error:
            if isinstance(error, SampleError):
                raise
            raise SampleError(
                f"RANK, WORLD_SIZE and LOCAL_RANK are {given}: each is a whole number. "
                "Let torchrun set them, or unset them."
            ) from error


@dataclass(frozen=True)
class Made:
    """What a call of `sample_to` came to.

    Attributes:
        images: that were missing when it began, and that all processes together have made since.
        seconds: that it took.
        whole: whether the folder now holds all that it should.
        ended_it: whether it is this call's last shard that made the folder whole.
    """

    images: int
    seconds: float
    whole: bool
    ended_it: bool

    @property
    def images_per_second(self) -> float:
        """Of all processes together."""
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
) -> Made:
    """Write images 0 to `n` - 1 of a seed into a folder: the images that `model.sample` makes.

    Shards that are there are kept, so the same call goes on where another was cut off. Process r
    of c makes the shards r, r + c, ...; nothing passes between processes but the folder.

    Args:
        model: the generator.
        folder: a new folder, an empty one, or one that the same settings began.
        n: number of images, 1 to 1,000,000,000.
        seed: 0 to 2**64 - 1.
        label: a class's number or name; by default image k is of class k modulo their number.
        shard_size: images in a shard.
        process: which of several processes this is.
        progress: whether process 0 shows its progress on stderr.

    Raises:
        SampleError: an argument out of its range, or a label that does not exist.
        OutputError: the folder holds something else, or cannot be written.
    """
    folder, process = Path(folder), process or Process()
    if not 1 <= n <= MAX_IMAGES:
        raise SampleError(f"cannot sample {n} images: n is 1 to {MAX_IMAGES:,}.")
    if shard_size < 1:
        raise SampleError(f"cannot put {shard_size} images in a shard: it takes 1 at least.")
    model.sample(1, seed, label=label)  # a wrong seed or label is told before a folder is made
    since = time.perf_counter()
    shards = _plan(n, shard_size)
    mine = dict(list(shards.items())[process.rank :: process.count])
    there = _claim(folder, _describe(model, n, seed, label, shard_size, len(shards)), bool(mine))
    missing = sum(len(numbers) for name, numbers in shards.items() if name not in there)
    todo = {name: numbers for name, numbers in mine.items() if name not in there}
    shown = progress and process.rank == 0
    with _Progress(sum(map(len, todo.values())), process.count, shown) as line:
        for name, numbers in todo.items():
            _write_shard(folder / name, model, numbers, seed, label, line)
    whole = _tidy(folder, set(shards))
    return Made(missing, time.perf_counter() - since, whole, whole and bool(todo))


def _plan(n: int, shard_size: int) -> dict[str, range]:
    """The numbers of each shard's images, by its file's name."""
    return {
        f"images-{shard:06d}.tar": range(first, min(first + shard_size, n))
        for shard, first in enumerate(range(0, n, shard_size))
    }


def _describe(
    model: Generator, n: int, seed: int, label: Label | None, shard_size: int, shards: int
) -> dict[str, Any]:
    """What index.json says: all that the bytes of the folder follow from."""
    chosen = None if label is None else model.labels(label=label)
    return {
        "format": "webdataset",
        "shards": f"images-{{000000..{shards - 1:06d}}}.tar",
        "images": n,
        "shard_size": shard_size,
        "seed": seed,
        "label": None if chosen is None else int(chosen[0]),
        "model": model.spec.name,
        "config_sha256": hashlib.sha256(model.spec.to_json().encode()).hexdigest(),
    }


def _claim(folder: Path, index: dict[str, Any], writes: bool) -> set[str]:
    """Return the names in the folder, once it is sure that they are these settings' files.

    Every process that has something to write leaves the same index, whichever comes first.

    Raises:
        OutputError: it holds something else, or cannot be read or written.
    """
    path = folder / INDEX
    with reporting_output(folder):
        # In this order: who sees a shard of a fellow process then sees the index, too.
        there = {p.name for p in folder.iterdir()} if folder.exists() else set()
        found = path.read_bytes() if path.exists() else None
    if found is None:
        others = sorted(name for name in there if not name.startswith(_LEFTOVERS))
        if others:
            raise OutputError(
                f"{folder} holds something else, such as {others[0]!r}: shards go into a folder "
                "of their own. Choose a new one."
            )
        if writes:
            write_file(path, json.dumps(index, indent=2) + "\n")
        return there
    known = _parse(found)
    differences = [f"{k} {known.get(k)}, not {v}" for k, v in index.items() if known.get(k) != v]
    if differences:
        raise OutputError(
            f"{folder} holds images of other settings: its {INDEX} says "
            f"{'; '.join(differences)}. Give the settings that it was begun with, or choose a new "
            "folder."
        )
    return there


def _parse(content: bytes) -> dict[str, Any]:
    try:
        known = json.loads(content)
    except ValueError:
        known = None
    return known if isinstance(known, dict) else {}


def _write_shard(
    path: Path,
    model: Generator,
    numbers: range,
    seed: int,
    label: Label | None,
    progress: _Progress,
) -> None:
    with new_file(path) as file:
        first = numbers.start
        while first < numbers.stop:
            # Parts end where the generator's batches do, wherever the shard begins.
            end = min(first - first % _AT_ONCE + _AT_ONCE, numbers.stop)
            images = model.sample(end - first, seed, label=label, start=first)
            classes = model.labels(end - first, label=label, start=first)
            for k, picture in enumerate(images):
                buffer = io.BytesIO()
                picture.save(buffer, "PNG")
                file.write(_member(f"{first + k:09d}.png", buffer.getvalue()))
                if classes is not None:
                    file.write(_member(f"{first + k:09d}.cls", str(classes[k]).encode()))
            progress.update(end - first)
            first = end
        file.write(bytes(2 * tarfile.BLOCKSIZE))  # the end of a tar


def _member(name: str, content: bytes) -> bytes:
    """A file as it lies in a tar, owned by nobody and of no time: the same bytes wherever made."""
    info = tarfile.TarInfo(name)  # not a TarFile, which remembers all its members
    info.size = len(content)
    padding = bytes(-len(content) % tarfile.BLOCKSIZE)
    return info.tobuf(tarfile.USTAR_FORMAT) + content + padding


def _tidy(folder: Path, shards: set[str]) -> bool:
    """Return whether all shards are there, and if so remove what killed processes left.

    Before that a temporary file may be one that a fellow process is writing.
    """
    with reporting_output(folder):
        there = {p.name for p in folder.iterdir()} if folder.exists() else set()
        if not shards <= there:
            return False
        for name in there:
            if name.startswith(_LEFTOVERS):
                (folder / name).unlink(missing_ok=True)
    return True


class _Progress:
    """A line on stderr: rewritten in a terminal, elsewhere a new one now and then.

    Not tqdm, which the base install lacks. Shares are alike, so one process's time left is that of
    all of them, and their rate is about so many times its own.
    """

    def __init__(self, total: int, processes: int, shown: bool) -> None:
        self._total, self._processes, self._shown = total, processes, shown and total > 0
        self._terminal = sys.stderr.isatty()
        self._done = 0
        self._since = self._last = time.perf_counter()

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown and self._terminal:
            self._show()
            print(file=sys.stderr)

    def update(self, images: int) -> None:
        """Count images, and show the line if it is time to."""
        self._done += images
        now = time.perf_counter()
        if self._shown and now - self._last >= (0.2 if self._terminal else 10.0):
            self._last = now
            self._show()

    def _show(self) -> None:
        rate = self._done / max(time.perf_counter() - self._since, 1e-9)
        left = int((self._total - self._done) / max(rate, 1e-9)) if self._done else 0
        text = f"{self._done:,} of {self._total:,} images, {rate:,.0f} images/s"
        if self._processes > 1:
            text = f"process 0: {text}; all {self._processes}: {rate * self._processes:,.0f}"
        text += f", {left // 3600}:{left // 60 % 60:02d}:{left % 60:02d} left"
        if self._terminal:
            print(f"\r{text:<79}", end="", file=sys.stderr, flush=True)
        else:
            print(text, file=sys.stderr, flush=True)
