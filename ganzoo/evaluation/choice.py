"""Choose metrics by name, and check that they can be computed."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ganzoo.errors import BrokenPluginError, GanzooError, MetricError, describe
from ganzoo.nn import Extractor
from ganzoo.registry import metrics
from ganzoo.registry.distributions import DISTRIBUTION
from ganzoo.spec import DataSpec, Metric, SetSizes


class Choice(NamedTuple):
    """Metrics by registered name, and the reason for each default metric that is left out."""

    metrics: dict[str, Metric]
    left_out: dict[str, str]


def choose_metrics(
    names: Sequence[str],
    extractor: Extractor,
    data: DataSpec,
    sizes: SetSizes,
    defaults: Sequence[str] = (),
) -> Choice:
    """Choose the metrics that compare sets of images, by name.

    Default metrics that do not fit the extractor or the data are no part of the choice. Those that
    fit and need more images, fail, or return a value of the same name as another metric are left
    out with their reason.

    Args:
        names: registered names; if empty, every default metric that can be computed.
        extractor: the extractor of the features.
        data: the spec of the real images.
        sizes: the sizes of the sets.
        defaults: names of the default metrics; if empty, all that are registered as such.

    Raises:
        MetricError: a named metric cannot be computed, no default metric can, or two metrics return
            a value of the same name.
        UnknownNameError, BrokenPluginError, ...: as `Registry.get`.
    """

    def refusal(name: str, metric: Metric) -> str:
        if "pairs" in metric.needs:
            return "it compares translated images with their targets"
        if reason := _ask(name, metric.refuses, extractor, data):
            return reason
        if "logits" in metric.needs and not extractor.classes:
            return "the extractor has no classes"
        return "the data has no labels" if "labels" in metric.needs and not data.classes else ""

    if names:
        chosen = {name: metrics.get(name) for name in names}
        for name, metric in chosen.items():
            if reason := refusal(name, metric) or _ask(name, metric.too_few, sizes):
                raise _cannot_compute(name, reason)
        _check_value_names(chosen)
        return Choice(chosen, {})
    return _choose_defaults(
        [(name, metrics.get(name)) for name in defaults] or _defaults(),
        lambda name, metric: not refusal(name, metric),
        lambda name, metric: _ask(name, metric.too_few, sizes),
    )


def choose_pair_metrics(names: Sequence[str], data: DataSpec) -> Choice:
    """Choose the metrics that compare pairs of images, by name.

    Args:
        names: registered names; if empty, every default metric of pairs that can be computed.
        data: the spec of the targets.

    Raises:
        MetricError: a named metric does not compare pairs or cannot be computed, no default metric
            can, or two metrics return a value of the same name.
        UnknownNameError, BrokenPluginError, ...: as `Registry.get`.
    """
    chosen = {name: metrics.get(name) for name in names}
    for name, metric in chosen.items():
        if "pairs" not in metric.needs:
            raise MetricError(
                f"metric {name!r} compares sets of images, but the model translates images. Choose "
                "a metric of pairs, such as --metrics pixel-pairs."
            )
        if reason := _ask(name, metric.refuses, None, data):
            raise _cannot_compute(name, reason)
    if names:
        _check_value_names(chosen)
        return Choice(chosen, {})
    return _choose_defaults(
        _defaults(),
        lambda name, metric: "pairs" in metric.needs,
        lambda name, metric: _ask(name, metric.refuses, None, data),
    )


def _choose_defaults(
    candidates: Iterable[tuple[str, Metric]],
    fits: Callable[[str, Metric], bool],
    obstacle: Callable[[str, Metric], str],
) -> Choice:
    """Choose all default metrics that can be computed.

    Args:
        candidates: default metrics by name.
        fits: whether a metric is meant for these images; others are no part of the choice.
        obstacle: why a metric that fits cannot be computed; empty if it can.

    Raises:
        MetricError: none can be computed.
    """
    chosen: dict[str, Metric] = {}
    left_out = {}
    for name, metric in candidates:
        try:
            if not fits(name, metric):
                continue
            reason = obstacle(name, metric) or _clash(metric, chosen)
        except BrokenPluginError as error:
            reason = str(error)
        if reason:
            left_out[name] = reason
        else:
            chosen[name] = metric
    if not chosen:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise MetricError(
            f"no default metric can be computed here{': ' * bool(reasons)}{reasons}. Choose a "
            "metric with --metrics ('ganzoo list --kind metrics')."
        )
    return Choice(chosen, left_out)


def _ask(name: str, decide: Callable[..., str], *arguments: Any) -> str:
    """Return why a metric cannot be computed, empty if it can.

    Raises:
        BrokenPluginError: the metric's own function fails.
    """
    try:
        return decide(*arguments)
    except Exception as error:
        raise BrokenPluginError(
            f"{metrics.cite(name)} failed: {describe(error)}. Report this to the plugin's author, "
            "or choose other --metrics."
        ) from error


def _cannot_compute(name: str, reason: str) -> MetricError:
    return MetricError(
        f"metric {name!r} cannot be computed here: {reason}. Choose others with --metrics "
        "('ganzoo list --kind metrics')."
    )


def _defaults() -> Iterable[tuple[str, Metric]]:
    """Yield the default metrics, ganzoo's own first; warn about each that cannot be loaded."""
    for entry in sorted(metrics.entries(), key=lambda entry: entry.distribution != DISTRIBUTION):
        try:
            metric = metrics.load(entry)
        except GanzooError as error:
            warnings.warn(f"a metric is skipped: {error}", stacklevel=4)
            continue
        if metric.by_default:
            yield metrics.prefer(entry.name, entry.distribution), metric


def _check_value_names(chosen: dict[str, Metric]) -> None:
    before: dict[str, Metric] = {}
    for name, metric in chosen.items():
        if reason := _clash(metric, before):
            raise _cannot_compute(name, reason)
        before[name] = metric


def _clash(metric: Metric, chosen: Mapping[str, Metric]) -> str:
    """Return which metric has a value of the same name; empty if none has."""
    for name, other in chosen.items():
        for value in metric.better.keys() & other.better.keys():
            return f"it returns a value {value!r}, which the metric {name!r} returns too"
    return ""
