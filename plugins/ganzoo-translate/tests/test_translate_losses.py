import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from translate_helpers import build, data_spec, images, recipe

import ganzoo
from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import IncompatibleCombinationError, RecipeError
from ganzoo.games import Batch, Turn
from ganzoo.nn import DiscriminatorOutput
from ganzoo.spec import Component, Optimizer
from ganzoo.training import prepare
from ganzoo.training.whole_batch import WholeBatch
from ganzoo_translate.losses.pool import ImagePool

R1 = Component("pix2pix", {"criterion": "lsgan", "r1": 1.0})
AUGMENTED = Component("hinge", {"augmentation": ("translation",)})
GAMES = {
    "pix2pix": ("unet", Component("pix2pix"), {}),
    "lsgan-r1": ("unet", R1, {"discriminator_norm": "none"}),
    "test-dropout": (
        "unet",
        Component("pix2pix"),
        {"test_dropout": True, "generator_norm": "instance"},
    ),
    "hinge": ("unet", AUGMENTED, {}),
    "translator": ("translator", Component("pix2pix"), {}),
    "cyclegan": ("cyclegan", Component("cyclegan", {"pool_size": 3}), {}),
}


def of(game: str, **changes):
    architecture, loss, arguments = GAMES[game]
    return recipe(architecture, arguments=arguments, **{"loss": loss} | changes)


def turn() -> Turn:
    return Turn(0, lambda n: torch.zeros(n, 1))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("game", GAMES)
def test_every_loss_updates_every_network(play, data_for, game, precision):
    settings = of(game, precision=precision)
    before = prepare(settings, data=data_for(settings), device="cpu").state.nets
    prepared, terms = play(settings)
    assert prepared.state.tick == 3
    assert all(math.isfinite(value) for _, _, value in terms)
    for role, net in prepared.state.nets.items():
        for (name, old), new in zip(before[role].named_parameters(), net.parameters(), strict=True):
            # Within the hinge's margins the gradients of a last bias cancel.
            if old.dim() > 1:
                assert not torch.equal(old, new), f"{role}.{name} did not move"


@pytest.mark.parametrize("every", [2, 3])
def test_the_discriminator_interval_is_an_argument(play, every):
    loss = Component("pix2pix", {"discriminator_every": every})
    _, terms = play(recipe(loss=loss, images=6 * 4))
    turns = [player for player, term, _ in terms if term == "adversarial"]
    assert turns.count("generator") == 6
    assert turns.count("discriminator") == 6 / every
    assert turns[: every + 1] == ["discriminator"] + ["generator"] * every


class Recording(nn.Module):
    """A discriminator that stores its inputs."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.seen = []

    def forward(self, images, condition):
        self.seen.append((images.detach().clone(), condition.clone()))
        return DiscriminatorOutput(self.weight * images.mean((1, 2, 3)))


class Negative(nn.Module):
    """A generator whose images identify their conditions."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(-1.0))

    def forward(self, condition):
        return self.weight * condition


@pytest.mark.parametrize("every", [1, 3])
def test_the_discriminator_reads_each_image_with_its_own_condition(data_for, every):
    """The halves of the pairs differ, so the test detects mixed pairs."""
    from ganzoo.training.loop import run_ticks

    loss = Component("pix2pix", {"discriminator_every": every, "discriminator_steps": 2})
    settings = recipe(loss=loss, images=6 * 4)
    prepared = prepare(settings, data=data_for(settings), device="cpu")
    dataset, _ = ganzoo.datasets.get("paired")(data_for(settings), size=32)
    partner = {
        (condition / 127.5 - 1).numpy().tobytes(): image / 127.5 - 1
        for image, _, condition in dataset
    }
    assert len(partner) == 7
    discriminator, generator = Recording(), Negative()
    prepared.state.nets.update(discriminator=discriminator, generator=generator)
    run_ticks(
        prepared.state,
        prepared.batches,
        log_term=lambda *values: None,
        log_metric=lambda *values: None,
        report=lambda: True,
    )
    real = fake = 0
    for inputs, conditions in discriminator.seen:
        expected = torch.stack(
            [partner[condition.contiguous().numpy().tobytes()] for condition in conditions]
        )
        if torch.allclose(inputs, expected, atol=1e-6):
            real += 1
        else:  # the generator rests: its optimizer holds the network that it replaced
            torch.testing.assert_close(inputs, -conditions)
            fake += 1
    discriminations = 6 // every * 2
    assert (real, fake) == (discriminations, discriminations + 6)


