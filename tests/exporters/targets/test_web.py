"""The page that `export --for web` writes, in a real browser."""

import base64
import functools
import hashlib
import io
import json
import shutil
import tarfile
import threading
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo.cli import main
from ganzoo.errors import BundleError, DeploymentError, OutputError, SampleError
from ganzoo.exporters.targets import onnxruntime_web
from ganzoo.exporters.targets.web import PAGE, count_samples, write_web
from ganzoo.sampling import latents
from ganzoo.sampling.direction_methods import compute_directions
from ganzoo.sampling.sizes import MAX_SHOWN_MEMORY
from ganzoo.spec import ImageSpec
from ganzoo.zoo import find
from helpers.upscalers import write_upscaler

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
]
STYLED = "stylegan2-tinyhero"  # with a mapping network, in colour
SECONDS = 120_000  # milliseconds, for a busy machine


@pytest.fixture(scope="module")
def int8(tiny_run, tmp_path_factory):
    return ganzoo.export(tiny_run, tmp_path_factory.mktemp("int8") / "tiny", precision="int8")


@pytest.fixture(scope="module")
def styled():
    return ganzoo.load(STYLED, runtime="onnx")


@pytest.fixture(scope="module")
def directions(styled):
    return compute_directions(styled, "ganspace", layers="middle", count=3, draws=200)


@pytest.fixture(scope="module")
def upscalers(tmp_path_factory):
    """Models that enlarge pictures: in colour with small tiles, and in grey with blended ones."""
    folder = tmp_path_factory.mktemp("upscalers")
    memory = MAX_SHOWN_MEMORY // 24**2
    return {
        "doubles": write_upscaler(folder / "doubles", memory=memory, multiple=2),
        "blends": write_upscaler(folder / "blends", 1, scale=3, reach=None, memory=memory),
    }


@pytest.fixture(scope="module")
def pages(int8, directions, upscalers, tmp_path_factory):
    """Pages of models with and without classes, in int8, with w, and of upscalers."""
    folder = tmp_path_factory.mktemp("pages")
    file = directions.save(tmp_path_factory.mktemp("directions") / "directions.safetensors")
    try:
        for name in ("cgan-mnist", "dcgan-mnist", int8, *upscalers.values()):
            write_web(find(name), folder / Path(name).name)
        write_web(find(STYLED), folder / STYLED, directions=file)
    except DeploymentError as error:
        pytest.skip(str(error))
    return folder


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def browser(pages, tmp_path_factory):
    """Return a function that opens a page, with its console and requests."""
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=pages))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with playwright.sync_playwright() as started:
        context = started.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"), executable_path=CHROMIUM, args=FLAGS
        )
        context.set_default_timeout(SECONDS)

        def visit(name, whole=True):
            page = context.new_page()
            page.console, page.urls = [], []
            page.on("console", lambda message: page.console.append(message.text))
            page.on("pageerror", lambda error: page.console.append(str(error)))
            page.on("request", lambda request: page.urls.append(request.url))
            page.goto(f"http://127.0.0.1:{server.server_port}/{name}/")
            if whole:
                idle(page)
            return page

        yield visit
        context.close()
    server.shutdown()


# The server listens and the browser is driven through sockets.
pytestmark = pytest.mark.enable_socket


@pytest.fixture
def with_classes(browser, socket_enabled):
    page = browser("cgan-mnist")
    yield page
    assert page.console == []
    page.close()


def idle(page):
    page.wait_for_function("!document.querySelector('section[aria-busy=true]')")


def pixels(page, canvas, mode="L"):
    idle(page)
    url = page.evaluate("id => document.getElementById(id).toDataURL()", canvas)
    picture = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
    return np.asarray(picture.convert(mode)).astype(int)


def assert_same(actual, batch):
    """Compare to one level, since the browser's kernels round differently."""
    expected = np.asarray(batch.grid()) if isinstance(batch, ganzoo.ImageBatch) else batch
    assert actual.shape == expected.shape
    assert np.abs(actual - expected).max() <= 1
    assert expected.std() > 20, "there is something to see"


