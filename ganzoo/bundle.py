"""The model folder: write it whole, read it strictly. No torch, no code in it, only data."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from ganzoo.errors import BundleError, NotABundleError
from ganzoo.files import new_folder, sha256, write_file
from ganzoo.spec import ModelSpec

CONFIG = "config.json"
CARD = "README.md"
RECONSTRUCTIONS = "reconstructions.png"  # images and what encoder and generator make of them
INTERPOLATION = "interpolation.png"  # ways from one seed's first image to another's
CURVES = "curves.png"  # the course of the training
RECIPE = "training/recipe.toml"
LOG = "training/log.jsonl"
CHECKSUMS = "SHA256SUMS"

METADATA_KEY = "ganzoo.config"  # under which the files of weights repeat the config

_CHECKSUM_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


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

    def file(self, name: str) -> Path:
        """One of its files; a bundle that is fetched when it is needed does so here."""
        return self.path / name


def open_bundle(path: Path, *, edited: Collection[str] = ()) -> Bundle:
    """Read a bundle's config and verify every file against SHA256SUMS.

    Args:
        path: the folder.
        edited: files that may differ from what is listed, or be absent.

    Raises:
        NotABundleError: nothing there, or no bundle.
        BundleError: a file is missing or has changed; one that is read is not listed; a config
            that is not valid.
    """
    if not path.is_dir():
        state = "is a file, not a folder" if path.exists() else "does not exist"
        raise NotABundleError(
            f"no bundle at {path}: it {state}. A bundle is a folder with {CONFIG}; "
            "`ganzoo export RUN` writes one."
        )
    if not (path / CONFIG).is_file():
        hint = f" Did you mean {path / 'bundle'}?" if (path / "bundle" / CONFIG).is_file() else ""
        raise NotABundleError(f"{path} is no bundle: it holds no {CONFIG}.{hint}")
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
    for name, content in (config | dict(contents)).items():
        write_file(bundle.path / name, content)
        sums[name] = sha256(bundle.path / name)
    write_file(bundle.path / CHECKSUMS, format_checksums(sums))


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
        BundleError: there is no such file, or it is not in `sha256sum`'s format.
    """
    sums = path / CHECKSUMS
    if not sums.is_file():
        raise BundleError(f"{path} holds no {CHECKSUMS}, so nothing vouches for its files.")
    listed = {}
    for line in sums.read_text(encoding="utf-8", errors="replace").splitlines():
        match = _CHECKSUM_LINE.fullmatch(line)
        if not match:
            raise BundleError(f"{sums}: the line {line[:80]!r} is not '<sha256>  <file>'.")
        listed[match[2]] = match[1]
    return listed


def _verify(path: Path, edited: Collection[str] = ()) -> None:
    listed = read_checksums(path)
    for name, expected in listed.items():
        file = path / name
        try:
            if not file.resolve().is_relative_to(path.resolve()):
                raise BundleError(f"{path / CHECKSUMS}: {name!r} lies outside the bundle.")
            if name in edited:
                continue
            if not file.is_file():
                raise BundleError(f"{path} lacks {name}, which {CHECKSUMS} lists. Get it again.")
            found = sha256(file)
        except (OSError, ValueError) as error:
            if isinstance(error, BundleError):
                raise
            raise BundleError(f"{path}: {name[:80]!r} cannot be read: {error}.") from error
        if found != expected:
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
