import contextlib
import multiprocessing
import os
import select
import signal
import time
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch.utils.data import Dataset, TensorDataset

import ganzoo
from ganzoo import DataSpec, ImageSpec
from ganzoo.data import opening
from ganzoo.data.memory_batches import MemoryBatches
from ganzoo.data.opening import open_batches
from ganzoo.data.reading import read_items
from ganzoo.data.streamed_batches import StreamedBatches
from ganzoo.errors import DataError, RecipeError, WorkerError
from ganzoo.spec import Component
from helpers.datasets import get, pictures
from helpers.processes import run_python, start_cli
from helpers.recipes import tiny

CPU = torch.device("cpu")


class Numbers(Dataset):
    """Image k and its condition have the constant value k; stores the indices that were read."""

    def __init__(self, n=23, with_conditions=False):
        self.n = n
        self.with_conditions = with_conditions
        self.read = []

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        self.read.append(index)
        image = torch.full((1, 8, 8), index, dtype=torch.uint8)
        condition = (image[:, :4, :4].clone(),) if self.with_conditions else ()
        return (image, torch.tensor(index % 3), *condition)


SPEC = DataSpec(ImageSpec(8, 8, 1), classes=3)
UNPAIRED = DataSpec(ImageSpec(8, 8, 1), classes=3, condition=ImageSpec(4, 4, 1), paired=False)
PAIRED = DataSpec(ImageSpec(8, 8, 1), condition=ImageSpec(4, 4, 1))


def same(a, b):
    for ours, theirs in zip(
        (a.images, a.labels, a.condition), (b.images, b.labels, b.condition), strict=True
    ):
        assert (ours is None) == (theirs is None)
        assert ours is None or (torch.equal(ours, theirs) and ours.dtype == theirs.dtype)
    return True


def draw(batches, n):
    for _ in range(n):
        next(batches)


def numbers(batch):
    return ((batch.images[:, 0, 0, 0] + 1) * 127.5).round().int().tolist()


@pytest.mark.parametrize("workers", [0, 1, 3])
@pytest.mark.parametrize("spec", [SPEC, PAIRED, UNPAIRED], ids=["alone", "paired", "unpaired"])
def test_a_stream_equals_batches_from_memory(spec, workers):
    data = Numbers(with_conditions=spec.condition is not None)
    memory = MemoryBatches(data, spec, 10, 5, CPU)
    stream = StreamedBatches(data, spec, 10, 5, CPU, workers=workers)
    assert len(stream) == len(memory) == 23
    for _ in range(8):  # more than three epochs, with batches across their borders
        assert same(next(stream), next(memory))
    assert stream.position == memory.position == 8
    for position in (3, 4, 1, 30):
        stream.position = memory.position = position
        assert same(next(stream), next(memory))
        assert same(next(stream), next(memory))
    assert same(stream.draw(5), memory.draw(5))
    assert len(stream.draw(99)) == 23


def test_a_folder_streams_bit_for_bit(tmp_path):
    root = pictures(tmp_path, [f"{k % 2}/{k}.png" for k in range(9)])
    memory, stream = (
        open_batches(*get("folder", root, size=16), 4, 0, CPU, streaming=how)
        for how in ("off", "on")
    )
    assert isinstance(stream, StreamedBatches)
    assert all(same(next(memory), next(stream)) for _ in range(6))


@pytest.mark.parametrize("kind", [MemoryBatches, StreamedBatches])
def test_ranks_share_a_batch(kind):
    data = Numbers(with_conditions=True)
    whole = kind(data, UNPAIRED, 12, 1, CPU)
    parts = [kind(data, UNPAIRED, 12, 1, CPU, rank=rank, ranks=3) for rank in range(3)]
    for _ in range(5):
        expected, shares = next(whole), [next(part) for part in parts]
        assert [len(share) for share in shares] == [4, 4, 4]
        for name in ("images", "labels", "condition"):
            joined = torch.cat([getattr(share, name) for share in shares])
            assert torch.equal(joined, getattr(expected, name))
    with pytest.raises(RecipeError, match=r"5 processes cannot share .* 12 .*--batch-size 15"):
        kind(data, UNPAIRED, 12, 1, CPU, ranks=5)


def test_a_rank_reads_only_its_own_rows():
    data = Numbers()
    stream = StreamedBatches(data, SPEC, 12, 1, CPU, rank=1, ranks=3, workers=0)
    data.read.clear()
    assert numbers(next(stream)) == data.read
    assert len(data.read) == 4


