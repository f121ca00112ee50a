"""A trained captioner and matcher at work."""

import os
from dataclasses import replace

import numpy as np
import tensorflow as tf

from kerasgan import models as models  # registers the layers to be loaded
from kerasgan.data.text import stored_vectorizer, tokenize
from kerasgan.errors import UserError
from kerasgan.models import decoding
from kerasgan.models.captioner import END
from kerasgan.models.decoding import LENGTH_PENALTY
from kerasgan.runs import Run, open_run
from kerasgan.training.choosing import (
    VOICES,
    Memory,
    bank_of,
    fit_trust,
    hubness,
    lengths,
    voices,
    worth_of,
)
from kerasgan.training.seeing import grids_of, pooled

VOCABULARY = "caption-vocabulary.txt"  # in a run's `models/`
BATCH = 128  # pictures captioned at a time
BEAMS, SAMPLES = 8, 12  # candidates of `rerank`


class CaptionForger:
    """Puts pictures into words, and pictures and words into one space.

    Args:
        eye: what `build_eye` returns.
        matcher: what `build_matcher` returns.
        captioner: what `build_captioner` returns.
        vectorizer: what `build_vectorizer` returns.
        memory: a `Memory`, for `rerank`.
    """

    def __init__(self, eye, matcher, captioner, vectorizer, memory=None):
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
        """uint8 pictures `(n, size, size, 3)` to grids, float32."""
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

    def relevance(self, pictures, captions):
        """How well pictures and captions go together, for ranking either: cosines,
        less how near each is to all training pictures' captions, or pictures.

        Args:
            pictures, captions: vectors `(n, d)` and `(m, d)`.

        Returns:
            `(n, m)`.
        """
        known = self.matcher.embed("caption", bank_of(self.memory.token_ids[:, 0]))
        found = pictures @ captions.T - hubness(captions, self.memory.vectors)
        return found - hubness(pictures, known)[:, None]

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
            # Traced at once: TensorFlow takes several of these for one traced often.
            write = tf.function(write, input_signature=specs)
            self._write[key] = write.get_concrete_function()
        return self._write[key]

    def caption(self, grids, vectors=None, decoding="rerank", seed=0):
        """The caption of each picture, and what else was thought of.

        Args:
            grids: `(n, height, width, channels)`.
            vectors: of the same pictures, see `embed_pictures`; for `rerank`.
            decoding: `"greedy"`, `"beam"`, `"top-p"` or `"rerank"`.

        Returns:
            For each picture a list of `(caption, score)`, the best first. The score
            is the log-likelihood a word, for `beam` over the length to the power of
            0.7, and for `rerank` the weighted sum of z-scores.
        """
        if decoding == "rerank":
            return self._rerank(grids, vectors, seed)
        options = {"count": 5, "top_p": 0.9} if decoding == "top-p" else {}
        token_ids, total = self.write(grids, decoding, seed, **options)
        power = LENGTH_PENALTY if decoding == "beam" else 1
        return self._ranked(token_ids, total / lengths(token_ids) ** power)

    def candidates(self, grids, vectors, seed=0):
        """What could be said of each picture: beams and samples.

        Returns:
            Token ids `(n, k, length)`, and what speaks for each, `(n, k, voices)`; see
            `choosing.voices`.
        """
        beams, likely = self.write(grids, "beam", width=BEAMS)
        drawn, chances = self.write(
            grids, "top-p", seed, count=SAMPLES, top_p=0.9, temperature=0.7
        )
        token_ids = np.concatenate([beams, drawn], axis=1)
        likely = np.concatenate([likely, chances], axis=1) / lengths(token_ids)
        flat = token_ids.reshape(-1, token_ids.shape[-1])
        captions = self.matcher.embed("caption", self._opened(flat))
        captions = captions.reshape(*likely.shape, -1)
        cosines = np.einsum("nkd,nd->nk", captions, vectors)
        return token_ids, voices(self.memory, token_ids, vectors, cosines, likely)

    def learn_to_choose(self, grids, vectors, references, seed=0):
        """Fits how much each voice is heard on pictures that nothing was trained on.

        Args:
            grids, vectors: of the pictures.
            references: token ids of their captions, `(n, k, length)`.
        """
        token_ids, heard = self.candidates(grids, vectors, seed)
        worth = worth_of(self.memory, token_ids, references)
        self.memory = replace(self.memory, trust=fit_trust(heard, worth))

    def _rerank(self, grids, vectors, seed):
        token_ids, heard = self.candidates(grids, vectors, seed)
        return self._ranked(token_ids, heard @ self.memory.trust)

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
            trust=self.memory.trust,
        )
        os.replace(scratch, run.models / "memory.npz")


def load_captioner(run, name="captioner") -> CaptionForger:
    """Loads what the captions stage of a run trained.

    Args:
        run: a run directory or a `Run`.
        name: `"captioner"`, or `"captioner-likelihood"` for the one before the game.

    Raises:
        UserError: when it has no captions stage, or has not finished it.
    """
    run = run if isinstance(run, Run) else open_run(run)
    run.refuse_unless("train-gan")
    if not (run.models / "memory.npz").is_file():
        raise UserError(
            f"{run.path} has no trained captions. kerasgan train-gan --stage captions"
            f" --resume --run-dir {run.path} trains them."
        )
    networks = [run.load_network(network) for network in ("eye", "matcher", name)]
    settings = run.settings.captions
    vectorizer = stored_vectorizer(
        run.models / VOCABULARY, settings.vocabulary_size, settings.caption_length
    )
    with np.load(run.models / "memory.npz") as stored:
        memory = Memory(**stored)
    if len(memory.trust) != len(VOICES):
        raise UserError(
            f"{run.path} was trained by another version of kerasgan (options.json has"
            " it), which chose among captions in another way. Without models/memory.npz"
            " --resume does the game and the choosing once more."
        )
    return CaptionForger(*networks, vectorizer, memory)
