"""Chooses among captions of a picture: which voices speak for each, and how much each
of them is heard.
"""

import functools
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse, special

from kerasgan.models.captioner import END, UNKNOWN
from kerasgan.training.agreement import Agreement

NEAREST = (10, 50, 200)  # training pictures whose captions a candidate is held against
VOICES = (*(f"nearest {n}" for n in NEAREST), "cosine", "likelihood")
VOICES += ("length", "fellows", "common", "wording")
HEARD = {"nearest 50": 1.0, "cosine": 1.0, "likelihood": 0.5}
BY_HAND = np.array([HEARD.get(voice, 0.0) for voice in VOICES])  # until trust is learnt
PULL = 500.0  # candidates that the weights by hand count as
SHARPNESS = 20.0  # of the softmax over cosines that weighs a candidate's fellows
STRANGERS = 60  # other pictures that a caption should not suit
WORDED = 30  # nearest pictures whose wording counts, by two captions of each
FLUENCY = 0.1  # weight of CIDEr-D beside TF-IDF in what a caption is worth
CHUNK = 20  # pictures whose candidates' wording is compared at once
BANK = 2000  # training pictures, or captions, that hubs are told by


@dataclass(frozen=True)
class Memory:
    """What the training pictures were and said: `vectors` `(n, d)` of the matcher,
    `token_ids` `(n, k, length)`, and `idf` `(vocabulary_size,)`; and `trust`
    `(voices,)`, how much each voice is heard that speaks for a caption."""

    vectors: np.ndarray
    token_ids: np.ndarray
    idf: np.ndarray
    trust: np.ndarray = field(default_factory=BY_HAND.copy)

    @functools.cached_property
    def bags(self):
        """The mean of each picture's TF-IDF vectors, sparse `(n, vocabulary_size)`."""
        count, captions, length = self.token_ids.shape
        bags = bags_of(self.token_ids.reshape(-1, length), self.idf)
        there = (self.token_ids[..., 0] != END).astype(float)
        there /= np.maximum(there.sum(axis=1, keepdims=True), 1)
        rows = np.repeat(np.arange(count), captions)
        columns = np.arange(count * captions)
        shape = (count, count * captions)
        return sparse.csr_matrix((there.ravel(), (rows, columns)), shape) @ bags

    @functools.cached_property
    def agreement(self):
        """CIDEr-D by how rare groups of words are in these captions."""
        return Agreement(self.token_ids, len(self.idf))


def idf_of(token_ids, vocabulary_size, start_id):
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


def bags_of(token_ids, idf):
    """TF-IDF vectors of captions `(n, length)`, of length 1, sparse."""
    rows = np.repeat(np.arange(len(token_ids)), token_ids.shape[1])
    columns = token_ids.ravel()
    shape = (len(token_ids), len(idf))
    bags = sparse.csr_matrix((idf[columns], (rows, columns)), shape)
    norms = np.sqrt(np.asarray(bags.multiply(bags).sum(axis=1))).ravel()
    return sparse.diags(1 / np.maximum(norms, 1e-9)) @ bags


