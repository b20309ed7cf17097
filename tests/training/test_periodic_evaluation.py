"""Periodic evaluation during a training, and the best bundle."""

import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import ganzoo
from ganzoo.bundle.json_lines import cut_back, read_lines
from ganzoo.comparison import models
from ganzoo.data import opening
from ganzoo.data.run_data import RunData
from ganzoo.errors import MetricError, RecipeError, UnknownNameError
from ganzoo.spec import Component, Optimizer, Recipe
from ganzoo.training import evaluation, prepare, run, snapshot
from ganzoo.training.evaluation import evaluate, evaluator_of
from ganzoo.training.snapshot import keep_best_by_metric
from helpers.datasets import pictures
from helpers.processes import run_cli
from helpers.recipes import play, tiny
from helpers.torchrun import run_group

FRECHET = "frechet_distance"


@pytest.fixture(autouse=True)
def _no_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("GANZOO_CACHE", str(tmp_path_factory.mktemp("cache")))


def points(**changes):
    """Return a recipe whose images are points, which are fast to evaluate."""
    fields = {
        "architecture": Component("mlp", {"latent_dim": 8, "width": 32}),
        "dataset": Component("ring", {"count": 512}),
        "optimizer": Optimizer(lr=2e-3),
        "images": 320,
        "checkpoint_every": 64,
        "evaluate_every": 48,
        "evaluate_samples": 64,
    }
    return tiny(**fields | changes)


def train(recipe, out, **options):
    return ganzoo.train(recipe, out=out, progress=False, tensorboard="off", **options)


def test_the_speed_leaves_out_evaluations(tmp_path, monkeypatch):
    clock, late = time.perf_counter, [0.0]

    def slow_evaluate(*arguments):
        late[0] += 1e6
        return evaluate(*arguments)

    monkeypatch.setattr(run, "evaluate", slow_evaluate)
    monkeypatch.setattr(time, "perf_counter", lambda: clock() + late[0])
    path = train(points(images=96, log_every=16), tmp_path / "run").path
    lines = read_lines(path / "log.jsonl")
    assert late[0] == 2e6
    assert all(line["images_per_second"] > 0.1 for line in lines)
    assert lines[-1]["seconds"] < 1e6


def metrics_of(run):
    return read_lines(run.path / "metrics.jsonl")


def weights_of(run):
    return load_file(sorted((run.path / "checkpoints").iterdir())[-1])


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANZOO_CACHE", str(tmp_path_factory.mktemp("cache")))
        recipe = points(keep_best=FRECHET)
        yield train(recipe, tmp_path_factory.mktemp("runs") / "run")


def test_values_equal_those_of_the_bundle(evaluated):
    lines = metrics_of(evaluated)
    assert [line["images"] for line in lines] == [48, 96, 144, 192, 240, 288, 320]
    log = {line["images"]: line["seconds"] for line in read_lines(evaluated.path / "log.jsonl")}
    assert [line["seconds"] for line in lines] == [log[line["images"]] for line in lines]
    last = lines[-1]
    again = models.evaluate(evaluated.path, samples=64, seed=0, runtime="torch", progress=False)
    assert last["metrics"] == pytest.approx(again.metrics, rel=1e-6)
    assert {FRECHET, "precision", "recall", "modes_hit"} <= set(last["metrics"])
    alike = {key: again.protocol[key] for key in last["protocol"]}
    assert last["protocol"] == alike
    assert last["protocol"]["extractor"] == "pixels"
    assert last["protocol"]["samples"] == 64


