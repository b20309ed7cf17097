"""Theorems and failures of the papers, on data small enough for exact results."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance
from torch import nn

import ganzoo
from ganzoo.errors import DataError
from ganzoo.games import Batch, Turn
from ganzoo.spec import Component, Optimizer, Recipe

P = torch.tensor([0.5, 0.3, 0.2, 0.0], dtype=torch.float64)
Q = torch.tensor([0.1, 0.3, 0.2, 0.4], dtype=torch.float64)


def best_discriminator(p, q):
    """Train a logit per outcome to convergence; return the logits and the value."""
    criterion = ganzoo.losses.get("minimax")().criterion
    logits = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([logits], max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        # E_p[d(x, .)] + E_q[d(., x)], with the criterion's two halves read off at a logit each.
        far = torch.full_like(logits, -1e3)
        loss = (p * criterion.d(logits, far)).sum() + (q * criterion.d(-far, logits)).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return logits.detach(), closure().item()


def test_the_optimal_discriminator_is_p_over_p_plus_q():
    """Proposition 1 of Goodfellow et al. (2014)."""
    logits, _ = best_discriminator(P, Q)
    expected = (P / (P + Q))[:3]
    torch.testing.assert_close(torch.sigmoid(logits)[:3], expected, atol=1e-4, rtol=0)
    assert torch.sigmoid(logits)[3] < 1e-3


def test_the_value_is_the_jensen_shannon_divergence_and_minus_log_4_at_equality():
    """Theorem 1: C(G) = -log 4 + 2 JSD(p || q)."""

    def kl(a, b):
        return sum(x * math.log(x / y) for x, y in zip(a.tolist(), b.tolist(), strict=True) if x)

    middle = (P + Q) / 2
    jsd = (kl(P, middle) + kl(Q, middle)) / 2
    assert -best_discriminator(P, Q)[1] == pytest.approx(-math.log(4) + 2 * jsd, abs=1e-4)
    logits, loss = best_discriminator(Q, Q)
    torch.testing.assert_close(torch.sigmoid(logits), torch.full((4,), 0.5).double())
    assert -loss == pytest.approx(-math.log(4), abs=1e-12)


@pytest.mark.parametrize("distance", [0.5, 2.0])
def test_a_critics_estimate_is_the_wasserstein_distance(distance):
    """WGAN-GP's critic, trained on samples of two distributions on a line, against scipy's."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    real = rng.normal(0.0, 1.0, 4000)
    fake = np.where(rng.random(4000) < 0.5, rng.normal(0.0, 0.5, 4000), real) + distance
    exact = wasserstein_distance(real, fake)
    critic = nn.Sequential(
        *(nn.Flatten(), nn.Linear(1, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU()),
        *(nn.Linear(64, 1), nn.Flatten(0)),
    )
    x, y = (torch.tensor(a, dtype=torch.float32).reshape(-1, 1, 1, 1) for a in (real, fake))
    nets = {"generator": nn.Identity(), "discriminator": critic}
    # A slope k gains W k - gp (k - 1)^2, so the critic overshoots by W / (2 gp): here at most 1 %.
    loss = ganzoo.losses.get("wgan-gp")(gp=100.0)
    optimizer = torch.optim.Adam(critic.parameters(), 1e-3, betas=(0.5, 0.9))
    for _ in range(800):
        rows = torch.randint(4000, (512,))
        turn = Turn(0, lambda n, rows=rows: y[rows])
        terms = loss.discriminator(nets, Batch(x[rows]), turn)
        optimizer.zero_grad()
        sum(term.mean() for term in terms.values()).backward()
        optimizer.step()
    turn = Turn(0, lambda n: y)
    loss.discriminator(nets, Batch(x), turn)
    assert turn.metrics["wasserstein"].item() == pytest.approx(exact, rel=0.05)


MODES, RADIUS, STD = 8, 0.75, 0.03
# The critic trains five times for each step of the generator: if it is nearly optimal,
# minimax chases it from mode to mode.
GAME = {"discriminator_steps": 5}


def modes_kept(tmp_path, loss, **arguments):
    """Count modes of the ring with at least 1 % of 1,000 samples within three deviations."""
    recipe = Recipe(
        name="ring",
        architecture=Component("mlp", {"latent_dim": 16, "width": 128, "depth": 2, "slope": 0.2}),
        loss=Component(loss, GAME | arguments),
        dataset=Component("ring"),
        images=80_000,
        batch_size=128,
        optimizer=Optimizer(lr=1e-3, betas=(0.5, 0.9)),
        ema_halflife=2_000,
        sample_every=0,
        checkpoint_every=0,
    )
    run = ganzoo.train(
        recipe, out=tmp_path / loss, progress=False, monitors="off", tensorboard="off"
    )
    levels = ganzoo.load(run.bundle).sample(1000).numpy().reshape(1000, 2)
    points = levels / 127.5 - 1
    angles = 2 * np.pi * np.arange(MODES) / MODES
    centres = RADIUS * np.stack([np.cos(angles), np.sin(angles)], 1)
    distances = np.linalg.norm(points[:, None] - centres, axis=2)
    near = distances.min(1) < 3 * STD + 0.5 / 127.5  # half a level of rounding
    counts = np.bincount(distances.argmin(1)[near], minlength=MODES)
    return int((counts >= 10).sum())


@pytest.mark.slow
def test_minimax_loses_modes(tmp_path):
    assert modes_kept(tmp_path, "minimax") <= 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loss", "arguments"), [("wgan-gp", {"gp": 0.1}), ("rpgan", {"r1": 0.1, "r2": 0.1})]
)
def test_other_losses_keep_all_modes_in_as_many_steps(tmp_path, loss, arguments):
    assert modes_kept(tmp_path, loss, **arguments) == MODES


def test_ring_points_are_on_the_circle():
    dataset, spec = ganzoo.datasets.get("ring")(None)
    images, labels = dataset.tensors
    assert images.shape == (16_384, *spec.image.shape) == (16_384, 1, 1, 2)
    points = images.double().flatten(1) / 127.5 - 1
    for mode in range(8):
        own = points[labels == mode]
        angle = 2 * math.pi * mode / 8
        centre = 0.75 * torch.tensor([math.cos(angle), math.sin(angle)]).double()
        torch.testing.assert_close(own.mean(0), centre, atol=0.005, rtol=0)
        assert own.std(0).mean() == pytest.approx(0.03, rel=0.1)


def test_ring_has_images_for_plots():
    points, labels = ganzoo.datasets.get("ring")(None, count=64)[0].tensors
    pictures, same = ganzoo.datasets.get("ring")(None, count=64, size=32)[0].tensors
    assert pictures.shape == (64, 1, 32, 32)
    assert torch.equal(labels, same)
    brightest = pictures.flatten(1).argmax(1)
    column, row = brightest % 32, brightest // 32
    x, y = (points.flatten(1)[:, k].double() / 255 * 32 for k in (0, 1))
    assert (column + 0.5 - x).abs().max() < 1
    assert (32 - row - 0.5 - y).abs().max() < 1  # y points up, rows down


@pytest.mark.parametrize("wrong", [{"modes": 0}, {"std": 0.0}, {"count": 3}, {"size": 4}])
def test_ring_refuses_invalid_arguments(wrong):
    with pytest.raises(DataError, match="ring"):
        ganzoo.datasets.get("ring")(None, **wrong)
