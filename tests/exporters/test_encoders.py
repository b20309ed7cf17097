"""Models with an encoder: the bundle has both networks, for both runtimes."""

import shutil

import numpy as np
import pytest
import torch
from PIL import Image

import ganzoo
from ganzoo.cli import main
from ganzoo.errors import BundleError, SampleError
from ganzoo.spec import Component
from ganzoo.training.checkpoint import load_checkpoint
from helpers.bundles import change_config, rehash
from helpers.processes import run_new
from helpers.recipes import tiny

RUNTIMES = ["torch", "onnx"]


@pytest.fixture(scope="module")
def encoding(tmp_path_factory):
    """A briefly trained VAE as a bundle, and its run."""
    folder = tmp_path_factory.mktemp("encoding")
    architecture = Component("conv-autoencoder", {"latent_dim": 2, "width": 4})
    recipe = tiny(architecture=architecture, loss=Component("vae"))
    run = ganzoo.train(recipe, out=folder / "run", progress=False)
    return ganzoo.export(run.path, folder / "bundle"), run.path


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_generated_images_encode_to_their_latents(encoding, runtime):
    bundle, _ = encoding
    images = ganzoo.load(bundle, runtime=runtime).sample(37)
    encoder = ganzoo.load(bundle, role="encoder", runtime=runtime)
    z = encoder.encode(images)
    assert z.shape == (37, 2)
    assert z.dtype == np.float32
    assert np.allclose(z, encoder.encode(images.numpy()))
    assert np.allclose(z[20:21], encoder.encode(images[20:21]), atol=1e-5)
    assert z.std(0).min() > 0


def test_latents_that_are_not_finite_are_an_error(encoding):
    encoder = ganzoo.load(encoding[0], role="encoder")
    with torch.no_grad():
        next(encoder.network.parameters()).fill_(3e38)  # finite weights can still overflow
    images = np.full((2, *encoder.spec.data.image.shape[1:], 1), 255, np.uint8)
    with pytest.raises(SampleError, match="generates values that are not finite"):
        encoder.encode(images)


def test_both_runtimes_encode_alike(encoding):
    bundle, _ = encoding
    images = ganzoo.load(bundle).sample(20)
    a, b = (ganzoo.load(bundle, role="encoder", runtime=r).encode(images) for r in RUNTIMES)
    np.testing.assert_allclose(a, b, atol=1e-4)


def test_the_encoder_runs_without_torch(encoding):
    bundle, _ = encoding
    code = f"""
import sys, ganzoo
z = ganzoo.load({str(bundle)!r}, role="encoder", runtime="onnx").encode(
    ganzoo.load({str(bundle)!r}, runtime="onnx").sample(2))
assert z.shape == (2, 2)
assert "torch" not in sys.modules
"""
    done = run_new("-c", code)
    assert done.returncode == 0, done.stderr


def test_the_encoder_is_the_averaged_one(encoding):
    bundle, run = encoding
    state = ganzoo.training.prepare(run / "recipe.toml").state
    state.load_state_dict(load_checkpoint(run / "checkpoints")["state"])
    loaded = ganzoo.load(bundle, role="encoder", runtime="torch").network.state_dict()
    for name, tensor in state.ema.networks["encoder"].state_dict().items():
        assert torch.equal(tensor, loaded[name])


def test_parity_is_measured_for_both_networks(encoding):
    bundle, run = encoding
    provenance = ganzoo.info(bundle).provenance
    for figures in (provenance["parity"], provenance["encoder_parity"]):
        assert 0 <= figures["max_abs_error"] <= figures["tolerance"]
    assert ganzoo.info(bundle).roles == ("generator", "encoder")
    assert Image.open(bundle / "reconstructions.png").size == (4 * (8 * 18 + 2), 4 * (4 * 18 + 2))
    assert (run / "samples" / "000000000064-reconstructions.png").exists()
    assert 'role="encoder"' in (bundle / "README.md").read_text()
    sums = (bundle / "SHA256SUMS").read_text()
    assert "encoder.safetensors" in sums
    assert "encoder.onnx" in sums


