"""The run's own answers, which an export is held against."""

import keras
import numpy as np
import tensorflow as tf

from kerasgan.export.array_formats import SUFFIXES


def run_outputs(stages, examples, packed):
    """Adds to `packed` what the run itself says at every endpoint.

    Args:
        stages: a list of `Stage`.
        examples: `{stage: Examples}`.
        packed: what `pack` returns; gets `answer/ENDPOINT/OUTPUT`.
    """
    for stage in stages:
        for endpoint in stage.endpoints:
            for name, array in endpoint.answer(examples[stage.name]).items():
                packed[f"answer/{endpoint.name}/{name}"] = np.asarray(array)


def check_networks(stages, examples, packed):
    """Adds to `packed` what each network is called with and what it returns.

    Returns:
        The networks as export.json lists them.
    """
    listed = []
    for stage in stages:
        samples = stage.samples(examples[stage.name])
        for name, network in stage.networks.items():
            given = samples[name]
            # Else Keras keeps what each layer made until the last is done.
            ask = tf.function(network, autograph=False)
            found = ask(given.get("inputs", given), training=False)
            found = [keras.ops.convert_to_numpy(x) for x in keras.tree.flatten(found)]
            packed |= {f"network/{name}/{key}": array for key, array in given.items()}
            outputs = {f"output_{place}": array for place, array in enumerate(found)}
            packed |= {f"answer/{name}/{key}": x for key, x in outputs.items()}
            listed.append(
                {
                    "name": name,
                    "file": name + SUFFIXES["keras"],
                    "inputs": {key: f"network/{name}/{key}" for key in given},
                    "outputs": list(outputs),
                    "shapes": {key: _kind(x) for key, x in (given | outputs).items()},
                }
            )
    return listed


def _kind(array):
    """For people: ``float32 `(n, 16)` ``."""
    dtype = "string" if array.dtype.kind == "U" else array.dtype.name
    return f"{dtype} `{('n', *array.shape[1:])}`".replace("'", "")
