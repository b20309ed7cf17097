"""Build plugins as wheels from tiny source trees, and install them with pip."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import tomli_w
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_BUILD = """
import os, sys
from hatchling.build import build_wheel
for tree in sys.argv[2:]:
    os.chdir(tree)
    print(build_wheel(sys.argv[1]))
"""
_INSTALL = """
import json, sys
from pip._internal.cli.main import main
for arguments in json.loads(sys.argv[1]):
    if status := main(arguments):
        sys.exit(status)
"""
_OFFLINE = ("--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--no-compile")


def lay_out(
    folder: Path,
    distribution: str,
    version: str,
    groups: Mapping[str, Mapping[str, str]],
    files: Mapping[str, str],
    requires: Sequence[str] = (),
) -> Path:
    """Write the source tree of a plugin.

    Args:
        folder: parent folder of the tree.
        distribution: name of the distribution.
        version: version of the distribution.
        groups: entry points, as ``{"losses": {"name": "module:attribute"}}``.
        files: contents of files by name.
        requires: requirements in its metadata.
    """
    tree = folder / f"{distribution}-{version}"
    tree.mkdir(parents=True)
    project = {
        "name": distribution,
        "version": version,
        "dependencies": list(requires),
        "entry-points": {f"ganzoo.{group}": dict(points) for group, points in groups.items()},
    }
    hatch = {"dev-mode-dirs": ["."], "targets": {"wheel": {"only-include": list(files)}}}
    table = {
        "build-system": {"requires": ["hatchling"], "build-backend": "hatchling.build"},
        "project": project,
        "tool": {"hatch": {"build": hatch}},
    }
    (tree / "pyproject.toml").write_text(tomli_w.dumps(table))
    for name, content in files.items():
        (tree / name).write_text(content)
    return tree


def build(trees: Sequence[Path], out: Path) -> list[Path]:
    """Build a wheel of each source tree."""
    out.mkdir(exist_ok=True)
    return [out / name for name in run(sys.executable, "-c", _BUILD, out, *trees).split()]


def install_each(folders: Mapping[Path, Sequence[Path]]) -> None:
    """Install wheels into folders for the path, with one process of pip."""
    commands = [
        ["install", *_OFFLINE, "--target", str(folder), *map(str, wheels)]
        for folder, wheels in folders.items()
    ]
    run(sys.executable, "-c", _INSTALL, json.dumps(commands))


def install_into(folder: Path, wheels: Sequence[Path]) -> Path:
    """Install wheels into a folder for the path."""
    install_each({folder: wheels})
    return folder


def make_environment(folder: Path, *, sources: bool = True) -> Path:
    """Create an environment that sees the packages of this one; return its Python.

    Args:
        folder: folder of the environment.
        sources: whether it also sees editable installations (source trees).
    """
    python, site = _make_empty(folder)
    line = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})"
    if not sources:  # .pth files of site-packages point to source trees
        line = "\n".join(p for p in sys.path if any(Path(p).glob("*.dist-info")))
    (site / "seen.pth").write_text(line + "\n")
    return python


def make_environment_of(wheel: Path, folder: Path) -> Path:
    """Create an environment of a wheel and its requirements; return its Python.

    Direct and indirect requirements are links to the installed packages.
    """
    python, site = _make_empty(folder)
    (root,) = metadata.distributions(path=[str(wheel)])
    for distribution in _required_by(root):
        for file in distribution.files or ():
            if file.parts[0] != "..":  # commands are in another folder
                link = site / file
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(distribution.locate_file(file))
    pip(python, "install", wheel)
    return python


def _required_by(first: metadata.Distribution) -> list[metadata.Distribution]:
    """Return the installed distributions that a distribution requires, directly or not."""
    distributions: dict[str, metadata.Distribution] = {}
    done: set[tuple[str, str]] = set()
    todo = [(first, "")]
    while todo:
        distribution, extra = todo.pop()
        for text in distribution.requires or ():
            requirement = Requirement(text)
            if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
                continue
            name = canonicalize_name(requirement.name)
            distributions.setdefault(name, metadata.distribution(name))
            needs = {(name, each) for each in ("", *requirement.extras)} - done
            done |= needs
            todo += [(distributions[name], each) for _, each in needs]
    return list(distributions.values())


def _make_empty(folder: Path) -> tuple[Path, Path]:
    """Create an empty environment; return its Python and its folder of packages."""
    venv.create(folder, symlinks=True)
    place = {"base": str(folder), "platbase": str(folder)}
    return folder / "bin" / "python", Path(sysconfig.get_path("purelib", "venv", place))


def pip(python: Path, *arguments: str | Path) -> str:
    """Run pip for an environment, without a network."""
    offline = _OFFLINE if arguments[0] == "install" else ()
    command = (sys.executable, "-m", "pip", "--python", python)
    return run(*command, arguments[0], *offline, *arguments[1:])


@contextmanager
def on_path(*folders: Path) -> Iterator[None]:
    """Put folders first on this process's path; forget modules imported from them at the end."""
    places = [str(folder) for folder in folders]
    sys.path[:0] = places
    importlib.invalidate_caches()
    try:
        yield
    finally:
        for place in places:
            sys.path.remove(place)
        for name, module in list(sys.modules.items()):
            if (getattr(module, "__file__", None) or "").startswith(tuple(places)):
                del sys.modules[name]


def run(*command: str | Path, **options: Any) -> str:
    """Run a command that must succeed, and return what it printed."""
    result = subprocess.run(
        [str(c) for c in command],
        capture_output=True,
        text=True,
        **{"timeout": 300} | options,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout
