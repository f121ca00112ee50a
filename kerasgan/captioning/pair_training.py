"""`fit` and `evaluate` on images with raw captions."""

from typing import Any

import keras
import tensorflow as tf

from kerasgan.training.input_checks import check_images
from kerasgan.training.tokenized_pairs import make_tokenized_dataset
from kerasgan.training.worker_fit import WorkerFit


class PairTraining(WorkerFit):
    """`fit` and `evaluate` that tokenize captions: a base class beside `keras.Model`.

    The model needs an attribute `vectorizer`.
    """

    vectorizer: Any
    image_encoder: Any
    optimizer: Any
    compiled: bool
    built: bool
    trainable_variables: list

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        *,
        validation_data: Any = None,
        validation_batch_size: int | None = None,
        validation_split: float = 0.0,
        shuffle: bool = True,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Trains the model.

        Args:
            x: a `tf.data.Dataset` with batches of `(images, captions)`, of
                `{"image": images, "caption": captions}`, or of dicts with the inputs of
                `call`; or arrays `(images, captions)`; or an array of images.
            y: n captions, or n lists of captions, if `x` is an array of images.
            batch_size: of arrays; None for 32.
            validation_data: like `x`.
            validation_batch_size: of arrays; None for `batch_size`.
            validation_split: not supported; use `validation_data`.
            shuffle: whether arrays are shuffled before each epoch.
            **kwargs: of `keras.Model.fit`, such as `epochs` or `callbacks`.

        Raises:
            ValueError: captions are missing or have no vectorizer, images have another
                shape or range, or `validation_split` is given.
        """
        if validation_split:
            raise ValueError(
                "validation_split is not supported: pass `validation_data`. Received:"
                f" validation_split={validation_split}"
            )
        self._build_optimizer()
        x, y = make_tokenized_dataset(x, y, self.vectorizer, batch_size, shuffle)
        self._check_inputs(x)
        if validation_data is not None:
            validation_data, _ = make_tokenized_dataset(
                validation_data,
                vectorizer=self.vectorizer,
                batch_size=validation_batch_size or batch_size,
            )
        return super().fit(  # type: ignore[misc]
            x,
            y,
            batch_size=batch_size,
            validation_data=validation_data,
            validation_batch_size=validation_batch_size,
            # Only concerns arrays.
            shuffle=shuffle and not isinstance(x, tf.data.Dataset),
            **kwargs,
        )

    def evaluate(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, **kwargs: Any
    ) -> Any:
        """Computes the loss; takes the same data as `fit`.

        Args:
            x: see `fit`.
            y: see `fit`.
            batch_size: see `fit`.
            **kwargs: of `keras.Model.evaluate`.
        """
        x, y = make_tokenized_dataset(x, y, self.vectorizer, batch_size)
        return super().evaluate(  # type: ignore[misc]
            x, y, batch_size=batch_size, **kwargs
        )

    def _check_inputs(self, x):
        """Rejects data without captions, and images of another shape or range."""
        spec = x.element_spec if isinstance(x, tf.data.Dataset) else x
        if not isinstance(spec, dict) or "token_ids" not in spec:
            raise ValueError(
                "Training needs images with captions: a dataset of (images, captions),"
                f" or fit(images, captions). Received: {type(x).__name__}"
            )
        encoder = self.image_encoder
        if isinstance(x, tf.data.Dataset) and encoder is not None:
            shape = encoder.input_shape[1:]
            if len(shape) == 3 and "image" in spec:
                check_images(x, shape)

    def _build_optimizer(self):
        """Creates the optimizer's variables.

        If the first step created them, TensorFlow would trace it twice.
        """
        if not self.compiled:
            return  # `fit` of Keras says what is missing
        if self.built and self.optimizer is not None and not self.optimizer.built:
            with self.distribute_strategy.scope():
                self.optimizer.build(self.trainable_variables)
