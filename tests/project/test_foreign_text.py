"""Names and texts of strangers neither control a terminal, hide in bidirectional text, nor are HTML."""

import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import ganzoo
from ganzoo import cards, plots
from ganzoo.bundle import open_bundle
from ganzoo.cli import main
from ganzoo.demo.cards import card, table
from ganzoo.errors import SampleError, printable
from ganzoo.sampling.images import ImageBatch
from ganzoo.training import TrackedRun
from helpers.bundles import change_config
from helpers.recipes import tiny

HOSTILE = "a\x1b[2J\x00\u202e<script>alert(1)</script><!--b"


def check(text):
    assert printable(text) == text
    assert "<script" not in text
    assert "<!--b" not in text
    assert "alert(1)" in text


def write_figure(figure, path):
    text = plots.save_figure(figure, path).read_text()
    assert ElementTree.fromstring(text).tag.endswith("svg")
    check(text)
    assert plots.to_pil(figure).width > 100


@pytest.mark.filterwarnings("ignore:Glyph")
def test_figures(tmp_path):
    line = {"metrics": {}, "images_per_second": 1.0, "terms": {f"g/{HOSTILE}": 1.0}}
    images = ImageBatch(np.zeros((2, 8, 8, 1), np.uint8))
    lines = [line | {"images": 1}, line | {"images": 2}]
    write_figure(plots.draw_curves(lines), tmp_path / "curves.svg")
    evaluations = [{"images": k, "metrics": {HOSTILE: 1.0}} for k in (1, 2)]
    write_figure(plots.draw_metrics(evaluations), tmp_path / "metrics.svg")
    rows = plots.draw_rows({HOSTILE: images}, captions=[HOSTILE] * 2)
    write_figure(rows, tmp_path / "rows.svg")


@pytest.fixture
def hostile(bundle):
    def change(config):
        config["data"] |= {"origin": HOSTILE, "license": HOSTILE}
        recipe = config["provenance"]["recipe"]
        recipe["description"] = HOSTILE
        recipe["loss"]["name"] = HOSTILE
        config["provenance"]["data"] |= {"origin": HOSTILE, "license": HOSTILE}
        config["provenance"]["hardware"] = HOSTILE

    change_config(bundle, change)
    return bundle


def test_cards_and_pages(hostile, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (hostile / "README.md").unlink()
    _, _, body = cards.write(hostile).read_text().rpartition("\n---\n")
    check(body)
    check(card("./x", open_bundle(hostile)))
    check(table([("./x", open_bundle(hostile).spec)]))
    assert main(["gallery", str(hostile), "-o", "gallery.html"]) == 0
    check((tmp_path / "gallery.html").read_text())
    assert main(["export", str(hostile), "--for", "web-cdn", "-o", "page"]) == 0
    model = json.loads((tmp_path / "page" / "model.json").read_text())
    assert (model["description"] + model["license"]).isprintable(), "the page writes it as text"


def test_texts_of_tensorboard(tmp_path):
    tracker = ganzoo.trackers.make("tensorboard")
    tracker.start(TrackedRun(tmp_path, tiny(), 0))
    tracker.log_text(1, "findings", HOSTILE)
    tracker.finish()
    (file,) = (tmp_path / "tensorboard").iterdir()
    assert rb"a\x1b[2J\x00\u202e&lt;script&gt;alert(1)" in file.read_bytes()


def test_errors_on_the_page(monkeypatch):
    gradio = pytest.importorskip("gradio", reason="gradio is not installed: pip install '.[demo]'")
    from ganzoo.demo.tabs.controls import show_errors

    messages = []
    monkeypatch.setattr(gradio, "Warning", lambda text, title: messages.append(text))

    def fail():
        raise SampleError(HOSTILE)

    show_errors(fail)()
    check(messages[0])
