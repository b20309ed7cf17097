"""What the demo page does in latent space, without gradio."""

import io
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import ganzoo
from ganzoo.demo import animation, drawing, editing, interpolation, inversion, sampling
from ganzoo.demo.model_cache import ModelCache
from ganzoo.errors import ImageFileError, SampleError
from ganzoo.sampling.direction_methods import compute_directions
from ganzoo.sampling.generator import Generator
from ganzoo.sampling.walks import walk
from ganzoo.spec import DataSpec, ImageSpec, LatentSpec, ModelSpec

STYLED = "stylegan2-tinyhero"  # with a mapping network, in colour


@pytest.fixture(scope="module")
def cache():
    return ModelCache.of(["dcgan-mnist", "cgan-mnist", "vae2d-mnist", STYLED])


@pytest.fixture(scope="module")
def plain(cache):
    return cache.generator("dcgan-mnist")


@pytest.fixture(scope="module")
def styled(cache):
    return cache.generator(STYLED)


class Black(Generator):
    """A generator of black images."""

    def __init__(self, side):
        data = DataSpec(ImageSpec(side, side, 1))
        self.spec = ModelSpec("black", "black", {}, (), data, LatentSpec(2))

    def run(self, inputs):
        return -np.ones((len(inputs["z"]), *self.spec.data.image.shape), np.float32)


# Truncation, mixing, directions, walks.


def test_truncation_is_that_of_the_samplers(plain, styled):
    own = styled.spec.styles.truncation
    for psi in (None, own):
        images = sampling.samples(styled, 5, 3, psi=psi, threshold=1.0)
        assert np.array_equal(images.numpy(), styled.sample(3, 5).numpy())
    truncated = styled.sample(3, 5, sampler="truncated", psi=-0.5)
    assert np.array_equal(sampling.samples(styled, 5, 3, psi=-0.5).numpy(), truncated.numpy())
    for threshold in (None, 3.0):
        images = sampling.samples(plain, 5, 3, psi=0.5, threshold=threshold)
        assert np.array_equal(images.numpy(), plain.sample(3, 5).numpy())
    truncated = plain.sample(3, 5, sampler="truncated-normal", threshold=1.0)
    assert np.array_equal(sampling.samples(plain, 5, 3, threshold=1).numpy(), truncated.numpy())


@pytest.mark.parametrize("psi", [2.1, -3, "1", float("nan")])
def test_truncation_outside_its_range_is_refused(cache, styled, psi):
    directions = cache.directions(STYLED)
    for ask in (
        lambda: sampling.samples(styled, 0, 1, psi=psi),
        lambda: editing.mix(styled, 0, 1, "fine", psi),
        lambda: editing.move(styled, directions, 0, [], psi),
        lambda: animation.animate(styled, "0,1", 1, "smooth", psi),
    ):
        with pytest.raises(SampleError, match=r"the truncation is .* -2 to 2"):
            ask()


def test_a_path_in_w_is_a_straight_line(styled):
    way = interpolation.interpolate(styled, 3, 9, 5, interpolation.IN_W, psi=0.5).numpy()
    ends = styled.codes(styled.draw_seeds([3, 9]), "truncated", psi=0.5).styles
    middle = styled.render(ganzoo.Codes(styles=ends.mean(0, keepdims=True))).numpy()[0]
    assert np.abs(way[2].astype(int) - middle).max() <= 1
    arc = interpolation.interpolate(styled, 3, 9, 5, "spherical").numpy()
    assert np.abs(arc.astype(int) - styled.interpolate(3, 9, 5).numpy()).max() <= 1
    assert interpolation.paths(styled.spec)[0] == interpolation.IN_W
    with pytest.raises(SampleError, match="unknown path 'linear in w'. Choose one of spherical"):
        interpolation.interpolate(Black(28), 3, 9, 5, interpolation.IN_W)


