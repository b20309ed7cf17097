"""The files and errors of `ganzoo new-plugin`; `test_from_wheels` installs the plugin."""

import keyword
import re
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganzoo.cli import main
from ganzoo.errors import NameSyntaxError, NameTakenError, OutputError
from ganzoo.spec import Recipe
from ganzoo.testing import plugin_template
from ganzoo.testing.plugin_template import FILES, IMPORTER_FILES, render, write_plugin
from helpers.wheels import run

NAME = re.compile(r"[A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9]", re.IGNORECASE)  # PEP 508


def test_the_plugin_equals_the_templates(tmp_path):
    folder = write_plugin("acme-gans", tmp_path / "acme-gans", importer=True)
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert files == set(render("acme-gans", "acme_gans", importer=True))
    assert "acme_gans/importer.py" not in render("acme-gans", "acme_gans")
    assert {"acme_gans/architecture.py", "acme_gans/loss.py", "tests/test_plugin.py"} <= files
    all_files = FILES | IMPORTER_FILES
    templates = Path(plugin_template.__file__).parent / "files"
    assert {p.name for p in templates.iterdir()} == {f"{t}.template" for t in all_files.values()}


def test_the_plugin_passes_ruff(tmp_path):
    for name in ("acme-gans", "a", "x" * 40, "a-1.b"):
        write_plugin(name, tmp_path / name, importer=True)
    run(sys.executable, "-m", "ruff", "check", "--select", "E,F,I,UP,B,SIM", tmp_path)
    run(sys.executable, "-m", "ruff", "format", "--check", tmp_path)


@settings(deadline=None)
@given(st.from_regex(NAME, fullmatch=True))
def test_every_distribution_name_is_rendered_or_refused(name):
    normal = re.sub(r"[-_.]+", "-", name).lower()  # PEP 503
    package = normal.replace("-", "_")
    try:
        names = plugin_template._names(name)
    except NameSyntaxError:
        assert not package.isidentifier() or keyword.iskeyword(package)
        return
    assert names == (normal, package)
    texts = render(*names)
    assert not any("$" in text for text in [*texts, *texts.values()])
    project = tomllib.loads(texts["pyproject.toml"])["project"]
    assert project["name"] == normal
    for group in ("architectures", "losses", "recipes"):
        ((entry, target),) = project["entry-points"][f"ganzoo.{group}"].items()
        module, _, thing = target.partition(":")
        assert (entry, thing) == (normal, package)
        home = [f"{module.replace('.', '/')}{end}" for end in (".py", "/__init__.py")]
        (code,) = (texts[path] for path in home if path in texts)
        scope = {"__file__": "x/__init__.py"}
        exec(compile(code, module, "exec"), scope)
        assert thing in scope
    recipe = Recipe.from_dict(tomllib.loads(texts[f"{package}/recipes/{normal}.toml"]))
    assert recipe.architecture.name == recipe.loss.name == normal


@given(st.text(max_size=12))
def test_any_other_text_is_refused(text):
    if not NAME.fullmatch(text):
        with pytest.raises(NameSyntaxError, match="not a name of a distribution"):
            plugin_template._names(text)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("acme gans", NameSyntaxError, "'acme gans' is not a name of a distribution"),
        ("", NameSyntaxError, "not a name of a distribution"),
        ("-acme", NameSyntaxError, "not a name of a distribution"),
        ("../acme", NameSyntaxError, "not a name of a distribution"),
        ("3d-gans", NameSyntaxError, "package 3d_gans, which Python cannot import"),
        ("class", NameSyntaxError, "package class, which Python cannot import"),
        ("Torch_GanZoo", NameTakenError, "the distribution 'torch-ganzoo' is installed already"),
        ("json", NameTakenError, "the module 'json' can be imported already"),
        ("ganzoo", NameTakenError, "the module 'ganzoo' can be imported already"),
        ("dcgan", NameTakenError, "the architecture 'dcgan' is registered already"),
        ("dcgan-digits", NameTakenError, "the recipe 'dcgan-digits' is registered already"),
    ],
)
def test_unsuitable_names_are_refused(tmp_path, monkeypatch, name, error, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=re.escape(message)):
        write_plugin(name)
    assert not list(tmp_path.iterdir())


def test_an_existing_folder_is_not_changed(tmp_path, capsys):
    (tmp_path / "acme-gans").mkdir()
    with pytest.raises(OutputError, match="acme-gans exists already.*--out DIR"):
        write_plugin("acme-gans", tmp_path / "acme-gans")
    (tmp_path / "file").write_text("mine")
    assert main(["new-plugin", "acme-gans", "--out", str(tmp_path / "file")]) == 1
    assert "error: " in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"
    assert not list((tmp_path / "acme-gans").iterdir())


def test_the_command_prints_the_location(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["new-plugin", "Acme.Gans"]) == 0
    assert [p.name for p in tmp_path.iterdir()] == ["acme-gans"]
    out = capsys.readouterr().out
    assert "pip install --editable './acme-gans[test]'" in out
    assert "ganzoo train acme-gans" in out
