"""Parameters of a loss: a player trains them like a network, or they are refused."""

import math
import os

import pytest
import torch
from torch import nn

import ganzoo
from ganzoo import DataSpec
from ganzoo.errors import BrokenPluginError, NonFiniteLossError
from ganzoo.games import Loss, Player
from ganzoo.spec import Component, Optimizer
from ganzoo.testing.checks import examine
from ganzoo.testing.loss import Loss as LossSubject
from ganzoo.training import prepare
from ganzoo.training.preparation import plan
from helpers.distributions import install
from helpers.gradients import difference
from helpers.recipes import play, tiny

TRAINED = (Player("generator", trains=("generator", "loss")),)


class Painter(nn.Module):
    """A generator of one weight, 0.5."""

    latent_dim = 2

    def __init__(self, data):
        super().__init__()
        self.shape = data.image.shape
        self.v = nn.Parameter(torch.tensor(0.5))

    def forward(self, z):
        return self.v.tanh() * torch.ones(len(z), *self.shape)


class Scaled(Loss):
    """A loss whose only term is the generator's weight times its own scale, 2."""

    players = TRAINED

    def __init__(self, players=TRAINED):
        super().__init__()
        self.players = players
        self.scale = nn.Parameter(torch.tensor(2.0))
        self.frozen = nn.Linear(1, 1).requires_grad_(False)

    def generator(self, nets, batch, turn):
        return {"product": self.scale * nets["generator"].v}

    scale_player = generator


@pytest.fixture
def recipe():
    """Run two ticks of SGD on both."""

    def painter(data: DataSpec) -> dict[str, nn.Module]:
        return {"generator": Painter(data)}

    ganzoo.architectures.register("painter")(painter)
    ganzoo.losses.register("scaled")(lambda: Scaled())
    yield tiny(
        architecture=Component("painter"),
        loss=Component("scaled"),
        images=32,
        optimizer=Optimizer(name="sgd", lr=0.1),
    )
    ganzoo.architectures.unregister("painter")
    ganzoo.losses.unregister("scaled")


def play_with(recipe, players):
    ganzoo.losses.unregister("scaled")
    ganzoo.losses.register("scaled")(lambda: Scaled(players))
    prepared = prepare(recipe, device="cpu")
    play(prepared)
    return prepared.state


def test_two_steps_match_sgd(recipe):
    """(v, s) moves by -lr (s, v): after two steps v is (1 + lr^2) v - 2 lr s, and s likewise."""
    prepared = prepare(recipe, device="cpu")
    assert "parameters  generator 1  loss 1\n" in plan(prepared)
    state = prepared.state
    frozen = [weight.clone() for weight in state.loss.frozen.parameters()]
    play(prepared)
    assert state.nets["generator"].v.item() == pytest.approx(1.01 * 0.5 - 0.2 * 2.0, rel=1e-6)
    assert state.loss.scale.item() == pytest.approx(1.01 * 2.0 - 0.2 * 0.5, rel=1e-6)
    assert state.gradient_norms["generator"].item() == pytest.approx(math.hypot(2.0, 0.5))
    assert all(map(torch.equal, state.loss.frozen.parameters(), frozen))
    assert not any(weight.requires_grad for weight in state.loss.frozen.parameters())
    assert state.ema.networks.keys() == {"generator"}


def test_a_separate_player_trains_only_the_loss(recipe):
    """Players alternate: v = 0.5 - 0.1 * 2, then s = 2 - 0.1 v, and again."""
    players = (Player("generator", ("generator",)), Player("scale_player", ("loss",)))
    state = play_with(recipe, players)
    v, s = 0.5, 2.0
    for _ in range(2):
        v -= 0.1 * s
        s -= 0.1 * v
    assert state.nets["generator"].v.item() == pytest.approx(v, rel=1e-6)
    assert state.loss.scale.item() == pytest.approx(s, rel=1e-6)
    assert state.gradient_norms["scale_player"].item() == pytest.approx(0.3)


def test_a_non_finite_parameter_is_an_error(recipe):
    prepared = prepare(recipe, device="cpu")
    with torch.no_grad():
        prepared.state.loss.scale.fill_(float("nan"))
    with pytest.raises(NonFiniteLossError, match="^the loss holds NaN or infinity"):
        prepared.state.check_finite()


