"""Chooses among captions of an image: which voices speak for each, and how much each
of them is heard.
"""

import functools
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse, special

from kerasgan.captioning.captioner import END, UNKNOWN
from kerasgan.captioning.cider_reward import CiderReward

NUM_NEIGHBOURS = (
    10,
    50,
    200,
)  # training images whose captions a candidate is held against
FEATURES = (*(f"nearest {n}" for n in NUM_NEIGHBOURS), "cosine", "likelihood")
FEATURES += ("length", "fellows", "common", "wording")
HAND_WEIGHTS = {"nearest 50": 1.0, "cosine": 1.0, "likelihood": 0.5}
DEFAULT_WEIGHTS = np.array(
    [HAND_WEIGHTS.get(voice, 0.0) for voice in FEATURES]
)  # until weights is learnt
REGULARIZATION = 500.0  # candidates that the weights by hand count as
INVERSE_TEMPERATURE = (
    20.0  # of the softmax over cosines that weighs a candidate's fellows
)
NUM_NEGATIVES = 60  # other images that a caption should not suit
CIDER_NEIGHBOURS = 30  # nearest images whose wording counts, by two captions of each
CIDER_WEIGHT = 0.1  # weight of CIDEr-D beside TF-IDF in what a caption is worth
CHUNK_SIZE = 20  # images whose candidates' wording is compared at once
QUERY_BANK_SIZE = 2000  # training images, or captions, that hubs are told by


@dataclass(frozen=True)
class CaptionStore:
    """What the training images were and said: `vectors` `(n, d)` of the dual_encoder,
    `token_ids` `(n, k, length)`, and `idf` `(vocabulary_size,)`; and `weights`
    `(voices,)`, how much each voice is heard that speaks for a caption."""

    vectors: np.ndarray
    token_ids: np.ndarray
    idf: np.ndarray
    weights: np.ndarray = field(default_factory=DEFAULT_WEIGHTS.copy)

    @functools.cached_property
    def tfidf(self):
        """The mean of each image's TF-IDF vectors, sparse `(n, vocabulary_size)`."""
        count, captions, length = self.token_ids.shape
        bags = tfidf_vectors(self.token_ids.reshape(-1, length), self.idf)
        there = (self.token_ids[..., 0] != END).astype(float)
        there /= np.maximum(there.sum(axis=1, keepdims=True), 1)
        rows = np.repeat(np.arange(count), captions)
        columns = np.arange(count * captions)
        shape = (count, count * captions)
        return sparse.csr_matrix((there.ravel(), (rows, columns)), shape) @ bags

    @functools.cached_property
    def cider_reward(self):
        """CIDEr-D by how rare groups of words are in these captions."""
        return CiderReward(self.token_ids, len(self.idf))


def inverse_document_frequencies(token_ids, vocabulary_size, start_id):
    """Smooth inverse document frequencies `(vocabulary_size,)` of captions `(n, k,
    length)`; what is no word weighs nothing."""
    captions = token_ids.reshape(-1, token_ids.shape[-1])
    captions = captions[captions[:, 0] != END]
    rows = np.repeat(np.arange(len(captions)), captions.shape[1])
    seen = np.unique(np.stack([rows, captions.ravel()]), axis=1)[1]
    there = np.bincount(seen, minlength=vocabulary_size)
    idf = np.log((1 + len(captions)) / (1 + there)) + 1
    idf[[END, UNKNOWN, start_id]] = 0
    return idf


def tfidf_vectors(token_ids, idf):
    """TF-IDF vectors of captions `(n, length)`, of length 1, sparse."""
    rows = np.repeat(np.arange(len(token_ids)), token_ids.shape[1])
    columns = token_ids.ravel()
    shape = (len(token_ids), len(idf))
    bags = sparse.csr_matrix((idf[columns], (rows, columns)), shape)
    norms = np.sqrt(np.asarray(bags.multiply(bags).sum(axis=1))).ravel()
    return sparse.diags(1 / np.maximum(norms, 1e-9)) @ bags


