"""Translators are measured pair by pair, and their bundles and cards keep the figures."""

import json

import numpy as np
import pytest
from conftest import SIDE, recipe
from PIL import Image

import ganzoo
from ganzoo import cards
from ganzoo.cli import main
from ganzoo.errors import DataNotFoundError, MetricError
from ganzoo.evaluation import compare_pairs
from ganzoo.spec import Component

LINEART = Component("lineart", {"size": SIDE})


@pytest.fixture
def bundle(tmp_path, pairs):
    game = recipe("unet", dataset=LINEART)
    return ganzoo.train(game, out=tmp_path / "run", data=pairs, device="cpu", progress=False).bundle


def test_the_figures_are_those_of_its_translations(bundle, pairs):
    found = ganzoo.evaluate(bundle, data=pairs, progress=False)
    items, _ = ganzoo.datasets.get("lineart")(pairs, size=SIDE)
    real, _, lines = (np.stack([np.asarray(i[k]) for i in items]) for k in range(3))
    made = ganzoo.load(bundle).translate(lines.transpose(0, 2, 3, 1)).numpy()
    wanted = compare_pairs(made, real.transpose(0, 2, 3, 1))
    assert found.metrics == pytest.approx(wanted)
    assert found.protocol["samples"] == found.protocol["real_images"] == len(items)
    by_onnx = ganzoo.evaluate(
        ganzoo.export(bundle, bundle.parent / "exported"),
        data=pairs,
        runtime="onnx",
        progress=False,
    )
    assert by_onnx.metrics["mean_absolute_error"] == pytest.approx(
        wanted["mean_absolute_error"], abs=1e-3
    )
    assert ganzoo.evaluate(bundle, data=pairs, samples=2, progress=False).protocol["samples"] == 2


def test_bundle_and_card_keep_them(bundle, pairs, capsys):
    bundle = ganzoo.export(bundle, bundle.parent / "exported")
    cards.write(bundle)
    assert main(["evaluate", str(bundle), "--data", str(pairs)]) == 0
    said = capsys.readouterr().out
    made = json.loads((bundle / "config.json").read_text())["provenance"]["metrics"]
    assert f"{made[0]['metrics']['psnr']:.6g}" in said
    card = (bundle / "README.md").read_text()
    assert f"| psnr | {made[0]['metrics']['psnr']:.4g} |" in card
    assert "each against its own of" in card
    assert "type: psnr" in card
    assert all("TODO" in line for line in cards.check(bundle))
    assert main(["info", str(bundle)]) == 0
    assert "pair by pair" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"metrics": ["frechet"]}, "pair by pair: leave out --metrics"),
        ({"extractor": "pixels"}, "pair by pair: leave out --metrics"),
        ({"samples": 0}, "--samples is 1 or more"),
        ({"dataset": Component("unpaired", {"repeat_shorter": True})}, "has no pairs"),
        ({"dataset": Component("folder", {"size": SIDE, "channels": 3})}, "has no pairs"),
        ({"dataset": "lineart"}, "out of 32x32x1, dataset 'lineart' has 128x128x3"),
    ],
)
def test_what_cannot_be_measured(bundle, pairs, domains, how, message):
    place = domains if "unpaired" in str(how.get("dataset")) else pairs
    with pytest.raises(MetricError, match=message):
        ganzoo.evaluate(bundle, data=place, progress=False, **how)


def test_translators_are_not_compared(bundle, pairs):
    with pytest.raises(MetricError, match="ganzoo evaluate"):
        ganzoo.compare([bundle, bundle], data=pairs)


def test_a_part_of_a_folder(tmp_path, pairs):
    for part, n in (("train", 3), ("val", 2)):
        (tmp_path / "parts" / part).mkdir(parents=True)
        for k in range(n):
            Image.new("RGB", (SIDE, SIDE), (80 * k, 0, 0)).save(
                tmp_path / "parts" / part / f"{k}.png"
            )
    lineart = ganzoo.datasets.get("lineart")
    lengths = [
        len(lineart(tmp_path / "parts", split=s, size=SIDE)[0]) for s in ("train", "val", "")
    ]
    assert lengths == [3, 2, 5]
    with pytest.raises(DataNotFoundError, match=r"train, val.*--dataset\.split NAME"):
        lineart(tmp_path / "parts", split="test")
