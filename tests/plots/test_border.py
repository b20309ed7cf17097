"""The border of a cloud of points, and the plane of images with that border."""

import sys
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgba
from matplotlib.offsetbox import AnnotationBbox
from PIL import Image

from ganzoo import ImageBatch, plots
from ganzoo.cli import main
from ganzoo.errors import PlotError
from ganzoo.plots import planes
from ganzoo.plots.border import Border
from ganzoo.plots.planes import spread_out
from ganzoo.plots.style import BLUE, VERMILLION

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dim", [1, 2, 20])
def test_five_percent_of_the_cloud_are_on_its_border(dim):
    cloud, more = RNG.normal(size=(2, 4000, dim))
    border = Border(cloud)
    # A share of 5 % of 4,000 has a standard error of 0.35 %, and the border's own place another.
    assert abs(border.outside(more).mean() - 0.05) < 0.02


def test_far_points_are_outside_and_central_ones_are_not():
    border = Border(RNG.normal(size=(500, 2)))
    assert border.outside(RNG.normal(size=(100, 2)) + 20).all()
    assert not border.outside(0.1 * RNG.normal(size=(100, 2))).any()
    between = Border(np.concatenate([RNG.normal(size=(500, 2)), RNG.normal(size=(500, 2)) + 20]))
    assert between.outside(np.full((1, 2), 10.0)).all(), "between two clouds is outside of both"


def test_the_border_of_a_comb_is_one_tooth_away():
    """For whole numbers every nearest neighbour is at distance 1, like the border."""
    border = Border(np.arange(100.0)[:, None], neighbours=1)
    assert border.radius == 1
    places = np.array([[-1.001], [-1.0], [-0.999], [50.5], [100.0], [101.0]])
    assert border.outside(places).tolist() == [True, True, False, False, True, True]
    np.testing.assert_allclose(border.distances(places), [1.001, 1, 0.999, 0.5, 1, 2])


def test_equal_points_have_no_border():
    with pytest.raises(PlotError, match="nearly all of them are equal to 10 others"):
        Border(np.zeros((30, 2))).outside(np.ones((1, 2)))


def test_the_percentile_is_that_of_the_cloud():
    """For distances 1 to 20, the border at 25 % leaves the 5 largest outside."""
    pairs = np.array([[1000.0 * k + side * (k + 1)] for k in range(20) for side in (0, 1)])
    border = Border(pairs, neighbours=1, percentile=25.0)
    own = np.repeat(np.arange(1.0, 21.0), 2)
    assert border.radius == np.percentile(own, 75)
    assert (own >= border.radius).mean() == pytest.approx(0.25)


@given(st.floats(0.01, 100), st.floats(-50, 50))
def test_scale_and_origin_do_not_matter(scale, shift):
    cloud, places = RNG.normal(size=(60, 2)), 3 * RNG.normal(size=(40, 2))
    # Without points that rounding could move across the border.
    clear = np.abs(Border(cloud).distances(places) / Border(cloud).radius - 1) > 1e-6
    moved = Border(cloud * scale + shift).outside(places * scale + shift)
    assert np.array_equal(moved[clear], Border(cloud).outside(places)[clear])


@pytest.mark.parametrize("arguments", [{"neighbours": 5}, {"neighbours": 0}, {"percentile": 0.0}])
def test_invalid_borders_are_refused(arguments):
    with pytest.raises(PlotError, match="of 5 points"):
        Border(np.zeros((5, 2)), **{"neighbours": 2} | arguments)


# The plane. UMAP takes long to import and to compile.


def discs(n, seed):
    """Round spots at random places: images on a surface of few dimensions."""
    rng = np.random.default_rng(seed)
    x, y, radius = rng.uniform([4, 4, 2], [8, 8, 3], (n, 3)).T[:, :, None, None]
    grid = np.arange(12) + 0.5
    beyond = np.hypot(grid - x, grid[:, None] - y) - radius
    return ImageBatch((255 / (1 + np.exp(beyond)))[..., None].astype(np.uint8))


