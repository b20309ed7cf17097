"""Decoded images in a file, which the next start maps into memory."""

import errno
import io
import os
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from filelock import FileLock
from PIL import Image
from torch.utils.data import Dataset

import ganzoo
from ganzoo import DataSpec, ImageSpec
from ganzoo.cli.training import run_train
from ganzoo.data import cache as cache_module
from ganzoo.data import opening
from ganzoo.data.cache import CacheOptions, ImageCache
from ganzoo.data.cache_file import HEADER
from ganzoo.data.memory_batches import MemoryBatches
from ganzoo.data.opening import open_batches
from ganzoo.data.streamed_batches import StreamedBatches
from ganzoo.errors import DataError
from ganzoo.spec import Component
from ganzoo.training import plan, prepare
from ganzoo.training.evaluation import STREAMED, all_items, count_items, some_items
from helpers.datasets import CPU, get, pictures, write_zip
from helpers.recipes import tiny

SPEC = DataSpec(ImageSpec(8, 8, 1), classes=3)
PAIRED = DataSpec(ImageSpec(8, 8, 1), condition=ImageSpec(4, 4, 1))
UNPAIRED = DataSpec(ImageSpec(8, 8, 1), condition=ImageSpec(4, 4, 1), paired=False)


class Numbers(Dataset):
    """Image k has the constant value k + `first`."""

    timestamps = "of today"

    def __init__(self, first=0, with_conditions=False):
        self.first = first
        self.with_conditions = with_conditions
        self.fingerprint = str(first)
        self.read = []

    def __len__(self):
        return 23

    def __getitem__(self, index):
        self.read.append(index)
        image = torch.full((1, 8, 8), self.first + index, dtype=torch.uint8)
        condition = (image[:, :4, :4] // 2,) if self.with_conditions else ()
        return (image, torch.tensor(index % 3), *condition)


def opened(folder, data=None, spec=SPEC, always=True, writes=True, **changes):
    """Open batches of 4 with a cache."""
    component = changes.pop("component", Component("folder", {"size": 8}))
    return open_batches(
        data or Numbers(),
        spec,
        4,
        1,
        CPU,
        component=component,
        cache=CacheOptions(folder, always, writes),
        **changes,
    )


def same(a, b):
    pairs = zip((a.images, a.labels, a.condition), (b.images, b.labels, b.condition), strict=True)
    return all((x is None and y is None) or torch.equal(x, y) for x, y in pairs)


def files(folder):
    return sorted(path.name for path in folder.glob("*") if path.suffix != ".lock")


@pytest.mark.parametrize("fits", [True, False])
@pytest.mark.parametrize("spec", [SPEC, PAIRED, UNPAIRED], ids=["alone", "paired", "unpaired"])
def test_batches_are_the_same_from_memory_a_cache_and_a_stream(tmp_path, monkeypatch, spec, fits):
    data = Numbers(with_conditions=spec.condition is not None)
    memory = MemoryBatches(data, spec, 4, 1, CPU)
    stream = StreamedBatches(data, spec, 4, 1, CPU, workers=0)
    monkeypatch.setattr(opening, "exceeds_memory", lambda *_: not fits)
    first = opened(tmp_path, data, spec)
    data.read.clear()
    second = opened(tmp_path, data, spec)
    assert set(data.read) == {0, 22}, "the fingerprint of a stream reads both ends"
    assert (first.kept, second.kept) == (
        "kept in memory" if fits else "mapped from the cache",
        "mapped from the cache",
    )
    assert first.cache.startswith(f"written to {tmp_path / 'folder-'}")
    assert second.cache.startswith(f"read from {tmp_path / 'folder-'}")
    assert " images/s on 1 process" in first.decoding
    assert not second.decoding
    for _ in range(13):
        batch = next(memory)
        assert all(same(next(other), batch) for other in (stream, first, second))
    assert all(same(other.draw(5), memory.draw(5)) for other in (stream, first, second))
    for batches in (first, second):
        assert batches.fingerprint == memory.fingerprint
        assert batches.matches(stream.fingerprint)
        assert not batches.matches(stream.fingerprint + "0")


def test_the_file_is_one_of_safetensors(tmp_path):
    opened(tmp_path)
    tensors = safetensors.torch.load_file(tmp_path / files(tmp_path)[0])
    assert tensors["images"][:, 0, 0, 0].tolist() == list(range(23))
    assert tensors["labels"].tolist() == [k % 3 for k in range(23)]


def test_a_cache_of_other_images_is_written_again(tmp_path, monkeypatch):
    def check(reason, data=None, **changes):
        batches = opened(tmp_path, data, **changes)
        assert batches.cache.endswith(f" MiB); the former one was of {reason}")
        assert torch.equal(batches.images[:, 0, 0, 0], torch.arange(23) + (data or Numbers()).first)
        assert opened(tmp_path, data, **changes).cache.startswith("read from ")
        assert len(files(tmp_path)) == 1

    opened(tmp_path)
    check("other images", Numbers(7))
    touched = Numbers(7)
    touched.timestamps = "of tomorrow"
    check("other images", touched)
    check("other images", touched, spec=DataSpec(ImageSpec(8, 8, 1), classes=4))
    monkeypatch.setattr(cache_module, "DECODER", 99)
    check("another version of the code", touched, spec=DataSpec(ImageSpec(8, 8, 1), classes=4))
    # Another dataset has a file of its own.
    opened(tmp_path, component=Component("folder", {"size": 8, "skip_corrupt": True}))
    opened(tmp_path, root=tmp_path)
    assert len(files(tmp_path)) == 3


def damage_header(file):
    file.write_bytes(file.read_bytes().replace(b'"sha256"', b'"sha265"'))


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(file.read_bytes()[:-1]),
        lambda file: file.write_bytes(b"\xff" * len(file.read_bytes())),
        damage_header,
    ],
    ids=["empty", "truncated", "noise", "no fingerprint"],
)
def test_a_damaged_cache_is_written_again(tmp_path, damage):
    opened(tmp_path)
    damage(tmp_path / files(tmp_path)[0])
    batches = opened(tmp_path)
    assert "; the former one was damaged" in batches.cache
    assert batches.images[:, 0, 0, 0].tolist() == list(range(23))


