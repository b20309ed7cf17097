"""Adaptive augmentation: each transformation by a formula or an invariant, in float64."""

import json
import math

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import pad

import ganzoo
from ganzoo import DataSpec, ImageSpec
from ganzoo.games import Batch, Turn
from ganzoo.games.ada import (
    AdaptiveAugmentation,
    AugmentedDiscriminator,
    augment,
    blitting,
)
from ganzoo.games.ada.blitting import blit, shift
from ganzoo.games.ada.colour import flip_luma, recolour, saturate, turn_hue
from ganzoo.games.ada.filtering import SYM6, double, halve
from ganzoo.games.ada.geometry import rotation, transform, warp
from ganzoo.spec import Component
from ganzoo.training import prepare
from ganzoo.training.whole_batch import WholeBatch
from helpers.recipes import tiny

STILL = torch.zeros(1, 2).double()
MANY = 3000


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def noise(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def column(*values):
    return torch.tensor(values).view(-1, 1, 1, 1)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(8, 8), (9, 12), (28, 28)])
def test_probability_0_changes_nothing(channels, size):
    images = noise(5, channels, *size)
    for probability in (0.0, torch.zeros(())):
        assert torch.equal(augment(images, probability), images)


@pytest.mark.parametrize("size", [(8, 8), (9, 12)])
@pytest.mark.parametrize("channels", [1, 3])
def test_probability_1_changes_every_image_and_keeps_its_size(size, channels):
    images = noise(20, channels, *size)
    changed = augment(images, 1.0)
    assert changed.shape == images.shape
    assert changed.isfinite().all()
    assert ((changed - images).abs().amax((1, 2, 3)) > 0).all()


def test_half_of_the_images_are_mirrored_and_a_quarter_turned_each_way(monkeypatch):
    monkeypatch.setattr(blitting, "SHIFT", 0)
    image = noise(1, 2, 7, 7)
    eight = [m.rot90(k, (2, 3)) for m in (image, image.flip(3)) for k in range(4)]
    blitted = blit(image.expand(MANY, -1, -1, -1), 1.0)
    shares = [(blitted == one).all(3).all(2).all(1).double().mean().item() for one in eight]
    assert sum(shares) == 1
    assert shares == pytest.approx([1 / 8] * 8, abs=0.03)
    some = blit(image.expand(MANY, -1, -1, -1), 0.3)
    unchanged = (some == image).all(3).all(2).all(1).double().mean()
    # Not mirrored and not turned, or both turned away: 7/8 ... of each coin with its chance.
    assert unchanged.item() == pytest.approx((1 - 0.3 / 2) * (1 - 0.3 * 3 / 4), abs=0.03)


def test_non_square_images_are_rotated_by_180_degrees_only(monkeypatch):
    monkeypatch.setattr(blitting, "SHIFT", 0)
    image = noise(1, 1, 5, 8)
    four = [m.rot90(k, (2, 3)) for m in (image, image.flip(3)) for k in (0, 2)]
    blitted = blit(image.expand(MANY, -1, -1, -1), 1.0)
    shares = [(blitted == one).all(3).all(2).all(1).double().mean().item() for one in four]
    assert shares == pytest.approx([1 / 4] * 4, abs=0.03)


@pytest.mark.parametrize(("down", "right"), [(0, 0), (2, 0), (-3, 1), (0, -4), (5, 7)])
def test_a_shift_pads_by_reflection(down, right):
    image = noise(1, 2, 6, 8)
    by = max(abs(down), abs(right))
    wide = pad(image, (min(by, 7),) * 2 + (min(by, 5),) * 2, mode="reflect")
    top, left = min(by, 5) - down, min(by, 7) - right
    expected = wide[:, :, top : top + 6, left : left + 8]
    assert torch.equal(shift(image, column(down), column(right)), expected)


def test_shifts_are_at_most_an_eighth_of_the_side(monkeypatch):
    monkeypatch.setattr(blitting, "either", lambda images, choices: column(*[0] * len(images)))
    ramp = torch.arange(32.0).double().expand(1, 1, 32, 32)
    blitted = blit(ramp.expand(MANY, -1, -1, -1), 1.0)
    moved = (ramp - blitted)[:, 0, 16, 16]
    assert moved.abs().max() == 4
    assert moved.std() == pytest.approx(8 / math.sqrt(12), rel=0.05)
    assert moved.mean().abs() < 0.2


