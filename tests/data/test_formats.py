"""Data sets in the usual file formats: folders, COCO, WebDataset, Parquet."""

import json
import tempfile
from pathlib import Path

import pyarrow
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from kerasgan.data.images import BadImage
from kerasgan.data.layouts.splits import published_splits
from kerasgan.errors import UserError
from tests.data import format_makers as make
from tests.data import makers

FIELDS = (
    *("id", "image_id", "file_name", "filename", "filepath", "caption", "label"),
    *("sentences", "raw", "split"),
)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["train", "val", "test"], ["train", "val", "test"]),
        (["captions_train2017", "captions_val2017"], ["train", "test"]),
        (["test_set/train-0", "test_set/test-0"], ["train", "test"]),
        (["train", "bus"], []),
        (["train-0", "train-1"], []),
        (["val", "test"], []),
        ([], []),
    ],
)
def test_published_splits(names, expected):
    assert published_splits(names) == dict(zip(names, expected, strict=False))


# Folders -----------------------------------------------------------------------


def test_class_folders_equal_those_of_keras(tmp_path):
    import keras

    root = make.class_folders(tmp_path / "in")
    (root / "9" / "notes.md").write_text("x")
    annotations = make.read("folder", root)
    expected = keras.utils.image_dataset_from_directory(root, verbose=False)
    assert annotations.label_names == expected.class_names == ["10", "9"]
    paths = [path.removeprefix(f"{root}/") for path in expected.file_paths]
    assert sorted(annotations.images) == sorted(paths)
    assert annotations.layout == "class folders"
    data = make.load("folder", root, tmp_path / "out", split=0.5)
    assert (len(data.train.ids), len(data.test.ids)) == (2, 2)
    labels = dict(zip(data.train.ids, data.train.labels, strict=True))
    assert all((label == 0) == name.startswith("10/") for name, label in labels.items())


def test_folders_are_no_classes_if_there_is_one_or_if_they_are_disabled(tmp_path):
    root = make.class_folders(tmp_path)
    assert make.read("folder", root, label_column="").label_names is None
    assert make.read("folder", root / "10").label_names is None


def test_folders_of_splits_with_class_folders(tmp_path):
    for seed, split in enumerate(["train", "validation", "test"]):
        make.class_folders(tmp_path / split)
        (tmp_path / split / "9" / "c.jpg").write_bytes(make.image(seed))
    contents = make.contents(make.read("folder", tmp_path))
    assert contents["train/10/a.jpg"] == ([], "10", "train")
    assert contents["validation/9/c.jpg"] == ([], "9", "val")
    assert contents["test/10/deep/b.png"] == ([], "10", "test")


def test_texts_beside_images(tmp_path):
    root = make.texts_beside(tmp_path / "in")
    names = makers.names(6)
    (root / "1000.txt").write_text("\n")
    (root / "1001.txt").unlink()
    (root / "1002.txt").write_bytes(b"caf\xe9")
    (root / "README.txt").write_text("no caption")
    (root / "1003.txt").unlink()
    (root / "1003.txt").symlink_to("/etc/hostname")
    annotations = make.read("folder", root)
    assert annotations.layout == "images with texts"
    assert make.contents(annotations) == {
        "1002.jpg": (["café"], None, None),
        **{name: (makers.captions(name)[:2], None, None) for name in names[4:]},
    }
    report = annotations.report
    assert report.skipped == {"missing caption": 3, "text without an image": 1}
    assert (report.rows, report.bad_rows) == (6, 3)
    assert "1 texts are not UTF-8" in report.notes[0]
    first = make.load("folder", root, tmp_path / "out").path
    (root / "1005.txt").write_text("another caption")
    assert make.load("folder", root, tmp_path / "out").path != first


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_hugging_face_metadata_of_two_splits(tmp_path, suffix):
    root = make.hugging_face_folder(tmp_path / "in", suffix)
    (root / "train" / "1000.jpg").unlink()
    data = make.load("folder", root, tmp_path / "out")
    assert data.train.ids == ["train/1001.jpg", "train/1002.jpg"]
    assert data.test.ids == [f"test/{1003 + n}.jpg" for n in range(3)]
    assert data.test.captions == [[f"a {1003 + n}.jpg"] for n in range(3)]
    assert data.info["skipped"] == {"missing file": 1}
    assert data.info["layout"] == f"Hugging Face metadata{suffix}"


