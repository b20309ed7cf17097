"""The datasets in the layouts that torchvision downloads."""

import gzip
import pickle
import struct

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat

import ganzoo
from ganzoo.builtin.vision_sets import readers, table
from ganzoo.data.streamed_batches import StreamedBatches
from ganzoo.errors import DataError, DataNotFoundError
from ganzoo.registry.docstrings import docstring_of
from ganzoo.registry.signatures import bind
from ganzoo.sampling.image_files import fit_image
from helpers.datasets import CPU, fake_mnist, get
from helpers.vision_sets import LETTERS, WRITERS, noise, open_with_torchvision, write_cifar

ROWS = {row.name: row for row in vars(table).values() if isinstance(row, table.VisionSet)}
CASES = [
    *((name, split) for name in ("kmnist", "usps", "cifar-10", "oxford-pets") for split in "ab"),
    ("emnist", "train"),
    *(("svhn", split) for split in ("train", "extra")),
    *(("stl-10", split) for split in ("train", "test", "unlabeled")),
    *(("omniglot", split) for split in ("background", "evaluation")),
    *(("flowers-102", split) for split in ("train", "valid", "test")),
]


@pytest.mark.parametrize(("name", "split"), CASES)
def test_images_and_labels_equal_torchvisions(name, split, tmp_path, monkeypatch):
    split = {"a": "train", "b": "test"}.get(split, split)
    WRITERS[name](tmp_path)
    files = isinstance(ROWS[name].image, int)
    dataset, spec = get(name, tmp_path, split=split, **({"size": 32} if files else {}))
    oracle = open_with_torchvision(name, tmp_path, split, monkeypatch)
    assert len(dataset) == len(oracle) > 1
    pairs = [(image, int(label)) for image, label in dataset]
    theirs = [oracle[k] for k in range(len(oracle))]
    if name == "omniglot":  # torchvision keeps the order of the disk
        pairs.sort(key=lambda pair: pair[0].numpy().tobytes())
    expected = []
    for image, label in theirs:
        picture = image
        if name == "emnist":
            picture = image.transpose(Image.Transpose.TRANSPOSE)
        if files:
            picture = fit_image(picture, 32, 32, "it")
        values = np.asarray(picture)
        values = values[None] if values.ndim == 2 else values.transpose(2, 0, 1)
        expected.append((values, max(int(label), 0)))
    if name == "omniglot":
        expected.sort(key=lambda pair: pair[0].tobytes())
        assert spec.labels[:2] == ("Greek/character01", "Greek/character02")
    for (ours, label), (values, number) in zip(pairs, expected, strict=True):
        assert ours.shape == spec.image.shape
        difference = np.abs(ours.numpy().astype(int) - values).max()
        assert difference <= (1 if name == "usps" else 0)  # torchvision does not round
        assert label == number or name == "omniglot"


def test_files_are_fitted_and_flipped_as_those_of_a_folder(tmp_path):
    WRITERS["oxford-pets"](tmp_path)
    dataset, spec = get("oxford-pets", tmp_path, size="24x32", fit="stretch", flip=True)
    plain, _ = get("oxford-pets", tmp_path, size="24x32", fit="stretch")
    assert spec.image.shape == (3, 24, 32)
    assert len(dataset) == 2 * len(plain)
    assert torch.equal(dataset[len(plain)][0], plain[0][0].flip(2))
    assert "each also flipped" in dataset.file_counts


@pytest.mark.parametrize(("name", "sides"), [("usps", (16, 16)), ("stl-10", (96, 96))])
def test_arrays_get_another_size(name, sides, tmp_path):
    WRITERS[name](tmp_path)
    stored, _ = get(name, tmp_path)
    dataset, spec = get(name, tmp_path, size="20x32")
    assert spec.image.shape[1:] == (20, 32)
    assert spec.extractor == ""
    images = stored[1][0].permute(1, 2, 0).squeeze(2).numpy()
    expected = np.asarray(fit_image(Image.fromarray(images), 32, 20, "it"))
    assert np.array_equal(dataset[1][0].permute(1, 2, 0).squeeze(2).numpy(), expected)
    assert dataset[1][1] == stored[1][1]
    same, spec = get(name, tmp_path, size=0)
    assert spec.image.shape[1:] == sides
    assert torch.equal(same[1][0], stored[1][0])
    square, _ = get(name, tmp_path, size=20)
    assert square.fingerprint == dataset.fingerprint  # that of the files


def test_a_size_is_no_part_of_recipes_that_keep_it(tmp_path):
    assert bind("dataset", "mnist", ganzoo.datasets.get("mnist"), {}) == {"split": "train"}
    assert bind("dataset", "mnist", ganzoo.datasets.get("mnist"), {"size": 32})["size"] == 32


