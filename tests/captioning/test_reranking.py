"""Which of several captions is chosen."""

import numpy as np
import pytest

from kerasgan.captioning.reranking import (
    CIDER_WEIGHT,
    DEFAULT_WEIGHTS,
    FEATURES,
    CaptionStore,
    candidate_quality,
    fit_feature_weights,
    hubness,
    inverse_document_frequencies,
    reranking_features,
    tfidf_vectors,
)

RANDOM = np.random.default_rng(0)
START = 2
IDF = np.array([0, 0, 0, 1.0, 1, 1, 1, 1])


def test_idf_is_scikit_learns():
    from sklearn.feature_extraction.text import TfidfVectorizer

    token_ids = RANDOM.integers(3, 8, (12, 2, 5))
    token_ids[..., 0] = START
    token_ids[::2, 1] = 0  # every other image has one caption
    texts = [
        " ".join(str(word) for word in ids if word > START)
        for ids in token_ids.reshape(-1, 5)
        if ids[0]
    ]
    oracle = TfidfVectorizer(tokenizer=str.split, token_pattern=None).fit(texts)
    idf = inverse_document_frequencies(token_ids, 8, START)
    for word, column in oracle.vocabulary_.items():
        assert idf[int(word)] == pytest.approx(oracle.idf_[column])
    assert not idf[:3].any()


def memory():
    """Two hundred images of two kinds, called 3 and 4."""
    kinds = np.arange(200) % 2
    token_ids = np.zeros((200, 1, 3), np.int32)
    token_ids[:, 0, 0], token_ids[:, 0, 1] = START, 3 + kinds
    return CaptionStore(np.eye(2)[kinds], token_ids, IDF)


def voice(heard, name):
    return heard[..., FEATURES.index(name)]


def test_a_candidate_is_held_against_what_similar_images_were_called():
    said = np.array([[[3, 0], [4, 0], [5, 0]]])
    level = np.zeros((1, 3))
    heard = reranking_features(memory(), said, np.array([[1.0, 0.0]]), level, level)
    assert heard.shape == (1, 3, len(FEATURES))
    near = voice(heard, "nearest 10")[0]
    assert near[0] > near[1] == near[2]  # the ten nearest are all called 3
    everyone = voice(heard, "nearest 200")[0]
    assert everyone[0] == pytest.approx(everyone[1]) and everyone[1] > everyone[2]
    wording = voice(heard, "wording")[0]
    assert wording[0] > wording[1] == wording[2]
    assert voice(heard, "cosine").tolist() == [[0, 0, 0]]


def test_likeness_to_fellows_counts_the_better_matched_more():
    said = np.array([[[3, 4], [3, 0], [5, 0], [5, 0]]])
    cosines = np.array([[0.9, 0.1, 0.1, 0.1]])
    heard = reranking_features(memory(), said, np.array([[1.0, 0.0]]), cosines, cosines)
    fellows = voice(heard, "fellows")[0]
    assert fellows[0] > fellows[1] > fellows[2] == fellows[3]


def test_what_is_near_to_everything_is_a_hub():
    def unit(vectors):
        return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)

    others = unit(RANDOM.normal(size=(5000, 6)) + 1)
    captions = unit(RANDOM.normal(size=(40, 6)))
    captions[0] = unit(others.mean(axis=0))
    found = hubness(captions, others)
    bank = others[::3]  # at most 2,000 of them
    naive = [np.log(np.exp(20 * bank @ one).sum()) / 20 for one in captions]
    np.testing.assert_allclose(found, naive, atol=1e-9)
    assert found.argmax() == 0


def test_worth_by_naive_count():
    said = RANDOM.integers(3, 8, (4, 3, 5))
    references = RANDOM.integers(3, 8, (4, 2, 5))
    found = candidate_quality(memory(), said, references)

    def cosine(a, b):
        return (tfidf_vectors(a[None], IDF) @ tfidf_vectors(b[None], IDF).T).toarray()[
            0, 0
        ]

    most = np.array(
        [
            [[max(cosine(c, r) for r in own) for own in references] for c in row]
            for row in said
        ]
    )
    wanted = np.stack([most[n, :, n] for n in range(4)])
    wanted -= (most.sum(axis=2) - wanted) / 3
    opened = np.concatenate([np.full((4, 3, 1), START), said], axis=-1)
    wanted += CIDER_WEIGHT * memory().cider_reward(opened, references).numpy()
    np.testing.assert_allclose(found, wanted, atol=1e-9)


def test_trust_goes_to_the_voice_that_tells_worth():
    heard = RANDOM.normal(size=(300, 20, len(FEATURES)))
    worth = heard[..., 5] + 0.1 * RANDOM.normal(size=(300, 20))
    assert fit_feature_weights(heard, worth).argmax() == 5


def test_few_images_leave_it_at_the_weights_by_hand():
    heard = RANDOM.normal(size=(2, 4, len(FEATURES)))
    worth = heard @ DEFAULT_WEIGHTS
    worth -= worth.mean(axis=1, keepdims=True)
    weights = fit_feature_weights(heard, worth)
    np.testing.assert_allclose(weights / weights[1], DEFAULT_WEIGHTS, atol=0.2)
