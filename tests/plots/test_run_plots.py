"""Figures of a run: curves, metrics, samples over time."""

import json
import math
import shutil
import xml.etree.ElementTree as ElementTree

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganzoo import plots
from ganzoo.errors import OutputError, PlotError, RunNotFoundError
from ganzoo.plots.curves import smooth
from ganzoo.plots.run_files import choose_evenly
from ganzoo.plots.sheet import GAP, LINE, MARGIN, text_width
from ganzoo.plots.style import abbreviate
from helpers.processes import run_new


def log(values, term="generator/adversarial", every=100):
    return [
        {
            "images": every * (k + 1),
            "terms": {term: value},
            "totals": {},
            "metrics": {},
            "images_per_second": 9.0,
        }
        for k, value in enumerate(values)
    ]


def panel_of(figure, title):
    (panel,) = (axes for axes in figure.axes if axes.get_title("left") == title)
    return panel


def line_of(panel, label):
    (line,) = (line for line in panel.get_lines() if line.get_label() == label)
    return line


def words(panel):
    return [text.get_text() for text in panel.texts]


def paint(folder, images, kind="samples", level=0, size=(26, 18)):
    """Write a sample file of a run, with one grey level that identifies it."""
    folder.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, level).save(folder / f"{images:012d}-{kind}.png")


@pytest.fixture
def run(tiny_run, tmp_path):
    """A run with three samples; the middle one is that of tiny_run."""
    path = shutil.copytree(tiny_run, tmp_path / "run")
    (middle,) = (path / "samples").glob("*64-samples.png")
    with Image.open(middle) as enlarged:
        enlarged.resize((146, 146), Image.Resampling.NEAREST).save(middle)
    paint(path / "samples", 16, level=40)
    paint(path / "samples", 1_000_000, level=200)
    return path


# Curves


def test_every_curve_of_a_log_has_its_own_panel(tiny_run):
    lines = plots.read_log(tiny_run)
    figure = plots.draw_curves(lines)
    units = {axes.get_title("left"): axes.get_ylabel() for axes in figure.axes}
    assert units == {
        "discriminator: adversarial": "loss",
        "generator: adversarial": "loss",
        "discriminator: accuracy": "share correct",
        "speed": "images/s",
    }
    assert {axes.get_xlabel() for axes in figure.axes} == {"images seen"}
    raw = line_of(panel_of(figure, "generator: adversarial"), "raw")
    assert raw.get_xdata().tolist() == [16, 32, 48, 64]
    assert raw.get_ydata().tolist() == [x["terms"]["generator/adversarial"] for x in lines]
    accuracy = panel_of(figure, "discriminator: accuracy")
    assert "chance" in words(accuracy)
    assert accuracy.get_ylim()[0] < 0.5 < 1 < accuracy.get_ylim()[1]


def test_a_curve_is_smoothed_and_its_label_names_the_window():
    values = np.sin(np.arange(300.0)).tolist()
    figure = plots.draw_curves(log(values))
    panel = panel_of(figure, "generator: adversarial")
    assert line_of(panel, "raw").get_ydata().tolist() == values
    smoothed = line_of(panel, "smoothed")
    window = 0.04 * 299 * 100
    assert f"mean over {window:,.0f} images" in figure.get_supxlabel()
    x = np.arange(1, 301) * 100.0
    assert np.array_equal(smoothed.get_ydata(), smooth(x, np.array(values), window))
    assert smoothed.get_zorder() >= line_of(panel, "raw").get_zorder()


def test_few_points_are_not_smoothed():
    figure = plots.draw_curves(log([1.0, 2.0, 3.0]))
    labels = [line.get_label() for line in panel_of(figure, "generator: adversarial").get_lines()]
    assert labels == ["raw"]
    assert figure.get_supxlabel() == ""


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=30), st.floats(0, 40))
def test_smoothing_is_the_mean_within_half_a_window(values, window):
    x, y = np.arange(len(values), dtype=float), np.array(values)
    expected = [y[np.abs(x - place) <= window / 2].mean() for place in x]
    np.testing.assert_allclose(smooth(x, y, window), expected, atol=1e-9)


