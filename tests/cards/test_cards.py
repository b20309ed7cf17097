"""Cards: generated text follows the config; handwritten text is kept byte for byte."""

import re
import shlex
import shutil

import pytest
import yaml
from huggingface_hub import ModelCard
from huggingface_hub.repocard_data import eval_results_to_model_index
from hypothesis import given, settings
from hypothesis import strategies as st

import ganzoo
from ganzoo import cards
from ganzoo.bundle import open_bundle
from ganzoo.bundle.files import new_folder
from ganzoo.cards import training
from ganzoo.cards.fences import fence, find_blocks, read_blocks, replace_blocks
from ganzoo.cards.header import read_header, replace_header, split_header
from ganzoo.cards.references import read_references
from ganzoo.cards.tables import plain, read_rows, table
from ganzoo.cli import main
from ganzoo.errors import (
    BundleError,
    CardError,
    NotABundleError,
    PublishError,
    UnknownNameError,
)
from ganzoo.exporters import record_seeds
from ganzoo.registry import find_recipe, models
from ganzoo.training.build import complete
from ganzoo.training.overrides import override
from helpers.bundles import change_config, finish_card, rehash
from helpers.processes import run_cli

NAMES = ["facts", "use", "check-sums"]
BEGIN, END = "<!-- ganzoo:begin {} -->\n", "<!-- ganzoo:end {} -->\n"
SHIPPED = [e.name for e in models.entries() if e.distribution == "torch-ganzoo"]

texts = st.text(st.characters(codec="utf-8"), max_size=20).filter(lambda text: "<!--" not in text)
ends_line = texts.map(lambda text: f"{text}\n")


def test_a_card_states_how_images_were_fitted_converted_and_replaced():
    data = {
        "sha256": "ab",
        "files": "5 image files in no classes, each also flipped; skipped: none",
        "fit": "pad to 48x64 (height x width) with white",
        "image_counts": {"grey to RGB": 3, "unreadable": 1200, "turned by EXIF": 31},
    }
    unreadable = "unreadable: 1,200, each replaced by the next image, which counts once more"
    assert training.describe_images(data) == [
        ("files", f"{data['files']}; {unreadable}"),
        ("fit", data["fit"]),
        ("converted", "31 turned by EXIF, 3 grey to RGB"),
    ]
    files, _, converted = training.describe_images(data | {"sha256": "stream:ab"})
    assert "; unreadable as far as they were read: 1,200, each " in files[1]
    assert converted[1] == "31 turned by EXIF, 3 grey to RGB, as far as they were read"
    assert training.describe_images({"sha256": "ab"}) == training.describe_images({}) == []


# Fences


@given(st.lists(ends_line, min_size=4, max_size=4), st.permutations(NAMES), texts, texts)
def test_blocks_round_trip_and_prose_stays(prose, names, old, new):
    text = prose[0] + "".join(
        fence(name, old) + after for name, after in zip(names, prose[1:], strict=True)
    )
    lines = {text: text and text.removesuffix("\n") + "\n" for text in (old, new)}
    assert read_blocks(text, NAMES) == dict.fromkeys(names, lines[old])
    assert replace_blocks(text, dict.fromkeys(NAMES, old), NAMES) == text
    changed = replace_blocks(text, {names[1]: new}, NAMES)
    contents = [lines[old], lines[new], lines[old]]
    assert changed == prose[0] + "".join(
        BEGIN.format(name) + content + END.format(name) + after
        for name, content, after in zip(names, contents, prose[1:], strict=True)
    )


@given(texts)
def test_a_text_without_fences_is_prose(text):
    assert find_blocks(text, NAMES) == []
    assert replace_blocks(text, {"use": "new"}, NAMES) == text


@given(st.text(st.sampled_from("ab\n<!- >")) | st.lists(st.sampled_from(
    [BEGIN.format("use"), END.format("use"), BEGIN.format("facts"), END.format("facts"), "a\r\n"]
)).map("".join))  # fmt: skip
def test_fences_are_read_or_refused(text):
    try:
        contents = read_blocks(text, NAMES)
    except CardError:
        return
    assert replace_blocks(text, contents, NAMES) == text
    assert text.count("ganzoo:begin") == text.count("ganzoo:end") == len(contents)


