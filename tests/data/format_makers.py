"""Writes data sets in the usual file formats for the tests."""

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


def read(dataset: str, source: Path, **settings):
    return read_annotations(DataConfig(dataset=dataset, **settings), source)


def load(dataset: str, source: Path, out: Path, **settings):
    settings = {"image_size": 16, "data_dir": str(out), "max_bad": 0.5} | settings
    config = DataConfig(dataset=dataset, source=str(source), **settings)
    return load_data(config, progress=False)


def contents(annotations) -> dict[str, tuple]:
    """Captions, label and split of each image."""
    return {
        name: (image.captions, image.label, image.split)
        for name, image in annotations.images.items()
    }


def image(seed: int, kind: str = "JPEG") -> bytes:
    return makers.encoded(makers.pixels(seed), kind)


def class_folders(root: Path) -> Path:
    for seed, name in enumerate(["10/a.jpg", "10/deep/b.png", "9/c.jpg", "9/d.jpg"]):
        makers.write_images(root / Path(name).parent, [Path(name).name], seed)
    return root


def texts_beside(root: Path, count: int = 6) -> Path:
    makers.write_images(root, makers.names(count))
    for name in makers.names(count):
        text = "\n".join(makers.captions(name)[:2])
        (root / name).with_suffix(".txt").write_text(text + "\n")
    return root


def hugging_face_folder(root: Path, suffix: str = ".jsonl") -> Path:
    """Metadata in the folders of two splits."""
    for split, first in (("train", 0), ("test", 3)):
        names = makers.names(6)[first : first + 3]
        makers.write_images(root / split, names, first)
        records = [{"file_name": name, "text": f"a {name}"} for name in names]
        lines = [json.dumps(record) for record in records]
        if suffix == ".csv":
            lines = ["file_name,text", *(f"{name},a {name}" for name in names)]
        makers.table(root / split, lines, f"metadata{suffix}")
    return root


def coco_2017(root: Path) -> Path:
    """Four training and two validation images, with two captions each."""
    for split, numbers in (("train", range(4)), ("val", range(4, 6))):
        names = {number: f"{number:012d}.jpg" for number in numbers}
        makers.write_images(root / f"{split}2017", names.values(), numbers[0])
        write_captions(root / f"annotations/captions_{split}2017.json", names)
    (root / "annotations/instances_val2017.json").write_text("{}")
    return root


def write_captions(path: Path, names: dict[int, str], more: tuple = ()) -> None:
    annotations = [
        {"image_id": number, "id": 10 * number + n, "caption": f"{number} and {n}"}
        for number in names
        for n in range(2)
    ]
    images = [{"id": number, "file_name": name} for number, name in names.items()]
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"images": images, "annotations": [*annotations, *more]}
    path.write_text(json.dumps(content))


def karpathy_coco(root: Path) -> Path:
    images = []
    splits = ("train", "restval", "val", "test")
    for number, split in enumerate(splits):
        folder = "train2014" if split == "train" else "val2014"
        name = f"COCO_{folder}_{number:012d}.jpg"
        makers.write_images(root / "images" / folder, [name], number)
        sentences = [{"raw": text} for text in makers.captions(name)]
        images.append(
            {
                "filepath": folder,
                "filename": name,
                "split": split,
                "sentences": sentences,
            }
        )
    (root / "dataset_coco.json").write_text(json.dumps({"images": images}))
    return root


def write_tar(path: Path, members: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def web_dataset(root: Path, count: int = 3) -> Path:
    """Two tar files of a training and a test split."""
    for number, split in enumerate(("train", "test")):
        members = {}
        for row in range(count):
            seed = count * number + row
            members |= {
                f"a/{row}.jpg": image(seed),
                f"a/{row}.txt": f"one {seed}\ntwo {seed}".encode(),
                f"a/{row}.cls": b"%d\n" % (row % 2),
            }
        write_tar(root / f"x-{split}-000000.tar", members)
    return root


def embedded(path: Path, images, metadata: dict | None = None, /, **columns) -> Path:
    """Writes Parquet with several row groups."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = columns if images is None else {"image": images, **columns}
    table = pyarrow.table(columns)
    if metadata:
        table = table.replace_schema_metadata({"huggingface": json.dumps(metadata)})
    pyarrow.parquet.write_table(table, path, row_group_size=2)
    return path


def hugging_face_parquet(root: Path) -> Path:
    """What `datasets` writes: structs, numbered classes, and files by split."""
    names = ["cat", "dog"]
    features = {"label": {"_type": "ClassLabel", "names": names}}
    for split, first in (("train", 0), ("test", 3)):
        images = [
            {"bytes": image(seed), "path": f"{seed}.jpg"}
            for seed in range(first, first + 3)
        ]
        embedded(
            root / "data" / f"{split}-00000-of-00001.parquet",
            images,
            {"info": {"features": features}},
            text=[f"number {seed}" for seed in range(first, first + 3)],
            label=[0, 1, 0],
        )
    return root
