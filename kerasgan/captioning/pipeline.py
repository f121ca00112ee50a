"""A trained captioner and dual encoder, ready for use."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kerasgan.captioning.caption_store import CaptionStore
from kerasgan.captioning.captioner import Captioner
from kerasgan.captioning.decoding import LENGTH_PENALTY
from kerasgan.captioning.dual_encoder import DualEncoder
from kerasgan.captioning.hubness import hubness, query_bank
from kerasgan.captioning.reranking import candidate_quality, fit_feature_weights
from kerasgan.captioning.reranking_features import reranking_features
from kerasgan.captioning.tokens import caption_lengths, detokenize
from kerasgan.encoders.feature_cache import average_pool, encode_images
from kerasgan.errors import UserError
from kerasgan.layers.text_vectorization import load_vectorizer, tokenize
from kerasgan.runs import Run, open_run

VOCABULARY_FILE = "caption-vocabulary.txt"  # in a run's `models/`
STORE_FILE = "caption-store.npz"
LIKELIHOOD_CAPTIONER = "captioner-likelihood"  # before adversarial training
SAMPLING: dict[str, Any] = {"top_p": 0.9, "temperature": 0.7}  # of candidates


class CaptioningPipeline:
    """Captions images, and embeds images and captions in one space.

    Args:
        image_encoder: the result of `build_image_encoder`.
        dual_encoder: of images, or of the image encoder's average features.
        captioner: of the image encoder's features.
        vectorizer: the result of `build_vectorizer`.
        store: the captions of the training images, for reranking and `relevance`.
        num_candidates: captions an image that are reranked, of beam search and sampled.
    """

    def __init__(
        self,
        image_encoder: keras.Model,
        dual_encoder: DualEncoder,
        captioner: Captioner,
        vectorizer: keras.layers.TextVectorization,
        store: CaptionStore | None = None,
        num_candidates: tuple[int, int] = (8, 12),
    ):
        self.image_encoder = image_encoder
        self.dual_encoder = dual_encoder
        self.captioner = captioner
        self.vectorizer = vectorizer
        self.store = store
        self.num_candidates = num_candidates
        self.words = np.array(vectorizer.get_vocabulary())

    @property
    def image_size(self) -> int:
        """Side of the images in pixels."""
        return self.image_encoder.input_shape[1]

    @property
    def encodes_pixels(self) -> bool:
        """Whether the dual encoder takes images, through an encoder of its own.

        Otherwise it takes features.
        """
        return len(self.dual_encoder.image_encoder.input_shape) == 4

    def encode_images(self, images: np.ndarray) -> np.ndarray:
        """Computes the features of images.

        Args:
            images: uint8 `(n, size, size, 3)`.

        Returns:
            float32 `(n, height, width, channels)`.
        """
        return encode_images(self.image_encoder, images)

    def embed_images(
        self, images: np.ndarray | None = None, features: np.ndarray | None = None
    ) -> np.ndarray:
        """Computes the vectors of images.

        Args:
            images: uint8 `(n, size, size, 3)`.
            features: of the same images, see `encode_images`. They replace the images
                unless `encodes_pixels`.

        Returns:
            Unit vectors float32 `(n, d)`.
        """
        if self.encodes_pixels:
            return self.dual_encoder.embed_images(images)
        features = self.encode_images(images) if features is None else features
        return self.dual_encoder.embed_images(average_pool(features))

    def embed_captions(self, captions: Sequence[str]) -> np.ndarray:
        """Computes the vectors of captions.

        Args:
            captions: n str.

        Returns:
            Unit vectors float32 `(n, d)`.
        """
        return self.dual_encoder.embed_token_ids(tokenize(self.vectorizer, captions))

    def relevance(
        self, image_vectors: np.ndarray, caption_vectors: np.ndarray
    ) -> np.ndarray:
        """Scores pairs of images and captions, to rank either.

        Args:
            image_vectors: `(n, d)`.
            caption_vectors: `(m, d)`.

        Returns:
            Cosines less the hubness of both, `(n, m)`; see `hubness`.
        """
        known_captions = self.dual_encoder.embed_token_ids(
            query_bank(self.store.token_ids[:, 0])
        )
        cosines = image_vectors @ caption_vectors.T
        scores = cosines - hubness(caption_vectors, self.store.vectors)
        return scores - hubness(image_vectors, known_captions)[:, None]

    def caption(
        self,
        features: np.ndarray,
        vectors: np.ndarray | None = None,
        decoding: str = "rerank",
        seed: int = 0,
    ) -> list[list[tuple[str, float]]]:
        """Captions images.

        Args:
            features: of n images, see `encode_images`.
            vectors: of the same images, see `embed_images`; needed for `"rerank"`.
            decoding: `"greedy"`, `"beam"`, `"top-p"` or `"rerank"`.
            seed: of `"top-p"` and `"rerank"`.

        Returns:
            For each image a list of different captions with their scores, the best
            first. The score is the log-likelihood per word; for `"beam"` the
            log-likelihood divided by the length to the power of 0.7; for `"rerank"` the
            weighted sum of `reranking_features`.
        """
        if decoding == "rerank":
            token_ids, reranking = self.candidates(features, vectors, seed)
            return self._rank(token_ids, reranking @ self.store.weights)
        options: dict[str, Any] = {}
        if decoding == "top-p":
            options = {"count": 5, "top_p": 0.9}
        token_ids, log_likelihoods = self.captioner.generate_token_ids(
            features, decoding, seed, **options
        )
        power = LENGTH_PENALTY if decoding == "beam" else 1
        return self._rank(
            token_ids, log_likelihoods / caption_lengths(token_ids) ** power
        )

    def candidates(
        self, features: np.ndarray, vectors: np.ndarray, seed: int = 0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Generates candidate captions by beam search and sampling.

        Args:
            features: of n images, see `encode_images`.
            vectors: of the same images, see `embed_images`.
            seed: of the samples.

        Returns:
            Token ids int32 `(n, k, length)`, without the start token, and their
            `reranking_features` `(n, k, features)`.
        """
        generate = self.captioner.generate_token_ids
        width, count = self.num_candidates
        batches = [
            generate(features, "beam", width=width),
            generate(features, "top-p", seed, count=count, **SAMPLING),
        ]
        token_ids, log_likelihoods = (
            np.concatenate(arrays, axis=1) for arrays in zip(*batches, strict=True)
        )
        log_likelihoods = log_likelihoods / caption_lengths(token_ids)
        # As the vectorizer would return them.
        padding = ((0, 0), (0, 0), (1, 0))
        padded = np.pad(token_ids, padding, constant_values=self.captioner.start_id)
        captions = self.dual_encoder.embed_token_ids(
            padded.reshape(-1, padded.shape[-1]).astype("int32")
        )
        captions = captions.reshape(*log_likelihoods.shape, -1)
        cosines = np.einsum("nkd,nd->nk", captions, vectors)
        return token_ids, reranking_features(
            self.store, token_ids, vectors, cosines, log_likelihoods
        )

    def fit_reranker(
        self,
        features: np.ndarray,
        vectors: np.ndarray,
        references: np.ndarray,
        seed: int = 0,
    ) -> None:
        """Fits the weights of reranking on validation images.

        Args:
            features: of images that were not trained on, see `encode_images`.
            vectors: of the same images, see `embed_images`.
            references: token ids of their captions, int `(n, j, length)`.
            seed: of the candidates.
        """
        token_ids, reranking = self.candidates(features, vectors, seed)
        quality = candidate_quality(self.store, token_ids, references)
        weights = fit_feature_weights(reranking, quality)
        self.store = replace(self.store, weights=weights)

    def detokenize(self, token_ids: np.ndarray) -> str:
        """Converts the token ids of a caption to text.

        Args:
            token_ids: int `(length,)`, without the start token.
        """
        return detokenize(token_ids, self.words)

    def save(self, run: Run) -> None:
        """Writes the models and the store into a run's `models/`.

        Args:
            run: the run.
        """
        names = "image_encoder", "dual_encoder", "captioner"
        run.save_networks({name: getattr(self, name) for name in names})
        self.store.save(run.models / STORE_FILE)

    def _rank(self, token_ids, scores):
        """For each image its different captions with scores, the best first."""
        ranked = []
        for ids, image_scores in zip(token_ids, scores, strict=True):
            best = {}
            for row in np.argsort(-image_scores, kind="stable"):
                caption = self.detokenize(ids[row])
                best.setdefault(caption, float(image_scores[row]))
            ranked.append(list(best.items()))
        return ranked


