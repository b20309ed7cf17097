"""The log holds each term without and with its weight, and what each player minimises."""

import json

import numpy as np
import pytest
import torch

import ganzoo
from ganzoo import plots
from ganzoo.spec import Component
from helpers.recipes import tiny

CODED = {"latent_dim": 14, "width": 4, "categorical_code": 3, "continuous_codes": 2}
ENCODING = {"latent_dim": 8, "width": 4, "encoder": "vae"}
CASES = {
    "betavae": ("mlp-autoencoder", {"width": 8}, {"beta": 4.0}, {"autoencoder/kl": 4}),
    "wgan-gp": ("dcgan", {"width": 4}, {"gp": 10.0}, {"discriminator/gradient_penalty": 10}),
    "hinge": (
        *("dcgan", {"width": 4}, {"r1": 2.0, "r2": 0.5, "penalty_every": 2}),
        {"discriminator/r1": 4, "discriminator/r2": 1},
    ),
    "acgan": (
        *("dcgan", {"width": 4, "conditioning": "auxiliary"}, {"class_weight": 3.0}),
        {"discriminator/class_real": 3, "discriminator/class_fake": 3, "generator/class": 3},
    ),
    "infogan": (
        *("dcgan", CODED, {"categorical_weight": 2.0, "continuous_weight": 0.5}),
        {f"{p}/{n}": w for p in ("discriminator", "generator") for n, w in (("categorical", 2), ("continuous", 0.5))},
    ),
}  # fmt: skip


def train(loss, out, **changes):
    architecture, arguments, options, weights = CASES[loss]
    recipe = tiny(
        architecture=Component(architecture, arguments), loss=Component(loss, options), **changes
    )
    run = ganzoo.train(recipe, out=out, progress=False).path
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()], weights


@pytest.mark.parametrize("loss", CASES)
def test_a_term_is_logged_with_and_without_its_weight(loss, tmp_path):
    lines, weights = train(loss, tmp_path / "run", log_every=32)  # lines of two steps
    every = CASES[loss][2].get("penalty_every", 1)
    assert {name for line in lines for name in line["terms"] if "_weighted" in name} == {
        f"{name}_weighted" for name in weights
    }
    for line in lines:
        terms = line["terms"]
        for name in weights:
            assert terms[f"{name}_weighted"] == pytest.approx(weights[name] * terms[name], rel=1e-5)
        for player, total in line["totals"].items():
            minimised = [  # a lazy penalty is in one of two steps
                value / (every if name.endswith(("r1_weighted", "r2_weighted")) else 1)
                for name, value in terms.items()
                if name.startswith(f"{player}/") and f"{name}_weighted" not in terms
            ]
            assert total == pytest.approx(sum(minimised))


def test_kl_of_betavae_is_the_divergence(tmp_path):
    from ganzoo.games import Turn
    from ganzoo.training import prepare

    recipe = tiny(
        architecture=Component("mlp-autoencoder", {"width": 8}), loss=Component("betavae", {"beta": 4.0})
    )  # fmt: skip
    prepared = prepare(recipe, device="cpu")
    batch, turn = next(prepared.batches), Turn(0, torch.randn)
    terms = prepared.state.loss.autoencoder(prepared.state.nets, batch, turn)
    mean, log_variance = prepared.state.nets["encoder"](batch.images)
    one = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    expected = torch.distributions.kl_divergence(one, torch.distributions.Normal(0, 1)).sum(1)
    torch.testing.assert_close(turn.unweighted["kl"], expected.detach())
    torch.testing.assert_close(terms["kl"], 4 * expected)


def test_curves_say_what_they_show(tmp_path):
    lines, _ = train("betavae", tmp_path / "run")
    titles = [axes.get_title(loc="left") for axes in plots.draw_curves(lines).axes]
    assert {"autoencoder: kl", "autoencoder: kl weighted"} <= set(titles)
    assert "weights" not in str(plots.draw_curves(lines).get_supxlabel())
    old = [{k: v for k, v in line.items() if k != "totals"} for line in lines]
    assert "terms are multiplied by their weights" in plots.draw_curves(old).get_supxlabel()
    one = [
        {**line, "terms": {"a/kl": k + 1.0, "a/kl_weighted": k + 1.0}}
        for k, line in enumerate(lines)
    ]
    titles = [axes.get_title(loc="left") for axes in plots.draw_curves(one).axes]
    assert titles.count("a: kl") == 1
    assert "a: kl weighted" not in titles
    assert np.isfinite([line["totals"]["autoencoder"] for line in lines]).all()