def test_the_wavelet_is_orthonormal_and_has_six_vanishing_moments():
    h = torch.tensor(SYM6, dtype=torch.float64)
    for apart in range(6):
        product = (h[: 12 - 2 * apart] * h[2 * apart :]).sum()
        assert product.item() == pytest.approx(float(apart == 0), abs=1e-11)
    alternating = h * (-1) ** torch.arange(12)
    for power in range(6):
        moment = (alternating * torch.arange(12.0).double() ** power).sum()
        assert moment.item() == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize("size", [(7, 7), (8, 11), (28, 28)])
def test_doubling_and_halving_restores_the_image(size):
    images = noise(2, 3, *size)
    wide = double(images)
    assert wide.shape[2:] == (2 * size[0] + 10, 2 * size[1] + 10)
    torch.testing.assert_close(halve(wide), images)
    level = torch.full((1, 1, *size), 0.7).double()
    torch.testing.assert_close(double(level), torch.full_like(wide[:1, :1], 0.7))


def test_the_identity_warp_changes_nothing():
    images = noise(3, 2, 9, 12)
    torch.testing.assert_close(
        warp(images, torch.eye(2).double().expand(3, 2, 2), 0 * STILL), images
    )


@pytest.mark.parametrize(("right", "down"), [(2, 0), (0, -3), (1, 4), (-11, 9)])
def test_a_warp_by_whole_pixels_is_a_shift(right, down):
    images = noise(1, 2, 20, 24)
    by = torch.tensor([[right, down]]).double()
    output = warp(images, torch.eye(2).double()[None], by)
    expected = shift(
        images, torch.tensor(down).view(1, 1, 1, 1), torch.tensor(right).view(1, 1, 1, 1)
    )
    torch.testing.assert_close(output, expected)


@pytest.mark.parametrize("size", [(40, 40), (36, 48)])
def test_a_warped_ramp_is_the_ramp_of_warped_coordinates(size):
    """The value of the input at matrix @ (u - shift) is the output at u."""
    height, width = size
    y, x = torch.meshgrid(
        torch.arange(height).double() - (height - 1) / 2,
        torch.arange(width).double() - (width - 1) / 2,
        indexing="ij",
    )
    images = torch.stack([x, y])[None]
    matrix = rotation(torch.tensor([0.3]).double()) @ torch.diag_embed(
        torch.tensor([[0.8, 0.6]]).double()
    )
    by = torch.tensor([[1.3, -2.4]]).double()
    output = warp(images, matrix, by)[0]
    place = torch.stack([x - 1.3, y + 2.4])
    expected = torch.einsum("ij,jhw->ihw", matrix[0], place)
    inside = slice(8, -8)
    output, expected = output[:, inside, inside], expected[:, inside, inside]
    for axis in (1, 2):
        torch.testing.assert_close(
            output.diff(dim=axis), expected.diff(dim=axis), atol=1e-6, rtol=0
        )
    # The filter is not quite symmetric about its centre.
    assert (output - expected).abs().max() < 0.1


def warped_by_definition(image, matrix, by):
    """The pipeline of appendix B, pixel by pixel: upsample, sample bilinearly, downsample.

    With sym6 as h, pixel k of the image is pixel 2k of the larger image, whose pixel j is the sum
    of h[t] x[(j + 5 - t) / 2] over all t of the right parity. So the centre of the image,
    (side - 1) / 2, is at side - 1.
    """
    height, width = image.shape
    h = torch.tensor(SYM6, dtype=torch.float64)

    def upsampling(side):
        rows = torch.zeros(8 * side, side, dtype=torch.float64)  # pixels -3 side to 5 side
        for row in range(8 * side):
            for t in range(12):
                k, odd = divmod(row - 3 * side + 5 - t, 2)
                k = abs(k) % (2 * side - 2)
                if not odd:
                    rows[row, min(k, 2 * side - 2 - k)] += math.sqrt(2) * h[t]
        return rows

    wide = upsampling(height) @ image @ upsampling(width).T

    def at(y, x):
        (top, left), total = (math.floor(y), math.floor(x)), 0.0
        for i, j in ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)):
            share = (1 - abs(y - i)) * (1 - abs(x - j))
            total = total + share * wide[i + 3 * height, j + 3 * width]
        return total

    warped = torch.zeros_like(wide[: 2 * height + 10, : 2 * width + 10])
    for i in range(2 * height + 10):
        for j in range(2 * width + 10):
            u = torch.tensor([j - 5 - (width - 1), i - 5 - (height - 1)]).double() / 2
            x, y = (2 * (matrix @ (u - by)) + torch.tensor([width - 1, height - 1])).tolist()
            warped[i, j] = at(y, x)
    rows = warped.unfold(0, 12, 2) @ h / math.sqrt(2)
    return rows.unfold(1, 12, 2) @ h / math.sqrt(2)


