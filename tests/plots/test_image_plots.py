"""Figures of images: rows, paths between images, planes of latents."""

from collections import Counter

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle
from PIL import Image

import ganzoo
from ganzoo import ImageBatch, plots
from ganzoo.errors import PlotError, SampleError
from ganzoo.evaluation import wasserstein1
from ganzoo.plots.latent_map import separate
from ganzoo.plots.sheet import Sheet, enlarge, text_width
from ganzoo.plots.style import PALE, class_colours
from ganzoo.sampling import latents

RNG = np.random.default_rng(0)


def batch(n=3, height=16, width=16, channels=1):
    shape = (n, height, width, channels)
    return ImageBatch(RNG.integers(0, 256, shape, dtype=np.uint8))


def tiles(figure):
    """Return left, top, right, bottom and pixels of each image, in order of placement."""
    result = []
    for image in figure.axes[0].images:
        left, right, bottom, top = image.get_extent()
        pixels = np.asarray(image.get_array())
        grey = (pixels == pixels[:, :, :1]).all()
        result.append(((left, top, right, bottom), pixels[:, :, 0] if grey else pixels))
    return result


def words(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def small(pixels, scale):
    return pixels[::scale, ::scale]


# Sheets


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_sheet_shows_exact_pixels(tmp_path, mode):
    image = Image.fromarray(batch(1, 37, 53, 3).numpy()[0]).convert(mode)
    sheet = Sheet(211, 97)
    sheet.place(image, 101, 31)
    saved = Image.open(plots.save_figure(sheet.figure, tmp_path / "a.png")).convert(mode)
    assert saved.size == (211, 97)
    assert np.array_equal(np.asarray(saved)[31 : 31 + 37, 101 : 101 + 53], np.asarray(image))
    assert np.asarray(saved)[:31].min() == 255, "nothing beside it"


def test_enlarging_repeats_pixels():
    pixels = batch(1, 5, 4, 3).numpy()[0]
    large = np.asarray(enlarge(pixels, 3))
    assert large.shape == (15, 12, 3)
    assert np.array_equal(large[1::3, 2::3], pixels)


def test_the_width_of_text_is_measured():
    sheet = Sheet(400, 40)
    sheet.write("wgan-gp-mnist", 20, 20)
    dark = np.asarray(plots.to_pil(sheet.figure).convert("L")).min(axis=0) < 200
    assert abs((np.flatnonzero(dark)[-1] - 20) - text_width("wgan-gp-mnist")) <= 3
    assert text_width("a\nlonger") == text_width("longer") > text_width("a")
    assert text_width("") == 0


# Rows


def test_rows_have_their_names_at_the_left():
    a, b = batch(4), batch(4)
    figure = plots.draw_rows({"first": a, "second": b})
    assert words(figure) == ["first", "second"]
    placed = tiles(figure)
    assert len(placed) == 8
    for k in range(4):
        (left, top, right, bottom), pixels = placed[k]
        (left_b, top_b, _, _), pixels_b = placed[4 + k]
        assert (left, bottom <= top_b) == (left_b, True)
        assert right - left == bottom - top == 16 * 7, "whole multiples"
        assert np.array_equal(small(pixels, 7), a.numpy()[k, :, :, 0])
        assert np.array_equal(small(pixels_b, 7), b.numpy()[k, :, :, 0])


def test_long_rows_are_wrapped():
    a, b = batch(7), batch(7)
    figure = plots.draw_rows({"a": a, "b": b}, columns=3)
    assert words(figure) == ["a", "b"] * 3
    actual = [small(pixels, 7) for _, pixels in tiles(figure)]
    order = [(a, 0), (a, 1), (a, 2), (b, 0), (b, 1), (b, 2), (a, 3), (a, 4), (a, 5), (b, 3)]
    for pixels, (rows, k) in zip(actual[: len(order)], order, strict=True):
        assert np.array_equal(pixels, rows.numpy()[k, :, :, 0])
    tops = [place[1] for place, _ in tiles(figure)]
    assert tops == sorted(tops)


@pytest.mark.parametrize(("side", "n", "columns"), [(28, 10, 10), (28, 24, 12), (28, 15, 8), (256, 8, 4), (600, 3, 2)])  # fmt: skip
def test_rows_fill_the_width_of_a_readme(side, n, columns):
    figure = plots.draw_rows({"a": batch(n, side, side)})
    assert len({place[0] for place, _ in tiles(figure)}) == columns
    assert plots.to_pil(figure).width <= 1260


def test_rows_can_differ_in_size_and_channels():
    figure = plots.draw_rows({"grey": batch(2, 16, 16, 1), "colour": batch(2, 28, 20, 3)})
    (a, grey), _, (b, colour), _ = tiles(figure)
    assert grey.shape == (112, 112)
    assert colour.shape == (112, 80, 3)
    assert (a[0] + a[2]) == (b[0] + b[2]), "their middles are above each other"


def test_rows_of_different_lengths_are_refused():
    with pytest.raises(PlotError, match="'a' has 2 images, 'b' has 3 images"):
        plots.draw_rows({"a": batch(2), "b": batch(3)})
    with pytest.raises(PlotError, match="there are 3 captions"):
        plots.draw_rows({"a": batch(2)}, captions=["x"] * 3)
    with pytest.raises(PlotError, match="there is no row"):
        plots.draw_rows({})
    with pytest.raises(PlotError, match="'a' has 0"):
        plots.draw_rows({"a": batch(0)})


# Comparisons


def test_reconstructions_are_below_the_real_images():
    real, rebuilt = batch(2), batch(2)
    figure = plots.draw_reconstructions(real, {"vae": rebuilt})
    assert words(figure) == ["real", "vae"]
    for (_, pixels), expected in zip(tiles(figure), [*real.numpy(), *rebuilt.numpy()], strict=True):
        assert np.array_equal(small(pixels, 7), expected[:, :, 0])


def test_translations_are_between_their_conditions_and_the_truth():
    condition, *images = batch(2), batch(2, channels=3), batch(2, channels=3)
    output = {"output": images[0]}
    assert words(plots.draw_translations(condition, output)) == ["condition", "output"]
    figure = plots.draw_translations(condition, output, images[1])
    assert words(figure) == ["condition", "output", "truth"]
    for (_, pixels), expected in zip(
        tiles(figure),
        [image for part in (condition, *images) for image in part.numpy()],
        strict=True,
    ):
        assert np.array_equal(small(pixels, 7).reshape(expected.shape), expected)


def test_larger_outputs_are_below_bicubic_ones():
    condition, output = batch(2), batch(2, 32, 32)
    figure = plots.draw_translations(condition, {"a": output, "b": output})
    assert words(figure) == ["condition", "bicubic", "a", "b"]
    for (_, pixels), image in zip(tiles(figure)[2:4], condition.pil(), strict=True):
        assert np.array_equal(small(pixels, 8), image.resize((32, 32), Image.BICUBIC))


def test_neighbours_are_those_of_the_indices():
    samples, training = batch(3), batch(9)
    figure = plots.draw_neighbours(samples, training, np.array([8, 0, 8]), [0.125, 2.0, 3.0])
    assert words(figure) == ["0.125", "2", "3", "sample", "nearest training\nimage"]
    actual = [small(pixels, 7) for _, pixels in tiles(figure)]
    expected = [*samples.numpy(), *training.numpy()[[8, 0, 8]]]
    assert all(np.array_equal(a, b[:, :, 0]) for a, b in zip(actual, expected, strict=True))
    ranks = plots.draw_neighbours(samples, training, np.array([[8, 1], [0, 2], [8, 3]]))
    assert words(ranks) == ["sample", "nearest training\nimage", "2. nearest"]
    assert np.array_equal(small(tiles(ranks)[7][1], 7), training.numpy()[2, :, :, 0])


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        ([0, 1], "Pass integers"),
        ([0.0, 1.0, 2.0], "Pass integers"),
        ([0, 1, 9], "index 9"),
        ([0, -1, 2], "index -1"),
    ],
)
def test_missing_neighbours_are_refused(indices, message):
    with pytest.raises(PlotError, match=message):
        plots.draw_neighbours(batch(3), batch(9), np.array(indices))


