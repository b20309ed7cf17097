"""Files of codes: written, read back, and refused if they do not fit the model."""

import os
import warnings
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save_file

import ganzoo
from ganzoo import Codes, DataSpec, Draw, ImageSpec, ModelSpec
from ganzoo.errors import OutputError, SampleError
from ganzoo.sampling.code_files import count_codes, read_codes, write_codes
from ganzoo.sampling.latent_files import MAX_BYTES
from ganzoo.spec import LatentSpec, StyleSpec


def spec(name="here", *, styles=None, classes=0):
    return ModelSpec(
        name=name,
        architecture="none",
        arguments={},
        requires=(),
        data=DataSpec(ImageSpec(8, 8, 3), classes=classes),
        latent=LatentSpec(4),
        styles=styles,
        inputs=("z", "y") if classes else ("z",),
    )


PLAIN, CLASSES, STYLED = spec(), spec(classes=3), spec(styles=StyleSpec(5, 6))
Z = np.arange(8, dtype=np.float32).reshape(2, 4)
STYLES = np.arange(30, dtype=np.float32).reshape(1, 6, 5)


@pytest.mark.parametrize(
    ("model", "codes"),
    [
        (PLAIN, Codes(Z)),
        (CLASSES, Codes(Z, np.array([2, 0]))),
        (STYLED, Codes(styles=STYLES)),
        (STYLED, Codes(Z)),
    ],
)
def test_codes_are_read_as_they_were_written(tmp_path, model, codes):
    path = write_codes(tmp_path / "new" / "a.w.safetensors", codes, model, {"steps": "3"})
    again = read_codes(path, model)
    assert count_codes(again) == count_codes(codes)
    for a, b in zip(again, codes, strict=True):
        assert a is b is None or (np.array_equal(a, b) and a.dtype == b.dtype)


@pytest.mark.parametrize(
    "provenances",
    [
        [{"images_seen": 64}, {"images_seen": 128}],
        [{"history": [{"images": n, "changes": {"optimizer.lr": [1, 2]}}]} for n in (64, 128)],
        [{"imported": {"sha256": "a", "network": part}} for part in ("G", "G_ema")],
    ],
)
def test_codes_of_other_weights_of_a_name_are_warned_of(tmp_path, provenances):
    old, new = (replace(PLAIN, provenance=each) for each in provenances)
    path = write_codes(tmp_path / "a.safetensors", Codes(Z), old)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        measured = replace(old, provenance=old.provenance | {"metrics": [], "stored_as": "fp16"})
        read_codes(path, measured)
    with pytest.warns(UserWarning, match="codes of other weights of 'here', whose images are"):
        read_codes(path, new)
    save_file({"z": Z}, path, {"model": "here"})  # of an earlier version
    assert count_codes(read_codes(path, new)) == 2


def test_rows_that_are_not_contiguous_are_written_in_order(tmp_path):
    turned = np.asfortranarray(Z)
    path = write_codes(tmp_path / "a.safetensors", Codes(turned), PLAIN)
    assert np.array_equal(read_codes(path, PLAIN).z, Z)


@pytest.mark.parametrize(
    ("arrays", "model", "says"),
    [
        ({"w": STYLES}, STYLED, "no file of codes: its tensors are w"),
        ({"z": Z, "styles": STYLES}, STYLED, "no file of codes"),
        ({"y": np.zeros(2, np.int64)}, CLASSES, "no file of codes"),
        ({}, PLAIN, r"its tensors are \(none\)"),
        ({"styles": STYLES}, PLAIN, "'here' has no mapping network"),
        ({"styles": STYLES[:, :5]}, STYLED, r"reads shape \(n, 6, 5\)"),
        ({"styles": STYLES[:0]}, STYLED, r"shape \(0, 6, 5\)"),
        ({"z": Z[:, :3]}, PLAIN, r"reads shape \(n, 4\)"),
        ({"z": Z * np.nan}, PLAIN, "finite"),
        ({"z": Z.astype(np.float16)}, PLAIN, "'z' is of type F16, not F32"),
        ({"z": Z}, CLASSES, "one label per latent"),
        ({"z": Z, "y": np.array([0, 3])}, CLASSES, "no class 3"),
        ({"z": Z, "y": np.array([0, 1])}, PLAIN, "the codes have classes"),
    ],
)
def test_codes_that_do_not_fit_are_refused_in_one_line(tmp_path, arrays, model, says):
    file = tmp_path / "a.safetensors"
    save_file(arrays, file)
    with pytest.raises(SampleError, match=says) as error:
        read_codes(file, model)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


