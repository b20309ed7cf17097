"""Benchmarks: the spec and its expansion, one tiny benchmark, stopping and continuing."""

import json
import os
import re
import shutil
import signal
import time
import tomllib

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

import ganzoo
from ganzoo.bundle.json_lines import read_lines
from ganzoo.cli import main
from ganzoo.comparison import runs
from ganzoo.comparison.results import SeedMean, align
from ganzoo.comparison.spec import SPECS, BenchmarkSpec, expand
from ganzoo.errors import MetricError, OutputError, RecipeError, RunExistsError, UnknownNameError
from ganzoo.registry import losses
from helpers.processes import run_cli, run_python, start_cli

SMALL = {"name": "dcgan", "width": 4, "latent-dim": 8}


def table(**changes):
    """A spec of two losses that fit, and one that does not."""
    return {
        "name": "small",
        "architectures": [SMALL],
        "losses": ["hinge", "lsgan", "vae"],
        "seeds": [0, 1],
        "dataset": "digits",
        "budget": {"images": 128},
        "protocol": {"metrics": ["frechet"], "samples": 300, "every": 64},
    } | changes


def spec(**changes):
    return BenchmarkSpec.from_dict(table(**changes))


OWN = """
import os, signal
import ganzoo
from ganzoo.games import AdversarialLoss, Criterion

def kill(real, fake):
    os.kill(os.getpid(), signal.SIGKILL)

ganzoo.losses.register("infinite")(
    lambda: AdversarialLoss(Criterion(lambda real, fake: (real - fake) / 0, lambda real, fake: fake))
)
ganzoo.losses.register("killing")(lambda: AdversarialLoss(Criterion(kill, kill)))
"""
LOSSES = ["hinge", "infinite", "vae"]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The folder and the output of a benchmark: a loss that fits, one that diverges, one that does
    not fit."""
    folder = tmp_path_factory.mktemp("benchmarks")
    (folder / "own.py").write_text(OWN)
    (folder / "small.toml").write_text(spec(losses=LOSSES).to_toml())
    words = ("benchmark", "small.toml", "--out", "out", "--import", "own.py")
    result = run_cli(*words, cwd=folder)
    assert result.returncode == 0, result.stderr
    return folder / "out", result


@pytest.fixture
def infinite():
    """Registers the loss in this process."""
    exec(OWN, {})
    yield
    for name in ("infinite", "killing"):
        losses.unregister(name)


def copy_of(small, tmp_path):
    return shutil.copytree(small[0], tmp_path / "out")


# The spec


NAMES = st.lists(st.sampled_from(losses.names()), min_size=1, max_size=5, unique=True)
SEEDS = st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True)
OPTIONS = st.dictionaries(st.sampled_from("abc"), st.just({"batch-size": 16}), min_size=1)


@given(names=NAMES, seeds=SEEDS, options=OPTIONS)
def test_the_expansion_is_the_product(names, seeds, options):
    chosen = spec(losses=names, seeds=seeds, options=options)
    combinations = expand(chosen)
    assert len({each.slug for each in combinations}) == len(names) * len(options)
    assert [each.recipe.loss.name for each in combinations[:: len(options)]] == names
    for recipe in (each.recipe for each in combinations):
        assert (recipe.images, recipe.batch_size, recipe.evaluate_every) == (128, 16, 64)
        assert recipe.architecture.arguments == {"width": 4, "latent_dim": 8}


@given(names=NAMES, seeds=SEEDS, options=OPTIONS)
def test_the_spec_is_the_same_after_toml(names, seeds, options):
    chosen = spec(losses=names, seeds=seeds, options=options)
    assert BenchmarkSpec.from_dict(tomllib.loads(chosen.to_toml())) == chosen


def test_a_base_recipe_states_the_other_fields(tmp_path):
    (tmp_path / "spec.toml").write_text(spec(recipe="base.toml").to_toml())
    base = "images = 9\nbatch_size = 8\narchitecture = 'dcgan'\nloss = 'hinge'\ndataset = 'digits'"
    (tmp_path / "base.toml").write_text(base)
    chosen = BenchmarkSpec.find(tmp_path / "spec.toml")
    assert [each.recipe.batch_size for each in expand(chosen)] == [8, 8, 8]
    assert expand(chosen)[0].recipe.images == 128


def test_a_row_has_the_names_that_differ():
    assert [each.label for each in expand(spec())] == ["hinge", "lsgan", "vae"]
    (only,) = expand(spec(losses=["hinge"]))
    assert only.label == "dcgan width 4 latent_dim 8 + hinge"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sedes": [1]}, "no field 'sedes'. Did you mean 'seeds'?"),
        ({"budget": {"image": 9}}, "no field 'budget.image'. Did you mean 'image"),
        ({"budget": {}}, "both or neither of images and minutes"),
        ({"budget": {"images": 9, "minutes": 1.0}}, "both or neither"),
        ({"seeds": []}, "seeds is empty"),
        ({"losses": ["hinge", "hinge"]}, "losses has an entry twice"),
        ({"protocol": {"metrics": [], "every": 1}}, "protocol.metrics is empty"),
        ({"options": {"a": {"batch-siz": 1}}}, "options 'a': a recipe has no field 'batch_siz'."),
        ({"options": {"a": {"images": 1}}}, "options 'a' set images, which the spec states"),
        ({"options": {"a b": {}, "a-b": {}}}, "two combinations of the spec have the name"),
        (
            {"budget": {"minutes": 1.0}, "options": {"a": {"optimizer": {"decay-start": 0.5}}}},
            "Set budget.images",
        ),
    ],
)
def test_a_wrong_spec_is_refused(changes, message):
    with pytest.raises(RecipeError) as error:
        expand(spec(**changes))
    assert message in str(error.value)


def test_unknown_names_are_refused(tmp_path):
    with pytest.raises(UnknownNameError, match="Did you mean 'hinge'"):
        expand(spec(losses=["hinje"]))
    with pytest.raises(RecipeError, match="Did you mean 'losses-on-digits'"):
        BenchmarkSpec.find("loss-on-digits")
    with pytest.raises(RecipeError, match="Check the path"):
        BenchmarkSpec.find(tmp_path / "none.toml")


def test_the_shipped_specs_are_valid():
    names = [file.stem for file in SPECS.glob("*.toml")]
    assert names == ["losses-on-digits"]
    for name in names:
        results = ganzoo.benchmark(name, check=True, out="none")
        assert not any(row.incompatible for row in results.rows)


# The results


def test_a_benchmark_writes_its_results(small):
    folder, result = small
    results = json.loads((folder / "results.json").read_text())
    assert results["finished"]
    assert [row["label"] for row in results["rows"]] == LOSSES  # those without values are last
    hinge, infinite, vae = results["rows"]
    assert hinge["parameters"] == 1_625
    assert hinge["final"]["frechet_distance"]["seeds"] == 2
    assert hinge["images_per_second"]["mean"] > 0
    for run in hinge["runs"]:
        lines = read_lines(folder / run["folder"] / "metrics.jsonl", ("metrics",))
        values = [line["metrics"]["frechet_distance"] for line in lines]
        assert run["final"] == {"frechet_distance": values[-1]}
        assert run["best"] == {"frechet_distance": min(values)}
    assert [run["status"] for run in infinite["runs"]] == ["diverged"] * 2
    assert infinite["runs"][0]["reason"].startswith("the discriminator's term 'adversarial' became")
    assert vae["runs"] == []
    assert vae["incompatible"].startswith("loss 'vae' trains encoder, generator")
    assert (folder / "results.md").read_text().strip() in result.stdout
    assert re.search(r"\| +2 diverged \|", result.stdout)
    assert "[4/4]" in result.stderr


def test_the_report_loads_nothing(small):
    page = (small[0] / "report.html").read_text()
    assert "http" not in page
    assert page.count('src="data:image/png;base64,') == 2  # curves, samples of hinge
    assert "diverged after 0 images" in page
    assert "discriminator-norm" not in page
    assert "every = 64" in page


def test_a_done_benchmark_trains_nothing(small, tmp_path, monkeypatch, infinite):
    folder = copy_of(small, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in (folder / "runs").rglob("*")}
    monkeypatch.setattr(runs, "train", None)
    results = ganzoo.benchmark(folder / "spec.toml", out=folder, progress=False)
    assert results.finished
    assert before == {path: path.stat().st_mtime_ns for path in (folder / "runs").rglob("*")}


def test_a_spec_adds_runs_and_changes_none(small, tmp_path, capsys, infinite):
    folder = copy_of(small, tmp_path)
    (tmp_path / "more.toml").write_text(spec(losses=[*LOSSES, "rpgan"], seeds=[0, 1, 2]).to_toml())
    assert main(["benchmark", str(tmp_path / "more.toml"), "--out", str(folder), "--check"]) == 0
    assert "5 of 9 runs left" in capsys.readouterr().out
    for changes, message in (
        ({"budget": {"images": 256}}, "images from 128 to 256"),
        ({"protocol": table()["protocol"] | {"samples": 280}}, "evaluate_samples from 300 to 280"),
        ({"budget": {"minutes": 1.0}}, "budget.minutes from 0.0 to 1.0"),
    ):
        with pytest.raises(RecipeError, match=f"changes runs of .*{message}"):
            ganzoo.benchmark(spec(losses=LOSSES, **changes), out=folder, check=True)


def test_two_benchmarks_on_one_folder_are_refused(tmp_path):
    with (
        FileLock(tmp_path / ".lock"),
        pytest.raises(RunExistsError, match="another benchmark runs in"),
    ):
        ganzoo.benchmark(spec(), out=tmp_path)


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path):
    outside = tmp_path / "outside.md"
    outside.write_text("mine")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/results.md").symlink_to(outside)
    with pytest.raises(OutputError, match="a benchmark does not read or write it"):
        ganzoo.benchmark(spec(), out=tmp_path / "out")
    assert outside.read_text() == "mine"


def test_files_that_are_no_specs_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    (tmp_path / "long.toml").write_text("#" * (2**20 + 1))
    for name, message in (
        ("pipe", "it is not a file"),
        ("latin", "Save it as UTF-8"),
        ("long", "the limit of a spec is 1,048,576"),
        ("none", "No such file or directory. Check the path"),
    ):
        with pytest.raises(RecipeError, match=message):
            BenchmarkSpec.find(tmp_path / f"{name}.toml")


def test_a_metric_that_needs_more_samples_is_refused(tmp_path):
    protocol = {"metrics": ["frechet"], "samples": 20, "every": 64}
    with pytest.raises(
        MetricError, match="the spec's protocol: metric 'frechet' cannot be"
    ) as error:
        ganzoo.benchmark(spec(protocol=protocol), out=tmp_path / "out")
    assert "--metrics" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_options_that_fit_nothing_are_refused(tmp_path):
    options = {"plain": {}, "a": {"loss": {"gpp": 1.0}}}
    with pytest.raises(RecipeError, match="options 'a' fit no combination: .*gpp"):
        ganzoo.benchmark(spec(options=options), out=tmp_path)


def test_an_exception_of_a_plugin_is_a_result(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise MemoryError("too little memory")

    monkeypatch.setattr(runs, "train", fail)
    results = ganzoo.benchmark(spec(losses=["hinge"], seeds=[0]), out=tmp_path, progress=False)
    (run,) = results.rows[0].runs
    assert (run.status, results.finished) == ("failed", True)
    assert "MemoryError: too little memory" in run.reason


@given(st.lists(st.floats(allow_nan=True), max_size=5))
def test_means_ignore_values_that_are_not_finite(values):
    mean = SeedMean.of(values)
    finite = [value for value in values if value - value == 0]
    assert (mean.seeds if mean else 0) == len(finite)


def test_a_mean_of_huge_values_does_not_overflow():
    assert SeedMean.of([1.5e308, 1.5e308]) == SeedMean(1.5e308, 0.0, 2)
    assert SeedMean.of([1e308, 2e307, -1e308]).mean == pytest.approx(2e307 / 3)
    assert SeedMean.of([0.0, 0.0]) == SeedMean(0.0, 0.0, 2)
    assert SeedMean.of([2.0, 4.0, 6.0]) == SeedMean(4.0, 2.0, 3)


def test_columns_are_aligned():
    assert align([["a", "b"], ["long", "10"]]) == ["a      b", "long  10"]


# Stop and continue


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_killed_benchmark_continues(tmp_path):
    protocol = {"metrics": ["precision-recall"], "samples": 64, "every": 640}
    chosen = spec(losses=["hinge"], seeds=[0], budget={"images": 20_000}, protocol=protocol)
    (tmp_path / "spec.toml").write_text(chosen.to_toml())
    command = ("benchmark", "spec.toml", "--out", "out")
    run = tmp_path / "out" / "runs" / "dcgan-width-4-latent-dim-8-hinge-seed-0"
    process = start_cli(*command, cwd=tmp_path)
    wait_for(lambda: any((run / "checkpoints").glob("*.safetensors")))
    process.kill()
    process.wait()
    assert not (run / "outcome.json").exists()

    process = start_cli(*command, cwd=tmp_path)
    log = run / "log.jsonl"
    wait_for(lambda: len(read_lines(log, ("terms",))) > 3)
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    assert "1 of 1 run left. The same command continues." in process.output()[1]
    assert "Not done" in (tmp_path / "out" / "report.html").read_text()
    images = [line["images"] for line in read_lines(log, ("terms",))]
    assert images == sorted(set(images))


def test_several_processes_train(tmp_path):
    """They are forks of the test's process, which has imported everything."""
    code = f"""
import multiprocessing, sys, torch
{OWN}
torch.set_num_threads(1)
get_context = multiprocessing.get_context
multiprocessing.get_context = lambda method: get_context("fork")
results = ganzoo.benchmark({table(losses=["hinge", "killing"], seeds=[0])}, jobs=2, out="out")
print({{row.loss: (row.runs[0].status, row.runs[0].reason) for row in results.rows}})
"""
    result = run_python(code, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "'hinge': ('finished', '')" in result.stdout
    assert "'killing': ('failed', 'the process ended with exit status -9')" in result.stdout


def test_each_process_has_a_gpu(monkeypatch):
    assert runs._device_of(1, "cpu") == "cpu"
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert [runs._device_of(slot, None) for slot in range(3)] == ["cuda:0", "cuda:1", "cuda:0"]
