"""A third-party penalty is an option of every adversarial loss."""

import inspect
import re
from dataclasses import replace

import pytest
import torch
from torch import nn

import ganzoo
from ganzoo.cli import main
from ganzoo.cli.options import parse_recipe
from ganzoo.errors import (
    AmbiguousNameError,
    BrokenPluginError,
    GanzooError,
    RecipeError,
    UnknownNameError,
)
from ganzoo.games import AdversarialLoss, AdversarialOptions, Batch, Comparison, Penalty, Turn
from ganzoo.registry.signatures import arguments_of, bind
from ganzoo.spec import Component, Recipe
from ganzoo.training import prepare
from ganzoo.training.build import complete
from helpers.distributions import install
from helpers.recipes import play, tiny

ADVERSARIAL = [
    name
    for name in ganzoo.losses.names()
    if "penalty_every" in arguments_of(ganzoo.losses.get(name))
]
MODULE = '''
from ganzoo.games import Penalty

class Drift(Penalty):
    """The squared logits of real images, 50 % of them: a drift. As in ProGAN,
    https://arxiv.org/abs/1710.10196."""

    name = "drift"

    def value(self, comparison):
        return comparison.real_output.logits.square().reshape(len(comparison.real), -1).mean(1)
'''


class Drift(Penalty):
    """The squared logits of real images. A second sentence."""

    name = "drift"

    def value(self, comparison: Comparison) -> torch.Tensor:
        return comparison.real_output.logits.square()


@pytest.fixture
def drift():
    """A penalty registered by this process."""
    ganzoo.penalties.register("logit-drift")(Drift)
    yield Drift
    ganzoo.penalties.unregister("logit-drift")


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """An installed distribution that adds a penalty, and one that cannot be imported."""
    points = {"penalties": {"logit-drift": "acme_gans:Drift", "absent": "nowhere:Absent"}}
    install(tmp_path / "site", "acme-gans", points, acme_gans=MODULE)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_every_adversarial_loss_has_a_registered_penalty(name, drift):
    factory = ganzoo.losses.get(name)
    arguments = arguments_of(factory)
    assert arguments["logit_drift"].annotation is float
    assert arguments["logit_drift"].default == 0.0
    assert "logit_drift: penalty weight, 0 for none. The squared logits of real images." in (
        factory.__doc__
    )
    ganzoo.penalties.unregister("logit-drift")
    assert "logit_drift" not in inspect.signature(factory).parameters
    with pytest.raises(TypeError, match="logit_drift"):
        factory(logit_drift=1.0)


def test_the_term_of_a_penalty_is_added(drift):
    torch.manual_seed(0)
    discriminator = nn.Sequential(nn.Flatten(), nn.Linear(4, 1), nn.Flatten(0))
    images = torch.randn(5, 1, 2, 2)
    loss = ganzoo.losses.get("hinge")(logit_drift=0.5, r1=2.0, penalty_every=2)
    assert [penalty.name for penalty in loss.penalties] == ["r1", "drift"]
    assert loss.penalties is loss.penalties

    def terms(tick):
        turn = Turn(tick, lambda n: torch.zeros(n, 4))
        comparison = loss.judge_both(discriminator, images, Batch(images), turn)
        return loss.discriminator_terms(comparison, turn)

    # 0.5 in every second turn, twice as strong.
    torch.testing.assert_close(terms(0)["drift"], discriminator(images) ** 2)
    assert set(terms(0)) == {"adversarial", "r1", "drift"}
    assert set(terms(1)) == {"adversarial"}


def test_penalties_are_built_once(drift):
    recipe = tiny(images=32, loss=Component("hinge", {"logit_drift": 1.0, "r1": 1.0}))
    prepared = prepare(recipe)
    before = prepared.state.loss.penalties
    play(prepared)
    assert prepared.state.loss.penalties is before


def test_the_order_of_penalties_changes_nothing():
    def names(weights):
        options = AdversarialOptions(penalties=weights)
        return [
            p.name
            for p in AdversarialLoss(ganzoo.losses.get("hinge")().criterion, options).penalties
        ]

    assert names({"dragan": 1.0, "r2": 1.0, "gp": 1.0}) == ["dragan", "gradient_penalty", "r2"]