def test_grids_stand_beside_each_other_below_their_names():
    a, b = batch(5), batch(3, 8, 8, 3)
    figure = plots.draw_grids({"real": a, "generated": b}, columns=2)
    assert words(figure) == ["real", "generated"]
    placed = tiles(figure)
    expected = [*a.numpy()[:, :, :, 0], *b.numpy()]
    scales = [
        len(pixels) // side for (_, pixels), side in zip(placed, [16] * 5 + [8] * 3, strict=True)
    ]
    for (_, pixels), scale, image in zip(placed, scales, expected, strict=True):
        assert np.array_equal(small(pixels, scale), image)
    lefts = [place[0] for place, _ in placed]
    assert [lefts[k] for k in (0, 2, 4)] == [lefts[0]] * 3, "two columns"
    assert min(lefts[5:]) > max(place[2] for place, _ in placed[:5])
    assert placed[0][0][1] == placed[5][0][1]
    assert plots.to_pil(plots.draw_grids({"a": batch(64, 64, 64, 3), "b": batch(64)})).width <= 1260
    with pytest.raises(PlotError, match="cannot draw 1 grids"):
        plots.draw_grids({"a": batch(0)})


# The earth mover


def test_a_table_of_mixed_styles_places_each_image_by_row_and_column():
    rows, columns = (
        ImageBatch(
            np.full((n, 8, 8, 3), 0, np.uint8) + np.arange(n, dtype=np.uint8)[:, None, None, None]
        )
        for n in (2, 3)
    )
    mixed = ImageBatch(np.arange(6, dtype=np.uint8).repeat(8 * 8 * 3).reshape(6, 8, 8, 3) + 100)
    figure = plots.draw_style_mixing(rows, columns, mixed, (["a", "b"], ["c", "d", "e"]))
    pixels = np.asarray(plots.to_pil(figure))[:, :, 0]
    middles = {level: np.argwhere(pixels == level).mean(axis=0) for level in range(100, 106)}
    for k in range(6):
        row, column = divmod(k, 3)
        assert middles[100 + k][0] == pytest.approx(middles[100 + 3 * row][0])
        assert middles[100 + k][1] == pytest.approx(middles[100 + column][1])
    assert middles[103][0] - middles[100][0] > 150
    assert {text.get_text() for text in figure.axes[0].texts} == {*"abcde"}
    with pytest.raises(PlotError, match="cannot draw 5 mixed images of 2 rows and 3 columns"):
        plots.draw_style_mixing(rows, columns, mixed[:5], (["a", "b"], ["c", "d", "e"]))


