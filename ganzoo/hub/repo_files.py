"""What of a bundle is published: named files alone, and only of a bundle that is fit for it."""

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
    open_bundle,
    read_checksums,
    weights_name,
)
from ganzoo.errors import CardError, PublishError
from ganzoo.hub.card import check_card, sign_card
from ganzoo.hub.client import PUBLIC
from ganzoo.registry.names import HubName


@dataclass(frozen=True)
class RepoFiles:
    """The files that travel, by their name in the repository.

    The card is not in SHA256SUMS: its owner may edit it on the Hub.

    Attributes:
        contents: the files, or what is in them.
        digests: SHA-256 of each.
    """

    contents: dict[str, Path | bytes]
    digests: dict[str, str]

    @property
    def card(self) -> str:
        """The card's text."""
        return read(self.contents[CARD]).decode()

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of each file."""
        return {
            name: len(c) if isinstance(c, bytes) else c.stat().st_size
            for name, c in self.contents.items()
        }


def pack(path: Path, repository: str, branch: str | None = None) -> RepoFiles:
    """Choose what is published of a bundle, under ``hf://repository``, by default on main.

    Raises:
        NotABundleError, BundleError: no bundle, or a damaged one.
        PublishError: its runtimes were not compared or differ, a file is missing, its card is
            unfinished, its licence is none that the Hub knows.
    """
    bundle = open_bundle(path)
    listed = read_checksums(path)
    _check_parity(bundle)
    networks = [name(r) for r in bundle.spec.roles for name in (weights_name, onnx_name)]
    for name in (CONFIG, CARD, *networks):
        if name not in listed:
            raise PublishError(f"{path} holds no {name}. `ganzoo export {path}` writes it.")
    pictures = sorted(name for name in listed if name.endswith(".png") and "/" not in name)
    names = [CONFIG, *networks, *pictures, *(name for name in (RECIPE, LOG) if name in listed)]
    contents: dict[str, Path | bytes] = {name: path / name for name in names}
    digests = {name: listed[name] for name in names}
    card = _published_card(cards.CardContext.at(bundle.spec, path, digests), repository, branch)
    for name, text in {CHECKSUMS: format_checksums(digests), CARD: sign_card(card)}.items():
        contents[name] = text.encode()
        digests[name] = hashlib.sha256(text.encode()).hexdigest()
    return RepoFiles(contents, digests)


def read(content: Path | bytes) -> bytes:
    """Return the bytes of a file that travels."""
    return content if isinstance(content, bytes) else content.read_bytes()


def _published_card(subject: cards.CardContext, repository: str, branch: str | None) -> str:
    """The card of a bundle, as its readers on the Hub need it."""
    try:
        card = cards.read(subject.folder)
        assert card is not None  # the checksums list it
        check_card(card)
        if wrong := cards.find_wrong_figures(subject, card):
            raise PublishError(f"{wrong[0]} `ganzoo card write {subject.folder}` renews it.")
        if not cards.has_blocks(card):
            return card
        revision = quote(branch or constants.DEFAULT_REVISION, safe="")
        files = f"{PUBLIC}/{repository}/resolve/{revision}/"
        address = str(HubName(repository, branch))
        there = replace(subject, place=cards.Location(address, files))
        return cards.compose(there, card)
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
                f"{bundle.path}: its config states no passed comparison of torch and onnxruntime "
                f"on the {role}. `ganzoo export {bundle.path}` makes one."
            )
