"""Compare losses with an encoder with their formulas."""

import math

import pytest
import torch
from torch import nn
from torch.distributions import Bernoulli, Laplace, MultivariateNormal, Normal, kl_divergence
from torch.nn.functional import mse_loss, softplus

import ganzoo
from ganzoo.builtin.losses.autoencoding import (
    draw,
    kl_from_standard_normal,
    reconstruction_error,
)
from ganzoo.games import Batch, Turn
from ganzoo.nn import DiscriminatorOutput, generate_logits
from ganzoo.training.players import train_only

SHAPE = (1, 4, 4)


class Encoder(nn.Module):
    """x -> mean and log-variance, linear."""

    def __init__(self, latent_dim=3):
        super().__init__()
        self.mean = nn.Linear(16, latent_dim).double()
        self.log_variance = nn.Linear(16, latent_dim).double()

    def forward(self, images):
        flat = images.flatten(1)
        return self.mean(flat), self.log_variance(flat)


class Decoder(nn.Module):
    def __init__(self, latent_dim=3):
        super().__init__()
        self.map = nn.Linear(latent_dim, 16).double()

    def forward(self, z):
        return self.map(z).tanh().reshape(-1, *SHAPE)


class Judge(nn.Module):
    """A discriminator with two features, whose sum is the logit."""

    def __init__(self):
        super().__init__()
        self.features = nn.Linear(16, 2).double()

    def forward(self, images):
        features = self.features(images.flatten(1))
        return DiscriminatorOutput(features.sum(1), features)


class JointJudge(nn.Module):
    def __init__(self):
        super().__init__()
        self.map = nn.Linear(19, 1).double()

    def forward(self, images, z):
        return self.map(torch.cat([images.flatten(1), z], 1)).squeeze(1)


@pytest.fixture
def nets():
    torch.manual_seed(0)
    return {"encoder": Encoder(), "generator": Decoder(), "discriminator": Judge()}


@pytest.fixture
def batch():
    torch.manual_seed(1)
    return Batch(2 * torch.rand(6, *SHAPE).double() - 1)


def turn(z=None):
    return Turn(0, lambda n: z)


def test_kl_equals_the_general_formula():
    """Compare with the general formula for N(0, I) and a full covariance matrix."""
    torch.manual_seed(0)
    mean, log_variance = torch.randn(2, 5, 4).double()
    general = kl_divergence(
        MultivariateNormal(mean, torch.diag_embed(log_variance.exp())),
        MultivariateNormal(torch.zeros(4).double(), torch.eye(4).double()),
    )
    torch.testing.assert_close(kl_from_standard_normal(mean, log_variance), general)
    zero = torch.zeros(2, 4)
    assert torch.equal(kl_from_standard_normal(zero, zero), torch.zeros(2))


def test_kl_near_0_is_exact():
    """The KL is (m2 + log^2 s2 / 2) / 2 near 0, where 1 + log s2 - s2 would be rounding error."""
    log_variance = torch.tensor([[1e-3], [-1e-3], [1e-5], [-1e-5]])
    kl = kl_from_standard_normal(torch.zeros(4, 1), log_variance)
    torch.testing.assert_close(kl, log_variance[:, 0].square() / 4, rtol=0.05, atol=0)


def test_kl_equals_its_monte_carlo_estimate():
    """E_q[log q(z) - log p(z)] over z sampled as in training."""
    torch.manual_seed(0)
    mean, log_variance = torch.tensor([[0.5, -1.0]]).double(), torch.tensor([[0.3, -0.8]]).double()
    n = 400_000
    z = draw(mean.expand(n, -1), log_variance.expand(n, -1))
    q, p = Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0)
    ratio = (q.log_prob(z) - p.log_prob(z)).sum(1)
    error = ratio.std() / n**0.5
    assert (ratio.mean() - kl_from_standard_normal(mean, log_variance)).abs() < 4 * error


