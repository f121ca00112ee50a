"""From JPEG files to batches: kerasgan, Keras, and the decoders alone.

Each call reads every file once. The files are in the cache of the operating system.
"""

import itertools
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import keras
import tensorflow as tf
from PIL import Image

from benchmarks.input_sizes import BATCH_SIZE, IMAGE_SIZE
from benchmarks.photographs import photographs
from kerasgan import DataConfig, load_data
from kerasgan.data.threads import available_cores
from kerasgan.gan.pair_dataset import PairDataset


def kerasgan_first_epoch(options: SimpleNamespace) -> Callable[[], int]:
    """Prepares the data set, which stores small images, and reads the first epoch.

    Args:
        options: of `bench.py`.
    """
    folder, files = photographs(options)

    def run():
        with tempfile.TemporaryDirectory(dir=options.scratch) as data_dir:
            _read_epoch(_train_images(folder, data_dir))
        return len(files)

    return run


def kerasgan_later_epoch(options: SimpleNamespace) -> Callable[[], int]:
    """Opens the prepared data set, and reads an epoch.

    Args:
        options: of `bench.py`.
    """
    folder, _ = photographs(options)
    data_dir = Path(options.scratch) / "prepared"
    return lambda: _read_epoch(_train_images(folder, str(data_dir)))


def _train_images(folder, data_dir):
    config = DataConfig(
        dataset="folder",
        source=str(folder),
        data_dir=data_dir,
        image_size=IMAGE_SIZE,
        split=0.99,
    )
    return load_data(config, progress=False).train.images


def _read_epoch(images):
    dataset = PairDataset(images)
    batch_size = min(BATCH_SIZE, len(images))
    steps = dataset.steps(batch_size)
    for _ in itertools.islice(dataset.batches(batch_size, seed=0), steps):
        pass
    return steps * batch_size


def keras_epoch(options: SimpleNamespace) -> Callable[[], int]:
    """Reads an epoch from `keras.utils.image_dataset_from_directory`.

    Args:
        options: of `bench.py`.
    """
    folder, files = photographs(options)

    def run():
        dataset = keras.utils.image_dataset_from_directory(
            folder,
            labels=None,
            image_size=(IMAGE_SIZE, IMAGE_SIZE),
            batch_size=BATCH_SIZE,
            crop_to_aspect_ratio=True,
            verbose=False,
        )
        for _ in dataset.prefetch(tf.data.AUTOTUNE):
            pass
        return len(files)

    return run


def pillow_decoder(options: SimpleNamespace) -> Callable[[], int]:
    """Decodes all files with Pillow in threads, and nothing else.

    Args:
        options: of `bench.py`.
    """
    _, files = photographs(options)

    def decode(path):
        with Image.open(path) as image:
            image.load()

    def run():
        with ThreadPoolExecutor(available_cores()) as executor:
            return sum(1 for _ in executor.map(decode, files))

    return run


def tensorflow_decoder(options: SimpleNamespace) -> Callable[[], int]:
    """Decodes all files with TensorFlow in parallel, and nothing else.

    Args:
        options: of `bench.py`.
    """
    files = list(map(str, photographs(options)[1]))

    def decode(path):
        return tf.shape(tf.io.decode_jpeg(tf.io.read_file(path), channels=3))

    def run():
        dataset = tf.data.Dataset.from_tensor_slices(files)
        for _ in dataset.map(decode, tf.data.AUTOTUNE).batch(BATCH_SIZE):
            pass
        return len(files)

    return run
