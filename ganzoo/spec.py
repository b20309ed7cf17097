"""The words of the house as frozen dataclasses, and their JSON and TOML."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ganzoo.errors import BundleError, RecipeError, did_you_mean, enumerate_names, missing_extra

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

# Fields of a provenance.
METRICS = "metrics"  # evaluations: figures, each with its protocol
ROUNDING = "rounding"  # by role, how far weights stored in fewer bits move an output
SEEDS = "seeds"  # by seed, the figures of other trainings of the same recipe, and of this one
STORED_AS = "stored_as"  # the precision that weights were rounded to; without it, fp16

FORMAT = 1  # of config.json; raised when an older ganzoo could no longer read it

MAX_CONFIG = 2**21  # bytes of config.json
MAX_VALUES = 2**18  # in it
MAX_NAME = 200  # characters
MAX_EXPLAINED = 1_000  # mistakes, of which three are told
MAX_IMAGE_SIZE = 4096
MAX_CHANNELS = 64
MAX_IMAGE_NUMBERS = 4 * MAX_IMAGE_SIZE**2  # in one image; images are made by the dozen
MAX_LATENT_DIM = 65536
MAX_CLASSES = 100_000
UNBOUNDED = 2**62

_STRICT: dict[str, Any] = {"extra": "forbid", "strict": True}


_NAME = re.compile(r"[A-Za-z0-9]+([-._][A-Za-z0-9]+)*")  # so that it can name a folder
# The form of PEP 508 that names versions: it is shown to be typed into a shell.
_REQUIREMENT = re.compile(
    r"[A-Za-z0-9]+([-._]+[A-Za-z0-9]+)*(\[[A-Za-z0-9,._-]+\])?[ 0-9A-Za-z.,*+<>=!~]*"
)

_MADE_BY = re.compile(r"([A-Za-z0-9._-]{1,100}) ([A-Za-z0-9.+!_-]{1,100})")


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME:
        raise ValueError(f"the name {name[:80]!r} is not a few words joined by '-', '.' or '_'")


def _check_range(what: str, value: float, low: float, high: float) -> None:
    if low <= value <= high:
        return
    too_large = isinstance(value, int) and abs(value) > UNBOUNDED**8  # for a float
    shown = "beyond all measure" if too_large else f"{value:g}"
    if value < low and high >= UNBOUNDED:
        raise ValueError(f"{what} is {shown}, it must be at least {low:g}")
    raise ValueError(f"{what} is {shown}, it must lie between {low:g} and {high:g}")


@dataclass(frozen=True)
class ImageSpec:
    """Size of an image. As a tensor it is (channels, height, width) in [-1, 1].

    Raises:
        ValueError: a size below 1 or absurdly large.
    """

    __pydantic_config__ = _STRICT

    height: int
    width: int
    channels: int

    def __post_init__(self) -> None:
        _check_range("image height", self.height, 1, MAX_IMAGE_SIZE)
        _check_range("image width", self.width, 1, MAX_IMAGE_SIZE)
        _check_range("image channels", self.channels, 1, MAX_CHANNELS)
        numbers = self.height * self.width * self.channels
        _check_range("height x width x channels of the image", numbers, 1, MAX_IMAGE_NUMBERS)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        return (self.channels, self.height, self.width)

    def __str__(self) -> str:
        return f"{self.height}x{self.width}x{self.channels}"


@dataclass(frozen=True)
class LatentSpec:
    """What a generator reads: float32 vectors of length `dim` drawn from N(0, 1)."""

    __pydantic_config__ = _STRICT

    dim: int

    def __post_init__(self) -> None:
        _check_range("latent dim", self.dim, 1, MAX_LATENT_DIM)


@dataclass(frozen=True)
class DataSpec:
    """What a dataset holds, as far as an architecture needs to know.

    Attributes:
        image: size of one image.
        classes: number of classes, 0 where images carry no label.
        labels: names of the classes, in the order of their numbers.
        license: Hub id of the data's licence, such as ``cc-by-sa-3.0``, if it is known.
        source: where the data comes from, in a few words for the card.
        condition: size of the image that comes with each image and that it is to be made from;
            None where images come alone.
        paired: whether that image is its own counterpart, or any of another domain.
        extractor: registered name of the extractor by whose features the images are usually
            compared; empty where the data does not say.
        hub: the data set's id on the Hugging Face Hub, such as ``ylecun/mnist``; empty where it is
            not known to lie there.
    """

    __pydantic_config__ = _STRICT

    image: ImageSpec
    classes: int = 0
    labels: tuple[str, ...] = ()
    license: str | None = None
    source: str = ""
    condition: ImageSpec | None = None
    paired: bool = True
    extractor: str = ""
    hub: str = ""

    def __post_init__(self) -> None:
        _check_range("number of classes", self.classes, 0, MAX_CLASSES)
        if self.labels and len(self.labels) != self.classes:
            raise ValueError(f"{len(self.labels)} labels name {self.classes} classes")
        for label in self.labels:
            if not label.isprintable():
                raise ValueError(f"the label {label[:80]!r} holds characters that do not print")


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
            ``source`` of size `data.condition`.
        roles: the networks the bundle holds: the generator and, say, an encoder.
        format: version of this file's format.
    """

    __pydantic_config__ = _STRICT

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
        _check_name(self.name)
        if len(self.architecture) > MAX_NAME:
            raise ValueError(f"the architecture {self.architecture[:80]!r}... is no name")
        if self.format > FORMAT:
            raise ValueError(
                f"format {self.format} is newer than this ganzoo reads ({FORMAT}): "
                "pip install --upgrade torch-ganzoo"
            )
        if set(self.inputs) not in ({"z"}, {"z", "y"}, {"source"}, {"source", "z"}) or (
            len(set(self.inputs)) < len(self.inputs)
        ):
            raise ValueError(
                f"the generator reads {', '.join(self.inputs) or 'nothing'}; it may read z, z and "
                "y, source, or source and z"
            )
        for requirement in self.requires:
            if not _REQUIREMENT.fullmatch(requirement) or len(requirement) > MAX_NAME:
                raise ValueError(
                    f"the requirement {requirement[:80]!r} is no distribution and its versions"
                )
        if not _is_finite(self.arguments):
            raise ValueError("the arguments hold a number that is not finite")
        known = {
            "source": self.data.condition is not None,
            "z": self.latent is not None,
            "y": self.data.classes > 0,
        }
        for name in self.inputs:
            if not known[name]:
                raise ValueError(f"the generator reads {name!r}, of which nothing is said")
        for role in self.roles:
            _check_name(role)
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
            found: ModelSpec = _parse(cls, text)
        except ValidationError as error:
            raise BundleError(
                f"{where} is not a valid ganzoo config: {_explain(error, cls)} "
                "The bundle is damaged or was not written by ganzoo; get it again."
            ) from error
        return found