def test_an_outlier_does_not_flatten_a_curve():
    """Like the loss of an autoencoder: one huge value first, then a slow decrease."""
    values = [5000.0, *np.linspace(150, 130, 199)]
    panel = panel_of(plots.draw_curves(log(values)), "generator: adversarial")
    bottom, top = panel.get_ylim()
    assert bottom < 130
    assert 150 < top < 170
    assert words(panel) == ["continues to 5000"]


def test_a_smooth_curve_is_shown_completely():
    panel = panel_of(plots.draw_curves(log(np.linspace(-1, 3, 200))), "generator: adversarial")
    bottom, top = panel.get_ylim()
    assert bottom <= -1 < 3 <= top
    assert words(panel) == []
    assert (panel.get_yscale(), panel.get_ylabel()) == ("linear", "loss")


@pytest.mark.parametrize(
    ("values", "scale"),
    [(np.geomspace(1e3, 1e-2, 100), "log"), (-np.geomspace(1e3, 1, 100), "asinh")],
)
def test_a_curve_over_magnitudes_has_a_logarithmic_axis(values, scale):
    panel = panel_of(plots.draw_curves(log(values)), "generator: adversarial")
    assert panel.get_yscale() == scale
    assert panel.get_ylabel() == f"loss, {scale} scale"
    bottom, top = panel.get_ylim()
    assert bottom <= values.min() < values.max() <= top


def test_non_finite_values_are_skipped():
    panel = panel_of(plots.draw_curves(log([1.0, math.nan, 3.0])), "generator: adversarial")
    assert line_of(panel, "raw").get_xdata().tolist() == [100, 300]
    with pytest.raises(PlotError, match="no finite number"):
        plots.draw_curves([{"images": 1, "terms": {"a/b": math.inf}}])
    with pytest.raises(PlotError, match="no finite number"):
        plots.draw_curves([])


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0"), (50_000, "50k"), (1_250_000, "1.25M"), (2e9, "2G"), (0.5, "0.5")]
)
def test_counts_are_abbreviated(count, text):
    assert abbreviate(count) == text


# Metrics


def measured(values, name="frechet_distance", **more):
    return [
        {"images": 1000 * (k + 1), "seconds": 1.0, "metrics": {name: value}, **more}
        for k, value in enumerate(values)
    ]


def marks(figure):
    return {
        line.get_label(): (*line.get_xdata(), *line.get_ydata())
        for axes in figure.axes
        for line in axes.get_lines()
        if ": " in str(line.get_label())
    }


def test_best_and_final_values_are_marked():
    figure = plots.draw_metrics(measured([50.0, 21.25, 30.5]))
    assert marks(figure) == {
        "best: 21.25 at 2k images": (2000, 21.25),
        "final: 30.5 at 3k images": (3000, 30.5),
    }
    (panel,) = figure.axes
    assert panel.get_title("left") == "frechet distance (lower is better)"
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("images seen", "frechet distance")
    labels = [text.get_text() for text in panel.get_legend().get_texts()]
    assert labels == list(marks(figure))


def test_higher_is_better_for_some_metrics():
    lines = measured([0.25, 0.75, 0.5], "recall")
    assert "best: 0.75 at 2k images" in marks(plots.draw_metrics(lines))
    lower = plots.draw_metrics(lines, better={"recall": "lower"})
    assert "best: 0.25 at 1k images" in marks(lower)


def test_a_best_final_value_has_one_mark():
    assert marks(plots.draw_metrics(measured([3.0, 2.0]))) == {
        "best and final: 2 at 2k images": (2000, 2.0)
    }