def test_a_cache_of_another_number_of_images_is_not_called_damaged(tmp_path):
    class Fewer(Numbers):
        def __len__(self):
            return 5

    opened(tmp_path)
    assert opened(tmp_path, Fewer()).cache.endswith("; the former one was of other images")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such pipes")
def test_a_pipe_in_place_of_a_cache_is_replaced(tmp_path):
    opened(tmp_path)
    file = tmp_path / files(tmp_path)[0]
    file.unlink()
    os.mkfifo(file)
    ends = os.open(file, os.O_RDWR), os.open(file, os.O_WRONLY)
    os.write(ends[1], bytes(9))  # a reader without the check would have something to read
    assert opened(tmp_path).cache.endswith("; the former one was damaged")
    assert file.is_file()
    for end in ends:
        os.close(end)


def test_labels_outside_the_classes_are_damage(tmp_path):
    opened(tmp_path)
    file = tmp_path / files(tmp_path)[0]
    content = bytearray(file.read_bytes())
    content[HEADER] = 9  # the labels come first
    file.write_bytes(content)
    assert opened(tmp_path).cache.endswith("; the former one was damaged")


def test_an_edit_that_keeps_the_size_of_a_file_is_noticed(tmp_path):
    data, folder = pictures(tmp_path / "data", [f"{k}.bmp" for k in range(4)]), tmp_path / "cache"
    before = opened(folder, *get("folder", data, size=8))
    for mode in (0, 255):
        Image.fromarray(np.full((30, 40, 3), mode, np.uint8)).save(data / "2.bmp")
        os.utime(data / "2.bmp", ns=(0, mode))
        after = opened(folder, *get("folder", data, size=8))
        assert after.cache.endswith("; the former one was of other images")
        assert after.images[2].unique().tolist() == [mode]
        assert torch.equal(after.images[:2], before.images[:2])


@pytest.mark.parametrize("ending", ["npy", "npz", "zip"])
def test_an_edit_of_one_file_with_all_images_is_noticed(tmp_path, ending):
    path, name = tmp_path / f"x.{ending}", "zip" if ending == "zip" else "arrays"
    pixels = np.zeros((5, 8, 8, 3), np.uint8)
    for value in (0, 9):
        pixels[2] = value  # neither the first image nor the last one
        if ending == "zip":
            arrays = [io.BytesIO() for _ in pixels]
            for file, image in zip(arrays, pixels, strict=True):
                Image.fromarray(image).save(file, "BMP")
            write_zip(path, [(f"{k}.bmp", file.getvalue()) for k, file in enumerate(arrays)])
        else:
            (np.save if ending == "npy" else np.savez)(path, pixels)
        os.utime(path, ns=(value, value))
        dataset, spec = get(name, path, size=8)
        batches = opened(tmp_path / "c", dataset, spec, component=Component(name), root=path)
        assert batches.cache.startswith("written")
        assert batches.images[2].unique().tolist() == [value]