@pytest.mark.parametrize("name", WRITERS)
def test_missing_files_are_told_with_the_command_that_downloads_them(name, tmp_path):
    for root in (tmp_path, tmp_path / "absent", None):
        with pytest.raises(
            DataNotFoundError,
            match=rf"--data DIR or GANZOO_DATA=DIR, .*ganzoo data download {name} --data DIR",
        ):
            get(name, root)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("inner", ["KMNIST", "KMNIST/raw"])
def test_a_folder_inside_the_dataset_is_told_which_one_to_pass(inner, tmp_path):
    WRITERS["kmnist"](tmp_path)
    with pytest.raises(DataNotFoundError, match=rf"contains KMNIST/raw: --data {tmp_path}$"):
        get("kmnist", tmp_path / inner)


def test_files_of_mnist_are_read_as_servers_send_them(tmp_path):
    WRITERS["kmnist"](tmp_path)
    dataset, _ = get("kmnist", tmp_path)
    raw = tmp_path / "KMNIST" / "raw"
    for file in list(raw.iterdir()):
        dotted = raw / file.name.replace("-idx", ".idx")
        if "images" in file.name:
            dotted.with_name(f"{dotted.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
            file.unlink()
        else:
            file.rename(dotted)
    again, _ = get("kmnist", tmp_path)
    assert all(map(torch.equal, again.tensors, dataset.tensors))


@pytest.mark.parametrize("name", WRITERS)
def test_damaged_files_are_an_error(name, tmp_path):
    WRITERS[name](tmp_path)
    count = 0
    for file in sorted(path for path in tmp_path.rglob("*") if path.is_file()):
        if file.suffix in (".png", ".jpg") or "meta" in file.name or "test" in file.name:
            continue
        content = file.read_bytes()
        for damaged in (content[:-7], b"\xff" * 50):
            file.write_bytes(damaged)
            try:
                get(name, tmp_path)
            except DataError as error:
                assert "Download it again" in str(error)  # noqa: PT017 - others are of other splits
                count += 1
        file.write_bytes(content)
    assert count >= 2 or name == "omniglot"


def test_each_row_is_documented():
    assert len(ROWS) == 11
    for name, row in ROWS.items():
        factory = ganzoo.datasets.get(name)
        text = docstring_of(factory)
        assert row.license or "no licence" in text
        assert all(len(line) <= 100 for line in text.splitlines())
        assert factory.downloads.license == row.license
        for file in factory.downloads.files():
            assert len(file.md5) == 32
            assert all(url.startswith("http") for url in file.urls)


def test_emnists_subsets_have_their_classes(tmp_path):
    WRITERS["emnist"](tmp_path)
    dataset, spec = get("emnist", tmp_path, subset="letters")
    assert spec.labels == LETTERS
    assert [int(label) for _, label in dataset] == [0, 1, 2, 3, 4, 5]
    assert get("emnist", tmp_path, subset="digits", split="test")[1].classes == 10
    counts = {subset: len(classes) for subset, classes in table.EMNIST_CLASSES.items()}
    assert counts == {
        "balanced": 47, "byclass": 62, "bymerge": 47, "letters": 26, "digits": 10, "mnist": 10,
    }  # fmt: skip
    with pytest.raises(DataError, match="has no part train small"):
        get("emnist", tmp_path, subset="small")


def test_a_pickle_is_never_executed(tmp_path):
    write_cifar(tmp_path)
    file = tmp_path / "cifar-10-batches-py" / "data_batch_3"

    class Writes:
        def __reduce__(self):
            return (open, (str(tmp_path / "executed"), "w"))

    table = pickle.loads(file.read_bytes())
    for harm in (table | {"labels": Writes()}, table | {"data": Writes()}, Writes()):
        file.write_bytes(pickle.dumps(harm, protocol=2))
        with pytest.raises(DataError, match="cannot read CIFAR-10"):
            get("cifar-10", tmp_path)
    file.write_bytes(pickle.dumps(table | {"more": Writes()}, protocol=2))
    assert len(get("cifar-10", tmp_path)[0]) == 20
    assert not (tmp_path / "executed").exists()
    for wrong in ({"data": table["data"][:2]}, {"labels": [10] * 4}, {"labels": ["a"] * 4}):
        file.write_bytes(pickle.dumps(table | wrong, protocol=2))
        with pytest.raises(DataError, match="cannot read CIFAR-10"):
            get("cifar-10", tmp_path)


def python_2_pickle(images, labels):
    """Return what Python 2 writes for a dictionary of an array and a list, as CIFAR-10's author."""
    shape = b"".join(b"M" + struct.pack("<H", side) for side in images.shape)
    return b"".join(
        [
            b"\x80\x02}q\x01(U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03",
            b"cnumpy\nndarray\nq\x04K\x00\x85U\x01b\x87Rq\x05(K\x01" + shape + b"\x86",
            b"cnumpy\ndtype\nq\x06U\x02u1K\x00K\x01\x87Rq\x07(K\x03U\x01|NNN",
            b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T" + struct.pack("<i", images.size),
            images.tobytes() + b"tbU\x06labelsq\x08]q\x09(",
            b"".join(b"K" + bytes([label]) for label in labels) + b"eu.",
        ]
    )


def test_cifars_pickles_are_of_python_2(tmp_path, monkeypatch):
    write_cifar(tmp_path)
    for k, file in enumerate(sorted((tmp_path / "cifar-10-batches-py").glob("data_batch_*"))):
        file.write_bytes(python_2_pickle(noise(4, 3072) + k, [k, 1, 2, 9]))
    images, labels = get("cifar-10", tmp_path)[0].tensors
    oracle = open_with_torchvision("cifar-10", tmp_path, "train", monkeypatch)
    assert np.array_equal(images.numpy().transpose(0, 2, 3, 1), oracle.data)
    assert labels.tolist() == oracle.targets


def test_cifars_binary_files_hold_the_same(tmp_path):
    write_cifar(tmp_path / "py")
    dataset, _ = get("cifar-10", tmp_path / "py")
    folder = tmp_path / "bin" / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    images, labels = (tensor.numpy() for tensor in dataset.tensors)
    for k in range(5):
        rows = [
            np.concatenate([[label], image.reshape(-1)]).astype(np.uint8)
            for image, label in zip(images[4 * k : 4 * k + 4], labels[4 * k :], strict=False)
        ]
        np.concatenate(rows).tofile(folder / f"data_batch_{k + 1}.bin")
    for ours, theirs in zip(
        get("cifar-10", tmp_path / "bin")[0].tensors, dataset.tensors, strict=True
    ):
        assert torch.equal(ours, theirs)
    (folder / "data_batch_1.bin").write_bytes(b"x" * 100)
    with pytest.raises(DataError, match="no whole images"):
        get("cifar-10", tmp_path / "bin")


def test_old_pickled_copies_of_mnist_are_not_read(tmp_path):
    """torchvision prefers files of torch.save in the folder `processed`."""
    fake_mnist(tmp_path)
    exact = get("mnist", tmp_path)[0].tensors[0]
    (tmp_path / "MNIST/processed").mkdir()
    for name in ("training.pt", "test.pt"):
        torch.save((torch.zeros(2, 28, 28), torch.zeros(2)), tmp_path / "MNIST/processed" / name)
    assert torch.equal(get("mnist", tmp_path)[0].tensors[0], exact)


@pytest.mark.parametrize(
    "arrays",
    [
        {"X": np.zeros((32, 32, 3, 4), np.float64), "y": np.ones((4, 1), np.uint8)},
        {"X": np.zeros((31, 32, 3, 4), np.uint8), "y": np.ones((4, 1), np.uint8)},
        {"X": np.zeros((32, 32, 3, 4), np.uint8), "y": np.array([[1], ["a"], [2], [3]], object)},
        {"X": np.zeros((32, 32, 3, 4), np.uint8)},
        {"X": np.zeros((32, 32, 3, 4), np.uint8), "y": np.full((4, 1), 11, np.uint8)},
        {"X": np.zeros((32, 32, 3, 4), np.uint8), "y": np.ones((3, 1), np.uint8)},
    ],
)
def test_another_content_of_svhn_is_refused(arrays, tmp_path):
    savemat(tmp_path / "train_32x32.mat", arrays)
    with pytest.raises(DataError, match="cannot read SVHN"):
        get("svhn", tmp_path)


def test_usps_is_bounded(tmp_path, monkeypatch):
    WRITERS["usps"](tmp_path)
    monkeypatch.setattr(readers, "MAX_TEXT", 1000)
    with pytest.raises(DataError, match="more than 1,000 bytes"):
        get("usps", tmp_path)


@pytest.mark.parametrize(
    "line", ["../../secret_1 1 1 1", "a/b_1 1 1 1", "a_1", "a_1 x 1 1", "a_1 9 1 1", "a_1 0 1 1"]
)
def test_names_of_pets_stay_in_the_folder(line, tmp_path):
    WRITERS["oxford-pets"](tmp_path)
    file = tmp_path / "oxford-iiit-pet/annotations/trainval.txt"
    file.write_text(file.read_text() + line + "\n")
    with pytest.raises(DataError, match="cannot read Oxford-IIIT Pet"):
        get("oxford-pets", tmp_path)


def test_stl_is_read_from_its_file_by_workers(tmp_path):
    WRITERS["stl-10"](tmp_path)
    data = get("stl-10", tmp_path)
    batches = [next(StreamedBatches(*data, 3, 0, CPU, workers=n)) for n in (0, 1)]
    assert torch.equal(batches[0].images, batches[1].images)
    assert len(pickle.dumps(data[0])) < 10_000
