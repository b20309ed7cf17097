"""Walks through latent space, and the files of animations that hold them."""

import contextlib
import resource
import signal

import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo.cli import main
from ganzoo.errors import MissingExtraError, OutputError, SampleError
from ganzoo.sampling import animations, latents
from ganzoo.sampling.animations import write_animation
from ganzoo.sampling.code_files import write_codes
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.images import ImageBatch
from ganzoo.sampling.samplers import Codes
from ganzoo.sampling.sizes import animation_scale
from ganzoo.sampling.walks import codes_of_files, save_walk, walk
from ganzoo.spec import DataSpec, ImageSpec, LatentSpec, ModelSpec, StyleSpec

FORMATS = [".mp4", ".webm", ".gif", ".webp"]


class Generating(Generator):
    """A generator whose pixels are the latents, or the styles, in [-1, 1] by tanh."""

    is_batch_invariant = True

    def __init__(self, height=6, width=5, channels=1, classes=0, styles=False):
        data = DataSpec(ImageSpec(height, width, channels), classes=classes)
        inputs = ("z", "y") if classes else ("z",)
        dim = height * width * channels
        self.spec = ModelSpec(
            "tiny", "none", {}, (), data, LatentSpec(dim), inputs=inputs,
            styles=StyleSpec(dim, 2, 0.5) if styles else None,
        )  # fmt: skip
        self.batches = []

    @property
    def w_average(self):
        return np.full(self.latent_dim, 0.25, np.float32)

    def part(self, role):
        return {"mapping": Mapping, "synthesis": Synthesis}[role](self)

    def run(self, inputs):
        values = inputs["z"] + inputs.get("y", np.zeros(len(inputs["z"])))[:, None]
        self.batches.append(len(values))
        return np.tanh(values).reshape(-1, *self.spec.data.image.shape).astype(np.float32)


class Mapping(Generating):
    def __init__(self, whole):
        self.spec = whole.spec

    def run(self, inputs):
        return (2 * inputs["z"] + inputs.get("y", np.zeros(len(inputs["z"])))[:, None]).astype("f4")


class Synthesis(Mapping):
    def run(self, inputs):
        images = np.tanh(inputs["styles"].mean(1))
        return images.reshape(-1, *self.spec.data.image.shape).astype(np.float32)


def frames_of(parts):
    return np.concatenate([part.numpy() for part in parts])


def read(path):
    """Return the frames of a file, RGB (n, height, width, 3), and its duration in seconds."""
    if path.suffix in animations.VIDEOS:
        av = pytest.importorskip("av")
        with av.open(str(path)) as video:
            rate = video.streams.video[0].average_rate
            colours = {"format": "rgb24", "src_colorspace": "ITU709"}  # av 15 does not read it
            frames = [frame.reformat(**colours).to_ndarray() for frame in video.decode(video=0)]
        return np.stack(frames), len(frames) / float(rate)
    with Image.open(path) as image:
        assert image.info["loop"] == 0
        frames, duration = [], 0
        for k in range(getattr(image, "n_frames", 1)):
            image.seek(k)
            frames.append(np.asarray(image.convert("RGB")))
            duration += image.info["duration"]
    return np.stack(frames), duration / 1_000


def frames_in_file(batch, scale, suffix=""):
    """Return the pixels of images as a file shows them."""
    pixels = batch.numpy().repeat(scale, 1).repeat(scale, 2)
    pixels = np.broadcast_to(pixels, (*pixels.shape[:3], 3))
    odd = [(0, side % 2 * (suffix in animations.VIDEOS)) for side in pixels.shape[1:3]]
    return np.pad(pixels, [(0, 0), *odd, (0, 0)], mode="edge")


@pytest.mark.parametrize(
    ("suffix", "channels"), [*((suffix, 3) for suffix in FORMATS), (".mp4", 1), (".gif", 1)]
)
def test_a_file_has_the_images_of_the_walk(tmp_path, suffix, channels):
    model, path = Generating(channels=channels), tmp_path / f"walk{suffix}"
    assert save_walk(model, path, [3, 9, 12], seconds=0.7, fps=10, scale=25) == 7
    frames, seconds = read(path)
    expected = frames_in_file(ImageBatch(frames_of(walk(model, [3, 9, 12], 7))), 25, suffix)
    assert frames.shape == expected.shape
    assert seconds == pytest.approx(0.7)
    first = np.abs(frames[0].astype(int) - frames_in_file(model.sample(seeds=[3]), 25, suffix)[0])
    difference = np.abs(frames.astype(int) - expected)
    if suffix in animations.VIDEOS:  # lossy, with the colour of every second pixel
        assert max(difference.mean(), first.mean()) < 6
    else:
        assert difference.max() == 0
        assert first.max() <= 1
    assert [item.name for item in tmp_path.iterdir()] == [path.name]


