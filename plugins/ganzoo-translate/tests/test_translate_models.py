"""Train, export and translate on both runtimes."""

import functools
import re
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from safetensors.torch import load_file
from translate_helpers import SIDE, paint_all, recipe

import ganzoo
from ganzoo import cards
from ganzoo.bundle import open_bundle
from ganzoo.cli import main
from ganzoo.errors import SampleError
from ganzoo.exporters import from_run
from ganzoo.registry import find_recipe
from ganzoo.sampling.translation import Translator
from ganzoo.spec import Component, Recipe
from ganzoo.training import prepare
from ganzoo.training.build import complete
from ganzoo_translate.architectures.resnet import ResnetTranslator

KINDS = {
    "unet": recipe("unet"),
    "test-dropout": recipe("unet", arguments={"test_dropout": True}),
    "instance": recipe("unet", arguments={"generator_norm": "instance"}),
    "translator": recipe("translator"),
    "lineart": recipe("unet", dataset=Component("lineart", {"size": SIDE})),
    "cyclegan": recipe("cyclegan", loss=Component("cyclegan", {"pool_size": 3})),
}


def train(game, out: Path, data: Path):
    return ganzoo.train(game, out=out, data=data, device="cpu", progress=False)


def pictures(model: Translator, n: int = 5) -> np.ndarray:
    shape = (n, model.condition.height, model.condition.width, model.condition.channels)
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


@pytest.fixture(scope="module")
def bundle_of(tmp_path_factory, data_for):
    """Return a function that trains a bundle of a kind, exported or not."""

    @functools.cache
    def trained(kind):
        game = KINDS[kind]
        return train(game, tmp_path_factory.mktemp("runs") / kind, data_for(game)).bundle

    @functools.cache
    def exported(kind):
        return ganzoo.export(trained(kind), tmp_path_factory.mktemp("exported") / kind)

    return lambda kind, whole: (exported if whole else trained)(kind)


# The conformance tests export the architectures' defaults, and those of evaluation `lineart`.
EXPORTED = [
    kind if kind == "test-dropout" else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS
]


@pytest.mark.parametrize("kind", EXPORTED)
def test_a_trained_model_translates_alike_on_both_runtimes(bundle_of, kind):
    bundle = bundle_of(kind, whole=True)
    spec = ganzoo.info(bundle)
    assert spec.requires
    assert spec.requires[0].startswith("ganzoo-translate")
    roles = ["generator"] + (["reverse_generator"] if kind == "cyclegan" else [])
    assert list(spec.roles) == roles
    for role in roles:
        by_torch = ganzoo.load(bundle, role=role)
        by_onnx = ganzoo.load(bundle, role=role, runtime="onnx")
        conditions = pictures(by_torch)
        a, b = by_torch.translate(conditions).numpy(), by_onnx.translate(conditions).numpy()
        assert a.shape == (5, SIDE, SIDE, 3)
        assert np.abs(a.astype(int) - b).max() <= 1
        assert np.array_equal(a[:2], by_torch.translate(conditions[:2]).numpy())
    if kind == "lineart":
        assert by_onnx.condition.channels == 1


def test_cyclegan_exports_a_network_for_each_direction(bundle_of):
    bundle = bundle_of("cyclegan", whole=False)
    roles = ganzoo.info(bundle).roles
    assert list(roles) == ["generator", "reverse_generator"]
    forth, back = (ganzoo.load(bundle, role=role) for role in roles)
    conditions = pictures(forth)
    assert not np.array_equal(
        forth.translate(conditions).numpy(), back.translate(conditions).numpy()
    )


def test_dropout_after_training_follows_the_seed(bundle_of):
    for runtime in ("torch", "onnx"):
        model = ganzoo.load(bundle_of("test-dropout", whole=True), runtime=runtime)
        conditions = np.repeat(pictures(model, 1), 3, 0)
        first, again, other = (model.translate(conditions, seed=s).numpy() for s in (0, 0, 1))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)
        assert not np.array_equal(first[0], first[1]), "image k has latent k"
    model = ganzoo.load(bundle_of("unet", whole=False))
    conditions = pictures(model, 2)
    assert np.array_equal(
        model.translate(conditions, 0).numpy(), model.translate(conditions, 1).numpy()
    )


@pytest.mark.parametrize("kind", ["unet", "test-dropout", "cyclegan"])
def test_resume_is_exact(tmp_path, data_for, kind):
    """The state includes CycleGAN's pools, which still grow after the checkpoint."""
    game = replace(KINDS[kind], images=12, batch_size=2, checkpoint_every=2, keep_checkpoints=9)
    if kind == "cyclegan":
        game = replace(game, loss=Component("cyclegan", {"pool_size": 5}))
    run = train(game, tmp_path / "run", data_for(game)).path
    *early, last = sorted((run / "checkpoints").iterdir())
    expected = load_file(last)
    for checkpoint in [last, *early[1:]]:
        checkpoint.unlink()
    assert ganzoo.resume(run, device="cpu", progress=False).finished
    actual = load_file(run / "checkpoints" / last.name)
    assert expected.keys() == actual.keys()
    assert all(torch.equal(expected[name], actual[name]) for name in expected)


def test_a_model_refuses_images_of_another_size(bundle_of):
    model = ganzoo.load(bundle_of("unet", whole=False))
    with pytest.raises(
        SampleError, match=r"images are uint8 \(1, 16, 16, 3\).*reads uint8 \(n, 32, 32, 3\)"
    ):
        model.translate(np.zeros((1, 16, 16, 3), np.uint8))


