"""Outputs of the networks of the run, with which those of an export are compared."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerasgan.export.array_formats import SUFFIXES
from kerasgan.export.endpoints import Stage
from kerasgan.export.example_inputs import ExampleInputs


def add_reference_outputs(
    stages: Sequence[Stage],
    examples: Mapping[str, ExampleInputs],
    packed: dict[str, np.ndarray],
) -> None:
    """Adds the reference outputs of all endpoints to the packed examples.

    Args:
        stages: the stages that are exported.
        examples: `{stage: ExampleInputs}`.
        packed: the result of `pack_examples`, to which `output/ENDPOINT/OUTPUT` are
            added.
    """
    for stage in stages:
        for endpoint in stage.endpoints:
            outputs = endpoint.reference_outputs(examples[stage.name])
            for name, array in outputs.items():
                packed[f"output/{endpoint.name}/{name}"] = np.asarray(array)


def add_network_outputs(
    stages: Sequence[Stage],
    examples: Mapping[str, ExampleInputs],
    packed: dict[str, np.ndarray],
) -> list[dict[str, Any]]:
    """Adds the inputs and outputs of all networks to the packed examples.

    Args:
        stages: the stages that are exported.
        examples: `{stage: ExampleInputs}`.
        packed: the result of `pack_examples`, to which `network/NETWORK/INPUT` and
            `output/NETWORK/OUTPUT` are added.

    Returns:
        The endpoints of export.json, one for each network.
    """
    endpoints = []
    for stage in stages:
        network_inputs = stage.network_inputs(examples[stage.name])
        for name, network in stage.networks.items():
            inputs = network_inputs[name]
            # Outside of a graph, Keras keeps all intermediate outputs in memory.
            predict = tf.function(network, autograph=False)
            tensors = predict(inputs.get("inputs", inputs), training=False)
            outputs = {
                f"output_{index}": keras.ops.convert_to_numpy(tensor)
                for index, tensor in enumerate(keras.tree.flatten(tensors))
            }
            packed |= {f"network/{name}/{key}": x for key, x in inputs.items()}
            packed |= {f"output/{name}/{key}": x for key, x in outputs.items()}
            arrays = inputs | outputs
            endpoints.append(
                {
                    "name": name,
                    "file": name + SUFFIXES["keras"],
                    "inputs": {key: f"network/{name}/{key}" for key in inputs},
                    "outputs": list(outputs),
                    "shapes": {key: _describe(x) for key, x in arrays.items()},
                }
            )
    return endpoints


def _describe(array):
    """Returns dtype and shape for the README: ``float32 `(n, 16)` ``."""
    dtype = "string" if array.dtype.kind == "U" else array.dtype.name
    return f"{dtype} `{('n', *array.shape[1:])}`".replace("'", "")
