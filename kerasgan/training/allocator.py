"""The memory allocator of the process."""

import ctypes
import platform

MMAP_MAX, TRIM_THRESHOLD = -4, -1  # parameters of glibc's mallopt


def retain_freed_memory() -> None:
    """Makes the process keep the memory that TensorFlow frees.

    glibc maps each large tensor anew, and the kernel clears its pages at every step: a
    third of the time of a step with large embeddings. Does nothing where there is no
    glibc.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(MMAP_MAX, 0)
    mallopt(TRIM_THRESHOLD, 2**31 - 1)
