"""Names of metrics -> the metrics, as far as they can be computed."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence

from ganzoo.errors import GanzooError, MetricError
from ganzoo.nn import Extractor
from ganzoo.registry import metrics
from ganzoo.spec import DataSpec, Metric


def choose_metrics(names: Sequence[str], extractor: Extractor, data: DataSpec) -> dict[str, Metric]:
    """Return the metrics for sets of images by name.

    Args:
        names: registered names; if empty, all metrics that are computed by default and fit.
        extractor: of the features.
        data: the real images.

    Raises:
        MetricError: a named metric cannot be computed here, or two metrics have one figure.
        UnknownNameError, BrokenPluginError, ...: as `Registry.get`.
    """

    def refusal(metric: Metric) -> str:
        if "pairs" in metric.needs:
            return "it compares translated images with their targets"
        if reason := metric.refuses(extractor, data):
            return reason
        if "logits" in metric.needs and not extractor.classes:
            return "the extractor tells no classes apart"
        return "the data has no labels" if "labels" in metric.needs and not data.classes else ""

    if names:
        chosen = {name: metrics.get(name) for name in names}
        for name, metric in chosen.items():
            if reason := refusal(metric):
                raise MetricError(f"metric {name!r} cannot be computed here: {reason}.")
    else:
        chosen = {name: metric for name, metric in _defaults() if not refusal(metric)}
    _check_figures(chosen)
    return chosen


def choose_pair_metrics(names: Sequence[str] = ()) -> dict[str, Metric]:
    """Return the metrics for pairs of images by name; by default all that are computed by default.

    Raises:
        MetricError: a named metric compares no pairs, or two metrics have one figure.
        UnknownNameError, BrokenPluginError, ...: as `Registry.get`.
    """
    chosen = {name: metrics.get(name) for name in names} or {
        name: metric for name, metric in _defaults() if "pairs" in metric.needs
    }
    for name, metric in chosen.items():
        if "pairs" not in metric.needs:
            raise MetricError(
                f"metric {name!r} compares sets of images, and the model translates images: choose "
                "a metric of pairs, such as --metrics pixel-pairs."
            )
    _check_figures(chosen)
    return chosen


def _defaults() -> Iterable[tuple[str, Metric]]:
    """The metrics that need no naming; one that cannot be loaded is warned of."""
    for entry in metrics.entries():
        try:
            metric = metrics.load(entry)
        except GanzooError as error:
            warnings.warn(f"a metric is left out: {error}", stacklevel=4)
            continue
        if metric.by_default:
            yield metrics.prefer(entry.name, entry.distribution), metric


def _check_figures(chosen: dict[str, Metric]) -> None:
    owners: dict[str, str] = {}
    for name, metric in chosen.items():
        for figure in metric.figures:
            if figure in owners:
                raise MetricError(
                    f"the metrics {owners[figure]!r} and {name!r} have a figure {figure!r} each: "
                    "choose one of them with --metrics."
                )
            owners[figure] = name
