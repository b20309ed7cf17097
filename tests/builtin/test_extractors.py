"""Feature extractors: shipped, downloaded and registered by a plugin."""

import os
from pathlib import Path

import pytest
import torch

import ganzoo
from ganzoo.builtin.extractors import lenet
from ganzoo.errors import BundleError, ExtractorError, MetricError, NameSyntaxError
from ganzoo.evaluation.extraction import (
    describe_resizing,
    extract,
    features_with_gradients,
    fit,
    make_extractor,
)
from ganzoo.spec import ImageSpec
from helpers.distributions import install
from helpers.processes import run_python

DATA = os.environ.get("GANZOO_DATA")


@pytest.fixture(scope="module")
def digits_reader():
    return make_extractor("lenet-mnist@1")


@pytest.mark.parametrize(
    ("name", "sha256"),
    [
        ("mnist", "30e0cf85a207e88d224b0092949263b1b8382faae47e2a7a24906f86c4fd3f2b"),
        ("fashion", "5c84667acd33452e68f4ffdac04e5e7cbeceec5e05a22df60f6ec9980f194301"),
    ],
)
def test_a_shipped_classifier_is_small_and_its_hash_is_its_contract(name, sha256):
    reader = make_extractor(f"lenet-{name}@1")
    weights = Path(lenet.__file__).with_name(f"lenet-{name}-1.safetensors")
    assert weights.stat().st_size <= 500_000
    assert reader.sha256 == sha256
    features = reader(torch.zeros(3, 1, 28, 28, dtype=torch.uint8))
    assert features.features.shape == (3, reader.dim)
    assert features.logits.shape == (3, len(reader.classes))
    assert not reader.training
    assert not any(p.requires_grad for p in reader.parameters())


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])
def test_the_callers_grad_mode_does_not_decide_whether_features_have_gradients(mode):
    with mode():
        features = features_with_gradients("lenet-mnist@1", torch.zeros(1, 1, 28, 28))
    images = torch.zeros(1, 1, 28, 28, requires_grad=True)
    (gradient,) = torch.autograd.grad(features(images).sum(), images)
    assert gradient.abs().max() > 0


@pytest.mark.parametrize("name", ["lenet-mnist@1", "lenet-fashion@1", "colour-64@1", "pixels"])
def test_a_shipped_extractor_draws_no_random_numbers(name):
    """A training in another thread draws from the same generator."""
    before = torch.get_rng_state()
    reader = ganzoo.extractors.get(name)()
    assert torch.equal(torch.get_rng_state(), before)
    assert {tensor.dtype for tensor in reader.state_dict().values()} <= {torch.float32, torch.int64}


@pytest.mark.parametrize(
    ("dataset", "folder", "right"),
    [("mnist", "MNIST", 0.99), ("fashion-mnist", "FashionMNIST", 0.9)],
)
def test_a_shipped_classifier_reads_its_data(dataset, folder, right):
    if not DATA or not Path(DATA, folder).is_dir():
        pytest.skip(f"GANZOO_DATA names no {folder}")
    data, spec = ganzoo.datasets.get(dataset)(Path(DATA), split="test")
    images, labels = data.tensors
    reader = make_extractor(spec.extractor)
    assert reader.classes == spec.labels
    assert (extract(reader, images).logits.argmax(1) == labels.numpy()).mean() >= right


def test_features_do_not_depend_on_the_batch(digits_reader):
    images = torch.randint(256, (300, 1, 28, 28), dtype=torch.uint8)
    together, alone = extract(digits_reader, images), extract(digits_reader, images[7:8])
    torch.testing.assert_close(
        torch.from_numpy(together.features[7:8]), torch.from_numpy(alone.features)
    )


def test_damaged_weights_are_refused(tmp_path, monkeypatch):
    damaged = tmp_path / "weights.safetensors"
    damaged.write_bytes(lenet.MNIST.read_bytes()[:-1] + b"\0")
    monkeypatch.setattr(lenet, "MNIST", damaged)
    with pytest.raises(BundleError, match="is damaged"):
        make_extractor("lenet-mnist@1")


@pytest.mark.parametrize("name", ["lenet-mnist@", "lenet-mnist@0", "lenet@a", "@1", "a@1@2"])
def test_a_version_is_a_number_at_the_end_of_a_name(name):
    with pytest.raises(NameSyntaxError):
        ganzoo.extractors.get(name)


def test_a_needed_resize_is_described_and_must_be_allowed(digits_reader):
    faces = ImageSpec(64, 64, 3)
    with pytest.raises(MetricError, match="made grey and resized to 28x28, bilinear.*--resize"):
        describe_resizing("lenet-mnist@1", digits_reader, faces, allowed=False)
    description = describe_resizing("lenet-mnist@1", digits_reader, faces, allowed=True)
    assert description == "made grey, resized to 28x28, bilinear with antialiasing"
    assert describe_resizing("lenet-mnist@1", digits_reader, ImageSpec(28, 28, 1), False) == "none"


def test_images_are_resized_to_the_extractor():
    red = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    red[:, 0] = 255
    grey = fit(red, 1, (4, 4))
    assert grey.shape == (2, 1, 4, 4)
    assert grey.dtype == torch.uint8
    assert grey.unique().tolist() == [76]  # 0.299 x 255, Rec. 601
    assert fit(grey, 3, None).shape == (2, 3, 4, 4)
    assert fit(red, None, None) is red


