"""Choose metrics by name, and check that they can be computed."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence

from ganzoo.errors import GanzooError, MetricError
from ganzoo.nn import Extractor
from ganzoo.registry import metrics
from ganzoo.spec import DataSpec, Metric


def choose_metrics(names: Sequence[str], extractor: Extractor, data: DataSpec) -> dict[str, Metric]:
    """Return the metrics that compare sets of images, by name.

    Args:
        names: registered names; if empty, every default metric that can be computed.
        extractor: the extractor of the features.
        data: the spec of the real images.

    Raises:
        MetricError: a named metric cannot be computed, or two metrics return a value of the same
            name.
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
            if reason := refusal(metric):
                raise MetricError(
                    f"metric {name!r} cannot be computed here: {reason}. Choose others with "
                    "--metrics ('ganzoo list --kind metrics')."
                )
    else:
        chosen = {name: metric for name, metric in _defaults() if not refusal(metric)}
    _check_value_names(chosen)
    return chosen


def choose_pair_metrics(names: Sequence[str] = ()) -> dict[str, Metric]:
    """Return the metrics that compare pairs of images, by name.

    Args:
        names: registered names; if empty, every default metric of pairs.

    Raises:
        MetricError: a named metric does not compare pairs, or two metrics return a value of the
            same name.
        UnknownNameError, BrokenPluginError, ...: as `Registry.get`.
    """
    chosen = {name: metrics.get(name) for name in names} or {
        name: metric for name, metric in _defaults() if "pairs" in metric.needs
    }
    for name, metric in chosen.items():
        if "pairs" not in metric.needs:
            raise MetricError(
                f"metric {name!r} compares sets of images, but the model translates images. Choose "
                "a metric of pairs, such as --metrics pixel-pairs."
            )
    _check_value_names(chosen)
    return chosen


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
        for value in metric.figures:
            if value in owners:
                raise MetricError(
                    f"the metrics {owners[value]!r} and {name!r} both return a value {value!r}. "
                    "Choose one of them with --metrics."
                )
            owners[value] = name
