"""Arguments of factories have the types of their annotations."""

import pytest

from ganzoo import registry
from ganzoo.errors import RecipeError, UnknownNameError, describe
from ganzoo.registry.signatures import bind
from ganzoo.spec import Component
from ganzoo.training.build import complete
from helpers.recipes import tiny

KINDS = {"dataset": registry.datasets, "loss": registry.losses}


def bound(kind, name, **arguments):
    return bind(kind, name, KINDS[kind].get(name), arguments)


@pytest.mark.parametrize(
    ("kind", "name", "arguments"),
    [
        ("dataset", "folder", {"size": True}),
        ("dataset", "webdataset", {"classes": "16"}),
        ("dataset", "folder", {"size": 16.0}),
        ("dataset", "folder", {"skip_corrupt": "no"}),
        ("dataset", "folder", {"skip_corrupt": 1}),
        ("dataset", "folder", {"value_range": ["0", "5"]}),
        ("loss", "nonsaturating", {"r1": True}),
        ("loss", "nonsaturating", {"r1": "1"}),
    ],
)
def test_a_value_of_another_type_is_not_converted(kind, name, arguments):
    with pytest.raises(RecipeError, match="of another type"):
        bound(kind, name, **arguments)


def test_numbers_and_lists_as_toml_has_them_are_accepted():
    assert bound("loss", "nonsaturating", r1=1)["r1"] == 1.0
    assert bound("dataset", "folder", value_range=[0, 5.5])["value_range"] == (0, 5.5)
    assert bound("dataset", "folder", labels="none")["labels"] == "none"


@pytest.mark.parametrize("width", [2**63, -(2**63) - 1])
def test_an_integer_beyond_64_bits_is_refused(width):
    recipe = tiny(architecture=Component("mlp", {"latent_dim": 4, "width": width}))
    with pytest.raises(RecipeError, match=f"'width': {width} cannot be written in a recipe"):
        complete(recipe)


def test_an_error_of_a_plugin_is_described_in_one_line():
    error = RuntimeError("too large\nframe #0: c10::Error\n" + "frame\n" * 500)
    assert describe(error).startswith("RuntimeError: too large frame #0: c10::Error frame")
    assert len(describe(error)) < 500
    assert "\n" not in describe(error)


def test_a_name_of_any_length_is_one_short_line():
    with pytest.raises(UnknownNameError) as refusal:
        registry.losses.get("x" * 5000)
    assert len(str(refusal.value)) < 2000