def test_the_best_bundle_by_a_metric_is_stored(evaluated, tmp_path):
    lines = metrics_of(evaluated)
    best = min(lines, key=lambda line: line["metrics"][FRECHET])
    provenance = ganzoo.info(evaluated.best).provenance
    assert provenance["best"] == {
        "lowest": FRECHET,
        "value": best["metrics"][FRECHET],
        "real_sha256": best["protocol"]["sha256"],
        "extractor": best["protocol"]["extractor"],
        "samples": 64,
    }
    assert provenance["images_seen"] == best["images"]
    again = models.evaluate(evaluated.best, samples=64, runtime="torch", progress=False)
    assert again.metrics[FRECHET] == pytest.approx(best["metrics"][FRECHET], rel=1e-6)
    ganzoo.export(evaluated.best, tmp_path / "out")
    card = " ".join((tmp_path / "out" / "README.md").read_text().split())
    assert f"those of the evaluation with the lowest `{FRECHET}`" in card


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        (FRECHET, {}, ""),
        ("precision", {}, "best by another number than 'precision', so it is measured again"),
        (FRECHET, {"extractor": "lenet-mnist@1"}, "with another extractor or number of samples"),
        (FRECHET, {"samples": 65}, "with another extractor or number of samples"),
        ("generator/adversarial", {}, "by another number.*so the next bundle replaces it"),
    ],
)
def test_the_best_value_is_of_the_same_number_and_protocol(evaluated, name, change, says):
    """A resumed run may select and measure otherwise."""
    best = ganzoo.info(evaluated.best).provenance["best"]
    measured = SimpleNamespace(metrics={FRECHET: 5.0, "precision": 0.5})
    prepared = SimpleNamespace(
        recipe=SimpleNamespace(keep_best=name),
        state=SimpleNamespace(device="cpu"),
        evaluator=lambda model: measured,
    )
    basis = {key: best[key] for key in ("real_sha256", "extractor", "samples")} | change
    if not says:
        assert snapshot._best_value(evaluated.best, prepared, basis) == best["value"]
        return
    with pytest.warns(UserWarning, match=says):
        value = snapshot._best_value(evaluated.best, prepared, basis if "/" not in name else {})
    assert value == measured.metrics.get(name)


def test_higher_is_better_for_some_metrics(tmp_path):
    run = train(points(keep_best="precision", images=192), tmp_path / "run")
    values = [line["metrics"]["precision"] for line in metrics_of(run)]
    provenance = ganzoo.info(run.best).provenance
    best = provenance["best"]
    assert (best["highest"], best["value"]) == ("precision", max(values))
    assert provenance["images_seen"] == metrics_of(run)[values.index(max(values))]["images"]
    assert max(values) > min(values)
    ganzoo.export(run.best, tmp_path / "out")
    card = " ".join((tmp_path / "out" / "README.md").read_text().split())
    assert "the highest `precision`" in card


def test_a_metric_that_is_not_computed_cannot_select_the_best_bundle(tmp_path):
    recipe = points(keep_best="frechet_distanse", images=48)
    with pytest.raises(RecipeError, match=f"has no such metric.*Did you mean '{FRECHET}'"):
        train(recipe, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_evaluation_does_not_change_the_training(evaluated, tmp_path):
    plain = train(points(evaluate_every=0, evaluate_samples=2_000), tmp_path / "plain")
    assert not (plain.path / "metrics.jsonl").exists()
    assert same(weights_of(plain), weights_of(evaluated))


def test_a_killed_run_drops_metrics_after_its_checkpoint(evaluated, tmp_path):
    run = train(points(keep_best=FRECHET), tmp_path / "run").path
    for file in sorted((run / "checkpoints").iterdir())[1:]:
        file.unlink()
    (left,) = (run / "checkpoints").iterdir()
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"images": 320, "cut o')
    images = int(left.stem)
    assert 0 < images < 320
    resumed = ganzoo.resume(run, progress=False)

    def timeless(lines):
        return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]

    assert timeless(metrics_of(resumed)) == timeless(metrics_of(evaluated))
    assert same(weights_of(resumed), weights_of(evaluated))
    best = [ganzoo.info(r.best).provenance for r in (resumed, evaluated)]
    assert best[0]["best"] == best[1]["best"]
    assert best[0]["images_seen"] == best[1]["images_seen"]


def test_lines_are_truncated_to_a_number_of_images(tmp_path):
    file = tmp_path / "lines.jsonl"
    cut_back(file, 10)
    assert read_lines(file) == []
    file.write_text('{"images": 5}\n{"images": 10}\n{"images": 11}\n{"images": 3')
    cut_back(file, 10)
    assert read_lines(file) == [{"images": 5}, {"images": 10}]


