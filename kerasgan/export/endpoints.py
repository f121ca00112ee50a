"""Descriptions of what an export contains, from which all formats are written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from kerasgan.export.example_inputs import ExampleInputs

# Inputs of networks, and the inputs of a SavedModel's signature that replace them. All
# other inputs are computed from text.
SERVING_NAMES = {"noise": "noise", "image": "image_bytes"}
CLASS_OUTPUT = "class"  # the output with the name of the most probable class
TOKEN_IDS = "int32 `{shape}`{rest}, for `preprocessing.detokenize`"
VALID = (
    "bool `(n,)`: whether the file is {condition}; if not, the other outputs are 0 or"
    " empty"
)


@dataclass(frozen=True)
class Endpoint:
    """A function of an export: a SavedModel signature, or a model in another format.

    Attributes:
        name: of the signature.
        description: a sentence for the README.
        predict: maps `{input: tensor}` to `{output: tensor}`, with the batch as the
            first axis. Inputs are `noise` (float32), `image` (uint8) and `token_ids`
            (int32) or `text` (strings), in the order of `inputs`, and `has_image`
            (bool) where images may be missing.
        inputs: names of the inputs.
        outputs: `{name: description}`.
        reference_outputs: maps `ExampleInputs` to `{output: array}` with the networks
            of the run and not with `predict`.
        text_output: the output that replaces `token_ids` where the format has strings;
            None if there are no token ids in the outputs.
        text_input: the string input from which `token_ids` or `text` are computed.
    """

    name: str
    description: str
    predict: Callable[[dict[str, tf.Tensor]], dict[str, tf.Tensor]]
    inputs: tuple[str, ...]
    outputs: dict[str, str]
    reference_outputs: Callable[["ExampleInputs"], dict[str, np.ndarray]]
    text_output: str | None = None
    text_input: str = "captions"

    @property
    def serving_inputs(self) -> tuple[str, ...]:
        """Names of the inputs of the SavedModel's signature."""
        return tuple(SERVING_NAMES.get(name, self.text_input) for name in self.inputs)

    @property
    def array_outputs(self) -> dict[str, str]:
        """`{output: description}` in formats without strings."""
        outputs = dict(self.outputs)
        outputs.pop(CLASS_OUTPUT, None)
        if self.text_output:
            _, shape, rest = outputs.pop(self.text_output).split("`")
            shape = shape.rstrip(",)") + ", words)"
            token_ids = TOKEN_IDS.format(shape=shape, rest=rest)
            outputs = {"token_ids": token_ids} | outputs
        return outputs


@dataclass(frozen=True)
class Stage:
    """The networks that one stage of training made, and their endpoints.

    Attributes:
        name: `images`, `captions` or `classes`.
        networks: `{name: keras.Model}`.
        image_size: width and height of the input images in pixels; None if there are
            none.
        fit: how images become square, see `kerasgan.data.images.prepare_image`.
        endpoints: the functions that are exported.
        network_inputs: maps `ExampleInputs` to `{network: {input: array}}`, to call
            the networks by themselves.
        latent_dim: size of the noise; None if there is none.
        vectorizer: the layer that tokenizes text, or None.
        masked_words: words that are removed from texts, whose HTML entities are
            unescaped; None if texts are not changed.
        label_names: names of the classes, in the order of `probabilities`.
        accepts_missing: whether images may be missing.
        models_digest: of the models that caption and embed images, see `models_digest`;
            None if there are none.
    """

    name: str
    networks: dict[str, keras.Model]
    image_size: int | None
    fit: str
    endpoints: tuple[Endpoint, ...]
    network_inputs: Callable[["ExampleInputs"], dict[str, dict[str, np.ndarray]]]
    latent_dim: int | None = None
    vectorizer: keras.layers.TextVectorization | None = None
    masked_words: tuple[str, ...] | None = None
    label_names: tuple[str, ...] = ()
    accepts_missing: bool = False
    models_digest: str | None = None

    def array_specs(self, endpoint: Endpoint) -> dict[str, tf.TensorSpec]:
        """Returns the input signature of an endpoint in formats that take arrays.

        Args:
            endpoint: one of `endpoints`.

        Returns:
            `{input: tf.TensorSpec}`.
        """
        size = self.image_size
        shapes = {"noise": (None, self.latent_dim), "image": (None, size, size, 3)}
        dtypes = {"noise": "float32", "image": "uint8", "token_ids": "int32"}
        if self.vectorizer is not None:
            length = self.vectorizer.get_config()["output_sequence_length"]
            shapes["token_ids"] = (None, length)
        return {
            name: tf.TensorSpec(shapes[name], dtypes[name], name)
            for name in endpoint.inputs
        }

    def serving_specs(self, endpoint: Endpoint) -> dict[str, tf.TensorSpec]:
        """Returns the input signature of an endpoint in a SavedModel.

        Args:
            endpoint: one of `endpoints`.

        Returns:
            `{input: tf.TensorSpec}`; images and texts are strings `(n,)`.
        """
        specs = {
            name: tf.TensorSpec((None,), tf.string, name)
            for name in endpoint.serving_inputs
        }
        if "noise" in specs:
            shape = (None, self.latent_dim)
            specs["noise"] = tf.TensorSpec(shape, "float32", "noise")
        return specs

    def serving_outputs(self, endpoint: Endpoint) -> dict[str, str]:
        """Returns the outputs of an endpoint in a SavedModel.

        Args:
            endpoint: one of `endpoints`.

        Returns:
            `{output: description}`.
        """
        if "image" not in endpoint.inputs:
            return endpoint.outputs
        condition = "an image or missing" if self.accepts_missing else "an image"
        return endpoint.outputs | {"valid": VALID.format(condition=condition)}
