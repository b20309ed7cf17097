"""The demo page in a real browser: every control, bad uploads, two visitors at once."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import signal
import socket
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo.bundle import METADATA_KEY, write_bundle
from ganzoo.demo import editing, render, sampling
from ganzoo.demo.model_cache import ModelCache
from ganzoo.spec import DataSpec, ImageSpec, ModelSpec
from helpers.extras import needs_gradio
from helpers.processes import run_cli, run_python, start_cli
from helpers.upscalers import write_upscaler

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    *["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
    *["--disable-background-networking", "--disable-component-update", "--disable-sync"],
]

pytestmark = [
    needs_gradio,
    pytest.mark.enable_socket,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed"),
]

TIMEOUT = 20_000  # ms, for a busy machine; normally each wait takes less than a second
STYLED = "stylegan2-tinyhero"  # with a mapping network, in colour
GENERATORS = ["dcgan-mnist", "cgan-mnist", "vae2d-mnist", STYLED]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def stranger():
    """A server that must receive no request."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        stranger.settimeout(0)
        yield stranger
        with pytest.raises(BlockingIOError):
            stranger.accept()


@pytest.fixture(scope="module")
def negative(tmp_path_factory, stranger) -> Path:
    """A model that inverts a drawing; its card refers to the spy server."""
    spy = f"http://127.0.0.1:{stranger.getsockname()[1]}/spy.png"
    import onnx
    from onnx import TensorProto, helper
    from safetensors.numpy import save_file

    size = ImageSpec(32, 32, 1)
    data = DataSpec(size, condition=size)
    spec = ModelSpec("negative", "negative", {}, (), data, None, inputs=("condition",))
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 1, 32, 32])
        for name in ("condition", "images")
    ]
    node = helper.make_node("Neg", ["condition"], ["images"])
    graph = helper.make_graph([node], "negative", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {METADATA_KEY: spec.to_json()})
    writers = {
        "model.onnx": lambda path: onnx.save(model, path),
        "model.safetensors": lambda path: save_file({}, path),
        "README.md": lambda path: path.write_text(
            f'# negative\n\n![spy]({spy})\n\n<img src="{spy}">\n<b>its card</b>\n'
        ),
    }
    return write_bundle(tmp_path_factory.mktemp("demo") / "negative", spec, writers).path


