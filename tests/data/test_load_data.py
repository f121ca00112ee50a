"""load_data from files to arrays, on small data sets that the tests write."""

import shutil

import numpy as np
import pytest
from PIL import Image

from kerasgan.config.settings import DataConfig
from kerasgan.data import load_data
from kerasgan.data.images import decode_image, square_image
from kerasgan.errors import JobError, UserError
from kerasgan.files import read_json
from tests.data import makers


def load(tmp_path, dataset, source, **settings):
    settings = {"image_size": 16} | settings
    config = DataConfig(
        dataset=dataset, source=str(source), data_dir=str(tmp_path / "out"), **settings
    )
    return load_data(config, progress=False)


@pytest.fixture
def flickr(tmp_path):
    return makers.kaggle_30k(tmp_path / "in")


def test_arrays_equal_the_files(tmp_path, flickr):
    pairs = load(tmp_path, "flickr30k", flickr)
    assert not pairs.was_prepared
    assert pairs.label_names is None and pairs.train.labels is None
    assert sorted(pairs.train.ids + pairs.test.ids) == makers.names(10)
    for split, count in ((pairs.train, 8), (pairs.test, 2)):
        assert len(split.ids) == count
        assert split.images.shape == (count, 16, 16, 3)
        assert split.images.dtype == np.uint8
        assert split.captions == [makers.captions(name) for name in split.ids]
        for name, image in zip(split.ids, split.images, strict=True):
            path = next(flickr.rglob(name))
            decoded, _ = decode_image(path.read_bytes())
            np.testing.assert_array_equal(
                image, np.asarray(square_image(decoded, 16, "crop"))
            )


def test_the_info(tmp_path, flickr):
    info = load(tmp_path, "flickr30k", flickr, sample=6, seed=3).info
    csv = f"{flickr}/flickr30k_images/results.csv"
    value = '1009.jpg| 4   A "quoted" dog, number 4 of 1009.jpg .'
    expected = {
        "dataset": "flickr30k",
        "source": str(flickr),
        "layout": "Kaggle results.csv",
        "images": 10,
        "captions": 50,
        "kept": 10,
        "repaired": 1,
        "skipped": {},
        "rows": 50,
        "bad_rows": 0,
        "sample": {"unit": "image", "n0": None, "size": 6, "formula": None},
        "split": {"kind": "seeded", "share": 0.8, "seed": 3},
        "train": 5,
        "test": 1,
        "examples": [
            {
                "reason": "repaired: missing delimiter",
                "file": csv,
                "line": 51,
                "value": value,
            }
        ],
    }
    assert {key: info[key] for key in expected} == expected
    assert len(info["train_ids"]) == 5 and len(info["test_ids"]) == 1


def test_sample_and_split_do_not_depend_on_the_layout(tmp_path, flickr):
    info = load(tmp_path, "flickr30k", flickr, sample=6).info
    other = makers.token_30k(tmp_path / "other")
    again = load(tmp_path, "flickr30k", other, sample=6, image_size=8).info
    train = "1000.jpg 1002.jpg 1005.jpg 1007.jpg 1008.jpg"
    assert again["train_ids"] == info["train_ids"] == train.split()
    assert again["test_ids"] == info["test_ids"] == ["1004.jpg"]


def test_a_second_call_uses_the_prepared_data(tmp_path, flickr, monkeypatch):
    first = load(tmp_path, "flickr30k", flickr)
    monkeypatch.setattr(
        "kerasgan.data.pipeline.prepare", lambda *_: pytest.fail("again")
    )
    second = load(tmp_path, "flickr30k", flickr)
    assert second.was_prepared and second.info == first.info
    np.testing.assert_array_equal(second.test.images, first.test.images)


def test_changed_input_is_read_again(tmp_path, flickr):
    load(tmp_path, "flickr30k", flickr)
    csv = flickr / "flickr30k_images" / "results.csv"
    csv.write_text(csv.read_text().replace("dog", "cat"))
    pairs = load(tmp_path, "flickr30k", flickr)
    assert pairs.train.captions[0][0].startswith('A "quoted" cat')
    image = next(flickr.rglob(pairs.test.ids[0]))
    image.write_bytes(makers.encoded(np.full((40, 40, 3), 200, np.uint8)))
    assert (load(tmp_path, "flickr30k", flickr).test.images[0] == 200).all()


