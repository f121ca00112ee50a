"""Indexing with a stand-in for the models."""

import os
from types import SimpleNamespace

import numpy as np
import pytest

from kerasgan.errors import UserError
from kerasgan.files import exclusive_lock, read_json, write_json
from kerasgan.inference import batch
from kerasgan.runs.model_files import CAPTIONING_FILES, models_digest
from kerasgan.search import build_index
from kerasgan.search.build_index import update_index
from kerasgan.search.index_files import FORMAT, MANIFEST
from kerasgan.search.search_index import SearchIndex
from kerasgan.search.sources import to_sources
from tests.data import makers
from tests.search.makers import make_models, unit_vectors

NO_TABLE = dict.fromkeys(("source", "image_root", "image_column"))


class Pipeline:
    """Captions images with the sum of their pixels, and embeds their means."""

    image_size = 16

    def __init__(self, fails_after=None):
        self.num_images, self.calls, self.fails_after = 0, 0, fails_after

    def encode_images(self, images):
        self.calls += 1
        if self.calls == self.fails_after:
            raise KeyboardInterrupt
        self.num_images += len(images)
        return images

    def embed_images(self, images, features):
        vectors = images.reshape(len(images), 16, -1).astype("float32").mean(2) - 120
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def caption(self, features, vectors, decoding, seed):
        return [[(f"a dog {image.sum()}", -1.0)] for image in features]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    def new_manifest(run, path, decoding, pipeline, message):
        make_models(path / "model", unit_vectors(30))
        manifest = {"format": FORMAT, "run": str(run.path), "decoding": decoding}
        manifest |= {"models": models_digest(run.models), "sources": [], "data": None}
        manifest |= {"images": 0, "dim": 16, "caption_length": 8}
        manifest |= {"needs_tensorflow": False}
        manifest |= {"ranking": {"default": "words", "weight": 0.5}}
        write_json(path / MANIFEST, manifest)
        return manifest

    monkeypatch.setattr(build_index, "_new_manifest", new_manifest)
    monkeypatch.setattr(batch, "CHUNK_SIZE", 4)


def make_run(path):
    models = path / "models"
    models.mkdir(parents=True)
    for name in CAPTIONING_FILES:
        (models / name).write_text(f"{path} {name}")
    settings = SimpleNamespace(data=SimpleNamespace(fit="crop"))
    return SimpleNamespace(path=path, models=models, settings=settings)


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "run")


@pytest.fixture
def folder(tmp_path):
    makers.write_images(tmp_path / "in", makers.names(10))
    return tmp_path / "in"


def update(run, path, *folders, pipeline=None, decoding="greedy", **table):
    pipeline = pipeline or Pipeline()
    sources = to_sources(list(map(str, folders)), NO_TABLE | table)
    found = update_index(
        run, path / "index", sources, decoding, lambda: pipeline, print
    )
    return found, pipeline


def counts(report):
    return report.images, report.added, report.changed, report.removed


def images(path):
    index = SearchIndex(path / "index")
    names = [os.path.basename(record["image"]) for record in index.data]
    return dict(zip(names, index.data, strict=True)), index


def rewrite(folder, name, seed):
    (folder / name).write_bytes(makers.encoded(makers.pixels(seed, 50, 50)))


def test_only_new_and_changed_images_are_captioned(run, folder, tmp_path):
    (folder / "1002.jpg").write_text("no image")
    report, pipeline = update(run, tmp_path, folder)
    assert counts(report) == (9, 9, 0, 0) and pipeline.num_images == 9
    assert dict(report.summary.errors) == {"not an image": 1}
    first, index = images(tmp_path)
    makers.write_images(folder, ["new.jpg"], first_seed=50)
    rewrite(folder, "1000.jpg", 60)
    (folder / "1001.jpg").unlink()
    os.utime(folder / "1003.jpg", (1, 1))  # the content is the same
    report, pipeline = update(run, tmp_path)
    assert counts(report) == (9, 1, 1, 1) and pipeline.num_images == 2
    second, updated = images(tmp_path)
    assert set(second) == {*first, "new.jpg"} - {"1001.jpg"}
    assert second["1000.jpg"]["caption"] != first["1000.jpg"]["caption"]
    assert second["1005.jpg"] == first["1005.jpg"]
    kept = list(first).index("1005.jpg"), list(second).index("1005.jpg")
    vectors = index.data.vectors([kept[0]]), updated.data.vectors([kept[1]])
    np.testing.assert_array_equal(*vectors)
    assert index.data.hubness[kept[0]] == updated.data.hubness[kept[1]]
    for name, record in second.items():  # words belong to their images
        rows, _ = updated.rank(record["caption"], "words")
        assert list(second).index(name) in rows
    assert {path.name for path in (tmp_path / "index").iterdir()} == {
        *(".lock", MANIFEST, "model", "data-00002")
    }


