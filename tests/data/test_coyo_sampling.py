"""Samples and splits of COYO, and the ways to load it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from tests.data import coyo_makers
from tests.data.coyo_makers import KINDS, ids, load, read


def test_sample_and_split_do_not_depend_on_the_output_format(tmp_path, pairs):
    chosen = set()
    for kind in KINDS:
        source = coyo_makers.download(tmp_path / kind, kind, pairs)
        info = load(tmp_path, source, sample=6).info
        chosen.add((tuple(sorted(info["train_ids"])), tuple(info["test_ids"])))
    assert len(chosen) == 1


def test_equal_hashes_are_in_the_same_split(tmp_path):
    pairs = coyo_makers.rows(20)
    for number in range(0, 10, 2):  # five images with two urls each
        pairs[number + 1]["image_phash"] = pairs[number]["image_phash"]
    pairs[10]["seed"] = pairs[0]["seed"]  # identical to one of the first two
    source = coyo_makers.download(tmp_path / "in", "webdataset", pairs)
    for seed in range(3):
        info = load(tmp_path, source, seed=seed, split=0.5).info
        train = {name in info["train_ids"] for name in ids([pairs[0]])}
        assert {n in info["train_ids"] for n in ids([pairs[1], pairs[10]])} == train
        for number in range(0, 10, 2):
            sides = {n in info["train_ids"] for n in ids(pairs[number : number + 2])}
            assert len(sides) == 1
        assert (info["train"], info["duplicates"]) == (10, 6)


def test_a_missing_hash_is_noted(tmp_path, pairs):
    source = coyo_makers.download(tmp_path, "webdataset", pairs, columns=("id",))
    assert any("no image_phash" in note for note in read(source).report.notes)


def test_a_sample_reads_no_more_shards_than_it_needs(tmp_path):
    for shard in range(8):
        pairs = coyo_makers.rows(10, first=10 * shard)
        coyo_makers.download(tmp_path / "in", "webdataset", pairs, shard)
    info = load(tmp_path, tmp_path / "in", sample=15).info
    assert info["notes"][0] == "read 2 of 8 shards, with 20 downloaded pairs"
    assert (info["train"], info["test"]) == (12, 3)
    other = load(tmp_path, tmp_path / "in", sample=15, seed=1).info
    assert set(other["train_ids"]) != set(info["train_ids"])
    assert len(read(tmp_path / "in", sample="all").images) == 80


def test_shards_are_read_until_enough_pairs_have_a_label(tmp_path):
    for shard in range(8):
        pairs = coyo_makers.rows(10, first=10 * shard)
        coyo_makers.download(tmp_path / "in", "parquet", pairs, shard)
    labels = coyo_makers.write_labels(
        tmp_path / "labels.parquet", coyo_makers.rows(80)[::4]
    )
    annotations = read(tmp_path / "in", labels=str(labels), sample=8)
    assert annotations.report.notes[0].startswith("read 4 of 8 shards")
    assert 8 < len(annotations.images) < 20


def test_the_sample_does_not_depend_on_the_number_of_cores(tmp_path, monkeypatch):
    for shard in range(6):
        pairs = coyo_makers.rows(5, first=5 * shard)
        coyo_makers.download(tmp_path, "webdataset", pairs, shard)
    chosen = []
    for count in (1, 4):
        available_cores = Mock(return_value=count)
        monkeypatch.setattr(
            "kerasgan.data.layouts.coyo.available_cores", available_cores
        )
        chosen.append(list(read(tmp_path, sample=8).images))
    assert chosen[0] == chosen[1] and len(chosen[0]) == 10


def test_prepared_data_are_found_without_reading_shards(tmp_path, pairs, monkeypatch):
    source = coyo_makers.download(tmp_path / "in", "webdataset", pairs)
    first = load(tmp_path, source)
    with monkeypatch.context() as patch:
        patch.setattr("kerasgan.data.layouts.coyo.read", lambda *_: pytest.fail("read"))
        again = load(tmp_path, source)
    assert again.was_prepared and again.info == first.info
    os.utime(source / "00000.tar", ns=(1, 1))
    assert not load(tmp_path, source).was_prepared


def test_the_command_takes_labels_and_prints_the_info(tmp_path, pairs):
    source = coyo_makers.download(tmp_path / "in", "webdataset", pairs)
    labels = coyo_makers.write_labels(tmp_path / "labels.parquet", pairs)
    command = [sys.executable, "-c", "from kerasgan.cli import main; main()"]
    command += ["load-data", "coyo", "--source", str(source), "--labels", str(labels)]
    command += ["--label-threshold", "0.7", "--label-groups", "2", "--sample", "8"]
    command += ["--image-size", "16", "--data-dir", str(tmp_path / "out"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    info = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert (info["train"], info["test"]) == (6, 2)
    assert info["label_names"] == ["4945", "8087"]


TFDS = """
import os, pickle
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import kerasgan
import tensorflow_datasets as tfds
from kerasgan.errors import UserError

tfds.disable_progress_bar()
for source in {sources!r}:
    options = {{"source": source, "image_size": 16, "progress": False}}
    builder = tfds.builder("coyo", data_dir={out!r}, **options)
    try:
        builder.download_and_prepare()
    except UserError as error:
        print(error)
        continue
    again = pickle.loads(pickle.dumps(builder))
    print(len(again.as_dataset(split="train")), again.info.features["label"].names)
"""


def test_tfds_knows_the_builder(tmp_path, pairs):
    bare = coyo_makers.write_coyo(tmp_path / "bare" / "part-0.parquet", pairs).parent
    source = coyo_makers.download(
        tmp_path / "in", "parquet", pairs, columns=("id", "class")
    )
    code = TFDS.format(sources=[str(bare), str(source)], out=str(tmp_path / "out"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert "no images" in done.stdout, done.stderr
    assert lines[-1] == "8 ['4945', '8087']"


def test_the_code_in_the_documentation_runs(tmp_path):
    """Runs the Python code of docs/coyo.md on files in the published layouts."""
    page = Path(__file__).parents[2] / "docs" / "coyo.md"
    code = re.search(r"```python\n(.*?)```", page.read_text("utf-8"), re.S)[1]
    pairs = coyo_makers.rows(60)
    for number, row in enumerate(pairs):
        row["class"] = "7" if number == 0 else row["class"]
        row["probability"] = 0.3 if number % 10 == 9 else 0.8
    for part in range(2):
        half = pairs[part * 30 : part * 30 + 30]
        name = f"part-{part:05d}.snappy.parquet"
        coyo_makers.write_coyo(tmp_path / "coyo-700m" / name, half)
        coyo_makers.write_labels(tmp_path / "coyo-labeled-300m" / name, half[:20])
    code = code.replace("0.5, 10, 8000", "0.5, 2, 8000")
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    import pyarrow.parquet

    chosen = pyarrow.parquet.read_table(tmp_path / "chosen.parquet").to_pylist()
    wanted = [
        row
        for number, row in enumerate(pairs)
        if number % 30 < 20 and number % 10 != 9 and row["class"] != "7"
    ]
    assert {(r["id"], r["label"]) for r in chosen} == {
        (row["id"], int(row["class"])) for row in wanted
    }
    assert set(chosen[0]) == {"id", "url", "text", "image_phash", "label"}
