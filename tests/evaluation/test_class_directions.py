"""Directions to the classes of an extractor."""

import numpy as np
import pytest
import torch

import ganzoo
from ganzoo import Draw
from ganzoo.errors import MetricError
from ganzoo.evaluation.class_directions import class_directions
from ganzoo.evaluation.extraction import extract, make_extractor

LENET = "lenet-mnist@1"


@pytest.fixture(scope="module")
def model():
    return ganzoo.load("dcgan-mnist", runtime="onnx")


@pytest.fixture(scope="module")
def directions(model):
    return class_directions(model, LENET, ("3", "7"), draws=600)


def test_images_move_to_the_class(model, directions):
    start = directions.start(model, model.codes(Draw.of(1, 50)))
    shares = []
    for strength in (-3.0, 3.0):
        images = model.render(directions.move(start, 1, strength)).numpy()
        pixels = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())
        logits = extract(make_extractor(LENET), pixels).logits
        shares.append(float((logits.argmax(1) == 7).mean()))
    assert shares[0] == 0
    assert shares[1] > 0.7
    assert directions.names == ("class 3", "class 7")
    assert np.allclose(np.linalg.norm(directions.vectors, axis=1), 1, atol=1e-5)


def test_by_default_there_is_one_for_each_class_with_enough_images(model):
    result = class_directions(model, LENET, draws=150)
    assert 2 <= len(result) <= 10
    assert len(result) == len({*result.names})


@pytest.mark.parametrize(
    ("extractor", "classes", "draws", "says"),
    [
        (LENET, ("ten",), 20, "no class 'ten'. Its classes: 0, 1"),
        (LENET, ("3",), 20, "needs 10 images of the class"),
        (LENET, (), 12, "needs 10 images of the class"),
        ("pixels", (), 20, "has no classes"),
        ("pixels", ("3",), 20, "no class '3'. It has no classes"),
        ("colour-64@1", (), 20, "Pass --resize"),
    ],
)
def test_wrong_arguments_are_named(model, extractor, classes, draws, says):
    with pytest.raises(MetricError, match=says):
        class_directions(model, extractor, classes, draws=draws)
