"""The dual encoder of precomputed features and of images."""

import keras
import numpy as np
import pytest

from kerasgan.captioning.dual_encoder import build_dual_encoder
from kerasgan.encoders.image_encoder import build_image_encoder

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.standard_normal((6, 5)).astype("float32")
TOKEN_IDS = RANDOM.integers(2, 20, (6, 4)).astype("int32")


def build(**arguments):
    arguments = {"feature_dim": 5, "joint_dim": 3, "dropout": 0.0, **arguments}
    dual_encoder = build_dual_encoder(20, 4, **arguments)
    if "image_encoder" not in arguments:
        dual_encoder.adapt(FEATURES)
    return dual_encoder


def info_nce(images, captions, temperature=0.05):
    """InfoNCE in both directions for one member, by its definition."""
    logits = images @ captions.T / temperature
    losses = []
    for matrix in (logits, logits.T):
        scores = np.exp(matrix - matrix.max(1, keepdims=True))
        losses.append(-np.log(np.diag(scores) / scores.sum(1)).mean())
    return sum(losses) / 2


@pytest.mark.parametrize("text_branch", ["words", "lstm-attention"])
def test_removed_words_leave_no_gaps(text_branch):
    """cuDNN's LSTM takes padding on the right alone, and no empty captions."""
    dual_encoder = build(text_branch=text_branch)
    dual_encoder.word_dropout = 0.5
    removed = np.asarray(dual_encoder.drop_words(np.repeat(TOKEN_IDS, 9, axis=0)))
    is_word = removed != 0
    assert (is_word[:, 1:] <= is_word[:, :-1]).all() and is_word[:, 0].all()
    assert 0 < is_word[:, 1:].mean() < 1
    for before, after in zip(np.repeat(TOKEN_IDS, 9, axis=0), removed, strict=True):
        remaining = iter(before.tolist())  # the order stays
        assert all(word in remaining for word in after[after != 0].tolist())
    token_ids = np.stack([TOKEN_IDS, 0 * TOKEN_IDS], axis=1)
    seen = []
    encode = dual_encoder.text_encoder.call
    dual_encoder.text_encoder.call = lambda ids, **kwargs: (
        seen.append(ids) or encode(ids, **kwargs)
    )
    dual_encoder({"image": FEATURES, "token_ids": token_ids})
    assert (np.asarray(seen[0])[:, 0] != 0).all()


def test_the_loss_is_the_mean_of_the_members():
    dual_encoder = build(num_members=2)
    inputs = {"image": FEATURES, "token_ids": TOKEN_IDS[:, None]}
    images, captions = dual_encoder(inputs)
    loss = float(dual_encoder.compute_loss(inputs, y_pred=(images, captions)))
    images, captions = np.asarray(images), np.asarray(captions)
    expected = np.mean([info_nce(images[:, m], captions[:, m]) for m in range(2)])
    assert loss == pytest.approx(expected, rel=1e-4)


def test_the_captions_of_an_image_are_no_negatives_of_each_other():
    dual_encoder = build(num_members=1)
    token_ids = np.stack([TOKEN_IDS, TOKEN_IDS[::-1] + 1], axis=1)
    token_ids[2, 1] = 0  # image 2 has one caption
    inputs = {"image": FEATURES, "token_ids": token_ids}
    images, captions = dual_encoder(inputs)
    loss = float(dual_encoder.compute_loss(inputs, y_pred=(images, captions)))
    logits = np.asarray(images)[:, 0] @ np.asarray(captions)[:, 0].T / 0.05
    scores, losses = np.exp(logits).reshape(6, 6, 2), []
    scores[:, 2, 1] = 0
    for n in range(6):
        for k in range(2):
            positive = scores[n, n, k]
            negatives = [np.delete(scores[n], n, axis=0).sum()]
            negatives.append(np.delete(scores[:, n, k], n).sum())
            losses += [np.log(1 + sum_ / positive) for sum_ in negatives if positive]
    assert loss == pytest.approx(np.mean(losses), rel=1e-4)


def test_equal_captions_are_no_negatives():
    dual_encoder = build(num_members=1)
    token_ids = np.repeat(TOKEN_IDS[:1, None], 6, axis=0)
    inputs = {"image": FEATURES, "token_ids": token_ids}
    assert float(dual_encoder.compute_loss(inputs, y_pred=dual_encoder(inputs))) < 1e-4


def test_words_are_dropped_but_not_the_start_token():
    token_ids = np.tile(TOKEN_IDS, (50, 4))
    kept = np.asarray(build().drop_words(token_ids))
    assert 0.1 < (kept == 0).mean() < 0.2
    assert (kept[:, 0] == token_ids[:, 0]).all()


def test_inner_products_are_mean_cosines():
    dual_encoder = build(num_members=3)
    images, captions = (
        np.asarray(vectors)
        for vectors in dual_encoder(
            {"image": FEATURES, "token_ids": TOKEN_IDS[:, None]}
        )
    )
    cosines = np.einsum("nmd,kmd->nk", images, captions) / 3
    image_vectors = dual_encoder.embed_images(FEATURES)
    caption_vectors = dual_encoder.embed_token_ids(TOKEN_IDS)
    np.testing.assert_allclose(image_vectors @ caption_vectors.T, cosines, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(image_vectors, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("text_branch", ["words", "lstm-attention"])
def test_a_saved_model_is_equal(tmp_path, text_branch):
    dual_encoder = build(text_branch=text_branch)
    dual_encoder.save(tmp_path / "dual_encoder.keras")
    loaded = keras.saving.load_model(tmp_path / "dual_encoder.keras")
    for name, inputs in (("embed_images", FEATURES), ("embed_token_ids", TOKEN_IDS)):
        np.testing.assert_array_equal(
            getattr(dual_encoder, name)(inputs), getattr(loaded, name)(inputs)
        )


def test_an_image_encoder_is_trained_along():
    image_encoder = build_image_encoder("conv", 32)
    assert image_encoder.output_shape == (None, 2, 2, 256)
    dual_encoder = build(image_encoder=image_encoder)
    images = RANDOM.integers(0, 256, (2, 32, 32, 3)).astype("uint8")
    assert dual_encoder.embed_images(images).shape == (2, 6)
    trainable = {id(weight) for weight in dual_encoder.trainable_variables}
    assert {id(weight) for weight in image_encoder.trainable_weights} <= trainable
    with pytest.raises(ValueError, match="Only a dual encoder of features"):
        dual_encoder.adapt(FEATURES)


def test_features_are_standardized():
    dual_encoder = build()
    layer = dual_encoder.image_encoder.get_layer("normalization")
    standardized = np.asarray(layer(FEATURES))
    np.testing.assert_allclose(standardized.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(standardized.std(0), 1, atol=1e-4)


def test_an_unknown_backbone_is_rejected():
    with pytest.raises(ValueError, match="resnet"):
        build_image_encoder("resnet")


def test_a_dual_encoder_without_its_arguments_is_rejected():
    with pytest.raises(ValueError, match="needs `vocabulary_size` and"):
        build_dual_encoder()
