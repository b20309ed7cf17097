"""Processes that read ahead, and what becomes of the training when one of them dies."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ganzoo.data.reading import Items, Read, Reader
from ganzoo.errors import DataError, WorkerError
from ganzoo.spec import DataSpec

MAX_WORKERS = 8  # more seldom read faster, and each keeps some batches in memory
GRACE = 5.0  # seconds in which a process that broke a connection is seen to be dead


def default_workers(ranks: int = 1) -> int:
    """Return how many processes read ahead: a core each beside the training's, 0 on one core."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        cores = os.cpu_count() or 1
    return 0 if cores == 1 else min(max(cores // ranks - 1, 1), MAX_WORKERS)


class ReadAhead(Iterator[Items]):
    """Items of a dataset, read in the order that is asked for by processes of their own.

    Warnings that arise there are given here, each text once.

    Args:
        dataset: as `Reader` takes it.
        spec: what it says it holds.
        places: of the images and of the conditions, for each that is to be read at once.
        workers: number of processes; 0 reads in this one.
        pin: whether to return tensors in pinned memory, whence CUDA copies while it computes.

    Raises:
        WorkerError: a process died.
        DataError: as `read_items`; a dataset that must be pickled for them and cannot be.
    """

    def __init__(
        self,
        dataset: Dataset[tuple[Tensor, ...]],
        spec: DataSpec,
        places: Iterable[tuple[Sequence[int], Sequence[int]]],
        *,
        workers: int,
        pin: bool = False,
    ) -> None:
        loader: DataLoader[Read] = DataLoader(
            Reader(dataset, spec),
            batch_size=None,  # the reader's index is a batch already
            sampler=places,
            num_workers=workers,
            collate_fn=_as_it_is,
            pin_memory=pin,
            worker_init_fn=_begin,
            generator=torch.Generator(),  # else it would draw from the training's
        )
        self._warned: set[str] = set()
        self._workers: list[BaseProcess] = []
        self._reads = self._start(loader)

    def __next__(self) -> Items:
        try:
            read = next(self._reads)
        except (RuntimeError, OSError, EOFError) as error:
            self._explain(error)
            raise
        for kind, text in read.warnings:
            if text not in self._warned:
                self._warned.add(text)
                warnings.warn(text, kind, stacklevel=2)
        if read.failure is not None:
            raise read.failure.kind(read.failure.message)
        assert read.items is not None
        return read.items

    def _start(self, loader: DataLoader[Read]) -> Iterator[Read]:
        """Start the processes, and note which they are."""
        before = set(multiprocessing.active_children())
        # torch's handler of SIGCHLD would raise wherever the training then stands, even amid the
        # writing of a checkpoint. Without it a death is noticed when the next batch is asked for.
        handles = hasattr(signal, "SIGCHLD") and (
            threading.current_thread() is threading.main_thread()
        )
        handler = signal.getsignal(signal.SIGCHLD) if handles else None
        try:
            reads = iter(loader)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise DataError(
                f"the dataset cannot be handed to other processes, as this system starts them: "
                f"{error}. --streaming off keeps it in memory."
            ) from error
        if handler is not None:
            signal.signal(signal.SIGCHLD, handler)
        self._workers = [p for p in multiprocessing.active_children() if p not in before]
        return reads

    def _explain(self, error: Exception) -> None:
        """Raise what an error means if it comes from a process's death."""
        broken = isinstance(error, OSError | EOFError)
        dying = wait([worker.sentinel for worker in self._workers], GRACE if broken else 0)
        for worker in self._workers:
            if worker.sentinel in dying:
                worker.join()  # its status is known a moment after its connections close
                raise WorkerError(_tell(worker)) from error


def _tell(worker: BaseProcess) -> str:
    status = worker.exitcode or 0
    if status >= 0:
        return f"a process that reads the data (pid {worker.pid}) ended with status {status}."
    name = signal.Signals(-status).name
    advice = {
        "SIGKILL": " The system does that when memory runs out: a smaller --batch-size needs less.",
        "SIGBUS": " Shared memory ran out: /dev/shm must be larger, in Docker by --shm-size 1g.",
    }.get(name, "")
    return f"a process that reads the data (pid {worker.pid}) was killed by {name}.{advice}"


def _as_it_is(read: Any) -> Any:
    return read


def _begin(worker: int) -> None:
    """Make a process outlive a Ctrl-C, which the training must answer, but not the training."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)  # and SIGTERM, where it is sent to all of a group
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End at once when the training was killed: until then its lock would be held here."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
