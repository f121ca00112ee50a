"""Devices whose memory is too small for a batch."""

import errno
import os

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.errors import JobError
from kerasgan.training.memory_errors import explain_memory_errors


class SmallDevice(keras.Model):
    """A model whose step fits batches up to a limit."""

    def __init__(self, limit):
        super().__init__()
        self.dense, self.limit, self.sizes = keras.layers.Dense(1), limit, []

    def call(self, inputs):
        return self.dense(inputs["x"])

    def train_on(self, size):
        self.sizes.append(int(size))
        if size > self.limit:
            raise MemoryError  # TensorFlow makes a ResourceExhaustedError of it
        return np.float32(0)

    def train_step(self, data):
        (x, y) = data
        loss = tf.numpy_function(self.train_on, [tf.shape(y)[0]], tf.float32)
        return {"loss": tf.ensure_shape(loss, ()) + 0 * tf.reduce_sum(self(x))}


def train(limit, batch_size):
    model = SmallDevice(limit)
    model.compile("sgd", "mse")
    data = {"x": np.ones((64, 3), "float32")}, np.ones((64, 1), "float32")
    dataset = tf.data.Dataset.from_tensor_slices(data).batch(batch_size)
    try:
        with explain_memory_errors(model, dataset, "images", "training.batch_size"):
            model.fit(dataset, verbose=0, shuffle=False)
    finally:
        train.sizes = model.sizes


def test_the_batch_that_fits_is_found_by_halving():
    message = (
        r"too small \(images, batch size 32\). A step with 8 fits: --set"
        r" training.batch_size=8\."
    )
    with pytest.raises(JobError, match=message):
        train(limit=9, batch_size=32)
    assert train.sizes == [32, 16, 8]


def test_nothing_fits():
    with pytest.raises(JobError, match="No smaller batch fits"):
        train(limit=1, batch_size=8)
    assert train.sizes == [8, 4, 2]


def test_training_that_fits_is_left_alone():
    train(limit=16, batch_size=16)
    assert train.sizes == [16] * 4


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EMFILE])
def test_a_full_disk_is_not_taken_for_little_memory(code, monkeypatch):
    def fail(self, size):
        raise MemoryError(f"events.v2; {os.strerror(code)}")

    monkeypatch.setattr(SmallDevice, "train_on", fail)
    message = rf"stopped \(images\): .*events.v2; {os.strerror(code)}\. (Make|Allow)"
    with pytest.raises(JobError, match=message):
        train(limit=9, batch_size=32)
