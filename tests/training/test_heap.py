import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
from xlite.training.heap import keep_freed_memory

if sys.argv[1] == "kept":
    keep_freed_memory()

def step():
    blocks = [b"1" * 2**26 for _ in range(4)]

step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(which: str) -> int:
    """Pages that a second step of 256 MiB fetches from the system, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", FAULTS, which], capture_output=True, text=True, check=True, timeout=60
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")
def test_a_step_finds_the_memory_of_the_step_before() -> None:
    assert faults("handed back") > 100
    assert faults("kept") < 100
