import http.server
import io
import re
import tarfile
import threading
import warnings
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

import ganzoo
from ganzoo.builtin.image_files import ranges
from ganzoo.data.memory_batches import MemoryBatches
from ganzoo.data.streamed_batches import StreamedBatches
from ganzoo.errors import DataError, DataNotFoundError, ImageFileError
from ganzoo.sampling.shards import sample_to
from ganzoo.spec import Component
from helpers.datasets import CPU, get, picture, pictures, shards, write_tar
from helpers.recipes import tiny


def decoded(content, size):
    with Image.open(io.BytesIO(content)) as image:
        box = ((image.width - image.height) / 2, 0, (image.width + image.height) / 2, image.height)
        middle = image.convert("RGB").resize((size, size), Image.Resampling.LANCZOS, box=box)
    return torch.from_numpy(np.array(middle)).permute(2, 0, 1)


def test_every_image_of_every_shard_has_its_label(tmp_path):
    dataset, spec = get("webdataset", shards(tmp_path), size=8, classes=3)
    assert len(dataset) == 11
    assert spec.image.shape == (3, 8, 8)
    assert spec.classes == 3
    for k in range(11):
        image, label = dataset[k]
        assert label == k % 3
        assert torch.equal(image, decoded(picture(k, ("png", "jpg", "webp")[k % 3]), 8))


def test_rectangles_and_flips(tmp_path):
    dataset, spec = get("webdataset", shards(tmp_path), size="8x12", flip=True, classes=3)
    assert (len(dataset), spec.image.shape) == (22, (3, 8, 12))
    assert torch.equal(dataset[13][0], dataset[2][0].flip(2))
    assert dataset[13][1] == dataset[2][1]
    assert dataset.file_counts.startswith(
        "11 image files in 3 shards and 3 classes, each also flipped; "
    )
    crops = [
        get("webdataset", tmp_path, size="8x12", fit=fit)[0][0][0]
        for fit in ("crop", "random-crop", "pad", "stretch")
    ]
    assert len({crop.numpy().tobytes() for crop in crops}) == 4


def test_labels_are_ignored_without_classes(tmp_path):
    dataset, spec = get("webdataset", shards(tmp_path), size=8, channels=1)
    assert spec.classes == 0
    assert dataset[2][0].shape == (1, 8, 8)
    assert {dataset[k][1].item() for k in range(11)} == {0}


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_the_layout_allows_folders_long_names_and_other_kinds(tmp_path, form):
    long = "x/" * 60 + "name"
    members = [
        ("a.b/1.png", picture(1)),
        ("a.b/1.json", b"{}"),
        ("a.b/1.seg.png", picture(9)),
        ("a.b/.hidden.png", picture(9)),
        ("README", b"no kind"),
        (f"{long}.JPG", picture(2, "jpg")),
        (f"{long}.cls", b"1"),
    ]
    write_tar(tmp_path / "one.tar", members, form)
    dataset, _ = get("webdataset", tmp_path, size=8)
    assert len(dataset) == 2
    assert torch.equal(dataset[1][0], decoded(picture(2, "jpg"), 8))


def test_missing_shards_are_refused(tmp_path):
    with pytest.raises(
        DataNotFoundError, match=r"contains no shards .*--data DIR or --dataset\.urls"
    ):
        get("webdataset", tmp_path)
    with pytest.raises(DataNotFoundError, match="--data DIR"):
        get("webdataset", None)
    write_tar(tmp_path / "empty.tar", [])
    with pytest.raises(DataNotFoundError, match=r"no image files in 1 shard: .*empty\.tar"):
        get("webdataset", tmp_path)


def cut(at):
    return lambda content: content[:at]


