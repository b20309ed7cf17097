"""Read and write bundles. A bundle contains data only, no code; this module needs no torch.

Bundles are untrusted: the name, type and size of a file are checked before the file is read.
`MAX_OPENING` bounds the memory that opening or rejecting a bundle takes.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ganzoo.bundle.clones import (
    ATTRIBUTES,
    KEEP_BYTES,
    check_line_endings,
    check_own,
    check_pointer,
    is_inside,
)
from ganzoo.bundle.files import describe_foreign, new_folder, sha256, write_file
from ganzoo.bundle.leftovers import find_former
from ganzoo.errors import BundleError, NotABundleError, did_you_mean, shell_word
from ganzoo.spec import MAX_CONFIG, ModelSpec

CONFIG = "config.json"
CARD = "README.md"
RECONSTRUCTIONS = "reconstructions.png"  # images and their reconstructions
INTERPOLATION = "interpolation.png"  # interpolations between the first images of two seeds
CURVES = "curves.png"  # training curves
RECIPE = "training/recipe.toml"
LOG = "training/log.jsonl"
CHECKSUMS = "SHA256SUMS"
RUN_RECIPE = "recipe.toml"  # in the folder of a run

METADATA_KEY = "ganzoo.config"  # key of the config's copy in the weights files

MAX_FILES = 1_000  # files that a bundle lists
MAX_CHECKSUMS = 2**18  # bytes of SHA256SUMS
MAX_CARD = 2**18  # bytes of README.md
MAX_BYTES = 2**34  # bytes of all listed files, 16 GiB
MAX_OPENING = 2**28  # bytes of memory beyond the size of the weights files, 256 MiB

_CHECKSUM_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_NAME_PART = r"[A-Za-z0-9_][A-Za-z0-9._+=@-]*"
_FILE_NAME = re.compile(rf"{_NAME_PART}(?:/{_NAME_PART}){{0,7}}")


def weights_name(role: str) -> str:
    """Return the name of a network's weights file; the generator's is ``model.safetensors``."""
    return f"{'model' if role == 'generator' else role}.safetensors"


def onnx_name(role: str) -> str:
    """Return the name of a network's ONNX file; the generator's is ``model.onnx``."""
    return f"{'model' if role == 'generator' else role}.onnx"


@dataclass(frozen=True)
class Bundle:
    """A folder with verified checksums and a valid config.

    Attributes:
        path: the folder.
        spec: the config.
        distribution: the installed distribution that ships the bundle; None for other folders.
    """

    path: Path
    spec: ModelSpec
    distribution: str | None = None

    def weights_of(self, role: str) -> Path:
        """Return the path of a network's weights file."""
        return self.file(weights_name(role))

    def onnx_of(self, role: str) -> Path:
        """Return the path of a network's ONNX file, which exists only after its export."""
        return self.file(onnx_name(role))

    def require_onnx(self, role: str) -> Path:
        """Return the path of a network's ONNX file.

        Raises:
            BundleError: the bundle has none.
        """
        if reason := self.spec.onnx_failure:
            raise BundleError(
                f"{self.spec.name!r} has no {onnx_name(role)}, because its export to ONNX failed: "
                f"{reason}. torch alone runs it: use --runtime torch, or `ganzoo demo`."
            )
        file = self.onnx_of(role)
        if file.is_file():
            return file
        raise BundleError(
            f"{self.path} has no {file.name}. Write it with `ganzoo export "
            f"{shell_word(self.path)}`."
        )

    def holds(self, name: str) -> bool:
        """Return whether the bundle contains a file: a verified one, or the card."""
        if name == CARD:
            return os.path.lexists(self.path / CARD)
        return name in read_checksums(self.path)

    def file(self, name: str) -> Path:
        """Return the path of a file; subclasses that download lazily fetch it here."""
        return self.path / name