class Patches(nn.Module):
    """Return a logit for each pixel of the first channel."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(2.0, dtype=torch.float64))

    def forward(self, images):
        return DiscriminatorOutput(self.weight * images[:, :1])


class Scaled(nn.Module):
    def __init__(self, factor: float):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor, dtype=torch.float64))

    def forward(self, condition):
        return self.factor * condition


def means(terms):
    return {name: float(term.detach().mean()) for name, term in terms.items()}


@pytest.mark.parametrize("halved", [True, False])
@pytest.mark.parametrize("criterion", ["nonsaturating", "lsgan"])
def test_pix2pix_has_its_papers_values(criterion, halved):
    x, a = (images(3, 8, seed=seed, dtype=torch.float64) for seed in (0, 1))
    arguments = {} if halved else {"halved_discriminator": False}
    loss = ganzoo.losses.get("pix2pix")(l1_weight=7.0, criterion=criterion, **arguments)
    nets = {"generator": Scaled(0.5), "discriminator": Patches()}
    batch = Batch(x, condition=a)
    logits = a[:, :1]  # 2 * 0.5 * a
    generator_terms = means(loss.generator(nets, batch, turn()))
    assert generator_terms["l1"] == pytest.approx(
        7.0 * float((0.5 * a - x).abs().mean()), rel=1e-12
    )
    discriminator_terms = means(loss.discriminator(nets, batch, turn()))
    real = 2 * x[:, :1]
    if criterion == "lsgan":
        g = (logits - 1).square().mean()
        d = (real - 1).square().mean() + logits.square().mean()
    else:
        g = -logits.sigmoid().log().mean()
        d = -real.sigmoid().log().mean() - (1 - logits.sigmoid()).log().mean()
    assert generator_terms["adversarial"] == pytest.approx(float(g), rel=1e-12)
    assert discriminator_terms["adversarial"] == pytest.approx(
        float(d) / (2 if halved else 1), rel=1e-12
    )
    assert set(generator_terms) == {"adversarial", "l1"}
    plain = ganzoo.losses.get("pix2pix")()
    assert plain.l1_weight == 100


def test_cyclegan_has_its_papers_values():
    b, a = (images(3, 8, seed=seed, dtype=torch.float64) for seed in (0, 1))
    loss = ganzoo.losses.get("cyclegan")(cycle_weight=8.0, identity_weight=0.25)
    there, back = 0.5, 3.0
    nets = {
        "generator": Scaled(there),
        "reverse_generator": Scaled(back),
        "discriminator": Patches(),
        "reverse_discriminator": Patches(),
    }
    batch, now = Batch(b, condition=a), turn()
    generator_terms = means(loss.generators(nets, batch, now))
    mean_a, mean_b = float(a.abs().mean()), float(b.abs().mean())

    def squares(x):
        return float(x.square().mean())

    fake, reverse_fake = 2 * there * a[:, :1], 2 * back * b[:, :1]
    assert generator_terms == pytest.approx(
        {
            "adversarial": squares(fake - 1),
            "reverse_adversarial": squares(reverse_fake - 1),
            "cycle": 8.0 * abs(there * back - 1) * mean_a,
            "reverse_cycle": 8.0 * abs(there * back - 1) * mean_b,
            "identity": 2.0 * abs(there - 1) * mean_b,
            "reverse_identity": 2.0 * abs(back - 1) * mean_a,
        },
        rel=1e-12,
    )
    discriminator_terms = means(loss.discriminators(nets, batch, now))
    assert discriminator_terms == pytest.approx(
        {
            "adversarial": 0.5 * (squares(2 * b[:, :1] - 1) + squares(fake)),
            "reverse_adversarial": 0.5 * (squares(2 * a[:, :1] - 1) + squares(reverse_fake)),
        },
        rel=1e-12,
    )
    assert set(now.metrics) == {"accuracy", "reverse_accuracy"}
    standard = ganzoo.losses.get("cyclegan")()
    assert (standard.cycle_weight, standard.identity_weight, standard.pool.size) == (10, 0.5, 50)
    without = ganzoo.losses.get("cyclegan")(identity_weight=0.0)
    assert not any("identity" in term for term in without.generators(nets, batch, turn()))


def test_the_pool_returns_new_and_old_images():
    torch.manual_seed(0)
    pool = ImagePool(50)
    first = torch.arange(50.0).view(50, 1, 1, 1)
    assert torch.equal(pool.exchange(first[:30]), first[:30])
    assert torch.equal(pool.exchange(first[30:]), first[30:])
    assert torch.equal(pool.images, first)
    old = total = 0
    for k in range(200):
        new = torch.arange(100.0 + 4 * k, 104.0 + 4 * k).view(4, 1, 1, 1)
        candidates = set(pool.images.flatten().tolist()) | set(new.flatten().tolist())
        output = pool.exchange(new)
        pool_values, out = set(pool.images.flatten().tolist()), set(output.flatten().tolist())
        # An image is returned or stored; a returned old image leaves the pool.
        assert pool_values | out == candidates
        assert len(pool_values) == 50
        assert len(out) == 4
        old += int((output != new).sum())
        total += 4
    assert 0.4 < old / total < 0.6


def test_a_batch_in_parts_is_pooled_as_the_whole():
    x, pools = images(12), (ImagePool(5), ImagePool(5))
    torch.manual_seed(0)
    whole, parts = pools[0].exchange(x), []
    for number, part in enumerate(x.split(4)):
        torch.manual_seed(0)
        with WholeBatch(4, number, 3, None):
            parts.append(pools[1].exchange(part))
    assert torch.equal(torch.cat(parts), whole)
    assert torch.equal(pools[0].images, pools[1].images)


def test_a_training_in_parts_has_the_pool_of_the_whole(play):
    """With instance normalisation all of the training is equal; three ticks fill the pool."""
    settings = of("cyclegan", optimizer=Optimizer(name="sgd", lr=1e-3))
    whole, parts = (play(game)[0].state for game in (settings, replace(settings, accumulate=4)))
    assert len(whole.loss.pool.images) == 3
    for name, tensor in whole.loss.state_dict().items():
        torch.testing.assert_close(parts.loss.state_dict()[name], tensor, rtol=0, atol=1e-3)


def test_pools_of_size_zero_and_small_size():
    x = images(4)
    assert torch.equal(ImagePool(0).exchange(x), x)
    small = ImagePool(2)
    output = small.exchange(x)
    assert output.shape == x.shape
    assert len(small.images) == 2
    assert not small.exchange(x.requires_grad_()).requires_grad


def test_a_pool_is_restored_from_any_state():
    pool, other = ImagePool(5), ImagePool(5)
    pool.exchange(images(3))
    other.exchange(images(5, seed=1))
    other.load_state_dict(pool.state_dict())
    assert torch.equal(pool.images, other.images)
    empty = ImagePool(5)
    other.load_state_dict(empty.state_dict())
    assert len(other.images) == 0


@pytest.mark.parametrize(
    ("architecture", "dataset", "message"),
    [
        ("dcgan", "digits", "this data has single images. Use --dataset paired"),
        ("unet", "unpaired", "two domains without pairs.*--loss cyclegan"),
        ("dcgan", "paired", "that translates images. Use --architecture unet"),
    ],
)
def test_pix2pix_refuses_unpaired_data(data_for, architecture, dataset, message):
    arguments = {"size": 32} | ({"repeat_shorter": True} if dataset == "unpaired" else {})
    settings = recipe(architecture, dataset=Component(dataset, arguments))
    with pytest.raises(IncompatibleCombinationError, match=message):
        prepare(settings, data=data_for(settings))


def test_cyclegan_refuses_different_sizes_and_unconditional_data():
    loss = ganzoo.losses.get("cyclegan")()
    nets = build("cyclegan", width=2, blocks=1)
    loss.check(nets, data_spec(paired=False))
    with pytest.raises(ValueError, match="same channels, but these are 32x32x1 and 32x32x3"):
        loss.check(nets, data_spec(condition=1))
    narrow = replace(data_spec(), condition=ImageSpec(32, 16, 3))
    with pytest.raises(ValueError, match="of one size, but these are 32x16x3 and 32x32x3"):
        loss.check(nets, narrow)
    with pytest.raises(ValueError, match="two domains. Use --dataset unpaired"):
        loss.check(nets, DataSpec(ImageSpec(32, 32, 3)))
    random_generator = build("unet", width=2, test_dropout=True)["generator"]
    with pytest.raises(ValueError, match="reverse_generator whose only input is an image"):
        loss.check(nets | {"reverse_generator": random_generator}, data_spec())


def test_incompatible_combinations_name_compatible_ones(data_for):
    settings = recipe(loss=Component("cyclegan"))
    with pytest.raises(
        IncompatibleCombinationError, match="Architectures that fit cyclegan: cyclegan"
    ):
        prepare(settings, data=data_for(settings))
    settings = recipe("cyclegan")
    with pytest.raises(IncompatibleCombinationError, match="that fit pix2pix: .*translator, unet"):
        prepare(settings, data=data_for(settings))


@pytest.mark.parametrize(
    ("loss", "arguments"),
    [
        ("pix2pix", {"l1_weight": -1.0}),
        ("pix2pix", {"criterion": "hinge"}),
        ("pix2pix", {"discriminator_every": 0}),
        ("cyclegan", {"cycle_weight": float("nan")}),
        ("cyclegan", {"identity_weight": -1.0}),
        ("cyclegan", {"pool_size": -1}),
    ],
)
def test_invalid_loss_arguments_are_refused(loss, arguments):
    (name,) = arguments
    with pytest.raises(RecipeError, match=f"{name}"):
        prepare(recipe(loss=Component(loss, arguments)))
