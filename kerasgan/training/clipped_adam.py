"""Adam that clips the gradients of a whole batch."""

from typing import Any

import keras
import tensorflow as tf

from kerasgan.training.replicas import add_replicas, num_shares


class ClippedAdam(keras.optimizers.Adam):
    """Adam whose `clipnorm` is of the gradients of all replicas.

    Keras clips what each replica contributes to a gradient, and then adds it up.
    """

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        """Updates variables.

        Args:
            grads: a gradient for each variable.
            trainable_variables: see `keras.optimizers.Optimizer.apply`.
        """
        # Dense: the slices of a word that occurs several times have another norm.
        grads = [tf.convert_to_tensor(gradient) for gradient in grads]
        shares = num_shares()
        if shares > 1:  # Keras will add up as many equal shares
            grads = [
                tf.clip_by_norm(gradient, self.clipnorm) / shares
                for gradient in add_replicas(grads)
            ]
        super().apply(grads, trainable_variables)
