"""Data sets for `tools/fuzz.py`: a function that writes, and one that reads."""

import contextlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow
import pyarrow.parquet
from PIL import Image

from kerasgan.config.settings import DataConfig
from kerasgan.data.image_sources import FileImages
from kerasgan.data.images import BadImage, strict_pillow
from kerasgan.data.layouts import read_annotations
from kerasgan.data.shard_images import ShardImages


class Target(NamedTuple):
    """A reader.

    Attributes:
        write: writes a valid source into a folder.
        read: reads the folder.
        damaged: patterns of the files that are damaged.
    """

    write: Callable[[Path], Any]
    read: Callable[[Path], Any]
    damaged: tuple[str, ...] = ("*",)


NAMES = ("1.jpg", "2.jpg")
CAPTIONS = ("A dog, runs .", 'a "red" boat')


def image_bytes(kind: str = "PNG", size: int = 8, **options: Any) -> bytes:
    """Returns a small image file with many colors."""
    array = np.arange(size * size * 3, dtype=np.uint8).reshape(size, size, 3)
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind, **options)
    return buffer.getvalue()


def write(path: Path, content: str | bytes) -> None:
    """Writes a file and its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def with_images(text: str, name: str) -> Callable[[Path], None]:
    """Returns a function that writes annotations beside a folder with `NAMES`."""

    def write_source(root):
        for image in NAMES:
            write(root / "images" / image, image_bytes())
        write(root / name, text)

    return write_source


def dataset(name: str, file: str = "", in_shards: bool = False, **settings: Any):
    """Returns a function that reads annotations, and then every image."""

    def read(root):
        config = DataConfig(dataset=name, image_size=8, max_bad=1.0, **settings)
        source = root / file
        if in_shards:
            from kerasgan.data.layouts.shard_members import _read_row_group

            _read_row_group.cache_clear()  # of another file with this name
            images: Any = ShardImages(config, source)
        else:
            images = FileImages(read_annotations(config, source), config)
        images.state()
        with strict_pillow():
            for image in images.ids:
                with contextlib.suppress(BadImage):
                    images.load(image)

    return read


KARPATHY = {
    "images": [
        {
            "filename": name,
            "filepath": "images",
            "split": split,
            "sentences": [{"raw": text} for text in CAPTIONS],
        }
        for name, split in zip(NAMES, ("train", "test"), strict=True)
    ]
}
COCO = {
    "images": [{"id": n, "file_name": name} for n, name in enumerate(NAMES)],
    "annotations": [
        {"image_id": n, "id": 2 * n + k, "caption": text}
        for n in range(2)
        for k, text in enumerate(CAPTIONS)
    ],
}
ROWS = [
    {"image": f"images/{name}", "caption": text, "label": label}
    for name, text, label in zip(NAMES, CAPTIONS, ("cat", "3"), strict=True)
]
COMMA = 'image,caption\n1.jpg,a dog\n1.jpg,"a ""red"" dog"\n2.jpg,a boat\n'
CSV = 'image,caption,label\nimages/1.jpg,"a, dog",cat\nimages/2.jpg,a boat,dog\n'
PIPE = "image_name| comment_number| comment\n1.jpg| 0| a dog\n2.jpg| 0   a boat\n"
TOKENS = "1.jpg#0\ta dog\n1.jpg#1\ta red dog\n2.jpg#0\ta boat\n"
RAW = (
    "raw,sentids,split,filename,img_id\n"
    '"[""a dog"", ""a red dog""]",[0],train,1.jpg,0\n'
    '"[""a boat""]",[1],test,2.jpg,1\n'
)


def json_lines(rows: list[dict]) -> str:
    """Returns a line of JSON for each row."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def write_entities(root: Path) -> None:
    """Flickr30k Entities."""
    with_images("1\n", "train.txt")(root)
    write(root / "test.txt", "2\n")
    for name in ("1", "2"):
        text = f"[/EN#12/animals A dog] on [/EN#0/notvisual a day] {name}\n"
        write(root / f"Sentences/{name}.txt", text)


def write_flickr8k(root: Path) -> None:
    """Flickr8k's token file and lists."""
    with_images(TOKENS, "Flickr8k.token.txt")(root)
    write(root / "Flickr_8k.trainImages.txt", "1.jpg\n")
    write(root / "Flickr_8k.testImages.txt", "2.jpg\n")


def write_parquet(path: Path, rows: list[dict], metadata: dict | None = None) -> None:
    """Writes a Parquet file."""
    table = pyarrow.Table.from_pylist(rows)
    if metadata:
        table = table.replace_schema_metadata({"huggingface": json.dumps(metadata)})
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(table, path, row_group_size=1)


def write_table_parquet(root: Path) -> None:
    """A table that names images."""
    with_images("", "empty")(root)
    write_parquet(root / "table.parquet", ROWS)


def write_embedded(root: Path) -> None:
    """Hugging Face's Parquet with images and numbered classes."""
    rows = [
        {"image": {"bytes": image_bytes(), "path": name}, "text": text, "label": n}
        for n, (name, text) in enumerate(zip(NAMES, CAPTIONS, strict=True))
    ]
    features = {"label": {"_type": "ClassLabel", "names": ["cat", "dog"]}}
    metadata = {"info": {"features": features}}
    write_parquet(root / "data/train-00000.parquet", rows, metadata)


