"""Paper B's network and the pool of ours."""

import keras
import numpy as np
import pytest

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

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (5, 32, 32, 3)).astype("float32")
TOKEN_IDS = np.array([[2, 3, 4, 0], [2, 0, 0, 0]] * 2 + [[2, 5, 5, 5]], "int32")


def test_the_papers_pair_has_two_branches_and_one_head():
    image = build_conv_branch(32, (4, 8), 6)
    text = build_text_branch(9, 4, 6, "lstm-attention")
    network = build_classifier(3, image, text)
    assert set(network.input) == {"image", "token_ids"}
    logits = network({"image": IMAGES, "token_ids": TOKEN_IDS}, training=False)
    assert logits.shape == (5, 3)
    kinds = [type(layer).__name__ for layer in image.layers]
    assert kinds.count("Conv2D") == kinds.count("MaxPooling2D") == 2
    assert network.get_layer("classes").input.shape == (None, 12)


@pytest.mark.parametrize(
    "branch, shape",
    [
        (lambda: build_encoder_branch(build_image_encoder("conv", 32)), (5, 32, 32, 3)),
        (lambda: build_feature_branch(7, 6), (5, 7)),
    ],
)
def test_one_branch_is_enough(branch, shape):
    network = build_classifier(3, branch(), None)
    assert set(network.input) == {"image"}
    found = network({"image": np.ones(shape, "float32")}, training=False)
    assert found.shape == (5, 3)


def test_text_without_attention_is_the_last_output():
    branch = build_text_branch(9, 4, 6, "lstm")
    longer = np.pad(TOKEN_IDS, ((0, 0), (0, 0)))
    assert branch(longer).shape == (5, 6)
    # Padding is not heard.
    first = branch(np.array([[2, 3, 0, 0]], "int32"))
    again = keras.Model(branch.input, branch.output)(np.array([[2, 3, 0, 0]], "int32"))
    np.testing.assert_allclose(first, again, rtol=1e-6)


def test_pool_multiplies_powers_of_what_is_there():
    chances = np.array([[[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]]] * 4, "float32")
    pool = LogLinearEnsemble([[1.0, 2.0], [0.5, 0.0], [0.0, 1.0]], [0.5, 0.25, 0.25])
    found = pool(
        np.log(chances),
        np.array([True, True, False, False]),
        np.array([True, False, True, False]),
    )
    both = np.array([0.7 * 0.01, 0.2 * 0.36, 0.1 * 0.09])
    seen = np.sqrt([0.7, 0.2, 0.1])
    wanted = [both / both.sum(), seen / seen.sum(), [0.1, 0.6, 0.3], [0.5, 0.25, 0.25]]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_pool_is_the_same_from_its_config():
    pool = LogLinearEnsemble(np.eye(3, 2), np.array([0.5, 0.5]))
    again = LogLinearEnsemble.from_config(pool.get_config())
    assert again.get_config() == pool.get_config()


def test_an_average_says_the_mean_of_its_members():
    network = build_classifier(3, build_feature_branch(4, 2))
    features = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    members, said = [], []
    for scale in (1, 3):
        members.append([scale * each for each in network.get_weights()])
    for weights in members:
        network.set_weights(weights)
        said.append(keras.ops.log_softmax(network({"image": features})))
    average = build_averaged_network(network, members)
    network.set_weights(members[0])  # what becomes of it does not matter any more
    found = average({"image": features})
    np.testing.assert_allclose(found, np.mean(said, axis=0), atol=1e-5)
    assert np.abs(said[0] - said[1]).max() > 1e-3
