"""Measures the speed of an export, compared with the networks of the run.

    python tools/measure_export.py RUN EXPORTED IMAGES

RUN is the run that was exported to EXPORTED, IMAGES a folder of JPEGs. Prints one JSON
object. For captions, in files per second: `batch` (64 files), `single` (one file per
call), and `predict_loop` (`predict` of the image encoder, and of the captioner for each
word). For classes the same, with `predict` of the classifier, and `relative_time`: the
time for one file, divided by the time for decoding and calling the network, the median
of alternating measurements.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import kerasgan  # isort: skip  (sets TensorFlow's environment)
import numpy as np
import tensorflow as tf

from kerasgan.captioning.tokens import END
from kerasgan.classification.classifier import load_classifier
from kerasgan.data.images import read_square_image, strict_pillow
from kerasgan.runs import Run, open_run

BATCH_SIZE = 64
NUM_ROUNDS, NUM_LOOP_ROUNDS = 5, 2  # of which the fastest counts
NUM_LOOP_FILES = 4  # files that are captioned by the loop of `predict`
NUM_PAIRS = 100  # alternating measurements
TEXT = "black leather with white laces"  # does not name a class


def main(run_dir: str, export_dir: str, image_dir: str) -> None:
    """Measures an export and prints the results.

    Args:
        run_dir: the directory of the run.
        export_dir: the directory of its SavedModel.
        image_dir: a folder of JPEGs.
    """
    paths = sorted(Path(image_dir).glob("*.jpg"))[:BATCH_SIZE]
    files = [path.read_bytes() for path in paths]
    run, signatures = open_run(run_dir), tf.saved_model.load(export_dir).signatures
    measure = measure_captions if "caption" in signatures else measure_classes
    print(json.dumps(measure(run, signatures, files)))


def measure_captions(
    run: Run, signatures: dict, files: Sequence[bytes]
) -> dict[str, float]:
    """Measures the signature `caption`.

    Args:
        run: the run.
        signatures: those of the SavedModel.
        files: JPEGs.
    """
    pipeline = kerasgan.load_captioner(run.path)

    def predict(files):
        return signatures["caption"](image_bytes=tf.constant(files))["caption"].numpy()

    def predict_loop():
        return caption_by_predict(pipeline, files[:NUM_LOOP_FILES])

    expected = [caption.encode() for caption in predict_loop()]
    assert expected == list(predict(files)[:NUM_LOOP_FILES])
    seconds = best_seconds(predict_loop, NUM_LOOP_ROUNDS)
    loop_speed = round(NUM_LOOP_FILES / seconds, 2)
    return measure_speed(predict, files) | {"predict_loop": loop_speed}


def measure_classes(
    run: Run, signatures: dict, files: Sequence[bytes]
) -> dict[str, float]:
    """Measures the signature `classify`.

    Args:
        run: the run.
        signatures: those of the SavedModel.
        files: JPEGs.
    """
    classifier = load_classifier(run)
    model, fit = classifier.model, run.settings.data.fit
    classify = signatures["classify"]
    call_model = tf.function(lambda inputs: model(inputs, training=False))

    def predict(files):
        inputs = {"image_bytes": files, "text": [TEXT] * len(files)}
        names = classify.structured_input_signature[1]
        tensors = {name: tf.constant(inputs[name]) for name in names}
        return classify(**tensors)["probabilities"].numpy()

    def model_inputs(data):
        inputs = {"text": tf.constant([TEXT]), "has_image": tf.constant([True])}
        if classifier.takes_images:
            image = decode(data, classifier.image_size, fit)
            inputs["image"] = tf.constant(image[None])
        return {name: inputs[name] for name in model.input}

    def predict_loop():
        return [model.predict(model_inputs(data), verbose=0)[0] for data in files]

    np.testing.assert_allclose(predict(files), predict_loop(), atol=1e-4)
    seconds = best_seconds(predict_loop, NUM_LOOP_ROUNDS)
    relative_time = median_ratio(
        lambda index: predict(files[index : index + 1]),
        lambda index: call_model(model_inputs(files[index])).numpy(),
    )
    return measure_speed(predict, files) | {
        "predict_loop": round(len(files) / seconds, 2),
        "relative_time": round(relative_time, 3),
    }


def measure_speed(
    predict: Callable[[Sequence[bytes]], np.ndarray], files: Sequence[bytes]
) -> dict[str, float]:
    """Measures files per second, in one batch and with one file per call.

    Args:
        predict: a function of files.
        files: the files.
    """

    def predict_single():
        for data in files:
            predict([data])

    seconds = {
        "batch": best_seconds(lambda: predict(files)),
        "single": best_seconds(predict_single),
    }
    return {name: round(len(files) / value, 2) for name, value in seconds.items()}


def best_seconds(function: Callable[[], object], num_rounds: int = NUM_ROUNDS) -> float:
    """Returns the shortest duration of several calls.

    Args:
        function: is called.
        num_rounds: number of calls.
    """
    return min(seconds_of(function) for _ in range(num_rounds))


def median_ratio(
    function: Callable[[int], object], reference: Callable[[int], object]
) -> float:
    """Returns the median ratio of the durations of two functions.

    Args:
        function: takes the index of a file.
        reference: takes the same index; called after `function`.
    """
    for _ in range(3):
        function(0), reference(0)
    ratios = []
    for turn in range(NUM_PAIRS):
        index = turn % NUM_LOOP_FILES
        seconds = seconds_of(function, index)
        ratios.append(seconds / seconds_of(reference, index))
    return float(np.median(ratios))


def seconds_of(function: Callable[..., object], *arguments: object) -> float:
    """Measures a call.

    Args:
        function: is called.
        *arguments: are passed to it.
    """
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def decode(data: bytes, size: int, fit: str) -> np.ndarray:
    """Decodes an image with Pillow to float32 `(size, size, 3)`.

    Args:
        data: content of an image file.
        size: width and height in pixels.
        fit: see `kerasgan.data.images.prepare_image`.
    """
    with strict_pillow():
        return read_square_image(data, size, fit).astype("float32")


def caption_by_predict(
    pipeline: kerasgan.CaptioningPipeline, files: Sequence[bytes]
) -> list[str]:
    """Captions images with `predict`, without a loop in the graph.

    Args:
        pipeline: the pipeline of the run.
        files: JPEGs.
    """
    captioner, captions = pipeline.captioner, []
    for data in files:
        image = decode(data, pipeline.image_size, "crop")
        grid = pipeline.image_encoder.predict(image[None], verbose=0)
        grid = grid.astype("float16").astype("float32")
        token_ids = np.zeros((1, 1, captioner.caption_length), "int32")
        token_ids[..., 0] = captioner.start_id
        noise = np.zeros((1, captioner.noise_dim), "float32")
        for word in range(captioner.caption_length - 1):
            inputs = {"features": grid, "token_ids": token_ids, "noise": noise}
            features = captioner.predict(inputs, verbose=0)[:, :, word]
            scores = np.array(captioner.log_probabilities(features))
            # As in `greedy_search`: the last two words are not repeated.
            scores[..., token_ids[0, 0, max(1, word - 1) : word + 1]] = -np.inf
            token_ids[..., word + 1] = scores.argmax(-1)
            if token_ids[0, 0, word + 1] == END:
                break
        captions.append(pipeline.detokenize(token_ids[0, 0, 1:]))
    return captions


if __name__ == "__main__":
    main(*sys.argv[1:])
