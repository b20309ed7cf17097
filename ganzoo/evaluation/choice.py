"""Choose metrics by name, and check that they can be computed."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ganzoo.errors import GanzooError, MetricError
from ganzoo.nn import Extractor
from ganzoo.registry import metrics
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
    fit and need more images are left out with their reason.

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

    def refusal(metric: Metric) -> str:
        if "pairs" in metric.needs:
            return "it compares translated images with their targets"
        if reason := metric.refuses(extractor, data):
            return reason
        if "logits" in metric.needs and not extractor.classes:
            return "the extractor has no classes"
        return "the data has no labels" if "labels" in metric.needs and not data.classes else ""

    if names:
        chosen = {name: metrics.get(name) for name in names}
        for name, metric in chosen.items():
            if reason := refusal(metric) or metric.too_few(sizes):
                raise _cannot_compute(name, reason)
        _check_value_names(chosen)
        return Choice(chosen, {})
    candidates = [(name, metrics.get(name)) for name in defaults] or _defaults()
    fitting = {name: metric for name, metric in candidates if not refusal(metric)}
    _check_value_names(fitting)
    left_out = {name: metric.too_few(sizes) for name, metric in fitting.items()}
    left_out = {name: reason for name, reason in left_out.items() if reason}
    if left_out.keys() == fitting.keys():
        reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise MetricError(
            f"no default metric can be computed here{': ' * bool(reasons)}{reasons}. Choose a "
            "metric with --metrics ('ganzoo list --kind metrics')."
        )
    return Choice({k: m for k, m in fitting.items() if k not in left_out}, left_out)


def choose_pair_metrics(names: Sequence[str], data: DataSpec) -> dict[str, Metric]:
    """Return the metrics that compare pairs of images, by name.

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
        if reason := metric.refuses(None, data):
            raise _cannot_compute(name, reason)
    if not names:
        fitting = {name: metric for name, metric in _defaults() if "pairs" in metric.needs}
        reasons = {name: metric.refuses(None, data) for name, metric in fitting.items()}
        chosen = {name: metric for name, metric in fitting.items() if not reasons[name]}
        if not chosen:
            raise _cannot_compute(*next(iter(reasons.items())))
    _check_value_names(chosen)
    return chosen


def _cannot_compute(name: str, reason: str) -> MetricError:
    return MetricError(
        f"metric {name!r} cannot be computed here: {reason}. Choose others with --metrics "
        "('ganzoo list --kind metrics')."
    )


def _defaults() -> Iterable[tuple[str, Metric]]:
    """Yield the default metrics; warn about each metric that cannot be loaded."""
    for entry in metrics.entries():
        try:
            metric = metrics.load(entry)
        except GanzooError as error:
            warnings.warn(f"a metric is skipped: {error}", stacklevel=4)
            continue
        if metric.by_default:
            yield metrics.prefer(entry.name, entry.distribution), metric


def _check_value_names(chosen: dict[str, Metric]) -> None:
    owners: dict[str, str] = {}
    for name, metric in chosen.items():
        for value in metric.directions:
            if value in owners:
                raise MetricError(
                    f"the metrics {owners[value]!r} and {name!r} both return a value {value!r}. "
                    "Choose one of them with --metrics."
                )
            owners[value] = name
