"""Each process draws its rows of the whole batch."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from ganzoo.training.whole_batch import WholeBatch

RANKS, ROWS = 4, 3
PLACES = torch.full((RANKS * ROWS, 5), 0.3)
DRAWS = {
    "randn": lambda x: torch.randn(len(x), 5),
    "rand of a shape": lambda x: torch.rand((len(x), 2, 2)),
    "rand of a size": lambda x: torch.rand(size=(len(x), 1)),
    "randint": lambda x: torch.randint(7, (len(x), 4)),
    "like": lambda x: torch.randn_like(x),
    "like by name": lambda x: torch.rand_like(input=x),
    "channels last": lambda x: torch.randn_like(
        x.view(-1, 5, 1, 1).expand(-1, 5, 4, 4).contiguous(memory_format=torch.channels_last)
    ),
    "bernoulli": lambda x: torch.bernoulli(x),
    "normal": lambda x: torch.normal(mean=x, std=1.0),
    "normal of a shape": lambda x: torch.normal(0.0, 1.0, (len(x), 5)),
    "multinomial": lambda x: torch.multinomial(x, 2),
    "gumbel": lambda x: functional.gumbel_softmax(x),
    "in place": lambda x: torch.empty(len(x), 5).normal_(2.0, 3.0),
    "dropout": lambda x: nn.Dropout(0.5)(x),
    "dropout of maps": lambda x: nn.Dropout2d(0.5)(x.view(-1, 5, 1, 1).expand(-1, 5, 2, 2)),
    "a coin for all": lambda x: torch.rand(7),
}


def seeded(draw, x):
    torch.manual_seed(0)
    return draw(x)


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_rows_come_from_one_draw(draw):
    whole, parts = seeded(draw, PLACES), []
    for rank, mine in enumerate(PLACES.split(ROWS)):
        with WholeBatch(ROWS, rank, RANKS, None):
            parts.append(seeded(draw, mine))
    if len(whole) == len(PLACES):
        assert torch.equal(torch.cat(parts), whole)
        assert not torch.equal(parts[0], parts[1])
    else:
        assert all(torch.equal(part, whole) for part in parts)


def test_real_and_fake_at_once():
    """Processes get rows of both halves, in the order of the whole batch."""
    whole = seeded(lambda x: torch.randn(2 * len(x), 5), PLACES)
    for rank, mine in enumerate(PLACES.split(ROWS)):
        with WholeBatch(ROWS, rank, RANKS, None):
            part = seeded(lambda x: torch.randn(2 * len(x), 5), mine)
        expected = [half.split(ROWS)[rank] for half in whole.chunk(2)]
        assert torch.equal(part, torch.cat(expected))
