"""Damaged and malicious shards."""

import tarfile
from pathlib import Path

import pytest

from kerasgan.errors import UserError
from tests.data import coyo_makers, makers
from tests.data.coyo_makers import KINDS, load, read


def write_malicious_tar(path: Path, pairs) -> None:
    """Writes members with unsafe paths, links, devices and no image, and a good one."""
    link = tarfile.TarInfo("000000001.jpg")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    hard = tarfile.TarInfo("000000002.jpg")
    hard.type, hard.linkname = tarfile.LNKTYPE, "../../secret.jpg"
    device = tarfile.TarInfo("000000003.jpg")
    device.type = tarfile.CHRTYPE
    image = makers.encoded(makers.pixels(0))
    members = [("../../escape.jpg", image), ("/abs.jpg", image)]
    members += [link, hard, device, ("000000004.jpg", b""), ("000000005.jpg", b"words")]
    members += [("000000006.jpg", image), ("000000006.txt", b"a good one")]
    names = ["escape", "abs", *(f"{n:09d}" for n in range(1, 6))]
    members += [(f"{name}.txt", b"a text") for name in names]
    coyo_makers.write_tar(path, members)


def test_tar_members_outside_the_folder_are_not_read(tmp_path):
    (tmp_path / "in").mkdir()
    makers.write_images(tmp_path, ["secret.jpg"])
    write_malicious_tar(tmp_path / "in" / "00000.tar", [])
    second = makers.encoded(makers.pixels(9))
    coyo_makers.write_tar(
        tmp_path / "in" / "00001.tar",
        [("10.jpg", second), ("10.txt", b"another")],
    )
    info = load(tmp_path, tmp_path / "in", max_bad=0.9).info
    assert sorted(info["train_ids"] + info["test_ids"]) == ["00000/6", "00001/10"]
    assert info["skipped"] == {
        "outside the image folder": 2,
        "not a regular file": 3,
        "empty file": 1,
        "not an image": 1,
    }
    assert not list(tmp_path.parent.glob("escape*"))


def test_forged_sizes_are_detected(tmp_path, monkeypatch):
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
    report = read(source).report
    assert report.skipped == {"file too large": 1, "broken shard": 1}
    header.size = len(data)
    data[last.offset : last.offset + 512] = header.tobuf(tarfile.GNU_FORMAT)
    path.write_bytes(data)
    assert read(source).report.skipped == {
        "truncated or damaged": 1,
        "broken shard": 1,
    }


def test_a_tar_with_a_loop_ends(tmp_path):
    """CVE-2025-8194: a negative size leads back to a previous header."""
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
def test_broken_shards_are_named_and_the_others_are_read(tmp_path, kind, pairs):
    source = coyo_makers.download(tmp_path, kind, pairs)
    path = source / ("00001.parquet" if kind == "parquet" else "00001.tar")
    path.write_bytes(b"not at all" * 100)
    annotations = read(source)
    assert len(annotations.images) == 10
    assert annotations.report.skipped == {"broken shard": 1}
    assert annotations.report.examples[0]["file"] == str(path)


def test_what_is_before_the_damage_is_read(tmp_path, pairs):
    source = coyo_makers.download(tmp_path, "webdataset", pairs)
    path = source / "00000.tar"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    report = read(source).report
    assert 2 <= len(read(source).images) <= 8
    assert "cut off" in str(report.examples) or "end of data" in str(report.examples)
    assert report.skipped["broken shard"] == 1
    assert report.skipped["missing image"] + report.skipped["truncated or damaged"] >= 2
    with pytest.raises(UserError, match="rows are bad"):
        load(tmp_path, source)


def test_links_out_of_a_folder_are_not_followed(tmp_path, pairs):
    source = coyo_makers.download(tmp_path / "in", "files", pairs)
    makers.write_images(tmp_path, ["secret.jpg"], first_seed=99)
    (source / "00000" / "000000000.jpg").unlink()
    (source / "00000" / "000000000.jpg").symlink_to(tmp_path / "secret.jpg")
    info = load(tmp_path, source, max_bad=0.1).info
    assert info["skipped"] == {"outside the image folder": 1}


def test_malformed_metadata_are_skipped(tmp_path):
    image = makers.encoded(makers.pixels(0))
    malformed = ["[1]", "{", "null", '{"id": {"a": 1}, "caption": ["x"]}', "[" * 9999]
    malformed.append('{"caption": "x", "labels": [null, 1], "label_probs": ["a", 2]}')
    members = []
    for number, text in enumerate(malformed):
        members += [(f"{number}.jpg", image), (f"{number}.json", text.encode())]
    members += [("9.jpg", image), ("9.txt", b"x" * (1 << 21))]
    coyo_makers.write_tar(tmp_path / "00000.tar", members)
    annotations = read(tmp_path)
    assert annotations.report.skipped == {"malformed row": 4, "missing caption": 1}
    assert len(annotations.images) == 2
