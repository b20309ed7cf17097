"""Compare each option of adversarial losses with its definition."""

import dataclasses
import itertools
from typing import get_type_hints

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

import ganzoo
from ganzoo import DataSpec, ImageSpec
from ganzoo.errors import RecipeError
from ganzoo.games import AdversarialLoss, AdversarialOptions, Batch, Turn, augment
from ganzoo.registry.signatures import arguments_of
from ganzoo.spec import Component
from ganzoo.training import prepare
from ganzoo.training.players import train_only
from helpers.processes import run_cli
from helpers.recipes import play, tiny

PENALTIES = {"r1": "r1", "r2": "r2", "gp": "gradient_penalty", "dragan": "dragan"}
FIXED = [f for f in dataclasses.fields(AdversarialOptions) if f.name != "penalties"]
FIELDS = dict.fromkeys(PENALTIES, 0.0) | {f.name: f.default for f in FIXED}
WITH_RULES = [
    n for n in ganzoo.losses.names() if FIELDS.keys() <= arguments_of(ganzoo.losses.get(n)).keys()
]
UNLABELLED = ["ragan", "rpgan", "wgan", "wgan-gp"]
POLICIES = ["color", "translation", "cutout"]

SHAPE = (2, 16, 16)


class Judge(nn.Module):
    """D(x) = w . x; stores its inputs."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(SHAPE).double() / 8)
        self.inputs = []

    def forward(self, images):
        self.inputs.append(images.detach())
        return (images * self.w).sum((1, 2, 3))


class Painter(nn.Module):
    """G(z) = v z."""

    def __init__(self):
        super().__init__()
        self.v = nn.Parameter(torch.randn(SHAPE).double())

    def forward(self, z):
        return z[:, :, None, None] * self.v


@pytest.fixture
def nets():
    torch.manual_seed(0)
    return {"generator": Painter(), "discriminator": Judge()}


def batch(n=5):
    return Batch(torch.randn(n, *SHAPE).double())


def turn(tick=0, progress=0.0):
    return Turn(tick, lambda n: torch.randn(n, 1).double(), progress)


@pytest.mark.parametrize(
    "names", [c for k in range(5) for c in itertools.combinations(PENALTIES, k)], ids="+".join
)
def test_penalties_combine(nets, names):
    """For D(x) = w . x each penalty has its closed form, with any others."""
    loss = ganzoo.losses.get("rpgan")(**{name: 3.0 for name in names})
    terms = loss.discriminator(nets, batch(), turn())
    assert set(terms) == {"adversarial", *(PENALTIES[name] for name in names)}
    norm = nets["discriminator"].w.detach().norm()
    expected = {
        "r1": norm**2 / 2,
        "r2": norm**2 / 2,
        "gp": (norm - 1) ** 2,
        "dragan": (norm - 1) ** 2,
    }
    for name in names:
        term = terms[PENALTIES[name]].detach()
        torch.testing.assert_close(term, (3 * expected[name]).expand(5), rtol=1e-9, atol=0)


@pytest.mark.parametrize("discriminator_every", [1, 2, 3])
@pytest.mark.parametrize("penalty_every", [2, 3, 4])
def test_lazy_penalties_keep_their_total_strength(nets, penalty_every, discriminator_every):
    """The sum over turns is constant for any interval of discriminator and penalty."""

    def total(every):
        loss = ganzoo.losses.get("hinge")(
            r1=0.5, gp=2.0, penalty_every=every, discriminator_every=discriminator_every
        )
        due = [t for t in range(12 * discriminator_every) if t % loss.players[0].every == 0]
        terms = [loss.discriminator(nets, batch(), turn(tick)) for tick in due]
        return {
            name: sum(t[name].mean() for t in terms if name in t)
            for name in ("r1", "gradient_penalty")
        }, sum("r1" in t for t in terms)

    lazy, computed = total(penalty_every)
    eager, _ = total(1)
    assert computed == 12 // penalty_every
    for name in eager:
        torch.testing.assert_close(lazy[name], eager[name])


@pytest.mark.parametrize("smoothing", [0.1, 0.3])
def test_smoothed_labels_are_one_sided(smoothing, nets):
    """-(1-s) log D(x) - s log(1 - D(x)) on real images, up to a constant; fakes keep their label."""
    loss = ganzoo.losses.get("nonsaturating")(label_smoothing=smoothing)
    x, z = torch.randn(7, *SHAPE).double(), torch.randn(7, 1).double()
    now = Turn(0, lambda n: z)
    actual = loss.discriminator(nets, Batch(x), now)["adversarial"]
    real, fake = nets["discriminator"](x), nets["discriminator"](nets["generator"](z))
    expected = (1 - smoothing) * softplus(-real) + smoothing * softplus(real) + softplus(fake)
    constant = (actual - expected).detach()
    torch.testing.assert_close(constant, constant[:1].expand(7))
    gradients = (
        torch.autograd.grad(term.mean(), nets["discriminator"].w)[0] for term in (actual, expected)
    )
    torch.testing.assert_close(*gradients)
    generator = loss.generator(nets, Batch(x), now)["adversarial"]
    torch.testing.assert_close(generator, softplus(-fake))


def test_the_best_logit_under_smoothed_labels_is_their_target():
    """With real images only, the best logit is log((1-s)/s), and 1 - s for lsgan."""
    for name, best in (("nonsaturating", torch.tensor(9.0).log()), ("lsgan", torch.tensor(0.9))):
        loss = ganzoo.losses.get(name)(label_smoothing=0.1)
        logit = best.double().requires_grad_()
        constant = {"generator": Painter(), "discriminator": Constant(logit)}
        on_fakes = loss.criterion.d(torch.zeros(3).double(), logit.expand(3)).mean()
        whole = loss.discriminator(constant, batch(3), turn())["adversarial"].mean()
        (slope,) = torch.autograd.grad(whole - on_fakes, logit)
        assert slope.item() == pytest.approx(0, abs=1e-6)


class Constant(nn.Module):
    """A discriminator with equal logits for all images."""

    def __init__(self, logit):
        super().__init__()
        self.logit = logit

    def forward(self, images):
        return self.logit.expand(len(images))


@pytest.mark.parametrize("name", UNLABELLED)
def test_losses_without_targets_refuse_label_smoothing(name):
    with pytest.raises(
        ValueError, match="label_smoothing needs a loss that compares each logit with"
    ):
        ganzoo.losses.get(name)(label_smoothing=0.1)
    with pytest.raises(RecipeError, match=f"loss '{name}' cannot be built: label_smoothing"):
        prepare(tiny(loss=Component(name, {"label_smoothing": 0.1})))


@pytest.mark.parametrize("progress", [0.0, 0.25, 0.5, 1.0])
def test_instance_noise_falls_linearly_to_zero(nets, progress):
    """Noise is added to real and fake images in all turns, sampled separately each time."""
    loss = ganzoo.losses.get("hinge")(instance_noise=0.4)
    x, z = torch.randn(200, *SHAPE).double(), torch.randn(200, 1).double()
    now = Turn(0, lambda n: z, progress)
    loss.discriminator(nets, Batch(x), now)
    loss.generator(nets, Batch(x), now)
    fake = nets["generator"](z).detach()
    noises = [
        s - image for s, image in zip(nets["discriminator"].inputs, (x, fake, fake), strict=True)
    ]
    for noise in noises:
        assert noise.std().item() == pytest.approx(0.4 * (1 - progress), rel=0.02)
        assert noise.mean().item() == pytest.approx(0, abs=0.01)
    if progress < 1:
        assert not torch.equal(noises[1], noises[2])


def test_progress_is_the_finished_share_of_the_run():
    prepared = prepare(tiny(images=64, batch_size=16))
    progress, original = [], prepared.state.loss.judge_both

    def spy(discriminator, fake, batch, turn):
        progress.append(turn.progress)
        return original(discriminator, fake, batch, turn)

    prepared.state.loss.judge_both = spy
    run(prepared)
    assert progress == [0, 0.25, 0.5, 0.75]


def run(prepared):
    play(prepared)


@pytest.mark.parametrize("name", ["wgan", "nonsaturating"])
def test_only_the_discriminators_weights_are_clipped(name):
    arguments = {"weight_clip": 0.005}
    prepared = prepare(tiny(images=32, loss=Component(name, arguments)))
    run(prepared)

    def largest(role):
        return max(p.abs().max().item() for p in prepared.state.nets[role].parameters())

    assert largest("discriminator") == pytest.approx(0.005)
    assert largest("generator") > 0.05


def test_clipping_runs_in_the_discriminators_turn(nets):
    loss = ganzoo.losses.get("wgan")()
    before = {role: [p.detach().clone() for p in net.parameters()] for role, net in nets.items()}
    discriminator, generator = loss.players
    loss.constrain(generator, nets)
    assert torch.equal(nets["discriminator"].w, before["discriminator"][0])
    loss.constrain(discriminator, nets)
    assert torch.equal(nets["discriminator"].w, before["discriminator"][0].clamp(-0.01, 0.01))
    assert torch.equal(nets["generator"].v, before["generator"][0])


@pytest.mark.parametrize("name", ["vaegan", "bigan"])
def test_an_encoder_is_not_clipped(name):
    loss = ganzoo.losses.get(name)(weight_clip=0.1)
    nets = {role: nn.Linear(1, 4) for role in loss.roles}
    for net in nets.values():
        nn.init.ones_(net.weight)
    for player in loss.players:
        loss.constrain(player, nets)
    clipped = {role for role, net in nets.items() if net.weight.max() < 1}
    assert clipped == set(loss.players[0].trains)


@pytest.mark.parametrize("name", ["wgan", "bigan"])
def test_clipping_below_the_weights_is_refused(name):
    loss = ganzoo.losses.get(name)(weight_clip=0.01)
    nets = {role: nn.Linear(4, 4) for role in loss.roles}
    data = DataSpec(ImageSpec(8, 8, 1))
    loss.check(nets, data)
    for role in loss.players[0].trains:
        nn.init.ones_(nets[role].weight)
    with pytest.raises(
        ValueError, match=r"clipping at 0\.01 would .* square is 1: --loss\.weight-clip 1"
    ):
        loss.check(nets, data)
    ganzoo.losses.get(name)(weight_clip=1.0).check(nets, data)


@pytest.mark.parametrize("policies", [[p] for p in POLICIES] + [POLICIES], ids="+".join)
@pytest.mark.parametrize("shape", [(3, 16, 16), (1, 28, 28), (2, 9, 12)])
def test_augmentation_keeps_shapes_and_passes_gradients(policies, shape):
    images = torch.randn(2, *shape).double().requires_grad_()

    def change(images):
        torch.manual_seed(0)
        return augment(images, policies)

    assert change(images).shape == images.shape
    assert change(images).dtype == images.dtype
    assert not torch.equal(change(images), images)
    assert torch.autograd.gradcheck(change, images, fast_mode=True)


def test_translation_shifts_by_at_most_an_eighth_and_pads_with_zeros():
    torch.manual_seed(0)
    image = torch.arange(1.0, 1 + 16 * 16).reshape(1, 1, 16, 16)
    padded = nn.functional.pad(image, (2, 2, 2, 2))
    shifts = {(y, x): padded[0, 0, y : y + 16, x : x + 16] for y in range(5) for x in range(5)}
    directions = set()
    for output in augment(image.expand(600, -1, -1, -1), ["translation"]):
        (which,) = [k for k, shifted in shifts.items() if torch.equal(output[0], shifted)]
        directions.add(which)
    assert directions == set(shifts)


def test_cutout_masks_a_square_of_half_the_side():
    """A square inside the image is a quarter of it, and less across an edge."""
    torch.manual_seed(0)
    blank = augment(torch.ones(2000, 3, 16, 32), ["cutout"]) == 0
    assert torch.equal(blank, blank[:, :1].expand_as(blank))
    rows, columns = blank[:, 0].any(2), blank[:, 0].any(1)
    assert torch.equal(blank[:, 0], rows[:, :, None] & columns[:, None])
    assert {int(n) for n in rows.sum(1)} == {4, 5, 6, 7, 8}
    assert {int(n) for n in columns.sum(1)} == set(range(8, 17))
    assert rows.any(0).all()
    assert columns.any(0).all()
    assert blank.double().mean((1, 2, 3)).max() == 0.25


@pytest.mark.parametrize("side", [16, 5, 6])
def test_cutout_treats_both_ends_of_a_side_alike(side):
    """A hole of half the side, rounded up, can stick out by half of itself at either end."""
    torch.manual_seed(0)
    blank = augment(torch.ones(4000, 1, side, side), ["cutout"]) == 0
    hole = int(side / 2 + 0.5)
    for axis in (2, 3):
        line = blank[:, 0].any(4 - axis)
        holes = {tuple(row.nonzero()[:, 0].tolist()) for row in line}
        starts = range(-(hole // 2), side - (hole - 1) // 2)
        assert holes == {
            tuple(k for k in range(start, start + hole) if 0 <= k < side) for start in starts
        }


def test_translation_rounds_half_a_pixel_up():
    """An eighth of 20 pixels is 2.5: shifts of 3 occur."""
    torch.manual_seed(0)
    outputs = augment(torch.ones(500, 1, 20, 20), ["translation"])
    assert int((outputs == 0).all(3).sum(2).max()) == 3


def test_color_changes_nothing_in_expectation():
    """The expected brightness, saturation and contrast are those of the image."""
    torch.manual_seed(0)
    image = 2 * torch.rand(1, 3, 4, 4) - 1
    output = augment(image.expand(50_000, -1, -1, -1), ["color"])
    torch.testing.assert_close(output.mean(0), image[0], atol=0.01, rtol=0)
    assert output.std(0).min() > 0.1


def test_color_changes_brightness_saturation_and_contrast():
    """Grey stays grey, and the brightness changes by at most a half."""
    torch.manual_seed(0)
    grey = torch.rand(1, 1, 4, 4).expand(4000, 3, -1, -1)
    output = augment(grey, ["color"])
    torch.testing.assert_close(output, output[:, :1].expand_as(output))
    shift = (output - grey).mean((1, 2, 3))
    assert shift.abs().max() <= 0.5 + 1e-5
    assert shift.abs().max() > 0.49
    contrast = output.std((1, 2, 3)) / grey.std((1, 2, 3))
    assert (contrast - 1).abs().max() <= 0.5 + 1e-5
    assert (contrast - 1).abs().max() > 0.49


def test_real_and_fake_images_are_augmented_in_every_turn(nets):
    """The penalty's gradient passes through the augmentation."""
    loss = ganzoo.losses.get("hinge")(augmentation=("cutout",), r1=1.0)
    ones = Batch(torch.ones(100, *SHAPE).double())
    now = Turn(0, lambda n: torch.ones(n, 1).double())
    nn.init.ones_(nets["generator"].v)
    terms = loss.discriminator(nets, ones, now)
    loss.generator(nets, ones, now)
    inputs = nets["discriminator"].inputs
    assert len(inputs) == 4  # real, fake, real again for R1, and the generator's fake
    for images in inputs:
        holes = (images == 0).double().mean((1, 2, 3))
        assert 1 / 16 <= holes.min() < holes.max() == 0.25
        assert set(images.unique().tolist()) == {0, 1}
    squares = nets["discriminator"].w.detach().square()
    expected = ((inputs[2] != 0) * squares).sum((1, 2, 3)) / 2
    torch.testing.assert_close(terms["r1"].detach(), expected)


