"""The datasets of Parquet files, local and on the Hub."""

import io
import json
import os
import sys
from multiprocessing.reduction import ForkingPickler

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

import ganzoo
from ganzoo.builtin.image_files.repositories import choose_parquet, find_license
from ganzoo.data.streamed_batches import StreamedBatches
from ganzoo.errors import DataError, DataNotFoundError, ImageFileError, MissingExtraError
from helpers.datasets import CPU, get, picture, pictures
from helpers.hub_client import HubClient
from helpers.hub_server import HubServer

pyarrow = pytest.importorskip("pyarrow", reason="not installed: pip install '.[datasets]'")
pytest.importorskip("pyarrow.parquet")

FEATURES = {
    "info": {
        "features": {
            "image": {"_type": "Image"},
            "label": {"names": ["cat", "dog"], "_type": "ClassLabel"},
        }
    }
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _in_cache(cache, monkeypatch):
    monkeypatch.setenv("GANZOO_CACHE", str(cache))


def images(n=4):
    return [picture(k, size=(20, 16)) for k in range(n)]


def parquet(path=None, column="image", typed=True, **columns):
    """Write a Parquet file as the library `datasets` does, or plainly; return its bytes."""
    cells = columns.pop("cells", None) or [{"bytes": b, "path": None} for b in images()]
    kind = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    table = pyarrow.table({column: pyarrow.array(cells, kind), **columns})
    if typed:
        table = table.replace_schema_metadata({"huggingface": json.dumps(FEATURES)})
    target = path or io.BytesIO()
    pyarrow.parquet.write_table(table, target)
    return path if path else target.getvalue()


def exact(k, size=16):
    with Image.open(io.BytesIO(picture(k, size=(20, 16)))) as image:
        middle = image.resize((size, size), Image.Resampling.LANCZOS, box=(2, 0, 18, 16))
    return torch.from_numpy(np.array(middle)).permute(2, 0, 1)


def test_rows_are_images_with_class_names(tmp_path, cache):
    path = parquet(tmp_path / "a.parquet", label=[1, 0, 1, 0])
    dataset, spec = get("parquet", path, size=16, label_column="label")
    assert spec.labels == ("cat", "dog")
    assert [int(label) for _, label in dataset] == [1, 0, 1, 0]
    for k in range(4):
        assert torch.equal(dataset[k][0], exact(k))
    assert dataset.file_counts == "4 rows in 2 classes; skipped: none"
    batches = [next(StreamedBatches(dataset, spec, 4, 0, CPU, workers=n)) for n in (0, 1)]
    assert torch.equal(batches[0].images, batches[1].images)
    again = ForkingPickler.loads(ForkingPickler.dumps(dataset))
    assert torch.equal(again[2][0], exact(2))
    files = {p: p.stat().st_mtime_ns for p in cache.rglob("*.arrow")}
    other, _ = get("parquet", tmp_path, size=16, label_column="label")
    assert other.fingerprint == dataset.fingerprint
    assert {p: p.stat().st_mtime_ns for p in cache.rglob("*.arrow")} == files


@pytest.mark.parametrize("damage", ["image", "label", "checksums", "empty checksums"])
def test_a_changed_byte_of_the_cache_is_an_error(tmp_path, monkeypatch, damage):
    monkeypatch.setenv("GANZOO_CACHE", str(tmp_path / "cache"))
    path = parquet(tmp_path / "a.parquet", label=[1, 0, 1, 0])
    options = {"size": 16, "label_column": "label"}
    dataset, _ = get("parquet", path, **options)
    (arrow,) = (tmp_path / "cache").rglob("*.arrow")
    content = bytearray(arrow.read_bytes())
    if damage == "image":
        content[content.index(images()[2]) + 50] ^= 1
    elif damage == "label":
        content[content.index(bytes([1, *[0] * 15] * 2))] = 0
    else:
        for file in arrow.parent.glob("crc32-*.npy"):
            file.write_bytes(b"" if "empty" in damage else file.read_bytes()[:-4])
    with arrow.open("r+b") as file:  # in place: its map changes, too
        file.write(content)

    def read():
        opened, _ = get("parquet", path, skip_corrupt=True, **options)
        return [opened[k] for k in range(4)]

    if "checksums" in damage:  # which are computed again
        assert torch.equal(read()[2][0], exact(2))
        return
    for read_all in (read, lambda: [dataset[k] for k in range(4)])[: 2 - (damage == "label")]:
        with pytest.raises(DataError, match=r"cache/arrow/.*is damaged: .*Delete this folder"):
            read_all()


def test_other_types_of_columns(tmp_path):
    path = parquet(tmp_path / "a.parquet", typed=False, kind=["b", "a", "b", "c"])
    dataset, spec = get("parquet", path, size=16, label_column="kind")
    assert spec.labels == ("a", "b", "c")
    assert [int(label) for _, label in dataset] == [1, 0, 1, 2]
    table = pyarrow.table({"data": images(), "y": pyarrow.array([0, 5, 1, 1], pyarrow.uint8())})
    pyarrow.parquet.write_table(table, tmp_path / "b.parquet")
    dataset, spec = get(
        "parquet", tmp_path / "b.parquet", size=16, image_column="data", label_column="y"
    )
    assert (spec.classes, spec.labels) == (6, ())
    assert torch.equal(dataset[3][0], exact(3))
    numbers = pyarrow.array([2**64 - 1, 0, 1, 2], pyarrow.uint64())
    with pytest.raises(DataError, match="the class number 9223372036854775807, .* limit is 100,0"):
        get("parquet", parquet(tmp_path / "c.parquet", typed=False, y=numbers), label_column="y")
    for arguments, message in (
        ({"image_column": "y"}, "'y' is of the type uint8, but images are image files in bytes"),
        ({}, r"b\.parquet has no column 'image'\. Its columns: data, y\. .*--dataset\.image-colum"),
        ({"image_column": "data", "label_column": "z"}, r"no column 'z'.*--dataset\.label-column"),
        ({"image_column": "data", "label_column": "data"}, "is of the type binary, but labels are"),
    ):
        with pytest.raises(DataError, match=message):
            get("parquet", tmp_path / "b.parquet", **arguments)


def test_rows_without_an_image_or_a_label(tmp_path):
    good = images()
    cells = [None, {"bytes": good[1], "path": None}, {"bytes": b"no image", "path": "x.png"}]
    path = parquet(tmp_path / "a.parquet", cells=[*cells, cells[1]], label=[0, None, 1, -1])
    dataset, _ = get("parquet", path, size=16)
    with pytest.raises(ImageFileError, match="row 0 has no image"):
        dataset[0]
    with pytest.raises(ImageFileError, match=r"cannot read the image in row 2 of .*a\.parquet"):
        dataset[2]
    with pytest.raises(DataError, match=r"2 of the 4 rows of .* have no label.*skip-corrupt"):
        get("parquet", path, label_column="label")
    dataset, _ = get("parquet", path, size=16, label_column="label", skip_corrupt=True)
    assert dataset.file_counts == "2 rows in 2 classes; skipped: without a label (2)"


def test_other_files_are_not_read_for_a_table(tmp_path):
    secret = pictures(tmp_path / "elsewhere", ["secret.png"]) / "secret.png"
    root = pictures(tmp_path / "data", ["ours.png"])
    cells = [{"bytes": None, "path": str(p)} for p in (secret, root / "ours.png", "gone.png")]
    parquet(root / "a.parquet", cells=cells, label=[0, 0, 0])
    dataset, _ = get("parquet", root / "a.parquet", size=16)
    for row in (0, 2):
        with pytest.raises(ImageFileError, match="not a file below the data folder"):
            dataset[row]
    assert dataset[1][0].shape == (3, 16, 16)


def test_an_edit_that_keeps_the_size_is_noticed(tmp_path):
    path = tmp_path / "a.parquet"
    names = set()
    for value in (0, 9):
        contents = [bytes([value]) * 9 if k == 1 else b"image" for k in range(3)]
        parquet(path, cells=[{"bytes": content, "path": None} for content in contents])
        os.utime(path, ns=(value, value))
        dataset, _ = get("parquet", path, size=16)
        names.add((dataset.fingerprint, dataset.timestamps))
    assert len(names) == 2
    root = pictures(tmp_path / "data", ["0.png"])
    parquet(root / "a.parquet", cells=[{"bytes": None, "path": str(root / "0.png")}] * 2)
    dataset, _ = get("parquet", root / "a.parquet", size=16)
    before = dataset.timestamps
    os.utime(root / "0.png", ns=(0, 9))
    assert dataset.timestamps != before
    (root / "0.png").unlink()
    assert dataset.timestamps != before, "an absent file is named when it is read"


def test_splits_of_a_folder_are_in_its_file_names(tmp_path):
    for name in ("data/train-0.parquet", "data/train-1.parquet", "data/test-0.parquet"):
        (tmp_path / "data").mkdir(exist_ok=True)
        parquet(tmp_path / name, label=[1, 0, 1, 0])
    assert len(get("parquet", tmp_path)[0]) == 8
    assert len(get("hub", tmp_path, split="test")[0]) == 4
    with pytest.raises(DataError, match=r"no split 'dev'\. Its splits: test, train\. .*--dataset"):
        get("parquet", tmp_path, split="dev")


def test_a_local_copy_has_the_subsets_and_the_licence_of_its_readme(tmp_path):
    for name in ("big/0.parquet", "small/a-0.parquet"):
        (tmp_path / name).parent.mkdir()
        parquet(tmp_path / name, label=[1, 0, 1, 0])
    (tmp_path / "README.md").write_text(f"---\n{yaml.safe_dump(CONFIGS)}---\n")
    dataset, spec = get("hub", tmp_path)
    assert (len(dataset), spec.license) == (4, "cc-by-4.0")
    assert "small/" not in spec.origin
    assert "big, split train" in get("hub", tmp_path, subset="big")[1].origin
    with pytest.raises(DataError, match="has the subsets big, small"):
        get("hub", tmp_path, subset="tiny")


def test_files_of_no_split_are_named(tmp_path):
    for name in ("train.parquet", "more.parquet"):
        parquet(tmp_path / name, label=[1, 0, 1, 0])
    with pytest.warns(UserWarning, match=r"1 file of the dataset, such as more\.parquet, is not"):
        assert len(get("parquet", tmp_path)[0]) == 4


def test_a_local_folder_of_images_has_the_splits_of_its_folders(tmp_path):
    names = [f"{split}/{c}/1.png" for split in ("train", "test") for c in ("cat", "dog")]
    root = pictures(tmp_path / "data", [*names, "test/dog/2.png"])
    for split, expected in (("train", [0, 1]), ("test", [0, 1, 1])):
        dataset, spec = get("hub", root, size=16, label_column="label", split=split)
        assert ([int(label) for _, label in dataset], spec.labels) == (expected, ("cat", "dog"))
    with pytest.raises(DataError, match=r"no split 'dev'\. Its splits: test, train"):
        get("hub", root, split="dev")
    with pytest.raises(DataError, match=r"which have no subsets\. Leave out --dataset\.subset"):
        get("hub", root, subset="small")
    vehicles = pictures(tmp_path / "vehicles", ["train/1.png", "bus/2.png"])
    assert get("hub", vehicles, size=16, label_column="label")[1].labels == ("bus", "train")


def test_damaged_and_missing_files(tmp_path):
    path = parquet(tmp_path / "a.parquet", label=[1, 0, 1, 0])
    content = path.read_bytes()
    for damaged in (b"", content[:100], content[:-4], b"PAR1" * 10):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"cannot read .*a\.parquet"):
            get("parquet", path)
    middle = len(content) // 3
    path.write_bytes(content[:middle] + b"\xff" * 400 + content[middle + 400 :])
    with pytest.raises(DataError, match=r"a\.parquet"):
        list(get("parquet", path)[0])
    path.write_bytes(content)
    parquet(tmp_path / "b.parquet", label=["x", "y", "x", "y"], typed=False)
    with pytest.raises(DataError, match="cannot convert .* Check that all have the same columns"):
        get("parquet", tmp_path, label_column="label")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataNotFoundError, match=r"has no \.parquet files"):
        get("parquet", tmp_path / "empty")
    for name, message in (("parquet", "--data DIR or set"), ("hub", "--dataset.repository org/n")):
        with pytest.raises(DataNotFoundError, match=message):
            get(name, None)


