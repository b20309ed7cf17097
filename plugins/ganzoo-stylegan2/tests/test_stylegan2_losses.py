"""Compare the loss with closed forms, and check its requirements of networks."""

import math
from dataclasses import replace

import pytest
import torch
from stylegan2_helpers import SMALL, build, noise, recipe
from torch import nn
from torch.nn.functional import softplus

import ganzoo
from ganzoo import DataSpec, ImageSpec
from ganzoo.games import Batch, Turn
from ganzoo.games.ada import augment
from ganzoo.games.batchwise import means_by
from ganzoo.spec import Component, Optimizer
from ganzoo.training import prepare
from ganzoo.training.whole_batch import WholeBatch
from ganzoo_stylegan2.losses.mixing import mix_styles
from ganzoo_stylegan2.losses.path_length import PathLength, path_lengths
from helpers.recipes import play

SIDE = 32  # has 2 (log2 32 - 1) = 8 styles
STYLES = 8


def loss(**arguments):
    return ganzoo.losses.get("stylegan2")(**arguments)


def turn(tick=0, images_seen=0):
    return Turn(tick, lambda n: torch.randn(n, SMALL["latent_dim"]), 0.0, images_seen=images_seen)


def batch(n=8, side=16):
    return Batch(torch.randn(n, 1, side, side).clamp(-1, 1))


def linear(styles, jacobian):
    """images = sum over layers of J_l w_l."""
    pixels = torch.einsum("nld,lpd->np", styles, jacobian)
    return pixels.view(len(styles), 1, SIDE, SIDE)


@pytest.fixture
def linear_case():
    styles, jacobian = noise(5, STYLES, 6).requires_grad_(), noise(STYLES, SIDE**2, 6, seed=1)
    return styles, jacobian, linear(styles, jacobian)


def test_path_lengths_of_a_linear_generator(linear_case):
    """||J^T y|| for a random y, divided by the roots of the numbers of pixels and of styles."""
    styles, jacobian, images = linear_case
    torch.manual_seed(7)
    lengths = path_lengths(images, styles)
    torch.manual_seed(7)
    y = torch.randn_like(images).flatten(1)
    products = torch.einsum("lpd,np->nld", jacobian, y)
    expected = products.square().sum((1, 2)).div(STYLES * SIDE**2).sqrt()
    torch.testing.assert_close(lengths, expected)


def test_the_mean_square_of_path_lengths_equals_that_of_the_jacobian():
    styles, jacobian = noise(4000, STYLES, 6).requires_grad_(), noise(STYLES, SIDE**2, 6, seed=1)
    lengths = path_lengths(linear(styles, jacobian), styles)
    expected = jacobian.square().sum() / (STYLES * SIDE**2)
    torch.testing.assert_close(lengths.square().mean(), expected, rtol=0.02, atol=0)


def test_the_weight_of_2_is_the_papers_gamma(linear_case):
    """gamma (||J^T y|| - a)^2, gamma = ln 2 / (r^2 (ln r - ln 2)), at a = 0."""
    styles, jacobian, images = linear_case
    penalty = PathLength().double()
    torch.manual_seed(7)
    with means_by(torch.zeros_like):  # the average stays 0
        term = 2 * penalty(images, styles)
    torch.manual_seed(7)
    y = torch.randn_like(images).flatten(1)
    squares = torch.einsum("lpd,np->nld", jacobian, y).square().sum((1, 2))
    gamma = math.log(2) / (SIDE**2 * (math.log(SIDE) - math.log(2)))
    torch.testing.assert_close(term, gamma * squares)


def test_the_penalty_is_the_distance_from_a_running_average(linear_case):
    """The first value is the mean of all lengths; then the average decays by 1 % per step."""
    styles, _, images = linear_case
    penalty, average = PathLength().double(), 0.0
    for step in range(130):
        torch.manual_seed(step)
        mean = (lengths := path_lengths(images, styles).detach()).mean()
        average += max(1 / (step + 1), 0.01) * (mean - average)
        torch.manual_seed(step)
        torch.testing.assert_close(penalty(images, styles), (lengths - average).square())
    restored = PathLength().double()
    restored.load_state_dict(penalty.state_dict())
    assert restored.average == penalty.average > 0
    assert restored.seen == 130


