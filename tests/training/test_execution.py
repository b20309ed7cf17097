"""Execution of a step: accumulated, compiled, in fewer bits."""

import json
from dataclasses import replace
from functools import partialmethod

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import softplus

import ganzoo
from ganzoo.errors import RecipeError
from ganzoo.spec import Component, Optimizer
from ganzoo.training import plan, prepare
from ganzoo.training.memory_format import set_memory_format
from helpers.processes import run_cli
from helpers.recipes import play, tiny

AUTOENCODER = tiny(
    architecture=Component("mlp-autoencoder", {"latent_dim": 4, "width": 8}),
    loss=Component("autoencoder"),
    optimizer=Optimizer(name="sgd", lr=0.1),
)
PENALISED = tiny(
    architecture=Component("mlp", {"latent_dim": 8, "width": 16}),
    loss=Component("wgan-gp", {"discriminator_steps": 2, "r1": 1.0}),
    optimizer=Optimizer(name="sgd", lr=0.1),
    images=32,
)
SHORT = tiny(
    architecture=Component("mlp", {"latent_dim": 4, "width": 8, "depth": 1}),
    optimizer=Optimizer(name="sgd", lr=0.1),
    images=16,
)


def gradients(recipe):
    """Return the gradient of every update."""
    prepared = prepare(recipe)
    results = []
    for optimizer in prepared.state.optimizers.values():
        weights = [w for part in optimizer.param_groups for w in part["params"]]
        optimizer.register_step_pre_hook(
            lambda *_, weights=weights: results.append(
                torch.cat([w.grad.flatten() for w in weights if w.grad is not None])
            )
        )
    play(prepared)
    return results


def error(a, b):
    return max(float((x - y).norm() / x.norm()) for x, y in zip(a, b, strict=True))


def test_a_batch_in_parts_has_the_gradient_of_the_whole():
    whole = gradients(AUTOENCODER)
    assert error(whole, gradients(replace(AUTOENCODER, accumulate=4))) < 1e-5
    assert error(whole, gradients(replace(AUTOENCODER, batch_size=8, images=32))[:4]) > 1e-2


def test_an_indivisible_batch_is_refused():
    with pytest.raises(ValueError, match="a batch of 16 cannot be split into 3 equal parts"):
        tiny(accumulate=3)


@pytest.mark.parametrize(
    ("recipe", "backend", "updates"),
    [
        (
            PENALISED,
            "aot_eager",
            6,
        ),  # the graphs of a backend, without a C++ compiler
        pytest.param(SHORT, "inductor", 2, marks=pytest.mark.slow),
        pytest.param(PENALISED, "inductor", 6, marks=pytest.mark.slow),
    ],
    ids=["traced", "compiled", "compiled with penalties"],
)
def test_compiled_networks_have_the_gradients_of_eager_ones(monkeypatch, recipe, backend, updates):
    compile_by = partialmethod(nn.Module.compile, backend=backend)
    monkeypatch.setattr(nn.Module, "compile", compile_by)
    eager, compiled = gradients(recipe), gradients(replace(recipe, compile=True))
    assert len(eager) == updates
    assert error(eager, compiled) < 1e-4


def test_a_missing_compiler_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(
        RecipeError, match=r"needs a C\+\+ compiler for the CPU, and found none. Install g\+\+"
    ):
        prepare(tiny(compile=True))


@pytest.mark.parametrize("layout", [True, False])
def test_the_memory_format_does_not_change_results(layout):
    recipe = tiny(optimizer=Optimizer(name="sgd", lr=0.1), channels_last=layout)
    convolution = next(
        w
        for w in prepare(recipe).state.nets["discriminator"].parameters()
        if w.dim() == 4 and min(w.shape[:2]) > 1
    )
    assert convolution.is_contiguous(memory_format=torch.channels_last) is layout
    assert error(gradients(replace(recipe, channels_last=not layout)), gradients(recipe)) < 1e-3


@pytest.mark.parametrize("affine", [False, True])
def test_instance_normalisation_of_one_sample_has_its_gradient(affine):
    """The gradient of a sum over a batch is the sum of the gradients of single samples."""
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4, affine=affine), nn.Conv2d(4, 2, 3)
    net = set_memory_format(nn.Sequential(*layers).double(), channels_last=True)
    x = torch.randn(3, 3, 9, 9, dtype=torch.float64)
    whole = torch.autograd.grad(net(x).square().sum(), list(net.parameters()))
    total = sum(net(part).square().sum() for part in x.split(1))
    for one, other in zip(whole, torch.autograd.grad(total, list(net.parameters())), strict=True):
        torch.testing.assert_close(other, one)


