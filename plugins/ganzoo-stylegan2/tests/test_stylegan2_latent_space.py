"""Both runtimes compute w and images from it, for every sampler."""

import json
import shutil
from functools import partial
from unittest import mock

import numpy as np
import onnx
import pytest
from PIL import Image

import ganzoo
from ganzoo import zoo
from ganzoo.bundle import CARD, CHECKSUMS, format_checksums, list_files
from ganzoo.bundle.files import sha256
from ganzoo.cli import main
from ganzoo.errors import BundleError, SampleError
from ganzoo.inversion import invert
from ganzoo.runtimes.onnx_file import read_onnx
from ganzoo.runtimes.onnx_parts import cut
from ganzoo.runtimes.signature import signature
from ganzoo.sampling.code_files import write_codes
from ganzoo.sampling.direction_methods import compute_directions
from ganzoo.sampling.directions import Directions

NAME = "stylegan2-tinyhero"
SAMPLERS = [
    ("plain", {}),
    ("truncated", {"psi": 0.5}),
    ("truncated", {"psi": -1.0, "cutoff": 3}),
    ("mixed", {"second_seed": 5, "layers": "fine"}),
    ("mixed", {"layers": "0-1,3", "psi": 0.7}),
    ("around", {"distance": 0.2}),
    ("truncated-normal", {"threshold": 0.5}),
]


@pytest.fixture(scope="module")
def torch_model():
    return ganzoo.load(NAME, runtime="torch")


@pytest.fixture(scope="module")
def onnx_model():
    return ganzoo.load(NAME, runtime="onnx")


@pytest.fixture(scope="module")
def code_files(tmp_path_factory, onnx_model):
    """Return a file of z and a file of w of seed 9."""
    folder, codes = tmp_path_factory.mktemp("codes"), onnx_model.codes(ganzoo.Draw.of(9))
    styles = ganzoo.Codes(styles=onnx_model.to_styles(onnx_model.map(codes.z)))
    return [
        str(write_codes(folder / f"{k}.safetensors", each, onnx_model.spec))
        for k, each in enumerate((codes, styles))
    ]


@pytest.mark.parametrize(("sampler", "options"), SAMPLERS)
def test_runtimes_agree_for_every_sampler(torch_model, onnx_model, sampler, options):
    check_runtimes(torch_model, onnx_model, sampler, options)


@pytest.mark.parametrize("sampler", ["stored", "around", "mixed"])
@pytest.mark.parametrize("number", [0, 1])
def test_runtimes_agree_for_samplers_of_files(torch_model, onnx_model, code_files, sampler, number):
    seed = 0 if sampler == "stored" else 3
    check_runtimes(torch_model, onnx_model, sampler, {"file": code_files[number]}, seed)


@pytest.mark.parametrize("options", [{}, {"psi": 0.7, "layers": "coarse", "strength": -2.0}])
def test_runtimes_agree_for_directions(torch_model, onnx_model, tmp_path, options):
    directions = compute_directions(onnx_model, "ganspace", count=1, draws=300)
    file = str(directions.save(tmp_path / "a.safetensors"))
    check_runtimes(torch_model, onnx_model, "directed", {"directions": file} | options)


def check_runtimes(torch_model, onnx_model, sampler, options, seed=3):
    draw = ganzoo.Draw.of(seed, 5)
    images = []
    for model in (torch_model, onnx_model):
        codes = model.codes(draw, sampler, **options)
        inputs = {"z": codes.z} if codes.styles is None else {"styles": codes.styles}
        images.append((model if codes.styles is None else model.part("synthesis")).run(inputs))
    assert np.abs(images[0] - images[1]).max() < 1e-4
    assert images[0].std() > 0.1


@pytest.mark.parametrize("number", [0, 1])
def test_a_file_of_z_or_of_w_is_the_centre_that_its_seed_is(onnx_model, code_files, number):
    stored = onnx_model.sample(1, sampler="stored", file=code_files[number]).numpy()
    assert np.array_equal(stored, onnx_model.sample(seeds=[9]).numpy())
    by_file = onnx_model.sample(2, sampler="around", file=code_files[number]).numpy()
    by_seed = onnx_model.sample(2, sampler="around", centre_seed=9).numpy()
    assert np.array_equal(by_file, by_seed)


