"""The command line explains itself: names, units, counts, the environment and completions."""

import json
import re
import sys
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import ganzoo
from ganzoo.cli import COMMANDS, SUBCOMMANDS, main, tables
from ganzoo.cli.arguments import parse_count
from ganzoo.cli.info import USES
from ganzoo.cli.listing import describe
from ganzoo.registry import REGISTRIES, better_of, losses, unit_of
from ganzoo.registry.docstrings import docstring_of, read_description
from ganzoo.registry.sources import read_docstring
from ganzoo.spec import Metric
from helpers.distributions import install

COMPONENTS = [
    (registry, entry)
    for registry in REGISTRIES
    if registry.kind not in ("model", "recipe")
    for entry in registry.entries()
]


def output_of(capsys, *words):
    assert main([str(word) for word in words]) == 0
    captured = capsys.readouterr()
    return captured.out


def json_of(capsys, *words):
    """Return the document on standard output, which holds nothing else."""
    return json.loads(output_of(capsys, *words, "--json"))


def test_docstrings_are_read_without_an_import():
    unread = []
    for registry, entry in COMPONENTS:
        thing = registry.load(entry)
        imported = docstring_of(thing.compute if isinstance(thing, Metric) else thing)
        text = read_docstring(entry)
        unread += [] if text else [entry.name]
        if text:
            assert read_description(text) == read_description(imported), entry
        assert describe(registry, entry).summary, entry
    # A table of torchvision's datasets writes their docstrings.
    assert {"mnist", "cifar-10"} <= set(unread)
    assert all(name in ganzoo.datasets for name in unread)


def test_every_loss_and_penalty_names_its_paper():
    for registry, entry in COMPONENTS:
        if registry.kind in ("loss", "penalty"):
            description = describe(registry, entry)
            assert description.url.startswith("https://"), entry
            assert description.authors[-4:].isdigit(), entry
        if registry.kind == "penalty" or f"{entry.distribution} {registry.kind}" == (
            "torch-ganzoo loss"
        ):
            assert describe(registry, entry).formula or entry.name == "vaegan", entry


@pytest.mark.parametrize(
    ("docstring", "summary", "paper"),
    [
        (
            "StyleGAN3 (Karras et al., 2021), https://arxiv.org/abs/2106.12423: alias-free.",
            "StyleGAN3: alias-free.",
            "Karras et al., 2021, https://arxiv.org/abs/2106.12423",
        ),
        (
            'Hinge.\n\n"Geometric GAN" (Lim and Ye, 2017), section 3.1,\nhttps://arxiv.org/abs/1.2.',
            "Hinge.",
            "Lim and Ye, 2017, https://arxiv.org/abs/1.2",
        ),
        ("Return the extractor of ``a``. More.", "Extractor of `a`.", ""),
        ("A.\n\nArgs:\n    x: of Doe et al. (2020), https://arxiv.org/abs/1.", "A.", ""),
        (
            "SSIM (Wang et al., 2004), doi:10.1109/TIP.1.",
            "SSIM.",
            "Wang et al., 2004, https://doi.org/10.1109/TIP.1",
        ),
        ("", "", ""),
    ],
)
def test_a_docstring_becomes_a_line_and_a_paper(docstring, summary, paper):
    description = read_description(docstring)
    assert (description.summary, description.paper) == (summary, paper)


def test_a_plugin_is_described_without_running_it(tmp_path, monkeypatch, capsys):
    install(
        tmp_path,
        "acme-gans",
        {"losses": {"acme": "acme_gans:loss"}, "metrics": {"acme": "acme_gans:metric"}},
    )
    (tmp_path / "acme_gans.py").write_text(
        'raise SystemExit\nfrom acme_parts import least as loss\n\n\ndef _m():\n    """Edges."""\n\n\n'
        "metric = Metric(_m, {})\n"
    )
    (tmp_path / "acme_parts.py").write_text('def least():\n    """Least (Doe, 2020)."""\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "  acme  Least.  Doe, 2020  acme-gans 1.2\n" in output_of(
        capsys, "list", "acme", "--kind", "losses"
    )
    assert json_of(capsys, "list", "acme")["metrics"][0]["description"] == "Edges."
    assert main(["info", "acme", "--kind", "losses"]) == 1
    assert "could not be loaded" in capsys.readouterr().err


