import keras
import numpy as np
import pytest

from kerasgan.captioning.dual_encoder import build_dual_encoder
from kerasgan.encoders.image_encoder import build_image_encoder

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.standard_normal((6, 5)).astype("float32")
TOKEN_IDS = RANDOM.integers(2, 20, (6, 4)).astype("int32")


def build(**settings):
    settings = {"features": 5, "dim": 3, "dropout": 0.0, **settings}
    dual_encoder = build_dual_encoder(20, 4, **settings)
    if "image_encoder" not in settings:
        dual_encoder.image_encoder.get_layer("standard").adapt(FEATURES)
    return dual_encoder


def contrast(images, captions, temperature=0.05):
    """InfoNCE both ways for one member, straight from its definition."""
    logits = images @ captions.T / temperature
    losses = []
    for matrix in (logits, logits.T):
        chances = np.exp(matrix - matrix.max(1, keepdims=True))
        losses.append(-np.log(np.diag(chances) / chances.sum(1)).mean())
    return sum(losses) / 2


def test_loss_is_each_members_contrast():
    dual_encoder = build(members=2)
    inputs = {"image": FEATURES, "token_ids": TOKEN_IDS[:, None]}
    images, captions = dual_encoder(inputs)
    loss = float(dual_encoder.compute_loss(inputs, y_pred=(images, captions)))
    images, captions = np.asarray(images), np.asarray(captions)
    wanted = np.mean([contrast(images[:, m], captions[:, m]) for m in range(2)])
    assert loss == pytest.approx(wanted, rel=1e-4)


def test_captions_of_one_image_are_not_held_against_each_other():
    dual_encoder = build(members=1)
    token_ids = np.stack([TOKEN_IDS, TOKEN_IDS[::-1] + 1], axis=1)
    token_ids[2, 1] = 0  # image 2 has one caption
    inputs = {"image": FEATURES, "token_ids": token_ids}
    images, captions = dual_encoder(inputs)
    loss = float(dual_encoder.compute_loss(inputs, y_pred=(images, captions)))
    logits = np.asarray(images)[:, 0] @ np.asarray(captions)[:, 0].T / 0.05
    chances, losses = np.exp(logits).reshape(6, 6, 2), []
    chances[:, 2, 1] = 0
    for n in range(6):
        for k in range(2):
            own = chances[n, n, k]
            others = [np.delete(chances[n], n, axis=0).sum()]
            others.append(np.delete(chances[:, n, k], n).sum())
            losses += [np.log(1 + other / own) for other in others if own]
    assert loss == pytest.approx(np.mean(losses), rel=1e-4)


def test_a_caption_that_reads_the_same_is_not_held_against_a_image():
    dual_encoder = build(members=1)
    token_ids = np.repeat(TOKEN_IDS[:1, None], 6, axis=0)
    inputs = {"image": FEATURES, "token_ids": token_ids}
    assert float(dual_encoder.compute_loss(inputs, y_pred=dual_encoder(inputs))) < 1e-4


def test_words_are_left_out_in_training_alone():
    dual_encoder = build()
    token_ids = np.tile(TOKEN_IDS, (50, 4))
    left = np.asarray(dual_encoder.forget(token_ids))
    assert 0.1 < (left == 0).mean() < 0.2
    assert (left[:, 0] == token_ids[:, 0]).all()  # the opening stays


def test_inner_products_are_mean_cosines():
    dual_encoder = build(members=3)
    images, captions = (
        np.asarray(x)
        for x in dual_encoder({"image": FEATURES, "token_ids": TOKEN_IDS[:, None]})
    )
    cosines = np.einsum("nmd,kmd->nk", images, captions) / 3
    seen, read = (
        dual_encoder.embed("image", FEATURES),
        dual_encoder.embed("caption", TOKEN_IDS),
    )
    np.testing.assert_allclose(seen @ read.T, cosines, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(seen, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("text_branch", ["words", "lstm-attention"])
def test_saving_changes_nothing(tmp_path, text_branch):
    dual_encoder = build(text_branch=text_branch)
    dual_encoder.save(tmp_path / "dual_encoder.keras")
    loaded = keras.saving.load_model(tmp_path / "dual_encoder.keras")
    for side, inputs in (("image", FEATURES), ("caption", TOKEN_IDS)):
        np.testing.assert_array_equal(
            dual_encoder.embed(side, inputs), loaded.embed(side, inputs)
        )


def test_looks_through_an_eye_of_its_own():
    image_encoder = build_image_encoder("conv", 32)
    assert image_encoder.output_shape == (None, 2, 2, 256)
    dual_encoder = build(image_encoder=image_encoder)
    images = RANDOM.integers(0, 256, (2, 32, 32, 3)).astype("uint8")
    assert dual_encoder.embed("image", images).shape == (2, 6)
    own = {id(weight) for weight in dual_encoder.trainable_variables}
    assert {id(weight) for weight in image_encoder.trainable_weights} <= own


def test_unknown_backbones_are_refused():
    with pytest.raises(ValueError, match="resnet"):
        build_image_encoder("resnet")
