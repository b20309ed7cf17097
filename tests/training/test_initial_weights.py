"""Trainings that start from the weights of a trained model."""

import json
import re
import shutil
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.utils import parametrizations

import ganzoo
from ganzoo import bundle as bundles
from ganzoo.cards import CardContext, prose, training
from ganzoo.cards.checking import _check_inherited
from ganzoo.cards.metadata import describe
from ganzoo.cards.training import _initial
from ganzoo.cli import main
from ganzoo.cli.model_info import _licence
from ganzoo.errors import BundleError, CheckpointError, RecipeError
from ganzoo.registry import architectures
from ganzoo.runtimes.torch import load_torch
from ganzoo.spec import INITIAL, Component, DataSpec, ImageSpec, Optimizer
from ganzoo.training import initial_weights, prepare
from ganzoo.training.build import build_loss, complete
from ganzoo.training.fitting_arguments import suggest_arguments, suggest_images
from ganzoo.training.trained_model import TrainedModel
from helpers.recipes import play, tiny

QUIET = {"progress": False, "monitors": "off", "tensorboard": "off"}
STILL = tiny(optimizer=Optimizer(lr=0.0))  # weights stay; statistics of BatchNorm do not
LABELLED = Component("dcgan", {"latent_dim": 8, "width": 4, "conditioning": "concat"})


def train(recipe, out, **options):
    return ganzoo.train(recipe, out=out, **QUIET, **options).path