def test_a_missing_value_is_skipped():
    lines = measured([3.0, math.nan, 4.0]) + [{"images": 9000, "metrics": {"other": 1.0}}]
    figure = plots.draw_metrics(lines, ["frechet_distance"])
    assert len(figure.axes) == 1
    assert marks(figure) == {
        "best: 3 at 1k images": (1000, 3.0),
        "final: 4 at 3k images": (3000, 4.0),
    }


def test_only_equal_protocols_are_compared():
    lines = measured([1.0], protocol={"samples": 10}) + [
        {"images": 5000, "metrics": {"frechet_distance": 7.0}, "protocol": {"samples": 99}}
    ]
    figure = plots.draw_metrics(lines)
    assert list(marks(figure)) == ["best and final: 7 at 5k images"]
    assert figure.get_supxlabel() == "omitted: 1 line of another protocol"


def test_a_metric_that_one_line_lacks_does_not_omit_the_line():
    lines = measured([1.0, 2.0], protocol={"samples": 10})
    lines[0]["protocol"] = {"samples": 10, "left_out": {"precision": "its value is nan"}}
    lines[1]["metrics"]["odd"] = math.nan
    figure = plots.draw_metrics(lines)
    assert [axes.get_title("left") for axes in figure.axes] == [
        "frechet distance (lower is better)"
    ]
    assert figure.get_supxlabel() == ""


def test_a_missing_metric_is_refused():
    with pytest.raises(PlotError, match="Did you mean 'frechet_distance'"):
        plots.draw_metrics(measured([1.0]), ["frechet"])
    with pytest.raises(PlotError, match="has no finite value"):
        plots.draw_metrics(measured([math.nan]))
    with pytest.raises(PlotError, match="the run has no measurements"):
        plots.draw_metrics([])


# Progress


def test_a_contact_sheet_shows_each_sample_below_its_number(run, tmp_path):
    moments = plots.find_moments(run)
    assert [moment.images for moment in moments] == [16, 64, 1_000_000]
    pictures = [(moment.images, moment.read()) for moment in moments]
    figure = plots.draw_progress(pictures)
    assert words(figure.axes[0]) == ["16 images", "64 images", "1,000,000 images"]
    sheet = np.asarray(Image.open(plots.save_figure(figure, tmp_path / "a.png")).convert("L"))
    caption = text_width("1,000,000 images") + 2 * GAP
    widest = max(caption, *(picture.width for _, picture in pictures))
    for k, (_, picture) in enumerate(pictures):
        top, left = MARGIN + LINE, MARGIN + k * (widest + MARGIN)
        part = sheet[top : top + picture.height, left : left + picture.width]
        assert np.array_equal(part, np.asarray(picture))


def test_a_long_training_is_sampled_evenly():
    pictures = [(k, Image.new("L", (9, 9))) for k in range(200)]
    captions = words(plots.draw_progress(pictures).axes[0])
    assert len(captions) == 12
    assert (captions[0], captions[-1]) == ("0 images", "199 images")


@given(st.integers(0, 300), st.integers(2, 20))
def test_even_choices_include_both_ends(n, most):
    numbers = choose_evenly(range(n), most)
    assert len(numbers) == min(n, most)
    assert sorted(set(numbers)) == numbers
    if n:
        assert (numbers[0], numbers[-1]) == (0, n - 1)


def test_contact_sheets_have_a_fixed_width():
    sizes = [
        plots.to_pil(plots.draw_progress([(k, Image.new("RGB", side)) for k in range(4)])).width
        for side in ((314, 200), (2000, 1000))
    ]
    assert abs(sizes[1] - sizes[0]) < 12


@pytest.mark.parametrize("ending", ["gif", "webp"])
def test_an_animation_has_one_frame_per_sample(run, tmp_path, ending):
    pictures = [(moment.images, moment.read()) for moment in plots.find_moments(run)]
    frames = plots.animate_progress(pictures)
    file = plots.save_animation(frames, tmp_path / f"a.{ending}", frame_ms=120, last_frame_ms=700)
    with Image.open(file) as animation:
        assert animation.format == ending.upper()
        assert animation.n_frames == 3
        assert animation.size == frames[0].size
        durations, middles = [], []
        for k in range(3):
            animation.seek(k)
            animation.load()
            durations.append(animation.info["duration"])
            # Within the smallest sample, enlarged.
            middles.append(np.asarray(animation.convert("L"))[LINE + 40, MARGIN + 20])
    assert durations == [120, 120, 700]
    assert abs(int(middles[0]) - 40) <= 6
    assert abs(int(middles[2]) - 200) <= 6