@pytest.mark.parametrize(
    "damage",
    [
        cut(0),
        cut(100),
        cut(512),
        cut(800),
        cut(1024 + 512),  # between two members
        cut(1024 + 600),
        lambda content: b"no tar" * 1000,
        lambda content: content[:1536] + b"\xff" * 512 + content[2048:],  # a header in the middle
        lambda content: __import__("gzip").compress(content),
    ],
)
def test_a_truncated_shard_is_named(tmp_path, damage):
    root = shards(tmp_path)
    small = [(f"{k}.cls", b"1") for k in range(4)]  # each takes 1,024 bytes
    path = write_tar(root / "s-002.tar", small, tarfile.USTAR_FORMAT)
    path.write_bytes(damage(path.read_bytes()))
    for pattern in (r"s-002\.tar",):
        with pytest.raises(DataError, match=pattern) as error:
            get("webdataset", root)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("damage", "images", "where"),
    [
        (cut(0), 0, "at its start"),
        (cut(100), 0, "at its start"),
        (cut(1024 + 512 + 40), 1, "at the member 'k1.png' or after it"),  # within an image
        (cut(3 * 1024), 2, "at the member 'k2.png' or after it"),
        (
            lambda content: content[:2048] + b"\xff" * 512 + content[2560:],  # a header
            1,
            "at the member 'k1.png' or after it",
        ),
        (lambda content: __import__("gzip").compress(content), 0, "at its start"),
    ],
)
def test_a_damaged_shard_is_used_up_to_its_damage(tmp_path, damage, images, where):
    root = shards(tmp_path)
    good = len(get("webdataset", root, size=8)[0])
    small = [(f"k{k}.png", picture(k, size=(8, 8))) for k in range(4)]  # each takes 1,024 bytes
    assert all(len(content) <= 512 for _, content in small)
    path = write_tar(root / "z.tar", small, tarfile.USTAR_FORMAT)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=rf"z\.tar .*{where}.*--dataset\.skip-corrupt"):
        get("webdataset", root, size=8)
    with pytest.warns(UserWarning, match=rf"z\.tar .*only the first {images} images are used"):
        dataset, _ = get("webdataset", root, size=8, skip_corrupt=True)
    assert "rest of a damaged shard (1)" in dataset.file_counts
    assert len(dataset) == good + images
    for k in range(images):
        assert torch.equal(dataset[good + k][0], decoded(small[k][1], 8))


def test_keys_without_an_image_or_a_label_are_skipped_and_counted(tmp_path):
    members = [
        *(("0.cls", b"0"), ("1.png", picture(1)), ("1.cls", b"1")),
        *(("2.png", b""), ("2.jpg", b""), ("3.png", picture(3))),
        *(("4.png", picture(4)), ("4.cls", b"cat"), ("5.png", picture(5)), ("5.cls", b"2")),
    ]
    write_tar(tmp_path / "one.tar", members)
    with pytest.raises(DataError, match=r"'0' in .*has 0 image files.*--dataset\.skip-corrupt"):
        get("webdataset", tmp_path, classes=3)
    dataset, _ = get("webdataset", tmp_path, classes=3, size=8, skip_corrupt=True)
    assert [int(label) for _, label in dataset] == [1, 2]
    assert torch.equal(dataset[1][0], decoded(picture(5), 8))
    for part in (
        "key without one image file (2)",
        "key without a label (1)",
        "label that is no class number (1)",
    ):
        assert part in dataset.file_counts
    write_tar(tmp_path / "one.tar", [("1.png", picture(1)), ("1.cls", b"3")])
    with pytest.raises(DataError, match="is class 3, but classes are 0 to 2"):
        get("webdataset", tmp_path, classes=3, skip_corrupt=True)


def test_shards_that_links_repeat_are_counted(tmp_path):
    write_tar(tmp_path / "one.tar", [("0.png", picture(0))])
    (tmp_path / "two.tar").symlink_to("one.tar")
    counts = get("webdataset", tmp_path)[0].file_counts
    assert counts == "2 image files in 2 shards; repeated by links: 1; skipped: none"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (
            [("1.cls", b"0")],
            r"'1' in the shard .*one\.tar has 0 image files.*Write the shard again",
        ),
        ([("1.png", b""), ("1.jpg", b"")], r"'1' in .* has 2 image files, but it must have one"),
        ([("1.png", b"")], r"has no label, 1\.cls.*--dataset\.classes 0"),
        ([("1.png", b""), ("1.cls", b"3")], r"is class 3, but classes are 0 to 2.*classes 4"),
        ([("1.png", b""), ("1.cls", b"-1")], r"is class -1, but classes are 0 to 2\. Write"),
        ([("1.png", b""), ("1.cls", b"cat")], r"1\.cls in .* is b'cat', not a class number"),
        ([("1.png", b""), ("1.cls", b"0_1")], r"1\.cls in .* is b'0_1', not a class number"),
        ([("1.png", b""), ("1.cls", b"1" + b" " * 20 + b"2")], r"is b'1 +', not a class number"),
    ],
)
def test_a_shard_in_another_layout_is_refused(tmp_path, members, message):
    write_tar(tmp_path / "one.tar", members)
    with pytest.raises(DataError, match=message):
        get("webdataset", tmp_path, classes=3)