def test_other_line_endings_are_read():
    text = "a\r\n<!-- ganzoo:begin use -->\r\nold\r\n<!-- ganzoo:end use -->\r\nb\r\n"
    assert read_blocks(text, NAMES) == {"use": "old\r\n"}
    assert replace_blocks(text, {"use": "new"}, NAMES) == text.replace("old\r\n", "new\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            BEGIN.format("use"),
            "line 1 of the card, .* begins a block that has no end. Add `<!-- ganzoo:end use -->`",
        ),
        ("a\n" + END.format("use"), "line 2 .* ends a block that is not open: no block is open"),
        (BEGIN.format("use") + END.format("facts"), "line 2 .* the block 'use' is open"),
        (BEGIN.format("use") + BEGIN.format("facts"), "begins inside the block 'use'"),
        (BEGIN.format("use") + BEGIN.format("use"), "begins inside the block 'use'"),
        (
            fence("use", "a") + "b\n" + fence("use", "a"),
            "line 5 .* already has. Remove one of them",
        ),
        (fence("fact", "a"), "line 1 .* names an unknown block. Did you mean 'facts'?"),
        (fence("prose", "a"), "names an unknown block. Blocks: check-sums, facts, use."),
        (
            "<!-- ganzoo:start use -->\n",
            "is not a valid fence. Write `<!-- ganzoo:begin NAME -->` alone",
        ),
        ("<!--ganzoo:begin use-->\n", "is not a valid fence"),
        ("a <!-- ganzoo:begin use -->\n", "is not a valid fence"),
        ("<!-- ganzoo:begin use --> a\n", "is not a valid fence"),
    ],
)
def test_wrong_fences_are_refused(text, message):
    with pytest.raises(CardError, match=message):
        replace_blocks(text, {"use": "b"}, NAMES)


def test_content_with_a_fence_is_refused():
    with pytest.raises(CardError, match="new content of the block 'use' contains a fence"):
        replace_blocks(fence("use", "a"), {"use": "x <!-- ganzoo:end use -->"}, NAMES)


# Header and tables


@settings(max_examples=50)
@given(
    st.dictionaries(
        texts, texts | st.floats(allow_nan=False) | st.lists(texts, max_size=2), max_size=3
    ),
    texts,
)
def test_a_header_round_trips_and_the_rest_stays(fields, body):
    text = replace_header(f"\n{body}", fields)
    assert read_header(text) == fields
    assert split_header(text)[1].endswith(f"\n{body}")
    assert replace_header(text, fields) == text
    other = replace_header(text, {"license": "mit"})
    assert split_header(other) == ("---\nlicense: mit\n---\n", split_header(text)[1])


def test_an_equal_header_keeps_its_format():
    text = "---\r\n# ours\r\nlicense:   mit\r\n---\r\nwords\r\n"
    assert replace_header(text, {"license": "mit"}) == text
    assert read_header("words\n---\nlicense: mit\n---\n") == {}


@pytest.mark.parametrize(
    ("header", "message"), [("a: {", "is not valid YAML"), ("- a", "is not a mapping of fields")]
)
def test_an_invalid_header_is_refused(header, message):
    with pytest.raises(CardError, match=message):
        read_header(f"---\n{header}\n---\n")


@given(st.dictionaries(st.from_regex(r"\A\w+\Z"), texts, max_size=3))
def test_table_cells_are_escaped(rows):
    cells = dict(read_rows(table(rows.items())))
    expected = {k: plain(" ".join(v.split())).replace("|", r"\|") for k, v in rows.items()}
    assert cells == expected


def test_text_of_others_is_not_html():
    text = "a <b>, </b> <!-- <?x < 1 <2 x<=y \u202e\x1b a & b"
    assert plain(text) == r"a &lt;b>, &lt;/b> &lt;!-- &lt;?x < 1 <2 x<=y \u202e\x1b a & b"


def test_references_are_read_from_a_docstring():
    docstring = """A loss.

    "A Paper" (One and Two, 2020), section 3,
    https://arxiv.org/abs/2001.00001. It is good.

    Not this: https://example.org/2

    Args:
        b: weight (Three, 2021, https://doi.org/10.1/2).
    """
    assert list(read_references(docstring)) == [
        '"A Paper" (One and Two, 2020), section 3, https://arxiv.org/abs/2001.00001'
    ]


