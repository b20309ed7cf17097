"""The model folder: write it whole, read it strictly. No torch, no code in it, only data.

Whoever wrote a bundle may mean harm. Before a file is read, its name, kind and size are looked at;
`MAX_OPENING` bounds the memory that finding fault with any bundle takes.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from ganzoo.bundle.files import new_folder, sha256, write_file
from ganzoo.errors import BundleError, NotABundleError
from ganzoo.spec import MAX_CONFIG, ModelSpec

CONFIG = "config.json"
CARD = "README.md"
RECONSTRUCTIONS = "reconstructions.png"  # images and what encoder and generator make of them
INTERPOLATION = "interpolation.png"  # ways from one seed's first image to another's
CURVES = "curves.png"  # the course of the training
RECIPE = "training/recipe.toml"
LOG = "training/log.jsonl"
CHECKSUMS = "SHA256SUMS"

METADATA_KEY = "ganzoo.config"  # under which the files of weights repeat the config

MAX_FILES = 1_000  # that a bundle lists
MAX_CHECKSUMS = 2**18  # bytes of SHA256SUMS
MAX_BYTES = 2**34  # of all files that it lists, 16 GiB
MAX_OPENING = 2**28  # bytes of memory, 256 MiB, beyond the size of its files of weights

_CHECKSUM_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_NAME_PART = r"[A-Za-z0-9_][A-Za-z0-9._+=@-]*"
_FILE_NAME = re.compile(rf"{_NAME_PART}(?:/{_NAME_PART}){{0,7}}")


def weights_name(role: str) -> str:
    """Name of the file of a network's weights: the generator's is the model's."""
    return f"{'model' if role == 'generator' else role}.safetensors"


def onnx_name(role: str) -> str:
    """Name of the file of a network for onnxruntime."""
    return f"{'model' if role == 'generator' else role}.onnx"


@dataclass(frozen=True)
class Bundle:
    """A folder whose checksums and config were found to be right.

    Attributes:
        path: the folder.
        spec: its config.
        distribution: the installed distribution that it is part of, None for any other folder.
    """

    path: Path
    spec: ModelSpec
    distribution: str | None = None

    def weights_of(self, role: str) -> Path:
        """A network's weights, safetensors."""
        return self.file(weights_name(role))

    def onnx_of(self, role: str) -> Path:
        """A network for onnxruntime; absent until it is exported."""
        return self.file(onnx_name(role))

    def holds(self, name: str) -> bool:
        """Whether one of its files is there."""
        return (self.path / name).is_file()

    def file(self, name: str) -> Path:
        """One of its files; a bundle that is fetched when it is needed does so here."""
        return self.path / name


def open_bundle(path: Path, *, edited: Collection[str] = ()) -> Bundle:
    """Read a bundle's config and verify every file against SHA256SUMS.

    Nothing of it is kept in memory but the config, however large its files are.

    Args:
        path: the folder.
        edited: files that may differ from what is listed, or be absent.

    Raises:
        NotABundleError: nothing there, or no bundle.
        BundleError: a file is missing or has changed; one that is read is not listed; one that is
            listed is not to be trusted by its name, kind or size; a config that is not valid.
    """
    try:
        return _open(path, edited)
    except OSError as error:
        if isinstance(error, NotABundleError):
            raise
        raise BundleError(f"{str(path)[:200]!r} cannot be read: {error.strerror}.") from error


def _open(path: Path, edited: Collection[str]) -> Bundle:
    if not path.is_dir():
        state = "is a file, not a folder" if path.exists() else "does not exist"
        raise NotABundleError(
            f"no bundle at {path}: it {state}. A bundle is a folder with {CONFIG}; "
            "`ganzoo export RUN` writes one."
        )
    if not (path / CONFIG).is_file():
        hint = f" Did you mean {path / 'bundle'}?" if (path / "bundle" / CONFIG).is_file() else ""
        raise NotABundleError(f"{path} is no bundle: it holds no {CONFIG}.{hint}")
    check_size(path / CONFIG, MAX_CONFIG)
    _verify(path, edited)
    spec = ModelSpec.from_json((path / CONFIG).read_bytes(), where=str(path / CONFIG))
    for role in spec.roles:
        if not (path / weights_name(role)).is_file():
            raise BundleError(f"{path} holds no {weights_name(role)}. Get the bundle again.")
    return Bundle(path, spec)


