"""Every recipe can be built; recipes of papers have the papers' numbers."""

from pathlib import Path

import pytest
import torch
from torch import nn

import ganzoo
import ganzoo.builtin.recipes
from ganzoo import DataSpec, ImageSpec
from ganzoo.builtin.architectures.dcgan import UniformLatents
from ganzoo.registry import find_recipe, recipes
from ganzoo.training.build import build_loss, build_networks, check_combination, complete

RECIPES = [e.name for e in recipes.entries() if e.distribution == "torch-ganzoo"]
MNIST = DataSpec(ImageSpec(28, 28, 1), classes=10)
DATA = {
    "mnist": MNIST,
    "fashion-mnist": MNIST,
    "digits": DataSpec(ImageSpec(16, 16, 1), classes=10),
    "folder": DataSpec(ImageSpec(64, 64, 3)),
}


def build(name):
    recipe = complete(find_recipe(name))
    data, loss = DATA[recipe.dataset.name], build_loss(recipe)
    nets = build_networks(recipe, data)
    check_combination(recipe, nets, loss, data)
    return recipe, nets, loss


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.filterwarnings("error")
def test_recipes_prepare_without_a_warning(name):
    recipe, nets, loss = build(name)
    assert recipe.name == name
    assert recipe.description
    assert loss.roles == set(nets)


def layers(net, *kinds):
    return [module for module in net.modules() if isinstance(module, kinds)]


def test_gan_mnist():
    recipe, nets, loss = build("gan-mnist")
    assert recipe.images == 20_000 * recipe.batch_size == 20_000 * 128
    assert recipe.log_every == recipe.sample_every == 1_000 * recipe.batch_size
    generator, discriminator = nets["generator"], nets["discriminator"]
    assert [(x.in_features, x.out_features) for x in layers(generator, nn.Linear)] == [
        (100, 128),
        (128, 784),
    ]
    assert [(x.in_features, x.out_features) for x in layers(discriminator, nn.Linear)] == [
        (784, 128),
        (128, 1),
    ]
    assert {x.negative_slope for n in nets.values() for x in layers(n, nn.LeakyReLU)} == {0.01}
    assert len(layers(generator, nn.Tanh)) == 1
    assert recipe.optimizer.name == "adam"
    assert "accuracy" in loss.criterion.metrics


def test_dcgan_paper_mnist():
    recipe, nets, loss = build("dcgan-paper-mnist")
    assert recipe.images == 12_000 * recipe.batch_size == 10 * 60_000
    o = recipe.optimizer
    assert (o.name, o.lr, o.betas, o.decay_start) == ("adam", 2e-4, (0.5, 0.999), 1.0)
    assert layers(nets["discriminator"], nn.BatchNorm2d)
    assert layers(nets["generator"], UniformLatents)
    assert not loss.penalties


def test_recipes_of_papers_draw_fresh_latents():
    """Those whose point is speed do not."""
    fresh = {name for name in RECIPES if find_recipe(name).fresh_latents}
    assert fresh == {
        *("gan-mnist", "dcgan-paper-mnist", "dcgan-faces", "cgan-mnist"),
        *("wgan-mnist", "wgan-gp-mnist"),
    }


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_that_name_a_paper_say_that_the_networks_are_averaged(name):
    text = Path(ganzoo.builtin.recipes.__file__).with_name(f"{name}.toml").read_text()
    comment = text.partition("description")[0]
    if "(19" in comment or "(20" in comment:
        assert "averaged" in comment
        assert find_recipe(name).ema_halflife


def test_kernels_of_dcgan_are_those_that_its_recipes_state():
    for name, sides in (("dcgan-faces", {4}), ("dcgan-paper-mnist", {3, 4})):
        _, nets, _ = build(name)
        convolutions = layers(nets["discriminator"], nn.Conv2d)[:-1]
        assert {layer.kernel_size[0] for layer in convolutions} == sides


def test_wgan_mnist():
    recipe, _, loss = build("wgan-mnist")
    assert (recipe.optimizer.name, recipe.optimizer.lr, recipe.batch_size) == ("rmsprop", 5e-5, 64)
    assert loss.options.weight_clip == 0.01
    assert [player.repeat for player in loss.players] == [5, 1]
    assert "wasserstein" in loss.criterion.metrics


def test_wgan_gp_mnist():
    recipe, nets, loss = build("wgan-gp-mnist")
    o = recipe.optimizer
    assert (o.name, o.lr, o.betas, recipe.batch_size) == ("adam", 1e-4, (0.0, 0.9), 64)
    (penalty,) = loss.penalties
    assert (penalty.name, penalty.weight, penalty.every) == ("gradient_penalty", 10.0, 1)
    assert [player.repeat for player in loss.players] == [5, 1]
    assert not layers(nets["discriminator"], nn.BatchNorm2d)


def test_cgan_mnist():
    _, nets, _ = build("cgan-mnist")
    first = layers(nets["generator"], nn.ConvTranspose2d)[0]
    assert first.in_channels == 100 + 10
    first = layers(nets["discriminator"], nn.Conv2d)[0]
    assert first.in_channels == 1 + 10
    with torch.no_grad():
        assert nets["generator"](torch.randn(2, 100), torch.tensor([3, 4])).shape == (2, 1, 28, 28)


@pytest.mark.parametrize(
    ("conditioning", "loss"), [("projection", "hinge"), ("auxiliary", "acgan")]
)
def test_other_kinds_of_conditioning_are_options(conditioning, loss):
    from ganzoo.cli.options import parse_recipe

    options = ["--architecture.conditioning", conditioning, "--loss", loss]
    recipe, _ = parse_recipe(["cgan-mnist", *options], "ganzoo train")
    nets = build_networks(recipe, MNIST)
    check_combination(recipe, nets, build_loss(recipe), MNIST)
    output = nets["discriminator"](torch.randn(2, 1, 28, 28), torch.tensor([1, 2]))
    assert output.logits.shape == (2,)


@pytest.mark.parametrize(
    ("name", "latent", "loss"),
    [
        ("ae-mnist", 10, "autoencoder"),
        ("ae2d-mnist", 2, "autoencoder"),
        ("vae-mnist", 10, "vae"),
        ("vae2d-mnist", 2, "vae"),
    ],
)
def test_autoencoders(name, latent, loss):
    recipe, nets, game = build(name)
    assert recipe.loss.name == loss
    assert game.likelihood == "bernoulli"
    assert game.beta == (1.0 if loss == "vae" else None)
    mean, log_variance = nets["encoder"](torch.randn(2, 1, 28, 28))
    assert mean.shape == log_variance.shape == (2, latent)
    assert game.exported_roles == ("generator", "encoder")


def test_dcgan_faces():
    recipe, nets, _ = build("dcgan-faces")
    assert recipe.images == 50_000 * recipe.batch_size == 50_000 * 100
    assert nets["generator"](torch.randn(2, 100)).shape == (2, 3, 64, 64)
    assert layers(nets["generator"], UniformLatents)
    widths = [x.out_channels for x in layers(nets["generator"], nn.ConvTranspose2d)]
    assert widths == [1024, 512, 256, 128, 3], "figure 1 of Radford et al. (2016)"
    assert "celeba" in ganzoo.datasets