@pytest.fixture(scope="module")
def doubles(tmp_path_factory) -> Path:
    """A model that enlarges pictures, in tiles of 64 pixels."""
    return write_upscaler(tmp_path_factory.mktemp("demo") / "doubles", memory=2**29 // 64**2)


@pytest.fixture(scope="module")
def server(negative, doubles):
    """Run the command; return its address."""
    port = free_port()
    environment = {"http_proxy": "http://127.0.0.1:9", "OMP_NUM_THREADS": "1"}
    process = start_cli("demo", *GENERATORS, negative, doubles, "--port", port, env=environment)
    line = process.wait_for("\n")
    assert line == f"6 models at http://127.0.0.1:{port}/ (press Ctrl-C to stop)\n", (
        process.output()
    )
    yield f"http://127.0.0.1:{port}/"
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert error.strip().endswith("stopped")
    assert str(Path(ganzoo.__file__).parent) not in error, "gradio's own refusals alone are traced"


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def context(browser):
    """A browser profile, which caches the page's scripts for all tests."""
    return browser.new_context(viewport={"width": 1400, "height": 900})


class Visitor:
    """A visitor of the page, with the browser's complaints and the requested hosts."""

    def __init__(self, context, address):
        self.context = context
        self.page = context.new_page()
        self.page.set_default_timeout(TIMEOUT)
        self.complaints, self.hosts = [], set()
        self.page.on("console", lambda message: self._complain(message.type, message.text))
        self.page.on("pageerror", lambda error: self._complain("error", str(error)))
        self.page.on("request", lambda request: self._ask(request.url))
        self.page.goto(address)
        self.page.get_by_role("tab").first.wait_for()

    def _complain(self, kind, text):
        if kind == "error":
            self.complaints.append(text)

    def _ask(self, url):
        if urlsplit(url).scheme not in ("data", "blob"):
            self.hosts.add(urlsplit(url).netloc)

    def open(self, tab):
        """Open a tab; return its panel."""
        self.page.get_by_role("tab", name=tab, exact=True).click()
        panel = self.page.locator("[role=tabpanel]:visible")
        return panel

    def picture_sources(self, panel):
        """Return the addresses of all images in a panel."""
        return panel.locator("img").evaluate_all("all => all.map(each => each.src)")

    def wait_for_change(self, panel, before):
        self.page.wait_for_function(
            """([panel, before]) => {
                const all = [...panel.querySelectorAll("img")];
                const now = JSON.stringify(all.map((each) => each.src));
                const loaded = all.every((each) => each.complete && each.naturalWidth);
                return all.length > 0 && loaded && now !== before;
            }""",
            arg=[panel.element_handle(), json.dumps(before, separators=(",", ":"))],
        )

    def changes(self, panel, act):
        """Call a function; wait until an image of the panel has changed and all are stable."""
        before = self.picture_sources(panel)
        act()
        self.wait_for_change(panel, before)
        while (now := self.picture_sources(panel)) != before:
            before = now
            self.page.wait_for_timeout(100)

    def picture(self, panel, number=0):
        """Return an image of the panel, in grey."""
        source = self.picture_sources(panel)[number]
        if source.startswith("data:"):
            content = base64.b64decode(source.partition(",")[2])
        else:
            content = self.context.request.get(source).body()
        return np.asarray(Image.open(io.BytesIO(content)).convert("L"))

    def wait_for_picture(self, panel, expected, number=0):
        """Wait until an image equals the expected one."""
        for _ in range(TIMEOUT // 50):
            if self.picture_sources(panel) and np.array_equal(
                self.picture(panel, number), expected
            ):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError("another picture is shown")

    def read_message(self):
        """Return the text of the page's message, and close it."""
        message = self.page.locator(".toast-body").first
        message.wait_for()
        text = message.inner_text()
        message.get_by_test_id("toast-close").click()
        message.wait_for(state="detached")
        return text

    def choose(self, panel, label, option):
        panel.get_by_label(label, exact=True).first.click()
        self.page.get_by_role("option", name=option, exact=True).click()

    def draw(self, panel, *points):
        box = panel.locator("canvas").bounding_box()
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=3)
        self.page.mouse.up()

    def leave(self):
        """Leave; check that there were no complaints and no requests to other hosts."""
        host = urlsplit(self.page.url).netloc
        self.page.close()
        assert self.complaints == []
        assert self.hosts == {host}


@pytest.fixture
def visitor(server, context):
    visitor = Visitor(context, server)
    yield visitor
    visitor.leave()


def grid(images):
    return np.asarray(render.enlarge_grid(images).convert("L"))


def model(name):
    return ganzoo.load(name, runtime="onnx")


SEVEN = ((0.3, 0.2), (0.7, 0.2), (0.5, 0.8))


# Every control of every tab changes its images.


@pytest.mark.parametrize(
    "tab",
    [
        "Samples",
        *(pytest.param(tab, marks=pytest.mark.slow) for tab in ("Interpolate", "Walk", "Compare")),
    ],
)
def test_every_control_changes_the_images(visitor, tab):
    panel = visitor.open(tab)
    visitor.wait_for_change(panel, [])
    for k in range(panel.get_by_role("slider").count()):
        slider = panel.get_by_role("slider").nth(k)
        visitor.changes(panel, lambda slider=slider: slider.press("ArrowLeft"))
    for k in range(panel.get_by_role("button", name="Reset").count()):
        reset = panel.get_by_role("button", name="Reset").nth(k)
        visitor.changes(panel, reset.click)
    for k in range(panel.get_by_role("button", name="random").count()):
        visitor.changes(panel, panel.get_by_role("button", name="random").nth(k).click)
    for k in range(panel.locator(".seed input").count()):
        box = panel.locator(".seed input").nth(k)
        visitor.changes(panel, lambda box=box, k=k: box.fill(f"1234567890{k}"))
    for name in ("linear", "spherical"):
        if panel.get_by_label(name).count():
            visitor.changes(panel, panel.get_by_label(name).check)
    for k in range(panel.get_by_label("model", exact=True).count()):
        menu = panel.get_by_label("model", exact=True).nth(k)
        current = menu.input_value()
        other = next(name for name in ("vae2d-mnist", "cgan-mnist") if name != current)

        def choose(menu=menu, other=other):
            menu.click()
            visitor.page.get_by_role("option", name=other, exact=True).click()

        visitor.changes(panel, choose)
    if not panel.get_by_label("class", exact=True).count():
        visitor.changes(panel, lambda: visitor.choose(panel, "model", "cgan-mnist"))
    panel.get_by_label("class", exact=True).first.wait_for()
    visitor.changes(panel, lambda: visitor.choose(panel, "class", "7"))
    visitor.changes(panel, lambda: visitor.choose(panel, "class", "3"))


def test_the_page_shows_the_samples_of_python(visitor):
    panel = visitor.open("Samples")
    visitor.wait_for_picture(panel, grid(model("dcgan-mnist").sample(100, 0)))
    panel.get_by_label("seed", exact=True).fill("42")
    visitor.wait_for_picture(panel, grid(model("dcgan-mnist").sample(100, 42)))
    visitor.choose(panel, "model", "cgan-mnist")
    each = sampling.samples(model("cgan-mnist"), 42, 100, sampling.ALL_CLASSES)
    visitor.wait_for_picture(panel, grid(each))
    visitor.choose(panel, "class", "7")
    visitor.wait_for_picture(panel, grid(model("cgan-mnist").sample(100, 42, label=7)))
    visitor.choose(panel, "model", "dcgan-mnist")
    visitor.wait_for_picture(panel, grid(model("dcgan-mnist").sample(100, 42)))
    assert panel.get_by_label("class", exact=True).count() == 0


def test_a_click_into_the_plane_moves_there(visitor):
    panel = visitor.open("Walk")
    visitor.wait_for_change(panel, [])
    plane = panel.locator("#plane img")
    box = plane.bounding_box()
    at = {"x": box["width"] * 8.5 / 9, "y": box["height"] * 0.5 / 9}
    visitor.changes(panel, lambda: plane.click(position=at))
    right, up = (
        float(panel.get_by_label(f"number input for {name}").input_value())
        for name in ("to the right", "upwards")
    )
    assert right == pytest.approx(1.5, abs=0.02)
    assert up == pytest.approx(1.5, abs=0.02)


def test_two_visitors_do_not_mix(server, browser):
    visitors = [Visitor(browser.new_context(), server) for _ in range(2)]
    panels = [visitor.open("Samples") for visitor in visitors]
    visitors[1].choose(panels[1], "model", "cgan-mnist")
    for seed in range(10, 16):
        for k, panel in enumerate(panels):
            panel.get_by_label("seed", exact=True).fill(str(seed + 100 * k))
    visitors[0].wait_for_picture(panels[0], grid(model("dcgan-mnist").sample(100, 15)))
    each = sampling.samples(model("cgan-mnist"), 115, 100, sampling.ALL_CLASSES)
    visitors[1].wait_for_picture(panels[1], grid(each))
    for visitor in visitors:
        visitor.leave()


def test_other_sliders_keep_the_grid_of_a_tab():
    """The grids of large models take seconds."""
    result = run_python(
        "import sys\n"
        "from ganzoo.demo import interpolation, page\n"
        "from ganzoo.demo.model_cache import ModelCache\n"
        "def draw_of(tab, module, function):\n"
        "    original, calls = getattr(module, function), []\n"
        "    setattr(module, function, lambda *a, **k: calls.append(a) or original(*a, **k))\n"
        "    (draw,) = [\n"
        "        f.fn for f in blocks.fns.values()\n"
        "        if f.fn and (f.fn.__module__, f.fn.__name__) == (f'ganzoo.demo.tabs.{tab}', 'draw')\n"
        "    ]\n"
        "    return draw, calls\n"
        "blocks = page.build(ModelCache.of(['dcgan-mnist']))\n"
        "draw, calls = draw_of('interpolate', interpolation, 'interpolate')\n"
        "for seed, position in ((3, 0.1), (3, 0.2), (4, 0.2), (3, 0.3)):\n"
        "    draw('dcgan-mnist', None, seed, 9, 'spherical', 8, 1, position)\n"
        "assert len(calls) == 2, calls\n"
        "draw, calls = draw_of('walk', sys.modules['ganzoo.demo.tabs.walk'], 'plane')\n"
        "for seed, x in ((3, 0.1), (3, 0.2), (4, 0.2), (3, 0.3)):\n"
        "    draw('dcgan-mnist', None, seed, 1, x, 0)\n"
        "assert len(calls) == 2, calls\n"
    )
    assert result.returncode == 0, result.stderr


# Truncation, mixing, directions, walks, inversion.


def large(image, side):
    return np.asarray(render.enlarge(image, side).convert("L"))


def test_styles_are_truncated_and_mixed(visitor):
    panel = visitor.open("Samples")
    visitor.choose(panel, "model", STYLED)
    visitor.wait_for_picture(panel, grid(model(STYLED).sample(100, 0)))
    panel.get_by_label("number input for truncation", exact=True).fill("0.5")
    truncated = model(STYLED).sample(100, 0, sampler="truncated", psi=0.5)
    visitor.wait_for_picture(panel, grid(truncated))
    assert panel.get_by_label("truncation of z").count() == 0
    panel = visitor.open("Mix")
    coarse, fine = (editing.mix(model(STYLED), 3, 9, layers, 1) for layers in ("coarse", "fine"))
    visitor.wait_for_picture(panel, large(coarse.pil()[1], 336), 1)
    visitor.choose(panel, "layers of the second seed", "fine")
    visitor.wait_for_picture(panel, large(fine.pil()[1], 336), 1)
    panel.get_by_label("layers of the second seed").fill("99")
    panel.get_by_label("layers of the second seed").press("Enter")
    assert "'99' is no layer or range of layers" in visitor.read_message()
    visitor.wait_for_picture(panel, large(fine.pil()[1], 336), 1)


def test_sliders_move_along_directions(visitor):
    panel = visitor.open("Directions")
    directions = ModelCache.of(["dcgan-mnist"]).directions("dcgan-mnist")
    panel.get_by_label("number input for direction 1").fill("-2")
    moved = editing.move(model("dcgan-mnist"), directions, 3, [0, -2])
    visitor.wait_for_picture(panel, large(moved.pil()[0], 320))
    panel.get_by_text("8 directions in z: SeFa, from the weights").wait_for()
    panel.get_by_role("button", name="Reset", exact=True).first.click()
    visitor.wait_for_picture(panel, large(model("dcgan-mnist").sample(1, 3).pil()[0], 320))


def test_play_shows_an_animation(visitor):
    panel = visitor.open("Play")
    panel.get_by_label("number input for seconds").fill("1")
    visitor.changes(panel, panel.get_by_role("button", name="Play").click)
    content = base64.b64decode(visitor.picture_sources(panel)[0].partition(",")[2])
    with Image.open(io.BytesIO(content)) as image:
        assert (image.format, image.n_frames) == ("WEBP", 12)
    panel.get_by_role("textbox", name="seeds").fill("3")
    panel.get_by_role("button", name="Play").click()
    assert "a walk needs two key points that differ" in visitor.read_message()


def test_a_photo_is_inverted(visitor, tmp_path):
    panel = visitor.open("Invert")
    panel.get_by_role("button", name="Invert").click()
    assert "there is no photo. Upload one first." in visitor.read_message()
    model("dcgan-mnist").sample(1, 1000).pil()[0].save(tmp_path / "photo.png")
    upload = panel.locator("input[type=file]")
    visitor.changes(panel, lambda: upload.set_input_files(tmp_path / "photo.png"))
    panel.get_by_label("number input for steps").fill("20")
    panel.get_by_role("button", name="Invert").click()
    panel.get_by_text(re.compile(r"PSNR \d+\.\d dB after 20 steps in z")).wait_for()
    assert panel.locator("figcaption").all_inner_texts()[0] == "photo"


# Drawings and uploads.


def test_a_drawn_digit_is_reconstructed(visitor):
    panel = visitor.open("Reconstruct")
    assert visitor.picture_sources(panel) == []
    visitor.changes(panel, lambda: visitor.draw(panel, *SEVEN))
    assert panel.locator("figcaption").all_inner_texts() == [
        "input: 28x28x1",
        "vae2d-mnist, from 2 numbers",
    ]
    visitor.changes(panel, panel.get_by_label("scale and centre").uncheck)
    visitor.changes(panel, lambda: visitor.draw(panel, (0.2, 0.9), (0.8, 0.9)))
    panel.get_by_role("button", name="Clear").click()
    panel.locator("figure").first.wait_for(state="detached")


def test_an_upload_is_reconstructed_and_a_bad_one_changes_nothing(visitor, tmp_path):
    panel = visitor.open("Reconstruct")
    digit = model("cgan-mnist").sample(1, 3, label=4).pil()[0]
    ink = digit.resize((300, 300)).point(lambda level: 255 - level)
    upload = panel.locator("input[type=file]")
    ink.save(tmp_path / "ink.png")
    visitor.changes(panel, lambda: upload.set_input_files(tmp_path / "ink.png"))
    before = visitor.picture_sources(panel)

    (tmp_path / "note.png").write_text("no picture")
    upload.set_input_files(tmp_path / "note.png")
    assert "this file is not an image in a supported format. Upload a PNG" in visitor.read_message()

    Image.new("1", (10_000, 10_000)).save(tmp_path / "huge.png")
    upload.set_input_files(tmp_path / "huge.png")
    assert "has 10,000x10,000 pixels, and the limit is 25 megapixels" in visitor.read_message()

    (tmp_path / "note.txt").write_text("no picture")
    upload.set_input_files(tmp_path / "note.txt")
    assert "Invalid file type" in visitor.read_message()

    with (tmp_path / "long.png").open("wb") as sparse:
        sparse.truncate(30_000_000)
    upload.set_input_files(tmp_path / "long.png")
    assert "maximum" in visitor.read_message()
    assert visitor.picture_sources(panel) == before


def test_drawn_lines_are_translated(visitor):
    panel = visitor.open("Translate")
    visitor.changes(panel, lambda: visitor.draw(panel, *SEVEN))
    read, output = visitor.picture(panel, 0), visitor.picture(panel, 1)
    assert read.shape == (256, 256)
    assert output.shape == (512, 512)
    assert read.max() == 255, "paper"
    assert read.min() < 128, "ink"
    assert np.array_equal(255 - read.repeat(2, 0).repeat(2, 1), output)
    panel.get_by_role("button", name="Clear").click()
    panel.locator("img").first.wait_for(state="detached")


def test_a_picture_is_enlarged_in_tiles(visitor, doubles, tmp_path):
    panel = visitor.open("Upscale")
    button = panel.get_by_role("button", name="Upscale")
    button.click()
    assert "there is no picture yet. Upload one." in visitor.read_message()
    upload = panel.locator("input[type=file]")
    picture = np.random.default_rng(0).integers(0, 256, (70, 90, 3)).astype(np.uint8)
    Image.fromarray(picture).save(tmp_path / "picture.png")
    upload.set_input_files(tmp_path / "picture.png")
    panel.get_by_text("picture.png").first.wait_for()
    button.click()
    panel.get_by_text("90x70 pixels became 180x140").wait_for()
    visitor.wait_for_change(panel, [])
    expected = ganzoo.load(doubles, runtime="onnx").upscale(picture[None]).numpy()[0]
    grey = [np.asarray(Image.fromarray(each).convert("L")) for each in (picture, expected)]
    images = [visitor.picture(panel, number) for number in range(2)]
    assert all(any(np.array_equal(image, side) for image in images) for side in grey)


def test_cards_and_figures_make_no_requests(visitor, negative, stranger):
    panel = visitor.open("Cards")
    figures = ganzoo.info("cgan-mnist").provenance["metrics"][0]["metrics"]
    assert panel.get_by_role("row").filter(
        has_text=re.compile(r"^\s*cgan-mnist")
    ).inner_text().split() == [
        *["cgan-mnist", "dcgan", "nonsaturating", "100", "10"],
        *[f"{figures[name]:.3g}" for name in ("frechet_distance", "precision", "recall")],
        "lenet-mnist@1",
    ]
    visitor.wait_for_change(panel, [])
    assert panel.get_by_role("heading", name="dcgan-mnist").is_visible()
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    right = "all => Math.max(...all.map(each => each.getBoundingClientRect().right))"
    parts = panel.locator(".card img, .card p, .card table, .card :not(pre) > code")
    assert parts.evaluate_all(right) <= 390, "nothing is cut off on a phone"
    visitor.page.set_viewport_size({"width": 1200, "height": 900})
    visitor.choose(panel, "model", str(negative))
    panel.get_by_text("<b>its card</b>").wait_for()
    visitor.page.wait_for_timeout(200)
    assert panel.locator(".card img").count() == 0
    assert f"127.0.0.1:{stranger.getsockname()[1]}" not in visitor.hosts


def test_a_form_in_a_card_is_not_submitted(server):
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(server) as answer:
        policy = answer.headers["Content-Security-Policy"].split("; ")
    assert {"form-action 'self'", "base-uri 'self'", "object-src 'none'"} <= set(policy)


# Errors have a message, and the page continues to work.


def test_an_invalid_seed_shows_a_message_and_keeps_the_images(visitor):
    panel = visitor.open("Samples")
    expected = grid(model("dcgan-mnist").sample(100, 0))
    visitor.wait_for_picture(panel, expected)
    panel.get_by_label("seed", exact=True).fill("-1")
    assert (
        "the seed is -1, out of range. Use a number from 0 to 9,007,199" in visitor.read_message()
    )
    assert np.array_equal(visitor.picture(panel), expected)


def ask(server, choose, **changes):
    """Send a request that no browser would send; return the error of the response."""
    with urllib.request.urlopen(f"{server}config") as answer:
        config = json.load(answer)
    labels = {c["id"]: c["props"].get("label") for c in config["components"]}
    values = {c["id"]: c["props"].get("value") for c in config["components"]}
    endpoint = next(d for d in config["dependencies"] if choose({labels[i] for i in d["inputs"]}))
    body = {
        "data": [changes.get(labels[i], values[i]) for i in endpoint["inputs"]],
        "fn_index": endpoint["id"],
        "session_hash": "forged",
    }
    request = urllib.request.Request(
        f"{server}gradio_api/queue/join",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request).close()
    with urllib.request.urlopen(f"{server}gradio_api/queue/data?session_hash=forged") as events:
        for line in events:
            event = json.loads(line.removeprefix(b"data: ")) if line.strip() else {}
            if event.get("msg") == "process_completed":
                return event["output"].get("error")
    raise AssertionError("no answer")


def test_images_that_take_long_show_the_time(server, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with urllib.request.urlopen(f"{server}config") as answer:
        config = json.load(answer)
    images = {c["id"] for c in config["components"] if c["type"] == "image"}
    drawings = [d for d in config["dependencies"] if images & {*d["outputs"]}]
    assert {d["show_progress"] for d in drawings} == {"minimal"}


def test_a_forged_request_is_refused(server, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    def is_samples(labels):
        return labels == {"model", "class", "seed", "images", "truncation", "truncation of z"}

    assert ask(server, is_samples) is None
    assert "144" in ask(server, is_samples, images=1_000_000)
    assert "1" in ask(server, is_samples, images=0)
    assert "2" in ask(server, is_samples, truncation=3)
    assert "not in the list of choices" in ask(server, is_samples, **{"class": "10"})
    assert "not in the list of choices" in ask(server, is_samples, model="/etc")


def test_a_port_in_use_is_an_error(server):
    port = urlsplit(server).port
    result = run_cli("demo", "gan-mnist", "--port", str(port))
    assert result.returncode == 1
    assert result.stderr == (
        f"error: port {port} of 127.0.0.1 cannot be used (Address already in use). "
        f"Use another port, such as --port {port + 1}.\n"
    )


def test_an_unknown_model_is_refused_before_serving(tmp_path):
    result = run_cli("demo", "dcgan-mnits", "--port", str(free_port()))
    assert result.returncode == 1
    assert "Did you mean 'dcgan-mnist'?" in result.stderr