@pytest.mark.parametrize("number", [0, 1])
def test_an_image_is_mixed_with_that_of_a_file_as_with_that_of_its_seed(
    onnx_model, code_files, number
):
    how = {"sampler": "mixed", "layers": "0-1,3"}
    by_file = onnx_model.sample(2, 5, file=code_files[number], **how).numpy()
    assert np.array_equal(by_file, onnx_model.sample(2, 5, second_seed=9, **how).numpy())
    with pytest.raises(SampleError, match="either second_seed or file"):
        onnx_model.sample(2, second_seed=9, file=code_files[0], **how)


def test_a_stored_w_moves_along_a_direction(onnx_model, code_files, tmp_path):
    directions = compute_directions(onnx_model, "ganspace", layers="2-3", count=1, draws=300)
    file = str(directions.save(tmp_path / "a.safetensors"))
    stored, moved = (
        onnx_model.codes(ganzoo.Draw.of(0), sampler, file=code_files[1], **options).styles
        for sampler, options in (("stored", {}), ("directed", {"directions": file}))
    )
    step = 2 * directions.scales[0] * directions.vectors[0]
    assert np.allclose((moved - stored)[:, 2:4], step, atol=1e-5)
    assert np.array_equal(np.delete(moved, [2, 3], 1), np.delete(stored, [2, 3], 1))


def test_noise_maps_are_optimised_with_w(torch_model):
    before = {name: tensor.clone() for name, tensor in torch_model.state_dict().items()}
    photo = torch_model.sample(seeds=[9])
    options = {"samples": 8, "starts": 2, "steps": 3}
    codes = [invert(torch_model, photo, noise=noise, **options).codes for noise in (False, True)]
    assert codes[0].styles.shape == (1, 8, 64)
    assert not np.array_equal(codes[0].styles, codes[1].styles)
    after = torch_model.state_dict()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_the_parts_make_the_images_of_the_whole(torch_model, onnx_model):
    z = ganzoo.latents.normal(0, 4, torch_model.latent_dim)
    for model in (torch_model, onnx_model):
        styles = model.to_styles(model.map(z))
        images = model.part("synthesis").run({"styles": styles})
        assert np.abs(images - model.run({"z": z})).max() < 1e-5
        assert np.array_equal(model.synthesize(styles).numpy(), model.decode(z).numpy())


def test_psi_0_is_the_average_image(onnx_model):
    images = onnx_model.sample(3, sampler="truncated", psi=0.0).numpy()
    average = np.repeat(onnx_model.w_average[None], 3, 0)
    assert np.array_equal(images, onnx_model.synthesize(onnx_model.to_styles(average)).numpy())
    assert np.array_equal(images[0], images[2])


def test_a_part_is_the_operations_that_it_needs_byte_for_byte(onnx_model):
    file = read_onnx(zoo.find(NAME).onnx_of("generator"))
    whole = onnx.load_from_string(file.content)
    nodes = {n.SerializeToString() for n in whole.graph.node}
    parts = [cut(file, *signature(onnx_model.spec, part)) for part in ("mapping", "synthesis")]
    models = [onnx.load_from_string(part.content) for part in parts]
    for part, model in zip(parts, models, strict=True):
        onnx.checker.check_model(part.content, full_check=True)
        assert {n.SerializeToString() for n in model.graph.node} < nodes
        assert len(model.graph.node) == len(part.nodes)
        assert {t.name for t in model.graph.initializer} == {name for name, _ in part.tensors}
    weights = [{t.name for t in model.graph.initializer} for model in models]
    assert not weights[0] & weights[1]


def test_a_part_that_needs_another_input_is_refused():
    file = read_onnx(zoo.find(NAME).onnx_of("generator"))
    with pytest.raises(BundleError, match="it needs 'z'"):
        cut(file, {"y": []}, {"w": [64]})
    with pytest.raises(BundleError, match="it needs 'weights'"):
        cut(file, {"z": [64]}, {"weights": [64]})


def test_styles_of_another_generator_are_refused(tmp_path):
    bundle = shutil.copytree(zoo.find(NAME).path, tmp_path / "copy")
    config = json.loads((bundle / "config.json").read_text())
    config["styles"]["layers"] += 1
    (bundle / "config.json").write_text(json.dumps(config))
    sums = {name: sha256(bundle / name) for name in list_files(bundle) if name != CARD}
    (bundle / CHECKSUMS).write_text(format_checksums(sums))
    for runtime in ("torch", "onnx"):
        with pytest.raises(BundleError, match="they describe different models"):
            ganzoo.load(bundle, runtime=runtime)