def open_bundle(path: Path) -> Bundle:
    """Read a bundle's config and verify every file except the card against SHA256SUMS.

    The card is prose for people, which its author may edit at any time. Only the config is kept in
    memory. The folder may be a snapshot of the Hub's client, whose files are links.

    Args:
        path: the folder.

    Raises:
        NotABundleError: the folder does not exist or is not a bundle.
        BundleError: a file is missing, changed or not listed; the name, type or size of a listed
            file is not allowed; or the config is not valid.
    """
    try:
        return _open(path)
    except OSError as error:
        if isinstance(error, NotABundleError):
            raise
        raise BundleError(
            f"cannot read the bundle {str(path)[:200]!r}: {error.strerror}. Check the path and its "
            "permissions."
        ) from error


def suggest_folder(path: Path) -> str:
    """Return ``" Did you mean 'x'?"`` for the most similar name beside a path that is missing.

    Names are those of folders, and of files with the same suffix.
    """
    if path.exists():
        return ""
    try:
        names = [
            other.name
            for other in path.parent.iterdir()
            if other.is_dir() or (path.suffix and other.suffix == path.suffix)
        ]
    except OSError:
        return ""
    return did_you_mean(path.name, names, str(path).removesuffix(path.name))


def _open(path: Path) -> Bundle:
    if not path.is_dir():
        for old in find_former(path):
            raise NotABundleError(
                f"no bundle at {path}: a command that was killed left the former one at {old}. "
                f"Rename it: mv {old} {path}"
            )
        if path.is_file() and (path.parent / CHECKSUMS).is_file():
            raise NotABundleError(
                f"no bundle at {path}: the path is a file of a bundle. Pass its folder: "
                f"{path.parent if path.is_absolute() else f'./{path.parent}'}"
            )
        if path.is_file():
            raise NotABundleError(f"no bundle at {path}: {explain_file(path)}")
        raise NotABundleError(
            f"no bundle at {path}: the path does not exist.{suggest_folder(path)} Pass the folder "
            f"of a run, or one that contains {CONFIG}, such as one that `ganzoo export RUN` writes."
        )
    if not (path / CONFIG).is_file():
        raise NotABundleError(f"{path} is not a bundle: it contains no {CONFIG}.")
    check_size(path / CONFIG, MAX_CONFIG)
    _verify(path)
    spec = ModelSpec.from_json((path / CONFIG).read_bytes(), where=str(path / CONFIG))
    for role in (*spec.roles, *spec.training_roles):
        if not (path / weights_name(role)).is_file():
            raise BundleError(f"{path} contains no {weights_name(role)}. Get the bundle again.")
    return Bundle(path, spec)


def explain_file(path: str | Path) -> str:
    """Return what to do with a file that is passed in place of a model."""
    return (
        "the path is a file, not a folder. To convert a checkpoint of another project, use: ganzoo "
        f"import {shlex.quote(str(path))} -o OUT"
    )


def replaceable(path: Path) -> bool:
    """Return whether writing a bundle at `path` loses no data.

    That holds if `path` does not exist, is an empty folder, or contains only an intact bundle.
    """
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
    return {*list_files(path)} <= {*read_checksums(path), CARD}


def check_repeated_config(bundle: Bundle, file: Path, repeated: str | None) -> None:
    """Check that the config inside a weights or ONNX file matches the bundle's config.

    Raises:
        BundleError: the file contains no config, or the config of another model.
    """
    if repeated is None:
        raise BundleError(
            f"{file} contains no ganzoo config, so it does not belong to this bundle. "
            "Export the model again."
        )
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
    """Write a bundle atomically; it replaces `path`.

    Args:
        path: the bundle's folder.
        spec: the config.
        writers: for each file name in the bundle, a function that writes the file at a path.

    Raises:
        BundleError: the folder is a snapshot in the cache of the Hub's client.
        OutputError: the folder cannot be written.
    """
    check_own(path)
    with new_folder(path) as folder:
        write_attributes(folder)
        (folder / CONFIG).write_text(spec.to_json(), encoding="utf-8")
        for name, write in writers.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            write(folder / name)
            shutil.copymode(folder / CONFIG, folder / name)  # writers may restrict it to the user
        sums = {name: sha256(folder / name) for name in list_files(folder) if name != CARD}
        (folder / CHECKSUMS).write_text(format_checksums(sums), encoding="utf-8")
    return Bundle(path, spec)