def test_only_large_images_are_shrunk():
    small = ImageBatch(np.zeros((2, 256, 8, 1), np.uint8))
    assert plots.shrink(small) is small
    large = np.zeros((2, 520, 300, 3), np.uint8)
    large[:, :3, :3] = 90
    smaller = plots.shrink(ImageBatch(large)).numpy()
    assert smaller.shape == (2, 174, 100, 3)
    assert (smaller[:, 0, 0] == 90).all()
    assert not smaller[:, 1:, 1:].any()
    assert plots.shrink(ImageBatch(large[..., :1])).numpy().shape == (2, 174, 100, 1)


def test_three_ways_to_eight():
    """Cells that leave and arrive are coloured alike, and every way has the work of the distance."""
    p, q = plots.EARTH_MOVER
    assert wasserstein1(p, q, normalise=None) == 8
    names = ("total-mass", "largest-distance", "mean-transport")
    normalised = {name: wasserstein1(p, q, normalise=name) for name in names}
    figure = plots.draw_earth_mover(normalised=normalised)
    titles = [panel.get_title("left") for panel in figure.axes[:3]]
    assert [title.rpartition(" = ")[2] for title in titles] == ["8", "8", "8"]
    assert titles[0] == "straight to the gap\n2 x 3 + 1 x 2 = 8"
    for before, after in zip(figure.axes[:3], figure.axes[3:], strict=True):
        columns, coloured = [], []
        for panel in (before, after):
            cells = [patch for patch in panel.patches if isinstance(patch, Rectangle)]
            # A cell that leaves is drawn over the one that it was.
            places = {(c.get_x(), c.get_y()): c.get_facecolor() for c in cells}
            columns.append(Counter(round(x + 0.46) for x, _ in places))
            coloured.append(Counter(c for c in places.values() if c != to_rgba(PALE)))
        assert [columns[0][k] for k in range(4)] == list(p)
        assert [columns[1][k] for k in range(4)] == list(q)
        assert coloured[0] == coloured[1]
    text = figure._supxlabel.get_text()
    assert text.splitlines() == [
        "total-mass: 8 / 14 = 0.571, divided by all cells",
        "largest-distance: 8 / 42 = 0.190, divided by all cells, times the largest distance of two "
        "columns",
        "mean-transport: 8 / 3 = 2.667, divided by the surplus cells",
    ]
    assert plots.to_pil(figure).width == 1260


