"""A model and several versions of its plugin, each installed from a wheel."""

import re
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ganzoo
from ganzoo.cli import main
from ganzoo.errors import BundleError, MissingPluginError, RecipeError
from ganzoo.registry import find_recipe
from ganzoo.registry.distributions import may_be_incompatible
from ganzoo.spec import Component
from helpers.bundles import change_config
from helpers.recipes import tiny
from helpers.wheels import build, install_each, install_into, lay_out, on_path

PLUGIN = """
from torch import nn
from ganzoo import DataSpec, Recipe
from ganzoo.games import AdversarialLoss, Criterion
from ganzoo.registry import datasets
from ganzoo.spec import Component

def networks(data: DataSpec, *, {arguments}) -> dict[str, nn.Module]:
    "Linear networks."
    shape = data.image.shape
    pixels = shape[0] * shape[1] * shape[2]
    generator = nn.Sequential({layers}, nn.Tanh(), nn.Unflatten(1, shape))
    discriminator = nn.Sequential(nn.Flatten(), nn.Linear(pixels, 1), nn.Flatten(0))
    return {{"generator": generator, "discriminator": discriminator}}

def game():
    "A critic's."
    return AdversarialLoss(Criterion(d=lambda real, fake: fake - real, g=lambda real, fake: -fake))

def pictures(root):
    "Digits."
    return datasets.get("digits")(root)

parts = [Component("acme"), Component("acme"), Component("acme")]
recipe = Recipe(*parts, images=32, batch_size=16, name="acme-digits")
"""
LAYERS = "nn.Linear(latent_dim, width), nn.Linear(width, pixels)"
PLAIN = "latent_dim: int = 4, width: int = 8"

