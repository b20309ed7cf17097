"""tools/export.py exports finished runs once."""

import runpy
import shutil

import pytest

import ganzoo
from helpers.bundles import change_config
from helpers.paths import ROOT

TOOL = runpy.run_path(str(ROOT / "tools" / "export.py"))["main"]


def run_tool(*arguments, capsys, **options):
    with pytest.raises(SystemExit) as error:
        TOOL(*arguments, **options)
    return error.value.code, capsys.readouterr()


def test_all_finished_runs_are_exported_once(tiny_run, tmp_path, capsys):
    runs, out = tmp_path / "runs", tmp_path / "out"
    for name in ("begun", "damaged", "finished", "stopped"):
        shutil.copytree(tiny_run, runs / name)
    shutil.rmtree(runs / "begun" / "bundle")
    (runs / "damaged" / "bundle" / "config.json").write_text("{}")
    change_config(
        runs / "stopped" / "bundle", lambda c: c["provenance"].__setitem__("images_seen", 32)
    )
    (runs / "notes").mkdir()

    code, output = run_tool(runs, out, capsys=capsys)
    assert code == 1, "one is damaged, and the others are exported all the same"
    assert output.out.splitlines() == [
        "begun: skipped, no checkpoint yet",
        f"finished: {out / 'finished'}",
        "stopped: skipped, not finished: 32 of 64 images",
    ]
    assert "damaged: " in output.err
    assert [p.name for p in out.iterdir()] == ["finished"]
    assert ganzoo.load(out / "finished", runtime="onnx").sample(1)

    shutil.rmtree(runs / "damaged")
    before = (out / "finished").stat().st_ino
    code, output = run_tool(runs, out, capsys=capsys)
    assert code == 0
    assert f"finished: {out / 'finished'} is up to date" in output.out
    assert (out / "finished").stat().st_ino == before, "the folder was not written again"

    # A bundle of another precision, or a damaged one, is exported again.
    size = (out / "finished" / "model.safetensors").stat().st_size
    run_tool(runs, out, precision="fp16", capsys=capsys)
    assert (out / "finished" / "model.safetensors").stat().st_size < size
    assert "is up to date" in run_tool(runs, out, precision="fp16", capsys=capsys)[1].out