def bank_of(others):
    """At most BANK of them, evenly picked."""
    return others[:: -(-len(others) // BANK)]


def hubness(vectors, others):
    """How near each of `vectors` `(n, d)` is to whatever comes from the other side:
    the soft maximum `(n,)` of the cosines with at most BANK of the training pictures'
    or captions' vectors `others`.

    Some captions are near to all pictures, and some pictures to all captions. What is
    nearest less its hubness is found more often (inverted softmax: Smith et al. 2017,
    https://arxiv.org/abs/1702.03859; by training queries: Bogolin et al. 2022,
    https://arxiv.org/abs/2112.12777); nothing of what is judged is looked at.
    """
    bank = bank_of(others).T
    parts = np.array_split(vectors, 1 + len(vectors) // 1024)
    found = [special.logsumexp(SHARPNESS * part @ bank, axis=1) for part in parts]
    return np.concatenate(found) / SHARPNESS


def voices(memory, token_ids, vectors, cosines, likely):
    """What speaks for each candidate, as z-scores among a picture's candidates.

    The words that the 10, 50 and 200 most similar training pictures were given
    (consensus; Devlin et al. 2015, https://arxiv.org/abs/1505.04467); the matcher's
    cosine; the captioner's likelihood; the length; how like it is to the other
    candidates, the better matched ones counting more (minimum Bayes risk; Kumar &
    Byrne 2004); how like to what is said of any picture; and CIDEr-D with captions of
    the 30 most similar training pictures.

    Args:
        memory: a `Memory`.
        token_ids: `(n, k, length)`, without the opening one.
        vectors: of the pictures, `(n, d)`.
        cosines, likely: `(n, k)`.

    Returns:
        `(n, k, len(VOICES))`.
    """
    bags = bags_of(token_ids.reshape(-1, token_ids.shape[-1]), memory.idf)
    order = np.argsort(-vectors @ memory.vectors.T, axis=1)
    found = [_consensus(memory, bags, order[:, :count]) for count in NEAREST]
    found += [cosines, likely, lengths(token_ids), _fellows(bags, cosines)]
    common = np.asarray(bags @ memory.bags.mean(axis=0).T)
    near = memory.token_ids[order[:, :WORDED], :2]
    near = near.reshape(len(near), -1, near.shape[-1])
    found += [common, _wording(memory, token_ids, near)]
    return np.stack([_standard(each.reshape(cosines.shape)) for each in found], axis=-1)


def _consensus(memory, bags, nearest):
    """Mean TF-IDF cosine `(n · k,)` with the captions of the nearest pictures."""
    count, near = nearest.shape
    shape = (count, len(memory.vectors))
    rows = np.repeat(np.arange(count), near)
    picked = sparse.csr_matrix((np.ones(rows.size), (rows, nearest.ravel())), shape)
    said = picked @ memory.bags / near
    owners = np.repeat(np.arange(count), bags.shape[0] // count)
    return np.asarray(bags.multiply(said[owners]).sum(axis=1)).ravel()


def _fellows(bags, cosines):
    each = cosines.shape[1]
    weights = np.exp(SHARPNESS * (cosines - cosines.max(axis=1, keepdims=True)))
    weights /= weights.sum(axis=1, keepdims=True)
    found = np.empty(cosines.shape)
    for row in range(len(cosines)):
        own = bags[row * each : (row + 1) * each]
        found[row] = (own @ own.T) @ weights[row]
    return found


def _wording(memory, token_ids, references):
    """CIDEr-D `(n, k)` of candidates with captions `(n, j, length)`."""
    # Agreement wants an opening token, and does not read it.
    opened = np.pad(token_ids, ((0, 0), (0, 0), (1, 0)), constant_values=UNKNOWN)
    parts = [
        memory.agreement(
            opened[start : start + CHUNK], references[start : start + CHUNK]
        )
        for start in range(0, len(opened), CHUNK)
    ]
    return np.concatenate([part.numpy() for part in parts])


def worth_of(memory, token_ids, references, seed=0):
    """How much better each candidate suits its own picture than others, `(n, k)`: its
    TF-IDF cosine with the most similar of the picture's captions, less the mean of
    that with other pictures' captions, and a share of its CIDEr-D, for a caption is
    more than its words.

    Args:
        references: token ids of the pictures' captions, `(n, j, length)`.
    """
    count, each = token_ids.shape[:2]
    bags = bags_of(token_ids.reshape(-1, token_ids.shape[-1]), memory.idf)
    known = [bags_of(own, memory.idf) for own in references]
    worth = np.empty((count, each))
    for row, own in enumerate(known):
        worth[row] = _most(bags[row * each : (row + 1) * each], own)
    strangers = np.random.default_rng(seed).permutation(count)[:STRANGERS]
    elsewhere = np.zeros((count, each))
    for stranger in strangers:
        found = _most(bags, known[stranger]).reshape(count, each)
        found[stranger] = 0  # no stranger to itself
        elsewhere += found
    met = len(strangers) - np.isin(np.arange(count), strangers)
    worth -= elsewhere / np.maximum(met, 1)[:, None]
    return worth + FLUENCY * _wording(memory, token_ids, references)


def _most(bags, references):
    return (bags @ references.T).max(axis=1).toarray().ravel()


def fit_trust(heard, worth):
    """Weights of the voices by ridge regression, pulled towards those by hand.

    Args:
        heard: `(n, k, voices)`, see `voices`.
        worth: `(n, k)`, see `worth_of`.

    Returns:
        `(voices,)` float64.
    """
    heard = heard.reshape(-1, heard.shape[-1])
    wanted = (worth - worth.mean(axis=1, keepdims=True)).ravel()
    by_hand = heard @ BY_HAND
    scale = max(by_hand @ wanted, 0) / max(by_hand @ by_hand, 1e-9)
    rest = heard.T @ (wanted - scale * by_hand)
    pulled = heard.T @ heard + PULL * np.eye(heard.shape[1])
    return scale * BY_HAND + np.linalg.solve(pulled, rest)


def lengths(token_ids):
    """Words of each caption, the ending one counted: `(…,)`."""
    return 1 + (token_ids != END).sum(axis=-1)


def _standard(scores):
    """z-scores within each picture's candidates."""
    centred = scores - scores.mean(axis=1, keepdims=True)
    return centred / (scores.std(axis=1, keepdims=True) + 1e-6)
