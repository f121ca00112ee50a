"""What a run can be asked for once it is exported: one table for every format."""

from dataclasses import dataclass
from typing import Any, Callable

import keras
import tensorflow as tf

from kerasgan.layers.traversal import find_layers

# What endpoints are given, by the name that arrays have, and what stands for it in a
# SavedModel, which has its preprocessing inside.
FRIENDLY = {"noise": "noise", "image": "image_bytes"}
CLASS = "class"  # the output that names the class of the highest probability
TOKEN_IDS = "int32 `{shape}`{rest}, spelled by `preprocessing.caption`"


@dataclass(frozen=True)
class Endpoint:
    """One thing to ask for.

    name: of the signature.
    about: a sentence for people.
    network: `{input: tensor}` to `{output: tensor}`, the batch first; inputs are
        `noise`, `image` (uint8) and `token_ids` (int32) or `text` (strings), in the
        order of `inputs`; and `has_image` (bool) where images may be missing.
    inputs: the names of what it takes.
    outputs: `{name: what it is}`.
    answer: an `Examples` to `{output: array}`, by the run itself and not by what is
        exported.
    spelled: what the output `token_ids` is called where it becomes text, or None.
    words: what the strings are called that `token_ids` or `text` are made of.
    """

    name: str
    about: str
    network: Callable[[dict], dict]
    inputs: tuple[str, ...]
    outputs: dict[str, str]
    answer: Callable[[Any], dict]
    spelled: str | None = None
    words: str = "captions"

    @property
    def friendly_inputs(self):
        """The inputs of the SavedModel's signature."""
        return tuple(FRIENDLY.get(name, self.words) for name in self.inputs)

    @property
    def array_outputs(self):
        """`{output: what it is}` where there are no strings."""
        outputs = dict(self.outputs)
        outputs.pop(CLASS, None)
        if self.spelled:
            _, shape, rest = outputs.pop(self.spelled).split("`")
            shape = shape.rstrip(",)") + ", words)"
            token_ids = TOKEN_IDS.format(shape=shape, rest=rest)
            outputs = {"token_ids": token_ids} | outputs
        return outputs


@dataclass(frozen=True)
class Stage:
    """What one stage of a training left behind, ready to be exported.

    name: `images`, `captions` or `classes`.
    networks: `{name: keras.Model}`.
    image_size, fit: of the images that it looks at; no size where it looks at none.
    endpoints: what it can be asked for.
    samples: an `Examples` to `{network: what it is called with}`, to try networks by
        themselves.
    latent_dim: size of the noise, where there is any.
    vectorizer: the layer that reads captions, or None.
    masked: the words that are left out of texts, whose HTML entities are unescaped;
        None: texts are read as they are.
    labels: the names of the classes, in the order of `probabilities`.
    accepts_missing: whether images may be missing.
    """

    name: str
    networks: dict[str, Any]
    image_size: int | None
    fit: str
    endpoints: tuple[Endpoint, ...]
    samples: Callable[[Any], dict]
    latent_dim: int | None = None
    vectorizer: Any = None
    masked: tuple[str, ...] | None = None
    labels: tuple[str, ...] = ()
    accepts_missing: bool = False

    def array_specs(self, endpoint):
        """`{input: tf.TensorSpec}` of an endpoint that takes arrays."""
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

    def friendly_specs(self, endpoint):
        """The same for the SavedModel's signature: strings for images and words."""
        strings = {
            name: tf.TensorSpec((None,), tf.string, name)
            for name in endpoint.friendly_inputs
        }
        if "noise" in strings:
            shape = (None, self.latent_dim)
            strings["noise"] = tf.TensorSpec(shape, "float32", "noise")
        return strings


def without_cudnn(network):
    """Makes a network's LSTMs run on any processor, whatever machine exports them.

    Keras chooses cuDNN's LSTM while it traces on a GPU; the graph would then run on
    GPUs alone.
    """
    for layer in find_layers(network, keras.layers.LSTM):
        layer.use_cudnn = False


def with_plain_names(network):
    """A copy of a functional network whose layers' names a SavedModel can hold.

    EfficientNet's are those of a PyTorch file, which open with an underscore. Layers
    with other names are in both networks.
    """

    def renamed(layer):
        if isinstance(layer, keras.Model):
            return with_plain_names(layer)
        if not layer.name.startswith("_"):
            return layer
        config = layer.get_config()
        config["name"] = config["name"].lstrip("_")
        return type(layer).from_config(config)

    copy = keras.models.clone_model(network, clone_function=renamed)
    copy.set_weights(network.get_weights())
    return copy
