"""From trained parts to one Keras model that takes images and strings."""

import keras
import numpy as np
from keras import ops

from kerasgan.encoders.precision import to_float32
from kerasgan.layers.contains_text import ContainsText
from kerasgan.layers.log_linear_ensemble import MIN_LOG_PROBABILITY, LogLinearEnsemble


class TrainedNetwork:
    """A network of `build_classifier`, trained.

    Args:
        trainer: a `Trainer` with the network.
        image_encoder: the frozen backbone before it, or None.
        vectorizer: what made its token ids, or None.
        image_size: side of its images, in pixels.
    """

    weights = {}

    def __init__(self, trainer, image_encoder, vectorizer, image_size):
        self.trainer, self.image_encoder, self.vectorizer = (
            trainer,
            image_encoder,
            vectorizer,
        )
        self.image_size = image_size

    def probabilities(self, examples):
        """`(n, classes)` of `Examples` with token ids."""
        return np.exp(self.trainer.log_probabilities(examples))

    def serve(self):
        """The same as one Keras model.

        Returns:
            A `keras.Model`: `{"image": RGB (n, size, size, 3) in [0, 255], "text":
            strings (n,)}`, of which it has one or both, to probabilities
            `(n, classes)`.
        """
        network, inputs, fed = to_float32(self.trainer.network), {}, {}
        if "image" in network.input:
            inputs["image"] = _image_input(self.image_size)
            fed["image"] = _encoded(inputs["image"], self.image_encoder)
        if "token_ids" in network.input:
            inputs["text"] = _text_input()
            fed["token_ids"] = _tokens(inputs["text"], self.vectorizer)
        found = keras.layers.Softmax(name="probabilities")(network(fed))
        return keras.Model(inputs, found, name="served")


class TrainedEnsemble:
    """A `Pool` of parts, trained; arguments as `TrainedNetwork`'s."""

    def __init__(self, pool, image_encoder, vectorizer, image_size):
        self.pool, self.image_encoder, self.vectorizer = pool, image_encoder, vectorizer
        self.image_size = image_size

    @property
    def weights(self):
        """How much each part is believed, for a pair, an image and a text."""
        return {
            kind: {name: float(w) for name, w in zip(self.pool.parts, row)}
            for kind, row in zip(("pair", "image", "text"), self.pool.weights)
        }

    @property
    def modalities(self):
        """What the parts take: `"image"`, `"text"` or both."""
        return {part.modality for part in self.pool.parts.values()} - {"pair"}

    def by_part(self, examples):
        """Log-probabilities `(n, parts, classes)`."""
        said = [part.log_probabilities(examples) for part in self.pool.parts.values()]
        return np.maximum(np.stack(said, axis=1), MIN_LOG_PROBABILITY)

    def probabilities(self, examples):
        """`(n, classes)` of `Examples` with token ids."""
        return self.weigh(self.by_part(examples), examples)

    def weigh(self, said, examples, without=()):
        """What the parts come to together, `(n, classes)`.

        Args:
            said: what `by_part` returned of the `examples`.
            without: `"image"` or `"text"`, which is not looked at.
        """
        count = len(examples)
        there = {
            "image": np.ones(count, bool),
            "text": examples.has_text,
        }
        for modality, given in there.items():
            given &= modality in self.modalities and modality not in without
        found = self._layer()(said.astype("float32"), there["image"], there["text"])
        return keras.ops.convert_to_numpy(found)

    def _layer(self):
        return LogLinearEnsemble(self.pool.weights, self.pool.prior, name="pool")

    def serve(self):
        """As `FittedNetwork.serve`; with `"has_image"`, bool `(n,)`, where it
        looks. What has no words counts as no text."""
        inputs, sides = {}, {}
        if "image" in self.modalities:
            inputs["image"] = _image_input(self.image_size)
            inputs["has_image"] = keras.Input((), dtype="bool", name="has_image")
            sides["image"] = _encoded(inputs["image"], self.image_encoder)
        if "text" in self.modalities:
            inputs["text"] = sides["text"] = _text_input()
            sides["token_ids"] = _tokens(inputs["text"], self.vectorizer)
        said = [part.logits(sides) for part in self.pool.parts.values()]
        said = [
            ops.maximum(ops.log_softmax(logits), MIN_LOG_PROBABILITY) for logits in said
        ]
        seen, read = inputs.get("has_image"), None
        if "text" in inputs:
            read = ContainsText(name="has_words")(inputs["text"])
        nothing = ops.logical_and(read if seen is None else seen, False)
        found = self._layer()(
            ops.stack(said, axis=1),
            nothing if seen is None else seen,
            nothing if read is None else read,
        )
        return keras.Model(inputs, found, name="served")


def _image_input(size):
    return keras.Input((size, size, 3), name="image")


def _text_input():
    return keras.Input((), dtype="string", name="text")


def _encoded(image, image_encoder):
    if image_encoder is None:
        return image
    return keras.layers.GlobalAveragePooling2D(name="pooled")(image_encoder(image))


def _tokens(text, vectorizer):
    return ops.cast(vectorizer(text), "int32")