def test_a_frame_shows_the_progress_of_the_training():
    """The length of the bar is the share of the images seen."""
    frames = plots.animate_progress(
        [(25, Image.new("L", (50, 50))), (100, Image.new("L", (50, 50)))]
    )
    bars = []
    for frame in frames:
        row = np.asarray(frame).astype(int)[MARGIN + LINE + 1]
        bars.append(((row[:, 2] - row[:, 0]) > 60).sum())  # blue
    assert bars[1] == frames[0].width - 2 * MARGIN
    assert abs(bars[0] / bars[1] - 0.25) < 0.01


def test_missing_samples_are_refused():
    for draw in (plots.draw_progress, plots.animate_progress):
        with pytest.raises(PlotError, match="is empty. Pass at least one"):
            draw([])


# Files


def test_draw_run_draws_every_figure(run):
    paint(run / "samples", 64, "reconstructions")
    (run / "metrics.jsonl").write_text(json.dumps(measured([2.0])[0]) + "\n")
    files = plots.draw_run(run)
    kinds = ("progress", "progress-reconstructions")
    expected = {"curves.png", "metrics.png"} | {
        f"{kind}{ending}" for kind in kinds for ending in (".png", ".gif", ".webp")
    }
    assert {file.name for file in files} == expected
    assert {file.name for file in (run / "plots").iterdir()} == expected
    for file in files:
        with Image.open(file) as picture:
            picture.load()
            assert min(picture.size) > 50
    before = {file: file.read_bytes() for file in files}
    assert plots.draw_run(run) == files
    assert {file: file.read_bytes() for file in files} == before, "the same run, the same bytes"


def test_draw_run_of_a_new_run_draws_nothing(tmp_path):
    (tmp_path / "recipe.toml").touch()
    (tmp_path / "log.jsonl").write_text('{"images": 1')
    assert plots.draw_run(tmp_path) == []
    assert not (tmp_path / "plots").exists()


def test_an_incomplete_line_is_not_read(run):
    whole = plots.read_log(run)
    with (run / "log.jsonl").open("a") as file:
        file.write('{"images": 128, "terms": {"gen')
    assert plots.read_log(run) == whole


@pytest.mark.parametrize("line", ["{", "[]", '{"images": 1, "terms": {"a": 1' + 400 * '0' + '}}', '{"terms": {}}', '{"images": "a", "terms": {}}', '{"images": 1, "terms": 2}'])  # fmt: skip
def test_a_damaged_line_is_skipped_with_a_warning(run, line):
    good = plots.read_log(run)
    with (run / "log.jsonl").open("a") as file:
        file.write(f"{line}\n")
    with pytest.warns(UserWarning, match=r"line 5 of .*log\.jsonl is damaged and skipped"):
        assert plots.read_log(run) == good


def test_missing_files_of_a_run_are_one_error(run, tmp_path):
    with pytest.raises(RunNotFoundError, match=r"absent is not a run: it contains no recipe\.toml"):
        plots.read_log(tmp_path / "absent")
    with pytest.raises(RunNotFoundError):
        plots.draw_run(tmp_path / "absent")
    with pytest.raises(PlotError, match=r"metrics\.jsonl has no readable line"):
        plots.read_metrics(run)
    with pytest.raises(PlotError, match="no image files of 'manifold'. Choose .*samples"):
        plots.find_moments(run, "manifold")
    shutil.rmtree(run / "samples")
    with pytest.raises(PlotError, match="contains no image files"):
        plots.find_moments(run)
    (run / "log.jsonl").write_text("")
    with pytest.raises(PlotError, match="has no readable line"):
        plots.read_log(run)


