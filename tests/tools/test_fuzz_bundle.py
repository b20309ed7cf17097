"""The fuzzer of bundles: a short run, and the detection of planted faults."""

import faulthandler
import os
import signal
import subprocess
import sys

import pytest

from ganzoo.bundle import MAX_OPENING
from helpers.paths import ROOT

TOOL = ROOT / "tools" / "fuzz_bundle.py"
sys.path.insert(0, str(TOOL.parent))
import fuzz_bundle  # noqa: E402

CASES = 300


def test_mutated_bundles_raise_only_ganzoo_errors(tiny_bundle, tmp_path):
    command = [sys.executable, TOOL, "--cases", str(CASES), "--out", tmp_path / "findings"]
    command += ["--seed", "12", "--bundle", tiny_bundle]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{CASES} cases of seed 12 in " in result.stdout
    assert "no findings" in result.stdout
    assert not (tmp_path / "findings").exists()


@pytest.fixture
def original(tiny_bundle):
    files = {name: (tiny_bundle / name).read_bytes() for name in fuzz_bundle.FILES}
    fuzz_bundle.update_checksums(files)
    return files


def test_every_kind_of_finding_is_stored(tiny_bundle, original, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(fuzz_bundle, "TIMEOUT", 1)
    findings = {3: "raise", 5: "crash", 7: "hang", 8: "memory", 9: "end"}
    wrong = {}
    for case, kind in findings.items():
        wrong[tuple(fuzz_bundle.mutate(original, 0, case).values())] = kind

    def check(original, files, folder):
        match wrong.get(tuple(files.values())):
            case "raise":
                return "a wrong error"
            case "crash":
                faulthandler.disable()  # pytest's
                os.kill(os.getpid(), signal.SIGSEGV)
            case "hang":
                while True:
                    pass
            case "memory":
                bytearray(b"x") * (MAX_OPENING + MAX_OPENING // 4)
            case "end":
                os._exit(3)
        return ""

    out = tmp_path / "findings"
    assert fuzz_bundle.hunt(tiny_bundle, range(12), 0, out, check) == len(findings)
    texts = {case: (out / str(case) / "what.txt").read_text() for case in findings}
    assert sorted(p.name for p in out.iterdir()) == sorted(map(str, findings))
    assert texts == {
        3: "a wrong error",
        5: "ended by SIGSEGV",
        7: "ended by SIGPROF",
        8: "used more memory than MAX_OPENING",
        9: "the process failed",
    }
    for case in findings:
        contents = {name: (out / str(case) / name).read_bytes() for name in fuzz_bundle.FILES}
        assert contents == fuzz_bundle.mutate(original, 0, case), "it can be repeated"


def test_an_unexpected_error_is_a_finding(original, tmp_path, monkeypatch):
    def broken(path):
        raise KeyError("shape")

    assert fuzz_bundle.check(original, dict(original), tmp_path) == ""
    monkeypatch.setattr(fuzz_bundle, "open_bundle", broken)
    assert "KeyError: 'shape'" in fuzz_bundle.check(original, dict(original), tmp_path)


def test_mutated_bundles_have_valid_checksums(original, tmp_path):
    """Otherwise only checksums would be tested; cases are reproducible."""
    for kind in ("config.json", "model.safetensors", "model.onnx"):
        cases = [fuzz_bundle.mutate(original, 1, k) for k in range(200)]
        changed = [files for files in cases if files[kind] != original[kind]]
        assert len(changed) > 20
        checksummed = [files for files in changed if files == _checksummed(files)]
        assert len(checksummed) > 0.9 * len(changed)
    assert cases[7] == fuzz_bundle.mutate(original, 1, 7) != fuzz_bundle.mutate(original, 2, 7)


def _checksummed(files):
    files = dict(files)
    fuzz_bundle.update_checksums(files)
    return files
