import contextlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganzoo import DataSpec, ImageSpec, ModelSpec, Recipe, recipes
from ganzoo.errors import BundleError, RecipeError
from ganzoo.games import AdversarialOptions, Player
from ganzoo.registry import find_recipe
from ganzoo.registry.signatures import bind
from ganzoo.spec import Component, LatentSpec, Optimizer, as_integer, find_class
from helpers.recipes import tiny

SPEC = ModelSpec(
    name="m",
    architecture="dcgan",
    arguments={"latent_dim": 8, "width": 4},
    requires=("torch-ganzoo>=0.1",),
    data=DataSpec(ImageSpec(16, 16, 1), classes=2, labels=("a", "b"), license="mit"),
    latent=LatentSpec(8),
    provenance={"seed": 0, "nested": {"x": [1, 2.5, None]}},
)

IMAGE = {"height": 1024, "width": 1024, "channels": 4}

values = st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=9)
arguments = st.dictionaries(
    st.from_regex("[a-z_]{1,9}", fullmatch=True).filter(lambda k: k != "name"), values, max_size=3
)


def test_config_round_trips():
    assert ModelSpec.from_json(SPEC.to_json()) == SPEC


@given(arguments, st.integers(1, 2**40), st.text(max_size=20), st.floats(0, 1))
def test_recipe_round_trips_through_toml(component_arguments, images, description, lr):
    import tempfile

    recipe = tiny(
        images=images,
        description=description,
        architecture=Component("mlp", component_arguments),
        learning_rates={"generator": lr},
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r.toml"
        path.write_text(recipe.to_toml(), encoding="utf-8")
        assert Recipe.from_toml(path) == recipe


@pytest.mark.parametrize("name", recipes.names())
def test_shipped_recipes_are_valid_and_named_as_registered(name):
    recipe = find_recipe(name)
    assert recipe.name == name
    assert recipe.description


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"imagess": 1}, "there is no field 'imagess'. Did you mean 'images'?"),
        ({"images": "many"}, "images: Input should be a valid integer"),
        ({"name": "../../x"}, "the name '../../x'"),
        ({"name": ""}, "the name ''"),
        ({"images": 0}, "images is 0; it must be at least 1"),
        ({"optimizer": {"learning_rate": 1}}, "there is no field 'optimizer.learning_rate'"),
        ({"optimizer": {"name": "adaam"}}, "optimizer.name"),
        ({"precision": "fp8"}, "precision"),
        ({"architecture": {"width": 3}}, "architecture"),
    ],
)
def test_a_wrong_recipe_has_a_clear_error(change, message):
    with pytest.raises(RecipeError) as error:
        Recipe.from_dict(tiny().to_dict() | change)
    assert message in str(error.value)


@given(st.text() | st.recursive(values, lambda v: st.lists(v) | st.dictionaries(st.text(), v)))
def test_any_text_or_table_is_a_recipe_or_one_line(content):
    with contextlib.suppress(RecipeError):
        if isinstance(content, str):
            Recipe.from_text(content)
        else:
            Recipe.from_dict(tiny().to_dict() | {"loss": content})


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes")
def test_a_recipe_that_is_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.toml")
    for path in (tmp_path / "a.toml", tmp_path):
        with pytest.raises(RecipeError, match="it is not a file"):
            Recipe.from_toml(path)


def test_a_table_of_the_provenance_may_be_anything():
    spec = replace(SPEC, provenance={"recipe": {"dataset": {"name": "digits"}}, "data": [1]})
    assert spec.recorded("recipe", "dataset") == {"name": "digits"}
    assert (
        spec.recorded("recipe", "loss") == spec.recorded("data") == spec.recorded("data", "x") == {}
    )


def test_a_missing_field_is_named():
    with pytest.raises(RecipeError, match="'images' is missing"):
        Recipe.from_dict({"architecture": "mlp", "loss": "lsgan", "dataset": "digits"})


