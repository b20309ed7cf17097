"""Metrics of generators: by features, by classes and by distributions.

Each public name is imported at its first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganzoo.evaluation.distances import (
        frechet_distance,
        kernel_distance,
        usable_subset_size,
    )
    from ganzoo.evaluation.divergences import (
        js,
        js_from_discriminator_loss,
        kl,
        kl_normal,
        wasserstein1,
    )
    from ganzoo.evaluation.estimate import Estimate
    from ganzoo.evaluation.evaluator import Evaluation, Evaluator
    from ganzoo.evaluation.extraction import features_with_gradients
    from ganzoo.evaluation.images import ImageSet, ImageSets
    from ganzoo.evaluation.memorisation import (
        Nearest,
        authentic,
        authenticity,
        nearest_training,
    )
    from ganzoo.evaluation.modes import (
        GaussianModes,
        ModeCoverage,
        ModesHit,
        gaussian_modes,
        label_accuracy,
        mode_coverage,
        modes_hit,
    )
    from ganzoo.evaluation.neighbours import (
        DensityCoverage,
        PrecisionRecall,
        density_coverage,
        precision_recall,
    )
    from ganzoo.evaluation.pairs import compare_pairs, structural_similarity
    from ganzoo.evaluation.plan import EvaluationPlan, plan_evaluation
    from ganzoo.evaluation.scores import inception_score

_NAMES = {
    "distances": ("frechet_distance", "kernel_distance", "usable_subset_size"),
    "divergences": ("js", "js_from_discriminator_loss", "kl", "kl_normal", "wasserstein1"),
    "estimate": ("Estimate",),
    "evaluator": ("Evaluation", "Evaluator"),
    "extraction": ("features_with_gradients",),
    "images": ("ImageSet", "ImageSets"),
    "memorisation": ("Nearest", "authentic", "authenticity", "nearest_training"),
    "modes": (
        "GaussianModes",
        "ModeCoverage",
        "ModesHit",
        "gaussian_modes",
        "label_accuracy",
        "mode_coverage",
        "modes_hit",
    ),
    "neighbours": ("DensityCoverage", "PrecisionRecall", "density_coverage", "precision_recall"),
    "pairs": ("compare_pairs", "structural_similarity"),
    "plan": ("EvaluationPlan", "plan_evaluation"),
    "scores": ("inception_score",),
}
_HOME = {name: f"{__name__}.{module}" for module, names in _NAMES.items() for name in names}

__all__ = [
    "DensityCoverage",
    "Estimate",
    "Evaluation",
    "EvaluationPlan",
    "Evaluator",
    "GaussianModes",
    "ImageSet",
    "ImageSets",
    "ModeCoverage",
    "ModesHit",
    "Nearest",
    "PrecisionRecall",
    "authentic",
    "authenticity",
    "compare_pairs",
    "density_coverage",
    "features_with_gradients",
    "frechet_distance",
    "gaussian_modes",
    "inception_score",
    "js",
    "js_from_discriminator_loss",
    "kernel_distance",
    "kl",
    "kl_normal",
    "label_accuracy",
    "mode_coverage",
    "modes_hit",
    "nearest_training",
    "plan_evaluation",
    "precision_recall",
    "structural_similarity",
    "usable_subset_size",
    "wasserstein1",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ganzoo.system.dependencies import quiet_imports

    try:
        with quiet_imports():
            value = getattr(importlib.import_module(_HOME[name]), name)
    except ModuleNotFoundError as error:
        from ganzoo.errors import missing_extra

        raise missing_extra(f"{__name__}.{name}", error) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