def test_data_larger_than_its_share_of_memory_is_streamed(monkeypatch):
    for free, kind in ((4 * 23 * 64, MemoryBatches), (4 * 23 * 64 - 4, StreamedBatches)):
        monkeypatch.setattr(opening, "free_memory", lambda device, free=free: free)
        assert type(open_batches(Numbers(), SPEC, 4, 0, CPU)) is kind
    assert type(open_batches(Numbers(), SPEC, 4, 0, CPU, streaming="off")) is MemoryBatches
    assert type(open_batches(*get("digits"), 4, 0, CPU)) is MemoryBatches


def test_free_memory_is_less_than_total_memory():
    assert 2**20 < opening.free_memory(CPU) < 2**50


def test_memory_and_stream_match_each_others_fingerprints():
    memory = MemoryBatches(Numbers(with_conditions=True), UNPAIRED, 4, 0, CPU)
    stream = StreamedBatches(Numbers(with_conditions=True), UNPAIRED, 4, 0, CPU)
    other = StreamedBatches(Numbers(22, with_conditions=True), UNPAIRED, 4, 0, CPU)
    assert memory.fingerprint != stream.fingerprint
    for one in (memory, stream):
        assert one.matches(memory.fingerprint)
        assert one.matches(stream.fingerprint)
        assert not one.matches(other.fingerprint)
    assert not other.matches(memory.fingerprint)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_corrupt_image_is_the_same_error_in_a_worker(tmp_path, workers):
    root = pictures(tmp_path, [f"{k}.png" for k in range(9)])
    stream = StreamedBatches(*get("folder", root, size=16), 2, 0, CPU, workers=workers)
    (root / "4.png").write_bytes(b"\x89PNG no more")
    with pytest.raises(DataError) as there:
        get("folder", root, size=16)[0][4]
    with pytest.raises(DataError) as here:
        draw(stream, 9)
    assert str(here.value) == str(there.value)
    assert "4.png" in str(here.value)
    assert "\n" not in str(here.value)
    assert type(here.value) is type(there.value)


class Wrong(Numbers):
    def __getitem__(self, index):
        image, label = super().__getitem__(index)
        return image, label + (3 if index == 11 else 0)


def test_a_stream_refuses_labels_outside_the_classes():
    stream = StreamedBatches(Wrong(), SPEC, 4, 0, CPU, workers=1)
    with pytest.raises(DataError, match="declares 3 classes, but its labels are"):
        draw(stream, 6)


@pytest.mark.parametrize("labels", [torch.tensor([0.7, 1.2]), torch.eye(2, dtype=torch.int64)])
def test_labels_that_are_no_whole_numbers_are_refused(labels):
    dataset = TensorDataset(torch.zeros((2, 1, 8, 8), dtype=torch.uint8), labels)
    with pytest.raises(DataError, match="but each must be one whole number"):
        MemoryBatches(dataset, SPEC, 2, 0, CPU)
    with pytest.raises(DataError, match="but each must be one whole number"):
        read_items(dataset, SPEC, [0, 1], [0, 1])


def test_a_stream_leaves_the_random_state_unchanged():
    before = torch.random.get_rng_state()
    next(StreamedBatches(Numbers(), SPEC, 4, 0, CPU, workers=1))
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
@pytest.mark.parametrize("workers", [1, 3])
def test_a_killed_worker_is_one_error_and_the_stream_continues(workers):
    others = set(multiprocessing.active_children())
    handler = signal.getsignal(signal.SIGCHLD)
    memory = MemoryBatches(Numbers(), SPEC, 4, 0, CPU)
    stream = StreamedBatches(Numbers(), SPEC, 4, 0, CPU, workers=workers)
    assert same(next(stream), next(memory))
    assert signal.getsignal(signal.SIGCHLD) is handler
    started = [p for p in multiprocessing.active_children() if p not in others]
    assert len(started) == workers
    os.kill(started[-1].pid, signal.SIGKILL)
    with pytest.raises(WorkerError, match=rf"\(pid {started[-1].pid}\) was killed by SIGKILL"):
        draw(stream, 100)
    assert {process.exitcode for process in started} == {-signal.SIGKILL}, "none waits for it"
    memory.position = stream.position
    assert same(next(stream), next(memory)), "other processes go on where these ended"


class Mortal(Numbers):
    def __getitem__(self, index):
        if index == 7 and multiprocessing.parent_process() is not None:
            os._exit(3)
        return super().__getitem__(index)


def test_a_worker_that_exits_is_one_error():
    stream = StreamedBatches(Mortal(), SPEC, 4, 0, CPU, workers=1)
    with pytest.raises(WorkerError, match="ended with status 3"):
        draw(stream, 6)