NESTED = ["[", "{a = ", '"""', "a.", "[["]


@pytest.mark.parametrize("text", ["images = ", "\xff", *(f"x = {n * 100_000}" for n in NESTED)])
def test_a_recipe_file_with_invalid_toml_is_refused(tmp_path, text, no_collection):
    path = tmp_path / "bad.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RecipeError, match="is not TOML"):
        Recipe.from_toml(path)
    with pytest.raises(RecipeError, match="cannot read the recipe"):
        Recipe.from_toml(tmp_path / "absent.toml")


def test_a_recipe_may_begin_with_a_byte_order_mark(tmp_path):
    recipe = find_recipe("dcgan-digits")
    path = tmp_path / "recipe.toml"
    path.write_text(recipe.to_toml(), encoding="utf-8-sig")
    assert Recipe.from_toml(path) == recipe


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(surprise=1), "there is no field 'surprise'"),
        (lambda c: c["data"].update(klasses=1), "there is no field 'data.klasses'"),
        (lambda c: c.pop("latent"), "'latent' is missing"),
        (lambda c: c["data"]["image"].update(height=10**9), "image height is 1e+09"),
        (lambda c: c["data"].update(classes=-1), "number of classes"),
        (lambda c: c["latent"].update(dim=10**12), "latent dim"),
        (lambda c: c["latent"].update(dim="8"), "valid integer"),
        (lambda c: c.update(compute_batch=0), "compute_batch is 0; it must be between 1 and 256"),
        (
            lambda c: c.update(compute_batch=257),
            "compute_batch is 257; it must be between 1 and 256",
        ),
        (
            lambda c: c.update(compute_batch=64, data={"image": IMAGE}),
            "compute_batch is 64; it must be between 1 and 16",
        ),
        (lambda c: c.update(format=99), "run pip install '.[train]' in it"),
    ],
)
def test_a_wrong_config_has_a_clear_error(change, message):
    config = json.loads(SPEC.to_json())
    change(config)
    with pytest.raises(BundleError) as error:
        ModelSpec.from_json(json.dumps(config))
    assert message in str(error.value)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_a_config_that_is_not_an_object_is_refused(text):
    with pytest.raises(BundleError):
        ModelSpec.from_json(text)


def test_signatures_define_the_schema():
    def factory(data, *, width: int = 3, name: str): ...

    assert bind("architecture", "f", factory, {"name": "x"}) == {"width": 3, "name": "x"}
    with pytest.raises(RecipeError, match="no argument 'widht'. Did you mean 'width'?"):
        bind("architecture", "f", factory, {"widht": 3})
    with pytest.raises(RecipeError, match="needs the argument 'name'"):
        bind("architecture", "f", factory, {})
    with pytest.raises(RecipeError, match="'width': input should be a valid integer.*not 'wide'"):
        bind("architecture", "f", factory, {"name": "x", "width": "wide"})


NUMBERS = st.lists(st.integers(0, 30).map(str), min_size=1, max_size=8, unique=True)
WORDS = st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=8, unique=True)


@given(NUMBERS, st.integers(-2, 35))
def test_where_all_names_are_numbers_a_label_is_a_name(names, label):
    expected = names.index(str(label)) if str(label) in names else None
    assert find_class(label, names) == find_class(str(label), names) == expected


@given(WORDS | NUMBERS, st.data())
def test_a_name_is_always_found_and_an_index_where_a_name_is_no_number(names, data):
    name = data.draw(st.sampled_from(names))
    assert find_class(name, names) == names.index(name)
    if not all(name.isascii() and name.isdecimal() for name in names):
        for k in range(-1, len(names) + 1):
            assert find_class(k, names) == (k if 0 <= k < len(names) else None)


