"""Example inputs, with which an export is verified."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from kerasgan.data.file_names import is_hidden
from kerasgan.data.images import (
    BadImage,
    decode_image,
    read_image_file,
    read_square_image,
    strict_pillow,
)
from kerasgan.data.label_words import mask_label_words
from kerasgan.data.scenes import draw_scene
from kerasgan.errors import UserError
from kerasgan.export.endpoints import Stage
from kerasgan.layers.text_vectorization import get_vocabulary, tokenize

NUM_DRAWN_IMAGES = 8  # if no images are given
MAX_IMAGES = 100  # of those that are given
INVALID_IMAGE = b"no image"
SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".bmp")  # formats that exports decode
EDGE_CASE_CAPTIONS = (
    "",
    "A Dog, running: 3 times!",
    "zzz qqq",
    "犬が走る",
    "fish &amp; caf&eacute;",
)


@dataclass(frozen=True)
class ExampleInputs:
    """The example inputs of one stage, n rows each.

    Attributes:
        files: the bytes of n image files; empty bytes for a missing image.
        images: uint8 `(n, size, size, 3)`, decoded by Pillow as for training; None if
            the stage takes no images.
        captions: n strings.
        token_ids: int32 `(n, length)`; None if the stage takes no text.
        noise: float32 `(n, latent_dim)`; None if the stage takes no noise.
    """

    files: list[bytes]
    images: np.ndarray | None
    captions: list[str]
    token_ids: np.ndarray | None
    noise: np.ndarray | None


def read_image_files(path: str | Path | None = None) -> list[bytes]:
    """Reads the image files with which an export is verified.

    Args:
        path: a file, or a folder of which the first 100 images by name are read; None
            to draw images instead.

    Returns:
        The bytes of each file.

    Raises:
        UserError: there are no images, or a file is not an image.
    """
    if path is None:
        return [_draw_image_file(number) for number in range(NUM_DRAWN_IMAGES)]
    path = Path(path).expanduser().absolute()
    if not path.exists():
        raise UserError(f"There are no images at {path}.")
    paths = [path]
    if path.is_dir():
        paths = [
            file
            for file in path.iterdir()
            if file.suffix.lower() in SUFFIXES and not is_hidden(file.name)
        ]
    if not paths:
        raise UserError(
            f"There are no images in {path}. Supported: {', '.join(SUFFIXES)}."
        )
    files = []
    with strict_pillow():
        for file in sorted(paths)[:MAX_IMAGES]:
            try:
                files.append(read_image_file(file))
                decode_image(files[-1])
            except BadImage as error:
                raise UserError(f"{file}: {error}.") from None
    return files


def build_example_inputs(
    stage: Stage, files: list[bytes], include_missing: bool = False
) -> ExampleInputs:
    """Builds the example inputs of a stage.

    Args:
        stage: a stage.
        files: the bytes of image files.
        include_missing: whether a missing image is appended if the stage accepts it.

    Returns:
        An `ExampleInputs`, the same in every call.
    """
    if include_missing and stage.accepts_missing:
        files = [*files, b""]
    images, token_ids, noise = None, None, None
    if stage.image_size is not None:
        with strict_pillow():
            images = np.stack([_square_image(stage, data) for data in files])
    captions = [""] * len(files)
    if stage.vectorizer is not None or stage.masked_words is not None:
        captions = cleaned = _example_captions(stage, len(files))
        if stage.masked_words is not None:
            cleaned = mask_label_words(captions, stage.masked_words)
        if stage.vectorizer is not None:  # there may be only n-grams
            token_ids = tokenize(stage.vectorizer, cleaned)
    if stage.latent_dim is not None:
        generator = np.random.default_rng(0)
        noise = generator.standard_normal((len(files), stage.latent_dim), "float32")
    return ExampleInputs(files, images, captions, token_ids, noise)


def _square_image(stage, data):
    if not data:
        return np.zeros((stage.image_size, stage.image_size, 3), np.uint8)
    return read_square_image(data, stage.image_size, stage.fit)


def _example_captions(stage, count):
    generator, vocabulary = np.random.default_rng(0), list(stage.label_names)
    if stage.vectorizer is not None:
        vocabulary = get_vocabulary(stage.vectorizer)
    label_captions = [f"a {label}'s" for label in stage.label_names[:1]]
    captions = [*label_captions, *EDGE_CASE_CAPTIONS][:count]
    while len(captions) < count:
        words = generator.choice(vocabulary, generator.integers(1, 12))
        captions.append(" ".join(words))
    return captions


def _draw_image_file(number):
    """Encodes a scene; the aspect ratio and the file format depend on the number."""
    image = Image.fromarray(draw_scene(number, 96 + 16 * number, seed=0).image)
    image = image.crop((0, 0, image.width - 8 * (number % 3), image.height - number))
    file_format = ("JPEG", "PNG", "JPEG", "BMP")[number % 4]
    buffer = io.BytesIO()
    image.save(buffer, file_format)
    return buffer.getvalue()


# check.npz ---------------------------------------------------------------------


def pack_examples(
    examples: Mapping[str, ExampleInputs], include_arrays: bool
) -> dict[str, np.ndarray]:
    """Converts example inputs to arrays that numpy can store without pickling.

    A file that is not an image is appended to the image files.

    Args:
        examples: `{stage: ExampleInputs}`; all have the same image files.
        include_arrays: whether decoded images and token ids are included, for formats
            whose models take arrays.

    Returns:
        `{key: array}`: all files concatenated as `input/bytes`, their lengths as
        `input/lengths`, and `input/STAGE/NAME`.
    """
    files = [*next(iter(examples.values())).files, INVALID_IMAGE]
    packed = {
        "input/bytes": np.frombuffer(b"".join(files), np.uint8),
        "input/lengths": np.array([len(data) for data in files]),
    }
    for stage, inputs in examples.items():
        arrays = {"noise": inputs.noise, "captions": np.array(inputs.captions)}
        if include_arrays:
            arrays |= {"image": inputs.images, "token_ids": inputs.token_ids}
        for name, array in arrays.items():
            if array is not None:
                packed[f"input/{stage}/{name}"] = array
    return packed


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Saves arrays as a compressed `.npz` file.

    Args:
        path: the file.
        arrays: `{key: array}`.
    """
    with open(path, "wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
