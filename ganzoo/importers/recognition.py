"""Find the importer for a checkpoint."""

from __future__ import annotations

import itertools
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

from ganzoo.errors import (
    MALFORMED,
    BrokenPluginError,
    GanzooError,
    ImportFileError,
    describe,
    enumerate_names,
)
from ganzoo.importers.checkpoint import Checkpoint
from ganzoo.importers.importer import Importer
from ganzoo.registry import importers
from ganzoo.registry.entries import Entry

# Names under which programs store the weights of a generator: averaged ones, its own, and those of
# all that the file holds. Letters of either case, and endings such as `_state_dict`, are the same.
PARTS = (
    frozenset({"ema", "g_ema", "gema", "netg_ema", "generator_ema", "gen_ema", "ema_g"})
    | {"ema_generator", "params_ema", "model_ema", "shadow"},
    frozenset({"g", "netg", "net_g", "gen", "generator", "model_g"}),
    frozenset({"state_dict", "model", "module", "params", "net", "network", "weights"}),
)
_ENDING = re.compile(r"_(state_?dict|state|dict|model|weights|params)$")
MAX_DEPTH = 3  # of parts within parts
MAX_PARTS = 16  # of one part: each is searched for in all tensors


@dataclass(frozen=True)
class Match:
    """The importer of a checkpoint.

    Attributes:
        entry: its registration.
        importer: the importer.
        part: path of the part that it converts; empty for the whole file.
        checkpoint: this part.
        outside: number of tensors in the other parts of the file.
    """

    entry: Entry
    importer: Importer
    part: str
    checkpoint: Checkpoint
    outside: int


def parts(
    checkpoint: Checkpoint, path: str = "", depth: int = 0
) -> Iterator[tuple[str, Checkpoint]]:
    """Yield the parts of a file that may be one network, by path: first the whole file.

    A part is what lies below a usual name, such as ``g_ema`` or ``state_dict``, or below a name
    that all tensors begin with, such as ``module``.
    """
    yield path, checkpoint
    if depth == MAX_DEPTH:
        return
    heads = dict.fromkeys(name.partition(".")[0] for name in checkpoint.tensors if "." in name)
    usual = [head for names in PARTS for head in heads if names & _spellings(head)]
    alone = list(heads) if len(heads) == 1 and all("." in n for n in checkpoint.tensors) else []
    for name in list(dict.fromkeys(usual + alone))[:MAX_PARTS]:
        below = f"{path}.{name}" if path else name
        yield from parts(checkpoint.under(name), below, depth + 1)


def _spellings(head: str) -> set[str]:
    """Return a name in lower case, with and without its ending.

    >>> sorted(_spellings("netG_state_dict"))
    ['netg', 'netg_state_dict']
    """
    return {head.lower(), _ENDING.sub("", head.lower())}


def recognise(checkpoint: Checkpoint, name: str | None = None) -> Match:
    """Return the importer of a checkpoint.

    Args:
        checkpoint: the checkpoint.
        name: registered name of the importer; by default the one that recognises the file.

    Raises:
        ImportFileError: none recognises it, or several do.
        UnknownNameError, ...: as `Registry.get`.
    """
    candidates = _load([importers.entry(name)] if name else importers.entries(), bool(name))
    known = dict(parts(checkpoint))
    for general, (path, part) in itertools.product((False, True), known.items()):
        matches = [
            Match(entry, importer, path, part, len(checkpoint.tensors) - len(part.tensors))
            for entry, importer in candidates.items()
            if importer.is_general == general and _recognises(entry, importer, part)
        ]
        if len(matches) > 1:
            raise ImportFileError(
                f"{checkpoint.file} may be of {enumerate_names(m.entry.name for m in matches)}. "
                "Choose one with --as FORMAT."
            )
        if matches:
            return matches[0]
    raise ImportFileError(_explain(known, candidates, name))


def _load(entries: Iterable[Entry], named: bool) -> dict[Entry, Importer]:
    """Return importers by registration. A broken one that nobody named is left out with a warning.

    Raises:
        BrokenPluginError: the named one cannot be loaded.
    """
    candidates: dict[Entry, Importer] = {}
    for entry in entries:
        try:
            candidates[entry] = _create(entry)
        except GanzooError as error:
            if named:
                raise
            warnings.warn(f"an importer is left out: {error}", stacklevel=3)
    return candidates


def _create(entry: Entry) -> Importer:
    importer = importers.make(entry)
    marks = getattr(importer, "marks", None)
    if not isinstance(importer, Importer) or not isinstance(marks, Set):
        raise BrokenPluginError(
            f"{importers.cite(entry.address)} is no ganzoo.importers.Importer with a set of marks. "
            "Report this to the plugin's author."
        )
    return importer


def _recognises(entry: Entry, importer: Importer, part: Checkpoint) -> bool:
    try:
        return importer.recognises(part)
    except MALFORMED:  # its tensors have other shapes, or its values other types
        return False
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        warnings.warn(
            f"{importers.cite(entry.address)} failed: {describe(error)}. Report this to the "
            "plugin's author",
            stacklevel=4,
        )
        return False


def _explain(
    known: Mapping[str, Checkpoint], candidates: dict[Entry, Importer], name: str | None
) -> str:
    """Return why no importer, or not that of a name, recognises a file: what the nearest miss.

    Args:
        known: the parts of the file by path, see `parts`.
        candidates: the importers.
        name: the name of the only one, if the user chose it.
    """
    checkpoint = known[""]
    nearest: list[tuple[int, int, str, str]] = []
    for entry, importer in candidates.items():
        best = max(
            (len(importer.marks & part.tensors.keys()), path) for path, part in known.items()
        )
        if best[0]:
            missing = importer.marks - known[best[1]].tensors.keys()
            nearest.append((best[0], len(importer.marks), entry.name, min(missing, default="")))
    nearest.sort(key=lambda each: -each[0] / each[1])
    near = "".join(
        f" Nearest: {near_name} ({count} of {total} marks"
        + (f", missing {missing!r})." if missing else ", but of other shapes).")
        for count, total, near_name, missing in nearest[:2]
    )
    number = len(checkpoint.tensors)
    keys = enumerate_names(key or "(without a name)" for key in list(checkpoint.tensors)[:5])
    remedy = (
        "or leave out --as"
        if name
        else "choose a format with --as FORMAT, or install the plugin that has its importer "
        f"(installed: {enumerate_names(entry.name for entry in candidates)})"
    )
    return (
        f"{f'the importer {name!r} does not recognise' if name else 'no importer recognises'} "
        f"{checkpoint.file}, which has the {f'{number:,} tensors' if number > 1 else 'tensor'} "
        f"{keys}{', ...' if number > 5 else ''}.{near}{_views(checkpoint, candidates)} Look at it "
        f"with --inspect, {remedy}."
    )


def _views(checkpoint: Checkpoint, candidates: Mapping[Entry, Importer]) -> str:
    """Return what the importers say of a file that none of them recognises."""
    views = []
    for entry, importer in candidates.items():
        try:
            view = importer.explain(checkpoint)
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything
            view = f"{importers.cite(entry.address)} failed: {describe(error)}"
        views += [f" {view}."] if view else []
    return "".join(views)
