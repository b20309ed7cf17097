"""Run a command and print the peak memory of its processes.

    python tools/measure_memory.py ganzoo train dcgan-digits --dataset webdataset ... --streaming on

`resident` is the peak of the largest process. `proportional` is the sampled peak of all processes
together, with shared pages counted once.
"""

import resource
import subprocess
import sys
import time
from pathlib import Path


def tree(pid: int) -> list[int]:
    """Return the ids of a process and its descendants."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(descendant for child in children for descendant in tree(int(child)))]


def proportional(pid: int) -> int:
    """Return the kilobytes of a process, with its share of shared pages."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def main() -> int:
    start = time.monotonic()
    process = subprocess.Popen(sys.argv[1:])
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(map(proportional, tree(process.pid))))
        time.sleep(0.2)
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(
        f"resident {largest / 1024:.1f} MiB, proportional {peak / 1024:.1f} MiB, "
        f"{time.monotonic() - start:.1f} s"
    )
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
