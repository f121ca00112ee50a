"""How fast an export is, beside the run's own networks.

    python tools/measure_export.py RUN EXPORTED IMAGES

RUN is the run that EXPORTED was exported from, IMAGES a folder of JPEGs. Prints one
JSON object. Of captions, files a second: batches of 64, one a call, and a loop of
`predict` for the image_encoder and again for each word. Of classes, the same with a loop of
`predict`, and how long one image takes as a multiple of what decoding and the bare
model take, the median of pairs measured in turn.
"""

import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import kerasgan  # isort: skip  (sets TensorFlow's environment)
import keras
import numpy as np
import tensorflow as tf

from kerasgan.captioning.captioner import END
from kerasgan.classification.classifier import load_classifier
from kerasgan.data.images import decode_image, prepare_image, strict_pillow
from kerasgan.runs import open_run

BATCH, ROUNDS, LOOPED, TURNS = 64, 5, 4, 100
TEXT = "black leather with white laces"  # names no class


def main(run, exported, images):
    names = sorted(Path(images).glob("*.jpg"))[:BATCH]
    files = [name.read_bytes() for name in names]
    run, signatures = open_run(run), tf.saved_model.load(exported).signatures
    measure = of_captions if "caption" in signatures else of_classes
    print(json.dumps(measure(run, signatures, files)))


def of_captions(run, signatures, files):
    pipeline = kerasgan.load_captioner(run.path)

    def ask(files):
        return signatures["caption"](image_bytes=tf.constant(files))["caption"].numpy()

    def loop():
        return by_predict(pipeline, files[:LOOPED])

    assert [text.encode() for text in loop()] == list(ask(files)[:LOOPED])
    return rates(ask, files) | {"predict": round(LOOPED / best(loop, 2), 2)}


def of_classes(run, signatures, files):
    classifier = load_classifier(run)
    model, fit = classifier.model, run.settings.data.fit
    forward = tf.function(lambda inputs: model(inputs, training=False))

    def ask(files):
        given = {"image_bytes": files, "text": [TEXT] * len(files)}
        taken = signatures["classify"].structured_input_signature[1]
        found = signatures["classify"](
            **{name: tf.constant(given[name]) for name in taken}
        )
        return found["probabilities"].numpy()

    def inputs_of(data):
        found = {"text": tf.constant([TEXT]), "has_image": tf.constant([True])}
        if classifier.looks:
            image = square(data, classifier.image_size, fit)
            found["image"] = tf.constant(image[None])
        return {name: found[name] for name in model.input}

    def bare(data):
        return forward(inputs_of(data)).numpy()

    def loop():
        return [model.predict(inputs_of(data), verbose=0)[0] for data in files]

    np.testing.assert_allclose(ask(files), loop(), atol=1e-4)
    return rates(ask, files) | {
        "predict": round(len(files) / best(loop, 2), 2),
        "one_beside_bare": round(
            in_turn(lambda n: ask(files[n : n + 1]), lambda n: bare(files[n])), 3
        ),
    }


def rates(ask, files):
    """Files a second, all in a batch and one a call."""

    def one_by_one():
        for data in files:
            ask([data])

    found = {"batch": best(lambda: ask(files)), "one": best(one_by_one)}
    return {name: round(len(files) / seconds, 2) for name, seconds in found.items()}


def best(job, rounds=ROUNDS):
    return min(seconds_of(job) for _ in range(rounds))


def in_turn(job, other):
    """The median of how much longer a job takes than the other, on the same file."""
    for _ in range(3):
        job(0), other(0)
    return np.median(
        [
            seconds_of(lambda: job(turn % LOOPED))
            / seconds_of(lambda: other(turn % LOOPED))
            for turn in range(TURNS)
        ]
    )


def seconds_of(job):
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def square(data, size, fit):
    with strict_pillow():
        return np.asarray(decode_image(prepare_image(data, size, fit))[0], "float32")


def by_predict(pipeline, files):
    """What one writes without a loop in the graph."""
    captioner, captions = pipeline.captioner, []
    for data in files:
        image = square(data, pipeline.image_size, "crop")
        grid = pipeline.image_encoder.predict(image[None], verbose=0)
        grid = grid.astype("float16").astype("float32")
        token_ids = np.zeros((1, 1, captioner.caption_length), "int32")
        token_ids[..., 0] = captioner.start_id
        noise = np.zeros((1, captioner.noise_dim), "float32")
        for word in range(captioner.caption_length - 1):
            inputs = {"grid": grid, "token_ids": token_ids, "noise": noise}
            joined = captioner.predict(inputs, verbose=0)[:, :, word]
            chances = keras.ops.convert_to_numpy(captioner.log_probabilities(joined))
            token_ids[..., word + 1] = chances.argmax(-1)
            if token_ids[0, 0, word + 1] == END:
                break
        captions.append(pipeline.detokenize(token_ids[0, 0, 1:]))
    return captions


if __name__ == "__main__":
    main(*sys.argv[1:])