def test_a_plan_that_does_not_fit_is_refused():
    with pytest.raises(PlotError, match=r"'a' turns \(2, 0\) into \(1, 1\), not into \(0, 2\)"):
        plots.draw_earth_mover((2, 0), (0, 2), {"a": [(0, 1, 1)]})
    with pytest.raises(PlotError, match="Pass at least one plan"):
        plots.draw_earth_mover((2, 0), (0, 2), {})


# Paths between images


@pytest.mark.parametrize("path", ["spherical", "linear"])
def test_a_path_has_the_given_ends(path):
    model = ganzoo.load("dcgan-paper-mnist")
    walk = model.interpolate(3, 9, steps=5, path=path).numpy().astype(int)
    for end, seed in ((0, 3), (-1, 9)):
        assert np.abs(walk[end] - model.sample(1, seed=seed).numpy()[0]).max() <= 1


def test_paths_are_the_arc_and_the_line():
    model = ganzoo.load("dcgan-paper-mnist")
    a, b = (latents.normal(seed, 1, 100)[0] for seed in (3, 9))
    line = model.interpolate(3, 9, steps=3, path="linear").numpy().astype(int)
    middle = model.decode(((a + b) / 2)[None]).numpy().astype(int)
    assert np.abs(line[1] - middle[0]).max() <= 1
    arc = model.interpolate(3, 9, steps=3).numpy().astype(int)
    assert np.abs(arc[1] - middle[0]).max() > 50
    with pytest.raises(SampleError, match="'curved' path"):
        model.interpolate(3, 9, path="curved")


def test_decoding_equals_sampling():
    model = ganzoo.load("dcgan-paper-mnist")
    z = latents.normal(7, 21, 100)
    assert np.array_equal(model.decode(z).numpy(), model.sample(21, seed=7).numpy())
    with pytest.raises(
        SampleError,
        match=r"the latents have shape \(0, 100\); 'dcgan-paper-mnist' reads shape \(n, 100\)",
    ):
        model.decode(z[:0])
    digits = ganzoo.load("cgan-mnist")
    z, y = latents.normal(0, 20, 100), np.arange(20) % 10
    assert np.array_equal(digits.decode(z, y).numpy(), digits.sample(20).numpy())
    with pytest.raises(SampleError, match="one label per latent"):
        digits.decode(z, y[:19])


