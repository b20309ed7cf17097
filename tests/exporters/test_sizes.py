"""Translators of any size as ONNX."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from ganzoo.bundle import Bundle
from ganzoo.errors import BundleError
from ganzoo.exporters import onnx_export, onnx_graph
from ganzoo.exporters.reach import measure_reach
from ganzoo.exporters.targets.triton import write_triton
from ganzoo.runtimes.onnx import load_onnx
from ganzoo.runtimes.onnx_file import read_onnx
from ganzoo.runtimes.onnx_work import Work, limits
from ganzoo.runtimes.torch import wrap
from ganzoo.spec import SizesSpec
from helpers.translators import LocalTranslator, spec_of

SPEC = spec_of(SizesSpec(multiple=4, smallest=8))


class Halving(nn.Module):
    """Halves and doubles the sides twice, as CycleGAN's translator does."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        down = [nn.ReflectionPad2d(1), nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3, 2, 1)]
        middle = [nn.InstanceNorm2d(4), nn.Conv2d(4, 4, 3, 2, 1), nn.ReflectionPad2d(1)]
        up = [nn.ConvTranspose2d(4, 4, 3, 2, 1, 1), nn.ConvTranspose2d(4, 1, 3, 2, 1, 1)]
        self.layers = nn.Sequential(*down, *middle, nn.Conv2d(4, 4, 3), *up, nn.Tanh())

    def forward(self, condition):
        return self.layers(condition)


@pytest.fixture(scope="module")
def model():
    return wrap(SPEC, Halving())


@pytest.fixture(scope="module")
def exported(model):
    return onnx_export.prove(model, "generator")


@pytest.fixture
def bundle(exported, tmp_path):
    bundle = Bundle(tmp_path / "bundle", SPEC)
    onnx_graph.write(exported.content, SPEC, bundle.onnx_of("generator"))
    return bundle


def test_both_runtimes_translate_any_size_alike(model, bundle, exported):
    assert exported.parity["other_sizes"] == [[8, 20], [20, 8]]
    assert exported.parity["max_abs_error"] < 1e-5
    onnx = load_onnx(bundle)
    for size in [(16, 16), (8, 8), (33, 70), (9, 128)]:
        images = np.random.default_rng(0).integers(0, 256, (2, *size, 1)).astype(np.uint8)
        a, b = (m.translate(images).numpy().astype(int) for m in (model, onnx))
        assert a.shape == images.shape
        assert np.abs(a - b).max() <= 1
        assert a.std() > 5


def test_the_file_declares_height_and_width(bundle, tmp_path):
    session = load_onnx(bundle)._session
    for value in (*session.get_inputs(), *session.get_outputs()):
        assert value.shape == ["batch", 1, "height", "width"]
    (folder,) = write_triton(bundle, tmp_path / "triton")
    assert (folder.parent / "config.pbtxt").read_text().count("dims: [ 1, -1, -1 ]") == 2


def test_a_config_of_one_size_does_not_fit_the_file(bundle, exported):
    fixed = replace(bundle, spec=replace(SPEC, sizes=None))
    onnx_graph.write(exported.content, fixed.spec, fixed.onnx_of("generator"))
    with pytest.raises(BundleError, match=r"maps .*\[1, -1, -1\].* has .*\[1, 16, 16\]"):
        load_onnx(fixed)
    with pytest.raises(BundleError, match="they describe different models"):
        load_onnx(bundle)


def test_the_limits_grow_with_the_images(bundle):
    file = bundle.onnx_of("generator")
    work = Work(read_onnx(file), file, SPEC, "generator")
    work.check(1, (8192, 16384))
    _, numbers = limits(SPEC.data.image.height**2, read_onnx(file).weights)
    assert numbers < 4 * 8192 * 16384, "one map has more than a training image may take"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sizes": SizesSpec(32)}, "multiples of 32 from 1 pixels"),
        ({"sizes": SizesSpec(4, 20)}, "multiples of 4 from 20 pixels"),
        ({"sizes": SizesSpec(4, scale=2)}, "images are 2 times as large as conditions"),
        ({"inputs": ("z",)}, "reads no condition"),
    ],
)
def test_sizes_that_contradict_the_data_are_refused(changes, message):
    text = replace(SPEC, sizes=None).to_json()
    other = changes.get("sizes") or SPEC.sizes
    wrong = text.replace(
        '"sizes": null',
        f'"sizes": {{"multiple": {other.multiple}, "smallest": {other.smallest}, '
        f'"scale": {other.scale}}}',
    )
    if "inputs" in changes:
        wrong = re.sub(r'"inputs": \[[^]]*\]', '"inputs": ["z"]', wrong)
        wrong = wrong.replace('"latent": null', '"latent": {"dim": 2}')
    with pytest.raises(BundleError, match=message):
        type(SPEC).from_json(wrong)


