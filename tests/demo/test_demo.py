"""The computations of the demo page, without gradio."""

import base64
import io
import os
import shutil
import struct
import sys
import threading
import zlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import ganzoo
from ganzoo.bundle import open_bundle
from ganzoo.bundle.summary import ModelSummary, read_summary
from ganzoo.demo import (
    cards,
    drawing,
    interpolation,
    latent_walk,
    launch,
    render,
    sampling,
    upscaling,
)
from ganzoo.demo.address import check_port, find_address
from ganzoo.demo.model_cache import ModelCache
from ganzoo.errors import BundleError, DemoError, ImageFileError, SampleError, UnknownNameError
from ganzoo.registry import models
from ganzoo.registry.distributions import DISTRIBUTION
from ganzoo.registry.own_plugins import OWN_PLUGINS
from ganzoo.sampling.generator import Generator
from ganzoo.spec import DataSpec, ImageSpec, LatentSpec, ModelSpec, SizesSpec
from helpers.bundles import change_config, rehash
from helpers.distributions import install
from helpers.processes import run_new, run_python
from helpers.translators import LocalTranslator, spec_of

STYLED = "stylegan2-tinyhero"  # with a mapping network, in colour


@pytest.fixture(scope="module")
def cache():
    return ModelCache.of(["dcgan-mnist", "cgan-mnist", "vae2d-mnist"])


@pytest.fixture(scope="module")
def plain(cache):
    return cache.generator("dcgan-mnist")


@pytest.fixture(scope="module")
def classy(cache):
    return cache.generator("cgan-mnist")


OWN = {DISTRIBUTION, *OWN_PLUGINS}


class Recorder(Generator):
    """A generator that stores its latents."""

    def __init__(self, dim, side=8):
        size = ImageSpec(side, side, 1)
        self.spec = ModelSpec("r", "r", {}, (), DataSpec(size), LatentSpec(dim))
        self.latents = []

    def run(self, inputs):
        self.latents.extend(inputs["z"])
        return np.zeros((len(inputs["z"]), *self.spec.data.image.shape), np.float32)


# The models of a page.


def test_summaries_list_the_abilities_of_each_model():
    cache = ModelCache.of()
    assert set(cache.names) == {e.name for e in models.entries() if e.distribution in OWN}
    colour = [name for name in cache.names if cache.spec(name).data.image.channels == 3]
    assert list(cache.names[: len(colour)]) == colour, "models in colour first"
    assert STYLED in colour
    facts = [read_summary(cache.bundle(name)) for name in cache.names[len(colour) :]]
    distances = [summary.distance for summary in facts if summary.dataset == "mnist"]
    assert distances == sorted(distances), "the best first"
    assert [summary.dataset for summary in facts[len(distances) :]] == ["fashion-mnist"]
    assert cache.with_styles == (STYLED, "stylegan2-mnist")
    assert set(cache.autoencoders) == {"ae-mnist", "ae2d-mnist", "vae-mnist", "vae2d-mnist"}
    assert set(cache.translators) == {"esrgan-emoji", "pix2pix-openmoji"}
    assert cache.unconditional_first[0] == STYLED
    assert cache.unconditional_first[-1] == "cgan-mnist"
    assert set(cache.walkable) == set(cache.generators)
    assert {*cache.generators, *cache.translators} == set(cache.names)


def test_named_models_keep_their_order_without_duplicates():
    assert ModelCache.of(["vae-mnist", "gan-mnist", "vae-mnist"]).names == (
        "vae-mnist",
        "gan-mnist",
    )


def test_a_shipped_model_is_shown_if_a_plugin_has_its_name(tmp_path):
    install(tmp_path, "acme-models", {"models": {"gan-mnist": "acme_models:model"}})
    result = run_python(
        "import ganzoo.zoo\n"
        "from ganzoo.demo.model_cache import ModelCache\n"
        "cache = ModelCache.of()\n"
        "print('torch-ganzoo:gan-mnist' in cache.names, 'dcgan-mnist' in cache.names)\n"
        "print(cache.spec('torch-ganzoo:gan-mnist').name)\n",
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )
    assert result.stdout == "True True\ngan-mnist\n", result.stderr


