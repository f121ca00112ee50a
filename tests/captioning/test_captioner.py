"""The captioner and its decoding functions."""

import itertools

import keras
import numpy as np
import pytest

from kerasgan.captioning import caption_generation, decoding
from kerasgan.captioning.captioner import build_captioner
from kerasgan.captioning.tokens import END, UNKNOWN

START, VOCABULARY_SIZE, LENGTH = 2, 7, 5
RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.standard_normal((3, 2, 2, 6)).astype("float32")
NOISE = RANDOM.standard_normal((3, 4)).astype("float32")
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
        noise_dim=4,
        decoder=request.param,
    )
    for weight in model.trainable_variables:  # far from equal probabilities
        weight.assign(weight * 3)
    return model


def with_start(token_ids):
    start = np.full((*token_ids.shape[:2], 1), START)
    return np.concatenate([start, token_ids], axis=-1).astype("int32")


def next_log_probabilities(captioner, token_ids):
    """With teacher forcing, `(n, k, length, vocabulary_size)`."""
    inputs = {"features": FEATURES, "token_ids": token_ids, "noise": NOISE}
    return np.array(captioner.log_probabilities(captioner(inputs)))


def log_likelihoods(captioner, token_ids):
    """The sum over words, computed one by one: `(n, k)`."""
    token_ids = with_start(np.asarray(token_ids))
    log_probabilities = next_log_probabilities(captioner, token_ids)
    total = np.zeros(token_ids.shape[:2])
    for row in np.ndindex(*token_ids.shape[:2]):
        ids = token_ids[row]
        for position in range(LENGTH - 1):
            if ids[position] == END:
                break
            total[row] += log_probabilities[row][position, ids[position + 1]]
    return total


def repeats_words(words):
    pairs = itertools.chain(
        zip(words, words[1:], strict=False), zip(words, words[2:], strict=False)
    )
    return any(word == later != END for word, later in pairs)


def test_words_outside_the_output_vocabulary_become_unknown(captioner):
    token_ids = [[START, VOCABULARY_SIZE - 1, VOCABULARY_SIZE, 99, END]]
    token_ids = captioner.to_output_vocabulary(np.array(token_ids))
    assert token_ids.tolist() == [[START, VOCABULARY_SIZE - 1, UNKNOWN, UNKNOWN, END]]


def test_greedy_search_takes_the_likeliest_words(captioner):
    ids, total = decoding.greedy_search(captioner, FEATURES, NOISE)
    ids = np.asarray(ids)
    assert ids.shape == (3, 1, LENGTH - 1)
    log_probabilities = next_log_probabilities(captioner, with_start(ids))[:, 0]
    for image, caption in enumerate(ids[:, 0]):
        num_words = (caption != END).sum()
        for position in range(min(num_words + 1, LENGTH - 1)):
            scores = log_probabilities[image, position]
            scores[caption[max(0, position - 2) : position]] = -np.inf
            assert caption[position] == scores.argmax()
    np.testing.assert_allclose(total, log_likelihoods(captioner, ids), **TOLERANCE)


@pytest.mark.parametrize("decode", [decoding.greedy_search, decoding.beam_search])
def test_captions_do_not_depend_on_the_batch(captioner, decode):
    features = RANDOM.standard_normal((20, 2, 2, 6)).astype("float32")
    noise = RANDOM.standard_normal((20, 4)).astype("float32")
    ids, total = (np.asarray(array) for array in decode(captioner, features, noise))
    lengths = (ids[:, 0] != END).sum(axis=-1)
    assert len(np.unique(lengths)) > 2  # short ones leave the batch early
    for row in range(20):
        rows = slice(row, row + 1)
        single_ids, single_total = decode(captioner, features[rows], noise[rows])
        assert (np.asarray(single_ids)[0] == ids[row]).all()
        np.testing.assert_allclose(single_total[0], total[row], **TOLERANCE)