def test_reconstructions_are_rows_below_their_images(encoding):
    bundle, run = encoding
    picture = np.asarray(Image.open(bundle / "reconstructions.png"))[::4, ::4]
    prepared = ganzoo.training.prepare(run / "recipe.toml")
    first = prepared.batches.draw(16).images[0, 0]
    first = ((first + 1) * 127.5).round().byte().numpy()
    assert np.array_equal(picture[2:18, 2:18], first)
    encoder, generator = (ganzoo.load(bundle, role=r) for r in ("encoder", "generator"))
    output = generator.generate(encoder.encode(first[None, :, :, None]))
    levels = ganzoo.ImageBatch.from_unit(output).numpy()[0, :, :, 0].astype(int)
    assert np.abs(levels - picture[20:36, 2:18]).max() <= 1


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_images_of_another_size_are_refused(encoding, runtime):
    encoder = ganzoo.load(encoding[0], role="encoder", runtime=runtime)
    for wrong in (
        np.zeros((2, 8, 8, 1), np.uint8),
        np.zeros((2, 16, 16, 1), np.float32),
        np.zeros((0, 16, 16, 1), np.uint8),
        np.zeros((16, 16, 1), np.uint8),
    ):
        with pytest.raises(SampleError, match=r"uint8 \(n, 16, 16, 1\)"):
            encoder.encode(wrong)


def test_a_missing_role_is_refused(encoding, tiny_bundle):
    with pytest.raises(BundleError, match="no role 'encodr'. Did you mean 'encoder'"):
        ganzoo.load(encoding[0], role="encodr")
    with pytest.raises(BundleError, match="Use one of its roles: generator"):
        ganzoo.load(tiny_bundle, role="encoder")


@pytest.mark.parametrize("name", ["encoder.safetensors", "encoder.onnx"])
def test_a_damaged_encoder_is_refused(encoding, tmp_path, name):
    bundle = shutil.copytree(encoding[0], tmp_path / "b")
    runtime = "onnx" if name.endswith("onnx") else "torch"
    other = name.replace("encoder", "model")
    shutil.copyfile(bundle / other, bundle / name)
    with pytest.raises(BundleError, match="does not match its checksum"):
        ganzoo.load(bundle, role="encoder", runtime=runtime)
    rehash(bundle)
    with pytest.raises(BundleError, match=r"does not (match|fit|come before it).*config\.json"):
        ganzoo.load(bundle, role="encoder", runtime=runtime)
    (bundle / name).unlink()
    rehash(bundle)
    with pytest.raises(BundleError, match=f"(has|contains) no {name}"):
        ganzoo.load(bundle, role="encoder", runtime=runtime)


def test_inconsistent_roles_are_refused(encoding, tmp_path):
    bundle = shutil.copytree(encoding[0], tmp_path / "b")
    for roles in ([], ["encoder"], ["generator", "../x"], ["generator", "discriminator"]):
        change_config(bundle, lambda c, roles=roles: c.update(roles=roles))
        with pytest.raises(BundleError):
            ganzoo.load(bundle)


def test_info_names_the_networks(encoding, capsys):
    assert main(["info", str(encoding[0])]) == 0
    assert "generator, encoder" in capsys.readouterr().out


def test_two_dimensional_latents_have_a_figure(encoding, tiny_bundle):
    bundle, _ = encoding
    model = ganzoo.load(bundle, runtime="onnx")
    plane = model.manifold(3).numpy().astype(int)
    assert plane.shape == (9, 16, 16, 1)
    quarter = 0.9674216  # of N(0, 1): where a sixth lies above
    output = model.generate(np.array([[0, 0], [quarter, -quarter]], np.float32))
    expected = ganzoo.ImageBatch.from_unit(output).numpy().astype(int)
    assert np.abs(plane[[4, 2]] - expected).max() <= 1
    assert Image.open(bundle / "manifold.png").size == (4 * (20 * 18 + 2), 4 * (20 * 18 + 2))
    assert "(manifold.png)" in (bundle / "README.md").read_text()
    with pytest.raises(SampleError, match="A plane needs length 2"):
        ganzoo.load(tiny_bundle).manifold()
