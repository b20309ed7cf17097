"""What a model was measured to do, with the protocol that its figures hold under."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from statistics import mean, stdev
from typing import Any

from ganzoo.cards.context import CardContext
from ganzoo.cards.tables import table
from ganzoo.cards.training import fingerprint, has_several, which
from ganzoo.sampling.generator import SAMPLES
from ganzoo.spec import METRICS, SEEDS

SHARE = "share_of_"  # begins the figures that say how many samples are of a class
ERROR = "_error"  # ends those that are the standard error of another


def render(context: CardContext) -> str:
    """Return a table of each evaluation, its protocol and the command that repeats it."""
    found = context.made.get(METRICS)
    if not found:
        samples = "the samples above" if SAMPLES in context.digests else "samples of your own"
        return f"No quality metric has been computed for this model; judge it by {samples}.\n"
    return "\n".join([*(_evaluation(context, each) for each in found), *_seeds(context)])


def _seeds(context: CardContext) -> Iterator[str]:
    """How each seed's training fared, at its end and at its best, where that is recorded."""
    if not (said := context.made.get(SEEDS)):
        return
    figures, name = said["figures"], said["metric"].replace("_", " ")
    rows = "".join(
        f"| {seed} | {each['final']:.4g} | {each['best']:.4g}, after "
        f"{each['best_images']:,} images |\n"
        for seed, each in figures.items()
    )
    several = ""
    if len(figures) > 1:
        finals = [each["final"] for each in figures.values()]
        several = (
            f"Of the final ones: mean {mean(finals):.4g}, standard deviation {stdev(finals):.3g}. "
        )
    yield (
        f"The recipe trained with {'one seed' if not several else f'{len(figures)} seeds'}, "
        "measured alike before weights were rounded; this model is that of seed "
        f"{context.made['seed']}:\n\n"
        f"| seed | {name}, final weights | best on the way |\n|---|---|---|\n{rows}\n"
        f"{several}What was best on the way was chosen by fewer samples during training.\n"
    )


def _evaluation(context: CardContext, each: dict[str, Any]) -> str:
    protocol = each["protocol"]
    dataset = dict(protocol["dataset"])
    what = " ".join([dataset.pop("name"), *(f"{k} {v}" for k, v in dataset.items())])
    versions = ", ".join(f"{k} {v}" for k, v in protocol["versions"].items())
    settings = "".join(f"  - {name}: {how}\n" for name, how in protocol.get("settings", {}).items())
    return (
        f"{table(_rows(each['metrics']))}\n"
        f"- {_compared(protocol)} {what} ({fingerprint(protocol['sha256'])})\n"
        f"{_features(protocol)}"
        f"{settings}"
        f"- runtime {protocol['runtime']} on {protocol['hardware']}; {versions}\n"
        f"- {_trainings(context)}; weights: {which(context.made)}\n\n"
        "Figures of another protocol are not comparable with these. The same figures again:\n\n"
        f"```bash\n{_command(context, protocol)}\n```\n"
    )


def _compared(protocol: dict[str, Any]) -> str:
    """What is set against what; where no extractor is named, pairs are."""
    samples, real, seed = (protocol[key] for key in ("samples", "real_images", "seed"))
    if "extractor" in protocol:
        return f"{samples:,} samples of seed {seed} against {real:,} images of"
    return f"{samples:,} translations (seed {seed}), each against its own of {real:,} images of"


def _features(protocol: dict[str, Any]) -> str:
    if "extractor" not in protocol:
        return ""
    return (
        f"- features of `{protocol['extractor']}` ({fingerprint(protocol['extractor_sha256'])}), "
        f"resizing {protocol.get('data_resized') or protocol['resizing']}\n"
    )


def _trainings(context: CardContext) -> str:
    return "one of several seeds, below" if has_several(context.made) else "one seed"


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
    """The standard error of a figure, where it has one."""
    error = figures.get(f"{key}{ERROR}")
    return "" if error is None else f" ± {error:.2g}"


def _command(context: CardContext, protocol: dict[str, Any]) -> str:
    """What computes the figures again."""
    options = []
    if protocol["dataset"] != context.made["recipe"]["dataset"]:
        options += ["--dataset", protocol["dataset"]["name"]]
        if "split" in protocol["dataset"]:
            options += ["--split", protocol["dataset"]["split"]]
    if "data_resized" in protocol or "resized" in protocol.get("resizing", ""):
        options.append("--resize")
    for name in ("extractor", "samples", "seed", "runtime"):
        options += [f"--{name}", protocol[name]] if name in protocol else []
    words = ["ganzoo", "evaluate", context.place.address, *options, "--data", "DIR"]
    return shlex.join(map(str, words))
