"""The conditional model generates the digit of the label, according to the shipped classifier.

The classifier was trained on real digits, and had no part in training or selecting the model. The
tests of extractors measure its accuracy on real digits.
"""

import numpy as np
import torch

import ganzoo
from ganzoo.evaluation.extraction import extract, make_extractor


def test_the_label_chooses_the_digit():
    labels = np.arange(1000) % 10
    samples = ganzoo.load("cgan-mnist").sample(1000, seed=1, label=labels.tolist()).numpy()
    images = torch.from_numpy(samples).permute(0, 3, 1, 2)
    read = extract(make_extractor("lenet-mnist@1"), images).logits.argmax(1)
    assert (read == labels).mean() >= 0.97
    for digit in range(10):
        assert (read[labels == digit] == digit).mean() >= 0.9, digit
