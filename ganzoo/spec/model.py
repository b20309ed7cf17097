"""The config.json of a bundle."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import re
from dataclasses import dataclass, field
from typing import Any

from ganzoo.errors import BundleError
from ganzoo.spec.data import MAX_IMAGE_NUMBERS, DataSpec, LatentSpec, SizesSpec, StyleSpec
from ganzoo.spec.json_text import read_json
from ganzoo.spec.parsing import (
    MAX_NAME,
    STRICT,
    check_integer,
    check_name,
    explain,
    is_finite,
    parse,
    shorten,
)

# Fields of the provenance.
_ORIGIN = ("recipe", "seed", "images_seen", "data")  # of the provenance of a training
INITIAL = "initial_weights"  # the trained model that the training started from
IMPORTED = "imported"  # the checkpoint of another project that the model comes from
ONNX = "onnx"  # why the networks have no ONNX files
METRICS = "metrics"  # evaluations: metrics, each with its protocol
PARAMETERS = "parameters"  # by role, the number of parameters of a network
ROUNDING = "rounding"  # by role, how much rounding the weights changes an output
SEEDS = "seeds"  # by seed, the metrics of all trainings of the recipe
STORED_AS = "stored_as"  # the precision that the weights were rounded to; fp16 if absent
UNIFORM_LABELS = "uniform: sample k has class k modulo the number of classes"  # of a protocol
WHOLE = "whole_images"  # of a protocol: how images were prepared that kept their sizes
FORMAT = 1  # version of config.json; raised if an older ganzoo cannot read the new format
MAX_CONFIG = 2**21  # bytes of config.json
MAX_VALUES = 2**18  # values in config.json
MAX_REASON = 300  # characters of the reason of a failed export
MAX_COMPUTE_BATCH = 256
# PEP 508 without URLs and markers, because the text is printed as part of a shell command.
_REQUIREMENT = re.compile(
    r"[A-Za-z0-9]++([-._]++[A-Za-z0-9]++)*+(\[[A-Za-z0-9,._-]+\])?[ 0-9A-Za-z.,*+<>=!~]*"
)
_PLUGIN = re.compile(r"([A-Za-z0-9._-]{1,100}) ([A-Za-z0-9.+!_-]{1,100})")


def is_parity(key: str) -> bool:
    """Return whether a field of the provenance holds the difference between the runtimes."""
    return key.endswith("parity")


@dataclass(frozen=True)
class ModelSpec:
    """The config.json of a bundle: how to build the generator, and its provenance.

    Attributes:
        name: the model's name.
        architecture: registered name of the architecture.
        arguments: all arguments of the architecture, including defaults.
        requires: PEP 508 requirements of the distribution that registers the architecture;
            empty if the program that trained the model registered it.
        data: the images that the model was trained on and generates.
        latent: the latents that the generator reads; None if it reads none.
        styles: the numbers of a generator with a mapping network; None for others.
        provenance: recipe, seed, images seen, time and hardware of the training, or the
            checkpoint of another project; versions, parity, and metrics with their protocol.
            Free-form JSON.
        inputs: inputs of the generator: latents ``z``, class labels ``y``, an image ``condition``
            of size `data.condition`.
        sizes: the sizes of images that a translator reads; None if only `data.condition`.
        roles: networks in the bundle: the generator and, for example, an encoder.
        training_roles: networks in the bundle that are kept for further training, such as a
            discriminator. They are not exported as ONNX.
        compute_batch: how many images the network computes at once, 1 to 256, on which the last
            bits of an image depend. None in bundles that do not state it: 16 images of up to
            128x128 pixels, or one larger image.
        format: version of the file format.
    """

    __pydantic_config__ = STRICT

    name: str
    architecture: str
    arguments: dict[str, Any]
    requires: tuple[str, ...]
    data: DataSpec
    latent: LatentSpec | None
    styles: StyleSpec | None = None
    provenance: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ("z",)
    sizes: SizesSpec | None = None
    roles: tuple[str, ...] = ("generator",)
    training_roles: tuple[str, ...] = ()
    compute_batch: int | None = None
    format: int = FORMAT

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.architecture) > MAX_NAME:
            raise ValueError(
                f"the architecture {self.architecture[:80]!r}... is longer than {MAX_NAME} "
                "characters"
            )
        if self.format > FORMAT:
            raise ValueError(
                f"format {self.format} is newer than this version of ganzoo reads ({FORMAT}). "
                "Update the clone of ganzoo and run pip install '.[train]' in it"
            )
        if set(self.inputs) not in ({"z"}, {"z", "y"}, {"condition"}, {"condition", "z"}) or (
            len(set(self.inputs)) < len(self.inputs)
        ):
            raise ValueError(
                f"the inputs of the generator are {', '.join(self.inputs) or 'empty'}; they must "
                "be z, z and y, condition, or condition and z"
            )
        for requirement in self.requires:
            if len(requirement) > MAX_NAME or not _REQUIREMENT.fullmatch(requirement):
                raise ValueError(
                    f"the requirement {requirement[:80]!r} is not a distribution with versions, "
                    "such as acme-gans>=1.2"
                )
        if not is_finite(self.arguments):
            raise ValueError("the arguments contain a number that is not finite")
        described = {
            "condition": self.data.condition is not None,
            "z": self.latent is not None,
            "y": self.data.classes > 0,
        }
        for name in self.inputs:
            if not described[name]:
                raise ValueError(
                    f"the generator reads {name!r}, which the config does not describe"
                )
        if self.styles is not None and "z" not in self.inputs:
            raise ValueError("the generator has styles but reads no latents z")
        self._check_sizes()
        if self.compute_batch is not None:
            numbers = math.prod(self.data.image.shape)
            largest = min(MAX_COMPUTE_BATCH, MAX_IMAGE_NUMBERS // numbers)
            check_integer("compute_batch", self.compute_batch, 1, largest)
        for role in (*self.roles, *self.training_roles):
            check_name(role)
        if set(self.roles) & set(self.training_roles):
            raise ValueError("a network is in both roles and training_roles")
        if self.roles[:1] != ("generator",):
            raise ValueError("the first of the roles must be 'generator'")

    def _check_sizes(self) -> None:
        sizes, image, condition = self.sizes, self.data.image, self.data.condition
        if sizes is None:
            return
        if condition is None or "condition" not in self.inputs:
            raise ValueError("it has sizes, but the generator reads no condition")
        sides = (condition.height, condition.width)
        enlarged = tuple(sizes.scale * side for side in sides)
        if (image.height, image.width) != enlarged or sides != tuple(map(sizes.padded, sides)):
            raise ValueError(
                f"its sizes are multiples of {sizes.multiple} from {sizes.smallest} pixels, and "
                f"images are {sizes.scale} times as large as conditions, but the data has "
                f"{condition} and {image}"
            )

    @property
    def contract(self) -> tuple[Any, ...]:
        """The part of the config that the weights depend on; equal in every copy of the config."""
        data = self.data
        roles = (self.roles, self.training_roles)
        sizes = self.sizes and self.sizes.of_network
        inputs = (self.latent, self.styles, self.inputs, sizes)
        network = (self.architecture, self.arguments, *inputs, *roles)
        return (*network, data.image, data.classes, data.condition)

    def recorded(self, *path: str) -> dict[str, Any]:
        """Return a copy of a table in the provenance, such as ``recorded("recipe", "dataset")``.

        It is empty if the provenance, which is free-form, has no such table.
        """
        value: Any = self.provenance
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return dict(value) if isinstance(value, dict) else {}

    @property
    def weights_id(self) -> str:
        """Identifies the weights by their origin, however they are stored: a SHA-256.

        Models of one name can have other weights. It depends on the training, or on the imported
        file and the part of it, and not on what is added later, such as metrics.
        """
        origin = {key: self.provenance.get(key) for key in _ORIGIN}
        if history := self.provenance.get("history"):
            origin["history"] = history
        imported = self.recorded(IMPORTED)
        origin[IMPORTED] = imported.get("sha256")
        if imported:
            origin["part"] = [imported.get("network"), imported.get("options")]
        if initial := self.recorded(INITIAL):
            origin[INITIAL] = initial.get("weights_id")
        return hashlib.sha256(json.dumps(origin, sort_keys=True).encode()).hexdigest()

    @property
    def onnx_failure(self) -> str:
        """Why the export to ONNX failed, so that torch alone runs the networks; usually empty."""
        reason = self.provenance.get(ONNX)
        return shorten(reason, MAX_REASON).rstrip(".") if isinstance(reason, str) else ""

    @property
    def license(self) -> str:
        """The licences of the weights, as identifiers or names; empty if they are not known."""
        return " and ".join(each["name"] or each["id"] for each in self.licenses)

    @property
    def licenses(self) -> tuple[dict[str, str], ...]:
        """The licences of the weights; empty if they are not known.

        They are that of the imported checkpoint, or of the training data. A model that started from
        the weights of another one has the licences of that model, too.

        Returns:
            For each, the Hub's identifier as ``id``; and ``name`` and ``link``, which are empty if
            the identifier is not ``other``.
        """
        data = {"id": self.data.license or ""}
        if IMPORTED in self.provenance:
            sources = [self.recorded(IMPORTED, "license") or data]
        elif initial := self.recorded(INITIAL):
            theirs = initial.get("licenses")
            theirs = (
                [each for each in theirs if isinstance(each, dict)]
                if isinstance(theirs, list)
                else []
            )
            sources = [*theirs, data] if theirs else []
        else:
            sources = [data]
        licenses = [{k: str(each.get(k) or "") for k in ("id", "name", "link")} for each in sources]
        known = [each for each in licenses if each["id"] or each["name"]]
        return tuple(each for k, each in enumerate(known) if each not in known[:k])

    def provider_of(self, kind: str) -> tuple[str, str] | None:
        """Return the distribution and version that provided a component of the recipe.

        Args:
            kind: ``architecture``, ``loss``, ``dataset`` or ``recipe``.

        Returns:
            None if the provenance, which is free-form, does not state them.
        """
        plugin = self.recorded("plugins").get(kind)
        match = _PLUGIN.fullmatch(plugin) if isinstance(plugin, str) else None
        return (match[1], match[2]) if match else None

    def to_json(self) -> str:
        """Return the config as indented JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, *, where: str = "config.json") -> ModelSpec:
        """Parse and check an untrusted config.

        Raises:
            BundleError: the text is not JSON or too long; a field is unknown, missing, repeated,
                of the wrong type or out of range.
        """
        from pydantic import ValidationError

        if len(text) > MAX_CONFIG:
            raise BundleError(
                f"{where} is not a valid ganzoo config: it has {len(text):,} characters; the limit "
                f"is {MAX_CONFIG:,}. Get the bundle again."
            )
        commas = text.count(",") if isinstance(text, str) else text.count(b",")
        if commas > MAX_VALUES:
            raise BundleError(
                f"{where} is not a valid ganzoo config: it has more than {MAX_VALUES:,} values. "
                "Get the bundle again."
            )
        try:
            spec: ModelSpec = parse(cls, text)
            read_json(text)  # other programs may read a repeated field otherwise
        except ValueError as error:
            if isinstance(error, ValidationError):
                reason = explain(error, cls)
            else:
                reason = f"{shorten(str(error))}."
            raise BundleError(
                f"{where} is not a valid ganzoo config: {reason} "
                "The bundle is damaged or was not written by ganzoo. Get it again."
            ) from error
        return spec
