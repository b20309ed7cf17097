"""Translators are evaluated pair by pair; bundles and cards store the values."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from translate_helpers import SIDE, paint_all, recipe

import ganzoo
from ganzoo import cards
from ganzoo.cli import main
from ganzoo.errors import MetricError
from ganzoo.evaluation import compare_pairs
from ganzoo.spec import Component

# Tiny runs have only one folder of pairs; the warning has its own test.
pytestmark = pytest.mark.filterwarnings("ignore:.*was trained on these pairs")

LINEART = Component("lineart", {"size": SIDE})


@pytest.fixture(scope="module")
def exported(tmp_path_factory, pairs):
    """An exported bundle with conditions of one channel. Copy it before changing it."""
    folder, game = tmp_path_factory.mktemp("evaluated"), recipe("unet", dataset=LINEART)
    run = ganzoo.train(game, out=folder / "run", data=pairs, device="cpu", progress=False)
    return ganzoo.export(run.path)


@pytest.fixture
def bundle(exported, tmp_path):
    """A copy that a test may change."""
    return Path(shutil.copytree(exported, tmp_path / "bundle"))


def test_metrics_are_computed_from_its_translations(bundle, pairs):
    with pytest.warns(UserWarning, match="trained on these pairs"):
        evaluation = ganzoo.evaluate(bundle, data=pairs, progress=False)
    items, _ = ganzoo.datasets.get("lineart")(pairs, size=SIDE)
    real, _, lines = (np.stack([np.asarray(i[k]) for i in items]) for k in range(3))
    output = ganzoo.load(bundle).translate(lines.transpose(0, 2, 3, 1)).numpy()
    expected = compare_pairs(output, real.transpose(0, 2, 3, 1))
    assert evaluation.metrics == pytest.approx(expected)
    assert evaluation.protocol["settings"]["pixel-pairs"].startswith("pixels in [0, 1]; PSNR in dB")
    assert evaluation.protocol["samples"] == evaluation.protocol["real_images"] == len(items)
    by_onnx = ganzoo.evaluate(bundle, data=pairs, runtime="onnx", progress=False)
    assert by_onnx.metrics["mean_absolute_error"] == pytest.approx(
        expected["mean_absolute_error"], abs=1e-3
    )
    assert ganzoo.evaluate(bundle, data=pairs, samples=2, progress=False).protocol["samples"] == 2


def test_bundle_and_card_store_the_metrics(bundle, pairs, capsys):
    cards.write(bundle)
    assert main(["evaluate", str(bundle), "--data", str(pairs)]) == 0
    out = capsys.readouterr().out
    metrics = json.loads((bundle / "config.json").read_text())["provenance"]["metrics"]
    assert f"{metrics[0]['metrics']['psnr']:.6g}" in out
    card = (bundle / "README.md").read_text()
    assert f"| psnr | {metrics[0]['metrics']['psnr']:.4g} |" in card
    assert f"| mean absolute error | {metrics[0]['metrics']['mean_absolute_error']:.4g} |" in card
    assert "each against its target among" in card
    assert "type: psnr" in card
    (problem,) = [line for line in cards.check(bundle) if "TODO" not in line]
    assert problem.startswith("the card's header states no licence")
    assert main(["info", str(bundle)]) == 0
    assert "pair by pair" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"metrics": ["frechet"]}, "'frechet' compares sets of images.*--metrics pixel-pairs"),
        ({"extractor": "pixels"}, "pair by pair. Leave out --extractor"),
        ({"samples": 0}, "Use --samples 1 or more"),
        ({"dataset": Component("unpaired", {"repeat_shorter": True})}, "has no pairs"),
        ({"dataset": Component("folder", {"size": SIDE, "channels": 3})}, "has no pairs"),
        (
            {"dataset": "paired"},
            "translates 32x32x1 to .* 'paired' has pairs of 128x128x3 and 128x128x3",
        ),
    ],
)
def test_unsupported_evaluations_are_refused(bundle, pairs, domains, how, message):
    place = domains if "unpaired" in str(how.get("dataset")) else pairs
    with pytest.raises(MetricError, match=message):
        ganzoo.evaluate(bundle, data=place, progress=False, **how)


def test_naming_the_training_dataset_keeps_its_arguments(bundle, pairs, tmp_path):
    evaluation = ganzoo.evaluate(bundle, dataset="lineart", data=pairs, progress=False)
    assert evaluation.protocol["dataset"]["size"] == SIDE


def test_a_split_refers_to_the_training_dataset(tmp_path, capsys):
    paint_all(tmp_path / "openmoji" / "train", [f"{k}.png" for k in range(4)])
    paint_all(tmp_path / "openmoji" / "val", ["a.png", "b.png"])
    game = recipe("unet", dataset=Component("openmoji", {"size": SIDE}))
    run = ganzoo.train(game, out=tmp_path / "run", data=tmp_path, device="cpu", progress=False)
    assert main(["evaluate", str(run.bundle), "--split", "val", "--data", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert f"name openmoji, split val, size {SIDE}" in out
    (evaluation,) = ganzoo.info(run.bundle).provenance["metrics"]
    assert evaluation["protocol"]["samples"] == 2


def test_translators_are_not_compared(bundle, pairs):
    with pytest.raises(MetricError, match="ganzoo evaluate"):
        ganzoo.compare([bundle, bundle], data=pairs)
