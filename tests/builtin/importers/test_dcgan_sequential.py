"""DCGANs by any names: the images are those of the layers that the file comes from."""

import collections
import itertools

import pytest
import safetensors.torch
import torch
from torch import nn

from ganzoo.errors import ImportFileError
from ganzoo.importers import open_checkpoint, recognise
from helpers.conversions import check_rules, difference, expected, fixture, images, networks, save
from helpers.processes import run_python

NAME = "dcgan-sequential"


def settle(network):
    """Give BatchNorm statistics and scales of a training."""
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight.data, module.running_var):
                tensor.uniform_(0.5, 2, generator=generator)
            for tensor in (module.bias.data, module.running_mean):
                tensor.normal_(0, 0.5, generator=generator)
    return network.eval()


def make_generator(widths=(16, 8, 4), kernels=None, channels=3, bias=False, latent_dim=7):
    """Return DCGAN's layers in plain torch."""
    torch.manual_seed(1)
    sizes = [latent_dim, *widths, channels]
    kernels = kernels or [4] * (len(sizes) - 1)
    layers = []
    for k, (below, above) in enumerate(itertools.pairwise(sizes)):
        stride, padding = (2, 1) if k else (1, 0)
        layers.append(nn.ConvTranspose2d(below, above, kernels[k], stride, padding, bias=bias))
        layers += [nn.BatchNorm2d(above), nn.ReLU()] if k < len(widths) else [nn.Tanh()]
    return settle(nn.Sequential(*layers))


def make_discriminator(widths=(4, 8, 16), channels=3, bias=False):
    torch.manual_seed(2)
    sizes = [channels, *widths, 1]
    layers = []
    for k, (below, above) in enumerate(itertools.pairwise(sizes)):
        stride, padding = (2, 1) if k < len(widths) else (1, 0)
        layers.append(nn.Conv2d(below, above, 4, stride, padding, bias=bias))
        layers += [nn.BatchNorm2d(above)] if 0 < k < len(widths) else []
        layers.append(nn.LeakyReLU(0.2))
    return settle(nn.Sequential(*layers[:-1]))


def named(network, prefix="main."):
    return {f"{prefix}{name}": tensor for name, tensor in network.state_dict().items()}


def by_kind(network):
    """Name the layers by their kind, as classes do, such as ``deconv1`` and ``bn1``."""
    counts, names = collections.Counter(), {}
    for name, layer in network.named_children():
        kind = "bn" if isinstance(layer, nn.BatchNorm2d) else "deconv"
        counts[kind] += 1
        names[name] = f"net.{kind}{counts[kind]}"
    state = network.state_dict().items()
    return {f"{names[key.split('.')[0]]}.{key.split('.')[1]}": tensor for key, tensor in state}


def check(file, original, **options):
    conversion, nets = networks(file, NAME, **options)
    z = torch.randn(3, conversion.arguments["latent_dim"])
    with torch.inference_mode():
        expected = original(z[:, :, None, None])
    assert conversion.data.image.shape == expected.shape[1:]
    assert difference(images(nets["generator"], z=z), expected) < 1e-5
    return conversion, nets


@pytest.mark.parametrize(
    ("folder", "file"),
    [("pytorch-examples-dcgan", "netG_epoch_24.pth"), ("huggan-dcgan", "pytorch_model.bin")],
)
def test_images_are_those_of_the_original(folder, file):
    _, nets = networks(fixture(folder) / file, NAME)
    original = expected(folder)
    assert difference(images(nets["generator"], z=original["z"]), original["images"]) < 1e-5


def test_logits_are_those_of_the_original(tmp_path):
    """The examples keep the discriminator in a file of its own; here it is beside a generator."""
    folder = "pytorch-examples-dcgan"
    tensors = open_checkpoint(fixture(folder) / "netD_epoch_24.pth").tensors
    state = {f"netD.{name}": torch.from_numpy(t.read()) for name, t in tensors.items()}
    state |= named(make_generator((32, 16, 8, 4)), "netG.main.")
    _, nets = networks(save(tmp_path / "both.pth", state), NAME)
    original = expected(folder)
    with torch.inference_mode():
        logits = nets["discriminator"](original["d_images"]).logits
    assert difference(logits, original["d_logits"]) < 1e-5
    with pytest.raises(ImportFileError, match="is a discriminator, .*netG.pth"):
        networks(fixture(folder) / "netD_epoch_24.pth", NAME)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(
    ("widths", "kernels", "channels", "side"),
    [
        ((16, 8, 4), None, 3, 32),
        ((16, 8, 4), (4, 3, 4, 4), 1, 28),
        ((8, 4), (7, 4, 4), 1, 28),
        ((32, 16, 8, 4), None, 1, 64),
        ((32, 16, 8, 4, 2), None, 3, 128),
        ((16, 16, 8, 4, 2), None, 3, 128),
    ],
)
def test_any_depth_and_bias(tmp_path, widths, kernels, channels, side, bias):
    original = make_generator(widths, kernels, channels, bias)
    conversion, _ = check(save(tmp_path / "g.pth", named(original)), original)
    assert conversion.data.image.height == side
    assert conversion.options["nz"] == 7
    assert conversion.options["ngf"] == widths[-1]
    assert conversion.options["layers"].startswith("main.0, main.1, main.3, main.4")


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("names", ["main.", "model.", "module.main.", "", "by kind"])
def test_any_names(tmp_path, names, zipped):
    original = make_generator()
    state = by_kind(original) if names == "by kind" else named(original, names)
    file = tmp_path / "g.pth"
    torch.save(state, file, _use_new_zipfile_serialization=zipped)
    conversion, _ = check(file, original)
    assert len(conversion.deviations) == (2 if names == "by kind" else 1), "layers without numbers"


