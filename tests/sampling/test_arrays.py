"""Latents, labels and images as people have them, on both runtimes alike."""

import numpy as np
import pytest
import torch

import ganzoo
from ganzoo.errors import SampleError

RUNTIMES = ["onnx", "torch"]
Z = np.linspace(-1, 1, 16).reshape(2, 8)


@pytest.fixture(params=RUNTIMES)
def model(request, tiny_bundle):
    return ganzoo.load(tiny_bundle, runtime=request.param)


@pytest.mark.parametrize(
    "z",
    [Z, Z.tolist(), Z.astype(np.float16), torch.from_numpy(Z), Z.astype(np.float32)[::-1][::-1]],
)
def test_numbers_of_any_type_are_converted(model, z):
    exact = np.asarray(z, dtype=np.float32)
    images = model.decode(exact).numpy()
    assert np.array_equal(model.decode(z).numpy(), images)
    assert np.array_equal(model.generate(z), model.generate(exact))
    path = model.interpolate_latents(exact[0], exact[1], 3).numpy()
    assert np.array_equal(model.interpolate_latents(z[0], z[1], 3).numpy(), path)


def test_whole_numbers_are_numbers(model):
    expected = model.decode(np.ones((1, 8), np.float32)).numpy()
    assert np.array_equal(model.decode(np.ones((1, 8), np.int64)).numpy(), expected)
    assert np.array_equal(model.decode([[1] * 8]).numpy(), expected)
    needs_gradients = torch.ones(1, 8, requires_grad=True)
    assert np.array_equal(model.decode(needs_gradients).numpy(), expected)


@pytest.mark.parametrize(
    ("z", "message"),
    [
        (np.full((2, 8), np.nan), r"hold nan at \[0, 0\]"),
        (np.array([[0.0] * 7 + [np.inf]]), r"hold inf at \[0, 7\]"),
        (np.full((1, 8), 1e300), r"hold 1e\+300 at \[0, 0\]. Pass numbers that are finite"),
        (np.zeros((2, 9)), r"shape \(2, 9\); 'tiny' reads shape \(n, 8\)"),
        (np.zeros(8), r"shape \(8,\); 'tiny' reads shape \(n, 8\)"),
        (np.zeros((0, 8)), r"shape \(0, 8\)"),
        (np.zeros((1, 8), complex), "of type complex128; 'tiny' reads numbers"),
        (np.zeros((1, 8), bool), "of type bool"),
        ([["a"] * 8], "of type <U1"),
        (np.array([[None] * 8]), "of type object"),
        (None, "of type object"),
        ([[0.0], [0.0, 1.0]], "a list that is no array"),
        (torch.zeros(1, 8, dtype=torch.bfloat16), "a Tensor that is no array"),
        (torch.zeros(1, 8, device="meta"), "a Tensor that is no array"),
    ],
)
def test_what_is_no_latent_is_refused_by_name(model, z, message):
    with np.errstate(all="raise"):
        for call in (model.decode, model.generate):
            with pytest.raises(SampleError, match=message):
                call(z)
        with pytest.raises(SampleError, match="the latents"):
            model.interpolate_latents(np.zeros(8), np.array([0.0] * 7 + [np.nan]))


def test_ends_of_a_path_that_are_none(model):
    for a, b in ((np.zeros(9), np.zeros(9)), (np.zeros((1, 8)), np.zeros(8)), (0.0, 1.0)):
        with pytest.raises(SampleError, match=r"'tiny' reads shape \(8,\)"):
            model.interpolate_latents(a, b)
    with np.errstate(all="raise"):  # 0 has no direction: the path is straight
        path = model.interpolate_latents(np.zeros(8), Z[0], 3).numpy()
    assert np.array_equal(path[1], model.decode(Z[:1] / 2).numpy()[0])


def test_latents_too_large_are_not_blamed_on_the_weights(model):
    not_finite = np.full((1, 1, 16, 16), np.nan, np.float32)
    model.run = lambda inputs: not_finite
    with pytest.raises(SampleError, match=r"from latents that reach 3e\+38"):
        model.decode(np.full((1, 8), 3e38))
    with pytest.raises(SampleError, match="its weights are damaged"):
        model.decode(Z)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_labels(runtime):
    model = ganzoo.load("cgan-mnist", runtime=runtime)
    z = np.zeros((2, model.spec.latent.dim))
    expected = model.decode(z, np.array([3, 4])).numpy()
    for y in ([3, 4], (3, 4), np.array([3, 4], np.uint8), torch.tensor([3, 4])):
        assert np.array_equal(model.decode(z, y).numpy(), expected)
        assert np.array_equal(model.generate(z, y), model.generate(z, np.array([3, 4])))
    for y in ([3.0, 4.0], [3], [[3], [4]], ["3", "4"], [True, False], None, [3, None]):
        with pytest.raises(SampleError, match="one label per latent"):
            model.decode(z, y)
    for y in ([3, 10], [-1, 3], np.array([2**63, 0], np.uint64)):
        with pytest.raises(SampleError, match="has no class"):
            model.decode(z, y)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_images_to_encode(runtime):
    encoder = ganzoo.load("vae2d-mnist", role="encoder", runtime=runtime)
    images = np.arange(2 * 28 * 28, dtype=np.uint8).reshape(2, 28, 28, 1)
    expected = encoder.encode(images)
    for same in (list(images), ganzoo.ImageBatch(images), torch.from_numpy(images)):
        assert np.array_equal(encoder.encode(same), expected)
    for wrong, message in (
        (images / 255, "the images are float64"),
        (images.tolist(), "the images are int64"),
        (images[..., 0], r"uint8 \(2, 28, 28\)"),
        ([images[0], images[1, :5]], "a list that is no array"),
        (None, "the images are object"),
    ):
        with pytest.raises(SampleError, match=message):
            encoder.encode(wrong)
