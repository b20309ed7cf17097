"""A batch in parts moves buffers as the whole batch does."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from ganzoo.errors import RecipeError
from ganzoo.games import Batch
from ganzoo.spec import Component, Optimizer
from ganzoo.training import prepare
from ganzoo.training.parts import in_parts
from helpers.recipes import play, tiny

PARTS = 4
MLP = Component("mlp", {"latent_dim": 8, "width": 16})


def in_float64(n=12):
    rng = torch.Generator().manual_seed(0)
    return Batch(torch.randn(n, 3, generator=rng, dtype=torch.float64))


def run(module, batch):
    """Compute a batch in parts with one module; return the random numbers of each part."""
    numbers = []
    for part in in_parts(batch, PARTS, [module], torch.device("cpu")):
        numbers.append(torch.rand(2))
        module(part.images)
    return numbers


def test_running_averages_move_once_by_the_mean_of_the_parts():
    """Checks running averages of BatchNorm, with momentum m: (1 - m) old + m mean(statistics)."""
    batch, norm = in_float64(), nn.BatchNorm1d(3, momentum=0.3).double()
    numbers = run(norm, batch)
    assert all(torch.equal(number, numbers[0]) for number in numbers)
    variances = [part.images.var(0) for part in batch.split(PARTS)]
    torch.testing.assert_close(norm.running_mean, 0.3 * batch.images.mean(0))
    torch.testing.assert_close(norm.running_var, 0.7 + 0.3 * torch.stack(variances).mean(0))
    assert norm.num_batches_tracked == 1


def test_two_passes_of_a_part_are_two_updates():
    batch, norm = in_float64(), nn.BatchNorm1d(3, momentum=0.5).double()
    for part in in_parts(batch, PARTS, [norm], torch.device("cpu")):
        norm(part.images)
        norm(part.images + 1)
    # 0.5 (0.5 mean) + 0.5 (mean + 1)
    torch.testing.assert_close(norm.running_mean, 0.75 * batch.images.mean(0) + 0.5)
    assert norm.num_batches_tracked == 2


class Queue(nn.Module):
    """All samples, in order."""

    sequential_buffers = ("samples",)

    def __init__(self):
        super().__init__()
        self.register_buffer("samples", torch.empty(0, 3, dtype=torch.float64))

    def forward(self, images):
        self.samples = torch.cat([self.samples, images])


def test_sequential_buffers_pass_from_part_to_part():
    batch, queue = in_float64(), Queue()
    run(queue, batch)
    assert torch.equal(queue.samples, batch.images)


def test_a_buffer_that_grows_must_be_sequential(monkeypatch):
    monkeypatch.setattr(Queue, "sequential_buffers", ())
    with pytest.raises(RecipeError, match=r"'samples' changes its shape from \(0, 3\) to \(3, 3\)"):
        run(Queue(), in_float64())


def buffers(recipe):
    """Return the weights and buffers of all networks and of the loss after a training."""
    prepared = prepare(recipe)
    play(prepared)
    modules = prepared.state.nets | {"loss": prepared.state.loss}
    return nn.ModuleDict(modules).state_dict()


@pytest.mark.parametrize("fresh", [False, True])
def test_spectral_norm_iterates_as_often_as_for_the_whole_batch(fresh):
    """Also in a generator, which computes the images of the discriminator's turn again."""
    recipe = tiny(
        architecture=MLP,
        loss=Component("hinge", {"discriminator_steps": 2}),
        optimizer=Optimizer(name="sgd", lr=0.05),
        spectral_norm=True,
        fresh_latents=fresh,
    )
    whole, parts = buffers(recipe), buffers(replace(recipe, accumulate=PARTS))
    assert any(name.endswith("._u") for name in whole)
    for name, tensor in whole.items():
        torch.testing.assert_close(parts[name], tensor, rtol=1e-4, atol=1e-5, msg=name)


def test_batches_are_counted_once():
    """BatchNorm normalises with the statistics of a part, and its averages move once per pass."""
    recipe = tiny(loss=Component("nonsaturating", {"discriminator_steps": 2}))
    whole, parts = buffers(recipe), buffers(replace(recipe, accumulate=PARTS))
    counts = [name for name in whole if name.endswith("num_batches_tracked")]
    assert {name.split(".")[0] for name in counts} == {"generator", "discriminator"}
    assert all(whole[name] == parts[name] > 0 for name in counts)