def test_directions_in_w_agree_and_move_the_chosen_layers(torch_model, onnx_model, tmp_path):
    both = [
        compute_directions(model, "ganspace", layers="2-3", count=2, draws=300)
        for model in (torch_model, onnx_model)
    ]
    assert np.abs(both[0].vectors - both[1].vectors).max() < 1e-4
    w = torch_model.map(ganzoo.latents.normal(0, 300, torch_model.latent_dim))
    assert both[0].scales[0] == pytest.approx((w @ both[0].vectors[0]).std(), rel=1e-4)
    file = str(both[0].save(tmp_path / "a.safetensors"))
    draw = ganzoo.Draw.of(3, 2)
    plain, moved, first = (
        onnx_model.codes(draw, sampler, **options).styles
        for sampler, options in [
            ("truncated", {"psi": 0.7}),
            ("directed", {"directions": file, "number": 1, "psi": 0.7}),
            ("directed", {"directions": file, "number": 1, "psi": 0.7, "layers": "0"}),
        ]
    )
    step = 2 * both[0].scales[1] * both[0].vectors[1]
    assert np.allclose((moved - plain)[:, 2:4], step, atol=1e-5)
    assert np.array_equal(np.delete(moved, [2, 3], 1), np.delete(plain, [2, 3], 1))
    assert np.allclose((first - plain)[:, 0], step, atol=1e-5)
    assert Directions.read(file).layers == (2, 3)


def test_sefa_reads_the_affine_maps_of_w(torch_model, onnx_model):
    synthesis, maps = torch_model.network.synthesis, torch_model.style_maps()
    style = synthesis.first.convolution.style
    assert np.allclose(maps[0], (style.weight * style.scale)[None], atol=1e-5)
    # The second w is read by the first small image and by the next convolution.
    assert {*maps} == {*range(synthesis.style_count)}
    assert [len(maps[k]) for k in range(4)] == [1, 2, 1, 2]
    result = compute_directions(torch_model, "sefa", layers="0", count=1, draws=50)
    gains = np.linalg.norm(maps[0][0] @ result.vectors.T, axis=0)
    assert gains == pytest.approx(np.linalg.norm(maps[0][0], 2), rel=1e-4)
    with pytest.raises(SampleError, match="need the torch runtime"):
        compute_directions(onnx_model, "sefa")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("style-mixing --rows 1,2 --columns 4-6 --layers 0-1,3", "6 images of 1,2"),
        ("truncation --seeds 0-1 --truncation 1 -0.5", "seeds 0-1 at psi 1, -0.5"),
        ("style-mixing --rows {w} --columns 4", "1 image of {w}, with layers coarse of 4"),
        ("noise --seeds 3", "of 255 levels on average"),
    ],
)
def test_figures(tmp_path, capsys, code_files, command, says):
    command, says = (text.format(w=code_files[1]) for text in (command, says))
    kind, *options = command.split()
    file = tmp_path / "a.png"
    assert main(["plot", kind, NAME, *options, "-o", str(file)]) == 0, capsys.readouterr().err
    assert says in capsys.readouterr().out
    assert Image.open(file).width > 300


def test_a_mixed_table_has_the_images_of_the_sampler(onnx_model):
    table = partial(main, ["plot", "style-mixing", NAME, "--runtime", "onnx", "-o", "a.svg"])
    with mock.patch("ganzoo.plots.draw_style_mixing", side_effect=SampleError("seen")) as draw:
        assert table() == 1
    rows, columns, mixed, names = draw.call_args[0]
    assert names == (["seed 1", "seed 2", "seed 3"], ["seed 4", "seed 5", "seed 6"])
    options = {"sampler": "mixed", "second_seed": 5, "layers": "coarse"}
    expected = onnx_model.sample(seeds=[1, 2, 3], **options).numpy()
    assert np.array_equal(mixed.numpy()[1::3], expected)
    assert np.array_equal(rows.numpy(), onnx_model.sample(seeds=[1, 2, 3]).numpy())
    assert np.array_equal(columns.numpy(), onnx_model.sample(seeds=[4, 5, 6]).numpy())


def test_components_of_few_w_are_refused(onnx_model):
    assert len(compute_directions(onnx_model, "ganspace", count=2, draws=3)) == 2
    with pytest.raises(SampleError, match="2 random w .* Use more --draws, or --count 1"):
        compute_directions(onnx_model, "ganspace", count=8, draws=2)
