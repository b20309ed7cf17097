"""What pictures are drawn from: models' networks, and the first images of a dataset."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganzoo.errors import DataError, PlotError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from ganzoo.sampling.generator import Encoder, Generator
    from ganzoo.sampling.images import ImageBatch
    from ganzoo.spec import ModelSpec


@dataclass(frozen=True)
class Images:
    """Images of a dataset.

    Attributes:
        images: the images.
        labels: classes' numbers (n,).
        conditions: the images that they are to be made from; None where there are none.
    """

    images: ImageBatch
    labels: NDArray[np.int64]
    conditions: ImageBatch | None


class ModelDataset:
    """A dataset, opened for a model.

    Attributes:
        spec: what it says it holds.
    """

    def __init__(
        self, model: ModelSpec, dataset: str | None, split: str | None, data: Path | None
    ) -> None:
        """Open a dataset, by default what a model was trained on.

        Where another is asked for whose images come at any size, they come at the model's.

        Args:
            model: the model.
            dataset: a registered name, or None.
            split: which part of it, or None.
            data: where it lies; by default GANZOO_DATA.

        Raises:
            PlotError: none is named, and the model's config does not say; its images are of another
                size than the model's.
            RecipeError: it has no parts.
            UnknownNameError, DataNotFoundError, ...: there is no such dataset, or not there.
        """
        from ganzoo.data import find_dataset, find_root

        name, arguments = _choose(model, dataset)
        if split is not None:
            arguments["split"] = split
        arguments = _bind(model, name, arguments)
        self._dataset, self.spec = find_dataset(name, arguments, find_root(data))
        for what, size, wanted in (
            ("images", self.spec.image, model.data.image),
            ("conditions", self.spec.condition, model.data.condition),
        ):
            if wanted is not None and size != wanted:
                raise PlotError(
                    f"the {what} of {name!r} are {size or 'absent'}, and those of {model.name!r} "
                    f"{wanted}. --dataset NAME chooses a dataset of that kind."
                )

    def __len__(self) -> int:
        return len(self._dataset)  # type: ignore[arg-type]

    def first(self, n: int, start: int = 0) -> Images:
        """Read so many images in the dataset's order.

        Raises:
            DataError: it holds fewer; one is corrupt.
        """
        length = len(self._dataset)  # type: ignore[arg-type]
        if not 0 < n <= length - start:
            raise DataError(
                f"{n} images from number {start} on were asked for, and the dataset holds {length}."
            )
        return self._read(range(start, start + n))

    def of_classes(self, *names: str) -> Images:
        """Read the first image of each class that is named, or numbered.

        Raises:
            PlotError: no classes, or none of that name; one without an image.
        """
        return self._read([self._first_of(self._number(name)) for name in names])

    def numbered(self, *numbers: int) -> Images:
        """Read the images of these numbers in the dataset's order.

        Raises:
            DataError: there is no such number.
        """
        length = len(self._dataset)  # type: ignore[arg-type]
        for number in numbers:
            if not 0 <= number < length:
                raise DataError(f"there is no image {number}: numbers are 0 to {length - 1}.")
        return self._read(numbers)

    def _read(self, index: Any) -> Images:
        from ganzoo.data.reading import read_items

        items = read_items(self._dataset, self.spec, index, index)
        conditions = None if items.conditions is None else _to_batch(items.conditions)
        return Images(_to_batch(items.images), items.labels.numpy(), conditions)

    def _number(self, name: str) -> int:
        classes = self.spec.labels or tuple(map(str, range(self.spec.classes)))
        if name in classes:
            return classes.index(name)
        if name.isdecimal() and int(name) < len(classes):
            return int(name)
        raise PlotError(
            f"the dataset has no class {name!r}. "
            + (
                f"Its classes: {', '.join(classes[:20])}."
                if classes
                else "It has none at all; --index I J chooses images by their numbers."
            )
        )

    def _first_of(self, label: int) -> int:
        length = len(self._dataset)  # type: ignore[arg-type]
        for k in count():
            if k == length:
                raise PlotError(f"the dataset holds no image of class {label}.")
            if int(self._dataset[k][1]) == label:
                return k
        raise AssertionError("a count has no end")


def load_generator(name: str) -> Generator:
    """Load a model that makes images out of latents.

    Raises:
        PlotError: it makes them out of images.
        UnknownNameError, BundleError, ...: as `ganzoo.load`.
    """
    from ganzoo import zoo
    from ganzoo.sampling.generator import Generator

    model = zoo.load(name)
    if not isinstance(model, Generator):
        raise PlotError(
            f"{name} makes images out of images, and this picture is one of latents. "
            f"ganzoo plot translation {name}"
        )
    return model


def load_autoencoder(name: str) -> tuple[Generator, Encoder]:
    """Load a model's generator and encoder.

    Raises:
        PlotError: it has no encoder.
        UnknownNameError, BundleError, ...: as `ganzoo.load`.
    """
    from ganzoo import zoo

    roles = zoo.info(name).roles
    if "encoder" not in roles:
        raise PlotError(
            f"{name} has no encoder, which this picture takes: it holds {', '.join(roles)} alone. "
            "vae-mnist has one, and so has what the losses autoencoder, vae, betavae, vaegan and "
            "bigan train."
        )
    return load_generator(name), zoo.load(name, role="encoder")


def _choose(model: ModelSpec, dataset: str | None) -> tuple[str, dict[str, Any]]:
    """Name a dataset, and the arguments that a model's own training gave it."""
    trained = dict(model.provenance.get("recipe", {}).get("dataset", {}))
    own = trained.pop("name", None)
    if dataset is not None:
        return dataset, trained if dataset == own else {}
    if not isinstance(own, str):
        raise PlotError(f"what {model.name!r} was trained on is not recorded: --dataset NAME.")
    return own, trained


def _bind(model: ModelSpec, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    from ganzoo.registry import datasets
    from ganzoo.registry.signatures import arguments_of, bind

    factory = datasets.get(name)
    image = model.data.image
    for key, value in (("size", image.height), ("channels", image.channels)):
        if key in arguments_of(factory):
            arguments.setdefault(key, value)
    return bind("dataset", name, factory, arguments)


def _to_batch(images: Tensor) -> ImageBatch:
    from ganzoo.sampling.images import ImageBatch

    return ImageBatch(images.permute(0, 2, 3, 1).contiguous().numpy())
