"""What a card is of: a bundle, and by what name its readers reach it."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganzoo.bundle import CARD, Bundle, read_checksums, weights_name
from ganzoo.bundle.summary import count_parameters
from ganzoo.bundle.tensors import read_header
from ganzoo.errors import GanzooError
from ganzoo.registry import models
from ganzoo.spec import ModelSpec

DTYPES = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64", "I8": "int8"}


@dataclass(frozen=True)
class Location:
    """Where the readers of a card find the model.

    Attributes:
        address: what `load` takes: ``dcgan-mnist``, ``./folder`` or ``hf://org/name@branch``.
        files: what precedes the name of a picture in the header, such as a URL up to its ``/``.
    """

    address: str
    files: str = ""

    def download(self, file: str, folder: str) -> str:
        """The command that fetches a file from the Hub; empty where the model is not there."""
        scheme, _, hosted = self.address.rpartition("hf://")
        if scheme or hosted == self.address:
            return ""
        repository, _, branch = hosted.partition("@")
        words = ["hf", "download", repository, file, *(["--revision", branch] * bool(branch))]
        return shlex.join([*words, "--local-dir", folder])


@dataclass(frozen=True)
class CardContext:
    """What a card is of.

    Attributes:
        spec: the model's config.
        folder: where its files lie.
        digests: SHA-256 of every file but the card, by name.
        place: where readers find it.
    """

    spec: ModelSpec
    folder: Path
    digests: Mapping[str, str]
    place: Location

    @classmethod
    def at(
        cls,
        spec: ModelSpec,
        folder: Path,
        digests: Mapping[str, str],
        place: Location | None = None,
    ) -> CardContext:
        """Return a model by its files; readers find it by its registered name or its folder's."""
        others = {name: found for name, found in digests.items() if name != CARD}
        return cls(spec, folder, others, place or Location(_find_address(spec, others)))

    @classmethod
    def of(cls, bundle: Bundle) -> CardContext:
        """Return a bundle as it lies in its folder.

        Raises:
            BundleError: it has no checksums.
        """
        return cls.at(bundle.spec, bundle.path, read_checksums(bundle.path))

    @property
    def made(self) -> dict[str, Any]:
        """How it was made: the provenance."""
        return self.spec.provenance

    @property
    def is_autoencoder(self) -> bool:
        """Whether it was trained without an adversary: only such a game has a critic's steps."""
        return (
            "encoder" in self.spec.roles
            and "discriminator_steps" not in self.made["recipe"]["loss"]
        )

    @property
    def task(self) -> str:
        """The Hub's name for what it does."""
        translates = "condition" in self.spec.inputs
        return "image-to-image" if translates else "unconditional-image-generation"

    def weights(self, role: str) -> tuple[int, str]:
        """Return how many parameters a network has, and their type, from their header.

        Raises:
            BundleError: the file cannot be read.
        """
        weights = self.folder / weights_name(role)
        kinds = {tensor.dtype for tensor in read_header(weights).values()} & DTYPES.keys()
        return count_parameters(weights), " and ".join(sorted(DTYPES[kind] for kind in kinds))


def _find_address(spec: ModelSpec, digests: Mapping[str, str]) -> str:
    """The model's registered name, where its weights are those that are registered under it."""
    weights = weights_name("generator")
    with contextlib.suppress(GanzooError):
        found = models.get(spec.name) if spec.name in models else None
        if isinstance(found, Path) and read_checksums(found).get(weights) == digests.get(weights):
            return spec.name
    return f"./{spec.name}"