def test_a_damaged_shipped_model_is_skipped(monkeypatch):
    def find(address):
        if address in broken:
            raise BundleError(f"{address} is damaged.")
        return ganzoo.zoo.find(address)

    monkeypatch.setattr("ganzoo.demo.model_cache.find", find)
    broken = {"torch-ganzoo:gan-mnist", "torch-ganzoo:ae-mnist"}
    with pytest.warns(
        UserWarning, match=r"leaves out.*ae-mnist is damaged.*gan-mnist is"
    ) as record:
        cache = ModelCache.of()
    assert len(record) == 1
    shipped = {e.name for e in models.entries() if e.distribution in OWN}
    assert set(cache.names) == shipped - {"gan-mnist", "ae-mnist"}
    broken = {e.address for e in models.entries()}
    with pytest.raises(BundleError, match="the page leaves out"):
        ModelCache.of()


def test_a_network_is_loaded_once_for_all_threads(cache):
    pairs, begin = [], threading.Barrier(4)

    def visit():
        begin.wait()
        pairs.append((cache.generator("vae2d-mnist"), cache.encoder("vae2d-mnist")))

    threads = [threading.Thread(target=visit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(generator) for generator, _ in pairs}) == 1
    assert len({id(encoder) for _, encoder in pairs}) == 1


def test_models_that_are_not_on_the_page_are_refused(cache):
    with pytest.raises(UnknownNameError, match=r"no model named 'gan-mnist' is on this page"):
        cache.generator("gan-mnist")
    with pytest.raises(UnknownNameError, match=r"'dcgan-mnist' does not support this.*vae2d-mnist"):
        cache.encoder("dcgan-mnist")
    with pytest.raises(UnknownNameError, match=r"Choose one of \(none\)"):
        cache.translator("dcgan-mnist")
    with pytest.raises(UnknownNameError, match="dcgan-mnist"):
        ModelCache.of(["dcgann-mnist"])


# Images of seeds.


def test_samples_equal_those_of_the_model(plain, classy):
    assert sampling.classes(plain.spec) == ()
    assert sampling.classes(classy.spec) == tuple("0123456789")
    same = np.array_equal
    assert same(sampling.samples(plain, 5, 7).numpy(), plain.sample(7, 5).numpy())
    assert same(sampling.samples(plain, 5, 7, "3").numpy(), plain.sample(7, 5).numpy())
    sevens = sampling.samples(classy, 5, 7, "7")
    assert same(sevens.numpy(), classy.sample(7, 5, label=7).numpy())
    each = sampling.samples(classy, 5, 20, sampling.ALL_CLASSES)
    assert same(each.numpy(), classy.sample(20, 5).numpy())
    assert each.columns == 10, "a class a column"
    assert sampling.samples(classy, 5, 144, sampling.ALL_CLASSES).columns == 10
    assert sampling.samples(classy, 5, 7, sampling.ALL_CLASSES).columns is None


@pytest.mark.parametrize("n", [0, -1, 145, 1_000_000, None, 2.5, "7", True, float("nan")])
def test_invalid_numbers_of_images_are_refused(plain, n):
    with pytest.raises(SampleError, match="the number of images is .* 1 to 144"):
        sampling.samples(plain, 0, n)


@pytest.mark.parametrize("seed", [-1, 2**53, None, 0.5, "0", float("inf")])
def test_invalid_seeds_are_refused(plain, seed):
    for ask in (
        lambda: sampling.samples(plain, seed, 1),
        lambda: interpolation.interpolate(plain, 0, seed, 2, "linear"),
        lambda: interpolation.interpolate_at(plain, seed, 0, 0.5, "linear"),
        lambda: latent_walk.step(plain, 0, seed, 0, 0),
        lambda: latent_walk.plane(plain, seed, 0),
    ):
        with pytest.raises(SampleError, match=r"the seed is .* 0 to 9,007,199,254,740,991"):
            ask()