def test_an_empty_table_is_an_error(tmp_path):
    kind = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    table = pyarrow.table({"image": pyarrow.array([], kind)})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(DataError, match="has no rows"):
        get("parquet", tmp_path)


def test_a_local_folder_of_images_has_the_columns_of_its_metadata(tmp_path):
    root = pictures(tmp_path / "plain", [f"{c}/{k}.png" for c in ("cat", "dog") for k in "ab"])
    dataset, spec = get("hub", root, size=16, label_column="label")
    assert spec.labels == ("cat", "dog")
    folder, _ = get("folder", root, size=16)
    assert all(torch.equal(a[0], b[0]) for a, b in zip(dataset, folder, strict=True))
    root = pictures(tmp_path / "described", ["1.png", "2.png"])
    (root / "metadata.csv").write_text("file_name,kind\n1.png,old\n2.png,new\n")
    dataset, spec = get("hub", root, size=16, label_column="kind")
    assert spec.labels == ("new", "old")
    assert [int(label) for _, label in dataset] == [1, 0]
    with pytest.raises(DataError, match=r"no column 'label'\. Its columns: image, kind"):
        get("hub", root, label_column="label")


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("metadata.csv", "file_name,kind\n1.png,old\n1.png,new\n", "image '1.png' more than once"),
        ("metadata.csv", "file_name,kind,kind\n1.png,old,new\n", "column 'kind' more than once"),
        ("metadata.jsonl", '{"file_name": "1.png", "a": 1, "a": 2}\n', "column 'a' more than once"),
        ("metadata.jsonl", '{"file_name": "1.png"}\n' * 2, "image '1.png' more than once"),
    ],
)
def test_metadata_with_two_values_for_one_is_refused(tmp_path, file, text, message):
    pictures(tmp_path, ["1.png"])
    (tmp_path / file).write_text(text)
    with pytest.raises(DataError, match=message):
        get("hub", tmp_path, label_column="kind")