def amend_bundle(bundle: Bundle, spec: ModelSpec, contents: Mapping[str, str | bytes]) -> None:
    """Write a new config and files into a bundle atomically; keep all other files.

    Files that SHA256SUMS does not list, such as the owner's notes, are kept too.

    Args:
        bundle: the opened bundle.
        spec: its new config.
        contents: contents of new or replaced files, by name.

    Raises:
        BundleError: the bundle on disk changed after it was opened, is a snapshot in the cache of
            the Hub's client, or is a link that leads out of the folder of a run.
        OutputError: the bundle cannot be written.
    """
    check_own(bundle.path)
    _check_link(bundle.path)
    if open_bundle(bundle.path).spec != bundle.spec:
        raise BundleError(
            f"cannot change {bundle.path}: its config was replaced after it was opened. "
            "Run the command again."
        )
    sums = read_checksums(bundle.path)
    config = {} if spec == bundle.spec else {CONFIG: spec.to_json()}
    path = bundle.path.resolve()  # a link or "." cannot be replaced
    with new_folder(path) as folder:
        shutil.copytree(path, folder, symlinks=True, copy_function=_link, dirs_exist_ok=True)
        for name, content in (config | dict(contents)).items():
            write_file(folder / name, content)
            sums[name] = sha256(folder / name)
        sums.pop(CARD, None)
        write_file(folder / CHECKSUMS, format_checksums(sums))
        write_attributes(folder)


def _check_link(path: Path) -> None:
    """Raise an error if a bundle in the folder of a run is a link that leads out of it.

    A command that changes a run must not change another folder.
    """
    run = path.parent
    if path.is_symlink() and (run / RUN_RECIPE).is_file() and describe_foreign(path, run):
        raise BundleError(
            f"cannot change {path}: it is a link that leads out of the run's folder. To change the "
            f"bundle that it leads to, pass that folder: {path.resolve()}"
        )


def write_attributes(folder: Path) -> None:
    """Tell git to keep the bytes of a bundle's files, unless the folder has its own attributes."""
    if not os.path.lexists(folder / ATTRIBUTES):
        write_file(folder / ATTRIBUTES, f"{KEEP_BYTES}\n")


def read_card(folder: Path) -> bytes | None:
    """Return the bytes of a bundle's card; None if there is no card.

    Raises:
        BundleError: the card is not a regular file inside the bundle, has more than 256 KiB, is a
            pointer of git-lfs, or cannot be read.
    """
    if not os.path.lexists(folder / CARD):
        return None
    _check_kind(folder, CARD)
    check_size(folder / CARD, MAX_CARD)
    try:
        check_pointer(folder, folder / CARD)
        return (folder / CARD).read_bytes()
    except OSError as error:
        raise BundleError(f"cannot read {folder / CARD}: {error.strerror}.") from error


def _link(file: str, target: str) -> None:
    """Hard-link a file, which neither opens nor copies it; copy it if links are not supported."""
    try:
        os.link(file, target)
    except OSError:
        shutil.copy2(file, target)


def format_checksums(sums: Mapping[str, str]) -> str:
    """Return the text of SHA256SUMS, sorted by path, in the format of `sha256sum --check`."""
    return "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))


def list_files(folder: Path) -> list[str]:
    """Return the relative POSIX paths of all files of a bundle except checksums and attributes."""
    files = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return sorted(name for name in files if name not in (CHECKSUMS, ATTRIBUTES))