@pytest.mark.parametrize("columns", [80, 100, 200, sys.maxsize])
def test_lists_fit_the_terminal(monkeypatch, capsys, columns):
    monkeypatch.setattr(tables, "count_columns", lambda: columns)
    out = output_of(capsys, "list", "losses")
    assert max(map(len, out.splitlines())) <= columns
    assert "https://arxiv.org/abs/1705.02894" in out
    if columns >= 200:
        assert len(out.splitlines()) == 1 + len(losses)
    for kind in ("datasets", "metrics", "recipe"):
        assert max(map(len, output_of(capsys, "list", kind).splitlines())) <= columns


def test_json_of_a_list(capsys):
    document = json_of(capsys, "list")
    assert set(document) == {registry.plural for registry in REGISTRIES}
    (model,) = [each for each in document["models"] if each["name"] == "dcgan-mnist"]
    assert (model["image"], model["dataset"], model["classes"]) == ([28, 28, 1], "mnist", 0)
    assert model["frechet_distance"] == pytest.approx(2.227, abs=1e-3)
    (hinge,) = json_of(capsys, "list", "hinge", "--kind", "losses")["losses"]
    assert hinge["paper"] == {
        "authors": "Lim and Ye, 2017",
        "url": "https://arxiv.org/abs/1705.02894",
    }


def test_info_of_a_loss(capsys):
    (hinge,) = json_of(capsys, "info", "hinge")["entries"]
    assert hinge["formula"].startswith("discriminator: max(0, 1 - D(x))")
    options = {each["option"]: each for each in hinge["options"]}
    assert options["--loss.r1"] == {
        "option": "--loss.r1",
        "type": "float",
        "required": False,
        "default": 0.0,
        "help": options["--loss.r1"]["help"],
    }
    assert options["--loss.augmentation"]["type"] == "list of color | translation | cutout"
    assert "from 0 to below 0.5" in options["--loss.label-smoothing"]["help"]
    fits = hinge["fits"]["architectures"]
    assert {"dcgan", "mlp", "fastgan with --architecture.supervision none"} <= set(fits)
    assert not {"conv-autoencoder", "cyclegan"} & set(fits)
    assert hinge["fits"]["penalties"] == ["dragan", "gp", "r1", "r2"]
    assert hinge["package"] == "torch-ganzoo"


def test_info_of_a_name_of_several_kinds(capsys):
    out = output_of(capsys, "info", "dcgan-mnist")
    assert out.startswith("model dcgan-mnist\n")
    assert "\nrecipe dcgan-mnist  (torch-ganzoo" in out
    assert "900,000, in batches of 64" in out
    assert "recipe" not in json_of(capsys, "info", "dcgan-mnist", "--kind", "models")["entries"][0]
    document = json_of(capsys, "info", "dcgan")
    fits = document["entries"][0]["fits"]["losses"]
    assert {"hinge", "acgan with --architecture.conditioning auxiliary"} <= set(fits)
    assert "vae" not in fits
    assert "dcgan-mnist" in document["entries"][0]["recipes"]


def test_info_of_other_kinds(capsys):
    assert set(USES) == {registry.kind for registry in REGISTRIES}
    (frechet,) = json_of(capsys, "info", "frechet")["entries"]
    assert frechet["values"] == [{"name": "frechet_distance", "better": "lower", "unit": ""}]
    (penalty,) = json_of(capsys, "info", "r1")["entries"]
    assert {"hinge", "wgan-gp"} <= set(penalty["fits"]["losses"])
    assert "dcgan-mnist" in penalty["recipes"]
    assert "vae" not in penalty["fits"]["losses"]
    for name in ("truncated", "digits", "dcgan-sequential", "web", "mode-collapse", "pixels"):
        assert f" {name}  (torch-ganzoo" in output_of(capsys, "info", name)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["info", "hinje"], "no model or component is named 'hinje'. Did you mean 'hinge'?"),
        (["info", "hinge", "--kind", "metrics"], "no metric is named 'hinge'."),
        (["list", "loses"], "nothing is named 'loses'. Did you mean 'losses'?"),
    ],
)
def test_a_misspelt_name_gets_the_nearest(capsys, words, message):
    assert main(words) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith(f"error: {message}")
    assert captured.out == ""


