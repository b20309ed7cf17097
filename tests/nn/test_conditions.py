"""Class conditioning and latent codes of every trunk."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot, softplus

import ganzoo
from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import ArchitectureError, IncompatibleCombinationError
from ganzoo.games import Batch, Turn
from ganzoo.nn import ConditioningHeads
from ganzoo.nn.conditioning import CodedGenerator
from ganzoo.spec import Component
from ganzoo.training import prepare
from helpers.recipes import tiny

DATA = DataSpec(ImageSpec(8, 8, 2), classes=3)
TRUNKS = ["dcgan", "mlp", "resnet"]


class Sum(nn.Module):
    """images -> features: one number a channel."""

    def forward(self, images):
        self.inputs = images
        return images.sum((2, 3))


def total(features):
    return features.sum(1, keepdim=True)


def discriminator(conditioning, **codes):
    conditions = ConditioningHeads(DATA, conditioning, **codes)
    channels = DATA.image.channels + conditions.extra_channels
    last = nn.Linear(channels, 1, bias=False)
    nn.init.ones_(last.weight)
    return conditions.discriminator(Sum(), last, channels)


def test_concatenation_adds_a_map_of_ones_at_the_label():
    network, images = discriminator("concat"), torch.randn(4, 2, 8, 8)
    y = torch.tensor([2, 0, 1, 2])
    logits = network(images, y).logits
    inputs = network.trunk.inputs
    assert torch.equal(inputs[:, :2], images)
    assert torch.equal(inputs[:, 2:], one_hot(y, 3)[:, :, None, None].expand(4, 3, 8, 8).float())
    torch.testing.assert_close(logits, images.sum((1, 2, 3)) + 64)


def test_projection_adds_the_product_of_features_and_the_classes_vector():
    """f(x, y) = psi(phi(x)) + y' V phi(x), Miyato and Koyama (2018), equation 3."""
    network, images = discriminator("projection"), torch.randn(4, 2, 8, 8)
    y = torch.tensor([2, 0, 1, 2])
    phi = images.sum((2, 3))
    v = one_hot(y, 3).float() @ network.projection.weight
    torch.testing.assert_close(network(images, y).logits, phi.sum(1) + (v * phi).sum(1))


@pytest.mark.parametrize("initialisation", ["own", "normal", "orthogonal"])
@pytest.mark.parametrize("trunk", TRUNKS)
def test_an_initial_projection_gives_small_logits(trunk, initialisation):
    """The product sums over all features: vectors from N(0, 1) would dominate initially."""
    architecture = Component(trunk, {"conditioning": "projection"})
    state = prepare(tiny(architecture=architecture, initialisation=initialisation)).state
    images = 2 * torch.rand(64, *prepare(tiny()).data.image.shape) - 1
    logits = state.nets["discriminator"](images, torch.arange(64) % 10).logits
    assert logits.std() < 5


def test_projection_pools_feature_maps_by_their_sum():
    network = ConditioningHeads(DATA, "projection").discriminator(
        nn.Identity(), nn.Conv2d(2, 1, 8, bias=False), 2
    )
    nn.init.zeros_(network.last.weight)
    images, y = torch.randn(4, 2, 8, 8), torch.tensor([2, 0, 1, 2])
    expected = (network.projection(y) * images.sum((2, 3))).sum(1)
    torch.testing.assert_close(network(images, y).logits, expected)


def test_an_auxiliary_head_does_not_read_the_label():
    network, images = discriminator("auxiliary"), torch.randn(4, 2, 8, 8)
    output = network(images)
    torch.testing.assert_close(output.logits, images.sum((1, 2, 3)))
    expected = network.heads["class"](images.sum((2, 3)))
    torch.testing.assert_close(output.heads["class"], expected)


@pytest.mark.parametrize("conditioning", ["concat", "projection", "auxiliary"])
@pytest.mark.parametrize("trunk", TRUNKS)
def test_labels_change_images_and_logits(trunk, conditioning):
    loss = Component("acgan" if conditioning == "auxiliary" else "nonsaturating")
    recipe = tiny(architecture=Component(trunk, {"conditioning": conditioning}), loss=loss)
    state = prepare(recipe).state
    nets, z, zeros = state.nets, state.draw_latents(4), torch.zeros(4, dtype=torch.int64)
    generator = nets["generator"].eval()
    images = generator(z, zeros)
    other = generator(z, zeros + 1)
    assert (images - other).abs().amax((1, 2, 3)).min() > 1e-4
    discriminator = nets["discriminator"].eval()
    if conditioning == "auxiliary":
        assert discriminator(images).heads["class"].shape == (4, 10)
    else:
        assert (
            discriminator(images, zeros).logits - discriminator(images, zeros + 1).logits
        ).abs().min() > 1e-6


@pytest.mark.parametrize("classes", [0, 1])
@pytest.mark.parametrize("conditioning", ["concat", "projection", "auxiliary"])
def test_data_without_two_classes_is_refused(classes, conditioning):
    data = DataSpec(ImageSpec(8, 8, 1), classes=classes)
    with pytest.raises(ArchitectureError, match=f"two classes or more, .*has {classes or 'none'}"):
        ConditioningHeads(data, conditioning)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"categorical_code": 1}, "categorical_code is 1"),
        ({"categorical_code": -2}, "categorical_code is -2"),
        ({"continuous_codes": -1}, "continuous_codes is -1"),
        ({"categorical_code": 5, "continuous_codes": 4, "latent_dim": 8}, "codes need 9"),
    ],
)
@pytest.mark.parametrize("trunk", TRUNKS)
def test_bad_codes_are_refused(trunk, arguments, message):
    with pytest.raises(ArchitectureError, match=message):
        prepare(tiny(architecture=Component(trunk, arguments)))


