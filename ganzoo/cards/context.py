"""The input of a card: a bundle, and the address where readers find it."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganzoo.bundle import CARD, Bundle, read_checksums, weights_name
from ganzoo.bundle.summary import count_parameters, is_on_training_images
from ganzoo.bundle.tensors import read_header
from ganzoo.errors import GanzooError
from ganzoo.registry import models
from ganzoo.sampling.sizes import LARGE_SAMPLES, SAMPLES
from ganzoo.spec import IMPORTED, INITIAL, METRICS, ModelSpec

DTYPES = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64", "I8": "int8"}
HERE = "."  # address of a bundle that is no registered model, in the folder of its card


@dataclass(frozen=True)
class Location:
    """The address where the readers of a card find the model.

    Attributes:
        address: name that `load` accepts: ``dcgan-mnist``, ``hf://org/name@branch``, or `HERE`,
            the folder of the card, which anybody may rename.
        files: prefix of image file names in the header, such as a URL up to its last ``/``.
    """

    address: str
    files: str = ""

    def download(self, file: str, folder: str) -> str:
        """Return the command that fetches a file from the Hub; empty if the model is not there."""
        scheme, _, hosted = self.address.rpartition("hf://")
        if scheme or hosted == self.address:
            return ""
        repository, _, branch = hosted.partition("@")
        words = ["hf", "download", repository, file, *(["--revision", branch] * bool(branch))]
        return shlex.join([*words, "--local-dir", folder])


@dataclass(frozen=True)
class CardContext:
    """The model that a card describes.

    Attributes:
        spec: the model's config.
        folder: folder of the model's files.
        digests: SHA-256 of every file except the card, by name.
        place: address where readers find the model.
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
        """Return the context of a model's files.

        Args:
            spec: the model's config.
            folder: folder of its files.
            digests: SHA-256 of every file, by name.
            place: address for readers; by default the model's registered name, or `HERE`.
        """
        digests = {name: digest for name, digest in digests.items() if name != CARD}
        return cls(spec, folder, digests, place or Location(_find_address(spec, digests)))

    @property
    def samples(self) -> str:
        """Name of the file of sample images; empty if there is none."""
        return next((name for name in (SAMPLES, LARGE_SAMPLES) if name in self.digests), "")

    @classmethod
    def of(cls, bundle: Bundle) -> CardContext:
        """Return the context of a bundle in its folder.

        Raises:
            BundleError: the bundle has no checksums.
        """
        return cls.at(bundle.spec, bundle.path, read_checksums(bundle.path))

    @property
    def provenance(self) -> dict[str, Any]:
        """The provenance in the model's config."""
        return self.spec.provenance

    @property
    def imported(self) -> dict[str, Any]:
        """The checkpoint of another project that the model comes from; empty if it has none."""
        return self.spec.recorded(IMPORTED)

    @property
    def lacks_image_license(self) -> bool:
        """Whether the model started from trained weights, on images without a licence."""
        return bool(self.initial) and not self.spec.data.license

    @property
    def initial(self) -> dict[str, Any]:
        """The trained model that the training started from; empty if it started from none."""
        return self.spec.recorded(INITIAL)

    @property
    def loss(self) -> str:
        """Registered name of the loss; empty if the model was imported."""
        return "" if self.imported else str(self.provenance["recipe"]["loss"]["name"])

    @property
    def description(self) -> str:
        """The author's description in one line; may be empty."""
        return str((self.imported or self.provenance["recipe"])["description"])

    @property
    def is_autoencoder(self) -> bool:
        """Whether the model was trained without a discriminator."""
        return (
            "encoder" in self.spec.roles
            and not self.imported
            and "discriminator_steps" not in self.provenance["recipe"]["loss"]
        )

    @property
    def evaluations(self) -> list[dict[str, Any]]:
        """The evaluations in the config, those against the training images first."""
        evaluations = self.provenance.get(METRICS) or []
        return sorted(evaluations, key=lambda each: not self.is_on_training_images(each))

    def is_on_training_images(self, evaluation: Mapping[str, Any]) -> bool:
        """Whether an evaluation compares with the images that the model was trained on."""
        return is_on_training_images(self.spec, evaluation["protocol"])

    @property
    def task(self) -> str:
        """The Hub's name for the model's task.

        The Hub has no task for images of a class, and lists such models with the unconditional
        ones. A tag of the card distinguishes them.
        """
        translates = "condition" in self.spec.inputs
        return "image-to-image" if translates else "unconditional-image-generation"

    def weights(self, role: str) -> tuple[int, str]:
        """Return a network's number of parameters and their dtype.

        Raises:
            BundleError: the file cannot be read.
        """
        weights = self.folder / weights_name(role)
        kinds = {tensor.dtype for tensor in read_header(weights).values()} & DTYPES.keys()
        dtypes = " and ".join(sorted(DTYPES[kind] for kind in kinds))
        return count_parameters(self.spec, role, weights), dtypes


def _find_address(spec: ModelSpec, digests: Mapping[str, str]) -> str:
    """Return the model's name if these weights are registered under it, else `HERE`."""
    weights = weights_name("generator")
    with contextlib.suppress(GanzooError):
        registered = models.get(spec.name) if spec.name in models else None
        if isinstance(registered, Path) and read_checksums(registered).get(weights) == digests.get(
            weights
        ):
            return spec.name
    return HERE