def test_the_browser_draws_the_same_latents_as_python(with_classes):
    code = """async ([seed, n, dim, start]) => {
        const { normal } = await import("./latents.js");
        return Array.from(normal(BigInt(seed), n, dim, start));
    }"""
    differing = total = 0
    for seed, n, dim, start in [
        (0, 20, 100, 0),
        (2**64 - 1, 5, 7, 3),
        (2**53 + 1, 3, 1, 10**9),
        (12345678901234567890, 9, 130, 48),
    ]:
        actual = np.array(with_classes.evaluate(code, [str(seed), n, dim, start]), np.float32)
        expected = latents.normal(seed, n, dim, start=start).ravel()
        np.testing.assert_array_max_ulp(actual, expected, maxulp=1)
        differing += int((actual != expected).sum())
        total += expected.size
    assert total > 3000
    assert differing < total / 1000, "log and cos may differ in a last bit, which float32 drops"


def test_the_browser_interpolates_like_python(with_classes):
    code = """async ([a, b, t]) => {
        const { slerp } = await import("./latents.js");
        return Array.from(slerp(Float32Array.from(a), Float32Array.from(b), t));
    }"""
    a, b = latents.normal(3, 2, 50)
    for end, other in ((b, 0.3), (a, 0.5), (-a, 0.25), (2 * a, 0.75)):
        actual = with_classes.evaluate(code, [a.tolist(), end.tolist(), other])
        expected = latents.slerp(a, end, np.array([other], np.float32))[0]
        np.testing.assert_allclose(actual, expected, atol=2e-6)


def test_the_grid_equals_pythons(with_classes):
    model = ganzoo.load("cgan-mnist", runtime="onnx")
    assert_same(pixels(with_classes, "grid"), model.sample(64, seed=0))
    with_classes.click("#next")
    assert_same(pixels(with_classes, "grid"), model.sample(64, seed=1))
    with_classes.fill("#seed", str(2**64 - 1))
    with_classes.press("#seed", "Enter")
    assert_same(pixels(with_classes, "grid"), model.sample(64, seed=2**64 - 1))
    with_classes.click("#next")
    assert with_classes.input_value("#seed") == "0", "after the last seed comes the first"


def test_class_and_slider_change_the_image(with_classes):
    model = ganzoo.load("cgan-mnist", runtime="onnx")
    with_classes.fill("#seed", "5")
    with_classes.select_option("#class", label="7")
    assert_same(pixels(with_classes, "grid"), model.sample(64, seed=5, label=7))
    assert "class 7" in with_classes.text_content("#status")
    with_classes.fill("#from", "3")
    with_classes.fill("#to", "9")
    with_classes.fill("#position", "30")  # of 100: the fourth of eleven steps
    walk = model.interpolate(3, 9, steps=11, label=7)
    for canvas, step in (("start", 0), ("between", 3), ("end", 10)):
        assert_same(pixels(with_classes, canvas), walk.numpy()[step, :, :, 0])
    with_classes.focus("#position")
    with_classes.keyboard.press("End")
    assert_same(pixels(with_classes, "between"), walk.numpy()[10, :, :, 0])
    assert with_classes.get_attribute("#position", "aria-valuetext") == "100 %"


def test_a_model_without_classes_has_no_class_menu(browser, socket_enabled):
    page = browser("dcgan-mnist")
    for part in ("#class", "#truncation", "#mixing", "#directions"):
        assert not page.is_visible(part)
    model = ganzoo.load("dcgan-mnist", runtime="onnx")
    assert_same(pixels(page, "grid"), model.sample(64, seed=0))
    assert_same(pixels(page, "between"), model.interpolate(0, 1, 3).numpy()[1, :, :, 0])
    page.close()


def test_play_walks_from_seed_to_seed(browser, socket_enabled):
    page = browser("dcgan-mnist")
    page.fill("#from", str(2**64 - 1))
    page.fill("#to", "7")
    page.fill("#position", "97")
    page.click("#play")
    assert page.text_content("#play") == "Pause"
    # The click is part of the condition: a slow machine takes longer to click than a seed lasts.
    pauses = (
        "document.getElementById('from').value === '7' && !document.getElementById('play').click()"
    )
    page.wait_for_function(pauses)
    assert page.text_content("#play") == "Play"
    assert page.input_value("#to") == "8"
    step = int(page.input_value("#position"))
    walk = ganzoo.load("dcgan-mnist", runtime="onnx").interpolate(7, 8, 101).numpy()
    assert_same(pixels(page, "between"), walk[step, :, :, 0])
    page.fill("#to", "nine")
    page.click("#play")
    assert "A seed is a whole number" in page.text_content("#status")
    page.wait_for_function("document.getElementById('play').textContent === 'Play'")
    page.close()


