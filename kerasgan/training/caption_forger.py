"""A trained captioner and matcher at work."""

import functools
import os
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from scipy import sparse

from kerasgan import models as models  # registers the layers to be loaded
from kerasgan.data.text import stored_vectorizer, tokenize
from kerasgan.errors import UserError
from kerasgan.models import decoding
from kerasgan.models.captioner import END, UNKNOWN
from kerasgan.runs import Run, open_run
from kerasgan.training.seeing import grids_of, pooled

VOCABULARY = "caption-vocabulary.txt"  # in a run's `models/`
BATCH = 128  # pictures captioned at a time
NEAREST = 50  # training pictures whose captions a candidate is held against
BEAMS, SAMPLES = 8, 12  # candidates of `rerank`


@dataclass(frozen=True)
class Memory:
    """What the training pictures were and said: `vectors` `(n, d)` of the matcher,
    `token_ids` `(n, k, length)`, and `idf` `(vocabulary_size,)`."""

    vectors: np.ndarray
    token_ids: np.ndarray
    idf: np.ndarray

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


class CaptionForger:
    """Puts pictures into words, and pictures and words into one space.

    Args:
        eye: what `build_eye` returns.
        matcher: what `build_matcher` returns.
        captioner: what `build_captioner` returns.
        vectorizer: what `build_vectorizer` returns.
        memory: a `Memory`, for `rerank`.
    """

    def __init__(self, eye, matcher, captioner, vectorizer, memory):
        self.eye, self.matcher, self.captioner = eye, matcher, captioner
        self.vectorizer, self.memory = vectorizer, memory
        self.words = np.array(vectorizer.get_vocabulary())
        self._write = {}

    @property
    def image_size(self):
        return self.eye.input_shape[1]

    @property
    def matches_pixels(self):
        """Whether the matcher looks at pictures through an eye that it trained, and
        not at features."""
        return len(self.matcher.see.input_shape) == 4

    def see(self, images):
        """uint8 pictures `(n, size, size, 3)` to grids, float16."""
        return grids_of(self.eye, images)

    def embed_pictures(self, images=None, grids=None):
        """Unit vectors `(n, d)` of pictures, or of their grids for a frozen eye."""
        if self.matches_pixels:
            return self.matcher.embed("picture", images)
        grids = self.see(images) if grids is None else grids
        return self.matcher.embed("picture", pooled(grids))

    def embed_captions(self, captions):
        """A list of n str to unit vectors `(n, d)`."""
        return self.matcher.embed("caption", tokenize(self.vectorizer, captions))

    def write(self, grids, decoding="greedy", seed=0, **options):
        """Captions of pictures.

        Args:
            grids: `(n, height, width, channels)`.
            decoding: `"greedy"`, `"beam"` or `"top-p"`.
            seed: of `top-p`.
            options: of the functions in `kerasgan.models.decoding`.

        Returns:
            Token ids `(n, k, length)` and log-likelihoods `(n, k)`.
        """
        write = self._writer(decoding, tuple(sorted(options.items())))
        found = []
        for start in range(0, len(grids), BATCH):
            grid = np.asarray(grids[start : start + BATCH], np.float32)
            noise = np.zeros((len(grid), self.captioner.noise_dim), np.float32)
            found.append(write(grid, noise, tf.constant(seed + start)))
        return tuple(
            np.concatenate([part.numpy() for part in side]) for side in zip(*found)
        )

    def _writer(self, name, options):
        key = name, options
        if key not in self._write:
            options = dict(options)

            def write(grid, noise, seed):
                if name == "greedy":
                    return decoding.greedy(self.captioner, grid, noise)
                if name == "beam":
                    return decoding.beam(self.captioner, grid, noise, **options)
                return decoding.sample(
                    self.captioner, grid, noise, seed=seed, **options
                )

            specs = [
                tf.TensorSpec((None, None, None, self.captioner.channels)),
                tf.TensorSpec((None, self.captioner.noise_dim)),
                tf.TensorSpec((), tf.int32),
            ]
            self._write[key] = tf.function(write, input_signature=specs)
        return self._write[key]

    def caption(self, grids, vectors=None, decoding="rerank", seed=0):
        """The caption of each picture, and what else was thought of.

        Args:
            grids: `(n, height, width, channels)`.
            vectors: of the same pictures, see `embed_pictures`; for `rerank`.
            decoding: `"greedy"`, `"beam"`, `"top-p"` or `"rerank"`.

        Returns:
            For each picture a list of `(caption, score)`, the best first. The score
            is the log-likelihood a word, or for `rerank` a sum of z-scores.
        """
        if decoding == "rerank":
            return self._rerank(grids, vectors, seed)
        options = {"beam": {"width": 3}, "top-p": {"count": 5, "top_p": 0.9}}
        token_ids, total = self.write(
            grids, decoding, seed, **options.get(decoding, {})
        )
        return self._ranked(token_ids, total / lengths(token_ids))

    def _rerank(self, grids, vectors, seed):
        """Many candidates, by three voices: the captioner's own likelihood, the
        matcher's cosine, and the words that the most similar training pictures
        were given (consensus; Devlin et al. 2015, https://arxiv.org/abs/1505.04467)."""
        beams, likely = self.write(grids, "beam", width=BEAMS)
        drawn, chances = self.write(
            grids, "top-p", seed, count=SAMPLES, top_p=0.9, temperature=0.7
        )
        token_ids = np.concatenate([beams, drawn], axis=1)
        likely = np.concatenate([likely, chances], axis=1) / lengths(token_ids)
        flat = token_ids.reshape(-1, token_ids.shape[-1])
        captions = self.matcher.embed("caption", self._opened(flat))
        captions = captions.reshape(*token_ids.shape[:2], -1)
        cosines = np.einsum("nkd,nd->nk", captions, vectors)
        score = _standard(self._consensus(token_ids, vectors))
        score += _standard(cosines) + 0.5 * _standard(likely)
        return self._ranked(token_ids, score)

    def _consensus(self, token_ids, vectors):
        memory = self.memory
        nearest = np.argsort(-vectors @ memory.vectors.T, axis=1)[:, :NEAREST]
        bags = bags_of(token_ids.reshape(-1, token_ids.shape[-1]), memory.idf)
        rows = np.repeat(np.arange(len(nearest)), nearest.shape[1])
        shape = (len(nearest), len(memory.vectors))
        near = sparse.csr_matrix((np.ones(rows.size), (rows, nearest.ravel())), shape)
        said = near @ memory.bags
        owners = np.repeat(np.arange(len(token_ids)), token_ids.shape[1])
        found = np.asarray(bags.multiply(said[owners]).sum(axis=1))
        return found.reshape(token_ids.shape[:2]) / nearest.shape[1]

    def _opened(self, token_ids):
        """The same captions as the vectorizer would give them."""
        opening = np.full((len(token_ids), 1), self.captioner.start_id)
        return np.concatenate([opening, token_ids], axis=1).astype("int32")

    def _ranked(self, token_ids, score):
        found = []
        for ids, scores in zip(token_ids, score):
            best = {}
            for row in np.argsort(-scores, kind="stable"):
                best.setdefault(self.spell(ids[row]), float(scores[row]))
            found.append(list(best.items()))
        return found

    def spell(self, token_ids):
        """Token ids `(length,)` to a caption."""
        return " ".join(self.words[token_ids[token_ids != END]])

    def save(self, run: Run):
        """Writes the networks into a run's `models/`, each whole or not at all."""
        for name in ("eye", "matcher", "captioner"):
            run.save_network(name, getattr(self, name))
        scratch = run.models / "memory.partial.npz"
        np.savez_compressed(
            scratch,
            vectors=self.memory.vectors,
            token_ids=self.memory.token_ids,
            idf=self.memory.idf,
        )
        os.replace(scratch, run.models / "memory.npz")


