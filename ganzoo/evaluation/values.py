"""Compute the values of metrics, and the settings for the protocol."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ganzoo.errors import BrokenPluginError, GanzooError, describe, enumerate_names
from ganzoo.evaluation.images import ImageSets
from ganzoo.registry import metrics
from ganzoo.spec import Metric


def compute_values(
    chosen: Mapping[str, Metric], sets: ImageSets
) -> tuple[dict[str, float], dict[str, str]]:
    """Return the finite values by name, and the settings by metric.

    Args:
        chosen: metrics by registered name.
        sets: the images.

    Raises:
        MetricError: a metric rejects the images, for example because there are too few.
        BrokenPluginError: a metric fails, or returns a value that it does not declare.
    """
    finite: dict[str, float] = {}
    settings: dict[str, str] = {}
    for name, metric in chosen.items():
        try:
            values = {key: float(x) for key, x in metric.compute(sets).items()}
            settings[name] = metric.settings(sets)
        except GanzooError:
            raise
        except Exception as error:
            raise BrokenPluginError(
                f"{metrics.cite(name)} failed: {describe(error)}. Report this to the plugin's "
                "author, or choose other --metrics."
            ) from error
        for key in values:
            if metric.direction(key) is None:
                raise BrokenPluginError(
                    f"{metrics.cite(name)} returned the value {key!r}, but declares "
                    f"{enumerate_names(metric.directions)}. Report this to the plugin's author, or "
                    "choose other --metrics."
                )
        finite |= {key: x for key, x in values.items() if math.isfinite(x)}
    return finite, settings