def test_many_warnings_do_not_exceed_the_header(tmp_path):
    data = Numbers()
    cache = ImageCache(CacheOptions(tmp_path), Component("folder"), None, data, SPEC)
    images = cache_module.decode_images(data, SPEC)
    texts = tuple(f'"\\é{k:05d}' for k in range(9_999))
    cache._write(images._replace(warnings=texts))
    with warnings.catch_warnings(record=True, action="always") as record:
        items = cache.load(fits=True).items
    assert torch.equal(items.images, images.items.images)
    assert 500 < len(record) < 2_000
    assert [str(w.message) for w in record] == list(texts[: len(record)])


def test_warnings_about_the_images_are_repeated(tmp_path):
    data, folder = pictures(tmp_path / "data", ["1.png", "2.png"], size=(9, 20)), tmp_path / "cache"
    records = []
    for _ in range(2):
        with warnings.catch_warnings(record=True, action="always") as record:
            opened(folder, *get("folder", data, size=8))
        records.append([str(w.message) for w in record])
    assert records[0] == records[1]
    assert records[0][0].startswith("2 of 2 images have this warning: the image ")


def test_a_cache_keeps_the_numbers_of_corrupt_and_converted_files(tmp_path):
    data, folder = pictures(tmp_path / "data", ["1.png", "2.png"], (8, 8), "L"), tmp_path / "cache"
    (data / "1.png").write_text("no image")
    for _ in range(2):
        with pytest.warns(UserWarning, match=r"1\.png.*replaces it"):
            batches = opened(folder, *get("folder", data, size=8, skip_corrupt=True))
        assert batches.image_counts == {"unreadable": 1, "grey to RGB": 1}
    assert "read from" in batches.cache


@pytest.mark.parametrize("fits", [True, False])
def test_a_full_disk_is_one_warning(tmp_path, monkeypatch, fits):
    def fill(handle, content, offset):
        if offset > 2**16 + 100:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(handle, content[:50], offset)

    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", fill)
    monkeypatch.setattr(opening, "exceeds_memory", lambda *_: not fits)
    with pytest.warns(UserWarning, match=r"^the images of the dataset 'folder' are not") as record:
        batches = opened(tmp_path)
    assert len(record) == 1
    assert "No space left on device. The training continues without a cache" in str(
        record[0].message
    )
    assert type(batches) is (MemoryBatches if fits else StreamedBatches)
    assert same(next(batches), next(MemoryBatches(Numbers(), SPEC, 4, 1, CPU)))
    assert files(tmp_path) == []


def test_a_cache_larger_than_the_disk_is_not_begun(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 2**16 + 100})
    monkeypatch.setattr(cache_module.shutil, "disk_usage", lambda path: usage)
    with pytest.warns(UserWarning, match=r"needs 0\.1 MiB, and 0\.1 MiB are free"):
        batches = opened(tmp_path)
    assert (batches.kept, files(tmp_path)) == ("kept in memory", [])


def test_a_folder_that_cannot_be_written_is_not_a_full_disk(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 0})  # as of /proc, or of a read-only image
    monkeypatch.setattr(cache_module.shutil, "disk_usage", lambda path: usage)
    (tmp_path / "file").touch()
    with pytest.warns(UserWarning, match=r"safetensors: Not a directory\. The training"):
        opened(tmp_path / "file" / "folder")
    monkeypatch.setattr(cache_module.os, "access", lambda path, mode: False)
    with pytest.warns(UserWarning, match=r"safetensors: the folder is not writable\. The"):
        opened(tmp_path)


def test_a_folder_that_cannot_be_written_is_one_warning(tmp_path):
    (tmp_path / "file").touch()
    with pytest.warns(UserWarning, match="The training continues without a cache") as record:
        batches = opened(tmp_path / "file" / "folder")
    assert len(record) == 1
    assert batches.kept == "kept in memory"


