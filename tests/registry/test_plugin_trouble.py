"""A broken plugin does not affect others: distributions installed with pip side by side."""

import re
import tomllib

import pytest
import torch

import ganzoo
from ganzoo.cli import main
from ganzoo.data import find_dataset
from ganzoo.errors import (
    AmbiguousNameError,
    ArchitectureError,
    BrokenPluginError,
    DataError,
    IncompatibleCombinationError,
    MissingPluginError,
    RecipeError,
    UnknownNameError,
)
from ganzoo.evaluation.extraction import make_extractor
from ganzoo.registry import REGISTRIES, find_recipe
from ganzoo.spec import Component
from ganzoo.training import prepare
from helpers.processes import run_cli
from helpers.recipes import tiny
from helpers.wheels import build, install_each, lay_out, make_environment, on_path, pip, run

NETWORKS = """
from torch import nn
from ganzoo import DataSpec

def networks(data: DataSpec, *, latent_dim: int = 4, width: int = {width}) -> dict[str, nn.Module]:
    "Linear networks."
    shape = data.image.shape
    pixels = shape[0] * shape[1] * shape[2]
    layers = nn.Linear(latent_dim, width), nn.Linear(width, pixels), nn.Tanh()
    discriminator = nn.Sequential(nn.Flatten(), nn.Linear(pixels, 1), nn.Flatten(0))
    return {{"generator": nn.Sequential(*layers, nn.Unflatten(1, shape)), "discriminator": discriminator}}
"""
GAME = """
from ganzoo import Loss
from ganzoo.games import AdversarialLoss, Criterion

def game(*, margin: float = 1.0) -> Loss:
    "Hinge."
    return AdversarialLoss(Criterion(
        d=lambda real, fake: (margin - real).relu() + (margin + fake).relu(),
        g=lambda real, fake: -fake,
    ))
"""
FAILING = """
def networks(data, *, latent_dim: int = 4):
    return 1 / 0

def game():
    return {}["absent"]

def pictures(root):
    raise SystemExit("enough")

def features():
    return None.features
"""
REFUSING = """
import torch

def networks(data, *, latent_dim: int = 4):
    return torch.zeros(2) @ torch.zeros(3)

def game(*, margin: float = 1.0):
    raise ValueError(f"margin is {margin}, which is too much")

def pictures(root):
    raise ValueError("the archive is empty")
"""
ODD = """
from pathlib import Path
from torch import nn

number = 3
missing = Path("/nowhere/recipe.toml")

def networks(data, *, latent_dim: int = 4):
    return [nn.Linear(4, 4)]

def encoder(data, *, latent_dim: int = 4):
    return {"encoder": nn.Linear(4, 4)}

def game():
    return number

def pictures(root):
    return [number]

def features():
    return nn.Linear(4, 4)

def shy(data, *, optimizer: "Optimizer" = None):
    "Its annotation is imported for type checkers alone."

def proud(*, layer: nn.Module = None):
    "A recipe cannot state a layer."
"""
LOUD = """
import time
print("LOUD")
time.sleep(10_000)
"""