def read_checksums(path: Path) -> dict[str, str]:
    """Return the checksums in a bundle's SHA256SUMS, by relative path.

    Raises:
        BundleError: the file is missing, not in the format of `sha256sum`, or too large; or a name
            in it is absolute, repeated, leaves the folder or contains characters that are not
            allowed.
    """
    sums = path / CHECKSUMS
    if not sums.is_file():
        raise _lacks_checksums(path)
    check_size(sums, MAX_CHECKSUMS)
    check_pointer(path, sums)
    lines = sums.read_text(encoding="utf-8", errors="replace").split("\n")
    if len(lines) - 1 > MAX_FILES:
        raise BundleError(
            f"{sums} lists {len(lines) - 1:,} files; a bundle has at most {MAX_FILES:,}. "
            "Get the bundle again."
        )
    checksums: dict[str, str] = {}
    for line in filter(None, lines):
        match = _CHECKSUM_LINE.fullmatch(line)
        if not match:
            raise BundleError(
                f"cannot read {sums}: the line {line[:80]!r} is not '<sha256>  <file>'. "
                "Get the bundle again."
            )
        name = match[2]
        if name != ATTRIBUTES and not _FILE_NAME.fullmatch(name):
            raise BundleError(
                f"{sums} lists {name[:80]!r}, which is not a valid file name in a bundle. "
                "Get the bundle again."
            )
        if name in checksums:
            raise BundleError(f"{sums} lists {name} twice. Get the bundle again.")
        checksums[name] = match[1]
    return checksums


def check_size(file: Path, limit: int) -> None:
    """Check that a file is at most `limit` bytes long.

    Raises:
        BundleError: the file is longer.
    """
    if (size := file.stat().st_size) > limit:
        raise BundleError(
            f"{file} has {size:,} bytes; the limit is {limit:,}. Get the bundle again."
        )


def _verify(path: Path) -> None:
    _check_kind(path, CHECKSUMS)
    entries = {name: digest for name, digest in read_checksums(path).items() if name != CARD}
    for name in entries:
        _check_kind(path, name)
    if os.path.lexists(path / CARD):
        _check_kind(path, CARD)
    size = sum((path / name).stat().st_size for name in entries)
    if size > MAX_BYTES:  # checked first: reading them may take hours
        raise BundleError(
            f"the files of {path} have {size:,} bytes; the limit of a bundle is {MAX_BYTES:,}. "
            "Get the bundle again."
        )
    for name, expected in entries.items():
        file = path / name
        try:
            if sha256(file) == expected:
                continue
            check_pointer(path, file)
            check_line_endings(file, expected)
        except OSError as error:
            raise BundleError(
                f"cannot read {file}: {error.strerror}. Check its permissions."
            ) from error
        raise BundleError(
            f"{file} does not match its checksum in {CHECKSUMS}: it was damaged or changed. "
            "Get the bundle again."
        )
    # Files that a runtime reads must have a checksum; other files may lack one.
    read = {CONFIG} | {p.name for end in ("safetensors", "onnx") for p in path.glob(f"*.{end}")}
    if missing := read - entries.keys():
        raise BundleError(
            f"{path / CHECKSUMS} has no checksum of {', '.join(sorted(missing))}. "
            "Get the bundle again."
        )


def _lacks_checksums(path: Path) -> BundleError:
    return BundleError(
        f"{path} contains no {CHECKSUMS}, so its files cannot be verified. Get the bundle again. "
        "If it is a checkpoint of another project, convert it: ganzoo import "
        f"{shlex.quote(str(path))} -o OUT"
    )


def _check_kind(path: Path, name: str) -> None:
    """Check that a name is a regular file inside the bundle; opening a pipe would block."""
    file = path / name
    if not os.path.lexists(file):
        if name == CHECKSUMS:
            raise _lacks_checksums(path)
        raise BundleError(
            f"{path} lacks {name[:200]}, which {CHECKSUMS} lists. Get the bundle again."
        )
    if not is_inside(path, file):
        raise BundleError(f"{file} is a link that leads outside the bundle. Get the bundle again.")
    if not file.is_file():
        raise BundleError(f"{file} is not a regular file. Get the bundle again.")