@pytest.mark.parametrize("value", [1.5, 1.0, True, "1", None, np.float32(2), np.bool_(True), [1]])
def test_what_is_no_integer_is_refused(value):
    with pytest.raises(ValueError, match="it must be an integer"):
        as_integer("n", value)
    for name in ("seed", "images", "batch_size", "log_every", "evaluate_samples"):
        with pytest.raises(ValueError, match=f"{name} is .*; it must be an integer"):
            tiny(**{name: value})
    for make in (
        lambda: ImageSpec(value, 8, 1),
        lambda: LatentSpec(value),
        lambda: DataSpec(ImageSpec(8, 8, 1), classes=value),
        lambda: Optimizer(warmup=value),
        lambda: Player("a", ("generator",), every=value),
        lambda: AdversarialOptions(discriminator_steps=value),
    ):
        with pytest.raises(ValueError, match="must be an integer"):
            make()
    assert as_integer("n", np.int64(3)) == 3


COMPLETE = {
    Recipe: tiny().__dict__,
    Optimizer: {},
    ImageSpec: {"height": 8, "width": 8, "channels": 1},
    LatentSpec: {"dim": 8},
    DataSpec: {"image": ImageSpec(8, 8, 1)},
    AdversarialOptions: {},
}
NUMBERS_OF = [
    (cls, name, hint)
    for cls in COMPLETE
    for name, hint in get_type_hints(cls).items()
    if {int, float} & {hint, *get_args(hint)}
]


@given(
    st.sampled_from(NUMBERS_OF),
    st.sampled_from([True, False, np.True_, np.False_, "1", None, [0.5]]),
)
def test_what_is_no_number_is_refused_in_every_field_of_a_number(field, value):
    cls, name, hint = field
    container = get_origin(hint)
    if container is tuple:
        value = (0.5, value)
    elif container is not None:  # a mapping of names to numbers
        value = {"r1": value}
    with pytest.raises(
        ValueError, match=rf"{name}.*; it must be (a number|an integer)|r1 is .*; it"
    ):
        cls(**COMPLETE[cls] | {name: value})


@pytest.mark.parametrize("table", ["lr = true", "betas = [0.5, true]", "warmup = false"])
def test_a_recipe_file_with_a_truth_for_a_number_is_refused(table):
    for text in (f"[optimizer]\n{table}", "[learning_rates]\ngenerator = true", "seed = true"):
        lines = [
            line for line in tiny().to_toml().split("\n[")[0].splitlines() if "seed" not in line
        ]
        parts = "\n".join(lines if "seed" in text else [*lines, "seed = 0"])
        rest = '\narchitecture = "mlp"\nloss = "lsgan"\ndataset = "digits"\n'
        with pytest.raises(RecipeError, match="valid (number|integer)"):
            Recipe.from_text(parts + rest + text)


def test_a_truth_is_no_number_among_arguments():
    def factory(data, *, width: int = 3, rates: dict[str, float], ends: tuple[float, ...] = ()): ...

    good = {"width": 1, "rates": {"a": 1}, "ends": [0, 1.5]}
    assert bind("loss", "f", factory, good) == {**good, "ends": (0.0, 1.5)}
    for key, value in (("width", True), ("rates", {"a": True}), ("ends", [0, True])):
        with pytest.raises(RecipeError, match=f"'{key}': .* is of another type"):
            bind("loss", "f", factory, good | {key: value})


def test_a_truth_is_no_label():
    assert find_class(True, ("a", "b")) is find_class(False, ("0", "1")) is None


def test_a_recipe_file_with_a_fraction_is_refused(tmp_path):
    text = tiny().to_toml().replace("seed = 0", "seed = 1.5")
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(RecipeError, match="seed: .*integer"):
        Recipe.from_toml(tmp_path / "a.toml")


def test_a_label_names_one_class():
    with pytest.raises(ValueError, match="several classes have the label 'crane'"):
        DataSpec(ImageSpec(16, 16, 1), classes=3, labels=("crane", "dog", "crane"))