SPAWNED = """
import multiprocessing, sys, torch, ganzoo
from pathlib import Path
from ganzoo.errors import DataError
from ganzoo.data.streamed_batches import StreamedBatches

if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    data, spec = ganzoo.datasets.get("folder")(Path(sys.argv[2]), size=8)
    apart, here = (StreamedBatches(data, spec, 2, 0, torch.device("cpu"), workers=k) for k in (1, 0))
    assert torch.equal(next(apart).images, next(here).images)
    data.unpicklable = lambda: None
    try:
        next(StreamedBatches(data, spec, 2, 0, torch.device("cpu"), workers=1))
    except DataError as error:
        print(error)
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_streams_work_with_spawned_workers(tmp_path, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"{method} is not available here")
    root = pictures(tmp_path, ["1.png", "2.png", "3.png"])
    done = run_python(SPAWNED, method, root)
    assert done.returncode == 0, done.stderr
    assert "cannot stream the dataset" in done.stdout
    assert "--streaming off to keep it in memory" in done.stdout


def weights(run):
    return safetensors.torch.load_file(run.path / "bundle" / "model.safetensors")


def streamed(root, out, **changes):
    recipe = tiny(dataset=Component("folder", {"size": 16}), streaming="on", **changes)
    return ganzoo.train(recipe, data=root, out=out, progress=False)


def test_training_from_a_stream_gives_the_same_weights(tmp_path):
    root = pictures(tmp_path / "data", [f"{k}.png" for k in range(20)])
    one = streamed(root, tmp_path / "stream")
    recipe = tiny(dataset=Component("folder", {"size": 16}), streaming="off")
    other = ganzoo.train(recipe, data=root, out=tmp_path / "memory", progress=False)
    assert weights(one).keys() == weights(other).keys()
    assert all(torch.equal(w, weights(other)[k]) for k, w in weights(one).items())


def start(root, out, recipe, **options):
    """Start a run, and wait until it has a checkpoint."""
    file = out.parent / "recipe.toml"
    file.write_text(recipe.to_toml())
    process = start_cli("train", file, "--data", root, "--out", out, **options)
    while not list((out / "checkpoints").glob("*.safetensors")):
        assert process.poll() is None, process.output()
        time.sleep(0.01)
    return process


def worker_of(process):
    """Return a reader process of a run: the child that leads its own group."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None:
        for pid in map(int, children.read_text().split()):
            with contextlib.suppress(ProcessLookupError):
                if os.getpgid(pid) == pid:
                    return pid
    raise AssertionError(process.communicate()[1])


linux = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's /proc")


@linux
def test_a_killed_worker_prints_how_to_resume(tmp_path):
    root = pictures(tmp_path / "data", [f"{k}.png" for k in range(20)])
    changes = {"images": 1600, "checkpoint_every": 320}
    recipe = tiny(dataset=Component("folder", {"size": 16}), streaming="on", **changes)
    out = tmp_path / "run"
    process = start(root, out, recipe)
    os.kill(worker_of(process), signal.SIGKILL)
    _, errors = process.communicate()
    assert process.returncode == 1
    last = errors.strip().splitlines()[-1]
    assert last.startswith("error: a worker process that reads the data")
    assert f"ganzoo train --resume {out} continues the run." in last
    assert "Traceback" not in errors
    resumed = ganzoo.resume(out, progress=False)
    whole = streamed(root, tmp_path / "whole", **changes)
    assert all(torch.equal(w, weights(whole)[k]) for k, w in weights(resumed).items())


@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_saves_the_run(tmp_path, number):
    root = pictures(tmp_path / "data", [f"{k}.png" for k in range(20)])
    recipe = tiny(dataset=Component("folder", {"size": 16}), streaming="on", images=10**7)
    out = tmp_path / "run"
    process = start(root, out, recipe, new_session=True)
    os.killpg(process.pid, number)
    _, errors = process.communicate()
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert f"--resume {out}" in errors


@linux
def test_no_worker_outlives_a_killed_run(tmp_path):
    root = pictures(tmp_path / "data", [f"{k}.png" for k in range(20)])
    recipe = tiny(dataset=Component("folder", {"size": 16}), streaming="on", images=10**7)
    out = tmp_path / "run"
    process = start(root, out, recipe)
    handle = os.pidfd_open(worker_of(process))
    process.kill()
    process.wait()
    assert select.select([handle], [], [], 60)[0], "the worker goes on without its run"
    os.close(handle)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_stream_to_cuda_equals_batches_from_memory(tmp_path):
    gpu = torch.device("cuda")
    data = Numbers(with_conditions=True)
    memory = MemoryBatches(data, UNPAIRED, 10, 5, gpu)
    stream = StreamedBatches(data, UNPAIRED, 10, 5, gpu, workers=2)
    for _ in range(8):
        batch = next(stream)
        assert batch.images.device.type == "cuda"
        assert same(batch, next(memory))
    others = multiprocessing.active_children()
    os.kill(others[-1].pid, signal.SIGKILL)
    with pytest.raises(WorkerError, match="was killed by SIGKILL"):
        draw(stream, 100)