def replaceable(path: Path) -> bool:
    """Whether a bundle may be written at `path` without loss: nothing there, or only a bundle."""
    if not path.exists():
        return True
    if not path.is_dir():
        return False
    if not any(path.iterdir()):
        return True
    try:
        _verify(path)
    except BundleError:
        return False
    return all(name in read_checksums(path) for name in list_files(path))


def check_repeated_config(bundle: Bundle, file: Path, repeated: str | None) -> None:
    """Refuse a weights file whose own config is not the bundle's.

    Raises:
        BundleError: no config in the file, or one that describes another model.
    """
    if repeated is None:
        raise BundleError(f"{file} carries no ganzoo config: it was not written for this bundle.")
    if ModelSpec.from_json(repeated, where=f"the config inside {file}").contract != (
        bundle.spec.contract
    ):
        raise BundleError(
            f"{file} does not match {bundle.path / CONFIG}: they describe different models. "
            "Export the model again."
        )


def write_bundle(
    path: Path, spec: ModelSpec, writers: Mapping[str, Callable[[Path], object]]
) -> Bundle:
    """Write a bundle in place of `path`, whole or not at all.

    Args:
        path: the bundle's folder.
        spec: its config.
        writers: for each file's name in the bundle, what writes it when given its path.

    Raises:
        OutputError: the folder cannot be written.
    """
    with new_folder(path) as folder:
        (folder / CONFIG).write_text(spec.to_json(), encoding="utf-8")
        for name, write in writers.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            write(folder / name)
            (folder / name).chmod(0o644)
        sums = {name: sha256(folder / name) for name in list_files(folder)}
        (folder / CHECKSUMS).write_text(format_checksums(sums), encoding="utf-8")
    return Bundle(path, spec)


def amend_bundle(bundle: Bundle, spec: ModelSpec, contents: Mapping[str, str | bytes]) -> None:
    """Write another config and other files into a bundle, and leave all else as it is.

    The bundle as it becomes takes the folder's place, whole or not at all, with what else lies in
    it: files that nothing lists may be its owner's notes.

    Args:
        bundle: as it was opened.
        spec: its new config.
        contents: of files that are new or take the place of those of the same name.

    Raises:
        BundleError: it is not what was opened.
        OutputError: it cannot be written.
    """
    if open_bundle(bundle.path, edited=contents).spec != bundle.spec:
        raise BundleError(f"{bundle.path} holds another model by now.")
    sums = read_checksums(bundle.path)
    config = {} if spec == bundle.spec else {CONFIG: spec.to_json()}
    path = bundle.path.resolve()  # a link, or ".", cannot be replaced
    with new_folder(path) as folder:
        shutil.copytree(path, folder, symlinks=True, copy_function=_link, dirs_exist_ok=True)
        for name, content in (config | dict(contents)).items():
            write_file(folder / name, content)
            sums[name] = sha256(folder / name)
        write_file(folder / CHECKSUMS, format_checksums(sums))


def _link(file: str, target: str) -> None:
    """Give a file another name: no copy of the weights, and whatever it is, it is not opened."""
    try:
        os.link(file, target)
    except OSError:  # the file system has no such links
        shutil.copy2(file, target)


def format_checksums(sums: Mapping[str, str]) -> str:
    """Return the text of SHA256SUMS, which `sha256sum --check` reads, by relative path."""
    return "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))


