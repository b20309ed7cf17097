"""Samplers: what they draw for an image depends on its seed, its number and the options alone."""

import contextlib
import math
import tarfile

import numpy as np
import pytest

import ganzoo
from ganzoo import Codes, Draw
from ganzoo.errors import BrokenPluginError, OutputError, SampleError, UnknownNameError
from ganzoo.sampling import latents
from ganzoo.sampling.code_files import write_codes
from ganzoo.sampling.direction_methods import compute_directions
from ganzoo.sampling.shards import sample_to

OPTIONS = {
    "plain": {},
    "truncated-normal": {"threshold": 0.5},
    "around": {"centre_seed": 5, "distance": 0.25},
}


@pytest.fixture(scope="module")
def model():
    return ganzoo.load("dcgan-mnist", runtime="onnx")


@pytest.fixture(scope="module")
def labelled():
    return ganzoo.load("cgan-mnist", runtime="onnx")


@pytest.mark.parametrize("sampler", OPTIONS)
def test_a_series_may_be_drawn_in_parts_and_by_seed(model, sampler):
    options = OPTIONS[sampler]
    whole = model.sample(20, 7, sampler=sampler, **options).numpy()
    part = model.sample(3, 7, start=15, sampler=sampler, **options).numpy()
    assert np.array_equal(part, whole[15:18])
    by_seed = model.sample(seeds=[3, 7, 3], sampler=sampler, **options).numpy()
    assert np.array_equal(by_seed[1], whole[0])
    assert np.array_equal(by_seed[0], by_seed[2])


@pytest.mark.parametrize(
    ("sampler", "options"),
    [
        *OPTIONS.items(),
        ("mixture", {"weights": {"3": 3, "7": 1}}),
        ("stored", {"file": "codes"}),
        ("directed", {"directions": "directions", "number": 1, "strength": -2.0}),
    ],
)
def test_runtimes_agree_for_every_sampler_of_z(labelled, files, sampler, options):
    options = {name: files.get(str(value), value) for name, value in options.items()}
    seed = 0 if sampler == "stored" else 3
    images = []
    for runtime in ("onnx", "torch"):
        model = labelled if runtime == "onnx" else ganzoo.load("cgan-mnist", runtime="torch")
        codes = model.codes(model.draw(5, seed), sampler, **options)
        images.append(model.generate(codes.z, codes.y))
    assert np.abs(images[0] - images[1]).max() < 1e-4
    assert images[0].std() > 0.1


@pytest.fixture(scope="module")
def files(tmp_path_factory, labelled):
    """Return a file of codes and a file of directions."""
    folder = tmp_path_factory.mktemp("files")
    codes = write_codes(
        folder / "codes.safetensors", labelled.codes(labelled.draw(3, 9)), labelled.spec, {}
    )
    directions = compute_directions(labelled, "sefa", count=2, draws=200)
    return {
        "codes": str(codes),
        "directions": str(directions.save(folder / "directions.safetensors")),
    }


def test_plain_is_the_default(model):
    draw = Draw.of(7, 4, start=2)
    codes = model.codes(draw)
    assert np.array_equal(codes.z, latents.normal(7, 4, model.latent_dim, start=2))
    assert np.array_equal(model.render(codes).numpy(), model.sample(4, 7, start=2).numpy())


def test_a_draw_of_mixed_seeds_and_numbers_has_the_rows_of_each():
    draw = Draw(np.array([1, 1, 2, 1], np.uint64), np.array([4, 5, 6, 0]))
    rows = [latents.normal(seed, 1, 5, start=k)[0] for seed, k in [(1, 4), (1, 5), (2, 6), (1, 0)]]
    assert np.array_equal(draw.normal(5), rows)
    other = draw.uniform(5)
    assert ((other > 0) & (other < 1)).all()
    assert np.array_equal(other[0], Draw.of(1, start=4).uniform(5)[0])


def test_uniform_numbers_are_independent_of_normal_ones():
    z, u = latents.normal(3, 4_000, 1)[:, 0], latents.uniform(3, 4_000, 1)[:, 0]
    assert abs(np.corrcoef(z, u)[0, 1]) < 3 / math.sqrt(4_000)
    assert abs(u.mean() - 0.5) < 3 / math.sqrt(12 * 4_000)


def test_a_truncated_normal_keeps_small_values_and_draws_large_ones_again(model):
    draw = Draw.of(0, 300)
    z, truncated = (
        draw.normal(model.latent_dim),
        model.codes(draw, "truncated-normal", threshold=1.0).z,
    )
    small = np.abs(z) <= 1
    assert np.array_equal(truncated[small], z[small])
    assert np.abs(truncated).max() <= 1
    # Variance of N(0, 1) on [-1, 1]: 1 - 2 pdf(1) / (cdf(1) - cdf(-1)).
    assert truncated.var() == pytest.approx(0.2911, abs=0.005)
    assert truncated.mean() == pytest.approx(0, abs=0.01)


