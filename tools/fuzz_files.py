"""Files of users for `tools/fuzz.py`: images, captions, recipes and predictions."""

import contextlib
import json
import os
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow as tf
from fuzz_datasets import (
    CAPTIONS,
    COCO,
    CSV,
    KARPATHY,
    ROWS,
    Target,
    image_bytes,
    json_lines,
    write,
)

from kerasgan.config.recipes import read_assignment, read_recipe, resolve
from kerasgan.config.settings import DataConfig
from kerasgan.data.images import BadImage, read_square_image, strict_pillow
from kerasgan.data.read_report import ReadReport
from kerasgan.errors import UserError
from kerasgan.evaluation.annotation_files import read_annotated_rows
from kerasgan.inference.caption_files import read_captions
from kerasgan.training.workers import read_tf_config

# Images -------------------------------------------------------------------------


def read_image(path: Path) -> np.ndarray | None:
    """Decodes an image for training; None if it is refused."""
    with strict_pillow():
        try:
            return read_square_image(path.read_bytes(), 8, "crop")
        except BadImage:
            return None


def write_images(root: Path) -> None:
    """An image in each format."""
    for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "JPEG2000"):
        write(root / f"a.{kind.lower()}", image_bytes(kind))
    write(root / "b.jpeg", image_bytes("JPEG", exif=b"Exif\0\0II*\0" + b"\0" * 8))
    write(root / "b.png", image_bytes("PNG", transparency=(0, 1, 2)))


def read_images(root: Path) -> None:
    """Decodes every image."""
    if any(read_image(path) is None for path in sorted(root.iterdir())):
        raise UserError("not an image")


@tf.function(input_signature=[tf.TensorSpec((None,), tf.string)])
def _decode(files):
    from kerasgan.export.graph_image_decoder import decode_square_images

    return decode_square_images(files, 8, "crop")


def write_decoded(root: Path) -> None:
    """An image in each format that exports read."""
    for kind in ("PNG", "JPEG", "GIF", "BMP"):
        write(root / f"a.{kind.lower()}", image_bytes(kind))


def read_decoded(root: Path) -> None:
    """Compares the decoder of exports with that of training.

    An export may refuse what Pillow reads, and read damaged GIFs and BMPs that Pillow
    refuses (docs/export.md), but what both read has the same pixels.
    """
    paths = sorted(root.iterdir())
    images, is_valid = _decode([path.read_bytes() for path in paths])
    for path, image, valid in zip(paths, images.numpy(), is_valid.numpy(), strict=True):
        expected = read_image(path)
        if valid and expected is None and path.suffix not in (".gif", ".bmp"):
            raise AssertionError(f"only TensorFlow reads {path.name}")
        if (
            valid
            and expected is not None
            and np.abs(image - expected.astype(int)).max() > 2
        ):
            raise AssertionError(f"{path.name} has other pixels")
    if not is_valid.numpy().all():
        raise UserError("not an image")


# Captions, recipes and environment ----------------------------------------------

RECIPE = """\
# A recipe
data: {dataset: scenes, num_images: 40, missing_values: [NaN, "null"]}
gan:
  latent_dim: 8
  r1: 1e-3
  augmentation: [color, cutout]
training: {epochs: 2, minutes: null, seed: 7}
"""
CLUSTER = {
    "cluster": {"worker": ["a.example:1", "b.example:2"]},
    "task": {"type": "worker", "index": 0},
}


def read_yaml(root: Path) -> None:
    """Reads a recipe and resolves it; its end is also the value of an assignment."""
    text = (root / "recipe.yaml").read_bytes().decode(errors="replace")
    with contextlib.suppress(UserError):
        resolve(None, dict([read_assignment(f"gan.r1={text[-200:]}")]))
    resolve(read_recipe(root / "recipe.yaml"))


def read_environment(root: Path) -> None:
    """Reads `TF_CONFIG`."""
    text = (root / "config.json").read_bytes().decode(errors="replace")
    with mock.patch.dict(os.environ, TF_CONFIG=text.replace("\0", "")):
        read_tf_config()


# Predictions and references -----------------------------------------------------


def write_references(root: Path) -> None:
    """Predictions and references in the formats of other systems."""
    captions = [{"image_id": n, "caption": text} for n, text in enumerate(CAPTIONS)]
    write(root / "results.json", json.dumps(captions))
    write(root / "captions.json", json.dumps(COCO))
    write(root / "karpathy.json", json.dumps(KARPATHY))
    write(root / "plain.json", json.dumps({"1.jpg": CAPTIONS, "2.jpg": "a dog"}))
    write(root / "table.csv", CSV)
    write(root / "table.jsonl", json_lines(ROWS))


def read_references(root: Path) -> None:
    """Reads every file in each of the roles that it can have."""
    for path in sorted(root.iterdir()):
        for is_prediction in (False, True):
            report, config = ReadReport(), DataConfig(dataset="table")
            rows = read_annotated_rows(path, config, report, is_prediction, ["red"])
            rows.group(report)


def single_file(name: str, text: str, read) -> Target:
    """Returns a target of one file, whose path the reader gets."""
    return Target(
        lambda root: write(root / name, text), lambda root: read(str(root / name))
    )


FILES = {
    "images": Target(write_images, read_images),
    "decoders": Target(write_decoded, read_decoded),
    "captions-text": single_file("captions.txt", "\n".join(CAPTIONS), read_captions),
    "captions-table": single_file("captions.csv", CSV, read_captions),
    "recipe": Target(lambda root: write(root / "recipe.yaml", RECIPE), read_yaml),
    "workers": Target(
        lambda root: write(root / "config.json", json.dumps(CLUSTER)), read_environment
    ),
    "predictions-references": Target(write_references, read_references),
}