def test_a_pointer_of_git_lfs_among_shards_is_named(tmp_path):
    text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n"
    (tmp_path / "0.tar").write_text(text)
    with pytest.raises(DataError, match=r"0\.tar is a git-lfs pointer.* lfs pull"):
        get("webdataset", tmp_path)


def test_a_list_of_addresses_may_begin_with_a_byte_order_mark(tmp_path):
    file = tmp_path / "urls.txt"
    file.write_text("http://[bad/1.tar", encoding="utf-8-sig")
    with pytest.raises(DataError, match=r"'http://\[bad/1\.tar' is not a URL"):
        get("webdataset", None, urls=(str(file),))


def damaged_shards(root):
    members = [(f"{k}.png", picture(k)) for k in range(6)]
    members[4] = ("4.png", picture(4)[:200])
    write_tar(root / "one.tar", members)
    return root


def damaged_folder(root):
    pictures(root, [f"{k}.png" for k in range(6)])
    (root / "4.png").write_bytes((root / "4.png").read_bytes()[:200])
    return root


@pytest.mark.parametrize(
    ("name", "make"), [("webdataset", damaged_shards), ("folder", damaged_folder)]
)
def test_a_corrupt_image_is_named_or_skipped(tmp_path, name, make):
    root = make(tmp_path)
    message = r"cannot read the image .*4\.png.*--dataset\.skip-corrupt"
    with pytest.raises(ImageFileError, match=message):
        get(name, root, size=16)[0][4]
    data = get(name, root, size=16, skip_corrupt=True)
    with pytest.warns(UserWarning, match=r"4\.png.* The next image replaces it"):
        assert torch.equal(data[0][4][0], data[0][5][0])
    with pytest.warns(UserWarning, match=r"4\.png") as record:
        memory = MemoryBatches(*data, 4, 0, CPU)
    assert len(record) == 1
    for workers in (0, 2):
        stream = StreamedBatches(*data, 4, 0, CPU, workers=workers)
        with pytest.warns(UserWarning, match=r"4\.png") as record:
            streamed = [next(stream).images for _ in range(6)]
        memory.position = 0
        assert all(torch.equal(images, next(memory).images) for images in streamed)
        assert len(record) == 1, "a warning once, whichever process met it"


def test_members_that_are_skipped_are_counted(tmp_path):
    members = [
        ("0.png", picture(0)),
        ("0.json", b"{}"),
        ("0.cls", b"0"),
        (".x", b""),
        ("1.png", picture(1)),
    ]
    write_tar(tmp_path / "one.tar", members)
    (tmp_path / "two.tar.gz").touch()
    counts = get("webdataset", tmp_path)[0].file_counts
    assert counts.startswith("2 image files in 1 shard; skipped: ")
    for part in ("type .json (1)", "type .cls (1)", "no key and suffix (1)", "no shard (1)"):
        assert part in counts


def test_shards_take_a_value_range(tmp_path):
    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 4096, (20, 20), np.uint16)
    Image.fromarray(pixels).save(file, "png")
    write_tar(tmp_path / "one.tar", [("0.png", file.getvalue())])
    dataset, _ = get("webdataset", tmp_path, size=20, channels=1, value_range=(0, 4095))
    assert np.abs(dataset[0][0][0].numpy() - pixels * (255 / 4095)).max() <= 0.5


@pytest.mark.parametrize("url", ["http://[bad/1.tar", "https://a]b/1.tar"])
def test_an_address_that_cannot_be_parsed_is_named(tmp_path, url):
    with pytest.raises(DataError, match="is not a URL"):
        get("webdataset", None, urls=(url,))
    (tmp_path / "urls.txt").write_text(url)
    with pytest.raises(DataError, match="is not a URL"):
        get("webdataset", None, urls=(str(tmp_path / "urls.txt"),))


