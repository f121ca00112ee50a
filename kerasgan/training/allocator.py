"""Memory that training asks for again and again."""

import ctypes
import platform

MMAP_MAX, TRIM_THRESHOLD = -4, -1  # of glibc's mallopt


def retain_freed_memory():
    """Has the process keep what TensorFlow frees instead of handing it back.

    glibc maps each large tensor anew, and the kernel clears its pages at every step:
    a third of the time of a step with large embeddings. Elsewhere nothing is done.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(MMAP_MAX, 0)
    mallopt(TRIM_THRESHOLD, 2**31 - 1)
