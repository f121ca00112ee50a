"""Predictions of a trained classifier, and its files in a run directory."""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasgan.data.label_words import mask_label_words
from kerasgan.errors import UserError
from kerasgan.files import write_json
from kerasgan.layers.text_vectorization import START, split_words
from kerasgan.layers.traversal import find_layers
from kerasgan.runs import Run, open_run

MODALITIES = ("image", "text")
BATCH_SIZE = 128  # pairs that are classified at once
CLASSIFIER_FILE = "classifier.json"  # in the directory `models/` of a run
FIELDS: dict[str, Any] = {  # of this file, with the types of their values
    **{"label_names": list, "masked_words": list, "member_weights": dict},
    **{"training_seconds": float | int | None, "thresholds": list | None},
}


class Classifier:
    """Classifies images with texts.

    Args:
        model: the result of `build_serving_model` of `TrainedNetwork` or
            `TrainedEnsemble`.
        label_names: names of the classes, in the order of the model's output.
        masked_words: words that are removed from texts, see `mask_label_words`.
        member_weights: see `TrainedEnsemble.member_weights`; empty for one network.
        training_seconds: duration of the training.
        thresholds: the probability of each class from which a pair has this label, if
            it may have any number; None if it has exactly one.
    """

    def __init__(
        self,
        model: keras.Model,
        label_names: Sequence[str],
        masked_words: Sequence[str] = (),
        member_weights: Mapping[str, Mapping[str, float]] | None = None,
        training_seconds: float | None = None,
        thresholds: Sequence[float] | np.ndarray | None = None,
    ):
        self.model, self.label_names = model, list(label_names)
        self.masked_words = list(masked_words)
        self.member_weights = member_weights or {}
        self.training_seconds = training_seconds
        self.thresholds = None if thresholds is None else [*map(float, thresholds)]

    @functools.cached_property
    def _predict(self):
        # A graph needs less memory: without one, Keras keeps the outputs of all layers
        # until the last is computed.
        return tf.function(
            lambda inputs: self.model(inputs, training=False),
            reduce_retracing=True,
            autograph=False,
        )

    def __getstate__(self):
        # A graph cannot be pickled; the next prediction builds it again.
        return {name: value for name, value in vars(self).items() if name != "_predict"}

    @property
    def multi_label(self) -> bool:
        """Whether a pair has any number of labels."""
        return self.thresholds is not None

    @property
    def takes_images(self) -> bool:
        """Whether the classifier uses images."""
        return "image" in self.model.input

    @property
    def takes_text(self) -> bool:
        """Whether the classifier uses texts."""
        return "text" in self.model.input

    @property
    def image_size(self) -> int | None:
        """Side of the images in pixels; None if images are not used."""
        return self.model.input["image"].shape[1] if self.takes_images else None

    @property
    def accepts_missing(self) -> bool:
        """Whether the image or the text of a pair may be missing."""
        return "has_image" in self.model.input and self.takes_text

    def attention_weights(self, text: str) -> list[tuple[str, float]]:
        """Returns the weights of the LSTM's attention for the words of a text.

        Of an averaged network, the first one counts.

        Args:
            text: any text.

        Returns:
            Words and weights in the order of the text. The weights and that of the
            start token sum to 1. Empty if no network has attention.
        """
        branch = self._attention_branch()
        if branch is None:
            return []
        vectorizer = self.model.get_layer("vectorizer")
        token_ids = keras.ops.cast(vectorizer(self._string_tensor([text])), "int32")
        lstm = keras.Model(branch.input, branch.get_layer("lstm").output)
        _, weights = branch.get_layer("attention")(
            lstm(token_ids, training=False),
            mask=keras.ops.not_equal(token_ids, 0),
            return_weights=True,
        )
        weights = keras.ops.convert_to_numpy(weights)[0]
        words = [START, *split_words(self._mask([text])[0])]
        # Texts longer than the vectorizer's sequence have more words than weights.
        return list(zip(words, map(float, weights), strict=False))[1:]

    def _attention_branch(self):
        for branch in find_layers(self.model, keras.Model):
            names = {layer.name for layer in branch.layers}
            if branch.name == "text_branch" and "attention" in names:
                return branch
        return None

    def _mask(self, texts):
        return mask_label_words(texts, self.masked_words)

    def _string_tensor(self, texts):
        return tf.constant(self._mask(texts), tf.string)

    def classify(
        self,
        images: np.ndarray | Sequence[np.ndarray | None] | None = None,
        texts: Sequence[str] | None = None,
    ) -> np.ndarray:
        """Computes the probabilities of the classes.

        Args:
            images: uint8 `(n, size, size, 3)`, or a list with None for each missing
                image; None if all are missing.
            texts: n strings, empty for each missing text; None if all are missing.

        Returns:
            float32 `(n, classes)`, which sum to 1 unless `multi_label`. An input that
            the classifier does not use is ignored.

        Raises:
            UserError: an image is missing, and the classifier needs one.
            ValueError: both `images` and `texts` are None.
        """
        inputs = texts if images is None else images
        if inputs is None:
            raise ValueError("Pass `images`, `texts` or both. Received: None for both")
        count = len(inputs)
        texts = [""] * count if texts is None else list(texts)
        batches = [
            self._classify_batch(
                None if images is None else images[start : start + BATCH_SIZE],
                texts[start : start + BATCH_SIZE],
            )
            for start in range(0, count, BATCH_SIZE)
        ]
        return np.concatenate(batches)

    def classify_examples(
        self, images: Sequence[np.ndarray | None], texts: Sequence[str]
    ) -> np.ndarray:
        """Computes the probabilities of examples, which may have several images.

        Args:
            images: for each example an image uint8 `(size, size, 3)`, several
                `(k, size, size, 3)`, or None.
            texts: n strings.

        Returns:
            float32 `(n, classes)`, the mean of those of the images.
        """
        owners, singles = [], []
        for owner, image in enumerate(images):
            several = image is not None and image.ndim == 4
            found = list(image) if several else [image]
            singles += found
            owners += [owner] * len(found)
        repeated = [texts[owner] for owner in owners]
        return mean_by_owner(self.classify(singles, repeated), owners)

    def _classify_batch(self, images, texts):
        inputs = {}
        if self.takes_images:
            images = [None] * len(texts) if images is None else images
            has_image = np.array([image is not None for image in images])
            if not (has_image.all() or self.accepts_missing):
                raise UserError(
                    "This classifier needs an image for each text. Received:"
                    f" {len(has_image)} texts, {has_image.sum()} images"
                )
            blank = np.zeros((self.image_size, self.image_size, 3), np.uint8)
            batch = np.stack([blank if image is None else image for image in images])
            inputs["image"] = tf.constant(batch, tf.float32)
            if "has_image" in self.model.input:
                inputs["has_image"] = tf.constant(has_image)
        if self.takes_text:
            inputs["text"] = self._string_tensor(texts)
        return keras.ops.convert_to_numpy(self._predict(inputs))

    def save(self, run: Run) -> None:
        """Writes the classifier to the directory `models/` of a run, atomically.

        Args:
            run: the run.
        """
        run.save_networks({"classifier": self.model})
        content = {name: getattr(self, name) for name in FIELDS}
        # Last: the classifier is complete if this file exists.
        write_json(run.models / CLASSIFIER_FILE, content, checksum=True)