def test_the_gradient_passes_through_the_average_of_lengths(linear_case):
    """The average contains a hundredth of the mean length of the batch, which depends on G."""
    styles, jacobian, _ = linear_case
    jacobian = jacobian.requires_grad_()
    penalty = PathLength().double()
    penalty.average.fill_(0.2)
    penalty.seen.fill_(500)
    torch.manual_seed(3)
    penalty(linear(styles, jacobian), styles).mean().backward()
    torch.manual_seed(3)
    y = torch.randn(5, 1, SIDE, SIDE, dtype=torch.float64).flatten(1)
    by_hand = jacobian.detach().requires_grad_()
    products = torch.einsum("lpd,np->nld", by_hand, y)
    lengths = products.square().sum((1, 2)).div(STYLES * SIDE**2).sqrt()
    average = 0.99 * 0.2 + 0.01 * lengths.mean()
    (lengths - average).square().mean().backward()
    torch.testing.assert_close(jacobian.grad, by_hand.grad)
    assert not penalty.average.requires_grad


def test_the_penalty_reaches_the_weights():
    styles = noise(5, STYLES, 6).requires_grad_()
    jacobian = noise(STYLES, SIDE**2, 6, seed=1).requires_grad_()
    PathLength().double()(linear(styles, jacobian), styles).sum().backward()
    assert (jacobian.grad * jacobian).sum() > 0, "shorter is better than 0"


@pytest.mark.parametrize("classes", [0, 3])
def test_the_average_of_w_is_that_of_the_first_styles(classes):
    """Second latents of mixed images do not move it."""
    nets, game = build(classes=classes), loss(style_mixing=1.0)
    images = Batch(batch().images, torch.arange(8) % 3 if classes else None)
    mapping, latents_read = nets["generator"].mapping, []

    def latents(n):
        latents_read.append(torch.randn(n, SMALL["latent_dim"]))
        return latents_read[-1]

    game.generate_fakes(nets["generator"], images, Turn(0, latents))
    with torch.no_grad():
        w = mapping.transform(latents_read[0], *([images.labels] if classes else []))
    assert len(latents_read) == 2
    torch.testing.assert_close(mapping.average, 0.005 * w.mean(0))


def test_every_image_has_its_own_crossover_layer():
    first, second = torch.zeros(9000, 2), torch.ones(9000, 2)
    styles = mix_styles(first, second, 5, 1.0)
    assert styles.shape == (9000, 5, 2)
    assert torch.equal(styles[..., 0], styles[..., 1])
    own = styles[..., 0]
    assert torch.equal(own, own.sort(1).values), "the second from some layer on"
    starts = 5 - own.sum(1)
    shares = [(starts == k).double().mean().item() for k in range(6)]
    assert shares == pytest.approx([0, 0.25, 0.25, 0.25, 0.25, 0], abs=0.02)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_share_of_the_images_is_mixed(share):
    styles = mix_styles(torch.zeros(9000, 1), torch.ones(9000, 1), 6, share)
    assert (styles.sum((1, 2)) > 0).double().mean().item() == pytest.approx(share, abs=0.02)


def test_partial_batches_are_mixed_like_the_whole_batch():
    first, second = noise(8, 3), noise(8, 3, seed=1)

    def seeded(first, second):
        torch.manual_seed(5)
        return mix_styles(first, second, 6, 0.9)

    parts = []
    for rank in range(4):
        with WholeBatch(2, rank, 4, None):
            parts.append(seeded(first[2 * rank : 2 * rank + 2], second[2 * rank : 2 * rank + 2]))
    assert torch.equal(torch.cat(parts), seeded(first, second))


