"""Links in a run's folder: nothing outside of the folder is written, removed or drawn."""

import shutil

import pytest

import ganzoo
from ganzoo import plots
from ganzoo.errors import OutputError, PlotError


@pytest.mark.parametrize("name", ["log.jsonl", ".lock", "samples", "checkpoints", "best/x"])
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