def test_a_recipe_lists_a_plugins_penalty_only_if_used(drift):
    recipe = complete(tiny(loss=Component("hinge", {"logit_drift": 0.0})))
    ours = {"r1": 0.0, "r2": 0.0, "gp": 0.0, "dragan": 0.0}
    assert recipe.loss.arguments.items() >= ours.items()
    assert "logit_drift" not in recipe.loss.arguments
    used = complete(tiny(loss=Component("hinge", {"logit_drift": 2})))
    assert used.loss.arguments["logit_drift"] == 2.0
    assert complete(Recipe.from_dict(used.to_dict())) == used
    with pytest.raises(RecipeError, match="'logit_drift'"):
        bind("loss", "hinge", ganzoo.losses.get("hinge"), {"logit_drift": "much"})


def test_a_loss_can_enable_a_penalty_by_default(drift):
    @ganzoo.games.with_adversarial_options(logit_drift=3.0)
    def drifting(options: AdversarialOptions) -> ganzoo.Loss:
        return AdversarialLoss(ganzoo.losses.get("hinge")().criterion, options)

    assert drifting().options.penalties == {"logit-drift": 3.0}
    assert drifting(logit_drift=0.0).penalties == ()
    # Otherwise the recipe would use the default.
    assert bind("loss", "drifting", drifting, {"logit_drift": 0.0})["logit_drift"] == 0.0


def test_the_command_line_and_provenance_list_an_installed_penalty(plugin, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["train", "dcgan-digits", "--help"])
    text = re.sub(r"[^\w%.,:-]+", " ", capsys.readouterr().out)
    assert "--loss.logit-drift FLOAT" in text
    assert "penalty weight, 0 for none. The squared logits of real images, 50 % of them: a" in text
    assert "--loss.absent FLOAT" in text
    assert "not available: penalty absent is installed but could not be loaded." in text

    args = ["dcgan-digits", "--loss.logit-drift", "0.5", "--images", "16", "--batch-size", "16"]
    recipe, _ = parse_recipe(args, "ganzoo train")
    run = ganzoo.train(recipe, out=tmp_path / "run", progress=False)
    assert "logit_drift = 0.5" in (run.path / "recipe.toml").read_text()
    assert "absent" not in (run.path / "recipe.toml").read_text()
    spec = ganzoo.info(run.bundle)
    assert spec.provenance["plugins"]["penalty logit-drift"] == "acme-gans 1.2"
    assert spec.provenance["versions"]["acme-gans"] == "1.2"

    assert main(["list", "--kind", "penalties"]) == 0
    pattern = r"^  logit-drift  The squared logits of real images.*  acme-gans 1\.2$"
    assert re.search(pattern, capsys.readouterr().out, re.MULTILINE)
    assert main(["plugins"]) == 0
    assert "acme-gans 1.2\n  penalties      absent, logit-drift\n" in capsys.readouterr().out
    assert main(["check", "acme-gans", "logit-drift"]) == 0
    assert capsys.readouterr().out.endswith("7 ok\n")


def test_a_broken_penalty_affects_only_its_users(plugin):
    assert ganzoo.losses.get("hinge")().penalties == ()
    with pytest.raises(BrokenPluginError, match="penalty 'absent' is installed but could not be l"):
        prepare(tiny(loss=Component("hinge", {"absent": 1.0})))


@pytest.mark.parametrize("weight", [-1.0, float("inf"), float("nan")])
def test_a_weight_is_finite_and_not_negative(drift, weight):
    with pytest.raises(ValueError, match="logit-drift is .*; it must be at least 0, and finite"):
        ganzoo.losses.get("hinge")(logit_drift=weight)


def test_an_unregistered_penalty_is_refused():
    with pytest.raises(UnknownNameError, match="no penalty named 'draga'. Did you mean 'dragan'"):
        AdversarialLoss(
            ganzoo.losses.get("hinge")().criterion, AdversarialOptions(penalties={"draga": 1.0})
        )