def test_the_first_image_replaces_a_corrupt_last_image(tmp_path):
    root = pictures(tmp_path, ["1.png", "2.png", "3.png"])
    (root / "3.png").write_bytes(b"")
    dataset, _ = get("folder", root, size=8, skip_corrupt=True)
    with pytest.warns(UserWarning, match=r"3\.png"):
        assert torch.equal(dataset[2][0], dataset[0][0])
    for name in ("1.png", "2.png"):
        (root / name).write_bytes(b"")
    with (
        pytest.warns(UserWarning, match="replaces it"),
        pytest.raises(DataError, match="any of 3 image files"),
    ):
        dataset[0]


def test_shards_stream_in_the_same_order_as_in_memory(tmp_path):
    data = get("webdataset", shards(tmp_path), size=8, classes=3)
    memory, stream = MemoryBatches(*data, 4, 0, CPU), StreamedBatches(*data, 4, 0, CPU, workers=2)
    for _ in range(7):
        ours, theirs = next(memory), next(stream)
        assert torch.equal(ours.images, theirs.images)
        assert torch.equal(ours.labels, theirs.labels)


def test_a_resumed_run_verifies_its_shards(tmp_path):
    root = shards(tmp_path / "a")
    stream = StreamedBatches(*get("webdataset", root, size=8), 4, 0, CPU)
    fingerprint = stream.fingerprint
    moved = root.rename(tmp_path / "b")
    assert StreamedBatches(*get("webdataset", moved, size=8), 4, 0, CPU).matches(fingerprint)
    shards(moved, n=12)
    assert not StreamedBatches(*get("webdataset", moved, size=8), 4, 0, CPU).matches(fingerprint)