# Cards of bundles


@pytest.fixture(scope="module")
def measured(tiny_bundle, tmp_path_factory):
    """A bundle with two evaluations and a finished card."""
    path = shutil.copytree(tiny_bundle, tmp_path_factory.mktemp("measured") / "tiny")
    for seed in (0, 1):
        ganzoo.evaluate(path, samples=257, extractor="pixels", seed=seed, progress=False,
                        metrics=["frechet", "precision-recall"])  # fmt: skip
    finish_card(path)
    return path


@pytest.fixture
def bundle(measured, tmp_path):
    return shutil.copytree(measured, tmp_path / "bundle")


def edit(bundle, old, new):
    card = (bundle / "README.md").read_bytes().decode()
    assert card.count(old) >= 1
    (bundle / "README.md").write_bytes(card.replace(old, new, 1).encode())


def test_a_new_card_has_todo_sections_for_its_author(tiny_bundle):
    problems = cards.check(tiny_bundle)
    assert len(problems) == 2
    assert "'What it is and what it is for' still says 'TODO'" in problems[0]
    assert "'What failure looks like' still says 'TODO'" in problems[1]
    with pytest.raises(PublishError, match="still says 'TODO'. Complete the section or remove it"):
        ganzoo.push(tiny_bundle, "org/name", dry_run=True)
    card = (tiny_bundle / "README.md").read_text()
    assert '- "Generative Adversarial Nets" (Goodfellow et al., 2014), section 3, https' in card
    assert "The model was trained on Optical Recognition of Handwritten Digits" in card


def test_a_finished_card_passes_the_check(measured, monkeypatch):
    assert cards.check(measured) == []
    assert main(["card", "check", str(measured)]) == 0
    assert cards.check("dcgan-mnist") == []
    monkeypatch.chdir(measured.parent)
    with pytest.raises(UnknownNameError, match=f"use ./{measured.name}"):
        cards.check(measured.name)
    with pytest.raises(UnknownNameError, match="dcgan-mnist"):
        cards.check("dcgan-mnst")
    with pytest.raises(CardError, match="the model is on the Hub"):
        cards.check("hf://org/name")
    with pytest.raises(NotABundleError):
        cards.write(measured.parent / "absent")


def test_writing_keeps_prose_byte_for_byte(bundle):
    edit(bundle, "## Limits\n", "## Limits\r\n\r\n  Mine: \u2028 é \t\n<!-- a note -->\n")
    edit(bundle, "license: cc-by-4.0", "language: en\nlicense: cc-by-4.0")
    edit(bundle, "tags: [gan, ", "tags: [digits, gan, ")
    before = (bundle / "README.md").read_bytes()
    open_bundle(bundle)  # the card is prose: an edit needs no new checksum
    assert [line for line in cards.check(bundle) if "checksum" in line] == []
    assert cards.write(bundle) == bundle / "README.md"
    after = (bundle / "README.md").read_bytes()
    assert split_header(after.decode())[1] == split_header(before.decode())[1]
    header = read_header(after.decode())
    assert header["language"] == "en"
    assert header["tags"] == ["gan", "dcgan", "nonsaturating", "onnx", "safetensors", "digits"]
    assert cards.check(bundle) == []
    assert cards.write(bundle).read_bytes() == after


def test_words_that_are_values_in_some_versions_of_yaml_stay_words(bundle):
    own = ["no", "off", "012", "12:30:00", "1_000", "0b11", "1e3", "0o17"]
    card = (bundle / "README.md").read_text()
    edit(bundle, "license: cc-by-4.0", f"language: [{', '.join(own)}]\nlicense: cc-by-4.0")
    header = read_header((bundle / "README.md").read_text())
    assert header["language"] == own
    edit(bundle, "tags: [gan, ", "tags: [digits, gan, ")  # so that the header is written again
    written = cards.write(bundle).read_text()
    assert written != card
    assert read_header(written)["language"] == own
    fields = yaml.safe_load(written.split("---\n")[1])
    assert fields["language"] == own, "another parser reads the same"


