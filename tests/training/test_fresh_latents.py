"""Whether the generator's turn draws latents and real images of its own."""

from dataclasses import replace

import pytest
import torch

from ganzoo.spec import Component, Optimizer
from ganzoo.training import prepare
from helpers.recipes import play, tiny

PLAIN = Component("mlp", {"latent_dim": 8, "width": 16})


def record(recipe):
    """The latents that the generator reads, and the images that the discriminator reads."""
    prepared = prepare(recipe)
    latents, images = [], []
    nets = prepared.state.nets
    nets["generator"].register_forward_pre_hook(lambda _, inputs: latents.append(inputs[0].clone()))
    nets["discriminator"].register_forward_pre_hook(
        lambda _, inputs: images.append(inputs[0].detach().clone())
    )
    play(prepared)
    return latents, images, prepared.batches.position


@pytest.mark.parametrize("accumulate", [1, 2])
def test_the_generator_reads_the_latents_of_its_own_turn(accumulate):
    recipe = tiny(architecture=PLAIN, images=16, accumulate=accumulate)
    shared, _, _ = record(recipe)
    own, _, _ = record(replace(recipe, fresh_latents=True))
    assert len(own) == 2 * accumulate
    first, second = torch.cat(own[:accumulate]), torch.cat(own[accumulate:])
    assert not torch.isclose(first, second).any()
    if accumulate == 1:
        assert len(shared) == 1, "images of the discriminator's turn"
    else:
        assert torch.equal(torch.cat(shared[:2]), torch.cat(shared[2:]))


@pytest.mark.parametrize(
    ("loss", "fresh", "batches"),
    [("rpgan", True, 4), ("rpgan", False, 2), ("nonsaturating", True, 2)],
)
def test_a_generator_that_compares_with_real_images_draws_new_ones(loss, fresh, batches):
    recipe = tiny(architecture=PLAIN, loss=Component(loss), images=32, fresh_latents=fresh)
    _, images, position = record(recipe)
    assert position == batches
    if loss == "rpgan":
        # Real and fake images for the discriminator, then fake and real ones for the generator.
        assert torch.equal(images[0], images[3]) is not fresh


def test_the_first_player_of_a_tick_reads_its_batch():
    """In two of three ticks the generator plays alone."""
    loss = Component("rpgan", {"discriminator_every": 3})
    recipe = tiny(architecture=PLAIN, loss=loss, images=6 * 16, fresh_latents=True)
    assert record(recipe)[2] == 6 + 2


def gradients(recipe):
    prepared = prepare(recipe)
    updates = []
    for optimizer in prepared.state.optimizers.values():
        weights = [w for part in optimizer.param_groups for w in part["params"]]
        optimizer.register_step_pre_hook(
            lambda *_, weights=weights: updates.append(
                torch.cat([w.grad.flatten().clone() for w in weights if w.grad is not None])
            )
        )
    play(prepared)
    return updates


@pytest.mark.parametrize("fresh", [True, False])
@pytest.mark.parametrize(
    "loss",
    [
        Component("wgan-gp", {"discriminator_steps": 2}),
        Component("rpgan", {"instance_noise": 0.1, "augmentation": ["color", "cutout"]}),
    ],
    ids=lambda loss: loss.name,
)
def test_a_step_in_parts_is_the_step_of_the_whole_batch(loss, fresh):
    """With its random numbers: latents, noise, augmentation and places of the penalty."""
    recipe = tiny(
        architecture=PLAIN,
        loss=loss,
        images=48,
        optimizer=Optimizer(name="sgd", lr=0.1),
        fresh_latents=fresh,
    )
    whole, parts = gradients(recipe), gradients(replace(recipe, accumulate=4))
    assert len(whole) == 3 * (3 if loss.name == "wgan-gp" else 2)
    for one, other in zip(whole, parts, strict=True):
        assert float((one - other).norm() / one.norm()) < 1e-5
