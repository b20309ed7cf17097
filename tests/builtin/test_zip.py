"""The dataset of image files in a zip."""

import io
import json
import struct
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import ganzoo
from ganzoo.builtin.image_files.labels import read_labels
from ganzoo.bundle import open_bundle
from ganzoo.data.model_data import open_model_data
from ganzoo.data.streamed_batches import StreamedBatches
from ganzoo.errors import DataError, DataNotFoundError, ImageFileError
from ganzoo.sampling import zip_files
from ganzoo.spec import Component
from helpers.datasets import CPU, get, picture, pictures, write_zip
from helpers.recipes import tiny

NAMES = [f"00000/img{k:08d}.png" for k in range(5)]


def dataset_json(rows):
    return "dataset.json", json.dumps({"labels": rows}).encode()


def toolbox(path, rows, **options):
    """Write a zip as StyleGAN's dataset_tool does."""
    members = [(name, picture(k)) for k, name in enumerate(NAMES)]
    return write_zip(path / "data.zip", [*members, dataset_json(rows)], **options)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_labels_are_those_of_dataset_json(tmp_path, method):
    path = toolbox(tmp_path, [[n, (0, 3, 1, 3, 0)[k]] for k, n in enumerate(NAMES)], method=method)
    dataset, spec = get("zip", path, size=16)
    assert [int(label) for _, label in dataset] == [0, 3, 1, 3, 0]
    assert (spec.classes, spec.labels) == (4, ())
    assert dataset.file_counts == "5 image files in 4 classes (1 without images); skipped: none"
    with Image.open(io.BytesIO(picture(2))) as image:
        exact = image.resize((16, 16), Image.Resampling.LANCZOS, box=(2, 0, 18, 16))
    assert np.array_equal(dataset[2][0].permute(1, 2, 0).numpy(), np.asarray(exact))
    assert get("zip", tmp_path, size=16)[0].fingerprint == dataset.fingerprint  # the folder


def test_null_labels_are_none_and_shards_are_no_classes(tmp_path):
    dataset, spec = get("zip", toolbox(tmp_path, None))
    assert (len(dataset), spec.classes) == (5, 0)
    assert [int(label) for _, label in dataset] == [0] * 5


def test_files_without_a_label_are_counted(tmp_path):
    dataset, spec = get("zip", toolbox(tmp_path, [[NAMES[1], 1], [NAMES[3], 0]]))
    assert [int(label) for _, label in dataset] == [1, 0]
    assert "skipped: without a label in dataset.json (3)" in dataset.file_counts
    dataset, spec = get("zip", tmp_path, labels="none")
    assert (len(dataset), spec.classes) == (5, 0)


def test_absent_files_are_an_error_or_counted(tmp_path):
    path = toolbox(tmp_path, [[NAMES[1], 1], ["00000/gone.png", 0]])
    with pytest.raises(DataError, match=r"names 1 absent file, .*'00000/gone\.png'.*skip-corrupt"):
        get("zip", path)
    dataset, _ = get("zip", path, skip_corrupt=True)
    assert "in dataset.json alone (1)" in dataset.file_counts


@pytest.mark.parametrize("top", ["", "pets/"])
def test_sub_folders_are_classes(tmp_path, top):
    names = [f"{top}{c}/{k}.png" for c in ("cat", "dog") for k in range(2)]
    others = [(f"{top}cat/", b""), (f"{top}notes.txt", b""), ("__MACOSX/cat/._0.png", b"")]
    path = write_zip(tmp_path / "pets.zip", [*((n, picture(1)) for n in names), *others])
    dataset, spec = get("zip", path)
    assert spec.labels == ("cat", "dog")
    assert [int(label) for _, label in dataset] == [0, 0, 1, 1]
    assert dataset.file_counts.startswith("4 image files in 2 classes; skipped: ")
    assert "hidden (1)" in dataset.file_counts
    assert "type .txt (1)" in dataset.file_counts
    assert get("zip", path, labels="none")[1].classes == 0
    with pytest.raises(DataError, match=r"contains no dataset\.json"):
        get("zip", path, labels="json")