def test_an_unknown_class_is_refused(classy):
    for ask in (
        lambda: sampling.samples(classy, 0, 1, "10"),
        lambda: interpolation.interpolate(classy, 0, 1, 2, "linear", "10"),
        lambda: interpolation.interpolate_at(classy, 0, 1, 0.5, "linear", "10"),
        lambda: latent_walk.plane(classy, 0, 1, "10"),
    ):
        with pytest.raises(SampleError, match="no class '10'"):
            ask()


@pytest.mark.parametrize("path", ["spherical", "linear"])
def test_a_path_goes_from_seed_to_seed(plain, path):
    ends = [plain.sample(1, seed).numpy()[0].astype(int) for seed in (3, 9)]
    way = interpolation.interpolate(plain, 3, 9, 5, path).numpy()
    assert len(way) == 5
    for at, image in ((0, way[0]), (1, way[-1]), (0.25, way[1])):
        assert (
            np.abs(
                interpolation.interpolate_at(plain, 3, 9, at, path).numpy()[0] - image.astype(int)
            ).max()
            <= 1
        )
    for image, end in zip((way[0], way[-1]), ends, strict=True):
        assert np.abs(image - end).max() <= 1


@pytest.mark.parametrize(
    ("steps", "at", "path"), [(1, -0.1, "arc"), (25, 1.1, "arc"), (None, None, "")]
)
def test_invalid_paths_between_seeds_are_refused(plain, steps, at, path):
    with pytest.raises(SampleError, match="number of steps is .* 2 to 24"):
        interpolation.interpolate(plain, 0, 1, steps, "linear")
    with pytest.raises(SampleError, match="the position is .* 0 to 1"):
        interpolation.interpolate_at(plain, 0, 1, at, "linear")
    with pytest.raises(SampleError, match="unknown path"):
        interpolation.interpolate_at(plain, 0, 1, 0.5, path)


# The plane.


@pytest.mark.parametrize("dim", [2, 3, 100])
def test_directions_are_orthogonal_and_as_long_as_a_latent(dim):
    recorder = Recorder(dim)
    for x, y in ((0, 0), (1, 0), (0, 1)):
        latent_walk.step(recorder, 4, 5, x, y)
    origin, right, up = recorder.latents[::16]
    np.testing.assert_allclose(origin, ganzoo.sampling.latents.normal(4, 1, dim)[0], rtol=1e-6)
    right, up = right - origin, up - origin
    assert np.linalg.norm(right) == pytest.approx(dim**0.5, rel=1e-5)
    assert np.linalg.norm(up) == pytest.approx(dim**0.5, rel=1e-5)
    assert np.dot(right, up) == pytest.approx(0, abs=1e-4 * dim)


def test_the_plane_has_the_seed_in_its_middle_and_y_upwards(plain):
    images = latent_walk.plane(plain, 4, 5).numpy().astype(int)
    assert len(images) == latent_walk.SIDE**2
    places = {40: (0, 0), 0: (-1.5, 1.5), 8: (1.5, 1.5), 80: (1.5, -1.5)}
    for number, (x, y) in places.items():
        assert np.abs(latent_walk.step(plain, 4, 5, x, y).numpy()[0] - images[number]).max() <= 1
    assert np.abs(plain.sample(1, 4).numpy()[0] - images[40]).max() <= 1


