"""The dual encoder: images and captions in one space."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasgan.captioning.contrastive_loss import pair_contrastive_loss
from kerasgan.captioning.embedding_networks import (
    NORMALIZATION,
    build_embedding_networks,
)
from kerasgan.captioning.pair_training import PairTraining
from kerasgan.captioning.tokens import END, UNKNOWN
from kerasgan.layers.registration import register
from kerasgan.layers.text_vectorization import outside_step, tokenize
from kerasgan.training.input_checks import check_captions, check_images
from kerasgan.training.replicas import draw_rows, gather_rows, num_shares

BATCH_SIZE = 256  # images or captions that are embedded at once


@register
class DualEncoder(PairTraining, keras.Model):
    """Embeds images and captions so that the cosine says how well they match.

    Both encoders may have several members, as in an ensemble: each member compares
    images and captions in a space of its own, and their cosines are averaged.

    `fit` takes batches of `(images, captions)`, where images are
    `(n, height, width, 3)` with values in [0, 255], and captions are strings `(n,)`, or
    `(n, k)` for k captions an image. It also takes batches of dicts with the inputs of
    `call`. Where the image encoder takes features, they take the place of the images.

    Args:
        image_encoder: images, or their features, to unit vectors `(n, members, dim)`.
        text_encoder: token ids `(n, length)` to unit vectors `(n, members, dim)`.
        vectorizer: the result of `build_vectorizer`, or None; needed for captions as
            strings.
        temperature: of the softmax over cosines in the loss.
        word_dropout: share of words removed in training.

    Example:
        ```python
        vectorizer = kerasgan.build_vectorizer(captions)
        encoder = kerasgan.build_image_encoder("conv", image_size=64)
        dual_encoder = kerasgan.build_dual_encoder(
            image_encoder=encoder, vectorizer=vectorizer
        )
        dual_encoder.compile("adam")
        dual_encoder.fit(dataset, epochs=5)  # batches of (images, captions)
        image_vectors = dual_encoder.embed_images(images)
        cosines = image_vectors @ dual_encoder.embed_captions(["a red boat"]).T
        ```
    """

    def __init__(
        self,
        image_encoder: keras.Model,
        text_encoder: keras.Model,
        vectorizer: keras.layers.Layer | None = None,
        temperature: float = 0.05,
        word_dropout: float = 0.15,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.image_encoder = image_encoder
        self.text_encoder = text_encoder
        self.vectorizer = outside_step(vectorizer)
        self.temperature = temperature
        self.word_dropout = word_dropout
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, input_shape=None):
        """Does nothing: both encoders are built."""
        self.built = True

    def call(self, inputs, training=False):
        """Computes the vectors of images and of their captions.

        Args:
            inputs: a dict of `"image"`, images or features, and `"token_ids"` int32
                `(n, k, length)` or `(n, length)`, all zero where an image has fewer
                captions.
            training: whether in training.

        Returns:
            Unit vectors of images `(n, members, dim)` and of captions
            `(n * k, members, dim)`.
        """
        images = self.image_encoder(inputs["image"], training=training)
        token_ids = inputs["token_ids"]
        token_ids = ops.reshape(token_ids, (-1, token_ids.shape[-1]))
        # A missing caption, which no loss counts, has one word: cuDNN's LSTM has no
        # sequences of length zero.
        is_first = ops.equal(ops.arange(token_ids.shape[-1]), 0)
        is_empty = ops.logical_and(is_first, ops.equal(token_ids, END))
        token_ids = ops.where(is_empty, UNKNOWN, token_ids)
        if training:
            token_ids = self.drop_words(token_ids)
        return images, self.text_encoder(token_ids, training=training)

    def drop_words(self, token_ids: Any) -> Any:
        """Removes words at random, so that the model does not rely on single words.

        Args:
            token_ids: int32 `(n, length)`, a tensor.

        Returns:
            A tensor of the same shape, with padding on the right alone, as cuDNN's LSTM
            needs it. The start token is kept.
        """
        count, length = ops.shape(token_ids)
        uniform = draw_rows(
            lambda rows: keras.random.uniform((rows, length), seed=self.seed_generator),
            count,
        )
        is_start = ops.equal(ops.arange(length), 0)
        kept = ops.logical_or(uniform >= self.word_dropout, is_start)
        kept = ops.logical_and(kept, ops.not_equal(token_ids, END))
        positions = ops.where(kept, ops.arange(length), length)
        order = ops.argsort(positions, axis=-1)
        token_ids = ops.where(kept, token_ids, END)
        return ops.take_along_axis(token_ids, order, axis=-1)

    def compute_loss(self, x, y=None, y_pred=None, sample_weight=None, training=True):
        """Returns the contrastive loss of a batch; see `pair_contrastive_loss`.

        Each replica computes that of the batch over all replicas, and returns its share
        of it.
        """
        token_ids = x["token_ids"]
        if len(token_ids.shape) == 2:
            token_ids = token_ids[:, None]
        batch = map(gather_rows, (*y_pred, token_ids))
        return pair_contrastive_loss(*batch, self.temperature) / num_shares()

    def adapt(self, features: np.ndarray) -> None:
        """Computes mean and variance of the features, for a model without images.

        Args:
            features: `(n, feature_dim)`.

        Raises:
            ValueError: the model takes images.
        """
        names = [layer.name for layer in self.image_encoder.layers]
        if NORMALIZATION not in names:
            raise ValueError(
                "Only a dual encoder of features can be adapted, which"
                " `build_dual_encoder` builds without `image_encoder`."
            )
        self.image_encoder.get_layer(NORMALIZATION).adapt(features)

    def embed_images(self, images: np.ndarray) -> np.ndarray:
        """Computes the vectors of images.

        Args:
            images: `(n, height, width, 3)` with values in [0, 255], or features
                `(n, feature_dim)`.

        Returns:
            Unit vectors float32 `(n, members * dim)`. The inner product of two vectors
            is the mean cosine of the members.

        Raises:
            ValueError: the images have another shape or range.
        """
        shape = self.image_encoder.input_shape[1:]
        if len(shape) == 3:
            images = images if hasattr(images, "shape") else np.asarray(images)
            check_images(images, shape)
        return _embed(self.image_encoder, images)

    def embed_captions(self, captions: Sequence[str]) -> np.ndarray:
        """Computes the vectors of captions.

        Args:
            captions: n str.

        Returns:
            Unit vectors float32 `(n, members * dim)`, see `embed_images`.

        Raises:
            ValueError: the model has no vectorizer, or `captions` is one string.
        """
        if self.vectorizer is None:
            raise ValueError(
                "embed_captions needs a vectorizer. Pass `vectorizer` to"
                " `build_dual_encoder`, or call `embed_token_ids`."
            )
        check_captions(captions)
        return self.embed_token_ids(tokenize(self.vectorizer, captions))

    def embed_token_ids(self, token_ids: np.ndarray) -> np.ndarray:
        """Computes the vectors of captions given as token ids.

        Args:
            token_ids: int32 `(n, length)`.

        Returns:
            Unit vectors float32 `(n, members * dim)`, see `embed_images`.
        """
        return _embed(self.text_encoder, token_ids)

    def get_config(self):
        """Returns the arguments of `__init__`."""
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "image_encoder": serialize(self.image_encoder),
            "text_encoder": serialize(self.text_encoder),
            "vectorizer": serialize(self.vectorizer),
            "temperature": self.temperature,
            "word_dropout": self.word_dropout,
        }

    @classmethod
    def from_config(cls, config):
        """Builds a dual encoder from the result of `get_config`."""
        layers = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("image_encoder", "text_encoder", "vectorizer")
        }
        return cls(**{**config, **layers})


def _embed(encoder, inputs):
    batches = [
        # `training` is explicit: Keras's random layers take None for True.
        ops.convert_to_numpy(
            encoder(inputs[start : start + BATCH_SIZE], training=False)
        )
        for start in range(0, len(inputs), BATCH_SIZE)
    ]
    vectors = np.concatenate(batches)
    return vectors.reshape(len(vectors), -1) / vectors.shape[1] ** 0.5


def build_dual_encoder(
    vocabulary_size: int | None = None,
    caption_length: int | None = None,
    feature_dim: int = 1280,
    joint_dim: int = 256,
    text_branch: str = "words",
    num_members: int = 2,
    dropout: float = 0.5,
    augment: bool = True,
    image_encoder: keras.Model | None = None,
    vectorizer: keras.layers.TextVectorization | None = None,
    word_vectors: np.ndarray | None = None,
) -> DualEncoder:
    """Builds a dual encoder.

    With `image_encoder` and `vectorizer` no other argument is needed. Without them the
    dual encoder takes features, which `DualEncoder.adapt` standardizes, and token ids.

    Args:
        vocabulary_size: number of token ids; None for the vectorizer's.
        caption_length: tokens a caption; None for the vectorizer's.
        feature_dim: size of the features, without an image encoder.
        joint_dim: size of each member's vectors.
        text_branch: `"words"` or `"lstm-attention"`; see `build_text_branch`.
        num_members: number of members. They share the image encoder and differ by their
            initial weights; the mean of their cosines ranks better than each alone.
        dropout: share of the image's features dropped in training.
        augment: whether images are flipped, zoomed, shifted and brightened in training.
        image_encoder: images `(n, height, width, 3)` in [0, 255] to features
            `(n, height, width, channels)` or `(n, channels)`, such as the result of
            `build_image_encoder`. It is trained too unless its `trainable` is False.
        vectorizer: the result of `build_vectorizer`.
        word_vectors: pretrained vectors, floats `(vocabulary_size, d)`, with which the
            embedding of each member begins; see `build_text_branch`.

    Returns:
        A `DualEncoder`.

    Raises:
        ValueError: without a vectorizer, `vocabulary_size` or `caption_length` is
            missing. Word vectors have another shape, or are not finite.
    """
    if vectorizer is not None:
        vocabulary_size = vocabulary_size or vectorizer.vocabulary_size()
        caption_length = caption_length or tokenize(vectorizer, [""]).shape[1]
    if vocabulary_size is None or caption_length is None:
        raise ValueError(
            "A dual encoder without `vectorizer` needs `vocabulary_size` and"
            f" `caption_length`. Received: vocabulary_size={vocabulary_size},"
            f" caption_length={caption_length}"
        )
    texts = vocabulary_size, caption_length, joint_dim, text_branch, word_vectors
    networks = build_embedding_networks(
        image_encoder, feature_dim, *texts, num_members, dropout, augment
    )
    dual_encoder = DualEncoder(*networks, vectorizer=vectorizer, name="dual_encoder")
    dual_encoder.build()
    return dual_encoder
