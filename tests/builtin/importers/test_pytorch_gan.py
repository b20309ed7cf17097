"""Generators of PyTorch-GAN: the images are those of the layers that the file comes from."""

import pytest
import torch
from torch import nn

from ganzoo.errors import ImportFileError
from ganzoo.importers import open_checkpoint, recognise
from helpers.conversions import (
    check_rules,
    difference,
    expected,
    fixture,
    images,
    networks,
    save,
)

EPS = 0.8


def settle(network):
    """Give BatchNorm statistics and scales of a training."""
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            for tensor in (module.weight.data, module.running_var):
                tensor.uniform_(0.5, 2, generator=generator)
            for tensor in (module.bias.data, module.running_mean):
                tensor.normal_(0, 0.5, generator=generator)
    return network.eval()


def make_mlp(inputs=6, width=3, outputs=48, eps=EPS):
    layers = [nn.Linear(inputs, width), nn.LeakyReLU(0.2)]
    for _ in range(3):
        layers += [nn.Linear(width, 2 * width), nn.BatchNorm1d(2 * width, eps), nn.LeakyReLU(0.2)]
        width *= 2
    return settle(nn.Sequential(*layers, nn.Linear(width, outputs), nn.Tanh()))


def mlp_file(path, network, **tensors):
    state = {f"model.{name}": tensor for name, tensor in network.state_dict().items()}
    return save(path, state | tensors)


def make_convolutional(latent_dim=5, width=3, base=4, channels=1):
    twice = 2 * width

    def enlarge(inputs, outputs):
        convolution = nn.Conv2d(inputs, outputs, 3, padding=1)
        return [nn.Upsample(scale_factor=2), convolution, nn.BatchNorm2d(outputs, EPS)]

    blocks = [nn.BatchNorm2d(twice), *enlarge(twice, twice), nn.LeakyReLU(0.2)]
    blocks += [*enlarge(twice, width), nn.LeakyReLU(0.2)]
    blocks += [nn.Conv2d(width, channels, 3, padding=1), nn.Tanh()]
    return settle(
        nn.ModuleDict(
            {
                "l1": nn.Sequential(nn.Linear(latent_dim, twice * base**2)),
                "reshape": nn.Unflatten(1, (twice, base, base)),
                "conv_blocks": nn.Sequential(*blocks),
            }
        )
    )


@pytest.mark.parametrize(
    ("folder", "name", "options"),
    [
        ("pytorch-gan-dcgan", "pytorch-gan-dcgan", {}),
        ("pytorch-gan-wgan_gp", "pytorch-gan-wgan-gp", {"shape": "28x28x1"}),
        ("pytorch-gan-cgan", "pytorch-gan-cgan", {"shape": "32x32x1"}),
    ],
)
def test_images_are_those_of_the_original(folder, name, options):
    _, nets = networks(fixture(folder) / "generator.pth", name, **options)
    original = expected(folder)
    inputs = {"z": original["z"]} | ({"y": original["labels"]} if "labels" in original else {})
    assert difference(images(nets["generator"], **inputs), original["images"]) < 1e-5


@pytest.mark.parametrize(("shape", "size"), [("4x4x3", (3, 4, 4)), ("2x8x3", (3, 2, 8))])
def test_a_multilayer_perceptron(tmp_path, shape, size):
    original = make_mlp()
    file = mlp_file(tmp_path / "g.pth", original)
    conversion, nets = networks(file, "pytorch-gan-wgan-gp", shape=shape)
    assert conversion.data.image.shape == size
    z = torch.randn(3, 6)
    with torch.inference_mode():
        assert difference(images(nets["generator"], z=z).flatten(1), original(z)) < 1e-6
        other = make_mlp(eps=1e-5)
        other.load_state_dict(original.state_dict())
        assert difference(original(z), other(z)) > 0.01, "eps matters"


def test_labels_are_read_by_an_embedding_before_the_latents(tmp_path):
    original, embedding = make_mlp(inputs=6 + 4), torch.randn(5, 4)
    file = mlp_file(tmp_path / "g.pth", original, **{"label_emb.weight": embedding})
    conversion, nets = networks(file, "pytorch-gan-cgan", shape="4x4x3")
    assert conversion.data.classes == 5
    assert conversion.arguments["latent_dim"] == 6
    z, y = torch.randn(5, 6), torch.arange(5)
    with torch.inference_mode():
        reference = original(torch.cat([embedding[y], z], 1))
    assert difference(images(nets["generator"], z=z, y=y).flatten(1), reference) < 1e-6