def test_a_beam_as_wide_as_all_captions_finds_the_best(captioner):
    words = [id_ for id_ in range(VOCABULARY_SIZE) if id_ not in (UNKNOWN, START)]
    captions = []
    for caption in itertools.product(words, repeat=LENGTH - 1):
        end = caption.index(END) if END in caption else LENGTH
        if not any(caption[end:]) and not repeats_words(caption):
            captions.append(caption)
    ids = np.repeat(np.array(captions)[None], 3, axis=0)
    length = 1 + (ids != END).sum(-1)
    scores = log_likelihoods(captioner, ids) / length**0.7
    best, total = decoding.beam_search(
        captioner, FEATURES, NOISE, width=VOCABULARY_SIZE**2
    )
    for image in range(3):
        expected = captions[scores[image].argmax()]
        assert tuple(np.asarray(best)[image, 0]) == expected
    np.testing.assert_allclose(total, log_likelihoods(captioner, best), **TOLERANCE)


def test_samples_follow_the_probabilities(captioner):
    def sample(seed):
        return decoding.sample_captions(
            captioner, FEATURES, NOISE, count=400, seed=seed
        )

    ids, total = (np.asarray(array) for array in sample(3))
    np.testing.assert_allclose(
        total[:, :20], log_likelihoods(captioner, ids[:, :20]), **TOLERANCE
    )
    start = np.full((3, 1, LENGTH), START, "int32")
    probabilities = np.exp(next_log_probabilities(captioner, start))[:, 0, 0]
    for image in range(3):
        shares = np.bincount(ids[image, :, 0], minlength=VOCABULARY_SIZE) / 400
        np.testing.assert_allclose(shares, probabilities[image], atol=0.09)
    assert (ids == np.asarray(sample(3)[0])).all()
    assert (ids != np.asarray(sample(4)[0])).any()


def test_a_tiny_top_p_is_greedy(captioner):
    greedy, _ = decoding.greedy_search(captioner, FEATURES, NOISE)
    sampled, _ = decoding.sample_captions(
        captioner, FEATURES, NOISE, count=4, top_p=1e-6
    )
    assert (np.asarray(sampled) == np.asarray(greedy)).all()


@pytest.mark.parametrize(
    "decode", [decoding.greedy_search, decoding.beam_search, decoding.sample_captions]
)
def test_special_tokens_repetitions_and_words_after_the_end_are_never_generated(
    captioner, decode
):
    ids = np.asarray(decode(captioner, FEATURES, NOISE)[0])
    assert not np.isin(ids, [UNKNOWN, START]).any()
    for caption in ids.reshape(-1, ids.shape[-1]):
        assert not repeats_words(caption)
        assert not caption[(caption != END).sum() :].any()


def test_generate_token_ids_decodes_in_the_graph(captioner):
    functions = {
        "greedy": (decoding.greedy_search, {}),
        "beam": (decoding.beam_search, {"width": 3}),
        "top-p": (decoding.sample_captions, {"count": 2, "seed": 5}),
    }
    for name, (decode, options) in functions.items():
        expected = decode(captioner, FEATURES, NOISE, **options)
        arguments = {"noise": NOISE, **options}
        result = captioner.generate_token_ids(FEATURES, name, **arguments)
        np.testing.assert_array_equal(result[0], expected[0])
        np.testing.assert_allclose(result[1], expected[1], **TOLERANCE)
    with pytest.raises(ValueError, match="Received: 'best'"):
        captioner.generate_token_ids(FEATURES, "best")


def test_the_loss_counts_words_and_end_tokens_but_no_padding(captioner):
    token_ids = np.zeros((3, 2, LENGTH), "int32")
    token_ids[:, 0, :3] = START, 4, 5
    token_ids[:, 1, :3] = START, 3, UNKNOWN  # unknown words are not learned
    token_ids[2, 1] = END  # no second caption
    inputs = {"features": FEATURES, "token_ids": token_ids, "noise": NOISE}
    hidden = captioner(inputs)
    scores = np.asarray(captioner.log_probabilities(hidden))
    counted = [scores[n, 0, t, w] for n in range(3) for t, w in enumerate([4, 5, END])]
    counted += [scores[n, 1, t, w] for n in range(2) for t, w in ((0, 3), (2, END))]
    loss = float(captioner.compute_loss(inputs, y_pred=hidden))
    assert loss == pytest.approx(-np.mean(counted), abs=1e-5)
    no_captions = {**inputs, "token_ids": np.zeros_like(token_ids)}
    assert float(captioner.compute_loss(no_captions, y_pred=hidden)) == 0


