"""Fuzz the conversion of checkpoints: python tools/fuzz_conversion.py DIR [--cases N] [--seed S]

DIR has checkpoints that installed importers recognise. A case changes tensors, values or options of
one, and converts it. It passes if the networks get their weights, or if one error of ganzoo says in
a line why not. Anything else is a finding: another exception, a message of several lines, or more
than ten seconds of processor time. A case depends only on DIR, the seed and its number: repeat one
with --first K --cases 1. What the reader does with changed bytes is the subject of fuzz_import.py.
"""

import random
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, Literal, get_args, get_origin

import numpy as np
import tyro

from ganzoo.errors import GanzooError, ImportFileError
from ganzoo.exporters.checkpoint_networks import build, load
from ganzoo.importers import Checkpoint, Match, Name, StoredTensor, convert, open_checkpoint
from ganzoo.importers import recognise as find_importer
from ganzoo.importers.conversion import options_of
from ganzoo.importers.values import DTYPES

TIMEOUT = 10  # seconds of processor time per case
LONGEST = 1_500  # characters of a message
SUFFIXES = (".bin", ".pkl", ".pt", ".pth", ".safetensors")
VALUES = [None, True, False, 0, 1, -1, 3, 2**40, 0.5, -1e308, float("nan"), float("inf"), "x", ""]
VALUES += ["bilinear", (), (1,), (2, -2, 0), (1, "x"), b"\0", Name("torch", "float64")]

Random = random.Random


def originals(folder: Path) -> dict[str, tuple[Checkpoint, str]]:
    """Return the recognised checkpoints of a folder, with the names of their formats."""
    result = {}
    for file in sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES):
        try:
            checkpoint = open_checkpoint(file)
            result[str(file.relative_to(folder))] = checkpoint, find_importer(checkpoint).entry.name
        except ImportFileError:
            continue
    return result


def view(tensor: StoredTensor, change: Callable[[Any], Any]) -> StoredTensor:
    """Return a tensor whose numbers are a function of another's, in its dtype."""
    numbers = np.asarray(change(tensor.read()))
    return StoredTensor(tensor.dtype, numbers.shape, lambda: numbers)


