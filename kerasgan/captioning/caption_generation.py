"""Generates captions with a captioner."""

from typing import Any

import numpy as np
import tensorflow as tf

from kerasgan.captioning import decoding as algorithms
from kerasgan.captioning.tokens import detokenize
from kerasgan.encoders.feature_cache import encode_images
from kerasgan.training.input_checks import check_images

BATCH_SIZE = 128  # images that are captioned at once
DECODINGS = {
    "greedy": algorithms.greedy_search,
    "beam": algorithms.beam_search,
    "top-p": algorithms.sample_captions,
}


class CaptionGeneration:
    """`generate` of a captioner, as a base class beside `keras.Model`."""

    noise_dim: int
    vectorizer: Any
    image_encoder: Any
    compiled_functions: "CompiledFunctions"

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


class CompiledFunctions:
    """Graphs of the decoding functions, compiled once for each set of options.

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

            signature = [
                tf.TensorSpec((None, None, None, captioner.channels)),
                tf.TensorSpec((None, captioner.noise_dim)),
                tf.TensorSpec((), tf.int32),
            ]
            function = tf.function(decode, input_signature=signature)
            # Traced at once: TensorFlow would count several of these functions as one
            # that is retraced often, and warn.
            self._functions[key] = function.get_concrete_function()
        return self._functions[key]
