import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

import ganzoo
from ganzoo import DataSpec
from ganzoo.cli import main
from ganzoo.errors import BundleError, ExportError, RecipeError, RunNotFoundError
from ganzoo.exporters.parity import check_parity
from ganzoo.registry import architectures
from ganzoo.sampling import latents
from ganzoo.spec import Component
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
    state.load_state_dict(ganzoo.training.run.load_checkpoint(tiny_run / "checkpoints")["state"])
    for name, tensor in state.ema.networks["generator"].state_dict().items():
        assert torch.equal(tensor, exported.network.state_dict()[name])


def test_parity_is_measured_and_kept(tiny_bundle):
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


def test_the_onnx_graph_carries_no_path_of_the_exporting_machine(tiny_bundle):
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
    (images,) = session.run(None, {"z": np.zeros((n, 8), np.float32)})
    assert images.shape == (n, 1, 16, 16)


def test_export_in_place_and_again(tiny_run, tmp_path):
    run = Path(shutil.copytree(tiny_run, tmp_path / "run"))
    with pytest.raises(BundleError, match=r"holds no model\.onnx\. Write it with `ganzoo export"):
        ganzoo.load(run / "bundle", runtime="onnx")
    assert ganzoo.export(run) == run / "bundle"
    first = (run / "bundle" / "model.onnx").read_bytes()
    assert ganzoo.export(run / "bundle") == run / "bundle"
    assert (run / "bundle" / "model.onnx").read_bytes() == first
    assert [p.name for p in run.iterdir() if p.name.startswith(".")] == [".lock"]


def test_export_refuses_what_is_no_run_and_never_replaces_other_folders(tiny_run, tmp_path):
    with pytest.raises(RunNotFoundError, match="neither a run nor a bundle"):
        ganzoo.export(tmp_path / "absent")
    with pytest.raises(RunNotFoundError, match="`ganzoo train RECIPE` writes a run"):
        ganzoo.export(tmp_path)
    (tmp_path / "thesis.txt").write_text("mine")
    for config in (False, True):
        if config:
            (tmp_path / "config.json").write_text("{}")
        with pytest.raises(BundleError, match="is not replaced"):
            ganzoo.export(tiny_run, tmp_path)
        assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_export_does_not_replace_a_bundle_with_notes_in_it(tiny_run, bundle):
    (bundle / "notes.txt").write_text("mine")
    assert ganzoo.load(bundle), "a stray note does no harm"
    with pytest.raises(BundleError, match="is not replaced"):
        ganzoo.export(tiny_run, bundle)
    (bundle / "notes.txt").unlink()
    assert ganzoo.export(tiny_run, bundle) == bundle


class Faint(nn.Module):
    """A generator whose images are as strong as an argument says."""

    def __init__(self, strength):
        super().__init__()
        self.layer = nn.Linear(4, 256)
        self.strength = strength

    def forward(self, z):
        return self.strength * self.layer(z).tanh().view(-1, 1, 16, 16)


def faint(data: DataSpec, *, latent_dim: int = 4, strength: float = 1.0) -> dict[str, nn.Module]:
    """Of a strength that can be chosen after training."""
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


@pytest.mark.parametrize("runtime", ["torch", "onnx"])
def test_an_argument_that_leaves_the_weights_can_be_chosen_after_training(
    faint_run, tmp_path, runtime
):
    whole = ganzoo.export(faint_run, tmp_path / "whole")
    command = ["export", str(faint_run), "-o", str(tmp_path / "half")]
    assert main([*command, "--arguments", "strength", "0.5"]) == 0
    assert ganzoo.info(tmp_path / "half").arguments == {"latent_dim": 4, "strength": 0.5}
    assert "strength 0.5" in (tmp_path / "half" / "README.md").read_text()
    z = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    a, b = (
        ganzoo.load(folder, runtime=runtime).generate(z) for folder in (whole, tmp_path / "half")
    )
    np.testing.assert_allclose(a, 2 * b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"strenght": 1.0}, RecipeError, r"no argument 'strenght'\. Did you mean 'strength'"),
        ({"strength": "much"}, RecipeError, "'strength': .*valid number.*not 'much'"),
        ({"strength": -1.0}, ExportError, r"cannot have strength -1\.0 .*strength is below 0"),
    ],
)
def test_an_argument_that_cannot_be_chosen(faint_run, tmp_path, arguments, error, says):
    with pytest.raises(error, match=says):
        ganzoo.export(faint_run, tmp_path / "out", arguments=arguments)
    assert not (tmp_path / "out").exists()


def test_an_argument_that_other_weights_belong_to(tiny_run, tmp_path):
    with pytest.raises(
        ExportError, match=r"'tiny' cannot have width 8 after training: its weights"
    ):
        ganzoo.export(tiny_run, tmp_path / "out", arguments={"width": 8})


def test_a_bundle_whose_provenance_is_not_ours_has_no_card(bundle):
    change_config(bundle, lambda c: c.update(provenance={"versions": 3}))
    assert main(["info", str(bundle)]) == 0
    with pytest.raises(BundleError, match="does not say all that a card states"):
        ganzoo.export(bundle)


class Restless(nn.Module):
    """A generator that breaks the contract: it draws random numbers."""

    def __init__(self, fixed: bool) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 256)
        self.fixed = fixed

    def forward(self, z):
        noise = 0.0 if self.fixed else torch.randn_like(self.layer(z))
        images = torch.tanh(self.layer(z) + noise).reshape(-1, 1, 16, 16)
        return images[:5] if self.fixed else images