@pytest.mark.parametrize(
    ("pixels", "most", "side", "steps"),
    [(28, 144, 9, 24), (64, 144, 9, 24), (128, 64, 7, 24), (256, 16, 3, 16), (1024, 4, 3, 8)],
)
def test_large_images_have_a_smaller_grid(pixels, most, side, steps):
    recorder = Recorder(2, pixels)
    assert sampling.max_images(recorder.spec) == most
    assert latent_walk.side(recorder.spec) == side
    assert interpolation.max_steps(recorder.spec) == steps
    if pixels <= 256:
        assert len(sampling.samples(recorder, 0, 144)) == most
        assert len(latent_walk.plane(recorder, 0, 1)) == side**2
        assert len(interpolation.interpolate(recorder, 0, 1, 24, "linear")) == steps
    assert latent_walk.step_at_click(0.5 / side, 1, side) == -1.5
    assert latent_walk.step_at_click(1.5 / side, 1, side) == pytest.approx(
        3 / (side - 1) - 1.5, abs=0.01
    )


def test_invalid_steps_are_refused(plain):
    for x in (1.6, -2, None, "0", float("nan")):
        with pytest.raises(SampleError, match=r"the step is .* -1\.5 to 1\.5"):
            latent_walk.step(plain, 0, 1, x, 0)
    with pytest.raises(SampleError, match="latents of one number"):
        latent_walk.plane(Recorder(1), 0, 1)


def test_a_click_moves_to_the_image_at_that_position():
    extent = 9 * 60
    for k, step in enumerate(np.linspace(-1.5, 1.5, 9)):
        assert latent_walk.step_at_click(k * 60 + 30, extent) == pytest.approx(step, abs=0.006)
    assert latent_walk.step_at_click(0, extent) == -1.5
    assert latent_walk.step_at_click(extent, extent) == 1.5


@given(st.floats(-1.5, 1.5), st.floats(-1.5, 1.5))
def test_the_frame_surrounds_the_clicked_image(x, y):
    frame = np.asarray(latent_walk.draw_frame(Image.new("L", (540, 540)), x, y))
    rows, columns = np.nonzero(frame[..., 0])
    middle_x, middle_y = (columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2
    assert latent_walk.step_at_click(middle_x, 540) == pytest.approx(x, abs=0.03)
    assert latent_walk.step_at_click(540 - middle_y, 540) == pytest.approx(y, abs=0.03)


# Drawings and uploads.


def png(width, height, data=b""):
    """Return a PNG whose header claims a size."""

    def chunk(kind, content):
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"GIF? no, a note", "is not an image in a supported format. Upload a PNG, JPEG or WebP"),
        (b"", "is not an image in a supported format"),
        (
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
            "is not an image in a supported format",
        ),
        # After decoding, the message would name missing pixels.
        (
            png(10_000, 10_000),
            "has 10,000x10,000 pixels, and the limit is 25 megapixels. Upload",
        ),
        (png(5_001, 5_000), "has 5,000x5,001 pixels"),
        (png(60_000, 60_000), "has too many pixels"),
        (png(16, 16), "cannot read the image that was uploaded: .*Upload another"),
        (
            png(4, 16, zlib.compress(bytes(5 * 16))),
            "16x4 pixels; the minimum is 8x8. Upload another",
        ),
    ],
    ids=["text", "empty", "postscript", "100M", "25M", "3600M", "truncated", "tiny"],
)
def test_invalid_uploads_are_refused(tmp_path, content, message):
    file = tmp_path / "upload.png"
    file.write_bytes(content)
    with pytest.raises(ImageFileError, match=message):
        drawing.open_upload(file)
    with pytest.raises(ImageFileError, match=message):
        drawing.move_upload(file, 28, 28)
    assert not file.exists()
    with pytest.raises(ImageFileError, match="the canvas is empty" if not content else message):
        drawing.read_drawing(
            content and f"data:image/png;base64,{base64.b64encode(content).decode()}"
        )


def test_an_oversized_upload_is_not_read(tmp_path):
    file = tmp_path / "upload.png"
    with file.open("wb") as sparse:
        sparse.truncate(drawing.MAX_BYTES + 1)
    with pytest.raises(ImageFileError, match="the limit is 20 MB"):
        drawing.open_upload(file)


