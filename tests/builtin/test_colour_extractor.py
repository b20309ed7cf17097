"""The extractor of colour images: its weights, and the order of its distances."""

import os
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from safetensors.numpy import load_file
from sklearn.datasets import load_sample_image

import ganzoo
from ganzoo.builtin.extractors import colour
from ganzoo.data import decode
from ganzoo.errors import BundleError
from ganzoo.evaluation.evaluator import Evaluator
from ganzoo.evaluation.extraction import extract, make_extractor, name_extractor
from ganzoo.evaluation.plan import plan_evaluation
from ganzoo.sampling.generator import Generator
from ganzoo.spec import DataSpec, ImageSpec, LatentSpec, ModelSpec
from helpers.paths import ROOT
from helpers.resampling import resample

sys.path.insert(0, str(ROOT / "tools"))
import measure_extractor
import train_colour

DATA = os.environ.get("GANZOO_DATA")
N = 100  # images of each kind: more than dimensions
STRENGTHS = {
    measure_extractor.none: (0,),
    measure_extractor.blur: (1, 2, 4),
    measure_extractor.noise: (10, 20, 40),
    measure_extractor.shift: (4, 8, 16),
    measure_extractor.crop: (0.1, 0.2, 0.4),
    measure_extractor.collapse: (4, 10, 30),
}


@pytest.fixture(scope="module")
def extractor():
    return make_extractor("colour-64@1")


def balls(n):
    """A ball each, in the middle of a plain background: aligned images, of which none trained it."""
    rng = np.random.default_rng(0)
    images = []
    for _ in range(n):
        ground, skin, light = (tuple(map(int, rng.integers(0, 256, 3))) for _ in range(3))
        image = Image.new("RGB", (128, 128), ground)
        draw = ImageDraw.Draw(image)
        for share in np.linspace(1, 0, 9):
            radius = share * rng.uniform(30, 45)
            tint = tuple(int(share * a + (1 - share) * b) for a, b in zip(skin, light, strict=True))
            draw.ellipse([64 - radius, 64 - radius, 64 + radius, 64 + radius], tint)
        images.append(np.asarray(image.resize((64, 64), Image.Resampling.BOX)))
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()


def crops(n):
    """Crops of a photograph that did not train it."""
    photograph = torch.tensor(load_sample_image("china.jpg")).permute(2, 0, 1)
    rng = np.random.default_rng(0)
    corners = zip(rng.integers(0, 427 - 64, n), rng.integers(0, 640 - 64, n), strict=True)
    return torch.stack([photograph[:, top : top + 64, left : left + 64] for top, left in corners])


def faces(n):
    """Real faces, of which none trained it."""
    folder = Path(DATA or "", "faces_permissive", "faces_64")
    if not DATA or not folder.is_dir():
        pytest.skip("GANZOO_DATA names no faces_permissive")
    images = decode(*ganzoo.datasets.get("folder")(folder, size=64)).images
    return images[torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:n]]


def measure(images, extractor, monkeypatch, *left_out):
    kinds = {kind: s for kind, s in STRENGTHS.items() if kind.__name__ not in left_out}
    monkeypatch.setattr(measure_extractor, "STRENGTHS", kinds)
    monkeypatch.setattr(measure_extractor, "REDUCED", (5, 5))  # 75 pixels
    real, fake = images[:N], images[N:]
    return list(measure_extractor.measure(real, fake, extractor))


def check_order(rows):
    by_kind = {}
    for kind, _, *distances in rows:
        by_kind.setdefault(kind, []).append(distances)
    (floor,) = by_kind.pop("none")
    for kind, distances in by_kind.items():
        columns = list(zip(*distances, strict=True))[:2]  # the third is that of pixels
        for name, values in zip(("Fréchet", "kernel"), columns, strict=True):
            assert all(a < b for a, b in pairwise(values)), (kind, name, values)
        assert floor[0] < distances[1][0], kind  # of the middle strength


def check_correlation(rows):
    """With the distance of pixels, except for noise and blur: few pixels average them away."""
    visible = [row for row in rows if row[0] not in ("noise", "blur")]
    assert measure_extractor.correlate(visible) > 0.8


def test_it_is_small_and_its_hash_is_its_contract(extractor):
    assert colour.WEIGHTS.stat().st_size <= 1_000_000
    assert extractor.sha256 == colour.SHA256
    assert extractor.sha256 == "f6d99fea2c6bbf1fed7878c4fea80f76df135d98762a965a8bb8b6ca74abcbb0"
    assert (extractor.dim, extractor.classes) == (64, ())
    assert not extractor.training
    assert not any(p.requires_grad for p in extractor.parameters())


def test_the_same_seed_trains_the_same_weights():
    side = train_colour.STORED
    images = torch.randint(256, (8, 3, side, side), dtype=torch.uint8)
    weights = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        network = train_colour.train(images, steps=2)
        weights.append(torch.cat([tensor.flatten() for tensor in network.state_dict().values()]))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_damaged_weights_are_refused(tmp_path, monkeypatch):
    damaged = tmp_path / "weights.safetensors"
    damaged.write_bytes(colour.WEIGHTS.read_bytes()[:-1] + b"\0")
    monkeypatch.setattr(colour, "WEIGHTS", damaged)
    with pytest.raises(BundleError, match="is damaged"):
        make_extractor("colour-64@1")