def test_mixing_is_that_of_the_sampler(styled):
    images = editing.mix(styled, 3, 9, "0-1,3", 0.7).numpy()
    options = {"second_seed": 9, "layers": "0-1,3", "psi": 0.7}
    expected = [
        styled.sample(seeds=[3], sampler="truncated", psi=0.7),
        styled.sample(seeds=[3], sampler="mixed", **options),
        styled.sample(seeds=[9], sampler="truncated", psi=0.7),
    ]
    assert np.array_equal(images, np.concatenate([each.numpy() for each in expected]))
    with pytest.raises(SampleError, match=r"'99' is no layer.*coarse, middle, fine"):
        editing.mix(styled, 3, 9, "99", 1)
    with pytest.raises(SampleError, match="the seed is .* 0 to 9,007,199,254,740,991"):
        editing.mix(styled, 3, 2**60, "fine", 1)


def test_directions_are_those_of_sefa_or_of_a_file(cache, styled, plain, tmp_path):
    torch_model = ganzoo.load(STYLED, runtime="torch")
    expected = compute_directions(torch_model, "sefa", draws=200)
    assert np.array_equal(cache.directions(STYLED).vectors, expected.vectors)
    file = compute_directions(styled, "ganspace", count=2, draws=200).save(
        tmp_path / "d.safetensors"
    )
    with_file = ModelCache.of([STYLED], directions=[file])
    assert with_file.direction_names(STYLED) == ("direction 0", "direction 1")
    directions = with_file.directions(STYLED)
    assert len(directions) == 2
    codes = directions.start(styled, styled.codes(styled.draw_seeds([3])), 0.5)
    codes = directions.move(directions.move(codes, 0, 1.5), 1, -2)
    image = editing.move(styled, directions, 3, [1.5, -2, 3, 3], 0.5)
    assert np.array_equal(image.numpy(), styled.render(codes).numpy())
    with pytest.raises(SampleError, match=r"the strength is .* -3 to 3"):
        editing.move(styled, directions, 3, [3.5], 0.5)
    with pytest.raises(SampleError, match=f"are of '{STYLED}', and no model of this page"):
        ModelCache.of(["dcgan-mnist"], directions=[file])
    assert len(cache.directions("vae2d-mnist")) == len(cache.direction_names("vae2d-mnist")) == 2
    moved = editing.move(plain, cache.directions("dcgan-mnist"), 3, [0] * 8)
    assert np.array_equal(moved.numpy(), plain.sample(1, 3).numpy())


def test_directions_belong_to_the_model_of_their_weights(cache, tmp_path):
    known = cache.directions("dcgan-mnist")
    specs = {name: cache.spec("dcgan-mnist") for name in "ab"}
    specs["a"] = replace(specs["a"], provenance={"seed": 99})
    bundles = {name: SimpleNamespace(spec=spec) for name, spec in specs.items()}
    both = ModelCache(bundles, directions=[known])
    assert both.known_directions("b") is known
    assert both.known_directions("a") is None
    with pytest.raises(SampleError, match="two files of directions of 'b'. Pass one."):
        ModelCache(bundles, directions=[known, known])


def test_a_line_says_how_directions_are_computed(cache):
    unused = ModelCache.of(["dcgan-mnist"]).known_directions("dcgan-mnist")
    assert editing.describe(unused).startswith("Computing the directions of this model.")
    known = cache.directions("dcgan-mnist")
    assert editing.describe(known) == "8 directions in z: SeFa, from the weights"


def test_large_models_have_sliders_with_fewer_images():
    specs = {f"m{side}": Black(side).spec for side in (64, 256)}
    limits = {name: sampling.max_images(spec) for name, spec in specs.items()}
    assert sampling.limit_settings(limits["m64"], 144) == {"maximum": 144}, "the number stays"
    assert sampling.limit_settings(limits["m256"], 144) == {"maximum": 16, "value": 16}
    assert sampling.describe_limits(specs) == "at most, because of their size: m256 16"


