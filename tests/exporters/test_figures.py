"""The figures of an export: small files, exact for samples."""

import io
import json

import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo.bundle import Bundle
from ganzoo.bundle.files import write_file
from ganzoo.exporters.figures import MAX_BYTES, draw_model, draw_training, encode
from helpers.bundles import rehash


def noise(*shape):
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))


def decode(content):
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize("picture", [noise(390, 390), noise(300, 300, 3)])
def test_figures_are_compressed_and_exact_ones_stay_exact(picture):
    exact, small = encode(picture, exact=True), encode(picture)
    assert len(exact) > MAX_BYTES
    assert np.array_equal(np.asarray(decode(exact)), np.asarray(picture))
    assert len(small) <= MAX_BYTES
    assert decode(small).mode == "P"


def test_compression_changes_a_soft_figure_little():
    side = 602
    wave = np.sin(np.arange(side)[:, None] / 9) * np.cos(np.arange(side) ** 1.1 / 5)
    picture = Image.fromarray(((wave + 1) * 127.5 + np.random.default_rng(0).random((side, side))
                               ).astype(np.uint8))  # fmt: skip
    reduced = decode(encode(picture)).convert("L")
    assert np.abs(np.asarray(reduced).astype(int) - np.asarray(picture)).max() <= 24


def test_figures_of_a_model_with_classes():
    model = ganzoo.load("cgan-mnist", runtime="onnx")
    figures = draw_model(model)
    assert figures.keys() == {"samples.png", "interpolation.png"}
    assert np.array_equal(
        np.asarray(decode(figures["samples.png"])), np.asarray(model.preview().grid(scale=None))
    )
    assert max(map(len, figures.values())) <= MAX_BYTES


@pytest.mark.parametrize("lines", [None, "", '{"images": 1, "terms": {}}\n', "no JSON\n"])
def test_an_empty_log_gives_no_figure(tiny_bundle, tmp_path, lines):
    if lines is not None:
        write_file(tmp_path / "training" / "log.jsonl", lines)
    rehash(tmp_path)
    assert draw_training(Bundle(tmp_path, ganzoo.info(tiny_bundle))) == {}


def test_a_training_has_a_figure_of_its_progress(tiny_bundle, tmp_path):
    lines = [{"images": k, "terms": {"g/a": 1 / k}, "images_per_second": k} for k in range(1, 9)]
    write_file(tmp_path / "training" / "log.jsonl", "".join(json.dumps(x) + "\n" for x in lines))
    rehash(tmp_path)
    (content,) = draw_training(Bundle(tmp_path, ganzoo.info(tiny_bundle))).values()
    picture = np.asarray(decode(content).convert("L"))
    assert picture.shape[1] < 800, "one panel, and nothing beside it: the speed is left out"
    assert (picture < 200).any()