def test_features_depend_on_the_image_alone(extractor):
    images = torch.randint(256, (300, 3, 64, 64), dtype=torch.uint8)
    together = extract(extractor, images).features
    again = extract(make_extractor("colour-64@1"), images).features
    np.testing.assert_array_equal(together, again)
    alone = extract(extractor, images[7:8]).features
    np.testing.assert_allclose(together[7:8], alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [(16, 16), (64, 64), (100, 150)])
def test_it_reads_images_of_any_size(extractor, size):
    features = extract(extractor, torch.zeros(2, 3, *size, dtype=torch.uint8)).features
    assert features.shape == (2, 64)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()


def features_of(images):
    """Return the features of uint8 images by the formulas of the layers, in float64."""
    weights = {name: w.astype(np.float64) for name, w in load_file(colour.WEIGHTS).items()}

    def standardise(values, layer, axes):
        mean, variance = (
            weights[f"{layer}.running_{each}"].reshape(axes) for each in ("mean", "var")
        )
        return (values - mean) / np.sqrt(variance + 1e-5)

    values = resample(images / 127.5 - 1, (64, 64))
    for layer in (0, 3, 6, 9):
        kernel = weights[f"trunk.{layer}.weight"]
        padded = np.pad(values, ((0, 0), (0, 0), (1, 1), (1, 1)))
        half = values.shape[-1] // 2
        values = sum(
            np.einsum(
                "ncyx,oc->noyx",
                padded[:, :, y : y + 2 * half : 2, x : x + 2 * half : 2],
                kernel[:, :, y, x],
                optimize=True,
            )
            for y in range(3)
            for x in range(3)
        )
        norm = f"trunk.{layer + 1}"
        values = standardise(values, norm, (1, -1, 1, 1))
        scale, shift = (
            weights[f"{norm}.{each}"].reshape(1, -1, 1, 1) for each in ("weight", "bias")
        )
        values = np.maximum(values * scale + shift, 0)
    flat = values.reshape(len(values), -1)
    linear = flat @ weights["trunk.13.weight"].T + weights["trunk.13.bias"]
    return standardise(linear, "standardise", (1, -1))


@pytest.mark.parametrize("size", [(64, 64), (100, 150), (20, 30)])
def test_features_equal_those_by_the_formulas_of_the_layers(extractor, size):
    images = np.random.default_rng(0).integers(0, 256, (3, 3, *size), dtype=np.uint8)
    images[1] = np.linspace(0, 255, size[1]).astype(np.uint8)  # smooth
    expected = features_of(images)
    assert expected.std() > 0.3
    features = extract(extractor, torch.from_numpy(images)).features
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=2e-4)


def test_images_are_reduced_with_antialiasing(extractor):
    """Reduced without it, stripes of one pixel would be black or white."""
    stripes = torch.zeros(1, 3, 256, 256, dtype=torch.uint8)
    stripes[..., ::2] = 255
    grey = torch.full((1, 3, 64, 64), 128, dtype=torch.uint8)
    of_stripes, of_grey = (extract(extractor, images).features for images in (stripes, grey))
    assert np.abs(of_stripes - of_grey).max() < 0.5


def test_distances_grow_with_distortions_of_aligned_images(extractor, monkeypatch):
    rows = measure(balls(2 * N), extractor, monkeypatch)
    check_order(rows)
    check_correlation(rows)


def test_distances_grow_with_distortions_of_a_photograph(extractor, monkeypatch):
    """Crops have no place of their own: a shift makes other crops of the same photograph."""
    rows = measure(crops(2 * N), extractor, monkeypatch, "shift", "crop")
    check_order(rows)


def test_distances_grow_with_distortions_of_faces(extractor, monkeypatch):
    rows = measure(faces(2 * N), extractor, monkeypatch)
    check_order(rows)
    check_correlation(rows)


class Playback(Generator):
    """A generator of given images."""

    def __init__(self, images, data):
        self.images = images.permute(0, 2, 3, 1).numpy()
        self.spec = ModelSpec("playback", "none", {}, (), data, LatentSpec(1))

    def sample(self, n=1, seed=0, *, label=None, start=0):
        return ganzoo.ImageBatch(self.images[start : start + n])

    def run(self, inputs):
        raise NotImplementedError


def test_few_colour_images_have_every_default_figure_without_a_network(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))  # no weights of Inception
    images, data = balls(2 * N), DataSpec(ImageSpec(64, 64, 3))
    plan = plan_evaluation(name_extractor("", data), data, N, samples=N)
    assert not plan.left_out
    evaluator = Evaluator(images[:N], None, plan, {"sha256": ""})
    evaluation = evaluator(Playback(images[N:], data))
    assert evaluation.protocol["extractor"] == "colour-64@1"
    assert evaluation.protocol["extractor_sha256"] == colour.SHA256
    assert evaluation.protocol["resizing"] == "to 64x64, bilinear with antialiasing"
    assert evaluation.metrics["frechet_distance"] > 0
    assert {"kernel_distance", "precision", "density"} <= set(evaluation.metrics)
