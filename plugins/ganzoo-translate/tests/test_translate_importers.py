"""Translators of the authors' program: the images are those of the network of the file."""

import re

import pytest
import safetensors.torch
import torch
from torch import nn
from translate_helpers import build, data_spec

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

CYCLEGAN, PIX2PIX = "cyclegan-junyanz", "pix2pix-junyanz"
SIZE = {"height": 32, "width": 32}


def random(network):
    """Give a network weights and statistics of a training."""
    generator = torch.Generator().manual_seed(0)
    for name, tensor in network.state_dict().items():
        if tensor.dim() > 1:
            fan = tensor[0].numel()
            tensor.normal_(0, 1.5 * fan**-0.5, generator=generator)
        elif name.endswith(("running_var", "weight")):
            tensor.uniform_(0.5, 2, generator=generator)
        elif tensor.is_floating_point():
            tensor.normal_(0, 0.3, generator=generator)
    return network.eval()


def make_resnet(norm="instance", blocks=2, channels=3, condition=1):
    data = data_spec(32, channels, condition)
    nets = build("translator", data, width=3, blocks=blocks, generator_norm=norm)
    return random(nets["generator"])


def transfer(source, target):
    """Give a network the weights of one that has more, such as statistics."""
    weights = source.state_dict()
    target.load_state_dict({name: weights[name] for name in target.state_dict()})
    return target


def theirs(network, bias=False):
    """Name the weights of a translator as the authors' program does.

    With ``bias``, each convolution has one, which the instance normalisation after it removes.
    """
    ours, state = network.state_dict(), {}
    for name, tensor in ours.items():
        path, _, part = name.rpartition(".")
        target = re.sub(r"(\d+)\.layers\.", r"\1.conv_block.", path.replace("layers.", "model.", 1))
        state[f"{target}.{part}"] = tensor
        if bias and tensor.dim() == 4 and f"{path}.bias" not in ours:
            state[f"{target}.bias"] = torch.randn(network.get_submodule(path).out_channels)
    return state


def convert_resnet(file, original, channels=1, **options):
    conversion, nets = networks(file, CYCLEGAN, **SIZE | options)
    condition = torch.rand(2, channels, 32, 32) * 2 - 1
    error = difference(
        images(nets["generator"], condition=condition), images(original, condition=condition)
    )
    return conversion, error


@pytest.mark.parametrize(
    ("folder", "side"),
    [("junyanz-cyclegan-resnet6-oldfile", 64), ("junyanz-cyclegan-resnet9", 128)],
)
def test_images_of_a_cyclegan_are_those_of_the_original(folder, side):
    file = fixture(folder) / "latest_net_G_A.pth"
    _, nets = networks(file, CYCLEGAN, height=side, width=side)
    original = expected(folder)
    result = images(nets["generator"], condition=original["source"])
    assert difference(result, original["images"]) < 1e-5


@pytest.mark.parametrize(
    ("folder", "statistics", "border"),
    [
        ("junyanz-pix2pix-unet128", "stored", 0),
        ("junyanz-pix2pix-unet128", "image", 32),
        ("junyanz-pix2pix-unet128-instance", "stored", 0),
        ("junyanz-pix2pix-unet256", "stored", 0),
        ("junyanz-pix2pix-unet256", "image", 64),
    ],
)
def test_images_of_a_pix2pix_are_those_of_the_original(folder, statistics, border):
    file = fixture(folder) / "latest_net_G.pth"
    _, nets = networks(file, PIX2PIX, statistics=statistics)
    original = expected(folder)
    result = images(nets["generator"], condition=original["source"])
    middle = slice(border, result.shape[2] - border)
    name = "images_batch_statistics" if statistics == "image" else "images"
    assert difference(result[:, :, middle, middle], original[name]) < 1e-5


def test_logits_of_a_pix2pix_are_those_of_the_original():
    """The discriminator has a file of its own, which is refused; the architecture has its layers."""
    folder = "junyanz-pix2pix-unet128"
    tensors = open_checkpoint(fixture(folder) / "latest_net_D.pth").tensors
    state = {name: torch.from_numpy(tensor.read()) for name, tensor in tensors.items()}
    judge = build("unet", data_spec(128), width=2)["discriminator"].eval()
    judge.load_state_dict(
        {re.sub(r"model\.11\.", "last.", k).replace("model.", "body."): v for k, v in state.items()}
    )
    original = expected(folder)
    with torch.inference_mode():
        logits = judge(original["d_target"], original["source"]).logits
    assert difference(logits, original["d_logits"]) < 1e-5
    with pytest.raises(ImportFileError, match="is a discriminator"):
        networks(fixture(folder) / "latest_net_D.pth", PIX2PIX)