@pytest.fixture
def with_styles(browser, socket_enabled):
    page = browser(STYLED)
    yield page
    assert page.console == []
    page.close()


def test_truncation_and_mixing_equal_pythons(with_styles, styled):
    page, own = with_styles, styled.spec.styles.truncation
    assert_same(pixels(page, "grid", "RGB"), styled.sample(64, seed=0))
    assert float(page.input_value("#truncation")) == own
    page.fill("#truncation", "-0.5")
    truncated = styled.sample(64, seed=0, sampler="truncated", psi=-0.5)
    assert_same(pixels(page, "grid", "RGB"), truncated)
    ends = styled.codes(styled.draw_seeds([0, 1]), "truncated", psi=-0.5).styles
    middle = styled.render(ganzoo.Codes(styles=ends.mean(0, keepdims=True))).numpy()[0]
    assert_same(pixels(page, "between", "RGB"), middle)
    page.fill("#mix-first", "3")
    page.fill("#mix-second", "9")
    for layers in ("fine", "coarse"):
        page.select_option("#mix-layers", layers)
        options = {"second_seed": 9, "layers": layers, "psi": -0.5}
        mixed = styled.sample(seeds=[3], sampler="mixed", **options).numpy()[0]
        assert_same(pixels(page, "mixed", "RGB"), mixed)
    page.fill("#mix-second", str(2**64))
    page.press("#mix-second", "Enter")
    assert "A seed is a whole number" in page.text_content("#status")
    assert_same(pixels(page, "mixed", "RGB"), mixed)


def test_sliders_move_along_directions_as_python(with_styles, styled, directions):
    page = with_styles
    sliders = page.locator("#direction-sliders input")
    assert sliders.count() == 3
    page.fill("#directed-seed", "5")
    sliders.nth(0).fill("2.5")
    sliders.nth(2).fill("-1.5")
    codes = directions.start(styled, styled.codes(styled.draw_seeds([5])))
    plain = styled.render(codes).numpy()[0]
    codes = directions.move(directions.move(codes, 0, 2.5), 2, -1.5)
    assert_same(pixels(page, "directed", "RGB"), styled.render(codes).numpy()[0])
    assert "direction 2: -1.5" in page.text_content("#direction-sliders")
    page.click("#reset-directions")
    assert_same(pixels(page, "directed", "RGB"), plain)


def test_int8_weights_give_the_same_images_in_the_browser(browser, int8, socket_enabled):
    page = browser("tiny")
    actual = pixels(page, "grid")
    expected = np.asarray(ganzoo.load(int8, runtime="torch").sample(64, seed=0).grid())
    assert np.abs(actual - expected).max() <= 1
    page.close()


@pytest.mark.parametrize(
    ("name", "side", "size", "mode"),
    [
        ("doubles", 24, (61, 50), "RGB"),
        ("doubles", 24, (1, 1), "RGB"),
        ("doubles", 24, (40, 31), "RGBA"),
        ("blends", 64, (130, 71), "RGB"),
    ],
)
def test_a_picture_is_enlarged_as_in_python(
    browser, upscalers, socket_enabled, tmp_path, name, side, size, mode
):
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(0, 256, (9, 11, len(mode))).astype(np.uint8), mode)
    picture = smooth.resize(size, Image.Resampling.BICUBIC)
    if mode == "RGBA":  # opaque but for the last columns
        alpha = np.full(size[::-1], 255, np.uint8)
        alpha[:, 30:] = 0
        picture.putalpha(Image.fromarray(alpha))
    picture.save(tmp_path / "holiday.png")
    model = ganzoo.load(upscalers[name], runtime="onnx")
    page = browser(name, whole=False)
    page.wait_for_function("!document.getElementById('controls').disabled")
    tiles = page.evaluate("fetch('model.json').then((r) => r.json()).then((r) => r.tiles)")
    assert tiles["side"] == side
    page.set_input_files("#file", tmp_path / "holiday.png")
    page.wait_for_function("!document.getElementById('save').disabled")
    scale = model.spec.sizes.scale
    became = f"{size[0]}x{size[1]} pixels became {scale * size[0]}x{scale * size[1]} in 0:"
    assert page.text_content("#status").startswith(became)
    with page.expect_download() as download:
        page.click("#save")
    assert download.value.suggested_filename == f"holiday-{name}.png"
    actual = np.asarray(Image.open(download.value.path()).convert(mode))
    expected = model.upscale(np.asarray(picture)[None], tile=side).numpy()[0]
    assert actual.shape == expected.shape
    if mode == "RGBA":
        assert (actual[:, :56, 3] == 255).all()
        assert (actual[:, 64:, 3] == 0).all()
        actual, expected = actual[:, :54, :3], expected[:, :54, :3]
    if size != (1, 1):
        assert_same(actual.astype(int), expected)
    else:
        assert np.abs(actual.astype(int) - expected).max() <= 1
    assert page.console == []
    page.close()


