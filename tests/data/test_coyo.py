"""COYO as img2dataset downloads it; the fixtures have the layouts of the real files."""

import numpy as np
import pytest

from kerasgan.data.images import decode_image, square_image
from kerasgan.data.layouts.img2dataset import normalize_key
from kerasgan.errors import UserError
from tests.data import coyo_makers, makers
from tests.data.coyo_makers import KINDS, ids, load, read


@pytest.mark.parametrize("kind", KINDS)
def test_every_output_format_is_read(tmp_path, kind, pairs):
    source = coyo_makers.download(tmp_path / "in", kind, pairs)
    labels = coyo_makers.write_labels(tmp_path / "labels" / "part-0.parquet", pairs)
    result = load(tmp_path, source, labels=str(labels.parent))
    assert result.info["layout"] == f"img2dataset {kind}"
    assert result.label_names == ["4945", "8087"]
    assert result.info["skipped"] == {} and result.info["kept"] == 10
    assert (result.info["train"], result.info["test"]) == (8, 2)
    for split in (result.train, result.test):
        for name, texts, label, image in zip(
            split.ids, split.captions, split.labels, split.images, strict=True
        ):
            row = pairs[ids(pairs).index(name)]
            assert texts == [f"Valentine's day & roses, number {row['seed']}"]
            assert result.label_names[label] == row["class"]
            decoded, _ = decode_image(makers.encoded(makers.pixels(row["seed"])))
            np.testing.assert_array_equal(
                image, np.asarray(square_image(decoded, 16, "crop"))
            )


def test_metadata_without_images_is_rejected(tmp_path, pairs):
    name = "part-00000-17da4908-939c-46e5-91d0-15f256041956-c000.snappy.parquet"
    source = coyo_makers.write_coyo(tmp_path / "coyo-700m" / name, pairs).parent
    with pytest.raises(UserError, match=r"10 rows .* no images.*img2dataset.*coyo.md"):
        load(tmp_path, source)
    assert not (tmp_path / "out").exists()
    coyo_makers.download(source, "webdataset", pairs)
    annotations = read(source)
    assert len(annotations.images) == 10
    assert f"skipped 1 Parquet files without images, such as {source / name}" in (
        annotations.report.notes
    )


@pytest.mark.parametrize("kind", KINDS)
def test_texts_are_read_from_an_additional_column(tmp_path, kind, pairs):
    for row in pairs[::2]:
        row["text"] = None
    source = coyo_makers.download(
        tmp_path / kind, kind, pairs, columns=("id", "text"), caption_column=None
    )
    annotations = read(source)
    assert set(annotations.images) == set(ids(pairs[1::2]))
    assert annotations.report.skipped == {"missing caption": 5}


def test_overwritten_sizes_are_ignored(tmp_path, pairs):
    source = coyo_makers.download(
        tmp_path / "in", "webdataset", pairs, columns=("id", "width", "height")
    )
    first = load(tmp_path, source)
    for row in pairs:
        row["width"], row["height"] = -1, 10**9
    other = coyo_makers.download(
        tmp_path / "in2", "webdataset", pairs, columns=("id", "width", "height")
    )
    np.testing.assert_array_equal(
        first.train.images, load(tmp_path, other).train.images
    )


@pytest.mark.parametrize("kind", KINDS)
def test_failed_downloads_are_counted_by_status_and_are_not_bad(tmp_path, kind, pairs):
    pairs[0] |= coyo_makers.DOWNLOAD_ERROR
    pairs[4] |= coyo_makers.DOWNLOAD_ERROR
    pairs[7] |= coyo_makers.RESIZE_ERROR
    source = coyo_makers.download(tmp_path / "in", kind, pairs)
    report = read(source).report
    assert report.skipped == {"failed_to_download": 2, "failed_to_resize": 1}
    assert (report.rows, report.bad_rows) == (7, 0)
    assert {
        "url": "https://example.com/7.jpg: image decoding error",
        "reason": "failed_to_resize",
    } in [{"url": e["value"], "reason": e["reason"]} for e in report.examples]


