"""The files that a run keeps: sample images, its newest and best bundle, and checkpoints."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ganzoo import bundle
from ganzoo.bundle import Bundle, open_bundle
from ganzoo.bundle.files import write_file
from ganzoo.bundle.json_lines import read_lines
from ganzoo.errors import MALFORMED, BundleError, NotABundleError, did_you_mean, enumerate_names
from ganzoo.games import Batch
from ganzoo.nn import exact_inference, generate, in_eval_mode
from ganzoo.runtimes.torch import load_torch
from ganzoo.sampling import latents
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.images import ImageBatch
from ganzoo.sampling.sizes import samples_name
from ganzoo.spec import ModelSpec, Recipe
from ganzoo.training.checkpoint import save_checkpoint
from ganzoo.training.log import TABLES
from ganzoo.training.prepared import Prepared

BUNDLE, BEST, LOG = "bundle", "best", "log.jsonl"
ROW = 8  # images in a row of a grid that shows data
SHOWN = 16  # images of the data in such a grid


class InTraining(Generator):
    """A network that is being trained, as a generator."""

    def __init__(self, spec: ModelSpec, network: nn.Module, device: torch.device) -> None:
        self.spec = spec
        self.network = network
        self.device = device

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Run the network in eval mode, without changing it."""
        network = in_eval_mode(self.network)
        with exact_inference(self.device):
            images = network(
                *(torch.from_numpy(array).to(self.device) for array in inputs.values())
            )
            result: NDArray[np.float32] = images.float().cpu().numpy()
        return result


def preview_images(prepared: Prepared) -> dict[str, ImageBatch]:
    """Return the sample images of a training by file name, for the same inputs each time.

    A generator shows its fixed preview. A translator shows rows of random conditions of the data,
    of its outputs and of the real images. With an encoder, a second file shows rows of random
    images of the data and of their reconstructions.

    Raises:
        NonFiniteLossError: a weight is NaN or infinite.
        SampleError: an output is, of finite weights.
    """
    prepared.state.check_finite()
    spec, nets = prepared.spec(), prepared.state.ema.networks
    batch = prepared.batches.draw(SHOWN)
    if "condition" in spec.inputs:
        translated = _translate(nets["generator"], spec, batch)
        return {samples_name(spec.data.image): _rows(batch.condition, translated, batch.images)}
    generator = InTraining(spec, nets["generator"], prepared.state.device)
    previews = generator.preview_images()
    if "encoder" in nets:
        with torch.no_grad():
            z = nets["encoder"](batch.images)[0]
            reconstructed = generate(nets["generator"], z=z, y=batch.labels)
        previews[bundle.RECONSTRUCTIONS] = _rows(batch.images, reconstructed)
    return previews


@torch.no_grad()
def _translate(generator: nn.Module, spec: ModelSpec, batch: Batch) -> Tensor:
    z = None
    if spec.latent:
        z = torch.from_numpy(latents.normal(0, len(batch), spec.latent.dim)).to(batch.images.device)
    return generate(generator, z=z, condition=batch.condition)


def _rows(*kinds: Tensor | None) -> ImageBatch:
    batches = [ImageBatch.from_unit(k.float().cpu().numpy()) for k in kinds if k is not None]
    return ImageBatch.rows(*batches, columns=ROW)


def write_snapshot(
    path: Path, prepared: Prepared, log: Path, best: dict[str, Any] | None = None
) -> None:
    """Write a bundle for the torch runtime; `ganzoo export` adds the other files.

    Args:
        path: the bundle's folder.
        prepared: the training.
        log: the log of the run.
        best: for the best bundle, the number that it is best by, for the provenance.

    Raises:
        OutputError: a file cannot be written.
    """
    spec = prepared.spec()
    if best:
        spec = replace(spec, provenance=spec.provenance | {"best": best})
    metadata = {bundle.METADATA_KEY: spec.to_json()}

    def write_weights(tensors: Mapping[str, Tensor], file: Path) -> None:
        weights = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
        write_file(file, safetensors.torch.save(weights, metadata))

    weights = {role: net.state_dict() for role, net in prepared.state.ema.networks.items()}
    weights |= {role: prepared.weights_of(role) for role in prepared.training_roles}

    bundle.write_bundle(
        path,
        spec,
        {
            bundle.weights_name(role): lambda p, tensors=tensors: write_weights(tensors, p)
            for role, tensors in weights.items()
        }
        | {name: images.save for name, images in preview_images(prepared).items()}
        | {
            bundle.RECIPE: lambda p: write_file(p, _recipe_of(spec)),
            bundle.LOG: lambda p: write_file(p, log.read_bytes() if log.is_file() else b""),
        },
    )


def _recipe_of(spec: ModelSpec) -> str:
    return Recipe.from_dict(spec.provenance["recipe"]).to_toml()


def keep(run: Path, prepared: Prepared) -> None:
    """Write a bundle and a checkpoint.

    Raises:
        NonFiniteLossError: a weight is NaN or infinite. Nothing is written.
        OutputError: a file cannot be written.
    """
    state, recipe = prepared.state, prepared.recipe
    state.check_finite()
    # The bundle comes first, so that each checkpoint has its bundle even after a crash.
    write_snapshot(run / BUNDLE, prepared, run / LOG)
    checkpoint: dict[str, Any] = {
        "state": state.state_dict(),
        "batches_drawn": prepared.batches.position,
        "recipe": recipe.to_toml(),
        "data_fingerprint": prepared.batches.fingerprint,
    }
    save_checkpoint(
        run / "checkpoints", state.images_seen, checkpoint, keep=recipe.keep_checkpoints
    )