def test_a_plugin_cannot_replace_builtin_penalties(tmp_path, monkeypatch):
    install(tmp_path, "acme-gans", {"penalties": {"r1": "acme_gans:Drift"}}, acme_gans=MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    (penalty,) = ganzoo.losses.get("hinge")(r1=1.0).penalties
    assert type(penalty).__module__ == "ganzoo.builtin.penalties.zero_centred"


def test_two_penalties_with_one_name_are_ambiguous(plugin, tmp_path, monkeypatch):
    install(tmp_path / "b", "other", {"penalties": {"logit-drift": "other:Drift"}}, other=MODULE)
    monkeypatch.syspath_prepend(str(tmp_path / "b"))
    with pytest.raises(AmbiguousNameError, match="'acme-gans:logit-drift' or 'other:logit-drift'"):
        ganzoo.losses.get("hinge")(logit_drift=1.0)


@pytest.mark.parametrize("name", ["lambda", "0-gp", "penalty-every", "class-weight"])
def test_a_name_that_is_not_an_identifier_is_ignored(name):
    before = inspect.signature(ganzoo.losses.get("acgan"))
    ganzoo.penalties.register(name)(Drift)
    try:
        assert inspect.signature(ganzoo.losses.get("acgan")) == before
    finally:
        ganzoo.penalties.unregister(name)


class Nameless(Drift):
    name = None


class Adversarial(Drift):
    name = "adversarial"


class Second(Drift):
    name = "r1"


class Abstract(Penalty):
    name = "abstract"


class Refusing(Drift):
    def __init__(self, weight, every=1):
        raise ValueError("it is a bad day")


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (Nameless, "penalty 'wrong' of this process has no name for its term: set `name"),
        (Adversarial, "has the term 'adversarial', and so has every adversarial loss"),
        (Second, "has the term 'r1', and so has penalty 'r1' of torch-ganzoo 0.1.0"),
        (Abstract, "could not be built"),
        (Refusing, "penalty 'wrong' cannot be built: it is a bad day"),
        (dict, "it is the class dict, not a subclass of ganzoo.games.Penalty"),
        (len, "it is builtin_function_or_method, not a subclass of ganzoo.games.Penalty"),
    ],
)
def test_an_object_that_is_not_a_penalty_is_refused(thing, message):
    ganzoo.penalties.register("wrong")(thing)
    try:
        with pytest.raises(GanzooError, match=message):
            ganzoo.losses.get("hinge")(wrong=1.0, r1=1.0)
    finally:
        ganzoo.penalties.unregister("wrong")


class Counted(nn.Module, Penalty):
    """The squared logits, of a penalty that counts its turns."""

    name = "counted"

    def __init__(self, weight, every=1):
        nn.Module.__init__(self)
        Penalty.__init__(self, weight, every)
        self.register_buffer("turns", torch.zeros(()))

    def value(self, comparison):
        self.turns += 1
        return comparison.real_output.logits.square()


def test_the_loss_saves_the_state_of_a_penalty():
    ganzoo.penalties.register("counted")(Counted)
    try:
        recipe = tiny(images=48, loss=Component("hinge", {"counted": 1.0}))
        prepared = prepare(recipe)
        play(prepared)
        state = prepared.state.state_dict()
        other = prepare(replace(recipe, seed=1)).state
        other.load_state_dict(state)
        (penalty,) = other.loss.penalties
        assert penalty.turns == 3
    finally:
        ganzoo.penalties.unregister("counted")


def test_a_gradient_penalty_with_batchnorm_warns(recwarn):
    """A penalty on logits alone does not mix samples."""

    class LogitDrift(Penalty):
        """D(x)^2."""

        name = "logit_drift"

        def value(self, comparison):
            return comparison.real_output.logits.square()

    ganzoo.penalties.register("logit-drift-2")(LogitDrift)
    try:
        prepare(tiny(loss=Component("hinge", {"logit_drift_2": 0.1})), device="cpu")
        assert not [w for w in recwarn if "BatchNorm" in str(w.message)]
        with pytest.warns(UserWarning, match="BatchNorm makes the"):
            prepare(tiny(loss=Component("hinge", {"r1": 0.1})), device="cpu")
    finally:
        ganzoo.penalties.unregister("logit-drift-2")
