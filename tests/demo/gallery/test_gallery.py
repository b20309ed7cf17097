"""The page of all models."""

import base64
import os
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import pytest

import ganzoo
from ganzoo.bundle import CARD, amend_bundle, open_bundle
from ganzoo.bundle.summary import describe_recipe, find_summary, read_summary
from ganzoo.cli import main
from ganzoo.demo import cards
from ganzoo.demo.gallery import write_gallery
from ganzoo.errors import BundleError
from ganzoo.registry import find_recipe, models, recipes
from ganzoo.registry.entries import Entry
from ganzoo.zoo import find
from helpers.bundles import change_config, rehash


class Balanced(HTMLParser):
    """A parser that tracks open tags."""

    def __init__(self, text):
        super().__init__()
        self.open, self.sources = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.sources.append(dict(attrs)["src"])
        if tag not in ("meta", "img", "hr", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_every_model_has_a_tile_and_its_card(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["gallery"]) == 0
    assert "gallery.html" in capsys.readouterr().out
    page = (tmp_path / "gallery.html").read_text()
    parser = Balanced(page)
    assert not parser.open
    # The page contains every image and downloads nothing.
    assert all(source.startswith("data:image/") for source in parser.sources)
    assert not re.search(r"<(script|link|iframe)", page)
    for name in ganzoo.list_models():
        assert f'<article id="{name}">' in page
        assert f'href="#{name}"' in page
        for distance in read_summary(find(name)).distances.values():
            assert f"<td>{distance:.4g}</td>" in page
    assert "ganzoo:begin" not in page


def test_folders_are_shown_by_the_names_of_their_models(tiny_bundle, tmp_path):
    name = open_bundle(tiny_bundle).spec.name
    other = shutil.copytree(tiny_bundle, tmp_path / "other")
    write_gallery([tiny_bundle, other, tiny_bundle], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert str(tiny_bundle) not in page
    assert page.count("<article") == 2
    anchors = re.findall('<article id="([^"]+)"', page)
    assert anchors == [name, f"{name}_20_282_29"]
    assert all(page.count(f'href="#{anchor}"') for anchor in anchors)
    assert f"{name} (2)" in page


def test_a_missing_model_is_skipped(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    models.register("lost")(tmp_path / "lost")
    try:
        assert main(["gallery"]) == 0
    finally:
        models.unregister("lost")
    err = capsys.readouterr().err
    assert "lost is skipped: this process registers the model 'lost', but" in err
    page = (tmp_path / "gallery.html").read_text()
    assert '<article id="ae-mnist">' in page
    assert '<article id="lost">' not in page


def test_a_card_is_escaped(tiny_bundle, tmp_path):
    bundle = shutil.copytree(tiny_bundle, tmp_path / "bundle")
    model = open_bundle(bundle)
    text = "# x\n\n<script>alert(1)</script>\n\n![p](../../secret.png) [l](javascript:alert(2))\n"
    amend_bundle(model, model.spec, {CARD: text})
    (tmp_path / "secret.png").write_bytes(b"secret")
    write_gallery([bundle], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "secret" not in page
    assert 'href="javascript' not in page


def test_a_card_that_is_no_text_does_not_end_the_page(tiny_bundle, tmp_path):
    bundle = shutil.copytree(tiny_bundle, tmp_path / "bundle")
    (bundle / CARD).write_bytes(b"# caf\xe9\n")
    rehash(bundle)
    with pytest.warns(UserWarning, match=r"no card of .*: cannot read the card .* UTF-8"):
        write_gallery([bundle, "ae-mnist"], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.count("<article") == 2
    assert "cannot be read" in page


def test_summaries_need_no_loading(tmp_path):
    for entry in models.entries():
        facts = find_summary(entry)
        assert facts == read_summary(find(entry.name))
        if facts.spec.architecture == "stylegan2":
            continue  # only its code separates fixed noise from learned parameters
        learned = sum(
            p.numel() for p in ganzoo.load(entry.name, runtime="torch").network.parameters()
        )
        assert facts.parameters == learned


def test_recipes_are_summarised_without_loading():
    for entry in recipes.entries():
        if entry.distribution:
            assert describe_recipe(entry) == find_recipe(entry.address).description != ""


@pytest.mark.parametrize("target", ["nowhere.at.all:x", "json:loads", "ganzoo.builtin:x", " :"])
def test_other_entries_have_no_summary(target):
    entry = Entry("dcgan", "torch-ganzoo", "1", target)
    assert find_summary(entry) is None
    assert describe_recipe(entry) == ""


def test_any_provenance_is_summarised(tiny_bundle, tmp_path):
    bundle = open_bundle(shutil.copytree(tiny_bundle, tmp_path / "bundle"))
    for provenance in (
        {"recipe": "r", "metrics": "m"},
        {"recipe": {"dataset": 3, "description": 4}, "metrics": [{"x": 1}, 2, {"metrics": 5}]},
        {"metrics": [{"protocol": {"extractor": "e"}, "metrics": {"frechet_distance": 10**400}}]},
    ):
        facts = read_summary(replace(bundle, spec=replace(bundle.spec, provenance=provenance)))
        assert (facts.dataset, facts.distances) == ("", {})
        assert facts.description


HEADERS = [b"[" * 100_000, b'{"a":{"dtype":"F32","shape":[1e999]}}', b'{"a":3}', b"[1]", b"\xff"]


@pytest.mark.parametrize("header", HEADERS, ids=range(len(HEADERS)))
def test_a_missing_file_is_one_error(tiny_bundle, tmp_path, header):
    bundle = shutil.copytree(tiny_bundle, tmp_path / "bundle")
    (bundle / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    change_config(bundle, lambda config: config["provenance"].pop("parameters"))
    with pytest.raises(BundleError, match="is not a complete safetensors file"):
        write_gallery([bundle], tmp_path / "page.html")


@pytest.mark.parametrize("number", [True, -1, 10**400, 3.5, "3", None])
def test_parameters_are_counted_if_the_config_has_no_sensible_number(tiny_bundle, tmp_path, number):
    own = open_bundle(tiny_bundle).spec.provenance["parameters"]["generator"]
    bundle = shutil.copytree(tiny_bundle, tmp_path / "bundle")
    change_config(
        bundle, lambda config: config["provenance"]["parameters"].update(generator=number)
    )
    assert read_summary(open_bundle(bundle)).parameters == own


def test_a_models_module_can_be_a_file(tiny_bundle, tmp_path, monkeypatch):
    package = tmp_path / "shelf_of_mine"
    shutil.copytree(tiny_bundle, package / "pretrained" / "tiny")
    (package / "__init__.py").write_text("raise AssertionError('it was run')")
    (package / "models.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    facts = find_summary(Entry("tiny", "mine", "1", "shelf_of_mine.models:tiny"))
    assert facts is not None
    assert facts.spec.name == "tiny"


def unlist(bundle, *names):
    lines = (bundle / "SHA256SUMS").read_text().splitlines(keepends=True)
    lines_left = [line for line in lines if line.split()[1] not in names]
    (bundle / "SHA256SUMS").write_text("".join(lines_left))


def pages_of(bundle, tmp_path):
    """What the gallery and the demo show of a bundle; empty where it is refused."""
    try:
        write_gallery([bundle], tmp_path / "page.html")
        card = cards.card("./x", open_bundle(bundle))
    except BundleError:
        return ""
    return (tmp_path / "page.html").read_text() + card


@pytest.mark.parametrize("name", ["samples.png", "README.md", "z.png", "curves.png"])
@pytest.mark.parametrize("directly", [True, False])
def test_no_page_shows_files_that_a_link_leads_to(tiny_bundle, tmp_path, name, directly):
    bundle = shutil.copytree(tiny_bundle, tmp_path / "bundle")
    key = tmp_path / "id_rsa"
    key.write_text("PRIVATE-KEY-5150")
    with (bundle / "README.md").open("a") as card:
        card.write("\n![z](z.png) ![z](./z.png) ![x](training/../z.png)\n")
    (bundle / name).unlink(missing_ok=True)
    if directly:
        (bundle / name).symlink_to(key)
    else:
        (bundle / "folder").symlink_to(tmp_path)
        (bundle / name).symlink_to("folder/id_rsa")
    unlist(bundle, name)
    pages = pages_of(bundle, tmp_path)
    assert "PRIVATE-KEY" not in pages
    assert base64.b64encode(b"PRIVATE-KEY-515").decode() not in pages


def test_no_page_reads_a_pipe_or_a_file_of_gigabytes(tiny_bundle, tmp_path):
    bundle = shutil.copytree(tiny_bundle, tmp_path / "bundle")
    with (bundle / "samples.png").open("r+b") as file:
        file.truncate(3 << 30)
    unlist(bundle, "samples.png")
    assert len(pages_of(bundle, tmp_path)) < 10_000_000
    (bundle / "README.md").unlink()
    os.mkfifo(bundle / "README.md")
    assert pages_of(bundle, tmp_path) == ""


def test_a_page_shows_the_card_of_a_snapshot_of_the_hub(tiny_bundle, tmp_path):
    blobs = tmp_path / "models--org--name" / "blobs"
    snapshot = tmp_path / "models--org--name" / "snapshots" / ("0" * 40)
    shutil.copytree(tiny_bundle, snapshot)
    blobs.mkdir()
    for number, name in enumerate(("README.md", "samples.png")):
        shutil.move(snapshot / name, blobs / str(number))
        (snapshot / name).symlink_to(f"../../blobs/{number}")
    write_gallery([tiny_bundle], tmp_path / "a.html")
    write_gallery([snapshot], tmp_path / "b.html")
    a, b = ((tmp_path / name).read_text().count("data:image/png") for name in ("a.html", "b.html"))
    assert a == b > 2


def test_a_card_that_is_not_utf_8_is_shown(tiny_bundle, tmp_path):
    bundle = shutil.copytree(tiny_bundle, tmp_path / "bundle")
    (bundle / "README.md").write_bytes(b"# caf\xe9\n")
    assert "caf\ufffd" in pages_of(bundle, tmp_path)