def test_without_the_library_the_extra_is_named(tmp_path, monkeypatch):
    path = parquet(tmp_path / "a.parquet", label=[0, 0, 0, 0])
    for name in [n for n in sys.modules if n.split(".")[0] in ("datasets", "pyarrow")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"pip install '\.\[datasets\]'"):
        ganzoo.datasets.make("parquet", path)
    with pytest.raises(MissingExtraError, match=r"pip install '\.\[datasets\]'"):
        ganzoo.datasets.make("hub", None, repository="org/name")  # no server is asked


CONFIGS = {
    "license": "cc-by-4.0",
    "configs": [
        {"config_name": "big", "data_files": [{"split": "train", "path": "big/*"}]},
        {
            "config_name": "small",
            "default": True,
            "data_files": [
                {"split": "train", "path": ["small/a-*.parquet"]},
                {"split": "validation", "path": "small/**/b-*.parquet"},
            ],
        },
    ],
}
NAMES = [
    "README.md",
    "big/0.parquet",
    "small/a-0.parquet",
    "small/a-1.parquet",
    "small/b-0.parquet",
]


@pytest.mark.parametrize(
    ("header", "subset", "split", "expected"),
    [
        (CONFIGS, "", "train", ["small/a-0.parquet", "small/a-1.parquet"]),
        (CONFIGS, "small", "validation", ["small/b-0.parquet"]),
        (CONFIGS, "big", "train", ["big/0.parquet"]),
        (CONFIGS, "tiny", "train", "has the subsets big, small"),
        (CONFIGS, "big", "test", "no split 'test'. Its splits: train"),
        ({}, "", "train", NAMES[1:]),
        ({}, "", "test", "Its splits: train"),
        ({}, "big", "train", "states no subsets"),
        ({"configs": "x"}, "", "train", NAMES[1:]),
        ({"configs": [{"data_files": "big/*"}]}, "", "train", ["big/0.parquet"]),
        ({"configs": [{"data_files": {"a": ["big/*"]}}]}, "", "a", ["big/0.parquet"]),
        ({"configs": [{"data_files": 3}, {"data_files": 4}]}, "", "a", "has the subsets default"),
    ],
)
def test_the_files_of_a_split(header, subset, split, expected):
    if isinstance(expected, str):
        with pytest.raises(DataError, match=expected):
            choose_parquet(NAMES, header, subset, split, "it")
    else:
        assert choose_parquet(NAMES, header, subset, split, "it") == expected


