"""The network of the captioner: an LSTM with attention over an image."""

from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import ops

from kerasgan.captioning.tokens import END, MASKED_LOGIT, UNKNOWN
from kerasgan.encoders.precision import recurrent_precision
from kerasgan.training.replicas import add_replicas

GLOBAL_DROPOUT = 0.5  # of the features of the whole image


class AttentionDecoder:
    """The layers of a captioner, as a base class beside `keras.Model`.

    The LSTM encodes the words so far. Its output is the query of dot-product attention
    (Luong et al. 2015, https://arxiv.org/abs/1508.04025) over the cells of the image's
    features and the image as a whole; query and context together give the next word.
    The context is not an input of the LSTM, so that in training all words of a caption
    are computed at once.
    """

    vocabulary_size: int
    start_id: int

    def create_layers(
        self, vocabulary_size: int, dim: int, noise_dim: int, dropout: float
    ) -> None:
        """Creates the layers.

        Args:
            vocabulary_size: number of token ids.
            dim: size of embedding, LSTM and attention.
            noise_dim: size of the noise.
            dropout: share of values dropped in training.
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
        self.initial_state = layers.Dense(
            2 * dim, activation="tanh", name="initial_state"
        )
        self.embedding = layers.Embedding(vocabulary_size, dim, name="embedding")
        self.lstm = layers.LSTM(
            dim, return_sequences=True, name="lstm", dtype=recurrent_precision()
        )
        self.combine = layers.Dense(dim, activation="tanh", name="combine")
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
        self.initial_state.build((None, self.dim + self.noise_dim))
        self.embedding.build((None, None))
        self.lstm.build((None, None, self.dim))
        self.combine.build((None, None, 2 * self.dim))
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
            The memory that attention reads, `(n, height * width + 1, dim)`, whose last
            row is the image as a whole, and the initial states of the LSTM: two tensors
            `(n, dim)`.
        """
        shape = ops.shape(features)
        cells = ops.reshape(features, (-1, shape[1] * shape[2], features.shape[-1]))
        whole = self.global_encoder(ops.mean(cells, axis=1), training=training)
        memory = self.feature_normalization(self.feature_projection(cells))
        memory = ops.concatenate([memory, whole[:, None]], axis=1)
        state = ops.concatenate([whole, noise], axis=-1)
        state = self.initial_state(self.dropout_layer(state, training=training))
        memory = self.dropout_layer(memory, training=training)
        return memory, ops.split(state, 2, axis=-1)

    def attend(
        self, query: tf.Tensor, memory: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Computes the hidden features of the next words by attention.

        Args:
            query: outputs of the LSTM, `(n, k, dim)`.
            memory: see `encode`.

        Returns:
            Hidden features `(n, k, dim)`, see `log_probabilities`, and attention
            weights `(n, k, height * width + 1)`.
        """
        query = ops.cast(query, memory.dtype)
        scores = ops.matmul(query, ops.transpose(memory, (0, 2, 1)))
        weights = ops.softmax(scores / self.dim**0.5, axis=-1)
        context = ops.matmul(weights, memory)
        return self.combine(ops.concatenate([query, context], axis=-1)), weights

    def step(
        self, tokens: tf.Tensor, states: Sequence[tf.Tensor], memory: tf.Tensor
    ) -> tuple[tf.Tensor, list[tf.Tensor], tf.Tensor]:
        """Decodes one word.

        Args:
            tokens: the last tokens of k captions an image, `(n, k)`.
            states: of the LSTM, two tensors `(n, k, dim)`.
            memory: see `encode`.

        Returns:
            Log-probabilities of the next words `(n, k, vocabulary_size)`, the new
            states, and attention weights `(n, k, height * width + 1)`.
        """
        count, dtype = tokens.shape[1], states[0].dtype
        states = [ops.reshape(state, (-1, self.dim)) for state in states]
        words = ops.reshape(self.embedding(tokens), (-1, self.dim))
        _, states = self.lstm.cell(words, states)
        states = [
            ops.cast(ops.reshape(state, (-1, count, self.dim)), dtype)
            for state in states
        ]
        hidden, weights = self.attend(states[0], memory)
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
        else:  # the projection to the vocabulary is costly, so it skips the padding
            tensors = [tf.boolean_mask(x, has_next) for x in tensors]
        hidden, targets, weights = tensors
        # The log-probability of an unknown word is -1e9.
        targets = tf.where(targets == UNKNOWN, END, targets)
        log_probabilities = self.log_probabilities(hidden)
        chosen = tf.gather(log_probabilities, targets, batch_dims=1)
        return -tf.reduce_sum(chosen * weights) / num_words
