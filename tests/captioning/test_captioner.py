import itertools

import keras
import numpy as np
import pytest

from kerasgan.captioning import decoding
from kerasgan.captioning.captioner import END, UNKNOWN, build_captioner

START, WORDS, LENGTH = 2, 7, 5
RANDOM = np.random.default_rng(0)
GRID = RANDOM.standard_normal((3, 2, 2, 6)).astype("float32")
NOISE = RANDOM.standard_normal((3, 4)).astype("float32")


@pytest.fixture(scope="module")
def captioner():
    keras.utils.set_random_seed(0)
    model = build_captioner(
        GRID.shape[1:], WORDS, START, caption_length=LENGTH, dim=8, noise_dim=4
    )
    for weight in model.trainable_variables:  # far from even chances
        weight.assign(weight * 3)
    return model


def opened(token_ids):
    opening = np.full((*token_ids.shape[:2], 1), START)
    return np.concatenate([opening, token_ids], axis=-1).astype("int32")


def likelihoods(captioner, token_ids):
    """By teacher forcing, a word at a time: `(n, k)`."""
    token_ids = opened(np.asarray(token_ids))
    joined = captioner({"grid": GRID, "token_ids": token_ids, "noise": NOISE})
    chances = np.asarray(captioner.log_probabilities(joined))
    total = np.zeros(token_ids.shape[:2])
    for place in np.ndindex(*token_ids.shape[:2]):
        ids = token_ids[place]
        for index in range(LENGTH - 1):
            if ids[index] == END:
                break
            total[place] += chances[place][index, ids[index + 1]]
    return total


def stutters(words):
    pairs = itertools.chain(zip(words, words[1:]), zip(words, words[2:]))
    return any(word == later != END for word, later in pairs)


def test_words_that_are_not_said_are_unknown(captioner):
    heard = captioner.to_output_vocabulary(
        np.array([[START, WORDS - 1, WORDS, WORDS + 90, END]])
    )
    assert heard.tolist() == [[START, WORDS - 1, UNKNOWN, UNKNOWN, END]]


def test_greedy_takes_the_likeliest_word_each_time(captioner):
    ids, total = decoding.greedy_search(captioner, GRID, NOISE)
    ids = np.asarray(ids)
    assert ids.shape == (3, 1, LENGTH - 1)
    joined = captioner({"grid": GRID, "token_ids": opened(ids), "noise": NOISE})
    chances = np.array(captioner.log_probabilities(joined))[:, 0]
    for image, said in enumerate(ids[:, 0]):
        words = (said != END).sum()
        for place in range(min(words + 1, LENGTH - 1)):
            chances[image, place, said[max(0, place - 2) : place]] = -np.inf
            assert said[place] == chances[image, place].argmax()
    np.testing.assert_allclose(total, likelihoods(captioner, ids), atol=1e-4)


@pytest.mark.parametrize("decode", [decoding.greedy_search, decoding.beam_search])
def test_images_are_captioned_as_if_alone(captioner, decode):
    grids = RANDOM.standard_normal((20, 2, 2, 6)).astype("float32")
    noise = RANDOM.standard_normal((20, 4)).astype("float32")
    ids, total = (np.asarray(part) for part in decode(captioner, grids, noise))
    lengths = (ids[:, 0] != END).sum(axis=-1)
    assert len(np.unique(lengths)) > 2  # the short ones are left out of the last words
    for row in range(20):
        alone, worth = decode(captioner, grids[row : row + 1], noise[row : row + 1])
        assert (np.asarray(alone)[0] == ids[row]).all()
        np.testing.assert_allclose(worth[0], total[row], atol=1e-4)


def test_a_beam_as_wide_as_all_captions_finds_the_best(captioner):
    speakable = [id_ for id_ in range(WORDS) if id_ not in (UNKNOWN, START)]
    everything = []
    for words in itertools.product(speakable, repeat=LENGTH - 1):
        ended = words.index(END) if END in words else LENGTH
        if not any(words[ended:]) and not stutters(words):
            everything.append(words)
    ids = np.repeat(np.array(everything)[None], 3, axis=0)
    length = 1 + (ids != END).sum(-1)
    scores = likelihoods(captioner, ids) / length**0.7
    found, total = decoding.beam_search(captioner, GRID, NOISE, width=WORDS**2)
    for image in range(3):
        best = everything[scores[image].argmax()]
        assert tuple(np.asarray(found)[image, 0]) == best
    np.testing.assert_allclose(total, likelihoods(captioner, found), atol=1e-4)


