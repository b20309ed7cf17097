import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from safetensors import safe_open
from torch import nn

import ganzoo
from ganzoo import DataSpec, cards
from ganzoo.bundle import Bundle
from ganzoo.bundle.files import write_file
from ganzoo.cli import main
from ganzoo.errors import BundleError, ExportError, RecipeError, RunNotFoundError
from ganzoo.exporters import onnx_graph
from ganzoo.exporters.parity import LARGEST, TOLERANCE, check_parity
from ganzoo.exporters.training_files import read_training
from ganzoo.registry import architectures
from ganzoo.runtimes.torch import TorchGenerator
from ganzoo.sampling import latents
from ganzoo.spec import Component
from ganzoo.training.checkpoint import load_checkpoint
from helpers.bundles import change_config, rehash
from helpers.recipes import tiny


def test_a_bundle_is_complete(tiny_bundle):
    files = {p.relative_to(tiny_bundle).as_posix() for p in tiny_bundle.rglob("*") if p.is_file()}
    assert files == {
        "config.json",
        "model.safetensors",
        "model.onnx",
        "README.md",
        "samples.png",
        "interpolation.png",
        "curves.png",
        "training/recipe.toml",
        "training/log.jsonl",
        "SHA256SUMS",
        ".gitattributes",
    }
    config = (tiny_bundle / "config.json").read_text()
    with safe_open(tiny_bundle / "model.safetensors", "np") as file:
        assert file.metadata() == {"ganzoo.config": config}
    model = onnx.load(tiny_bundle / "model.onnx")
    assert {p.key: p.value for p in model.metadata_props} == {"ganzoo.config": config}
    assert not any(p.stat().st_mode & 0o044 != 0o044 for p in tiny_bundle.rglob("*"))


def test_the_generator_is_the_averaged_one(tiny_run, tiny_bundle):
    snapshot = ganzoo.load(tiny_run / "bundle", runtime="torch")
    exported = ganzoo.load(tiny_bundle, runtime="torch")
    for name, tensor in snapshot.state_dict().items():
        assert torch.equal(tensor, exported.state_dict()[name])
    state = ganzoo.training.prepare(tiny_run / "recipe.toml").state
    state.load_state_dict(load_checkpoint(tiny_run / "checkpoints")["state"])
    for name, tensor in state.ema.networks["generator"].state_dict().items():
        assert torch.equal(tensor, exported.network.state_dict()[name])


def test_parity_is_measured_and_stored(tiny_bundle):
    parity = ganzoo.info(tiny_bundle).provenance["parity"]
    assert parity["batches"] == [1, 7]
    assert 0 <= parity["max_abs_error"] <= parity["tolerance"] < 2 / 255
    session = onnxruntime.InferenceSession(
        tiny_bundle / "model.onnx", providers=["CPUExecutionProvider"]
    )
    network = ganzoo.load(tiny_bundle, runtime="torch")
    worst = 0.0
    for n in parity["batches"]:
        for seed in parity["seeds"]:
            z = latents.normal(seed, n, 8)
            (images,) = session.run(None, {"z": z})
            worst = max(worst, float(np.abs(images - network.generate(z)).max()))
    assert worst == pytest.approx(parity["max_abs_error"], abs=1e-6)


def test_the_onnx_graph_contains_no_local_paths(tiny_bundle):
    content = (tiny_bundle / "model.onnx").read_bytes()
    here = [str(Path(ganzoo.__file__).parent.parent), str(Path(torch.__file__).parent), ".py"]
    for text in ["stack_trace", "site-packages", str(Path.home()), *here]:
        assert text.encode() not in content, text
    for file in tiny_bundle.rglob("*"):
        if file.is_file():
            assert str(tiny_bundle.parent).encode() not in file.read_bytes()


@pytest.mark.parametrize("n", [1, 2, 33])
def test_the_batch_is_dynamic(tiny_bundle, n):
    session = onnxruntime.InferenceSession(
        tiny_bundle / "model.onnx", providers=["CPUExecutionProvider"]
    )
    assert session.get_inputs()[0].shape == ["batch", 8]
    assert ganzoo.info(tiny_bundle).compute_batch == 16
    (images,) = session.run(None, {"z": np.zeros((n, 8), np.float32)})
    assert images.shape == (n, 1, 16, 16)