@pytest.mark.parametrize("by", [(0.6, -0.9), (4.7, -3.2)])
def test_a_warp_is_that_of_the_papers_pipeline(by):
    """Scales, rotations and stretches keep the centre, and pixels beyond the border are mirrored."""
    image = noise(14, 16)
    matrix = rotation(torch.tensor([0.3]).double()) @ torch.diag_embed(
        torch.tensor([[0.7, 0.8]]).double()
    )
    by = torch.tensor([by]).double()
    warped = warp(image[None, None], matrix, by)[0, 0]
    expected = warped_by_definition(image, matrix[0], by[0])
    torch.testing.assert_close(warped, expected, rtol=0, atol=4e-6)


def test_a_warp_by_a_right_angle_is_a_rotation():
    smooth = torch.sin(torch.arange(32).double() / 5)
    image = (smooth[:, None] * (1 + smooth[None, :].cos()))[None, None]
    output = warp(image, rotation(torch.tensor([math.pi / 2]).double()), STILL)
    turned = image.rot90(1, (2, 3))
    assert (output - turned)[:, :, 3:-3, 3:-3].abs().max() < 0.06
    assert (output - turned.rot90(2, (2, 3)))[:, :, 3:-3, 3:-3].abs().max() > 0.5


@pytest.mark.parametrize("probability", [0.1, 0.5])
def test_the_probability_is_the_share_of_transformed_images(probability):
    """Each of scaling, rotation, stretching and shifting keeps a share 1 - p unchanged."""
    images = noise(1, 1, 7, 7).expand(MANY, -1, -1, -1)
    unchanged = (transform(images, probability) == images).all(3).all(2).all(1)
    assert unchanged.double().mean().item() == pytest.approx((1 - probability) ** 4, abs=0.03)


def test_luma_flips_keep_the_hue():
    images = noise(4, 3, 5, 5)
    flipped = flip_luma(images)
    torch.testing.assert_close(flip_luma(flipped), images)
    torch.testing.assert_close(flipped.mean(1), -images.mean(1))
    torch.testing.assert_close(flipped.diff(dim=1), images.diff(dim=1))
    torch.testing.assert_close(flip_luma(images[:, :1]), -images[:, :1])


def test_a_hue_rotation_of_120_degrees_permutes_colours():
    images = noise(4, 3, 5, 5)
    third = torch.full((4, 1, 1, 1), 2 * math.pi / 3, dtype=torch.float64)
    torch.testing.assert_close(turn_hue(images, third), images.roll(1, 1))
    torch.testing.assert_close(turn_hue(images, 0 * third), images)
    angles = noise(4, 1, 1, 1, seed=1)
    turned = turn_hue(images, angles)
    torch.testing.assert_close(turned.mean(1), images.mean(1))
    torch.testing.assert_close(turned.square().sum(1), images.square().sum(1))
    torch.testing.assert_close(turn_hue(turned, -angles), images)
    # Rodrigues' formula as a matrix exponential about (1, 1, 1) / sqrt(3).
    cross = torch.tensor([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]).double() / math.sqrt(3)
    matrices = torch.linalg.matrix_exp(angles[:, 0] * cross)
    torch.testing.assert_close(turned, torch.einsum("nij,njhw->nihw", matrices, images))


def test_saturation_is_the_distance_from_grey():
    images = noise(3, 3, 5, 5)
    grey = images.mean(1, keepdim=True).expand_as(images)
    factors = column(0.0, 1.0, 2.5).double()
    expected = torch.stack([grey[0], images[1], grey[2] + 2.5 * (images[2] - grey[2])])
    torch.testing.assert_close(saturate(images, factors), expected)


