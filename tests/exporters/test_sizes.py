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
from ganzoo.exporters.targets.triton import write_triton
from ganzoo.runtimes.onnx import load_onnx
from ganzoo.runtimes.onnx_file import read_onnx
from ganzoo.runtimes.onnx_work import Work, limits
from ganzoo.runtimes.torch import wrap
from ganzoo.spec import SizesSpec
from helpers.translators import spec_of

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
        ({"inputs": ("z",)}, "reads no condition"),
    ],
)
def test_sizes_that_contradict_the_data_are_refused(changes, message):
    text = replace(SPEC, sizes=None).to_json()
    other = changes.get("sizes") or SPEC.sizes
    wrong = text.replace(
        '"sizes": null',
        f'"sizes": {{"multiple": {other.multiple}, "smallest": {other.smallest}}}',
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
