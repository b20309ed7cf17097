"""Compare value and gradient of every loss with its paper's formula, in float64."""

import math

import pytest
import torch
from torch import nn

import ganzoo
from ganzoo.games import Batch, Comparison, Player, Turn
from ganzoo.nn import DiscriminatorOutput

R1, R2, GradientPenalty, Dragan = map(ganzoo.penalties.get, ("r1", "r2", "gp", "dragan"))

REAL = torch.tensor([0.3, -1.2, 2.0], dtype=torch.float64)
FAKE = torch.tensor([-0.7, 0.4, 1.1], dtype=torch.float64)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def log_sigmoid(x):
    return math.log(sigmoid(x))


# (discriminator's loss of one pair, generator's loss of one fake), written as in the papers.
FORMULAS = {
    "minimax": (
        lambda r, f: -math.log(sigmoid(r)) - math.log(1 - sigmoid(f)),
        lambda f: math.log(1 - sigmoid(f)),
    ),
    "nonsaturating": (
        lambda r, f: -math.log(sigmoid(r)) - math.log(1 - sigmoid(f)),
        lambda f: -math.log(sigmoid(f)),
    ),
    "lsgan": (lambda r, f: ((r - 1) ** 2 + f**2) / 2, lambda f: (f - 1) ** 2 / 2),
    "wgan": (lambda r, f: f - r, lambda f: -f),
    "wgan-gp": (lambda r, f: f - r, lambda f: -f),
    "hinge": (lambda r, f: max(0.0, 1 - r) + max(0.0, 1 + f), lambda f: -f),
}
RELATIVISTIC = ["ragan", "rpgan"]
ADVERSARIAL = [*FORMULAS, *RELATIVISTIC]


def compare(discriminator, real, fake):
    """Return the comparison of a discriminator that returns plain logits."""

    def discriminate(images):
        return DiscriminatorOutput(discriminator(images))

    return Comparison(discriminate, real, fake, discriminate(real), discriminate(fake))


@pytest.mark.parametrize("name", FORMULAS)
def test_criterion_is_the_papers_formula(name):
    criterion = ganzoo.losses.get(name)().criterion
    d, g = FORMULAS[name]
    expected_d = [d(r, f) for r, f in zip(REAL.tolist(), FAKE.tolist(), strict=True)]
    expected_g = [g(f) for f in FAKE.tolist()]
    torch.testing.assert_close(criterion.d(REAL, FAKE), torch.tensor(expected_d).double())
    torch.testing.assert_close(criterion.g(FAKE, FAKE), torch.tensor(expected_g).double())


def test_relativistic_pairing_is_the_papers_formula():
    """L_D = -log sigmoid(C(x_r) - C(x_f)), L_G = -log sigmoid(C(x_f) - C(x_r))."""
    criterion = ganzoo.losses.get("rpgan")().criterion
    pairs = list(zip(REAL.tolist(), FAKE.tolist(), strict=True))
    d = torch.tensor([-log_sigmoid(r - f) for r, f in pairs]).double()
    g = torch.tensor([-log_sigmoid(f - r) for r, f in pairs]).double()
    torch.testing.assert_close(criterion.d(REAL, FAKE), d)
    torch.testing.assert_close(criterion.g(REAL, FAKE), g)


def test_relativistic_average_is_the_papers_formula():
    """L_D = -E log sigmoid(C(x_r) - E C(x_f)) - E log(1 - sigmoid(C(x_f) - E C(x_r)))."""
    criterion = ganzoo.losses.get("ragan")().criterion
    mean_r, mean_f = REAL.mean().item(), FAKE.mean().item()
    d = -sum(log_sigmoid(r - mean_f) for r in REAL.tolist()) / 3
    d -= sum(math.log(1 - sigmoid(f - mean_r)) for f in FAKE.tolist()) / 3
    g = -sum(log_sigmoid(f - mean_r) for f in FAKE.tolist()) / 3
    g -= sum(math.log(1 - sigmoid(r - mean_f)) for r in REAL.tolist()) / 3
    assert criterion.d(REAL, FAKE).mean().item() == pytest.approx(d, rel=1e-6)
    assert criterion.g(REAL, FAKE).mean().item() == pytest.approx(g, rel=1e-6)


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_criterion_has_the_right_gradient(name):
    criterion = ganzoo.losses.get(name)().criterion
    logits = (REAL.clone().requires_grad_(), FAKE.clone().requires_grad_())
    assert torch.autograd.gradcheck(criterion.d, logits)
    assert torch.autograd.gradcheck(criterion.g, logits)


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_gradients_have_the_right_sign(name):
    """At logits of 0 the discriminator raises real logits and the generator raises fake ones."""
    criterion = ganzoo.losses.get(name)().criterion
    real, fake = (torch.zeros(4, dtype=torch.float64, requires_grad=True) for _ in range(2))
    d_real, d_fake = torch.autograd.grad(criterion.d(real, fake).sum(), (real, fake))
    (g_fake,) = torch.autograd.grad(criterion.g(real, fake).sum(), fake)
    assert (d_real < 0).all()
    assert (d_fake >= 0).all()
    assert (g_fake < 0).all()
    assert criterion.g_needs_real is (name in RELATIVISTIC)


