"""What a training writes is what a real TensorBoard shows."""

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
from ganzoo.errors import MissingExtraError
from ganzoo.sampling.images import ImageBatch
from ganzoo.training import TrackedRun
from ganzoo.training.jsonl import read_lines
from helpers.processes import run_cli, run_new
from helpers.recipes import tiny

STALE = tiny(images=96, sample_every=32, learning_rates={"generator": 0.0})


class Shown:
    """A TensorBoard that shows a folder, asked through its HTTP interface."""

    def __init__(self, folder, *options):
        command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder)]
        command += ["--host", "127.0.0.1", "--port", "0", *options]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                self.address = found[0]
                break
        deadline = time.monotonic() + 60
        while not self.ask("scalars/tags") and time.monotonic() < deadline:
            time.sleep(0.2)
        (self.run,) = self.ask("scalars/tags")

    def ask(self, what, **which):
        with self.open(what, **which) as answer:
            return json.loads(answer.read())

    def open(self, what, **which):
        query = urllib.parse.urlencode(which)
        return urllib.request.urlopen(f"{self.address}/data/plugin/{what}?{query}")

    def tags(self, plugin):
        return set(self.ask(f"{plugin}/tags").get(self.run, ()))

    def points(self, plugin, tag):
        return self.ask(f"{plugin}/{plugin}", run=self.run, tag=tag)

    def close(self):
        self.process.terminate()
        self.process.communicate(timeout=60)


@pytest.fixture(params=["true", "false"], ids=["fast", "slow"])
def shown(request, tmp_path, monkeypatch, socket_enabled):
    """A run, and a TensorBoard that shows it, by either of its readers."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    run = ganzoo.train(STALE, out=tmp_path / "run", progress=False).path
    board = Shown(run, f"--load_fast={request.param}")
    yield run, board
    board.close()


def test_scalars_pictures_histograms_and_findings_are_there(shown):
    run, board = shown
    lines = read_lines(run / "log.jsonl")
    assert board.tags("scalars") == {
        *("terms/discriminator/adversarial", "terms/generator/adversarial"),
        *("metrics/discriminator/accuracy", "speed/images_per_second"),
        *(f"{what}/{player}" for player in ("discriminator", "generator") for what in PLAYERS),
        *("samples/diversity", "samples/distance"),
    }
    for entry, name in (
        ("terms", "generator/adversarial"),
        ("metrics", "discriminator/accuracy"),
        ("gradient_norms", "generator"),
    ):
        points = board.points("scalars", f"{entry}/{name}")
        assert [step for _, step, _ in points] == [16, 32, 48, 64, 80, 96]
        assert [value for _, _, value in points] == pytest.approx([x[entry][name] for x in lines])
    pictures = board.ask("images/images", run=board.run, tag="samples", sample=0)
    assert [picture["step"] for picture in pictures] == [32, 64, 96]
    with board.open(f"images/individualImage?{pictures[-1]['query']}&x=") as answer:
        assert answer.read()[:8] == b"\x89PNG\r\n\x1a\n"
    weights = {
        f"{role}/{name}": weight
        for role, net in ganzoo.training.prepare(STALE).state.nets.items()
        for name, weight in net.named_parameters()
    }
    assert board.tags("histograms") == set(weights)
    for _, step, bins in board.points("histograms", "generator/layers.0.weight"):
        assert step in (32, 64, 96)
        counts = sum(count for _, _, count in bins)
        assert counts == pytest.approx(weights["generator/layers.0.weight"].numel())
    (tag,) = board.tags("text")
    assert tag.startswith("findings")
    (text,) = board.points("text", tag)
    assert text["step"] == 48
    assert "stale learning rate since 16 images" in text["text"]


PLAYERS = ("gradient_norms", "learning_rates", "movement")


def test_a_resumed_run_goes_on_in_the_same_folder(tmp_path, monkeypatch, socket_enabled):
    """What was written after the checkpoint that it resumes from is written, and shown, once."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    run = ganzoo.train(tiny(images=96), out=tmp_path / "run", progress=False).path
    assert len(list((run / "tensorboard").iterdir())) == 1
    sorted((run / "checkpoints").iterdir())[-1].unlink()
    time.sleep(1.1)  # event files are read in the order of the second they were made in
    ganzoo.resume(run, progress=False)
    assert len(list((run / "tensorboard").iterdir())) == 2
    for reader in ("true", "false"):
        board = Shown(run, f"--load_fast={reader}")
        try:
            points = board.points("scalars", "terms/generator/adversarial")
            assert [step for _, step, _ in points] == [16, 32, 48, 64, 80, 96]
        finally:
            board.close()


def test_a_finished_run_that_is_resumed_writes_nothing(tmp_path):
    run = ganzoo.train(tiny(images=16), out=tmp_path / "run", progress=False).path
    before = {file.name: file.read_bytes() for file in (run / "tensorboard").iterdir()}
    ganzoo.resume(run, progress=False)
    assert {file.name: file.read_bytes() for file in (run / "tensorboard").iterdir()} == before


def test_off_is_off(tmp_path):
    result = run_cli(
        *("train", "dcgan-digits", "--images", "64", "--architecture.width", "4"),
        *("--tensorboard", "off", "--out", tmp_path / "run"),
    )
    assert result.returncode == 0, result.stderr
    assert not (tmp_path / "run" / "tensorboard").exists()
    result = run_cli("train", "--resume", tmp_path / "run", "--tensorboard", "off")
    assert result.returncode == 0, result.stderr


def test_where_it_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    run = ganzoo.train(tiny(images=16), out=tmp_path / "run", progress=False)
    assert not (run.path / "tensorboard").exists()
    with pytest.raises(MissingExtraError, match="the tracker 'tensorboard' needs tensorboard"):
        ganzoo.train(tiny(images=16), out=tmp_path / "other", tensorboard="on")
    assert not (tmp_path / "other").exists()


def test_nothing_is_imported_before_there_is_something_to_show():
    code = """
import sys, ganzoo
ganzoo.trackers.make("tensorboard")
assert not any(name.split(".")[0] == "tensorboard" for name in sys.modules)
"""
    done = run_new("-c", code)
    assert done.returncode == 0, done.stderr


def test_weights_that_have_no_histogram(tmp_path, socket_enabled, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    net = torch.nn.ParameterDict(
        {
            "nan": torch.tensor([1.0, float("nan")]),
            "equal": torch.full((5,), 3.0),
            "some": torch.tensor([0.0, 1.0, 1.0, 2.0]),
        }
    )
    board = ganzoo.trackers.make("tensorboard")
    board.start(TrackedRun(tmp_path, STALE, 0))
    board.log_scalars(1, {"metrics/frechet_distance": 3.0})
    large = ImageBatch(torch.zeros(64, 200, 200, 1, dtype=torch.uint8).numpy())
    board.log_images(1, "large", large)
    board.log_weights(1, {"net": net})
    board.finish()
    shown = Shown(tmp_path)
    try:
        assert shown.tags("scalars") == {"metrics/frechet_distance"}
        assert shown.tags("histograms") == {"net/equal", "net/some"}
        ((_, _, equal),) = shown.points("histograms", "net/equal")
        assert sum(count for _, _, count in equal) == pytest.approx(5)
        assert all(2.5 <= low <= high <= 3.5 for low, high, _ in equal)
        (picture,) = shown.ask("images/images", run=shown.run, tag="large", sample=0)
        with shown.open(f"images/individualImage?{picture['query']}&x=") as answer:
            assert int.from_bytes(answer.read()[16:20], "big") == 1024
    finally:
        shown.close()