def test_exports_replace_only_bundles(tiny_run, tiny_bundle, tmp_path):
    run = Path(shutil.copytree(tiny_run, tmp_path / "run"))
    with pytest.raises(BundleError, match=r"has no model\.onnx\. Write it with `ganzoo export"):
        ganzoo.load(run / "bundle", runtime="onnx")
    assert ganzoo.export(run, figures=False) == run / "bundle"
    graph = (run / "bundle" / "model.onnx").read_bytes()
    assert graph == (tiny_bundle / "model.onnx").read_bytes(), "the same run, the same bytes"
    notes = run / "bundle" / "notes.txt"
    notes.write_text("mine")
    assert ganzoo.load(run / "bundle"), "a stray note does no harm"
    with pytest.raises(BundleError, match="is not replaced"):
        ganzoo.export(run / "bundle")
    assert notes.read_text() == "mine"
    notes.unlink()
    assert ganzoo.export(run / "bundle", figures=False) == run / "bundle"
    assert (run / "bundle" / "model.onnx").read_bytes() == graph
    assert [p.name for p in run.iterdir() if p.name.startswith(".")] == [".lock"]


def test_export_refuses_other_folders_as_input_and_output(tiny_run, tmp_path):
    with pytest.raises(RunNotFoundError, match="neither a run nor a bundle"):
        ganzoo.export(tmp_path / "absent")
    with pytest.raises(RunNotFoundError, match="`ganzoo train RECIPE` writes a run"):
        ganzoo.export(tmp_path)
    (tmp_path / "first").mkdir()
    with pytest.raises(RunNotFoundError, match=r"frist is neither .* Did you mean '.*/first'\?"):
        ganzoo.export(tmp_path / "frist")
    (tmp_path / "thesis.txt").write_text("mine")
    for config in (False, True):
        if config:
            (tmp_path / "config.json").write_text("{}")
        with pytest.raises(BundleError, match="is not replaced"):
            ganzoo.export(tiny_run, tmp_path)
        assert (tmp_path / "thesis.txt").read_text() == "mine"


class Faint(nn.Module):
    """A generator whose images are scaled by an argument."""

    def __init__(self, strength):
        super().__init__()
        self.layer = nn.Linear(4, 256)
        self.strength = strength

    def forward(self, z):
        return self.strength * self.layer(z).tanh().view(-1, 1, 16, 16)


def faint(data: DataSpec, *, latent_dim: int = 4, strength: float = 1.0) -> dict[str, nn.Module]:
    """A run whose scale can be changed after training."""
    if strength < 0:
        raise ValueError("strength is below 0")
    critic = nn.Sequential(nn.Flatten(), nn.Linear(256, 1), nn.Flatten(0))
    return {"generator": Faint(strength), "discriminator": critic}


@pytest.fixture(scope="module")
def faint_run(tmp_path_factory):
    architectures.register("faint")(faint)
    recipe = tiny(architecture=Component("faint"), images=16)
    yield ganzoo.train(recipe, out=tmp_path_factory.mktemp("faint") / "run", progress=False).path
    architectures.unregister("faint")


