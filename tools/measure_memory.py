"""Run a command and say how much memory it and its processes took at most.

    python tools/measure_memory.py ganzoo train dcgan-digits --dataset webdataset ... --streaming on

`resident` is the largest process; `proportional` is all of them together, pages that they share
counted once, sampled while they run.
"""

import resource
import subprocess
import sys
import time
from pathlib import Path


def tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(one for child in children for one in tree(int(child)))]


def proportional(pid: int) -> int:
    """Kilobytes of a process, of shared pages its part."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def main() -> int:
    began = time.monotonic()
    process = subprocess.Popen(sys.argv[1:])
    most = 0
    while process.poll() is None:
        most = max(most, sum(map(proportional, tree(process.pid))))
        time.sleep(0.2)
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(
        f"resident {largest / 1024:.1f} MiB, proportional {most / 1024:.1f} MiB, "
        f"{time.monotonic() - began:.1f} s"
    )
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