def test_plain_values_of_a_header_are_those_of_every_parser():
    text = "a: [12, -3, 0x1f, 1.5, -2.5e-07, true, False, null, ~, 2024-01-02, .inf]\nb:\n"
    assert read_header(f"---\n{text}---\n") == yaml.safe_load(text)


@pytest.fixture
def linked(tiny_run, bundle, tmp_path):
    """A run whose bundle is a link to a folder outside of it, and that folder."""
    run, outside = tmp_path / "run", tmp_path / "elsewhere"
    shutil.copytree(tiny_run, run)
    shutil.rmtree(run / "bundle")
    shutil.copytree(bundle, outside)
    (run / "bundle").symlink_to(outside)
    return run, outside


def test_a_run_whose_bundle_is_a_link_to_another_place_is_not_changed(linked):
    run, outside = linked
    edit(outside, "tags: [gan, ", "tags: [digits, gan, ")
    before = {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()}
    with pytest.raises(BundleError, match=f"leads out of the run's folder.*{outside}"):
        cards.write(run)
    assert {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()} == before
    assert (run / "bundle").is_symlink()
    assert ganzoo.load(run).spec.name == "tiny", "it is still read"
    assert cards.write(outside) == outside / "README.md"


def test_a_new_bundle_replaces_a_link_and_leaves_nothing_behind(linked):
    run, outside = linked
    before = (outside / "config.json").read_bytes()
    with new_folder(run / "bundle") as folder:
        (folder / "file").write_text("new")
    assert (outside / "config.json").read_bytes() == before
    assert (run / "bundle" / "file").read_text() == "new"
    assert not [path.name for path in run.iterdir() if path.name.startswith(".bundle")]


def test_a_new_evaluation_and_a_new_export_keep_prose(bundle, tmp_path):
    edit(bundle, "## Limits\n", "## Limits\n\nNever at night.\n")
    cards.write(bundle)
    ganzoo.evaluate(bundle, samples=270, extractor="pixels", progress=False, metrics=["frechet"])
    again = ganzoo.export(bundle, tmp_path / "again", precision="fp16", figures=False)
    assert not (again / "samples.png").exists()
    assert "The bundle contains no sample images." in (again / "README.md").read_text()
    for path, figures in ((bundle, 3), (again, 0)):
        card = (path / "README.md").read_text()
        assert "## Limits\n\nNever at night.\n" in card
        assert card.count("| frechet distance |") == figures
        assert card.count("type: frechet_distance") == figures
        assert cards.check(path) == []
    assert "float16" in (again / "README.md").read_text()


def test_an_export_over_a_bundle_of_the_same_model_keeps_its_prose(tiny_run, bundle):
    edit(bundle, "## Limits\n", "## Limits\n\nNever at night.\n")
    cards.write(bundle)
    ganzoo.export(tiny_run, bundle, figures=False)
    assert "Never at night." in (bundle / "README.md").read_text()


@pytest.mark.parametrize(
    ("old", "new", "problems"),
    [
        (r"| precision | ", "| precision | 9", ["the value 'precision' in the card's block 'resu"]),
        (r"{type: recall, value: ", "{type: recall, value: 9", ["the value 'recall by pixels, 257"]),
        (r"| length | 64", "| length | 640", ["the value 'length' in the card's block 'training'"]),
        ("cc-by-4.0", "mit", ["the header's field 'license' differs from the config"]),
        ("import ganzoo", "import gan", ["the card's block 'use' differs from the config"]),
        (fence("samples", "")[:30], "", ["line .* ends a block that is not open"]),
        ("## Limits\n", "## Limits\n\n## And\n", ["section 'Limits' is empty"]),
    ],
)  # fmt: skip
def test_each_problem_is_one_line_and_is_fixed(bundle, old, new, problems, capsys):
    edit(bundle, old, new)
    rehash(bundle)
    lines = cards.check(bundle)
    assert any(re.search(problem, line) for problem in problems for line in lines), lines
    assert main(["card", "check", str(bundle)]) == 1
    output = capsys.readouterr()
    assert output.out.splitlines() == lines
    assert f"Edit {bundle / 'README.md'}, or update" in output.err
    assert all("\n" not in line for line in lines)


