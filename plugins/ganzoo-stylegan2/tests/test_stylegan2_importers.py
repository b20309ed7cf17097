"""Checkpoints of other programs: known ones, and ours in their layouts."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from stylegan2_files import (
    FILTER,
    ada_discriminator,
    ada_generator,
    randomised,
    rosinality_generator,
    rosinality_training,
    write_pickle,
)
from stylegan2_helpers import SMALL, build

import ganzoo
from ganzoo.errors import ImportFileError
from ganzoo.exporters.checkpoint_networks import build as build_imported
from ganzoo.exporters.checkpoint_networks import load
from ganzoo.importers import convert, open_checkpoint, recognise
from ganzoo.testing import ImporterSuite

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
    results = [nets["generator"](z, *labels), nets["generator"].mapping(z, *labels)]
    if "discriminator" in nets:
        results.append(nets["discriminator"](images, *labels).logits)
    return results


def assert_same(nets, expected, *labels):
    for a, b in zip(outputs(nets, *labels), outputs(expected, *labels), strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


def ours(side=SIDE, **arguments):
    classes = CLASSES if "conditioning" in arguments else 0
    return randomised(build(side, classes=classes, **arguments))


# ---- NVIDIA


def ada_content(nets, **options):
    g_ema = ada_generator(nets["generator"], **options)
    trained = ada_generator(nets["generator"], **options)
    constant = trained.at("synthesis.b4").tensors
    constant["const"] = 2 * constant["const"]
    d = ada_discriminator(nets["discriminator"], epilogue_kwargs={"mbstd_group_size": 4})
    return {"G": trained, "D": d, "G_ema": g_ema, "augment_pipe": None, "training_set_kwargs": {}}


def save_ada(path, content):
    write_pickle(path, content)
    return path


ADA = {
    "plain": {},
    "clamp and other sizes": {"clamp": 0.4, "widths": (3, 7, 5), "mapping_layers": 1, "group": 2},
    "labels": {"conditioning": "mapping", "label_layers": 3},
    "skip": {"discriminator": "skip", "clamp": 0.4},
    "orig": {"discriminator": "plain"},
}


@pytest.mark.parametrize("name", ADA)
def test_our_networks_in_nvidias_layout_give_the_same_outputs(tmp_path, name):
    expected = ours(**ADA[name])
    content = ada_content(expected, synthesis_kwargs={"channel_max": 8})
    conversion, nets = networks(save_ada(tmp_path / "a.pkl", content))
    y = (torch.tensor([2, 0, 1]),) if name == "labels" else ()
    assert_same(nets, expected, *y)
    assert conversion.data.image.shape == (1, SIDE, SIDE)
    assert conversion.data.classes == (CLASSES if y else 0)
    assert conversion.options["synthesis_kwargs.channel_max"] == 8
    assert conversion.options["D.epilogue_kwargs.mbstd_group_size"] == 4
    assert conversion.license.link.startswith("https://nvlabs.github.io/stylegan2-ada-pytorch/")


def test_the_trained_generator_alone_with_truncation_and_flat_options(tmp_path):
    expected = ours(truncation=0.5)
    content = ada_content(expected, channel_max=8, fused_modconv_default="inference_only")
    expected.pop("discriminator")
    expected["generator"].synthesis.constant.data *= 2
    options = {"network": "G", "without_discriminator": True, "truncation": 0.5}
    conversion, nets = networks(save_ada(tmp_path / "a.pkl", content), **options)
    assert_same(nets, expected)
    assert "NVlabs/stylegan3" in conversion.license.link
    assert conversion.network == "G"
    del content["G"], content["D"]
    assert networks(save_ada(tmp_path / "a.pkl", content))[1].keys() == {"generator"}
    with pytest.raises(ImportFileError, match=r"in \[0, 1\]\. Use --truncation 0\.7"):
        networks(tmp_path / "a.pkl", truncation=7.0)


def test_a_generator_without_noise(tmp_path):
    expected = ours()
    for module in expected["generator"].modules():
        if hasattr(module, "noise_strength"):
            module.noise_strength.data.zero_()
    content = ada_content(expected, noise=False)
    assert_same(networks(save_ada(tmp_path / "a.pkl", content))[1], expected)


def option(path, **options):
    def change(content):
        content[path.partition(".")[0]].at(path.partition(".")[2]).options.update(options)

    return change


def tensor(path, change):
    def apply(content):
        module, _, name = path.rpartition(".")
        tensors = content[module.partition(".")[0]].at(module.partition(".")[2]).tensors
        if change is None:
            del tensors[name]
        else:
            tensors[name] = change(tensors.get(name))

    return apply


def discriminator_class(content):
    content["D"].kind = "ProjectedDiscriminator"


WRONG_ADA = {
    "an unknown option": (option("G_ema", _init_kwargs={"kernel": 5}), "kernel = 5"),
    "a residual generator": (
        option("G_ema.synthesis.b8", architecture="resnet"),
        r"architecture = \('skip', 'resnet'\)",
    ),
    "another activation": (
        option("G_ema.synthesis.b4.conv1", activation="relu"),
        r"activation = \('relu', 'lrelu'\)",
    ),
    "one layer with a clamp": (
        option("G_ema.synthesis.b4.torgb", conv_clamp=256),
        r"conv_clamp = \(None, 256\), .* one value for all layers",
    ),
    "no clamp stated": (
        lambda content: content["G_ema"].at("synthesis.b4.torgb").options.pop("conv_clamp"),
        "'G_ema.synthesis.b4.torgb.conv_clamp' is missing",
    ),
    "a clamp of text": (
        lambda content: [
            module.options.update(conv_clamp="x")
            for block in content["G_ema"].at("synthesis").parts.values()
            for module in block.parts.values()
        ],
        "conv_clamp = 'x'.* a number",
    ),
    "a faster mapping": (
        option("G_ema.mapping.fc0", weight_gain=1.0),
        r"lr_multiplier = 2\.4.* 0\.01",
    ),
    "a narrow mapping": (
        tensor("G_ema.mapping.fc0.weight", lambda w: w[:3]),
        "layer_features = 3",
    ),
    "another filter": (
        tensor("G_ema.synthesis.b8.conv0.resample_filter", lambda f: f.flip(0) + 1),
        "resample_filter = 'another filter'",
    ),
    "groups of the whole batch": (
        option("D.b4.mbstd", group_size=None),
        "mbstd_group_size = None.*--without-discriminator",
    ),
    "several deviations": (option("D.b4.mbstd", num_channels=2), "num_channels = 2"),
    "another discriminator's clamp": (
        lambda content: [
            module.options.update(conv_clamp=256)
            for block in content["D"].parts.values()
            for module in block.parts.values()
        ],
        r"conv_clamp = 256\.0, .* the generator's, 0\.0.*--without-discriminator",
    ),
    "another class": (discriminator_class, "ProjectedDiscriminator.*--without-discriminator"),
    "a wider discriminator": (
        tensor("D.b8.conv0.weight", lambda w: w.repeat(2, 1, 1, 1)),
        r"widths = \(4, 16, 8\)",
    ),
    "a tensor is missing": (tensor("G_ema.synthesis.b8.conv1.bias", None), "lacks .*conv1.bias"),
    "a tensor too many": (tensor("G_ema.mapping.mean", lambda _: FILTER), "G_ema.mapping.mean"),
    "a misshaped tensor": (tensor("D.b4.out.weight", lambda w: w[:, :2]), "last.weight is 1x2"),
}


@pytest.mark.parametrize("name", WRONG_ADA)
def test_what_the_architecture_lacks_is_refused_by_name(tmp_path, name):
    change, message = WRONG_ADA[name]
    content = ada_content(ours())
    change(content)
    file = save_ada(tmp_path / "a.pkl", content)
    with pytest.raises(ImportFileError, match=message):
        networks(file)
    if "without-discriminator" in message:
        assert networks(file, without_discriminator=True)[1].keys() == {"generator"}


def test_labels_of_another_form_are_refused(tmp_path):
    content = ada_content(ours(conditioning="mapping"))
    changes = {
        "c_dim = 1": tensor("G_ema.mapping.embed.weight", lambda w: w[:, :1]),
        "embed_features = 4": tensor("G_ema.mapping.embed.weight", lambda w: w.new_ones(4, 3)),
    }
    for message, change in changes.items():
        change(content)
        with pytest.raises(ImportFileError, match=message):
            networks(save_ada(tmp_path / "a.pkl", content), without_discriminator=True)


class TestADA(ImporterSuite):
    name = "stylegan2-ada"

    @pytest.fixture
    def file(self, tmp_path):
        nets = ours(side=8, mapping_layers=1, clamp=256.0, conditioning="mapping")
        return save_ada(tmp_path / "network-snapshot-000200.pkl", ada_content(nets))


# ---- rosinality


ROSINALITY = {"latent_dim": 6, "style_dim": 6, "mapping_layers": 3, "widths": (3, 7, 5)}


def save_rosinality(path):
    nets = ours(**ROSINALITY)
    torch.save(rosinality_training(nets), path)
    return path, nets


def test_our_networks_in_rosinalitys_layout_give_the_same_outputs(tmp_path):
    file, expected = save_rosinality(tmp_path / "a.pt")
    conversion, nets = networks(file)
    assert_same(nets, expected)
    assert conversion.options == {"arch": "stylegan2", "batch": 16}
    assert conversion.license is None
    _, trained = networks(file, network="g", without_discriminator=True)
    assert trained.keys() == {"generator"}
    expected["generator"].synthesis.constant.data *= 2
    assert_same(trained, {"generator": expected["generator"]})


def test_a_training_file_has_an_estimate_of_the_mean_of_w(tmp_path):
    file, _ = save_rosinality(tmp_path / "a.pt")
    conversion, nets = networks(file)
    mapping = nets["generator"].mapping
    with torch.no_grad():
        w = mapping(torch.randn(20_000, 6))
    standard_error = w.std(0) / 4_096**0.5
    assert ((mapping.average - w.mean(0)).abs() < 5 * standard_error).all()
    assert "estimated from 4,096 latents of the fixed seed 0" in conversion.deviations[1]
    again = networks(file)[1]["generator"].mapping.average
    assert torch.equal(again, mapping.average)


def test_a_converted_file_has_the_mean_of_w(tmp_path):
    expected = ours(**ROSINALITY, truncation=0.5)
    generator = expected["generator"]
    content = {"g_ema": rosinality_generator(generator), "latent_avg": generator.mapping.average}
    torch.save(content, tmp_path / "a.pt")
    conversion, nets = networks(tmp_path / "a.pt", truncation=0.5)
    assert_same(nets, {"generator": generator})
    assert len(conversion.deviations) == 1
    with pytest.raises(ImportFileError, match=r"in \[0, 1\]\. Use --truncation 0\.7"):
        networks(tmp_path / "a.pt", truncation=7.0)


WRONG_ROSINALITY = {
    "swagan": (
        lambda content: setattr(content["args"], "arch", "swagan"),
        "arch = 'swagan'",
    ),
    "another filter": (
        lambda content: content["g_ema"].update({"to_rgbs.0.upsample.kernel": FILTER}),
        "upsample.kernel = 'another filter'",
    ),
    "a wider discriminator": (
        lambda content: content["d"].update({"final_conv.0.weight": torch.ones(9, 6, 3, 3)}),
        r"widths = \(3, 7, 9\).*--without-discriminator",
    ),
    "two constants of noise": (
        lambda content: content["g_ema"].update({"noises.noise_1": torch.ones(2, 1, 8, 8)}),
        r"noise_1 has shape \(2, 1, 8, 8\), not \(1, 1, 8, 8\)",
    ),
    "a misshaped mapping": (
        lambda content: content["g_ema"].update({"style.2.weight": torch.ones(6, 5)}),
        r"style.2.weight has shape \(6, 5\), not \(6, 6\)",
    ),
}


@pytest.mark.parametrize("name", WRONG_ROSINALITY)
def test_another_network_of_rosinality_is_refused(tmp_path, name):
    change, message = WRONG_ROSINALITY[name]
    content = rosinality_training(ours(**ROSINALITY))
    change(content)
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(ImportFileError, match=message):
        networks(tmp_path / "a.pt")


class TestRosinality(ImporterSuite):
    name = "stylegan2-rosinality"

    @pytest.fixture
    def file(self, tmp_path):
        path = tmp_path / "010000.pt"
        nets = ours(side=8, latent_dim=5, mapping_layers=1)
        torch.save(rosinality_training(nets), path)
        return path


# ---- known checkpoints

FIXTURES = os.environ.get("GANZOO_CHECKPOINTS", "")
KNOWN = (
    "rosinality-converted64",
    "rosinality-train64",
    "stylegan2-ada-clamp32-fp16",
    "stylegan2-ada-cond32",
    "stylegan2-ada-may-refuse-cond16-zdim",
    "stylegan2-ada-uncond32",
    "stylegan2-ada-uncond64-augment",
    "stylegan3-stylegan2-32",
)
needs_fixtures = pytest.mark.skipif(not FIXTURES, reason="GANZOO_CHECKPOINTS names no folder")


@needs_fixtures
@pytest.mark.parametrize("name", KNOWN)
@torch.no_grad()
def test_known_checkpoints_give_the_known_outputs(name):
    folder = Path(FIXTURES) / name
    known = {k: torch.tensor(v) for k, v in np.load(folder / "expected.npz").items()}
    _, nets = networks(next(folder.glob("*.p*t*" if "rosinality" in name else "*.pkl")))
    generator, labels = nets["generator"], [known["labels"]] if "labels" in known else []
    synthesis, mapping = generator.synthesis, generator.mapping
    middle = (
        known["truncation_latent"].flatten() if "truncation_latent" in known else mapping.average
    )
    mapping.average.copy_(middle)

    def check(key, output):
        torch.testing.assert_close(output, known[key], atol=3e-5, rtol=0, msg=key)

    w = mapping(known["z"], *labels)
    each = w[:, None].repeat(1, synthesis.style_count, 1)
    check("w", w)
    check("images", synthesis(each))
    images = generator(known["z"], *labels)
    torch.testing.assert_close(images, known["images"].clamp(-1, 1), atol=1e-5, rtol=0)
    n = len(known["images_psi05"])
    generator.truncation = 0.5
    images = generator(known["z"][:n], *(y[:n] for y in labels))
    torch.testing.assert_close(images, known["images_psi05"].clamp(-1, 1), atol=1e-5, rtol=0)
    if "images_psi07_cutoff4" in known:
        cut = each[: len(known["images_psi07_cutoff4"])].clone()
        cut[:, :4] = middle + 0.7 * (cut[:, :4] - middle)
        check("images_psi07_cutoff4", synthesis(cut))
    if "images_mixed" in known:
        mixed = each[1:2].clone()
        mixed[:, :3] = each[0, :3]
        check("images_mixed", synthesis(mixed))
    if "d_logits" in known:
        labels = [known["d_labels"]] if "d_labels" in known else []
        logits = nets["discriminator"](known["d_images"], *labels).logits
        check("d_logits", logits)
    for module in synthesis.modules():
        if hasattr(module, "noise_strength"):
            module.noise_strength.zero_()
    check("images_noise_none", synthesis(each[: len(known["images_noise_none"])]))


@needs_fixtures
@pytest.mark.parametrize("name", KNOWN)
def test_bundles_of_known_checkpoints_generate_the_known_images_on_onnxruntime(tmp_path, name):
    folder = Path(FIXTURES) / name
    file = next(f for f in folder.iterdir() if f.suffix in (".pkl", ".pt"))
    bundle = ganzoo.import_checkpoint(file, tmp_path / "bundle", figures=False)
    known = np.load(folder / "expected.npz")
    inputs = {"z": known["z"]} | ({"y": known["labels"]} if "labels" in known else {})
    images = ganzoo.load(bundle, runtime="onnx").run(inputs)
    np.testing.assert_allclose(images, known["images"].clip(-1, 1), atol=1e-5, rtol=0)


@needs_fixtures
def test_files_of_other_programs_are_not_recognised():
    from ganzoo.importers.recognition import parts
    from ganzoo_stylegan2.importers.ada.importer import StyleGAN2ADA
    from ganzoo_stylegan2.importers.rosinality import StyleGAN2Rosinality

    others = [
        file
        for folder in sorted(Path(FIXTURES).iterdir())
        if folder.is_dir() and folder.name not in KNOWN and "hostile" not in folder.name
        for file in sorted(folder.rglob("*.p*"))
    ]
    assert len(others) > 10
    for file in others:
        for _, part in parts(open_checkpoint(file)):
            assert not StyleGAN2ADA().recognises(part), file
            assert not StyleGAN2Rosinality().recognises(part), file
