"""A template of a plugin: a distribution that installs, trains and passes its tests.

``files/`` contains its files as `string.Template`. `$name` is the name of the distribution and of
everything that it registers, and `$package` is the same name as a Python identifier.
"""

from __future__ import annotations

import keyword
import sys
from importlib import metadata, resources
from importlib.util import find_spec
from pathlib import Path
from string import Template

from packaging.utils import InvalidName, canonicalize_name

from ganzoo.bundle.files import new_folder, write_file
from ganzoo.errors import NameSyntaxError, NameTakenError, OutputError
from ganzoo.registry import REGISTRIES

# Path of each file in the plugin -> name of its template.
FILES = {
    ".gitignore": "gitignore",
    "README.md": "README.md",
    "pyproject.toml": "pyproject.toml",
    "$package/__init__.py": "package.py",
    "$package/architecture.py": "architecture.py",
    "$package/loss.py": "loss.py",
    "$package/recipes/__init__.py": "recipes.py",
    "$package/recipes/$name.toml": "recipe.toml",
    "tests/test_plugin.py": "test_plugin.py",
    "tests/snapshots/$name.json": "snapshot.json",
}
IMPORTER_FILES = {
    "$package/importer.py": "importer.py",
    "tests/test_importer.py": "test_importer.py",
}
IMPORTER_POINT = """
[project.entry-points."ganzoo.importers"]
$name = "$package.importer:Converter"
"""
_BEFORE_POINT = "\n[tool.hatch"  # follows the entry points in pyproject.toml


def write_plugin(name: str, out: str | Path | None = None, *, importer: bool = False) -> Path:
    """Write the source of a new distribution.

    Args:
        name: its name for ``pip install``; PEP 503 normalises upper-case letters, dots and
            underscores.
        out: its folder, which must not exist; by default the name.
        importer: also write an importer of checkpoints, with its test.

    Returns:
        The folder.

    Raises:
        NameSyntaxError: not a valid name of a distribution (PEP 508) or of a Python package.
        NameTakenError: a distribution, a module or a registered object has the name.
        OutputError: the folder exists, or cannot be written.
    """
    name, package = _names(name)
    _check_free(name, package)
    path = Path(out or name)
    if path.exists():
        raise OutputError(f"{path} exists already. Choose another folder with --out DIR.")
    with new_folder(path) as folder:
        for file, text in render(name, package, importer=importer).items():
            write_file(folder / file, text)
    return path


def render(name: str, package: str, *, importer: bool = False) -> dict[str, str]:
    """Return the text of each file, by its path in the distribution."""
    templates = resources.files(__name__) / "files"
    names = {"name": name, "package": package}
    texts = {
        Template(path).substitute(names): Template(
            (templates / f"{file}.template").read_text(encoding="utf-8")
        ).substitute(names)
        for path, file in (FILES | (IMPORTER_FILES if importer else {})).items()
    }
    if importer:
        point = Template(IMPORTER_POINT).substitute(names)
        project = texts["pyproject.toml"]
        texts["pyproject.toml"] = project.replace(_BEFORE_POINT, f"{point}{_BEFORE_POINT}", 1)
    return texts


def _names(text: str) -> tuple[str, str]:
    """Return the normalised name of the distribution, and the name of the package."""
    try:
        name: str = canonicalize_name(text, validate=True)
    except InvalidName as error:
        raise NameSyntaxError(
            f"{text!r} is not a name of a distribution: use letters and digits, joined by '-', "
            "'.' or '_', such as acme-gans."
        ) from error
    package = name.replace("-", "_")
    if not package.isidentifier() or keyword.iskeyword(package):
        raise NameSyntaxError(
            f"{text!r} would be the package {package}, which Python cannot import: start with a "
            "letter and use no Python keyword, such as acme-gans."
        )
    return name, package


def _check_free(name: str, package: str) -> None:
    conflict = None
    if any(canonicalize_name(d.name) == name for d in metadata.distributions() if d.name):
        conflict = f"the distribution {name!r} is installed"
    elif package in sys.stdlib_module_names or find_spec(package) is not None:
        conflict = f"the module {package!r} can be imported"
    else:
        for registry in REGISTRIES:
            if name in registry:
                conflict = f"the {registry.kind} {name!r} is registered"
    if conflict:
        raise NameTakenError(f"{conflict} already. Choose another name for the new plugin.")