def test_a_failed_download_of_weights_is_one_error(tmp_path):
    """Simulate a machine without a network: name resolution fails."""
    result = run_python(
        "import socket\n"
        "def refuse(*a, **k): raise OSError('no network')\n"
        "socket.getaddrinfo = refuse\n"
        "import ganzoo\n"
        "from ganzoo.errors import ExtractorError\n"
        "try: ganzoo.extractors.get('inception-v3')()\n"
        "except ExtractorError as error: print(error)\n",
        env=os.environ | {"TORCH_HOME": str(tmp_path)},
    )
    assert "the weights of 'inception-v3' are not at" in result.stdout, result.stderr
    assert str(tmp_path) in result.stdout
    assert "no network" in result.stdout
    assert "--extractor colour-64@1" in result.stdout


def test_a_pickle_is_not_loaded(tmp_path, monkeypatch):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    file = tmp_path / "hub" / "checkpoints" / "weights-inception-2015-12-05-6726825d.pth"
    file.parent.mkdir(parents=True)
    torch.save({"weight": Trap()}, file)
    with pytest.raises(ExtractorError, match="does not contain the weights of 'inception-v3'"):
        make_extractor("inception-v3")
    assert not (tmp_path / "sprung").exists()


def test_inception_reads_its_weights_from_the_cache(tmp_path, monkeypatch):
    from torch_fidelity import feature_extractor_inceptionv3 as port

    class Untrained(port.FeatureExtractorInceptionV3):
        def load_state_dict(self, state):
            pass

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    file = tmp_path / "hub" / "checkpoints" / "weights-inception-2015-12-05-6726825d.pth"
    file.parent.mkdir(parents=True)
    torch.save({}, file)
    torch.manual_seed(0)
    network = Untrained("x", ["2048"], feature_extractor_weights_path=str(file))
    torch.save(network.state_dict(), file)
    before = torch.get_rng_state()
    inception = ganzoo.extractors.get("inception-v3")()
    assert torch.equal(torch.get_rng_state(), before)
    images = torch.randint(256, (2, 3, 32, 32), dtype=torch.uint8)
    (expected,) = network(images)
    features = extract(inception, images)
    torch.testing.assert_close(torch.from_numpy(features.features), expected)
    assert features.logits.shape == (2, 1008)
    assert describe_resizing("inception-v3", inception, ImageSpec(32, 32, 3), False).startswith(
        "to 299x299"
    )


@pytest.fixture(scope="module")
def vgg_file(tmp_path_factory):
    """Return torchmetrics' LPIPS with random convolutions, and a cache that has them."""
    from torchmetrics.functional.image.lpips import _LPIPS

    torch.manual_seed(0)
    reference = _LPIPS(net="vgg", pnet_rand=True).eval()
    home = tmp_path_factory.mktemp("torch")
    file = home / "hub" / "checkpoints" / "vgg16-397923af.pth"
    file.parent.mkdir(parents=True)
    parts = [getattr(reference.net, f"slice{k}").state_dict() for k in range(1, 6)]
    torch.save({f"features.{name}": part[name] for part in parts for name in part}, file)
    return reference, home


@pytest.mark.parametrize("side", [28, 512])
def test_the_squared_distance_of_lpips_is_that_of_torchmetrics(vgg_file, monkeypatch, side):
    reference, home = vgg_file
    monkeypatch.setenv("TORCH_HOME", str(home))
    before = torch.get_rng_state()
    lpips = make_extractor("lpips")
    assert torch.equal(torch.get_rng_state(), before)
    images = torch.randint(256, (2, 3, side, side), dtype=torch.uint8)
    a, b = lpips(images).features
    small = torch.nn.functional.avg_pool2d(images.float(), max(1, side // 256)) / 127.5 - 1
    expected = reference(small[:1], small[1:]).item()
    assert expected > 0.01
    assert (a - b).square().sum().item() == pytest.approx(expected, rel=1e-3)


def test_black_images_have_a_gradient_of_lpips(vgg_file, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(vgg_file[1]))
    images = torch.zeros(1, 3, 16, 16, requires_grad=True)
    make_extractor("lpips")(images).features[:, ::7].sum().backward()
    assert images.grad.isfinite().all()
    assert images.grad.any()


def test_a_damaged_file_of_lpips_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    file = tmp_path / "hub" / "checkpoints" / "vgg16-397923af.pth"
    file.parent.mkdir(parents=True)
    torch.save({"features.0.weight": torch.zeros(1)}, file)
    with pytest.raises(ExtractorError, match="does not contain the weights of 'lpips'.*Delete"):
        make_extractor("lpips")


def test_a_plugin_registers_an_extractor(tmp_path):
    install(
        tmp_path,
        "acme-features",
        {"extractors": {"mean@1": "acme_features:mean"}},
        acme_features=(
            "import ganzoo\n"
            "from ganzoo.nn import Extracted\n"
            "class Mean(ganzoo.Extractor):\n"
            "    def __init__(self):\n"
            "        super().__init__(channels=None, size=None, dim=1, sha256='0' * 64)\n"
            "    def forward(self, images):\n"
            "        return Extracted(images.float().flatten(1).mean(1, keepdim=True), None)\n"
            "def mean():\n"
            "    return Mean()\n"
        ),
    )
    result = run_python(
        "import torch\n"
        "from ganzoo.evaluation.extraction import extract, make_extractor\n"
        "images = torch.full((2, 1, 4, 4), 7, dtype=torch.uint8)\n"
        "print(extract(make_extractor('mean@1'), images).features.tolist())\n",
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )
    assert result.stdout == "[[7.0], [7.0]]\n", result.stderr
