"""The files of a split in a dataset's repository, by its README or by their names."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

from ganzoo.errors import DataError, DataNotFoundError, enumerate_names, quantity
from ganzoo.spec.parsing import shorten

PARQUET = ".parquet"

_KEYS = {"data_files", "data_dir"}  # a subset has at least one of them
_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("valid", "validation", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
_WORD = re.compile(rf"(?<![a-z])({'|'.join(_SPLITS)})(?![a-z])")
_LICENSE = re.compile(r"[a-z0-9][a-z0-9.-]{0,60}")


def choose_parquet(
    names: Sequence[str],
    header: Mapping[str, Any],
    subset: str,
    split: str,
    where: str,
) -> list[str]:
    """Return the Parquet files of a split.

    The ``configs`` in the README's header name the files of subsets and splits, or the folder of a
    subset. Without them, a word such as ``train`` in a file's path names its split; if there is no
    such word in any path, all files are of the split ``train``.

    Args:
        names: paths of all files.
        header: the fields of the README's header.
        subset: name of the subset; empty for the default one.
        split: name of the split.
        where: the dataset in error messages.

    Raises:
        DataNotFoundError: the dataset has no Parquet files.
        DataError: there is no such subset or split, or the subset is ambiguous.
    """
    parquet = sorted(name for name in names if PurePosixPath(name).suffix.lower() == PARQUET)
    if not parquet:
        endings = sorted({PurePosixPath(name).suffix for name in names} - {"", ".md"})
        raise DataNotFoundError(
            f"{where} has no {PARQUET} files; its files are {', '.join(endings[:10]) or 'others'}. "
            "Download it, and use --dataset folder, zip or webdataset with --data DIR."
        )
    splits = _splits_of_header(parquet, header, subset, where)
    if splits is None:
        if subset:
            raise DataError(
                f"{where} states no subsets in its README. Leave out --dataset.subset, or pass a "
                "revision that has them."
            )
        splits = _splits_of_names(parquet)
    if not splits.get(split):
        raise _unknown_split(where, split, (name for name, files in splits.items() if files))
    return splits[split]


def choose_images(names: Sequence[str], split: str, where: str) -> list[str]:
    """Return the image files of a split, which are in a folder of its name, such as ``train``.

    If another folder is beside such folders, as with a class of trains, all files are of the split
    ``train``.

    Args:
        names: paths of all files.
        split: name of the split.
        where: the dataset in error messages.

    Raises:
        DataError: there is no such split.
    """
    splits: dict[str, list[str]] = {}
    for name in names:
        folder, slash, _ = name.lower().partition("/")
        if slash:
            splits.setdefault(_SPLITS.get(folder, ""), []).append(name)
    if "" in splits or not splits:
        splits = {"train": list(names)}
    if split not in splits:
        raise _unknown_split(where, split, splits)
    _warn_of_others(names, splits)
    return splits[split]


def _unknown_split(where: str, split: str, known: Iterable[str]) -> DataError:
    return DataError(
        f"{where} has no split {shorten(split, 80)!r}. Its splits: {enumerate_names(known)}. Name "
        "one with --dataset.split."
    )


def _warn_of_others(names: Sequence[str], splits: Mapping[str, Sequence[str]]) -> None:
    """Warn of files that belong to no split."""
    used = {name for files in splits.values() for name in files}
    if others := [name for name in names if name not in used]:
        warnings.warn(
            f"{quantity(len(others), 'file')} of the dataset, such as {shorten(others[0], 80)}, "
            f"{'is' if len(others) == 1 else 'are'} not used: the path names no split "
            f"({enumerate_names(splits)})",
            stacklevel=2,
        )


def _splits_of_names(names: Sequence[str]) -> dict[str, list[str]]:
    splits: dict[str, list[str]] = {}
    for name in names:
        words = _WORD.findall(name.lower())
        if words:
            splits.setdefault(_SPLITS[words[-1]], []).append(name)
    splits = splits or {"train": list(names)}
    _warn_of_others(names, splits)
    return splits


def _splits_of_header(
    names: Sequence[str], header: Mapping[str, Any], subset: str, where: str
) -> dict[str, list[str]] | None:
    configs = header.get("configs")
    if not isinstance(configs, list):
        return None
    tables = [table for table in configs if isinstance(table, dict) and _KEYS & table.keys()]
    if not tables:
        return None
    known = [str(table.get("config_name", "default")) for table in tables]
    defaults = [table for table in tables if table.get("default") is True]
    if subset:
        chosen = [table for table, name in zip(tables, known, strict=True) if name == subset]
    elif len(tables) == 1:
        chosen = tables
    else:
        chosen = defaults or [t for t, name in zip(tables, known, strict=True) if name == "default"]
    if len(chosen) != 1:
        raise DataError(
            f"{where} has the subsets {', '.join(shorten(name, 60) for name in known[:20])}. Name "
            "one with --dataset.subset."
        )
    folder = str(chosen[0].get("data_dir") or "").removeprefix("./").rstrip("/")
    start = f"{folder}/" if folder not in ("", ".") else ""
    inside = [name.removeprefix(start) for name in names if name.startswith(start)]
    if (data_files := chosen[0].get("data_files")) is None:
        splits = _splits_of_names(inside)
    else:
        splits = _match(data_files, inside)
    return {split: [start + name for name in files] for split, files in splits.items()}


def _match(data_files: Any, names: Sequence[str]) -> dict[str, list[str]]:
    """Return the files of each split that a field ``data_files`` describes."""
    rows: list[tuple[str, Any]] = []
    if isinstance(data_files, dict):
        rows = [(str(split), patterns) for split, patterns in data_files.items()]
    elif isinstance(data_files, list) and all(isinstance(row, dict) for row in data_files):
        rows = [(str(row.get("split", "train")), row.get("path")) for row in data_files]
    else:
        rows = [("train", data_files)]
    splits: dict[str, list[str]] = {}
    for split, patterns in rows:
        texts = patterns if isinstance(patterns, list) else [patterns]
        for pattern in texts:
            parts = str(pattern).removeprefix("./").split("/")
            files = [name for name in names if _matches(name.split("/"), parts)]
            splits.setdefault(split, []).extend(files)
    return {split: sorted(set(files)) for split, files in splits.items()}


def _matches(name: Sequence[str], pattern: Sequence[str]) -> bool:
    """Return whether the parts of a path match those of a pattern, as on the Hub.

    ``*`` matches within a part, and ``**`` matches any number of parts.
    """
    reached = {0}  # numbers of parts of the name that the pattern's parts so far may match
    for part in pattern:
        if part == "**":
            reached = set(range(min(reached, default=len(name) + 1), len(name) + 1))
        else:
            reached = {k + 1 for k in reached if k < len(name) and fnmatchcase(name[k], part)}
    return len(name) in reached


def find_license(header: Mapping[str, Any]) -> str | None:
    """Return the licence in a README's header; None if it names none, or several."""
    value = header.get("license")
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) and _LICENSE.fullmatch(value) else None
