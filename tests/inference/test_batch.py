import itertools

import numpy as np

from kerasgan.data.images import BadImage
from kerasgan.data.threads import (
    CHUNKS_PER_WORKER,
    THREAD_CHUNK_SIZE,
    available_cores,
)
from kerasgan.inference import batch
from kerasgan.inference.batch import (
    CHUNK_SIZE,
    BatchSummary,
    predict_batches,
    reload_images,
)
from kerasgan.inference.inputs import InferenceInput

# The largest number of images that are loaded and not yet predicted.
MAX_AHEAD = (CHUNKS_PER_WORKER * available_cores() + 1) * THREAD_CHUNK_SIZE


def test_images_are_loaded_shortly_before_they_are_used():
    numbers = itertools.count()
    num_inputs = 10 * (CHUNK_SIZE + MAX_AHEAD)
    inputs = (InferenceInput(str(next(numbers))) for _ in range(num_inputs))

    def load_image(inference_input):
        if inference_input.name.endswith("7"):
            raise BadImage("seven")
        return np.zeros((2, 2, 3), np.uint8)

    def predict(images, inputs, start):
        assert 0 < len(images) == len(inputs) <= CHUNK_SIZE
        return [{"start": start} for _ in inputs]

    results = next(predict_batches(inputs, load_image, predict, include_text=False))
    assert next(numbers) - len(results) <= MAX_AHEAD
    names = [result["image"] for result in results]
    assert names == [str(n) for n in range(CHUNK_SIZE)]
    assert results[7] == {"image": "7", "error": "seven"}
    assert results[8] == {"image": "8", "start": 0}


def test_inputs_that_are_done_are_not_loaded():
    def load_image(inference_input):
        assert int(inference_input.name) >= CHUNK_SIZE
        return inference_input.name

    def predict(images, inputs, start):
        assert start == CHUNK_SIZE
        assert images == [inference_input.name for inference_input in inputs]
        return [{"caption": name} for name in images]

    inputs = [InferenceInput(str(n), "a text") for n in range(CHUNK_SIZE + 2)]
    (chunk,) = predict_batches(
        inputs, load_image, predict, include_text=True, num_done=CHUNK_SIZE
    )
    name = str(CHUNK_SIZE)
    assert chunk[0] == {"image": name, "text": "a text", "caption": name}


def test_a_summary_counts_and_keeps_the_first_predictions(monkeypatch):
    monkeypatch.setattr(batch, "MAX_PREVIEWS", 2)
    summary = BatchSummary()
    summary.add([{"image": "0"}, {"image": "1", "error": "empty file"}])
    summary.add([{"image": "2"}, {"image": "3"}])
    assert summary.previews == {0: {"image": "0"}, 2: {"image": "2"}}
    assert str(summary) == "3 predicted, 1 failed: 1 × empty file"
    assert str(BatchSummary()) == "0 predicted, 0 failed"

    def load_image(inference_input):
        if inference_input.name == "0":
            raise BadImage("missing file")
        return f"image {inference_input.name}"

    inputs = [InferenceInput(str(n)) for n in range(4)]
    pairs = list(reload_images(inputs, load_image, summary.previews))
    assert pairs == [("image 2", {"image": "2"})]
