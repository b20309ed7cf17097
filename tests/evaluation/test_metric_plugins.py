"""A third-party metric: one file and an entry point."""

import json

import pytest

import ganzoo
from ganzoo import plots
from ganzoo.cli import main
from ganzoo.errors import BrokenPluginError, MetricError, RecipeError
from ganzoo.evaluation import Evaluator, plan_evaluation
from ganzoo.registry import better_of
from ganzoo.spec import Component, DataSpec, ImageSpec
from ganzoo.training import prepare
from helpers.distributions import install
from helpers.recipes import tiny

CODE = """
from ganzoo import Metric
from ganzoo.evaluation import ImageSets

def brightness_gap(sets: ImageSets) -> dict[str, float]:
    '''Difference of the mean brightness, https://example.org/brightness.'''
    real, fake = sets.real.pixels.mean(), sets.fake.pixels.mean()
    return {"brightness_gap": abs(real - fake), "brightness_match": 1 - abs(real - fake) / 255}

brightness = Metric(
    brightness_gap,
    {"brightness_gap": "lower", "brightness_match": "higher"},
    settings=lambda sets: "mean of all pixels",
    refuses=lambda extractor, data: "" if data.image.channels == 1 else "it is for grey images",
)
contrast = Metric(lambda sets: {"contrast": 1.0}, {"contrast": "higher"}, by_default=True)
undeclared = Metric(lambda sets: {"other": 1.0}, {"contrast_2": "higher"})
failing = Metric(lambda sets: {"nothing": 1 / 0}, {"nothing": "higher"})
colliding = Metric(lambda sets: {"precision": 1.0}, {"precision": "higher"})
number = 3
"""
QUICK = {"samples": 300, "extractor": "pixels", "progress": False}
NAMES = ("brightness", "contrast", "undeclared", "failing", "colliding", "number")


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("GANZOO_CACHE", str(tmp_path / "cache"))
    points = {name: f"acme_metrics:{name}" for name in NAMES}
    install(tmp_path / "site", "acme-metrics", {"metrics": points}, acme_metrics=CODE)
    return tmp_path / "site"


@pytest.fixture
def site_of_one(tmp_path, monkeypatch):
    """A distribution with only the correct metric."""
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("GANZOO_CACHE", str(tmp_path / "cache"))
    code = CODE.partition("contrast = ")[0]
    points = {"metrics": {"brightness": "acme_brightness:brightness"}}
    install(tmp_path / "site", "acme-brightness", points, acme_brightness=code)


def evaluator(*metrics, channels=1, **how):
    items, spec = ganzoo.datasets.get("digits")(None)
    spec = DataSpec(ImageSpec(*spec.image.shape[1:], channels))
    images = items.tensors[0][:300].expand(-1, channels, -1, -1)
    plan = plan_evaluation("pixels", spec, len(images), metrics=metrics, **how)
    return Evaluator(images, None, plan, {"sha256": "0" * 64})


def test_a_named_metric_is_evaluated(site_of_one, bundle, capsys):
    names = ["--metrics", "brightness", "precision-recall"]
    options = ["--samples", "300", "--extractor", "pixels", *names]
    assert main(["evaluate", str(bundle), *options]) == 0
    output = capsys.readouterr().out
    assert "brightness gap" in output
    assert "brightness mean of all pixels, precision-recall k 3" in output
    (evaluation,) = json.loads((bundle / "config.json").read_text())["provenance"]["metrics"]
    assert list(evaluation["metrics"]) == [
        "brightness_gap",
        "brightness_match",
        "precision",
        "recall",
    ]
    assert "| brightness gap | " in (bundle / "README.md").read_text()
    assert main(["list", "bright*", "--kind", "metrics"]) == 0
    assert "acme-brightness 1.2" in capsys.readouterr().out
    assert main(["plugins"]) == 0
    assert "  metrics        brightness\n" in capsys.readouterr().out
    assert main(["check", "acme-brightness"]) == 0
    assert "7 ok" in capsys.readouterr().out


def test_an_unnamed_metric_is_computed_only_by_default(site):
    with pytest.warns(UserWarning, match="a metric is skipped: metric 'number'"):
        names = list(evaluator().plan.metrics)
    assert "contrast" in names
    assert not {"brightness", "undeclared", "failing", "colliding", "number"} & set(names)


def test_the_refusal_of_a_metric_is_the_reason(site):
    with pytest.raises(MetricError, match="'brightness' cannot be computed here: it is for grey"):
        evaluator("brightness", channels=3)
    with pytest.raises(MetricError, match="'pixel-pairs' cannot.*translated images"):
        evaluator("pixel-pairs")


def test_two_metrics_with_one_value_name_are_refused(site):
    with pytest.raises(
        MetricError, match="a value 'precision', which the metric 'colliding' returns too"
    ):
        evaluator("colliding", "precision-recall")


DEFAULTS = """
from ganzoo import Metric

def broken(*arguments):
    raise KeyError("nowhere")

def default(compute, name, **options):
    return Metric(compute, {name: "higher"}, by_default=True, **options)

fails = default(broken, "a")
refuses = default(lambda sets: {"b": 1.0}, "b", refuses=broken)
counts = default(lambda sets: {"c": 1.0}, "c", too_few=broken)
collides = default(lambda sets: {"precision": 1.0}, "precision")
not_a_number = default(lambda sets: {"d": float("nan")}, "d")
"""


