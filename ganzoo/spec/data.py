"""Descriptions of images, latents and datasets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ganzoo.spec.parsing import STRICT, check_integer

MAX_IMAGE_SIZE = 4096
MAX_CHANNELS = 64
MAX_IMAGE_NUMBERS = 4 * MAX_IMAGE_SIZE**2  # values in one image; images are generated in batches
MAX_LATENT_DIM = 65536
MAX_STYLE_LAYERS = 256
MAX_TRUNCATION = 2
MAX_MULTIPLE = 1024  # that the sides of a translator's images may have to be multiples of
MAX_SCALE = 16  # by which a translator enlarges the sides of images
MAX_MEMORY = 2**40  # bytes for each pixel of a translator's input
MAX_CLASSES = 100_000
MAX_NUMBER = 1000  # digits of a number in a label


@dataclass(frozen=True)
class ImageSpec:
    """The size of an image. As a tensor, an image is (channels, height, width) in [-1, 1].

    Raises:
        ValueError: a size is below 1 or above its limit (4096 pixels, 64 channels).
    """

    __pydantic_config__ = STRICT

    height: int
    width: int
    channels: int

    def __post_init__(self) -> None:
        check_integer("image height", self.height, 1, MAX_IMAGE_SIZE)
        check_integer("image width", self.width, 1, MAX_IMAGE_SIZE)
        check_integer("image channels", self.channels, 1, MAX_CHANNELS)
        numbers = self.height * self.width * self.channels
        check_integer("height x width x channels of the image", numbers, 1, MAX_IMAGE_NUMBERS)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        return (self.channels, self.height, self.width)

    def __str__(self) -> str:
        return f"{self.height}x{self.width}x{self.channels}"


@dataclass(frozen=True)
class LatentSpec:
    """The latents that a generator reads: float32 vectors of length `dim` from N(0, 1)."""

    __pydantic_config__ = STRICT

    dim: int

    def __post_init__(self) -> None:
        check_integer("latent dim", self.dim, 1, MAX_LATENT_DIM)


@dataclass(frozen=True)
class StyleSpec:
    """The numbers of a generator with a mapping network: z -> w, and one w per layer -> images.

    Attributes:
        dim: length of w.
        layers: number of w that the synthesis network reads.
        truncation: the generator's own factor of the distance of w from its average.
    """

    __pydantic_config__ = STRICT

    dim: int
    layers: int
    truncation: float = 1.0

    def __post_init__(self) -> None:
        check_integer("style dim", self.dim, 1, MAX_LATENT_DIM)
        check_integer("style layers", self.layers, 1, MAX_STYLE_LAYERS)
        if not -MAX_TRUNCATION <= self.truncation <= MAX_TRUNCATION:
            raise ValueError(
                f"truncation is {self.truncation}; it must be -{MAX_TRUNCATION} to {MAX_TRUNCATION}"
            )


@dataclass(frozen=True)
class SizesSpec:
    """The heights and widths that a translator reads besides those of its training images.

    Attributes:
        multiple: the network reads sides that are multiples of it. Images of other sizes are padded
            by reflection at the right and the bottom, and their translations are cropped back.
        smallest: the smallest side that the network reads, before padding to the multiple.
        scale: the sides of a translation are those of its condition times this number, 1 to 16.
        reach: pixels of the condition, in each direction, that change an output pixel by an eighth
            of a level or more. The export measures it. None if it is not measured, or if the whole
            image does.
        memory: bytes of the network's results that are in memory at once, for each pixel of the
            condition. The export measures it; None if it is not measured.
    """

    __pydantic_config__ = STRICT

    multiple: int = 1
    smallest: int = 1
    scale: int = 1
    reach: int | None = None
    memory: int | None = None

    def __post_init__(self) -> None:
        check_integer("multiple of the sizes", self.multiple, 1, MAX_MULTIPLE)
        check_integer("smallest of the sizes", self.smallest, 1, MAX_IMAGE_SIZE)
        check_integer("scale of the sizes", self.scale, 1, MAX_SCALE)
        if self.reach is not None:
            check_integer("reach of the sizes", self.reach, 0, MAX_IMAGE_SIZE)
        if self.memory is not None:
            check_integer("memory of the sizes", self.memory, 1, MAX_MEMORY)

    @property
    def of_network(self) -> SizesSpec:
        """The sizes without what an export measures."""
        return replace(self, reach=None, memory=None)

    def padded(self, side: int) -> int:
        """Return the smallest side that the network reads and that is not below `side`."""
        return -(-max(side, self.smallest) // self.multiple) * self.multiple


@dataclass(frozen=True)
class DataSpec:
    """The properties of a dataset that architectures, exports and cards use.

    Attributes:
        image: size of one image.
        classes: number of classes; 0 if images have no labels.
        labels: names of the classes, in the order of their indices, each once.
        license: Hub id of the data's licence, such as ``cc-by-sa-3.0``; None if unknown.
        origin: a short description of the data's origin, for the card.
        condition: size of the input image of each item, for image translation; None if items
            have no input image.
        paired: whether the input image belongs to the item's image. If False, it is any image of
            the other domain.
        extractor: registered name of the feature extractor that is usual for these images; empty
            if there is none.
        hub: id of the dataset on the Hugging Face Hub, such as ``ylecun/mnist``; empty if unknown.
    """

    __pydantic_config__ = STRICT

    image: ImageSpec
    classes: int = 0
    labels: tuple[str, ...] = ()
    license: str | None = None
    origin: str = ""
    condition: ImageSpec | None = None
    paired: bool = True
    extractor: str = ""
    hub: str = ""

    def __post_init__(self) -> None:
        check_integer("number of classes", self.classes, 0, MAX_CLASSES)
        if self.labels and len(self.labels) != self.classes:
            raise ValueError(
                f"there are {len(self.labels)} labels for {self.classes} classes. "
                "Give one label per class"
            )
        if repeated := [label for label, n in Counter(self.labels).items() if n > 1]:
            raise ValueError(
                f"several classes have the label {repeated[0][:80]!r}. Give each class a label of "
                "its own"
            )
        for label in self.labels:
            if not label.isprintable():
                raise ValueError(
                    f"the label {label[:80]!r} contains characters that are not printable"
                )

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of all classes: the labels, or the indices of classes without labels."""
        return self.labels or tuple(map(str, range(self.classes)))


def find_class(label: int | str, names: Sequence[str]) -> int | None:
    """Return the index of a class, or None if there is no such class.

    Args:
        label: a name, or a number. If all names are numbers, such as 1, 2 and 5, a number means
            the class of that name; else it is the index of a class.
        names: names of all classes, in the order of their indices.
    """
    if isinstance(label, bool):
        return None
    if isinstance(label, str):
        if label in names:
            return names.index(label)
        if not _is_number(label):
            return None
        label = int(label)
    if 0 <= label < len(names) and names[label] == str(label):  # an index and a name
        return label
    if all(map(_is_number, names)):
        same = [index for index, name in enumerate(names) if int(name) == label]
        return same[0] if len(same) == 1 else None
    return label if 0 <= label < len(names) else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= MAX_NUMBER