def test_sampled_latents_carry_gradients_to_mean_and_variance():
    """dz/dmu = 1 and dz/dlog s2 = (z - mu) / 2."""
    mean, log_variance = torch.randn(2, 5, 4).double().unbind()
    mean.requires_grad_()
    log_variance.requires_grad_()
    z = draw(mean, log_variance)
    to_mean, to_variance = torch.autograd.grad(z.sum(), (mean, log_variance))
    assert torch.equal(to_mean, torch.ones_like(z))
    torch.testing.assert_close(to_variance, (z - mean).detach() / 2)


def test_bernoulli_error_is_the_negative_log_likelihood():
    torch.manual_seed(0)
    output = 1.98 * torch.rand(3, *SHAPE).double() - 0.99
    images = torch.randint(2, (3, *SHAPE)).double() * 2 - 1
    expected = -Bernoulli((output + 1) / 2).log_prob((images + 1) / 2)
    logits = 2 * torch.atanh(output)
    torch.testing.assert_close(reconstruction_error(logits, images, "bernoulli"), expected)


def test_bernoulli_error_has_its_minimum_at_the_grey_image():
    """The cross-entropy of a grey value has a positive minimum at the value itself."""
    grey = torch.tensor([0.4]).double()
    logits = (2 * torch.atanh(grey)).requires_grad_()
    error = reconstruction_error(logits, grey, "bernoulli")
    (slope,) = torch.autograd.grad(error.sum(), logits)
    assert slope.abs() < 1e-12
    assert error > 0.5


@pytest.mark.parametrize("activation", [8.0, 8.9, 9.1, 20.0, 50.0])
def test_a_pixel_that_is_surely_wrong_has_its_error_and_gradient(activation):
    """-log p(white | a) is softplus(-2a), about -2a for a large negative a; its slope is -2."""
    network = ganzoo.architectures.get("mlp-autoencoder")
    generator = network(ganzoo.DataSpec(ganzoo.ImageSpec(2, 2, 1)), latent_dim=1)["generator"]
    for weight in generator.parameters():
        nn.init.zeros_(weight)
    bias = generator.layers[-2].bias
    nn.init.constant_(bias, -activation)
    logits = generate_logits(generator, z=torch.zeros(1, 1))
    error = reconstruction_error(logits, torch.ones(1, 1, 2, 2), "bernoulli")
    error.sum().backward()
    torch.testing.assert_close(error, torch.full_like(error, 2 * activation))
    torch.testing.assert_close(bias.grad, torch.full_like(bias, -2.0))


@pytest.mark.parametrize("name", ["mlp-autoencoder", "conv-autoencoder"])
def test_the_logits_of_a_decoder_are_those_of_its_images(name):
    torch.manual_seed(0)
    data = ganzoo.DataSpec(ganzoo.ImageSpec(16, 16, 1))
    generator = ganzoo.architectures.get(name)(data, latent_dim=3)["generator"].eval()
    z = 3 * torch.randn(2, 3)
    logits = generate_logits(generator, z=z)
    assert torch.equal((logits / 2).tanh(), generator(z))


def test_the_logits_of_another_decoder_follow_from_its_images(nets):
    """To where a tanh rounds to 1; a decoder that is not finite has no finite logits."""
    z = torch.randn(5, 3).double()
    logits = generate_logits(nets["generator"], z=z)
    torch.testing.assert_close(logits.flatten(1), 2 * nets["generator"].map(z))
    with torch.no_grad():
        nets["generator"].map.bias.fill_(100.0)
    assert generate_logits(nets["generator"], z=z).isfinite().all()
    for value in (float("nan"), float("inf")):
        linear = nn.Linear(3, 4)
        nn.init.constant_(linear.bias, value)
        assert not generate_logits(linear, z=z.float()).isfinite().any()


