"""What is known of a model or recipe before it is loaded: what a list of them shows."""

from __future__ import annotations

import contextlib
import math
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ganzoo.bundle import CONFIG, Bundle, weights_name
from ganzoo.bundle.tensors import read_header
from ganzoo.errors import GanzooError
from ganzoo.registry.entries import Entry
from ganzoo.spec import METRICS, ModelSpec

# BatchNorm's, which no optimizer moves.
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True)
class ModelSummary:
    """A bundle's size, and the figure by which models of one dataset are compared.

    Attributes:
        spec: its config.
        parameters: stored numbers of the generator, less BatchNorm's statistics; other buffers,
            such as StyleGAN2's fixed noise, count too.
        bytes: of all its files.
    """

    spec: ModelSpec
    parameters: int
    bytes: int

    @property
    def recipe(self) -> dict[str, Any]:
        """What it was trained by, empty where that is not recorded: a provenance is free-form."""
        found = self.spec.provenance.get("recipe")
        return found if isinstance(found, dict) else {}

    @property
    def description(self) -> str:
        """What it is, in a line."""
        return str(self.recipe.get("description", "")).partition(":")[0] or self.spec.architecture

    @property
    def dataset(self) -> str:
        """Registered name of the data that it was trained on."""
        found = self.recipe.get("dataset")
        return str(found.get("name", "")) if isinstance(found, dict) else ""

    @property
    def distances(self) -> dict[str, float]:
        """Its Frechet distance to the data it was trained on, by the extractor's name."""
        found: dict[str, float] = {}
        metrics = self.spec.provenance.get(METRICS)
        for each in metrics if isinstance(metrics, list) else []:
            with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
                extractor = str(each["protocol"]["extractor"])
                found[extractor] = float(each[METRICS]["frechet_distance"])
        return found

    @property
    def distance(self) -> float | None:
        """That distance by the features that are usual for the data, else by the first others."""
        distances = self.distances
        return distances.get(self.spec.data.extractor, next(iter(distances.values()), None))


def read_summary(bundle: Bundle) -> ModelSummary:
    """Return what a bundle's files say of it.

    Raises:
        BundleError: they cannot be read.
    """
    files = [file for file in bundle.path.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files)
    return ModelSummary(bundle.spec, count_parameters(bundle.weights_of("generator")), size)


def count_parameters(weights: Path) -> int:
    """Return how many numbers a safetensors file holds, by its header; not BatchNorm's statistics.

    Raises:
        BundleError: it cannot be read.
    """
    return sum(
        math.prod(tensor.shape)
        for name, tensor in read_header(weights).items()
        if not name.endswith(_STATISTICS)
    )


def find_summary(entry: Entry) -> ModelSummary | None:
    """Return the facts of a registered model without running a line of its plugin.

    They are read from the folder of that name within the package that registers it, and are what
    the package says: no checksum is verified. None where there is no such folder, as for a model
    that lives on the Hub, or one that cannot be read.
    """
    if (folder := _folder_of(entry)) is None:
        return None
    try:
        spec = ModelSpec.from_json((folder / CONFIG).read_bytes(), where=str(folder))
        return read_summary(Bundle(folder, spec))
    except (GanzooError, OSError):
        return None


def describe_recipe(entry: Entry) -> str:
    """Return a registered recipe's description without running a line of its plugin.

    It is read from the TOML file of that name within the package that registers it; empty where
    there is none.
    """
    for file in _search(entry, f"{entry.name}.toml"):
        with contextlib.suppress(OSError, ValueError):
            return str(tomllib.loads(file.read_text(encoding="utf-8")).get("description", ""))
    return ""


def _folder_of(entry: Entry) -> Path | None:
    for config in _search(entry, f"{entry.name}/{CONFIG}"):
        if (config.parent / weights_name("generator")).is_file():
            return config.parent
    return None


def _search(entry: Entry, pattern: str) -> Iterator[Path]:
    """Files of a pattern beside the module that an entry names, which is not imported."""
    package, *inside = entry.target.partition(":")[0].strip().split(".")
    try:
        found: Any = find_spec(package)  # imports nothing: it is no part of another package
    except (ImportError, ValueError):
        return
    for place in (found and found.submodule_search_locations) or ():
        folder = Path(place, *inside)
        while not folder.is_dir():  # a module that is a file
            folder = folder.parent
        yield from sorted(folder.rglob(pattern))