def test_one_odd_default_metric_does_not_refuse_the_others(tmp_path, monkeypatch, bundle):
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("GANZOO_CACHE", str(tmp_path / "cache"))
    names = ("fails", "refuses", "counts", "collides", "not_a_number")
    points = {name.replace("_", "-"): f"acme_odd:{name}" for name in names}
    install(tmp_path / "site", "acme-odd", {"metrics": points}, acme_odd=DEFAULTS)
    with pytest.warns(UserWarning, match="is left out") as record:
        evaluation = ganzoo.evaluate(bundle, **QUICK)
    assert evaluation.metrics["precision"] != 1.0, "ganzoo's own"
    left_out = evaluation.protocol["left_out"]
    assert {"fails", "refuses", "counts", "collides", "d"} <= left_out.keys()
    assert all("KeyError: 'nowhere'" in left_out[name] for name in ("fails", "refuses", "counts"))
    assert "which the metric 'precision-recall' returns too" in left_out["collides"]
    assert left_out["d"] == "its value is nan"
    messages = " ".join(str(warning.message) for warning in record)
    assert all(f"metric {name!r} is left out" in messages for name in left_out)


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("undeclared", "'undeclared' of acme-metrics 1.2 returned the value 'other', but declares"),
        ("failing", r"'failing' of acme-metrics 1.2 failed: ZeroDivisionError.*acme_metrics.py"),
        ("number", "it is int, not a ganzoo.Metric"),
    ],
)
def test_a_broken_metric_is_named(site, bundle, metric, message):
    with pytest.raises(BrokenPluginError, match=message):
        ganzoo.evaluate(bundle, **QUICK, metrics=[metric])


def measured(values, name):
    return [{"images": 1000 * (k + 1), "metrics": {name: x}} for k, x in enumerate(values)]


def marks(lines):
    (axes,) = plots.draw_metrics(lines).axes
    labels = [str(line.get_label()) for line in axes.get_lines()]
    return axes.get_title("left"), [label for label in labels if ": " in label]


@pytest.mark.parametrize(
    ("figure", "best"), [("brightness_gap", "best: 1 at 2k"), ("brightness_match", "best: 9 at 1k")]
)
def test_a_plot_marks_its_best_value(site_of_one, figure, best):
    _, labels = marks(measured([9.0, 1.0, 2.0], figure))
    assert labels == [f"{best} images", "final: 2 at 3k images"]


def test_a_plot_of_an_unknown_value_marks_no_best():
    title, labels = marks(measured([9.0, 1.0, 2.0], "brightness_gap"))
    assert labels == ["final: 2 at 3k images"]
    assert title == "brightness gap (no installed metric declares which is better)"
    assert better_of("brightness_gap") is None


def test_a_broken_metric_keeps_the_declarations_of_others(site):
    assert better_of("brightness_gap") == "lower"
    assert better_of("unknown") is None


def test_the_best_bundle_is_kept(tmp_path):
    values = iter([3.0, 1.0, 2.0])
    metric = ganzoo.Metric(
        lambda sets: {"gap": next(values)}, {"gap": "lower", "size": "neither"}, by_default=True
    )
    ganzoo.metrics.register("gap")(metric)
    fields = {
        "architecture": Component("mlp", {"latent_dim": 8, "width": 32}),
        "dataset": Component("ring", {"count": 64}),
        "images": 48,
        "evaluate_every": 16,
        "evaluate_samples": 16,
    }
    try:
        recipe = tiny(**fields, keep_best="gap")
        run = ganzoo.train(recipe, out=tmp_path / "run", progress=False, tensorboard="off")
        with pytest.raises(RecipeError, match="keep_best is 'size', a metric where neither"):
            prepare(tiny(**fields, keep_best="size"))
    finally:
        ganzoo.metrics.unregister("gap")
    best = ganzoo.info(run.best).provenance["best"]
    assert (best["lowest"], best["value"]) == ("gap", 1.0)


def test_a_comparison_marks_the_best(site_of_one, bundle, tmp_path, capsys):
    other = ganzoo.train(tiny(name="other", images=16), out=tmp_path / "other", progress=False)
    options = ["--samples", "300", "--extractor", "pixels", "--metrics", "brightness"]
    names = [str(bundle), str(other.bundle)]
    assert main(["compare", *names, *options, "-o", str(tmp_path / "both.png")]) == 0
    *_, first, second, lower, higher, note = capsys.readouterr().out.splitlines()
    assert note.endswith("; * best value")
    assert (lower.split(":")[0], higher.split(":")[0]) == ("lower is better", "higher is better")
    gaps, matches = zip(*(row.split()[-2:] for row in (first, second)), strict=True)
    best = [gap.endswith("*") for gap in gaps].index(True)
    assert float(gaps[best].rstrip("*")) == min(float(gap.rstrip("*")) for gap in gaps)
    assert matches[best].endswith("*")
    assert not matches[1 - best].endswith("*")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"better": {}}, "declares no value"),
        ({"better": {"a": "hihger"}}, "'a' is better 'hihger': choose 'higher'"),
        ({"better": {"a": "higher"}, "needs": ("feature",)}, "needs 'feature': choose from"),
    ],
)
def test_wrong_declarations_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ganzoo.Metric(lambda sets: {}, **arguments)
