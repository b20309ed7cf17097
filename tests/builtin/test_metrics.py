"""The built-in metrics: their values, and which are better."""

import pytest

from ganzoo.registry import better_of, metrics
from helpers.processes import run_new

OURS = "torch-ganzoo"

# Written by hand, from the papers that the metrics name.
BETTER = {
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


def test_the_better_values_are_those_of_the_paper():
    ours = [entry for entry in metrics.entries() if entry.distribution == OURS]
    assert {entry.name: dict(metrics.load(entry).better) for entry in ours} == BETTER
    assert all(metrics.load(entry).by_default for entry in ours)


@pytest.mark.parametrize(
    ("figure", "better"),
    [
        *((figure, way) for figures in BETTER.values() for figure, way in figures.items()),
        ("share_of_7", "neither"),
        ("share", None),
        ("score_of_a_plugin_that_is_gone", None),
    ],
)
def test_the_better_values_are_declared_by_name(figure, better):
    assert better_of(figure) == better


def test_declarations_need_no_torch():
    code = """
import sys
from ganzoo.registry import better_of
assert better_of("ssim") == "higher" and better_of("unknown") is None
assert "torch" not in sys.modules
"""
    done = run_new("-c", code, env={"GANZOO_PLUGINS": ""})
    assert done.returncode == 0, done.stderr