def test_a_path_is_a_row_from_end_to_end():
    walk, line, real = batch(4), batch(4), batch(2)
    figure = plots.draw_interpolation({"spherical": walk, "linear": line}, ("seed 1", "seed 2"))
    assert words(figure) == ["seed 1", "", "", "seed 2", "spherical", "linear"]
    assert len(tiles(figure)) == 8
    figure = plots.draw_interpolation({"linear": line}, ("real 7", "real 2"), real)
    assert [w for w in words(figure) if w] == ["real 7", "decoded", "decoded", "real 2", "linear"]
    actual = [pixels for _, pixels in tiles(figure)]
    expected = [real.numpy()[0], *line.numpy(), real.numpy()[1]]
    for pixels, image in zip(actual, expected, strict=True):
        assert np.array_equal(small(pixels, len(pixels) // 16), image[:, :, 0])


def test_a_long_path_is_one_row():
    figure = plots.draw_interpolation({"arc": batch(40)}, ("a", "b"))
    assert len({place[1] for place, _ in tiles(figure)}) == 1
    assert plots.to_pil(figure).width <= 1260


def test_an_animated_path_returns_to_its_start(tmp_path):
    walk = ImageBatch(np.full((5, 16, 16, 1), 0, np.uint8) + np.uint8(50) * np.arange(5, dtype=np.uint8)[:, None, None, None])  # fmt: skip
    frames = plots.animate_interpolation({"arc": walk})
    levels = [int(np.asarray(f.convert("L"))[f.height // 2, -50]) for f in frames]
    assert levels == [0, 50, 100, 150, 200, 150, 100, 50]
    with Image.open(plots.save_animation(frames, tmp_path / "a.gif")) as animation:
        assert animation.n_frames == 8


def test_paths_of_different_lengths_are_refused():
    with pytest.raises(PlotError, match="'b' has 3"):
        plots.draw_interpolation({"a": batch(2), "b": batch(3)}, ("x", "y"))
    with pytest.raises(PlotError, match="'a' has 0"):
        plots.animate_interpolation({"a": batch(2), "b": batch(3)})


# Planes of latents


@pytest.fixture(scope="module")
def plane():
    return ganzoo.load("vae2d-mnist")


def test_the_square_of_a_map_holds_nearly_all_latents(plane):
    z = RNG.normal(size=(2000, 2)).astype(np.float32) * [3, 1] + [10, -5]
    drawing = plots.map_latents(plane, z.astype(np.float32), np.zeros(2000, int), steps=4)
    inside = ((z >= drawing.low) & (z <= drawing.low + drawing.side)).all(axis=1)
    assert inside.mean() > 0.98
    # From the 0.5th to the 99.5th percentile of the wider coordinate, and 10 % more.
    assert drawing.side == pytest.approx(1.1 * 2 * 2.576 * 3, rel=0.1)
    np.testing.assert_allclose(drawing.low + drawing.side / 2, [10, -5], atol=0.7)


def test_the_lattice_is_generated_from_cell_centres(plane):
    z = RNG.uniform(-2, 2, (500, 2)).astype(np.float32)
    drawing = plots.map_latents(plane, z, np.zeros(500, int), steps=3)
    assert len(drawing.lattice) == 9
    third = drawing.side / 3
    top_left = drawing.low + np.array([0.5, 2.5]) * third
    bottom_right = drawing.low + np.array([2.5, 0.5]) * third
    for k, latent in ((0, top_left), (8, bottom_right)):
        expected = plane.decode(latent.astype(np.float32)[None]).numpy()[0].astype(int)
        assert np.abs(drawing.lattice.numpy()[k] - expected).max() <= 1


def test_maps_have_separate_axes(plane):
    z = RNG.normal(size=(300, 2)).astype(np.float32)
    labels = np.arange(300) % 3
    maps = {
        "wide": plots.map_latents(plane, 5 * z, labels, steps=2),
        "narrow": plots.map_latents(plane, z, labels, steps=2),
    }
    figure = plots.draw_latent_maps(maps, ("zero", "one", "two"))
    assert [axes.get_title("left") for axes in figure.axes] == ["wide", "narrow"] + ["decoded"] * 2
    for axes in figure.axes:
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("latent 1", "latent 2")
    for column, drawing in enumerate(maps.values()):
        above, below = figure.axes[column], figure.axes[2 + column]
        assert above.get_xlim() == below.get_xlim() == pytest.approx((drawing.low[0], drawing.low[0] + drawing.side))  # fmt: skip
        assert above.get_ylim() == below.get_ylim()
        groups = [c.get_offsets().data for c in above.collections]
        for number, points in enumerate(groups):
            assert np.array_equal(points, drawing.latents[labels == number])
        assert [text.get_text() for text in above.texts] == ["zero", "one", "two"]
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["zero", "one", "two"]
    plots.to_pil(figure)


@pytest.mark.parametrize(
    "places", [[[0, 0], [0, 0]], [[0, 0], [0.5, 0]], [[0, 0], [5, 5], [5.1, 5]]]
)
def test_overlapping_names_are_separated(places):
    moved = separate(np.array(places, float), 1.0)
    far = np.hypot(*(moved[:, None] - moved).transpose(2, 0, 1)) + np.eye(len(moved))
    assert far.min() > 0.99
    np.testing.assert_allclose(moved.mean(0), np.mean(places, 0), atol=0.01)
    apart = np.array([[0.0, 0.0], [3.0, 0.0]])
    np.testing.assert_allclose(separate(apart, 1.0), apart, atol=0.01)


def test_a_map_without_classes_has_one_colour(plane):
    z = RNG.normal(size=(50, 2)).astype(np.float32)
    drawing = plots.map_latents(plane, z, np.zeros(50, int), steps=2)
    figure = plots.draw_latent_maps({"a": drawing})
    assert len(figure.axes[0].collections) == 1
    assert not figure.legends
    with pytest.raises(PlotError, match="cannot draw latent maps"):
        plots.draw_latent_maps({})


def test_a_map_needs_two_dimensional_latents(tiny_bundle):
    model = ganzoo.load(tiny_bundle)
    with pytest.raises(PlotError, match="its latents have length 8"):
        plots.map_latents(model, latents.normal(0, 9, 8), np.zeros(9, int))


@pytest.mark.parametrize("classes", [0, 1, 10, 11, 300])
def test_every_class_has_its_own_colour(classes):
    colours = [tuple(c) for c in class_colours(classes)]
    assert len(colours) == classes
    assert len(set(colours)) == min(classes, len(set(colours)) if classes > 256 else classes)