def test_plain_datasets_with_labels(tmp_path):
    makers.write_images(tmp_path / "in", makers.names(10))
    rows = [f"{name},an image,{'xyz'[int(name[3]) % 3]}" for name in makers.names(10)]
    path = makers.table(tmp_path / "in", ["image,caption,label", *rows])
    pairs = load(tmp_path, "table", path)
    assert pairs.label_names == ["x", "y", "z"]
    assert pairs.train.labels.tolist() == [int(name[3]) % 3 for name in pairs.train.ids]
    example = next(iter(pairs.test.as_dataset().as_numpy_iterator()))
    assert set(example) == {"image_id", "image", "captions", "label"}
    assert example["image_id"].decode() == pairs.test.ids[0]
    assert example["captions"].tolist() == [b"an image"]
    np.testing.assert_array_equal(example["image"], pairs.test.images[0])


def test_images_without_captions_have_empty_lists(tmp_path):
    makers.write_images(tmp_path / "in", makers.names(4))
    path = makers.table(tmp_path / "in", ["image", *makers.names(4)])
    pairs = load(tmp_path, "table", path, caption_columns=[""], split=0.5)
    assert pairs.train.captions == [[], []]
    assert pairs.train.images.shape == (2, 16, 16, 3)


def test_bad_images_are_skipped_counted_and_named(tmp_path):
    folder = tmp_path / "in"
    makers.write_images(folder, makers.names(6))
    makers.write_images(tmp_path, ["secret.jpg"])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "cut.jpg").write_bytes(makers.encoded(makers.pixels(8))[:-300])
    (folder / "words.jpg").write_text("These are words.")
    Image.new("1", (9000, 9000)).save(folder / "bomb.png")
    bad = ["empty.jpg", "cut.jpg", "words.jpg", "bomb.png", "none.jpg", "../secret.jpg"]
    names = makers.names(6) + bad
    path = makers.table(folder, ["image,caption", *(f"{name},one" for name in names)])
    pairs = load(tmp_path, "table", path, max_bad=0.5)
    assert pairs.info["skipped"] == {
        "empty file": 1,
        "truncated or damaged": 1,
        "not an image": 1,
        "too many pixels": 1,
        "missing file": 1,
        "outside the image folder": 1,
    }
    assert (pairs.info["images"], pairs.info["kept"]) == (12, 6)
    assert {
        "reason": "empty file",
        "file": str(path),
        "line": 8,
        "value": "empty.jpg",
    } in (pairs.info["examples"])
    with pytest.raises(UserError, match=r"6 of 12 rows are bad \(50.0%\)"):
        load(tmp_path, "table", path)
    assert not list((tmp_path / "out").rglob("*incomplete*"))


def test_identical_images_are_in_the_same_split(tmp_path):
    folder = tmp_path / "in"
    makers.write_images(folder, makers.names(10))
    for copy, original in (("1001.jpg", "1000.jpg"), ("1003.jpg", "1002.jpg")):
        shutil.copy(folder / original, folder / copy)
    rows = [f"{name},one" for name in makers.names(10)]
    path = makers.table(folder, ["image,caption", *rows])
    for seed in range(3):
        info = load(tmp_path, "table", path, seed=seed, split=0.5).info
        train = set(info["train_ids"])
        assert ("1001.jpg" in train) == ("1000.jpg" in train)
        assert ("1003.jpg" in train) == ("1002.jpg" in train)
        assert (info["train"], info["test"], info["duplicates"]) == (5, 5, 2)


def test_group_by_captions_keeps_equal_captions_in_the_same_split(tmp_path):
    rows = [f"{name},same {n // 8}" for n, name in enumerate(makers.names(24))]
    source = makers.table(tmp_path / "in", ["image,text", *rows])
    makers.write_images(tmp_path / "in", makers.names(24))
    grouped = load(tmp_path, "table", source, split=0.5, group_by="captions")
    train, test = captions_by_split(grouped)
    assert not train & test and len(train | test) == 3
    mixed = load(tmp_path, "table", source, split=0.5)
    train, test = captions_by_split(mixed)
    assert train & test


def captions_by_split(pairs):
    return [{texts[0] for texts in s.captions} for s in (pairs.train, pairs.test)]


def test_published_splits_are_kept_without_sampling_only(tmp_path):
    source = makers.karpathy_30k(tmp_path / "in")
    info = load(tmp_path, "flickr30k", source).info
    assert info["test_ids"] == ["1008.jpg", "1009.jpg"]
    assert info["split"] == {
        "kind": "published",
        "published": {"train": 6, "val": 2, "test": 2},
    }
    assert load(tmp_path, "flickr30k", source, split=0.5).info["train"] == 5
    sampled = load(tmp_path, "flickr30k", source, sample=5).info
    assert (sampled["train"], sampled["split"]["kind"]) == (4, "seeded")