NESTED = ["data/train.parquet", "data/raw/1.parquet", "en/test-0.parquet", "en/train-0.parquet"]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"data_files": "data/*"}, NESTED[:1]),  # `*` matches no "/" on the Hub
        ({"data_files": "*.parquet"}, "no split 'train'"),
        ({"data_files": "*/*.parquet"}, [NESTED[0], *NESTED[2:]]),
        ({"data_files": "data/**"}, NESTED[1::-1]),
        ({"data_files": "data/**/*.parquet"}, NESTED[1::-1]),
        ({"data_files": "**"}, [NESTED[1], NESTED[0], *NESTED[2:]]),
        ({"data_files": "./data/[a-t]rain.?arquet"}, NESTED[:1]),
        ({"data_files": "*" * 20_000 + "x"}, "no split 'train'"),
        ({"data_files": "**/" * 2_000 + "x"}, "no split 'train'"),
        ({"data_dir": "en"}, NESTED[3:]),
        ({"data_dir": "./data/", "data_files": "*"}, NESTED[:1]),
        ({"data_dir": "de"}, "no split 'train'"),
    ],
)
def test_patterns_match_what_they_match_on_the_hub(table, expected):
    header = {"configs": [{"config_name": "a", "data_files": "z"}, table | {"config_name": "b"}]}
    if isinstance(expected, str):
        with pytest.raises(DataError, match=expected):
            choose_parquet(NESTED, header, "b", "train", "it")
    else:
        assert choose_parquet(NESTED, header, "b", "train", "it") == expected


