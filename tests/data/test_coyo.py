"""COYO's traps, one test each; the fixtures have the layouts of the real files."""

import csv
import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from kerasgan.config.settings import DataConfig
from kerasgan.data import load_data
from kerasgan.data.dataset_spec import DatasetSpec
from kerasgan.data.images import decode_image, square_image
from kerasgan.data.layouts import read_annotations
from kerasgan.data.layouts.img2dataset import plain_key
from kerasgan.errors import UserError
from tests.data import coyo_makers, makers

KINDS = ("webdataset", "files", "parquet")


def read(source, **settings):
    return read_annotations(DataConfig(dataset="coyo", **settings), source)


def load(tmp_path, source, **settings):
    settings = {"image_size": 16, "data_dir": str(tmp_path / "out")} | settings
    config = DataConfig(dataset="coyo", source=str(source), **settings)
    return load_data(config, progress=False)


def labels_of(annotations):
    return {name: p.label for name, p in annotations.images.items()}


def ids(pairs):
    return [str(row["id"]) for row in pairs]


@pytest.fixture
def pairs():
    return coyo_makers.rows(10)


@pytest.mark.parametrize("kind", KINDS)
def test_images_texts_and_classes_come_from_every_output_format(tmp_path, kind, pairs):
    source = coyo_makers.download(tmp_path / "in", kind, pairs)
    labels = coyo_makers.write_labels(tmp_path / "labels" / "part-0.parquet", pairs)
    result = load(tmp_path, source, labels=str(labels.parent))
    assert result.info["layout"] == f"img2dataset {kind}"
    assert result.label_names == ["4945", "8087"]
    assert result.info["skipped"] == {} and result.info["kept"] == 10
    assert (result.info["train"], result.info["test"]) == (8, 2)
    for split in (result.train, result.test):
        for name, texts, label, image in zip(
            split.ids, split.captions, split.labels, split.images
        ):
            row = pairs[ids(pairs).index(name)]
            assert texts == [f"Valentine's day & roses, number {row['seed']}"]
            assert result.label_names[label] == row["class"]
            decoded, _ = decode_image(makers.coded(makers.pixels(row["seed"])))
            np.testing.assert_array_equal(
                image, np.asarray(square_image(decoded, 16, "crop"))
            )


def test_the_output_format_does_not_change_what_is_chosen(tmp_path, pairs):
    chosen = set()
    for kind in KINDS:
        source = coyo_makers.download(tmp_path / kind, kind, pairs)
        info = load(tmp_path, source, sample=6).info
        chosen.add((tuple(sorted(info["train_ids"])), tuple(info["test_ids"])))
    assert len(chosen) == 1