def test_an_interruption_does_not_evaluate(tmp_path):
    recipe = points(images=10**9, evaluate_every=10**8)
    run = train(recipe, tmp_path / "run", max_time="1s")
    assert run.ended == "time"
    assert metrics_of(run) == []


def test_an_evaluation_can_precede_the_first_log_line(tmp_path):
    recipe = points(images=64, log_every=10**6, evaluate_every=32, keep_best=FRECHET)
    run = train(recipe, tmp_path / "run")
    assert [line["images"] for line in metrics_of(run)] == [32, 64]
    assert run.best.exists()


@pytest.mark.parametrize("streaming", ["on", "off"])
def test_real_images_can_be_streamed(tmp_path, streaming):
    run = train(points(images=48, streaming=streaming), tmp_path / "run")
    (line,) = metrics_of(run)
    assert line["protocol"]["real_images"] == 512


KERNEL = "kernel_distance"


@pytest.fixture
def begun_in_memory(tmp_path, monkeypatch):
    """An unfinished run on 60 image files, and from now on memory for 40 of them."""
    recipe = points(
        dataset=Component("folder", {"size": 8, "channels": 1}),
        images=96,
        keep_best=KERNEL,
        evaluate_with="pixels",
    )
    data = pictures(tmp_path / "data", [f"{k}.png" for k in range(60)], size=(9, 9))
    run = train(recipe, tmp_path / "run", data=data)
    max((run.path / "checkpoints").iterdir()).unlink()
    monkeypatch.setattr(opening, "MEMORY_SHARE", 0.0)
    monkeypatch.setattr(evaluation, "STREAMED", 40)
    return run


def test_a_run_that_streams_since_its_resumption_is_one_run(begun_in_memory):
    with pytest.warns(UserWarning, match="best was measured on other real images"):
        run = ganzoo.resume(begun_in_memory.path, progress=False, tensorboard="off")
    lines = metrics_of(run)
    assert [line["protocol"]["real_images"] for line in lines] == [60, 40]
    assert lines[0]["protocol"]["sha256"] != lines[1]["protocol"]["sha256"]
    fingerprints = {RunData.read(run.path).sha256}
    for bundle in (run.best, run.bundle):
        fingerprints.add(ganzoo.info(bundle).provenance["data"]["sha256"])
        options = {"samples": 16, "metrics": ["precision-recall"], "extractor": "pixels"}
        again = models.evaluate(bundle, **options, runtime="torch", progress=False)
        assert again.protocol["real_images"] == 60, "the folder of the run is known"
    assert len(fingerprints) == 1


@pytest.mark.filterwarnings("ignore:.* was measured on other real images")
@pytest.mark.parametrize("better", [True, False])
def test_the_best_value_is_of_the_same_real_images(begun_in_memory, better):
    run = begun_in_memory
    recipe = Recipe.from_toml(run.path / "recipe.toml")
    prepared = prepare(recipe, data=run.path.parent / "data", device="cpu")
    recorded = ganzoo.info(run.best).provenance["best"]
    again = prepared.evaluator(ganzoo.load(run.best)).metrics[KERNEL]
    assert again != pytest.approx(recorded["value"])
    line = evaluate(run.path, prepared)
    assert line["protocol"]["real_images"] == 40
    line["metrics"][KERNEL] = again - 1e-6 if better else again + 1e-6
    keep_best_by_metric(run.path, prepared, line)
    best = ganzoo.info(run.best).provenance["best"]
    if better:
        sha256 = line["protocol"]["sha256"]
        basis = {"real_sha256": sha256, "extractor": "pixels", "samples": 64}
        assert best == {"lowest": KERNEL, "value": again - 1e-6} | basis
    else:
        assert best == recorded


