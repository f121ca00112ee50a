"""Encodes images, and decodes them with TensorFlow and with Pillow."""

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


def encode(image, file_format, **options):
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


@functools.cache
def tensorflow_decoder(size, fit):
    spec = tf.TensorSpec((None,), tf.string)
    return tf.function(
        lambda files: decode_square_images(files, size, fit), input_signature=[spec]
    )


def decode_with_tensorflow(data, size=16, fit="crop"):
    images, valid = tensorflow_decoder(size, fit)([data])
    assert valid.numpy().all()
    return images.numpy()[0]


def decode_with_pillow(data, size=16, fit="crop"):
    with strict_pillow():
        return read_square_image(data, size, fit)


def build_exif(orientation):
    exif = Image.Exif()
    exif[0x010E] = "a long description, which is stored after the directory"
    exif[0x0112] = orientation
    return exif.tobytes()
