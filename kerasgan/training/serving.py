"""From trained parts to one Keras model that takes pictures and strings."""

import keras
import numpy as np
from keras import ops

from kerasgan.models.classifier import LEAST, HasWords, LogLinearPool
from kerasgan.models.precision import in_float32


class FittedNetwork:
    """A network of `build_classifier`, trained.

    Args:
        trainer: a `Trainer` with the network.
        eye: the frozen backbone before it, or None.
        vectorizer: what made its token ids, or None.
        image_size: side of its pictures, in pixels.
    """

    weights = {}

    def __init__(self, trainer, eye, vectorizer, image_size):
        self.trainer, self.eye, self.vectorizer = trainer, eye, vectorizer
        self.image_size = image_size

    def probabilities(self, examples):
        """`(n, classes)` of `Examples` with token ids."""
        return np.exp(self.trainer.log_probabilities(examples))

    def serve(self):
        """The same as one Keras model.

        Returns:
            A `keras.Model`: `{"picture": RGB (n, size, size, 3) in [0, 255], "text":
            strings (n,)}`, of which it has one or both, to probabilities
            `(n, classes)`.
        """
        network, inputs, fed = in_float32(self.trainer.network), {}, {}
        if "picture" in network.input:
            inputs["picture"] = _picture_input(self.image_size)
            fed["picture"] = _looked_at(inputs["picture"], self.eye)
        if "token_ids" in network.input:
            inputs["text"] = _text_input()
            fed["token_ids"] = _tokens(inputs["text"], self.vectorizer)
        found = keras.layers.Softmax(name="probabilities")(network(fed))
        return keras.Model(inputs, found, name="served")


class FittedPool:
    """A `Pool` of parts, trained; arguments as `FittedNetwork`'s."""

    def __init__(self, pool, eye, vectorizer, image_size):
        self.pool, self.eye, self.vectorizer = pool, eye, vectorizer
        self.image_size = image_size

    @property
    def weights(self):
        """How much each part is believed, for a pair, a picture and a text."""
        return {
            kind: {name: float(w) for name, w in zip(self.pool.parts, row)}
            for kind, row in zip(("pair", "picture", "text"), self.pool.weights)
        }

    @property
    def modalities(self):
        """What the parts take: `"picture"`, `"text"` or both."""
        return {part.modality for part in self.pool.parts.values()} - {"pair"}

    def by_part(self, examples):
        """Log-probabilities `(n, parts, classes)`."""
        said = [part.log_probabilities(examples) for part in self.pool.parts.values()]
        return np.maximum(np.stack(said, axis=1), LEAST)

    def probabilities(self, examples):
        """`(n, classes)` of `Examples` with token ids."""
        return self.weigh(self.by_part(examples), examples)

    def weigh(self, said, examples, without=()):
        """What the parts come to together, `(n, classes)`.

        Args:
            said: what `by_part` returned of the `examples`.
            without: `"picture"` or `"text"`, which is not looked at.
        """
        count = len(examples)
        there = {
            "picture": np.ones(count, bool),
            "text": examples.has_text,
        }
        for modality, given in there.items():
            given &= modality in self.modalities and modality not in without
        found = self._layer()(said.astype("float32"), there["picture"], there["text"])
        return keras.ops.convert_to_numpy(found)

    def _layer(self):
        return LogLinearPool(self.pool.weights, self.pool.prior, name="pool")

    def serve(self):
        """As `FittedNetwork.serve`; with `"has_picture"`, bool `(n,)`, where it
        looks. What has no words counts as no text."""
        inputs, sides = {}, {}
        if "picture" in self.modalities:
            inputs["picture"] = _picture_input(self.image_size)
            inputs["has_picture"] = keras.Input((), dtype="bool", name="has_picture")
            sides["picture"] = _looked_at(inputs["picture"], self.eye)
        if "text" in self.modalities:
            inputs["text"] = sides["text"] = _text_input()
            sides["token_ids"] = _tokens(inputs["text"], self.vectorizer)
        said = [part.logits(sides) for part in self.pool.parts.values()]
        said = [ops.maximum(ops.log_softmax(logits), LEAST) for logits in said]
        seen, read = inputs.get("has_picture"), None
        if "text" in inputs:
            read = HasWords(name="has_words")(inputs["text"])
        nothing = ops.logical_and(read if seen is None else seen, False)
        found = self._layer()(
            ops.stack(said, axis=1),
            nothing if seen is None else seen,
            nothing if read is None else read,
        )
        return keras.Model(inputs, found, name="served")


def _picture_input(size):
    return keras.Input((size, size, 3), name="picture")


def _text_input():
    return keras.Input((), dtype="string", name="text")


def _looked_at(picture, eye):
    if eye is None:
        return picture
    return keras.layers.GlobalAveragePooling2D(name="pooled")(eye(picture))


def _tokens(text, vectorizer):
    return ops.cast(vectorizer(text), "int32")