def list_files(folder: Path) -> list[str]:
    """Every file of a bundle but the checksums, as relative POSIX paths."""
    files = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return sorted(name for name in files if name != CHECKSUMS)


def read_checksums(path: Path) -> dict[str, str]:
    """Return the checksums that a bundle's SHA256SUMS states, by relative path.

    Raises:
        BundleError: there is no such file, it is not in `sha256sum`'s format, a name in it is
            absolute, climbs, holds odd characters or stands there twice, or they are too many.
    """
    sums = path / CHECKSUMS
    if not sums.is_file():
        raise BundleError(f"{path} holds no {CHECKSUMS}, so nothing vouches for its files.")
    check_size(sums, MAX_CHECKSUMS)
    lines = sums.read_text(encoding="utf-8", errors="replace").split("\n")
    if len(lines) - 1 > MAX_FILES:
        raise BundleError(f"{sums} lists {len(lines) - 1:,} files; a bundle has {MAX_FILES:,}.")
    listed: dict[str, str] = {}
    for line in filter(None, lines):
        match = _CHECKSUM_LINE.fullmatch(line)
        if not match:
            raise BundleError(f"{sums}: the line {line[:80]!r} is not '<sha256>  <file>'.")
        name = match[2]
        if not _FILE_NAME.fullmatch(name):
            raise BundleError(f"{sums}: {name[:80]!r} cannot be a file's name in a bundle.")
        if name in listed:
            raise BundleError(f"{sums} lists {name} twice.")
        listed[name] = match[1]
    return listed


def check_size(file: Path, limit: int) -> None:
    """Refuse a file that has more bytes than any honest one of its kind.

    Raises:
        BundleError: it has.
    """
    if (size := file.stat().st_size) > limit:
        raise BundleError(f"{file} has {size:,} bytes, at most {limit:,} are read. Get it again.")


def _verify(path: Path, edited: Collection[str] = ()) -> None:
    _check_kind(path, CHECKSUMS)
    listed = {
        name: expected
        for name, expected in read_checksums(path).items()
        if name not in edited or (path / name).exists()
    }
    for name in listed:
        _check_kind(path, name)
    size = sum((path / name).stat().st_size for name in listed)
    if size > MAX_BYTES:  # before they are read, which may take hours
        raise BundleError(
            f"the files of {path} have {size:,} bytes, those of a bundle at most {MAX_BYTES:,}."
        )
    for name, expected in listed.items():
        file = path / name
        try:
            found = sha256(file)
        except OSError as error:
            raise BundleError(f"{file} cannot be read: {error.strerror}.") from error
        if found != expected and name not in edited:
            advice = (
                f"If you edited it, `ganzoo card write {path}` takes it in."
                if name == CARD
                else "Get the bundle again."
            )
            raise BundleError(
                f"{file} does not match its checksum in {CHECKSUMS}: it was damaged or changed. "
                f"{advice}"
            )
    # Whatever a runtime may read has to be vouched for; a stray note beside it need not be.
    read = {CONFIG} | {p.name for end in ("safetensors", "onnx") for p in path.glob(f"*.{end}")}
    if missing := read - listed.keys():
        raise BundleError(f"{path / CHECKSUMS} does not vouch for {', '.join(sorted(missing))}.")


def _check_kind(path: Path, name: str) -> None:
    """Refuse what is not a file of the bundle's own: to open a pipe would wait for its writer."""
    file = path / name
    if not os.path.lexists(file):
        if name == CHECKSUMS:
            raise BundleError(f"{path} holds no {CHECKSUMS}, so nothing vouches for its files.")
        raise BundleError(f"{path} lacks {name[:200]}, which {CHECKSUMS} lists. Get it again.")
    if not Path(os.path.realpath(file)).is_relative_to(os.path.realpath(path)):
        raise BundleError(f"{file} is a link to what lies outside the bundle.")
    if not file.is_file():
        raise BundleError(f"{file} is no regular file.")
