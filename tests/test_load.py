"""tools/load.py, with few repetitions."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[1] / "tools"


@pytest.fixture(autouse=True)
def tools_path(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))


def test_slopes_and_tenths():
    from load_samples import Samples

    samples = Samples(os.getpid())
    samples.add(0)
    assert samples.rows[0]["rss"] >= samples.rows[0]["uss"] > 10
    assert samples.rows[0]["files"] > 2 and samples.rows[0]["threads"] > 0
    samples.rows = [
        {
            "done": done,
            "seconds": 2.0 * done if done <= 50 else 100.0 + 3.0 * (done - 50),
            "rss": 900.0,
            "uss": 1000.0 * done if done < 20 else 500 + 0.25 * done,
            "files": 7 + (done == 100),
            "threads": 4,
        }
        for done in range(0, 101, 5)
    ]
    summary = samples.summary()
    expected = {"rss_slope": 0.0, "uss_slope": 0.25}
    assert {name: summary[name] for name in expected} == pytest.approx(expected)
    assert (summary["first_tenth"], summary["last_tenth"]) == (2, 3)
    assert summary["files"] == [7, 8] and summary["uss"] == [0, 525]


@pytest.mark.parametrize(
    "names",
    [
        ["searches"],
        pytest.param(["training", "requests", "inference"], marks=pytest.mark.slow),
    ],
)
def test_loads_run(tmp_path, names):
    out = tmp_path / "load.json"
    command = [sys.executable, TOOLS / "load.py", "--out", out]
    command += ["--loads", ",".join(names)]
    command += ["--epochs=3", "--searches=200", "--requests=12", "--images=300"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    found = json.loads(out.read_text())
    assert list(found) == names
    assert result.stdout.count("\n|") == 1 + len(names)
    if names == ["searches"]:
        assert found["searches"]["units"] == 200 and found["searches"]["uss"][1] > 10


def test_a_process_that_fails_is_named(tmp_path):
    from load import LoadFailed, run_load

    (tmp_path / "run" / "other").mkdir(parents=True)
    with pytest.raises(LoadFailed, match=r"status 2\n.*run already exists"):
        run_load("training", 2, 1, tmp_path)