def load_captioner(
    run: str | Path | Run, name: str = "captioner"
) -> CaptioningPipeline:
    """Loads the trained captions stage of a run.

    Args:
        run: a run directory or a `Run`.
        name: `"captioner"`, or `LIKELIHOOD_CAPTIONER`.

    Returns:
        A `CaptioningPipeline`.

    Raises:
        UserError: the run has no captions stage, or has not finished it.
    """
    run = run if isinstance(run, Run) else open_run(run)
    run.require_command("train-gan")
    path = run.models / STORE_FILE
    if not path.is_file():
        raise UserError(
            f"{run.path} has no trained captions. kerasgan train-gan --stage captions"
            f" --resume --run-dir {run.path} trains them."
        )
    files = {"image_encoder": "image_encoder", "dual_encoder": "dual_encoder"}
    networks: dict[str, Any] = {
        network: run.load_network(file)
        for network, file in (files | {"captioner": name}).items()
    }
    config = run.settings.captions
    run.check_file(f"models/{VOCABULARY_FILE}")
    vectorizer = load_vectorizer(
        run.models / VOCABULARY_FILE, config.vocabulary_size, config.caption_length
    )
    store = CaptionStore.load(path)
    return CaptioningPipeline(
        **networks,
        vectorizer=vectorizer,
        store=store,
        num_candidates=(config.beam_candidates, config.sampled_candidates),
    )
