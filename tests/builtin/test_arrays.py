"""The dataset of images in an array."""

import io
import re
import zipfile

import numpy as np
import pytest
import torch

import ganzoo
from ganzoo.builtin.image_files import stored_arrays
from ganzoo.data.streamed_batches import StreamedBatches
from ganzoo.errors import DataError, DataNotFoundError
from ganzoo.sampling.image_warnings import ImageFileWarning
from ganzoo.spec import Component
from helpers.datasets import CPU, get
from helpers.recipes import tiny


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize(
    ("shape", "image", "layout"),
    [
        ((6, 12, 10), (1, 12, 10), "nhw"),
        ((6, 12, 10, 3), (3, 12, 10), "nhwc"),
        ((6, 12, 10, 1), (1, 12, 10), "nhwc"),
        ((6, 3, 12, 10), (3, 12, 10), "nchw"),
        ((6, 1, 12, 10), (1, 12, 10), "nchw"),
        ((3, 12, 3, 3), None, "nhwc"),
    ],
)
@pytest.mark.parametrize("kind", ["npy", "fortran", "npz", "compressed"])
def test_every_layout_is_read(tmp_path, shape, image, layout, kind):
    values = noise(*shape)
    path = tmp_path / ("x.npy" if kind in ("npy", "fortran") else "x.npz")
    if kind in ("npy", "fortran"):
        np.save(path, np.asfortranarray(values) if kind == "fortran" else values)
    else:
        (np.savez if kind == "npz" else np.savez_compressed)(path, x=values, y=np.arange(shape[0]))
    if image is None:  # three pixels wide
        with pytest.raises(DataError, match="12x3 pixels, but sides must be 8 to 4096"):
            get("arrays", path)
        return
    dataset, spec = get("arrays", path, labels="" if path.suffix == ".npy" else "y")
    assert spec.image.shape == image
    assert f"layout: {layout}" in dataset.file_counts
    axes = {"nhw": (None, 0, 1), "nhwc": (2, 0, 1), "nchw": (0, 1, 2)}[layout]
    for k in (0, 5):
        exact = values[k][None] if axes[0] is None else values[k].transpose(axes)
        assert np.array_equal(dataset[k][0].numpy(), exact)
        assert dataset[k][1] == (0 if path.suffix == ".npy" else k)
    batches = [next(StreamedBatches(dataset, spec, 6, 0, CPU, workers=n)) for n in (0, 1)]
    assert torch.equal(batches[0].images, batches[1].images)


def test_an_ambiguous_layout_is_an_error_unless_it_is_named(tmp_path):
    np.save(tmp_path / "x.npy", noise(4, 3, 9, 3))
    with pytest.raises(DataError, match=r"\(4, 3, 9, 3\).*--dataset\.layout nhwc or --dataset"):
        get("arrays", tmp_path)
    np.save(tmp_path / "x.npy", noise(2, 9, 9, 4))
    with pytest.raises(DataError, match="with 1 or 3 channels"):
        get("arrays", tmp_path)
    np.save(tmp_path / "x.npy", noise(2, 9, 9, 3))
    with pytest.raises(DataError, match="which is not nchw"):
        get("arrays", tmp_path, layout="nchw")


def test_a_size_resizes_and_crops(tmp_path):
    np.save(tmp_path / "x.npy", noise(3, 20, 30, 3))
    dataset, spec = get("arrays", tmp_path, size=8)
    assert dataset[0][0].shape == spec.image.shape == (3, 8, 8)
    with pytest.raises(DataError, match="cannot resize images to 5000 pixels"):
        get("arrays", tmp_path, size=5000)


@pytest.mark.parametrize("dtype", [">f4", "f2", "f8", "i4", ">u2"])
def test_other_types_need_a_range(tmp_path, dtype):
    levels = noise(4, 8, 8)
    black, white = (-1.0, 1.0) if "f" in dtype else (0.0, 510.0)
    values = (levels / 255 * (white - black) + black).astype(dtype)
    np.savez_compressed(tmp_path / "x.npz", x=values)
    with pytest.raises(DataError, match=r"not uint8\. State .*--dataset\.value-range 0 1"):
        get("arrays", tmp_path)
    dataset, _ = get("arrays", tmp_path, value_range=(black, white))
    assert np.array_equal(np.stack([image[0].numpy() for image, _ in dataset]), levels)


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (noise(3, 8, 8) // 128, {}, r"only values from 0 to 1, but black is 0 and white is 255"),
        (noise(3, 8, 8).astype("f4"), {"value_range": (0, 1)}, r"1: 0 % .* black and \d+ % white"),
        (
            noise(3, 8, 8) / 127.5 - 1,
            {"value_range": (0, 1)},
            r"black is 0 and white is 1: [45]\d %",
        ),
        (noise(3, 8, 8), {"value_range": (0, 65535)}, r"to 2\d\d, but black is 0 .* 65535, so it"),
    ],
)
def test_a_range_that_does_not_fit_is_warned_of(tmp_path, values, options, message):
    np.save(tmp_path / "x.npy", values)
    with pytest.warns(ImageFileWarning, match=message + r".*--dataset\.value-range BLACK WHITE"):
        get("arrays", tmp_path, **options)[0][0]