class JudgeOfBoth(nn.Module):
    """A discriminator that stores images and conditions."""

    def forward(self, images, condition):
        self.inputs = images, condition
        return images.mean((1, 2, 3))


def test_an_image_and_its_condition_move_alike_and_keep_their_colors():
    torch.manual_seed(0)
    images, conditions = torch.ones(300, 3, 16, 16), torch.full((300, 1, 16, 16), -1.0)
    nets = {"generator": nn.Identity(), "discriminator": JudgeOfBoth()}
    nets["generator"].forward = lambda z: images
    for policies in (("translation", "cutout"), tuple(POLICIES)):
        loss = ganzoo.losses.get("hinge")(augmentation=policies)
        loss.generator(
            nets, Batch(images, condition=conditions), Turn(0, lambda n: torch.zeros(n, 1))
        )
        image, condition = nets["discriminator"].inputs
        assert torch.equal(image[:, :1] == 0, condition == 0)
        assert set(condition.unique().tolist()) == {-1, 0}
        assert (condition == 0).double().mean((1, 2, 3)).min() > 0


@pytest.mark.parametrize("name", WITH_RULES)
def test_a_loss_has_the_options_as_arguments(name):
    factory = ganzoo.losses.get(name)
    arguments = arguments_of(factory)
    defaults = {k: arguments[k].default for k in FIELDS}
    own = {
        "wgan": {"weight_clip": 0.01, "discriminator_steps": 5},
        "wgan-gp": {"gp": 10.0, "discriminator_steps": 5},
    }
    if ganzoo.losses.entry(name).distribution == "torch-ganzoo":
        assert defaults == FIELDS | own.get(name, {})
    hints = dict.fromkeys(PENALTIES, float) | get_type_hints(AdversarialOptions)
    hints.pop("penalties")
    assert {k: arguments[k].annotation for k in FIELDS} == hints
    loss = factory()
    weights = {name: defaults.pop(name) for name in PENALTIES}
    assert loss.options == AdversarialOptions(weights, **defaults)
    assert factory.__name__.replace("_", "-") == name
    for argument in arguments:
        assert f"\n    {argument}: " in factory.__doc__
    with pytest.raises(TypeError):
        factory(AdversarialOptions())
    with pytest.raises(TypeError, match="no_such_rule"):
        factory(no_such_rule=1)


