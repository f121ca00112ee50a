"""How much memory is free."""

import resource

import pytest

from kerasgan.config.settings import DataConfig
from kerasgan.data import memory

GIB = 2**30


@pytest.mark.parametrize(
    ("setting", "size", "expected"),
    [
        ("auto", GIB, True),
        ("auto", GIB + 1, False),
        ("always", 100 * GIB, True),
        ("never", 1, False),
    ],
)
def test_a_quarter_of_the_free_memory_may_be_used(setting, size, expected, monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 4 * GIB)
    config = DataConfig(keep_in_memory=setting)
    assert memory.keep_in_memory(size, config) is expected


def test_the_smallest_limit_counts(monkeypatch):
    free = memory.available_memory()
    assert 0 < free < 2**50
    monkeypatch.setattr(memory, "_cgroup_memory", lambda: [1000])
    assert memory.available_memory() == 1000
    monkeypatch.setattr(memory, "_cgroup_memory", lambda: [-5])
    assert memory.available_memory() == 0


def test_resource_limits(monkeypatch):
    limits = {resource.RLIMIT_AS: 2**45, resource.RLIMIT_DATA: resource.RLIM_INFINITY}
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (limits[kind], -1))
    (free,) = memory._limited_memory()
    assert 2**44 < free < 2**45


@pytest.mark.parametrize(
    ("membership", "folder", "names"),
    [
        ("0::/jobs/17", "jobs/17", ("memory.max", "memory.current")),
        ("0::/jobs/17", ".", ("memory.max", "memory.current")),  # in a container
        (
            "3:cpu:/\n4:memory:/jobs/17",
            "memory/jobs/17",
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        ),
    ],
)
def test_control_groups(tmp_path, membership, folder, names):
    (tmp_path / "membership").write_text(membership + "\n")
    group = tmp_path / "cgroup" / folder
    group.mkdir(parents=True)
    for name, value in zip(names, (1000, 700), strict=True):
        (group / name).write_text(f"{value}\n")
    (group / "memory.stat").write_text("anon 600\ninactive_file 100\n")
    places = tmp_path / "cgroup", tmp_path / "membership"
    assert list(memory._cgroup_memory(*places)) == [400]
    (group / names[0]).write_text("max\n")
    assert list(memory._cgroup_memory(*places)) == []
    assert list(memory._cgroup_memory(tmp_path / "none", tmp_path / "none")) == []
