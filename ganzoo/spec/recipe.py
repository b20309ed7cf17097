"""Recipes: all settings of a training run, and their TOML format."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ganzoo.spec.parsing import (
    STRICT,
    UNBOUNDED,
    check_integer,
    check_name,
    check_range,
)
from ganzoo.spec.toml_files import check_fields, parse_table, read_file, write_table

EVALUATED = 2_000  # images of an evaluation, by default


@dataclass(frozen=True)
class Component:
    """A registered component: its name and the arguments that differ from the defaults."""

    __pydantic_config__ = STRICT

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Optimizer:
    """The settings of a torch.optim optimizer; each player of a loss has its own optimizer.

    Attributes:
        name: Name of the optimizer.
        lr: Learning rate.
        betas: Decay rates of Adam's two moments.
        beta2_to: Decay rate of Adam's second moment at the end of the run. It changes along the
            decay of the learning rates; 0 keeps it constant.
        weight_decay: Weight decay, as the optimizer defines it.
        warmup: Images over which the learning rates rise linearly from 0.
        decay: Shape of the learning rate decay.
        decay_start: Fraction of the run after which the learning rates decay; 1 means no decay.
        decay_to: Fraction of the learning rate that remains at the end of the run.
        clip_norm: Largest Euclidean norm of a player's gradient; 0 means no clipping.

    Raises:
        ValueError: a number is out of its range, or two fields contradict each other.
    """

    __pydantic_config__ = STRICT

    name: Literal["adam", "adamw", "rmsprop", "sgd"] = "adam"
    lr: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    beta2_to: float = 0.0
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
        check_range("optimizer.beta2_to", self.beta2_to, 0.0, 1.0 - 1e-9)
        check_range("optimizer.weight_decay", self.weight_decay, 0.0, 100.0)
        check_integer("optimizer.warmup", self.warmup, 0, UNBOUNDED)
        check_range("optimizer.clip_norm", self.clip_norm, 0.0, UNBOUNDED)
        check_range("optimizer.decay_start", self.decay_start, 0.0, 1.0)
        check_range("optimizer.decay_to", self.decay_to, 0.0, 1.0)
        if self.beta2_to and (self.decay_start >= 1.0 or self.name not in ("adam", "adamw")):
            raise ValueError(
                f"optimizer.beta2_to is {self.beta2_to:g}, but "
                + (
                    "optimizer.decay_start is 1, so nothing decays. Set decay_start below 1"
                    if self.decay_start >= 1.0
                    else f"optimizer.name is {self.name!r}, which has no beta2. Use adam or adamw"
                )
            )


@dataclass(frozen=True)
class Recipe:
    """All settings of a training run. Time is counted in images, not in steps.

    A tick is one turn of every player that is due. It counts as `batch_size` images, whatever the
    number of batches that the players draw.

    Attributes:
        architecture: Networks; in TOML a table of the name and its arguments.
        loss: Loss of the players; in TOML a table of the name and its arguments.
        dataset: Training images; in TOML a table of the name and its arguments.
        images: Images to train on in the whole run, rounded up to whole batches.
        name: Name of the model.
        description: Description of the model in one line.
        batch_size: Images in a batch.
        optimizer: Optimizer of every player.
        learning_rates: Learning rates of single players by name, instead of `optimizer.lr`.
        initialisation: Initialisation of all weights: ``own`` is the architecture's, ``normal`` is
            N(0, 0.02), ``orthogonal`` is for convolutions and linear layers.
        spectral_norm: Divide every weight of the discriminators by its largest singular value, for
            any architecture (Miyato et al., 2018).
        freeze_layers: Layers of the discriminators, from the image on, that keep their weights. Use
            it for a run that starts from a trained discriminator (Mo et al., 2020).
        ema_halflife: Images after which the weight of an old generator in the moving average
            halves; 0 means no average. The averaged generator is sampled and exported.
        ema_ramp: Growth of this half-life: ``proportional`` is at most a twentieth of the images
            seen, ``cosine`` rises from 0 along half a cosine over the whole run, ``none`` is the
            full half-life from the start, for a run that starts from trained weights.
        seed: Seed of the initialisation, the data order and the latents.
        precision: Precision of the training: ``auto`` is bf16 autocast on CUDA and fp32 elsewhere;
            fp16 scales losses to preserve small gradients.
        accumulate: Parts of a batch that are computed one after the other, to save memory.
            BatchNorm, and losses with statistics of a batch, then use those of a part. Gradients,
            moving averages and random numbers are those of the batch.
        fresh_latents: Draw new latents for each player, and new real images for each player that
            reads them, as in the algorithms of papers. Otherwise the generator's turn uses
            the images that it generated for the discriminator's turn, which saves time.
        channels_last: Whether to store images channels last, which makes convolutions faster on
            CPUs and GPUs.
        compile: Compile networks with torch.compile, which takes from ten seconds to minutes at the
            start. Gradient penalties use the uncompiled networks.
        deterministic: Use only deterministic algorithms on a GPU.
        sync_batchnorm: Compute BatchNorm statistics over the batches of all processes; otherwise
            each process has its own statistics.
        streaming: Read images in every epoch with worker processes, instead of keeping them decoded
            in memory; ``auto`` streams if they would take more than a quarter of the free memory.
            The batches are the same.
        log_every: Images between two log lines.
        sample_every: Images between two sample grids; 0 means only the last one.
        checkpoint_every: Images between two checkpoints; 0 means only the last one.
        keep_checkpoints: Checkpoints to keep; the newest ones remain.
        keep_discriminator: Whether bundles keep the weights of the discriminators, so that other
            trainings can start from them. It takes as much space again.
        evaluate_every: Images between two evaluations, which metrics.jsonl records; 0 means none.
        evaluate_samples: Images to generate for an evaluation.
        evaluate_with: Registered name of the feature extractor of the evaluations; by default the
            dataset's own extractor, ``colour-64@1`` for other colour images, and else ``pixels``.
        evaluate_metrics: Metrics of the evaluations ('ganzoo list --kind metrics'); by default
            every default metric that fits the model and the data. ``frechet`` alone is fast.
        keep_best: Value that selects the bundle to keep as ``best``. A term of the log, such as
            ``autoencoder/reconstruction``, selects the checkpoint with the lowest average since the
            last checkpoint. A metric, such as ``frechet_distance``, selects the evaluation with the
            best value.

    Raises:
        ValueError: a number is out of its range or no integer, or two fields contradict each other.
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
    freeze_layers: int = 0
    ema_halflife: int = 10_000
    ema_ramp: Literal["proportional", "cosine", "none"] = "proportional"
    seed: int = 0
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    accumulate: int = 1
    fresh_latents: bool = False
    channels_last: bool = True
    compile: bool = False
    deterministic: bool = False
    sync_batchnorm: bool = False
    streaming: Literal["auto", "on", "off"] = "auto"
    log_every: int = 1_000
    sample_every: int = 50_000
    checkpoint_every: int = 100_000
    keep_checkpoints: int = 2
    keep_discriminator: bool = False
    evaluate_every: int = 0
    evaluate_samples: int = EVALUATED
    evaluate_with: str = ""
    evaluate_metrics: tuple[str, ...] = ()
    keep_best: str = ""

    def __post_init__(self) -> None:
        check_name(self.name)
        for name, low in (
            ("images", 1),
            ("batch_size", 1),
            ("accumulate", 1),
            ("freeze_layers", 0),
            ("ema_halflife", 0),
            ("seed", 0),
            ("log_every", 1),
            ("sample_every", 0),
            ("checkpoint_every", 0),
            ("keep_checkpoints", 1),
            ("evaluate_every", 0),
            ("evaluate_samples", 2),
        ):
            check_integer(name, getattr(self, name), low, UNBOUNDED)
        if self.batch_size % self.accumulate:
            raise ValueError(
                f"a batch of {self.batch_size} cannot be split into {self.accumulate} equal parts. "
                "Set accumulate to a divisor of batch_size"
            )
        if self.evaluate_metrics and not self.evaluate_every:
            names = ", ".join(self.evaluate_metrics)
            raise ValueError(
                f"evaluate_metrics is {names}, but evaluate_every is 0, so nothing is evaluated. "
                "Set evaluate_every, or omit evaluate_metrics"
            )
        if self.evaluate_samples != EVALUATED and not self.evaluate_every:
            raise ValueError(
                f"evaluate_samples is {self.evaluate_samples}, but evaluate_every is 0, so nothing "
                f"is evaluated. Set evaluate_every, or evaluate_samples to {EVALUATED}, its default"
            )
        if self.keep_best and "/" not in self.keep_best and not self.evaluate_every:
            raise ValueError(
                f"keep_best is {self.keep_best!r}, a metric, but evaluate_every is 0. Set "
                "evaluate_every, or name a term of the log, such as generator/adversarial"
            )
        for player, lr in self.learning_rates.items():
            check_range(f"learning_rates.{player}", lr, 0.0, 100.0)

    @classmethod
    def from_dict(cls, table: Mapping[str, Any], *, where: str = "the recipe") -> Recipe:
        """Return the recipe of a parsed TOML table.

        Raises:
            RecipeError: a field is unknown, missing, of the wrong type or out of range.
        """
        fields = dict(table)
        for part in ("architecture", "loss", "dataset"):
            if isinstance(component := fields.get(part), str):
                fields[part] = {"name": component}
            elif isinstance(component, Mapping) and "name" in component:
                arguments = {key: value for key, value in component.items() if key != "name"}
                fields[part] = {"name": component["name"], "arguments": arguments}
        return check_fields(cls, fields, where=where)

    @classmethod
    def from_toml(cls, path: Path) -> Recipe:
        """Return the recipe of a TOML file; its name defaults to the file's name.

        Raises:
            RecipeError: the file cannot be read, is not TOML, or is not a valid recipe.
        """
        return cls.from_dict({"name": path.stem} | read_file(path, "recipe"), where=str(path))

    @classmethod
    def from_text(cls, text: str, *, where: str = "the recipe", name: str | None = None) -> Recipe:
        """Return the recipe of a TOML text.

        Args:
            text: the text.
            where: name of the text in error messages.
            name: name of the model, if the text has none.

        Raises:
            RecipeError: the text is too long, not TOML, or not a valid recipe.
        """
        table = parse_table(text, "recipe", where=where)
        return cls.from_dict({"name": name} | table if name else table, where=where)

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as a table that `from_dict` accepts."""
        table = dataclasses.asdict(self)
        for part in ("architecture", "loss", "dataset"):
            table[part] = {"name": table[part]["name"], **table[part]["arguments"]}
        return table

    def to_toml(self) -> str:
        """Return the recipe as TOML.

        Raises:
            MissingExtraError: tomli-w is not installed.
        """
        return write_table(self.to_dict(), "recipe")
