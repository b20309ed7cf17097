"""Third-party trackers log a run beside TensorBoard; a failing one does not stop it."""

import json
import warnings

import pytest

import ganzoo
from ganzoo.bundle.json_lines import read_lines
from ganzoo.cli import main
from ganzoo.errors import BrokenPluginError, UnknownNameError
from ganzoo.training.tracking import create_trackers
from helpers.distributions import install
from helpers.processes import run_cli
from helpers.recipes import tiny

CODE = """
'''https://example.org/tracker'''
import json
from ganzoo import Tracker

class Diary(Tracker):
    '''Writes each call down, https://example.org/diary.'''

    def start(self, run):
        self.file = run.path / "diary.jsonl"
        self.write("start", run.images_seen, run.recipe.name)

    def write(self, *what):
        with self.file.open("a") as file:
            file.write(json.dumps(what) + "\\\\n")

    def log_scalars(self, images, scalars):
        self.write("scalars", images, dict(scalars))

    def log_images(self, images, name, batch):
        self.write("images", images, name, list(batch.numpy().shape))

    def log_text(self, images, name, text):
        self.write("text", images, name, text)

    def log_weights(self, images, networks):
        self.write("weights", images, sorted(networks))

    def finish(self):
        self.write("finish")

class Torn(Diary):
    '''Fails at its second log, https://example.org/torn.'''
    logs = 0

    def log_scalars(self, images, scalars):
        self.logs += 1
        if self.logs == 2:
            raise ConnectionError("the page is torn")
        super().log_scalars(images, scalars)

def number():
    return 3

class Silent(Tracker):
    '''https://example.org/silent'''
""".replace("\\\\n", "\\n")


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    names = {"diary": "Diary", "torn": "Torn", "number": "number", "silent": "Silent"}
    points = {name: f"acme_diary:{attribute}" for name, attribute in names.items()}
    install(tmp_path / "site", "acme-diary", {"trackers": points}, acme_diary=CODE)


def diary_of(run):
    return [json.loads(line) for line in (run / "diary.jsonl").read_text().splitlines()]


def test_a_tracker_receives_all_results(site, tmp_path):
    recipe = tiny(images=64, sample_every=32, learning_rates={"generator": 0.0})
    run = ganzoo.train(recipe, out=tmp_path / "run", progress=False, trackers=["diary"]).path
    calls = diary_of(run)
    assert calls[0] == ["start", 0, "tiny"]
    assert calls[-1] == ["finish"]
    lines = read_lines(run / "log.jsonl")
    scalars = [call for call in calls if call[0] == "scalars"]
    assert [images for _, images, _ in scalars] == [line["images"] for line in lines]
    term = "terms/generator/adversarial"
    assert [values[term] for *_, values in scalars] == [
        line["terms"]["generator/adversarial"] for line in lines
    ]
    images = [call for call in calls if call[0] == "images"]
    assert [call[1:3] for call in images] == [[32, "samples"], [64, "samples"]]
    assert images[0][3][1:] == [16, 16, 1]
    assert ["weights", 64, ["discriminator", "generator"]] in calls
    ((_, _, name, text),) = [call for call in calls if call[0] == "text"]
    assert (name, "stale learning rate" in text) == ("findings", True)
    assert list((run / "tensorboard").iterdir()), "TensorBoard is another tracker"


def test_a_tracker_continues_with_the_run(site, tmp_path):
    run = ganzoo.train(
        tiny(images=96), out=tmp_path / "run", progress=False, tensorboard="off", trackers=["diary"]
    ).path
    sorted((run / "checkpoints").iterdir())[-1].unlink()
    saved = int(sorted((run / "checkpoints").iterdir())[-1].stem)
    assert main(["train", "--resume", str(run), "--tensorboard", "off", "--trackers", "diary"]) == 0
    starts = [call[1] for call in diary_of(run) if call[0] == "start"]
    assert starts == [0, saved]
    assert not (run / "tensorboard").exists()
    # A finished run logs nothing more, so the tracker is not started.
    before = diary_of(run)
    ganzoo.resume(run, progress=False, tensorboard="off", trackers=["diary"])
    assert diary_of(run) == before