def test_auto_caches_what_takes_seconds_to_decode(tmp_path, monkeypatch):
    assert opened(tmp_path / "cache", always=False).cache == ""
    assert not (tmp_path / "cache").exists()
    monkeypatch.setattr(cache_module, "AUTO_SECONDS", 0.0)
    assert opened(tmp_path / "cache", always=False).cache.startswith("written to ")
    assert opened(tmp_path / "cache", always=False).cache.startswith("read from ")


def test_auto_streams_images_larger_than_memory_unless_they_are_cached(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "exceeds_memory", lambda *_: True)
    monkeypatch.setattr(cache_module, "AUTO_SECONDS", 0.0)
    assert type(opened(tmp_path, always=False)) is StreamedBatches
    assert files(tmp_path) == []
    opened(tmp_path)
    batches = opened(tmp_path, always=False)
    assert batches.kept == "mapped from the cache"
    # The metrics of a run are those of a stream.
    monkeypatch.setattr("ganzoo.training.evaluation.STREAMED", 9)
    assert count_items(batches, 9) == len(all_items(batches, 9).images) == 9
    assert type(opened(tmp_path, streaming="on")) is StreamedBatches
    assert STREAMED == 10_000


def test_a_dry_run_reads_a_cache_and_writes_none(tmp_path, monkeypatch):
    forecast = opened(tmp_path, writes=False).cache
    assert forecast.startswith("a training writes ")
    assert forecast.endswith(".safetensors (0.1 MiB)")
    monkeypatch.setattr(opening, "exceeds_memory", lambda *_: True)
    assert opened(tmp_path, writes=False).cache == forecast  # as a stream
    assert opened(tmp_path, always=False, writes=False).cache == "none"
    monkeypatch.undo()
    fast = "none: the images take less than 5 seconds to decode"
    assert opened(tmp_path, always=False, writes=False).cache == fast
    assert files(tmp_path) == []
    opened(tmp_path)
    assert opened(tmp_path, writes=False).cache.startswith("read from ")
    batches = opened(tmp_path, Numbers(5), writes=False)
    assert batches.cache == f"{forecast}; the former one was of other images"
    assert batches.images[0, 0, 0, 0] == 5
    assert opened(tmp_path, writes=False).cache.startswith("read from ")


def test_images_whose_changes_cannot_be_noticed_are_not_cached(tmp_path):
    data = Numbers()
    del data.fingerprint
    with pytest.warns(UserWarning, match="changes of its files or its code would not be noticed"):
        batches = opened(tmp_path, data)
    assert (batches.cache, files(tmp_path)) == ("", [])
    assert opened(tmp_path, data, always=False).cache == ""


def test_a_second_process_waits_and_reads_the_file_of_the_first(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    announced = threading.Event()

    def record(text):
        assert "waiting for another process" in text
        announced.set()

    monkeypatch.setattr(cache_module, "print_error", record)
    options = CacheOptions(tmp_path, always=False)
    component = Component("folder", {"size": 8})
    first = ImageCache(options, component, None, Numbers(), SPEC, ranks=2)
    lock = FileLock(first.path.with_suffix(".lock"))
    lock.acquire()
    results = []
    waiting = threading.Thread(
        target=lambda: results.append(opened(tmp_path, Numbers(), always=False))
    )
    waiting.start()
    assert announced.wait(60)
    first._write(cache_module.decode_images(Numbers(), SPEC))
    lock.release()
    waiting.join()
    assert results[0].cache.startswith("read from ")


def test_auto_does_not_wait_for_a_process_that_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(cache_module, "AUTO_SECONDS", 0.0)
    options = CacheOptions(tmp_path, always=False)
    cache = ImageCache(options, Component("folder", {"size": 8}), None, Numbers(), SPEC)
    with (
        FileLock(cache.path.with_suffix(".lock")),
        pytest.warns(UserWarning, match="another process writes it"),
    ):
        assert cache.load(fits=True).cache == ""


def test_where_the_cache_is(tmp_path):
    run = tmp_path / "runs" / "first"
    assert CacheOptions.of("off", run) is None
    assert CacheOptions.of("auto", run) == CacheOptions(tmp_path / "runs" / ".ganzoo-cache", False)
    assert CacheOptions.of("on", run) == CacheOptions(tmp_path / "runs" / ".ganzoo-cache", True)
    assert CacheOptions.of(str(tmp_path), run) == CacheOptions(tmp_path, True)
    assert CacheOptions.of("./onn", run) == CacheOptions(Path("onn"), True)
    with pytest.raises(DataError, match="no folder 'onn'.* Did you mean 'on'.*--cache ./onn"):
        CacheOptions.of("onn", run)


def test_a_training_reads_the_cache_of_another(tmp_path, capsys):
    data = pictures(tmp_path / "data", [f"{k}.png" for k in range(20)])
    recipe = tiny(dataset=Component("folder", {"size": 16}), images=16)
    weights = []
    for out in ("1", "2"):
        run = ganzoo.train(recipe, data=data, out=tmp_path / out, cache="on", monitors="off")
        weights.append(safetensors.torch.load_file(run.bundle / "model.safetensors"))
    assert all(torch.equal(weights[1][name], w) for name, w in weights[0].items())
    folder = tmp_path / ".ganzoo-cache"
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("  cache ")]
    assert len(lines) == 2
    assert lines[0].startswith(f"  cache       written to {folder / 'folder-'}")
    assert lines[1].startswith(f"  cache       read from {folder / 'folder-'}")
    ganzoo.resume(tmp_path / "2", images=32, cache="on")
    assert "  cache       read from " in capsys.readouterr().err
    file = tmp_path / "1" / "recipe.toml"
    run_train([str(file), "--data", str(data), "--dry-run", "--out", str(tmp_path / "4")])
    assert "  cache       read from " in capsys.readouterr().out
    prepared = prepare(recipe, data=data, cache=CacheOptions(folder, writes=False))
    assert "mapped from the cache\n" in plan(prepared)