def test_outdated_blocks_are_replaced(bundle):
    good = (bundle / "README.md").read_bytes()
    for old, new in [("| precision | ", "| precision | 9"), ("value: ", "value: 9"), ("64", "640")]:
        edit(bundle, old, new)
    assert len(cards.check(bundle)) > 4
    assert cards.write(bundle).read_bytes() == good


def test_values_of_different_protocols_are_distinguished(bundle):
    """Each of two evaluations has a precision; a wrong value is detected in either table."""
    card = (bundle / "README.md").read_text()
    for number in (0, 1):
        at = [m.end() for m in re.finditer(r"\| precision \| ", card)][number]
        (bundle / "README.md").write_text(card[:at] + "7" + card[at:])
        label = "precision" if number == 0 else "precision (2)"
        assert f"the value {label!r} in the card's block 'results' is 7" in cards.check(bundle)[0]


def test_values_of_different_splits_are_distinguished(bundle):
    """Evaluations differ only in the split; a wrong value is detected in either."""

    def split(config):
        for each, name in zip(config["provenance"]["metrics"], ("train", "test"), strict=True):
            each["protocol"]["dataset"] = {"name": "digits", "split": name}
            each["protocol"]["seed"] = 0

    change_config(bundle, split)
    cards.write(bundle)
    assert cards.check(bundle) == []
    card = (bundle / "README.md").read_text()
    places = [m.end() for m in re.finditer(r"\{type: precision, value: ", card)]
    for at, name in zip(places, ("train", "test"), strict=True):
        (bundle / "README.md").write_text(card[:at] + "7" + card[at:])
        (problem, *_) = cards.check(bundle)
        assert problem.startswith("the value 'precision by pixels, 257 samples of seed 0, ")
        assert f" on digits {name}' in the card's header is 7" in problem


def test_commands_in_a_card_quote_their_arguments(bundle):
    """The provenance is untrusted text: a command quotes it as one word."""
    evil = "x; touch /tmp/x $(id) `id` 'y'"

    def change(config):
        for each in config["provenance"]["metrics"]:
            each["protocol"] |= {"extractor": evil, "runtime": evil}
            each["protocol"]["dataset"] = {"name": evil, "split": evil}

    change_config(bundle, change)
    card = cards.write(bundle).read_text()
    commands = [line for line in card.splitlines() if line.startswith("ganzoo evaluate ")]
    assert len(commands) == 2
    for command in commands:
        words = shlex.split(command)
        options_of_command = dict(zip(words[3::2], words[4::2], strict=True))
        options = ("--dataset", "--split", "--extractor", "--runtime")
        assert [options_of_command[option] for option in options] == [evil] * 4


@pytest.mark.parametrize("old", ["| precision | ", "{type: precision, value: "])
def test_a_card_with_wrong_values_is_not_published(bundle, old):
    edit(bundle, old, f"{old}9")
    rehash(bundle)
    with pytest.raises(
        PublishError, match=r"the value 'precision.*' .* is 9.* config says .*write"
    ):
        ganzoo.push(bundle, "org/name", dry_run=True)


def test_a_config_that_contradicts_the_card_is_not_published(bundle):
    change_config(bundle, lambda c: c["provenance"]["parity"].update(max_abs_error=1e-9))
    with pytest.raises(PublishError, match="the value 'parity' in the card's block 'facts' is"):
        ganzoo.push(bundle, "org/name", dry_run=True)


def test_a_card_without_blocks_is_left_unchanged(bundle):
    own = b"---\nlicense: mit\n---\n# mine\n\nWords.\n"
    (bundle / "README.md").write_bytes(own)
    rehash(bundle)
    with pytest.raises(CardError, match=r"no generated blocks. Move README"):
        cards.write(bundle)
    with pytest.warns(UserWarning, match="the card is left unchanged: .* no generated blocks"):
        ganzoo.evaluate(bundle, samples=280, extractor="pixels", progress=False,
                        metrics=["frechet"])  # fmt: skip
    assert len(ganzoo.info(bundle).provenance["metrics"]) == 3
    with pytest.warns(UserWarning, match="the card is left unchanged"):
        ganzoo.export(bundle, figures=False)
    assert (bundle / "README.md").read_bytes() == own
    assert any("no generated blocks" in line for line in cards.check(bundle))
    assert own.decode() in ganzoo.push(bundle, "org/name", dry_run=True).card
    (bundle / "README.md").unlink()
    assert "the bundle has no README.md. Run `ganzoo card write" in cards.check(bundle)[0]
    cards.write(bundle)
    assert len(cards.check(bundle)) == 2, "what is to be written"