def change_tensor(r: Random, tensor: StoredTensor) -> StoredTensor:
    """Return a tensor of another shape, dtype or with other numbers."""
    match r.randrange(9):
        case 0:
            return view(tensor, lambda a: a.T)
        case 1:
            return view(tensor, lambda a: a.reshape(-1))
        case 2:
            return view(tensor, lambda a: a[: len(a) // 2] if a.ndim else a)
        case 3:
            return view(tensor, lambda a: np.concatenate([a, a]) if a.ndim else a)
        case 4:
            return view(tensor, lambda a: a[None])
        case 5:
            return view(tensor, lambda a: a[:0] if a.ndim else a)
        case 6:
            return view(tensor, lambda a: a.flat[0] if a.size else a)
        case 7:
            dtype = r.choice([DTYPES[name] for name in ("float16", "int64", "bool", "uint8")])
            with np.errstate(all="ignore"):
                numbers = tensor.read().astype(dtype.raw)
            return StoredTensor(dtype, tensor.shape, lambda: numbers)
        case _:
            return view(tensor, lambda a: np.full(a.shape, r.choice([np.nan, np.inf, 0.0])))


def change_tensors(r: Random, checkpoint: Checkpoint) -> Checkpoint:
    """Remove, rename, swap, copy or change a tensor."""
    tensors = dict(checkpoint.tensors)
    path, other = r.choice(list(tensors)), r.choice(list(tensors))
    match r.randrange(6):
        case 0:
            del tensors[path]
        case 1:
            name = r.choice(
                [f"{path}x", path.rpartition(".")[2], path.swapcase(), renumber(r, path)]
            )
            tensors[name] = tensors.pop(path)
        case 2:
            tensors[path], tensors[other] = tensors[other], tensors[path]
        case 3:
            tensors[renumber(r, path)] = tensors[path]
        case _:
            tensors[path] = change_tensor(r, tensors[path])
    return replace(checkpoint, tensors=tensors)


def renumber(r: Random, path: str) -> str:
    """Return a path with another number in it, if there is one."""
    parts = path.split(".")
    places = [k for k, part in enumerate(parts) if part.isdecimal()]
    if places:
        parts[r.choice(places)] = str(r.choice([0, 1, 2, 3, 7, 10**12]))
    return ".".join(parts)


def change_values(r: Random, checkpoint: Checkpoint) -> Checkpoint:
    """Remove, add or change a plain value, a value of config.json, or the class of an object."""
    name = r.choice(["values", "values", "config", "classes"])
    mapping = dict(getattr(checkpoint, name))
    key = r.choice(list(mapping)) if mapping else "x"
    match r.randrange(4):
        case 0:
            mapping.pop(key, None)
        case 1:
            mapping[f"{key}x"] = mapping.get(key, 1)
        case _:
            mapping[key] = Name("a", "B") if name == "classes" else r.choice(VALUES)
    return replace(checkpoint, **{name: mapping})


def choose_options(r: Random, match: Match) -> dict[str, Any]:
    """Return options of a format: few of them, and some with impossible values."""
    options = {}
    for name, argument in options_of(match.entry, match.importer).items():
        if r.random() < 0.3:
            choices = list(VALUES)
            if get_origin(argument.annotation) is Literal:
                choices += 20 * list(get_args(argument.annotation))
            options[name] = r.choice(choices)
    return options


def case(r: Random, checkpoint: Checkpoint, name: str) -> None:
    """Change a checkpoint and convert it.

    Raises:
        GanzooError: it is refused.
    """
    for _ in range(r.choice([1, 1, 2, 4])):
        checkpoint = r.choice([change_tensors, change_tensors, change_values])(r, checkpoint)
    match = find_importer(checkpoint, r.choice([None, name]))
    conversion = convert(match, choose_options(r, match))
    load(match, conversion, build(conversion)[2])


def check(r: Random, checkpoint: Checkpoint, name: str) -> str:
    """Run a case; return what went wrong, or an empty text."""
    signal.setitimer(signal.ITIMER_PROF, TIMEOUT)
    try:
        case(r, checkpoint, name)
    except GanzooError as error:
        if "\n" in str(error) or len(str(error)) > LONGEST:
            return f"the message has several lines or is too long: {str(error)[:300]!r}"
    except Exception:  # noqa: BLE001 - each is a finding
        return traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return ""


def _expire(signum: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"more than {TIMEOUT} seconds of processor time")


def main(
    folder: tyro.conf.Positional[Path], cases: int = 10_000, seed: int = 0, first: int = 0
) -> None:
    """Fuzz the conversion of checkpoints.

    Args:
        folder: folder with checkpoints, which may be in sub-folders.
        cases: number of cases.
        seed: seed of all cases.
        first: number of the first case.
    """
    signal.signal(signal.SIGPROF, _expire)
    files, findings, start = originals(folder), 0, time.time()
    formats = sorted({format for _, format in files.values()})
    print(f"{len(files)} checkpoints of the formats {', '.join(formats)}")
    for number in range(first, first + cases):
        r = Random(f"{seed} {number}")
        name = r.choice(sorted(files))
        if problem := check(r, *files[name]):
            findings += 1
            print(f"case {number}, {name}:\n{problem}")
        if (number + 1) % 1_000 == 0:
            rate = (number + 1 - first) / (time.time() - start)
            print(f"{number + 1:,} cases, {findings} findings, {rate:.0f} per second", flush=True)
    print(f"{cases:,} cases, {findings} findings")
    if findings:
        raise SystemExit(1)


if __name__ == "__main__":
    tyro.cli(main)
