"""The pipeline of captions."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from kerasgan.layers.registration import register

END = 0  # padding, which follows the last word
UNKNOWN = 1
NEVER = -1e9
GLOBAL_DROPOUT = 0.5  # of the features of the image as a whole


@register
class Captioner(keras.Model):
    """Image and noise to words: an LSTM that looks at the image after each word.

    The LSTM hears the words so far; what it remembers asks a question of the
    image's grid and of the image as a whole (dot-product attention, Luong et al.
    2015, https://arxiv.org/abs/1508.04025), and question and answer together give the
    next word. Nothing that was seen goes back into the LSTM, so that in training all words
    of a caption are computed at once.

    Args:
        vocabulary_size: number of token ids; 0 ends a caption, 1 is never said.
        start_id: the token that opens every caption.
        caption_length: tokens a caption, the opening one included.
        dim: size of embedding, LSTM and attention.
        noise_dim: size of the noise.
        dropout: share of numbers left out in training; of the image as a whole half
            of the features is.
    """

    def __init__(
        self,
        vocabulary_size,
        start_id,
        caption_length=24,
        dim=256,
        noise_dim=16,
        dropout=0.5,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.start_id = start_id
        self.caption_length = caption_length
        self.dim = dim
        self.noise_dim = noise_dim
        self.dropout = dropout
        self.look = keras.layers.Dense(dim, name="look")
        self.standard = keras.layers.LayerNormalization(name="standard")
        self.whole = keras.Sequential(
            [
                keras.layers.LayerNormalization(),
                keras.layers.Dropout(GLOBAL_DROPOUT),
                keras.layers.Dense(4 * dim, activation="relu"),
                keras.layers.Dense(dim),
            ],
            name="whole",
        )
        self.begin = keras.layers.Dense(2 * dim, activation="tanh", name="begin")
        self.embedding = keras.layers.Embedding(vocabulary_size, dim, name="embedding")
        self.lstm = keras.layers.LSTM(dim, return_sequences=True, name="lstm")
        self.join = keras.layers.Dense(dim, activation="tanh", name="join")
        self.words = keras.layers.Dense(vocabulary_size, dtype="float32", name="words")
        self.drop = keras.layers.Dropout(dropout)

    def build(self, input_shape):
        """`input_shape`: of the grid, `(n, height, width, channels)`."""
        self.channels = input_shape[-1]
        self.look.build((None, None, self.channels))
        self.standard.build((None, None, self.dim))
        self.whole.build((None, self.channels))
        self.begin.build((None, self.dim + self.noise_dim))
        self.embedding.build((None, None))
        self.lstm.build((None, None, self.dim))
        self.join.build((None, None, 2 * self.dim))
        self.words.build((None, self.dim))
        self.built = True

    def to_output_vocabulary(self, token_ids):
        """Ids of any vocabulary that begins with the captioner's own: words that it
        does not say are unknown to it. A numpy array, as `token_ids` is."""
        return np.where(token_ids < self.vocabulary_size, token_ids, UNKNOWN)

    def encode(self, grid, noise, training=False):
        """Grid `(n, height, width, channels)` and noise `(n, noise_dim)` to what
        attention looks at, `(n, cells + 1, dim)`, the image as a whole being the
        last, and the LSTM's two first states."""
        shape = ops.shape(grid)
        cells = ops.reshape(grid, (-1, shape[1] * shape[2], grid.shape[-1]))
        whole = self.whole(ops.mean(cells, axis=1), training=training)
        memory = self.standard(self.look(cells))
        memory = ops.concatenate([memory, whole[:, None]], axis=1)
        glance = ops.concatenate([whole, noise], axis=-1)
        state = self.begin(self.drop(glance, training=training))
        return self.drop(memory, training=training), ops.split(state, 2, axis=-1)

    def attend(self, hidden, memory):
        """Questions `(n, k, dim)` to what the next word is made of `(n, k, dim)`, and
        how much of each was looked at `(n, k, cells + 1)`."""
        scores = ops.matmul(hidden, ops.transpose(memory, (0, 2, 1)))
        looks = ops.softmax(scores / self.dim**0.5, axis=-1)
        answer = ops.matmul(looks, memory)
        return self.join(ops.concatenate([hidden, answer], axis=-1)), looks

    def call(self, inputs, training=False):
        """Teacher forcing.

        Args:
            inputs: `{"grid": (n, height, width, channels), "token_ids": (n, k,
                length), "noise": (n, noise_dim)}`, k captions an image.

        Returns:
            `(n, k, length, dim)`: what the word after each token is made of; see
            `log_likelihood`.
        """
        token_ids = inputs["token_ids"]
        count, length = token_ids.shape[1:]
        memory, state = self.encode(inputs["grid"], inputs["noise"], training)
        words = self.embedding(ops.reshape(token_ids, (-1, length)))
        state = [ops.repeat(part, count, axis=0) for part in state]
        hidden = self.lstm(self.drop(words, training=training), initial_state=state)
        hidden = ops.reshape(hidden, (-1, count * length, self.dim))
        joined, _ = self.attend(hidden, memory)
        joined = self.drop(joined, training=training)
        return ops.reshape(joined, (-1, count, length, self.dim))

    def step(self, tokens, states, memory):
        """One word further.

        Args:
            tokens: `(n, k)` ids, the last words of k captions an image.
            states: two of `(n, k, dim)`.
            memory: `(n, cells + 1, dim)`, see `encode`.

        Returns:
            Log-probabilities `(n, k, vocabulary_size)`, the states, and the looks
            `(n, k, cells + 1)`.
        """
        count = tokens.shape[1]
        flat = [ops.reshape(part, (-1, self.dim)) for part in states]
        words = ops.reshape(self.embedding(tokens), (-1, self.dim))
        _, flat = self.lstm.cell(words, flat)
        states = [ops.reshape(part, (-1, count, self.dim)) for part in flat]
        joined, looks = self.attend(states[0], memory)
        return self.log_probabilities(joined), states, looks

    def log_probabilities(self, joined):
        """`(…, dim)` to log-probabilities `(…, vocabulary_size)` of the next word."""
        logits = self.words(joined)
        silent = ops.one_hot([UNKNOWN, self.start_id], self.vocabulary_size)
        return ops.log_softmax(logits + NEVER * ops.sum(silent, axis=0), axis=-1)

    def compute_loss(self, x, y=None, y_pred=None, sample_weight=None, training=True):
        """Mean negative log-likelihood of a word, the ending one included."""
        token_ids = x["token_ids"]
        there = token_ids[:, :, :-1] != END
        # Only where a word follows is the costly step to the vocabulary taken.
        joined = tf.boolean_mask(y_pred[:, :, :-1], there)
        targets = tf.boolean_mask(token_ids[:, :, 1:], there)
        found = tf.gather(self.log_probabilities(joined), targets, batch_dims=1)
        known = tf.cast(targets != UNKNOWN, found.dtype)
        return -tf.reduce_sum(found * known) / tf.reduce_sum(known)

    def get_config(self):
        config = super().get_config()
        names = ("vocabulary_size", "start_id", "caption_length", "dim", "noise_dim")
        config.update({name: getattr(self, name) for name in (*names, "dropout")})
        return config


def build_captioner(grid_shape, vocabulary_size, start_id, **settings):
    """Builds the pipeline of captions, paper A's second generator.

    Args:
        grid_shape: of the image_encoder's output, `(height, width, channels)`.
        vocabulary_size, start_id, settings: see `Captioner`.
    """
    captioner = Captioner(vocabulary_size, start_id, name="captioner", **settings)
    captioner.build((None, *grid_shape))
    return captioner