def test_the_slider_and_messages_of_a_picture(browser, socket_enabled, tmp_path):
    page = browser("doubles", whole=False)
    page.wait_for_function("!document.getElementById('controls').disabled")
    (tmp_path / "note.txt").write_text("no picture")
    page.set_input_files("#file", tmp_path / "note.txt")
    page.wait_for_function("document.getElementById('status').textContent.includes('cannot read')")
    Image.new("L", (9000, 2)).save(tmp_path / "long.png")
    page.set_input_files("#file", tmp_path / "long.png")
    page.wait_for_function("document.getElementById('status').textContent.includes('18000x4')")
    assert not page.is_visible("#viewer")
    Image.new("RGB", (300, 300), "red").save(tmp_path / "red.png")
    page.set_input_files("#file", tmp_path / "red.png")
    page.wait_for_function("!document.getElementById('save').disabled")
    box = page.locator("#viewer").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 4, box["y"] + 9)
    assert abs(float(page.input_value("#position")) - 25) < 1
    line = (
        "parseFloat(getComputedStyle(document.getElementById('stage')).getPropertyValue('--line'))"
    )
    assert abs(page.evaluate(line) - box["width"] / 4) < 2
    page.click("#zoom")
    assert page.get_attribute("#zoom", "aria-pressed") == "true"
    assert page.locator("#stage").bounding_box()["width"] == 600
    page.close()


def test_an_invalid_seed_shows_a_message_and_changes_nothing(with_classes):
    message = f"A seed is a whole number from 0 to {2**64 - 1}."
    for seed, wrong in enumerate(["", "-1", "1.5", "seven", str(2**64), "1e3", "0x10"]):
        with_classes.fill("#seed", str(seed))
        with_classes.press("#seed", "Enter")
        before = pixels(with_classes, "grid")
        assert with_classes.text_content("#status") != message
        assert with_classes.get_attribute("#seed", "aria-invalid") != "true"
        with_classes.fill("#seed", wrong)
        with_classes.press("#seed", "Enter")
        idle(with_classes)
        assert with_classes.text_content("#status") == message, wrong
        assert with_classes.get_attribute("#seed", "aria-invalid") == "true", wrong
        assert np.array_equal(pixels(with_classes, "grid"), before), wrong


def test_the_downloaded_grid_equals_the_shown_one(with_classes):
    with_classes.fill("#seed", "4")
    with_classes.select_option("#class", label="2")
    idle(with_classes)
    with with_classes.expect_download() as download:
        with_classes.click("#save-grid")
    assert download.value.suggested_filename == "cgan-mnist-seed-4-class-2.png"
    saved = np.asarray(Image.open(download.value.path()).convert("L")).astype(int)
    enlarged = pixels(with_classes, "grid").repeat(3, 0).repeat(3, 1)
    assert np.array_equal(saved, enlarged), "enlarged until its images have 64 pixels"
    with with_classes.expect_download() as download:
        with_classes.click("#save-walk")
    assert download.value.suggested_filename == "cgan-mnist-seeds-0-1-at-50-class-2.png"
    assert Image.open(download.value.path()).size == (84, 84)