@dataclass(frozen=True)
class Component:
    """A registered name and the arguments that differ from its defaults."""

    __pydantic_config__ = _STRICT

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Optimizer:
    """One of torch.optim's optimizers; every player of a loss has its own.

    Attributes:
        name: which optimizer.
        lr: learning rate.
        betas: decay of Adam's two moments.
        weight_decay: as the optimizer defines it.
        warmup: images over which learning rates rise linearly from 0.
        decay: shape of the fall of learning rates.
        decay_start: share of the run after which learning rates fall; at 1 they never do.
        decay_to: share of the learning rate that is left at the end of the run.
        clip_norm: a player's gradient is shortened to this Euclidean norm; 0 leaves it.
    """

    __pydantic_config__ = _STRICT

    name: Literal["adam", "adamw", "rmsprop", "sgd"] = "adam"
    lr: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    weight_decay: float = 0.0
    warmup: int = 0
    decay: Literal["linear", "cosine"] = "linear"
    decay_start: float = 1.0
    decay_to: float = 0.1
    clip_norm: float = 0.0

    def __post_init__(self) -> None:
        _check_range("optimizer.lr", self.lr, 0.0, 100.0)
        for beta in self.betas:
            _check_range("optimizer.betas", beta, 0.0, 1.0 - 1e-9)
        _check_range("optimizer.weight_decay", self.weight_decay, 0.0, 100.0)
        _check_range("optimizer.warmup", self.warmup, 0, UNBOUNDED)
        _check_range("optimizer.clip_norm", self.clip_norm, 0.0, UNBOUNDED)
        _check_range("optimizer.decay_start", self.decay_start, 0.0, 1.0)
        _check_range("optimizer.decay_to", self.decay_to, 0.0, 1.0)


