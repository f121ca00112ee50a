"""The image regions that the captioner attends to before each word."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from kerasgan.captioning.pipeline import CaptioningPipeline
from kerasgan.layers.text_vectorization import tokenize

NUM_COLUMNS = 8  # images in a row of the figure
CELL_SIZE = 1.6  # inches


def attention_maps(
    pipeline: CaptioningPipeline, images: np.ndarray, captions: Sequence[str]
) -> list[np.ndarray]:
    """Computes the captioner's attention to the cells of the feature grid.

    Args:
        pipeline: a trained pipeline.
        images: uint8 `(n, size, size, 3)`.
        captions: n captions.

    Returns:
        For each image a float array `(words, height, width)`. The weights of a word sum
        to at most 1; the rest is the attention to the image as a whole.
    """
    captioner, features = pipeline.captioner, pipeline.encode_images(images)
    height, width = features.shape[1:3]
    token_ids = captioner.to_output_vocabulary(tokenize(pipeline.vectorizer, captions))
    noise = tf.zeros((len(images), captioner.noise_dim))
    memory, states = captioner.encode(tf.cast(features, tf.float32), noise)
    states = [state[:, None] for state in states]
    weights = []
    for position in range(token_ids.shape[1] - 1):
        tokens = token_ids[:, position : position + 1]
        _, states, step_weights = captioner.step(tokens, position, states, memory)
        # The others are of the whole image.
        weights.append(step_weights[:, 0, : height * width])
    maps = tf.stack(weights, axis=1).numpy().reshape(len(images), -1, height, width)
    num_words = (token_ids[:, 1:] != 0).sum(axis=1)
    return [
        image_maps[:count] for image_maps, count in zip(maps, num_words, strict=True)
    ]


def save_attention_maps(
    pipeline: CaptioningPipeline,
    images: Sequence[np.ndarray],
    captions: Sequence[str],
    path: str | Path,
) -> Path:
    """Draws the attention maps of captions as one PNG.

    Each image is followed by one copy for each word of its caption. A copy is darkened
    where the attention is low.

    Args:
        pipeline: a trained pipeline.
        images: n images, uint8 `(size, size, 3)`.
        captions: n captions.
        path: path of the PNG.

    Returns:
        The path.
    """
    from matplotlib.figure import Figure

    stacked = np.stack(images)
    maps = attention_maps(pipeline, stacked, captions)
    num_rows = [-(-(len(image_maps) + 1) // NUM_COLUMNS) for image_maps in maps]
    size = (NUM_COLUMNS * CELL_SIZE, sum(num_rows) * CELL_SIZE * 1.15)
    figure = Figure(size, layout="constrained")
    axes = figure.subplots(sum(num_rows), NUM_COLUMNS, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    first_rows = np.cumsum(num_rows) - num_rows
    for first_row, image, image_maps, caption in zip(
        first_rows, stacked, maps, captions, strict=True
    ):
        cells = axes[first_row:].flat
        next(cells).imshow(image)
        # A caption may have more words than the captioner's sequence has tokens.
        for word, weights in zip(caption.split(), image_maps, strict=False):
            _draw_attention(next(cells), image, word, weights)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
    return path


def _draw_attention(axis, image, word, weights):
    axis.imshow(image)
    brightness = weights / weights.max()
    axis.imshow(
        np.zeros_like(brightness),
        alpha=0.75 * (1 - brightness),
        cmap="gray",
        extent=(0, image.shape[1], image.shape[0], 0),
        interpolation="bilinear",
    )
    axis.set_title(word, fontsize=8)
