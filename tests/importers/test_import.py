"""A recognised checkpoint becomes a bundle, and nothing is lost or made up on the way."""

import io
import itertools
import json
import os
import re
import zipfile

import numpy as np
import pytest
import torch

import ganzoo
from ganzoo import cards
from ganzoo.bundle.files import write_file
from ganzoo.cli import main
from ganzoo.demo.model_cache import ModelCache
from ganzoo.errors import (
    BrokenPluginError,
    BundleError,
    ExportError,
    ImportFileError,
    OutputError,
    PublishError,
)
from ganzoo.exporters import writing
from ganzoo.exporters.checkpoint_networks import build, load
from ganzoo.exporters.reference import compare
from ganzoo.importers import (
    Computed,
    Conversion,
    Importer,
    License,
    convert,
    open_checkpoint,
    recognise,
)
from ganzoo.importers.conversion import ignored_tensors
from ganzoo.importers.recognition import MAX_PARTS, parts
from ganzoo.registry import importers
from ganzoo.runtimes.torch import TorchGenerator
from ganzoo.sampling import latents
from helpers.bundles import finish_card
from helpers.distributions import install
from helpers.processes import run_cli, run_new

DATA = ganzoo.DataSpec(ganzoo.ImageSpec(16, 16, 1))
ARGUMENTS = {"latent_dim": 3, "width": 5}
LICENSE = License("other", "Toy licence", "https://example.com/licence")


class Toy(Importer):
    """Files of a made-up project, "Toys" (Someone, 2020), https://arxiv.org/abs/2001.00001."""

    project = "toys, https://example.com/toys"
    marks = frozenset({"G.scale", "G.head.0.weight"})

    def recognises(self, checkpoint):
        return self.marks <= checkpoint.tensors.keys()

    def convert(self, checkpoint, *, with_discriminator: bool = True, licensed: bool = False):
        """Convert a file.

        Args:
            with_discriminator: import it too.
            licensed: whether the format fixes the licence.
        """
        weights = {"generator": {}, "discriminator": {}}
        for path in checkpoint.tensors:
            part, _, name = path.partition(".")
            if part == "D":
                weights["discriminator"][name] = path
            elif part == "G" and name != "scale":
                target = name.replace("head.", "layers.")
                weights["generator"][target] = Computed(
                    lambda a, scale: a * scale, (path, "G.scale")
                )
        ignored = {"optimizer.*": "state of the optimizer"}
        if not with_discriminator:
            del weights["discriminator"]
            ignored["D.*"] = "discriminator"
        return Conversion(
            "mlp",
            ARGUMENTS,
            DATA,
            weights,
            ignored,
            options={"steps": checkpoint.values["steps"], "widths": (5, 5)},
            deviations=("weights are scaled",),
            license=LICENSE if licensed else None,
        )


def networks():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return ganzoo.architectures.get("mlp")(DATA, **ARGUMENTS)


def content():
    """A file of the project: the weights divided by two, and a scale of two."""
    nets = networks()
    generator = {
        f"G.{name.replace('layers.', 'head.')}": weight / 2
        for name, weight in nets["generator"].state_dict().items()
    }
    discriminator = {f"D.{k}": v for k, v in nets["discriminator"].state_dict().items()}
    optimizer = {"optimizer.exp_avg": torch.ones(2)}
    return {**generator, "G.scale": torch.tensor(2.0), **discriminator, **optimizer, "steps": 7}


@pytest.fixture(autouse=True)
def toy():
    importers.register("toy")(Toy)
    yield
    importers.unregister("toy")


@pytest.fixture
def file(tmp_path):
    torch.save(content(), tmp_path / "toy.pt")
    return tmp_path / "toy.pt"


def save(path, state):
    torch.save(state, path)
    return path


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("imported")
    importers.register("toy")(Toy)
    path = save(folder / "toy.pt", content())
    z = torch.randn(5, 3)
    images = networks()["generator"].eval()(z).detach()
    np.savez(folder / "reference.npz", z=z.numpy(), images=images.numpy())
    return ganzoo.import_checkpoint(
        path,
        folder / "My Toy",
        description="a toy: small",
        url="https://example.com/toy.pt",
        reference=folder / "reference.npz",
    )