def test_flickr8k_skips_images_without_a_split(tmp_path):
    source = makers.original_8k(tmp_path / "in")
    info = load(tmp_path, "flickr8k", source, max_bad=0.2).info
    assert info["skipped"] == {"missing file": 1, "not in a published split": 1}
    assert (info["train"], info["test"]) == (7, 2)


def test_copies_of_published_test_images_are_not_for_training(tmp_path):
    source = makers.karpathy_30k(tmp_path / "in")
    folder = source / "flickr30k-images"
    shutil.copy(folder / "1009.jpg", folder / "1000.jpg")
    info = load(tmp_path, "flickr30k", source).info
    assert info["skipped"] == {"identical to a test image": 1}
    assert "1000.jpg" not in info["train_ids"] and info["train"] == 7


def test_a_sample_of_rows_is_split_by_image(tmp_path, flickr):
    pairs = load(tmp_path, "flickr30k", flickr, sample=12, sample_unit="row")
    kept = pairs.train.captions + pairs.test.captions
    assert sum(map(len, kept)) == 12
    assert not set(pairs.train.ids) & set(pairs.test.ids)
    assert pairs.info["sample"]["size"] == 12
    for name, texts in zip(pairs.train.ids, pairs.train.captions, strict=True):
        assert set(texts) < set(makers.captions(name))


def test_the_papers_sample_needs_enough_images(tmp_path, flickr):
    with pytest.raises(UserError, match="sample of 384: only 10"):
        load(tmp_path, "flickr30k", flickr, sample="paper")
    corrected = load(
        tmp_path, "flickr30k", flickr, sample="paper", population_correction=True
    )
    assert corrected.info["sample"]["size"] == 9


@pytest.mark.parametrize("stage", ["load", "write", "rename"])
def test_a_preparation_that_fails_leaves_nothing(tmp_path, flickr, monkeypatch, stage):
    def raise_disk_full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        if stage == "load":
            patch.setattr("kerasgan.data.preparation._prepared_image", raise_disk_full)
        elif stage == "write":
            patch.setattr("tensorflow.io.TFRecordWriter.write", raise_disk_full)
        else:
            patch.setattr(
                "tensorflow_datasets.core.DatasetInfo.write_to_directory",
                raise_disk_full,
            )
        with pytest.raises(JobError, match="No space left on device"):
            load(tmp_path, "flickr30k", flickr)
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert [path.name for path in files] == [".lock"]
    assert load(tmp_path, "flickr30k", flickr).info["train"] == 8


def test_leftovers_of_a_killed_process_are_removed(tmp_path, flickr):
    pairs = load(tmp_path, "flickr30k", flickr)
    incomplete = pairs.path.parent / "incomplete.ABCDEF_1.1.0"
    shutil.move(pairs.path, incomplete)
    again = load(tmp_path, "flickr30k", flickr)
    assert not again.was_prepared and again.info == pairs.info
    assert not incomplete.exists()


def test_scenes_are_drawn(tmp_path):
    config = DataConfig(num_images=6, image_size=32, data_dir=str(tmp_path))
    pairs = load_data(config, progress=False)
    from kerasgan.data.scenes import LABELS, draw_scene

    assert pairs.label_names == list(LABELS)
    assert sorted(pairs.train.ids + pairs.test.ids)[5] == "scene-000005"
    scene = draw_scene(int(pairs.test.ids[0][-6:]), 32, 0)
    np.testing.assert_array_equal(pairs.test.images[0], scene.image)
    assert pairs.test.captions[0] == list(scene.captions)
    assert pairs.label_names[pairs.test.labels[0]] == scene.label


def test_progress_goes_to_standard_error_and_nothing_to_output(tmp_path, flickr, capfd):
    config = DataConfig(
        dataset="flickr30k", source=str(flickr), data_dir=str(tmp_path), image_size=8
    )
    load_data(config, progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "Preparing flickr30k" in err and "10/10" in err and "images/s" in err


def test_the_info_is_stored_as_json_beside_the_data(tmp_path, flickr):
    pairs = load(tmp_path, "flickr30k", flickr)
    assert read_json(pairs.path / "data.json") == pairs.info
    assert pairs.info["prepared"] == str(pairs.path)
