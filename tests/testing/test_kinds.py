"""One partner of each kind is trained, or all on request."""

import pytest
import torch
from torch import nn

import ganzoo
from ganzoo.registry import losses
from ganzoo.testing import ArchitectureSuite, LossSuite, PluginSuite
from ganzoo.testing.architecture import Architecture
from ganzoo.testing.checks import examine
from ganzoo.testing.distribution import subjects_of
from ganzoo.testing.kinds import kind_of_game, kind_of_networks
from ganzoo.testing.loss import Loss
from ganzoo.testing.networks import learns_everywhere

OURS = "torch-ganzoo"


def kind(name, **arguments):
    return kind_of_game(losses.get(f"{OURS}:{name}")(**arguments))


def test_losses_with_other_numbers_have_one_kind():
    alike = "hinge", "lsgan", "minimax", "nonsaturating", "ragan", "rpgan", "wgan"
    assert len({kind(name) for name in alike}) == 1
    assert kind("vae") == kind("betavae")
    assert kind("wgan-gp") == kind("hinge", r1=1.0) == kind("hinge", gp=2.0, discriminator_steps=3)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("wgan", "wgan-gp"),  # second derivatives
        ("autoencoder", "vae"),  # noise
        ("hinge", "acgan"),  # another head
        ("hinge", "vaegan"),  # another player
        ("acgan", "infogan"),
        ("vaegan", "bigan"),
        ("hinge", "vae"),
    ],
)
def test_losses_with_other_network_uses_have_different_kinds(one, other):
    assert kind(one) != kind(other)


class Reads(nn.Module):
    def forward(self, condition, z): ...


class Asked(nn.Module):
    heads = ("class",)

    def forward(self, images): ...


def test_networks_with_equal_outputs_have_one_kind():
    plain = {"generator": nn.Linear(1, 1), "discriminator": nn.Linear(1, 1)}
    assert kind_of_networks(plain) == kind_of_networks(plain | {"generator": nn.Conv2d(1, 1, 1)})
    for other in (
        {"generator": Reads()},
        {"discriminator": Asked()},
        {"encoder": nn.Linear(1, 1)},
    ):
        assert kind_of_networks(plain) != kind_of_networks(plain | other)


def ours(partners):
    return [p for p in partners if losses.entry(p).distribution == OURS]


def test_one_loss_of_each_kind_is_trained():
    subject = Architecture("mlp")
    assert ours(subject.selection) == ["hinge", "wgan-gp"]
    assert len(ours(subject.combinations)) == 8
    whole = Architecture("mlp", every_partner=True)
    assert list(whole.selection) == list(whole.combinations) == list(subject.combinations)
    architecture = Architecture("mlp", partners={"lsgan": {}, "minimax": {}})
    assert list(architecture.selection) == ["lsgan", "minimax"]
    assert len(Loss("hinge").selection) < len(Loss("hinge").combinations)
    assert len(Loss("hinge", every_partner=True).selection) == len(Loss("hinge").combinations)


def test_a_command_trains_all_and_a_suite_one_of_each_kind():
    for attributes, every in (({}, False), ({"every_partner": True}, True)):
        for suite, name in (
            (ArchitectureSuite, {"name": "mlp"}),
            (LossSuite, {"name": "hinge"}),
            (PluginSuite, {"distribution": OURS}),
        ):
            test_class = type("TestIt", (suite,), {"__module__": __name__} | name | attributes)
            values = {
                s.every_partner for s in test_class.subjects() if isinstance(s, Architecture | Loss)
            }
            assert values == {every}
    assert all(s.every_partner for s in subjects_of(OURS) if isinstance(s, Architecture | Loss))


class Variance(nn.Module):
    """A network with a separate weight for its variance."""

    def __init__(self, size):
        super().__init__()
        self.mean, self.variance = nn.Linear(size, 4), nn.Parameter(torch.zeros(4))

    def forward(self, images):
        mean = self.mean(images.flatten(1))
        return mean, self.variance.expand(len(mean), 4)


class Noisy(ganzoo.Loss):
    """A loss with a number that does not change its kind."""

    def __init__(self, noise):
        super().__init__()
        self.players = (ganzoo.games.Player("both", trains=("oracle", "generator")),)
        self.noise = noise

    def both(self, nets, batch, turn):
        mean, log_variance = nets["oracle"](batch.images)
        output = nets["generator"](mean + self.noise * log_variance.exp())
        return {"error": (output - batch.images).square().flatten(1).mean(1)}


def test_a_weight_is_unused_only_if_no_loss_uses_it():
    """Whatever its kind."""

    def plain(data: ganzoo.DataSpec, *, latent_dim: int = 4) -> dict[str, nn.Module]:
        shape = data.image.shape
        size = shape[0] * shape[1] * shape[2]
        generator = nn.Sequential(nn.Linear(4, size), nn.Tanh(), nn.Unflatten(1, shape))
        return {"generator": generator, "oracle": Variance(size)}

    ganzoo.architectures.register("a-plain")(plain)
    ganzoo.losses.register("a-loud")(lambda: Noisy(0.0))
    ganzoo.losses.register("a-noisy")(lambda: Noisy(1.0))
    try:
        subject = Architecture("a-plain", {})
        assert list(subject.combinations) == ["a-loud", "a-noisy"]
        assert list(subject.selection) == ["a-loud"]
        assert examine(learns_everywhere, subject).verdict == "ok"
    finally:
        ganzoo.architectures.unregister("a-plain")
        for name in ("a-loud", "a-noisy"):
            ganzoo.losses.unregister(name)
