"""Select the files of a bundle that are published, and check that the bundle is complete."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from huggingface_hub import constants

from ganzoo import cards
from ganzoo.bundle import (
    CARD,
    CHECKSUMS,
    CONFIG,
    LOG,
    RECIPE,
    Bundle,
    format_checksums,
    onnx_name,
    read_checksums,
    weights_name,
)
from ganzoo.bundle.location import open_folder
from ganzoo.errors import CardError, PublishError, as_folder, shell_word
from ganzoo.hub.card import check_card, sign_card
from ganzoo.hub.client import PUBLIC
from ganzoo.registry.names import HubName


@dataclass(frozen=True)
class RepoFiles:
    """The files to publish, by their name in the repository.

    SHA256SUMS does not list the card: its owner may edit it on the Hub.

    Attributes:
        contents: each file's path or its bytes.
        digests: each file's SHA-256.
    """

    contents: dict[str, Path | bytes]
    digests: dict[str, str]

    @property
    def card(self) -> str:
        """Return the card's text."""
        return read(self.contents[CARD]).decode()

    @property
    def sizes(self) -> dict[str, int]:
        """Return each file's size in bytes."""
        return {
            name: len(c) if isinstance(c, bytes) else c.stat().st_size
            for name, c in self.contents.items()
        }


def pack(path: Path, repository: str, branch: str | None = None) -> RepoFiles:
    """Collect the files of a bundle that are published.

    Args:
        path: the folder of the bundle, or of a run.
        repository: ``org/name``; the card names it.
        branch: the branch that the card names, by default main.

    Raises:
        NotABundleError: the folder holds no bundle.
        BundleError: the bundle is damaged.
        PublishError: its runtimes were not compared or differ, a file is missing, its card is
            unfinished, or its licence is not in the Hub's list.
    """
    bundle = open_folder(path)
    path, checksums = bundle.path, read_checksums(bundle.path)
    files = [weights_name]
    if not bundle.spec.onnx_failure:
        _check_parity(bundle)
        files.append(onnx_name)
    networks = [name(role) for role in bundle.spec.roles for name in files]
    networks += [weights_name(role) for role in bundle.spec.training_roles]
    for name in (CONFIG, CARD, *networks):
        if not bundle.holds(name):
            raise PublishError(
                f"{path} has no {name}. `ganzoo export {shell_word(path)}` writes it."
            )
    images = (name for name in checksums if name.endswith((".png", ".webp")))
    figures = sorted(name for name in images if "/" not in name)
    names = [CONFIG, *networks, *figures, *(name for name in (RECIPE, LOG) if name in checksums)]
    contents: dict[str, Path | bytes] = {name: path / name for name in names}
    digests = {name: checksums[name] for name in names}
    context = cards.CardContext.at(bundle.spec, path, digests)
    try:
        card = _published_card(context, repository, branch)
    except PublishError as error:
        sizes = RepoFiles({**contents, CARD: path / CARD}, digests).sizes
        several = len(cards.check(path)) > 1
        hint = f" `ganzoo card check {as_folder(path)}` lists what else the card lacks." * several
        raise PublishError(f"{error}{hint}", sizes) from error
    for name, text in {CHECKSUMS: format_checksums(digests), CARD: sign_card(card)}.items():
        contents[name] = text.encode()
        digests[name] = hashlib.sha256(text.encode()).hexdigest()
    return RepoFiles(contents, digests)


def read(content: Path | bytes) -> bytes:
    """Return the bytes of a file to publish."""
    return content if isinstance(content, bytes) else content.read_bytes()


def _published_card(context: cards.CardContext, repository: str, branch: str | None) -> str:
    """Return a bundle's card with addresses on the Hub."""
    try:
        card = cards.read(context.folder)
        assert card is not None  # `pack` checks that there is one
        check_card(card)
        if mistakes := cards.find_wrong_values(context, card):
            raise PublishError(
                f"{mistakes[0]} `ganzoo card write {shell_word(context.folder)}` corrects it."
            )
        if not cards.has_blocks(card):
            return card
        revision = quote(branch or constants.DEFAULT_REVISION, safe="")
        files = f"{PUBLIC}/{repository}/resolve/{revision}/"
        address = str(HubName(repository, branch))
        return cards.compose(replace(context, place=cards.Location(address, files)), card)
    except CardError as error:
        raise PublishError(str(error)) from error


def _check_parity(bundle: Bundle) -> None:
    for role in bundle.spec.roles:
        key = "parity" if role == "generator" else f"{role}_parity"
        try:
            figures = bundle.spec.provenance[key]
            error, allowed = float(figures["max_abs_error"]), float(figures["tolerance"])
        except (KeyError, TypeError, ValueError, OverflowError):
            error, allowed = math.nan, 0.0
        if not error <= allowed < math.inf:
            raise PublishError(
                f"{bundle.path}: the config records no passed comparison of torch and onnxruntime "
                f"for the {role}. `ganzoo export {shell_word(bundle.path)}` runs one."
            )
