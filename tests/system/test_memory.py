"""Free memory counts the limit of the process."""

from helpers.processes import run_python

LIMITED = """
import resource
from pathlib import Path
from ganzoo.system.memory import free_host_memory
assert free_host_memory() > 2**28
mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (mapped + 2**28, resource.RLIM_INFINITY))
assert 2**27 < free_host_memory() <= 2**28
"""


def test_the_limit_of_the_process_counts():
    done = run_python(LIMITED)
    assert done.returncode == 0, done.stderr