def test_an_upload_is_deleted_once_it_is_read(tmp_path):
    Image.new("L", (20, 10), 7).save(tmp_path / "upload.png")
    url = drawing.move_upload(tmp_path / "upload.png", 16, 12)
    assert drawing.read_drawing(url, "L").size == (16, 12)
    assert not list(tmp_path.iterdir())


def test_a_canvas_has_the_shape_of_the_input():
    sizes = [(28, 28), (32, 64), (96, 72), (1, 4096)]
    assert [drawing.canvas_size(ImageSpec(*size, 1), 280) for size in sizes] == [
        *((280, 280), (280, 140), (210, 280), (280, 1))
    ]


def test_a_drawing_round_trips():
    pixels = np.random.default_rng(0).integers(0, 256, (9, 12, 3), np.uint8)
    value = drawing.write_drawing(Image.fromarray(pixels))
    assert np.array_equal(np.asarray(drawing.read_drawing(value)), pixels)


@given(
    st.one_of(
        st.text(),
        st.integers(),
        st.binary(max_size=99).map(
            lambda content: f"data:image/png;base64,{base64.b64encode(content).decode()}"
        ),
    )
)
def test_invalid_drawings_are_refused(url):
    with pytest.raises(ImageFileError):
        drawing.read_drawing(url)


def bar(x, y, width, height, side=280):
    picture = Image.new("L", (side, side))
    picture.paste(255, (x, y, x + width, y + height))
    return picture


@pytest.mark.parametrize("where", [(0, 0), (200, 10), (100, 130)])
def test_ink_is_centred_as_in_mnist(where):
    centred = np.asarray(drawing.centre(bar(*where, 30, 120)))
    assert centred.shape == (28, 28)
    rows, columns = np.nonzero(centred)
    assert (rows.min(), rows.max()) == (4, 23), "20 pixels, in the middle"
    assert columns.max() - columns.min() + 1 == 5
    assert np.average(columns) == pytest.approx(13.5, abs=0.5)


