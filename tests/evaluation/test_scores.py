import numpy as np
import pytest
import torch
from torchmetrics.image.inception import InceptionScore

from ganzoo.errors import MetricError
from ganzoo.evaluation import inception_score


def formula(logits):
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return np.exp((p * np.log(p / p.mean(0))).sum(1).mean())


def test_identical_images_score_one():
    logits = np.tile(np.float32([1, -2, 0.5]), (40, 1))
    assert inception_score(logits) == pytest.approx((1, 0), abs=1e-12)


def test_certain_and_balanced_classes_score_their_number():
    logits = np.float32([[1e4, 0, -1e4], [-1e4, 1e4, 0], [0, -1e4, 1e4]])
    score = inception_score(np.repeat(logits, 10_000, axis=0))
    # A split of 3,000 is balanced up to chance: 3 (1 - 2 / 6,000).
    assert score.value == pytest.approx(2.999, abs=0.001)
    assert score.value < 3
    assert 0 < score.error < 0.001


def test_an_impossible_class_changes_nothing():
    logits = np.random.default_rng(0).normal(size=(100, 3))
    more = np.column_stack([logits, np.full(100, -1e5)])
    assert inception_score(more) == pytest.approx(inception_score(logits), rel=1e-12)


def test_the_score_is_its_formula_over_the_splits():
    logits = np.random.default_rng(0).normal(size=(103, 4)) * 2
    score = inception_score(logits, splits=5, seed=7)
    order = np.random.default_rng(7).permutation(103)
    scores = [formula(logits[part]) for part in np.array_split(order, 5)]
    assert score.value == pytest.approx(np.mean(scores), rel=1e-9)
    assert score.error == pytest.approx(np.std(scores, ddof=1) / 5**0.5, rel=1e-9)
    assert score.error * 4**0.5 == pytest.approx(np.std(scores), rel=1e-9)  # what papers report


@pytest.mark.filterwarnings("ignore:Metric `InceptionScore`")
def test_the_score_equals_torchmetrics_in_the_same_order():
    logits = np.random.default_rng(0).normal(size=(5000, 6)).astype(np.float32) * 3
    score = inception_score(logits, splits=2)
    metric = InceptionScore(torch.nn.Identity(), splits=2)
    metric.update(torch.from_numpy(logits))
    torch.manual_seed(0)
    assert score.value == pytest.approx(metric.compute()[0].item(), rel=1e-4)


def test_the_seed_determines_the_order():
    logits = np.random.default_rng(0).normal(size=(100, 4))
    assert inception_score(logits, seed=1) == inception_score(logits, seed=1)
    assert inception_score(logits, seed=1) != inception_score(logits, seed=2)


@pytest.mark.parametrize(
    ("images", "arguments"), [(19, {}), (40, {"splits": 1}), (40, {"seed": -1})]
)
def test_invalid_input_is_refused(images, arguments):
    with pytest.raises(MetricError, match=f"with {images} images.* Use "):
        inception_score(np.ones((images, 3)), **arguments)
    with pytest.raises(MetricError, match="the logits must be a matrix"):
        inception_score(np.ones(40))