def test_nothing_is_loaded_if_nothing_changed(run, folder, tmp_path):
    update(run, tmp_path, folder)
    before = (tmp_path / "index" / MANIFEST).read_bytes()
    report, pipeline = update(run, tmp_path, folder)
    assert counts(report) == (10, 0, 0, 0) and not pipeline.calls
    assert (tmp_path / "index" / MANIFEST).read_bytes() == before


def test_rotated_vectors_are_those_of_the_models(run, folder, tmp_path):
    pipeline = Pipeline()
    update(run, tmp_path, folder, pipeline=pipeline)
    _, index = images(tmp_path)
    vectors = index.data.vectors(slice(None))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    row = index.find_file(folder / "1004.jpg")
    assert index.rank_alike(vectors[row], 1)[0] == [row]


@pytest.mark.parametrize("fails_after", [1, 2, 3])
def test_an_interrupted_index_is_continued(run, folder, tmp_path, fails_after):
    with pytest.raises(KeyboardInterrupt):
        update(run, tmp_path, folder, pipeline=Pipeline(fails_after))
    with pytest.raises(UserError, match="half-written"):
        SearchIndex(tmp_path / "index")
    report, pipeline = update(run, tmp_path)
    assert counts(report) == (10, 10, 0, 0)
    assert pipeline.num_images == 10 - 4 * (fails_after - 1)
    found, _ = images(tmp_path)
    assert sorted(found) == makers.names(10)


def test_an_interrupted_update_leaves_the_index_usable(run, folder, tmp_path):
    update(run, tmp_path, folder)
    for number, name in enumerate(makers.names(6)):
        rewrite(folder, name, 70 + number)
    with pytest.raises(KeyboardInterrupt):
        update(run, tmp_path, pipeline=Pipeline(2))
    found, index = images(tmp_path)
    assert len(found) == 10 and index.is_being_updated
    rewrite(folder, "1000.jpg", 90)  # again, after it was captioned
    report, pipeline = update(run, tmp_path)
    assert counts(report) == (10, 0, 6, 0) and pipeline.num_images == 3
    again, index = images(tmp_path)
    assert not index.is_being_updated
    changed = {name for name in found if found[name] != again[name]}
    assert changed == set(makers.names(6))


@pytest.mark.parametrize("name", ["records.jsonl", "leading.npy", "offsets.npy"])
def test_a_changed_byte_is_found_by_the_next_update(run, folder, tmp_path, name):
    update(run, tmp_path, folder)
    path = tmp_path / "index" / "data-00001" / name
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"{name} is damaged: it has another checksum"):
        update(run, tmp_path, folder)


