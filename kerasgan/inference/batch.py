"""Predicts for any number of images, with few of them in memory."""

import contextlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from kerasgan.data.images import BadImage, strict_pillow
from kerasgan.data.threads import map_in_threads
from kerasgan.inference.inputs import InferenceInput

if TYPE_CHECKING:
    import numpy as np

CHUNK_SIZE = 128  # inputs that are predicted at once
MAX_PREVIEWS = 24  # predictions that a summary keeps for a sheet of images

ImageLoader = Callable[[InferenceInput], "np.ndarray | None"]
Predictor = Callable[[list, list[InferenceInput], int], Iterable[dict]]


def predict_batches(
    inputs: Iterable[InferenceInput],
    load_image: ImageLoader,
    predict: Predictor,
    include_text: bool,
    num_done: int = 0,
) -> Iterator[list[dict]]:
    """Predicts for inputs in order, chunk by chunk.

    Threads load the next images while the network predicts.

    Args:
        inputs: the inputs.
        load_image: returns the image of an input, uint8 of shape `(size, size, 3)`, or
            None if it has none. It is called in threads and may raise `BadImage`.
        predict: called with n loaded images, their n inputs, and the position of the
            first input of the chunk among all inputs. It returns n dicts.
        include_text: whether the results contain the texts.
        num_done: number of inputs that are skipped because they are done, a multiple
            of `CHUNK_SIZE`.

    Yields:
        A list of up to `CHUNK_SIZE` dicts, one for each input. They contain `image` and
        optionally `text`, and the prediction or `error`, the reason why the image
        cannot be used.
    """
    with strict_pillow():
        remaining = itertools.islice(inputs, num_done, None)
        loaded = map_in_threads(load_image, remaining)
        for start in itertools.count(num_done, CHUNK_SIZE):
            chunk = list(itertools.islice(loaded, CHUNK_SIZE))
            if not chunk:
                return
            usable = [pair for pair in chunk if not isinstance(pair[1], BadImage)]
            predictions = iter(())
            if usable:
                usable_inputs, images = map(list, zip(*usable, strict=True))
                predictions = iter(predict(images, usable_inputs, start))
            yield [_to_result(*pair, predictions, include_text) for pair in chunk]


def _to_result(
    inference_input: InferenceInput,
    image: "np.ndarray | BadImage | None",
    predictions: Iterator[dict],
    include_text: bool,
) -> dict:
    result = {"image": inference_input.name}
    if include_text:
        result["text"] = inference_input.text or None
    if isinstance(image, BadImage):
        return result | {"error": str(image)}
    return result | next(predictions)


class BatchSummary:
    """Counts the results of a batch.

    Attributes:
        num_predicted: number of inputs with a prediction.
        errors: reasons with the numbers of inputs that have none.
        previews: the first `MAX_PREVIEWS` predictions, by their position among all
            inputs.
    """

    def __init__(self):
        self.num_predicted, self.errors, self.previews = 0, Counter(), {}

    def add(self, results: Iterable[dict]) -> None:
        """Adds results of `predict_batches`."""
        for result in results:
            if "error" in result:
                self.errors[result["error"]] += 1
                continue
            if len(self.previews) < MAX_PREVIEWS:
                self.previews[self.num_predicted + self.errors.total()] = result
            self.num_predicted += 1

    def __str__(self) -> str:
        reasons = ", ".join(f"{n:,} × {why}" for why, n in self.errors.most_common())
        counts = f"{self.num_predicted:,} predicted, {self.errors.total():,} failed"
        return f"{counts}: {reasons}" if reasons else counts


def reload_images(
    inputs: Iterable[InferenceInput],
    load_image: ImageLoader,
    results: dict[int, dict],
) -> Iterator[tuple]:
    """Loads the images of some results again.

    Args:
        inputs: all inputs, see `predict_batches`.
        load_image: see `predict_batches`.
        results: at least one result, by position among all inputs.

    Yields:
        Pairs of image and result. Images that can no longer be loaded are left out.
    """
    with strict_pillow():
        first_inputs = itertools.islice(inputs, max(results) + 1)
        for position, inference_input in enumerate(first_inputs):
            if position in results:
                with contextlib.suppress(BadImage):
                    yield load_image(inference_input), results[position]
