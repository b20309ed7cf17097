"""A plugin to begin with: a distribution that installs, trains and passes its own tests as it is.

``files/`` holds its files, each a `string.Template` of `$name`, the distribution's name and that of
everything it registers, and `$package`, the same as Python writes it.
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

# What is written, and the template it is made from.
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


def write_plugin(name: str, out: str | Path | None = None) -> Path:
    """Write the source of a new distribution.

    Args:
        name: its name, as ``pip install`` is to take it; upper-case letters, dots and underscores
            are written as PEP 503 normalises them.
        out: its folder, which must not exist; by default the name.

    Returns:
        The folder.

    Raises:
        NameSyntaxError: no name of a distribution (PEP 508), or none that Python can import.
        NameTakenError: something installed, a module or a registered thing has the name.
        OutputError: the folder exists, or cannot be written.
    """
    name, package = _names(name)
    _check_free(name, package)
    path = Path(out or name)
    if path.exists():
        raise OutputError(f"{path} exists already. Choose another folder with --out DIR.")
    with new_folder(path) as folder:
        for file, text in render(name, package).items():
            write_file(folder / file, text)
    return path


def render(name: str, package: str) -> dict[str, str]:
    """Return every file's text, by its path in the distribution."""
    templates = resources.files(__name__) / "files"
    names = {"name": name, "package": package}
    return {
        Template(path).substitute(names): Template(
            (templates / f"{file}.template").read_text(encoding="utf-8")
        ).substitute(names)
        for path, file in FILES.items()
    }


def _names(given: str) -> tuple[str, str]:
    """The distribution's normalised name, and the package's."""
    try:
        name: str = canonicalize_name(given, validate=True)
    except InvalidName as error:
        raise NameSyntaxError(
            f"{given!r} is no name of a distribution: those are letters and digits, joined by '-', "
            "'.' or '_', such as acme-gans."
        ) from error
    package = name.replace("-", "_")
    if not package.isidentifier() or keyword.iskeyword(package):
        raise NameSyntaxError(
            f"{given!r} would be the package {package}, which Python cannot import: begin with a "
            "letter, and take no word of Python's own, such as acme-gans."
        )
    return name, package


def _check_free(name: str, package: str) -> None:
    taken = None
    if any(canonicalize_name(d.name) == name for d in metadata.distributions() if d.name):
        taken = f"the distribution {name!r} is installed"
    elif package in sys.stdlib_module_names or find_spec(package) is not None:
        taken = f"the module {package!r} can be imported"
    else:
        for registry in REGISTRIES:
            if name in registry:
                taken = f"the {registry.kind} {name!r} is registered"
    if taken:
        raise NameTakenError(f"{taken} already. Choose another name for the new plugin.")