def test_ink_is_centred_by_its_mass():
    picture = bar(40, 40, 200, 200).point(lambda level: level // 4)
    picture.paste(255, (40, 40, 140, 240))
    columns = np.asarray(drawing.centre(picture), float).sum(axis=0)
    middle = (columns * (np.arange(28) + 0.5)).sum() / columns.sum()
    assert middle == pytest.approx(14, abs=0.5)


def test_an_empty_drawing_is_refused():
    with pytest.raises(ImageFileError, match="no light stroke"):
        drawing.centre(Image.new("L", (280, 280)))


def test_ink_on_paper_is_inverted():
    light = bar(100, 100, 30, 80)
    dark = light.point(lambda level: 255 - level)
    assert np.array_equal(np.asarray(drawing.as_light_on_dark(light)), np.asarray(light))
    assert np.array_equal(np.asarray(drawing.as_light_on_dark(dark)), np.asarray(light))
    size = ImageSpec(28, 28, 1)
    a, b = (drawing.as_input(p.convert("RGB"), size, centred=True).numpy() for p in (light, dark))
    assert np.array_equal(a, b)
    assert a.shape == (1, 28, 28, 1)


def test_other_images_are_only_resized():
    picture = Image.new("RGB", (280, 280), (255, 0, 0))
    output = drawing.as_input(picture, ImageSpec(16, 32, 3), centred=True).numpy()
    assert output.shape == (1, 16, 32, 3)
    assert (output == (255, 0, 0)).all()
    grey = drawing.as_input(bar(0, 0, 140, 280), ImageSpec(28, 28, 1)).numpy()
    assert (grey[..., :10, 0] == 255).all()
    assert (grey[..., 18:, 0] == 0).all()


def test_an_autoencoder_reconstructs_its_own_images(cache):
    encoder, generator = cache.encoder("vae2d-mnist"), cache.generator("vae2d-mnist")
    images = generator.sample(8, seed=0)
    output, z = sampling.reconstruct(encoder, generator, images)
    assert z.shape == (8, 2)
    assert np.array_equal(z, encoder.encode(images))
    assert np.array_equal(output.numpy(), generator.decode(z).numpy())
    assert np.abs(output.numpy().astype(int) - images.numpy()).mean() < 10


# Images and text of the page.


def test_enlarging_repeats_whole_pixels():
    pixels = np.arange(4, dtype=np.uint8).reshape(2, 2)
    large = np.asarray(render.enlarge(Image.fromarray(pixels), 7))
    assert np.array_equal(large, np.kron(pixels, np.ones((3, 3), np.uint8)))
    assert render.enlarge(Image.new("L", (900, 5)), 640).size == (900, 5)
    wide = ganzoo.ImageBatch(np.zeros((3, 64, 2048, 1), np.uint8), 3)
    assert render.enlarge_grid(wide).size == (render.MAX_SIDE, 45), "WebP has at most 16,383 pixels"


def test_a_caption_is_escaped():
    html = render.figures([("<b onclick=x>&\u202e", Image.new("L", (1, 1)))])
    assert "<b" not in html
    assert html.count("&lt;b onclick=x&gt;&amp;\\u202e") == 2


def test_a_card_shows_only_its_own_figures(tmp_path):
    folder = shutil.copytree(models.get("gan-mnist"), tmp_path / "bundle")
    with (folder / "README.md").open("a") as card:
        card.write(
            "\n![x](http://example.com/x.png) ![y](//example.com/y.png) ![z](../z.png)\n"
            "![w](absent.png) ![v](C:\\v.png) ![u](SHA256SUMS)\n"
        )
    rehash(folder)
    card = cards.card("gan-mnist", open_bundle(folder))
    assert card.startswith("<h1>gan-mnist</h1>")
    assert "license:" not in card.split("<h2>Use</h2>")[0]
    encoded = card.partition('<img src="data:image/png;base64,')[2].partition('"')[0]
    decoded = Image.open(io.BytesIO(base64.b64decode(encoded)))
    with Image.open(folder / "samples.png") as samples:
        assert np.array_equal(np.asarray(decoded.convert("L")), np.asarray(samples.convert("L")))
    assert card.count("<img") == card.count('src="data:image/png;base64,') == 3
    assert "example.com" not in card
    text = (folder / "README.md").read_bytes().replace(b"\n", b"\r\n")
    (folder / "README.md").write_bytes(text)
    rehash(folder)
    assert cards.card("gan-mnist", open_bundle(folder)).startswith("<h1>gan-mnist</h1>")


def test_a_model_without_a_card_is_shown_by_its_config(tmp_path):
    folder = shutil.copytree(models.get("gan-mnist"), tmp_path / "bundle")
    (folder / "README.md").unlink()
    rehash(folder)
    card = cards.card("./mine", open_bundle(folder))
    assert card.startswith("<h1>gan-mnist</h1>\n")
    assert "ganzoo.load(&quot;./mine&quot;)" in card
    assert "<td>frechet distance</td>" in card.partition("<h2>Results</h2>")[2]
    assert card.count("<img") == card.count('src="data:image/png;base64,') == 2
    change_config(folder, lambda config: config.update(provenance={"metrics": 5}))
    card = cards.card("./mine", open_bundle(folder))
    assert "<h2>Use</h2>" in card
    assert "<h2>Results</h2>" not in card


def test_distances_use_the_usual_extractor_of_the_data(cache):
    usual, known = "lenet-mnist@1", cache.spec("cgan-mnist")
    metrics = [
        {
            "metrics": {"frechet_distance": figure},
            "protocol": {
                "extractor": extractor,
                "samples": 100,
                "sha256": known.provenance["data"]["sha256"],
            },
        }
        for figure, extractor in ((7.5, "a@1"), (4.5, usual), (0.5, "z@1"))
    ]
    data = replace(known.data, extractor=usual)
    spec = replace(known, data=data, provenance=known.provenance | {"metrics": metrics})
    row = cards.table([("m", spec)]).splitlines()[-1]
    assert row.endswith(f"| 4.5 |  |  | {usual} |")
    assert ModelSummary(spec, 0, 0).distance == 4.5
    others = replace(spec, provenance=known.provenance | {"metrics": metrics[::2]})
    assert cards.table([("m", others)]).splitlines()[-1].endswith("| 7.5 |  |  | a@1 |")
    assert ModelSummary(others, 0, 0).distance == 7.5
    assert ModelSummary(replace(spec, provenance={}), 0, 0).distance is None


def test_the_table_shows_figures_on_the_training_images_alone(cache):
    """Of several with one extractor, that of the most samples; the order does not matter."""
    known = cache.spec("dcgan-mnist")
    own, extractor = known.provenance["data"]["sha256"], known.data.extractor

    def entry(value, samples, **protocol):
        protocol |= {"extractor": extractor, "samples": samples}
        return {"metrics": {"frechet_distance": value}, "protocol": protocol}

    metrics = [
        entry(4.5, 10_000, sha256=own),
        entry(9.5, 1_000, sha256=own),
        entry(70.0, 10_000, sha256="0" * 64),
        entry(80.0, 10_000, sha256=own, training_images=False),
        {"metrics": 5},  # of another form
    ]
    for order in (metrics, metrics[::-1]):
        spec = replace(known, provenance=known.provenance | {"metrics": order})
        assert cards.table([("m", spec)]).splitlines()[-1].endswith(f"| 4.5 |  |  | {extractor} |")


def figures_of(spec):
    """Return the values of a model, formatted as in the table."""
    (evaluation,) = spec.provenance["metrics"]
    names = ("frechet_distance", "precision", "recall")
    return [f"{evaluation['metrics'][name]:.3g}" for name in names]


def test_the_table_has_one_row_per_model_for_any_config(cache):
    spec = cache.spec("cgan-mnist")
    rows = cards.table([("cgan-mnist", spec)]).splitlines()
    figures = " | ".join(figures_of(spec))
    assert rows[2] == (
        f"| cgan-mnist | dcgan | nonsaturating | 100 | 10 | {figures} | lenet-mnist@1 |"
    )
    for provenance in (
        {},
        {"metrics": 5, "recipe": "x"},
        {"metrics": [], "recipe": {"loss": None}},
        {"metrics": [{"metrics": {"precision": "high"}, "protocol": {"extractor": 1}}]},
        {"metrics": [{"metrics": 5, "protocol": []}]},
    ):
        hostile = ModelSpec(
            "m", "a|b](c)<img>\n\n# x", {}, (), spec.data, spec.latent, provenance=provenance
        )
        table = cards.table([("m", hostile)])
        assert len(table.splitlines()) == 3
        assert {row.count("|") for row in table.splitlines()} == {10}
        assert "<" not in table


# Address and port.


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("host", "port", "message"),
    [
        ("127.0.0.1", 0, "port 0 is out of range. Use --port with a number from 1 to 65535"),
        ("127.0.0.1", 65536, "port 65536 is out of range"),
        ("host.invalid", 7999, "host 'host.invalid' is unknown. Use --host 127.0.0.1"),
        ("192.0.2.1", 7999, r"port 7999 of 192.0.2.1 cannot be used \(Cannot assign"),
    ],
)
def test_an_invalid_address_is_refused(host, port, message):
    with pytest.raises(DemoError, match=message):
        check_port(host, port)


