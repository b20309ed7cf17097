"""What is known of a model before it is loaded: the facts that a list of models shows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from ganzoo.bundle import CONFIG, SCALE, Bundle, weights_name
from ganzoo.entries import Entry
from ganzoo.errors import GanzooError
from ganzoo.spec import ModelSpec

# BatchNorm's, which no optimizer moves.
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True)
class Facts:
    """A bundle's size, and the figure by which models of one dataset are compared.

    Attributes:
        spec: its config.
        parameters: learned numbers of the generator.
        bytes: of all its files.
    """

    spec: ModelSpec
    parameters: int
    bytes: int

    @property
    def description(self) -> str:
        """What it is, in a line."""
        said = self.spec.provenance.get("recipe", {}).get("description", "")
        return str(said).partition(":")[0] or self.spec.architecture

    @property
    def distances(self) -> dict[str, float]:
        """Its Frechet distance to the data it was trained on, by the extractor's name."""
        found: dict[str, float] = {}
        for each in self.spec.provenance.get("metrics", []):
            if "frechet_distance" in each["metrics"]:
                found[each["protocol"]["extractor"]] = each["metrics"]["frechet_distance"]
        return found

    @property
    def distance(self) -> float | None:
        """That distance by the features that are usual for the data, else by the first others."""
        distances = self.distances
        return distances.get(self.spec.data.extractor, next(iter(distances.values()), None))


def read_facts(bundle: Bundle) -> Facts:
    """Return what a bundle's files say of it.

    Raises:
        BundleError: they cannot be read.
    """
    files = [file for file in bundle.path.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files)
    return Facts(bundle.spec, count_parameters(bundle.weights_of("generator")), size)


def count_parameters(weights: Path) -> int:
    """Return how many learned numbers a safetensors file holds; its header alone is read."""
    with safe_open(weights, framework="numpy") as file:
        names = set(file.keys())
        scales = {f"{name}{SCALE}" for name in names}
        return sum(
            math.prod(file.get_slice(name).get_shape())
            for name in names - scales
            if not name.endswith(_STATISTICS)
        )


def look_up(entry: Entry) -> Facts | None:
    """Return the facts of a registered model without running a line of its plugin.

    They are read from the folder of that name within the package that registers it, and are what
    the package says: no checksum is verified. None where there is no such folder, as for a model
    that lives on the Hub, or one that cannot be read.
    """
    if (folder := _folder_of(entry)) is None:
        return None
    try:
        spec = ModelSpec.from_json((folder / CONFIG).read_bytes(), where=str(folder))
        return read_facts(Bundle(folder, spec))
    except (GanzooError, OSError, SafetensorError, KeyError, TypeError, AttributeError):
        return None


def _folder_of(entry: Entry) -> Path | None:
    package, *inside = entry.target.partition(":")[0].strip().split(".")
    try:
        found: Any = find_spec(package)  # imports nothing: it is no part of another package
    except (ImportError, ValueError):
        return None
    for place in (found and found.submodule_search_locations) or ():
        for config in sorted(Path(place, *inside).rglob(f"{entry.name}/{CONFIG}")):
            if (config.parent / weights_name("generator")).is_file():
                return config.parent
    return None