def test_the_players_minimise_the_non_saturating_game():
    game = loss(path_length=0.0, r1=0.0)
    real, fake = torch.tensor([0.3, -1.2]), torch.tensor([-0.7, 0.4])
    torch.testing.assert_close(game.criterion.d(real, fake), softplus(-real) + softplus(fake))
    torch.testing.assert_close(game.criterion.g(fake, fake), softplus(-fake))


def test_lazy_penalties_are_scaled_by_their_interval():
    nets, game = build(), loss(r1=2.0)
    for tick in range(33):
        now = turn(tick)
        d = game.discriminator(nets, batch(), now)
        g = game.generator(nets, batch(), now)
        assert ("r1" in d) == (tick % 16 == 0)
        assert ("path_length" in g) == (tick % 4 == 0)
    torch.manual_seed(3)
    lazy = loss(path_length=1.5, path_length_every=6).generator(nets, batch(), turn())
    torch.manual_seed(3)
    eager = loss(path_length=1.5, path_length_every=1).generator(nets, batch(), turn())
    torch.testing.assert_close(lazy["path_length"], 6 * eager["path_length"])


def test_r1_uses_real_images_without_augmentation():
    """R1 is the gradient of the sum of all logits, since samples of a group interact."""
    nets, game, now, images = build(), loss(r1=2.0, ada=True), turn(), batch()
    terms = game.discriminator(nets, images, now)
    x = images.images.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(nets["discriminator"](x).logits.sum(), x)
    expected = 16 * 2.0 / 2 * gradient.square().sum((1, 2, 3))
    torch.testing.assert_close(terms["r1"], expected)
    game.ada.probability.fill_(1.0)
    terms = game.discriminator(nets, images, now)
    terms["r1"].sum().backward()
    weights = nets["discriminator"].parameters()
    assert sum(float(w.grad.abs().sum()) for w in weights if w.grad is not None) > 0


def test_both_players_use_the_same_fake_images():
    """The discriminator shares its fake images and their styles, with the graph."""
    nets, game, now, images = build(), loss(), turn(), batch()
    game.discriminator(nets, images, now)
    assert now.shared["styles"].shape == (8, nets["generator"].synthesis.style_count, 5)
    terms = game.generator(nets, images, now)
    sum(term.mean() for term in terms.values()).backward()
    for name, weight in nets["generator"].named_parameters():
        assert weight.grad is not None, name


def test_styles_of_a_frozen_generator_are_not_shared():
    nets, game, now = build(), loss(), turn()
    nets["generator"].requires_grad_(False)
    game.discriminator(nets, batch(), now)
    assert not now.shared.keys() & {"fake", "styles"}, "the images, but not their graph"
    nets["generator"].requires_grad_(True)
    assert "path_length" in game.generator(nets, batch(), now)


def test_labels_reach_the_mapping():
    nets, game = build(classes=3), loss()
    images = Batch(batch().images, torch.arange(8) % 3)
    game.generator(nets, images, turn())["adversarial"].sum().backward()
    assert nets["generator"].mapping.embedding.weight.grad.abs().min() > 0