@pytest.mark.parametrize("channels", [1, 3])
def test_a_convolutional_generator(tmp_path, channels):
    original = make_convolutional(channels=channels)
    file = save(tmp_path / "g.pth", original.state_dict())
    conversion, nets = networks(file, "pytorch-gan-dcgan")
    assert conversion.data.image.shape == (channels, 16, 16)
    z = torch.randn(3, 5)
    with torch.inference_mode():
        reference = z
        for part in original.values():
            reference = part(reference)
    assert difference(images(nets["generator"], z=z), reference) < 1e-6


@pytest.mark.parametrize(
    ("outputs", "shape", "message"),
    [
        (784, "", r"784 numbers\. Their height.* Pass for example --shape 28x28x1\."),
        (3072, "", "--shape 32x32x3"),
        (3072, "32x32x1", r"3,072 numbers, which '32x32x1' does not have\. .*--shape 32x32x3"),
        (784, "28,28,1", "'28,28,1'"),
        (784, "28x28", "'28x28'"),
        (50, "", "--shape HEIGHTxWIDTHxCHANNELS"),
        (70, "1x1x70", "image channels is 70"),
    ],
)
def test_the_shape_must_be_given(tmp_path, outputs, shape, message):
    file = mlp_file(tmp_path / "g.pth", make_mlp(outputs=outputs))
    with pytest.raises(ImportFileError, match=message):
        networks(file, "pytorch-gan-wgan-gp", shape=shape)


def test_other_widths_are_refused(tmp_path):
    state = make_mlp().state_dict()
    changes = {
        "5.weight": torch.ones(10, 6),
        "5.bias": torch.ones(10),
        "8.weight": torch.ones(24, 10),
    }
    changes |= {f"6.{k}": torch.ones(10) for k in ("weight", "bias", "running_mean", "running_var")}
    state = {f"model.{name}": tensor for name, tensor in (state | changes).items()}
    with pytest.raises(
        ImportFileError, match=r"model.5 has shape \(10, 6\), .*'mlp' needs \(12, 6\)"
    ):
        networks(save(tmp_path / "g.pth", state), "pytorch-gan-wgan-gp", shape="4x4x3")
    state = make_convolutional().state_dict()
    state["l1.0.weight"] = torch.ones(6 * 15, 5)
    with pytest.raises(ImportFileError, match=r"l1.0 has shape \(90, 5\), .*needs \(54, 5\)"):
        networks(save(tmp_path / "c.pth", state), "pytorch-gan-dcgan")


@pytest.mark.parametrize(
    ("add", "remove"),
    [
        ({}, "model.2.weight"),
        ({}, "model.2.bias"),
        ({}, "model.3.running_var"),
        ({"model.12.weight": torch.ones(4, 4)}, None),
        ({"label_emb.weight": torch.ones(4)}, None),
        ({"label_emb.weight": torch.ones(4, 4), "label_emb.bias": torch.ones(4)}, None),
        ({"model.2.weight": torch.ones(6, 3, 1, 1)}, None),
        ({"model.3.running_var": torch.ones(7)}, None),
    ],
)
def test_other_files_are_not_recognised(tmp_path, add, remove):
    state = {f"model.{name}": tensor for name, tensor in make_mlp().state_dict().items()} | add
    state.pop(remove, None)
    with pytest.raises(ImportFileError, match="no importer recognises"):
        recognise(open_checkpoint(save(tmp_path / "g.pth", state)))


@pytest.mark.parametrize("name", ["pytorch-gan-wgan-gp", "pytorch-gan-cgan", "pytorch-gan-dcgan"])
def test_a_file_becomes_a_bundle_and_no_other_does(tmp_path, name):
    file = tmp_path / "g.pth"
    match name:
        case "pytorch-gan-dcgan":
            check_rules(name, save(file, make_convolutional().state_dict()))
        case "pytorch-gan-cgan":
            embedding = {"label_emb.weight": torch.randn(3, 2)}
            check_rules(name, mlp_file(file, make_mlp(), **embedding), shape="4x4x3")
        case "pytorch-gan-wgan-gp":
            check_rules(name, mlp_file(file, make_mlp()), shape="4x4x3")