def test_a_config_without_sizes_has_one_size():
    fixed = replace(SPEC, sizes=None)
    older = re.sub(r'\s*"sizes": null,', "", fixed.to_json())
    assert "sizes" not in older
    assert type(SPEC).from_json(older) == fixed
    assert type(SPEC).from_json(SPEC.to_json()) == SPEC


def test_sizes_of_an_older_config_have_scale_1():
    text = re.sub(r'"sizes": \{[^}]*\}', '"sizes": {"multiple": 4, "smallest": 8}', SPEC.to_json())
    assert type(SPEC).from_json(text) == SPEC


@pytest.mark.parametrize("scale", [0, 17])
def test_a_scale_out_of_its_range_is_refused(scale):
    with pytest.raises(ValueError, match="scale of the sizes"):
        SizesSpec(scale=scale)


# Translators that enlarge images.

LARGER = spec_of(SizesSpec(multiple=2, scale=3))


class Enlarging(nn.Module):
    """Sees 4 pixels in each direction, and makes 3x3 of each."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Conv2d(1, 8, 5, padding=2), nn.LeakyReLU(0.2), nn.Conv2d(8, 9, 5, padding=2)
        )

    def forward(self, condition):
        return torch.pixel_shuffle(self.layers(condition), 3).tanh()


@pytest.fixture(scope="module")
def larger():
    return wrap(LARGER, Enlarging())


def test_both_runtimes_enlarge_any_size_alike(larger, tmp_path):
    exported = onnx_export.prove(larger, "generator")
    assert exported.parity["other_sizes"] == [[8, 18], [18, 8]]
    assert exported.parity["max_abs_error"] < 1e-5
    bundle = Bundle(tmp_path / "bundle", LARGER)
    onnx_graph.write(exported.content, LARGER, bundle.onnx_of("generator"))
    onnx = load_onnx(bundle)
    (output,) = onnx._session.get_outputs()
    assert output.shape == ["batch", 1, "3*height", "3*width"]
    for size in [(16, 16), (1, 5), (33, 70)]:
        images = np.random.default_rng(0).integers(0, 256, (2, *size, 1)).astype(np.uint8)
        a, b = (m.translate(images).numpy().astype(int) for m in (larger, onnx))
        assert a.shape == (2, 3 * size[0], 3 * size[1], 1)
        assert np.abs(a - b).max() <= 1
        assert a.std() > 5
    assert exported.memory == 4 * 16**2 * (9 + 9), "before and after the shuffle"


def test_an_onnx_file_of_another_scale_is_refused(larger, tmp_path):
    exported = onnx_export.prove(larger, "generator")
    spec = spec_of(SizesSpec(multiple=2))
    bundle = Bundle(tmp_path / "bundle", spec)
    onnx_graph.write(exported.content, spec, bundle.onnx_of("generator"))
    with pytest.raises(BundleError, match=r"returns float32 \(1, 1, 48, 48\), the config has"):
        load_onnx(bundle).translate(np.zeros((1, 16, 16, 1), np.uint8))


def test_the_reach_is_measured_in_steps_of_the_network(larger):
    assert measure_reach(larger) == 4
    first = nn.Sequential(nn.AvgPool2d(8), nn.Upsample(scale_factor=8))
    assert measure_reach(LocalTranslator(first, spec_of(SizesSpec(8)))) == 0
    assert measure_reach(LocalTranslator(torch.neg, spec_of(SizesSpec(4, 12)))) == 4


def test_a_network_that_combines_the_whole_image_has_no_reach(model):
    assert measure_reach(model) is None, "of InstanceNorm"
    average = LocalTranslator(lambda x: (x + x.mean((2, 3), keepdim=True)) / 2, SPEC)
    assert measure_reach(average) is None
