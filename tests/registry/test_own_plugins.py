"""Plugins of ganzoo's repository that are not installed, and plugins in zip archives."""

import os
import shutil
import tempfile
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import ganzoo
from ganzoo.bundle.summary import describe_recipe, find_summary
from ganzoo.cli import main
from ganzoo.errors import MissingPluginError, OutputError
from ganzoo.registry import REGISTRIES, distributions, find_recipe, models, recipes
from ganzoo.registry.own_plugins import OWN_PLUGINS, install_command
from ganzoo.registry.zipped import on_disk
from ganzoo.system.temporary import remove_temporary
from helpers.distributions import install
from helpers.paths import ROOT
from helpers.process_state import unchanged
from helpers.processes import run_python
from helpers.wheels import on_path


def test_the_table_lists_what_the_plugins_register():
    registered = {}
    for file in ROOT.glob("plugins/*/pyproject.toml"):
        project = tomllib.loads(file.read_text())["project"]
        registered[project["name"]] = {
            group: tuple(sorted(points))
            for group, points in project["entry-points"].items()
            if group.startswith("ganzoo.")
        }
    assert registered == OWN_PLUGINS


def test_the_folders_to_install_are_the_plugin_and_those_that_it_needs():
    for plugin in OWN_PLUGINS:
        command = install_command(plugin).removesuffix(" in a clone of ganzoo")
        project = tomllib.loads((ROOT / "plugins" / plugin / "pyproject.toml").read_text())
        needed = [name for name in project["project"]["dependencies"] if name in OWN_PLUGINS]
        folders = [f"./plugins/{name}" for name in (*needed, plugin)]
        assert command.split() == ["pip", "install", *folders]
        assert all((ROOT / folder / "pyproject.toml").is_file() for folder in folders)


@pytest.fixture
def absent(monkeypatch):
    """Without ganzoo's own plugins."""
    only = tuple(d for d in distributions.installed() if d.name not in OWN_PLUGINS)
    monkeypatch.setattr(distributions, "installed", lambda: only)


def test_a_name_of_an_absent_plugin_says_what_to_install(absent):
    for plugin, groups in OWN_PLUGINS.items():
        for group, names in groups.items():
            registry = next(r for r in REGISTRIES if r.group == group)
            for name in names:
                with pytest.raises(MissingPluginError) as error:
                    registry.get(name)
                assert str(error.value) == (
                    f"{registry.kind} {name!r} belongs to the plugin {plugin}, which is not "
                    f"installed. Type {install_command(plugin)}."
                )
    with pytest.raises(MissingPluginError, match=r"pip install \./plugins/ganzoo-r3gan in a clone"):
        ganzoo.load("ganzoo-r3gan:r3gan-mnist")
    with pytest.raises(MissingPluginError, match="pip install acme, or see"):
        ganzoo.load("acme:x")


@pytest.mark.parametrize(
    "command",
    ["sample", "info", "evaluate", "gallery", "plot comparison", "train", "card check"],
)
def test_every_command_says_what_to_install(absent, capsys, command):
    assert main([*command.split(), "r3gan-mnist"]) == 1
    assert "pip install ./plugins/ganzoo-r3gan in a clone" in capsys.readouterr().err


def test_a_bundle_says_what_to_install(absent):
    folder = ROOT / "plugins/ganzoo-r3gan/ganzoo_r3gan/pretrained/r3gan-mnist"
    with pytest.raises(MissingPluginError, match=r"pip install \./plugins/ganzoo-r3gan in a clone"):
        ganzoo.load(folder, runtime="torch")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("dcgan-mnist", "Use: ganzoo check torch-ganzoo dcgan-mnist"),
        ("r3gan", "Use: ganzoo check ganzoo-r3gan r3gan"),
        ("torch-ganzo", "Did you mean 'torch-ganzoo'?"),
        (".", "'.' is a folder. Install the plugin first: pip install ."),
    ],
)
def test_check_reads_names_of_distributions(capsys, name, message):
    assert main(["check", name]) == 1
    assert message in capsys.readouterr().err


def test_check_says_how_to_install_an_absent_plugin(absent, capsys, monkeypatch):
    monkeypatch.setattr(metadata, "distributions", lambda: [])
    for name in ("r3gan-mnist", "ganzoo-r3gan"):
        assert main(["check", name]) == 1
        assert "pip install ./plugins/ganzoo-r3gan in a clone" in capsys.readouterr().err


