"""`load-data`."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from kerasgan.cli import main
from kerasgan.cli.load_data import print_table
from tests.data import makers


def run(*arguments: str):
    return CliRunner().invoke(main, ["load-data", *arguments])


@pytest.fixture
def flickr(tmp_path):
    source = makers.kaggle_30k(tmp_path / "in")
    out = tmp_path / "out"
    return ["flickr30k", "--source", str(source), "--data-dir", str(out)]


def test_standard_output_is_one_json_object(flickr):
    command = [
        sys.executable,
        "-c",
        "from kerasgan.cli import main; main()",
        "load-data",
    ]
    command += [*flickr, "--image-size", "16", "--sample", "5", "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    info = json.loads(done.stdout)
    assert (done.returncode, info["train"], info["test"]) == (0, 4, 1)
    assert (info["images"], info["captions"], info["repaired"]) == (10, 50, 1)
    assert set(info) >= set(
        [
            "dataset",
            "source",
            "images",
            "captions",
            "repaired",
            "skipped",
            "sample",
            "train",
            "test",
            "train_ids",
            "test_ids",
        ]
    )
    assert "Preparing flickr30k" in done.stderr
    assert "cuda" not in done.stderr.lower()
    again = subprocess.run(command, capture_output=True, text=True)
    assert (again.stdout, again.stderr) == (done.stdout, "")


def test_the_table_shows_the_formula(flickr):
    options = ["--sample", "paper", "--population-correction", "--image-size", "16"]
    result = run(*flickr, *options)
    text = " ".join(result.stdout.replace("│", " ").split())
    assert result.exit_code == 0, result.output
    assert "n0 = z²·p·(1−p)/e² = 1.96²·0.5·(1−0.5)/0.05² = 384.16" in text
    assert "→ 9 (rounded down)" in text
    assert "train / test 7 / 2 (seeded)" in text
    assert "repaired 1" in text and "skipped 0" in text
    assert "prepared earlier" not in text
    assert "prepared earlier" in run(*flickr, *options).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["cifar"],
            "Unknown data set 'cifar'. Available: scenes, flickr30k, flickr8k, table",
        ),
        (["flickr30k", "--source", "/nowhere"], "--source /nowhere does not exist"),
        (["scenes", "--source", "x"], "scenes is drawn and has no source"),
        (["scenes", "--split", "1.5"], "data.split in the command line"),
        (["scenes", "--sample", "some"], "data.sample in the command line"),
        (["scenes", "--fit", "squeeze"], "'crop', 'pad', 'stretch'"),
        (["scenes", "--seed", "x"], "is not a valid integer"),
        (["scenes", "--sised", "1"], "No such option"),
        ([], "Missing argument 'DATASET'"),
    ],
)
def test_bad_usage_exits_with_2_and_no_traceback(arguments, message, tmp_path):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


def test_help_shows_defaults_and_choices():
    text = " ".join(run("--help").output.split())
    assert "--image-size INTEGER Width and height" in text
    for shown in ("[crop|pad|stretch]", "[default: 64]", "[default: 0.05]"):
        assert shown in text


def test_too_many_bad_rows_exit_with_2(tmp_path):
    makers.write_images(tmp_path / "in", ["a.jpg", "b.jpg"])
    path = makers.table(
        tmp_path / "in", ["image,text", "a.jpg,x", "b.jpg,y", "c.jpg,z"]
    )
    arguments = ["table", "--source", str(path), "--data-dir", str(tmp_path / "out")]
    result = run(*arguments, "--image-size", "16")
    assert result.exit_code == 2
    assert f"{path}:4: missing file: c.jpg" in result.output
    assert run(*arguments, "--image-size", "16", "--max-bad", "0.4").exit_code == 0


def test_columns_can_be_named(tmp_path):
    makers.write_images(tmp_path / "in", ["a.jpg", "b.jpg"])
    rows = ["bild,eins,zwei,art", "a.jpg,x,y,p", "b.jpg,z,,q"]
    path = makers.table(tmp_path, rows)
    result = run(
        "table",
        "--source",
        str(path),
        "--image-root",
        str(tmp_path / "in"),
        "--image-column",
        "bild",
        "--caption-column",
        "zwei",
        "--caption-column",
        "eins",
        "--label-column",
        "art",
        "--image-size",
        "16",
        "--data-dir",
        str(tmp_path / "out"),
        "--json",
    )
    info = json.loads(result.stdout)
    assert (info["captions"], info["label_names"]) == (3, ["p", "q"])


def test_a_full_disk_exits_with_1(flickr, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kerasgan.data.preparation._prepared_image", full)
    result = run(*flickr, "--image-size", "16")
    assert result.exit_code == 1
    assert "No space left on device" in result.output
    assert "Traceback" not in result.output


def test_rows_of_a_file_cannot_control_the_terminal(tmp_path):
    makers.write_images(tmp_path, makers.names(8))
    evil = "\x1b]0;evil\x07\u202e"
    rows = [f"image,caption,{evil}label", f"{evil}.jpg,lost,x"]
    rows += [f"{name},a dog,x" for name in makers.names(8)]
    source = makers.table(tmp_path, rows)
    options = ["--source", str(source), "--data-dir", str(tmp_path / "out")]
    options += ["--label-column", f"{evil}label"]
    refused = run("table", *options)
    assert refused.exit_code == 2 and "\\u001b]0;evil" in refused.output
    shown = run("table", *options, "--max-bad", "0.5")
    assert shown.exit_code == 0 and "\\u001b]0;evil" in shown.output
    for text in (refused.output, shown.output):
        assert not any(character in text for character in "\x1b\x07\u202e")


def test_reasons_of_strangers_are_text(capsys):
    """img2dataset's status is a reason, and may hold anything."""
    reason = "[/b] [sale] \x9b31m"
    example = {"reason": reason, "file": "0.json", "line": "7", "value": ":cat:"}
    counts = dict.fromkeys(["images", "captions", "kept", "repaired"], 0)
    info = {"dataset": "coyo", "layout": "coyo [/i]", "source": "[/b]", **counts}
    info |= {"skipped": {reason: 1}, "examples": [example], "notes": ["[red]"]}
    info |= {"sample": {"formula": "", "size": 0, "unit": "image"}}
    info |= {"split": {"kind": "seeded"}, "train": 0, "test": 0, "prepared": "[/b]"}
    print_table(SimpleNamespace(info=info, was_prepared=False))
    text = capsys.readouterr().out
    assert text.count("[/b]") == 4 and text.count("[sale] \\u009b31m") == 2
    assert "coyo [/i]" in " ".join(text.split()) and ":cat:" in text