@pytest.mark.parametrize("blocks", [1, 6])
@pytest.mark.parametrize("old", [False, True])
def test_a_translator_with_instance_norm(tmp_path, blocks, old):
    original = make_resnet(blocks=blocks)
    state = theirs(original, bias=True)
    if old:  # files of torch before 0.4 have statistics that nothing uses
        for name in [name for name in list(state)[:-2] if name.endswith(".bias")]:
            path, _, number = name.removesuffix(".bias").rpartition(".")
            for part in ("running_mean", "running_var"):
                state[f"{path}.{int(number) + 1}.{part}"] = torch.rand_like(state[name])
    file = tmp_path / "latest_net_G_A.pth"
    torch.save(state, file, _use_new_zipfile_serialization=not old)
    conversion, error = convert_resnet(file, original)
    assert error < 1e-5
    assert conversion.architecture == "cyclegan"
    assert not conversion.data.paired
    assert conversion.options["netG"] == f"resnet_{blocks}blocks"
    assert conversion.deviations == ()


@pytest.mark.parametrize("statistics", ["stored", "image"])
def test_a_translator_with_batch_norm(tmp_path, statistics):
    original = make_resnet("batch")
    file = save(tmp_path / "latest_net_G.pth", theirs(original))
    if statistics == "image":
        original = transfer(original, make_resnet("instance-affine"))
    conversion, error = convert_resnet(file, original, statistics=statistics)
    assert error < 1e-5
    assert conversion.architecture == "translator"
    assert conversion.data.paired


def test_a_translator_with_dropout_or_other_names(tmp_path):
    original = make_resnet()
    state = theirs(original, bias=True)
    dropout = {name.replace("conv_block.5", "conv_block.6"): t for name, t in state.items()}
    conversion, error = convert_resnet(save(tmp_path / "a.pth", dropout), original)
    assert error < 1e-5
    assert "dropout" in conversion.deviations[0]
    other = {
        f"stage{k // 2}.conv.{name.rpartition('.')[2]}": t
        for k, (name, t) in enumerate(state.items())
    }
    conversion, error = convert_resnet(save(tmp_path / "b.pth", other), original)
    assert error < 1e-5
    assert "not in the file" in conversion.deviations[0]
    safetensors.torch.save_file(state, tmp_path / "c.safetensors")
    _, error = convert_resnet(tmp_path / "c.safetensors", original)
    assert error < 1e-5, "sorted by name"


def test_a_translator_of_any_size(tmp_path):
    file = save(tmp_path / "latest_net_G_A.pth", theirs(make_resnet(), bias=True))
    conversion, _ = networks(file, CYCLEGAN, height=64, width=48)
    assert (conversion.data.image.height, conversion.data.image.width) == (64, 48)
    assert conversion.data.condition.channels == 1
    with pytest.raises(ImportFileError, match="image height is 0"):
        networks(file, CYCLEGAN, height=0)


def make_unet(norm="batch", side=32, channels=3, condition=1):
    data = data_spec(side, channels, condition)
    nets = build("unet", data, width=2, generator_norm=norm, relu_skips=True)
    return random(nets["generator"])


def nested(network, bias):
    """Name the weights of a U-Net as the authors' program does, from the image down."""
    ours, state = network.state_dict(), {}
    smallest = len(network.down) - 1
    for k in range(smallest + 1):
        path = "model.model" + ".1.model" * (k > 0) + ".3.model" * (k - 1)
        down, up = (0, 3) if k == 0 else (1, 3) if k == smallest else (1, 5)
        joined = "last" if k == 0 else f"up.{smallest - k}.0"
        weight = ours[f"{joined}.weight"]
        if k < smallest:  # a level returns what skips the next one, and then what that decodes
            weight = torch.cat(weight.chunk(2)[::-1])
        names = {f"{path}.{down}": f"down.{k}.0", f"{path}.{up}": joined}
        norms = {f"{path}.2": f"down.{k}.1", f"{path}.{up + 1}": f"up.{smallest - k}.1"}
        for theirs, mine in names.items():
            state[f"{theirs}.weight"] = weight if mine == joined else ours[f"{mine}.weight"]
            size = network.get_submodule(mine).out_channels
            if mine == "last" or bias:
                state[f"{theirs}.bias"] = ours.get(f"{mine}.bias", torch.randn(size))
        for theirs, mine in norms.items():
            parts = [name for name in ours if name.startswith(f"{mine}.")]
            state |= {f"{theirs}.{name.rpartition('.')[2]}": ours[name] for name in parts}
    return state