class Plain(nn.Module):
    """A generator without styles."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(SMALL["latent_dim"], 256)

    def forward(self, z):
        return self.layer(z).view(-1, 1, 16, 16)


def test_a_generator_without_styles_is_trained_without_mixing_and_path_lengths():
    nets, game, now = build() | {"generator": Plain()}, loss(), turn()
    assert set(game.discriminator(nets, batch(), now)) == {"adversarial", "r1"}
    terms = game.generator(nets, batch(), now)
    assert set(terms) == {"adversarial"}
    terms["adversarial"].sum().backward()
    assert nets["generator"].layer.weight.grad.abs().sum() > 0


class Sure(nn.Module):
    """A discriminator with constant logits."""

    def __init__(self, opinion):
        super().__init__()
        self.opinion = nn.Parameter(torch.tensor(opinion))

    def forward(self, images):
        return self.opinion + 0 * images.flatten(1).sum(1)


@pytest.mark.parametrize(("opinion", "rises"), [(3.0, True), (-3.0, False)])
def test_augmentation_follows_the_logits_of_real_images(opinion, rises):
    nets = build() | {"discriminator": Sure(opinion)}
    game = loss(ada=True, ada_images=100, r1=0.0)
    for tick in range(9):
        now = turn(tick, images_seen=8 * tick)
        game.discriminator(nets, batch(), now)
        assert now.metrics["augmentation"] == game.ada.probability
    assert game.ada.probability.item() == pytest.approx(0.64 if rises else 0)


def test_augmentation_adapts_if_the_discriminator_trains_rarely():
    nets = build() | {"discriminator": Sure(3.0)}
    game = loss(ada=True, ada_images=100, r1=0.0, discriminator_every=2)
    for tick in range(0, 10, 2):
        game.discriminator(nets, batch(), turn(tick, images_seen=8 * tick))
    assert game.ada.probability.item() == pytest.approx(0.64)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"style_mixing": 1.5}, r"style_mixing is 1\.5; it must be in \[0, 1\]"),
        ({"path_length": -1.0}, r"path_length is -1\.0; it must be at least 0"),
        ({"path_length_every": 0}, "path_length_every is 0; it must be at least 1"),
        ({"ada": True, "ada_target": 1.0}, r"ada_target is 1\.0; it must be between -1 and 1"),
        ({"ada": True, "ada_images": 0}, "ada_images is 0; it must be at least 1"),
    ],
)
def test_numbers_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        loss(**arguments)


def test_augmentation_refuses_translators():
    class Translator(nn.Module):
        def forward(self, condition):
            return condition

    nets = build() | {"generator": Translator()}
    data = DataSpec(ImageSpec(16, 16, 1), condition=ImageSpec(16, 16, 1))
    with pytest.raises(ValueError, match=r"remove --loss\.ada"):
        loss(ada=True).check(nets, data)
    loss().check(nets, data)


@pytest.mark.parametrize("side", [6, 7])
def test_augmentation_refuses_images_too_small_for_reflection(side):
    nets = build() | {"generator": Plain()}
    data = DataSpec(ImageSpec(side, 9, 1))
    if side == 7:
        loss(ada=True).check(nets, data)
        augment(noise(2, 1, 7, 9), 1.0)
        return
    with pytest.raises(ValueError, match=r"at least 7 pixels, and these are 6x9x1: remove --loss"):
        loss(ada=True).check(nets, data)


def state_after(settings):
    """Return the weights and buffers of all networks and of the loss after a training."""
    prepared = prepare(settings)
    play(prepared)
    modules = prepared.state.nets | {"loss": prepared.state.loss}
    return nn.ModuleDict(modules).state_dict()


@pytest.mark.parametrize("fresh", [False, True])
def test_moving_averages_move_once_for_a_batch_in_parts(fresh):
    settings = recipe(
        loss=Component("stylegan2", {"ada": True}),
        images=16,
        batch_size=16,
        fresh_latents=fresh,
        precision="fp32",
    )
    whole, parts = state_after(settings), state_after(replace(settings, accumulate=4))
    for name in (
        *("generator.mapping.average", "loss.path_length.average", "loss.path_length.seen"),
        *("loss.ada.signs", "loss.ada.seen"),
    ):
        assert whole[name].any(), name
        torch.testing.assert_close(parts[name], whole[name], rtol=1e-5, atol=1e-7, msg=name)


def test_augmentation_adapts_alike_to_a_batch_in_parts():
    """Trains until the probability changes twice; without path lengths all weights are equal."""
    settings = recipe(
        loss=Component("stylegan2", {"ada": True, "ada_images": 200, "path_length": 0.0}),
        images=9 * 16,
        batch_size=16,
        optimizer=Optimizer(name="sgd", lr=1e-3),
        precision="fp32",
    )
    whole, parts = state_after(settings), state_after(replace(settings, accumulate=4))
    assert whole["loss.ada.adapted_at"] == 8 * 16
    for name, tensor in whole.items():
        torch.testing.assert_close(parts[name], tensor, rtol=1e-3, atol=1e-5, msg=name)
