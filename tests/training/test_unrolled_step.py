"""The training step of docs/architecture.md equals the loop bit for bit."""

import torch

from ganzoo.training import prepare
from ganzoo.training.loop import run_ticks
from helpers.pages import blocks_of
from helpers.paths import ROOT


def test_the_page_computes_the_same_weights_as_the_loop():
    ((language, block),) = [
        block for block in blocks_of(ROOT / "docs" / "architecture.md") if block[0] == "python"
    ]
    names = {}
    exec(compile(block, language, "exec"), names)
    prepared, terms = prepare("dcgan-digits", device="cpu"), {}

    def log_term(player, name, value):
        terms[player.name] = value

    run_ticks(
        prepared.state,
        prepared.batches,
        log_term=log_term,
        log_metric=lambda *a: None,
        report=lambda: False,
    )
    ours, loops = names["prepared"].state, prepared.state
    for role in ("generator", "discriminator"):
        unrolled, looped = ours.nets[role].state_dict(), loops.nets[role].state_dict()
        assert unrolled.keys() == looped.keys()
        assert all(torch.equal(unrolled[name], looped[name]) for name in looped)
    averages = ours.ema.average.state_dict(), loops.ema.average.state_dict()
    assert all(torch.equal(averages[0][name], averages[1][name]) for name in averages[1])
    assert torch.equal(names["d_loss"], terms["discriminator"])
    assert torch.equal(names["g_loss"], terms["generator"])
