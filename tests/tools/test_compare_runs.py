"""tools/compare_runs.py draws and tabulates the evaluations of several runs."""

import json
import runpy

import numpy as np
import pytest
from PIL import Image

from helpers.paths import ROOT

TOOL = runpy.run_path(str(ROOT / "tools" / "compare_runs.py"))


def write(folder, values, every=10, **protocol):
    """Write the evaluations of a run."""
    folder.mkdir(parents=True)
    protocol = {"extractor": "pixels", "seed": 0} | protocol
    lines = [
        {"images": every * k, "metrics": {"frechet_distance": value}, "protocol": protocol}
        for k, value in enumerate(values, 1)
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture
def runs(tmp_path):
    write(tmp_path / "scratch-0", [9, 4, 5], seed=0)
    write(tmp_path / "scratch-1", [7, 6, 3, 2], seed=1)
    write(tmp_path / "weights", [3, 2.5])
    return tmp_path


def test_the_table_has_final_and_best_values(runs, capsys):
    TOOL["main"]([f"scratch={runs}/scratch-*", f"weights={runs}/weights"])
    assert capsys.readouterr().out.splitlines() == [
        "| frechet_distance | runs | images | final | best |",
        "|---|---|---|---|---|",
        "| scratch | 2 | 30 to 40 | 3.5 (5, 2) | 3 (4, 2) |",
        "| weights | 1 | 20 | 2.5 | 2.5 |",
    ]


def test_the_figure_has_means_bands_and_a_line_for_each_run(runs):
    groups = {"scratch": sorted(runs.glob("scratch-*")), "weights": [runs / "weights"]}
    curves = TOOL["read_curves"](groups, "frechet_distance")
    figure = TOOL["draw"](curves, "frechet_distance", log=True)
    (panel,) = figure.axes
    lines = {line.get_label(): line for line in panel.get_lines()}
    mean = lines["scratch (mean of 2 runs)"]
    np.testing.assert_array_equal(mean.get_xdata(), [10, 20, 30], "images of all its runs")
    np.testing.assert_array_equal(mean.get_ydata(), [8, 5, 4])
    np.testing.assert_array_equal(lines["weights"].get_ydata(), [3, 2.5])
    assert len(panel.get_lines()) == 4
    assert len(panel.collections) == 1, "the band of the two runs"
    assert panel.get_yscale() == "log"
    ticks = {text.get_text() for text in panel.get_yticklabels(which="both")}
    assert {"2", "5", ""} <= ticks
    assert not any("$" in text for text in ticks)
    assert panel.get_title("left") == "Fréchet distance (lower is better)"


def test_every_label_is_drawn():
    curve = np.array([10.0, 20.0]), np.array([2.0, 1.0])
    labels = [f"label {k}" for k in range(40)]  # more than there are colours
    (panel,) = TOOL["draw"]({label: [curve] for label in labels}, "frechet_distance").axes
    assert [line.get_label() for line in panel.get_lines()] == labels


def test_the_figure_is_a_file(runs, tmp_path, capsys):
    TOOL["main"]([f"weights={runs}/weights", "-o", f"{tmp_path}/curves.png"])
    with Image.open(tmp_path / "curves.png") as image:
        assert image.width == 1260


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["other={}/other"], "scratch-0 and .*other are not comparable, because they differ in "
         'extractor: "pixels" and "lenet-mnist@1"'),
        (["none={}/none"], "no run at .*none. Pass LABEL=FOLDER"),
        (["{}/weights"], "has no label"),
        (["weights={}/weights", "--metric", "recall"], "Choose --metric from frechet_distance"),
    ],
)  # fmt: skip
def test_errors(runs, arguments, message):
    write(runs / "other", [1], extractor="lenet-mnist@1")
    with pytest.raises(SystemExit, match=message):
        TOOL["main"]([f"scratch={runs}/scratch-*", *(each.format(runs) for each in arguments)])


def test_a_folder_is_no_pattern_for_another(tmp_path):
    for name in ("run1", "run[1]"):
        (tmp_path / name).mkdir()
    assert TOOL["find_runs"](f"{tmp_path}/run[1]") == [tmp_path / "run[1]"]
    assert TOOL["find_runs"](f"{tmp_path}/run?") == [tmp_path / "run1"]