def mean_by_owner(probabilities: np.ndarray, owners: Sequence[int]) -> np.ndarray:
    """Averages the rows of each owner.

    Args:
        probabilities: `(n, classes)`.
        owners: n numbers; each of 0 to m - 1 occurs.

    Returns:
        float32 `(m, classes)`.
    """
    counts = np.bincount(owners)
    totals = np.zeros((len(counts), probabilities.shape[1]), np.float32)
    np.add.at(totals, owners, probabilities)
    return totals / counts[:, None].astype(np.float32)


def load_classifier(run: Run | str | Path) -> Classifier:
    """Loads the classifier of a run of `train-classifier`.

    Args:
        run: a `Run` or the path of its directory.

    Returns:
        A `Classifier`.

    Raises:
        UserError: the run has no classifier, or a file of it is damaged.
    """
    run = run if isinstance(run, Run) else open_run(run)
    if not (run.models / CLASSIFIER_FILE).is_file():
        raise UserError(
            f"{run.path} has no trained classifier. Train one with kerasgan"
            " train-classifier, or finish this run with --resume."
        )
    model = run.load_network("classifier")
    fields = run.read(f"models/{CLASSIFIER_FILE}", FIELDS)
    return Classifier(model, **{name: fields.get(name) for name in FIELDS})
