"""Trained networks and ensembles, and their conversion to one Keras model."""

from collections.abc import Collection

import keras
import numpy as np
from keras import ops

from kerasgan.classification.ensemble import Ensemble
from kerasgan.classification.examples import PairExamples
from kerasgan.classification.network_trainer import NetworkTrainer
from kerasgan.classification.scores import to_probabilities
from kerasgan.encoders.precision import to_float32
from kerasgan.layers.contains_text import ContainsText
from kerasgan.layers.log_linear_ensemble import (
    MAX_LOG_ODDS,
    MIN_LOG_PROBABILITY,
    LogLinearEnsemble,
)


class TrainedNetwork:
    """A trained network of `build_classifier`.

    Args:
        trainer: has the network and its temperature.
        image_encoder: the frozen image encoder that computes the network's features,
            or None if the network takes images.
        vectorizer: the layer that computes its token ids, or None.
        image_size: side of the images in pixels, or None without images.
        thresholds: the probability `(classes,)` from which a pair has a label; None if
            it has exactly one.

    Attributes:
        member_weights: empty: there are no members.
    """

    def __init__(
        self,
        trainer: NetworkTrainer,
        image_encoder: keras.Model | None,
        vectorizer: keras.layers.TextVectorization | None,
        image_size: int | None,
        thresholds: np.ndarray | None = None,
    ):
        self.trainer, self.thresholds = trainer, thresholds
        self.image_encoder, self.vectorizer = image_encoder, vectorizer
        self.image_size = image_size
        self.member_weights: dict[str, dict[str, float]] = {}

    def predict_proba(self, examples: PairExamples) -> np.ndarray:
        """Returns the probabilities of the classes, float32 `(n, classes)`.

        Args:
            examples: with `token_ids`.
        """
        scores = self.trainer.predict_log_proba(examples)
        return to_probabilities(scores, multi_label=self.thresholds is not None)

    def build_serving_model(self) -> keras.Model:
        """Builds a model that takes images and strings.

        Returns:
            A `keras.Model` in float32. Inputs: a dict with `"image"`, RGB `(n, size,
            size, 3)` in [0, 255], and `"text"`, strings `(n,)`, or the one of them that
            the network uses. Output: probabilities `(n, classes)`.
        """
        network = to_float32(self.trainer.network)
        inputs, network_inputs = {}, {}
        if "image" in network.input:
            inputs["image"] = _image_input(self.image_size)
            network_inputs["image"] = _encode(inputs["image"], self.image_encoder)
        if "token_ids" in network.input:
            inputs["text"] = _text_input()
            network_inputs["token_ids"] = _tokenize(inputs["text"], self.vectorizer)
        scale = keras.layers.Rescaling(1 / self.trainer.temperature, name="temperature")
        activation = "softmax" if self.thresholds is None else "sigmoid"
        layer = keras.layers.Activation(activation, name="probabilities")
        probabilities = layer(scale(network(network_inputs)))
        return keras.Model(inputs, probabilities, name="pair_classifier")