@pytest.mark.parametrize("runtime", ["torch", "onnx"])
def test_the_images_are_those_of_the_original(bundle, runtime):
    model = ganzoo.load(bundle, runtime=runtime)
    assert model.spec.name == "my-toy"
    z = ganzoo.latents.normal(0, 4, 3)
    with torch.no_grad():
        expected = networks()["generator"].eval()(torch.from_numpy(z))
    assert np.abs(model.run({"z": z}) - expected.numpy()).max() < 1e-6


def test_the_config_says_where_the_model_comes_from(bundle):
    spec = ganzoo.info(bundle)
    imported = spec.provenance["imported"]
    assert (imported["importer"], imported["file"]) == ("toy", "toy.pt")
    assert imported["options"] == {"steps": 7, "widths": [5, 5]}
    assert imported["ignored"] == {"state of the optimizer": 1}
    assert imported["deviations"] == ["weights are scaled"]
    assert imported["license"] is None
    assert imported["reference"]["images"] == 5
    assert imported["reference"]["max_abs_error"] < 1e-6
    assert spec.training_roles == ("discriminator",)


def test_the_discriminator_is_kept_bit_for_bit_for_further_training(bundle):
    from ganzoo.bundle import open_bundle
    from ganzoo.runtimes.torch import load_torch

    expected = networks()["discriminator"].state_dict()
    loaded = load_torch(open_bundle(bundle), "discriminator").network.state_dict()
    assert all(torch.equal(loaded[name], weight) for name, weight in expected.items())
    assert not (bundle / "discriminator.onnx").exists()


def test_the_card_needs_no_recipe(bundle):
    card = (bundle / "README.md").read_text()
    for text in (
        "## Where it comes from",
        "a toy: small",
        "| original program | toys, https://example.com/toys |",
        "| not imported | 1 tensor: state of the optimizer |",
        "| difference from the original | weights are scaled |",
        "5 images in [-1, 1]: the largest difference is",
        "https://example.com/toy.pt",
        "kept for further training",
        "Toys",
    ):
        assert text in card
    assert "## Training" not in card
    (problem,) = [p for p in cards.check(bundle) if "TODO" not in p]
    assert problem.startswith("the card's header states no licence, which a push needs")


