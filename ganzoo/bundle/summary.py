"""Summaries of models and recipes for lists; no plugin is imported."""

from __future__ import annotations

import contextlib
import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ganzoo.bundle import CARD, CHECKSUMS, CONFIG, Bundle, read_checksums, weights_name
from ganzoo.bundle.tensors import read_header
from ganzoo.errors import MALFORMED, GanzooError
from ganzoo.registry.entries import Entry
from ganzoo.registry.zipped import on_disk
from ganzoo.spec import IMPORTED, METRICS, PARAMETERS, ModelSpec

# BatchNorm's statistics, which no optimizer updates.
MAX_PARAMETERS = 2**48  # of a network; a larger number in a config is a mistake
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True)
class ModelSummary:
    """The size of a bundle, and the metrics that compare models of one dataset.

    Attributes:
        spec: the config.
        parameters: number of parameters of the generator, see `count_parameters`.
        bytes: total size of the files.
    """

    spec: ModelSpec
    parameters: int
    bytes: int

    @property
    def recipe(self) -> dict[str, Any]:
        """The recipe; empty if the provenance, which is free-form, has none."""
        return self.spec.recorded("recipe")

    @property
    def description(self) -> str:
        """The description in one line."""
        described = self.recipe or self.spec.recorded(IMPORTED)
        return str(described.get("description", "")).partition(":")[0] or self.spec.architecture

    @property
    def dataset(self) -> str:
        """Registered name of the training dataset."""
        return str(self.spec.recorded("recipe", "dataset").get("name", ""))

    @property
    def distances(self) -> dict[str, float]:
        """The Fréchet distances to the training data, by name of the extractor.

        Of several evaluations with one extractor, the one with the most samples counts.
        """
        distances: dict[str, float] = {}
        most: dict[str, int] = {}
        metrics = self.spec.provenance.get(METRICS)
        for evaluation in metrics if isinstance(metrics, list) else []:
            with contextlib.suppress(*MALFORMED):
                protocol = evaluation["protocol"]
                extractor, samples = str(protocol["extractor"]), int(protocol["samples"])
                distance = float(evaluation[METRICS]["frechet_distance"])
                if is_on_training_images(self.spec, protocol) and samples >= most.get(extractor, 0):
                    distances[extractor], most[extractor] = distance, samples
        return distances

    @property
    def distance(self) -> float | None:
        """The Fréchet distance by the dataset's usual extractor, or else by the first extractor."""
        distances = self.distances
        return distances.get(self.spec.data.extractor, next(iter(distances.values()), None))


def is_on_training_images(spec: ModelSpec, protocol: Mapping[str, Any]) -> bool:
    """Return whether an evaluation compares with the images that a model was trained on.

    Args:
        spec: the model's config.
        protocol: the protocol of the evaluation.
    """
    trained = spec.recorded("data").get("sha256")
    return bool(protocol.get("training_images", protocol["sha256"] == trained))


def read_summary(bundle: Bundle) -> ModelSummary:
    """Return the summary of a bundle, read from its files.

    Raises:
        BundleError: the files cannot be read.
    """
    names = {*read_checksums(bundle.path), CARD, CHECKSUMS}
    files = [file for name in names if (file := bundle.path / name).is_file()]
    size = sum(file.stat().st_size for file in files)
    number = count_parameters(bundle.spec, "generator", bundle.weights_of("generator"))
    return ModelSummary(bundle.spec, number, size)


def count_parameters(spec: ModelSpec, role: str, weights: Path) -> int:
    """Return the number of parameters of a network.

    It is that in the config. If the config has none, such as that of an imported model, it is the
    number of values in the safetensors file, without BatchNorm's statistics.

    Raises:
        BundleError: the file cannot be read.
    """
    recorded = spec.recorded(PARAMETERS).get(role)
    if type(recorded) is int and 0 <= recorded < MAX_PARAMETERS:
        return recorded
    return sum(
        math.prod(tensor.shape)
        for name, tensor in read_header(weights).items()
        if not name.endswith(_STATISTICS)
    )


def find_summary(entry: Entry) -> ModelSummary | None:
    """Return the summary of a registered model without importing its plugin.

    The files are read from the folder of that name in the package that registers the model.
    Checksums are not verified.

    Returns:
        None if the folder does not exist, as for a model on the Hub, or cannot be read.
    """
    if (folder := _folder_of(entry)) is None:
        return None
    try:
        spec = ModelSpec.from_json((folder / CONFIG).read_bytes(), where=str(folder))
        return read_summary(Bundle(folder, spec))
    except (GanzooError, OSError):
        return None


def describe_recipe(entry: Entry) -> str:
    """Return the description of a registered recipe without importing its plugin.

    The description is read from the TOML file of that name in the package that registers the
    recipe. It is empty if there is no such file.
    """
    return str(read_recipe(entry).get("description", ""))


def read_recipe(entry: Entry) -> dict[str, Any]:
    """Return the unchecked TOML of a registered recipe without importing its plugin.

    It is empty if there is no such file, as for `describe_recipe`.
    """
    for file in _search(entry, f"{entry.name}.toml"):
        with contextlib.suppress(OSError, ValueError, RecursionError):
            return tomllib.loads(file.read_text(encoding="utf-8"))
    return {}


def _folder_of(entry: Entry) -> Path | None:
    for config in _search(entry, f"{entry.name}/{CONFIG}"):
        if (config.parent / weights_name("generator")).is_file():
            return config.parent
    return None


def _search(entry: Entry, pattern: str) -> Iterator[Path]:
    """Yield files that match a pattern beside an entry's module, which is not imported."""
    package, *inside = entry.target.partition(":")[0].strip().split(".")
    try:
        module: Any = find_spec(package)  # a top-level name, so nothing is imported
    except (ImportError, ValueError):
        return
    for location in (module and module.submodule_search_locations) or ():
        root = on_disk(Path(location))
        folder = root.joinpath(*inside)
        while not folder.is_dir() and folder != root:  # a module that is a file
            folder = folder.parent
        yield from sorted(folder.rglob(pattern))