def test_licences_of_headers():
    assert find_license({"license": "mit"}) == find_license({"license": ["mit"]}) == "mit"
    for value in (None, ["mit", "gpl"], 3, "a b", ["x" * 99], {}):
        assert find_license({"license": value}) is None


@pytest.fixture(scope="module")
def server():
    server = HubServer()
    yield server
    server.stop()


OPEN = """
import ganzoo
arguments = {{"repository": "org/pets", "size": 16}} | {arguments!r}
data, spec = ganzoo.datasets.get("hub")(None, **arguments)
value = [len(data), [int(l) for _, l in data], spec.license, spec.origin, spec.hub, spec.labels]
"""


@pytest.mark.enable_socket
def test_a_dataset_of_the_hub_is_downloaded_once(server, tmp_path):
    card = b"---\nlicense: cc-by-4.0\n---\n"
    files = {
        "README.md": card,
        "data/train-0.parquet": parquet(label=[1, 0, 1, 0]),
        "data/train-1.parquet": parquet(label=[0, 0, 1, 1]),
        "data/test-0.parquet": parquet(label=[0, 1, 1, 1]),
        "pets.py": b"raise SystemExit('executed')",
    }
    repository = server.add("datasets/org/pets", files)
    commit = repository.head.oid
    home, cache = tmp_path / "home", tmp_path / "cache"
    home.mkdir()
    environment = {"HOME": str(home), "GANZOO_CACHE": str(cache), "XDG_CACHE_HOME": ""}
    client = HubClient(server.endpoint, home / "hf", **environment)
    labels = {"label_column": "label"}
    answer = client.run(OPEN.format(arguments=labels))
    assert answer.error is None, answer.text + answer.err
    assert answer.value == [
        8,
        [1, 0, 1, 0, 0, 0, 1, 1],
        "cc-by-4.0",
        f"8 images of org/pets on the Hugging Face Hub, split train, commit {commit}",
        "org/pets",
        ["cat", "dog"],
    ]
    assert not any("test-0" in request or "pets.py" in request for request in server.requests)
    server.requests.clear()
    pinned = client.run(OPEN.format(arguments=labels | {"revision": commit}))
    assert pinned.value == answer.value
    assert server.requests == []
    failure = client.run(OPEN.format(arguments={"split": "validation"}))
    assert "Its splits: test, train" in failure.text
    client.stop()
    assert list(home.iterdir()) == []
    assert sorted(os.listdir(cache)) == ["arrow", "hub"]
    assert "Generating" not in client.output
