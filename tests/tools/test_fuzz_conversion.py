"""The fuzzer of conversions: a short run, and the detection of planted faults."""

import sys

import pytest
import torch

from ganzoo.errors import ImportFileError
from helpers.mimicry import in_their_layout, ours
from helpers.paths import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import fuzz_conversion


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    torch.save(in_their_layout(ours(24)), folder / "netG_7_steps.pth")
    torch.save({"a": torch.ones(2)}, folder / "stranger.pth")
    return folder


def test_changed_checkpoints_raise_only_ganzoo_errors(folder, capsys):
    fuzz_conversion.main(folder, cases=8, seed=3)
    out = capsys.readouterr().out
    assert "1 checkpoints of the formats sngan-mimicry" in out
    assert "8 cases, 0 findings" in out


@pytest.mark.parametrize("kind", ["raise", "lines", "hang"])
def test_every_kind_of_finding_is_printed(folder, monkeypatch, capsys, kind):
    def case(r, checkpoint, name):
        match kind:
            case "raise":
                raise ValueError("a wrong error")
            case "lines":
                raise ImportFileError("two\nlines")
            case "hang":
                while True:  # a deadline in processor time
                    pass

    monkeypatch.setattr(fuzz_conversion, "case", case)
    monkeypatch.setattr(fuzz_conversion, "TIMEOUT", 1)
    with pytest.raises(SystemExit):
        fuzz_conversion.main(folder, cases=1, first=4)
    out = capsys.readouterr().out
    assert "case 4, netG_7_steps.pth" in out
    message = {
        "raise": "a wrong error",
        "lines": "several lines",
        "hang": "1 seconds of processor",
    }[kind]
    assert message in out


def test_a_case_depends_on_its_number_alone(folder):
    (checkpoint, _) = fuzz_conversion.originals(folder)["netG_7_steps.pth"]
    changed = [
        list(fuzz_conversion.change_tensors(fuzz_conversion.Random(f"0 {k}"), checkpoint).tensors)
        for k in (1, 1, 2, 3, 4, 5)
    ]
    assert changed[0] == changed[1]
    assert any(names != changed[0] for names in changed)