@pytest.mark.parametrize("damage", [b"<!-- ganzoo:begin use -->\n", b"\xff"])
def test_an_unreadable_card_is_not_overwritten(bundle, damage):
    with (bundle / "README.md").open("ab") as card:
        card.write(damage)
    before = {p: p.read_bytes() for p in bundle.rglob("*") if p.is_file()}
    with pytest.raises(CardError):
        cards.write(bundle)
    assert {p: p.read_bytes() for p in bundle.rglob("*") if p.is_file()} == before
    assert len(cards.check(bundle)) == 1


def test_a_removed_block_is_reported(bundle):
    card = (bundle / "README.md").read_text()
    (bundle / "README.md").write_text(
        re.sub(r"(?s)<!-- ganzoo:begin facts.*end facts -->\n", "", card)
    )
    cards.write(bundle)
    lines = cards.check(bundle)
    assert any("has no block 'facts'. Write <!-- ganzoo:begin facts --> and" in x for x in lines)


def test_a_card_names_its_repository_on_the_hub(bundle):
    card = ganzoo.push(bundle, "org/name", dry_run=True).card
    for line in (
        'model = ganzoo.load("hf://org/name")',
        "ganzoo sample hf://org/name -n 64",
        "Download the file with `hf download org/name model.onnx --local-dir .`",
        "hf download org/name training/recipe.toml --local-dir ./tiny\n",
        "ganzoo train ./tiny/training/recipe.toml\n",
        "thumbnail: https://huggingface.co/org/name/resolve/main/samples.png",
        "ganzoo evaluate hf://org/name",
    ):
        assert line in card
    assert "README.md" not in read_blocks(card, cards.BLOCKS)["checksums"]


def test_a_copy_of_a_shipped_model_keeps_its_card(tmp_path):
    copy = shutil.copytree(models.get("gan-mnist"), tmp_path / "copy")
    assert cards.check(copy) == []
    shutil.copyfile(models.get("dcgan-mnist") / "model.safetensors", copy / "model.safetensors")
    rehash(copy)
    cards.write(copy)
    card = (copy / "README.md").read_text()
    for line in ('ganzoo.load(".")', "ganzoo sample . -n 64", "ganzoo train training/recipe.toml"):
        assert line in card
    assert cards.check(shutil.move(copy, tmp_path / "another")) == []


def test_the_command_line(bundle):
    edit(bundle, "## Limits\n", "## Limits\n\nTODO\n")
    output = run_cli("card", "write", bundle)
    assert output.returncode == 0
    assert "section 'Limits' still says 'TODO'" in output.stdout
    error = run_cli("card", "write", bundle.parent / "absent")
    assert (error.returncode, error.stdout) == (1, "")
    assert error.stderr.startswith("error: no bundle at ")


# Headers, as the Hub reads them


@pytest.mark.parametrize("name", ["measured", *SHIPPED])
def test_the_hubs_parser_reads_every_metric(name, request):
    path = request.getfixturevalue(name) if name == "measured" else models.get(name)
    text, spec = (path / "README.md").read_text(), ganzoo.info(path)
    data = ModelCard(text).data
    expected = [
        (key, float(f"{value:.4g}"), evaluation["protocol"]["seed"])
        for evaluation in spec.provenance["metrics"]
        for key, value in evaluation["metrics"].items()
        if not key.startswith("share_of_")
    ]
    assert [(r.metric_type, r.metric_value) for r in data.eval_results] == [s[:2] for s in expected]
    assert all(
        f"of seed {seed}," in result.metric_config
        for (*_, seed), result in zip(expected, data.eval_results, strict=True)
    )
    index = yaml.safe_load(split_header(text)[0].strip("-\n"))["model-index"]
    assert eval_results_to_model_index(spec.name, data.eval_results) == index
    assert data.library_name == "ganzoo"
    assert data.pipeline_tag == "unconditional-image-generation"
    assert data.license == spec.data.license
    assert data.to_dict().get("datasets") == ([spec.data.hub] if name in SHIPPED else None)
    assert (path / data.to_dict()["thumbnail"]).is_file()
    assert all((path / each["output"]["url"]).is_file() for each in data.to_dict()["widget"])
    assert ("gan" in data.tags) != ("autoencoder" in data.tags)
    assert ("class-conditional" in data.tags) == ("y" in spec.inputs)


