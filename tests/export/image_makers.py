"""Image files, and what TensorFlow and Pillow make of them."""

import functools
import io

import numpy as np
import tensorflow as tf
from PIL import Image

from kerasgan.data.images import read_square_image, strict_pillow
from kerasgan.export.graph_image_decoder import decode_square_images
from tests.data.makers import pixels

RANDOM = np.random.default_rng(0)
NOISE = RANDOM.integers(0, 256, (37, 50, 3), dtype=np.uint8)
SMOOTH = pixels(3, 150, 120)


def save(image, kind, **options):
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@functools.cache
def reader(size, fit):
    spec = tf.TensorSpec((None,), tf.string)
    return tf.function(
        lambda files: decode_square_images(files, size, fit), input_signature=[spec]
    )


def graph(data, size=16, fit="crop"):
    images, valid = reader(size, fit)([data])
    assert valid.numpy().all()
    return images.numpy()[0]


def pillow(data, size=16, fit="crop"):
    with strict_pillow():
        return read_square_image(data, size, fit)


def exif(orientation):
    found = Image.Exif()
    found[0x010E] = "described at some length, so that it lies behind the directory"
    found[0x0112] = orientation
    return found.tobytes()
