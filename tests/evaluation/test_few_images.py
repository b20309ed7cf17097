"""With few images, default metrics are left out at once, and named ones are refused at once."""

import numpy as np
import pytest
import torch

import ganzoo
from ganzoo.errors import MetricError
from ganzoo.evaluation import plan_evaluation
from ganzoo.evaluation.choice import choose_pair_metrics
from ganzoo.evaluation.images import random_rows
from ganzoo.spec import DataSpec, ImageSpec
from ganzoo.spec.model import UNIFORM_LABELS
from helpers.playback import Playback

GREY = DataSpec(ImageSpec(16, 16, 1))
REASON = (
    "features of 256 dimensions need 257 or more real images and samples, and there are 60 and 60"
)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_CACHE", str(tmp_path / "cache"))


def test_a_default_metric_is_left_out_with_its_reason():
    with pytest.warns(UserWarning, match=f"'frechet' is left out: {REASON}"):
        plan = plan_evaluation("pixels", GREY, 60, samples=60)
    assert plan.left_out == {"frechet": REASON}
    assert {"kernel", "precision-recall", "density-coverage", "memorisation"} <= set(plan.metrics)
    with pytest.raises(MetricError, match=f"'frechet' cannot be computed here: {REASON}"):
        plan_evaluation("pixels", GREY, 60, samples=60, metrics=["frechet"])
    assert not plan_evaluation("pixels", GREY, 300, samples=300).left_out


@pytest.mark.parametrize(
    ("real", "samples", "left_out"),
    [
        (300, 3, {"frechet", "kernel", "precision-recall", "density-coverage"}),
        (300, 5, {"frechet", "density-coverage"}),
        (1, 300, {"frechet", "kernel", "precision-recall", "density-coverage", "memorisation"}),
    ],
)
def test_each_metric_knows_how_many_images_it_needs(real, samples, left_out):
    if left_out >= {"memorisation"}:
        with pytest.raises(MetricError, match="no default metric can be computed here: "):
            plan_evaluation("pixels", GREY, real, samples=samples)
        return
    with pytest.warns(UserWarning, match="is left out"):
        plan = plan_evaluation("pixels", GREY, real, samples=samples)
    assert set(plan.left_out) == left_out


def test_the_numbers_are_those_that_the_metrics_compute_with():
    """One image less than a plan accepts is an error of the metric itself."""
    from ganzoo import evaluation

    rng = np.random.default_rng(0)
    features = lambda n: rng.normal(size=(n, 3))  # noqa: E731
    cases = {
        "frechet": (4, lambda n: evaluation.frechet_distance(features(n), features(n))),
        "kernel": (4, lambda n: evaluation.kernel_distance(features(n), features(n))),
        "precision-recall": (4, lambda n: evaluation.precision_recall(features(n), features(n))),
        "density-coverage": (6, lambda n: evaluation.density_coverage(features(n), features(n), 5)),
        "inception-score": (20, lambda n: evaluation.inception_score(features(n))),
    }
    from ganzoo.registry import metrics
    from ganzoo.spec import SetSizes

    for name, (least, compute) in cases.items():
        compute(least)
        assert metrics.get(name).too_few(SetSizes(least, least, 3)) == ""
        with pytest.raises(MetricError):
            compute(least - 1)
        assert metrics.get(name).too_few(SetSizes(least - 1, least - 1, 3))


def test_nothing_is_read_before_a_refusal(bundle, monkeypatch):
    def read(*_, **__):
        raise AssertionError("images were read")

    monkeypatch.setattr("ganzoo.comparison.models.decode", read)
    for options, message in (
        ({"metrics": ["frechet"], "samples": 60}, "'frechet' cannot be computed here"),
        ({"samples": 1.5}, "samples is 1.5; it must be an integer"),
        ({"seed": 1.5}, "seed is 1.5; it must be an integer"),
        ({"seed": -1}, "seed is -1"),
        ({"samples": 0}, "cannot measure 0 samples"),
    ):
        with pytest.raises(MetricError, match=message):
            ganzoo.evaluate(bundle, extractor="pixels", progress=False, **options)


def test_what_is_left_out_is_in_the_protocol_and_the_card(bundle):
    options = {"samples": 60, "extractor": "pixels", "progress": False}
    with pytest.warns(UserWarning, match="'frechet' is left out"):
        evaluation = ganzoo.evaluate(bundle, **options)
    reason = evaluation.protocol["left_out"]["frechet"]
    assert "frechet_distance" not in evaluation.metrics
    assert f"- not computed: frechet, because {reason}" in (bundle / "README.md").read_text()
    with pytest.warns(UserWarning, match="'frechet' is left out"):
        rows = ganzoo.compare([bundle, bundle], defaults=["frechet", "precision-recall"], **options)
    assert set(rows[0].evaluation.metrics) == {"precision", "recall"}


def test_small_targets_are_refused_before_they_are_translated():
    tiny = DataSpec(ImageSpec(5, 8, 3), condition=ImageSpec(5, 8, 3))
    with pytest.raises(MetricError, match="SSIM needs images with sides of at least 6 pixels"):
        choose_pair_metrics((), tiny)
    with pytest.raises(MetricError, match="SSIM needs images with sides of at least 6 pixels"):
        choose_pair_metrics(["pixel-pairs"], tiny)


def test_pairs_are_drawn_from_all():
    assert random_rows(10, 20, 0).tolist() == list(range(10))
    rows = random_rows(1000, 100, 0)
    assert rows.tolist() == sorted(set(rows.tolist()))
    assert rows.max() > 900


def test_the_protocol_of_a_conditional_model_states_its_labels():
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]  # of MNIST
    labels = torch.repeat_interleave(torch.arange(10), torch.tensor(counts) // 10)
    images = torch.zeros(len(labels), 1, 28, 28, dtype=torch.uint8)
    spec = DataSpec(ImageSpec(28, 28, 1), 10, tuple("0123456789"), extractor="lenet-mnist@1")
    plan = plan_evaluation(spec.extractor, spec, len(images), samples=200, metrics=["modes"])
    evaluator = ganzoo.evaluation.Evaluator(images, labels, plan, {"sha256": "4" * 64})
    conditional = Playback(np.zeros((200, 28, 28, 1), np.uint8), spec, ("z", "y"))
    protocol = evaluator(conditional).protocol
    assert protocol["labels"] == UNIFORM_LABELS
    assert "class_kl is 0.0014 if each sample" in protocol["settings"]["modes"]
    plain = evaluator(Playback(np.zeros((200, 28, 28, 1), np.uint8), spec)).protocol
    assert "labels" not in plain
    assert plain["settings"]["modes"] == "one sample makes a class"
