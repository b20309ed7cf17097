import math
from dataclasses import replace

import pytest
import torch
from r3gan_helpers import recipe
from torch import nn

import ganzoo
from ganzoo.errors import RecipeError
from ganzoo.games import Batch, Turn
from ganzoo.spec import Component
from ganzoo.training import prepare


class Linear(nn.Module):
    """Logits w . x: their gradient is w at every image."""

    def __init__(self, size):
        super().__init__()
        torch.manual_seed(3)
        self.weight = nn.Parameter(torch.randn(size, dtype=torch.float64))

    def forward(self, images):
        return images.flatten(1) @ self.weight


class Latent(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(0.5, dtype=torch.float64))

    def forward(self, z):
        return (self.scale * z).view(len(z), 1, 2, 2)


def comparison(progress):
    torch.manual_seed(1)
    real, z = torch.randn(6, 1, 2, 2).double(), torch.randn(6, 4).double()
    nets = {"discriminator": Linear(4), "generator": Latent()}
    return nets, Batch(real), Turn(0, lambda n: z, progress), real.flatten(1), 0.5 * z


@pytest.mark.parametrize(("progress", "left"), [(0, 1), (1 / 3, 0.775), (0.5, 0.55), (1, 0.1)])
def test_loss_has_the_papers_values_and_gamma_follows_a_cosine(progress, left):
    loss = ganzoo.losses.get("r3gan")(r1=3.0, r2=5.0)
    nets, batch, turn, real, fake = comparison(progress)
    w = nets["discriminator"].weight.detach()
    terms = {k: float(v.detach().mean()) for k, v in loss.discriminator(nets, batch, turn).items()}
    margin = real @ w - fake @ w
    assert terms == pytest.approx(
        {
            "adversarial": float((1 + (-margin).exp()).log().mean()),
            "r1": left * 3.0 / 2 * float(w @ w),
            "r2": left * 5.0 / 2 * float(w @ w),
        },
        rel=1e-6,
    )
    assert left == pytest.approx(0.1 + 0.9 * (1 + math.cos(math.pi * progress)) / 2)
    generator_terms = loss.generator(nets, batch, turn)
    assert float(generator_terms["adversarial"].detach().mean()) == pytest.approx(
        float((1 + margin.exp()).log().mean()), rel=1e-6
    )


def test_without_decay_it_equals_rpgan():
    weights = {"r1": 3.0, "r2": 5.0, "penalty_every": 2}
    plain = ganzoo.losses.get("rpgan")(**weights)
    ours = ganzoo.losses.get("r3gan")(penalty_decay_to=1.0, **weights)
    for tick in range(2):
        for player in ("discriminator", "generator"):
            terms = []
            for loss in (plain, ours):
                nets, batch, turn, *_ = comparison(0.7)
                terms.append(getattr(loss, player)(nets, batch, replace(turn, tick=tick)))
            assert terms[0].keys() == terms[1].keys()
            for name, term in terms[0].items():
                assert torch.equal(term, terms[1][name])


def test_defaults_are_the_papers_for_ffhq_64():
    loss = ganzoo.losses.get("r3gan")()
    assert {penalty.name: penalty.weight for penalty in loss.penalties} == {"r1": 2, "r2": 2}
    assert loss.decay_to == 0.1


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_out_of_range_is_refused(share):
    settings = recipe(loss=Component("r3gan", {"penalty_decay_to": share}))
    with pytest.raises(RecipeError, match=r"penalty_decay_to is .*\[0, 1\]|cannot be written"):
        prepare(settings)