@pytest.mark.filterwarnings("error")
def test_an_image_of_little_contrast_is_not_warned_of(tmp_path):
    np.save(tmp_path / "x.npy", noise(2, 8, 8) % 10 + 100)
    get("arrays", tmp_path / "x.npy")[0][0]


@pytest.mark.parametrize("key", ["x", "y"])
def test_a_flipped_bit_of_an_npz_is_noticed(tmp_path, key):
    path = tmp_path / "x.npz"
    np.savez(path, x=noise(3, 8, 8), y=np.array([1, 5, 2]))
    content = bytearray(path.read_bytes())
    values = noise(3, 8, 8).tobytes() if key == "x" else np.array([1, 5, 2]).tobytes()
    content[content.index(values) + 8] ^= 2
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"x\.npz: Bad CRC-32 for file .*Write the file again"):
        get("arrays", path, labels="y")


def test_an_array_whose_own_header_differs_is_an_error(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, x=noise(3, 8, 8))
    content = bytearray(path.read_bytes())
    content[14] ^= 1  # a checksum, before the array
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"x\.npz: its header differs from the zip's list"):
        get("arrays", path)


def test_a_name_that_an_npz_holds_twice_is_an_error(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, x=noise(3, 8, 8), y=np.zeros(3, int))
    file = io.BytesIO()
    np.save(file, np.ones(3, int))
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("y.npy", file.getvalue())
    with pytest.raises(DataError, match=r"holds the array 'y' twice"):
        get("arrays", path, labels="y")
    np.savez(path, x=noise(3, 8, 8))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x", file.getvalue())  # which NumPy reads as 'x', instead of x.npy
    with pytest.raises(DataError, match=r"holds the array 'x' twice"):
        get("arrays", path)


def test_nan_is_a_corrupt_image(tmp_path):
    values = np.full((3, 8, 8), 0.5)
    values[1, 0, 0] = np.nan
    np.save(tmp_path / "x.npy", values)
    with pytest.raises(DataError, match=r"number 1 of .* NaN .*skip-corrupt"):
        get("arrays", tmp_path, value_range=(0, 1))[0][1]
    dataset, _ = get("arrays", tmp_path, value_range=(0, 1), skip_corrupt=True)
    with pytest.warns(UserWarning, match="NaN"):
        dataset[1]


def test_objects_and_text_are_never_read(tmp_path):
    objects = np.empty((2, 8, 8), object)
    np.savez(tmp_path / "x.npz", x=objects)
    with pytest.raises(DataError, match=r"the array 'x' of .* holds Python objects\. They are pic"):
        get("arrays", tmp_path)
    np.savez(tmp_path / "x.npz", x=noise(2, 8, 8), y=np.array([0, 1], object))
    with pytest.raises(DataError, match=r"'y' of .* has values of type object"):
        get("arrays", tmp_path, labels="y")
    for values in (np.zeros((2, 8, 8), bool), np.full((2, 8, 8), "x"), np.zeros((2, 8, 8), "c8")):
        np.savez(tmp_path / "x.npz", x=values)
        with pytest.raises(DataError, match=r"not uint8\. Save the images as uint8"):
            get("arrays", tmp_path, value_range=(0, 1))


def test_keys_are_named(tmp_path):
    np.savez(tmp_path / "x.npz", a=noise(2, 8, 8), b=noise(2, 9, 9), y=np.arange(3), f=np.ones(2))
    with pytest.raises(DataError, match=r"several arrays .*: a \(2, 8, 8\) uint8, b .* y \(3,\)"):
        get("arrays", tmp_path)
    assert get("arrays", tmp_path, images="b")[1].image.shape == (1, 9, 9)
    with pytest.raises(DataNotFoundError, match=r"no array 'c'\. Its arrays: a "):
        get("arrays", tmp_path, images="c")
    for labels, error, message in (
        ("y", DataError, r"has the shape \(3,\), but must have one class number"),
        ("f", DataError, "values of type float64, but class numbers are integers"),
        ("z", DataNotFoundError, "no array 'z'. Its arrays: a, b, y, f"),
    ):
        with pytest.raises(error, match=message):
            get("arrays", tmp_path, images="a", labels=labels)
    np.savez(tmp_path / "x.npz", a=noise(2, 8, 8), y=np.array([0, -1]))
    with pytest.raises(DataError, match="class numbers -1 to 0, but they must be 0 to 99,999"):
        get("arrays", tmp_path, labels="y")