def test_invalid_evaluations_are_refused_before_writing(tmp_path):
    few = tiny(evaluate_every=16, evaluate_samples=256, keep_best=FRECHET)
    needed = "'frechet' cannot be computed: features of 256 dimensions need 257 or more"
    with (
        pytest.warns(UserWarning, match="'frechet' is left out"),
        pytest.raises(RecipeError, match=f"keep_best is '{FRECHET}', but metric {needed}"),
    ):
        train(few, tmp_path / "run")
    with pytest.raises(RecipeError, match="has no player 'g'.*Its players: discriminator, gen"):
        train(tiny(keep_best="g/adversarial"), tmp_path / "run")
    with pytest.raises(UnknownNameError, match="no extractor named 'pixel'"):
        train(points(evaluate_with="pixel"), tmp_path / "run")
    with pytest.raises(UnknownNameError, match="no metric named 'frecht'"):
        train(points(evaluate_metrics=("frecht",)), tmp_path / "run")
    with pytest.raises(MetricError, match="'frechet' cannot be computed"):
        train(replace(few, keep_best="", evaluate_metrics=("frechet",)), tmp_path / "run")
    with pytest.raises(RecipeError, match="has no such metric.*It has frechet_distance"):
        train(points(evaluate_metrics=("frechet",), keep_best="recall"), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    with pytest.raises(ValueError, match="evaluate_metrics is frechet, but evaluate_every is 0"):
        points(evaluate_metrics=("frechet",), evaluate_every=0)
    with pytest.raises(ValueError, match="evaluate_samples is 9, but evaluate_every is 0"):
        tiny(evaluate_samples=9)
    with pytest.raises(ValueError, match="a metric, but evaluate_every is 0"):
        tiny(keep_best=FRECHET)
    with pytest.raises(ValueError, match="evaluate_samples is 1; it must be at least 2"):
        tiny(evaluate_samples=1)


def test_a_translator_is_not_evaluated():
    class Translator(nn.Module):
        def forward(self, condition):
            return condition

    prepared = prepare(tiny())
    prepared.state.nets["generator"] = Translator()
    recipe = replace(prepared.recipe, evaluate_every=16)
    with pytest.raises(RecipeError, match="--evaluate-every 16 measures images"):
        evaluator_of(recipe, prepared.batches, prepared.state)


def test_unknown_data_is_compared_by_pixels(tmp_path):
    from torch.utils.data import TensorDataset

    torch.manual_seed(0)
    data = TensorDataset(torch.randint(256, (99, 1, 1, 5), dtype=torch.uint8), torch.zeros(99))
    ganzoo.datasets.register("noise")(
        lambda root: (data, ganzoo.DataSpec(ganzoo.ImageSpec(1, 5, 1)))
    )
    try:
        run = train(points(dataset=Component("noise"), images=48), tmp_path / "run")
    finally:
        ganzoo.datasets.unregister("noise")
    assert metrics_of(run)[0]["protocol"]["extractor"] == "pixels"


def test_a_training_without_evaluation_prepares_no_evaluator():
    prepared = prepare(points(evaluate_every=0, evaluate_samples=2_000))
    assert prepared.evaluator is None
    play(prepared)


def test_only_the_first_process_evaluates(tmp_path):
    (tmp_path / "recipe.toml").write_text(points(keep_best=FRECHET, images=96).to_toml())
    status, _, err = run_group(2, "train", tmp_path / "recipe.toml", "--out", tmp_path / "run")
    assert status == 0, err
    lines = read_lines(tmp_path / "run" / "metrics.jsonl")
    assert [line["images"] for line in lines] == [48, 96]
    assert err.count(f"at 48 images: {FRECHET}") == 1


def test_the_command_line_and_tensorboard_show_metrics(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = tmp_path / "run"
    result = run_cli(
        *("train", "dcgan-digits", "--dataset", "ring", "--architecture", "mlp"),
        *("--images", "128", "--log-every", "64", "--evaluate-every", "64"),
        *("--evaluate-samples", "50", "--evaluate-with", "pixels", "--keep-best", "recall"),
        *("--evaluate-metrics", "frechet", "precision-recall"),
        *("--out", run),
    )
    assert result.returncode == 0, result.stderr
    events = EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    points = [(event.step, event.value) for event in events.Scalars(f"metrics/{FRECHET}")]
    lines = read_lines(run / "metrics.jsonl")
    assert {name for line in lines for name in line["metrics"]} == {FRECHET, "precision", "recall"}
    assert [step for step, _ in points] == [64, 128]
    assert [x for _, x in points] == pytest.approx([line["metrics"][FRECHET] for line in lines])
