"""The two branches as a dual_encoder: images and captions in one space."""

import keras
import numpy as np
from keras import ops

from kerasgan.encoders.text_branch import build_text_branch
from kerasgan.layers.registration import register


@register
class DualEncoder(keras.Model):
    """Images and captions to vectors whose inner product says how well they match.

    Args:
        image_encoder: images, or their features, to vectors `(n, members, dim)`.
        text_encoder: token ids `(n, length)` to vectors `(n, members, dim)`.
        temperature: of the softmax over cosines that `compute_loss` takes.
        word_dropout: share of words left out in training.
    """

    def __init__(
        self, image_encoder, text_encoder, temperature=0.05, word_dropout=0.15, **kwargs
    ):
        super().__init__(**kwargs)
        self.image_encoder = image_encoder
        self.text_encoder = text_encoder
        self.temperature = temperature
        self.word_dropout = word_dropout
        self.seeds = keras.random.SeedGenerator()

    def build(self, input_shape=None):
        self.built = True

    def call(self, inputs, training=False):
        """`{"image": …, "token_ids": (n, k, length)}`, k captions an image, to
        vectors `(n, members, dim)` and `(n · k, members, dim)`."""
        images = self.image_encoder(inputs["image"], training=training)
        token_ids = inputs["token_ids"]
        token_ids = ops.reshape(token_ids, (-1, token_ids.shape[-1]))
        if training:
            token_ids = self.forget(token_ids)
        return images, self.text_encoder(token_ids, training=training)

    def forget(self, token_ids):
        """Leaves words out at random, so that no single one is relied on."""
        drawn = keras.random.uniform(ops.shape(token_ids), seed=self.seeds)
        opening = ops.equal(ops.arange(token_ids.shape[-1]), 0)
        kept = ops.logical_or(drawn >= self.word_dropout, opening)
        return ops.where(kept, token_ids, 0)

    def compute_loss(self, x, y=None, y_pred=None, sample_weight=None, training=True):
        """Contrast over the batch both ways, every member for itself (InfoNCE; CLIP,
        Radford et al. 2021, https://arxiv.org/abs/2103.00020): each caption against
        those of other images, and against other images."""
        token_ids = x["token_ids"]
        count, each = ops.shape(token_ids)[0], token_ids.shape[1]
        images, captions = (ops.transpose(side, (1, 0, 2)) for side in y_pred)
        logits = ops.matmul(images, ops.transpose(captions, (0, 2, 1)))
        logits = ops.reshape(logits / self.temperature, (-1, count, count, each))
        own = ops.transpose(ops.diagonal(logits, axis1=1, axis2=2), (0, 2, 1))
        there = ops.cast(ops.not_equal(token_ids[..., 0], 0), "float32")
        # A caption that reads the same is not held against an image.
        keys = ops.sum(token_ids * _powers(token_ids.shape[-1]), axis=-1)
        same = ops.any(ops.equal(keys[:, :, None, None], keys[None, None]), axis=1)
        mine = ops.maximum(ops.eye(count)[:, :, None], ops.cast(same, "float32"))
        others = logits - 1e9 * ops.maximum(mine, 1 - there[None])
        other_captions = ops.logsumexp(others, axis=(2, 3))[:, :, None]
        other_images = ops.logsumexp(others, axis=1)
        loss = sum(
            ops.logaddexp(own, most) - own for most in (other_captions, other_images)
        )
        return ops.sum(loss * there) / ops.sum(there) / (2 * logits.shape[0])

    def embed(self, side, inputs, batch_size=256):
        """One side's unit vectors `(n, members · dim)`, numpy float32; the inner
        product of two is the mean of their members' cosines."""
        network = {"image": self.image_encoder, "caption": self.text_encoder}[side]
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
            image_encoder=serialize(self.image_encoder),
            text_encoder=serialize(self.text_encoder),
            temperature=self.temperature,
            word_dropout=self.word_dropout,
        )
        return config

    @classmethod
    def from_config(cls, config):
        for side in ("image_encoder", "text_encoder"):
            config[side] = keras.saving.deserialize_keras_object(config[side])
        return cls(**config)


def _powers(length):
    """Numbers that make one of a caption's token ids, int32 with overflow."""
    return np.array([pow(31, place, 2**31 - 1) for place in range(length)], "int32")


def build_dual_encoder(
    vocabulary_size,
    caption_length,
    features=1280,
    image_encoder=None,
    dim=256,
    text_branch="words",
    members=2,
    dropout=0.5,
):
    """Builds a dual_encoder of several members that only share the image_encoder.

    Each member projects both sides by a linear and a hidden path. Members differ by
    their random beginnings; the mean of their cosines is better than each.

    Args:
        vocabulary_size: number of token ids.
        caption_length: tokens a caption.
        features: numbers an image, where images come as features; they are
            standardised by what the layer `"standard"` was adapted to.
        image_encoder: what `build_image_encoder` returns, to be trained along on augmented images;
            then `see` takes images.
        dim: size of each member's space.
        text_branch: `"words"` or `"lstm-attention"`, for all members.
        members: how many.
        dropout: share of the image's features left out in training.
    """
    if image_encoder is None:
        image = keras.Input((features,), name="features")
        x = keras.layers.Normalization(name="standard")(image)
        x = ops.clip(x, -3, 3)
    else:
        image = keras.Input(image_encoder.input_shape[1:], name="image")
        x = keras.layers.GlobalAveragePooling2D()(image_encoder(_augmented(image)))
    token_ids = keras.Input((caption_length,), dtype="int32", name="token_ids")
    seen, read = [], []
    sizes = vocabulary_size, caption_length, dim
    for member in range(members):
        seen.append(_project(keras.layers.Dropout(dropout)(x), dim))
        branch = build_text_branch(*sizes, text_branch, name=f"words_{member}")
        read.append(_unit(branch(token_ids)))
    dual_encoder = DualEncoder(
        keras.Model(image, ops.stack(seen, axis=1), name="image_encoder"),
        keras.Model(token_ids, ops.stack(read, axis=1), name="text_encoder"),
        name="dual_encoder",
    )
    dual_encoder.build()
    return dual_encoder


def _project(features, dim):
    hidden = keras.layers.Dense(4 * dim, activation="relu")(features)
    both = keras.layers.Dense(dim)(hidden) + keras.layers.Dense(dim)(features)
    return _unit(both)


def _unit(vectors):
    # Half of float32 would tell cosines apart by hundredths alone.
    return keras.layers.UnitNormalization(dtype="float32")(vectors)


def _augmented(image):
    """Flips, shifts, sizes and colours that change no caption; in training only."""
    x = keras.layers.RandomFlip("horizontal")(image)
    x = keras.layers.RandomZoom((-0.25, 0), fill_mode="reflect")(x)
    x = keras.layers.RandomTranslation(0.1, 0.1, fill_mode="reflect")(x)
    return keras.layers.RandomBrightness(0.2)(x)