def test_every_command_takes_an_imported_bundle(bundle, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    name = str(bundle)
    for command in (
        ["info", name],
        ["sample", name, "-n", "4", "--runtime", "onnx"],
        ["export", name, "-o", "half", "--precision", "fp16", "--no-figures"],
        ["export", name, "-o", "triton", "--for", "triton"],
        ["export", name, "-o", "page", "--for", "web"],
        ["card", "write", name],
        ["gallery", name, "-o", "gallery"],
        ["evaluate", name, "--dataset", "digits", "--samples", "64", "--extractor", "pixels"],
        ["plot", "interpolation", name],
    ):
        assert main(command) == 0, capsys.readouterr().err
    assert (tmp_path / "half" / "discriminator.safetensors").is_file()
    out = capsys.readouterr().out
    assert "toy.pt" in out
    assert "  data " not in out, "an imported bundle states no data"


def test_a_push_needs_a_licence(bundle, tmp_path, file):
    from ganzoo.hub.repo_files import pack

    finish_card(bundle)
    with pytest.raises(PublishError, match=r"licence .* is missing"):
        pack(bundle, "org/toy", None)
    licensed = ganzoo.import_checkpoint(file, tmp_path / "b", license="mit", figures=False)
    assert "license: mit" in (licensed / "README.md").read_text()
    preset = ganzoo.import_checkpoint(file, tmp_path / "c", figures=False, licensed=True)
    header = (preset / "README.md").read_text().split("---")[1]
    assert "license: other\nlicense_name: Toy licence\nlicense_link: https://" in header


def test_a_clone_of_a_published_import_is_a_whole_bundle(tmp_path, file):
    """Its config lists the discriminator, which is kept for further training."""
    from ganzoo.hub.repo_files import pack, read

    bundle = ganzoo.import_checkpoint(file, tmp_path / "a", license="mit", figures=False)
    finish_card(bundle)
    card = bundle / "README.md"
    card.write_text(card.read_text().replace("TODO:", "Ours:"))
    for name, content in pack(bundle, "org/toy").contents.items():
        write_file(tmp_path / "clone" / name, read(content))
    assert ganzoo.load(tmp_path / "clone").spec == ganzoo.info(bundle)
    assert ganzoo.export(tmp_path / "clone", tmp_path / "half", precision="fp16", figures=False)


@pytest.fixture
def torch_alone(tmp_path, file, monkeypatch):
    """Import a network whose export fails, with a reason of a hostile length."""

    def fail(model, role, precision="fp32"):
        raise ExportError("cannot export it.", f"<b>no\x1b[2J operator{' x' * 300}")

    monkeypatch.setattr(writing, "prove", fail)
    with pytest.warns(UserWarning, match="gets no ONNX file and runs on torch alone: <b>no"):
        return ganzoo.import_checkpoint(file, tmp_path / "alone", license="mit", figures=False)


def test_a_network_that_does_not_export_runs_on_torch_alone(
    torch_alone, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    name, reason = "./alone", "its export to ONNX failed: <b>no [2J operator x x"
    spec = ganzoo.info(torch_alone)
    assert not list(torch_alone.glob("*.onnx"))
    assert "parity" not in spec.provenance
    assert len(spec.onnx_failure) <= 303
    with pytest.raises(BundleError, match=re.escape(reason)):
        ganzoo.load(torch_alone, runtime="onnx")
    z = latents.normal(0, 3, ARGUMENTS["latent_dim"])
    expected = networks()["generator"].eval()(torch.from_numpy(z)).detach().numpy()
    np.testing.assert_allclose(ganzoo.load(torch_alone).run({"z": z}), expected, atol=1e-6)
    model = ModelCache.of([name]).generator(name)
    assert isinstance(model, TorchGenerator), "on the page of the demo"
    for command in (
        ["sample", name, "--runtime", "onnx"],
        ["export", name, "-o", "triton", "--for", "triton"],
        ["export", name, "-o", "page", "--for", "web-cdn"],
    ):
        assert main(command) == 1
        assert reason in " ".join(capsys.readouterr().err.split())
    for command in (["info", name], ["card", "write", name], ["gallery", name, "-o", "g.html"]):
        assert main(command) == 0, capsys.readouterr().err
    assert "onnx           none, so it runs on torch alone: <b>no" in capsys.readouterr().out
    card = (torch_alone / "README.md").read_text()
    assert "| ONNX | none, because the export failed: &lt;b>no" in card
    assert "model.onnx" not in card
    assert "- onnx\n" not in card.split("---")[1]


def test_a_network_that_runs_on_torch_alone_is_published_without_a_space(torch_alone):
    from ganzoo.hub import push
    from ganzoo.hub.repo_files import pack

    finish_card(torch_alone)
    card = torch_alone / "README.md"
    card.write_text(card.read_text().replace("TODO:", "Ours:"))
    files = pack(torch_alone, "org/toy")
    assert "model.safetensors" in files.contents
    assert "model.onnx" not in files.contents
    with pytest.raises(BundleError, match="has no model.onnx, because its export to ONNX failed"):
        push(torch_alone, "org/toy", dry_run=True, space=True)


def test_a_later_export_writes_the_missing_onnx_file(torch_alone, tmp_path, monkeypatch):
    monkeypatch.undo()
    out = ganzoo.export(torch_alone, tmp_path / "again", figures=False)
    assert not ganzoo.info(out).onnx_failure
    assert ganzoo.load(out, runtime="onnx").sample(1)


def test_a_network_with_random_images_is_refused(file, tmp_path, monkeypatch):
    def fail(model, role, precision="fp32"):
        raise ExportError("cannot export it.")

    monkeypatch.setattr(writing, "prove", fail)
    monkeypatch.setattr(TorchGenerator, "forward", lambda self, z: torch.rand(len(z), 1, 16, 16))
    with pytest.raises(ExportError, match="torch returns different images each time"):
        ganzoo.import_checkpoint(file, tmp_path / "b", figures=False)
    assert not (tmp_path / "b").exists()


def test_inspect_needs_no_torch_and_shows_the_conversion(file, capsys):
    assert main(["import", str(file), "--inspect"]) == 0
    out = capsys.readouterr().out
    assert "format      toy of" in out
    assert "becomes     mlp(latent_dim=3, width=5), generator, discriminator" in out
    assert "ignored     1 tensor: state of the optimizer" in out
    assert "licence     not known: state it with --license" in out
    assert out.index("licence") < out.index("G.head.0.weight"), "the summary comes first"


def test_options_of_the_format_are_options_of_the_command(file, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["import", str(file), "-o", str(out), "--no-with-discriminator", "--no-figures"]
    assert main([*command, "--name", "plain", "--license", "mit"]) == 0
    printed = capsys.readouterr()
    assert "toy.pt: toy, toys" in printed.err
    assert f"next: ganzoo sample {out}" in printed.out
    spec = ganzoo.info(out)
    assert (spec.name, spec.training_roles) == ("plain", ())
    assert spec.provenance["imported"]["ignored"]["discriminator"] == 4
    config = json.loads((out / "config.json").read_text())
    assert (config["training_roles"], config["compute_batch"]) == ([], 16)


def change(**changes):
    """The content of a file with tensors replaced; None removes one."""
    state = content() | {k.replace("__", "."): v for k, v in changes.items()}
    return {name: value for name, value in state.items() if value is not None}


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (change(**{"D.last.bias": None}), "missing last.bias"),
        (change(**{"G.extra": torch.ones(1)}), "unknown generator.extra|unknown extra"),
        (change(**{"other": torch.ones(1)}), "have: other"),
        (change(**{"other": torch.ones(1).to(torch.float8_e5m2)}), "have: other"),
        (change(**{"G.head.0.weight": torch.ones(5, 4)}), "is 5x4, not 5x3"),
        (change(**{"G.head.0.weight": torch.full((5, 3), torch.nan)}), "NaN or infinite weights"),
        (change(**{"D.last.bias": torch.ones(1, dtype=torch.int8)}), "last.bias is int8, not fl"),
        (change(steps=None), "lacks 'steps'"),
        (change(**{"G.scale": None}), "no importer recognises"),
    ],
    ids=[
        *("missing", "extra", "unaccounted", "float8", "misshaped", "nan"),
        *("integers", "value", "mark"),
    ],
)
def test_an_incomplete_file_is_refused_and_nothing_written(tmp_path, state, message):
    path = save(tmp_path / "bad.pt", state)
    with pytest.raises(ImportFileError, match=message):
        ganzoo.import_checkpoint(path, tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["bad.pt"]


def test_an_unknown_format_names_the_keys_and_the_nearest_importers(tmp_path):
    path = save(tmp_path / "other.pt", {"G.scale": torch.ones(1), "body.weight": torch.ones(2)})
    with pytest.raises(ImportFileError) as error:
        ganzoo.import_checkpoint(path, tmp_path / "out")
    text = str(error.value)
    assert "has the 2 tensors G.scale, body.weight." in text
    assert "Nearest: toy (1 of 2 marks, missing 'G.head.0.weight')" in text
    assert "--inspect" in text
    with pytest.raises(ImportFileError, match=r"the importer 'toy' does not .*, or leave out --as"):
        ganzoo.import_checkpoint(path, tmp_path / "out", format="toy")


def test_a_part_of_a_file_is_found(tmp_path):
    wrapped = {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in content().items()}}
    path = save(tmp_path / "wrapped.pt", wrapped)
    bundle = ganzoo.import_checkpoint(path, tmp_path / "out", figures=False)
    assert ganzoo.info(bundle).provenance["imported"]["network"] == "state_dict.module"


@pytest.mark.parametrize(
    "names",
    [
        *("g_ema", "G_ema", "ema", "ema_model", "model_ema", "params_ema", "generator_ema"),
        *("netG", "G", "gen", "generator", "G_state_dict", "netG_state_dict", "generator_model"),
        *("params", "model_state_dict", "state_dict.module", "ema.generator", "weights.gen"),
    ],
)
def test_weights_are_found_under_the_usual_names(tmp_path, names):
    state = content()
    for name in reversed(names.split(".")):
        state = {name: state, "optimizer_state_dict": {"step": torch.ones(1)}}
    match = recognise(open_checkpoint(save(tmp_path / "wrapped.pt", state)))
    assert (match.part, match.entry.name) == (names, "toy")


def test_many_usual_names_cost_no_search_for_each(tmp_path):
    spellings = {
        "".join(letters) for letters in itertools.product("sS", "hH", "aA", "dD", "oO", "wW")
    }
    path = save(tmp_path / "a.pt", {name: {"shadow": {"a": torch.ones(1)}} for name in spellings})
    assert len(list(parts(open_checkpoint(path)))) <= 1 + 2 * MAX_PARTS
    with pytest.raises(ImportFileError, match="no importer recognises"):
        recognise(open_checkpoint(path))


def test_averaged_weights_come_before_others(tmp_path):
    for order in (("G", "ema"), ("ema", "G")):
        state = {name: content() for name in order}
        assert recognise(open_checkpoint(save(tmp_path / "a.pt", state))).part == "ema"


def test_what_lies_outside_of_the_part_is_counted(tmp_path):
    state = {"state_dict": content(), "optim": {"exp_avg": torch.ones(2), "step": torch.ones(1)}}
    bundle = ganzoo.import_checkpoint(save(tmp_path / "a.pt", state), tmp_path / "out")
    ignored = ganzoo.info(bundle).provenance["imported"]["ignored"]
    assert ignored["not in the part 'state_dict'"] == 2


def test_reasons_are_in_the_order_of_the_file(file):
    match = recognise(open_checkpoint(file))
    ignored = ignored_tensors(convert(match, {"with_discriminator": False}), match.checkpoint)
    assert list(ignored) == [path for path in content() if path[:2] in ("D.", "op")]


def test_two_importers_of_one_file_are_told_apart_by_as(file, tmp_path):
    importers.register("toy-two")(type("Two", (Toy,), {}))
    try:
        with pytest.raises(ImportFileError, match="may be of toy, toy-two. Choose one with --as"):
            ganzoo.import_checkpoint(file, tmp_path / "out")
        out = ganzoo.import_checkpoint(file, tmp_path / "out", format="toy-two", figures=False)
    finally:
        importers.unregister("toy-two")
    assert ganzoo.info(out).provenance["imported"]["importer"] == "toy-two"


def test_a_broken_importer_of_others_does_not_stop_an_import(tmp_path, file):
    points = {"importers": {"broken": "acme_broken:Absent"}}
    install(tmp_path / "site", "acme-broken", points, acme_broken="")
    env = {"PYTHONPATH": str(tmp_path / "site")}
    result = run_cli("import", file, "--inspect", env=env)
    assert "an importer is left out: importer 'broken' is installed but" in result.stderr
    assert "format      " in result.stdout


class WithoutMarks(Importer):
    """A class of a plugin that forgot its marks, and fails on every file."""

    project = "others, https://example.com"

    def recognises(self, checkpoint):
        raise RuntimeError("not yet")

    def convert(self, checkpoint):
        raise RuntimeError("not yet")


class Abstract(Importer):
    """A class that lacks a method, so it cannot be created."""

    marks = frozenset({"G.scale"})


class Failing(WithoutMarks):
    """A class that fails on every file."""

    marks = frozenset({"G.scale"})


@pytest.mark.parametrize(
    ("importer", "says"),
    [
        (WithoutMarks, "no ganzoo.importers.Importer with a set of marks"),
        (Abstract, "could not be built"),
        (Failing, "not yet"),
    ],
)
def test_a_faulty_importer_of_others_stops_no_import(tmp_path, file, importer, says):
    importers.register("faulty")(importer)
    try:
        with pytest.warns(UserWarning, match=says):
            ganzoo.import_checkpoint(file, tmp_path / "out", figures=False)
        with pytest.warns(UserWarning, match=says), pytest.raises(ImportFileError, match="no imp"):
            ganzoo.import_checkpoint(save(tmp_path / "b.pt", {"x": torch.ones(1)}), tmp_path / "b")
        if importer is Failing:
            importer.recognises = lambda self, checkpoint: True
            with pytest.raises(BrokenPluginError, match="importer 'faulty' failed: RuntimeError"):
                ganzoo.import_checkpoint(file, tmp_path / "c", format="faulty")
    finally:
        importers.unregister("faulty")


def test_weights_are_computed_in_float32_from_a_file_in_half_precision(tmp_path):
    state = {k: v.half() if torch.is_tensor(v) else v for k, v in content().items()}
    state["G.scale"] = torch.tensor(3.0).half()
    match = recognise(open_checkpoint(save(tmp_path / "half.pt", state)))
    conversion = convert(match, {})
    nets = build(conversion)[2]
    load(match, conversion, nets)
    expected = 3 * state["G.head.0.weight"].float()
    assert not torch.equal(expected, expected.half().float())
    assert torch.equal(nets["generator"].state_dict()["layers.0.weight"], expected)


def test_the_command_says_how_far_the_images_are_from_the_reference(file, tmp_path, capsys):
    z = torch.randn(2, 3)
    images = networks()["generator"].eval()(z).detach().numpy()
    np.savez(tmp_path / "r.npz", z=z.numpy(), images=images)
    command = ["import", str(file), "-o", str(tmp_path / "out"), "--no-figures"]
    assert main([*command, "--reference", str(tmp_path / "r.npz")]) == 0
    assert "images differ from the original program's by at most" in capsys.readouterr().out


def test_an_inspection_of_an_incomplete_file_says_why_it_is_not_imported(tmp_path, capsys):
    path = save(tmp_path / "bad.pt", change(steps=None))
    assert main(["import", str(path), "--inspect"]) == 0
    out = capsys.readouterr().out
    assert "format      toy, not imported: bad.pt is not a complete file of 'toy'" in out
    assert "G.head.0.weight" in out


def test_another_reference_is_refused_and_nothing_written(file, tmp_path):
    z = np.zeros((2, 3), np.float32)
    np.savez(tmp_path / "r.npz", z=z, images=np.ones((2, 1, 16, 16), np.float32))
    with pytest.raises(ImportFileError, match="but at most 0.0001 is rounding"):
        ganzoo.import_checkpoint(file, tmp_path / "out", reference=tmp_path / "r.npz")
    for content in (b"# A heading", b"PK\x03\x04", b""):
        (tmp_path / "r.npz").write_bytes(content)
        with pytest.raises(ImportFileError, match=r"r\.npz is not an archive of arrays\. Save"):
            ganzoo.import_checkpoint(file, tmp_path / "out", reference=tmp_path / "r.npz")
    np.savez(tmp_path / "r.npz", images=np.ones((2, 1, 16, 16), np.float32))
    with pytest.raises(ImportFileError, match="the model needs images, z"):
        ganzoo.import_checkpoint(file, tmp_path / "out", reference=tmp_path / "r.npz")
    assert not (tmp_path / "out").exists()


def save_reference(path, **changes):
    arrays = {"z": np.zeros((2, 3), np.float32), "images": np.zeros((2, 1, 16, 16), np.float32)}
    np.savez(path, **arrays | changes)
    return path


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"z": np.zeros((0, 3)), "images": np.zeros((0, 1, 16, 16))},
            "different lengths, or empty",
        ),
        ({"images": np.float32(0)}, "different lengths, or empty"),
        ({"z": np.zeros((2, 3), complex)}, "z of type complex128. Save real numbers"),
        ({"z": np.array([{}, {}])}, "is not an archive of arrays. Save it with numpy.savez"),
        ({"z": np.full((2, 3), np.nan)}, "z with NaN or infinite values. Save finite numbers"),
        ({"images": np.full((2, 1, 16, 16), np.inf)}, "images with NaN or infinite values"),
        (
            {"images": np.zeros((2, 16, 16))},
            r"shape \(2, 16, 16\); the model makes \(2, 1, 16, 16\)",
        ),
        ({"z": np.zeros((2, 7))}, "does not fit the model's inputs"),
        ({"w": np.zeros(2)}, "holds images, w, z; the model needs images, z"),
    ],
)
def test_a_reference_that_compares_nothing_is_refused(file, tmp_path, changes, says):
    reference = save_reference(tmp_path / "r.npz", **changes)
    with pytest.raises(ImportFileError, match=says):
        ganzoo.import_checkpoint(file, tmp_path / "out", reference=reference)


