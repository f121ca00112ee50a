"""Which of several candidate captions is chosen."""

import dataclasses

import numpy as np
import pytest

from kerasgan.captioning.caption_store import CaptionStore
from kerasgan.captioning.hubness import hubness
from kerasgan.captioning.reranking import (
    CIDER_WEIGHT,
    candidate_quality,
    fit_feature_weights,
)
from kerasgan.captioning.reranking_features import (
    DEFAULT_WEIGHTS,
    FEATURES,
    reranking_features,
)
from kerasgan.captioning.token_tfidf import inverse_document_frequencies, tfidf_vectors
from kerasgan.errors import UserError

RANDOM = np.random.default_rng(0)
START = 2
IDF = np.array([0, 0, 0, 1.0, 1, 1, 1, 1])


def test_idf_equals_scikit_learns():
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


def make_store():
    """Two hundred images of two classes, whose captions are the words 3 and 4."""
    classes = np.arange(200) % 2
    token_ids = np.zeros((200, 1, 3), np.int32)
    token_ids[:, 0, 0], token_ids[:, 0, 1] = START, 3 + classes
    return CaptionStore(np.eye(2)[classes], token_ids, IDF)


def column(features, name):
    return features[..., FEATURES.index(name)]


def test_candidates_are_compared_with_captions_of_similar_images():
    candidates = np.array([[[3, 0], [4, 0], [5, 0]]])
    zeros = np.zeros((1, 3))
    vectors = np.array([[1.0, 0.0]])
    features = reranking_features(make_store(), candidates, vectors, zeros, zeros)
    assert features.shape == (1, 3, len(FEATURES))
    nearest = column(features, "consensus_10")[0]
    assert nearest[0] > nearest[1] == nearest[2]  # the ten nearest are all called 3
    everything = column(features, "consensus_200")[0]
    assert everything[0] == pytest.approx(everything[1])
    assert everything[1] > everything[2]
    cider = column(features, "cider")[0]
    assert cider[0] > cider[1] == cider[2]
    assert column(features, "cosine").tolist() == [[0, 0, 0]]


def test_minimum_bayes_risk_weights_candidates_by_their_cosine():
    candidates = np.array([[[3, 4], [3, 0], [5, 0], [5, 0]]])
    cosines = np.array([[0.9, 0.1, 0.1, 0.1]])
    vectors = np.array([[1.0, 0.0]])
    features = reranking_features(make_store(), candidates, vectors, cosines, cosines)
    risk = column(features, "minimum_bayes_risk")[0]
    assert risk[0] > risk[1] > risk[2] == risk[3]


def test_a_vector_close_to_everything_is_a_hub():
    def unit_length(vectors):
        return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)

    queries = unit_length(RANDOM.normal(size=(5000, 6)) + 1)
    captions = unit_length(RANDOM.normal(size=(40, 6)))
    captions[0] = unit_length(queries.mean(axis=0))
    result = hubness(captions, queries)
    bank = queries[::3]  # at most 2,000 of them
    expected = [np.log(np.exp(20 * bank @ vector).sum()) / 20 for vector in captions]
    np.testing.assert_allclose(result, expected, atol=1e-9)
    assert result.argmax() == 0


def test_quality_equals_a_naive_computation():
    candidates = RANDOM.integers(3, 8, (4, 3, 5))
    references = RANDOM.integers(3, 8, (4, 2, 5))
    quality = candidate_quality(make_store(), candidates, references)

    def cosine(a, b):
        a, b = (tfidf_vectors(ids[None], IDF) for ids in (a, b))
        return (a @ b.T).toarray()[0, 0]

    best = np.array(
        [
            [[max(cosine(c, r) for r in group) for group in references] for c in row]
            for row in candidates
        ]
    )
    expected = np.stack([best[n, :, n] for n in range(4)])
    expected -= (best.sum(axis=2) - expected) / 3
    padded = np.concatenate([np.full((4, 3, 1), START), candidates], axis=-1)
    expected += CIDER_WEIGHT * make_store().cider_reward(padded, references).numpy()
    np.testing.assert_allclose(quality, expected, atol=1e-9)


def test_the_feature_that_predicts_quality_gets_the_largest_weight():
    features = RANDOM.normal(size=(300, 20, len(FEATURES)))
    quality = features[..., 5] + 0.1 * RANDOM.normal(size=(300, 20))
    assert fit_feature_weights(features, quality).argmax() == 5


def test_few_images_keep_the_weights_chosen_by_hand():
    features = RANDOM.normal(size=(2, 4, len(FEATURES)))
    quality = features @ DEFAULT_WEIGHTS
    quality -= quality.mean(axis=1, keepdims=True)
    weights = fit_feature_weights(features, quality)
    np.testing.assert_allclose(weights / weights[1], DEFAULT_WEIGHTS, atol=0.2)


def test_a_saved_store_is_equal_and_another_versions_is_rejected(tmp_path):
    path, store = tmp_path / "store.npz", make_store()
    store.save(path)
    loaded = CaptionStore.load(path)
    for name in ("vectors", "token_ids", "idf", "weights"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(store, name))
    CaptionStore(store.vectors, store.token_ids, IDF, np.ones(2)).save(path)
    with pytest.raises(UserError, match="has 2 weights. Expected: 9"):
        CaptionStore.load(path)
    np.savez(path, vectors=store.vectors)
    with pytest.raises(UserError, match="missing 2 required"):
        CaptionStore.load(path)


@pytest.mark.parametrize("damage", ["objects", "truncated", "empty", "no archive"])
def test_a_damaged_store_is_named(tmp_path, damage):
    path, store = tmp_path / "store.npz", make_store()
    store.save(path)
    content = path.read_bytes()
    if damage == "objects":
        names = ("vectors", "token_ids", "idf", "weights")
        np.savez(path, **{name: np.array([print], dtype=object) for name in names})
    else:
        damaged = {"truncated": content[:-100], "empty": b"", "no archive": b"a" * 99}
        path.write_bytes(damaged[damage])
    with pytest.raises(UserError, match=r"store\.npz is damaged.*Delete it"):
        CaptionStore.load(path)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("token_ids", lambda ids: ids + 10_000),
        ("token_ids", lambda ids: -ids),
        ("token_ids", lambda ids: ids[:1]),
        ("vectors", lambda vectors: vectors[0]),
        ("idf", lambda idf: idf * np.nan),
        ("idf", lambda idf: idf.astype("float16")),
    ],
)
def test_a_store_whose_arrays_do_not_fit_is_named(tmp_path, name, change):
    store = make_store()
    changed = dataclasses.replace(store, **{name: change(getattr(store, name))})
    changed.save(tmp_path / "store.npz")
    with pytest.raises(UserError, match=r"store\.npz is damaged"):
        CaptionStore.load(tmp_path / "store.npz")
