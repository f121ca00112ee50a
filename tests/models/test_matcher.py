import keras
import numpy as np
import pytest

from kerasgan.models.eye import build_eye
from kerasgan.models.matcher import build_matcher

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.standard_normal((6, 5)).astype("float32")
TOKEN_IDS = RANDOM.integers(2, 20, (6, 4)).astype("int32")


def build(**settings):
    settings = {"features": 5, "dim": 3, "dropout": 0.0, **settings}
    matcher = build_matcher(20, 4, **settings)
    if "eye" not in settings:
        matcher.see.get_layer("standard").adapt(FEATURES)
    return matcher


def contrast(pictures, captions, temperature=0.05):
    """InfoNCE both ways for one member, straight from its definition."""
    logits = pictures @ captions.T / temperature
    losses = []
    for matrix in (logits, logits.T):
        chances = np.exp(matrix - matrix.max(1, keepdims=True))
        losses.append(-np.log(np.diag(chances) / chances.sum(1)).mean())
    return sum(losses) / 2


def test_loss_is_each_members_contrast():
    matcher = build(members=2)
    inputs = {"picture": FEATURES, "token_ids": TOKEN_IDS[:, None]}
    pictures, captions = matcher(inputs)
    loss = float(matcher.compute_loss(inputs, y_pred=(pictures, captions)))
    pictures, captions = np.asarray(pictures), np.asarray(captions)
    wanted = np.mean([contrast(pictures[:, m], captions[:, m]) for m in range(2)])
    assert loss == pytest.approx(wanted, rel=1e-4)


def test_captions_of_one_picture_are_not_held_against_each_other():
    matcher = build(members=1)
    token_ids = np.stack([TOKEN_IDS, TOKEN_IDS[::-1] + 1], axis=1)
    token_ids[2, 1] = 0  # picture 2 has one caption
    inputs = {"picture": FEATURES, "token_ids": token_ids}
    pictures, captions = matcher(inputs)
    loss = float(matcher.compute_loss(inputs, y_pred=(pictures, captions)))
    logits = np.asarray(pictures)[:, 0] @ np.asarray(captions)[:, 0].T / 0.05
    chances, losses = np.exp(logits).reshape(6, 6, 2), []
    chances[:, 2, 1] = 0
    for n in range(6):
        for k in range(2):
            own = chances[n, n, k]
            others = [np.delete(chances[n], n, axis=0).sum()]
            others.append(np.delete(chances[:, n, k], n).sum())
            losses += [np.log(1 + other / own) for other in others if own]
    assert loss == pytest.approx(np.mean(losses), rel=1e-4)


def test_a_caption_that_reads_the_same_is_not_held_against_a_picture():
    matcher = build(members=1)
    token_ids = np.repeat(TOKEN_IDS[:1, None], 6, axis=0)
    inputs = {"picture": FEATURES, "token_ids": token_ids}
    assert float(matcher.compute_loss(inputs, y_pred=matcher(inputs))) < 1e-4


def test_words_are_left_out_in_training_alone():
    matcher = build()
    token_ids = np.tile(TOKEN_IDS, (50, 4))
    left = np.asarray(matcher.forget(token_ids))
    assert 0.1 < (left == 0).mean() < 0.2
    assert (left[:, 0] == token_ids[:, 0]).all()  # the opening stays


def test_inner_products_are_mean_cosines():
    matcher = build(members=3)
    pictures, captions = (
        np.asarray(x)
        for x in matcher({"picture": FEATURES, "token_ids": TOKEN_IDS[:, None]})
    )
    cosines = np.einsum("nmd,kmd->nk", pictures, captions) / 3
    seen, read = matcher.embed("picture", FEATURES), matcher.embed("caption", TOKEN_IDS)
    np.testing.assert_allclose(seen @ read.T, cosines, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(seen, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("text_branch", ["words", "lstm-attention"])
def test_saving_changes_nothing(tmp_path, text_branch):
    matcher = build(text_branch=text_branch)
    matcher.save(tmp_path / "matcher.keras")
    loaded = keras.saving.load_model(tmp_path / "matcher.keras")
    for side, inputs in (("picture", FEATURES), ("caption", TOKEN_IDS)):
        np.testing.assert_array_equal(
            matcher.embed(side, inputs), loaded.embed(side, inputs)
        )


def test_looks_through_an_eye_of_its_own():
    eye = build_eye("conv", 32)
    assert eye.output_shape == (None, 2, 2, 256)
    matcher = build(eye=eye)
    pictures = RANDOM.integers(0, 256, (2, 32, 32, 3)).astype("uint8")
    assert matcher.embed("picture", pictures).shape == (2, 6)
    own = {id(weight) for weight in matcher.trainable_variables}
    assert {id(weight) for weight in eye.trainable_weights} <= own


def test_unknown_backbones_are_refused():
    with pytest.raises(ValueError, match="resnet"):
        build_eye("resnet")
