"""The two branches as a matcher: pictures and captions in one space."""

import keras
import numpy as np
from keras import ops

from kerasgan.models.layers import REGISTER
from kerasgan.models.text_branch import build_text_branch


@REGISTER
class Matcher(keras.Model):
    """Pictures and captions to vectors whose inner product says how well they match.

    Args:
        see: pictures, or their features, to vectors `(n, members, dim)`.
        read: token ids `(n, length)` to vectors `(n, members, dim)`.
        temperature: of the softmax over cosines that `compute_loss` takes.
        word_dropout: share of words left out in training.
    """

    def __init__(self, see, read, temperature=0.05, word_dropout=0.15, **kwargs):
        super().__init__(**kwargs)
        self.see = see
        self.read = read
        self.temperature = temperature
        self.word_dropout = word_dropout
        self.seeds = keras.random.SeedGenerator()

    def build(self, input_shape=None):
        self.built = True

    def call(self, inputs, training=False):
        """`{"picture": …, "token_ids": (n, k, length)}`, k captions a picture, to
        vectors `(n, members, dim)` and `(n · k, members, dim)`."""
        pictures = self.see(inputs["picture"], training=training)
        token_ids = inputs["token_ids"]
        token_ids = ops.reshape(token_ids, (-1, token_ids.shape[-1]))
        if training:
            token_ids = self.forget(token_ids)
        return pictures, self.read(token_ids, training=training)

    def forget(self, token_ids):
        """Leaves words out at random, so that no single one is relied on."""
        drawn = keras.random.uniform(ops.shape(token_ids), seed=self.seeds)
        opening = ops.equal(ops.arange(token_ids.shape[-1]), 0)
        kept = ops.logical_or(drawn >= self.word_dropout, opening)
        return ops.where(kept, token_ids, 0)

    def compute_loss(self, x, y=None, y_pred=None, sample_weight=None, training=True):
        """Contrast over the batch both ways, every member for itself (InfoNCE; CLIP,
        Radford et al. 2021, https://arxiv.org/abs/2103.00020): each caption against
        those of other pictures, and against other pictures."""
        token_ids = x["token_ids"]
        count, each = ops.shape(token_ids)[0], token_ids.shape[1]
        pictures, captions = (ops.transpose(side, (1, 0, 2)) for side in y_pred)
        logits = ops.matmul(pictures, ops.transpose(captions, (0, 2, 1)))
        logits = ops.reshape(logits / self.temperature, (-1, count, count, each))
        own = ops.transpose(ops.diagonal(logits, axis1=1, axis2=2), (0, 2, 1))
        there = ops.cast(ops.not_equal(token_ids[..., 0], 0), "float32")
        # A caption that reads the same is not held against a picture.
        keys = ops.sum(token_ids * _powers(token_ids.shape[-1]), axis=-1)
        same = ops.any(ops.equal(keys[:, :, None, None], keys[None, None]), axis=1)
        mine = ops.maximum(ops.eye(count)[:, :, None], ops.cast(same, "float32"))
        others = logits - 1e9 * ops.maximum(mine, 1 - there[None])
        other_captions = ops.logsumexp(others, axis=(2, 3))[:, :, None]
        other_pictures = ops.logsumexp(others, axis=1)
        loss = sum(
            ops.logaddexp(own, most) - own for most in (other_captions, other_pictures)
        )
        return ops.sum(loss * there) / ops.sum(there) / (2 * logits.shape[0])

    def embed(self, side, inputs, batch_size=256):
        """One side's unit vectors `(n, members · dim)`, numpy float32; the inner
        product of two is the mean of their members' cosines."""
        network = {"picture": self.see, "caption": self.read}[side]
        found = [
            # Said aloud: Keras's random layers take silence for training.
            ops.convert_to_numpy(
                network(inputs[start : start + batch_size], training=False)
            )
            for start in range(0, len(inputs), batch_size)
        ]
        vectors = np.concatenate(found)
        return vectors.reshape(len(vectors), -1) / vectors.shape[1] ** 0.5

    def get_config(self):
        config = super().get_config()
        serialize = keras.saving.serialize_keras_object
        config.update(
            see=serialize(self.see),
            read=serialize(self.read),
            temperature=self.temperature,
            word_dropout=self.word_dropout,
        )
        return config

    @classmethod
    def from_config(cls, config):
        for side in ("see", "read"):
            config[side] = keras.saving.deserialize_keras_object(config[side])
        return cls(**config)


def _powers(length):
    """Numbers that make one of a caption's token ids, int32 with overflow."""
    return np.array([pow(31, place, 2**31 - 1) for place in range(length)], "int32")


def build_matcher(
    vocabulary_size,
    caption_length,
    features=1280,
    eye=None,
    dim=256,
    text_branch="words",
    members=2,
    dropout=0.5,
):
    """Builds a matcher of several members that only share the eye.

    Each member projects both sides by a linear and a hidden path. Members differ by
    their random beginnings; the mean of their cosines is better than each.

    Args:
        vocabulary_size: number of token ids.
        caption_length: tokens a caption.
        features: numbers a picture, where pictures come as features; they are
            standardised by what the layer `"standard"` was adapted to.
        eye: what `build_eye` returns, to be trained along on augmented pictures;
            then `see` takes pictures.
        dim: size of each member's space.
        text_branch: `"words"` or `"lstm-attention"`, for all members.
        members: how many.
        dropout: share of the picture's features left out in training.
    """
    if eye is None:
        picture = keras.Input((features,), name="features")
        x = keras.layers.Normalization(name="standard")(picture)
        x = ops.clip(x, -3, 3)
    else:
        picture = keras.Input(eye.input_shape[1:], name="picture")
        x = keras.layers.GlobalAveragePooling2D()(eye(_augmented(picture)))
    token_ids = keras.Input((caption_length,), dtype="int32", name="token_ids")
    seen, read = [], []
    sizes = vocabulary_size, caption_length, dim
    for member in range(members):
        seen.append(_project(keras.layers.Dropout(dropout)(x), dim))
        branch = build_text_branch(*sizes, text_branch, name=f"words_{member}")
        read.append(_unit(branch(token_ids)))
    matcher = Matcher(
        keras.Model(picture, ops.stack(seen, axis=1), name="see"),
        keras.Model(token_ids, ops.stack(read, axis=1), name="read"),
        name="matcher",
    )
    matcher.build()
    return matcher


def _project(features, dim):
    hidden = keras.layers.Dense(4 * dim, activation="relu")(features)
    both = keras.layers.Dense(dim)(hidden) + keras.layers.Dense(dim)(features)
    return _unit(both)


def _unit(vectors):
    # Half of float32 would tell cosines apart by hundredths alone.
    return keras.layers.UnitNormalization(dtype="float32")(vectors)


def _augmented(picture):
    """Flips, shifts, sizes and colours that change no caption; in training only."""
    x = keras.layers.RandomFlip("horizontal")(picture)
    x = keras.layers.RandomZoom((-0.25, 0), fill_mode="reflect")(x)
    x = keras.layers.RandomTranslation(0.1, 0.1, fill_mode="reflect")(x)
    return keras.layers.RandomBrightness(0.2)(x)