def test_a_walk_is_closed_and_passes_its_seeds():
    model = Generating()
    frames = frames_of(walk(model, [3, 9, 12], 30)).astype(int)
    for k, seed in enumerate((3, 9, 12)):
        assert np.abs(frames[10 * k] - model.sample(seeds=[seed]).numpy()[0]).max() <= 1
    steps = np.abs(np.diff(frames, axis=0, append=frames[:1])).mean((1, 2, 3))
    assert steps[-1] == pytest.approx(steps[9], rel=0.5)  # as at the other key points


def test_easing():
    model, [a, b] = Generating(), (latents.normal(seed, 1, 30)[0] for seed in (3, 9))
    for easing, share in (("linear", 0.25), ("smooth", (1 - np.cos(np.pi / 4)) / 2)):
        z = latents.slerp(a, b, np.array([share], np.float32))
        frames = frames_of(walk(model, [3, 9], 8, easing=easing))
        assert np.array_equal(frames[1], model.decode(z).numpy()[0])
    assert np.array_equal(frames[0], frames_of(walk(model, [3, 9], 8))[0])


def test_w_is_linear_truncated_and_interpolates_classes():
    model = Generating(classes=3, styles=True)
    w = [model.map(latents.normal(seed, 1, 30), np.array([y])) for seed, y in ((3, 0), (9, 2))]
    for psi, truncation in ((0.5, None), (0.7, 0.7)):
        frames = frames_of(
            walk(model, [3, 9], 4, labels=[0, 2], easing="linear", truncation=truncation)
        )
        middle = model.synthesize(model.to_styles((w[0] + w[1]) / 2, psi)).numpy()[0]
        assert np.abs(frames[1].astype(int) - middle).max() <= 1
        assert np.array_equal(frames[0], model.synthesize(model.to_styles(w[0], psi)).numpy()[0])


def test_z_changes_the_class_in_the_middle():
    model = Generating(classes=3)
    a, b = (latents.normal(seed, 1, 30)[0] for seed in (3, 9))
    frames = frames_of(walk(model, [3, 9], 8, labels=[0, 2], easing="linear"))
    for k, (share, y) in enumerate([(0, 0), (0.25, 0), (0.5, 2), (0.75, 2)]):
        z = latents.slerp(a, b, np.array([share], np.float32))
        assert np.array_equal(frames[k], model.decode(z, np.array([y])).numpy()[0])


def test_truncation_without_w_limits_the_latents_of_the_seeds():
    model = Generating()
    frames = frames_of(walk(model, [3, 9], 2, truncation=0.5))
    expected = model.sample(seeds=[3, 9], sampler="truncated-normal", threshold=0.5).numpy()
    assert np.abs(frames.astype(int) - expected).max() <= 1


def test_z_of_a_model_with_w_is_truncated_too():
    model = Generating(styles=True)
    frames = frames_of(walk(model, [3, 9], 2, space="z", truncation=0.3))
    expected = model.sample(seeds=[3, 9], sampler="truncated", psi=0.3).numpy()
    assert np.abs(frames.astype(int) - expected).max() <= 1


def test_walks_side_by_side_have_their_own_seeds():
    model = Generating()
    frames = frames_of(walk(model, [3, 9, 12, 1, 5, 7], 20, columns=3))
    assert frames.shape == (20, 6, 15, 1)
    for k, seeds in enumerate(([3, 9], [12, 1], [5, 7])):
        assert np.array_equal(frames[:, :, 5 * k : 5 * k + 5], frames_of(walk(model, seeds, 20)))
    tall = frames_of(walk(model, [3, 9, 12, 1, 5, 7], 20, rows=3))
    assert np.array_equal(tall[:, 6:12], frames[:, :, 5:10])


def test_images_are_generated_in_small_parts():
    model = Generating()
    parts = walk(model, [1, 2], 1_000_000)
    assert len(next(parts)) == 16
    assert model.batches == [16]
    large = Generating(129, 129)
    assert len(next(walk(large, [1, 2], 10))) == 1


@pytest.mark.parametrize(
    ("size", "scale"),
    [
        ((28, 28), 10),
        ((64, 64), 4),
        ((256, 256), 1),
        ((1024, 1024), 1),
        ((100, 4096), 1),
        ((32, 64), 8),
    ],
)
def test_small_images_are_enlarged(size, scale):
    assert animation_scale(*size) == scale