def test_an_argument_without_weights_can_change_after_training(faint_run, tmp_path):
    whole = ganzoo.export(faint_run, tmp_path / "whole", figures=False)
    command = ["export", str(whole), "-o", str(tmp_path / "half"), "--no-figures"]
    assert main([*command, "--arguments", "strength", "0.5"]) == 0
    half = tmp_path / "half"
    assert ganzoo.info(half).arguments == {"latent_dim": 4, "strength": 0.5}
    assert "strength 0.5" in (half / "README.md").read_text()
    assert (whole / "samples.png").is_file(), "the training drew it"
    assert not (half / "samples.png").exists(), "of what other arguments make"
    assert cards.check(half) == cards.check(whole)
    z = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    for runtime in ("torch", "onnx"):
        a, b = (ganzoo.load(folder, runtime=runtime).generate(z) for folder in (whole, half))
        np.testing.assert_allclose(a, 2 * b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"strenght": 1.0}, RecipeError, r"no argument 'strenght'\. Did you mean 'strength'"),
        ({"strength": "much"}, RecipeError, "'strength': .*valid number.*not 'much'"),
        ({"strength": -1.0}, ExportError, r"cannot have strength -1\.0 .*strength is below 0"),
    ],
)
def test_other_arguments_cannot_change_after_training(
    faint_run, tmp_path, arguments, error, message
):
    with pytest.raises(error, match=message):
        ganzoo.export(faint_run, tmp_path / "out", arguments=arguments)
    assert not (tmp_path / "out").exists()


def test_an_argument_that_changes_the_weights_is_refused(tiny_run, tmp_path):
    with pytest.raises(
        ExportError, match=r"'tiny' cannot have width 8 after training: the weights"
    ):
        ganzoo.export(tiny_run, tmp_path / "out", arguments={"width": 8})


def test_a_foreign_provenance_gives_no_card(bundle):
    change_config(bundle, lambda c: c.update(provenance={"versions": 3}))
    assert main(["info", str(bundle)]) == 0
    with pytest.raises(BundleError, match="lacks a value that a card states"):
        ganzoo.export(bundle, figures=False)


class Restless(nn.Module):
    """A generator that breaks the contract: it uses random numbers."""

    def __init__(self, fixed: bool) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 256)
        self.fixed = fixed

    def forward(self, z):
        noise = 0.0 if self.fixed else torch.randn_like(self.layer(z))
        images = torch.tanh(self.layer(z) + noise).reshape(-1, 1, 16, 16)
        return images[:5] if self.fixed else images


def test_an_export_that_fails_parity_is_refused(tmp_path):
    @architectures.register("restless")
    def restless(data, *, latent_dim: int = 4):
        return {
            "generator": Restless(fixed=False),
            "discriminator": nn.Sequential(nn.Flatten(), nn.Linear(256, 1), nn.Flatten(0)),
        }

    try:
        recipe = tiny(architecture=Component("restless"), images=16)
        run = ganzoo.train(recipe, out=tmp_path / "run", progress=False).path
        before = {p: p.read_bytes() for p in run.rglob("*") if p.is_file()}
        fixed, other = ganzoo.load(run / "bundle"), ganzoo.load(run / "bundle")
        fixed.network.fixed = True
        with pytest.raises(ExportError, match="on the same inputs, the networks return"):
            check_parity(other, fixed, "generator")
        with pytest.raises(
            ExportError, match="cannot export the generator: torch and onnxruntime differ"
        ):
            ganzoo.export(run)
    finally:
        architectures.unregister("restless")
    assert {p: p.read_bytes() for p in run.rglob("*") if p.is_file()} == before


def test_ctrl_c_while_the_exporter_is_imported_is_no_error_of_the_network(tiny_bundle, monkeypatch):
    def interrupt(name):
        raise KeyboardInterrupt

    model = ganzoo.load(tiny_bundle, runtime="torch")
    monkeypatch.setattr("ganzoo.exporters.onnx_graph.importlib.import_module", interrupt)
    with pytest.raises(KeyboardInterrupt):
        onnx_graph.trace(model, "generator")


class Imprecise(nn.Module):
    """Images 0 with a rounding error of float32 of up to half the spacing of numbers at `large`."""

    def __init__(self, large, shift=0.0, noise=0.0):
        super().__init__()
        self.large = nn.Parameter(torch.tensor(large))
        self.shift, self.noise = shift, noise

    def forward(self, z):
        images = (z[:, :1, None, None] + self.large) - self.large - z[:, :1, None, None]
        images = images + self.shift + self.noise * torch.rand_like(images)
        return images.expand(-1, -1, 16, 16).clamp(-1, 1)


