"""Draws small images and writes small data sets for the tests."""

import io
import json
from pathlib import Path

import numpy as np
from PIL import Image


def pixels(seed: int, width: int = 48, height: int = 40) -> np.ndarray:
    """A smooth, colored image that is different for every seed; uint8 RGB."""
    corners = np.random.default_rng(seed).integers(0, 256, (2, 2, 3), dtype=np.uint8)
    image = Image.fromarray(corners).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image)


def encoded(array: np.ndarray, kind: str = "JPEG", **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind, **options)
    return buffer.getvalue()


def write_images(folder: Path, names, first_seed: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(names, start=first_seed):
        (folder / name).write_bytes(encoded(pixels(seed)))


def names(count: int) -> list[str]:
    return [f"{1000 + index}.jpg" for index in range(count)]


def captions(name: str) -> list[str]:
    return [f'A "quoted" dog, number {n} of {name} .' for n in range(5)]


def kaggle_30k(root: Path, count: int = 10) -> Path:
    """Kaggle's layout with a row that has lost its delimiter."""
    folder = root / "flickr30k_images"
    write_images(folder / "flickr30k_images", names(count))
    rows = ["image_name| comment_number| comment"]
    for name in names(count):
        rows += [f"{name}| {n}| {text}" for n, text in enumerate(captions(name))]
    rows[-1] = rows[-1].replace("| 4| ", "| 4   ")
    (folder / "results.csv").write_text("\n".join(rows) + "\n")
    return root


def token_30k(root: Path, count: int = 10) -> Path:
    write_images(root / "flickr30k-images", names(count))
    rows = [
        f"{name}#{n}\t{text}"
        for name in names(count)
        for n, text in enumerate(captions(name))
    ]
    (root / "results_20130124.token").write_text("\n".join(rows) + "\n")
    return root


SPLITS = ["train"] * 6 + ["val"] * 2 + ["test"] * 2


def names_in(split: str) -> list[str]:
    pairs = zip(names(10), SPLITS, strict=True)
    return [name for name, name_split in pairs if name_split == split]


def karpathy_30k(root: Path) -> Path:
    write_images(root / "flickr30k-images", names(10))
    images = [
        {
            "filename": name,
            "split": split,
            "sentences": [{"raw": text, "tokens": []} for text in captions(name)],
        }
        for name, split in zip(names(10), SPLITS, strict=True)
    ]
    text = json.dumps({"dataset": "flickr30k", "images": images})
    (root / "dataset_flickr30k.json").write_text(text)
    return root


def hugging_face_30k(root: Path) -> Path:
    write_images(root / "flickr30k-images", names(10))
    rows = ["raw,sentids,split,filename,img_id"]
    examples = zip(names(10), SPLITS, strict=True)
    for index, (name, split) in enumerate(examples):
        raw = json.dumps(captions(name)).replace('"', '""')
        rows.append(f'"{raw}","[0, 1]",{split},{name},{index}')
    (root / "flickr_annotations_30k.csv").write_text("\n".join(rows) + "\n")
    return root


def entities_30k(root: Path) -> Path:
    write_images(root / "flickr30k-images", names(10))
    (root / "Sentences").mkdir()
    for name in names(10):
        text = "\n".join(
            f"[/EN#12/animals A big dog] on [/EN#0/notvisual a day] , number {n} ."
            for n in range(5)
        )
        (root / "Sentences" / name.replace("jpg", "txt")).write_text(text + "\n")
    for split in ("train", "val", "test"):
        ids = [name.removesuffix(".jpg") for name in names_in(split)]
        (root / f"{split}.txt").write_text("\n".join(ids) + "\n")
    return root


def original_8k(root: Path) -> Path:
    """The token file with an unlisted image, and the three lists of images."""
    write_images(root / "Flicker8k_Dataset", names(10))
    unlisted = "2258277193_586949ec62.jpg.1"
    rows = [
        f"{name}#{n}\t{text}"
        for name in [*names(10), unlisted]
        for n, text in enumerate(captions(name))
    ]
    (root / "Flickr8k.token.txt").write_text("\n".join(rows) + "\n")
    for split, file in (("train", "train"), ("val", "dev"), ("test", "test")):
        path = root / f"Flickr_8k.{file}Images.txt"
        path.write_text("\n".join(names_in(split)[:5]) + "\n")
    return root


def kaggle_8k(root: Path) -> Path:
    write_images(root / "Images", names(10))
    rows = ["image,caption"]
    for name in names(10):
        for text in captions(name):
            quoted = text.replace('"', '""')
            rows.append(f'{name},"{quoted}"')
    (root / "captions.txt").write_text("\n".join(rows) + "\n")
    return root


def table(root: Path, rows: list[str], name: str = "table.csv") -> Path:
    root.mkdir(parents=True, exist_ok=True)
    path = root / name
    path.write_text("\n".join(rows) + "\n")
    return path
