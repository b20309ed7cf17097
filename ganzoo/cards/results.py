"""The evaluation results of a model, with their protocols."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from statistics import mean, stdev
from typing import Any

from ganzoo.cards.context import CardContext
from ganzoo.cards.tables import plain, table
from ganzoo.cards.training import describe_weights, fingerprint, has_several_seeds, reads_folder
from ganzoo.errors import quantity
from ganzoo.registry import metrics_of
from ganzoo.spec import SEEDS, UNIFORM_LABELS, WHOLE

SHARE = "share_of_"  # prefix of metrics: the share of samples in a class
ERROR = "_error"  # suffix of metrics: the standard error of another metric


def render(context: CardContext) -> str:
    """Return the table of each evaluation, its protocol, and the command that repeats it."""
    evaluations = context.evaluations
    if not evaluations:
        samples = "the samples above" if context.samples else "its samples"
        return f"No quality metric was computed for this model. Judge it by {samples}.\n"
    return "\n".join([*(_evaluation(context, e) for e in evaluations), *_seeds(context)])


def _seeds(context: CardContext) -> Iterator[str]:
    """Yield the final and best metric of each seed, if the provenance records seeds."""
    if not (seeds := context.provenance.get(SEEDS)):
        return
    results, name = seeds["figures"], plain(seeds["metric"].replace("_", " "))
    rows = "".join(
        f"| {seed} | {result['final']:.4g} | {result['best']:.4g}, after "
        f"{quantity(result['best_images'], 'image')} |\n"
        for seed, result in results.items()
    )
    seed_count, statistics = "one seed", ""
    if len(results) > 1:
        seed_count = quantity(len(results), "seed")
        finals = [result["final"] for result in results.values()]
        size = max(map(abs, finals)) or 1.0  # divided by it, huge values do not overflow
        spread = stdev([final / size for final in finals]) * size
        statistics = f"Final weights: mean {mean(finals):.4g}, standard deviation {spread:.3g}. "
    yield (
        f"The recipe was trained with {seed_count} and evaluated with the same protocol before the "
        f"weights were rounded. This model has seed {context.provenance['seed']}:\n\n"
        f"| seed | {name}, final weights | best during training |\n|---|---|---|\n{rows}\n"
        f"{statistics}The best weights during training were chosen with fewer samples.\n"
    )


def _evaluation(context: CardContext, evaluation: dict[str, Any]) -> str:
    protocol = evaluation["protocol"]
    dataset = dict(protocol["dataset"])
    data = " ".join([dataset.pop("name"), *(f"{k} {v}" for k, v in dataset.items())])
    versions = ", ".join(f"{k} {v}" for k, v in protocol["versions"].items())
    settings = "".join(
        f"  - {name}: {value}\n" for name, value in protocol.get("settings", {}).items()
    )
    details = (
        f"- {_compared(protocol)} {data} ({fingerprint(protocol['sha256'])}), "
        f"{_relation(context, evaluation)}\n"
        f"{_labels(context, protocol)}{_whole(protocol)}"
        f"{_features(protocol)}"
        f"{settings}{_left_out(protocol)}"
        f"- runtime {protocol['runtime']} on {protocol['hardware']}; {versions}\n"
        f"{_weights(context)}"
    )
    return (
        f"{table(_rows(evaluation['metrics']))}\n{plain(details)}\n"
        "Metrics of other protocols are not comparable. Repeat this evaluation with:\n\n"
        f"```bash\n{_command(context, evaluation)}\n```\n"
    )


def _compared(protocol: dict[str, Any]) -> str:
    """Return the sets that are compared; without an extractor, translations and their targets."""
    samples, real, seed = (protocol[key] for key in ("samples", "real_images", "seed"))
    if "extractor" in protocol:
        return f"{quantity(samples, 'sample')} of seed {seed} against {quantity(real, 'image')} of"
    return (
        f"{quantity(samples, 'translation')} of seed {seed}, each against its target "
        f"among {quantity(real, 'image')} of"
    )


def _relation(context: CardContext, evaluation: dict[str, Any]) -> str:
    """Return how the real images relate to those of the training."""
    if context.is_on_training_images(evaluation):
        return "the training images"
    if context.imported:
        return "and it is not known whether the model was trained on them"
    return "which are not the training images"


def _labels(context: CardContext, protocol: dict[str, Any]) -> str:
    """Return the labels of the samples of a model with classes."""
    if "y" not in context.spec.inputs:
        return ""
    return f"- labels of the samples: {protocol.get('labels', UNIFORM_LABELS)}\n"


def _whole(protocol: dict[str, Any]) -> str:
    """Return how whole images were measured."""
    return f"- images at their own sizes, {protocol[WHOLE]}\n" if WHOLE in protocol else ""


def _left_out(protocol: dict[str, Any]) -> str:
    """Return the default metrics that could not be computed, with their reasons."""
    left_out = protocol.get("left_out", {}).items()
    return "".join(f"- not computed: {name}, because {reason}\n" for name, reason in left_out)


def _features(protocol: dict[str, Any]) -> str:
    if "extractor" not in protocol:
        return ""
    resized = protocol.get("data_resized")
    data = f"- the real images were resized {resized}\n" if resized else ""
    return (
        f"{data}- features of `{protocol['extractor']}` "
        f"({fingerprint(protocol['extractor_sha256'])}), resizing {protocol['resizing']}\n"
    )


def _weights(context: CardContext) -> str:
    if context.imported:
        return ""
    return f"- {_seed_count(context)}; weights: {describe_weights(context.provenance)}\n"


def _seed_count(context: CardContext) -> str:
    several = has_several_seeds(context.provenance)
    return "one of several seeds, see below" if several else "one seed"


def _rows(figures: dict[str, float]) -> Iterator[tuple[str, str]]:
    for key, value in figures.items():
        if key.removesuffix(ERROR) not in figures.keys() - {key} and not key.startswith(SHARE):
            yield key.replace("_", " "), f"{_figure(value)}{_error(figures, key)}"
    shares = {k.removeprefix(SHARE): f"{x:.1%}" for k, x in figures.items() if k.startswith(SHARE)}
    if shares:
        yield f"shares of {', '.join(shares)}", ", ".join(shares.values())


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e9 else f"{value:.4g}"


def _error(figures: dict[str, float], key: str) -> str:
    """Return the standard error of a metric; empty if it has none."""
    error = figures.get(f"{key}{ERROR}")
    return "" if error is None else f" ± {error:.2g}"


def _command(context: CardContext, evaluation: dict[str, Any]) -> str:
    """Return the command that repeats an evaluation."""
    protocol = evaluation["protocol"]
    options = []
    if protocol["dataset"] != context.spec.recorded("recipe", "dataset"):
        options += ["--dataset", protocol["dataset"]["name"]]
        if "split" in protocol["dataset"]:
            options += ["--split", protocol["dataset"]["split"]]
    if "data_resized" in protocol or "resized" in protocol.get("resizing", ""):
        options.append("--resize")
    by_default = metrics_of(evaluation["metrics"])
    if not all(by_default.values()):
        options += ["--metrics", *by_default]
    if WHOLE in protocol:
        options.append("--whole")
    for name in ("extractor", "samples", "seed", "runtime"):
        if name in protocol and not (WHOLE in protocol and name in ("samples", "seed")):
            options += [f"--{name}", protocol[name]]
    data = ["--data", "DIR"] if reads_folder(protocol["dataset"]["name"]) else []
    words = ["ganzoo", "evaluate", context.place.address, *options, *data]
    return shlex.join(" ".join(str(word).split()) for word in words)