@pytest.mark.parametrize("name", ["pix2pix-lineart", "pix2pix-pairs", "cyclegan"])
def test_the_recipes_can_be_prepared(name, pairs, domains):
    whole = find_recipe(name)
    assert whole.description
    small = replace(
        whole,
        architecture=replace(
            whole.architecture, arguments=whole.architecture.arguments | {"width": 2}
        ),
        dataset=replace(whole.dataset, arguments=whole.dataset.arguments | {"count": 5}),
    )
    prepared = prepare(small, data=domains if name == "cyclegan" else pairs)
    assert prepared.data.image.height == (64 if name == "cyclegan" else 128)
    assert len(prepared.batches) == 5


def test_the_plugin_uses_only_public_names():
    """The plugin imports only names of ganzoo that are public."""
    import ganzoo_translate

    allowed = {
        "ganzoo",
        "ganzoo.games",
        "ganzoo.importers",
        "ganzoo.nn",
        "ganzoo.sampling.corrupt_files",
        "ganzoo.sampling.file_times",
        "ganzoo.sampling.image_depth",
        "ganzoo.sampling.image_files",
        "ganzoo.sampling.image_fits",
        "ganzoo.sampling.image_options",
        "ganzoo.sampling.image_folders",
        "ganzoo.sampling.image_warnings",
        "ganzoo.errors",
    }
    for file in Path(ganzoo_translate.__file__).parent.rglob("*.py"):
        used = re.findall(r"^\s*(?:from|import) (ganzoo(?:\.\w+)*)\b", file.read_text(), re.M)
        assert set(used) <= allowed, file


def test_translators_read_any_size_and_older_bundles_one(
    bundle_of, monkeypatch, tmp_path, data_for
):
    model = ganzoo.load(bundle_of("translator", whole=False))
    assert model.sizes == ganzoo.SizesSpec(multiple=4, smallest=8)
    images = np.random.default_rng(0).integers(0, 256, (1, 19, 45, 3)).astype(np.uint8)
    assert model.translate(images).numpy().shape == (1, 19, 45, 3)
    assert ganzoo.load(bundle_of("unet", whole=False)).sizes is None

    monkeypatch.setattr(ResnetTranslator, "sizes", None)  # as in a bundle of an older version
    older = train(KINDS["translator"], tmp_path / "run", data_for(KINDS["translator"])).bundle
    monkeypatch.undo()
    model = ganzoo.load(older)
    assert model.sizes is None
    with pytest.raises(SampleError, match=r"reads uint8 \(n, 32, 32, 3\)"):
        model.translate(images)
    (exported,) = {m.spec.sizes for m in from_run._load(open_bundle(older), {}).values()}
    assert exported == ganzoo.SizesSpec(multiple=4, smallest=8), "exported again, it reads any"


def test_the_shipped_model_loads_by_name_and_has_a_finished_card():
    spec = ganzoo.info("pix2pix-openmoji")
    trained = complete(Recipe.from_dict(spec.provenance["recipe"]))
    recipe = complete(find_recipe("pix2pix-openmoji"))
    changes = {"precision": trained.precision, "description": trained.description}
    assert trained == replace(recipe, **changes)
    assert spec.data.license == "cc-by-sa-4.0"
    assert cards.check("pix2pix-openmoji") == []


def test_the_cards_evaluation_commands_run(tmp_path, capsys):
    paint_all(tmp_path / "openmoji" / "train", ["1F600.png"])
    paint_all(tmp_path / "openmoji" / "val", ["1F600-200D.png", "1F601.png", "1F602.png"])
    card = (ganzoo.models.get("pix2pix-openmoji") / "README.md").read_text()
    (block,) = re.findall(r"```python\n([^`]*compare_pairs[^`]*)```", card)
    exec(compile(block.replace("DIR", str(tmp_path)), "card", "exec"), {})
    bare, apart = capsys.readouterr().out.splitlines()
    assert "'psnr'" in bare
    assert apart.startswith("2 {'mean_absolute_error'")


def test_the_commands_of_the_pages_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("drawing.png", "a.png", "b.png", "drawings/c.png"):
        paint_all(tmp_path, [name], width=128, height=100)
    folder = Path(__file__).parents[3]
    pages = ("plugins/ganzoo-translate/README.md", "docs/models.md", "docs/zoo.md")
    text = "".join((folder / page).read_text() for page in (*pages, "docs/tutorial/pix2pix.md"))
    commands = set(re.findall(r"ganzoo (translate pix2pix-openmoji [^`\n#]*)", text))
    assert len(commands) >= 3
    for command in commands:
        assert main([*shlex.split(command), "--runtime", "onnx"]) == 0, command
    assert Image.open("coloured.png").size == (128, 128), "without a grid"
    assert Image.open("grid.png").size in [(k * 130 + 2, 2 * 130 + 2) for k in (1, 2)]
    assert (tmp_path / "coloured" / "c.png").is_file()


def test_the_shipped_model_fills_outlines_with_colour():
    drawing = Image.new("L", (128, 128), 255)
    ImageDraw.Draw(drawing).ellipse((24, 24, 104, 104), outline=0, width=3)
    conditions = np.asarray(drawing)[None, ..., None]
    by_torch, by_onnx = (
        ganzoo.load("pix2pix-openmoji", runtime=name).translate(conditions).numpy().astype(int)
        for name in ("torch", "onnx")
    )
    assert np.abs(by_torch - by_onnx).max() <= 1
    inside, outside = by_onnx[0, 44:84, 44:84], by_onnx[0, :16]
    assert outside.mean() > 240, "the ground stays white"
    assert np.ptp(inside, axis=-1).mean() > 20, "and what is drawn is not grey"
