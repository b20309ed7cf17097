"""What images, latents and datasets are like."""

from __future__ import annotations

from dataclasses import dataclass

from ganzoo.spec.parsing import STRICT, check_range

MAX_IMAGE_SIZE = 4096
MAX_CHANNELS = 64
MAX_IMAGE_NUMBERS = 4 * MAX_IMAGE_SIZE**2  # in one image; images are made by the dozen
MAX_LATENT_DIM = 65536
MAX_CLASSES = 100_000


@dataclass(frozen=True)
class ImageSpec:
    """Size of an image. As a tensor it is (channels, height, width) in [-1, 1].

    Raises:
        ValueError: a size below 1 or absurdly large.
    """

    __pydantic_config__ = STRICT

    height: int
    width: int
    channels: int

    def __post_init__(self) -> None:
        check_range("image height", self.height, 1, MAX_IMAGE_SIZE)
        check_range("image width", self.width, 1, MAX_IMAGE_SIZE)
        check_range("image channels", self.channels, 1, MAX_CHANNELS)
        numbers = self.height * self.width * self.channels
        check_range("height x width x channels of the image", numbers, 1, MAX_IMAGE_NUMBERS)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        return (self.channels, self.height, self.width)

    def __str__(self) -> str:
        return f"{self.height}x{self.width}x{self.channels}"


@dataclass(frozen=True)
class LatentSpec:
    """What a generator reads: float32 vectors of length `dim` drawn from N(0, 1)."""

    __pydantic_config__ = STRICT

    dim: int

    def __post_init__(self) -> None:
        check_range("latent dim", self.dim, 1, MAX_LATENT_DIM)


@dataclass(frozen=True)
class DataSpec:
    """What a dataset holds, as far as an architecture needs to know.

    Attributes:
        image: size of one image.
        classes: number of classes, 0 where images carry no label.
        labels: names of the classes, in the order of their numbers.
        license: Hub id of the data's licence, such as ``cc-by-sa-3.0``, if it is known.
        origin: where the data comes from, in a few words for the card.
        condition: size of the image that comes with each image and that it is to be made from;
            None where images come alone.
        paired: whether that image is its own counterpart, or any of another domain.
        extractor: registered name of the extractor by whose features the images are usually
            compared; empty where the data does not say.
        hub: the data set's id on the Hugging Face Hub, such as ``ylecun/mnist``; empty where it is
            not known to lie there.
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
        check_range("number of classes", self.classes, 0, MAX_CLASSES)
        if self.labels and len(self.labels) != self.classes:
            raise ValueError(f"{len(self.labels)} labels name {self.classes} classes")
        for label in self.labels:
            if not label.isprintable():
                raise ValueError(f"the label {label[:80]!r} holds characters that do not print")
