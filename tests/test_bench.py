"""tools/bench.py: its rounds and tables on contenders that cost nothing."""

import importlib
import inspect
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[1] / "tools"
CONTENDERS = """
import os
from pathlib import Path
from benchmarks import Unavailable

def logging(options, name):
    def run():
        print("noise on standard output")
        with open(Path(options.scratch) / "log", "a") as log:
            log.write(name)
        return 5
    return run

def unavailable(options):
    raise Unavailable("no such hardware")

def without_torch(options):
    raise ModuleNotFoundError("No module named 'torch'", name="torch")

def broken(options):
    raise ValueError("a defect")

def dying(options):
    calls = []
    def run():
        calls.append(1)
        return 5 if len(calls) < 3 else os._exit(3)
    return run
"""


@pytest.fixture(autouse=True)
def tools_path(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))


def section(*contenders, unit="images/s"):
    from benchmarks.rounds import Contender, Section

    return Section("a title", unit, tuple(Contender(*args) for args in contenders))


def test_contenders_take_turns_and_failures_are_named(tmp_path, monkeypatch):
    from benchmarks import rounds as module
    from benchmarks.rounds import run_section

    monkeypatch.setattr(module, "SECONDS_BETWEEN_CALLS", 0)
    (tmp_path / "contenders.py").write_text(CONTENDERS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    lines = []
    rows = run_section(
        section(
            ("a", "contenders:logging", {"name": "a"}),
            ("b", "contenders:logging", {"name": "b"}),
            ("unavailable", "contenders:unavailable"),
            ("no PyTorch", "contenders:without_torch"),
            ("broken", "contenders:broken"),
            ("dying", "contenders:dying"),
        ),
        {"scratch": str(tmp_path)},
        rounds=3,
        say=lines.append,
    )
    # The first call of each is not timed; each round begins with the next contender.
    assert (tmp_path / "log").read_text() == "ab" + "ab" + "ba" + "ab"
    assert [len(rows[name]["values"]) for name in "ab"] == [3, 3]
    assert rows["unavailable"] == {"skipped": "no such hardware"}
    assert rows["no PyTorch"]["skipped"].startswith("PyTorch is not installed")
    assert "ValueError: a defect" in rows["broken"]["failed"]
    assert rows["dying"]["failed"].startswith("exit status 3")
    assert lines[0] == "a: ready" and lines[-1] == "round 3 of 3"


def test_ratios_say_how_many_times_as_fast_ours_is():
    from benchmarks.table import format_section, summarize

    contenders = ("ours", "", {}, True), ("peer", ""), ("absent", ""), ("torn", "")
    rows = {
        "ours": {"values": [20.0, 30.0, 1000.0], "versions": {}},
        "peer": {"values": [10.0, 10.0, 1000.0], "versions": {}},
        "absent": {"skipped": "not installed"},
        "torn": {"values": [1.0], "versions": {}, "failed": "exit status 3\nat last"},
    }
    summary = summarize(section(*contenders), rows)
    assert summary["ratios"] == {
        "ours": {"peer": {"median": 2.0, "quartiles": [1.5, 2.5]}}
    }
    assert summary["rows"]["peer"]["quartiles"] == [10.0, 505.0]
    assert format_section(summary).splitlines()[2:] == [
        f"{'ours':44}{'30':>10}  25 to 515",
        f"{'peer':44}{'10':>10}  {'10 to 505':17}{'2.00':>9}",
        f"{'absent':44}skipped: not installed",
        f"{'torn':44}failed: at last",
        "[1] how many times as fast as the row is ours",
    ]
    seconds = summarize(section(*contenders, unit="s"), rows)
    assert seconds["ratios"]["ours"]["peer"]["median"] == 0.5


def test_all_contenders_take_their_arguments():
    from benchmarks.sections import SECTIONS

    for part in SECTIONS.values():
        names = [contender.name for contender in part.contenders]
        assert len(set(names)) == len(names)
        for contender in part.contenders:
            module, _, function = contender.function.partition(":")
            if contender.needs_torch and not importlib.util.find_spec("torch"):
                continue
            signature = inspect.signature(
                getattr(importlib.import_module(module), function)
            )
            signature.bind("options", **contender.arguments)


def test_a_contender_runs(tmp_path):
    from benchmarks.rounds import Section, run_section
    from benchmarks.sections import LIMITS

    row = next(row for row in LIMITS.contenders if row.name.startswith("matrix"))
    options = {"scratch": str(tmp_path), "tiny": True}
    rows = run_section(
        Section(LIMITS.title, LIMITS.unit, (row,)), options, 1, sys.executable
    )
    assert rows[row.name]["values"][0] > 0
    assert "tensorflow" in rows[row.name]["versions"]
