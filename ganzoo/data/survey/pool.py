"""A pool of worker processes, for functions of a few files each."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from ganzoo.data.workers import check_main_guard, start_worker
from ganzoo.errors import WorkerError

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 4  # calls per process that wait


def map_parallel(function: Callable[[T], R], arguments: Iterable[T], processes: int) -> Iterator[R]:
    """Yield the results of a function in the order of its arguments.

    The memory does not grow with the number of arguments. If this stops early, such as by Ctrl-C,
    the processes are killed.

    Args:
        function: a function that can be pickled.
        arguments: its arguments.
        processes: number of processes; 1 calls the function in this process.

    Raises:
        WorkerError: a process died, or imports a script without a main guard.
    """
    if processes == 1:
        yield from map(function, arguments)
        return
    check_main_guard()
    rest = iter(arguments)
    pool = ProcessPoolExecutor(processes, initializer=start_worker)
    try:
        calls: deque[Future[R]] = deque(
            pool.submit(function, each) for each in itertools.islice(rest, AHEAD * processes)
        )
        while calls:
            yield calls.popleft().result()
            calls.extend(pool.submit(function, each) for each in itertools.islice(rest, 1))
    except BrokenProcessPool as error:
        raise WorkerError(
            "a worker process that reads the images ended. The system may be out of memory, or a "
            'script calls this outside of `if __name__ == "__main__":`. Use --workers 1 to read '
            "in the main process."
        ) from error
    except BaseException:
        for process in list(pool._processes.values()):
            process.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
