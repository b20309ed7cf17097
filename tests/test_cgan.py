"""The conditional model makes the digit it is asked for, as the classifier that ships sees it.

What that classifier reads of real digits is for tests/test_extractors.py to say.
"""

import numpy as np
import torch

import ganzoo
from ganzoo.evaluation.extraction import extract, make_extractor


def test_it_makes_the_digit_that_was_asked_for():
    labels = np.arange(1000) % 10
    samples = ganzoo.load("cgan-mnist").sample(1000, seed=1, label=labels).numpy()
    images = torch.from_numpy(samples).permute(0, 3, 1, 2)
    told = extract(make_extractor("lenet-mnist@1"), images).logits.argmax(1)
    assert (told == labels).mean() >= 0.97