def test_brightness_contrast_and_luma_have_the_papers_strengths():
    """For a grey image they are linear: +-contrast (x + brightness)."""
    x = torch.linspace(-1, 1, 49).double().view(1, 1, 7, 7)
    changed = recolour(x.expand(MANY, -1, -1, -1), 1.0).flatten(1)
    slope = (changed[:, -1] - changed[:, 0]) / 2
    offset = changed.mean(1)
    line = slope[:, None] * x.flatten() + offset[:, None]
    torch.testing.assert_close(changed, line)
    assert (slope < 0).double().mean().item() == pytest.approx(0.5, abs=0.03)
    assert slope.abs().log2().std().item() == pytest.approx(0.5, rel=0.05)
    assert slope.abs().log2().mean().item() == pytest.approx(0, abs=0.03)
    assert (offset / slope).std().item() == pytest.approx(0.2, rel=0.05)


def test_first_and_second_order_gradients_are_right():
    images = noise(2, 3, 7, 7).requires_grad_()

    def same(images):
        torch.manual_seed(3)
        return augment(images, 1.0)

    assert torch.autograd.gradcheck(same, images, fast_mode=True)
    # The augmentation is linear but for an offset: a square makes the second derivative differ
    # from 0.
    assert torch.autograd.gradgradcheck(lambda x: same(x).square(), images, fast_mode=True)


def test_partial_batches_are_augmented_like_the_whole_batch():
    images = noise(8, 3, 8, 8)

    def seeded(images):
        torch.manual_seed(5)
        return augment(images, torch.tensor(0.6))

    whole, parts = seeded(images), []
    for rank, part in enumerate(images.split(2)):
        with WholeBatch(2, rank, 4, None):
            parts.append(seeded(part))
    torch.testing.assert_close(torch.cat(parts), whole)


def feed(augmentation, logits, turns, batch=10):
    """Pass logits of real images, one turn after the other; return the probability of each."""
    probabilities = []
    for turn in range(turns):
        augmentation.adapt(turn, turn * batch)
        augmentation.observe(torch.tensor(logits))
        probabilities.append(augmentation.probability.item())
    return probabilities


def test_the_probability_rises_while_the_discriminator_overfits():
    """Every change is by the images of the four turns whose logits decide it, the first too."""
    p = feed(AdaptiveAugmentation(0.6, 1000), [2.0, 0.1, 3.0], 12)
    assert p == pytest.approx([0] * 4 + [0.04] * 4 + [0.08] * 4)


def test_the_probability_falls_without_overfitting():
    augmentation = AdaptiveAugmentation(0.6, 1000)
    augmentation.probability.fill_(0.5)
    # Three of four logits are positive: r_t is 0.5.
    p = feed(augmentation, [2.0, 1.0, 0.1, -5.0], 8)
    assert p == pytest.approx([0.5] * 4 + [0.46] * 4)


def test_the_mean_over_four_turns_decides():
    augmentation = AdaptiveAugmentation(0.6, 1000)
    for turn, logit in enumerate([1.0, 1.0, 1.0, -1.0, 1.0, 1.0, 1.0, 1.0]):
        augmentation.adapt(turn, 10 * turn)
        augmentation.observe(torch.tensor([logit]))
    assert augmentation.probability == 0, "r_t was 0.5"
    augmentation.adapt(8, 80)
    assert augmentation.probability.item() == pytest.approx(0.04)


def test_all_updates_of_a_turn_count():
    """Only the first of several updates adapts, and the mean contains the logits of all."""
    augmentation = AdaptiveAugmentation(0.6, 1000)
    for turn in range(9):
        for logit in (-1.0, 1.0):
            augmentation.adapt(turn, 10 * turn)
            augmentation.observe(torch.tensor([logit]))
        if turn == 4:
            assert augmentation.seen == 2
            augmentation.probability.fill_(0.5)
    assert augmentation.probability.item() == pytest.approx(0.46), "r_t was 0"


def test_the_probability_stays_between_0_and_1():
    augmentation = AdaptiveAugmentation(0.6, 50)
    assert feed(augmentation, [1.0], 40)[-1] == 1
    assert feed(AdaptiveAugmentation(0.6, 50), [-1.0], 9)[-1] == 0


