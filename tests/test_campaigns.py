"""Small versions of the campaigns in `tools/`, with fixed seeds."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[1] / "tools"
FAST_JOBS = "checkpoint,metrics,options,features,predictions,index"


@pytest.fixture(scope="module")
def fuzzing():
    sys.path.insert(0, str(TOOLS))
    import fuzz

    yield fuzz
    sys.path.remove(str(TOOLS))


def test_damaged_files_are_read_or_refused(fuzzing, tmp_path):
    watch = fuzzing.Watch(tmp_path)
    for name in fuzzing.TARGETS:
        source = fuzzing.Source(name, tmp_path)
        result = fuzzing.fuzz(source, watch, 0, 8, float("inf"))
        assert result["cases"] == result["read"] + result["refused"] == 8, result


def test_failures_are_found_and_replayed(fuzzing, tmp_path, monkeypatch):
    def read(root):
        text = (root / "a.txt").read_text(encoding="latin-1")
        if "\n" not in text:
            raise KeyError(text)

    target = fuzzing.Target(lambda root: (root / "a.txt").write_text("x\ny\n"), read)
    monkeypatch.setitem(fuzzing.TARGETS, "example", target)
    source, watch = fuzzing.Source("example", tmp_path), fuzzing.Watch(tmp_path)
    result = fuzzing.fuzz(source, watch, 0, 100, float("inf"))
    (failure,) = result["failures"]
    assert "KeyError" in failure["error"] and failure["count"] == result["failed"]
    fuzzing.save_failure(failure, tmp_path / "failures")
    (path,) = (tmp_path / "failures").iterdir()
    assert fuzzing.replay(path, tmp_path / "again") == failure["error"]


def test_what_is_opened_outside_is_found(fuzzing, tmp_path):
    inside, secret = tmp_path / "inside", tmp_path / "secret"
    inside.mkdir()
    secret.touch()
    (inside / "link").symlink_to(secret)
    watch = fuzzing.Watch(inside)
    with watch.case():
        (inside / "new").touch()
        assert len(list(inside.iterdir())) == 2
    outside = "outside the source: .*secret"
    for path in (secret, inside / ".." / "secret", inside / "link"):
        with pytest.raises(fuzzing.Failure, match=outside), watch.case():
            path.read_bytes()
    with pytest.raises(fuzzing.Failure, match=r"subprocess\.Popen"), watch.case():
        subprocess.run(["true"])


def test_mutations_depend_on_the_seed_alone(fuzzing):
    data = b'{"images": [{"id": 1, "name": "a"}]}'
    mutate = fuzzing.fuzz_mutations.mutate
    first, second = (
        [mutate(random.Random(seed), "a.json", data) for seed in range(50)]
        for _ in range(2)
    )
    assert first == second and len(set(first)) > 40


def run_faults(out, *arguments):
    command = [sys.executable, TOOLS / "faults.py", *arguments, "--out", out]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return json.loads(out.read_text())


def test_disturbed_jobs_go_on_or_say_why(tmp_path):
    arguments = "--jobs", FAST_JOBS, "--trials", "30"
    trials = run_faults(tmp_path / "faults.json", *arguments)
    outcomes = [trial["outcome"] for trial in trials]
    assert outcomes.count("same") > 15 and set(outcomes) <= {"same", "named"}


def test_a_deterministic_training_that_is_killed_ends_with_the_same_bits(tmp_path):
    arguments = "--jobs", "train", "--faults", "killed", "--trials", "2"
    trials = run_faults(tmp_path / "faults.json", *arguments)
    assert [trial["outcome"] for trial in trials] == ["same", "same"]
    assert all("[signal]" in trial["detail"] for trial in trials)


def test_a_source_that_changed_is_noticed_before_training_goes_on(tmp_path):
    arguments = "--jobs", "train", "--faults", "source-changed", "--trials", "1"
    (trial,) = run_faults(tmp_path / "faults.json", *arguments)
    assert trial["outcome"] == "named" and "other images" in trial["detail"]
