"""Generating images with a trained generator."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from kerasgan.errors import UserError
from kerasgan.gan import gan_checks
from kerasgan.layers.text_vectorization import load_vectorizer, tokenize
from kerasgan.runs import Run, open_run
from kerasgan.training.image_grids import save_image_grid

if TYPE_CHECKING:
    from kerasgan.gan.nearest_images import NearestImages

BATCH_SIZE = 64  # images generated at a time
NEAREST_TITLE = "nearest training images"
COUNTERPARTS = {"gan": "discriminator", "vae": "encoder"}  # by `gan.model`


class ImageGenerator:
    """Generates images, from captions where the generator was trained with them.

    Args:
        generator: the result of `build_generator`.
        counterpart: what it was trained with, whose text branch encodes the captions:
            the result of `build_discriminator` or `build_vae_encoder`.
        vectorizer: the result of `build_vectorizer`; needed for captions.

    Attributes:
        latent_dim: size of the noise.
        conditional: whether the generator needs captions.
    """

    def __init__(
        self,
        generator: keras.Model,
        counterpart: keras.Model,
        vectorizer: keras.layers.Layer | None = None,
    ):
        self.generator = generator
        self.counterpart = counterpart
        self.vectorizer = vectorizer
        self.latent_dim = latent_dim_of(generator)
        self.conditional = isinstance(generator.input, dict)

    def noise(self, count: int, seed: int = 0, truncation: float = 1.0) -> np.ndarray:
        """Draws noise from a standard normal distribution.

        Args:
            count: rows.
            seed: int.
            truncation: factor of the noise. Less than 1 gives more typical images that
                vary less: the truncation trick of Karras et al. 2019, appendix B, for
                noise, whose mean is zero (https://arxiv.org/abs/1812.04948).

        Returns:
            float32 `(count, latent_dim)`.

        Raises:
            UserError: the truncation is not in (0, 1].
        """
        if not 0 < truncation <= 1:
            raise UserError(f"truncation must be in (0, 1]. Received: {truncation}")
        shape = (count, self.latent_dim)
        random = np.random.default_rng(seed)
        return np.float32(truncation) * random.standard_normal(shape, dtype="float32")

    def encode_text(self, captions: Sequence[str]) -> np.ndarray:
        """Encodes captions as the generator needs them.

        Args:
            captions: n str.

        Returns:
            float32 `(n, text_dim)`.

        Raises:
            UserError: the generator was trained without captions.
            ValueError: there is no vectorizer.
        """
        if not self.conditional:
            raise UserError(
                "This generator was trained without captions and cannot use any."
            )
        if self.vectorizer is None:
            raise ValueError(
                "Captions need the vectorizer that the generator was trained with."
                " Received: vectorizer=None"
            )
        token_ids = tokenize(self.vectorizer, captions)
        text_branch = self.counterpart.text_branch
        starts = range(0, len(token_ids), BATCH_SIZE)
        batches = [text_branch(token_ids[row : row + BATCH_SIZE]) for row in starts]
        return ops.convert_to_numpy(ops.concatenate(batches))

    def generate(
        self,
        captions: Sequence[str] | None = None,
        count: int | None = None,
        seed: int = 0,
        noise: np.ndarray | None = None,
        truncation: float = 1.0,
    ) -> np.ndarray:
        """Generates an image for each caption, or `count` images.

        Args:
            captions: n str; needed where the generator was trained with captions.
            count: number of images, without captions.
            seed: of the noise.
            noise: float32 `(n, latent_dim)` instead of drawn noise.
            truncation: of drawn noise, see `noise`.

        Returns:
            uint8 images `(n, size, size, channels)`.

        Raises:
            UserError: captions are missing, or the generator cannot use them.
            ValueError: `captions` is one string or empty, does not fit `noise`, or
                nothing tells how many images.
        """
        if self.conditional and captions is None:
            raise UserError(
                "This generator was trained with captions and needs some: pass"
                " `captions`, or --caption on the command line."
            )
        gan_checks.check_what_to_generate(captions, count, noise)
        features = None if captions is None else self.encode_text(captions)
        if noise is None:
            count = count if captions is None else len(captions)
            noise = self.noise(count, seed, truncation)
        return self._generate(noise, features)

    def _generate(self, noise, features=None):
        """Generates an image for each row of the noise, batch by batch."""
        batches = []
        for start in range(0, len(noise), BATCH_SIZE):
            rows = slice(start, start + BATCH_SIZE)
            inputs = noise[rows]
            if features is not None:
                inputs = {"noise": inputs, "caption": features[rows]}
            batches.append(to_uint8(self.generator(inputs, training=False)))
        return np.concatenate(batches)

    def interpolate(
        self,
        start: str | None,
        stop: str | None,
        steps: int,
        seed: int = 0,
        truncation: float = 1.0,
    ) -> np.ndarray:
        """Generates an interpolation between two captions, or between two noises.

        Args:
            start: first caption; None without captions.
            stop: last caption; if equal to `start` the noise is interpolated.
            steps: number of images.
            seed: of the noise.
            truncation: see `noise`.

        Returns:
            uint8 images `(steps, size, size, channels)`.
        """
        shares = np.linspace(0, 1, steps, dtype="float32")[:, None]
        first, last = self.noise(2, seed, truncation)
        if self.conditional and start != stop:
            features = self.encode_text([start, stop])
            features = features[:1] * (1 - shares) + features[1:] * shares
            return self._generate(np.repeat(first[None], steps, axis=0), features)
        # Along the sphere: a straight line passes near the origin, where normal noise
        # hardly ever lies (White 2016, https://arxiv.org/abs/1609.04468).
        angles = shares * (np.pi / 2)
        noise = np.cos(angles) * first + np.sin(angles) * last
        captions = [start] * steps if self.conditional else None
        return self.generate(captions, noise=noise)

    def save(self, run: Run) -> None:
        """Saves both networks in a run's `models/`, see `Run.save_networks`.

        Args:
            run: the run directory.
        """
        counterpart = COUNTERPARTS[run.settings.gan.model]
        run.save_networks({counterpart: self.counterpart, "generator": self.generator})


def latent_dim_of(generator: keras.Model) -> int:
    """Returns the size of a generator's noise.

    Args:
        generator: the result of `build_generator`.
    """
    inputs = generator.input
    return (inputs["noise"] if isinstance(inputs, dict) else inputs).shape[-1]


def scale_images(images: tf.Tensor) -> tf.Tensor:
    """Scales images from [0, 255] to [-1, 1], the range of both networks.

    Args:
        images: of any shape and numeric dtype.

    Returns:
        float32 of the same shape.
    """
    return ops.cast(images, "float32") / 127.5 - 1


def to_uint8(images: tf.Tensor) -> np.ndarray:
    """Converts images from [-1, 1] to uint8 in [0, 255].

    Args:
        images: floats of any shape; values outside the range are clipped.
    """
    images = ops.convert_to_numpy(images)
    return np.rint((np.clip(images, -1, 1) + 1) * 127.5).astype("uint8")


def load_gan(run: str | Path | Run) -> ImageGenerator:
    """Loads the generator that a run of `train-gan` trained.

    Args:
        run: a run directory or a `Run`.

    Returns:
        An `ImageGenerator` with the moving average of the generator.

    Raises:
        UserError: it is not such a run, or its images stage has not finished.
    """
    run = run if isinstance(run, Run) else open_run(run)
    run.require_command("train-gan")
    if not (run.models / "generator.keras").is_file():
        captions_only = run.settings.training.stage == "captions"
        stage = " --stage images" if captions_only else ""
        raise UserError(
            f"{run.path} has not finished training its image generator. Continue with"
            f" kerasgan train-gan{stage} --resume --run-dir {run.path}"
        )
    names = "generator", COUNTERPARTS[run.settings.gan.model]
    generator, counterpart = map(run.load_network, names)
    for name in names:
        run.check_file(f"models/{name}.keras")
    vectorizer = None
    if counterpart.text_branch is not None:
        gan = run.settings.gan
        sizes = gan.vocabulary_size, gan.caption_length
        run.check_file("models/vocabulary.txt")
        vectorizer = load_vectorizer(run.models / "vocabulary.txt", *sizes)
    return ImageGenerator(generator, counterpart, vectorizer)


def save_imgs(
    image_generator: "ImageGenerator | str | Path",
    path: str | Path,
    captions: Sequence[str] | None = None,
    rows: int = 6,
    columns: int = 6,
    seed: int = 0,
    truncation: float = 1.0,
    nearest: "NearestImages | None" = None,
) -> Path:
    """Saves a grid of generated images (paper A's `save_imgs`).

    Args:
        image_generator: an `ImageGenerator`, or a run directory.
        path: of the PNG; missing directories are made.
        captions: a row of images for each; needed for a run trained with captions.
        rows: number of rows, without captions.
        columns: images a row; the noise differs along a row and is the same in each.
        seed: of the noise.
        truncation: see `ImageGenerator.noise`.
        nearest: shows the nearest training images in a row below each row.

    Returns:
        The path.
    """
    if not isinstance(image_generator, ImageGenerator):
        image_generator = load_gan(image_generator)
    if captions is None:
        noise = image_generator.noise(rows * columns, seed, truncation)
        images = image_generator.generate(noise=noise)
    else:
        rows = len(captions)
        noise = np.tile(image_generator.noise(columns, seed, truncation), (rows, 1))
        repeated = [caption for caption in captions for _ in range(columns)]
        images = image_generator.generate(repeated, noise=noise)
    grid = images.reshape(rows, columns, *images.shape[1:])
    if nearest:
        neighbors = nearest.images[nearest.find(images)[0]].reshape(grid.shape)
        grid = np.stack([grid, neighbors], axis=1).reshape(-1, *grid.shape[1:])
        titles = captions or ["generated"] * rows
        captions = [text for title in titles for text in (title, NEAREST_TITLE)]
    return save_image_grid(path, grid, captions)
