"""Checkpoints of the stylegan3 repository: known ones, and ours in their layout."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from stylegan2_files import ada_discriminator, ada_generator, randomised, write_pickle
from stylegan3_files import stylegan3_generator
from stylegan3_helpers import SMALL, build

import ganzoo
from ganzoo.errors import ImportFileError
from ganzoo.exporters.checkpoint_networks import build as build_imported
from ganzoo.exporters.checkpoint_networks import load
from ganzoo.importers import convert, open_checkpoint, recognise
from ganzoo.importers.recognition import parts
from ganzoo.testing import ImporterSuite
from ganzoo_stylegan3.importer import StyleGAN3

SIDE, CLASSES = 16, 3


def networks(file, **options):
    """Return the conversion of a file, and its networks."""
    match = recognise(open_checkpoint(file))
    conversion = convert(match, options)
    _, _, nets = build_imported(conversion)
    load(match, conversion, nets)
    return conversion, nets


@torch.no_grad()
def outputs(nets, *labels):
    """Return images, w, and logits if there is a discriminator."""
    torch.manual_seed(1)
    z, images = torch.randn(3, SMALL["latent_dim"]), torch.randn(3, 1, SIDE, SIDE)
    w = nets["generator"].mapping(z, *labels)
    results = [nets["generator"].render(w), w]
    if "discriminator" in nets:
        results.append(nets["discriminator"](images, *labels).logits)
    return results


def assert_same(nets, expected, *labels):
    for pair in zip(outputs(nets, *labels), outputs(expected, *labels), strict=True):
        torch.testing.assert_close(*pair, atol=1e-5, rtol=1e-5)


def ours(**arguments):
    nets = build(SIDE, classes=CLASSES if "conditioning" in arguments else 0, **arguments)
    randomised(nets)
    for name, value in nets["generator"].state_dict().items():
        if name.endswith("magnitude"):
            value.fill_(0.5 + value.abs())
    return nets


def content_of(nets, **options):
    generators = [stylegan3_generator(nets["generator"], SIDE, **options) for _ in range(2)]
    features = generators[0].at("synthesis.input").tensors
    features["phases"] = features["phases"] + 0.3
    d = ada_discriminator(nets["discriminator"], epilogue_kwargs={"mbstd_group_size": 4})
    content = {"G": generators[0], "D": d, "G_ema": generators[1], "augment_pipe": None}
    return content | {"training_set_kwargs": {"resolution": SIDE}}


def save(path, content):
    write_pickle(path, content)
    return path


NETWORKS = {
    "T": {"widths": (5, 4, 3, 7), "discriminator_widths": (2, 5, 3), "group": 2},
    "R": {"configuration": "R", "clamp": 0.4, "mapping_layers": 1},
    "labels": {"conditioning": "mapping", "magnitude_memory": 0.5},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_our_networks_in_nvidias_layout_give_the_same_outputs(tmp_path, name):
    expected = ours(**NETWORKS[name])
    file = save(tmp_path / "a.pkl", content_of(expected, channel_base=512))
    conversion, nets = networks(file)
    y = (torch.tensor([2, 0, 1]),) if name == "labels" else ()
    assert_same(nets, expected, *y)
    assert conversion.arguments["configuration"] == ("R" if name == "R" else "T")
    assert nets["generator"].synthesis.to_image.memory == (0.5 if name == "labels" else 0.999)
    assert conversion.data.image.shape == (1, SIDE, SIDE)
    assert conversion.data.classes == (CLASSES if y else 0)
    assert conversion.options["channel_base"] == 512
    assert conversion.options["D.epilogue_kwargs.mbstd_group_size"] == 4
    assert conversion.license.id == "other"
    assert "stylegan3/blob/main/LICENSE" in conversion.license.link


def test_the_trained_generator_alone_with_truncation(tmp_path):
    expected = ours(truncation=0.5)
    content = content_of(expected)
    expected.pop("discriminator")
    expected["generator"].synthesis.input.phases += 0.3
    options = {"network": "G", "without_discriminator": True, "truncation": 0.5}
    conversion, nets = networks(save(tmp_path / "a.pkl", content), **options)
    assert_same(nets, expected)
    assert conversion.network == "G"
    del content["G"], content["D"]
    assert networks(save(tmp_path / "a.pkl", content))[1].keys() == {"generator"}
    with pytest.raises(ImportFileError, match=r"in \[0, 1\]\. Use --truncation 0\.7"):
        networks(tmp_path / "a.pkl", truncation=7.0)


def option(path, **options):
    return lambda content: content["G_ema"].at(path).options.update(options)


def tensor(path, change):
    def apply(content):
        module, _, name = path.rpartition(".")
        tensors = content[module.partition(".")[0]].at(module.partition(".")[2]).tensors
        if change is None:
            del tensors[name]
        else:
            tensors[name] = change(tensors.get(name))

    return apply


def rename(content):
    layers = content["G_ema"].at("synthesis").parts
    layers["L1_22_6"] = layers.pop("L1_20_6")


WRONG = {
    "an unknown option": (option("", _init_kwargs={"noise": 5}), "noise = 5.*no such option"),
    "other frequencies": (
        option("", _init_kwargs={"first_cutoff": 4.0}),
        r"first_cutoff = 4\.0.* 2\.0",
    ),
    "another scale": (option("synthesis", output_scale=1.0), r"output_scale = 1\.0.*0\.25"),
    "another margin": (option("synthesis", margin_size=3), r"sizes = \(20, 20, 20, 16\)"),
    "another size": (rename, r"sizes = \(20, 22, 20, 16\), .*'stylegan3' has \(20, 20, 20, 16\)"),
    "a layer is missing": (
        lambda content: content["G_ema"].at("synthesis").parts.pop("L1_20_6"),
        r"layers = \[0, 2, 3, 4\]",
    ),
    "kernels of R with filters of T": (
        lambda content: [
            part.options.update(conv_kernel=1)
            for name, part in content["G_ema"].at("synthesis").parts.items()
            if name != "input"
        ],
        r"use_radial_filters = \(1, False\).*configuration T",
    ),
    "one layer with another clamp": (
        option("synthesis.L1_20_6", conv_clamp=8),
        r"conv_clamp = \(256\.0, 8\)",
    ),
    "a plain discriminator": (
        lambda content: [
            block.options.update(architecture="skip") for block in content["D"].parts.values()
        ],
        "--without-discriminator",
    ),
    "a tensor is missing": (
        tensor("G_ema.synthesis.L1_20_6.magnitude_ema", None),
        "lacks .*magnitude_ema",
    ),
    "a tensor too many": (tensor("G_ema.mapping.mean", lambda _: torch.ones(3)), "mapping.mean"),
    "a misshaped tensor": (
        tensor("G_ema.synthesis.L1_20_6.bias", lambda bias: bias[:2]),
        "bias is 2, not 6",
    ),
    "filters of another length": (
        tensor("G_ema.synthesis.L1_20_6.up_filter", lambda taps: taps[:8]),
        "up_filter is 8, not 12",
    ),
}


@pytest.fixture(scope="module")
def default():
    return ours()


@pytest.mark.parametrize("name", WRONG)
def test_what_the_architecture_lacks_is_refused_by_name(tmp_path, default, name):
    change, message = WRONG[name]
    content = content_of(default)
    change(content)
    with pytest.raises(ImportFileError, match=message):
        networks(save(tmp_path / "a.pkl", content))


def test_labels_of_one_class_are_refused(tmp_path):
    content = content_of(ours(conditioning="mapping"))
    tensor("G_ema.mapping.embed.weight", lambda weight: weight[:, :1])(content)
    with pytest.raises(ImportFileError, match="c_dim = 1"):
        networks(save(tmp_path / "a.pkl", content), without_discriminator=True)


def test_the_repositorys_stylegan2_is_not_recognised(tmp_path):
    nets = ganzoo.architectures.get("stylegan2")(
        ganzoo.DataSpec(ganzoo.ImageSpec(8, 8, 1)), width=2, style_dim=3, latent_dim=3
    )
    file = save(tmp_path / "a.pkl", {"G_ema": ada_generator(nets["generator"])})
    assert not StyleGAN3().recognises(open_checkpoint(file))


class TestStyleGAN3(ImporterSuite):
    name = "stylegan3"

    @pytest.fixture
    def file(self, tmp_path):
        file = tmp_path / "network-snapshot-000200.pkl"
        return save(file, content_of(ours(configuration="R", conditioning="mapping")))


# ---- known checkpoints

FIXTURES = os.environ.get("GANZOO_CHECKPOINTS", "")
KNOWN = ("stylegan3-r32", "stylegan3-t32")
needs_fixtures = pytest.mark.skipif(not FIXTURES, reason="GANZOO_CHECKPOINTS names no folder")


@needs_fixtures
@pytest.mark.parametrize("name", KNOWN)
@torch.no_grad()
def test_known_checkpoints_give_the_known_outputs(name):
    folder = Path(FIXTURES) / name
    known = {k: torch.tensor(v) for k, v in np.load(folder / "expected.npz").items()}
    _, nets = networks(next(folder.glob("*.pkl")))
    generator, labels = nets["generator"], [known["labels"]] if "labels" in known else []
    synthesis, mapping = generator.synthesis, generator.mapping

    def check(key, output):
        torch.testing.assert_close(output, known[key], atol=1e-5, rtol=0, msg=key)

    w = mapping(known["z"], *labels)
    each = w[:, None].repeat(1, synthesis.style_count, 1)
    check("w", w)
    check("w_avg", mapping.average)
    check("images", synthesis(each))
    images = generator(known["z"], *labels)
    torch.testing.assert_close(images, known["images"].clamp(-1, 1), atol=1e-5, rtol=0)
    generator.truncation = 0.5
    images = generator(known["z"][:2], *(y[:2] for y in labels))
    torch.testing.assert_close(images, known["images_psi05"].clamp(-1, 1), atol=1e-5, rtol=0)
    cut = each[:2].clone()
    cut[:, :4] = mapping.average + 0.7 * (cut[:, :4] - mapping.average)
    check("images_psi07_cutoff4", synthesis(cut))
    mixed = each[1:2].clone()
    mixed[:, :3] = each[0, :3]
    check("images_mixed", synthesis(mixed))
    labels = [known["d_labels"]] if "d_labels" in known else []
    check("d_logits", nets["discriminator"](known["d_images"], *labels).logits)


@needs_fixtures
@pytest.mark.parametrize("name", KNOWN)
def test_bundles_of_known_checkpoints_generate_the_known_images_on_onnxruntime(tmp_path, name):
    folder = Path(FIXTURES) / name
    file = next(folder.glob("*.pkl"))
    bundle = ganzoo.import_checkpoint(file, tmp_path / "bundle", figures=False)
    known = np.load(folder / "expected.npz")
    inputs = {"z": known["z"]} | ({"y": known["labels"]} if "labels" in known else {})
    images = ganzoo.load(bundle, runtime="onnx").run(inputs)
    np.testing.assert_allclose(images, known["images"].clip(-1, 1), atol=1e-5, rtol=0)


@needs_fixtures
def test_files_of_other_programs_are_not_recognised():
    others = [
        file
        for folder in sorted(Path(FIXTURES).iterdir())
        if folder.is_dir() and folder.name not in KNOWN and "hostile" not in folder.name
        for file in sorted(folder.rglob("*.p*"))
    ]
    assert len(others) > 10
    for file in others:
        for _, part in parts(open_checkpoint(file)):
            assert not StyleGAN3().recognises(part), file
