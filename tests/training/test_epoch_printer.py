"""The line of metrics after each epoch."""

import keras
import numpy as np

import kerasgan


def test_each_epoch_is_a_line():
    lines = []
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=False)
    data = np.zeros((4, 1), "float32")
    printer = kerasgan.callbacks.EpochPrinter(lines.append)
    model.fit(data, data, epochs=2, verbose=0, callbacks=[printer])
    assert lines == ["  epoch 1/2: loss 0.000", "  epoch 2/2: loss 0.000"]
