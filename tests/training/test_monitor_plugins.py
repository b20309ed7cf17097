"""Third-party monitors: loaded, selected, and disabled after a failure."""

import warnings

import pytest

import ganzoo
from ganzoo.bundle.json_lines import read_lines
from ganzoo.cli import main
from ganzoo.spec import Component
from ganzoo.training import prepare
from ganzoo.training.monitors import Monitors, monitors_of
from helpers.distributions import install
from helpers.recipes import tiny

CODE = """
from ganzoo import Monitor

class Late(Monitor):
    name, needs, begins, remedy = "late", ("terms",), 2, "fewer images"

    def __init__(self, images):
        self.images = images

    def check(self, line):
        return f"{line['images']} of {self.images}" if line["images"] > 32 else ""

class Torn(Monitor):
    name = "torn"

    def check(self, line):
        if line["images"] >= 32:
            raise ConnectionError("the page is torn")
        return ""

def late(training):
    return Late(training.recipe.images)

def torn(training):
    return Torn()

def unfit(training):
    return None

def number(training):
    return 3

def failing(training):
    raise KeyError("nowhere")
"""
OURS = [
    *("the discriminator has lost", "the discriminator has won"),
    *("exploding gradients", "mode collapse", "stale learning rate"),
]


@pytest.fixture
def site(tmp_path, monkeypatch):
    def add(*names):
        points = {f"a-{name}": f"acme_watch:{name}" for name in names}
        install(tmp_path / "site", "acme-watch", {"monitors": points}, acme_watch=CODE)
        monkeypatch.syspath_prepend(str(tmp_path / "site"))

    return add


def messages_of(record):
    return [str(w.message) for w in record if "the monitor" in str(w.message)]


def test_builtin_monitors_have_a_fixed_order(site):
    assert [monitor.name for monitor in monitors_of(prepare(tiny()))] == OURS
    autoencoder = tiny(
        architecture=Component("mlp-autoencoder", {"latent_dim": 4, "width": 16}),
        loss=Component("autoencoder"),
    )
    assert [monitor.name for monitor in monitors_of(prepare(autoencoder))] == [
        "exploding gradients",
        "stale learning rate",
    ]
    site("late", "unfit")
    assert [monitor.name for monitor in monitors_of(prepare(tiny()))] == [*OURS, "late"]


def test_a_plugins_monitor_reports_and_a_failing_one_is_disabled(site, tmp_path, capsys):
    site("late", "torn", "unfit")
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        run = ganzoo.train(tiny(images=96), out=tmp_path / "run", progress=False)
    assert run.finished
    (message,) = messages_of(record)
    assert message.startswith(
        "the monitor 'torn' failed and is switched off; the training continues: "
        "ConnectionError: the page is torn"
    )
    findings = [f for line in read_lines(run.path / "log.jsonl") for f in line["findings"]]
    assert [(f["monitor"], f["event"], f["since"]) for f in findings] == [("late", "begins", 48)]
    err = capsys.readouterr().err
    assert "warning: late since 48 images: 64 of 96. Try fewer images." in err


def test_a_classifier_that_fails_does_not_end_the_training():
    def broken(images):
        raise KeyError("nowhere")

    prepared = prepare(tiny())
    monitors = Monitors(prepared, classes=broken)
    line = {"tick": 1, "images": 32, "terms": {}, "metrics": {}, "gradient_norms": {}}
    with pytest.warns(UserWarning, match="KeyError: 'nowhere'"):
        assert "samples" not in monitors.check(line | {"learning_rates": {}})


def test_a_monitor_that_cannot_be_created_is_skipped(site):
    site("number", "failing")
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        monitors = monitors_of(prepare(tiny()))
    assert [monitor.name for monitor in monitors] == OURS
    failing, number = messages_of(record)
    assert "'a-failing'" in failing
    assert "KeyError: 'nowhere'" in failing
    assert "'a-number'" in number
    assert "acme-watch 1.2 returned int, not a ganzoo.Monitor" in number


def test_plugins_are_listed(site, capsys):
    site("late")
    assert main(["list", "a-late", "--kind", "monitors"]) == 0
    assert "acme-watch 1.2" in capsys.readouterr().out
