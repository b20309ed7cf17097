"""Free main memory of the machine."""

from __future__ import annotations

import os
from pathlib import Path

NO_LIMIT = 2**63 - 1
UNKNOWN = 4 * 2**30  # bytes, used if the system does not report its memory


def free_host_memory() -> int:
    """Return the free bytes of main memory, of the machine, its container and this process."""
    return min(_free_of_machine(), _free_of_container(), _free_of_process())


def _free_of_machine() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return UNKNOWN
    except OSError:  # not Linux: half of the physical memory
        names = getattr(os, "sysconf_names", {})
        if "SC_PHYS_PAGES" not in names:
            return UNKNOWN
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def _free_of_container(group: Path = Path("/sys/fs/cgroup")) -> int:
    """Return the free bytes of the control group; its file cache counts as free."""
    try:
        limit = int((group / "memory.max").read_text())
        used = int((group / "memory.current").read_text())
        lines = (group / "memory.stat").read_text().splitlines()
        cache = sum(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))
    except (OSError, ValueError):  # no group, or "max"
        return NO_LIMIT
    return max(limit - used + cache, 0)


def _free_of_process() -> int:
    """Return the bytes that this process may still map, by its limit (``ulimit -v``)."""
    try:
        import resource  # not on Windows

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):
        return NO_LIMIT
    if limit == resource.RLIM_INFINITY:
        return NO_LIMIT
    return max(limit - pages * resource.getpagesize(), 0)