def test_an_index_is_on_the_disk(run, folder, tmp_path, monkeypatch):
    synced, fsync = set(), os.fsync

    def record(descriptor):
        synced.add(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    update(run, tmp_path, folder)
    data = tmp_path / "index" / "data-00001"
    assert {path.stat().st_ino for path in (data, *data.iterdir())} <= synced
    assert (tmp_path / "index").stat().st_ino in synced


def test_sources_are_added(run, folder, tmp_path):
    makers.write_images(tmp_path / "more", ["x.jpg", "y.jpg"], first_seed=30)
    source = makers.table(
        tmp_path, ["image", "more/x.jpg", "../secret.jpg", "1000.jpg"]
    )
    update(run, tmp_path, folder)
    report, _ = update(run, tmp_path, source=str(source))
    assert counts(report) == (11, 1, 0, 0)
    assert report.summary.errors.total() == 2
    report, _ = update(run, tmp_path, tmp_path / "more")
    assert counts(report) == (12, 1, 0, 0)
    folder.rename(tmp_path / "unmounted")
    with pytest.raises(UserError, match="does not exist. If its images"):
        update(run, tmp_path)
    assert len(images(tmp_path)[0]) == 12


def test_images_that_were_named_themselves_are_removed(run, folder, tmp_path):
    files = folder / "1000.jpg", folder / "1001.jpg"
    update(run, tmp_path, *files)
    files[0].unlink()
    assert counts(update(run, tmp_path)[0]) == (1, 0, 0, 1)
    with pytest.raises(UserError, match="1000.jpg does not exist"):
        update(run, tmp_path, files[0])
    makers.write_images(folder, ["1000.jpg"])
    assert counts(update(run, tmp_path)[0]) == (2, 1, 0, 0)
    folder.rename(tmp_path / "unmounted")
    with pytest.raises(UserError, match="1000.jpg does not exist. If its images"):
        update(run, tmp_path)
    assert len(images(tmp_path)[0]) == 2


def test_a_failed_update_leaves_no_journal_without_rows(run, folder, tmp_path):
    update(run, tmp_path, folder)
    folder.rename(tmp_path / "unmounted")
    with pytest.raises(UserError, match="does not exist"):
        update(run, tmp_path)
    assert not images(tmp_path)[1].is_being_updated
    (tmp_path / "unmounted").rename(folder)
    rewrite(folder, "1000.jpg", 60)
    with pytest.raises(KeyboardInterrupt):
        update(run, tmp_path, pipeline=Pipeline(1))
    assert not images(tmp_path)[1].is_being_updated


def test_a_wrong_source_does_not_become_part_of_the_index(run, folder, tmp_path):
    update(run, tmp_path, folder)
    before = (tmp_path / "index" / MANIFEST).read_bytes()
    with pytest.raises(UserError, match="absent does not exist"):
        update(run, tmp_path, tmp_path / "absent")
    source = makers.table(tmp_path, ["number", "3"])
    with pytest.raises(UserError, match="cannot infer a column of image file names"):
        update(run, tmp_path, source=str(source))
    with pytest.raises(UserError, match="need a table: --source"):
        update(run, tmp_path, image_root="x")
    assert (tmp_path / "index" / MANIFEST).read_bytes() == before


def test_another_run_or_other_options_are_refused(run, folder, tmp_path):
    update(run, tmp_path, folder)
    with pytest.raises(UserError, match="built with the models of"):
        update(make_run(tmp_path / "other"), tmp_path, folder)
    with pytest.raises(UserError, match="built with --decoding greedy, not beam"):
        update(run, tmp_path, folder, decoding="beam")
    file = tmp_path / "index" / MANIFEST
    write_json(file, read_json(file) | {"format": 0})
    with pytest.raises(UserError, match="another version"):
        update(run, tmp_path, folder)
    with pytest.raises(UserError, match="another version"):
        SearchIndex(tmp_path / "index")


def test_places_where_no_index_can_be(run, folder, tmp_path, monkeypatch):
    with pytest.raises(UserError, match="not empty and not an index"):
        update_index(run, folder, [], "greedy", Pipeline, print)
    with pytest.raises(UserError, match="not a directory"):
        update_index(run, folder / "1000.jpg", [], "greedy", Pipeline, print)
    with pytest.raises(UserError, match="Name images, a folder, or a table"):
        update(run, tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(UserError, match="is read-only"):
        update(run, tmp_path / "new", folder)
    assert not (tmp_path / "new").exists()


def test_a_folder_without_usable_images(run, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_text("no image")
    with pytest.raises(UserError, match="None of the images can be used: .* 1 × not"):
        update(run, tmp_path, tmp_path / "in")


def test_two_updates_at_once_are_refused(run, folder, tmp_path):
    update(run, tmp_path, folder)
    with (
        exclusive_lock(tmp_path / "index" / build_index.LOCK, "busy"),
        pytest.raises(UserError, match="Another kerasgan index is writing"),
    ):
        update(run, tmp_path)