def lengths(token_ids):
    """Words of each caption, the ending one counted: `(…,)`."""
    return 1 + (token_ids != END).sum(axis=-1)


def _standard(scores):
    """z-scores within each picture's candidates."""
    centred = scores - scores.mean(axis=1, keepdims=True)
    return centred / (scores.std(axis=1, keepdims=True) + 1e-6)


def load_captioner(run, name="captioner") -> CaptionForger:
    """Loads what the captions stage of a run trained.

    Args:
        run: a run directory or a `Run`.
        name: `"captioner"`, or `"captioner-likelihood"` for the one before the game.

    Raises:
        UserError: when it has no captions stage, or has not finished it.
    """
    run = run if isinstance(run, Run) else open_run(run)
    if not (run.models / "memory.npz").is_file():
        raise UserError(
            f"{run.path} has no trained captions. kerasgan train-gan --stage captions"
            f" --resume --run-dir {run.path} trains them."
        )
    networks = [
        keras.saving.load_model(run.models / f"{network}.keras", compile=False)
        for network in ("eye", "matcher", name)
    ]
    settings = run.settings.captions
    vectorizer = stored_vectorizer(
        run.models / VOCABULARY, settings.vocabulary_size, settings.caption_length
    )
    with np.load(run.models / "memory.npz") as stored:
        memory = Memory(
            stored["vectors"],
            stored["token_ids"],
            stored["idf"],
        )
    return CaptionForger(*networks, vectorizer, memory)
