"""Worker processes that read images ahead of the training."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ganzoo.data.read_warnings import ReadWarnings
from ganzoo.data.reading import Items, Read, Reader, count_files
from ganzoo.errors import DataError, WorkerError
from ganzoo.spec import DataSpec

MAX_WORKERS = 8  # more workers rarely read faster, and each keeps some batches in memory
_GUARD = 'Put the script\'s own commands below `if __name__ == "__main__":`.'
GRACE = 5.0  # seconds to wait for the exit of a process whose connection broke


def count_cores() -> int:
    """Return the number of cores that this process can use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows do not have it
        return os.cpu_count() or 1


def default_workers(ranks: int = 1) -> int:
    """Return the default number of worker processes: one per spare core, 0 on a single core."""
    cores = count_cores()
    return 0 if cores == 1 else min(max(cores // ranks - 1, 1), MAX_WORKERS)


def check_main_guard() -> None:
    """Raise an error in a worker process whose import of the main script trains again.

    Raises:
        WorkerError: this process is a worker that is starting.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise WorkerError(
            f"a worker process that reads the data runs the script again to import it. {_GUARD}"
        )


class WorkerReads(Iterator[Read]):
    """The reads of a dataset in a given order, by worker processes.

    Args:
        reader: a `Reader`.
        places: for each read, the index of the reader.
        workers: number of worker processes. 0 reads in this process.
        pin: return tensors in pinned memory, which CUDA copies while it computes.
        method: how processes are started; None for the system's default.

    Raises:
        WorkerError: a worker process died.
        DataError: the workers need a pickled dataset and it cannot be pickled.
    """

    def __init__(
        self,
        reader: Dataset[Read],
        places: Iterable[tuple[Sequence[int], Sequence[int]]],
        *,
        workers: int,
        pin: bool = False,
        method: str | None = None,
    ) -> None:
        check_main_guard()
        loader: DataLoader[Read] = DataLoader(
            reader,
            batch_size=None,  # the reader's index is a batch already
            sampler=places,
            num_workers=workers,
            collate_fn=_identity,
            pin_memory=pin,
            worker_init_fn=start_worker,
            multiprocessing_context=method if workers else None,
            generator=torch.Generator(),  # the default draws from the training's generator
        )
        self._workers: list[BaseProcess] = []
        self._reads = self._start(loader)

    def __next__(self) -> Read:
        try:
            return next(self._reads)
        except (RuntimeError, OSError, EOFError) as error:
            self._explain(error)
            raise

    def _start(self, loader: DataLoader[Read]) -> Iterator[Read]:
        """Start the worker processes and remember them."""
        before = set(multiprocessing.active_children())
        # torch's SIGCHLD handler raises at any point of the training, even while it writes a
        # checkpoint. Without the handler, the next read reports the death of a worker.
        handles = hasattr(signal, "SIGCHLD") and (
            threading.current_thread() is threading.main_thread()
        )
        handler = signal.getsignal(signal.SIGCHLD) if handles else None
        try:
            reads = iter(loader)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise DataError(
                f"cannot stream the dataset: this system pickles it for the worker processes, "
                f"which failed: {error}. Use --streaming off to keep it in memory."
            ) from error
        if handler is not None:
            signal.signal(signal.SIGCHLD, handler)
        self._workers = [p for p in multiprocessing.active_children() if p not in before]
        return reads

    def _explain(self, error: Exception) -> None:
        """Raise a WorkerError if the error comes from the death of a worker process."""
        broken = isinstance(error, OSError | EOFError)
        dying = wait([worker.sentinel for worker in self._workers], GRACE if broken else 0)
        for worker in self._workers:
            if worker.sentinel in dying:
                worker.join()  # its exit status is known a moment after its connections close
                for other in self._workers:  # they may wait for a lock that it held
                    other.kill()
                raise WorkerError(_describe_death(worker)) from error


class ReadAhead(Iterator[Items]):
    """Items of a dataset that worker processes read in a given order.

    Shows the warnings of the reads as `ReadWarnings` does.

    Args:
        dataset: as for `Batches`.
        spec: the dataset's spec.
        places: for each read, the indices of its images and of its conditions.
        ends: whether the reads end.
        workers: as for `WorkerReads`.
        pin: as for `WorkerReads`.

    Raises:
        WorkerError: as for `WorkerReads`.
        DataError: as for `read_items` and `WorkerReads`.
    """

    def __init__(
        self,
        dataset: Dataset[tuple[Tensor, ...]],
        spec: DataSpec,
        places: Iterable[tuple[Sequence[int], Sequence[int]]],
        *,
        workers: int,
        ends: bool = False,
        pin: bool = False,
    ) -> None:
        self._reads = WorkerReads(Reader(dataset, spec), places, workers=workers, pin=pin)
        self._warnings = ReadWarnings(count_files(dataset), ends=ends)

    @property
    def counts(self) -> Counter[str]:
        """The counts of `ReadWarnings`."""
        return self._warnings.counts

    def __next__(self) -> Items:
        try:
            read = next(self._reads)
        except StopIteration:
            self._warnings.finish()
            raise
        self._warnings.show(read)
        assert read.items is not None
        return read.items


def _describe_death(worker: BaseProcess) -> str:
    status = worker.exitcode or 0
    if status >= 0:
        forks = multiprocessing.get_start_method() == "fork"
        return (
            f"a worker process that reads the data (pid {worker.pid}) ended with status {status}. "
            + ("" if forks else f"If a script trains the model: {_GUARD} ")
            + "Use --streaming off to read the data in the main process."
        )
    name = signal.Signals(-status).name
    advice = {
        "SIGKILL": " The system may be out of memory. Use a smaller --batch-size.",
        "SIGBUS": " Shared memory is full. Enlarge /dev/shm, in Docker with --shm-size 1g.",
    }.get(name, "")
    return f"a worker process that reads the data (pid {worker.pid}) was killed by {name}.{advice}"


def _identity(read: Any) -> Any:
    return read


def start_worker(worker: int = 0) -> None:
    """Make a worker process ignore Ctrl-C and end when the training process ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # a SIGTERM to the training's process group does not end it either
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the training process is killed, to release the run's lock."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