def test_a_zip_is_like_its_folder(tmp_path):
    root = pictures(tmp_path / "images", [f"{c}/{k}.jpg" for c in "ab" for k in range(3)])
    files = sorted(path for path in root.rglob("*.jpg"))
    write_zip(tmp_path / "a.zip", [(p.relative_to(root).as_posix(), p.read_bytes()) for p in files])
    folder, folder_spec = get("folder", root, size=16)
    zipped, zip_spec = get("zip", tmp_path / "a.zip", size=16)
    assert zip_spec.labels == folder_spec.labels
    for ours, theirs in zip(zipped, folder, strict=True):
        assert torch.equal(ours[0], theirs[0])
        assert ours[1] == theirs[1]


def test_workers_read_a_zip_and_a_training_uses_it(tmp_path):
    path = toolbox(tmp_path, [[name, k % 2] for k, name in enumerate(NAMES)])
    data = get("zip", path, size=16)
    batches = [next(StreamedBatches(*data, 5, 0, CPU, workers=n)) for n in (0, 2)]
    assert torch.equal(batches[0].images, batches[1].images)
    assert torch.equal(batches[0].labels, batches[1].labels)
    recipe = tiny(dataset=Component("zip", {"size": 16}))
    run = ganzoo.train(recipe, data=path, out=tmp_path / "run", progress=False)
    assert json.loads((run.path / "run.json").read_text())["folder"] == str(path)
    spec = open_bundle(run.bundle).spec
    again = open_model_data(spec, recipe.dataset, path=run.bundle)
    assert again.root == path  # of run.json


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "b/../../a.png", "C:/a.png", "..\\a.png"])
def test_paths_that_lead_out_are_refused(tmp_path, name):
    path = write_zip(tmp_path / "a.zip", [("0.png", picture(0)), (name, picture(1))])
    with pytest.raises(DataError, match=r"leads out of the zip\. ganzoo unpacks nothing"):
        get("zip", path, skip_corrupt=True)


def test_a_name_that_is_twice_in_a_zip_is_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = write_zip(tmp_path / "a.zip", [("0.png", picture(0)), ("0.png", picture(1))])
    with pytest.raises(DataError, match=r"holds the file '0\.png' twice"):
        get("zip", path)


def test_links_are_no_images(tmp_path):
    info = zipfile.ZipInfo("link.png")
    info.external_attr = 0o120777 << 16
    path = write_zip(tmp_path / "a.zip", [("0.png", picture(0)), (info, b"/etc/passwd")])
    assert get("zip", path)[0].file_counts.endswith("skipped: link (1)")


def patched(path, offset, content, start=b"PK\x01\x02"):
    """Change bytes of the first record that begins with a signature.

    What the list of members says, the member's own header says, too, two bytes nearer to its begin.
    """
    whole = bytearray(path.read_bytes())
    places = [whole.index(start) + offset]
    if start == b"PK\x01\x02" and offset < 28:
        places.append(whole.index(b"PK\x03\x04") + offset - 2)
    for place in places:
        whole[place : place + len(content)] = content
    path.write_bytes(whole)


@pytest.mark.parametrize(
    ("offset", "content", "problem"),
    [
        (8, b"\x01\0", "encrypted"),
        (10, struct.pack("<H", zipfile.ZIP_LZMA), "compressed by lzma"),
        (10, struct.pack("<H", 77), "compressed by method 77"),
    ],
)
def test_encryption_and_other_compressions_are_named(tmp_path, offset, content, problem):
    path = write_zip(tmp_path / "a.zip", [("0.png", picture(0)), ("1.png", picture(1))])
    patched(path, offset, content)
    with pytest.raises(DataError, match=rf"'0\.png' of the zip .* is {problem}.*skip-corrupt"):
        get("zip", path)
    dataset, _ = get("zip", path, skip_corrupt=True)
    assert dataset.file_counts == f"1 image file without classes; skipped: {problem} (1)"


def test_a_member_may_not_be_larger_than_it_declares(tmp_path, monkeypatch):
    bomb = bytes(10**6)
    members = [("0.png", bomb), ("1.png", picture(1))]
    path = write_zip(tmp_path / "a.zip", members, method=zipfile.ZIP_DEFLATED)
    with pytest.raises(ImageFileError, match=r"cannot read the image 0\.png of the zip"):
        get("zip", path)[0][0]
    patched(path, 24, struct.pack("<I", 100))  # the declared size
    with pytest.raises(ImageFileError, match="declares 100 bytes, and holds more"):
        get("zip", path)[0][0]
    patched(path, 24, struct.pack("<I", 2**31))
    with pytest.raises(ImageFileError, match=r"declares 2,147,483,648 bytes; the limit is"):
        get("zip", path)[0][0]
    dataset, _ = get("zip", path, skip_corrupt=True, size=8)
    with pytest.warns(UserWarning, match=r"0\.png.*next image replaces it"):
        assert torch.equal(dataset[0][0], dataset[1][0])
    monkeypatch.setattr(zip_files, "MAX_BYTES", 10)
    with pytest.raises(ImageFileError, match="the limit is 10"):
        get("zip", path)[0][1]


