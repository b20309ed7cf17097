"""The built-in metrics: their values and directions."""

import pytest

from ganzoo.registry import direction_of, metrics
from ganzoo.testing import PluginSuite
from helpers.processes import run_new

OURS = "torch-ganzoo"

# Written by hand, from the papers that the metrics name.
DIRECTIONS = {
    "frechet": {"frechet_distance": "lower"},
    "kernel": {"kernel_distance": "lower", "kernel_distance_error": "neither"},
    "precision-recall": {"precision": "higher", "recall": "higher"},
    "density-coverage": {"density": "higher", "coverage": "higher"},
    "inception-score": {"inception_score": "higher", "inception_score_error": "neither"},
    "modes": {
        "class_kl": "lower",
        "classes_missing": "lower",
        "label_accuracy": "higher",
        "share_of_*": "neither",
    },
    "ring-modes": {"modes": "neither", "modes_hit": "higher", "high_quality": "higher"},
    "memorisation": {
        "nearest_by_pixels": "neither",
        "nearest_by_features": "neither",
        "authenticity_by_pixels": "higher",
        "authenticity_by_features": "higher",
    },
    "pixel-pairs": {"mean_absolute_error": "lower", "psnr": "higher", "ssim": "higher"},
}


def test_every_metric_has_the_direction_of_its_paper():
    ours = [entry for entry in metrics.entries() if entry.distribution == OURS]
    assert {entry.name: dict(metrics.load(entry).directions) for entry in ours} == DIRECTIONS
    assert all(metrics.load(entry).by_default for entry in ours)


@pytest.mark.parametrize(
    ("figure", "direction"),
    [
        *((figure, way) for figures in DIRECTIONS.values() for figure, way in figures.items()),
        ("share_of_7", "neither"),
        ("share", None),
        ("score_of_a_plugin_that_is_gone", None),
    ],
)
def test_a_direction_is_found_by_the_name_of_the_value(figure, direction):
    assert direction_of(figure) == direction


def test_directions_need_no_torch():
    code = """
import sys
from ganzoo.registry import direction_of
assert direction_of("ssim") == "higher" and direction_of("unknown") is None
assert "torch" not in sys.modules
"""
    done = run_new("-c", code, env={"GANZOO_PLUGINS": ""})
    assert done.returncode == 0, done.stderr


class TestMetricsTrackersAndSamplers(PluginSuite):
    distribution = OURS

    @classmethod
    def subjects(cls):
        kinds = ("metric", "tracker", "sampler")
        return [s for s in super().subjects() if s.registry.kind in kinds]