def test_untrained_parameters_are_refused(recipe):
    with pytest.raises(
        BrokenPluginError,
        match=r"loss 'scaled' of this process has parameters that no player trains: scale\. .*"
        r'trains=\("generator", "loss"\)',
    ):
        play_with(recipe, (Player("generator", ("generator",)),))


class Empty(Loss):
    players = TRAINED


class Exporting(Scaled):
    exported_roles = ("generator", "loss")


@pytest.mark.parametrize(
    ("game", "message"),
    [
        (Empty, "a player 'generator' that trains the loss's own parameters, but it has none"),
        (Exporting, "exports 'loss', which is not a network"),
    ],
)
def test_an_inconsistent_loss_is_refused(recipe, game, message):
    ganzoo.losses.unregister("scaled")
    ganzoo.losses.register("scaled")(lambda: game())
    with pytest.raises(BrokenPluginError, match=message):
        prepare(recipe)


def test_a_network_cannot_be_named_loss(recipe):
    ganzoo.architectures.unregister("painter")
    ganzoo.architectures.register("painter")(lambda data: {"loss": nn.Linear(1, 1)})
    with pytest.raises(BrokenPluginError, match="builds a role 'loss', a name that is reserved"):
        prepare(recipe)


PLUGIN = '''
import torch
from dataclasses import replace
from torch import nn
from torch.nn.functional import softplus
from ganzoo.games import AdversarialLoss, AdversarialOptions, Criterion, Loss
from ganzoo.games import with_adversarial_options

class Tempered(AdversarialLoss):
    """The discriminator's logits over a temperature that it learns, drawn at the start."""

    def __init__(self, criterion, options):
        super().__init__(criterion, options)
        self.log_temperature = nn.Parameter(torch.randn(()))
        discriminator, generator = self.players
        both = replace(discriminator, trains=("discriminator", "loss"))
        self.players = (both, generator)

    def discriminator_terms(self, comparison, turn):
        factor = (-self.log_temperature).exp()
        real, fake = comparison.real_output, comparison.fake_output
        scaled = comparison._replace(
            real_output=real._replace(logits=factor * real.logits),
            fake_output=fake._replace(logits=factor * fake.logits),
        )
        return super().discriminator_terms(scaled, turn)

@with_adversarial_options()
def tempered(options: AdversarialOptions) -> Loss:
    """Learns a temperature, https://arxiv.org/abs/1706.04599."""
    criterion = Criterion(
        d=lambda real, fake: softplus(-real) + softplus(fake), g=lambda real, fake: softplus(-fake)
    )
    return Tempered(criterion, options)
'''


@pytest.fixture
def tempered(tmp_path, monkeypatch):
    """An installed loss with a parameter."""
    site = tmp_path / "site"
    install(
        site,
        "acme-tempered",
        {"losses": {"tempered": "acme_tempered:tempered"}},
        acme_tempered=PLUGIN,
    )
    monkeypatch.syspath_prepend(str(site))
    paths = [str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))


def test_a_loss_with_parameters_passes_the_checks(tempered):
    """The checks include that its player trains the parameter and that resuming is exact."""
    subject = LossSubject("tempered", partners={"mlp": {"width": 4}})
    outcomes = {check.__name__: examine(check, subject) for check in subject.checks}
    failures = {name: o.sentence for name, o in outcomes.items() if o.verdict != "ok"}
    assert failures == {}
    (result,) = subject.successful_trainings.values()
    assert result.changed_roles["discriminator"] == {"discriminator", "loss"}


def test_the_seed_determines_initial_parameters(tempered):
    def start(seed):
        return prepare(
            tiny(loss=Component("tempered"), seed=seed)
        ).state.loss.log_temperature.item()

    assert start(3) == start(3) != start(4)


@pytest.mark.slow
def test_several_processes_compute_the_gradient_of_one(tempered, tmp_path):
    recipe = tiny(
        loss=Component("tempered"),
        images=24,
        batch_size=12,
        optimizer=Optimizer(name="sgd", lr=0.01),
        sync_batchnorm=True,
    )
    (tmp_path / "tempered.toml").write_text(recipe.to_toml())
    differences = difference(2, tmp_path, "", tmp_path / "tempered.toml")
    assert max(differences["tempered"]) < 1e-9
