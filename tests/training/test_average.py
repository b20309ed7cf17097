"""The half-life of averaged networks."""

import math

import pytest
import torch
from torch import nn

from ganzoo.training import prepare
from ganzoo.training.ema import Averaged
from helpers.recipes import tiny


@pytest.mark.parametrize(
    ("cosine_over", "halflife"),
    [(0, lambda n: min(400, n / 20)), (1000, lambda n: 200 * (1 - math.cos(math.pi * n / 1000)))],
)  # fmt: skip
def test_the_half_life_grows(cosine_over, halflife):
    """In proportion to the images seen, or along half a cosine over the run."""
    layer = nn.Linear(1, 1, bias=False)
    average = Averaged({"generator": layer}, 400, 10, cosine_over)
    expected = 0.0
    for tick in range(1, 101):
        with torch.no_grad():
            layer.weight.fill_(float(tick))
        average.update(10 * tick)
        decay = 0.5 ** (10 / halflife(10 * tick))
        expected = expected * decay + tick * (1 - decay) if tick > 1 else tick
        weight = average.networks["generator"].weight.item()
        assert weight == pytest.approx(expected, rel=1e-4)


def test_the_recipe_selects_the_growth():
    assert prepare(tiny()).state.ema.cosine_over == 0
    assert prepare(tiny(ema_ramp="cosine", images=64)).state.ema.cosine_over == 64