def test_metadata_may_not_name_files_outside(tmp_path):
    root = make.hugging_face_folder(tmp_path / "in")
    makers.write_images(tmp_path, ["out.jpg"])
    makers.table(root, [json.dumps({"file_name": "../out.jpg"})], "metadata.jsonl")
    data = make.load("folder", root, tmp_path / "out", caption_columns=None)
    assert data.info["skipped"] == {"missing caption": 1}
    data = make.load("folder", root, tmp_path / "out", keep_uncaptioned=True)
    assert data.info["skipped"] == {"outside the image folder": 1}


@pytest.mark.parametrize("files", [[], ["a.csv"], [".hidden.jpg"]])
def test_a_folder_without_images(tmp_path, files):
    for name in files:
        (tmp_path / name).write_text("x")
    with pytest.raises(UserError, match="Found no images in"):
        make.read("folder", tmp_path)


# COCO --------------------------------------------------------------------------


def test_coco_has_a_training_and_a_test_split(tmp_path):
    root = make.coco_2017(tmp_path / "in")
    data = make.load("coco", root, tmp_path / "out")
    assert data.train.ids == [f"train2017/{n:012d}.jpg" for n in range(4)]
    assert data.test.captions == [["4 and 0", "4 and 1"], ["5 and 0", "5 and 1"]]
    assert data.info["skipped"] == {}


@pytest.mark.parametrize("options", [{}, {"image_root": "train2017"}])
def test_one_file_of_coco_with_bad_entries(tmp_path, options):
    root = make.coco_2017(tmp_path)
    path = root / "annotations/captions_train2017.json"
    names = {number: f"{number:012d}.jpg" for number in range(4)}
    more = (
        {"image_id": 0, "id": 0, "caption": "0 and 0"},
        {"image_id": 99, "id": 1000, "caption": "of no image"},
        {"image_id": 1, "id": 1001, "caption": None},
        "not an object",
    )
    make.write_captions(path, names, more)
    content = json.loads(path.read_text())
    content["images"] += [{"id": 50, "file_name": "z.jpg"}, {"id": 51}, 5]
    path.write_text(json.dumps(content))
    options = {key: str(root / value) for key, value in options.items()}
    annotations = make.read("coco", path, **options)
    assert annotations.image_root == root / "train2017"
    assert make.contents(annotations) == {
        name: ([f"{number} and 0", f"{number} and 1"], None, None)
        for number, name in names.items()
    }
    assert annotations.report.skipped == {
        "malformed row": 4,
        "duplicate row": 1,
        "missing file name": 1,
        "missing caption": 1,
    }


def test_karpathy_split_of_coco(tmp_path):
    root = make.karpathy_coco(tmp_path / "in")
    data = make.load("coco", root, tmp_path / "out")
    name = "val2014/COCO_val2014_000000000003.jpg"
    assert data.test.ids == [name]
    assert data.test.captions == [makers.captions(name.removeprefix("val2014/"))]
    assert len(data.train.ids) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[" * 5000, "is not JSON"),
        ("[]", "expected a JSON object with the list 'images'"),
        ('{"images": [], "annotations": []}', "no rows that can be used"),
    ],
)
def test_malformed_coco(tmp_path, text, message):
    (tmp_path / "captions_val.json").write_text(text)
    with pytest.raises(UserError, match=message):
        make.read("coco", tmp_path)


def test_a_folder_without_coco(tmp_path):
    (tmp_path / "captions_val2014_fakecap_results.json").write_text("[]")
    with pytest.raises(UserError, match="No COCO found"):
        make.read("coco", tmp_path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.floats() | st.text(max_size=3),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS), children, max_size=4)
    ),
    max_leaves=5,
)
PROPERTY = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@PROPERTY
@given(st.lists(JSON, max_size=3), st.lists(JSON, max_size=3), st.booleans())
def test_any_json_of_coco_is_read_or_rejected(images, annotations, is_karpathy):
    content = {"images": [{"id": 1, "file_name": "a.jpg"}, *images]}
    if not is_karpathy:
        content["annotations"] = [{"image_id": 1, "caption": "one"}, *annotations]
    with tempfile.TemporaryDirectory() as folder:
        makers.write_images(Path(folder), ["a.jpg"])
        path = Path(folder, "captions.json")
        path.write_text(json.dumps(content))
        try:
            annotations = make.read("coco", path, max_bad=0.0)
        except UserError:
            return
    report = annotations.report
    assert annotations.images["a.jpg"].captions[0] == "one"
    assert report.rows >= report.bad_rows


# WebDataset --------------------------------------------------------------------


def test_tar_files_with_texts_and_classes(tmp_path):
    root = make.web_dataset(tmp_path / "in")
    data = make.load("webdataset", root, tmp_path / "out")
    assert data.train.ids == [f"x-train-000000/a/{n}" for n in range(3)]
    assert data.test.captions == [[f"one {n}", f"two {n}"] for n in range(3, 6)]
    assert (data.label_names, list(data.test.labels)) == (["0", "1"], [0, 1, 0])
    assert data.info["layout"] == "tar files"


