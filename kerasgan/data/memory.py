"""How much memory is free, and what fits into it."""

import resource
from collections.abc import Iterator
from pathlib import Path

import psutil

from kerasgan.config.settings import DataConfig

MEMORY_SHARE = 0.25  # of the free memory that the images of a data set may take
CGROUPS = Path("/sys/fs/cgroup")
CGROUP_FILES = {  # by version
    "": ("memory.max", "memory.current"),
    "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes"),
}


def keep_in_memory(size: int, config: DataConfig) -> bool:
    """Returns whether data are kept in memory rather than on the disk.

    Args:
        size: of the data in bytes.
        config: whose `keep_in_memory` decides; `"auto"` allows `MEMORY_SHARE` of the
            free memory.
    """
    if config.keep_in_memory != "auto":
        return config.keep_in_memory == "always"
    return size <= MEMORY_SHARE * available_memory()


def available_memory() -> int:
    """Returns the bytes that this process can still allocate without swapping.

    The smallest of what the machine has available, what the process's control groups
    (containers, batch systems) leave, and what its resource limits (`ulimit`) leave.
    """
    free = [psutil.virtual_memory().available, *_cgroup_memory(), *_limited_memory()]
    return max(0, min(free))


def _limited_memory() -> Iterator[int]:
    used = psutil.Process().memory_info()
    for limit, size in (
        (resource.RLIMIT_AS, used.vms),
        (resource.RLIMIT_DATA, getattr(used, "data", 0)),  # only Linux counts it
    ):
        soft, _ = resource.getrlimit(limit)
        if soft != resource.RLIM_INFINITY:
            yield soft - size


def _cgroup_memory(
    root: Path = CGROUPS, memberships: Path = Path("/proc/self/cgroup")
) -> Iterator[int]:
    try:
        lines = memberships.read_text().splitlines()
    except OSError:  # not Linux
        return
    for line in lines:  # such as 4:memory:/jobs/17, or 0::/jobs/17 of version 2
        _, controllers, group = line.split(":", 2)
        if controllers in CGROUP_FILES:
            top = root / controllers
            folder = top / group.lstrip("/")
            # All groups above limit it, too. In a container, only the top is visible.
            for place in (folder, *folder.parents):
                if place.is_relative_to(top):
                    yield from _free_in_group(place, CGROUP_FILES[controllers])


def _free_in_group(folder: Path, names: tuple[str, str]) -> Iterator[int]:
    try:
        limit, usage = (int((folder / name).read_text()) for name in names)
        statistics = (folder / "memory.stat").read_text().split()
    except (OSError, ValueError):  # "max", or no such group
        return
    # Cached files count as used until the memory is needed.
    cached = dict(zip(statistics[::2], statistics[1::2], strict=True))
    yield limit - usage + int(cached.get("inactive_file", 0))