def test_the_last_of_several_quick_changes_is_shown(with_classes):
    for seed in range(10, 15):
        with_classes.fill("#seed", str(seed))
        with_classes.dispatch_event("#seed", "change")
    model = ganzoo.load("cgan-mnist", runtime="onnx")
    assert_same(pixels(with_classes, "grid"), model.sample(64, seed=14))


def test_the_page_requests_only_its_own_files(with_classes):
    here = with_classes.url
    assert len(with_classes.urls) >= 7
    assert all(url.startswith((here, "data:", "blob:")) for url in with_classes.urls)


def test_a_damaged_or_missing_model_shows_a_message(pages, browser, socket_enabled):
    shutil.copytree(pages / "dcgan-mnist", pages / "broken")
    (pages / "broken" / "model.onnx").write_bytes(b"not a network")
    page = browser("broken", whole=False)
    page.wait_for_function("document.getElementById('status').textContent.includes('cannot')")
    assert page.text_content("#status").startswith("The model cannot be loaded: ")
    assert page.is_disabled("#next")
    (pages / "broken" / "model.onnx").unlink()
    page.reload()
    page.wait_for_function("document.getElementById('status').textContent.includes('404')")
    page.close()


def test_the_page_runs_only_the_files_of_onnxruntime_that_ganzoo_knows(
    pages, browser, socket_enabled
):
    for name, integrity in onnxruntime_web.FILE_INTEGRITY.items():
        file = pages / "dcgan-mnist" / "onnxruntime-web" / name
        digest = hashlib.sha384(file.read_bytes()).digest()
        assert integrity == f"sha384-{base64.b64encode(digest).decode()}"
    for name in (onnxruntime_web.SCRIPT, onnxruntime_web.WASM):
        shutil.copytree(pages / "dcgan-mnist", pages / f"changed-{name}")
        with (pages / f"changed-{name}" / "onnxruntime-web" / name).open("ab") as changed:
            changed.write(b"\n")
        page = browser(f"changed-{name}", whole=False)
        page.wait_for_function("document.getElementById('status').textContent.includes('cannot')")
        assert any("integrity" in line for line in page.console)
        page.close()