def test_builtin_adversarial_losses_have_the_options():
    assert {
        *("minimax", "nonsaturating", "lsgan", "wgan", "wgan-gp", "hinge", "ragan", "rpgan"),
        *("acgan", "infogan", "vaegan", "bigan"),
    } <= set(WITH_RULES)


@pytest.mark.parametrize("name", WITH_RULES)
def test_turns_follow_the_options(name):
    loss = ganzoo.losses.get(name)(discriminator_steps=3, discriminator_every=2)
    first, *others = loss.players
    assert (first.name, first.repeat, first.every) == ("discriminator", 3, 2)
    assert {(p.repeat, p.every) for p in others} == {(1, 1)}


OUT_OF_RANGE = [
    *({name: 0} for name in ("penalty_every", "discriminator_steps", "discriminator_every")),
    *({name: -0.1} for name in (*PENALTIES, "weight_clip", "instance_noise")),
    {"r1": float("inf")},
    {"gp": float("nan")},
    {"label_smoothing": -0.1},
    {"label_smoothing": 0.5},
]


@pytest.mark.parametrize("wrong", OUT_OF_RANGE, ids=str)
def test_options_out_of_range_are_refused(wrong):
    (name, value), *_ = wrong.items()
    with pytest.raises(ValueError, match=f"^{name} is {value}; it must be (at least|in)"):
        AdversarialOptions(**({"penalties": wrong} if name in PENALTIES else wrong))
    with pytest.raises(ValueError, match=name):
        ganzoo.losses.get("lsgan")(**wrong)
    if value == value and abs(value) != float("inf"):
        with pytest.raises(RecipeError, match=f"loss 'lsgan' cannot be built: {name} is {value}"):
            prepare(tiny(loss=Component("lsgan", wrong)))