# Distribution, version, entry points, files, requirements.
PLUGINS = [
    ("acme-gans", "1.2", {"architectures": {"acme": "acme:networks"}, "losses": {"acme": "acme:game"}},
     {"acme.py": NETWORKS.format(width=8) + GAME}, ["torch-ganzoo>=0.1.0"]),
    ("twin-one", "1.0", {"architectures": {"twin": "twin_one:networks"}, "losses": {"twin": "twin_one:game"}},
     {"twin_one.py": NETWORKS.format(width=1) + GAME}, []),
    ("twin-two", "2.0", {"architectures": {"twin": "twin_two:networks"}, "losses": {"twin": "twin_two:game"}},
     {"twin_two.py": NETWORKS.format(width=2) + GAME}, []),
    ("usurper", "1.0", {"architectures": {"dcgan": "usurper:networks"}, "datasets": {"digits": "usurper:game"}},
     {"usurper.py": NETWORKS.format(width=3) + GAME}, []),
    ("absent-import", "1.0", {"losses": {"absent-import": "absent_import:game"}},
     {"absent_import.py": "import einops_that_is_absent\n"}, []),
    ("misspelt", "1.0", {"losses": {"misspelt": "misspelt:game"}}, {"misspelt.py": "def gmae(: pass\n"}, []),
    ("quitter", "1.0", {"losses": {"quitter": "quitter:game"}}, {"quitter.py": "raise SystemExit(0)\n"}, []),
    ("failing", "1.0", {"architectures": {"failing": "failing:networks"}, "losses": {"failing": "failing:game"},
      "datasets": {"failing": "failing:pictures"}, "extractors": {"failing": "failing:features"}},
     {"failing.py": FAILING}, []),
    ("refusing", "1.0", {"architectures": {"refusing": "refusing:networks"}, "losses": {"refusing": "refusing:game"},
      "datasets": {"refusing": "refusing:pictures"}}, {"refusing.py": REFUSING}, []),
    ("odd", "1.0", {
        "architectures": {"odd": "odd:networks", "number": "odd:number", "shy": "odd:shy", "headless": "odd:encoder"},
        "losses": {"odd": "odd:game", "proud": "odd:proud"}, "datasets": {"odd": "odd:pictures"},
        "extractors": {"odd": "odd:features"}, "recipes": {"odd": "odd:number", "nowhere": "odd:missing"},
        "models": {"odd": "odd:number"}}, {"odd.py": ODD}, []),
    ("future-gans", "0.3.1", {"losses": {"future": "future:game"}}, {"future.py": LOUD},
     ["numpy", "Torch_Ganzoo[train] >= 99", "torch-ganzoo<0; extra == 'old'"]),
    ("loud", "1.0", {"losses": {"loud": "loud:game"}}, {"loud.py": LOUD}, ["torch-ganzoo-extra>=99"]),
    ("gpu-gans", "1.0", {"losses": {"gpu": "gpu_gans:game [gpu]", "bright": "acme:game [gpu]"}},
     {"gpu_gans.py": "import triton_that_is_absent\n"}, []),
    ("Shouting_.Gans", "1.0+local", {"losses": {"shout": "shouting:game"}}, {"shouting.py": GAME}, []),
    ("nameless", "1.0", {"losses": {"nameless": "acme:game"}}, {"nameless.py": ""}, []),
    ("sloppy", "1.0", {"losses": {"Not A Name": "acme:game", "untargeted": "no target"}}, {"sloppy.py": ""}, []),
]  # fmt: skip