@pytest.mark.parametrize("names", ["main.", "by kind"])
def test_a_file_in_the_order_of_its_names(tmp_path, names):
    """Files of safetensors are sorted: ``main.12`` comes before ``main.3``."""
    original = make_generator((8, 8, 8, 8, 8))  # the channels do not tell the order
    state = by_kind(original) if names == "by kind" else named(original)
    safetensors.torch.save_file(state, tmp_path / "g.safetensors")
    assert list(open_checkpoint(tmp_path / "g.safetensors").tensors) != list(state)
    check(tmp_path / "g.safetensors", original)


def test_both_networks_of_one_file(tmp_path):
    generator, discriminator = make_generator(), make_discriminator(bias=True)
    state = {
        "epoch": 3,
        "netG_state_dict": named(generator),
        "netD_state_dict": named(discriminator),
        "optimizerG_state_dict": {"state": {0: {"exp_avg": torch.ones(2), "step": torch.ones(())}}},
    }
    conversion, nets = check(save(tmp_path / "both.pth", state), generator)
    assert conversion.network == "netG_state_dict"
    images = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        logits = nets["discriminator"](images).logits
        assert difference(logits, discriminator(images).flatten()) < 1e-5
    state["netD_state_dict"] = named(make_discriminator((8, 16, 32)))
    conversion, nets = check(save(tmp_path / "other.pth", state), generator)
    assert set(nets) == {"generator"}
    assert "another width" in conversion.ignored["netD_state_dict.*"]


@pytest.mark.parametrize("bias", [False, True])
def test_a_discriminator_alone_is_refused(tmp_path, bias):
    file = save(tmp_path / "netD.pth", named(make_discriminator(bias=bias)))
    with pytest.raises(ImportFileError, match=r"^netD.pth: it is a discriminator, .*netG\.pth\.$"):
        networks(file, NAME)


def test_widths_that_do_not_double_are_refused(tmp_path):
    file = save(tmp_path / "g.pth", named(make_generator((16, 6, 4))))
    with pytest.raises(ImportFileError, match=r"maps of 4, 6, 16 channels\. Those of .*'dcgan'"):
        networks(file, NAME)


def without(state, name):
    return {key: tensor for key, tensor in state.items() if key != name}


STATE = named(make_generator())


@pytest.mark.parametrize(
    "state",
    [
        without(STATE, "main.3.weight"),
        without(STATE, "main.4.running_var"),
        without(STATE, "main.4.bias"),
        STATE | {"main.12.weight": torch.ones(4, 4)},
        STATE | {"main.4.weight_orig": torch.ones(8)},
        STATE | {"main.6.weight": torch.ones(8, 5, 4, 4)},
        STATE | {"main.6.weight": torch.ones(8, 4, 4, 3)},
        STATE | {"main.6.weight": torch.ones(8, 4, 5, 5)},  # strides cannot be told
        STATE | {"main.4.running_var": torch.ones(9)},
        STATE | {"main.6.bias": torch.ones(5)},
        named(make_generator((4, 2))) | {"main.0.weight": torch.ones(0, 4, 4, 4)},
        STATE | {"main.9.weight": torch.ones(4, 6, 4, 4)},  # images of 6 channels
        named(nn.Sequential(*(nn.Conv2d(4, 4, 4) for _ in range(4)))),
        named(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 5))),
        {"G": STATE["main.0.weight"]},
        {f"{net}.{key}": tensor for net in ("a", "b") for key, tensor in STATE.items()},
    ],
)
def test_other_files_are_not_recognised(tmp_path, state):
    with pytest.raises(ImportFileError, match="no importer recognises"):
        recognise(open_checkpoint(save(tmp_path / "g.pth", state)))


def test_a_file_becomes_a_bundle_and_no_other_does(tmp_path):
    check_rules(NAME, save(tmp_path / "g.pth", named(make_generator((8, 4)))))


FULL_DISK = """
import resource, signal, sys
from ganzoo.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))
sys.exit(main(sys.argv[1:]))
"""


def test_a_full_disk_leaves_no_folder(tmp_path):
    file = save(tmp_path / "net.pth", named(make_generator()))
    command = ["import", str(file), "-o", str(tmp_path / "out"), "--no-figures"]
    result = run_python(FULL_DISK, *command)
    assert result.returncode == 1
    assert "File too large. Choose a folder that is writable and has free space" in result.stderr
    assert result.stderr.count("\n") == 2, "the format, and the error"
    assert [p.name for p in tmp_path.iterdir()] == ["net.pth"]