WRONG = [
    ({"key_points": [3]}, "needs two key points"),
    ({"key_points": []}, "needs two key points"),
    ({"key_points": [3, 3]}, "needs two key points"),
    ({"key_points": [3, -1]}, "seed is -1"),
    ({"key_points": [3, 9, 12], "columns": 2}, "equally many"),
    ({"columns": 0}, "1 or more"),
    ({"rows": 65}, "up to 64"),
    ({"frames": 1}, "2 to 1,000,000"),
    ({"frames": 2_000_000}, "2 to 1,000,000"),
    ({"labels": ["cat"]}, "has no classes"),
    ({"space": "w"}, "has no w"),
    ({"space": "v"}, "unknown space"),
    ({"easing": "bouncy"}, "linear, smooth"),
    ({"truncation": 0.0}, "above 0"),
    ({"key_points": range(1_001)}, "up to 1,000"),
]


@pytest.mark.parametrize(("arguments", "says"), WRONG)
def test_wrong_arguments_are_named(arguments, says):
    with pytest.raises(SampleError, match=says):
        walk(Generating(), **{"key_points": [3, 9], "frames": 10} | arguments)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"truncation": 2.5}, "-2 to 2"),
        ({"truncation": float("nan")}, "-2 to 2"),
        ({"labels": [0, 1, 2]}, "one label for each seed"),
        ({"labels": [0, 7]}, "no class 7"),
    ],
)
def test_wrong_arguments_of_a_model_with_w_are_named(arguments, says):
    with pytest.raises(SampleError, match=says):
        walk(Generating(classes=3, styles=True), [3, 9], 10, **arguments)


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("walk.avi", {}, r"'\.avi' is not one of \.mp4, \.webm, \.gif, \.webp"),
        ("walk", {}, "is not one of"),
        ("walk.gif", {"fps": 51}, r"1 to 50 for a \.gif"),
        ("walk.webp", {"fps": 61}, "1 to 60"),
        ("walk.webp", {"fps": float("nan")}, "1 to 60"),
        ("walk.webp", {"seconds": float("inf")}, "above 0"),
        ("walk.webp", {"seconds": -1}, "above 0"),
        ("walk.webp", {"scale": 65}, "1 to 64"),
        ("walk.webp", {"seconds": 0.1, "fps": 5}, "2 to 1,000,000"),
    ],
)
def test_wrong_files_are_named_and_nothing_is_written(tmp_path, name, arguments, says):
    with pytest.raises((SampleError, OutputError), match=says):
        save_walk(Generating(), tmp_path / name, [3, 9], **arguments)
    assert not list(tmp_path.iterdir())


def test_frames_of_too_many_pixels_are_refused(tmp_path):
    images = ImageBatch(np.zeros((1, 1, 300, 1), np.uint8))
    with pytest.raises(SampleError, match="16,383"):
        write_animation(tmp_path / "a.gif", [images], 1, scale=64)
    assert not list(tmp_path.iterdir())


def test_a_missing_encoder_names_the_formats_that_work(tmp_path, monkeypatch):
    videos = pytest.importorskip("ganzoo.sampling.videos")
    monkeypatch.setitem(videos.ENCODERS, ".mp4", {"libmissing": {}})
    with pytest.raises(OutputError, match=r"no encoder libmissing. Use \.webm, \.webp or \.gif"):
        save_walk(Generating(), tmp_path / "walk.mp4", [3, 9])


def test_without_av_the_error_names_what_to_install(tmp_path, monkeypatch):
    def absent(name):
        raise ModuleNotFoundError("No module named 'av'", name="av")

    monkeypatch.setattr(animations.importlib, "import_module", absent)
    with pytest.raises(MissingExtraError, match=r"pip install '\.\[video\]'.*\.gif or \.webp"):
        save_walk(Generating(), tmp_path / "walk.webm", [3, 9])
    save_walk(Generating(), tmp_path / "walk.gif", [3, 9], seconds=0.2, fps=10)