def test_a_failing_tracker_is_disabled_and_the_training_continues(site, tmp_path):
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        run = ganzoo.train(tiny(images=96), out=tmp_path / "run", progress=False, trackers=["torn"])
    assert run.finished
    (message,) = [str(w.message) for w in record if "tracker" in str(w.message)]
    assert message.startswith(
        "the tracker 'torn' failed and is switched off; the training continues: "
        "ConnectionError: the page is torn"
    )
    calls = diary_of(run.path)
    assert [call[0] for call in calls].count("scalars") == 1
    assert calls[-1][0] != "finish"
    assert len(read_lines(run.path / "log.jsonl")) == 6
    assert list((run.path / "tensorboard").iterdir())


def test_a_tracker_with_an_unwritable_folder_is_disabled(tmp_path):
    recipe = tiny(images=32)

    class Blocked(ganzoo.Tracker):
        def start(self, run):
            (run.path / "tensorboard").write_text("a file")

        def log_scalars(self, images, scalars):
            pass

    ganzoo.trackers.register("a-blocked")(Blocked)
    try:
        with pytest.warns(UserWarning, match="the tracker 'tensorboard' failed"):
            run = ganzoo.train(
                recipe,
                out=tmp_path / "run",
                progress=False,
                tensorboard="off",
                trackers=["a-blocked", "tensorboard"],
            )
    finally:
        ganzoo.trackers.unregister("a-blocked")
    assert run.finished


def test_an_unknown_tracker_is_refused_before_writing(site, tmp_path):
    with pytest.raises(UnknownNameError, match="no tracker named 'diery'. Did you mean 'diary'"):
        ganzoo.train(tiny(), out=tmp_path / "run", trackers=["diery"])
    with pytest.raises(BrokenPluginError, match="'number' of acme-diary 1.2 returned int, not a"):
        ganzoo.train(tiny(), out=tmp_path / "run", trackers=["number"])
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("tensorboard", "names", "created"),
    [
        ("auto", (), ["tensorboard"]),
        ("on", (), ["tensorboard"]),
        ("off", (), []),
        ("off", ("tensorboard",), ["tensorboard"]),
        ("auto", ("diary", "tensorboard"), ["diary", "tensorboard"]),
        ("on", ("diary", "tensorboard"), ["tensorboard", "diary"]),
        ("auto", ("diary",), ["tensorboard", "diary"]),
    ],
)
def test_named_and_default_trackers_are_created(site, tensorboard, names, created):
    assert list(create_trackers(names, tensorboard)) == created


def test_trackers_are_listed_and_checked(site, capsys):
    assert main(["list", "diary", "--kind", "trackers"]) == 0
    assert "acme-diary 1.2" in capsys.readouterr().out
    assert main(["check", "acme-diary", "diary"]) == 0
    assert "5 ok" in capsys.readouterr().out
    assert main(["check", "acme-diary", "silent"]) == 1
    assert "logs nothing: override one of log_scalars" in capsys.readouterr().out


def test_another_tracker_named_tensorboard_breaks_no_training(tmp_path):
    """`--tensorboard auto`, the default, selects the built-in tracker."""
    site = tmp_path / "site"
    points = {"trackers": {"tensorboard": "acme_board:Board"}}
    install(
        site, "acme-board", points, acme_board="import ganzoo\nclass Board(ganzoo.Tracker): ...\n"
    )
    run = ["train", "dcgan-digits", "--images", "64", "--architecture.width", "4"]
    done = run_cli(*run, "--out", tmp_path / "run", env={"PYTHONPATH": str(site)})
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "tensorboard").is_dir()