@pytest.mark.parametrize(
    ("large", "shift", "noise", "passes"),
    [
        (2.0**14, 1.2e-3, 0.0, True),
        (2.0**14, 4.5e-3, 0.0, False),  # more than half a level
        (2.0**12, 1.5e-3, 0.0, False),  # more than four times the rounding
        (1.0, 1.2e-3, 0.0, False),
        (1.0, 0.0, 3.5e-3, False),  # random numbers are no rounding
    ],
)
def test_the_limit_of_parity_grows_with_rounding_within_half_a_level(
    tiny_bundle, large, shift, noise, passes
):
    spec = ganzoo.info(tiny_bundle)
    spec = dataclasses.replace(spec, data=ganzoo.DataSpec(ganzoo.ImageSpec(16, 16, 1)))
    models = [TorchGenerator(spec, Imprecise(large, s, noise)) for s in (0.0, shift)]
    if passes:
        parity = check_parity(*models, "generator")
        assert TOLERANCE < parity["max_abs_error"] < parity["tolerance"] <= LARGEST
    else:
        with pytest.raises(ExportError, match=r"torch's own rounding error is"):
            check_parity(*models, "generator")


def test_the_card_is_complete_and_agrees_with_the_config(tiny_bundle):
    card = (tiny_bundle / "README.md").read_text()
    spec = ganzoo.info(tiny_bundle)
    header, body = card.removeprefix("---\n").split("---\n", 1)
    assert "license: cc-by-4.0\n" in header
    assert "library_name: ganzoo\n" in header
    sections = body.split("\n## ")
    assert [s.splitlines()[0] for s in sections[1:]] == [
        "What it is and what it is for",
        "Use",
        "Figures",
        "Model",
        "Training",
        "Results",
        "Limits",
        "What failure looks like",
        "Data and licence",
        "Citation",
        "Files",
    ]
    assert all(len(s.strip().splitlines()) > 1 for s in sections)
    for figure in (
        f"{spec.provenance['images_seen']:,} images",
        spec.provenance["hardware"],
        spec.provenance["data"]["sha256"],
        f"{spec.provenance['parity']['max_abs_error']:.1e}",
        "latent_dim 8",
    ):
        assert figure in card


def test_the_recipe_in_a_bundle_trains_the_same_model_again(tiny_bundle, tmp_path):
    again = ganzoo.train(
        tiny_bundle / "training" / "recipe.toml", out=tmp_path / "r", progress=False
    )
    a, b = ganzoo.load(tiny_bundle).state_dict(), ganzoo.load(again.bundle).state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)
    log = [json.loads(x) for x in (tiny_bundle / "training/log.jsonl").read_text().splitlines()]
    assert log[-1]["images"] == ganzoo.info(tiny_bundle).provenance["images_seen"]


@pytest.mark.parametrize(("length", "expected"), [(500, 500), (502, 251), (1004, 335)])
def test_a_long_log_is_thinned_and_keeps_its_last_line(tiny_bundle, tmp_path, length, expected):
    entries = [f"{k}\n" for k in range(length)]
    write_file(tmp_path / "training" / "log.jsonl", "".join(entries))
    rehash(tmp_path)
    (log,) = read_training(Bundle(tmp_path, ganzoo.info(tiny_bundle))).values()
    lines = log.decode().splitlines(keepends=True)
    assert len(lines) == expected
    assert lines[-1] == entries[-1]


def test_an_export_without_figures_keeps_existing_ones(bundle, tmp_path):
    log = bundle / "training" / "log.jsonl"
    line = json.loads(log.read_text().splitlines()[-1])
    log.write_text("".join(json.dumps(line | {"tick": k}) + "\n" for k in range(501)))
    rehash(bundle)
    before = {p.name: p.read_bytes() for p in bundle.glob("*.png")}
    out = ganzoo.export(bundle, tmp_path / "out", figures=False)
    assert before.keys() == {"samples.png", "interpolation.png", "curves.png"}
    assert {p.name: p.read_bytes() for p in out.glob("*.png")} == before
    assert len((out / "training/log.jsonl").read_text().splitlines()) == 251
    assert (out / "model.onnx").read_bytes() == (bundle / "model.onnx").read_bytes()
