"""Compute the values of metrics, and the settings for the protocol."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ganzoo.errors import BrokenPluginError, GanzooError, describe, enumerate_names
from ganzoo.evaluation.images import ImageSets
from ganzoo.registry import metrics
from ganzoo.spec import Metric


class Values(NamedTuple):
    """The results of metrics.

    Attributes:
        finite: finite values by name.
        settings: settings by metric, for the protocol.
        left_out: reasons, by the name of a metric or value that has no result.
    """

    finite: dict[str, float]
    settings: dict[str, str]
    left_out: dict[str, str]


def compute_values(chosen: Mapping[str, Metric], sets: ImageSets, *, named: bool = True) -> Values:
    """Compute metrics.

    Warns of each default metric that fails and of each value that is not finite, and leaves it out.

    Args:
        chosen: metrics by registered name.
        sets: the images.
        named: whether the user named the metrics. Otherwise they are the default ones.

    Raises:
        MetricError: a named metric rejects the images, for example because there are too few.
        BrokenPluginError: a named metric fails, or returns a value that it does not declare.
    """
    results = Values({}, {}, {})
    for name, metric in chosen.items():
        try:
            values, settings = _compute(name, metric, sets)
        except GanzooError as error:
            if named:
                raise
            results.left_out[name] = str(error)
            continue
        results.settings[name] = settings
        for key, value in values.items():
            if math.isfinite(value):
                results.finite[key] = value
            else:
                results.left_out[key] = f"its value is {value}"
    for name, reason in results.left_out.items():
        warnings.warn(f"metric {name!r} is left out: {reason}", stacklevel=3)
    return results


def _as_float(name: str, value: Any) -> float:
    if isinstance(value, bool | np.bool_):  # `float` accepts them
        raise TypeError(f"the value {name!r} is {value}, not a number")
    return float(value)


def _compute(name: str, metric: Metric, sets: ImageSets) -> tuple[dict[str, float], str]:
    """Return the values and the settings of a metric."""
    try:
        values = {key: _as_float(key, x) for key, x in metric.compute(sets).items()}
        settings = metric.settings(sets)
    except GanzooError:
        raise
    except Exception as error:
        raise BrokenPluginError(
            f"{metrics.cite(name)} failed: {describe(error)}. Report this to the plugin's "
            "author, or choose other --metrics."
        ) from error
    for key in values:
        if metric.better_of(key) is None:
            raise BrokenPluginError(
                f"{metrics.cite(name)} returned the value {key!r}, but declares "
                f"{enumerate_names(metric.better)}. Report this to the plugin's author, or "
                "choose other --metrics."
            )
    return values, settings