def test_bad_members_of_a_tar_file(tmp_path):
    members = {
        "0.jpg": make.image(0),
        "0.json": json.dumps({"caption": "zero", "label": "x"}).encode(),
        "1.left.png": make.image(1, "PNG"),
        "1.right.png": make.image(2, "PNG"),
        "1.json": json.dumps({"caption": ["a", "b"], "label": "y"}).encode(),
        "2.txt": b"no image",
        "3.jpg": make.image(3),
        "3.json": b"{",
        "4.jpg": b"no image",
        "4.json": json.dumps({"text": "four", "label": "x"}).encode(),
        "5.jpg": make.image(5),
        "5.json": json.dumps({"label": "x"}).encode(),
        "../6.jpg": make.image(6),
        "LICENSE": b"free",
    }
    path = make.write_tar(tmp_path / "in" / "t.tar", members)
    annotations = make.read("webdataset", path)
    assert make.contents(annotations) == {
        "t/0": (["zero"], "x", None),
        "t/1": (["a", "b"], "y", None),
        "t/4": (["four"], "x", None),
    }
    assert annotations.report.skipped == {
        "further image": 1,
        "missing image": 1,
        "malformed row": 1,
        "outside the image folder": 1,
        "missing caption": 1,
    }
    assert (annotations.report.rows, annotations.report.bad_rows) == (7, 4)
    data = make.load("webdataset", path, tmp_path / "out", max_bad=0.8)
    assert data.info["skipped"]["not an image"] == 1
    assert make.read("webdataset", path, label_column="").label_names is None