@pytest.mark.parametrize(
    ("name", "weight"),
    [
        ("acgan", "class_weight"),
        ("infogan", "categorical_weight"),
        ("infogan", "continuous_weight"),
        ("vaegan", "reconstruction_weight"),
        ("vae", "beta"),
        ("betavae", "beta"),
    ],
)
def test_weights_below_zero_are_refused(name, weight):
    with pytest.raises(RecipeError, match=f"loss '{name}' cannot be built: {weight} is -1"):
        prepare(tiny(loss=Component(name, {weight: -1.0})))


def test_an_unknown_augmentation_is_refused():
    with pytest.raises(RecipeError, match="'augmentation'.*'color', 'translation' or 'cutout'"):
        prepare(tiny(loss=Component("lsgan", {"augmentation": ["blur"]})))


def test_the_command_line_refuses_an_option_out_of_range(tmp_path):
    out = tmp_path / "run"
    done = run_cli("train", "dcgan-digits", "--loss.penalty-every", "0", "--out", out)
    assert done.returncode == 1
    assert "--loss.penalty-every is 0; it must be at least 1" in done.stderr
    assert "Traceback" not in done.stderr
    assert not out.exists()


# Losses with an encoder, heads or pairs have separate tests.
PLAIN = [n for n in WITH_RULES if type(ganzoo.losses.get(n)()) is AdversarialLoss]


def test_the_plain_losses_are_complete():
    assert {
        *("minimax", "nonsaturating", "lsgan", "wgan", "wgan-gp", "hinge", "ragan", "rpgan")
    } <= set(PLAIN)


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("role", ["discriminator", "generator"])
def test_gradients_reach_only_the_acting_player(nets, name, role):
    loss = ganzoo.losses.get(name)()
    train_only(nets, [role])
    terms = getattr(loss, role)(nets, batch(), turn())
    sum(term.mean() for term in terms.values()).backward()
    moved = {r for r, net in nets.items() for w in net.parameters() if w.grad is not None}
    assert moved == {role}
    assert all(w.grad.abs().sum() > 0 for w in nets[role].parameters())