def test_fp16_trains_and_scales_its_losses(tmp_path):
    recipe = tiny(precision="fp16")
    run = ganzoo.train(recipe, out=tmp_path / "run", progress=False)
    state = prepare(recipe).state
    before = {k: v.clone() for k, v in state.nets["generator"].state_dict().items()}
    assert all(scaler.get_scale() > 1 for scaler in state.scalers.values())
    after = load_file(run.bundle / "model.safetensors")
    assert any(not torch.equal(before[k], after[k]) for k in before)
    assert all(v.isfinite().all() for v in after.values() if v.is_floating_point())


def test_the_log_records_the_execution_options(tmp_path):
    run = ganzoo.train(tiny(precision="bf16"), out=tmp_path / "run", progress=False)
    for line in (run.path / "log.jsonl").read_text().splitlines():
        assert json.loads(line)["in_force"] == {
            "precision": "bf16",
            "channels_last": True,
            "compile": False,
            "deterministic": False,
            "threads": torch.get_num_threads(),
            "processes": 1,
            "batchnorm": "whole batch",
        }


def test_options_reach_the_plan():
    result = run_cli(
        *("train", "dcgan-digits", "--dry-run", "--precision", "fp16", "--compile"),
        *("--accumulate", "2", "--deterministic"),
    )
    assert result.returncode == 0, result.stderr
    assert "fp16, compile, deterministic" in result.stdout
    assert "accumulate = 2" in result.stdout
    assert "fp32" in plan(prepare(tiny(precision="fp32")))


def test_the_best_bundle_is_stored(tmp_path):
    name = "generator/adversarial"
    recipe = tiny(keep_best=name, images=320, checkpoint_every=32)
    run = ganzoo.train(recipe, out=tmp_path / "run", progress=False)
    lines = [json.loads(x) for x in (run.path / "log.jsonl").read_text().splitlines()]
    values = [line["terms"][name] for line in lines]
    means = [(a + b) / 2 for a, b in zip(values[::2], values[1::2], strict=True)]
    provenance = ganzoo.info(run.best).provenance
    assert provenance["best"] == {"lowest": name, "value": min(means)}
    assert provenance["images_seen"] == 32 * (means.index(min(means)) + 1)
    assert min(means) < means[-1]
    ganzoo.export(run.best, tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text()
    assert f"the lowest `{name}`, {min(means):.4g}" in card
    assert "the final ones, not the best" not in card


def test_the_best_of_an_unlogged_term_warns(tmp_path):
    with pytest.warns(UserWarning, match="no term 'generator/adversrial'.*'generator/adversarial'"):
        ganzoo.train(tiny(keep_best="generator/adversrial"), out=tmp_path / "run", progress=False)


@pytest.mark.parametrize(
    ("steps", "parts", "forwards"), [(1, 1, 1), (3, 1, 3), (1, 2, 4)], ids=["1", "3", "parts"]
)
def test_the_generator_runs_once_per_tick(steps, parts, forwards):
    """The generator's loss uses the discriminator's first fake images, with current weights."""
    loss = Component("nonsaturating", {"discriminator_steps": steps})
    plain = Component("dcgan", {"latent_dim": 8, "width": 4, "discriminator_norm": "none"})
    recipe = tiny(loss=loss, architecture=plain, accumulate=parts, images=16)
    prepared = prepare(recipe)
    nets, optimizers = prepared.state.nets, prepared.state.optimizers
    fakes, direct, used = [], [], []
    nets["generator"].register_forward_hook(lambda net, inputs, output: fakes.append(output))

    def judge(*_):
        weights = [*nets["generator"].requires_grad_(True).parameters()]
        term = softplus(-nets["discriminator"](fakes[0]).logits).mean()
        direct[:] = torch.autograd.grad(term, weights, retain_graph=True)

    def note(*_):
        used[:] = [w.grad.clone() for w in nets["generator"].parameters()]

    if parts == 1:
        optimizers["discriminator"].register_step_post_hook(judge)
    optimizers["generator"].register_step_pre_hook(note)
    play(prepared)
    assert len(fakes) == forwards
    if parts == 1:
        assert error(direct, used) < 1e-5
