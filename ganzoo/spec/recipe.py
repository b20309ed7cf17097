"""Everything it takes to train a model again, and its TOML."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ganzoo.errors import RecipeError, missing_extra
from ganzoo.spec.parsing import STRICT, UNBOUNDED, check_name, check_range, explain, parse


@dataclass(frozen=True)
class Component:
    """A registered name and the arguments that differ from its defaults."""

    __pydantic_config__ = STRICT

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

    __pydantic_config__ = STRICT

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
        check_range("optimizer.lr", self.lr, 0.0, 100.0)
        for beta in self.betas:
            check_range("optimizer.betas", beta, 0.0, 1.0 - 1e-9)
        check_range("optimizer.weight_decay", self.weight_decay, 0.0, 100.0)
        check_range("optimizer.warmup", self.warmup, 0, UNBOUNDED)
        check_range("optimizer.clip_norm", self.clip_norm, 0.0, UNBOUNDED)
        check_range("optimizer.decay_start", self.decay_start, 0.0, 1.0)
        check_range("optimizer.decay_to", self.decay_to, 0.0, 1.0)


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

    __pydantic_config__ = STRICT

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
        check_name(self.name)
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
            check_range(name, getattr(self, name), low, UNBOUNDED)
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
            check_range(f"learning_rates.{player}", lr, 0.0, 100.0)

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
            found: Recipe = parse(cls, json.dumps(fields, default=str))
        except ValidationError as error:
            raise RecipeError(f"{where} is not valid: {explain(error, cls)}") from error
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
