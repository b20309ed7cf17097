"""Links and pipes in a run's folder: nothing outside of it is read, written, removed or drawn."""

import os
import shutil

import pytest

import ganzoo
from ganzoo import plots
from ganzoo.data.run_data import RunData, find_run_data
from ganzoo.errors import OutputError, PlotError

FILES = ["log.jsonl", "metrics.jsonl", "run.json", "recipe.toml"]


@pytest.mark.parametrize("name", [*FILES, ".lock", "samples", "checkpoints", "best/x"])
def test_a_run_is_not_written_through_links_that_lead_out_of_it(tiny_run, tmp_path, name):
    run, outside = tmp_path / "run", tmp_path / "outside"
    shutil.copytree(tiny_run, run)
    (run / name).parent.mkdir(exist_ok=True)
    if (run / name).is_dir():
        shutil.move(run / name, outside)
    else:
        (run / name).unlink(missing_ok=True)
        outside.write_text("private")
    before = sorted((p, p.read_bytes()) for p in [outside, *outside.rglob("*")] if p.is_file())
    (run / name).symlink_to(outside)
    with pytest.raises(OutputError, match=f"{name} is a link that leads out of the run's folder"):
        ganzoo.resume(run, progress=False)
    with pytest.raises(PlotError, match=f"{name} is a link that leads out of the run's folder"):
        plots.draw_run(run)
    after = sorted((p, p.read_bytes()) for p in [outside, *outside.rglob("*")] if p.is_file())
    assert after == before


def test_a_run_may_lie_behind_a_link_and_have_links_inside(tiny_run, tmp_path):
    shutil.copytree(tiny_run, tmp_path / "disk" / "run")
    (tmp_path / "disk" / "run" / "latest").symlink_to("bundle")
    (tmp_path / "run").symlink_to(tmp_path / "disk" / "run")
    assert ganzoo.resume(tmp_path / "run", progress=False).finished


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes")
@pytest.mark.parametrize(
    "name",
    [*FILES[:3], ".lock", "samples/000000000001-samples.png", "checkpoints/9.safetensors"],
)
def test_a_run_with_a_pipe_is_refused_and_never_waits_for_a_writer(tiny_run, tmp_path, name):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    (run / name).parent.mkdir(exist_ok=True)
    (run / name).unlink(missing_ok=True)
    os.mkfifo(run / name)
    with pytest.raises(
        OutputError, match=f"{name} is neither a file nor a folder, .* otherwise remove"
    ):
        ganzoo.resume(run, progress=False)
    with pytest.raises(PlotError, match=f"{name} is neither a file nor a folder, .* or remove"):
        plots.draw_run(run)


def test_the_data_of_a_run_is_not_read_through_a_link_or_pipe(tmp_path):
    outside, run = tmp_path / "outside", tmp_path / "run"
    for folder in (outside, run):
        folder.mkdir()
    RunData("/data", 5, "digest", "b").write(outside)
    file = run / "run.json"
    file.symlink_to(outside / "run.json")
    with pytest.warns(UserWarning, match=r"run\.json: it is a link that leads out of the run"):
        assert find_run_data(run / "bundle", "digest") is None
    file.unlink()
    os.mkfifo(file)
    with pytest.warns(UserWarning, match=r"run\.json: it is neither a file nor a folder"):
        assert find_run_data(run / "bundle", "digest") is None
    file.unlink()
    (run / "inside.json").write_bytes((outside / "run.json").read_bytes())
    file.symlink_to("inside.json")
    assert find_run_data(run / "bundle", "digest").images == 5