def test_the_state_is_saved():
    one = AdaptiveAugmentation(0.6, 1000)
    feed(one, [1.0], 6)
    other = AdaptiveAugmentation(0.6, 1000)
    other.load_state_dict(one.state_dict())
    for augmentation in (one, other):
        for turn in range(6, 12):
            augmentation.adapt(turn, 10 * turn)
            augmentation.observe(torch.tensor([1.0]))
    assert one.probability == other.probability == pytest.approx(0.08)


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_a_discriminator_reads_augmented_images(probability):
    augmentation = AdaptiveAugmentation(0.6, 1000)
    augmentation.probability.fill_(probability)
    inputs = []
    discriminate = AugmentedDiscriminator(inputs.append, augmentation)
    images = noise(6, 3, 8, 8)
    discriminate(images)
    assert torch.equal(inputs[0], images) == (probability == 0)


# Losses by whether the sign of a logit says what an image is.
SIGNED = ("minimax", "nonsaturating", "lsgan", "hinge", "acgan", "infogan", "vaegan")


@pytest.mark.parametrize("name", SIGNED)
def test_losses_with_labels_support_it(name):
    assert ganzoo.losses.get(name)(ada=True).ada is not None


@pytest.mark.parametrize("name", ["wgan", "wgan-gp", "ragan", "rpgan"])
def test_losses_of_differences_refuse_it(name):
    with pytest.raises(ValueError, match="only differences of logits have a meaning"):
        ganzoo.losses.get(name)(ada=True)


@pytest.mark.parametrize(("name", "signs"), [("lsgan", [-1, 1, 1]), ("hinge", [1, 1, 1])])
def test_the_sign_is_that_of_the_nearer_label(name, signs):
    """The labels of lsgan are 0 and 1, those of hinge are -1 and 1."""
    loss = ganzoo.losses.get(name)(ada=True)
    logits = iter([torch.tensor([0.4, 0.6, 2.0]), torch.zeros(3)])
    now = Turn(0, torch.randn)
    discriminator = nn.Module()
    discriminator.forward = lambda images: next(logits)
    images = torch.zeros(3, 1, 8, 8)
    loss.judge_both(discriminator, images, Batch(images), now)
    assert now.metrics["real_sign"].item() == pytest.approx(sum(signs) / 3)
    assert loss.ada.signs == now.metrics["real_sign"]


def test_all_images_of_vaegan_are_augmented(monkeypatch):
    auto = Component("mlp-autoencoder", {"discriminator": "image", "width": 4, "latent_dim": 2})
    recipe = tiny(architecture=auto, loss=Component("vaegan", {"ada": True}), images=16)
    prepared = prepare(recipe, device="cpu")
    calls = []

    def augmented(images, probability):
        calls.append(images.shape)
        return images

    monkeypatch.setattr("ganzoo.games.ada.adaptive.augment", augmented)
    state, batch = prepared.state, next(prepared.batches)
    state.loss.discriminator(state.nets, batch, Turn(0, state.draw_latents))
    assert len(calls) == 3, "real images, samples and reconstructions"


def test_its_state_survives_a_resume(tmp_path):
    options = {"progress": False, "monitors": "off", "tensorboard": "off"}
    loss = Component("nonsaturating", {"ada": True, "ada_images": 200, "ada_target": -0.9})
    recipe = tiny(loss=loss, images=160, checkpoint_every=80, keep_checkpoints=9)
    run = ganzoo.train(recipe, out=tmp_path / "run", device="cpu", **options).path
    last = run / "checkpoints" / "000000000160.safetensors"
    whole = load_file(last)
    last.unlink()
    ganzoo.resume(run, device="cpu", **options)
    resumed = load_file(last)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    numbers = [line["metrics"] for line in lines]
    # After ticks 4 and 8 of 16 images each, by 64 of 200 images.
    values = [number["discriminator/augmentation"] for number in numbers]
    assert values == pytest.approx([0.0] * 4 + [0.32] * 4 + [0.64] * 2)
    assert all(-1 <= number["discriminator/real_sign"] <= 1 for number in numbers)


def test_small_images_are_refused():
    nets = {"generator": nn.Identity(), "discriminator": nn.Identity()}
    loss = ganzoo.losses.get("hinge")(ada=True)
    with pytest.raises(ValueError, match="sides of at least 7 pixels"):
        loss.check(nets, DataSpec(ImageSpec(6, 6, 1)))