@pytest.mark.enable_socket
def test_the_environment_of_a_space_sets_the_address(monkeypatch):
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    monkeypatch.setenv("GRADIO_SERVER_PORT", "7999")
    assert find_address(None, None) == ("0.0.0.0", 7999)
    assert find_address("127.0.0.1", 7998) == ("127.0.0.1", 7998)
    monkeypatch.setenv("GRADIO_SERVER_PORT", "often")
    with pytest.raises(
        DemoError, match="GRADIO_SERVER_PORT is 'often', which is not a number. Set it"
    ):
        find_address(None, None)


# Only the page needs gradio.


def test_computations_need_no_gradio():
    result = run_new(
        "-c",
        "import sys\n"
        "sys.modules['gradio'] = None\n"
        "from ganzoo.demo import cards, drawing, latent_walk, model_cache, render, sampling\n"
        "model = model_cache.ModelCache.of(['dcgan-mnist']).generator('dcgan-mnist')\n"
        "assert len(sampling.samples(model, 0, 3)) == 3\n"
        "assert 'torch' not in sys.modules\n",
    )
    assert result.returncode == 0, result.stderr


def test_missing_gradio_is_named():
    result = run_python(
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'gradio':\n"
        "            raise ModuleNotFoundError(\"No module named 'gradio'\", name='gradio')\n"
        "sys.meta_path.insert(0, Absent())\n"
        "from ganzoo.cli import main\n"
        "sys.exit(main(['demo', '--port', '7999']))\n"
    )
    assert result.returncode == 1
    assert result.stderr == (
        "error: this command needs gradio, which is not installed. "
        "Type pip install '.[demo]' in a clone of ganzoo.\n"
    )


