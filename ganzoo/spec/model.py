"""A bundle's config.json."""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass, field
from typing import Any

from ganzoo.errors import BundleError
from ganzoo.spec.data import DataSpec, LatentSpec
from ganzoo.spec.parsing import MAX_NAME, STRICT, check_name, explain, is_finite, parse

# Fields of a provenance.
METRICS = "metrics"  # evaluations: figures, each with its protocol
ROUNDING = "rounding"  # by role, how far weights stored in fewer bits move an output
SEEDS = "seeds"  # by seed, the figures of other trainings of the same recipe, and of this one
STORED_AS = "stored_as"  # the precision that weights were rounded to; without it, fp16
FORMAT = 1  # of config.json; raised when an older ganzoo could no longer read it
MAX_CONFIG = 2**21  # bytes of config.json
MAX_VALUES = 2**18  # in it
# The form of PEP 508 that names versions: it is shown to be typed into a shell.
_REQUIREMENT = re.compile(
    r"[A-Za-z0-9]+([-._]+[A-Za-z0-9]+)*(\[[A-Za-z0-9,._-]+\])?[ 0-9A-Za-z.,*+<>=!~]*"
)
_MADE_BY = re.compile(r"([A-Za-z0-9._-]{1,100}) ([A-Za-z0-9.+!_-]{1,100})")


@dataclass(frozen=True)
class ModelSpec:
    """A bundle's config.json: how to build the generator, and where it comes from.

    Attributes:
        name: the model's name.
        architecture: registered name of the architecture.
        arguments: all its arguments, none left to a default.
        requires: PEP 508 requirements of the distribution that registers the architecture;
            empty if it was registered in the program that trained it.
        data: the images the model was trained on and makes.
        latent: the latents the generator reads, or None where it reads none.
        provenance: how it was made: recipe, seed, images seen, time, hardware, versions, parity,
            metrics with their protocol. Free-form JSON.
        inputs: what the generator reads: latents ``z``, a class's number ``y``, an image
            ``condition`` of size `data.condition`.
        roles: the networks the bundle holds: the generator and, say, an encoder.
        format: version of this file's format.
    """

    __pydantic_config__ = STRICT

    name: str
    architecture: str
    arguments: dict[str, Any]
    requires: tuple[str, ...]
    data: DataSpec
    latent: LatentSpec | None
    provenance: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ("z",)
    roles: tuple[str, ...] = ("generator",)
    format: int = FORMAT

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.architecture) > MAX_NAME:
            raise ValueError(f"the architecture {self.architecture[:80]!r}... is no name")
        if self.format > FORMAT:
            raise ValueError(
                f"format {self.format} is newer than this ganzoo reads ({FORMAT}): "
                "pip install --upgrade torch-ganzoo"
            )
        if set(self.inputs) not in ({"z"}, {"z", "y"}, {"condition"}, {"condition", "z"}) or (
            len(set(self.inputs)) < len(self.inputs)
        ):
            raise ValueError(
                f"the generator reads {', '.join(self.inputs) or 'nothing'}; it may read z, z and "
                "y, condition, or condition and z"
            )
        for requirement in self.requires:
            if not _REQUIREMENT.fullmatch(requirement) or len(requirement) > MAX_NAME:
                raise ValueError(
                    f"the requirement {requirement[:80]!r} is no distribution and its versions"
                )
        if not is_finite(self.arguments):
            raise ValueError("the arguments hold a number that is not finite")
        known = {
            "condition": self.data.condition is not None,
            "z": self.latent is not None,
            "y": self.data.classes > 0,
        }
        for name in self.inputs:
            if not known[name]:
                raise ValueError(f"the generator reads {name!r}, of which nothing is said")
        for role in self.roles:
            check_name(role)
        if self.roles[:1] != ("generator",):
            raise ValueError("its roles do not begin with 'generator'")

    @property
    def contract(self) -> tuple[Any, ...]:
        """The part that the weights depend on; the same wherever the config is repeated."""
        data = self.data
        network = (self.architecture, self.arguments, self.latent, self.inputs, self.roles)
        return (*network, data.image, data.classes, data.condition)

    def made_by(self, kind: str) -> tuple[str, str] | None:
        """Return distribution and version behind a component of the recipe.

        Args:
            kind: ``architecture``, ``loss``, ``dataset`` or ``recipe``.

        Returns:
            None where the provenance, which is free-form, does not say.
        """
        plugins = self.provenance.get("plugins")
        said = plugins.get(kind) if isinstance(plugins, dict) else None
        match = _MADE_BY.fullmatch(said) if isinstance(said, str) else None
        return (match[1], match[2]) if match else None

    def to_json(self) -> str:
        """Return the config as indented JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes, *, where: str = "config.json") -> ModelSpec:
        """Parse and check a config that nobody vouches for.

        Raises:
            BundleError: not JSON, or too much of it; an unknown or missing field, a wrong type, an
                absurd size.
        """
        from pydantic import ValidationError

        if len(text) > MAX_CONFIG:
            raise BundleError(
                f"{where} is not a valid ganzoo config: it has {len(text):,} characters, at most "
                f"{MAX_CONFIG:,} are read."
            )
        commas = text.count(",") if isinstance(text, str) else text.count(b",")
        if commas > MAX_VALUES:
            raise BundleError(
                f"{where} is not a valid ganzoo config: it has more than {MAX_VALUES:,} values."
            )
        try:
            found: ModelSpec = parse(cls, text)
        except ValidationError as error:
            raise BundleError(
                f"{where} is not a valid ganzoo config: {explain(error, cls)} "
                "The bundle is damaged or was not written by ganzoo; get it again."
            ) from error
        return found
