"""A trained captioner and dual_encoder at work."""

import os
from dataclasses import replace

import numpy as np
import tensorflow as tf

from kerasgan.captioning import decoding
from kerasgan.captioning.captioner import END
from kerasgan.captioning.decoding import LENGTH_PENALTY
from kerasgan.captioning.reranking import (
    FEATURES,
    CaptionStore,
    candidate_quality,
    caption_lengths,
    fit_feature_weights,
    hubness,
    query_bank,
    reranking_features,
)
from kerasgan.data.text import stored_vectorizer, tokenize
from kerasgan.encoders.feature_cache import average_pool, encode_images
from kerasgan.errors import UserError
from kerasgan.runs import Run, open_run

VOCABULARY_FILE = "caption-vocabulary.txt"  # in a run's `models/`
BATCH_SIZE = 128  # images captioned at a time
BEAM_CANDIDATES, SAMPLED_CANDIDATES = 8, 12  # candidates of `rerank`


class CaptioningPipeline:
    """Puts images into words, and images and words into one space.

    Args:
        image_encoder: what `build_image_encoder` returns.
        dual_encoder: what `build_dual_encoder` returns.
        captioner: what `build_captioner` returns.
        vectorizer: what `build_vectorizer` returns.
        memory: a `Memory`, for `rerank`.
    """

    def __init__(self, image_encoder, dual_encoder, captioner, vectorizer, memory=None):
        self.image_encoder, self.dual_encoder, self.captioner = (
            image_encoder,
            dual_encoder,
            captioner,
        )
        self.vectorizer, self.store = vectorizer, memory
        self.words = np.array(vectorizer.get_vocabulary())
        self._write = {}

    @property
    def image_size(self):
        return self.image_encoder.input_shape[1]

    @property
    def encodes_pixels(self):
        """Whether the dual_encoder looks at images through an image_encoder that it trained, and
        not at features."""
        return len(self.dual_encoder.image_encoder.input_shape) == 4

    def encode_images(self, images):
        """uint8 images `(n, size, size, 3)` to grids, float32."""
        return encode_images(self.image_encoder, images)

    def embed_images(self, images=None, grids=None):
        """Unit vectors `(n, d)` of images, or of their grids for a frozen image_encoder."""
        if self.encodes_pixels:
            return self.dual_encoder.embed("image", images)
        grids = self.encode_images(images) if grids is None else grids
        return self.dual_encoder.embed("image", average_pool(grids))

    def embed_captions(self, captions):
        """A list of n str to unit vectors `(n, d)`."""
        return self.dual_encoder.embed("caption", tokenize(self.vectorizer, captions))

    def relevance(self, images, captions):
        """How well images and captions go together, for ranking either: cosines,
        less how near each is to all training images' captions, or images.

        Args:
            images, captions: vectors `(n, d)` and `(m, d)`.

        Returns:
            `(n, m)`.
        """
        known = self.dual_encoder.embed(
            "caption", query_bank(self.store.token_ids[:, 0])
        )
        found = images @ captions.T - hubness(captions, self.store.vectors)
        return found - hubness(images, known)[:, None]

    def write(self, grids, decoding="greedy", seed=0, **options):
        """Captions of images.

        Args:
            grids: `(n, height, width, channels)`.
            decoding: `"greedy"`, `"beam"` or `"top-p"`.
            seed: of `top-p`.
            options: of the functions in `kerasgan.captioning.decoding`.

        Returns:
            Token ids `(n, k, length)` and log-likelihoods `(n, k)`.
        """
        write = self._writer(decoding, tuple(sorted(options.items())))
        found = []
        for start in range(0, len(grids), BATCH_SIZE):
            grid = np.asarray(grids[start : start + BATCH_SIZE], np.float32)
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
                    return decoding.greedy_search(self.captioner, grid, noise)
                if name == "beam":
                    return decoding.beam_search(self.captioner, grid, noise, **options)
                return decoding.sample_captions(
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
        """The caption of each image, and what else was thought of.

        Args:
            grids: `(n, height, width, channels)`.
            vectors: of the same images, see `embed_images`; for `rerank`.
            decoding: `"greedy"`, `"beam"`, `"top-p"` or `"rerank"`.

        Returns:
            For each image a list of `(caption, score)`, the best first. The score
            is the log-likelihood a word, for `beam` over the length to the power of
            0.7, and for `rerank` the weighted sum of z-scores.
        """
        if decoding == "rerank":
            return self._rerank(grids, vectors, seed)
        options = {"count": 5, "top_p": 0.9} if decoding == "top-p" else {}
        token_ids, total = self.write(grids, decoding, seed, **options)
        power = LENGTH_PENALTY if decoding == "beam" else 1
        return self._ranked(token_ids, total / caption_lengths(token_ids) ** power)

    def candidates(self, grids, vectors, seed=0):
        """What could be said of each image: beams and samples.

        Returns:
            Token ids `(n, k, length)`, and what speaks for each, `(n, k, voices)`; see
            `choosing.voices`.
        """
        beams, likely = self.write(grids, "beam", width=BEAM_CANDIDATES)
        drawn, chances = self.write(
            grids, "top-p", seed, count=SAMPLED_CANDIDATES, top_p=0.9, temperature=0.7
        )
        token_ids = np.concatenate([beams, drawn], axis=1)
        likely = np.concatenate([likely, chances], axis=1) / caption_lengths(token_ids)
        flat = token_ids.reshape(-1, token_ids.shape[-1])
        captions = self.dual_encoder.embed("caption", self._opened(flat))
        captions = captions.reshape(*likely.shape, -1)
        cosines = np.einsum("nkd,nd->nk", captions, vectors)
        return token_ids, reranking_features(
            self.store, token_ids, vectors, cosines, likely
        )

    def fit_reranker(self, grids, vectors, references, seed=0):
        """Fits how much each voice is heard on images that nothing was trained on.

        Args:
            grids, vectors: of the images.
            references: token ids of their captions, `(n, k, length)`.
        """
        token_ids, heard = self.candidates(grids, vectors, seed)
        worth = candidate_quality(self.store, token_ids, references)
        self.store = replace(self.store, weights=fit_feature_weights(heard, worth))

    def _rerank(self, grids, vectors, seed):
        token_ids, heard = self.candidates(grids, vectors, seed)
        return self._ranked(token_ids, heard @ self.store.weights)

    def _opened(self, token_ids):
        """The same captions as the vectorizer would give them."""
        opening = np.full((len(token_ids), 1), self.captioner.start_id)
        return np.concatenate([opening, token_ids], axis=1).astype("int32")

    def _ranked(self, token_ids, score):
        found = []
        for ids, scores in zip(token_ids, score):
            best = {}
            for row in np.argsort(-scores, kind="stable"):
                best.setdefault(self.detokenize(ids[row]), float(scores[row]))
            found.append(list(best.items()))
        return found

    def detokenize(self, token_ids):
        """Token ids `(length,)` to a caption."""
        return " ".join(self.words[token_ids[token_ids != END]])

    def save(self, run: Run):
        """Writes the networks into a run's `models/`, each whole or not at all."""
        for name in ("image_encoder", "dual_encoder", "captioner"):
            run.save_network(name, getattr(self, name))
        scratch = run.models / "caption-store.partial.npz"
        np.savez_compressed(
            scratch,
            vectors=self.store.vectors,
            token_ids=self.store.token_ids,
            idf=self.store.idf,
            weights=self.store.weights,
        )
        os.replace(scratch, run.models / "caption-store.npz")


def load_captioner(run, name="captioner") -> CaptioningPipeline:
    """Loads what the captions stage of a run trained.

    Args:
        run: a run directory or a `Run`.
        name: `"captioner"`, or `"captioner-likelihood"` for the one before adversarial training.

    Raises:
        UserError: when it has no captions stage, or has not finished it.
    """
    run = run if isinstance(run, Run) else open_run(run)
    run.require_command("train-gan")
    if not (run.models / "caption-store.npz").is_file():
        raise UserError(
            f"{run.path} has no trained captions. kerasgan train-gan --stage captions"
            f" --resume --run-dir {run.path} trains them."
        )
    networks = [
        run.load_network(network) for network in ("image_encoder", "dual_encoder", name)
    ]
    settings = run.settings.captions
    vectorizer = stored_vectorizer(
        run.models / VOCABULARY_FILE, settings.vocabulary_size, settings.caption_length
    )
    with np.load(run.models / "caption-store.npz") as stored:
        memory = CaptionStore(**stored)
    if len(memory.weights) != len(FEATURES):
        raise UserError(
            f"{run.path} was trained by another version of kerasgan (options.json has"
            " it), which chose among captions in another way. Without models/caption-store.npz"
            " --resume does adversarial training and the choosing once more."
        )
    return CaptioningPipeline(*networks, vectorizer, memory)
