"""Convert a recognised checkpoint, and account for each of its tensors."""

from __future__ import annotations

import json
import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ganzoo.errors import (
    MALFORMED,
    BrokenPluginError,
    GanzooError,
    ImportFileError,
    RecipeError,
    enumerate_names,
    quantity,
)
from ganzoo.errors import describe as explain
from ganzoo.importers.checkpoint import Checkpoint
from ganzoo.importers.importer import Computed, Conversion, Importer, License
from ganzoo.importers.recognition import Match
from ganzoo.registry.entries import Entry
from ganzoo.registry.signatures import Argument, arguments_of, bind

SHOWN = 5  # tensors that an error names
# Beginnings of the names of dtypes that no layer has: unsigned integers, as in states of random
# numbers, complex numbers, and NumPy's text, objects, dates, durations and records. Layers of other
# projects may have float8, quantised and big-endian numbers.
NO_WEIGHTS = ("u", "c", "U", "S", "O", "M", "m", "V")
RESERVED = frozenset(
    {"as", "description", "figures", "file", "format", "inspect", "labels", "license"}
    | {"license_link", "license_name", "name", "out", "output", "reference", "url"}
)
"""Arguments of `ganzoo.import_checkpoint` and ``ganzoo import``: no options of a format."""


def convert(match: Match, options: Mapping[str, Any]) -> Conversion:
    """Convert a recognised checkpoint, and check that each of its tensors is accounted for.

    Raises:
        ImportFileError: an option is unknown, a tensor is missing, or one is not accounted for.
        BrokenPluginError: the importer fails, or returns something else.
    """
    importer = match.importer
    options_of(match.entry, importer)
    try:
        bound = bind("importer", match.entry.name, importer.convert, options)
        conversion = importer.convert(match.checkpoint, **bound)
    except RecipeError as error:
        raise ImportFileError(str(error)) from error
    except ImportFileError as error:
        raise ImportFileError(f"{match.checkpoint.file}: {error}") from error
    except MALFORMED as error:
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise ImportFileError(
            f"{match.checkpoint.file} is not a complete file of {match.entry.name!r}: "
            f"{textwrap.shorten(reason, 200)}. Look at it with --inspect."
        ) from error
    except GanzooError:
        raise
    except Exception as error:
        raise BrokenPluginError(
            f"importer {match.entry.name!r} failed: {explain(error)}. Report this to its author."
        ) from error
    if not isinstance(conversion, Conversion):
        raise BrokenPluginError(
            f"importer {match.entry.name!r} returns {type(conversion).__name__}, not a "
            "ganzoo.importers.Conversion. Report this to its author."
        )
    _check_allused_tensors(match, conversion)
    return conversion


def options_of(entry: Entry, importer: Importer) -> dict[str, Argument]:
    """Return the options of a format, by name.

    Raises:
        BrokenPluginError: one has the name of an option of every format.
    """
    options = arguments_of(importer.convert)
    if clashes := options.keys() & RESERVED:
        raise BrokenPluginError(
            f"importer {entry.name!r} has options that every format has: "
            f"{enumerate_names(clashes)}. Report this to its author."
        )
    return options


def ignored_tensors(conversion: Conversion, checkpoint: Checkpoint) -> dict[str, str]:
    """Return the reason for each tensor that a conversion ignores, by path."""
    used = used_tensors(conversion)
    patterns = {
        re.compile(re.escape(pattern).replace(r"\*", ".*")): reason
        for pattern, reason in conversion.ignored.items()
    }
    reasons = {}
    for path, tensor in checkpoint.tensors.items():  # in the order of the file, for the config
        if path in used:
            continue
        dtype = tensor.dtype
        if not dtype.is_read and dtype.name.startswith(NO_WEIGHTS):
            reasons[path] = "no numbers that a weight can have, such as text"
            continue
        for pattern, reason in patterns.items():
            if pattern.fullmatch(path):
                reasons[path] = reason
                break
    return reasons


def describe(
    match: Match, conversion: Conversion, license: License | None = None
) -> dict[str, Any]:
    """Return what the config records of an import.

    Args:
        match: the file and its importer.
        conversion: the result of the importer.
        license: the licence that the user states; None for that of the format.
    """
    checkpoint = match.checkpoint
    ignored = Counter(ignored_tensors(conversion, checkpoint).values())
    if match.outside:
        ignored[f"not in the part {match.part!r}"] = match.outside
    license = license or conversion.license
    network = ".".join(filter(None, (match.part, conversion.network)))
    return {
        "importer": match.entry.name,
        "project": match.importer.project,
        "file": checkpoint.file,
        "bytes": checkpoint.size,
        "sha256": checkpoint.sha256,
        "container": checkpoint.container,
        "network": network,
        # As the config has them, with lists for tuples: the card states the same.
        "options": json.loads(json.dumps(dict(conversion.options))),
        "ignored": dict(ignored),
        "deviations": list(conversion.deviations),
        "license": license._asdict() if license else None,
    }


def used_tensors(conversion: Conversion) -> set[str]:
    """Return the paths of all tensors that weights come from."""
    weights = [weight for role in conversion.weights.values() for weight in role.values()]
    return {
        path
        for weight in weights
        for path in (weight.paths if isinstance(weight, Computed) else (weight,))
    }


def _check_allused_tensors(match: Match, conversion: Conversion) -> None:
    tensors = match.checkpoint.tensors
    used = used_tensors(conversion)
    if missing := [path for path in used if path not in tensors]:
        raise ImportFileError(
            f"{match.checkpoint.file} lacks {some(missing)}: {len(used) - len(missing)} of "
            f"{quantity(len(used), 'tensor')} of a file of {match.entry.name!r} are there. "
            "Get it again."
        )
    extra = tensors.keys() - used - ignored_tensors(conversion, match.checkpoint).keys()
    if extra:
        raise ImportFileError(
            f"{match.checkpoint.file} has tensors that a file of {match.entry.name!r} does not "
            f"have: {some(extra)}. Nothing was imported, since a network with them is another "
            "one. Look at the file with --inspect, or choose another format with --as FORMAT."
        )


def some(names: Iterable[str]) -> str:
    """Return the first five of sorted names, and the number of the others."""
    names = sorted(names)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{enumerate_names(names[:SHOWN])}{more}"
