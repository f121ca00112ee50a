"""What both decoders of the captioner promise."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasgan.captioning import decoding
from kerasgan.captioning.captioner import build_captioner
from kerasgan.captioning.transformer_decoder import NUM_BLOCKS, NUM_HEADS

START, VOCABULARY_SIZE, LENGTH, COUNT = 2, 9, 6, 3
RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.standard_normal((4, 2, 3, 5)).astype("float32")
NOISE = RANDOM.standard_normal((4, 2)).astype("float32")
TOKEN_IDS = RANDOM.integers(3, VOCABULARY_SIZE, (4, COUNT, LENGTH)).astype("int32")
TOKEN_IDS[..., 0] = START
# Layer normalization and sharp attention amplify rounding.
TOLERANCE = {"rtol": 1e-3, "atol": 1e-4}


@pytest.fixture(scope="module", params=["lstm", "transformer"])
def captioner(request):
    keras.utils.set_random_seed(0)
    model = build_captioner(
        FEATURES.shape[1:],
        VOCABULARY_SIZE,
        START,
        caption_length=LENGTH,
        dim=8,
        noise_dim=2,
        decoder=request.param,
    )
    for weight in model.trainable_variables:
        weight.assign(weight * 3)
    return model


def log_probabilities(captioner, token_ids=TOKEN_IDS, noise=NOISE):
    inputs = {"features": FEATURES, "token_ids": token_ids, "noise": noise}
    return np.asarray(captioner.log_probabilities(captioner(inputs)))


def start(captioner, count=COUNT):
    memory, states = captioner.encode(FEATURES, NOISE)
    return memory, [tf.repeat(state[:, None], count, axis=1) for state in states]


def test_steps_equal_teacher_forcing(captioner):
    expected = log_probabilities(captioner)
    memory, states = start(captioner)
    for position in range(LENGTH):
        shapes = [state.shape for state in states]
        result, states, weights = captioner.step(
            TOKEN_IDS[..., position], position, states, memory
        )
        np.testing.assert_allclose(result, expected[:, :, position], **TOLERANCE)
        assert [state.shape for state in states] == shapes
        assert weights.shape[:2] == (4, COUNT) and weights.shape[2] > 2 * 3
        np.testing.assert_allclose(np.sum(weights, axis=-1), 1, atol=1e-5)


def test_a_word_only_depends_on_words_before_it(captioner):
    before = log_probabilities(captioner)
    for position in range(1, LENGTH):
        token_ids = TOKEN_IDS.copy()
        token_ids[..., position] = 3 + (token_ids[..., position] - 2) % 6
        change = np.abs(log_probabilities(captioner, token_ids) - before)
        assert (change[:, :, :position] < 1e-6).all()
        assert change[:, :, position].max() > 1e-3


def test_image_and_noise_matter_from_the_first_word(captioner):
    before = log_probabilities(captioner)[:, :, 0]
    other = log_probabilities(captioner, noise=-NOISE)[:, :, 0]
    assert (np.abs(before - other).max(axis=-1) > 1e-4).all()
    assert (np.abs(before[:1] - before[1:]).max(axis=-1) > 1e-4).all()


def test_states_of_captions_can_be_reordered(captioner):
    """As beam search does, where captions share their beginning."""
    memory, states = start(captioner)
    _, states, _ = captioner.step(TOKEN_IDS[..., 0], 0, states, memory)
    _, states, _ = captioner.step(TOKEN_IDS[..., 1], 1, states, memory)
    order = np.array([[2, 2, 0]] * 4)
    states = [tf.gather(state, order, batch_dims=1) for state in states]
    result, _, _ = captioner.step(TOKEN_IDS[..., 2], 2, states, memory)
    token_ids = np.take_along_axis(TOKEN_IDS, order[..., None], axis=1)
    token_ids[..., 2] = TOKEN_IDS[..., 2]
    expected = log_probabilities(captioner, token_ids)[:, :, 2]
    np.testing.assert_allclose(result, expected, **TOLERANCE)


def test_a_beam_of_one_is_greedy(captioner):
    greedy, total = decoding.greedy_search(captioner, FEATURES, NOISE)
    ids, beam_total = decoding.beam_search(captioner, FEATURES, NOISE, width=1)
    np.testing.assert_array_equal(ids, greedy)
    np.testing.assert_allclose(beam_total, total, **TOLERANCE)


def test_sizes_that_heads_do_not_divide():
    captioner = build_captioner(
        (2, 2, 4), 9, START, LENGTH, dim=NUM_HEADS + 1, decoder="transformer"
    )
    assert len(captioner.decoder.blocks) == NUM_BLOCKS
    features = np.ones((2, 2, 2, 4), "float32")
    token_ids, _ = captioner.generate_token_ids(features)
    assert token_ids.shape == (2, 1, LENGTH - 1)


def test_an_unknown_decoder_is_rejected():
    with pytest.raises(ValueError, match="lstm or transformer. Received: 'gru'"):
        build_captioner((2, 2, 4), 9, START, decoder="gru")
