"""Processes that train one model together, started by ``torchrun``."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist

# Imported before a group exists: default arguments of its functions would keep the group alive for
# ever, and threads of a group that outlives the interpreter abort the process.
import torch.distributed.nn
from torch import Tensor, nn
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from ganzoo.errors import GroupError, RecipeError
from ganzoo.games.batchwise import means_by
from ganzoo.system.signals import stop_on_signal
from ganzoo.training.whole_batch import WholeBatch

RUN_ID = "TORCHELASTIC_RUN_ID"


@contextmanager
def reporting_loss() -> Iterator[None]:
    """Turn a broken connection into an error of one line.

    Raises:
        GroupError: another process has ended or cannot be reached.
    """
    try:
        yield
    except RuntimeError as error:
        message = str(error)
        if not isinstance(error, dist.DistError) and "gloo" not in message.lower():
            raise
        raise GroupError(
            f"another process of the training has ended or cannot be reached "
            f"({message.splitlines()[0][:120]}). Read the message of that process. With torchrun "
            "--max-restarts 3 the training continues from its last checkpoint automatically."
        ) from error


@dataclass(frozen=True)
class Group:
    """Processes that hold equal parts of every batch, and equal weights.

    All processes must call each method together. With one process the methods do nothing.

    Attributes:
        rank: number of this process, from 0.
        size: number of processes.
    """

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the first process, which writes all files."""
        return self.rank == 0

    def whole_batch(
        self, rows: int, sync_batchnorm: bool, *, part: int = 0, parts: int = 1
    ) -> AbstractContextManager[None]:
        """Return a context in which processes and parts draw what one with the batch would.

        Args:
            rows: samples of this process in the part.
            sync_batchnorm: whether BatchNorm takes its statistics over all processes too.
            part: number of the part of a batch that is computed.
            parts: number of parts, which are computed one after the other.
        """
        if self.size == parts == 1:
            return nullcontext()
        return self._whole_batch(rows, sync_batchnorm, part, parts)

    @contextmanager
    def _whole_batch(
        self, rows: int, sync_batchnorm: bool, part: int, parts: int
    ) -> Iterator[None]:
        several = self.size > 1
        mean = self.mean if several and sync_batchnorm else None
        # A part holds the samples of all processes, in the order of their ranks.
        share, shares = part * self.size + self.rank, parts * self.size
        with ExitStack() as stack:
            if several:
                stack.enter_context(means_by(self.mean))
            stack.enter_context(WholeBatch(rows, share, shares, mean, processes=self.size))
            yield

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean of a tensor over the processes, differentiable any number of times."""
        return _Mean.apply(value, self.size)  # type: ignore[no-any-return]

    def average_gradients(self, weights: Iterable[nn.Parameter]) -> None:
        """Replace the gradients by their means over the processes, in one transfer."""
        gradients = [w.grad for w in weights if w.grad is not None]
        if self.size == 1 or not gradients:
            return
        flat = torch.cat([g.reshape(-1) for g in gradients])
        dist.all_reduce(flat)
        parts = torch.split(flat.div_(self.size), [g.numel() for g in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view(gradient.shape))

    def average(self, numbers: Tensor) -> Tensor:
        """Return the mean of numbers over the processes."""
        if self.size > 1:
            numbers = numbers.clone()
            dist.all_reduce(numbers)
            numbers /= self.size
        return numbers

    def most(self, value: int) -> int:
        """Return the largest value of all processes."""
        if self.size == 1:
            return value
        largest = torch.tensor(
            int(value)
        )  # True is an int too, but all processes must send one dtype
        dist.all_reduce(largest, dist.ReduceOp.MAX)
        return int(largest)

    def tell(self, content: bytes) -> bytes:
        """Return the content of the first process."""
        if self.size == 1:
            return content
        length = torch.tensor(len(content))
        dist.broadcast(length, 0)
        received = torch.zeros(int(length), dtype=torch.uint8)
        if self.first and content:
            received = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        if len(received):
            dist.broadcast(received, 0)
        return received.numpy().tobytes()

    def share(self, nets: Iterable[nn.Module]) -> None:
        """Copy the weights of the first process to all."""
        if self.size > 1:
            for net in nets:
                for tensor in net.state_dict().values():
                    dist.broadcast(tensor, 0)


class _Mean(torch.autograd.Function):
    """The mean over the processes. The gradient of a mean is the mean of the gradients."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, size: int) -> Tensor:
        ctx.size = size
        total = value.clone()
        dist.all_reduce(total)
        return total / size

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Mean.apply(gradient, ctx.size), None


def _connect(backend: str) -> None:
    try:
        store, rank, size = next(iter(rendezvous("env://")))
    except ValueError as error:
        raise GroupError(
            f"the processes cannot find each other: {error}. Start them with torchrun."
        ) from error
    if os.environ.get("LOCAL_WORLD_SIZE") == str(size):
        # torchrun's store, with the addresses of ended processes, outlives a restart. With several
        # hosts each host counts its own restarts, so the count cannot serve as a common prefix.
        attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        store = PrefixStore(f"attempt-{attempt}", store)
    # The store also holds the addresses of former trainings of these processes.
    store = PrefixStore(f"group-{next(_groups)}", store)
    dist.init_process_group(backend, store=store, rank=rank, world_size=size)


ALONE = Group()
_groups = itertools.count()  # of this process


def launched() -> int:
    """Return the number of processes that ``torchrun`` started; 1 without it.

    Raises:
        GroupError: RANK or WORLD_SIZE is not a number.
    """
    rank, size = os.environ.get("RANK"), os.environ.get("WORLD_SIZE")
    if rank is None or size is None:
        return 1
    if not (rank.isdecimal() and size.isdecimal()):
        raise GroupError(
            f"RANK and WORLD_SIZE must be whole numbers, but are {rank!r} and {size!r}. Start the "
            "processes with torchrun, or unset both variables."
        )
    return int(size)


def launch() -> str:
    """Return the id of this launch of ``torchrun``, which stays the same after a restart."""
    return os.environ.get(RUN_ID, "")


def restarted() -> bool:
    """Return whether ``torchrun`` started this process to replace a failed one."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")) > 0


def local_device() -> torch.device:
    """Return the GPU of this process.

    Raises:
        RecipeError: this host has more processes than GPUs.
    """
    rank, gpus = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if rank >= gpus:
        raise RecipeError(
            f"no GPU left for process {rank + 1} of this host, which has {gpus}. "
            f"Use torchrun --nproc-per-node {gpus}, or --device cpu."
        )
    torch.cuda.set_device(rank)
    return torch.device("cuda", rank)


@contextmanager
def join() -> Iterator[Group]:
    """Connect to the other processes until the block ends: gloo between CPUs, NCCL between GPUs.

    Raises:
        GroupError: they cannot be reached.
    """
    if launched() == 1:
        yield ALONE
        return
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    with reporting_loss():
        _connect(backend)
        try:
            group = Group(dist.get_rank(), dist.get_world_size())
            yield group
            group.most(0)  # no process leaves while another still needs its connections
        finally:
            # torchrun ends the others when a process is lost: they still have to print the error.
            with stop_on_signal():
                dist.destroy_process_group()