def test_directions_without_torch_are_those_of_ganspace(monkeypatch, styled):
    monkeypatch.setattr("ganzoo.demo.model_cache.has_torch", lambda: False)
    assert ModelCache.of([STYLED]).directions(STYLED).method == "ganspace"


@pytest.mark.parametrize(("name", "psi"), [("cgan-mnist", None), (STYLED, 0.5)])
def test_a_walk_is_animated(cache, name, psi):
    model, shares = cache.generator(name), []
    content = animation.animate(model, "3,9", 1, "linear", psi, "7", shares.append)
    options = {"labels": ["7"]} if name == "cgan-mnist" else {"truncation": psi}
    parts = walk(model, [3, 9], 12, easing="linear", **options)
    frames = np.concatenate([each.numpy() for each in parts])
    with Image.open(io.BytesIO(content)) as file:
        assert file.n_frames == 12
        file.seek(5)
        scale = file.width // frames.shape[2]
        pixels = np.asarray(file.convert("RGB"))[::scale, ::scale]
        assert file.info["duration"] == pytest.approx(1000 / 12, abs=1)
    assert np.array_equal(pixels, np.broadcast_to(frames[5], pixels.shape))
    assert shares[-1] == 1


@pytest.mark.parametrize(
    ("seeds", "seconds", "message"),
    [
        ("3", 2, "two key points"),
        ("3,x", 2, "'x' is no seed or range of seeds"),
        (f"3,{2**64}", 2, r"seed is 18446744073709551616; it must be 0 to 2\*\*64 - 1"),
        ("0-99", 2, "100 seeds are too many. Use up to 12"),
        ("3,9", 9, "the duration is 9, out of range. Use a number from 1 to 8"),
    ],
)
def test_invalid_walks_are_refused(plain, seeds, seconds, message):
    with pytest.raises(SampleError, match=message):
        animation.animate(plain, seeds, seconds, "smooth")


def test_an_animation_of_large_images_has_fewer():
    content = animation.animate(Black(1024), "3,9", 8, "smooth")
    with Image.open(io.BytesIO(content)) as file:
        assert file.n_frames == 8
        file.load()
        assert file.info["duration"] == 1000


# Inversion.


def test_a_photo_is_inverted(cache, tmp_path):
    model, shares = cache.generator("dcgan-mnist", "torch"), []
    digit = model.sample(1, 1000).pil()[0].resize((112, 56)).convert("RGB")
    digit.save(tmp_path / "photo.png")
    url = inversion.read_photo(tmp_path / "photo.png")
    assert not list(tmp_path.iterdir()), "an upload is deleted once it is read"
    result = inversion.reconstruct(model, url, space="z", steps=20, progress=shares.append)
    assert result.photo.numpy().shape == result.image.numpy().shape == (1, 28, 28, 1)
    assert result.whole is not None, "the photo was cropped"
    assert re.fullmatch(r"PSNR \d+\.\d dB after 20 steps in z", result.text)
    assert shares[-1] == 0.95
    for options, message in (
        ({"steps": 501}, r"the number of steps is 501.* 20 to 500"),
        ({"space": "w"}, "'dcgan-mnist' has no space 'w'. Choose one of z"),
    ):
        with pytest.raises(SampleError, match=message):
            inversion.reconstruct(model, url, **({"space": "z", "steps": 20} | options))
    with pytest.raises(ImageFileError, match="there is no photo. Upload one first"):
        inversion.reconstruct(model, "", space="z", steps=20)


def test_an_inversion_ends_after_its_time(cache, monkeypatch):
    monkeypatch.setattr(inversion, "SECONDS", 0)
    model = cache.generator("dcgan-mnist", "torch")
    url = drawing.write_drawing(model.sample(1, 1000).pil()[0])
    result = inversion.reconstruct(model, url, space="z", steps=500)
    assert "after 0 steps in z, ended after 0 seconds" in result.text