@pytest.mark.parametrize("digits", [3, 4, 5])
@pytest.mark.parametrize("kind", ["webdataset", "files"])
def test_keys_have_any_number_of_digits(tmp_path, kind, digits, pairs):
    source = coyo_makers.download(tmp_path, kind, pairs, shard=12, digits=digits)
    assert set(read(source).images) == set(ids(pairs))


def test_keys_of_old_versions_are_numbers(tmp_path, pairs):
    """Before 1.9.3: 00000/0000.jpg, and the number 0 as its key."""
    folder = tmp_path / "00000"
    folder.mkdir()
    table = []
    for number, row in enumerate(pairs):
        (folder / f"{number:04d}.jpg").write_bytes(
            makers.encoded(makers.pixels(number))
        )
        (folder / f"{number:04d}.txt").write_text(row["text"])
        table.append({"url": row["url"], "key": number, "status": "success"})
    coyo_makers.write_metadata(tmp_path / "00000.parquet", table)
    assert len(read(tmp_path).images) == 10
    assert (
        normalize_key("00000") == normalize_key(0) == "0"
        and normalize_key("00120") == "120"
    )


@pytest.mark.parametrize("kind", ["webdataset", "files"])
def test_json_files_replace_a_missing_parquet_file(tmp_path, kind, pairs):
    pairs[3] |= coyo_makers.DOWNLOAD_ERROR
    source = coyo_makers.download(tmp_path, kind, pairs)
    whole = read(source).images
    (tmp_path / "00000.parquet").write_bytes(b"PAR1 and no more")
    broken = read(source)
    assert broken.report.skipped == {"broken metadata": 1}
    (tmp_path / "00000.parquet").unlink()
    alone = read(source)
    for annotations in (broken, alone):
        assert (
            set(annotations.images)
            == set(whole)
            == set(ids(pairs)) - {str(pairs[3]["id"])}
        )
        for name, image in annotations.images.items():
            assert image.captions == whole[name].captions
            assert image.read() == whole[name].read()


def test_entities_are_unescaped_and_surrogates_removed(tmp_path, pairs):
    pairs[0]["text"] = "&lt;b&gt; &#39;x&#39; &eacute;&nbsp;&#128512; R&D &amp;amp;"
    source = coyo_makers.download(tmp_path, "webdataset", pairs[:1])
    half = rb'{"id": 1, "caption": "a \ud800 b"}'
    coyo_makers.write_tar(
        tmp_path / "00001.tar", [("1.jpg", b"x"), ("1.json", half), ("1.txt", b"c")]
    )
    images = read(source).images
    assert images[str(pairs[0]["id"])].captions == ["<b> 'x' é 😀 R&D &amp;"]
    assert images["1"].captions == ["a b"]


def test_a_repeated_id_is_one_pair(tmp_path, pairs):
    coyo_makers.download(tmp_path, "webdataset", pairs)
    coyo_makers.download(tmp_path, "webdataset", pairs[:3], shard=1)
    annotations = read(tmp_path)
    assert len(annotations.images) == 10
    assert annotations.report.skipped == {"duplicate row": 3}
    assert annotations.report.bad_rows == 0


def test_two_output_formats_in_one_folder_are_the_same_pairs(tmp_path, pairs):
    for kind in ("webdataset", "files"):
        coyo_makers.download(tmp_path, kind, pairs)
    annotations = read(tmp_path)
    assert set(annotations.images) == set(ids(pairs))
    assert annotations.report.skipped == {"duplicate row": 10}


def test_a_folder_without_shards_is_rejected(tmp_path):
    with pytest.raises(UserError, match="No COYO found .* 00000.tar"):
        read(tmp_path)
    with pytest.raises(UserError, match="does not exist"):
        read(tmp_path / "nowhere")