# The architecture's arguments and layers in each version.
VERSIONS = {
    "1.2": (PLAIN, LAYERS),
    "1.3": ("latent_dim: int = 16, width: int = 32", LAYERS),
    "1.4": (f"{PLAIN}, slope: float = 1.0", f"{LAYERS}, nn.LeakyReLU(slope)"),
    "1.5": (f"{PLAIN}, bias: bool = False", LAYERS.replace(")", ", bias)")),
    "2.0": (PLAIN, LAYERS),
    "2.1": ("latent_dim: int = 4", LAYERS.replace("width", "8")),
    "2.2": ("latent_dim: int = 4, widths: int = 8", LAYERS.replace("width", "widths")),
    "2.3": (f"depth: int, {PLAIN}", LAYERS),
    "3.0": (PLAIN, LAYERS),
}
MOVED = (
    "'tiny' was trained with acme-gans 1.2. The installed version, {}, may build another network"
)
REMEDY = "pip install 'acme-gans==1.2'"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with an installation of each version of acme-gans."""
    folder = tmp_path_factory.mktemp("versions")
    trees = []
    for version, (arguments, layers) in VERSIONS.items():
        kinds = {
            "architectures": {"renamed" if version == "3.0" else "acme": "acme:networks"},
            "losses": {"acme": "acme:game"},
            "datasets": {"acme": "acme:pictures"},
            "recipes": {"acme-digits": "acme:recipe"},
        }
        code = PLUGIN.format(arguments=arguments, layers=layers)
        trees.append(lay_out(folder / "trees", "acme-gans", version, kinds, {"acme.py": code}))
    folders = {version: folder / version for version in VERSIONS}
    wheels = build(trees, folder / "wheels")
    install_each({place: [w] for place, w in zip(folders.values(), wheels, strict=True)})
    return folders


@pytest.fixture(scope="module")
def trained(installed, tmp_path_factory):
    """A bundle trained with acme-gans 1.2, and its first images."""
    folder = tmp_path_factory.mktemp("trained")
    with on_path(installed["1.2"]):
        run = ganzoo.train(tiny(architecture=Component("acme")), out=folder / "run", progress=False)
        bundle = ganzoo.export(run.path, folder / "bundle")
        return bundle, ganzoo.load(bundle).sample(8).numpy()


def load_under(place, bundle):
    """Return images and warnings of a bundle with a version installed."""
    with on_path(place), warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        images = ganzoo.load(bundle, runtime="torch").sample(8).numpy()
    return images, [str(w.message) for w in record]


@pytest.mark.parametrize("version", ["1.2", "1.3", "1.4"])
def test_other_defaults_and_new_arguments_change_nothing(installed, trained, version):
    """A bundle stores all arguments, including defaults."""
    bundle, images = trained
    again, messages = load_under(installed[version], bundle)
    assert np.array_equal(images, again)
    assert not messages


def test_another_major_version_warns(installed, trained, monkeypatch, capsys):
    bundle, images = trained
    again, messages = load_under(installed["2.0"], bundle)
    assert np.array_equal(images, again)
    assert messages == [f"{MOVED.format('2.0')}: {REMEDY}"]
    assert load_under(installed["2.0"], bundle)[1] == messages, "each time"
    monkeypatch.chdir(bundle.parent)
    with on_path(installed["2.0"]):
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            assert main(["sample", "./bundle"]) == 0
        assert capsys.readouterr().err == f"warning: {messages[0]}\n"
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ganzoo.load(bundle, runtime="onnx").sample(1)


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ("1.5", r"tensor '0.bias' has shape \(8,\) in the file and none in the network\."),
        ("2.1", "architecture 'acme' has no argument 'width'. .*Its arguments: latent_dim."),
        ("2.2", "architecture 'acme' has no argument 'width'. Did you mean 'widths'?"),
        ("2.3", "architecture 'acme' needs the argument 'depth'"),
    ],
)
def test_a_changed_network_is_one_error_with_versions(installed, trained, version, reason):
    bundle, images = trained
    with on_path(installed[version]), pytest.raises(BundleError, match=reason) as error:
        ganzoo.load(bundle, runtime="torch")
    assert str(error.value).endswith(f" {MOVED.format(version)}: {REMEDY}.")
    with on_path(installed[version]):
        there = ganzoo.load(bundle, runtime="onnx").sample(8).numpy()
    assert np.abs(images.astype(int) - there).max() <= 1


def test_a_version_without_the_architecture_is_an_error(installed, trained):
    with on_path(installed["3.0"]), pytest.raises(MissingPluginError) as error:
        ganzoo.load(trained[0], runtime="torch")
    assert str(error.value) == (
        "'tiny' needs the architecture 'acme', which acme-gans 3.0 does not register. "
        f"The model was trained with acme-gans 1.2: {REMEDY}. "
        "Or run the model without the plugin: runtime='onnx'."
    )


def test_the_first_version_on_the_path_is_used(installed):
    for first, second in (("1.2", "1.3"), ("1.3", "1.2")):
        with on_path(installed[first], installed[second]):
            (entry,) = ganzoo.architectures.entries("acme")
            assert entry.version == first
            width = ganzoo.architectures.get("acme").__kwdefaults__["width"]
            assert width == {"1.2": 8, "1.3": 32}[first], "it is the one that is imported too"
    with on_path(installed["3.0"], installed["1.2"]):
        assert "acme" not in ganzoo.architectures, "what the first does not register is not there"


def test_provenance_lists_plugins(installed, tmp_path, capsys):
    with on_path(installed["1.2"]):
        run = ganzoo.train("acme-digits", out=tmp_path / "run", progress=False)
        spec = ganzoo.info(run.bundle)
        assert main(["info", str(run.bundle)]) == 0
    kinds = ("architecture", "loss", "dataset", "recipe")
    assert spec.provenance["plugins"] == dict.fromkeys(kinds, "acme-gans 1.2")
    assert spec.provenance["versions"]["acme-gans"] == "1.2"
    assert spec.requires == ("acme-gans>=1.2",)
    assert all(spec.provider_of(kind) == ("acme-gans", "1.2") for kind in kinds)
    plugins = ", ".join(f"{kind} acme-gans 1.2" for kind in kinds)
    assert re.search(rf"^  plugins +{plugins}$", capsys.readouterr().out, re.MULTILINE)


def test_a_changed_recipe_does_not_count_as_its_plugins(installed, tmp_path):
    with on_path(installed["1.2"]):
        recipe = find_recipe("acme-digits")
        other = tiny(name="acme-digits", architecture=recipe.architecture)
        spec = ganzoo.info(ganzoo.train(other, out=tmp_path / "run", progress=False).bundle)
    ours = ganzoo.losses.entry("hinge").provider
    assert spec.provenance["plugins"] == {
        "architecture": "acme-gans 1.2",
        "loss": ours,
        "dataset": ours,
    }
    assert spec.provider_of("recipe") is None


def test_a_run_resumes_under_a_version_with_a_new_argument(installed, tmp_path):
    recipe = tiny(architecture=Component("acme"), images=10**6)
    with on_path(installed["1.2"]):
        ganzoo.train(recipe, out=tmp_path, max_time="0.001s", progress=False)
    with on_path(installed["1.4"]):
        for _ in range(2):
            run = ganzoo.resume(tmp_path, max_time="0.001s", progress=False)
        assert run.images_seen == 3 * recipe.batch_size
        assert ganzoo.info(run.bundle).arguments["slope"] == 1.0
        assert ganzoo.info(run.bundle).requires == ("acme-gans>=1.4",)
    with on_path(installed["2.1"]), pytest.raises(RecipeError, match="has no argument 'width'"):
        ganzoo.resume(tmp_path, progress=False)


def test_any_plugin_record_of_a_config_is_read(bundle):
    """The provenance is free-form and untrusted."""
    for plugins in (
        None,
        [],
        {"architecture": 3},
        {"architecture": "acme-gans"},
        {"architecture": " "},
    ):
        change_config(bundle, lambda config: config["provenance"].update(plugins=plugins))  # noqa: B023
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ganzoo.load(bundle, runtime="torch")


@pytest.mark.parametrize(
    ("before", "now", "broken"),
    [
        ("1.2", "1.9.3", False),
        ("1.2", "2.0", True),
        ("2.0", "1.2", True),
        ("0.3.1", "0.3.9", False),
        ("0.3.1", "0.4.0", True),
        ("0.9", "1.0", True),
        ("1.0.dev3", "1.0", False),
        ("0.1.0.dev0", "0.1.2", False),
        ("1.0", "1!1.0", True),
        ("1.2+cu118", "1.2", False),
        ("no version", "no version", False),
        ("no version", "1.0", True),
    ],
)
def test_versions_follow_semantic_versioning(before, now, broken):
    assert may_be_incompatible(before, now) is broken


@given(st.tuples(*[st.integers(0, 30)] * 3), st.tuples(*[st.integers(0, 30)] * 3))
def test_compatibility_depends_on_the_first_nonzero_number(one, other):
    prefix = one[:1] if one[0] or other[0] else one[:2]
    same = other[: len(prefix)] == prefix
    assert may_be_incompatible(*(".".join(map(str, v)) for v in (one, other))) is not same


def test_a_bundle_shipped_with_its_architecture_does_not_warn(installed, trained, tmp_path):
    """One distribution has both, so its versions match."""
    points = {
        "architectures": {"acme": "acme:networks"},
        "models": {"shipped": "acme:model"},
    }
    code = PLUGIN.format(arguments=PLAIN, layers=LAYERS)
    code += f"\nfrom pathlib import Path\nmodel = Path({str(trained[0])!r})\n"
    tree = lay_out(tmp_path, "acme-gans", "4.0", points, {"acme.py": code})
    site = install_into(tmp_path / "site", build([tree], tmp_path / "wheels"))
    images, messages = load_under(site, "shipped")
    assert np.array_equal(images, trained[1])
    assert not messages
    assert load_under(site, trained[0])[1] == [f"{MOVED.format('4.0')}: {REMEDY}"]
