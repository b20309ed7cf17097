"""A real TensorBoard shows the files of a training."""

import json
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import pytest
import torch

import ganzoo
from ganzoo.bundle.json_lines import read_lines
from ganzoo.errors import MissingExtraError
from ganzoo.sampling.images import ImageBatch
from ganzoo.training import TrackedRun
from helpers.processes import run_new
from helpers.recipes import tiny

STALE = tiny(images=96, sample_every=32, learning_rates={"generator": 0.0})
PLAYERS = ("gradient_norms", "learning_rates", "movement")
ODD = torch.nn.ParameterDict(
    {
        "nan": torch.tensor([1.0, float("nan")]),
        "equal": torch.full((5,), 3.0),
        "some": torch.tensor([0.0, 1.0, 1.0, 2.0]),
    }
)


class Shown:
    """A TensorBoard of a folder of runs, with its HTTP interface."""

    def __init__(self, folder, *options):
        command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder)]
        command += ["--host", "127.0.0.1", "--port", "0", *options]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if match := re.search(r"http://127\.0\.0\.1:\d+", line):
                self.address = match[0]
                break

    def wait_for(self, run, tag, step):
        """Wait until it has read a run so far."""
        deadline = time.monotonic() + 60
        while (
            tag not in self.tags(run, "scalars") or self.points(run, "scalars", tag)[-1][1] < step
        ):
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def ask(self, what, **which):
        with self.open(what, **which) as answer:
            return json.loads(answer.read())

    def open(self, what, **which):
        url = f"{self.address}/data/plugin/{what}?{urllib.parse.urlencode(which)}"
        return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url)

    def tags(self, run, plugin):
        return set(self.ask(f"{plugin}/tags").get(f"{run}/tensorboard", ()))

    def points(self, run, plugin, tag):
        return self.ask(f"{plugin}/{plugin}", run=f"{run}/tensorboard", tag=tag)

    def picture(self, run, tag):
        """Return the steps of an image, and its newest PNG."""
        entries = self.ask("images/images", run=f"{run}/tensorboard", tag=tag, sample=0)
        with self.open(f"images/individualImage?{entries[-1]['query']}&x=") as answer:
            return [picture["step"] for picture in entries], answer.read()

    def close(self):
        self.process.terminate()
        self.process.communicate(timeout=60)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs, one of them resumed, and unusual values. Do not change them."""
    folder = tmp_path_factory.mktemp("runs")
    resumed = ganzoo.train(tiny(images=96), out=folder / "resumed", progress=False).path
    assert len(list((resumed / "tensorboard").iterdir())) == 1
    sorted((resumed / "checkpoints").iterdir())[-1].unlink()
    began = int(time.time())
    ganzoo.train(STALE, out=folder / "stale", progress=False)
    tracker = ganzoo.trackers.make("tensorboard")
    tracker.start(TrackedRun(folder / "odd", STALE, 0))
    tracker.log_scalars(1, {"metrics/frechet_distance": 3.0})
    large = ImageBatch(torch.zeros(64, 200, 200, 1, dtype=torch.uint8).numpy())
    tracker.log_images(1, "large", large)
    tracker.log_weights(1, {"net": ODD})
    tracker.finish()
    while int(time.time()) == began:  # event files are read in the order of their seconds
        time.sleep(0.05)
    ganzoo.resume(resumed, progress=False)
    return folder


@pytest.fixture(scope="module", params=["true", "false"], ids=["fast", "slow"])
def board(request, runs):
    """A TensorBoard of the runs, with either of its readers."""
    board = Shown(runs, f"--load_fast={request.param}")
    yield board
    board.close()


@pytest.fixture
def reader(board, socket_enabled):
    """The same TensorBoard, after it has read everything."""
    for run, tag, step in (
        ("stale", "terms/generator/adversarial", 96),
        ("resumed", "terms/generator/adversarial", 96),
        ("odd", "metrics/frechet_distance", 1),
    ):
        board.wait_for(run, tag, step)
    return board


def test_scalars_images_histograms_and_findings_are_written(runs, reader):
    lines = read_lines(runs / "stale" / "log.jsonl")
    assert reader.tags("stale", "scalars") == {
        *("terms/discriminator/adversarial", "terms/generator/adversarial"),
        *("metrics/discriminator/accuracy", "speed/images_per_second"),
        *(f"{what}/{player}" for player in ("discriminator", "generator") for what in PLAYERS),
        *("totals/discriminator", "totals/generator"),
        *("samples/diversity", "samples/distance"),
    }
    for entry, name in (
        ("terms", "generator/adversarial"),
        ("metrics", "discriminator/accuracy"),
        ("gradient_norms", "generator"),
    ):
        points = reader.points("stale", "scalars", f"{entry}/{name}")
        assert [step for _, step, _ in points] == [16, 32, 48, 64, 80, 96]
        assert [value for _, _, value in points] == pytest.approx([x[entry][name] for x in lines])
    steps, png = reader.picture("stale", "samples")
    assert steps == [32, 64, 96]
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    weights = {
        f"{role}/{name}": weight
        for role, net in ganzoo.training.prepare(STALE).state.nets.items()
        for name, weight in net.named_parameters()
    }
    assert reader.tags("stale", "histograms") == set(weights)
    for _, step, bins in reader.points("stale", "histograms", "generator/layers.0.weight"):
        assert step in (32, 64, 96)
        counts = sum(count for _, _, count in bins)
        assert counts == pytest.approx(weights["generator/layers.0.weight"].numel())
    (tag,) = reader.tags("stale", "text")
    assert tag.startswith("findings")
    (text,) = reader.points("stale", "text", tag)
    assert text["step"] == 48
    assert "stale learning rate since 16 images" in text["text"]


def test_a_resumed_run_continues_in_the_same_folder(runs, reader):
    """Values after the resumed checkpoint are written and shown once."""
    assert len(list((runs / "resumed" / "tensorboard").iterdir())) == 2
    points = reader.points("resumed", "scalars", "terms/generator/adversarial")
    assert [step for _, step, _ in points] == [16, 32, 48, 64, 80, 96]


def test_a_finished_run_that_is_resumed_writes_nothing(tmp_path):
    run = ganzoo.train(tiny(images=16), out=tmp_path / "run", progress=False).path
    before = {file.name: file.read_bytes() for file in (run / "tensorboard").iterdir()}
    ganzoo.resume(run, progress=False)
    assert {file.name: file.read_bytes() for file in (run / "tensorboard").iterdir()} == before


def test_missing_tensorboard_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    run = ganzoo.train(tiny(images=16), out=tmp_path / "run", progress=False)
    assert not (run.path / "tensorboard").exists()
    with pytest.raises(MissingExtraError, match="the tracker 'tensorboard' needs tensorboard"):
        ganzoo.train(tiny(images=16), out=tmp_path / "other", tensorboard="on")
    assert not (tmp_path / "other").exists()


def test_tensorboard_is_imported_on_first_use():
    code = """
import sys, ganzoo
ganzoo.trackers.make("tensorboard")
assert not any(name.split(".")[0] == "tensorboard" for name in sys.modules)
"""
    done = run_new("-c", code)
    assert done.returncode == 0, done.stderr


def test_constant_and_non_finite_weights_are_handled(reader):
    assert reader.tags("odd", "scalars") == {"metrics/frechet_distance"}
    assert reader.tags("odd", "histograms") == {"net/equal", "net/some"}
    ((_, _, equal),) = reader.points("odd", "histograms", "net/equal")
    assert sum(count for _, _, count in equal) == pytest.approx(5)
    assert all(2.5 <= low <= high <= 3.5 for low, high, _ in equal)


def test_a_large_image_is_downsized(reader):
    _, png = reader.picture("odd", "large")
    assert int.from_bytes(png[16:20], "big") == 1024