def test_codes_have_their_distribution():
    """Categories are uniform, continuous codes uniform on [-1, 1]; all are independent."""
    torch.manual_seed(0)
    n, k = 100_000, 5
    codes = CodedGenerator(nn.Identity(), k, 2).codes(torch.randn(n, 12))
    counts = torch.bincount(codes["categorical"], minlength=k)
    deviation = math.sqrt(n / k * (1 - 1 / k))
    assert ((counts - n / k).abs() < 4 * deviation).all()
    uniform = codes["continuous"]
    assert uniform.shape == (n, 2)
    for column in uniform.T:
        # Kolmogorov and Smirnov's largest distance from the distribution function (x + 1) / 2.
        ranks = torch.arange(1, n + 1) / n
        assert (ranks - (column.sort().values + 1) / 2).abs().max() < 1.95 / math.sqrt(n)
    together = torch.corrcoef(torch.cat([one_hot(codes["categorical"], k).float(), uniform], 1).T)
    assert together[k:, :k].abs().max() < 4 / math.sqrt(n)
    assert together[k, k + 1].abs() < 4 / math.sqrt(n)


def test_a_coded_generator_passes_codes_and_latents_to_its_trunk():
    z = torch.randn(6, 10)
    network = CodedGenerator(nn.Identity(), 3, 2)
    codes, inputs = network.codes(z), network(z)
    assert torch.equal(inputs[:, :3], one_hot(codes["categorical"], 3).float())
    assert torch.equal(inputs[:, 3:5], codes["continuous"])
    assert torch.equal(inputs[:, 5:], z[:, 5:])


class Painter(nn.Module):
    """A generator of constant images that depend on its codes."""

    def codes(self, z):
        return {"categorical": z[:, :3].argmax(1), "continuous": z[:, 3:5].tanh()}

    def forward(self, z):
        return z.sum(1)[:, None, None, None].expand(-1, 2, 8, 8)


def test_infogan_predicts_the_codes_of_each_fake():
    """-L_I is the cross-entropy of Q(c | x), Chen et al. (2016), equation 5."""
    nets = {
        "generator": Painter(),
        "discriminator": discriminator("none", categorical_code=3, continuous_codes=2),
    }
    loss = ganzoo.losses.get("infogan")(categorical_weight=2.0, continuous_weight=0.5)
    z = torch.randn(7, 6)
    batch, turn = Batch(torch.randn(7, 2, 8, 8)), Turn(0, lambda n: z)
    fake = nets["generator"](z)
    output, codes = nets["discriminator"](fake), nets["generator"].codes(z)
    categorical = cross_entropy(output.heads["categorical"], codes["categorical"], reduction="none")
    normal = torch.distributions.Normal(output.heads["continuous"], 1.0)
    # Up to the constant of a normal's density.
    continuous = -(normal.log_prob(codes["continuous"]) + 0.5 * math.log(2 * math.pi)).sum(1)
    for player in ("discriminator", "generator"):
        terms = getattr(loss, player)(nets, batch, turn)
        torch.testing.assert_close(terms["categorical"], 2 * categorical)
        torch.testing.assert_close(terms["continuous"], 0.5 * continuous)
    torch.testing.assert_close(terms["adversarial"], softplus(-output.logits))


def test_acgan_predicts_the_class_of_real_and_fake():
    nets = {"generator": Painter(), "discriminator": discriminator("auxiliary")}
    loss = ganzoo.losses.get("acgan")(class_weight=3.0)
    z, y = torch.randn(7, 6), torch.arange(7) % 3
    batch, turn = Batch(torch.randn(7, 2, 8, 8), y), Turn(0, lambda n: z)
    classes = {
        name: cross_entropy(nets["discriminator"](images).heads["class"], y, reduction="none")
        for name, images in (("real", batch.images), ("fake", nets["generator"](z)))
    }
    terms = loss.discriminator(nets, batch, turn)
    torch.testing.assert_close(terms["class_real"], 3 * classes["real"])
    torch.testing.assert_close(terms["class_fake"], 3 * classes["fake"])
    terms = loss.generator(nets, batch, turn)
    torch.testing.assert_close(terms["class"], 3 * classes["fake"])
    logits = nets["discriminator"](nets["generator"](z)).logits
    torch.testing.assert_close(terms["adversarial"], softplus(-logits))


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [({"conditioning": "auxiliary"}, "--loss acgan"), ({"categorical_code": 5}, "--loss infogan")],
)
@pytest.mark.parametrize("loss", ["nonsaturating", "wgan-gp"])
def test_an_unused_head_is_refused(loss, arguments, advice):
    with pytest.raises(IncompatibleCombinationError, match=f"this loss does not use .*: {advice}"):
        prepare(tiny(architecture=Component("dcgan", arguments), loss=Component(loss)))


@pytest.mark.parametrize(
    ("loss", "advice"),
    [("acgan", "--architecture.conditioning auxiliary"), ("infogan", "--architecture.categ")],
)
def test_a_loss_names_the_network_of_its_extra_heads(loss, advice):
    with pytest.raises(IncompatibleCombinationError, match=advice):
        prepare(tiny(loss=Component(loss)))