@pytest.mark.parametrize(
    ("offset", "content", "message"),
    [
        (16, b"\0\0\0\0", "its checksum differs"),
        (42, struct.pack("<I", 5), "no header of a zip's member"),
        (20, struct.pack("<I", 2**20), "the file ends within it"),
    ],
)
def test_damage_of_one_member_is_named(tmp_path, offset, content, message):
    path = write_zip(tmp_path / "a.zip", [("0.png", picture(0))])
    patched(path, offset, content)
    with pytest.raises(ImageFileError, match=rf"0\.png of the zip .* is damaged: {message}"):
        get("zip", path)[0][0]


@pytest.mark.parametrize(
    ("offset", "content"),
    [(6, b"\x01"), (8, b"\x08"), (14, b"\0\0"), (18, b"\1\0"), (22, b"\1\0"), (30, b"1.png")],
    ids=["encryption", "method", "checksum", "stored", "size", "name"],
)
def test_a_member_whose_own_header_differs_is_damaged(tmp_path, offset, content):
    """Programs that read a zip from its begin read another image."""
    path = write_zip(tmp_path / "a.zip", [("0.png", picture(0))])
    patched(path, offset, content, start=b"PK\x03\x04")
    with pytest.raises(ImageFileError, match=r"0\.png of the .*header differs from the zip's list"):
        get("zip", path)[0][0]


def test_sizes_of_a_stream_and_of_64_bits_are_read(tmp_path):
    class Pipe:
        def __init__(self):
            self.content = b""

        def write(self, content):
            self.content += content
            return len(content)

        def flush(self):
            pass

    pipe = Pipe()
    for target in (tmp_path / "64.zip", pipe):
        with (
            zipfile.ZipFile(target, "w") as file,
            file.open("0.png", "w", force_zip64=True) as member,
        ):
            member.write(picture(0))
    (tmp_path / "stream.zip").write_bytes(pipe.content)
    for name in ("64.zip", "stream.zip"):
        assert len(get("zip", tmp_path / name)[0][0]) == 2


def test_names_in_messages_are_one_line(tmp_path):
    path = write_zip(tmp_path / "a.zip", [("a\n\x1b[31m.png", b"")])
    with pytest.raises(ImageFileError, match=r"the image a  \[31m\.png of the zip"):
        get("zip", path)[0][0]


def test_a_size_of_64_bits_is_bounded(tmp_path):
    path = write_zip(tmp_path / "a.zip", [("0.png", picture(0))])
    extra = struct.pack("<HHQQ", 1, 16, 2**64 - 1, 2**64 - 1)
    patched(path, 20, b"\xff" * 8)
    patched(path, 30, struct.pack("<H", len(extra)))
    patched(path, 12, struct.pack("<I", 46 + 5 + len(extra)), b"PK\5\6")
    whole = path.read_bytes()
    place = whole.index(b"PK\5\6")
    path.write_bytes(whole[:place] + extra + whole[place:])
    with pytest.raises(ImageFileError, match=r"0\.png of the zip .* declares 9,.* the limit is"):
        get("zip", path)[0][0]


@pytest.mark.parametrize("end", [0, 10, -10, -60])
def test_a_truncated_zip_is_named(tmp_path, end):
    path = write_zip(tmp_path / "a.zip", [(n, picture(0)) for n in NAMES])
    path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(DataError, match=r"a\.zip is not a complete zip"):
        get("zip", path)