def test_black_and_white_have_no_error_where_they_are_met():
    images = torch.tensor([-1.0, 1.0, 1.0, -1.0])
    assert (reconstruction_error(30 * images, images, "bernoulli") < 1e-12).all()
    assert (reconstruction_error(images, images, "gaussian") == 0).all()


def test_gaussian_error_is_half_the_square():
    output, images = torch.randn(2, 3, *SHAPE).double().unbind()
    normal = -Normal(output, 1.0).log_prob(images) - 0.5 * torch.log(torch.tensor(2 * torch.pi))
    torch.testing.assert_close(reconstruction_error(output, images, "gaussian"), normal)


def test_the_laplace_likelihood_is_the_absolute_error(nets, batch):
    """Its mean over pixels is the MAE; -log p with scale 1 is log 2 more."""
    output = nets["generator"](nets["encoder"](batch.images)[0])
    loss = ganzoo.losses.get("autoencoder")(likelihood="laplace")
    term = loss.autoencoder(nets, batch, turn())["reconstruction"]
    torch.testing.assert_close(term, (output - batch.images).abs().mean((1, 2, 3)))
    log_p = Laplace(output, 1.0).log_prob(batch.images).mean((1, 2, 3))
    torch.testing.assert_close(term, -log_p - math.log(2))


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian", "laplace"])
def test_an_autoencoder_takes_the_mean_and_reduces_over_pixels(nets, batch, likelihood, reduction):
    arguments = {} if reduction == "mean" else {"reduction": "sum"}
    loss = ganzoo.losses.get("autoencoder")(likelihood=likelihood, **arguments)
    terms = loss.autoencoder(nets, batch, turn())
    output = nets["generator"](nets["encoder"](batch.images)[0])
    output = 2 * torch.atanh(output) if likelihood == "bernoulli" else output
    error = reconstruction_error(output, batch.images, likelihood)
    expected = getattr(error, reduction)((1, 2, 3))
    assert terms.keys() == {"reconstruction"}
    torch.testing.assert_close(terms["reconstruction"], expected)


@pytest.mark.parametrize(
    ("name", "arguments", "beta"),
    [
        ("vae", {}, 1),
        ("vae", {"beta": 0.5}, 0.5),
        ("betavae", {}, 4),
        ("betavae", {"beta": 9.0}, 9),
    ],
)
def test_a_vae_sums_over_pixels_and_weighs_the_divergence(nets, batch, name, arguments, beta):
    loss = ganzoo.losses.get(name)(**arguments)
    torch.manual_seed(5)
    terms = loss.autoencoder(nets, batch, turn())
    mean, log_variance = nets["encoder"](batch.images)
    torch.manual_seed(5)
    logits = 2 * torch.atanh(nets["generator"](draw(mean, log_variance)))
    error = reconstruction_error(logits, batch.images, "bernoulli").sum((1, 2, 3))
    torch.testing.assert_close(terms["reconstruction"], error)
    torch.testing.assert_close(terms["kl"], beta * kl_from_standard_normal(mean, log_variance))


@pytest.mark.parametrize("name", ["autoencoder", "vae", "vaegan", "bigan"])
def test_gradients_reach_only_the_acting_player(nets, batch, name):
    """Each player changes all its networks and no other."""
    loss = ganzoo.losses.get(name)()
    nets = nets | {"joint_discriminator": JointJudge()}
    nets = {role: nets[role] for role in loss.roles}
    for player in loss.players:
        for net in nets.values():
            net.zero_grad(set_to_none=True)
        train_only(nets, player.trains)
        terms = getattr(loss, player.name)(nets, batch, turn(torch.randn(6, 3).double()))
        sum(term.mean() for term in terms.values()).backward()
        moved = {r for r, n in nets.items() if any(w.grad is not None for w in n.parameters())}
        assert moved == set(player.trains)
        for role in player.trains:
            assert any(w.grad is not None and w.grad.any() for w in nets[role].parameters())