def query_bank(others):
    """At most BANK of them, evenly picked."""
    return others[:: -(-len(others) // QUERY_BANK_SIZE)]


def hubness(vectors, others):
    """How near each of `vectors` `(n, d)` is to whatever comes from the other side:
    the soft maximum `(n,)` of the cosines with at most BANK of the training images'
    or captions' vectors `others`.

    Some captions are near to all images, and some images to all captions. What is
    nearest less its hubness is found more often (inverted softmax: Smith et al. 2017,
    https://arxiv.org/abs/1702.03859; by training queries: Bogolin et al. 2022,
    https://arxiv.org/abs/2112.12777); nothing of what is judged is looked at.
    """
    bank = query_bank(others).T
    parts = np.array_split(vectors, 1 + len(vectors) // 1024)
    found = [
        special.logsumexp(INVERSE_TEMPERATURE * part @ bank, axis=1) for part in parts
    ]
    return np.concatenate(found) / INVERSE_TEMPERATURE


def reranking_features(memory, token_ids, vectors, cosines, likely):
    """What speaks for each candidate, as z-scores among an image's candidates.

    The words that the 10, 50 and 200 most similar training images were given
    (consensus; Devlin et al. 2015, https://arxiv.org/abs/1505.04467); the dual_encoder's
    cosine; the captioner's likelihood; the length; how like it is to the other
    candidates, the better matched ones counting more (minimum Bayes risk; Kumar &
    Byrne 2004); how like to what is said of any image; and CIDEr-D with captions of
    the 30 most similar training images.

    Args:
        memory: a `Memory`.
        token_ids: `(n, k, length)`, without the opening one.
        vectors: of the images, `(n, d)`.
        cosines, likely: `(n, k)`.

    Returns:
        `(n, k, len(VOICES))`.
    """
    bags = tfidf_vectors(token_ids.reshape(-1, token_ids.shape[-1]), memory.idf)
    order = np.argsort(-vectors @ memory.vectors.T, axis=1)
    found = [_consensus(memory, bags, order[:, :count]) for count in NUM_NEIGHBOURS]
    found += [
        cosines,
        likely,
        caption_lengths(token_ids),
        _minimum_bayes_risk(bags, cosines),
    ]
    common = np.asarray(bags @ memory.tfidf.mean(axis=0).T)
    near = memory.token_ids[order[:, :CIDER_NEIGHBOURS], :2]
    near = near.reshape(len(near), -1, near.shape[-1])
    found += [common, _candidate_cider(memory, token_ids, near)]
    return np.stack([_z_scores(each.reshape(cosines.shape)) for each in found], axis=-1)


def _consensus(memory, bags, nearest):
    """Mean TF-IDF cosine `(n · k,)` with the captions of the nearest images."""
    count, near = nearest.shape
    shape = (count, len(memory.vectors))
    rows = np.repeat(np.arange(count), near)
    picked = sparse.csr_matrix((np.ones(rows.size), (rows, nearest.ravel())), shape)
    said = picked @ memory.tfidf / near
    owners = np.repeat(np.arange(count), bags.shape[0] // count)
    return np.asarray(bags.multiply(said[owners]).sum(axis=1)).ravel()


def _minimum_bayes_risk(bags, cosines):
    each = cosines.shape[1]
    weights = np.exp(
        INVERSE_TEMPERATURE * (cosines - cosines.max(axis=1, keepdims=True))
    )
    weights /= weights.sum(axis=1, keepdims=True)
    found = np.empty(cosines.shape)
    for row in range(len(cosines)):
        own = bags[row * each : (row + 1) * each]
        found[row] = (own @ own.T) @ weights[row]
    return found


def _candidate_cider(memory, token_ids, references):
    """CIDEr-D `(n, k)` of candidates with captions `(n, j, length)`."""
    # Agreement wants an opening token, and does not read it.
    opened = np.pad(token_ids, ((0, 0), (0, 0), (1, 0)), constant_values=UNKNOWN)
    parts = [
        memory.cider_reward(
            opened[start : start + CHUNK_SIZE], references[start : start + CHUNK_SIZE]
        )
        for start in range(0, len(opened), CHUNK_SIZE)
    ]
    return np.concatenate([part.numpy() for part in parts])


def candidate_quality(memory, token_ids, references, seed=0):
    """How much better each candidate suits its own image than others, `(n, k)`: its
    TF-IDF cosine with the most similar of the image's captions, less the mean of
    that with other images' captions, and a share of its CIDEr-D, for a caption is
    more than its words.

    Args:
        references: token ids of the images' captions, `(n, j, length)`.
    """
    count, each = token_ids.shape[:2]
    bags = tfidf_vectors(token_ids.reshape(-1, token_ids.shape[-1]), memory.idf)
    known = [tfidf_vectors(own, memory.idf) for own in references]
    worth = np.empty((count, each))
    for row, own in enumerate(known):
        worth[row] = _best_similarity(bags[row * each : (row + 1) * each], own)
    strangers = np.random.default_rng(seed).permutation(count)[:NUM_NEGATIVES]
    elsewhere = np.zeros((count, each))
    for stranger in strangers:
        found = _best_similarity(bags, known[stranger]).reshape(count, each)
        found[stranger] = 0  # no stranger to itself
        elsewhere += found
    met = len(strangers) - np.isin(np.arange(count), strangers)
    worth -= elsewhere / np.maximum(met, 1)[:, None]
    return worth + CIDER_WEIGHT * _candidate_cider(memory, token_ids, references)


def _best_similarity(bags, references):
    return (bags @ references.T).max(axis=1).toarray().ravel()


def fit_feature_weights(heard, worth):
    """Weights of the voices by ridge regression, pulled towards those by hand.

    Args:
        heard: `(n, k, voices)`, see `voices`.
        worth: `(n, k)`, see `candidate_quality`.

    Returns:
        `(voices,)` float64.
    """
    heard = heard.reshape(-1, heard.shape[-1])
    wanted = (worth - worth.mean(axis=1, keepdims=True)).ravel()
    by_hand = heard @ DEFAULT_WEIGHTS
    scale = max(by_hand @ wanted, 0) / max(by_hand @ by_hand, 1e-9)
    rest = heard.T @ (wanted - scale * by_hand)
    pulled = heard.T @ heard + REGULARIZATION * np.eye(heard.shape[1])
    return scale * DEFAULT_WEIGHTS + np.linalg.solve(pulled, rest)


def caption_lengths(token_ids):
    """Words of each caption, the ending one counted: `(…,)`."""
    return 1 + (token_ids != END).sum(axis=-1)


def _z_scores(scores):
    """z-scores within each image's candidates."""
    centred = scores - scores.mean(axis=1, keepdims=True)
    return centred / (scores.std(axis=1, keepdims=True) + 1e-6)