def test_codes_of_another_model_are_refused(tmp_path):
    path = write_codes(tmp_path / "a.safetensors", Codes(Z), spec("there"))
    with pytest.raises(SampleError, match="has codes of 'there', not of 'here'"):
        read_codes(path, PLAIN)


def test_damaged_files_are_refused(tmp_path):
    file = write_codes(tmp_path / "a.safetensors", Codes(Z), PLAIN)
    content = file.read_bytes()
    for damaged in (b"", content[:-1], content[:20], b"\xff" * 64):
        file.write_bytes(damaged)
        with pytest.raises(SampleError, match="cannot read codes from"):
            read_codes(file, PLAIN)
    os.truncate(file, MAX_BYTES + 1)
    with pytest.raises(SampleError, match="has up to"):
        read_codes(file, PLAIN)


def test_a_flipped_bit_is_noticed(tmp_path):
    file = write_codes(tmp_path / "a.safetensors", Codes(Z), PLAIN)
    content = bytearray(file.read_bytes())
    content[-2] ^= 1  # another number, which is finite
    file.write_bytes(content)
    with pytest.raises(SampleError, match=r"a.safetensors is damaged: its content differs from"):
        read_codes(file, PLAIN)
    save_file({"z": Z}, file)  # of another program, without a digest
    assert np.array_equal(read_codes(file, PLAIN).z, Z)


def test_a_missing_file_a_folder_and_a_pipe_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "none", tmp_path / "pipe"):
        with pytest.raises(SampleError, match="not found"):
            read_codes(path, PLAIN)


@pytest.mark.parametrize("name", ["a.png", "a"])
def test_another_extension_is_refused(tmp_path, name):
    with pytest.raises(OutputError, match=r"\.safetensors"):
        write_codes(tmp_path / name, Codes(Z), PLAIN)
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def labelled():
    return ganzoo.load("cgan-mnist", runtime="onnx")


def test_stored_codes_repeat_in_order(labelled, tmp_path):
    codes = labelled.codes(Draw.of(4, 3, y=np.array([7, 1, 7])))
    file = str(write_codes(tmp_path / "a.safetensors", codes, labelled.spec))
    images = labelled.sample(4, start=1, sampler="stored", file=file).numpy()
    assert np.array_equal(images, labelled.render(codes).numpy()[[1, 2, 0, 1]])


def test_around_starts_from_a_file(labelled, tmp_path):
    codes = labelled.codes(Draw.of(4, y=np.array([7])))
    file = str(write_codes(tmp_path / "a.safetensors", codes, labelled.spec))
    draw = Draw.of(0, 3, y=np.array([0, 1, 2]))
    near, far = (labelled.codes(draw, "around", file=file, distance=t) for t in (0.0, 1.0))
    assert np.array_equal(near.z, np.repeat(codes.z, 3, 0))
    assert near.y.tolist() == far.y.tolist() == [7, 7, 7]
    assert np.allclose(far.z, draw.normal(labelled.latent_dim), atol=1e-6)
    by_seed = labelled.codes(draw, "around", centre_seed=4)
    assert np.array_equal(labelled.codes(draw, "around", file=file).z, by_seed.z)
    with pytest.raises(SampleError, match="either centre_seed or file"):
        labelled.codes(draw, "around", file=file, centre_seed=0)


@pytest.mark.parametrize("options", [{"seed": 3}, {"label": 7}, {"seeds": [0, 1]}])
def test_a_seed_or_a_label_of_stored_codes_is_refused(labelled, tmp_path, options):
    codes = labelled.codes(Draw.of(4, 3, y=np.array([7, 1, 7])))
    file = str(write_codes(tmp_path / "a.safetensors", codes, labelled.spec))
    with pytest.raises(SampleError, match="so a seed or a label has no effect. Omit it"):
        labelled.sample(sampler="stored", file=file, **options)


def test_a_label_that_a_sampler_would_ignore_is_refused(labelled, tmp_path):
    codes = labelled.codes(Draw.of(4, y=np.array([7])))
    file = str(write_codes(tmp_path / "a.safetensors", codes, labelled.spec))
    for sampler, options in (("around", {"file": file}), ("mixture", {"weights": {"7": 1}})):
        with pytest.raises(SampleError, match=f"'{sampler}' chooses the classes.*Omit the label"):
            labelled.sample(2, label=3, sampler=sampler, **options)
        same = labelled.sample(2, label=7, sampler=sampler, **options).numpy()
        assert np.array_equal(same, labelled.sample(2, sampler=sampler, **options).numpy())