def keep_best_by_log(run: Path, prepared: Prepared) -> None:
    """Write the best bundle if the recipe's `keep_best` names a term of the log.

    It compares the average of the term since the previous checkpoint; players minimise terms, so
    lower is better. Warns if the log does not have the term.

    Raises:
        OutputError: a file cannot be written.
    """
    recipe, until = prepared.recipe, prepared.state.images_seen
    if "/" not in recipe.keep_best:
        return
    every = recipe.checkpoint_every or until
    since = (until - recipe.batch_size) // every * every
    lines = [line for line in read_lines(run / LOG, TABLES) if line["images"] > since]
    numbers = [line["terms"] for line in lines]
    values = [entry[recipe.keep_best] for entry in numbers if recipe.keep_best in entry]
    if values:
        _keep_if_best(run, prepared, sum(values) / len(values), higher=False)
    else:
        _warn_missing(
            "log", "term", recipe.keep_best, {name for entry in numbers for name in entry}
        )


def keep_best_by_metric(run: Path, prepared: Prepared, evaluation: Mapping[str, Any]) -> None:
    """Write the best bundle if the recipe's `keep_best` names a metric of the evaluation.

    Values are comparable on the same real images only, and with the same extractor and number of
    samples. If a resumed run evaluates otherwise, because it streams its data and did not before,
    or its recipe changed, this measures the best bundle again.

    Warns if the evaluation does not have the metric, or if it measures the best bundle again.

    Args:
        run: the run's folder.
        prepared: the training.
        evaluation: the result of `evaluate`.

    Raises:
        OutputError: a file cannot be written.
    """
    name, metrics = prepared.recipe.keep_best, evaluation["metrics"]
    if not name or "/" in name:
        return
    if name in metrics:
        assert prepared.evaluator is not None  # it computed the metrics
        higher = prepared.evaluator.plan.better_of(name) == "higher"
        protocol = evaluation["protocol"]
        basis = {"real_sha256": protocol["sha256"]}
        basis |= {key: protocol[key] for key in ("extractor", "samples")}
        _keep_if_best(run, prepared, metrics[name], higher, basis)
    else:
        _warn_missing("evaluation", "metric", name, metrics)


def _keep_if_best(
    run: Path,
    prepared: Prepared,
    value: float,
    higher: bool,
    basis: Mapping[str, Any] | None = None,
) -> None:
    """Write the best bundle if a value is better than that of the bundle.

    Args:
        run: the run's folder.
        prepared: the training.
        value: the value of the recipe's `keep_best`.
        higher: whether higher values are better.
        basis: what values of a metric depend on, for the provenance.
    """
    before = _best_value(run / BEST, prepared, basis or {})
    if before is None or (value > before if higher else value < before):
        best = {"highest" if higher else "lowest": prepared.recipe.keep_best, "value": value}
        write_snapshot(run / BEST, prepared, run / LOG, best={**best, **(basis or {})})


def _best_value(path: Path, prepared: Prepared, basis: Mapping[str, Any]) -> float | None:
    """Return the value of the best bundle, or None if there is none. Warns if it is damaged, or is
    the best by another number."""
    try:
        best = open_bundle(path)
        number, name = best.spec.provenance["best"], prepared.recipe.keep_best
        if name not in (number.get("highest"), number.get("lowest")):
            reason = f"is the best by another number than {name!r}"
        elif number.get("real_sha256", "") != basis.get("real_sha256", ""):
            reason = "was measured on other real images than those of this evaluation"
        elif any(number.get(key, value) != value for key, value in basis.items()):
            reason = "was measured with another extractor or number of samples"
        else:
            return float(number["value"])
        return _measure(best, prepared, reason)
    except NotABundleError:
        return None
    except (BundleError, *MALFORMED) as error:
        warnings.warn(f"{error} The next bundle replaces it, better or not", stacklevel=4)
        return None


def _measure(best: Bundle, prepared: Prepared, reason: str) -> float | None:
    """Return the metric that selects the best bundle, as this training measures it; None for a
    term of the log, which no bundle has."""
    if "/" in prepared.recipe.keep_best:
        warnings.warn(f"{best.path} {reason}, so the next bundle replaces it", stacklevel=5)
        return None
    warnings.warn(f"{best.path} {reason}, so it is measured again", stacklevel=5)
    model = load_torch(best, "generator").to(prepared.state.device)
    assert prepared.evaluator is not None  # it measured the current bundle
    assert isinstance(model, Generator)  # translators have no evaluation
    return prepared.evaluator(model).metrics.get(prepared.recipe.keep_best)


def _warn_missing(where: str, kind: str, name: str, known: Iterable[str]) -> None:
    names = sorted(known)
    lacks = f"the {where} has no {kind} {name!r}.{did_you_mean(name, names)}"
    warnings.warn(
        f"no best bundle is kept: {lacks} It has {enumerate_names(names)}. Start a new run with "
        "--keep-best NAME",
        stacklevel=3,
    )