@dataclass(frozen=True)
class Recipe:
    """Everything it takes to train a model again. Time is counted in images, not in steps.

    A tick is one turn of every player that is due; it counts `batch_size` images however many
    batches its players draw.

    Attributes:
        architecture: networks; in TOML a table of its name and its arguments.
        loss: the game they play; likewise.
        dataset: the images; likewise.
        images: images to train on, over the whole run, rounded up to whole batches.
        name: the model's name.
        description: one line for people.
        batch_size: images in a batch.
        optimizer: every player's optimizer.
        learning_rates: learning rate of single players, by name, instead of `optimizer.lr`.
        initialisation: of all weights: the architecture's ``own``, ``normal`` N(0, 0.02), or
            ``orthogonal`` convolutions and linear layers.
        spectral_norm: divide every weight of the networks that judge by its largest singular
            value, whatever the architecture (Miyato et al., 2018).
        ema_halflife: images after which half of an old weight is forgotten in the averaged
            generator, the one that is sampled and exported; 0 averages nothing.
        seed: of initialisation, order of the data, latents.
        precision: ``auto`` is bf16 autocast on CUDA and fp32 elsewhere; fp16 scales losses so that
            small gradients are not lost.
        accumulate: parts that a batch is computed in, one after the other, where it is too large
            for the memory; statistics over a batch are then those of a part.
        channels_last: whether images lie in memory pixel by pixel, in which form convolutions run
            faster on CPUs and GPUs alike.
        compile: whether networks go through torch.compile: for long runs, since that takes from ten
            seconds to minutes at the start. Penalties on gradients use them as they are.
        deterministic: whether only algorithms that always give the same bits may run on a GPU.
        sync_batchnorm: whether BatchNorm takes its statistics over the batches of all processes;
            otherwise each has its own.
        streaming: whether images are read anew in every epoch, by processes of their own, instead
            of kept in memory decoded: ``auto`` where they would take more than a quarter of what
            memory is free. Either way every batch is the same.
        log_every: images between two lines of the log.
        sample_every: images between two sample grids; 0 for the last alone.
        checkpoint_every: images between two checkpoints; 0 for the last alone.
        keep_checkpoints: newest checkpoints that are kept.
        evaluate_every: images between two evaluations, whose figures go to metrics.jsonl; 0 for
            none.
        evaluate_samples: images that are made for an evaluation.
        evaluate_with: registered name of the extractor by whose features samples and data are
            compared; by default the data's own.
        keep_best: a number of the log, such as ``autoencoder/reconstruction``, where its average
            since the last checkpoint is the lowest so far; or a metric, such as
            ``frechet_distance``, where an evaluation finds the best value so far: the bundle is
            then kept as ``best`` too.

    Raises:
        ValueError: a number out of its range.
    """

    __pydantic_config__ = _STRICT

    architecture: Component
    loss: Component
    dataset: Component
    images: int
    name: str = "custom"
    description: str = ""
    batch_size: int = 64
    optimizer: Optimizer = field(default_factory=Optimizer)
    learning_rates: dict[str, float] = field(default_factory=dict)
    initialisation: Literal["own", "normal", "orthogonal"] = "own"
    spectral_norm: bool = False
    ema_halflife: int = 10_000
    seed: int = 0
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    accumulate: int = 1
    channels_last: bool = True
    compile: bool = False
    deterministic: bool = False
    sync_batchnorm: bool = False
    streaming: Literal["auto", "on", "off"] = "auto"
    log_every: int = 1_000
    sample_every: int = 50_000
    checkpoint_every: int = 100_000
    keep_checkpoints: int = 2
    evaluate_every: int = 0
    evaluate_samples: int = 2_000
    evaluate_with: str = ""
    keep_best: str = ""

    def __post_init__(self) -> None:
        _check_name(self.name)
        for name, low in (
            ("images", 1),
            ("batch_size", 1),
            ("accumulate", 1),
            ("ema_halflife", 0),
            ("seed", 0),
            ("log_every", 1),
            ("sample_every", 0),
            ("checkpoint_every", 0),
            ("keep_checkpoints", 1),
            ("evaluate_every", 0),
            ("evaluate_samples", 2),
        ):
            _check_range(name, getattr(self, name), low, UNBOUNDED)
        if self.batch_size % self.accumulate:
            raise ValueError(
                f"a batch of {self.batch_size} has no {self.accumulate} equal parts: accumulate "
                "divides batch_size"
            )
        if self.keep_best and "/" not in self.keep_best and not self.evaluate_every:
            raise ValueError(
                f"keep_best is {self.keep_best!r}, a metric, and nothing is evaluated: set "
                "evaluate_every too, or name a number of the log, such as generator/adversarial"
            )
        for player, lr in self.learning_rates.items():
            _check_range(f"learning_rates.{player}", lr, 0.0, 100.0)

    @classmethod
    def from_dict(cls, table: Mapping[str, Any], *, where: str = "the recipe") -> Recipe:
        """Check a parsed TOML table.

        Raises:
            RecipeError: an unknown field, a wrong type, a number out of range, a missing field.
        """
        from pydantic import ValidationError

        fields = dict(table)
        for part in ("architecture", "loss", "dataset"):
            if isinstance(given := fields.get(part), str):
                fields[part] = {"name": given}
            elif isinstance(given, Mapping) and "name" in given:
                arguments = {key: value for key, value in given.items() if key != "name"}
                fields[part] = {"name": given["name"], "arguments": arguments}
        try:
            # By way of JSON, where a TOML list may become a tuple although types are strict.
            found: Recipe = _parse(cls, json.dumps(fields, default=str))
        except ValidationError as error:
            raise RecipeError(f"{where} is not valid: {_explain(error, cls)}") from error
        return found

    @classmethod
    def from_toml(cls, path: Path) -> Recipe:
        """Read a recipe file; its name is the model's unless it states one.

        Raises:
            RecipeError: the file is absent, not TOML, or not a recipe.
        """
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise RecipeError(f"cannot read the recipe {path}: {error.strerror}.") from error
        except ValueError as error:
            raise RecipeError(f"{path} is not TOML: {error}.") from error
        return cls.from_dict({"name": path.stem} | table, where=str(path))

    def to_dict(self) -> dict[str, Any]:
        """Return the table that `from_dict` reads."""
        table = dataclasses.asdict(self)
        for part in ("architecture", "loss", "dataset"):
            table[part] = {"name": table[part]["name"], **table[part]["arguments"]}
        return table

    def to_toml(self) -> str:
        """Return the recipe as TOML.

        Raises:
            MissingExtraError: tomli-w is not installed.
        """
        try:
            import tomli_w
        except ModuleNotFoundError as error:
            raise missing_extra("writing a recipe", error) from error
        return tomli_w.dumps(self.to_dict())


