"""What each word of a caption looked at."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from kerasgan.data.text import tokenize

COLUMNS = 8  # words side by side
SIDE = 1.6  # inches an image


def attention_maps(pipeline, images, captions):
    """How much the captioner looked at each cell before it said each word.

    Args:
        pipeline: a `CaptioningPipeline`.
        images: uint8 `(n, size, size, 3)`.
        captions: n str.

    Returns:
        For each image `(words, height, width)`; what is missing to a word's sum of 1
        went to the image as a whole.
    """
    captioner, grids = pipeline.captioner, pipeline.encode_images(images)
    height, width = grids.shape[1:3]
    token_ids = captioner.to_output_vocabulary(tokenize(pipeline.vectorizer, captions))
    noise = tf.zeros((len(images), captioner.noise_dim))
    memory, states = captioner.encode(tf.cast(grids, tf.float32), noise)
    states = [state[:, None] for state in states]
    looks = []
    for word in range(token_ids.shape[1] - 1):
        _, states, look = captioner.step(token_ids[:, word : word + 1], states, memory)
        looks.append(look[:, 0, :-1])  # the last is the image as a whole
    looks = tf.stack(looks, axis=1).numpy()
    looks = looks.reshape(len(images), -1, height, width)
    words = (token_ids[:, 1:] != 0).sum(axis=1)
    return [look[:count] for look, count in zip(looks, words)]


def save_attention_maps(pipeline, images, captions, path):
    """Draws a sheet an image, below each other in one PNG: the image, and for each
    word the image again, lit where the word looked.

    Returns:
        The path.
    """
    from matplotlib.figure import Figure

    images = np.stack(images)
    sheets = attention_maps(pipeline, images, captions)
    rows = [-(-(len(looks) + 1) // COLUMNS) for looks in sheets]
    figure = Figure((COLUMNS * SIDE, sum(rows) * SIDE * 1.15), layout="constrained")
    axes = figure.subplots(sum(rows), COLUMNS, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for row, image, looks, caption in zip(
        np.cumsum(rows) - rows, images, sheets, captions
    ):
        places = axes[row:].flat
        next(places).imshow(image)
        for word, look in zip(caption.split(), looks):
            axis = next(places)
            axis.imshow(image)
            light = look / look.max()
            extent = (0, image.shape[1], image.shape[0], 0)
            axis.imshow(
                np.zeros_like(light),
                alpha=0.75 * (1 - light),
                cmap="gray",
                extent=extent,
                interpolation="bilinear",
            )
            axis.set_title(word, fontsize=8)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
    return path