def test_samples_are_drawn_by_their_chances(captioner):
    ids, total = decoding.sample_captions(captioner, GRID, NOISE, count=400, seed=3)
    np.testing.assert_allclose(
        np.asarray(total)[:, :20],
        likelihoods(captioner, np.asarray(ids)[:, :20]),
        atol=1e-4,
    )
    first = np.full((3, 1, LENGTH), START, "int32")
    joined = captioner({"grid": GRID, "token_ids": first, "noise": NOISE})
    chances = np.exp(np.asarray(captioner.log_probabilities(joined)))[:, 0, 0]
    for image in range(3):
        shares = np.bincount(np.asarray(ids)[image, :, 0], minlength=WORDS) / 400
        np.testing.assert_allclose(shares, chances[image], atol=0.09)
    again, _ = decoding.sample_captions(captioner, GRID, NOISE, count=400, seed=3)
    other, _ = decoding.sample_captions(captioner, GRID, NOISE, count=400, seed=4)
    assert (np.asarray(ids) == np.asarray(again)).all()
    assert (np.asarray(ids) != np.asarray(other)).any()


def test_a_small_nucleus_is_greedy(captioner):
    greedy, _ = decoding.greedy_search(captioner, GRID, NOISE)
    drawn, _ = decoding.sample_captions(captioner, GRID, NOISE, count=4, top_p=1e-6)
    assert (np.asarray(drawn) == np.asarray(greedy)).all()


@pytest.mark.parametrize(
    "draw", [decoding.greedy_search, decoding.beam_search, decoding.sample_captions]
)
def test_neither_unknown_nor_opening_is_said_and_nothing_after_the_end(captioner, draw):
    ids = np.asarray(draw(captioner, GRID, NOISE)[0])
    assert not np.isin(ids, [UNKNOWN, START]).any()
    for caption in ids.reshape(-1, ids.shape[-1]):
        assert not stutters(caption)
        assert not caption[(caption != END).sum() :].any()


def test_loss_counts_words_and_the_end_and_no_padding(captioner):
    token_ids = np.zeros((3, 2, LENGTH), "int32")
    token_ids[:, 0, :3] = START, 4, 5
    token_ids[:, 1, :3] = START, 3, UNKNOWN  # what is unknown is not learnt
    token_ids[2, 1] = END  # no second caption
    inputs = {"grid": GRID, "token_ids": token_ids, "noise": NOISE}
    joined = captioner(inputs)
    chances = np.asarray(captioner.log_probabilities(joined))
    wanted = [chances[n, 0, t, w] for n in range(3) for t, w in enumerate([4, 5, END])]
    wanted += [chances[n, 1, t, w] for n in range(2) for t, w in ((0, 3), (2, END))]
    loss = float(captioner.compute_loss(inputs, y_pred=joined))
    assert loss == pytest.approx(-np.mean(wanted), abs=1e-5)


def test_the_image_matters_and_saving_changes_nothing(captioner, tmp_path):
    captioner.save(tmp_path / "captioner.keras")
    loaded = keras.saving.load_model(tmp_path / "captioner.keras")
    inputs = {"token_ids": np.full((3, 1, LENGTH), 3, "int32"), "noise": NOISE}
    here = np.asarray(captioner({**inputs, "grid": GRID}))
    np.testing.assert_array_equal(here, np.asarray(loaded({**inputs, "grid": GRID})))
    assert abs(here - np.asarray(captioner({**inputs, "grid": -GRID}))).max() > 1e-2


def test_no_one_image_changes_anothers_caption(captioner):
    together, _ = decoding.beam_search(captioner, GRID, NOISE)
    alone, _ = decoding.beam_search(captioner, GRID[1:2], NOISE[1:2])
    assert (np.asarray(together)[1] == np.asarray(alone)[0]).all()