def flip(file, place):
    """Flip a bit of a file, as a disk does, so that a map of it changes, too."""
    with file.open("r+b") as opened_file:
        opened_file.seek(place)
        value = opened_file.read(1)[0]
        opened_file.seek(place)
        opened_file.write(bytes([value ^ 4]))


@pytest.mark.parametrize("fits", [True, False])
@pytest.mark.parametrize("part", ["images", "conditions"])
def test_a_changed_byte_of_an_image_is_an_error(tmp_path, monkeypatch, part, fits):
    monkeypatch.setattr(opening, "exceeds_memory", lambda *_: not fits)
    data = Numbers(with_conditions=True)
    opened(tmp_path, data, PAIRED)
    file = tmp_path / files(tmp_path)[0]
    batches = opened(tmp_path, data, PAIRED)
    images = safetensors.safe_open(file, "pt").get_slice(part).get_shape()
    size = images[1] * images[2] * images[3]
    end = {"images": file.stat().st_size - 23 * 16, "conditions": file.stat().st_size}[part]
    flip(file, end - 3 * size + 5)  # of image 20
    text = r"^the cache of decoded images .*\.safetensors is damaged: image 20 differs .* Delete"
    for batch in (opened(tmp_path, data, PAIRED), batches):  # opened before the change, too
        for read in (
            lambda b: [next(b) for _ in range(6)],
            lambda b: b.draw(23),
            lambda b: all_items(b, 23),
            lambda b: some_items(b, 23),
        ):
            with pytest.raises(DataError, match=text):
                read(batch)
    if fits and torch.cuda.is_available():
        with pytest.raises(DataError, match=text):
            opened(tmp_path, data, PAIRED, device=torch.device("cuda"))
    file.unlink()
    assert same(
        opened(tmp_path, data, PAIRED).draw(23), MemoryBatches(data, PAIRED, 4, 1, CPU).draw(23)
    )


def test_a_changed_label_is_damage(tmp_path):
    opened(tmp_path)
    file = tmp_path / files(tmp_path)[0]
    content = bytearray(file.read_bytes())
    content[HEADER] ^= 1  # class 1 instead of 0, which exists
    file.write_bytes(content)
    batches = opened(tmp_path)
    assert batches.cache.endswith("; the former one was damaged")
    assert batches.labels.tolist() == [k % 3 for k in range(23)]


def test_a_cache_without_checksums_is_written_again(tmp_path):
    opened(tmp_path)
    file = tmp_path / files(tmp_path)[0]
    with safetensors.safe_open(file, "pt") as content:
        tensors = {name: content.get_tensor(name) for name in ("labels", "images")}
        metadata = content.metadata()
    safetensors.torch.save_file(tensors, file, metadata)
    assert "; the former one was damaged" in opened(tmp_path).cache
    assert safetensors.torch.load_file(file)["image_checksums"][1] == zlib.crc32(bytes([1] * 64))