def test_the_command_line_stays_light():
    result = run_new(
        "-c", "import sys, ganzoo.cli; print('ganzoo.demo.model_cache' in sys.modules)"
    )
    assert result.stdout == "False\n", result.stderr


def test_gradio_is_imported_with_a_temporary_folder_of_its_own(tmp_path, monkeypatch):
    class Serving(ModuleType):
        """Stands for the module whose import imports gradio."""

        def __getattr__(self, name):
            if name != "serve":
                raise AttributeError(name)
            folders.append(Path(os.environ["GRADIO_TEMP_DIR"]))
            assert folders[0].is_dir()
            return lambda *_, **__: folders.append(Path(os.environ["GRADIO_TEMP_DIR"]))

    folders = []
    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    monkeypatch.setattr("ganzoo.demo.find_address", lambda *_: ("127.0.0.1", 7860))
    monkeypatch.setattr("ganzoo.demo.find_spec", lambda _: True)
    monkeypatch.setitem(sys.modules, "ganzoo.demo.serving", Serving("ganzoo.demo.serving"))
    launch(["dcgan-mnist"])
    assert folders[0] == folders[1]
    assert not folders[0].exists()
    assert "GRADIO_TEMP_DIR" not in os.environ
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))  # the user's own stays
    folders.clear()
    launch(["dcgan-mnist"])
    assert folders == [tmp_path, tmp_path]
    assert tmp_path.is_dir()


def test_a_picture_is_enlarged_with_progress(tmp_path):
    """Tiles of 256 pixels that share 8: two rows of two."""
    spec = spec_of(SizesSpec(scale=2, reach=4, memory=1), channels=3)
    model = LocalTranslator(torch.nn.Upsample(scale_factor=2), spec)
    pixels = np.random.default_rng(0).integers(0, 256, (300, 260, 4)).astype(np.uint8)
    pixels[..., 3] = 255
    pixels[0, 0, 3] = 0
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    shares = []
    result = upscaling.upscale(model, tmp_path / "picture.png", lambda *done: shares.append(done))
    assert shares == [(share, "tiles computed") for share in (0.25, 0.5, 0.75, 1)]
    assert result.text == "260x300 pixels became 520x600"
    assert np.array_equal(np.asarray(result.before), pixels)
    colours = pixels[..., :3].repeat(2, 0).repeat(2, 1)
    assert np.array_equal(np.asarray(result.after)[..., :3], colours)
    Image.new("L", (5000, 4000)).save(tmp_path / "large.png")
    with pytest.raises(SampleError, match="5000x4000 pixels would have 10000x8000, and the limit"):
        upscaling.upscale(model, tmp_path / "large.png", print)
    (tmp_path / "note.png").write_text("no picture")
    with pytest.raises(ImageFileError, match="is not an image in a supported format"):
        upscaling.upscale(model, tmp_path / "note.png", print)
