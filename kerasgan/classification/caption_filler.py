"""Captions for images without text, by the captioner of another run."""

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from kerasgan.captioning.pipeline import CaptioningPipeline, load_captioner
from kerasgan.classification.examples import PairExamples, contains_text
from kerasgan.config.settings import DataConfig
from kerasgan.data import load_data
from kerasgan.runs import open_run

BATCH_SIZE = 128  # images that are captioned at once
NUM_EXAMPLES = 3  # captions that a description shows


class CaptionFiller:
    """Gives images without text a caption, as `kerasgan caption` makes it.

    Args:
        path: of a run of `train-gan`.

    Raises:
        UserError: there is no such run, or it has no trained captioner.
    """

    def __init__(self, path: str):
        self.run = open_run(path)
        self.pipeline: CaptioningPipeline = load_captioner(self.run)

    def fill(
        self, config: DataConfig, train: PairExamples, test: PairExamples
    ) -> dict[str, Any]:
        """Sets the texts of the examples that have none.

        Args:
            config: of the data set, whose images are prepared as the captioner needs
                them, too.
            train: the training examples.
            test: the test examples.

        Returns:
            `run`, the name of the run; `train` and `test`, numbers of captions; and
            `captions`, by image id. An image has none if all captions that were made
            are without a letter or digit.
        """
        captions: list[dict[str, str]] = [{}, {}]
        if any(_uncaptioned_rows(examples) for examples in (train, test)):
            update = {
                "keep_uncaptioned": True,
                "keep_in_memory": "never",  # most of the images are not needed
                "image_size": self.pipeline.image_size,
                "fit": self.run.settings.data.fit,
            }
            pairs = load_data(config.model_copy(update=update))
            captions = [
                self._fill(examples, split.images)
                for examples, split in ((train, pairs.train), (test, pairs.test))
            ]
        return {
            "run": self.run.path.name,
            "train": len(captions[0]),
            "test": len(captions[1]),
            "captions": captions[0] | captions[1],
        }

    def _fill(self, examples, images):
        rows, captions = np.array(_uncaptioned_rows(examples), int), {}
        for start in range(0, len(rows), BATCH_SIZE):
            batch = rows[start : start + BATCH_SIZE]
            for row, caption in zip(
                batch, self._caption(images[batch], start), strict=True
            ):
                if caption:
                    examples.texts[row] = [caption]
                    captions[examples.ids[row]] = caption
        return captions

    def _caption(self, images, seed):
        features = self.pipeline.encode_images(images)
        vectors = self.pipeline.embed_images(images, features)
        return [
            next((caption for caption, _ in choices if contains_text(caption)), "")
            for choices in self.pipeline.caption(features, vectors, seed=seed)
        ]


def describe_filled_captions(filled: Mapping[str, Any]) -> str:
    """Counts captions, and shows the first of them.

    Args:
        filled: the result of `CaptionFiller.fill`.
    """
    examples = itertools.islice(filled["captions"].items(), NUM_EXAMPLES)
    listed = "; ".join(f"{name}: {caption}" for name, caption in examples)
    return (
        f"Images without text that have a caption by {filled['run']}:"
        f" {filled['train']:,} for training, {filled['test']:,} for testing"
        + (f", such as {listed}" if listed else "")
    )


def _uncaptioned_rows(examples):
    return [
        row
        for row, texts in enumerate(examples.texts)
        if not any(map(contains_text, texts))
    ]
