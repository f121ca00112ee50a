"""The copy of a run for a worker that is not the chief."""

from kerasgan.cli import worker_runs
from kerasgan.config.settings import Settings
from kerasgan.runs import new_run


def test_what_the_chief_may_be_writing_is_not_copied(tmp_path, monkeypatch):
    monkeypatch.setattr(worker_runs, "is_chief", lambda settings: False)
    run = new_run("train-gan", Settings(), tmp_path / "run")
    names = "checkpoints/epoch-000001.npz", "models/vocabulary.txt"
    partial = "models/generator.partial.keras", "options.json.0123abcd.partial"
    (run.path / "features").mkdir()
    unused = "images/epoch-0001.png", "tensorboard/events", "features/0.npy"
    for name in (*names, *partial, *unused):
        (run.path / name).touch()
    copy = worker_runs.own_run("train-gan", run.settings, run, None)
    assert copy.path != run.path and copy.settings == run.settings
    files = (path for path in copy.path.rglob("*") if path.is_file())
    found = {path.relative_to(copy.path).as_posix() for path in files}
    assert found == {*names, "options.json"} and copy.images.is_dir()
