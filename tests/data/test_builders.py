"""The builders as tensorflow-datasets uses them, in fresh processes."""

import subprocess
import sys

import pytest

from tests.data import makers

LOAD = """
data = tfds.load("flickr8k", data_dir={out!r}, builder_kwargs={{
    "source": {source!r}, "image_size": 16, "progress": False}})
print({{name: len(split) for name, split in data.items()}})
print(data["train"].element_spec["image"].shape)
"""
KERASGAN_FIRST = """
import sys, kerasgan
assert not {"tensorflow", "tensorflow_datasets"} & set(sys.modules)
import tensorflow_datasets as tfds
tfds.disable_progress_bar()
"""
TFDS_FIRST = """
import tensorflow_datasets as tfds
tfds.disable_progress_bar()
import kerasgan
"""


def run(code: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-W", "error", "-W", "ignore:::tensorflow", "-c", code]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("order", [KERASGAN_FIRST, TFDS_FIRST])
def test_tfds_load_finds_builders_in_either_order(tmp_path, order):
    source = makers.kaggle_8k(tmp_path / "in")
    done = run(order + LOAD.format(out=str(tmp_path / "out"), source=str(source)))
    assert done.stdout.endswith("{'train': 8, 'test': 2}\n(16, 16, 3)\n"), done.stderr


MANUAL = """
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import kerasgan, pickle
import tensorflow_datasets as tfds
from kerasgan.errors import UserError

builder = tfds.builder("flickr8k", data_dir={out!r})
try:
    builder.download_and_prepare()
except UserError as error:
    print(error)
config = tfds.download.DownloadConfig(manual_dir={source!r})
builder = tfds.builder("table", data_dir={out!r}, source={source!r} + "/t.csv")
builder.download_and_prepare()
again = pickle.loads(pickle.dumps(builder))
print(again.data_dir == builder.data_dir, again.info.features["label"].names)
try:
    tfds.load(
        "flickr8k",
        data_dir={out!r},
        download_and_prepare_kwargs={{"download_config": config}},
    )
except UserError as error:
    print(error)
"""


def test_manual_directories_and_copies_of_builders(tmp_path):
    source, out = tmp_path / "in", tmp_path / "out"
    makers.kaggle_8k(source)
    rows = [f"Images/{name},one,{'xy'[int(name[3]) % 2]}" for name in makers.names(10)]
    makers.table(source, ["image,caption,label", *rows], "t.csv")
    done = run(MANUAL.format(out=str(out), source=str(source)))
    expected = [
        "The data set flickr8k cannot be downloaded: give --source PATH, or put it "
        f"into {out}/downloads/manual/flickr8k.",
        "True ['x', 'y']",
        f"The manual directory {source} must be known earlier: pass it to flickr8k as "
        f"builder_kwargs={{'source': '{source}'}}",
    ]
    lines = [line for line in done.stdout.splitlines() if line in expected]
    assert lines == expected, done.stdout + done.stderr
