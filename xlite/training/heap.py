"""The memory that a training step frees, kept for the next step."""

import ctypes
import platform

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # malloc.h of glibc


def keep_freed_memory() -> None:
    """Lets this process keep the large blocks that it frees; does nothing where the C library is not glibc.

    glibc gives them back to the system, and each step on a CPU would fetch the same pages anew, zeroed.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_M_MMAP_MAX, 0)
    libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
