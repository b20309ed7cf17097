"""Load the models and dataset images that plots show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ganzoo.errors import DataError, PlotError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from ganzoo.sampling.generator import Generator
    from ganzoo.sampling.images import ImageBatch
    from ganzoo.sampling.translation import Encoder
    from ganzoo.spec import ModelSpec


SEED = 0  # of the choice of images


@dataclass(frozen=True)
class Images:
    """Images of a dataset.

    Attributes:
        images: the images.
        labels: class numbers (n,).
        conditions: input images of a translator; None if the dataset has none.
    """

    images: ImageBatch
    labels: NDArray[np.int64]
    conditions: ImageBatch | None


class ModelDataset:
    """A dataset at the image size of a model.

    Attributes:
        spec: spec of the dataset.
        is_training_data: whether these are the images that the model was trained on.
    """

    def __init__(
        self,
        model: ModelSpec,
        dataset: str | None,
        split: str | None,
        data: Path | None,
        name: str | None = None,
    ) -> None:
        """Open a dataset, by default the training dataset of a model.

        A dataset with an argument for the image size is opened at the model's size.

        Args:
            model: config of the model.
            dataset: registered name; None for the training dataset.
            split: part of the dataset; None for its default.
            data: folder of the dataset; by default that of the model's run, or without a run the
                environment variable GANZOO_DATA.
            name: name of the model, which may be the folder of a bundle or run.

        Raises:
            PlotError: `dataset` is None and the config records no training dataset, or the images
                differ from the model's in size.
            RecipeError: the dataset has no parts.
            DataError: no folder is named, and the images are not those of the training.
            UnknownNameError, DataNotFoundError, ...: the dataset or its folder does not exist.
        """
        from ganzoo.data import show_file_counts
        from ganzoo.data.model_data import open_model_data
        from ganzoo.registry.names import parse_model_name
        from ganzoo.spec import Component

        path = None if name is None else parse_model_name(name)
        folder = path if isinstance(path, Path) else None
        name, arguments = _choose(model, dataset)
        if split is not None:
            arguments["split"] = split
        arguments = _bind(model, name, arguments)
        opened = open_model_data(model, Component(name, arguments), data=data, path=folder)
        self._dataset, self.spec = opened.dataset, opened.spec
        show_file_counts(self._dataset)
        for kind, size, expected in (
            ("images", self.spec.image, model.data.image),
            ("conditions", self.spec.condition, model.data.condition),
        ):
            if expected is not None and size != expected:
                raise PlotError(
                    f"the {kind} of {name!r} are {size or 'absent'}, but those of {model.name!r} "
                    f"are {expected}. Choose a matching dataset with --dataset NAME."
                )
        self.is_training_data = opened.is_training_data()
        self._knows_training_data = bool(model.recorded("data"))

    @property
    def description(self) -> str:
        """The origin of the images, and whether they are others than those of the training."""
        is_other = self._knows_training_data and not self.is_training_data
        other = ", which are not the training images" if is_other else ""
        return f"{self.spec.origin or 'the dataset'}{other}"

    def __len__(self) -> int:
        return len(self._dataset)  # type: ignore[arg-type]

    def all(self) -> Images:
        """Read all images in the order of the dataset."""
        return self._read(range(len(self)))

    def consecutive(self, n: int, start: int) -> Images:
        """Read consecutive images in the order of the dataset.

        Args:
            n: number of images, at least 1.
            start: number of the first image.

        Raises:
            DataError: the dataset holds fewer images, or an image is corrupt.
        """
        if start < 0 or not 0 < n <= len(self) - start:
            raise DataError(
                f"cannot read {n} images from index {start} on: the dataset has {len(self)}. "
                "Use fewer images."
            )
        return self._read(range(start, start + n))

    def draw(self, n: int | None, default: int) -> Images:
        """Read random images, which are the same at every call.

        Args:
            n: number of images, at least 1; None for `default`, or all if there are fewer.
            default: the number of images if `n` is None.

        Raises:
            DataError: the dataset holds fewer images, or an image is corrupt.
        """
        (images,) = self.draw_sets(n, default, 1)
        return images

    def draw_sets(self, n: int | None, default: int, sets: int) -> list[Images]:
        """Read random sets of images without a common image, and without flipped images.

        A flipped image in another set than its original could be nearly the same.

        Args:
            n: number of images in a set, at least 1; None for `default`, or fewer if the dataset
                holds fewer.
            default: the number of images if `n` is None.
            sets: number of sets.

        Raises:
            DataError: the dataset holds fewer images, or an image is corrupt.
        """
        length = len(self._order())
        count = max(min(default, length // sets), 1) if n is None else n
        if not 0 < count * sets <= length:
            needed = f"{sets} x {count}" if sets > 1 else f"{count}"
            raise DataError(
                f"cannot draw {needed} images: the dataset has {length}. Use fewer images, -n 1 "
                f"to {length // sets}."
            )
        order = self._order()
        parts = (order[k * count : (k + 1) * count] for k in range(sets))
        return [self._read(sorted(part.tolist())) for part in parts]

    def of_classes(self, *names: str) -> Images:
        """Read a random image of each class, the same at every call; another one of a class again.

        Args:
            names: names or numbers of classes.

        Raises:
            PlotError: the dataset has no such class, or no image of it.
        """
        numbers: list[int] = []
        for name in names:
            numbers.append(self._find(self._number(name), numbers))
        return self._read(numbers)

    def numbered(self, *numbers: int) -> Images:
        """Read images by their numbers in the order of the dataset.

        Args:
            numbers: numbers of images, from 0.

        Raises:
            DataError: there is no image of a number.
        """
        length = len(self._dataset)  # type: ignore[arg-type]
        for number in numbers:
            if not 0 <= number < length:
                raise DataError(f"the dataset has no image {number}. Use 0 to {length - 1}.")
        return self._read(numbers)

    def _read(self, index: Any) -> Images:
        from ganzoo.data.reading import read_items
        from ganzoo.sampling.image_warnings import ImageNotes

        notes, total = dict[int, ImageNotes](), ImageNotes()
        items = read_items(self._dataset, self.spec, index, index, notes)
        for each in notes.values():
            total.add(each)
        total.tell(len(index))
        conditions = None if items.conditions is None else _to_batch(items.conditions)
        return Images(_to_batch(items.images), items.labels.numpy(), conditions)

    def _number(self, name: str) -> int:
        from ganzoo.spec import find_class

        number = find_class(name, self.spec.class_names)
        if number is not None:
            return number
        classes = self.spec.class_names
        raise PlotError(
            f"the dataset has no class {name!r}. "
            + (
                f"Choose from {', '.join(classes[:20])}."
                if classes
                else "It has no classes. Choose images by their numbers with --index I J."
            )
        )

    def _find(self, label: int, others: Sequence[int]) -> int:
        for k in self._order().tolist():
            if k not in others and int(self._dataset[k][1]) == label:
                return int(k)
        another = "other " * any(int(self._dataset[k][1]) == label for k in others)
        raise PlotError(
            f"the dataset has no {another}image of class {self.spec.class_names[label]!r}."
        )

    def _order(self) -> NDArray[np.int64]:
        """Return the numbers of images that are not flipped in a random order.

        A dataset may be sorted by class.
        """
        import numpy as np

        from ganzoo.data.reading import count_files

        return np.random.default_rng(SEED).permutation(count_files(self._dataset))


def load_generator(name: str, runtime: Literal["torch", "onnx"] | None = None) -> Generator:
    """Load a model that generates images from latents.

    Args:
        name: name of the model.
        runtime: as for `ganzoo.load`.

    Raises:
        PlotError: the model translates images.
        UnknownNameError, BundleError, ...: as `ganzoo.load`.
    """
    from ganzoo import zoo
    from ganzoo.sampling.generator import Generator

    model = zoo.load(name, runtime=runtime)
    if not isinstance(model, Generator):
        raise PlotError(
            f"{name} translates images, but this plot needs a model that generates images from "
            f"latents. Use: ganzoo plot translation {name}"
        )
    return model


def load_autoencoder(name: str) -> tuple[Generator, Encoder]:
    """Load a model's generator and encoder.

    Raises:
        PlotError: the model has no encoder.
        UnknownNameError, BundleError, ...: as `ganzoo.load`.
    """
    from ganzoo import zoo

    roles = zoo.info(name).roles
    if "encoder" not in roles:
        raise PlotError(
            f"{name} has no encoder, which this plot needs. Its roles: {', '.join(roles)}. Use "
            "vae-mnist, or a model trained with the loss autoencoder, vae, betavae, vaegan or "
            "bigan."
        )
    return load_generator(name), zoo.load(name, role="encoder")


def _choose(model: ModelSpec, dataset: str | None) -> tuple[str, dict[str, Any]]:
    """Return the name of a dataset, and its arguments in the training of the model."""
    trained = model.recorded("recipe", "dataset")
    own = trained.pop("name", None)
    if dataset is not None:
        from ganzoo.data.model_data import is_trained_on

        return dataset, trained if is_trained_on(own, dataset) else {}
    if not isinstance(own, str):
        raise PlotError(
            f"the config of {model.name!r} does not record its training dataset. Pass "
            "--dataset NAME."
        )
    return own, trained


def _bind(model: ModelSpec, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    from ganzoo.registry import datasets
    from ganzoo.registry.signatures import arguments_of, bind

    factory = datasets.get(name)
    image, condition = model.data.image, model.data.condition
    square = image.height == image.width
    own: dict[str, Any] = {
        "size": image.height if square else f"{image.height}x{image.width}",
        "channels": image.channels,
        "condition_channels": condition.channels if condition else image.channels,
    }
    for key in own.keys() & arguments_of(factory).keys():
        arguments.setdefault(key, own[key])
    return bind("dataset", name, factory, arguments)


def _to_batch(images: Tensor) -> ImageBatch:
    from ganzoo.sampling.images import ImageBatch

    return ImageBatch(images.permute(0, 2, 3, 1).contiguous().numpy())