def test_the_command_line_can_export_a_page_with_a_cdn(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    command = ["export", "dcgan-mnist", "--for", "web-cdn", "-o", str(tmp_path / "page")]
    assert main(command) == 0
    spec = json.loads((tmp_path / "page" / "model.json").read_text())
    assert spec["onnxruntime"] == onnxruntime_web.CDN
    assert spec["batch"] == 16, "of a bundle that does not state it"
    assert onnxruntime_web.VERSION in onnxruntime_web.CDN
    assert spec["integrity"] == onnxruntime_web.FILE_INTEGRITY
    names = {*PAGE, "model.json", "model.onnx"}
    assert {p.name for p in (tmp_path / "page").iterdir()} == names
    assert main(command) == 0, "a page of ours is replaced"


def test_directions_that_do_not_fit_are_refused(tmp_path, directions, capsys):
    file = str(directions.save(tmp_path / "directions.safetensors"))
    page = tmp_path / "page"
    with pytest.raises(SampleError, match=r"are w of length .*ganzoo directions dcgan-mnist"):
        write_web(find("dcgan-mnist"), page, cdn=True, directions=file)
    with pytest.raises(SampleError, match="file of directions not found"):
        write_web(find(STYLED), page, cdn=True, directions=tmp_path / "none.safetensors")
    command = ["export", STYLED, "-o", str(page), "--directions", file]
    assert main([*command, "--for", "triton"]) == 1
    assert "target 'triton' has no option --directions" in capsys.readouterr().err
    assert main(command) == 1
    assert "--directions has no effect without --for" in capsys.readouterr().err
    assert not page.exists()
    assert main([*command, "--for", "web-cdn"]) == 0
    assert json.loads((page / "model.json").read_text())["directions"]["names"][0] == "direction 0"
    assert not (page / "model.onnx").exists(), "its two parts have the same weights"


@pytest.mark.parametrize(("side", "count"), [(28, 64), (100, 16), (256, 4), (1024, 4)])
def test_a_page_of_large_images_computes_fewer(side, count):
    assert count_samples(ImageSpec(side, side, 3)) == count


def test_missing_npm_suggests_the_cdn(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(DeploymentError, match=r"npm is not installed.*--for web-cdn"):
        write_web(find("dcgan-mnist"), tmp_path / "page")
    assert not (tmp_path / "page").exists()


def test_another_archive_than_the_known_one_is_refused(tmp_path, monkeypatch):
    """A registry that npm is set to can send any files with a checksum of its own."""
    package, npm = tmp_path / "package" / "dist", tmp_path / "npm"
    package.mkdir(parents=True)
    for name in (onnxruntime_web.SCRIPT, onnxruntime_web.WASM):
        (package / name).write_text("alert()")
    npm.write_text(f"#!/bin/sh\ntar -czf x.tgz -C {tmp_path} package\n")
    npm.chmod(0o755)
    monkeypatch.setenv("GANZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(shutil, "which", lambda name: str(npm))
    with pytest.raises(DeploymentError, match="another one than its authors published"):
        onnxruntime_web.fetch_files()
    assert list((tmp_path / "cache").glob("onnxruntime-web*")) == []
    archive = tmp_path / "own.tgz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(tmp_path / "package", "package")
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    monkeypatch.setattr(onnxruntime_web, "INTEGRITY", f"sha512-{digest}")
    npm.write_text(f"#!/bin/sh\ncp {archive} x.tgz\n")
    files = onnxruntime_web.fetch_files()
    assert (files / onnxruntime_web.WASM).read_text() == "alert()"


@pytest.mark.parametrize("does", ["exit 3", "echo no network >&2; exit 1", "exit 0", "touch x.tgz"])
def test_a_failure_of_npm_is_quoted(tmp_path, monkeypatch, does):
    npm = tmp_path / "npm"
    npm.write_text(f"#!/bin/sh\n{does}\n")
    npm.chmod(0o755)
    monkeypatch.setenv("GANZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(shutil, "which", lambda name: str(npm))
    with pytest.raises(DeploymentError, match=r"npm.*--for web-cdn") as error:
        write_web(find("dcgan-mnist"), tmp_path / "page")
    if "network" in does:
        assert "onnxruntime-web@" in str(error.value)
        assert ": no network." in str(error.value)
    assert not (tmp_path / "page").exists()


def test_npm_does_not_write_to_the_home_folder(tmp_path, monkeypatch):
    npm, home = tmp_path / "npm", tmp_path / "home"
    home.mkdir()
    # As npm does: its logs and its cache are in ~/.npm, or in the folder after --cache.
    npm.write_text(
        "#!/bin/sh\nfolder=$HOME/.npm\n"
        'for word; do [ "$last" = --cache ] && folder=$word; last=$word; done\n'
        'mkdir -p "$folder/_logs"\necho no network >&2\nexit 1\n'
    )
    npm.chmod(0o755)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GANZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(shutil, "which", lambda name: str(npm))
    with pytest.raises(DeploymentError, match="no network"):
        write_web(find("dcgan-mnist"), tmp_path / "page")
    assert list(home.iterdir()) == []


def test_a_translator_has_no_page(tmp_path):
    bundle = find("dcgan-mnist")
    spec = bundle.spec
    data = replace(spec.data, condition=spec.data.image)
    translator = replace(bundle, spec=replace(spec, data=data, inputs=("condition",), latent=None))
    with pytest.raises(DeploymentError, match="it translates images of one size"):
        write_web(translator, tmp_path / "page", cdn=True)


def test_a_page_does_not_replace_other_folders(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    (tmp_path / "model.json").write_text("{}")  # which other programs also write
    for place in (tmp_path, tmp_path / "thesis.txt"):
        with pytest.raises(OutputError, match="is not a page that ganzoo wrote"):
            write_web(find("dcgan-mnist"), place, cdn=True)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_run_is_exported_before_its_page(tiny_run, tmp_path):
    with pytest.raises(BundleError, match="has no model.onnx"):
        write_web(find(tiny_run / "bundle"), tmp_path / "page", cdn=True)
    command = ["export", str(tiny_run), "--for", "web-cdn", "--precision", "int8"]
    assert main([*command, "-o", str(tmp_path / "page")]) == 0
    assert (tmp_path / "page" / "model.onnx").is_file()
    assert not (tiny_run / "bundle" / "model.onnx").exists(), "the run stays as it is"