def test_zips_without_images_and_absent_zips_are_not_found(tmp_path):
    with pytest.raises(DataNotFoundError, match=r"contains no \.zip file.*--dataset folder"):
        get("zip", tmp_path)
    inner = write_zip(tmp_path / "a.zip", [("0.png", picture(0))])
    path = write_zip(tmp_path / "outer.zip", [("inner.zip", inner.read_bytes())])
    with pytest.raises(DataNotFoundError, match=r"skipped: type \.zip \(1\).*unpack the outer"):
        get("zip", path)
    with pytest.raises(DataNotFoundError, match="contains no image files"):
        get("zip", write_zip(path, []))
    with pytest.raises(DataError, match=r"2 files of this kind: a\.zip, outer\.zip.*--data"):
        get("zip", tmp_path)
    with pytest.raises(DataNotFoundError, match="--data FILE or set GANZOO_DATA"):
        get("zip", None)
    with pytest.raises(
        DataNotFoundError, match=r"a\.zip is a file, not a folder\. Use --dataset z"
    ):
        get("folder", inner)


def test_a_pointer_of_git_lfs_is_named(tmp_path):
    text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"
    (tmp_path / "0.zip").write_text(text)
    with pytest.raises(DataError, match=r"0\.zip is a git-lfs pointer.* lfs pull"):
        get("zip", tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[]", 'has no "labels"'),
        ('{"label": null}', 'has no "labels"'),
        ('{"labels": {"a.png": 1}}', '"labels" is a table'),
        ('{"labels": ["a.png"]}', "entry 0 of the labels"),
        ('{"labels": [["a.png", 1], ["b.png"]]}', "entry 1 of the labels is a list"),
        ('{"labels": [["a.png", 1.0]]}', r"the label of 'a\.png' is 1\.0"),
        ('{"labels": [["a.png", true]]}', r"the label of 'a\.png' is True"),
        ('{"labels": [["a.png", -1]]}', r"the label of 'a\.png' is -1"),
        ('{"labels": [["a.png", [0.5, 1.5]]]}', "a list, but must be .*vectors are not supported"),
        ('{"labels": [["a.png", 100000]]}', "0 to 99,999"),
        ('{"labels": [["a.png", 1], ["a.png", 1]]}', r"several labels of 'a\.png'"),
        ('{"labels": null, "labels": []}', "more than once"),
        ("[" * 10**5, "is not JSON"),
    ],
)
def test_another_form_of_dataset_json_is_refused(tmp_path, text, message):
    path = write_zip(tmp_path / "a.zip", [("a.png", picture(0)), ("dataset.json", text.encode())])
    with pytest.raises(DataError, match=rf"dataset\.json of the zip .*{message}"):
        get("zip", path)


TEXT = st.sampled_from(["", "a", "b.png", "a\\b", "\u00e9", "labels"])
LEAF = st.none() | st.booleans() | st.integers(-2, 100_001) | st.floats() | TEXT
ROW = LEAF | st.lists(LEAF, max_size=3) | st.tuples(TEXT, st.integers(-1, 9))
JSON = LEAF | st.lists(ROW, max_size=4) | st.dictionaries(TEXT, ROW, max_size=2)


@settings(deadline=None)
@given(JSON | st.lists(st.tuples(TEXT, st.integers(0, 9)), max_size=4))
def test_dataset_json_is_class_numbers_or_an_error(rows):
    content = json.dumps({"labels": rows}).encode()
    try:
        labels = read_labels(content, "it")
    except DataError as error:
        assert str(error).startswith("it")  # noqa: PT017 - not every example is an error
        return
    if labels is None:
        assert rows is None
        return
    assert [[name.replace("\\", "/"), label] for name, label in rows] == [
        [name, label] for name, label in labels.items()
    ]
    assert all(type(label) is int and 0 <= label < 100_000 for label in labels.values())


@settings(deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_as_dataset_json_are_an_error(content):
    try:
        assert read_labels(content, "it") is None
    except DataError as error:
        assert str(error).startswith("it")  # noqa: PT017 - not every example is an error


def test_images_are_fitted_as_those_of_a_folder(tmp_path):
    root = pictures(tmp_path / "images", [f"{k}.png" for k in range(3)])
    write_zip(
        tmp_path / "a.zip", [(f"{k}.png", (root / f"{k}.png").read_bytes()) for k in range(3)]
    )
    for options in (
        {"size": "16x24", "fit": "random-crop", "flip": True},
        {"size": "24x20", "fit": "pad", "background": "black"},
        {"size": 16, "fit": "stretch"},
    ):
        folder, spec = get("folder", root, **options)
        zipped, ours = get("zip", tmp_path / "a.zip", **options)
        assert ours.image == spec.image
        assert len(zipped) == len(folder)
        assert all(torch.equal(a[0], b[0]) for a, b in zip(zipped, folder, strict=True))
