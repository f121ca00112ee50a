"""What an export is tried on: images, captions, noise, and the run's own answers."""

import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from kerasgan.data.images import BadImage, decode_image, prepare_image, strict_pillow
from kerasgan.data.label_words import mask_label_words
from kerasgan.data.scenes import draw_scene
from kerasgan.data.text import tokenize, vocabulary_of
from kerasgan.errors import UserError
from kerasgan.export.endpoints import Stage

DRAWN = 8  # images, where none are given
MOST = 100  # of those that are given
NO_IMAGE = b"no image"
ENDINGS = (".jpg", ".jpeg", ".png", ".gif", ".bmp")
# Captions that are unlike others.
ODD = ("", "A Dog, running: 3 times!", "zzz qqq", "犬が走る", "fish &amp; caf&eacute;")


@dataclass(frozen=True)
class ExampleInputs:
    """As one stage sees them; n of each.

    files: the bytes of n image files, none where an image is missing.
    squares: uint8 `(n, size, size, 3)`, as training would see them, by Pillow; or None.
    captions: n str.
    token_ids: int32 `(n, length)`, or None.
    noise: float32 `(n, latent_dim)`, or None.
    """

    files: list[bytes]
    squares: np.ndarray | None
    captions: list[str]
    token_ids: np.ndarray | None
    noise: np.ndarray | None


def read_images(path=None):
    """Image files to try an export on.

    Args:
        path: a file, or a folder of which the first 100 images are taken, by name;
            None: the package draws some.

    Raises:
        UserError: there are none, or one is no image.
    """
    if path is None:
        return [_drawn(number) for number in range(DRAWN)]
    path = Path(path).expanduser().absolute()
    if not path.exists():
        raise UserError(f"There are no images at {path}.")
    names = [path]
    if path.is_dir():
        names = [name for name in path.iterdir() if name.suffix.lower() in ENDINGS]
    if not names:
        raise UserError(f"There are no images in {path}; wanted: {', '.join(ENDINGS)}.")
    files = [name.read_bytes() for name in sorted(names)[:MOST]]
    with strict_pillow():
        for name, data in zip(sorted(names), files):
            try:
                decode_image(data)
            except BadImage as error:
                raise UserError(f"{name}: {error}.") from None
    return files


def example_inputs(stage: Stage, files, missing=False) -> ExampleInputs:
    """The examples as one stage sees them.

    Args:
        missing: with a missing image at the end, where the stage takes it.
    """
    files = files + [b""] * (missing and stage.accepts_missing)
    squares, token_ids, noise = None, None, None
    if stage.image_size is not None:
        with strict_pillow():
            squares = np.stack([_square(stage, data) for data in files])
    captions = [""] * len(files)
    if stage.vectorizer is not None:
        captions = read = _captions(stage, len(files))
        if stage.masked is not None:
            read = mask_label_words(captions, stage.masked)
        token_ids = tokenize(stage.vectorizer, read)
    if stage.latent_dim is not None:
        random = np.random.default_rng(0)
        noise = random.standard_normal((len(files), stage.latent_dim), "float32")
    return ExampleInputs(files, squares, captions, token_ids, noise)


def _square(stage, data):
    if not data:
        return np.zeros((stage.image_size, stage.image_size, 3), np.uint8)
    return np.asarray(decode_image(prepare_image(data, stage.image_size, stage.fit))[0])


def _captions(stage, count):
    random, vocabulary = np.random.default_rng(0), vocabulary_of(stage.vectorizer)
    captions = [*(f"a {label}'s" for label in stage.labels[:1]), *ODD][:count]
    while len(captions) < count:
        words = random.choice(vocabulary, random.integers(1, 12))
        captions.append(" ".join(words))
    return captions


def _drawn(number):
    """A scene as a file, of another shape and kind each time."""
    image = Image.fromarray(draw_scene(number, 96 + 16 * number, seed=0).image)
    image = image.crop((0, 0, image.width - 8 * (number % 3), image.height - number))
    kind = ("JPEG", "PNG", "JPEG", "BMP")[number % 4]
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


# Beside the model --------------------------------------------------------------


def pack(examples: dict, arrays: bool) -> dict:
    """`{stage: Examples}` as arrays that numpy stores without pickling, and one file
    more that is no image. `arrays`: with the pixels and token ids, for formats that
    take them."""
    files = next(iter(examples.values())).files + [NO_IMAGE]
    packed = {
        "input/bytes": np.frombuffer(b"".join(files), np.uint8),
        "input/lengths": np.array([len(data) for data in files]),
    }
    for stage, found in examples.items():
        given = {"noise": found.noise, "captions": np.array(found.captions)}
        if arrays:
            given |= {"image": found.squares, "token_ids": found.token_ids}
        for name, array in given.items():
            if array is not None:
                packed[f"input/{stage}/{name}"] = array
    return packed


def save_packed(path, packed):
    with open(path, "wb") as file:
        np.savez_compressed(file, **packed)
        file.flush()
        os.fsync(file.fileno())
