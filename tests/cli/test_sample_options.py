"""`ganzoo sample`: seeds, one file for each image, samplers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import ganzoo
from ganzoo.cli import main
from ganzoo.cli.arguments import parse_options
from ganzoo.errors import SampleError
from ganzoo.spec.seeds import parse_seeds

NAME = ["sample", "dcgan-mnist", "--runtime", "onnx"]


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20))
def test_a_list_of_numbers_is_these_seeds(seeds):
    assert parse_seeds(",".join(map(str, seeds))) == seeds


@given(st.integers(0, 1_000), st.integers(0, 1_000))
def test_a_range_has_both_ends(first, count):
    assert parse_seeds(f"{first}-{first + count}, 7") == [*range(first, first + count + 1), 7]


@given(st.text(max_size=10))
def test_any_text_is_seeds_or_an_error(text):
    try:
        seeds = parse_seeds(text)
    except SampleError:
        return
    assert seeds
    assert min(seeds) >= 0


@pytest.mark.parametrize("text", ["", "5-", "-3", "9-3", "1,,2", "1.5", "a", "0x3", "1-2-3"])
def test_wrong_seeds_are_named(text):
    with pytest.raises(SampleError, match="no seed or range of seeds"):
        parse_seeds(text)


def test_a_huge_range_is_refused_before_it_fills_the_memory():
    with pytest.raises(SampleError, match="more than 1,000,000 seeds"):
        parse_seeds(f"0-{2**60}")


def test_options_have_values():
    values = {"psi": 0.5, "second_seed": 3, "layers": "0-3", "weights": {"cat": 2}}
    texts = ["psi=0.5", "second-seed=3", "layers=0-3", "weights={cat = 2}"]
    assert parse_options(texts) == values
    assert parse_options(["layers=3", "psi=1"], ["layers"]) == {"layers": "3", "psi": 1}
    with pytest.raises(SampleError, match=r"second_seed has two values\. Pass one"):
        parse_options(["second-seed=1", "second_seed=2"])
    assert parse_options(["x=" + "9" * 5_000])["x"] == "9" * 5_000
    for wrong in ("psi", "=3"):
        with pytest.raises(SampleError, match="no KEY=VALUE"):
            parse_options([wrong])


def test_one_file_for_each_image(tmp_path, capsys):
    folder, model = tmp_path / "images", ganzoo.load("dcgan-mnist", runtime="onnx")
    args = [*NAME, "--separate", "-o", str(folder)]
    assert main([*args, "--seeds", "3,1-2"]) == 0
    assert capsys.readouterr().out == f"{folder}: 3 images of seeds 3,1-2\n"
    assert sorted(p.name for p in folder.iterdir()) == [f"seed000{k}.png" for k in (1, 2, 3)]
    image = np.asarray(Image.open(folder / "seed0003.png"))
    assert np.array_equal(image, model.sample(1, 3).numpy()[0, :, :, 0])
    assert main([*args, "-n", "2", "--seed", "3"]) == 0
    assert np.array_equal(np.asarray(Image.open(folder / "000000.png")), image)
    before = (folder / "seed0003.png").read_bytes()
    assert main([*args, "--seeds", "4,3"]) == 1
    assert "seed0003.png exists. Choose another folder" in capsys.readouterr().err
    assert (folder / "seed0003.png").read_bytes() == before


def test_a_truncated_grid(tmp_path):
    out, model = tmp_path / "grid.png", ganzoo.load("dcgan-mnist", runtime="onnx")
    assert main([*NAME, "-n", "4", "--truncation", "0.5", "--scale", "1", "-o", str(out)]) == 0
    images = model.sample(4, sampler="truncated-normal", threshold=0.5)
    assert np.array_equal(np.asarray(Image.open(out)), np.asarray(images.grid()))
    sampler = ["--sampler", "truncated-normal", "threshold=0.5"]
    assert main([*NAME, "-n", "4", *sampler, "--scale", "1", "-o", str(tmp_path / "b.png")]) == 0
    assert (tmp_path / "b.png").read_bytes() == out.read_bytes()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--seeds", "0-3", "-n", "4"], "--seeds excludes -n and --seed"),
        (["--seeds", "0-3", "--out", "d"], "exclude each other"),
        (["--separate", "--out", "d"], "exclude each other"),
        (["--separate", "--scale", "2"], "write none"),
        (["--truncation", "0.5", "--sampler", "plain"], "--truncation excludes --sampler"),
        (["--truncation", "0"], "truncation, of z is 0.0"),
        (["--seeds", ""], "no seed or range"),
        (["-n", "-3"], "cannot sample -3 images"),
        (["-n", "1000000"], "a grid of 30,002x30,002 pixels is too large"),
        (["-n", "1000000", "-o", "a.foo"], "the extension '.foo' is not an image format"),
        (["--scale", "0"], "--scale is 0; it must be 1 to 64"),
        (["--sampler", "truncated", "psi=0.5"], "has no w"),
        (["--sampler", "around", "distance"], "no KEY=VALUE"),
        (["--sampler", "around", "seed=3"], "'seed' is not an option of a sampler"),
        (["--sampler", "around", "centre-seed=-1"], "seed is -1"),
        (["--sampler", "arround"], "Did you mean 'around'"),
    ],
)
def test_bad_options_are_one_clear_line(options, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*NAME, *options]) == 1
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert not any(tmp_path.iterdir())


def test_the_home_folder_after_an_equals_sign(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert main([*NAME, "--sampler", "stored", "file=~/no.safetensors"]) == 1
    assert f"file of codes not found: {tmp_path}/no.safetensors" in capsys.readouterr().err
