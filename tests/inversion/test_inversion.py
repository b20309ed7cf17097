"""Inversion: codes of images that a model generated are found again, and errors are named."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import ganzoo
from ganzoo import DataSpec, Draw, ImageBatch, ImageSpec, ModelSpec
from ganzoo.cli import main
from ganzoo.errors import ExtractorError, OutputError, SampleError
from ganzoo.inversion import descent, invert, read_photo
from ganzoo.inversion.descent import noise_scale, rate_scale
from ganzoo.inversion.inverting import psnr
from ganzoo.inversion.noise_maps import correlation, normalise
from ganzoo.nn import StyleGenerator
from ganzoo.runtimes.torch import wrap
from ganzoo.sampling.code_files import read_codes
from ganzoo.spec import LatentSpec

DIM, LAYERS, SIDE = 4, 2, 8


def basis(n, seed=0):
    """Return n images, each a smooth wave."""
    waves = torch.randn(n, SIDE * SIDE, generator=torch.Generator().manual_seed(seed))
    return 0.25 * waves / waves.square().mean(1, keepdim=True).sqrt()


class Linear(nn.Module):
    """A generator whose images are sums of fixed images, of another sign for each class."""

    def __init__(self):
        super().__init__()
        self.basis = nn.Parameter(basis(DIM))

    def forward(self, z, y=None):
        images = (z @ self.basis).tanh()
        if y is not None:
            images = images * (1 - 2 * y.float()[:, None]) + 0.3 * y.float()[:, None]
        return images.view(-1, 1, SIDE, SIDE)


class Mapping(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("average", torch.full((DIM,), 0.5))

    def forward(self, z, y=None):
        return 0.5 * z + self.average


class Synthesis(nn.Module):
    """Sums fixed images of each layer, and a noise map; values may leave [-1, 1]."""

    style_count = LAYERS

    def __init__(self):
        super().__init__()
        self.basis = nn.Parameter(basis(DIM * LAYERS))
        noise = torch.randn(SIDE, SIDE, generator=torch.Generator().manual_seed(1))
        self.register_buffer("noise", noise)

    def forward(self, styles):
        images = (styles.flatten(1) @ self.basis).view(-1, 1, SIDE, SIDE)
        return 2 * images + 0.05 * self.noise


class Styled(StyleGenerator):
    def forward(self, z):
        return self.render(self.mapping(z))


def toy(network, classes=0):
    spec = ModelSpec(
        name="toy",
        architecture="none",
        arguments={},
        requires=(),
        data=DataSpec(ImageSpec(SIDE, SIDE, 1), classes=classes),
        latent=LatentSpec(DIM),
        inputs=("z", "y") if classes else ("z",),
    )
    return wrap(spec, network)


@pytest.fixture
def linear():
    return toy(Linear())


@pytest.fixture
def styled():
    return toy(Styled(Mapping(), Synthesis(), truncation=0.7))


def how(**options):
    return {"steps": 200, "samples": 16, **options}


def test_an_image_is_found_again_and_the_model_does_not_change(linear):
    linear.train().requires_grad_()
    before = {name: tensor.clone() for name, tensor in linear.state_dict().items()}
    photo = linear.sample(seed=9)
    with torch.inference_mode():
        result = invert(linear, photo, **how())
    assert result.psnr > 40
    assert result.psnr == psnr(result.image.numpy(), photo.numpy())
    assert np.array_equal(linear.render(result.codes).numpy(), result.image.numpy())
    assert (result.steps, result.interrupted, result.space) == (200, False, "z")
    assert all(torch.equal(before[name], t) for name, t in linear.state_dict().items())
    assert linear.training
    assert next(linear.parameters()).grad is None


@pytest.mark.parametrize("space", ["z", "w", "w+", None])
def test_a_styled_model_is_inverted_in_each_space(styled, space):
    photo = styled.sample(seed=9)
    result = invert(styled, photo, space=space, **how())
    assert result.psnr > 40
    codes = result.codes
    if space == "z":
        assert codes.z.shape == (1, DIM)
        return
    assert codes.styles.shape == (1, LAYERS, DIM)
    same = np.array_equal(codes.styles[:, 0], codes.styles[:, 1])
    assert same == (space != "w+")


def test_the_descent_computes_in_float32():
    """`torch.set_float32_matmul_precision` of the program changes no result."""
    precisions = []

    class Recording(Linear):
        def forward(self, z, y=None):
            precisions.append(torch.backends.mkldnn.matmul.fp32_precision)
            return super().forward(z, y)

    model, before = toy(Recording()), torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        invert(model, model.sample(seed=9), **how(steps=2))
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)
    assert {*precisions} == {"ieee"}
    assert len(precisions) > 3


def test_an_image_of_two_w_needs_two(styled):
    w = styled.map(Draw.of(3, 2).normal(DIM))
    photo = styled.synthesize(w[None])
    one, two = (invert(styled, photo, space=space, **how()) for space in ("w", "w+"))
    assert two.psnr > 40 > one.psnr


def test_noise_maps_are_optimised_but_not_those_of_the_model(styled):
    photo, before = styled.sample(seed=9), styled.network.synthesis.noise.clone()
    result = invert(styled, photo, noise=True, **how())
    assert torch.equal(styled.network.synthesis.noise, before)
    assert 20 < result.psnr != invert(styled, photo, **how()).psnr


def test_a_real_model_finds_its_image_again():
    model = ganzoo.load("dcgan-mnist", runtime="torch")
    result = invert(model, model.sample(seeds=[1000]), steps=120, samples=64, starts=2)
    assert result.psnr > 25


def test_the_class_is_that_of_the_nearest_start_or_the_label():
    model = toy(Linear(), classes=2)
    photo = model.sample(seeds=[9], label=1)
    result = invert(model, photo, **how(starts=1))
    assert result.codes.y.tolist() == [1]
    assert result.psnr > 40
    other = invert(model, photo, **how(label=0))
    assert other.codes.y.tolist() == [0]
    assert other.psnr < result.psnr


def test_the_code_of_an_encoder_is_a_start(linear):
    class Encoder:
        def __init__(self, z):
            self.z = z

        def encode(self, images):
            return self.z

    photo, z = linear.sample(seed=9), Draw.of(9).normal(DIM)
    options = how(steps=1, starts=1, rate=1e-9)
    assert invert(linear, photo, encoder=Encoder(z), **options).psnr == math.inf
    far = invert(linear, photo, encoder=Encoder(-z), **options)  # though random samples are nearer
    assert np.allclose(far.codes.z, -z, atol=1e-6)
    assert far.distance > invert(linear, photo, **options).distance


def test_ctrl_c_keeps_the_nearest_code(linear, monkeypatch):
    photo = linear.sample(seed=9)
    start = invert(linear, photo, **how(steps=1))

    def interrupted(t):
        if t >= 0.5:
            raise KeyboardInterrupt
        return 1.0

    monkeypatch.setattr(descent, "rate_scale", interrupted)
    result = invert(linear, photo, **how())
    assert (result.interrupted, result.steps) == (True, 100)
    assert result.distance < start.distance


def test_codes_that_become_nan_end_the_descent_with_a_warning(linear, monkeypatch):
    photo = linear.sample(seed=9)
    start = invert(linear, photo, **how(steps=1))
    monkeypatch.setattr(descent, "rate_scale", lambda t: math.nan if t >= 0.5 else 0.1)
    with pytest.warns(UserWarning, match="became NaN or infinite after 101 of 200 steps.*--rate"):
        result = invert(linear, photo, **how())
    assert (result.interrupted, result.steps) == (False, 101)
    assert result.distance < start.distance


def test_a_pixel_beyond_the_range_returns_to_it(styled):
    photo = ImageBatch(np.full((1, SIDE, SIDE, 1), 255, np.uint8))
    white = invert(styled, photo, space="w+", **how())
    again = invert(styled, white.image, space="w+", **how(seed=1))
    assert again.psnr > 35


def test_an_extractor_compares(linear):
    result = invert(linear, linear.sample(seed=9), extractor="pixels", **how())
    assert result.psnr > 40
    assert result.distance < 1e-3


class WholeLevels(ganzoo.Extractor):
    def __init__(self):
        super().__init__(channels=None, size=None, dim=None, sha256="0" * 64)

    def forward(self, images):
        if images.dtype != torch.uint8:
            raise TypeError("uint8 only")


def test_an_extractor_without_gradients_is_named(linear):
    ganzoo.extractors.register("whole-levels")(WholeLevels)
    try:
        with pytest.raises(
            ExtractorError, match=r"whole-levels.*TypeError: uint8 only.*colour-64@1"
        ):
            invert(linear, linear.sample(), extractor="whole-levels", **how())
    finally:
        ganzoo.extractors.unregister("whole-levels")


def test_a_start_whose_distance_is_nan_is_refused(linear):
    class Encoder:
        def encode(self, images):
            return np.full((1, DIM), np.nan, np.float32)

    with pytest.raises(SampleError, match="cannot start from the encoder's code of the photo"):
        invert(linear, linear.sample(), encoder=Encoder(), **how())
    photo = linear.sample()
    torch.nn.init.constant_(linear.network.basis, math.nan)
    with pytest.raises(SampleError, match="cannot start from the nearest start.*'toy' or the ext"):
        invert(linear, photo, **how())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"space": "w"}, "'toy' has no w: it has no mapping network"),
        ({"noise": True}, "has no noise maps"),
        ({"steps": 0}, "steps is 0; it must be 1 to 100,000"),
        ({"rate": math.nan}, "rate is nan"),
        ({"samples": 0}, "no start without samples"),
        ({"starts": 65}, "1 to 64"),
        ({"seed": -1}, "seed is -1"),
        ({"label": "3"}, "no classes"),
    ],
)
def test_wrong_arguments_are_named(linear, options, says):
    with pytest.raises(SampleError, match=says):
        invert(linear, linear.sample(), **how(**options))


def test_wrong_photos_and_runtimes_are_named(linear):
    with pytest.raises(SampleError, match="2 photos"):
        invert(linear, linear.sample(2))
    with pytest.raises(SampleError, match=r"reads uint8 \(n, 8, 8, 1\)"):
        invert(linear, np.zeros((1, 9, 8, 1), np.uint8))
    model = ganzoo.load("dcgan-mnist", runtime="onnx")
    with pytest.raises(SampleError, match="onnxruntime does not compute"):
        invert(model, model.sample())


def test_the_rate_and_the_noise_follow_the_paper():
    assert [rate_scale(t) for t in (0, 0.025, 0.05, 0.75, 1)] == [0, 0.5, 1, 1, 0]
    assert rate_scale(0.875) == pytest.approx(0.5)
    assert [noise_scale(t) for t in (0, 0.375, 0.75, 1)] == [0.05, 0.0125, 0, 0]


def test_noise_has_no_correlation_and_a_picture_has():
    noise = torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    steps = torch.ones(1, 1, 32, 32)
    steps[..., :16] = -1
    normalise([noise, steps])
    assert noise.mean().abs() < 1e-6
    assert noise.square().mean() == pytest.approx(1)
    assert correlation([noise]) < 0.1
    # A step and its pooled copies, times 2 and 4: of 32, 16 and 8 values, 2 pairs have other signs.
    columns, rows = [(v * (n - 4) / n) ** 2 for v, n in ((1, 32), (4, 16), (16, 8))], [1, 16, 256]
    assert correlation([steps]) == pytest.approx(sum(columns) + sum(rows), rel=1e-4)


def test_a_photo_of_another_aspect_is_cropped_and_its_picture_shows_it(tmp_path):
    file = tmp_path / "wide.png"
    pixels = np.zeros((16, 32), np.uint8)
    pixels[:, 8:24] = 100
    Image.fromarray(pixels).save(file)
    with pytest.warns(UserWarning, match="loses half"):
        photo = read_photo(file, ImageSpec(16, 16, 1))
    assert photo.crop == f"{file} has 16x32 pixels (height x width); its centre of 16x16 is used"
    assert (photo.image.numpy() == 100).all()
    whole = photo.whole.numpy()[0, :, :, 0]
    assert (whole[:4] == whole[12:]).all()
    assert (whole[:4] == 255).all()  # beside the photo
    assert whole[8, 1] == pytest.approx(255 * 0.65, abs=3)  # black, pale
    assert whole[8, 8] == pytest.approx(100, abs=2)
    assert len(photo.beside(photo.image)) == 3
    Image.fromarray(pixels[:, :16]).save(file)
    photo = read_photo(file, ImageSpec(8, 8, 3))
    assert (photo.crop, photo.whole, len(photo.beside(photo.image))) == ("", None, 2)


def test_the_command_writes_codes_and_a_picture(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    model = ganzoo.load("dcgan-mnist", runtime="onnx")
    model.sample(seed=3).pil()[0].save("photo.png")
    photo = (tmp_path / "photo.png").read_bytes()
    command = ["invert", "dcgan-mnist", "photo.png", "--steps", "4", "--samples", "8"]
    assert main(command) == 0
    assert "PSNR" in capsys.readouterr().out
    codes = read_codes("photo.z.safetensors", model.spec)
    assert main(["sample", "dcgan-mnist", "--sampler", "stored", "file=photo.z.safetensors"]) == 0
    assert "grid.png: 1 image of photo.z.safetensors" in capsys.readouterr().out
    assert Image.open("grid.png").size == model.render(codes).grid(scale=None).size
    assert main([*command, "-o", "photo.png"]) == 1
    assert "the extension is not .safetensors" in capsys.readouterr().err
    monkeypatch.setattr(descent, "rate_scale", lambda t: (_ for _ in ()).throw(KeyboardInterrupt))
    assert main([*command, "-o", "photo.safetensors"]) == 130
    assert read_codes("photo.safetensors", model.spec)
    assert Image.open("photo.comparison.png").size[0] > Image.open("photo.z.comparison.png").size[1]
    assert (tmp_path / "photo.png").read_bytes() == photo


def test_a_file_without_the_extension_is_refused(linear, tmp_path):
    result = invert(linear, linear.sample(), **how(steps=1))
    with pytest.raises(OutputError):
        result.save(tmp_path / "photo.png")
    assert not list(tmp_path.iterdir())
