"""What a classifier of the ensemble has to offer."""

import abc
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from kerasgan.classification.examples import PairExamples


class EnsembleMember(abc.ABC):
    """A classifier that `fit_ensemble` trains separately from the others.

    Attributes:
        modality: `"image"`, `"text"`, or `"pair"` for a member that needs both.
    """

    modality: str

    @abc.abstractmethod
    def predict_held_out(
        self,
        examples: PairExamples,
        train_rows: Sequence[int] | np.ndarray,
        validation_rows: Sequence[int] | np.ndarray,
    ) -> np.ndarray:
        """Trains on some examples and predicts others.

        Args:
            examples: with `token_ids` and `labels`.
            train_rows: indices of the examples for training.
            validation_rows: indices of the examples that are predicted.

        Returns:
            Log-probabilities `(len(validation_rows), classes)`; log-odds if a pair has
            any number of labels.
        """

    @abc.abstractmethod
    def refit(self, examples: PairExamples) -> None:
        """Trains on all examples.

        Args:
            examples: with `token_ids` and `labels`.
        """

    @abc.abstractmethod
    def predict_log_proba(self, examples: PairExamples) -> np.ndarray:
        """Returns log-probabilities or log-odds `(n, classes)`, after `refit`.

        Args:
            examples: with `token_ids`.
        """

    @abc.abstractmethod
    def logits(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Computes the same as part of a Keras model, after `refit`.

        Args:
            inputs: symbolic tensors by name. `"image"`: images or features as in
                `PairExamples.images`; `"token_ids"`: int32 `(n, length)`; `"text"`:
                strings `(n,)`. Those that the member does not need may be missing.

        Returns:
            Logits `(n, classes)`.
        """
