"""The checks of importers accept a good one, and say what is wrong with a bad one."""

import pytest
import torch

import ganzoo
from ganzoo.importers import Computed, Conversion, Importer
from ganzoo.registry import importers
from ganzoo.testing import importer as checks
from ganzoo.testing.checks import examine

DATA = ganzoo.DataSpec(ganzoo.ImageSpec(4, 4, 1))
NAMES = [f"layers.{k}.{part}" for k in (0, 2) for part in ("weight", "bias")]


class Plain(Importer):
    """Files of https://example.com/plain."""

    project = "plain, https://example.com/plain"
    marks = frozenset(NAMES)

    def convert(self, checkpoint, *, half: bool = False):
        arguments = {"latent_dim": 3, "width": 5}
        return Conversion("mlp", arguments, DATA, {"generator": {name: name for name in NAMES}})


class Careless(Plain):
    """Files of https://example.com/careless."""

    def convert(self, checkpoint):
        conversion = super().convert(checkpoint)
        weights = dict(conversion.weights["generator"])
        weights["layers.2.bias"] = Computed(lambda: torch.zeros(16).numpy())
        return Conversion(
            "mlp", conversion.arguments, DATA, {"generator": weights}, {"*": "not needed"}
        )

    def recognises(self, checkpoint):
        return True


class Greedy(Plain):
    """Files of https://example.com/greedy."""

    def convert(self, checkpoint, *, name: str = ""):
        return super().convert(checkpoint)


@pytest.fixture
def file(tmp_path):
    nets = ganzoo.architectures.get("mlp")(DATA, latent_dim=3, width=5)
    torch.save(nets["generator"].state_dict(), tmp_path / "plain.pth")
    return tmp_path / "plain.pth"


def outcomes(kind, file):
    importers.register("plain")(kind)
    try:
        subject = checks.Importer("plain", file)
        return {check.__name__: examine(check, subject) for check in subject.checks}
    finally:
        importers.unregister("plain")


def test_a_good_importer_passes(file):
    verdicts = {name: outcome.verdict for name, outcome in outcomes(Plain, file).items()}
    by_process = ("imports_quietly", "needs_no_torch")  # it is no entry point
    assert {name for name, verdict in verdicts.items() if verdict != "ok"} == set(by_process)
    assert {verdicts[name] for name in by_process} == {"not checked"}


@pytest.mark.parametrize(
    ("kind", "check", "sentence"),
    [
        (Greedy, "has_free_options", "options that every format has: name"),
        (Careless, "accounts_for_all_tensors", "imports its file with a tensor 'stranger.weight'"),
        (Careless, "recognises_no_other_file", "recognises a file with the tensors none"),
    ],
)
def test_a_bad_importer_fails(file, kind, check, sentence):
    outcome = outcomes(kind, file)[check]
    assert outcome.verdict == "FAILED"
    assert sentence in outcome.sentence


def test_without_a_file_most_is_not_checked():
    verdicts = {name: outcome.verdict for name, outcome in outcomes(Plain, None).items()}
    assert (verdicts["loads"], verdicts["converts"]) == ("ok", "not checked")