@pytest.mark.parametrize("shape", [(2**50,), (2**70,), (-1,)])
def test_a_reference_with_an_impossible_size_is_refused(file, tmp_path, shape):
    reference = save_reference(tmp_path / "r.npz")
    content = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_2_0(content, header)
    with zipfile.ZipFile(tmp_path / "huge.npz", "w") as new, zipfile.ZipFile(reference) as old:
        new.writestr("images.npy", old.read("images.npy"))
        new.writestr("z.npy", content.getvalue())
    with pytest.raises(ImportFileError, match="is not an archive of arrays"):
        ganzoo.import_checkpoint(file, tmp_path / "out", reference=tmp_path / "huge.npz")


def test_a_reference_is_a_file_whose_arrays_fit_into_memory(file, tmp_path, monkeypatch):
    reference = save_reference(tmp_path / "r.npz")
    os.mkfifo(tmp_path / "pipe.npz")
    with pytest.raises(ImportFileError, match=r"pipe\.npz is not a file\. Pass one of"):
        ganzoo.import_checkpoint(file, tmp_path / "out", reference=tmp_path / "pipe.npz")
    monkeypatch.setattr("ganzoo.exporters.reference.MAX_BYTES", 2_000)
    with pytest.raises(ImportFileError, match=r"have 2,328 bytes; the limit is 2,000\. Save"):
        ganzoo.import_checkpoint(file, tmp_path / "out", reference=reference)