@contextlib.contextmanager
def small_disk(size):
    """Limit the size of files in this process, which includes those that pytest reports to."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def noise(frames, side=64):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (frames, side, side, 3), np.uint8)
    return [ImageBatch(images[k : k + 4]) for k in range(0, frames, 4)]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_full_disk_leaves_a_file_that_plays(tmp_path, suffix):
    path = tmp_path / f"walk{suffix}"
    with (
        pytest.raises(OutputError, match="the first .* of 100 images and plays") as error,
        small_disk(100_000),
    ):
        write_animation(path, noise(100), 100, fps=10, scale=1)
    frames, _ = read(path)
    assert f"the first {len(frames)} of 100 images" in str(error.value)
    assert 3 < len(frames) < 100
    content = path.read_bytes()
    assert len(content) <= 100_000
    if suffix == ".gif":
        assert content.endswith(b";")
    if suffix == ".webp":
        assert int.from_bytes(content[4:8], "little") + 8 == len(content)
    assert np.abs(frames[3].astype(int) - noise(4)[0].numpy()[3]).mean() < 60


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_disk_without_space_for_an_image_leaves_no_file(tmp_path, suffix):
    with pytest.raises(OutputError, match="File too large"), small_disk(10):
        write_animation(tmp_path / f"walk{suffix}", noise(40), 40, fps=10, scale=1)
    assert not list(tmp_path.iterdir())


def interrupted():
    batches = iter(noise(40))
    yield next(batches)
    signal.raise_signal(signal.SIGINT)
    yield from batches


@pytest.mark.parametrize("suffix", FORMATS)
def test_ctrl_c_leaves_a_file_that_plays(tmp_path, suffix):
    path = tmp_path / f"walk{suffix}"
    with pytest.raises(KeyboardInterrupt, match="the first 8 of 40 images and plays"):
        write_animation(str(path), interrupted(), 40, fps=10, scale=1)
    assert len(read(path)[0]) == 8


def test_ctrl_c_is_reported_by_the_command(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("ganzoo.sampling.walks.walk", lambda *_, **__: interrupted())
    path = tmp_path / "walk.gif"
    assert (
        main(["walk", "dcgan-mnist", "--seeds", "3,9", "--runtime", "onnx", "-o", str(path)]) == 130
    )
    assert f"stopped: {path} holds the first 8 of 360 images" in capsys.readouterr().err


def test_interpolations_are_saved_as_animations(tmp_path):
    images = ganzoo.load("dcgan-mnist", runtime="onnx").interpolate(3, 9, 6)
    frames, seconds = read(images.save(tmp_path / "walk.gif"))
    assert np.array_equal(frames, frames_in_file(images, 10))
    assert seconds == pytest.approx(6 / 12.5)
    frames, _ = read(images.save(tmp_path / "small.gif", scale=2))
    assert np.array_equal(frames, frames_in_file(images, 2))
    for path in (images.save(tmp_path / "a.webp"), images.save(tmp_path / "a.gif", columns=6)):
        with Image.open(path) as image:
            assert getattr(image, "n_frames", 1) == 1
    with Image.open(images[:1].save(tmp_path / "one.gif")) as image:
        assert image.n_frames == 1
    with pytest.raises(ValueError, match="between 1 and 64"):
        images.save(tmp_path / "b.gif", scale=65)


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    command = [
        "walk",
        "cgan-mnist",
        "--seeds",
        "3,9-10",
        "--labels",
        "7",
        "2",
        "0",
        "--runtime",
        "onnx",
    ]
    assert main([*command, "--seconds", "1", "--fps", "5", "-o", "a.webp"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(
        "a.webp: 5 images in 1 s, through seeds 3,9-10\nThe class changes at once"
    )
    model = ganzoo.load("cgan-mnist", runtime="onnx")
    first = frames_in_file(model.sample(seeds=[3], label=7), 10)[0]
    assert np.abs(read(tmp_path / "a.webp")[0][0].astype(int) - first).max() <= 1
    assert main(["walk", "missing-model", "--seeds", "3,9", "-o", "a.avi"]) == 1
    assert "'.avi' is not one of" in capsys.readouterr().err
    assert main(["walk", "cgan-mnist", "--seeds", "5-"]) == 1
    assert "'5-' is no seed or range" in capsys.readouterr().err


def test_a_walk_between_codes_passes_them():
    model = Generating(styles=True)
    styles = np.random.default_rng(0).standard_normal((2, 2, 30)).astype(np.float32)
    frames = frames_of(walk(model, Codes(styles=styles), 4, easing="linear"))
    between = (styles[0] + styles[1]) / 2  # each layer has a w of its own
    for k, expected in enumerate((styles[0], between, styles[1], between)):
        assert np.abs(frames[k].astype(int) - model.synthesize(expected[None]).numpy()[0]).max() < 2


def test_codes_of_files_are_key_points(tmp_path):
    model = Generating(styles=True)
    z, codes = latents.normal(0, 1, 30), Codes(styles=np.ones((2, 2, 30), np.float32))
    files = [tmp_path / "a.z.safetensors", tmp_path / "b.w.safetensors"]
    for file, each in zip(files, (Codes(z), codes), strict=True):
        write_codes(file, each, model.spec)
    keys = codes_of_files(model, files)
    assert np.array_equal(keys.styles, np.concatenate([model.styles_of(Codes(z)), codes.styles]))
    frames = frames_of(walk(model, keys, 3))
    first = model.sample(seeds=[0], sampler="truncated", psi=0.5).numpy()[0]
    assert np.abs(frames[0].astype(int) - first).max() <= 1
    assert np.array_equal(codes_of_files(model, files[:1], "z").z, z)
    with pytest.raises(SampleError, match=r"b\.w\.safetensors has w.*--space w"):
        codes_of_files(model, files, "z")
    with pytest.raises(SampleError, match="there is no file"):
        codes_of_files(model, [])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"labels": [0]}, "have no effect on codes"),
        ({"truncation": 0.5}, "have no effect on codes"),
        ({"space": "z"}, "a walk in z needs z"),
        ({"columns": 2}, "needs two key points that differ"),
        ({"columns": 3}, "equally many"),
    ],
)
def test_wrong_arguments_of_a_walk_between_codes_are_named(arguments, says):
    styles = np.arange(120, dtype=np.float32).reshape(2, 2, 30)
    with pytest.raises(SampleError, match=says):
        walk(Generating(styles=True), Codes(styles=styles), 10, **arguments)


def test_the_command_walks_between_files(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    model = ganzoo.load("cgan-mnist", runtime="onnx")
    for seed, name in ((3, "a"), (9, "b")):
        draw = model.draw_seeds([seed], label=seed)
        write_codes(f"{name}.z.safetensors", model.codes(draw), model.spec)
    command = ["walk", "cgan-mnist", "--runtime", "onnx", "--seconds", "1", "--fps", "4"]
    files = ["--from", "a.z.safetensors", "b.z.safetensors"]
    assert main([*command, *files, "-o", "a.webp"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("a.webp: 4 images in 1 s, through a.z.safetensors, b.z.safetensors\nThe ")
    assert main([*command, "--seeds", "3,9", "--labels", "3", "9", "-o", "b.webp"]) == 0
    assert (tmp_path / "a.webp").read_bytes() == (tmp_path / "b.webp").read_bytes()
    for wrong in ([], ["--seeds", "3,9", *files]):
        assert main([*command, *wrong]) == 1
        assert "needs either seeds or files of codes" in capsys.readouterr().err


class FailingStream:
    """A stream of FFmpeg that fails at its sixth image."""

    def __init__(self, stream):
        self.stream, self.count = stream, 0

    def encode(self, frame=None):
        self.count += 1
        if self.count == 6 and frame is not None:
            raise av_error()
        return self.stream.encode(frame)


def av_error():
    error = pytest.importorskip("av").error
    return error.ExternalError(-542398533, "Generic error in an external library")


@pytest.mark.parametrize("suffix", animations.VIDEOS)
def test_an_error_of_ffmpeg_is_named_and_leaves_a_file_that_plays(tmp_path, monkeypatch, suffix):
    videos, path = pytest.importorskip("ganzoo.sampling.videos"), tmp_path / f"walk{suffix}"
    start = videos.Video._start
    monkeypatch.setattr(videos.Video, "_start", lambda *args: FailingStream(start(*args)))
    with pytest.raises(OutputError, match="FFmpeg cannot encode.*Use .webp or .gif") as error:
        write_animation(path, noise(100), 100, fps=10, scale=1)
    frames, _ = read(path)
    assert len(frames) == 5
    assert f"{path} holds the first 5 of 100 images and plays." in str(error.value)
    assert "\n" not in str(error.value)
    path.unlink()
    monkeypatch.setattr(videos.Video, "_start", lambda *_: (_ for _ in ()).throw(av_error()))
    with pytest.raises(OutputError, match="FFmpeg cannot encode.*external library"):
        write_animation(path, noise(4), 4, fps=10, scale=1)
    assert not list(tmp_path.iterdir())


def test_frames_that_are_too_large_are_refused_before_they_are_generated(tmp_path):
    model = Generating(height=600)
    with pytest.raises(SampleError, match="36,000x300 pixels are too large"):
        save_walk(model, tmp_path / "a.gif", [3, 9], scale=60)
    with pytest.raises(SampleError, match="columns and rows are 1 or more"):
        save_walk(model, tmp_path / "a.gif", [3, 9], columns=0)
    assert not model.batches
