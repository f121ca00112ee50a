"""Paper B's network, and averages of networks."""

import keras
import numpy as np
import pytest

import kerasgan
from kerasgan.classification.networks import (
    build_averaged_network,
    build_classifier,
    build_conv_branch,
    build_encoder_branch,
    build_feature_branch,
)
from kerasgan.encoders.image_encoder import build_image_encoder
from kerasgan.encoders.text_branch import build_text_branch
from kerasgan.layers.log_linear_ensemble import LogLinearEnsemble
from kerasgan.layers.text_vectorization import tokenize

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (5, 32, 32, 3)).astype("float32")
TOKEN_IDS = np.array([[2, 3, 4, 0], [2, 0, 0, 0]] * 2 + [[2, 5, 5, 5]], "int32")


def test_papers_network_has_two_branches_and_one_head():
    image_branch = build_conv_branch(32, (4, 8), 6)
    text_branch = build_text_branch(9, 4, 6, "lstm-attention")
    network = build_classifier(3, image_branch, text_branch)
    assert set(network.input) == {"image", "token_ids"}
    logits = network({"image": IMAGES, "token_ids": TOKEN_IDS}, training=False)
    assert logits.shape == (5, 3)
    layer_types = [type(layer).__name__ for layer in image_branch.layers]
    assert layer_types.count("Conv2D") == layer_types.count("MaxPooling2D") == 2
    assert network.get_layer("logits").input.shape == (None, 12)


def test_papers_network_is_compiled_and_fitted_like_any_keras_model():
    """The example in the docstring of `build_classifier`."""
    texts = ["a red shoe", "a hat"] * 8
    images = np.zeros((16, 32, 32, 3), np.uint8)
    images[::2, ..., 0] = 255
    labels = np.arange(16) % 2
    vectorizer = kerasgan.build_vectorizer(texts)
    classifier = kerasgan.build_classifier(
        num_classes=2,
        image_branch=kerasgan.build_conv_branch(image_size=32, filters=[4], dim=8),
        text_branch=kerasgan.build_text_branch(vectorizer.vocabulary_size(), None, 8),
        dropout=0.0,
    )
    classifier.compile(
        keras.optimizers.Adam(1e-2),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    inputs = {"image": images, "token_ids": tokenize(vectorizer, texts)}
    history = classifier.fit(inputs, labels, epochs=8, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    logits = classifier.predict(inputs, verbose=0)
    np.testing.assert_array_equal(logits.argmax(1), labels)


@pytest.mark.parametrize(
    "build_branch, shape",
    [
        (lambda: build_encoder_branch(build_image_encoder("conv", 32)), (5, 32, 32, 3)),
        (lambda: build_feature_branch(np.eye(7), 6), (5, 7)),
    ],
)
def test_one_branch_is_enough(build_branch, shape):
    network = build_classifier(3, build_branch(), None)
    assert set(network.input) == {"image"}
    logits = network({"image": np.ones(shape, "float32")}, training=False)
    assert logits.shape == (5, 3)


def test_feature_branch_does_not_depend_on_the_scale_of_the_features():
    features = np.random.default_rng(0).normal(size=(50, 8)).astype("float32")
    scaled = features * np.logspace(-3, 3, 8, dtype="float32") + 2
    branches = [build_feature_branch(array, 6) for array in (features, scaled)]
    trained = branches[0].trainable_weights
    for weight, other in zip(branches[1].trainable_weights, trained, strict=True):
        weight.assign(other)
    vectors = [branches[0](features), branches[1](scaled)]
    np.testing.assert_allclose(*vectors, atol=0.01)
    far = branches[0](np.full((1, 8), 1e9, "float32"))
    assert np.abs(far).max() < 20


def test_a_classifier_needs_a_branch():
    with pytest.raises(ValueError, match="Pass `image_branch`, `text_branch`"):
        build_classifier(3)


def test_text_branch_without_attention_ignores_padding():
    branch = build_text_branch(9, None, 6, "lstm")
    padded = np.pad(TOKEN_IDS, ((0, 0), (0, 3)))
    assert branch(padded).shape == (5, 6)
    np.testing.assert_allclose(branch(padded), branch(TOKEN_IDS), atol=1e-6)


def test_ensemble_multiplies_powers_of_the_probabilities_of_present_inputs():
    probabilities = np.array([[[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]]] * 4, "float32")
    prior = [0.5, 0.25, 0.25]
    ensemble = LogLinearEnsemble([[1.0, 2.0], [0.5, 0.0], [0.0, 1.0]], prior)
    combined = ensemble(
        np.log(probabilities),
        np.array([True, True, False, False]),
        np.array([True, False, True, False]),
    )
    pair = np.array([0.7 * 0.01, 0.2 * 0.36, 0.1 * 0.09])
    image = np.sqrt([0.7, 0.2, 0.1])
    expected = [pair / pair.sum(), image / image.sum(), [0.1, 0.6, 0.3], prior]
    np.testing.assert_allclose(combined, expected, rtol=1e-5)


def test_ensemble_adds_weighted_log_odds_of_each_class():
    odds = np.array([[[3.0, 0.5], [2.0, 1.0]]] * 4, "float32")
    ensemble = LogLinearEnsemble(
        [[1.0, 2.0], [0.5, 0.0], [0.0, 1.0]], [0.2, 1.0], multi_label=True
    )
    combined = ensemble(
        np.log(odds),
        np.array([True, True, False, False]),
        np.array([True, False, True, False]),
    )
    expected = np.array([[12, 0.5], np.sqrt([3, 0.5]), [2, 1], [0.25, 1e7]])
    np.testing.assert_allclose(combined, expected / (1 + expected), rtol=1e-5)


def test_ensemble_is_restored_from_its_config():
    ensemble = LogLinearEnsemble(np.eye(3, 2), np.array([0.5, 0.5]))
    restored = LogLinearEnsemble.from_config(ensemble.get_config())
    assert restored.get_config() == ensemble.get_config()


def test_averaged_network_is_the_mean_of_its_networks():
    network = build_classifier(3, build_feature_branch(np.eye(4), 2))
    features = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    fitted_weights, predictions = [], []
    for scale in (1, 3):
        factors = [scale if weight.trainable else 1 for weight in network.weights]
        arrays = zip(factors, network.get_weights(), strict=True)
        fitted_weights.append([factor * array for factor, array in arrays])
    for weights in fitted_weights:
        network.set_weights(weights)
        predictions.append(keras.ops.log_softmax(network({"image": features})))
    average = build_averaged_network(network, fitted_weights)
    network.set_weights(fitted_weights[0])  # no longer changes the average
    logits = average({"image": features})
    np.testing.assert_allclose(logits, np.mean(predictions, axis=0), atol=1e-5)
    assert np.abs(predictions[0] - predictions[1]).max() > 1e-3
