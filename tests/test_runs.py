import json
import zipfile
from concurrent.futures import ThreadPoolExecutor

import keras
import pytest
from click.testing import CliRunner

import kerasgan
from kerasgan.captioning.train_captions import train_captions
from kerasgan.cli import main
from kerasgan.config.settings import DataConfig, Settings
from kerasgan.errors import UserError
from kerasgan.evaluation.compare_classifiers import compare_classifiers
from kerasgan.runs import latest_run, new_run, open_run, training_run


def append(run, text):
    with open(run.path / "metrics.jsonl", "a", encoding="utf-8") as file:
        file.write(text)


def test_runs_are_numbered(tmp_path):
    names = [
        new_run("train-gan", Settings(), root=tmp_path).path.name for _ in range(3)
    ]
    assert names == [f"0000{n}-train-gan-scenes" for n in range(3)]
    (tmp_path / "00041-train-classifier-table").mkdir()
    assert new_run("train-gan", Settings(), root=tmp_path).path.name == (
        "00042-train-gan-scenes"
    )


def test_run_dir(tmp_path):
    run = new_run("train-gan", Settings(), tmp_path / "deep" / "down")
    assert run.images.is_dir() and run.checkpoints.is_dir()
    with pytest.raises(UserError, match="--resume"):
        new_run("train-gan", Settings(), run.path)


def test_the_latest_run_of_a_command(tmp_path):
    with pytest.raises(UserError, match="no run of train-gan"):
        latest_run("train-gan", tmp_path)
    for command in ("train-gan", "train-gan", "train-classifier"):
        new_run(command, Settings(), root=tmp_path)
    (tmp_path / "00009-train-gan-half-made").mkdir()
    assert latest_run("train-gan", tmp_path).path.name.startswith("00001")


def test_a_run_with_moved_data(tmp_path):
    run = new_run("train-gan", Settings(), tmp_path / "run")
    moved = open_run(run.path, str(tmp_path / "data")).settings
    assert moved.data.data_dir == str(tmp_path / "data")
    assert run.settings.data.data_dir is None


def test_options_round_trip(tmp_path):
    with pytest.raises(UserError, match="no run at .*run: no options.json"):
        open_run(tmp_path / "run")
    run = new_run("train-gan", Settings(), tmp_path / "run")
    again = open_run(run.path)
    assert again.settings == Settings() and again.command == "train-gan"
    assert json.loads((run.path / "options.json").read_text())["versions"]["keras"]
    run.update_options(chosen={"gan.conditional": True})
    options = json.loads((run.path / "options.json").read_text())
    assert options["chosen"] == {"gan.conditional": True}
    assert run.settings == Settings() and run.settings.gan.conditional is None


def test_a_half_written_line_of_metrics_is_ignored(tmp_path):
    run = new_run("train-gan", Settings(), tmp_path / "run")
    for epoch in (1, 2, 3):
        append(run, json.dumps({"epoch": epoch, "g_loss": 0.5}) + "\n")
    append(run, '{"epoch": 4, "g_')
    assert [line["epoch"] for line in run.metrics] == [1, 2, 3]
    run.truncate_metrics(2)
    append(run, '{"epoch": 3}\n')
    assert [line["epoch"] for line in run.metrics] == [1, 2, 3]


@pytest.mark.parametrize("line", ['{"epoch": [1]}', "{}", "[1]", '{"epoch"'])
def test_damaged_metrics_are_named(tmp_path, line):
    run = new_run("train-gan", Settings(), tmp_path / "run")
    append(run, line + "\n")
    with pytest.raises(UserError, match="metrics.jsonl is damaged"):
        run.truncate_metrics(1)


@pytest.mark.parametrize(
    "options",
    [
        {},
        [],
        {"command": 1},
        {"command": "train-gan", "settings": []},
        {"command": "train-gan", "settings": {}, "chosen": 3},
        {"command": "train-gan", "settings": {}, "chosen": {"gan": 3}},
    ],
)
def test_damaged_options_are_named(tmp_path, options):
    run = new_run("train-gan", Settings(), tmp_path / "run")
    (run.path / "options.json").write_text(json.dumps(options))
    with pytest.raises(UserError):
        _ = run.command, run.resolved_settings


def test_other_images_are_rejected(tmp_path):
    run = new_run("train-gan", Settings(), tmp_path / "run")
    info = {"dataset": "scenes", "train_ids": ["a", "b"], "test_ids": ["c"]}
    run.write_data(info)
    run.write_data(info)
    with pytest.raises(UserError, match="test_ids.*differ"):
        run.write_data({**info, "test_ids": ["b"]})


