"""Several processes decode what one process does."""

import multiprocessing
import os
import sys
import warnings

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset, dataloader

from ganzoo import DataSpec, ImageSpec
from ganzoo.data import decoding
from ganzoo.data.decoding import decode, decode_timed, decoding_workers
from ganzoo.errors import DataError
from helpers.datasets import get, pictures

PAIRED = DataSpec(ImageSpec(8, 8, 1), classes=3, condition=ImageSpec(4, 4, 1))
linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are not forked here")


@pytest.fixture
def gradual(monkeypatch):
    """Reads of 4 images, and processes that are worth their start at once."""
    monkeypatch.setattr(decoding, "CHUNK", 4)
    monkeypatch.setattr(decoding, "WORTH", 1e-12)


class Numbers(Dataset):
    """Image k and its condition have the constant value k; stores the indices that were read."""

    def __init__(self, n=42):
        self.n = n
        self.array = np.zeros(3)
        self.read = []

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        self.read.append(index)
        image = torch.full((1, 8, 8), index, dtype=torch.uint8)
        return image, torch.tensor(index % 3), image[:, :4, :4].clone()


def same(ours, theirs):
    return all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


@linux
def test_processes_decode_the_items_of_one(gradual):
    alone, together = Numbers(), Numbers()
    items, how = decode_timed(alone, PAIRED, workers=0)
    assert (how.images, how.processes) == (42, 1)
    assert alone.read == list(range(42))
    assert items.images[:, 0, 7, 7].tolist() == list(range(42))
    assert items.labels.tolist() == [k % 3 for k in range(42)]
    assert items.conditions.shape == (42, 1, 4, 4)
    others, how = decode_timed(together, PAIRED, workers=3)
    assert how.processes == 3
    assert str(how).endswith(" images/s on 3 processes")
    assert same(items, others)
    assert together.read == list(range(8)), "the other items are read by worker processes"
    assert not multiprocessing.active_children()


@linux
def test_warnings_of_processes_are_those_of_one(gradual, tmp_path):
    pictures(tmp_path, [f"{k:02d}.png" for k in range(22)], size=(9, 20))
    for k in (9, 17):
        (tmp_path / f"{k:02d}.png").write_bytes(b"\x89PNG no more")
    records = []
    for workers in (0, 2):
        with warnings.catch_warnings(record=True, action="always") as record:
            items, how = decode_timed(
                *get("folder", tmp_path, size=8, skip_corrupt=True), workers=workers
            )
        assert how.warnings == {str(w.message): w.category for w in record}
        records.append((items.images, [(w.category, str(w.message)) for w in record]))
    (one, texts), (other, others) = records
    assert torch.equal(one, other)
    assert texts == others
    assert len(texts) == 3
    assert texts[2][1].startswith("20 of 22 images have this warning: the image ")


class Faulty(Numbers):
    def __getitem__(self, index):
        if index in (13, 37):
            raise DataError(f"item {index} is corrupt")
        return super().__getitem__(index)


@linux
def test_the_error_of_processes_is_that_of_one(gradual):
    for workers in (0, 3):
        with pytest.raises(DataError, match=r"^item 13 is corrupt$"):
            decode_timed(Faulty(), PAIRED, workers=workers)


class Mortal(Numbers):
    def __getitem__(self, index):
        if index == 22 and multiprocessing.parent_process() is not None:
            os._exit(3)
        return super().__getitem__(index)


@linux
def test_the_main_process_goes_on_without_a_process_that_died(gradual, monkeypatch):
    poll = dataloader._MultiProcessingDataLoaderIter._try_get_data
    monkeypatch.setattr(poll, "__defaults__", (0.1,))  # seconds, instead of 5
    expected = decode(Numbers(), PAIRED)
    with pytest.warns(UserWarning, match=r"with status 3\. The main process decodes the other"):
        items, how = decode_timed(Mortal(), PAIRED, workers=2)
    assert same(items, expected)
    assert how.processes == 1


def test_a_dataset_that_holds_an_open_file_is_decoded_by_one_process(gradual, tmp_path):
    data = Numbers()
    with open(tmp_path / "file", "wb") as data.file:
        _, how = decode_timed(data, PAIRED, workers=2)
    assert how.processes == 1
    assert data.read == list(range(42))


def test_a_few_images_start_no_process():
    data = Numbers(256)
    items, how = decode_timed(data, PAIRED, workers=8)
    assert how.processes == 1
    assert data.read == list(range(256))
    assert str(how).endswith(" images/s on 1 process")
    assert len(items.images) == 256


def test_processes_start_only_where_they_are_forked(monkeypatch):
    monkeypatch.setattr(decoding, "count_cores", lambda: 9)
    monkeypatch.setattr(sys, "platform", "linux")
    for method, workers in ((None, 9), ("fork", 9), ("spawn", 0), ("forkserver", 0)):
        monkeypatch.setattr(multiprocessing, "get_start_method", lambda allow_none, m=method: m)
        assert decoding_workers() == workers, "a script without a main guard cannot be imported"
    monkeypatch.setattr(multiprocessing, "get_start_method", lambda allow_none: None)
    assert [decoding_workers(ranks) for ranks in (2, 4, 5, 20)] == [4, 2, 0, 0]
    monkeypatch.setattr(sys, "platform", "darwin")
    assert decoding_workers() == 0