def test_vaegan_equals_the_papers_algorithm(nets, batch):
    """Larsen et al. (2016), algorithm 1: prior, likelihood and GAN loss of each player."""
    loss = ganzoo.losses.get("vaegan")(reconstruction_weight=0.25)
    assert [p.name for p in loss.players] == ["discriminator", "encoder", "generator"]
    z = torch.randn(6, 3).double()

    def terms(player):
        torch.manual_seed(5)
        return getattr(loss, player)(nets, batch, turn(z))

    torch.manual_seed(5)
    mean, log_variance = nets["encoder"](batch.images)
    rebuilt = nets["generator"](draw(mean, log_variance))
    on = {
        "real": nets["discriminator"](batch.images),
        "drawn": nets["discriminator"](nets["generator"](z)),
        "rebuilt": nets["discriminator"](rebuilt),
    }
    features = 0.5 * mse_loss(on["rebuilt"].features, on["real"].features, reduction="none").sum(1)
    expected = {
        "discriminator": {
            "adversarial": softplus(-on["real"].logits) + softplus(on["drawn"].logits),
            "reconstructed": softplus(on["rebuilt"].logits),
        },
        "encoder": {"kl": kl_from_standard_normal(mean, log_variance), "features": features},
        "generator": {
            "adversarial": softplus(-on["drawn"].logits),
            "reconstructed": softplus(-on["rebuilt"].logits),
            "features": 0.25 * features,
        },
    }
    for player, values in expected.items():
        actual = terms(player)
        assert actual.keys() == values.keys()
        for name in values:
            torch.testing.assert_close(actual[name], values[name])


@pytest.mark.parametrize(
    "options", [{"augmentation": ("cutout",)}, {"instance_noise": 0.5}], ids=str
)
def test_vaegan_compares_images_without_augmentation(nets, batch, options):
    """With augmentation the distance of an image to itself would not be 0."""
    loss = ganzoo.losses.get("vaegan")(**options)
    assert (loss._feature_error(nets, batch.images, batch, turn()) == 0).all()


def test_vaegan_needs_a_discriminator_with_features(nets, batch):
    nets["discriminator"].forward = lambda images: images.sum((1, 2, 3))
    with pytest.raises(ValueError, match="needs a discriminator that returns its features"):
        ganzoo.losses.get("vaegan")().encoder(nets, batch, turn())


def test_bigan_trains_both_players_on_pairs(nets, batch):
    """Donahue et al. (2017), equation 3, with the other labels for generator and encoder."""
    nets = {k: nets[k] for k in ("encoder", "generator")} | {"joint_discriminator": JointJudge()}
    loss = ganzoo.losses.get("bigan")()
    assert {p.name: p.trains for p in loss.players} == {
        "discriminator": ("joint_discriminator",),
        "generator": ("generator", "encoder"),
    }
    z = torch.randn(6, 3).double()
    encoded = nets["joint_discriminator"](batch.images, nets["encoder"](batch.images)[0])
    generated = nets["joint_discriminator"](nets["generator"](z), z)
    now = turn(z)
    torch.testing.assert_close(
        loss.discriminator(nets, batch, now)["adversarial"],
        softplus(-encoded) + softplus(generated),
    )
    right = (encoded > 0).double().mean() + (generated < 0).double().mean()
    assert now.metrics["accuracy"].item() == pytest.approx(right.item() / 2)
    torch.testing.assert_close(
        loss.generator(nets, batch, now)["adversarial"], softplus(-generated) + softplus(encoded)
    )


@pytest.mark.parametrize(
    "rule",
    [{"r1": 1.0}, {"augmentation": ("cutout",)}, {"instance_noise": 1.0}, {"label_smoothing": 0.1}],
)
def test_bigan_refuses_options_for_images(rule):
    with pytest.raises(ValueError, match="its discriminator reads images together with latents"):
        ganzoo.losses.get("bigan")(**rule)