def test_one_seed_is_reported_with_final_and_best(bundle):
    figures = {"0": {"final": 4.0, "best": 3.5, "best_images": 1000}}
    record_seeds(open_bundle(bundle), "frechet_distance", figures)
    card = (bundle / "README.md").read_text()
    assert "| 0 | 4 | 3.5, after 1,000 images |" in card
    assert "was trained with one seed" in card
    assert "mean 4" not in card
    assert "one of several" not in card
    assert all("TODO" in line for line in cards.check(bundle))


def test_several_seeds_are_reported_with_mean_and_deviation(bundle):
    figures = {
        "0": {"final": 4.0, "best": 3.5, "best_images": 1000},
        "1": {"final": 6.0, "best": 5.0, "best_images": 2000},
    }
    record_seeds(open_bundle(bundle), "frechet_distance", figures)
    card = (bundle / "README.md").read_text()
    assert "| 1 | 6 | 5, after 2,000 images |" in card
    assert "mean 5, standard deviation 1.41" in card
    figures["1"]["final"], figures["0"]["final"] = 1.7e308, -1.7e308
    record_seeds(open_bundle(bundle), "frechet_distance", figures)
    assert "mean 0, standard deviation" in (bundle / "README.md").read_text()
    assert "one of several seeds" in card
    assert all("TODO" in line for line in cards.check(bundle))
    changed = card.replace("| 1 | 6 |", "| 1 | 2 |")
    (bundle / "README.md").write_text(changed)
    rehash(bundle)
    assert any("results" in line for line in cards.check(bundle))


def test_the_header_has_four_digits_and_no_class_shares(bundle):
    def change(config):
        config["provenance"]["metrics"][0]["metrics"] = {
            "frechet_distance": 12.34567,
            "share_of_0": 0.4,
            "share_of_1": 0.6,
        }

    change_config(bundle, change)
    card = cards.write(bundle).read_text()
    (model,) = read_header(card)["model-index"]
    metrics = model["results"][0]["metrics"]
    assert metrics[0]["value"] == 12.35
    assert "share_of" not in split_header(card)[0]
    assert "| shares of 0, 1 | 40.0%, 60.0% |" in card


def test_a_card_says_how_to_install_the_model(bundle):
    def change(config):
        config["requires"] = ["torch-ganzoo>=0.1", "acme-gans[gpu]~=0.3"]

    advice = "Install ganzoo from a clone of its repository: `pip install '.[train]'`"
    assert f"{advice}. Run the code in" in (bundle / "README.md").read_text()
    change_config(bundle, change)
    assert (
        f"{advice}, and the plugin `acme-gans[gpu]~=0.3`. Run the code in"
        in cards.write(bundle).read_text()
    )


def test_the_command_that_repeats_a_training_has_options_that_recipes_omit():
    plain, changed = (
        complete(override(find_recipe("dcgan-digits"), {"loss": {"ada": ada}})).to_dict()
        for ada in (False, True)
    )
    assert "ada" not in plain["loss"]
    assert training._difference(plain, changed) == ["--loss.ada"]
    assert training._difference(changed, plain) == ["--loss.no-ada"]


def test_a_card_needs_an_exported_bundle(tiny_run, capsys):
    bundle = tiny_run / "bundle"
    assert main(["card", "write", str(tiny_run)]) == 1
    error = capsys.readouterr().err
    assert f"{bundle} is not exported, and the card states the exported files." in error
    assert f"Use: ganzoo export {bundle}" in error


def test_the_command_of_a_card_names_a_data_folder_if_the_dataset_reads_one(tiny_bundle):
    assert "--data" not in (tiny_bundle / "README.md").read_text()
    card = (models.get("dcgan-mnist") / "README.md").read_text()
    assert "repeat the training; DIR is the folder of the dataset:" in card.replace("Rep", "rep")
    assert re.search(r"ganzoo train dcgan-mnist .*--data DIR\n", card)
