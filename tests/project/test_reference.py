"""The reference lists every public name that plugins and guides use, and every command."""

import ast
import importlib
import re
from types import ModuleType

import pytest

from helpers.pages import blocks_of
from helpers.paths import ROOT
from helpers.processes import run_cli

PAGES = sorted((ROOT / "docs" / "reference").glob("*.md"))
GUIDES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
GUIDES += [ROOT / "plugins" / "README.md", *sorted((ROOT / "plugins").glob("*/README.md"))]
TEMPLATE = ROOT / "ganzoo" / "testing" / "plugin_template" / "files"
CODE = [*(ROOT / "plugins").glob("*/ganzoo_*/**/*.py"), *TEMPLATE.glob("*.py.template")]
COMMANDS = (ROOT / "docs" / "reference" / "cli.md").read_text()


def find(name):
    """Return the object of a dotted name of ganzoo."""
    thing = importlib.import_module("ganzoo")
    for part in name.split(".")[1:]:
        if isinstance(thing, ModuleType) and not hasattr(thing, part):
            thing = importlib.import_module(f"{thing.__name__}.{part}")
        else:
            thing = getattr(thing, part)
    return thing


def names_in(text):
    """Return dotted names of ganzoo that a Python source imports or uses."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ganzoo":
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and ast.unparse(node).startswith("ganzoo."):
            name = ast.unparse(node)
            if re.fullmatch(r"[\w.]+", name):
                yield name


def used_names():
    """Return names that the plugins, the template and the guides' code blocks use."""
    sources = [(path, path.read_text().replace("$package", "package")) for path in CODE]
    for page in GUIDES:
        sources += [(page, code) for language, code in blocks_of(page) if language == "python"]
    return {name: str(path.relative_to(ROOT)) for path, text in sources for name in names_in(text)}


def members_of(name):
    """Return public names of a module; none if the name is not a module."""
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError:
        return []
    return [member for member in vars(module) if not member.startswith("_")]


def listed_names():
    """Return names of the `:::` lines; for a module also its members or the selected ones."""
    pages = {}
    for page in PAGES:
        blocks = re.findall(r"^::: (\S+)\n((?: +\S.*\n)*)", page.read_text() + "\n", re.MULTILINE)
        for name, options in blocks:
            pages[name] = page.name
            selected = re.search(r"members: \[(.*)\]", options)
            members = selected[1].split(", ") if selected else members_of(name)
            pages |= {f"{name}.{member}": page.name for member in members}
    return pages


LISTED = listed_names()


def is_listed(name):
    """Return whether the reference lists a name, or its object under another name."""
    last = name.rpartition(".")[2]
    same = [other for other in LISTED if other.rpartition(".")[2] == last]
    return name in same or any(find(other) is find(name) for other in same)


@pytest.mark.parametrize("name", LISTED)
def test_every_name_of_the_reference_exists(name):
    find(name)


def test_every_name_that_plugins_and_guides_use_is_listed():
    used = used_names()
    assert len(used) > 40
    missing = {}
    for name, path in used.items():
        parts = name.split(".")
        # `ganzoo.losses.get` is listed with `ganzoo.losses`.
        prefixes = [".".join(parts[:end]) for end in range(2, len(parts) + 1)]
        if not any(is_listed(prefix) for prefix in prefixes):
            missing[name] = path
    assert not missing


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_name_in_a_text_exists(page):
    for name in re.findall(r"`@?(ganzoo(?:\.[A-Za-z_]\w*)+)", page.read_text()):
        find(name)


def commands_of(*words):
    """Return the commands that the help of a command lists."""
    if words == ("completion",):  # lists shells
        return []
    usage = run_cli(*words, "--help").stdout.split("\n\n")[0]
    match = re.search(r"\{([\w,\s-]+)\}\s*$", usage)
    return re.sub(r"\s", "", match[1]).split(",") if match else []


def test_every_command_is_listed():
    commands = commands_of()
    assert {"train", "plot"} <= set(commands)
    for command in commands:
        assert f"\n## ganzoo {command}\n" in COMMANDS
        if command == "train":
            assert "<!-- help: ganzoo train dcgan-digits -->" in COMMANDS
            continue
        for words in [f"{command} {each}" for each in commands_of(command)] or [command]:
            assert f"<!-- help: ganzoo {words} -->" in COMMANDS