@PROPERTY
@given(JSON)
@example({"label": [False, 0]})
def test_any_json_in_a_tar_file_is_read_or_skipped(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.tar")
        members = {"0.jpg": b"", "1.jpg": b"", "1.json": json.dumps(content).encode()}
        make.write_tar(path, members)
        annotations = make.read("webdataset", path, max_bad=1.0, keep_uncaptioned=True)
    report = annotations.report
    assert report.rows == 2
    removed = report.skipped.total() - report.skipped["several labels"]  # one is kept
    assert len(annotations.images) == 2 - removed


def test_what_is_before_the_damage_of_a_tar_file_is_kept(tmp_path):
    path = make.write_tar(
        tmp_path / "t.tar", {f"{n}.jpg": make.image(n) for n in range(4)}
    )
    path.write_bytes(path.read_bytes()[:2500])
    annotations = make.read("webdataset", path)
    assert "t/0" in annotations.images
    assert annotations.report.skipped["broken shard"] == 1
    path.write_bytes(b"?" * 2000)
    with pytest.raises(UserError, match="No sample .* can be read: 1 × broken shard"):
        make.read("webdataset", path)


# Parquet -----------------------------------------------------------------------


def test_parquet_of_hugging_face(tmp_path):
    root = make.hugging_face_parquet(tmp_path / "in")
    (root / "data" / "test-00001-of-00001.parquet").write_bytes(b"PAR1")
    data = make.load("table", root, tmp_path / "out")
    stem = "data/{}-00000-of-00001"
    assert data.train.ids == [f"{stem.format('train')}/{n}" for n in range(3)]
    assert data.test.captions == [[f"number {n}"] for n in range(3, 6)]
    assert (data.label_names, list(data.test.labels)) == (["cat", "dog"], [0, 1, 0])
    assert data.info["skipped"] == {"broken shard": 1}
    assert data.info["layout"] == "Parquet with images"
    pixels = makers.pixels(5)
    mean = data.test.images[2].mean((0, 1))
    square = Image.fromarray(pixels).crop((4, 0, 44, 40)).resize((16, 16))
    assert abs(mean - list(square.resize((1, 1)).getpixel((0, 0)))).max() < 12


@pytest.mark.parametrize("column", ["image", "photo"])
def test_parquet_with_bytes_and_damaged_images(tmp_path, column):
    images = [make.image(0), make.image(1), None, b"", b"no image", make.image(5)]
    path = make.embedded(
        tmp_path / "t.parquet", images, caption=[f"c {n}" for n in range(6)]
    )
    options = {}
    if column != "image":
        import pyarrow.parquet

        table = pyarrow.parquet.read_table(path).rename_columns([column, "caption"])
        pyarrow.parquet.write_table(table, path)
        options["image_column"] = column
    data = make.load("table", path, tmp_path / "out", max_bad=0.6, **options)
    assert sorted(data.train.ids + data.test.ids) == ["t/0", "t/1", "t/5"]
    assert sum(data.info["skipped"].values()) == data.info["bad_rows"] == 3
    assert data.info["skipped"]["missing image"] == 1


@pytest.mark.parametrize("labels", [[0, -1, 1, 2], ["0", "x", "1", "1" * 9000]])
def test_unlabeled_rows_of_hugging_face(tmp_path, labels):
    features = {"label": {"_type": "ClassLabel", "names": ["cat", "dog"]}}
    path = make.embedded(
        tmp_path / "t.parquet",
        [make.image(n) for n in range(4)],
        {"info": {"features": features}},
        label=labels,
    )
    annotations = make.read("table", path)
    assert annotations.label_names == ["cat", "dog"]
    assert annotations.report.skipped == {"missing label": 2}


def test_parquet_that_is_damaged_or_has_no_images(tmp_path):
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(UserError, match="cannot be read as Parquet"):
        make.read("table", path)
    with pytest.raises(UserError, match="expected a file ending in .csv"):
        make.read("table", tmp_path)


def records_of(annotations):
    return {name: image.record for name, image in annotations.images.items()}


@pytest.mark.parametrize("kind", ["bytes", "structs", "large", "fixed"])
def test_parquet_with_lists_of_images(tmp_path, kind):
    files = [make.image(seed) for seed in range(7)]
    lists = [files[:2], files[2:4], [files[4], None], [None, None], files[5:]]
    if kind == "structs":  # as `datasets` writes Sequence(Image())
        lists = [
            [image and {"bytes": image, "path": None} for image in images]
            for images in lists
        ]
    if kind in ("large", "fixed"):
        large, fixed = pyarrow.large_list, lambda value: pyarrow.list_(value, 2)
        of = large if kind == "large" else fixed
        lists = pyarrow.array(lists, of(pyarrow.binary()))
    texts = [f"text {row}" for row in range(5)]
    path = make.embedded(tmp_path / "t.parquet", None, images=lists, caption=texts)
    annotations = make.read("table", path)
    assert records_of(annotations) == {
        **dict.fromkeys(["t/0/0", "t/0/1"], "t/0"),
        **dict.fromkeys(["t/1/0", "t/1/1"], "t/1"),
        "t/2": None,
        "t/3": None,
        **dict.fromkeys(["t/4/0", "t/4/1"], "t/4"),
    }
    read = {name: image.read for name, image in annotations.images.items()}
    with pytest.raises(BadImage, match="missing image"):
        read.pop("t/3")()
    assert [read_image() for read_image in read.values()] == files
    assert annotations.images["t/1/1"].captions == ["text 1"]
    data = make.load("table", path, tmp_path / "out", split=0.5)
    assert data.info["skipped"] == {"missing image": 1}
    sides = [
        set(map(data.info["records"].get, split.ids)) - {None}
        for split in (data.train, data.test)
    ]
    assert not sides[0] & sides[1] and sides[0] | sides[1] == {"t/0", "t/1", "t/4"}


@pytest.mark.parametrize("images", [None, []])
def test_a_row_without_a_list_of_images(tmp_path, images):
    lists = pyarrow.array([images, [make.image(0)]], pyarrow.list_(pyarrow.binary()))
    annotations = make.read("table", make.embedded(tmp_path / "t.parquet", lists))
    assert records_of(annotations) == {"t/0": None, "t/1": None}
    with pytest.raises(BadImage, match="missing image"):
        annotations.images["t/0"].read()


def test_parquet_with_several_columns_of_images(tmp_path):
    front, back = [make.image(0), make.image(1), None], [make.image(2), None, None]
    back = [image and {"bytes": image, "path": "b.jpg"} for image in back]
    path = make.embedded(tmp_path / "t.parquet", front, image_2=back, text=[*"abc"])
    annotations = make.read("table", path)
    records = {"t/0/0": "t/0", "t/0/1": "t/0", "t/1": None, "t/2": None}
    assert records_of(annotations) == records
    assert annotations.report.notes[0].startswith("columns: image image, image_2;")
    read = {name: image.read for name, image in annotations.images.items()}
    with pytest.raises(BadImage, match="missing image"):
        read.pop("t/2")()
    assert [read_image() for read_image in read.values()] == [
        *(front[0], back[0]["bytes"], front[1]),
    ]
    annotations = make.read("table", path, image_column="image_2;image")
    assert annotations.images["t/0/1"].read() == front[0]
    annotations = make.read("table", path, image_column="image_2")
    assert list(annotations.images) == ["t/0", "t/1", "t/2"]