@given(st.integers(-(10**25), 10**25))
def test_counts_of_any_size(n):
    assert parse_count(str(n)) == n
    assert parse_count(f"{n:_}") == n
    for letter, factor in (("k", 1_000), ("K", 1_000), ("M", 1_000_000), ("m", 1_000_000)):
        assert parse_count(f"{n}{letter}") == n * factor
        whole, rest = divmod(abs(n), factor)
        digits = len(str(factor)) - 1
        text = f"{'-' * (n < 0)}{whole}.{rest:0{digits}}{letter}"
        assert parse_count(text) == n


@given(st.text(max_size=12))
def test_other_texts_are_no_counts(text):
    assume(not re.fullmatch(r"[+-]?[\d_.]+[km]?", text, re.ASCII | re.IGNORECASE))
    with pytest.raises(ValueError, match="Write it as 10000, 10_000, 10k or 1.5M."):
        parse_count(text)


@pytest.mark.parametrize("text", ["many", "1.2345k", "1.5", "1e4", "10 k", "10kk", "٣", "1__0", ""])
def test_a_count_of_another_form_is_an_error_that_names_the_forms(text):
    with pytest.raises(ValueError, match="10000, 10_000, 10k or 1.5M"):
        parse_count(text)


def test_a_count_is_understood_by_every_command(capsys):
    words = ["--images", "2.5k", "--optimizer.warmup", "1k", "--loss.ada-images", "1M"]
    out = output_of(capsys, "train", "dcgan-digits", "--dry-run", *words)
    for line in ("images = 2500", "warmup = 1000", "ada_images = 1000000"):
        assert f"\n{line}\n" in out
    assert main(["sample", "dcgan-mnist", "-n", "0k"]) == 1
    assert "cannot sample 0 images" in capsys.readouterr().err


def test_figures_have_units_and_directions(bundle, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    options = ["--samples", "32", "--metrics", "precision-recall"]
    document = json_of(capsys, "evaluate", bundle, *options)
    assert document["better"] == {"precision": "higher", "recall": "higher"}
    assert set(document) == {"model", "metrics", "protocol", "better", "units"}
    assert document["protocol"]["samples"] == 32
    out = output_of(capsys, "evaluate", bundle, *options)
    assert f"  precision  {document['metrics']['precision']:.6g}  higher is better\n" in out
    document = json_of(capsys, "compare", bundle, bundle, *options)
    assert [Path(model["name"]) for model in document["models"]] == [bundle, bundle]
    assert document["figure"] == "comparison.png"
    out = output_of(capsys, "compare", bundle, bundle, *options, "-o", "again.png")
    assert "\nhigher is better: precision, recall\n" in out
    assert (unit_of("psnr"), better_of("psnr"), unit_of("precision")) == ("dB", "higher", "")


def test_env(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GANZOO_CACHE", f"{tmp_path}/cache")
    monkeypatch.setenv("SECRET", "value")
    document = json_of(capsys, "env")
    assert set(document) == {"system", "devices", "packages", "plugins", "variables"}
    assert document["variables"]["GANZOO_CACHE"] == "~/cache"
    assert document["plugins"]["ganzoo-r3gan"]
    assert document["packages"]["torch"]
    out = output_of(capsys, "env")
    for text in ("  platform", "  onnxruntime", " thread"):
        assert text in out
    assert str(tmp_path) not in out
    assert "SECRET" not in out


def test_completions_know_every_command(capsys):
    for shell in ("bash", "zsh", "fish"):
        with pytest.raises(SystemExit) as end:
            main(["completion", shell])
        assert not end.value.code
        out = capsys.readouterr().out
        for command in [*COMMANDS, *SUBCOMMANDS["plot"], *SUBCOMMANDS["card"]]:
            assert command in out
        for option in ("--loss.r1", "--optimizer.lr", "--max-time", "--license-link"):
            assert option.removeprefix("--") in out


def test_a_model_is_described_in_one_line(tiny_bundle):
    for runtime, text in (("torch", "torch on cpu"), ("onnx", "onnxruntime on cpu")):
        line = repr(ganzoo.load(tiny_bundle, runtime=runtime))
        assert "\n" not in line
        assert line.endswith(f" parameters, {text}>")
    model = ganzoo.load("cgan-mnist", runtime="onnx")
    assert repr(model) == (
        "<OnnxGenerator cgan-mnist: 28x28x1, 10 classes, 378,433 parameters, onnxruntime on cpu>"
    )
    assert model.sample(3, label=7).labels.tolist() == [7, 7, 7]
    assert ganzoo.load("dcgan-mnist", runtime="onnx").sample(2).labels is None