@pytest.mark.slow
def test_broken_images_are_outside_and_intact_ones_are_not():
    real, held_out, whole = (discs(n, seed) for n, seed in ((150, 0), (60, 1), (40, 2)))
    noise = ImageBatch(RNG.integers(0, 256, (20, 12, 12, 1), dtype=np.uint8))
    generated = ImageBatch(np.concatenate([whole.numpy(), noise.numpy()]))
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    plane = plots.fit_plane(real, held_out, generated)
    assert torch.get_num_threads() == 3
    torch.set_num_threads(threads)
    assert (plane.real.shape, plane.generated.shape) == ((150, 2), (60, 2))
    assert plane.in_space.generated[40:].all()
    assert plane.in_space.generated[:40].mean() < 0.2
    assert plane.in_space.held_out_share == pytest.approx(plane.in_space.held_out.mean())
    assert plane.in_space.held_out_share < 0.2
    assert plane.in_space.share == pytest.approx(plane.in_space.generated.mean())
    assert plane.in_plane.generated.tolist() == plane.border.outside(plane.generated).tolist()
    again = plots.fit_plane(real, held_out, generated)
    assert np.array_equal(plane.generated, again.generated), "one seed, one plane"

    counts = []

    def features(images):
        counts.append(len(images))
        flat = images.numpy().reshape(len(images), -1).astype(float)
        return np.stack([flat.mean(1), flat.std(1), flat.max(1)], 1)

    by_features = plots.fit_plane(real, held_out, generated, features=features)
    assert counts == [150, 60, 60]
    assert by_features.in_space.generated[40:].all()
    figure = plots.draw_planes({"pixels": plane, "features": by_features}, generated)
    for k, (name, drawing) in enumerate({"pixels": plane, "features": by_features}.items()):
        panel, outside, inside = figure.axes[3 * k : 3 * k + 3]
        assert (panel.get_xlabel(), panel.get_ylabel()) == ("UMAP 1", "UMAP 2")
        share = drawing.in_plane.share
        assert panel.get_title("left").startswith(f"{name}: {share:.1%} on or outside the border")
        count = int(drawing.in_plane.generated.sum())
        assert outside.get_title("left") == f"on or outside: {count}"
        more = ", 36 shown" if 60 - count > 36 else ""
        assert inside.get_title("left") == f"inside: {60 - count}{more}"
        points = [len(c.get_offsets()) for c in panel.collections[:3]]
        assert points == [150, 60 - count, count]
    assert plots.to_pil(figure).width == 1260
    figure = plots.draw_planes({"pixels": plane}, generated, thumbnails=25)
    boxes = [a for a in figure.axes[0].artists if isinstance(a, AnnotationBbox)]
    assert len(boxes) == 25
    for box in boxes:
        (k,) = np.flatnonzero((plane.generated == np.float32(box.xy)).all(axis=1))[:1]
        assert np.array_equal(box.offsetbox.get_data(), generated.numpy()[k, :, :, 0])
        colour = VERMILLION if plane.in_plane.generated[k] else BLUE
        assert box.patch.get_edgecolor() == to_rgba(colour)
    plots.to_pil(figure)


def test_the_line_of_the_border_is_closed_and_within_the_panel():
    """Eleven points at one place have a circle as their border, since the tenth is at its centre."""
    centres, radius = np.array([[0.0, 0.0], [8.0, 0.0], [0.0, 20.0]]), 3.0
    steps = np.linspace(0, 2 * np.pi, 6, endpoint=False)
    ring = radius * np.stack([np.cos(steps), np.sin(steps)], axis=1)
    # These six are the sparsest points, and so define the radius of the border.
    cloud = np.concatenate([np.repeat(centres, 11, axis=0), centres[0] + ring]).astype(np.float32)
    border = Border(cloud)
    assert border.radius == pytest.approx(radius)
    outside = planes.OutsidePoints(np.zeros(3, bool), np.zeros(3, bool))
    plane = planes.Plane(cloud, centres, border, outside, outside)
    figure = plots.draw_planes({"pixels": plane}, discs(3, 0))
    panel = figure.axes[0]
    (contour,) = [c for c in panel.collections if hasattr(c, "allsegs")]
    lines = contour.allsegs[0]
    assert len(lines) == 3
    for line in lines:
        np.testing.assert_allclose(line[0], line[-1], atol=1e-9)
    ends = np.concatenate(lines)
    (left, right), (bottom, top) = panel.get_xlim(), panel.get_ylim()
    assert left < ends[:, 0].min() == pytest.approx(-radius, abs=0.1)
    assert right > ends[:, 0].max() == pytest.approx(8 + radius, abs=0.1)
    assert bottom < ends[:, 1].min() == pytest.approx(-radius, abs=0.1)
    assert top > ends[:, 1].max() == pytest.approx(20 + radius, abs=0.1)


def test_thumbnails_are_far_apart():
    line = np.stack([np.arange(10.0), np.zeros(10)], axis=1)
    assert spread_out(line, 3) == [0, 9, 4]
    assert sorted(spread_out(line, 99)) == list(range(10))


@pytest.mark.slow
def test_the_command(tiny_bundle, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    counts = ["-n", "40", "--generated", "12", "--thumbnails", "5"]
    assert main(["plot", "umap", str(tiny_bundle), *counts]) == 0
    first, _, plane, pixels = capsys.readouterr().out.splitlines()
    assert first.startswith("umap.png: 12 generated images; real images: 40 of ")
    assert plane.split()[:3] == ["plane", "of", "pixels"]
    # A barely trained model generates grey squares, unlike any digit.
    assert pixels.split()[:2] == ["pixels", "100.0%"]
    assert Image.open("umap.png").width == 1260


def test_invalid_planes_are_refused():
    spots = discs(20, 0)
    with pytest.raises(PlotError, match="more than 15 real images"):
        plots.fit_plane(spots[:15], spots, spots)
    with pytest.raises(PlotError, match=r"features of 20 images have the shape \(20,\)"):
        plots.fit_plane(spots, spots, spots, features=lambda images: np.zeros(len(images)))
    with pytest.raises(PlotError, match="cannot draw planes"):
        plots.draw_planes({}, spots)


def test_umap_may_warn_at_its_import(tmp_path, monkeypatch):
    (tmp_path / "umap.py").write_text(
        "import warnings\nwarnings.warn('no tensorflow', ImportWarning)\nUMAP = dict\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "umap", raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert planes._umap(3)["random_state"] == 3
    sys.modules.pop("umap")
