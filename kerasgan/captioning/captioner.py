"""The captioner: an image to a caption."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasgan.captioning.caption_generation import CaptionGeneration, CompiledFunctions
from kerasgan.captioning.caption_network import CaptionNetwork
from kerasgan.captioning.pair_training import PairTraining
from kerasgan.captioning.tokens import END, UNKNOWN
from kerasgan.layers.registration import register
from kerasgan.layers.text_vectorization import outside_step, tokenize
from kerasgan.training.devices import uses_xla
from kerasgan.training.replicas import draw_rows

SERIALIZED_ARGUMENTS = (
    *("vocabulary_size", "start_id", "caption_length", "dim", "noise_dim", "dropout"),
    "seed",
)


@register
class Captioner(PairTraining, CaptionGeneration, CaptionNetwork, keras.Model):
    """Generates captions, word by word, with a decoder that attends to the image.

    See `CaptionNetwork`, `LSTMDecoder` and `TransformerDecoder` for the network.

    `fit` takes batches of `(images, captions)`, where images are
    `(n, height, width, 3)` with values in [0, 255], and captions are strings `(n,)`, or
    `(n, k)` for k captions an image. It also takes batches of dicts with the inputs of
    `call`. Without an image encoder the features take the place of the images.

    Args:
        vocabulary_size: number of token ids that can be generated. 0 ends a caption,
            and 1, the unknown word, is never generated.
        start_id: the token that starts every caption.
        caption_length: tokens a caption, the start token included.
        dim: size of embedding, decoder and attention.
        noise_dim: size of the noise.
        dropout: share of values dropped in training. Of the features of the whole
            image, half are dropped.
        decoder: `"lstm"` or `"transformer"`.
        image_encoder: images to features `(n, height, width, channels)`, or None. It is
            trained too unless its `trainable` is False.
        vectorizer: the result of `build_vectorizer`, or None; needed for captions as
            strings.
        seed: of the noise that is drawn where a batch has none.

    Example:
        ```python
        vectorizer = kerasgan.build_vectorizer(captions)
        encoder = kerasgan.build_image_encoder("conv", image_size=64)
        captioner = kerasgan.build_captioner(
            image_encoder=encoder, vectorizer=vectorizer
        )
        captioner.compile("adam")
        captioner.fit(dataset, epochs=5)  # batches of (images, captions)
        captions = captioner.generate(images, decoding="beam")
        ```
    """

    def __init__(
        self,
        vocabulary_size: int,
        start_id: int,
        caption_length: int = 24,
        dim: int = 256,
        noise_dim: int = 16,
        dropout: float = 0.5,
        decoder: str = "lstm",
        image_encoder: keras.Model | None = None,
        vectorizer: keras.layers.Layer | None = None,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.start_id = start_id
        self.caption_length = caption_length
        self.dropout = dropout
        self.decoder_name = decoder
        self.seed = seed
        self.create_layers(
            vocabulary_size, caption_length, dim, noise_dim, dropout, decoder
        )
        self.image_encoder = image_encoder
        self.vectorizer = outside_step(vectorizer)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.compiled_functions = CompiledFunctions()

    def build(self, input_shape=None):
        """Builds all layers, for features `(n, height, width, channels)`."""
        if self.image_encoder is not None:
            input_shape = self.image_encoder.output_shape
        elif isinstance(input_shape, dict):
            input_shape = input_shape.get("features", input_shape.get("image"))
        self.channels = input_shape[-1]
        self.build_layers(self.channels)
        self.built = True

    def to_output_vocabulary(self, token_ids: np.ndarray) -> np.ndarray:
        """Replaces words that the captioner cannot generate by the unknown word.

        Args:
            token_ids: int, of any shape, of a vocabulary that starts with the words of
                the captioner.
        """
        return np.where(token_ids < self.vocabulary_size, token_ids, UNKNOWN)

    def call(self, inputs, training=False):
        """Computes the hidden features of all next words, with teacher forcing.

        Args:
            inputs: a dict of `"features"` `(n, height, width, channels)` or `"image"`
                `(n, height, width, 3)`; `"token_ids"` int32 `(n, k, caption_length)`
                or `(n, caption_length)`, all zero where an image has fewer captions;
                and `"noise"` `(n, noise_dim)`, which is drawn if it is missing.
            training: whether in training.

        Returns:
            Hidden features `(n, k, caption_length, dim)` of the word that follows each
            token; `log_probabilities` takes them.
        """
        features = self._features(inputs, training)
        token_ids = self._token_ids(inputs)
        noise = inputs.get("noise")
        if noise is None:
            noise = draw_rows(self._draw_noise, ops.shape(features)[0])
        memory, states = self.encode(features, noise, training)
        words = self.dropout_layer(self.embedding(token_ids), training=training)
        hidden = self.decoder(words, states, memory, training=training)
        return self.dropout_layer(hidden, training=training)

    def compute_loss(self, x, y=None, y_pred=None, sample_weight=None, training=True):
        """Returns the mean negative log-likelihood of a word or end token.

        See `weighted_loss`.
        """
        is_static = uses_xla(self)
        return self.weighted_loss(y_pred, self._token_ids(x), is_static=is_static)

    def get_config(self):
        """Returns the arguments of `__init__`."""
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in SERIALIZED_ARGUMENTS},
            "decoder": self.decoder_name,
            "image_encoder": serialize(self.image_encoder),
            "vectorizer": serialize(self.vectorizer),
        }

    @classmethod
    def from_config(cls, config):
        """Builds a captioner from the result of `get_config`."""
        layers = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("image_encoder", "vectorizer")
        }
        return cls(**{**config, **layers})

    def _draw_noise(self, count):
        return keras.random.normal(
            (count, self.noise_dim), dtype=self.compute_dtype, seed=self.seed_generator
        )

    def _features(self, inputs, training):
        if "features" in inputs:
            return inputs["features"]
        if self.image_encoder is None:
            return inputs["image"]
        images = ops.cast(inputs["image"], "float32")
        return self.image_encoder(images, training=training)

    def _token_ids(self, inputs):
        """Token ids `(n, k, caption_length)` of the output vocabulary."""
        token_ids = inputs["token_ids"]
        if len(token_ids.shape) == 2:
            token_ids = token_ids[:, None]
        if self.vectorizer is None:
            return token_ids
        return ops.where(token_ids < self.vocabulary_size, token_ids, UNKNOWN)


def build_captioner(
    feature_shape: Sequence[int] | None = None,
    vocabulary_size: int | None = None,
    start_id: int | None = None,
    caption_length: int | None = None,
    dim: int = 256,
    noise_dim: int = 16,
    dropout: float = 0.5,
    decoder: str = "lstm",
    image_encoder: keras.Model | None = None,
    vectorizer: keras.layers.TextVectorization | None = None,
) -> Captioner:
    """Builds the captioner, the generator of captions of paper A.

    With `image_encoder` and `vectorizer` no other argument is needed.

    Args:
        feature_shape: `(height, width, channels)` of the features, without an image
            encoder.
        vocabulary_size: number of token ids that can be generated, the most frequent
            words; None for all of the vectorizer's.
        start_id: the token that starts every caption; None for the vectorizer's.
        caption_length: tokens a caption; None for the vectorizer's.
        dim: see `Captioner`.
        noise_dim: see `Captioner`.
        dropout: see `Captioner`.
        decoder: see `Captioner`.
        image_encoder: images `(n, height, width, 3)` in [0, 255] to features
            `(n, height, width, channels)`, such as the result of `build_image_encoder`.
            Set its `trainable` to False to keep its weights.
        vectorizer: the result of `build_vectorizer`.

    Returns:
        A built `Captioner`.

    Raises:
        ValueError: an argument is missing, the decoder is unknown, or the vectorizer
            has no start token.
    """
    vocabulary_size, start_id, caption_length = _token_arguments(
        vectorizer, vocabulary_size, start_id, caption_length
    )
    if image_encoder is None and feature_shape is None:
        raise ValueError("Pass `image_encoder` or `feature_shape`.")
    captioner = Captioner(
        vocabulary_size,
        start_id,
        caption_length=caption_length or 24,
        dim=dim,
        noise_dim=noise_dim,
        dropout=dropout,
        decoder=decoder,
        image_encoder=image_encoder,
        vectorizer=vectorizer,
        name="captioner",
    )
    captioner.build((None, *feature_shape) if feature_shape else None)
    return captioner


def _token_arguments(vectorizer, vocabulary_size, start_id, caption_length):
    """Replaces arguments of `build_captioner` that are None by the vectorizer's."""
    if vectorizer is None:
        if vocabulary_size is None or start_id is None:
            raise ValueError(
                "A captioner without `vectorizer` needs `vocabulary_size` and"
                f" `start_id`. Received: vocabulary_size={vocabulary_size},"
                f" start_id={start_id}"
            )
        return vocabulary_size, start_id, caption_length
    empty = tokenize(vectorizer, [""])
    if empty[0, 0] == END:
        raise ValueError(
            "The vectorizer must start each caption with a start token. Use the"
            " result of `build_vectorizer`."
        )
    num_words = vectorizer.vocabulary_size()
    return (
        min(vocabulary_size or num_words, num_words),
        int(empty[0, 0]) if start_id is None else start_id,
        caption_length or empty.shape[1],
    )
