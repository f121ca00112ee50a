import inspect

import keras
import numpy as np
import pytest
from keras import ops

from kerasgan.layers.attention_pooling import AttentionPooling
from kerasgan.layers.modulation import Modulation
from kerasgan.layers.weighted_embedding_sum import WeightedEmbeddingSum

RANDOM = np.random.default_rng(0)


def images(*shape):
    return RANDOM.standard_normal(shape).astype("float32")


def test_modulation_starts_from_equally_loud_channels():
    image = 7 * images(2, 4, 4, 8)
    layer = Modulation()
    layer(image, np.ones((2, 3), "float32"))
    layer.affine.set_weights([np.zeros((3, 16)), np.zeros(16)])
    outputs = ops.convert_to_numpy(layer(image, np.ones((2, 3), "float32")))
    np.testing.assert_allclose((outputs**2).mean(-1), 1, atol=1e-3)


def test_modulation_scales_and_shifts():
    layer = Modulation()
    image = np.ones((1, 2, 2, 2), "float32")
    layer(image, np.ones((1, 1), "float32"))
    layer.affine.set_weights([np.array([[1.0, 2.0, 10.0, 20.0]]), np.zeros(4)])
    outputs = layer(image, np.ones((1, 1), "float32"))
    np.testing.assert_allclose(outputs[0, 0, 0], [2 + 10, 3 + 20], atol=1e-3)


def test_attention_gives_padding_exactly_nothing():
    layer = AttentionPooling()
    inputs = images(2, 4, 3)
    mask = np.array([[True, True, False, False], [True, False, False, False]])
    pooled, weights = layer(inputs, mask=mask, return_weights=True)
    weights = ops.convert_to_numpy(weights)
    assert (weights[~mask] == 0).all()
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(pooled[1], inputs[1, 0], atol=1e-6)
    changed = np.where(mask[..., None], inputs, 99).astype("float32")
    np.testing.assert_allclose(layer(changed, mask=mask), pooled, atol=1e-6)


def test_attention_of_nothing_is_zero():
    mask = np.zeros((1, 4), bool)
    outputs = AttentionPooling()(images(1, 4, 3), mask=mask)
    np.testing.assert_array_equal(outputs, np.zeros((1, 3)))


def test_weighted_sum_does_not_hear_padding_or_order():
    layer = WeightedEmbeddingSum(10, 6)
    short = layer(np.array([[3, 4, 5]]))
    padded = layer(np.array([[5, 3, 4, 0, 0]]))
    np.testing.assert_allclose(short, padded, atol=1e-6)
    table = ops.convert_to_numpy(layer.embedding.embeddings)
    np.testing.assert_allclose(short[0], table[3:6].sum(0) / 3**0.5, atol=1e-5)


CLASSES = [AttentionPooling, Modulation, WeightedEmbeddingSum]


@pytest.mark.parametrize("item", CLASSES, ids=lambda item: item.__name__)
def test_layers_are_registered_and_tell_all_their_arguments(item):
    assert keras.saving.get_registered_object(f"kerasgan>{item.__name__}") is item
    values = {"vocabulary_size": 5, "dim": 3}
    names = [
        name
        for name, parameter in inspect.signature(item.__init__).parameters.items()
        if name not in ("self", "args", "kwargs")
    ]
    layer = item(**{name: values[name] for name in names if name in values})
    config = layer.get_config()
    assert set(names) <= set(config)
    assert item.from_config(config).get_config() == config