def test_metadata_alone_says_that_images_must_be_downloaded(tmp_path, pairs):
    name = "part-00000-17da4908-939c-46e5-91d0-15f256041956-c000.snappy.parquet"
    source = coyo_makers.write_coyo(tmp_path / "coyo-700m" / name, pairs).parent
    with pytest.raises(UserError, match=r"10 rows .* no images.*img2dataset.*coyo.md"):
        load(tmp_path, source)
    assert not (tmp_path / "out").exists()
    coyo_makers.download(source, "webdataset", pairs)
    annotations = read(source)
    assert len(annotations.images) == 10
    assert f"1 Parquet files without images, as {source / name}" in (
        annotations.ledger.notes
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_text_column_is_renamed_or_was_kept(tmp_path, kind, pairs):
    for row in pairs[::2]:
        row["text"] = None
    source = coyo_makers.download(
        tmp_path / kind, kind, pairs, columns=("id", "text"), caption_column=None
    )
    annotations = read(source)
    assert set(annotations.images) == set(ids(pairs[1::2]))
    assert annotations.ledger.skipped == {"no caption": 5}


@pytest.mark.parametrize("kind", KINDS)
def test_without_an_id_labels_are_joined_by_url(tmp_path, kind, pairs):
    source = coyo_makers.download(tmp_path / "in", kind, pairs, columns=())
    labels = coyo_makers.write_labels(tmp_path / "labels.parquet", pairs[:6])
    annotations = read(source, labels=str(labels))
    assert labels_of(annotations) == {
        f"00000/{number}": pairs[number]["class"] for number in range(6)
    }
    assert annotations.ledger.skipped == {"no label": 4}
    assert annotations.ledger.bad_rows == 0
    assert annotations.images["00000/0"].group == pairs[0]["image_phash"]
    assert any("no id of COYO's" in note for note in annotations.ledger.notes)


def test_ids_come_before_urls(tmp_path, pairs):
    source = coyo_makers.download(tmp_path / "in", "webdataset", pairs)
    moved = [row | {"url": pairs[9 - n]["url"]} for n, row in enumerate(pairs)]
    labels = coyo_makers.write_labels(tmp_path / "labels.parquet", moved)
    annotations = read(source, labels=str(labels))
    assert labels_of(annotations) == {str(r["id"]): r["class"] for r in pairs}


def test_overwritten_sizes_mean_nothing(tmp_path, pairs):
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
def test_failures_are_counted_by_their_status_and_are_not_bad(tmp_path, kind, pairs):
    pairs[0] |= coyo_makers.LOST
    pairs[4] |= coyo_makers.LOST
    pairs[7] |= coyo_makers.SMALL
    source = coyo_makers.download(tmp_path / "in", kind, pairs)
    ledger = read(source).ledger
    assert ledger.skipped == {"failed_to_download": 2, "failed_to_resize": 1}
    assert (ledger.rows, ledger.bad_rows) == (7, 0)
    assert {
        "url": "https://example.com/7.jpg: image decoding error",
        "reason": "failed_to_resize",
    } in [{"url": e["value"], "reason": e["reason"]} for e in ledger.examples]


@pytest.mark.parametrize("digits", [3, 4, 5])
@pytest.mark.parametrize("kind", ["webdataset", "files"])
def test_keys_have_any_number_of_digits(tmp_path, kind, digits, pairs):
    source = coyo_makers.download(tmp_path, kind, pairs, shard=12, digits=digits)
    assert set(read(source).images) == set(ids(pairs))


def test_the_oldest_files_mode_has_numbers_for_keys(tmp_path, pairs):
    """Before 1.9.3: 00000/0000.jpg, and the number 0 as its key."""
    folder = tmp_path / "00000"
    folder.mkdir()
    table = []
    for number, row in enumerate(pairs):
        (folder / f"{number:04d}.jpg").write_bytes(makers.coded(makers.pixels(number)))
        (folder / f"{number:04d}.txt").write_text(row["text"])
        table.append({"url": row["url"], "key": number, "status": "success"})
    coyo_makers._table(tmp_path / "00000.parquet", table)
    assert len(read(tmp_path).images) == 10
    assert plain_key("00000") == plain_key(0) == "0" and plain_key("00120") == "120"


@pytest.mark.parametrize("kind", ["webdataset", "files"])
def test_without_the_parquet_file_the_json_files_do(tmp_path, kind, pairs):
    pairs[3] |= coyo_makers.LOST
    source = coyo_makers.download(tmp_path, kind, pairs)
    whole = read(source).images
    (tmp_path / "00000.parquet").write_bytes(b"PAR1 and no more")
    broken = read(source)
    assert broken.ledger.skipped == {"broken metadata": 1}
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


def test_entities_are_unescaped_and_half_surrogates_dropped(tmp_path, pairs):
    pairs[0]["text"] = "&lt;b&gt; &#39;x&#39; &eacute;&nbsp;&#128512; R&D &amp;amp;"
    source = coyo_makers.download(tmp_path, "webdataset", pairs[:1])
    half = rb'{"id": 1, "caption": "a \ud800 b"}'
    coyo_makers.write_tar(
        tmp_path / "00001.tar", [("1.jpg", b"x"), ("1.json", half), ("1.txt", b"c")]
    )
    images = read(source).images
    assert images[str(pairs[0]["id"])].captions == ["<b> 'x' é 😀 R&D &amp;"]
    assert images["1"].captions == ["a b"]


def test_the_likeliest_class_counts_if_it_is_likely_enough(tmp_path, pairs):
    for row, probability in zip(pairs, (0.4, 0.59, 0.61, 0.9)):
        row["probability"] = probability
    source = coyo_makers.download(tmp_path / "in", "parquet", pairs[:4])
    labels = coyo_makers.write_labels(tmp_path / "labels.parquet", pairs)
    annotations = read(source, labels=str(labels), label_threshold=0.6)
    assert set(annotations.images) == set(ids(pairs[2:4]))
    assert annotations.ledger.skipped == {"no class above 0.6": 2}
    assert len(read(source, labels=str(labels), label_threshold=0.0).images) == 4


def test_only_the_commonest_classes_are_kept(tmp_path, pairs):
    for row, name in zip(pairs, "5 5 5 4 4 4 3 3 2 1".split()):
        row["class"] = name
    source = coyo_makers.download(tmp_path / "in", "webdataset", pairs)
    labels = coyo_makers.write_labels(tmp_path / "labels.parquet", pairs)
    annotations = read(source, labels=str(labels), label_groups=3)
    assert annotations.label_names == ["3", "4", "5"]
    assert annotations.ledger.skipped == {"class not among the commonest": 2}
    assert annotations.ledger.bad_rows == 0


@pytest.mark.parametrize("column", ["id", "url", "key"])
def test_labels_can_come_from_a_table_of_ones_own(tmp_path, column, pairs):
    source = coyo_makers.download(tmp_path / "in", "webdataset", pairs)
    names = ["dog", "cat, big"]
    with open(tmp_path / "labels.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([column, "Class"])
        for number, row in enumerate(pairs[:8]):
            value = f"{number:09d}" if column == "key" else row[column]
            writer.writerow([value, names[number % 2]])
    annotations = read(source, labels=str(tmp_path / "labels.csv"))
    assert annotations.label_names == ["cat, big", "dog"]
    assert labels_of(annotations) == {
        str(row["id"]): names[number % 2] for number, row in enumerate(pairs[:8])
    }


def test_labels_that_were_saved_with_the_images_need_no_table(tmp_path, pairs):
    for row in pairs:
        row |= {"labels": [int(row["class"]), 3], "label_probs": [0.75, 0.1]}
    for kind in KINDS:
        source = coyo_makers.download(
            tmp_path / kind, kind, pairs, columns=("id", "labels", "label_probs")
        )
        wanted = {str(row["id"]): row["class"] for row in pairs}
        assert labels_of(read(source)) == wanted
        assert read(source, label_column="").label_names is None
    source = coyo_makers.download(tmp_path / "own", "files", pairs, columns=("class",))
    assert read(source, label_column="class").label_names == ["4945", "8087"]


@pytest.mark.parametrize(
    "text, message",
    [
        ("id,note\n1,x\n", "found id, note. Name the labels' column"),
        ("name,label\n1,x\n", "id or url or key"),
        ("id,label\n1,x\n", r"None of the 10 pairs .* has a class in .*10 × no label"),
    ],
)
def test_labels_that_fit_nothing_are_refused(tmp_path, pairs, text, message):
    source = coyo_makers.download(tmp_path / "in", "webdataset", pairs)
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read(source, labels=str(path))


def test_malformed_rows_of_a_table_of_labels_are_noted(tmp_path, pairs):
    source = coyo_makers.download(tmp_path / "in", "webdataset", pairs)
    lines = ["id,label", *(f"{name},x" for name in ids(pairs)), "1,2,3", "only"]
    path = makers.table(tmp_path, lines, "labels.csv")
    annotations = read(source, labels=str(path))
    assert annotations.label_names == ["x"] and len(annotations.images) == 10
    note = f"{path}: 2 malformed rows, as in lines [12, 13]"
    assert note in annotations.ledger.notes


def test_missing_and_unknown_label_files_are_named(tmp_path, pairs):
    source = coyo_makers.download(tmp_path / "in", "webdataset", pairs)
    (tmp_path / "empty").mkdir()
    for name in ("nowhere", "empty", "in/00000.tar"):
        with pytest.raises(UserError, match=f"--labels {tmp_path / name}"):
            DatasetSpec.of(
                DataConfig(
                    dataset="coyo",
                    source=str(source),
                    data_dir=str(tmp_path),
                    labels=str(tmp_path / name),
                )
            )


def test_equal_hashes_are_on_one_side(tmp_path):
    pairs = coyo_makers.rows(20)
    for number in range(0, 10, 2):  # five images under two urls each
        pairs[number + 1]["image_phash"] = pairs[number]["image_phash"]
    pairs[10]["seed"] = pairs[0]["seed"]  # byte-equal to one of the first two
    source = coyo_makers.download(tmp_path / "in", "webdataset", pairs)
    for seed in range(3):
        info = load(tmp_path, source, seed=seed, split=0.5).info
        train = {name in info["train_ids"] for name in ids([pairs[0]])}
        assert {n in info["train_ids"] for n in ids([pairs[1], pairs[10]])} == train
        for number in range(0, 10, 2):
            sides = {n in info["train_ids"] for n in ids(pairs[number : number + 2])}
            assert len(sides) == 1
        assert (info["train"], info["duplicates"]) == (10, 6)


def test_a_lost_hash_is_noted(tmp_path, pairs):
    source = coyo_makers.download(tmp_path, "webdataset", pairs, columns=("id",))
    assert any("no image_phash" in note for note in read(source).ledger.notes)


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


def test_a_sample_reads_on_until_enough_are_labelled(tmp_path):
    for shard in range(8):
        pairs = coyo_makers.rows(10, first=10 * shard)
        coyo_makers.download(tmp_path / "in", "parquet", pairs, shard)
    labels = coyo_makers.write_labels(
        tmp_path / "labels.parquet", coyo_makers.rows(80)[::4]
    )
    annotations = read(tmp_path / "in", labels=str(labels), sample=8)
    assert annotations.ledger.notes[0].startswith("read 4 of 8 shards")
    assert 8 < len(annotations.images) < 20


def test_the_sample_does_not_depend_on_the_number_of_cores(tmp_path, monkeypatch):
    for shard in range(6):
        pairs = coyo_makers.rows(5, first=5 * shard)
        coyo_makers.download(tmp_path, "webdataset", pairs, shard)
    chosen = []
    for count in (1, 4):
        monkeypatch.setattr("kerasgan.data.layouts.coyo.available_cores", lambda: count)
        chosen.append(list(read(tmp_path, sample=8).images))
    assert chosen[0] == chosen[1] and len(chosen[0]) == 10


def test_what_is_prepared_is_found_without_reading_a_shard(
    tmp_path, pairs, monkeypatch
):
    source = coyo_makers.download(tmp_path / "in", "webdataset", pairs)
    first = load(tmp_path, source)
    with monkeypatch.context() as patch:
        patch.setattr("kerasgan.data.layouts.coyo.read", lambda *_: pytest.fail("read"))
        again = load(tmp_path, source)
    assert again.was_prepared and again.info == first.info
    os.utime(source / "00000.tar", ns=(1, 1))
    assert not load(tmp_path, source).was_prepared


def hostile_tar(path: Path, pairs) -> None:
    """Members that lead out, link, lie about their size, and one that is good."""
    link = tarfile.TarInfo("000000001.jpg")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    hard = tarfile.TarInfo("000000002.jpg")
    hard.type, hard.linkname = tarfile.LNKTYPE, "../../secret.jpg"
    device = tarfile.TarInfo("000000003.jpg")
    device.type = tarfile.CHRTYPE
    image = makers.coded(makers.pixels(0))
    members = [("../../escape.jpg", image), ("/abs.jpg", image)]
    members += [link, hard, device, ("000000004.jpg", b""), ("000000005.jpg", b"words")]
    members += [("000000006.jpg", image), ("000000006.txt", b"a good one")]
    names = ["escape", "abs", *(f"{n:09d}" for n in range(1, 6))]
    members += [(f"{name}.txt", b"a text") for name in names]
    coyo_makers.write_tar(path, members)


def test_nothing_of_a_tar_leads_out_of_it(tmp_path):
    (tmp_path / "in").mkdir()
    makers.write_images(tmp_path, ["secret.jpg"])
    hostile_tar(tmp_path / "in" / "00000.tar", [])
    second = makers.coded(makers.pixels(9))
    coyo_makers.write_tar(
        tmp_path / "in" / "00001.tar",
        [("10.jpg", second), ("10.txt", b"another")],
    )
    info = load(tmp_path, tmp_path / "in", max_bad=0.9).info
    assert sorted(info["train_ids"] + info["test_ids"]) == ["00000/6", "00001/10"]
    assert info["skipped"] == {
        "outside the folder": 2,
        "not a file": 3,
        "empty file": 1,
        "not an image": 1,
    }
    assert not list(tmp_path.parent.glob("escape*"))


def test_a_forged_size_is_not_read(tmp_path, monkeypatch):
    pairs = coyo_makers.rows(3)
    source = coyo_makers.download(tmp_path, "webdataset", pairs)
    path = source / "00000.tar"
    with tarfile.open(path) as tar:
        last = [member for member in tar if member.name.endswith(".jpg")][-1]
    data = bytearray(path.read_bytes())
    header = tarfile.TarInfo(last.name)
    header.size = 1 << 40
    data[last.offset : last.offset + 512] = header.tobuf(tarfile.GNU_FORMAT)
    path.write_bytes(data)
    ledger = read(source).ledger
    assert ledger.skipped == {"file too large": 1, "broken shard": 1}
    header.size = len(data)
    data[last.offset : last.offset + 512] = header.tobuf(tarfile.GNU_FORMAT)
    path.write_bytes(data)
    assert read(source).ledger.skipped == {
        "truncated or damaged": 1,
        "broken shard": 1,
    }


def test_a_tar_that_leads_round_in_a_circle_ends(tmp_path):
    """CVE-2025-8194: a negative size leads back to the same header."""
    path = tmp_path / "00000.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for name in ("1.txt", "2.txt", "3.txt"):
            tar.addfile(tarfile.TarInfo(name))
        info = tarfile.TarInfo("1.jpg")
        info.pax_headers = {"size": "-2048"}  # from byte 3,072 back to 3.txt
        tar.addfile(info)
    with pytest.raises(UserError, match="1 × broken shard"):
        read(tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_broken_shards_are_named_and_the_others_read(tmp_path, kind, pairs):
    source = coyo_makers.download(tmp_path, kind, pairs)
    path = source / ("00001.parquet" if kind == "parquet" else "00001.tar")
    path.write_bytes(b"not at all" * 100)
    annotations = read(source)
    assert len(annotations.images) == 10
    assert annotations.ledger.skipped == {"broken shard": 1}
    assert annotations.ledger.examples[0]["file"] == str(path)


def test_what_stands_before_a_cut_is_read(tmp_path, pairs):
    source = coyo_makers.download(tmp_path, "webdataset", pairs)
    path = source / "00000.tar"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    ledger = read(source).ledger
    assert 2 <= len(read(source).images) <= 8
    assert "cut off" in str(ledger.examples) or "end of data" in str(ledger.examples)
    assert ledger.skipped["broken shard"] == 1
    assert ledger.skipped["missing"] + ledger.skipped["truncated or damaged"] >= 2
    with pytest.raises(UserError, match="rows are bad"):
        load(tmp_path, source)


def test_links_out_of_a_folder_are_not_followed(tmp_path, pairs):
    source = coyo_makers.download(tmp_path / "in", "files", pairs)
    makers.write_images(tmp_path, ["secret.jpg"], first_seed=99)
    (source / "00000" / "000000000.jpg").unlink()
    (source / "00000" / "000000000.jpg").symlink_to(tmp_path / "secret.jpg")
    info = load(tmp_path, source, max_bad=0.1).info
    assert info["skipped"] == {"outside the folder": 1}


def test_strange_metadata_ends_nothing(tmp_path):
    image = makers.coded(makers.pixels(0))
    strange = ["[1]", "{", "null", '{"id": {"a": 1}, "caption": ["x"]}', "[" * 9999]
    strange.append('{"caption": "x", "labels": [null, 1], "label_probs": ["a", 2]}')
    members = []
    for number, text in enumerate(strange):
        members += [(f"{number}.jpg", image), (f"{number}.json", text.encode())]
    members += [("9.jpg", image), ("9.txt", b"x" * (1 << 21))]
    coyo_makers.write_tar(tmp_path / "00000.tar", members)
    annotations = read(tmp_path)
    assert annotations.ledger.skipped == {"malformed row": 4, "no caption": 1}
    assert len(annotations.images) == 2


def test_an_id_twice_is_one_pair(tmp_path, pairs):
    coyo_makers.download(tmp_path, "webdataset", pairs)
    coyo_makers.download(tmp_path, "webdataset", pairs[:3], shard=1)
    annotations = read(tmp_path)
    assert len(annotations.images) == 10
    assert annotations.ledger.skipped == {"repeated row": 3}
    assert annotations.ledger.bad_rows == 0


def test_two_output_formats_side_by_side_are_the_same_pairs(tmp_path, pairs):
    for kind in ("webdataset", "files"):
        coyo_makers.download(tmp_path, kind, pairs)
    annotations = read(tmp_path)
    assert set(annotations.images) == set(ids(pairs))
    assert annotations.ledger.skipped == {"repeated row": 10}


def test_nothing_at_all_is_said_so(tmp_path):
    with pytest.raises(UserError, match="No COYO found .* 00000.tar"):
        read(tmp_path)
    with pytest.raises(UserError, match="does not exist"):
        read(tmp_path / "nowhere")


def test_the_command_takes_labels_and_prints_the_account(tmp_path, pairs):
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


def test_the_choice_of_rows_on_the_page_runs_as_it_stands(tmp_path):
    """The Python of docs/coyo.md, on parts in the published layouts."""
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
