"""What a run can be asked for once it is exported: one table for every format."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import keras
import tensorflow as tf

# What endpoints are given, by the name that arrays have, and what stands for it in a
# SavedModel, which has its preprocessing inside.
FRIENDLY = {"noise": "noise", "picture": "image_bytes", "token_ids": "captions"}
TOKEN_IDS = "int32, of {text}: `preprocessing.caption` spells them"


@dataclass(frozen=True)
class Endpoint:
    """One thing to ask for.

    name: of the signature.
    about: a sentence for people.
    network: `{input: tensor}` to `{output: tensor}`, the batch first; inputs are
        `noise`, `picture` (uint8) and `token_ids` (int32), in the order of `inputs`.
    inputs: the names of what it takes.
    outputs: `{name: what it is}`.
    answer: an `Examples` to `{output: array}`, by the run itself and not by what is
        exported.
    spelled: what the output `token_ids` is called where it becomes text, or None.
    """

    name: str
    about: str
    network: Callable[[dict], dict]
    inputs: tuple[str, ...]
    outputs: dict[str, str]
    answer: Callable[[Any], dict]
    spelled: str | None = None

    @property
    def friendly_inputs(self):
        """The inputs of the SavedModel's signature."""
        return tuple(FRIENDLY[name] for name in self.inputs)

    @property
    def array_outputs(self):
        """`{output: what it is}` where there are no strings."""
        outputs = dict(self.outputs)
        if self.spelled:
            text = outputs.pop(self.spelled).removeprefix("string ")
            outputs = {"token_ids": TOKEN_IDS.format(text=text)} | outputs
        return outputs


@dataclass(frozen=True)
class Stage:
    """What one stage of a training left behind, ready to be exported.

    name: `pictures` or `captions`.
    networks: `{name: keras.Model}`.
    image_size, fit: of the pictures that it looks at.
    latent_dim: size of the noise, where there is any.
    vectorizer, vocabulary: the layer that reads captions, and its file; or None.
    endpoints: what it can be asked for.
    samples: an `Examples` to `{network: what it is called with}`, to try networks by
        themselves.
    """

    name: str
    networks: dict[str, Any]
    image_size: int
    fit: str
    latent_dim: int | None = None
    vectorizer: Any = None
    vocabulary: Path | None = None
    endpoints: tuple[Endpoint, ...] = ()
    samples: Callable[[Any], dict] | None = None

    def array_specs(self, endpoint):
        """`{input: tf.TensorSpec}` of an endpoint that takes arrays."""
        size = self.image_size
        shapes = {"noise": (None, self.latent_dim), "picture": (None, size, size, 3)}
        dtypes = {"noise": "float32", "picture": "uint8", "token_ids": "int32"}
        if self.vectorizer is not None:
            length = self.vectorizer.get_config()["output_sequence_length"]
            shapes["token_ids"] = (None, length)
        return {
            name: tf.TensorSpec(shapes[name], dtypes[name], name)
            for name in endpoint.inputs
        }

    def friendly_specs(self, endpoint):
        """The same for the SavedModel's signature: strings for pictures and words."""
        specs = self.array_specs(endpoint)
        return {
            FRIENDLY[name]: spec
            if name == "noise"
            else tf.TensorSpec((None,), tf.string, FRIENDLY[name])
            for name, spec in specs.items()
        }


def without_cudnn(network):
    """Makes a network's LSTMs run on any processor, whatever machine exports them.

    Keras chooses cuDNN's LSTM while it traces on a GPU; the graph would then run on
    GPUs alone.
    """
    for layer in lstms_of(network):
        layer.use_cudnn = False


def lstms_of(network):
    """All LSTMs in a network, however deep."""
    for layer in getattr(network, "layers", ()):
        if isinstance(layer, keras.layers.LSTM):
            yield layer
        yield from lstms_of(layer)


def with_plain_names(network):
    """A copy of a functional network whose layers' names a SavedModel can hold.

    EfficientNet's are those of a PyTorch file, which open with an underscore.
    """

    def renamed(layer):
        config = layer.get_config()
        config["name"] = config["name"].lstrip("_")
        return type(layer).from_config(config)

    copy = keras.models.clone_model(network, clone_function=renamed)
    copy.set_weights(network.get_weights())
    return copy