# Damaged entry points of installed distributions.
DAMAGED = {
    "torn": b"[ganzoo.losses]\ntorn torn:game\n",
    "scrambled": b"[ganzoo.losses]\nscrambled = scrambled:game \xff\n",
    "unrelated": b"[console_scripts]\nunrelated unrelated:game \xff\n",
}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Two folders of installed distributions: damaged ones and the others."""
    folder = tmp_path_factory.mktemp("plugins")
    names = (*DAMAGED, "sound")
    others = [
        (name, "1.0", {"losses": {name: f"{name}:game"}}, {f"{name}.py": GAME}) for name in names
    ]
    trees = [lay_out(folder / "trees", *plugin) for plugin in [*PLUGINS, *others]]
    wheels = build(trees, folder / "wheels")
    sites = folder / "crowd-site", folder / "damaged-site"
    install_each({sites[0]: wheels[: len(PLUGINS)], sites[1]: wheels[len(PLUGINS) :]})
    return sites


@pytest.fixture(scope="module")
def crowd(places):
    """The folder of all plugins but the damaged ones."""
    (places[0] / "nameless-1.0.dist-info" / "METADATA").unlink()
    return places[0]


@pytest.fixture(scope="module")
def damaged(places):
    """A folder of distributions with unreadable entry points, and an intact one."""
    for name, content in DAMAGED.items():
        (places[1] / f"{name}-1.0.dist-info" / "entry_points.txt").write_bytes(content)
    return places[1]


@pytest.fixture
def installed(crowd):
    with on_path(crowd):
        yield crowd


def recipe(**changes):
    """Return a recipe whose components have unambiguous names."""
    ours = {"architecture": Component("acme"), "dataset": Component("torch-ganzoo:digits")}
    return tiny(**ours | changes)


def refusal(error, what):
    with pytest.raises(error) as excinfo:
        what()
    return str(excinfo.value)


def test_listing_shows_every_plugin_without_importing_it(crowd):
    result = run_cli("list", env={"PYTHONPATH": str(crowd)})
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert "LOUD" not in result.stdout
    for line in (
        r"  acme +acme-gans 1\.2$",
        r"  twin +twin-one 1\.0$",
        r"  twin +twin-two 2\.0$",
        r"  loud +loud 1\.0$",
        r"  failing +failing 1\.0$",
        r"  shout +shouting-gans 1\.0\+local$",
        r"  future +future-gans 0\.3\.1   needs torch-ganzoo>=99, and \S+ is installed: "
        r"pip install 'torch-ganzoo>=99'$",
        r"  Not A Name +sloppy 1\.0   has a name that is not lower-case words",
        r"  untargeted +sloppy 1\.0   is registered as 'no target', not as module:attribute: report",
        r"a distribution in \S+site has metadata that cannot be read .*METADATA has no Name",
        r"  dcgan-mnist +torch-ganzoo ",
    ):
        assert re.search(line, result.stdout, re.MULTILINE), line


def test_plugins_are_shown_by_distribution(crowd):
    result = run_cli("plugins", env={"PYTHONPATH": str(crowd), "GANZOO_PLUGINS": "future-gans"})
    assert result.returncode == 0, result.stderr
    text = result.stdout
    assert "future-gans 0.3.1   needs torch-ganzoo>=99" in text
    assert "acme-gans 1.2   switched off: GANZOO_PLUGINS\n  architectures  acme\n" in text
    assert re.search(r"^torch-ganzoo \S+$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("absent-import", "No module named 'einops_that_is_absent'"),
        ("misspelt", "SyntaxError: invalid syntax"),
        ("quitter", "SystemExit: 0"),
    ],
)
def test_a_failing_import_is_an_error(installed, name, reason):
    text = refusal(BrokenPluginError, lambda: ganzoo.losses.get(name))
    module = name.replace("-", "_")
    assert f"from      {name} 1.0   (ganzoo.losses: {name} = {module}:game)" in text
    assert reason in text
    assert f"{module}.py" in text, "its author wants the file"
    assert ganzoo.losses.get("acme")().players, "another plugin must not suffer"


def test_a_failing_factory_is_an_error(installed):
    for what, reason in (
        (lambda: prepare(recipe(architecture=Component("failing"))), "ZeroDivisionError: division"),
        (lambda: prepare(recipe(loss=Component("failing"))), "KeyError: 'absent'"),
        (lambda: find_dataset("failing", {}, None), "SystemExit: enough"),
        (lambda: make_extractor("failing"), "AttributeError: 'NoneType'"),
    ):
        text = refusal(BrokenPluginError, what)
        assert "'failing' is installed but could not be built." in text
        assert reason in text
        assert re.search(r"from      failing 1\.0 .*\n.*failing\.py:\d+\)", text)


def test_a_refusal_of_a_plugin_is_quoted(installed):
    wrong = recipe(architecture=Component("refusing"))
    text = refusal(ArchitectureError, lambda: prepare(wrong))
    assert "architecture 'refusing' cannot be built for images of 16x16x1: " in text
    text = refusal(
        RecipeError, lambda: prepare(recipe(loss=Component("refusing", {"margin": 5.0})))
    )
    assert text == "loss 'refusing' cannot be built: margin is 5.0, which is too much."
    text = refusal(DataError, lambda: find_dataset("refusing", {}, None))
    assert text == "dataset 'refusing' cannot be built: the archive is empty."


def test_an_object_of_the_wrong_kind_is_an_error(installed):
    for registry, name, message in (
        (ganzoo.architectures, "number", "it is int, not a function"),
        (ganzoo.recipes, "odd", "it is int, not a Recipe or the Path of a TOML file"),
        (ganzoo.models, "odd", "it is int, not the Path of a bundle"),
    ):
        assert message in refusal(BrokenPluginError, lambda: registry.get(name))  # noqa: B023
    for what, message in (
        (
            lambda: prepare(recipe(architecture=Component("odd"))),
            "returned list, not a dict of role",
        ),
        (lambda: prepare(recipe(architecture=Component("headless"))), "builds no role 'generator'"),
        (
            lambda: prepare(recipe(loss=Component("odd"))),
            "loss 'odd' of odd 1.0 returned int, not a",
        ),
        (
            lambda: find_dataset("odd", {}, None),
            "dataset 'odd' of odd 1.0 returned list, not a torch",
        ),
        (
            lambda: make_extractor("odd"),
            "extractor 'odd' of odd 1.0 returned Linear, not a ganzoo.",
        ),
        (lambda: prepare(recipe(architecture=Component("shy"))), "name 'Optimizer' is not defined"),
        (
            lambda: prepare(recipe(loss=Component("proud", {"layer": 1}))),
            "argument 'layer': a recipe cannot hold the type",
        ),
    ):
        assert message in refusal(BrokenPluginError, what)
    text = refusal(RecipeError, lambda: find_recipe("nowhere"))
    assert (
        text
        == "cannot read the recipe /nowhere/recipe.toml: No such file or directory. Check the path."
    )


def test_a_plugin_for_a_newer_ganzoo_is_an_error(installed):
    here = ganzoo.losses.entry("lsgan").version
    assert refusal(BrokenPluginError, lambda: ganzoo.losses.get("future")) == (
        f"loss 'future' of future-gans 0.3.1 needs torch-ganzoo>=99, and {here} is installed: "
        "pip install 'torch-ganzoo>=99'"
    )


def test_an_entry_point_can_name_an_extra(installed):
    assert ganzoo.losses.get("bright")().players
    text = refusal(BrokenPluginError, lambda: ganzoo.losses.get("gpu"))
    assert "No module named 'triton_that_is_absent'" in text
    assert "pip install 'gpu-gans[gpu]'; " in text


def test_unreadable_entry_points_are_skipped(damaged):
    with on_path(damaged):
        for name in ("torn", "scrambled"):
            text = refusal(UnknownNameError, lambda: ganzoo.losses.get(name))  # noqa: B023
            assert text.startswith(f"no loss named {name!r}.")
            remedy = f"pip install --force-reinstall {name}"
            assert re.search(rf" {name} 1\.0 has metadata that cannot be read \(.*: {remedy}", text)
            text = refusal(BrokenPluginError, lambda: ganzoo.losses.get(f"{name}:{name}"))  # noqa: B023
            assert text.startswith(f"loss '{name}:{name}': {name} 1.0 has metadata that cannot be")
            assert text.endswith(remedy)
        assert "unrelated" not in refusal(UnknownNameError, lambda: ganzoo.losses.get("nothing"))
        assert ganzoo.losses.get("sound")().players
        assert ganzoo.losses.get("hinge")().players


def test_plugins_that_break_other_libraries_are_named(damaged):
    """Python then fails to read all entry points, also for torch."""
    result = run_cli("list", env={"PYTHONPATH": str(damaged)})
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    for name in DAMAGED:
        assert f"{name} 1.0" in result.stderr
    assert "sound" not in result.stderr


def test_a_malformed_entry_point_is_an_error(installed):
    text = refusal(BrokenPluginError, lambda: ganzoo.losses.get("untargeted"))
    assert text == (
        "loss 'untargeted' of sloppy 1.0 is registered as 'no target', not as module:attribute: "
        "report this to its author"
    )


def test_any_spelling_of_a_distribution_is_found(installed, monkeypatch):
    entry = ganzoo.losses.entry("shout")
    assert entry.distribution == "shouting-gans"
    assert entry.requirement == ("shouting-gans>=1.0",)
    for spelling in ("shouting-gans", "Shouting_Gans", "SHOUTING.GANS"):
        assert ganzoo.losses.entry(f"{spelling}:shout") == entry
        monkeypatch.setenv("GANZOO_PLUGINS", spelling)
        assert "shout" in ganzoo.losses


def test_a_disabled_plugin_is_hidden(installed, monkeypatch):
    monkeypatch.setenv("GANZOO_PLUGINS", "loud,twin-one")
    for name in ("acme", "acme-gans:acme"):
        assert refusal(MissingPluginError, lambda: ganzoo.losses.get(name)) == (  # noqa: B023
            f"loss {name!r}: acme-gans 1.2 is installed but switched off: "
            "GANZOO_PLUGINS=loud,twin-one does not list it. "
            "Type GANZOO_PLUGINS=loud,twin-one,acme-gans, or unset it."
        )
    assert ganzoo.losses.entry("twin").distribution == "twin-one"
    refusal(UnknownNameError, lambda: ganzoo.losses.get("nothing-of-this-name"))


def test_two_plugins_with_one_name_are_distinguished(installed, tmp_path, monkeypatch):
    text = refusal(AmbiguousNameError, lambda: ganzoo.architectures.get("twin"))
    assert "Use 'twin-one:twin' or 'twin-two:twin'" in text
    unfit = recipe(loss=Component("vae"), architecture=Component("twin-one:twin"))
    text = refusal(IncompatibleCombinationError, lambda: prepare(unfit))
    assert re.search("Losses that fit twin-one:twin: .*hinge.*, twin-one:twin, ", text)
    assert "acme" not in text, "what is not asked for is not run, slow as it may be"
    monkeypatch.chdir(tmp_path)
    command = "train torch-ganzoo:dcgan-digits --architecture twin-two:twin --loss twin-one:twin"
    assert main([*command.split(), "--images", "64", "--out", "r"]) == 0
    fields = tomllib.loads((tmp_path / "r/recipe.toml").read_text())
    assert fields["name"] == "twin-twin-digits"
    assert fields["architecture"]["name"] == "twin-two:twin"
    assert fields["loss"]["name"] == "twin-one:twin"
    spec = ganzoo.info("r/bundle")
    assert (spec.architecture, spec.requires) == ("twin", ("twin-two>=2.0",))
    assert spec.provenance["plugins"]["loss"] == "twin-one 1.0"
    assert ganzoo.load("r/bundle").network[0].out_features == 2, "twin-two's"
    (tmp_path / "mine.toml").write_text((tmp_path / "r/recipe.toml").read_text())
    again = ganzoo.train("mine.toml", out="again", progress=False)
    weights = [ganzoo.load(bundle).state_dict() for bundle in ("r/bundle", again.bundle)]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
    monkeypatch.setenv("GANZOO_PLUGINS", "twin-one")
    text = refusal(MissingPluginError, lambda: ganzoo.load("r/bundle"))
    assert "twin-two 2.0 is installed but switched off" in text


def test_a_recipe_prefers_components_of_its_distribution(installed):
    """Built-in recipes keep built-in components if a plugin reuses their names."""
    refusal(AmbiguousNameError, lambda: ganzoo.architectures.get("dcgan"))
    recipe = find_recipe("dcgan-digits")
    assert recipe.architecture.name == "torch-ganzoo:dcgan"
    assert recipe.dataset.name == "torch-ganzoo:digits"
    assert recipe.loss.name == "nonsaturating"
    assert prepare("dcgan-digits").spec().requires[0].startswith("torch-ganzoo>=")


def test_a_model_is_evaluated_on_its_training_data(installed, bundle, tmp_path, monkeypatch):
    """The dataset comes from the distribution that the provenance names."""
    monkeypatch.setenv("GANZOO_CACHE", str(tmp_path / "cache"))
    evaluation = ganzoo.evaluate(bundle, samples=32, metrics=("precision-recall",), progress=False)
    assert evaluation.protocol["dataset"]["name"] == "torch-ganzoo:digits"


def test_builtin_parts_load_beside_broken_plugins(installed):
    ours = [(r, e) for r in REGISTRIES for e in r.entries() if e.distribution == "torch-ganzoo"]
    assert len(ours) > 50
    for registry, entry in ours:
        assert registry.load(entry) is not None


def test_an_editable_install_is_listed(tmp_path):
    """Install and uninstall a plugin from its source in a separate environment."""
    python = make_environment(tmp_path / "environment")
    points = {"losses": {"tidy": "tidy:game"}}
    tree = lay_out(tmp_path, "Tidy_Gans", "0.4", points, {"tidy.py": GAME})
    pip(python, "install", "--editable", tree)
    listing = "import ganzoo.cli\nganzoo.cli.main(['list'])\n"
    read = "print(ganzoo.losses.get('tidy').__code__.co_filename)"
    *lines, file = run(python, "-c", listing + read, cwd=tmp_path).splitlines()
    assert any(re.fullmatch(r"  tidy +tidy-gans 0\.4", line) for line in lines), lines
    assert file == str(tree / "tidy.py")
    pip(python, "uninstall", "--quiet", "--yes", "tidy-gans")
    lines = run(python, "-c", listing, cwd=tmp_path)
    assert "dcgan-digits" in lines
    assert "tidy-gans" not in lines


def test_a_plugin_removed_after_training_is_named(crowd, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with on_path(crowd):
        ganzoo.export(ganzoo.train(recipe(), out="r", progress=False).path, "b")
        images = ganzoo.load("./b").sample(4).numpy()
        ganzoo.train(recipe(images=16), out="unexported", progress=False)
    assert main(["info", "./b"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"needs +acme-gans>=1\.2\n", out)
    assert re.search(r"plugins +architecture acme-gans 1\.2, loss torch-ganzoo \S+, ", out)
    assert re.search(r"versions .*, acme-gans 1\.2\n", out)
    assert "acme-gans 1.2" in (tmp_path / "b/README.md").read_text()
    assert main(["sample", "./b"]) == 1
    absent = (
        "error: 'tiny' needs the architecture 'acme', which is not installed. "
        "It needs acme-gans>=1.2: pip install 'acme-gans>=1.2'."
    )
    assert capsys.readouterr().err == (
        f"{absent} Or run the model without the plugin: runtime='onnx'.\n"
    )
    assert main(["sample", "./b", "--runtime", "onnx"]) == 0
    again = ganzoo.load("./b", runtime="onnx").sample(4).numpy()
    assert abs(images.astype(int) - again).max() <= 1
    capsys.readouterr()
    assert main(["sample", "unexported/bundle", "-o", "grid.png"]) == 1
    assert capsys.readouterr().err == f"{absent}\n", "it has no ONNX file to run"