def test_minimax_is_minus_log_4_at_the_optimum():
    """Theorem 1 of Goodfellow et al.: where p_g = p_data, D* = 1/2 and the value is -log 4."""
    criterion = ganzoo.losses.get("minimax")().criterion
    half = torch.zeros(1, dtype=torch.float64)  # sigmoid(0) = 1/2
    assert -criterion.d(half, half).item() == pytest.approx(-math.log(4), abs=1e-15)


class Linear(nn.Module):
    """D(x) = w . x, whose gradient is w everywhere."""

    def __init__(self, w):
        super().__init__()
        self.w = nn.Parameter(w)

    def forward(self, images):
        return images.flatten(1) @ self.w


@pytest.mark.parametrize("n", [1, 7, 64])
def test_gradient_penalty_is_exact_on_a_linear_discriminator(n):
    """(||w|| - 1)^2 of each sample, for any batch: the norm is per sample."""
    generator = torch.Generator().manual_seed(n)
    w = torch.randn(3 * 4 * 4, generator=generator, dtype=torch.float64)
    discriminator = Linear(w)
    real, fake = torch.randn(2, n, 3, 4, 4, generator=generator, dtype=torch.float64)
    penalty = GradientPenalty(10.0)
    value = penalty.value(compare(discriminator, real, fake))
    expected = (w.norm() - 1).square()
    torch.testing.assert_close(value, expected.expand(n), rtol=1e-9, atol=0)
    # its gradient: 2 (||w|| - 1) w / ||w||
    value.mean().backward()
    torch.testing.assert_close(
        discriminator.w.grad, 2 * (w.norm() - 1) * w / w.norm(), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("n", [1, 7, 64])
@pytest.mark.parametrize("kind", [R1, R2])
def test_r1_and_r2_are_exact_on_a_linear_discriminator(n, kind):
    """||w||^2 / 2 of each sample, and its gradient w."""
    generator = torch.Generator().manual_seed(n)
    w = torch.randn(12, generator=generator, dtype=torch.float64)
    discriminator = Linear(w)
    real, fake = torch.randn(2, n, 3, 2, 2, generator=generator, dtype=torch.float64)
    value = kind(1.0).value(compare(discriminator, real, fake))
    torch.testing.assert_close(value, (w @ w / 2).expand(n), rtol=1e-12, atol=0)
    value.mean().backward()
    torch.testing.assert_close(discriminator.w.grad, w, rtol=1e-12, atol=0)


def half_square(x):
    """D(x) = |x|^2 / 2, whose gradient is x: the penalty reveals its points."""
    return x.square().sum((1, 2, 3)) / 2


def test_r1_uses_real_and_r2_fake_images():
    real, fake = torch.full((5, 1, 1, 1), 3.0), torch.full((5, 1, 1, 1), 50.0)
    pair = compare(half_square, real, fake)
    torch.testing.assert_close(R1(1.0).value(pair).detach(), torch.full((5,), 4.5))
    torch.testing.assert_close(R2(1.0).value(pair).detach(), torch.full((5,), 1250.0))


@pytest.mark.parametrize("n", [2, 64])
def test_dragan_is_exact_on_a_linear_discriminator(n):
    """(||w|| - 1)^2 at every point."""
    w = torch.randn(12, dtype=torch.float64)
    real, fake = torch.randn(2, n, 3, 2, 2, dtype=torch.float64)
    value = Dragan(1.0).value(compare(Linear(w), real, fake))
    torch.testing.assert_close(value, (w.norm() - 1).square().expand(n), rtol=1e-9, atol=0)


def test_dragan_samples_around_real_images():
    """Points are up to half the standard deviation of the batch from real images."""
    real = torch.cat([torch.full((250, 1, 1, 1), 3.0), torch.full((250, 1, 1, 1), 5.0)])
    fake = torch.full((500, 1, 1, 1), 90.0)
    where = Dragan(1.0).value(compare(half_square, real, fake)).detach().sqrt() + 1
    spread = real.std().item()
    beyond = where - real.flatten()
    assert beyond.min() >= 0
    assert 0.4 * spread < beyond.max() <= 0.5 * spread + 1e-4


def test_nonsaturating_has_an_option_r1():
    assert ganzoo.losses.get("nonsaturating")().penalties == ()
    (penalty,) = ganzoo.losses.get("nonsaturating")(r1=0.5, penalty_every=8).penalties
    assert (type(penalty), penalty.weight, penalty.every) == (R1, 0.5, 8)


def test_gradient_penalty_interpolates_real_and_fake():
    """For D(x) = x^2 / 2 the gradient's norm is |x|: the penalty reveals its points."""
    real, fake = torch.full((500, 1, 1, 1), 3.0), torch.full((500, 1, 1, 1), 5.0)
    penalty = GradientPenalty(1.0).value(compare(half_square, real, fake))
    where = penalty.detach().sqrt() + 1
    assert where.min() >= 3
    assert where.max() <= 5
    assert where.std() > 0.4  # uniform on [3, 5]: 0.577
    assert abs(where.mean() - 4) < 0.15


def test_a_lazy_penalty_is_scaled_by_its_interval():
    w = torch.tensor([3.0, 4.0])
    pair = compare(Linear(w), torch.ones(2, 2), torch.zeros(2, 2))
    lazy, eager = GradientPenalty(0.5, every=4), GradientPenalty(0.5)
    turn = Turn(0, torch.randn)
    computed = [lazy.term(pair, t, turn) for t in range(8)]
    lazy_sum = sum(terms["gradient_penalty"].mean() for terms in computed[::4])
    assert all(terms == {} for t, terms in enumerate(computed) if t % 4)
    eager_sum = sum(eager.term(pair, t, turn)["gradient_penalty"].mean() for t in range(8))
    torch.testing.assert_close(lazy_sum, eager_sum)
    torch.testing.assert_close(eager_sum, torch.tensor(8 * 0.5 * (5.0 - 1) ** 2))


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_terms_are_means_over_the_batch(name):
    """A batch repeated three times has the same loss, so no term sums over the batch."""
    loss = ganzoo.losses.get(name)()
    nets = {"generator": nn.Unflatten(1, (1, 1, 2)), "discriminator": Linear(torch.randn(2))}
    z, x = torch.randn(4, 2), torch.randn(4, 1, 1, 2)
    totals = []
    for times in (1, 3):
        turn = Turn(0, lambda n, times=times: z.repeat(times, 1))
        torch.manual_seed(0)
        batch = Batch(x.repeat(times, 1, 1, 1))
        for player in loss.players:
            terms = getattr(loss, player.name)(nets, batch, turn)
            totals.append(sum(t.mean() for t in terms.values()))
    torch.testing.assert_close(totals[0], totals[2])
    torch.testing.assert_close(totals[1], totals[3])


@pytest.mark.parametrize("name", ["wgan", "wgan-gp"])
def test_wasserstein_critics_train_five_times(name):
    critic, generator = ganzoo.losses.get(name)().players
    assert (critic.repeat, generator.repeat) == (5, 1)


def test_discriminator_steps_are_an_argument():
    assert ganzoo.losses.get("wgan-gp")(discriminator_steps=2).players[0].repeat == 2


@pytest.mark.parametrize("wrong", [{"every": 0}, {"repeat": 0}, {"trains": ()}])
def test_a_player_without_steps_is_refused(wrong):
    with pytest.raises(ValueError, match="player 'p'"):
        Player(**{"name": "p", "trains": ("generator",)} | wrong)
    with pytest.raises(ValueError, match="at least 1"):
        GradientPenalty(1.0, every=0)
