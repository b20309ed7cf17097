"""The processes that train one model together, as ``torchrun`` starts them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist

# Now, before there is a group: its functions' default arguments would keep one alive for ever, and
# threads of a group that outlives the interpreter abort the process.
import torch.distributed.nn
from torch import Tensor, nn
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from ganzoo.errors import GroupError, RecipeError
from ganzoo.games.batchwise import means_by
from ganzoo.training.whole_batch import WholeBatch

RUN_ID = "TORCHELASTIC_RUN_ID"


@contextmanager
def reporting_loss() -> Iterator[None]:
    """Turn a broken connection into one line: the process that broke it says why.

    Raises:
        GroupError: another process is gone.
    """
    try:
        yield
    except RuntimeError as error:
        said = str(error)
        if not isinstance(error, dist.DistError) and "gloo" not in said.lower():
            raise
        raise GroupError(
            f"another process of the training is gone or cannot be reached "
            f"({said.splitlines()[0][:120]}). Its own message says why; torchrun --max-restarts 3 "
            "goes on by itself from the last checkpoint."
        ) from error


@dataclass(frozen=True)
class Group:
    """Processes that each hold an equal part of every batch, and equal weights.

    Every method must be called by all of them; with one process each does nothing.

    Attributes:
        rank: this process's number.
        size: how many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def whole_batch(self, rows: int, sync_batchnorm: bool) -> AbstractContextManager[None]:
        """Draw random numbers, and take means, as one process with the whole batch would.

        Args:
            rows: samples that this process holds.
            sync_batchnorm: whether BatchNorm takes its statistics over the whole batch too.
        """
        if self.size == 1:
            return nullcontext()
        return self._whole_batch(rows, sync_batchnorm)

    @contextmanager
    def _whole_batch(self, rows: int, sync_batchnorm: bool) -> Iterator[None]:
        mean = self.mean if sync_batchnorm else None
        with ExitStack() as stack:
            stack.enter_context(means_by(self.mean))
            stack.enter_context(WholeBatch(rows, self.rank, self.size, mean))
            yield

    def mean(self, value: Tensor) -> Tensor:
        """Return the mean of a tensor over the processes, differentiable more than once."""
        return _Mean.apply(value, self.size)  # type: ignore[no-any-return]

    def average_gradients(self, weights: Iterable[nn.Parameter]) -> None:
        """Give all the mean of their gradients, in one transfer."""
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
        """Return the largest value that one of them has."""
        if self.size == 1:
            return value
        largest = torch.tensor(int(value))  # all must send one dtype, though True is an int
        dist.all_reduce(largest, dist.ReduceOp.MAX)
        return int(largest)

    def tell(self, content: bytes) -> bytes:
        """Return what the first process holds."""
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
        """Give all the weights of the first."""
        if self.size > 1:
            for net in nets:
                for tensor in net.state_dict().values():
                    dist.broadcast(tensor, 0)


class _Mean(torch.autograd.Function):
    """The mean over processes. The gradient of a mean is the mean of the gradients."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, size: int) -> Tensor:
        ctx.size = size
        total = value.clone()
        dist.all_reduce(total)
        return total / size

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Mean.apply(gradient, ctx.size), None


def _meet(backend: str) -> None:
    try:
        store, rank, size = next(iter(rendezvous("env://")))
    except ValueError as error:
        raise GroupError(
            f"the processes cannot find each other: {error}. Start them by torchrun."
        ) from error
    if os.environ.get("LOCAL_WORLD_SIZE") == str(size):
        # torchrun's store outlives a restart, and with it the addresses of the dead. On several
        # hosts each counts its own restarts, so that the count is no common name there.
        attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        store = PrefixStore(f"attempt-{attempt}", store)
    dist.init_process_group(backend, store=store, rank=rank, world_size=size)


ALONE = Group()


def launched() -> int:
    """Return how many processes ``torchrun`` started; 1 without it.

    Raises:
        GroupError: the variables that say so are no numbers.
    """
    given = [os.environ.get(name) for name in ("RANK", "WORLD_SIZE")]
    if given[0] is None or given[1] is None:
        return 1
    if not all(value and value.isdecimal() for value in given):
        raise GroupError(
            f"RANK and WORLD_SIZE are {given[0]!r} and {given[1]!r}: each is a whole number. Let "
            "torchrun set them, or unset them."
        )
    return int(given[1])


def launch() -> str:
    """Return the name of this launch of ``torchrun``, the same after a restart."""
    return os.environ.get(RUN_ID, "")


def restarted() -> bool:
    """Return whether ``torchrun`` started this process in place of one that failed."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")) > 0


def local_device() -> torch.device:
    """Return this process's own GPU.

    Raises:
        RecipeError: more processes on this host than GPUs.
    """
    rank, here = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if rank >= here:
        raise RecipeError(
            f"process {rank + 1} of this host has no GPU: there are {here}. "
            f"torchrun --nproc-per-node {here}, or --device cpu."
        )
    torch.cuda.set_device(rank)
    return torch.device("cuda", rank)


@contextmanager
def join() -> Iterator[Group]:
    """Meet the other processes until the block ends: gloo between CPUs, NCCL between GPUs.

    Raises:
        GroupError: they cannot be reached.
    """
    if launched() == 1:
        yield ALONE
        return
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    with reporting_loss():
        _meet(backend)
        try:
            group = Group(dist.get_rank(), dist.get_world_size())
            yield group
            group.most(0)  # none leaves while another still waits for its connections
        finally:
            dist.destroy_process_group()