def convert_unet(file, original, **options):
    conversion, nets = networks(file, PIX2PIX, **options)
    condition = torch.rand(2, *conversion.data.condition.shape) * 2 - 1
    result = images(nets["generator"], condition=condition)
    return conversion, difference(result, images(original, condition=condition))


@pytest.mark.parametrize("side", [32, 128])
@pytest.mark.parametrize("norm", ["batch", "instance", "instance-affine"])
def test_a_unet(tmp_path, norm, side):
    """With ``--statistics image``, BatchNorm uses those of each image of a batch by itself."""
    original = make_unet("instance" if norm == "instance" else "batch", side)
    if norm != "instance":  # the first and the smallest map have no bias in the file
        for bias in (original.down[0][0].bias, original.down[-1][0].bias):
            nn.init.zeros_(bias)
    file = save(tmp_path / "latest_net_G.pth", nested(original, bias=norm == "instance"))
    statistics = "stored"
    if norm == "instance-affine":
        statistics, original = "image", transfer(original, make_unet(norm, side))
    conversion, error = convert_unet(file, original, statistics=statistics)
    assert error < 1e-5
    assert conversion.options["netG"] == f"unet_{side}"
    assert conversion.arguments["generator_norm"] == norm


def test_a_unet_of_other_widths_is_refused(tmp_path):
    state = nested(make_unet(), bias=False)
    state["model.model.0.weight"] = torch.ones(3, 1, 4, 4)
    with pytest.raises(ImportFileError, match=r"'unet' needs \(6, 3, 4, 4\)"):
        networks(save(tmp_path / "g.pth", state), PIX2PIX)


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_a_discriminator_alone_is_refused(tmp_path, norm):
    judge = build("cyclegan", width=2, discriminator_norm=norm)["discriminator"]
    state = {name.replace("body.", "model."): t for name, t in judge.state_dict().items()}
    state = {name.replace("last.", "model.11."): t for name, t in state.items()}
    if norm == "instance":
        state |= {f"model.{k}.bias": torch.ones(s) for k, s in ((2, 4), (5, 8), (8, 16))}
    name = PIX2PIX if norm == "batch" else CYCLEGAN
    message = "^latest_net_D.pth: it is a discriminator, .* such as latest_net_G"
    with pytest.raises(ImportFileError, match=message):
        networks(save(tmp_path / "latest_net_D.pth", state), name)


RESNET, UNET = theirs(make_resnet(), bias=True), nested(make_unet(), bias=False)


@pytest.mark.parametrize(
    ("state", "add", "remove"),
    [
        (RESNET, {}, "model.4.weight"),
        (RESNET, {}, "model.19.bias"),
        (theirs(make_resnet()), {}, ""),  # without any normalisation
        (theirs(make_resnet("batch")), {"model.1.bias": torch.ones(3)}, ""),
        (RESNET, {"model.24.weight": torch.ones(3, 3, 7, 7)}, ""),
        (RESNET, {"model.24.weight": torch.ones(3)}, ""),
        (RESNET, {"model.2.weight": torch.ones(3), "model.2.bias": torch.ones(3)}, ""),
        (RESNET, {"model.12.weight": torch.ones(6, 12, 3, 3)}, ""),  # of another enlargement
        (UNET, {}, "model.model.1.model.1.weight"),
        (UNET, {}, "model.model.1.model.2.running_mean"),
        (UNET, {}, "model.model.3.bias"),
        (UNET, {"model.model.0.bias": torch.ones(2)}, ""),
        (UNET, {"model.model.4.weight": torch.ones(2, 2, 4, 4)}, ""),
        (UNET, {"model.model.3.weight": torch.ones(4, 3)}, ""),
    ],
)
def test_other_files_are_not_recognised(tmp_path, state, add, remove):
    changed = {name: tensor for name, tensor in (state | add).items() if name != remove}
    with pytest.raises(ImportFileError, match="no importer recognises"):
        recognise(open_checkpoint(save(tmp_path / "g.pth", changed)))


def test_a_file_becomes_a_bundle_and_no_other_does(tmp_path):
    resnet = theirs(make_resnet(blocks=1), bias=True)
    check_rules(CYCLEGAN, save(tmp_path / "a.pth", resnet), **SIZE)
    check_rules(PIX2PIX, save(tmp_path / "b.pth", UNET), statistics="image")