def test_around_moves_on_the_arc(model):
    draw, dim = Draw.of(1, 50), model.latent_dim
    codes = [model.codes(draw, "around", centre_seed=9, distance=t).z for t in (0.0, 0.5, 1.0)]
    assert np.array_equal(codes[0], np.repeat(latents.normal(9, 1, dim), 50, 0))
    assert np.allclose(codes[2], draw.normal(dim), atol=1e-6)
    lengths = np.linalg.norm(codes[1], axis=1) / math.sqrt(dim)
    assert abs(lengths.mean() - 1) < 0.1


def test_a_mixture_has_its_proportions(labelled):
    draw = Draw.of(0, 2_000, y=np.zeros(2_000, np.int64))
    codes = labelled.codes(draw, "mixture", weights={"3": 3, "7": 1})
    counts = np.bincount(codes.y, minlength=10)
    assert counts[3] + counts[7] == 2_000
    assert counts[3] / 2_000 == pytest.approx(0.75, abs=0.03)
    assert np.array_equal(codes.z, draw.normal(labelled.latent_dim))


@pytest.mark.parametrize(
    ("sampler", "options", "says"),
    [
        ("truncated", {}, "has no w to truncate.*Truncate z with the sampler truncated-normal"),
        ("mixed", {}, "has no w"),
        ("truncated-normal", {"threshold": 0.0}, "above 0"),
        ("around", {"distance": 1.5}, "0 to 1"),
        ("mixture", {}, "weights=VALUE"),
        ("mixture", {"weights": {"3": 1}}, "no classes"),
        ("truncated-normal", {"thresold": 1.0}, "Did you mean 'threshold'"),
    ],
)
def test_wrong_options_are_named(model, sampler, options, says):
    with pytest.raises(SampleError, match=says):
        model.sample(2, sampler=sampler, **options)


@pytest.mark.parametrize("weights", [{"3": -1, "4": 2}, {"3": 0}, {"3": math.inf}, {}])
def test_wrong_weights_are_named(labelled, weights):
    with pytest.raises(SampleError, match="each must be 0 or more"):
        labelled.sample(2, sampler="mixture", weights=weights)


def test_seeds_exclude_a_number_of_images(model):
    with pytest.raises(SampleError, match=r"seeds is 3, not a list. Pass seeds=\[3\]."):
        model.sample(seeds=3)
    with pytest.raises(SampleError, match="either seeds"):
        model.sample(4, seeds=[1, 2])
    with pytest.raises(SampleError, match="n is 1 to"):
        model.sample(seeds=[])
    with pytest.raises(SampleError, match="seed is -1"):
        model.sample(seeds=[3, -1])


def test_an_unknown_sampler_is_named(model):
    with pytest.raises(UnknownNameError, match="Did you mean 'truncated'"):
        model.sample(sampler="truncate")


@pytest.mark.parametrize("result", [None, Codes(), "raise"])
def test_a_broken_sampler_is_named(model, result):
    @ganzoo.samplers.register("broken")
    def broken(model, draw):
        if result == "raise":
            raise IndexError("deep inside")
        return result

    try:
        with pytest.raises(BrokenPluginError, match="sampler 'broken' of this"):
            model.sample(sampler="broken")
    finally:
        ganzoo.samplers.unregister("broken")


@pytest.mark.parametrize("name", ["dcgan-mnist", "cgan-mnist"])
@pytest.mark.parametrize("threads", [1, 2])
def test_onnxruntime_computes_the_same_bits_in_any_batch(name, threads):
    model = ganzoo.load(name, runtime="onnx", threads=threads)
    assert model.is_batch_invariant
    z, y = latents.normal(0, 16, model.latent_dim), model.labels(16)
    together = model.generate(z, y)
    alone = [model.generate(z[k : k + 1], None if y is None else y[k : k + 1]) for k in range(16)]
    assert np.array_equal(together, np.concatenate(alone))


def test_shards_have_the_classes_that_a_sampler_chose(labelled, tmp_path):
    options = {"sampler": "mixture", "options": {"weights": {"3": 1, "7": 1}}}
    sample_to(labelled, tmp_path / "a", 6, 0, shard_size=4, **options)
    draw = labelled.draw(6, 0)
    expected = labelled.codes(draw, "mixture", weights={"3": 1, "7": 1}).y
    classes = []
    for shard in sorted((tmp_path / "a").glob("*.tar")):
        with tarfile.open(shard) as tar:
            classes += [int(tar.extractfile(m).read()) for m in tar if m.name.endswith(".cls")]
    assert classes == expected.tolist()
    assert {*classes} == {3, 7}


def test_codes_of_a_file_that_changed_are_not_mixed_into_shards(model, tmp_path):
    file = tmp_path / "a.safetensors"
    options = {"sampler": "stored", "options": {"file": str(file)}}
    for seed, says in ((0, ""), (1, "images of other settings")):
        write_codes(file, model.codes(Draw.of(seed, 3)), model.spec, {})
        with pytest.raises(OutputError, match=says) if says else contextlib.nullcontext():
            sample_to(model, tmp_path / "shards", 3, 0, **options)


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seeds_of_samplers_are_checked(model, seed):
    with pytest.raises(SampleError, match="seed is"):
        model.sample(2, sampler="around", centre_seed=seed)