def stepwise_log_likelihoods(captioner, token_ids):
    """Without noise, decoded word by word: `(n, k)`."""
    memory, states = captioner.encode(FEATURES, np.zeros_like(NOISE))
    count = token_ids.shape[1]
    states = [keras.ops.repeat(state[:, None], count, axis=1) for state in states]
    total = np.zeros(token_ids.shape[:2])
    for position in range(LENGTH - 1):
        tokens, words = token_ids[:, :, position], token_ids[:, :, position + 1]
        scores, states, _ = captioner.step(tokens, position, states, memory)
        chosen = np.take_along_axis(np.asarray(scores), words[..., None], axis=-1)
        total += np.where((tokens == END) | (words == UNKNOWN), 0, chosen[..., 0])
    return total


def given_captions():
    """Of all lengths, from none to the longest, and with unknown words."""
    random = np.random.default_rng(1)
    token_ids = random.integers(3, VOCABULARY_SIZE, (3, 5, LENGTH - 1))
    token_ids[:, 0, 2] = UNKNOWN
    for caption, length in enumerate(range(LENGTH - 1, -1, -1)):
        token_ids[:, caption, length:] = END
    return with_start(token_ids)


def test_likelihoods_of_given_captions(captioner, monkeypatch):
    token_ids = given_captions()
    expected = stepwise_log_likelihoods(captioner, token_ids)
    likelihoods = captioner.log_likelihoods(FEATURES, token_ids)
    assert likelihoods.shape == (3, 5) and likelihoods.dtype == np.float32
    np.testing.assert_allclose(likelihoods, expected, **TOLERANCE)
    token_ids[token_ids == UNKNOWN] = VOCABULARY_SIZE + 3  # as of the dual encoder
    monkeypatch.setattr(caption_generation, "NUM_PAIRS", 2)
    likelihoods = captioner.log_likelihoods(FEATURES, token_ids)
    np.testing.assert_allclose(likelihoods, expected, **TOLERANCE)
    padding = np.zeros((3, 1, LENGTH), int)
    assert not captioner.log_likelihoods(FEATURES, padding).any()
    assert captioner.log_likelihoods(FEATURES[:0], padding[:0]).shape == (0, 1)


def test_likelihoods_add_up_to_the_loss(captioner):
    token_ids = given_captions()
    inputs = {"features": FEATURES, "token_ids": token_ids}
    hidden = captioner(inputs | {"noise": np.zeros_like(NOISE)})
    loss = float(captioner.weighted_loss(hidden, token_ids))
    num_words = ((token_ids[..., :-1] != END) & (token_ids[..., 1:] != UNKNOWN)).sum()
    likelihoods = captioner.log_likelihoods(FEATURES, token_ids)
    assert likelihoods.sum() == pytest.approx(-loss * num_words, rel=1e-3)


def test_the_image_matters_and_a_saved_model_is_equal(captioner, tmp_path):
    captioner.save(tmp_path / "captioner.keras")
    loaded = keras.saving.load_model(tmp_path / "captioner.keras")
    inputs = {"token_ids": np.full((3, 1, LENGTH), 3, "int32"), "noise": NOISE}
    hidden = np.asarray(captioner({**inputs, "features": FEATURES}))
    loaded_hidden = np.asarray(loaded({**inputs, "features": FEATURES}))
    np.testing.assert_array_equal(hidden, loaded_hidden)
    other = np.asarray(captioner({**inputs, "features": -FEATURES}))
    assert abs(hidden - other).max() > 1e-2


def test_a_captioner_without_its_arguments_is_rejected():
    with pytest.raises(ValueError, match="needs `vocabulary_size` and `start_id`"):
        build_captioner((2, 2, 4))
    with pytest.raises(ValueError, match="Pass `image_encoder` or `feature_shape`"):
        build_captioner(vocabulary_size=5, start_id=2)