def _parse(cls: Any, text: str | bytes) -> Any:
    return _reader(cls).validate_json(text)


@functools.cache
def _reader(cls: Any) -> TypeAdapter[Any]:
    """What parses and checks JSON; to make it takes longer than to use it."""
    from pydantic import TypeAdapter

    return TypeAdapter(cls)


def _explain(error: ValidationError, cls: type) -> str:
    """Say in a sentence each what pydantic found."""
    if error.error_count() > MAX_EXPLAINED:  # to list them would take memory for each
        return f"it has {error.error_count():,} mistakes."
    sentences = []
    for found in error.errors(include_url=False)[:3]:
        path = _shorten(".".join(map(str, found["loc"])))
        if found["type"] in {"unexpected_keyword_argument", "extra_forbidden"}:
            names = _field_names(cls, found["loc"][:-1])
            last = _shorten(str(found["loc"][-1]))
            sentences.append(
                f"there is no field {path!r}.{did_you_mean(last, names)} "
                f"Fields: {enumerate_names(names)}."
            )
        elif found["type"] in {"missing", "missing_argument"}:
            sentences.append(f"the field {path!r} is missing.")
        elif found["type"] == "json_invalid":
            sentences.append(f"it is not JSON ({found['ctx']['error']}).")
        else:
            message = _shorten(found["msg"].removeprefix("Value error, "))
            value = found["input"]
            given = isinstance(value, str | int | float)
            shown = f" (it is {_shorten(repr(value))})" if given else ""
            sentences.append(f"{path or 'it'}: {message}{shown}.")
    return " ".join(sentences)


def _shorten(text: str, most: int = 400) -> str:
    """A text of somebody else's as a part of one line."""
    text = "".join(c if c.isprintable() else " " for c in text)
    return text if len(text) <= most else f"{text[:most]}..."


def _field_names(cls: Any, location: tuple[int | str, ...]) -> list[str]:
    """Names of the fields of the dataclass at a location inside `cls`."""
    from typing import get_type_hints

    for part in location:
        cls = get_type_hints(cls).get(str(part), cls)
    return [f.name for f in dataclasses.fields(cls)] if dataclasses.is_dataclass(cls) else []


def _is_finite(value: Any) -> bool:
    """Whether no number in a value of JSON is NaN or infinite."""
    match value:
        case float():
            return math.isfinite(value)
        case list():
            return all(map(_is_finite, value))
        case dict():
            return all(map(_is_finite, value.values()))
    return True


def is_toml(value: Any) -> bool:
    """Whether a value survives TOML and JSON: what an argument of a component may be."""
    match value:
        case bool() | int() | str():
            return True
        case float():
            return math.isfinite(value)
        case list() | tuple():
            return all(is_toml(item) for item in value)
        case dict():
            return all(isinstance(key, str) and is_toml(item) for key, item in value.items())
    return False