class Ranges(http.server.SimpleHTTPRequestHandler):
    """A file server with range requests; the first request of each path in `stumbles` fails."""

    stumbles = set()
    whole = False

    def do_GET(self):
        if self.path in self.stumbles:
            self.stumbles.remove(self.path)
            return self.send_error(503)
        range_ = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if self.whole or not range_:
            return super().do_GET()
        try:
            with open(self.translate_path(self.path), "rb") as file:
                content = file.read()
        except OSError:
            return self.send_error(404)
        start, end = int(range_[1]), int(range_[2])
        if start >= len(content):
            return self.send_error(416)
        part = content[start : end + 1]
        self.send_response(206)
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Content-Range", f"bytes {start}-{start + len(part) - 1}/{len(content)}")
        self.end_headers()
        return self.wfile.write(part)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def served(tmp_path, monkeypatch, socket_enabled):
    """A folder of shards and its local URL."""
    monkeypatch.setattr(ranges, "WAIT", 0.0)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(Ranges, "stumbles", set())
    root = shards(tmp_path / "served")
    handler = partial(Ranges, directory=str(root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield root, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_shards_on_the_web_equal_those_on_disk(served, tmp_path, monkeypatch):
    root, address = served
    names = sorted(path.name for path in root.iterdir())
    listing = tmp_path / "shards.txt"
    listing.write_text("".join(f"{address}/{name}\n" for name in names[1:]))
    urls = (f"{address}/{names[0]}", str(listing))
    monkeypatch.setattr(Ranges, "stumbles", {f"/{names[1]}"})
    here = get("webdataset", root, size=8, classes=3)
    there = get("webdataset", None, size=8, classes=3, urls=urls)
    assert np.array_equal(here[0].entries, there[0].entries)
    assert here[0].fingerprint == there[0].fingerprint
    memory = MemoryBatches(*here, 4, 0, CPU)
    stream = StreamedBatches(*there, 4, 0, CPU, workers=2)
    for _ in range(4):
        assert torch.equal(next(memory).images, next(stream).images)


def test_training_streams_from_the_web(served, tmp_path):
    root, address = served
    urls = [f"{address}/{path.name}" for path in sorted(root.iterdir())]
    dataset = Component("webdataset", {"urls": urls, "size": 16})
    run = ganzoo.train(tiny(dataset=dataset, streaming="on"), out=tmp_path / "run", progress=False)
    assert run.finished


def test_server_failures_have_clear_errors(served, monkeypatch):
    root, address = served
    url = f"{address}/{min(path.name for path in root.iterdir())}"
    with pytest.raises(DataNotFoundError, match=r"absent\.tar: 404 .*--dataset\.urls"):
        get("webdataset", None, urls=(f"{address}/absent.tar",))
    dataset, _ = get("webdataset", None, size=8, urls=(url,))
    (root / url.rpartition("/")[2]).write_bytes(b"short")
    with pytest.raises(DataError, match="it is shorter than when"):
        dataset[3]
    monkeypatch.setattr(Ranges, "whole", True)
    with pytest.raises(DataError, match="does not support range requests.*--data DIR"):
        get("webdataset", None, urls=(url,))


def test_a_shard_that_changes_after_its_headers_were_read_is_an_error(tmp_path):
    dataset, _ = get("webdataset", shards(tmp_path), size=8, skip_corrupt=True)
    dataset[0]
    first = min(tmp_path.iterdir())
    for content in (first.read_bytes()[:700], bytes(first.stat().st_size)):
        first.write_bytes(content)
        with pytest.raises(DataError, match=f"{first} (ends before|has changed since)"):
            dataset[0]


def test_a_folder_of_an_interrupted_sampling_is_named(tiny_bundle, tmp_path):
    model = ganzoo.load(tiny_bundle, runtime="onnx")
    sample_to(model, tmp_path, 6, shard_size=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(get("webdataset", tmp_path, size=8)[0]) == 6
    (tmp_path / "images-000001.tar").unlink()
    with pytest.warns(UserWarning, match=r"is incomplete: .* lists 6 images, .* have 3\. Repeat"):
        assert len(get("webdataset", tmp_path, size=8)[0]) == 3


def test_an_unreachable_server_is_an_error(served, monkeypatch):
    monkeypatch.setattr(ranges, "TRIES", 2)
    with pytest.raises(DataError, match=r"after 2 tries: .*refused"):
        get("webdataset", None, urls=("http://127.0.0.1:9/x.tar",))


def test_all_tries_share_one_time(monkeypatch):
    now = [0.0]

    def wait(seconds):
        now[0] += seconds

    def never_answer(request, timeout):
        wait(timeout)
        raise TimeoutError("timed out")

    monkeypatch.setattr(ranges, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=wait))
    monkeypatch.setattr(ranges.urllib.request, "urlopen", never_answer)
    with pytest.raises(DataError, match=r"after 4 tries: timed out\. .* together have 60 seconds"):
        get("webdataset", None, urls=("http://127.0.0.1:9/x.tar",))
    assert 55 < now[0] <= 60


def test_invalid_urls_are_refused(tmp_path):
    with pytest.raises(DataNotFoundError, match="neither an http or https URL nor a text file"):
        get("webdataset", None, urls=("ftp://host/x.tar",))
    listing = tmp_path / "shards.txt"
    listing.write_text("file:///etc/passwd\n")
    with pytest.raises(DataError, match="lists 'file:///etc/passwd', which is not an http"):
        get("webdataset", None, urls=(str(listing),))
    listing.write_text("\n")
    with pytest.raises(DataNotFoundError, match="lists no URL"):
        get("webdataset", None, urls=(str(listing),))


def test_reading_keeps_the_warning_filters(tmp_path):
    before = list(warnings.filters)
    next(StreamedBatches(*get("webdataset", shards(tmp_path), size=8), 4, 0, CPU, workers=0))
    assert warnings.filters == before


def test_a_url_with_a_secret_is_refused_in_a_recipe(tmp_path):
    for url in ("https://host/a.tar?token=secret", "https://me:secret@host/a.tar"):
        with pytest.raises(DataError, match="may contain a secret.*--dataset.urls FILE") as error:
            ganzoo.datasets.get("webdataset")(None, urls=(url,))
        assert "=secret" not in str(error.value)
        assert ":secret" not in str(error.value)


def test_one_shard_is_a_dataset(tmp_path):
    file = shards(tmp_path) / "s-000.tar"
    assert len(get("webdataset", file, size=8)[0]) < len(get("webdataset", tmp_path, size=8)[0])
