"""Generates captions with a captioner, and scores given ones."""

from typing import Any

import numpy as np
import tensorflow as tf

from kerasgan.captioning import decoding as algorithms
from kerasgan.captioning.tokens import detokenize
from kerasgan.encoders.feature_cache import encode_images
from kerasgan.training.input_checks import check_images

BATCH_SIZE = 128  # images that are captioned at once
NUM_PAIRS = 512  # of images and captions that are scored at once
DECODINGS = {
    "greedy": algorithms.greedy_search,
    "beam": algorithms.beam_search,
    "top-p": algorithms.sample_captions,
}


class CaptionGeneration:
    """`generate` and `log_likelihoods`, as a base class beside `keras.Model`."""

    noise_dim: int
    vectorizer: Any
    image_encoder: Any
    compiled_functions: "CompiledFunctions"
    to_output_vocabulary: Any

    def generate(
        self,
        images: np.ndarray,
        decoding: str = "greedy",
        seed: int = 0,
        **options: Any,
    ) -> list[str]:
        """Generates a caption for each image.

        Args:
            images: `(n, height, width, 3)` with values in [0, 255]; without an image
                encoder their features `(n, height, width, channels)`.
            decoding: `"greedy"`, `"beam"` or `"top-p"`, which samples from the
                likeliest words.
            seed: of `"top-p"`.
            **options: of the function in `kerasgan.captioning.decoding`, such as
                `width` or `top_p`.

        Returns:
            n str.

        Raises:
            ValueError: an unknown decoding, a captioner without a vectorizer, or images
                of another shape or range.
        """
        if self.vectorizer is None:
            raise ValueError(
                "generate needs a vectorizer to convert token ids to words. Pass"
                " `vectorizer` to `build_captioner`, or call `generate_token_ids`."
            )
        if self.image_encoder is not None:
            images = np.asarray(images)
            check_images(images, self.image_encoder.input_shape[1:])
        if decoding == "top-p":
            options = {"count": 1, "top_p": 0.9, **options}
        words = np.array(self.vectorizer.get_vocabulary())
        captions = []
        for start in range(0, len(images), BATCH_SIZE):
            features = images[start : start + BATCH_SIZE]
            if self.image_encoder is not None:
                features = encode_images(self.image_encoder, features)
            token_ids, _ = self.generate_token_ids(
                features, decoding, seed + start, **options
            )
            captions += [detokenize(ids, words) for ids in token_ids[:, 0]]
        return captions

    def generate_token_ids(
        self,
        features: np.ndarray,
        decoding: str = "greedy",
        seed: int = 0,
        noise: np.ndarray | None = None,
        **options: Any,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Generates captions as token ids, from features.

        Args:
            features: of n images, `(n, height, width, channels)`.
            decoding: `"greedy"`, `"beam"` or `"top-p"`.
            seed: of `"top-p"`.
            noise: `(n, noise_dim)`; None for zeros.
            **options: of the function in `kerasgan.captioning.decoding`.

        Returns:
            Token ids int32 `(n, k, caption_length - 1)`, without the start token, and
            log-likelihoods float32 `(n, k)`.

        Raises:
            ValueError: an unknown decoding.
        """
        if decoding not in DECODINGS:
            raise ValueError(
                f"decoding must be one of {', '.join(DECODINGS)}."
                f" Received: {decoding!r}"
            )
        if noise is None:
            noise = np.zeros([len(features), self.noise_dim])
        decode = self.compiled_functions.get(
            self, decoding, tuple(sorted(options.items()))
        )
        batches = []
        for start in range(0, len(features), BATCH_SIZE):
            batch_features, batch_noise = (
                np.asarray(values[start : start + BATCH_SIZE], np.float32)
                for values in (features, noise)
            )
            batches.append(
                decode(batch_features, batch_noise, tf.constant(seed + start))
            )
        token_ids, log_likelihoods = (
            np.concatenate([tensor.numpy() for tensor in tensors])
            for tensors in zip(*batches, strict=True)
        )
        return token_ids, log_likelihoods

    def log_likelihoods(
        self, features: np.ndarray, token_ids: np.ndarray
    ) -> np.ndarray:
        """Computes how likely given captions of images are, without noise.

        log p(c | I) = Σₜ log p(cₜ | c₁ … cₜ₋₁, I), over the words of the caption and
        the end token. Words that the captioner cannot generate do not count. Any number
        of pairs takes the same memory.

        Args:
            features: of n images, `(n, height, width, channels)`.
            token_ids: of k captions an image, int `(n, k, caption_length)`, with the
                start token.

        Returns:
            float32 `(n, k)`, at most 0; 0 for a caption that is all padding.
        """
        count = token_ids.shape[1]
        score = self.compiled_functions.log_likelihoods(self)
        num_images = max(1, NUM_PAIRS // max(1, count))
        totals = np.empty(token_ids.shape[:2], np.float32)
        for row in range(0, len(features), num_images):
            rows = slice(row, row + num_images)
            images = np.asarray(features[rows], np.float32)
            for column in range(0, count, NUM_PAIRS):
                block = rows, slice(column, column + NUM_PAIRS)
                ids = self.to_output_vocabulary(token_ids[block]).astype(np.int32)
                totals[block] = score(images, ids)
        return totals


class CompiledFunctions:
    """Graphs of a captioner's functions, compiled once for each set of options.

    Neither Keras nor TensorFlow tracks an object of this class, so saved models do not
    contain the graphs.
    """

    def __init__(self):
        self._functions = {}

    def get(self, captioner: Any, decoding: str, options: tuple) -> Any:
        """Returns a function of features, noise and seed.

        Args:
            captioner: a `Captioner`, always the same.
            decoding: a key of `DECODINGS`.
            options: items of the keyword arguments.
        """
        key = decoding, options
        if key not in self._functions:
            algorithm, keywords = DECODINGS[decoding], dict(options)

            def decode(features, noise, seed):
                seeds = {"seed": seed} if decoding == "top-p" else {}
                return algorithm(captioner, features, noise, **seeds, **keywords)

            noise = tf.TensorSpec((None, captioner.noise_dim))
            seed = tf.TensorSpec((), tf.int32)
            self._functions[key] = _trace(decode, captioner, noise, seed)
        return self._functions[key]

    def log_likelihoods(self, captioner: Any) -> Any:
        """Returns a function of features and token ids.

        Args:
            captioner: a `Captioner`, always the same.
        """
        if "log_likelihoods" not in self._functions:

            def score(features, token_ids):
                noise = tf.zeros((tf.shape(features)[0], captioner.noise_dim))
                inputs = {"features": features, "token_ids": token_ids, "noise": noise}
                hidden = captioner(inputs, training=False)
                return captioner.score_captions(hidden, token_ids)

            ids = tf.TensorSpec((None, None, captioner.caption_length), tf.int32)
            self._functions["log_likelihoods"] = _trace(score, captioner, ids)
        return self._functions["log_likelihoods"]


def _trace(function, captioner, *signature):
    """Returns the graph of a function of features and of what the signature says.

    It is traced at once: TensorFlow would count several of these functions as one that
    is retraced often, and warn.
    """
    features = tf.TensorSpec((None, None, None, captioner.channels))
    function = tf.function(function, input_signature=[features, *signature])
    return function.get_concrete_function()