@pytest.mark.parametrize(
    ("version", "is_accepted"), [("0.1.0", False), ("1.2.0", False), (None, True)]
)
def test_runs_of_other_versions_are_rejected(tmp_path, version, is_accepted):
    run = new_run("train-gan", Settings(), tmp_path / "run")
    options = run.read("options.json")  # without its checksum
    options["versions"]["kerasgan"] = version or options["versions"]["kerasgan"]
    if version:
        options["settings"]["gan"]["contrast"] = 1.0  # a key of another version
    (run.path / "options.json").write_text(json.dumps(options))
    if is_accepted:
        assert open_run(run.path).settings == Settings()
        return
    with pytest.raises(UserError, match=f"written by kerasgan {version}; this is"):
        open_run(run.path)


def test_a_changed_setting_is_noticed(tmp_path):
    run = new_run("train-gan", Settings(), tmp_path / "run")
    path = run.path / "options.json"
    path.write_text(path.read_text().replace('"batch_size": 32', '"batch_size": 33'))
    with pytest.raises(UserError, match="options.json is damaged"):
        open_run(run.path)


def resume(run):
    arguments = ["train-gan", "--resume", "--run-dir", str(run.path)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    raise UserError(result.stderr)


@pytest.mark.parametrize(
    "train",
    [
        *(kerasgan.train_gan, train_captions, kerasgan.train_classifier),
        *(compare_classifiers, resume),
    ],
)
def test_a_run_is_trained_by_one_process(tmp_path, train):
    run = new_run("train-gan", Settings(), tmp_path / "run")
    message = "Another process trains .*run. Wait"
    with ThreadPoolExecutor(1) as others, run.lock():
        with open_run(run.path).lock():  # of a stage of the same training
            pass
        with pytest.raises(UserError, match=message):
            others.submit(train, run=run).result()
    assert (run.path / "options.json").is_file()


def test_a_run_goes_on_with_a_source_that_was_moved(tmp_path):
    first, moved, other = (
        Settings(data=DataConfig(dataset="table", source=f"/{name}.csv"))
        for name in ("first", "moved", "other")
    )
    run = new_run("train-gan", first, tmp_path / "run")
    info = {"dataset": "table", "train_ids": ["a"], "test_ids": [], "content": "1"}
    run.write_data(info)
    with training_run("train-gan", moved, run) as (settings, opened):
        opened.write_data(info)
    assert settings == run.settings == moved
    with (
        pytest.raises(UserError, match="other images: content"),
        training_run("train-gan", other, run) as (settings, opened),
    ):
        assert run.settings == other
        opened.write_data(info | {"content": "2"})
    assert run.settings == moved and run.data == info


def test_a_text_file_that_changed_is_noticed(tmp_path):
    run = new_run("train-gan", Settings(), tmp_path / "run")
    path = run.models / "vocabulary.txt"
    path.write_text("dog\n")
    run.check_file("models/vocabulary.txt")  # of a run without digests
    run.check_file("models/vocabulary.txt", record=True)
    run.write_options("train-gan", Settings())
    path.write_text("dig\n")
    with pytest.raises(UserError, match="vocabulary.txt is damaged: training wrote"):
        open_run(run.path).check_file("models/vocabulary.txt", record=True)


def test_images_of_the_same_names_are_rejected(tmp_path):
    run = new_run("train-gan", Settings(), tmp_path / "run")
    info = {"dataset": "table", "train_ids": ["a"], "test_ids": ["b"]}
    run.write_data(info)
    run.write_data(info | {"content": "1"})  # which earlier versions did not store
    with pytest.raises(UserError, match="other images: content"):
        run.write_data(info | {"content": "2"})


def test_a_changed_network_is_named(tmp_path):
    run = new_run("train-gan", Settings(), tmp_path / "run")
    inputs = keras.Input((3,))
    run.save_networks({"a": keras.Model(inputs, keras.layers.Dense(50)(inputs))})
    assert run.load_network("a").count_params() == 200
    path = run.models / "a.keras"
    with zipfile.ZipFile(path) as file:
        place = file.getinfo("model.weights.h5").header_offset + 4000
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="a.keras is damaged"):
        run.load_network("a")


def test_a_network_that_could_not_be_written_leaves_nothing(tmp_path):
    class Network:
        def save(self, path):
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device")

    run = new_run("train-gan", Settings(), tmp_path / "run")
    with pytest.raises(OSError, match="No space left"):
        run.save_networks({"a": Network()})
    assert not list(run.models.iterdir())