def weights(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A run whose averages differ from its weights."""
    folder = tmp_path_factory.mktemp("initial") / "source"
    return train(tiny(ema_halflife=500, ema_ramp="none"), folder)


def test_a_bundle_gives_its_averages(source):
    prepared = prepare(STILL, init_from=source / "bundle", device="cpu")
    stored = load_file(source / "bundle" / "model.safetensors")
    assert equal(weights(prepared.state.nets["generator"]), stored)
    assert equal(weights(prepared.state.ema.networks["generator"]), stored)
    fresh = prepare(STILL, device="cpu")
    name = "discriminator"  # not in the bundle: it begins as without --init-from
    assert equal(weights(prepared.state.nets[name]), weights(fresh.state.nets[name]))
    assert prepared.initial.counts["generator"][:2] == [len(stored)] * 2
    assert prepared.initial.counts[name] == [0, 10, 0, 725]
    assert prepared.initial.new == {name: {}}


def test_a_run_gives_its_weights_and_averages(source):
    prepared = prepare(STILL, init_from=source, device="cpu")
    trained = prepare(tiny(ema_halflife=500, ema_ramp="none"), device="cpu")
    play(trained)  # the same training again
    for role, net in trained.state.nets.items():
        assert equal(weights(prepared.state.nets[role]), weights(net))
    averages = load_file(source / "bundle" / "model.safetensors")
    assert equal(weights(prepared.state.ema.networks["generator"]), averages)
    assert not equal(weights(prepared.state.nets["generator"]), averages)
    assert not prepared.initial.averaged
    assert not prepared.initial.new


def test_the_average_continues_from_the_loaded_one(source):
    recipe = replace(STILL, images=16, ema_halflife=16, ema_ramp="none")
    prepared = prepare(recipe, init_from=source, device="cpu")
    before = weights(prepared.state.ema.networks["generator"])["layers.0.weight"]
    play(prepared)
    current = weights(prepared.state.nets["generator"])["layers.0.weight"]
    after = weights(prepared.state.ema.networks["generator"])["layers.0.weight"]
    torch.testing.assert_close(after, (before + current) / 2)


def test_what_does_not_fit_is_new_and_listed(source, capsys):
    recipe = tiny(architecture=LABELLED, dataset=Component("digits"))
    prepared = prepare(recipe, init_from=source, device="cpu")
    initial = prepared.initial
    assert initial.new["generator"] == {"trunk.layers.0.weight": "18x8x4x4, in the model 8x8x4x4"}
    assert initial.new["discriminator"] == {
        "trunk.layers.0.weight": "4x11x4x4, in the model 4x1x4x4"
    }
    assert initial.unused == {
        "generator": ["layers.0.weight"],
        "discriminator": ["trunk.layers.0.weight"],
    }
    assert initial.arguments == ["--architecture.conditioning none"]
    assert initial.share == 1.0
    lines = "\n".join(initial.describe())
    assert "generator: 13 of 14 tensors, 601 of 2,905 parameters (20.7%)" in lines
    fresh = prepare(recipe, device="cpu").state.nets["generator"].state_dict()
    name = "trunk.layers.0.weight"
    assert torch.equal(prepared.state.nets["generator"].state_dict()[name], fresh[name])


def test_spectral_norms_are_estimated_for_the_loaded_weights(source):
    prepared = prepare(replace(STILL, spectral_norm=True), init_from=source, device="cpu")
    layer = prepared.state.nets["discriminator"].eval().trunk.layers[2]
    norm = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)
    torch.testing.assert_close(norm, torch.tensor(1.0), rtol=0.02, atol=0)


def test_spectral_norms_of_an_architecture_are_estimated_again():
    layer = parametrizations.spectral_norm(nn.Linear(8, 8))
    with torch.no_grad():
        layer.parametrizations.weight.original.normal_(generator=torch.Generator().manual_seed(1))
    initial_weights._estimate_norms(layer)
    norm = torch.linalg.matrix_norm(layer.eval().weight.detach(), 2)
    torch.testing.assert_close(norm, torch.tensor(1.0), rtol=0.02, atol=0)


def test_a_run_resumes_without_the_model(source, tmp_path):
    model = shutil.copytree(source, tmp_path / "secret-place")
    whole = train(tiny(), tmp_path / "whole", init_from=model)
    half = train(tiny(images=32), tmp_path / "half", init_from=model)
    shutil.rmtree(model)
    (half / "checkpoints" / "000000000032.safetensors").unlink()
    ganzoo.resume(half, images=64, **QUIET)
    last = "checkpoints/000000000064.safetensors"
    first, second = load_file(whole / last), load_file(half / last)
    assert equal(first, second)
    record = ganzoo.info(half / "bundle").provenance[INITIAL]
    assert record["model"] == "tiny"
    assert record["address"] == ""
    for file in half.rglob("*"):  # run.json alone has the folders of the data and of the model
        if file.is_file() and file.name != "run.json":
            assert b"secret-place" not in file.read_bytes(), file


def test_a_run_that_lost_its_first_checkpoint_is_refused(source, tmp_path):
    run = train(tiny(images=16), tmp_path / "run", init_from=source)
    shutil.rmtree(run / "checkpoints")
    command = f"ganzoo train {run}/recipe.toml --init-from {source} --out {run}-2"
    with pytest.raises(CheckpointError, match="before it saved its first weights") as error:
        ganzoo.resume(run, **QUIET)
    assert str(error.value).endswith(f". Start it again:\n  {command}")
    (run / "checkpoints").mkdir()
    (run / "checkpoints" / "000000000016.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match="is damaged") as error:
        ganzoo.resume(run, **QUIET)
    assert str(error.value).endswith(f". Start a new run:\n  {command}")


def test_another_architecture_is_refused_with_the_options_of_the_model(source, capsys):
    with pytest.raises(RecipeError) as error:
        prepare(tiny(architecture=Component("mlp")), init_from=source, device="cpu")
    text = str(error.value)
    assert "its architecture is 'dcgan', and this recipe's is 'mlp'. Recipes of dcgan: " in text
    assert "dcgan-faces (dataset folder)" in text
    assert text.endswith(
        "With this recipe, 100.0% of the parameters fit: --architecture dcgan "
        "--architecture.latent-dim 8 --architecture.width 4"
    )


def test_weights_that_do_not_fit_at_all_are_refused(source):
    recipe = tiny(architecture=Component("dcgan", {"latent_dim": 4, "width": 6}))
    with pytest.raises(
        RecipeError,
        match=r"no kernel of it fits\. With these options, 100\.0% of the parameters fit: "
        r"--architecture\.latent-dim 8 --architecture\.width 4$",
    ):
        prepare(recipe, init_from=source, device="cpu")


def test_only_options_that_fit_the_images_are_advised(source):
    """A model of classes for images without, and a model of grey 16x16 for colour 32x32."""
    model = TrainedModel.find(source / "bundle")
    labelled = replace(model.bundle.spec, arguments=LABELLED.arguments | {"width": 8})
    with torch.device("meta"):
        nets = architectures.make(
            "dcgan", DataSpec(ImageSpec(16, 16, 1), classes=3), **labelled.arguments
        )
    recipe = complete(tiny(architecture=Component("dcgan"), dataset=Component("folder")))
    loss = build_loss(recipe)
    data = DataSpec(ImageSpec(32, 32, 3))
    fit = suggest_arguments(labelled, nets, recipe, loss, data)
    assert fit.options == ["--architecture.latent-dim 8", "--architecture.width 8"]
    assert 0 < fit.share < 1
    images = suggest_images(labelled, nets, recipe, loss, data)
    assert images.options[:2] == ["--dataset.size 16", "--dataset.channels 1"]
    assert images.share > fit.share
    same = replace(
        recipe,
        architecture=Component(
            "dcgan", recipe.architecture.arguments | {"latent_dim": 5, "width": 8}
        ),
    )
    assert suggest_arguments(labelled, nets, same, loss, data).options == [], "no more would fit"
    paired = replace(data, condition=ImageSpec(32, 32, 3))
    assert suggest_images(labelled, nets, recipe, loss, paired).options == []


def test_a_small_share_of_weights_is_a_warning(source, monkeypatch):
    monkeypatch.setattr(initial_weights, "SMALL_SHARE", 0.3)
    recipe = tiny(architecture=LABELLED, dataset=Component("digits"))
    with pytest.warns(UserWarning, match=r"only 20\.7% of the generator's parameters come from"):
        prepare(recipe, init_from=source, device="cpu")


def test_licences_and_origin_are_carried_on(source, tmp_path):
    model = shutil.copytree(source / "bundle", tmp_path / "model")
    opened = bundles.open_bundle(model)
    theirs = {"id": "other", "name": "NC", "link": "https://example.org/nc"}
    provenance = {key: value for key, value in opened.spec.provenance.items() if key != "recipe"}
    provenance["imported"] = {"license": theirs, "sha256": "00"}
    bundles.amend_bundle(opened, replace(opened.spec, provenance=provenance), {})
    fields = {}
    for data_license in ("cc-by-4.0", None):
        spec = prepare(STILL, init_from=model, device="cpu").spec()
        spec = replace(spec, data=replace(spec.data, license=data_license))
        fields[data_license] = describe(CardContext.at(spec, tmp_path, {}))
    nc = {"license_name": "NC", "license_link": "https://example.org/nc"}
    assert fields["cc-by-4.0"].items() >= (nc | {"license": ["other", "cc-by-4.0"]}).items()
    assert not any(name.startswith("license") for name in fields[None])  # its author states both
    context = CardContext.at(spec, tmp_path, {})
    assert (
        _check_inherited(context, None)
        == _check_inherited(context, "mit")
        == (
            "the licence of the images that the model was trained on is unknown; that of the initial "
            "weights is NC. State both in the header: `license: [other, ID]`, or `license: other` if "
            "it is the same."
        )
    )
    assert not _check_inherited(context, ["other", "mit"])
    assert "licence: NC; licence of the images: not recorded" in _initial(context)[0][1]
    assert spec.recorded(INITIAL)["licenses"] == [theirs]
    assert spec.license == "NC"
    assert _licence(spec).startswith("of the initial weights NC; of the images not stated; state")
    unknown = {**spec.provenance, INITIAL: spec.recorded(INITIAL) | {"licenses": []}}
    spec_of_unknown = replace(spec, provenance=unknown)
    assert spec_of_unknown.licenses == ()
    text = prose._licence(CardContext.at(spec_of_unknown, tmp_path, {}))
    assert "if it is yours, state the licence of the images that it was trained on" in text
    assert spec.weights_id != prepare(STILL, device="cpu").spec().weights_id


def test_the_command_prints_the_summary_and_the_card_states_it(source, tmp_path, capsys):
    out = tmp_path / "run"
    options = ["--images", "16", "--batch-size", "16", "--tensorboard", "off"]
    arguments = ["--architecture.latent-dim", "8", "--architecture.width", "4"]
    command = ["train", "dcgan-digits", "--init-from", str(source), "--out", str(out)]
    assert main([*command, *options, *arguments]) == 0
    errors = capsys.readouterr().err
    assert "initial     tiny (" in errors
    assert "the last checkpoint), images of 16x16x1" in errors
    card = training.render(CardContext.of(bundles.open_bundle(out / "bundle")))
    weights_id = ganzoo.info(source / "bundle").weights_id
    assert (
        f"| initial weights | those of `tiny` (weights `{weights_id}`, last checkpoint): " in card
    )
    assert "--init-from MODEL\n" in card  # the digits read no data folder
    assert "MODEL is `tiny` with the weights" in card
    assert json.loads((out / "initial.json").read_text())["weights_id"] == weights_id
    (out / "initial.json").unlink()  # the card would lose the model and its licences
    with pytest.raises(CheckpointError, match=r"initial\.json is missing, a record .* Restore it"):
        ganzoo.resume(out, images=32, **QUIET)


def test_a_bundle_keeps_the_discriminator(tmp_path, capsys):
    recipe = tiny(images=16, keep_discriminator=True, spectral_norm=True)
    run = train(recipe, tmp_path / "run")
    bundle = bundles.open_bundle(run / "bundle")
    assert bundle.spec.training_roles == ("discriminator",)
    assert "discriminator.safetensors" in bundles.read_checksums(bundle.path)
    assert main(["info", str(run / "bundle")]) == 0
    text = "generator; for further training discriminator\n"
    assert re.search(rf"^  networks +{text}", capsys.readouterr().out, re.MULTILINE)
    stored = load_torch(bundle, "discriminator")  # as an export does
    # Without the normalisation of the recipe, and started from the run or the bundle.
    for model in (run, run / "bundle"):
        prepared = prepare(STILL, init_from=model, device="cpu")
        weights_of = prepared.state.nets["discriminator"].state_dict()
        assert equal(weights_of, stored.network.state_dict())
        assert prepared.initial.unused == {}  # estimates of norms are no weights
    assert prepared.initial.averaged
    assert not prepared.initial.new
    with pytest.raises(BundleError, match="has no role 'discriminator'"):
        ganzoo.load(run, role="discriminator")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model": 3}, r"model: Input should be a valid string \(it is 3\)"),
        ({"averaged": "yes"}, "averaged: Input should be a valid boolean"),
        ({"licenses": [{"name": 1}]}, "licenses.0.name: Input should be a valid string"),
        ({"counts": {"generator": [1, 2]}}, "the role 'generator' has 2 counts"),
        ({"counts": {"generator": [3, 2, 0, 0]}}, "count of the role 'generator' is 3"),
        ({"new": {"generator": ["a"]}}, "new.generator: Input should be"),
        ({"licences": []}, "there is no field 'licences'. Did you mean 'licenses'"),
    ],
)
def test_a_record_with_other_types_is_refused(tmp_path, change, reason):
    counts, new = {"generator": [1, 2, 3, 4]}, {"generator": {"bias": "2, in the model 3"}}
    record = initial_weights.InitialWeights(
        "tiny", "ab" * 32, "", True, "16x16x1", [{"name": "MIT"}], counts, new=new
    )
    record.write(tmp_path)
    assert initial_weights.InitialWeights.read(tmp_path) == record
    file = tmp_path / "initial.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(CheckpointError, match=rf"initial\.json, which says .*: .*{reason}.* Rest"):
        initial_weights.InitialWeights.read(tmp_path)
