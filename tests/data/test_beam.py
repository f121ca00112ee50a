"""Preparing with Apache Beam gives the files that threads give."""

import sys

import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from click.testing import CliRunner

from kerasgan.cli import main
from kerasgan.config.settings import DataConfig
from kerasgan.data import beam_workers
from kerasgan.data.builders import BUILDERS
from kerasgan.errors import UserError
from kerasgan.quiet import quiet_tfds
from tests.data import makers

NUM_IMAGES, NUM_SHARDS = 20, 3


@pytest.fixture
def table(tmp_path):
    """Images with captions and classes, and three that cannot be used."""
    folder = tmp_path / "in"
    names = makers.names(NUM_IMAGES)
    makers.write_images(folder, names)
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "words.jpg").write_text("These are words.")
    names = ["empty.jpg", *names, "words.jpg", "none.jpg"]
    rows = [f"{name},{name} ü,{'xy'[n % 2]}" for n, name in enumerate(names)]
    return makers.table(folder, ["image,caption,label", *rows])


def prepare(table, data_dir, **options):
    builder = BUILDERS["table"](
        source=str(table),
        data_dir=str(data_dir),
        image_size=16,
        max_bad=0.5,
        progress=False,
    )
    config = tfds.download.DownloadConfig(num_shards=NUM_SHARDS, **options)
    with quiet_tfds():
        builder.download_and_prepare(download_config=config)
    return builder.data_path


def contents(path):
    return {file.name: file.read_bytes() for file in path.iterdir()}


class LoopWorkers(beam_workers.BeamWorkers):
    """Calls what Apache Beam would call, in another order."""

    def __init__(self, runner, options):
        pass

    def _run(self, label, function, items):
        for item in reversed(items):
            function(item)


@pytest.mark.parametrize("installed", [False, True])
def test_the_files_are_the_same_byte_for_byte(table, tmp_path, monkeypatch, installed):
    if installed:
        pytest.importorskip("apache_beam", reason="apache-beam is not installed")
        options = beam_workers.pipeline_options("runner=FnApiRunner")
    else:
        options = object()
        monkeypatch.setattr(beam_workers, "BeamWorkers", LoopWorkers)
    monkeypatch.setattr(beam_workers, "CHUNK_SIZE", 4)
    path = prepare(table, tmp_path / "out")
    threads = contents(path)
    path.rename(tmp_path / "by threads")
    assert prepare(table, tmp_path / "out", beam_options=options) == path
    assert contents(path) == threads
    assert sum("train.tfrecord" in name for name in threads) == NUM_SHARDS
    for reason in (b"empty file", b"not an image", b"missing file"):
        assert b'"%s": 1' % reason in threads["data.json"]


def test_features_have_the_same_order_in_every_process(table, tmp_path):
    """Protocol buffers write maps in an order that differs between processes."""
    path = prepare(table, tmp_path / "out")
    files = [str(file) for file in path.glob("*.tfrecord*")]
    for record in tf.data.TFRecordDataset(files).as_numpy_iterator():
        example = tf.train.Example.FromString(record)
        assert example.SerializeToString(deterministic=True) == record


def test_a_process_that_sees_other_files_is_an_error(table, tmp_path):
    config = DataConfig(dataset="table", source=str(table)).model_dump_json()
    chunk = beam_workers.Chunk(config, "other", 0, 4, str(tmp_path / "images"))
    with pytest.raises(RuntimeError, match="All must see the same files"):
        beam_workers.store_chunk(chunk)


def test_without_apache_beam_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    arguments = ["load-data", "scenes", "--data-dir", str(tmp_path)]
    result = CliRunner().invoke(
        main, [*arguments, "--beam-pipeline-options", "runner=DirectRunner"]
    )
    assert result.exit_code == 2
    assert "pip install 'kerasgan[beam]'" in result.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("runner=NoRunner", "Unexpected pipeline runner: NoRunner"),
        ("direct_num_workers=x", "direct_num_workers: invalid int value: 'x'"),
    ],
)
def test_invalid_options_of_apache_beam_are_named(options, message):
    pytest.importorskip("apache_beam", reason="apache-beam is not installed")
    with pytest.raises(UserError, match=message):
        beam_workers.pipeline_options(options)
