import keras
import numpy as np
import pytest

from kerasgan.callbacks import ImageKid
from kerasgan.training.kernel_inception_distance import kernel_inception_distance

REAL = np.random.default_rng(0).integers(0, 200, (16, 8, 8, 3)).astype("uint8")


class Brightness:
    """Generates the real images, brighter by a weight."""

    latent_dim = 4

    def __init__(self):
        self.weight = keras.Variable(50.0)

    def generate(self, captions, noise):
        assert captions is None and noise.shape == (16, 4)
        return REAL + np.uint8(self.weight.numpy())


def features(images):
    return images.reshape(len(images), -1).astype("float32")


def trained(brightness, **arguments):
    model = Brightness()
    callback = ImageKid(features, REAL, [model.weight], **arguments)
    callback.set_model(model)
    callback.on_train_begin()
    logs = []
    for epoch, value in enumerate(brightness):
        model.weight.assign(value)
        logs.append({})
        callback.on_epoch_end(epoch, logs[-1])
    return model, callback, logs


def test_the_weights_of_the_best_epoch_are_kept():
    model, callback, logs = trained([40, 10, 30])
    kids = [line["kid"] for line in logs]
    assert np.argmin(kids) == 1
    scale = np.sqrt((features(REAL) ** 2).mean())
    expected = kernel_inception_distance(
        features(REAL) / scale, features(REAL + np.uint8(10)) / scale
    )[0]
    assert kids[1] == pytest.approx(expected)
    callback.restore_best()
    assert model.weight.numpy() == 10


def test_only_some_epochs_are_evaluated():
    model, callback, logs = trained([40, 10, 30, 20], every=2)
    assert ["kid" in line for line in logs] == [False, True, False, True]


def test_a_checkpoint_restores_the_best_epoch():
    _, callback, _ = trained([10, 40])
    model, other, _ = trained([])
    for variable, saved in zip(other.variables, callback.variables, strict=True):
        variable.assign(saved.numpy())
    other.on_epoch_end(0, {})  # a brightness of 50 is worse
    other.restore_best()
    assert model.weight.numpy() == 10


def test_without_an_evaluated_epoch_the_last_weights_stay():
    model, callback, _ = trained([])
    callback.restore_best()
    assert model.weight.numpy() == 50
