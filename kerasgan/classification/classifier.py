"""A trained classifier at work."""

import keras
import numpy as np
import tensorflow as tf

from kerasgan.data.label_words import mask_label_words
from kerasgan.data.text import START, words_of
from kerasgan.errors import UserError
from kerasgan.files import write_json
from kerasgan.layers.traversal import find_layers
from kerasgan.runs import Run, open_run

MODALITIES = ("image", "text")
BATCH_SIZE = 128  # pairs classified at a time
CLASSIFIER_FILE = "classifier.json"  # in a run's `models/`


class Classifier:
    """Tells classes by images and texts.

    Args:
        model: what `serve_network` or `serve_pool` returns.
        label_names: in the order of their numbers.
        masked: words that were left out of the texts.
        weights: how much each part is believed, for ours.
        seconds: that training took.
    """

    def __init__(self, model, label_names, masked=(), weights=None, seconds=None):
        self.model, self.label_names = model, list(label_names)
        self.masked, self.weights = list(masked), weights or {}
        self.seconds = seconds
        # Outside of a graph Keras keeps what each layer made until the last is done.
        self._ask = tf.function(
            lambda inputs: self.model(inputs, training=False),
            reduce_retracing=True,
            autograph=False,
        )

    @property
    def takes_images(self):
        """Whether it takes images."""
        return "image" in self.model.input

    @property
    def takes_text(self):
        """Whether it takes texts."""
        return "text" in self.model.input

    @property
    def image_size(self):
        """Side of the images that it takes, in pixels; None where it takes none."""
        return self.model.input["image"].shape[1] if self.takes_images else None

    @property
    def accepts_missing(self):
        """Whether it answers by one side where the other is missing."""
        return "has_image" in self.model.input and self.takes_text

    def attention(self, text):
        """`(word, share)` of what the LSTM's attention looked at, of its first member;
        none without."""
        branch = self._branch_that_attends()
        if branch is None:
            return []
        vectorizer = self.model.get_layer("vectorizer")
        token_ids = keras.ops.cast(vectorizer(self._strings([text])), "int32")
        inner = keras.Model(branch.input, branch.get_layer("lstm").output)
        said = inner(token_ids, training=False)
        _, shares = branch.get_layer("attention")(
            said, mask=keras.ops.not_equal(token_ids, 0), return_weights=True
        )
        shares = keras.ops.convert_to_numpy(shares)[0]
        words = [START, *words_of(self._masked([text])[0])]
        return list(zip(words, map(float, shares)))[1:]

    def _branch_that_attends(self):
        for layer in find_layers(self.model, keras.Model):
            if layer.name == "text_branch":
                if any(inner.name == "attention" for inner in layer.layers):
                    return layer
        return None

    def _masked(self, texts):
        return mask_label_words(texts, self.masked)

    def _strings(self, texts):
        return tf.constant(self._masked(texts), tf.string)

    def classify(self, images=None, texts=None):
        """Class probabilities of pairs, one side of which may be missing.

        Args:
            images: uint8 `(n, size, size, 3)`, or a list with None where there is
                no image; None: none at all.
            texts: n str, empty where there is none; None: none at all.

        Returns:
            `(n, classes)` float32. A side that the network was not trained with is
            not looked at.

        Raises:
            UserError: an image is missing for a network that needs one.
        """
        count = len(texts if images is None else images)
        texts = ["" for _ in range(count)] if texts is None else list(texts)
        found = [
            self._classify(
                None if images is None else images[start : start + BATCH_SIZE],
                texts[start : start + BATCH_SIZE],
            )
            for start in range(0, count, BATCH_SIZE)
        ]
        return np.concatenate(found)

    def _classify(self, images, texts):
        inputs = {}
        if self.takes_images:
            blank = np.zeros((self.image_size, self.image_size, 3), np.uint8)
            seen = [None] * len(texts) if images is None else images
            there = np.array([image is not None for image in seen])
            if not (there.all() or self.accepts_missing):
                raise UserError("This classifier answers by images: give one.")
            stack = [blank if image is None else image for image in seen]
            inputs["image"] = tf.constant(np.stack(stack), tf.float32)
            if "has_image" in self.model.input:
                inputs["has_image"] = tf.constant(there)
        if self.takes_text:
            inputs["text"] = self._strings(texts)
        return keras.ops.convert_to_numpy(self._ask(inputs))

    def save(self, run: Run):
        """Writes the model into a run's `models/`, whole or not at all."""
        run.save_network("classifier", self.model)
        content = {
            "label_names": self.label_names,
            "masked": self.masked,
            "weights": self.weights,
            "seconds": self.seconds,
        }
        write_json(
            run.models / CLASSIFIER_FILE, content
        )  # last: it says that all is there


def load_classifier(run) -> Classifier:
    """Loads what a run of `train-classifier` trained.

    Args:
        run: a run directory or a `Run`.

    Raises:
        UserError: when it has none.
    """
    run = run if isinstance(run, Run) else open_run(run)
    if not (run.models / CLASSIFIER_FILE).is_file():
        raise UserError(f"{run.path} has no trained classifier.")
    model = run.load_network("classifier")
    return Classifier(model, **run.read(f"models/{CLASSIFIER_FILE}"))