def test_labels_of_an_npy_are_a_file_beside_it(tmp_path):
    np.save(tmp_path / "x.npy", noise(3, 8, 8))
    np.save(tmp_path / "y.npy", np.array([2, 0, 1], np.uint8))
    dataset, spec = get("arrays", tmp_path / "x.npy", labels="y.npy")
    assert [int(label) for _, label in dataset] == [2, 0, 1]
    assert spec.classes == 3
    for name in ("z.npy", "../y.npy", "x"):
        with pytest.raises(DataNotFoundError, match="are no .npy file in"):
            get("arrays", tmp_path / "x.npy", labels=name)


def test_empty_and_absent_arrays(tmp_path):
    with pytest.raises(DataNotFoundError, match=r"contains no \.npz or \.npy file"):
        get("arrays", tmp_path)
    np.save(tmp_path / "x.npy", noise(0, 8, 8))
    with pytest.raises(DataError, match="has no images"):
        get("arrays", tmp_path)
    np.savez(tmp_path / "y.npz")
    with pytest.raises(DataNotFoundError, match=r"no array of 3 or 4 dimensions.*arrays: none"):
        get("arrays", tmp_path / "y.npz")


@pytest.mark.parametrize("end", [0, 5, 100, -1])
@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
def test_damaged_files_are_named(tmp_path, end, name):
    path = tmp_path / name
    (np.save if name == "x.npy" else np.savez)(path, noise(2, 8, 8))
    path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(DataError, match=rf"cannot read .*{re.escape(name)}"):
        get("arrays", path)


def test_a_compressed_array_is_bounded(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "x.npz", x=np.zeros((9, 64, 64), np.uint8))
    monkeypatch.setattr(stored_arrays, "MAX_COMPRESSED", 1000)
    with pytest.raises(DataError, match=r"takes 36,864 bytes; the limit .*memory-mapped"):
        get("arrays", tmp_path)
    header = np.lib.format.header_data_from_array_1_0(noise(2, 8, 8)) | {"shape": (10**9, 8, 8)}
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as file, file.open("x.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, header)
    with pytest.raises(DataError, match="declares 64,000,000,000 bytes of values"):
        get("arrays", tmp_path)


@pytest.mark.parametrize(
    "shape", [(2**40, 8, 8), (2**62, 8, 8), (2**99, 8, 8), (-2, 8, 8), (True, 8, 8)]
)
def test_a_shape_that_the_file_does_not_have_is_named(tmp_path, shape):
    path = tmp_path / "x.npy"
    header = np.lib.format.header_data_from_array_1_0(noise(2, 8, 8)) | {"shape": shape}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        file.write(bytes(128))
    with pytest.raises(DataError, match=r"cannot read .*x\.npy: its .*Write the file again"):
        get("arrays", path)


def test_a_training_uses_arrays(tmp_path):
    np.savez(tmp_path / "x.npz", x=noise(20, 16, 16, 1), y=np.arange(20) % 3)
    recipe = tiny(dataset=Component("arrays", {"labels": "y"}))
    assert ganzoo.train(recipe, data=tmp_path, out=tmp_path / "run", progress=False).finished


def test_classes_without_images_are_counted(tmp_path):
    """Class numbers that begin at 1 are a class too many."""
    np.savez(tmp_path / "x.npz", x=noise(3, 8, 8), y=np.array([1, 2, 2]))
    dataset, spec = get("arrays", tmp_path, labels="y")
    assert spec.classes == 3
    assert dataset.file_counts == "3 images in 3 classes (1 without images); layout: nhw"


def test_the_layout_of_medmnist_is_read(tmp_path):
    """Its files have images and a column of labels for each split."""
    parts = {"train": 6, "test": 2}
    arrays = {f"{name}_images": noise(n, 28, 28, 3) for name, n in parts.items()}
    arrays |= {f"{name}_labels": np.arange(n, dtype=np.uint8)[:, None] for name, n in parts.items()}
    np.savez_compressed(tmp_path / "set.npz", **arrays)
    dataset, spec = get(
        "arrays", tmp_path / "set.npz", images="train_images", labels="train_labels"
    )
    assert spec.classes == 6
    assert [int(dataset[k][1]) for k in range(6)] == list(range(6))
    with pytest.raises(DataError, match=r"has the shape \(2, 1\), but must have one class number"):
        get("arrays", tmp_path / "set.npz", images="train_images", labels="test_labels")