def test_labels_of_a_reference_are_whole_numbers(tmp_path):
    model = ganzoo.load("cgan-mnist", runtime="torch")
    z = latents.normal(0, 2, 100)
    images = model.run({"z": z, "y": np.array([1, 2])})
    good = save_reference(tmp_path / "a.npz", z=z, y=np.array([1.0, 2.0]), images=images)
    assert compare(model, good)["max_abs_error"] < 1e-6
    wrong = save_reference(tmp_path / "b.npz", z=z, y=np.array([1.5, 2.0]), images=images)
    with pytest.raises(ImportFileError, match=r"no whole numbers, such as 1\.5"):
        compare(model, wrong)


def test_weights_beyond_float32_are_refused(tmp_path):
    values = content()
    name = next(name for name in values if name.startswith("D.") and name.endswith("weight"))
    values[name] = values[name].double() * 1e300
    torch.save(values, tmp_path / "toy.pt")
    with pytest.raises(ImportFileError, match=f"infinite weights: {name[2:]} of the disc"):
        ganzoo.import_checkpoint(tmp_path / "toy.pt", tmp_path / "out")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"labels": ["cat"]}, "there are 1 labels for 0 classes"),
        ({"name": "a b"}, "the name 'a b' must be letters and digits"),
    ],
)
def test_a_wrong_name_or_label_is_one_error(file, tmp_path, options, says):
    with pytest.raises(ImportFileError, match=f"toy.pt cannot be imported: {says}"):
        ganzoo.import_checkpoint(file, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_a_comparison_with_the_original_is_of_the_weights_in_the_bundle(file, tmp_path):
    out, z = tmp_path / "out", latents.normal(0, 2, 3)
    with torch.no_grad():
        images = networks()["generator"].eval()(torch.from_numpy(z)).numpy()
    reference = save_reference(tmp_path / "r.npz", z=z, images=images)
    ganzoo.import_checkpoint(file, out, reference=reference, figures=False)
    options = {"precision": "fp16", "figures": False}
    half = ganzoo.export(out, tmp_path / "half", **options)
    compared = "the largest difference is"
    assert compared in (out / "README.md").read_text()
    assert compared not in (half / "README.md").read_text()
    assert "reference" not in ganzoo.info(half).recorded("imported")
    again = ganzoo.export(out, tmp_path / "again", figures=False)
    assert compared in (again / "README.md").read_text()


class Rounding(torch.nn.Module):
    """A generator whose float32 numbers have errors of up to 2.5e-4."""

    def __init__(self):
        super().__init__()
        self.large = torch.nn.Parameter(torch.tensor(4096.0))

    def forward(self, z):
        images = ((z[:, :1] + self.large) - self.large).tanh()
        return images[:, :, None, None].expand(-1, -1, 16, 16)


def test_a_reference_may_differ_by_the_rounding_that_the_weights_enlarge(bundle, tmp_path):
    model = TorchGenerator(ganzoo.info(bundle), Rounding())
    z = np.random.default_rng(0).standard_normal((64, 3)).astype(np.float32)
    exact = np.broadcast_to(np.tanh(z[:, :1, None, None]), (64, 1, 16, 16))
    np.savez(tmp_path / "r.npz", z=z, images=exact)
    compared = compare(model, tmp_path / "r.npz")
    assert 1e-4 < compared["max_abs_error"] < compared["tolerance"] < 1.1e-3
    np.savez(tmp_path / "r.npz", z=z, images=exact + 2e-3 * np.sign(-exact))
    with pytest.raises(
        ImportFileError, match=r"differ .* by 0\.00\d+, but at most 0\.00\d+ is round"
    ):
        compare(model, tmp_path / "r.npz")


def test_images_of_a_reference_are_clamped_like_those_of_the_model(file, tmp_path):
    z = 100 * torch.randn(4, 3)  # the tanh reaches -1 and 1
    images = networks()["generator"].eval()(z).detach().numpy()
    assert np.abs(images).max() == 1
    beyond = np.where(np.abs(images) == 1, 1.5 * images, images)
    np.savez(tmp_path / "r.npz", z=z.numpy(), images=beyond)
    ganzoo.import_checkpoint(file, tmp_path / "out", reference=tmp_path / "r.npz", figures=False)


def test_an_existing_folder_and_an_unknown_option_are_refused(file, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    with pytest.raises(OutputError, match="exists already"):
        ganzoo.import_checkpoint(file, tmp_path / "out")
    with pytest.raises(ImportFileError, match="'with_generator'"):
        ganzoo.import_checkpoint(file, tmp_path / "b", with_generator=True)
    with pytest.raises(OutputError, match=r"toy\.pt is not a folder that you can write to"):
        ganzoo.import_checkpoint(file, file / "out")
    assert main(["import", str(file)]) == 1
    assert "Add -o OUT" in capsys.readouterr().err
    assert main(["import", "-o", "x"]) == 2
    assert main(["import"]) == 0
    assert "toy" in capsys.readouterr().out


def test_a_long_name_does_not_widen_the_whole_list(tmp_path, capsys):
    state = {"a" * 900: torch.ones(1), "b": torch.ones(2)}
    assert main(["import", str(save(tmp_path / "a.pt", state)), "--inspect"]) == 0
    (line,) = [x for x in capsys.readouterr().out.splitlines() if x.startswith("    b ")]
    assert len(line) < 120
    assert line.endswith("float32   2")


def test_inspecting_imports_no_torch(file):
    code = f"""
import sys
from ganzoo.cli import main
main(["import", {str(file)!r}, "--inspect"])
assert "torch" not in sys.modules
"""
    result = run_new("-c", code)
    assert result.returncode == 0, result.stderr
