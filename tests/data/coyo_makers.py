"""Writes COYO as it is published, and as img2dataset 1.47 downloads it."""

import io
import json
import tarfile
from pathlib import Path

import pyarrow
import pyarrow.parquet

from kerasgan.config.settings import DataConfig
from kerasgan.data import load_data
from kerasgan.data.layouts import read_annotations
from tests.data import makers

DOWNLOAD_ERROR = {
    "status": "failed_to_download",
    "error_message": "HTTP Error 404: Not Found",
}
RESIZE_ERROR = {"status": "failed_to_resize", "error_message": "image decoding error"}
CLASSES = ("8087", "4945", "12352")
KINDS = ("webdataset", "files", "parquet")


def read(source: Path, **settings):
    return read_annotations(DataConfig(dataset="coyo", **settings), source)


def load(tmp_path: Path, source: Path, **settings):
    settings = {"image_size": 16, "data_dir": str(tmp_path / "out")} | settings
    config = DataConfig(dataset="coyo", source=str(source), **settings)
    return load_data(config, progress=False)


def labels_by_id(annotations) -> dict[str, str]:
    return {name: image.label for name, image in annotations.images.items()}


def ids(pairs: list[dict]) -> list[str]:
    return [str(row["id"]) for row in pairs]


def rows(count: int, first: int = 0) -> list[dict]:
    """Rows of COYO-700M with some of its columns; `class` is used for the labels."""
    return [
        {
            "id": 4896263451343 + number,
            "url": f"https://example.com/{number}.jpg",
            "text": f"Valentine&#39;s day &amp; roses, number {number}",
            "width": 1000,
            "height": 800,
            "image_phash": f"{0xC9B6A7D8469C0000 + number:016x}",
            "clip_similarity_vitb32": 0.25,
            "class": CLASSES[number % 2],
            "seed": number,
        }
        for number in range(first, first + count)
    ]


def write_coyo(path: Path, pairs: list[dict]) -> Path:
    """Writes a part of COYO-700M: metadata without images."""
    path.parent.mkdir(parents=True, exist_ok=True)
    private = ("class", "seed", "status", "error_message", "probability")
    table = [{k: v for k, v in row.items() if k not in private} for row in pairs]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(table), path)
    return path


def write_labels(path: Path, pairs: list[dict]) -> Path:
    """Writes a part of COYO-Labeled-300M; the most probable class is first."""
    table = [
        {
            "id": row["id"],
            "url": row["url"],
            "imagehash": row["image_phash"],
            "labels": [int(row["class"]), 11, 12],
            "label_probs": [row.get("probability", 0.75), 0.1, 0.05],
            "width": 500,
            "height": 400,
        }
        for row in pairs
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(
        pyarrow.Table.from_pylist(table), path, row_group_size=7
    )
    return path


def download(
    root: Path,
    kind: str,
    pairs: list[dict],
    shard: int = 0,
    columns: tuple[str, ...] = ("id", "image_phash"),
    digits: int = 4,
    caption_column: str | None = "text",
) -> Path:
    """Writes what `img2dataset --output_format KIND` writes for one shard.

    Args:
        columns: --save_additional_columns; `width` and `height` could be among them.
        digits: of a row's number in its key: 4 for 10,000 samples a shard.
    """
    root.mkdir(parents=True, exist_ok=True)
    samples = []
    for index, row in enumerate(pairs):
        metadata = {column: row[column] for column in columns}
        if caption_column:
            metadata["caption"] = row[caption_column]
        failed = row.get("status", "success") != "success"
        metadata |= {
            "url": row["url"],
            "key": f"{shard * 10**digits + index:0{digits + 5}d}",
            "status": row.get("status", "success"),
            "error_message": row.get("error_message"),
            "width": None if failed else 48,
            "height": None if failed else 40,
            "original_width": None if failed else row["width"],
            "original_height": None if failed else row["height"],
            "exif": None if failed else "{}",
            "sha256": None if failed else "0" * 64,
        }
        image = None if failed else makers.encoded(makers.pixels(row["seed"]))
        samples.append((metadata, image))
    samples = samples[1::2] + samples[::2]  # the order in which downloads ended
    {"webdataset": _tar, "files": _files, "parquet": _parquet}[kind](
        root / f"{shard:05d}", samples
    )
    stats = {
        "count": len(samples),
        "successes": sum(image is not None for _, image in samples),
    }
    (root / f"{shard:05d}_stats.json").write_text(json.dumps(stats))
    return root


def files_of(metadata: dict, image: bytes) -> dict[str, bytes]:
    """Returns the files of one sample by extension, in webdataset's order."""
    files = {"jpg": image, "json": json.dumps(metadata, indent=4).encode()}
    if "caption" in metadata:
        files["txt"] = str(metadata["caption"]).encode()
    return files


def write_metadata(path: Path, rows: list[dict]) -> None:
    table = pyarrow.Table.from_pylist(rows)
    pyarrow.parquet.write_table(table, path, row_group_size=100)


def _tar(path: Path, samples) -> None:
    write_metadata(path.with_suffix(".parquet"), [metadata for metadata, _ in samples])
    members = [
        (f"{metadata['key']}.{extension}", data)
        for metadata, image in samples
        if image is not None
        for extension, data in files_of(metadata, image).items()
    ]
    write_tar(path.with_suffix(".tar"), members)


def write_tar(path: Path, members) -> Path:
    """Writes a tar file of (name, bytes), or of TarInfo without data."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
                continue
            name, data = member
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o444
            tar.addfile(info, io.BytesIO(data))
    return path


def _files(path: Path, samples) -> None:
    write_metadata(path.with_suffix(".parquet"), [metadata for metadata, _ in samples])
    path.mkdir()
    for metadata, image in samples:
        for extension, data in files_of(metadata, image).items() if image else ():
            (path / f"{metadata['key']}.{extension}").write_bytes(data)


def _parquet(path: Path, samples) -> None:
    table = [metadata | {"jpg": image} for metadata, image in samples]
    write_metadata(path.with_suffix(".parquet"), table)