class TrainedEnsemble:
    """A trained ensemble.

    Args:
        ensemble: the result of `fit_ensemble`.
        image_encoder: see `TrainedNetwork`.
        vectorizer: see `TrainedNetwork`.
        image_size: see `TrainedNetwork`.
    """

    def __init__(
        self,
        ensemble: Ensemble,
        image_encoder: keras.Model | None,
        vectorizer: keras.layers.TextVectorization | None,
        image_size: int | None,
    ):
        self.ensemble = ensemble
        self.image_encoder, self.vectorizer = image_encoder, vectorizer
        self.image_size = image_size

    @property
    def member_weights(self) -> dict[str, dict[str, float]]:
        """The weights of the members by name, for `"pair"`, `"image"` and `"text"`."""
        return {
            modality: dict(zip(self.ensemble.members, map(float, row), strict=True))
            for modality, row in zip(
                ("pair", "image", "text"), self.ensemble.weights, strict=True
            )
        }

    @property
    def thresholds(self) -> np.ndarray | None:
        """See `Ensemble`."""
        return self.ensemble.thresholds

    @property
    def modalities(self) -> set[str]:
        """The inputs of the members: `"image"`, `"text"` or both."""
        members = self.ensemble.members.values()
        return {member.modality for member in members} - {"pair"}

    def predict_log_proba_by_member(self, examples: PairExamples) -> np.ndarray:
        """Returns log-probabilities, or log-odds, `(n, members, classes)`.

        Args:
            examples: with `token_ids`.
        """
        scores = [
            member.predict_log_proba(examples)
            for member in self.ensemble.members.values()
        ]
        return np.clip(np.stack(scores, axis=1), MIN_LOG_PROBABILITY, MAX_LOG_ODDS)

    def predict_proba(self, examples: PairExamples) -> np.ndarray:
        """Returns the probabilities of the classes, float32 `(n, classes)`.

        Args:
            examples: with `token_ids`.
        """
        return self.combine(self.predict_log_proba_by_member(examples), examples)

    def combine(
        self,
        log_probabilities: np.ndarray,
        examples: PairExamples,
        missing: Collection[str] = (),
    ) -> np.ndarray:
        """Combines the predictions of the members.

        Args:
            log_probabilities: the result of `predict_log_proba_by_member`.
            examples: the examples that were predicted.
            missing: `"image"` or `"text"`, to predict as if it were missing.

        Returns:
            Probabilities, float32 `(n, classes)`.
        """
        is_present = {
            "image": np.ones(len(examples), bool),
            "text": examples.has_text,
        }
        for modality, mask in is_present.items():
            mask &= modality in self.modalities and modality not in missing
        probabilities = self._ensemble_layer()(
            log_probabilities.astype("float32"), is_present["image"], is_present["text"]
        )
        return keras.ops.convert_to_numpy(probabilities)

    def _ensemble_layer(self):
        return LogLinearEnsemble(
            self.ensemble.weights,
            self.ensemble.prior,
            multi_label=self.thresholds is not None,
            name="ensemble",
        )

    def build_serving_model(self) -> keras.Model:
        """Builds a model that takes images and strings, either of which may be missing.

        Returns:
            A `keras.Model` in float32. Inputs: as in `TrainedNetwork`; with `"image"`
            also `"has_image"`, bool `(n,)`. A text without a letter or a digit counts
            as missing. Output: probabilities `(n, classes)`.
        """
        inputs, member_inputs = {}, {}
        has_image = has_text = None
        if "image" in self.modalities:
            inputs["image"] = _image_input(self.image_size)
            inputs["has_image"] = keras.Input((), dtype="bool", name="has_image")
            has_image = inputs["has_image"]
            member_inputs["image"] = _encode(inputs["image"], self.image_encoder)
        if "text" in self.modalities:
            inputs["text"] = member_inputs["text"] = _text_input()
            has_text = ContainsText(name="has_text")(inputs["text"])
            member_inputs["token_ids"] = _tokenize(inputs["text"], self.vectorizer)
        all_false = ops.logical_and(has_text if has_image is None else has_image, False)
        members = self.ensemble.members.values()
        scores = [member.logits(member_inputs) for member in members]
        if self.thresholds is None:
            scores = [ops.log_softmax(logits) for logits in scores]
        probabilities = self._ensemble_layer()(
            ops.clip(ops.stack(scores, axis=1), MIN_LOG_PROBABILITY, MAX_LOG_ODDS),
            all_false if has_image is None else has_image,
            all_false if has_text is None else has_text,
        )
        return keras.Model(inputs, probabilities, name="pair_classifier")


def _image_input(size):
    return keras.Input((size, size, 3), name="image")


def _text_input():
    return keras.Input((), dtype="string", name="text")


def _encode(image, image_encoder):
    if image_encoder is None:
        return image
    pooling = keras.layers.GlobalAveragePooling2D(name="average_pooling")
    return pooling(image_encoder(image))


def _tokenize(text, vectorizer):
    return ops.cast(vectorizer(text), "int32")
