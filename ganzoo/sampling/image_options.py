"""The options that fit the image files of a dataset to one size."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

from ganzoo.registry.docstrings import docstring_of
from ganzoo.registry.signatures import OMIT_DEFAULT
from ganzoo.sampling.image_fits import Background, Fit, Fitting, Size, parse_size
from ganzoo.spec import MAX_IMAGE_SIZE

T = TypeVar("T")


@dataclass(frozen=True)
class ImageOptions:
    """The options that every dataset of image files has.

    Attributes:
        size: size of the images: one number for squares, or ``HEIGHTxWIDTH``.
        fit: as for `Fitting`.
        background: as for `Fitting`.
        flip: whether to add each image again, flipped left to right.
    """

    size: Size = 64
    fit: Annotated[Fit, OMIT_DEFAULT] = "crop"
    background: Annotated[Background, OMIT_DEFAULT] = "white"
    flip: Annotated[bool, OMIT_DEFAULT] = False

    def fitting(self, dataset: str, smallest: int = 1, largest: int = MAX_IMAGE_SIZE) -> Fitting:
        """Return how images get the size.

        Args:
            dataset: registered name of the dataset, for errors.
            smallest: minimum of both sides in pixels.
            largest: maximum of both sides in pixels.

        Raises:
            DataError: the size has another form, or a side is out of range.
        """
        shape = parse_size(dataset, self.size, smallest, largest)
        return Fitting(*shape, self.fit, self.background)

    @property
    def flipped(self) -> str:
        """The end of a text about the number of images, if each is also flipped."""
        return ", each also flipped" if self.flip else ""


def describe_options(
    *, name: str = "the file's name", item: str = "image", sides: str = ""
) -> dict[str, str]:
    """Return the help texts of the fields of `ImageOptions`.

    Args:
        name: the property of an item that determines the position of a random crop.
        item: the name of an item that is flipped.
        sides: end of the text of the size, such as its limits.
    """
    return {
        "size": "side of square images in pixels, or HEIGHTxWIDTH, such as 48x64 for landscape "
        f"images{sides}.",
        "fit": "how an image of another shape gets the size: crop its centre; random-crop, a crop "
        f"at a position that {name} determines, the same in every epoch; pad it with the "
        "background; or stretch it. Crops are as large as the image permits.",
        "background": "colour of padding and behind transparent pixels, white or black.",
        "flip": f"add each {item} again, flipped left to right, which doubles the dataset. Not for "
        "images that it makes wrong, such as digits and text.",
    }


def option_parameters(**defaults: Any) -> list[inspect.Parameter]:
    """Return the fields of `ImageOptions` as keyword-only parameters.

    Args:
        defaults: by field, another default than that of `ImageOptions`.
    """
    hints = get_type_hints(ImageOptions, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=defaults.get(field.name, field.default),
            annotation=hints[field.name],
        )
        for field in fields(ImageOptions)
    ]


def with_image_options(
    *, size: Size = 64, before: str = "", **texts: str
) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Return a decorator that adds the fields of `ImageOptions` as arguments of a dataset.

    The decorated function takes the options as its second positional parameter::

        @with_image_options()
        def photos(
            root: Path | None, options: ImageOptions, *, channels: int = 3
        ) -> tuple[Photos, DataSpec]: ...

    Users call it as ``photos(root, size="48x64", channels=1, fit="pad")``. The texts of the options
    are added to the section ``Args:`` of its docstring.

    Args:
        size: the default size.
        before: the argument of the function that follows the size; by default the first one.
        texts: arguments of `describe_options`, which replace words of the texts.
    """

    def decorate(function: Callable[..., T]) -> Callable[..., T]:
        first, *others = option_parameters(size=size)
        names = [first.name, *(parameter.name for parameter in others)]

        def factory(root: Path | None, **arguments: Any) -> T:
            options = {"size": size} | {k: v for k, v in arguments.items() if k in names}
            own = {k: v for k, v in arguments.items() if k not in names}
            return function(root, ImageOptions(**options), **own)

        hints = get_type_hints(function, include_extras=True)
        root, _, *own = (
            parameter.replace(annotation=hints[name])
            for name, parameter in inspect.signature(function).parameters.items()
        )
        own.insert([parameter.name for parameter in own].index(before) if before else 0, first)
        factory.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [root, *own, *others], return_annotation=hints["return"]
        )
        factory.__doc__ = _add_arguments(docstring_of(function), describe_options(**texts))
        factory.__module__ = function.__module__
        factory.__name__, factory.__qualname__ = function.__name__, function.__qualname__
        return factory

    return decorate


def format_arguments(texts: Mapping[str, str]) -> list[str]:
    """Return the lines of a docstring about arguments."""
    lines = []
    for name, text in texts.items():
        lines += textwrap.wrap(
            f"{name}: {text}", 100, initial_indent=" " * 4, subsequent_indent=" " * 8
        )
    return lines


def _add_arguments(docstring: str, texts: Mapping[str, str]) -> str:
    """Add arguments at the end of the section ``Args:`` of a docstring."""
    head, title, rest = docstring.partition("\nArgs:\n")
    arguments, end, tail = rest.partition("\n\n")
    return "".join([head, title, "\n".join([arguments, *format_arguments(texts)]), end, tail])
