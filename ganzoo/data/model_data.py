"""The dataset that a model is compared with: the images of its training, or named others."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.utils.data import Dataset

from ganzoo.data.datasets import DATA_VARIABLE, find_dataset, find_root
from ganzoo.data.fingerprints import has_fingerprint
from ganzoo.data.run_data import RunData, find_run_data
from ganzoo.errors import DataError, DataNotFoundError, quantity, shell_word
from ganzoo.registry import needs_data
from ganzoo.registry.names import parse_registered
from ganzoo.spec import Component, DataSpec, ModelSpec


@dataclass(frozen=True)
class ModelData:
    """A dataset, opened for a model.

    Attributes:
        dataset: the torch dataset.
        spec: its spec.
        root: folder that contains the data, if there is one.
        model: config of the model.
        run: the data of the model's run, if the model is in the folder of a run.
        named: whether the user named a folder.
        same: whether the dataset has the name and the arguments of the model's training.
    """

    dataset: Dataset[tuple[Tensor, ...]]
    spec: DataSpec
    root: Path | None
    model: ModelSpec
    run: RunData | None
    named: bool
    same: bool

    def __len__(self) -> int:
        return len(self.dataset)  # type: ignore[arg-type]

    def is_training_data(self, sha256: str | None = None) -> bool:
        """Return whether these are the images that the model was trained on.

        Args:
            sha256: the result of `fingerprint_items` for all items, if it is known. Without, all
                items are read.

        Raises:
            DataError: they are other images, and the user named no folder: the model's own images
                were expected.
        """
        trained = self.model.recorded("data")
        fingerprint, images = trained.get("sha256"), trained.get("images")
        if not self.same or not isinstance(fingerprint, str):
            return False
        # The number of images is known without reading them.
        equal = images in (None, len(self)) and (
            fingerprint == sha256 or has_fingerprint(fingerprint, self.dataset, self.spec, sha256)
        )
        if not equal and not self.named:
            raise DataError(self._explain(trained))
        return equal

    def _explain(self, trained: Mapping[str, Any]) -> str:
        images = trained.get("images")
        count = quantity(images, "image") if isinstance(images, int) else "other images"
        folder = self.run.folder if self.run else None
        place = f"in {folder}" if folder else f"of {trained.get('origin') or 'its dataset'}"
        if self.root is None:
            contents = f"this dataset now has {len(self):,} others"
            advice = "Install the version of its plugin that the model was trained with."
        elif folder == str(self.root):
            contents = f"the folder now contains {len(self):,} others"
            advice = (
                f"Restore the images, or pass --data {shell_word(self.root)} to use the new ones."
            )
        else:
            contents = (
                f"no data folder was given and {DATA_VARIABLE} points to {len(self):,} others, in "
                f"{self.root}"
            )
            advice = (
                f"Pass --data {shell_word(folder or 'DIR')}, or --data {shell_word(self.root)} to "
                "use the other images."
            )
        return f"{self.model.name!r} was trained on {count} {place}, but {contents}. {advice}"


def open_model_data(
    model: ModelSpec,
    dataset: Component,
    *,
    data: str | Path | None = None,
    path: Path | None = None,
) -> ModelData:
    """Open a dataset for a model.

    Without `data`, the dataset of the model's training is read from the folder that its run
    recorded, and other datasets from the environment variable GANZOO_DATA.

    Args:
        model: config of the model.
        dataset: the dataset with all its arguments.
        data: folder that the user named, or None.
        path: folder of the model's bundle or run, or None if it is in no folder of the user's.

    Raises:
        UnknownNameError, DataNotFoundError, ...: as for `find_dataset`.
    """
    own = model.recorded("recipe", "dataset")
    arguments = {key: value for key, value in own.items() if key != "name"}
    has_name = is_trained_on(own.get("name"), dataset.name)
    run = None
    if path is not None and has_name:
        run = find_run_data(path, model.recorded("data").get("sha256"))
    root = find_root(dataset.name, data)
    same = has_name and _plain(arguments) == _plain(dataset.arguments)
    uses_run = data is None and needs_data(dataset.name)
    if uses_run and run is not None and run.folder is not None:
        if os.path.exists(run.folder):  # a folder, or a file such as a zip
            root = Path(run.folder)
        elif not same:  # whether another part belongs to the data of the run cannot be checked
            raise DataNotFoundError(
                f"{model.name!r} was trained on data in {run.folder}, which is no folder any more. "
                "Pass its new location with --data DIR."
            )
    opened, spec = find_dataset(dataset.name, dataset.arguments, root)
    return ModelData(opened, spec, root, model, run, data is not None, same)


def is_trained_on(own: Any, dataset: str) -> bool:
    """Return whether a name, with or without its distribution, is that of the training dataset.

    Args:
        own: name of the dataset in the model's config.
        dataset: the name.
    """
    if not isinstance(own, str):
        return False
    names = parse_registered(own), parse_registered(dataset)
    same = len({name.distribution for name in names if name.distribution}) < 2
    return same and names[0].name == names[1].name


def _plain(value: Any) -> Any:
    """Return a value as JSON stores it."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