@pytest.mark.parametrize("fixed", [False, True])
def test_an_export_that_fails_parity_is_refused(tmp_path, fixed):
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
        for generator in [ganzoo.load(run / "bundle")]:
            generator.network.fixed = fixed
        if fixed:
            other = ganzoo.load(run / "bundle")
            other.network.fixed = False
            with pytest.raises(ExportError, match="refused: of what should be the same"):
                check_parity(other, generator, "generator")
        with pytest.raises(
            ExportError, match="the export of the generator is refused: torch and onnxruntime"
        ):
            ganzoo.export(run)
    finally:
        architectures.unregister("restless")
    assert {p: p.read_bytes() for p in run.rglob("*") if p.is_file()} == before


def test_the_card_is_whole_and_its_figures_are_the_configs(tiny_bundle):
    card = (tiny_bundle / "README.md").read_text()
    spec = ganzoo.info(tiny_bundle)
    header, body = card.removeprefix("---\n").split("---\n", 1)
    assert "license: cc-by-4.0\n" in header
    assert "library_name: ganzoo\n" in header
    sections = body.split("\n## ")
    assert [s.splitlines()[0] for s in sections[1:]] == [
        "What it is and what it is for",
        "Use",
        "Pictures",
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


def test_of_a_long_log_lines_are_left_out_and_never_the_last(tmp_path):
    run = ganzoo.train(tiny(images=32), out=tmp_path / "run", progress=False).path
    log = run / "bundle" / "training" / "log.jsonl"
    line = json.loads(log.read_text().splitlines()[-1])
    for length, kept in ((500, 500), (501, 251), (1003, 335)):
        numbered = [json.dumps(line | {"tick": k}) for k in range(length)]
        log.write_text("\n".join(numbered) + "\n")
        rehash(run / "bundle")
        out = ganzoo.export(run / "bundle", tmp_path / str(length))
        found = (out / "training/log.jsonl").read_text().splitlines()
        assert len(found) == kept
        assert found[-1] == numbered[-1]


@pytest.fixture(scope="module")
def half_bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("half")
    recipe = tiny(architecture=Component("dcgan", {"latent_dim": 8, "width": 16}), images=64)
    run = ganzoo.train(recipe, out=folder / "run", progress=False).path
    assert main(["export", str(run), "-o", str(folder / "bundle"), "--precision", "fp16"]) == 0
    assert main(["export", str(run)]) == 0
    return folder / "run" / "bundle", folder / "bundle"


def test_half_stores_half_and_computes_in_float32(half_bundle):
    whole, half = half_bundle
    for name in ("model.safetensors", "model.onnx"):
        assert (half / name).stat().st_size < 0.6 * (whole / name).stat().st_size + 8_000
    with safe_open(half / "model.safetensors", "pt") as file:
        stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    network = ganzoo.load(half, runtime="torch").state_dict()
    for name, tensor in ganzoo.load(whole, runtime="torch").state_dict().items():
        wanted = tensor.half() if tensor.is_floating_point() else tensor
        assert torch.equal(stored[name.removeprefix("network.")], wanted)
        assert network[name].dtype == tensor.dtype
        assert torch.equal(network[name], wanted.to(tensor.dtype))


def test_half_says_how_far_images_moved_and_both_runtimes_agree(half_bundle):
    whole, half = half_bundle
    rounding = ganzoo.info(half).provenance["rounding"]
    assert "rounding" not in ganzoo.info(whole).provenance
    worst = 0.0
    for seed in (0, 1):
        z = latents.normal(seed, 7, 8)
        made = {
            (path, runtime): ganzoo.load(path, runtime=runtime).generate(z)
            for path in (whole, half)
            for runtime in ("torch", "onnx")
        }
        assert np.abs(made[half, "torch"] - made[half, "onnx"]).max() < 1e-5
        worst = max(worst, float(np.abs(made[half, "torch"] - made[whole, "torch"]).max()))
    assert 0 < worst == pytest.approx(rounding["generator"], rel=1e-3)
    assert f"of the generator by at most {rounding['generator']:.1e}" in (
        half / "README.md"
    ).read_text().replace("\n", " ")


def test_what_is_stored_as_half_stays_so_when_exported_again(half_bundle, tmp_path):
    again = ganzoo.export(half_bundle[1], tmp_path / "again")
    for name in ("model.safetensors", "config.json"):
        assert (again / name).read_bytes() == (half_bundle[1] / name).read_bytes()


def test_half_refuses_weights_beyond_its_range(half_bundle, tmp_path):
    large = tmp_path / "large"
    shutil.copytree(half_bundle[0], large)
    weights = load_file(large / "model.safetensors")
    weights[next(k for k in weights if k.endswith("bias"))][0] = 1e6
    metadata = {"ganzoo.config": (large / "config.json").read_text()}
    save_file(weights, large / "model.safetensors", metadata)
    rehash(large)
    with pytest.raises(ExportError, match=r"reaches 1e\+06, and float16 ends at 65,504"):
        ganzoo.export(large, tmp_path / "half", precision="fp16")
    assert not (tmp_path / "half").exists()


def test_a_count_stored_as_a_fraction_is_refused(half_bundle, tmp_path):
    wrong = tmp_path / "wrong"
    shutil.copytree(half_bundle[0], wrong)
    weights = load_file(wrong / "model.safetensors")
    count = next(k for k in weights if k.endswith("num_batches_tracked"))
    weights[count] = weights[count].float()
    metadata = {"ganzoo.config": (wrong / "config.json").read_text()}
    save_file(weights, wrong / "model.safetensors", metadata)
    rehash(wrong)
    with pytest.raises(BundleError, match="holds torch.float32 in the file and torch.int64"):
        ganzoo.load(wrong, runtime="torch")