def write_embedded_lists(root: Path) -> None:
    """Parquet with several images in a row."""
    image = {"bytes": image_bytes(), "path": None}
    rows = [
        {"images": [image] * count + [None], "text": text}
        for count, text in enumerate(CAPTIONS, start=1)
    ]
    write_parquet(root / "data/lists.parquet", rows)


def write_tar(path: Path, members: dict[str, bytes]) -> None:
    """Writes a tar file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def write_webdataset(root: Path) -> None:
    """A tar file with texts, classes and JSON."""
    members = {}
    for number, text in enumerate(CAPTIONS):
        record = json.dumps({"caption": text, "label": "cat"}).encode()
        members |= {f"a/{number}.png": image_bytes(), f"a/{number}.json": record}
        members |= {f"a/{number}.txt": text.encode(), f"a/{number}.cls": b"1"}
    write_tar(root / "x-train-000000.tar", members)


COYO = [
    {"key": f"{n:09}", "id": n, "url": f"https://a.example/{n}", "caption": text}
    | {"status": "success", "error_message": None, "image_phash": "c9" * 8}
    for n, text in enumerate(CAPTIONS)
]


def write_coyo(root: Path) -> None:
    """What img2dataset writes: a tar file, and Parquet beside it or with images."""
    members = {}
    for row in COYO:
        members |= {f"{row['key']}.jpg": image_bytes("JPEG")}
        members |= {f"{row['key']}.json": json.dumps(row).encode()}
        members |= {f"{row['key']}.txt": str(row["caption"]).encode()}
    write_tar(root / "00000.tar", members)
    write_parquet(root / "00000.parquet", COYO)
    rows = [row | {"jpg": image_bytes("JPEG")} for row in COYO]
    write_parquet(root / "00001.parquet", rows)


def write_labels(root: Path) -> None:
    """COYO with COYO-Labeled-300M."""
    write_coyo(root / "source")
    labels = {"labels": [7, 9], "label_probs": [0.8, 0.1]}
    rows = [{"id": row["id"], "url": row["url"], **labels} for row in COYO]
    write_parquet(root / "labels/part.parquet", rows)


def read_labels(root: Path) -> None:
    """Reads COYO with labels."""
    settings = {"labels": str(root / "labels"), "label_groups": 2}
    dataset("coyo", "source", in_shards=True, **settings)(root)


def write_texts(root: Path) -> None:
    """Class folders with texts beside images."""
    for folder, text in zip(("cat", "dog"), CAPTIONS, strict=True):
        write(root / folder / "1.png", image_bytes())
        write(root / folder / "1.txt", text)


def annotated(name: str, file: str, text: str, **settings: Any) -> Target:
    """Returns a target with one file of annotations."""
    read = dataset(name, file if name == "table" else "", **settings)
    return Target(with_images(text, file), read, (Path(file).name,))


DATASETS = {
    "flickr30k-pipe": annotated("flickr30k", "results.csv", PIPE),
    "flickr30k-comma": annotated("flickr30k", "captions.txt", COMMA),
    "flickr30k-token": annotated("flickr30k", "a.token", TOKENS),
    "flickr30k-karpathy": annotated(
        "flickr30k", "dataset_flickr30k.json", json.dumps(KARPATHY)
    ),
    "flickr30k-huggingface": annotated("flickr30k", "flickr_annotations_30k.csv", RAW),
    "flickr30k-entities": Target(write_entities, dataset("flickr30k"), ("*.txt",)),
    "flickr8k": Target(write_flickr8k, dataset("flickr8k"), ("*.txt",)),
    "csv": annotated("table", "table.csv", CSV),
    "tsv": annotated("table", "table.tsv", CSV.replace(",", "\t")),
    "jsonl": annotated("table", "table.jsonl", json_lines(ROWS)),
    "parquet": Target(
        write_table_parquet, dataset("table", "table.parquet"), ("*.parquet",)
    ),
    "parquet-images": Target(
        write_embedded, dataset("table", "data", in_shards=True), ("*.parquet",)
    ),
    "parquet-lists": Target(
        write_embedded_lists, dataset("table", "data", in_shards=True), ("*.parquet",)
    ),
    "coco": annotated("coco", "annotations/captions_val2017.json", json.dumps(COCO)),
    "coco-karpathy": annotated("coco", "dataset_coco.json", json.dumps(KARPATHY)),
    "webdataset": Target(write_webdataset, dataset("webdataset", in_shards=True)),
    "coyo": Target(write_coyo, dataset("coyo", in_shards=True)),
    "coyo-labels": Target(write_labels, read_labels, ("part.parquet",)),
    "folder-texts": Target(write_texts, dataset("folder")),
    "folder-metadata": annotated(
        "folder",
        "images/metadata.jsonl",
        json_lines([{"file_name": name, "text": name} for name in NAMES]),
    ),
}
