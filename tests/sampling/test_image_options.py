"""Datasets of image files share the options that fit images to one size."""

import inspect
from pathlib import Path
from typing import Literal

import pytest

import ganzoo
from ganzoo.errors import DataError
from ganzoo.registry.docstrings import docstring_of
from ganzoo.registry.signatures import arguments_of, bind
from ganzoo.sampling.image_fits import Fitting
from ganzoo.sampling.image_options import ImageOptions, describe_options, with_image_options


@with_image_options(size=32, before="channels", name="the page's number", item="page")
def pages(
    root: Path | None, options: ImageOptions, *, book: str = "", channels: Literal[1, 3] = 3
) -> tuple[Path | None, ImageOptions, str, int]:
    """Pages of a book.

    Args:
        root: the folder.
        book: name of the book.
        channels: 3 for colour, 1 for grey.

    Raises:
        DataError: an argument is not valid.
    """
    return root, options, book, channels


def test_options_are_arguments_and_texts_of_the_function():
    assert pages(None) == (None, ImageOptions(32), "", 3)
    expected = ImageOptions("48x64", "pad", "black", True)
    options = {"size": "48x64", "fit": "pad", "background": "black", "flip": True}
    assert pages(Path("a"), book="b", **options) == (Path("a"), expected, "b", 3)
    assert [*inspect.signature(pages).parameters] == [
        "root", "book", "size", "channels", "fit", "background", "flip",
    ]  # fmt: skip
    assert bind("dataset", "pages", pages, {"fit": "crop"}) == {
        "book": "", "size": 32, "channels": 3,
    }  # fmt: skip
    text = docstring_of(pages)
    arguments = text.partition("Args:\n")[2].partition("\n\n")[0]
    assert [line.split(":")[0].strip() for line in arguments.splitlines() if line[4:5] != " "] == [
        "root", "book", "channels", "size", "fit", "background", "flip",
    ]  # fmt: skip
    assert "position that the page's number determines" in " ".join(text.split())
    assert "flip: add each page again" in text
    assert text.endswith("Raises:\n    DataError: an argument is not valid.")
    with pytest.raises(TypeError, match="paper"):
        pages(None, paper=1)


def test_options_give_a_fitting():
    assert ImageOptions("48x64", "pad", "black").fitting("folder") == Fitting(
        48, 64, "pad", "black"
    )
    with pytest.raises(DataError, match=r"'pages' .*Sides are 8 to 64 pixels"):
        ImageOptions(65).fitting("pages", 8, 64)


def test_every_dataset_that_fits_images_has_all_options_and_texts():
    names = {
        name
        for name in ganzoo.datasets
        if {"fit", "flip"} & {*arguments_of(ganzoo.datasets.get(name))}
    }
    assert names >= {"folder", "zip", "webdataset", "arrays", "parquet", "hub", "celeba"}
    assert names >= {"flowers-102", "oxford-pets", "omniglot"}
    for name in names:
        arguments = arguments_of(ganzoo.datasets.get(name))
        assert arguments.keys() >= describe_options().keys(), name
        text = " ".join(docstring_of(ganzoo.datasets.get(name)).split())
        for key in ("fit", "background", "flip"):
            assert arguments[key].omits_default, name
            assert text.count(f" {key}: ") == 1, name