def test_damaged_samples_are_skipped_and_counted(run):
    files = sorted((run / "samples").glob("*-samples.png"))
    files[0].write_bytes(b"no picture")
    with pytest.warns(UserWarning, match=r"1 of 3 image files is damaged and skipped: .*0016"):
        samples = plots.read_moments(plots.find_moments(run))
    assert [images for images, _ in samples] == [64, 1_000_000]
    files[2].write_bytes(files[2].read_bytes()[:40])
    with pytest.warns(UserWarning, match="2 of 3 image files are damaged and skipped"):
        written = plots.draw_run(run)
    assert [file.name for file in written] == [
        *("curves.png", "progress.png", "progress.gif", "progress.webp")
    ]


def test_a_figure_without_a_good_file_leaves_the_others(run):
    """Neither the evaluations nor the reconstructions have one."""
    paint(run / "samples", 64, "reconstructions")
    (run / "samples" / f"{64:012d}-reconstructions.png").write_bytes(b"no picture")
    (run / "metrics.jsonl").write_text("{\n")
    with pytest.raises(PlotError, match="cannot read any of 1 image file\\."):
        plots.read_moments(plots.find_moments(run, "reconstructions"))
    with pytest.warns(UserWarning, match="a figure is left out") as record:
        written = plots.draw_run(run)
    assert sum("a figure is left out" in str(warning.message) for warning in record) == 2
    assert [file.name for file in written] == [
        *("curves.png", "progress.png", "progress.gif", "progress.webp")
    ]


def test_a_figure_is_png_or_svg(tmp_path):
    figure = plots.draw_metrics(measured([1.0, 2.0]))
    with Image.open(plots.save_figure(figure, tmp_path / "new" / "a.PNG")) as picture:
        assert picture.format == "PNG"
        assert picture.width == 1260
    svg = plots.save_figure(figure, tmp_path / "a.svg")
    root = ElementTree.parse(svg).getroot()
    assert root.tag.endswith("svg")
    assert float(root.get("width").removesuffix("pt")) == pytest.approx(8.4 * 72)
    again = plots.save_figure(plots.draw_metrics(measured([1.0, 2.0])), tmp_path / "b.svg")
    assert again.read_bytes() == svg.read_bytes(), "no date, no random names"
    for name in ("a.jpg", "a", "a.gif"):
        with pytest.raises(OutputError, match=r"not one of \.png, \.svg"):
            plots.save_figure(figure, tmp_path / name)
    with pytest.raises(OutputError, match=r"not one of \.gif, \.webp"):
        plots.save_animation([Image.new("L", (9, 9))], tmp_path / "a.png")


def test_user_settings_of_matplotlib_change_nothing():
    lines = measured([1.0, 2.0])
    expected = plots.to_pil(plots.draw_metrics(lines))
    own = {"axes.facecolor": "black", "font.size": 30, "lines.linestyle": ":", "text.color": "red"}
    with matplotlib.rc_context(own):
        assert plots.to_pil(plots.draw_metrics(lines)) == expected
        assert {key: matplotlib.rcParams[key] for key in own} == own


def test_a_name_with_a_dollar_is_not_math():
    figure = plots.draw_curves(log([1.0, 2.0], "a$x/b$^"))
    plots.to_pil(figure)
    assert panel_of(figure, "a$x: b$^")


def test_global_state_stays_unchanged():
    code = """
import sys, matplotlib
before = matplotlib.rcParams.copy()
from ganzoo import plots
plots.to_pil(plots.draw_metrics([{"images": 1, "metrics": {"a": 1.0}}]))
assert matplotlib.rcParams.copy() == before
assert "matplotlib.pyplot" not in sys.modules
assert "umap" not in sys.modules
"""
    result = run_new("-c", code)
    assert result.returncode == 0, result.stderr