PACKAGE = """
from pathlib import Path
from ganzoo.games import AdversarialLoss, Criterion

model = Path(__file__).parent / "zipped"
recipe = Path(__file__).parent / "zipped.toml"

def loss() -> AdversarialLoss:
    return AdversarialLoss(Criterion(d=lambda real, fake: fake - real, g=lambda real, fake: -fake))
"""


def test_a_wheel_needs_a_temporary_folder(tmp_path, monkeypatch):
    (tmp_path / "tree" / "data").mkdir(parents=True)
    wheel = shutil.make_archive(tmp_path / "acme", "zip", tmp_path / "tree")
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(tmp_path / "absent")])
    with pytest.raises(OutputError, match="TMPDIR to one that is"):
        on_disk(Path(wheel) / "data")


def test_files_of_a_wheel_stay_as_long_as_their_process(tmp_path, monkeypatch):
    (tmp_path / "tree" / "data").mkdir(parents=True)
    (tmp_path / "temporary").mkdir()
    wheel = shutil.make_archive(tmp_path / "acme", "zip", tmp_path / "tree")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    code = (
        "import os, sys, tempfile; from pathlib import Path; from ganzoo.registry import zipped\n"
    )
    code += f"tempfile.tempdir = {tempfile.tempdir!r}\n"
    code += "zipped.on_disk(Path(sys.argv[1]) / 'data'); os.kill(os.getpid(), 9)\n"
    assert run_python(code, wheel).returncode == -9
    (left,) = (tmp_path / "temporary").iterdir()
    used = on_disk(Path(wheel) / "data")
    for folder in (left, used.parent):
        os.utime(folder, (0, 0))
    remove_temporary(tmp_path / "temporary")
    assert used.is_dir()
    assert not left.exists()


def test_the_import_of_a_plugin_leaves_the_process_as_before(tmp_path, monkeypatch):
    """OpenCV sets variables, and scikit-learn filters of warnings."""
    source = (
        "import os, random, warnings\n"
        "os.environ['LD_LIBRARY_PATH'] = os.environ['KMP_INIT_AT_FORK'] = 'changed'\n"
        "warnings.simplefilter('ignore', SyntaxWarning)\n"
        "random.random()\n"
        "def data(root): return [], None\n"
    )
    install(tmp_path, "acme-loud", {"datasets": {"loud": "acme_loud:data"}}, acme_loud=source)
    monkeypatch.syspath_prepend(tmp_path)
    with unchanged("the import"):
        assert ganzoo.datasets.get("loud").__module__ == "acme_loud"


def test_a_wheel_on_the_path_is_a_plugin(bundle, tmp_path, capsys):
    tree = tmp_path / "tree"
    groups = {
        "models": {"zipped": "acme_zip:model"},
        "recipes": {"zipped": "acme_zip:recipe"},
        "losses": {"zipped-loss": "acme_zip:loss"},
    }
    install(tree, "acme-zip", groups)
    shutil.copytree(bundle, tree / "acme_zip" / "zipped")
    (tree / "acme_zip" / "__init__.py").write_text(PACKAGE)
    text = find_recipe("dcgan-digits").to_toml()
    (tree / "acme_zip" / "zipped.toml").write_text(text.replace("dcgan-digits", "zipped"))
    wheel = shutil.make_archive(tmp_path / "acme_zip-1.2-py3-none-any", "zip", tree)
    shutil.rmtree(tree)
    (tmp_path / "trap.toml").write_text("description = 'not of the plugin'")
    with on_path(Path(wheel)):
        assert distributions.find("acme-zip").version == "1.2"
        for runtime in ("onnx", "torch"):
            images = ganzoo.load("zipped", runtime=runtime).sample(2).numpy()
            assert (images == ganzoo.load(bundle, runtime=runtime).sample(2).numpy()).all()
        assert find_summary(models.entry("zipped")).spec == ganzoo.info(bundle)
        assert find_recipe("zipped").name == "zipped"
        assert describe_recipe(recipes.entry("zipped")) == find_recipe("zipped").description
        assert ganzoo.losses.get("zipped-loss")()
        assert main(["list", "zipped"]) == 0
        assert main(["check", "acme-zip", "zipped"]) in (0, 1)
    assert "not shipped" not in capsys.readouterr().out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["acme_zip-1.2-py3-none-any.zip", "bundle",
                                                         "trap.toml"]  # fmt: skip
