"""The network of the captioner, and its likelihood."""

from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import ops

from kerasgan.captioning.caption_decoder import build_decoder
from kerasgan.captioning.tokens import END, MASKED_LOGIT, UNKNOWN
from kerasgan.training.replicas import add_replicas

GLOBAL_DROPOUT = 0.5  # of the features of the whole image


class CaptionNetwork:
    """The layers of a captioner, as a base class beside `keras.Model`.

    They encode the cells of an image's features and the image as a whole, embed words,
    and project the hidden features of a `CaptionDecoder` to the vocabulary.
    """

    vocabulary_size: int
    start_id: int

    def create_layers(
        self,
        vocabulary_size: int,
        caption_length: int,
        dim: int,
        noise_dim: int,
        dropout: float,
        decoder: str,
    ) -> None:
        """Creates the layers.

        Args:
            vocabulary_size: number of token ids.
            caption_length: tokens a caption.
            dim: size of embedding and hidden features.
            noise_dim: size of the noise.
            dropout: share of values dropped in training.
            decoder: see `build_decoder`.
        """
        layers = keras.layers
        self.dim, self.noise_dim = dim, noise_dim
        self.feature_projection = layers.Dense(dim, name="feature_projection")
        self.feature_normalization = layers.LayerNormalization(
            name="feature_normalization"
        )
        self.global_encoder = keras.Sequential(
            [
                layers.LayerNormalization(),
                layers.Dropout(GLOBAL_DROPOUT),
                layers.Dense(4 * dim, activation="relu"),
                layers.Dense(dim),
            ],
            name="global_encoder",
        )
        self.embedding = layers.Embedding(vocabulary_size, dim, name="embedding")
        self.decoder = build_decoder(decoder, dim, caption_length)
        self.output_projection = layers.Dense(
            vocabulary_size, dtype="float32", name="output_projection"
        )
        self.dropout_layer = layers.Dropout(dropout)

    def build_layers(self, channels: int) -> None:
        """Creates the weights.

        Args:
            channels: of the features.
        """
        self.feature_projection.build((None, None, channels))
        self.feature_normalization.build((None, None, self.dim))
        self.global_encoder.build((None, channels))
        self.embedding.build((None, None))
        self.decoder.build((None, self.dim + self.noise_dim))
        self.output_projection.build((None, self.dim))

    def encode(
        self, features: tf.Tensor, noise: tf.Tensor, training: bool = False
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Encodes images for the decoder.

        Args:
            features: `(n, height, width, channels)`.
            noise: `(n, noise_dim)`.
            training: whether in training.

        Returns:
            The memory that attention reads, and the initial states of the decoder; see
            `CaptionDecoder.start`.
        """
        shape = ops.shape(features)
        cells = ops.reshape(features, (-1, shape[1] * shape[2], features.shape[-1]))
        whole = self.global_encoder(ops.mean(cells, axis=1), training=training)
        memory = self.feature_normalization(self.feature_projection(cells))
        memory = ops.concatenate([memory, whole[:, None]], axis=1)
        image = ops.concatenate([whole, noise], axis=-1)
        image = self.dropout_layer(image, training=training)
        memory = self.dropout_layer(memory, training=training)
        return self.decoder.start(image, memory)

    def step(
        self,
        tokens: tf.Tensor,
        position: int | tf.Tensor,
        states: Sequence[tf.Tensor],
        memory: tf.Tensor,
    ) -> tuple[tf.Tensor, list[tf.Tensor], tf.Tensor]:
        """Decodes one word.

        Args:
            tokens: the last tokens of k captions an image, `(n, k)`.
            position: of these tokens, int; 0 is the start token.
            states: of the decoder, tensors `(n, k, ...)`.
            memory: see `encode`.

        Returns:
            Log-probabilities of the next words `(n, k, vocabulary_size)`, the new
            states, and attention weights `(n, k, m)`, of which the first
            `height * width` belong to the cells.
        """
        words = self.embedding(tokens)
        hidden, states, weights = self.decoder.step(words, position, states, memory)
        return self.log_probabilities(hidden), states, weights

    def log_probabilities(self, hidden: tf.Tensor) -> tf.Tensor:
        """Computes log-probabilities of the next words.

        Args:
            hidden: hidden features `(..., dim)`.

        Returns:
            float32 `(..., vocabulary_size)`.
        """
        logits = self.output_projection(hidden)
        never = ops.one_hot([UNKNOWN, self.start_id], self.vocabulary_size)
        return ops.log_softmax(logits + MASKED_LOGIT * ops.sum(never, axis=0), axis=-1)

    def score_captions(self, hidden: tf.Tensor, token_ids: tf.Tensor) -> tf.Tensor:
        """Computes the log-likelihood of captions, summed over words and end token.

        Unknown words, which are never generated, do not count.

        Args:
            hidden: hidden features `(n, k, length, dim)` of the word that follows each
                token.
            token_ids: int `(n, k, length)`.

        Returns:
            float32 `(n, k)`.
        """
        has_next = token_ids[:, :, :-1] != END
        # The projection to the vocabulary is costly, so it skips the padding.
        hidden = tf.boolean_mask(tf.cast(hidden[:, :, :-1], tf.float32), has_next)
        targets = tf.boolean_mask(token_ids[:, :, 1:], has_next)
        scores = self._target_log_probabilities(hidden, targets)
        scores *= tf.cast(targets != UNKNOWN, tf.float32)
        shape = tf.shape(has_next, tf.int64)
        return tf.reduce_sum(tf.scatter_nd(tf.where(has_next), scores, shape), axis=-1)

    def weighted_loss(
        self,
        hidden: tf.Tensor,
        token_ids: tf.Tensor,
        weights: tf.Tensor | None = None,
        is_static: bool = False,
    ) -> tf.Tensor:
        """Computes the mean negative log-likelihood of the words and end tokens.

        Unknown words, which are never generated, do not count.

        Args:
            hidden: hidden features `(n, k, length, dim)` of the word that follows each
                token.
            token_ids: int `(n, k, length)`.
            weights: float32 `(n, k)`, of the captions; None for ones.
            is_static: whether shapes do not depend on the captions, which XLA needs.

        Returns:
            The weighted sum over the number of words, a float scalar. With several
            replicas it is the number of all replicas, so that their losses add up.
        """
        has_next = token_ids[:, :, :-1] != END
        targets = token_ids[:, :, 1:]
        is_known = tf.cast(has_next & (targets != UNKNOWN), tf.float32)
        if weights is None:
            weights = tf.ones_like(is_known[..., 0])
        weights = weights[..., None] * is_known
        num_words = tf.maximum(add_replicas(tf.reduce_sum(is_known)), 1)
        # In float32, in which also the gradients of the selected words add up.
        tensors = [tf.cast(hidden[:, :, :-1], tf.float32), targets, weights]
        if is_static:  # the weights of padding are zero
            tensors = [tf.reshape(x, [-1, *x.shape[3:]]) for x in tensors]
        else:
            tensors = [tf.boolean_mask(x, has_next) for x in tensors]
        hidden, targets, weights = tensors
        chosen = self._target_log_probabilities(hidden, targets)
        return -tf.reduce_sum(chosen * weights) / num_words

    def _target_log_probabilities(self, hidden, targets):
        """Log-probabilities of m tokens; of unknown words, any that is finite."""
        targets = tf.where(targets == UNKNOWN, END, targets)  # theirs is -1e9
        return tf.gather(self.log_probabilities(hidden), targets, batch_dims=1)
