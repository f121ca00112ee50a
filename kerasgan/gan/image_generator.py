"""A trained generator at work."""

import keras
import numpy as np

from kerasgan.data.text import stored_vectorizer, tokenize
from kerasgan.errors import UserError
from kerasgan.runs import Run, open_run
from kerasgan.training.image_grids import save_image_grid

BATCH_SIZE = 64  # images generated at a time


class ImageGenerator:
    """Draws images, from captions where the generator was trained with them.

    Args:
        generator: what `build_generator` returns.
        discriminator: what `build_discriminator` returns; its text branch reads.
        vectorizer: what `build_vectorizer` returns, or None without captions.
    """

    def __init__(self, generator, discriminator, vectorizer=None):
        self.generator = generator
        self.discriminator = discriminator
        self.vectorizer = vectorizer
        inputs = generator.inputs[0] if vectorizer is None else generator.input["noise"]
        self.latent_dim = inputs.shape[-1]

    @property
    def conditional(self):
        return self.vectorizer is not None

    def noise(self, count, seed=0):
        """Normal noise `(count, latent_dim)`, float32."""
        shape = (count, self.latent_dim)
        return np.random.default_rng(seed).standard_normal(shape, dtype="float32")

    def encode_text(self, captions):
        """Captions, a list of n str, to what the generator is condition `(n, text_dim)`."""
        if not self.conditional:
            raise UserError(
                "This run was trained without captions; it cannot take any."
            )
        token_ids = tokenize(self.vectorizer, captions)
        batches = [
            keras.ops.convert_to_numpy(
                self.discriminator.text_branch(token_ids[start : start + BATCH_SIZE])
            )
            for start in range(0, len(token_ids), BATCH_SIZE)
        ]
        return np.concatenate(batches)

    def generate(self, captions=None, count=None, seed=0, noise=None):
        """Draws an image for each caption, or `count` images.

        Args:
            captions: list of str; needed where the run was trained with captions.
            count: how many, without captions.
            seed: of the noise.
            noise: `(n, latent_dim)` float32 instead.

        Returns:
            uint8 images `(n, size, size, channels)`.
        """
        if self.conditional and captions is None:
            raise UserError("This run draws from captions: give some with --caption.")
        condition = None if captions is None else self.encode_text(captions)
        if noise is None:
            noise = self.noise(count if captions is None else len(captions), seed)
        batches = []
        for start in range(0, len(noise), BATCH_SIZE):
            part = slice(start, start + BATCH_SIZE)
            inputs = noise[part]
            if condition is not None:
                inputs = {"noise": inputs, "caption": condition[part]}
            batches.append(to_uint8(self.generator(inputs, training=False)))
        return np.concatenate(batches)

    def interpolate(self, start, stop, steps, seed=0):
        """Draws the way from one caption to another, or from one noise to another.

        Args:
            start, stop: captions; the noise changes too when they are equal. None
                without captions.
            steps: images.

        Returns:
            uint8 images `(steps, size, size, channels)`.
        """
        share = np.linspace(0, 1, steps, dtype="float32")[:, None]
        first, last = self.noise(2, seed)
        if self.conditional and start != stop:
            condition = self.encode_text([start, stop])
            condition = condition[:1] * (1 - share) + condition[1:] * share
            noise = np.repeat(first[None], steps, axis=0)
            inputs = {"noise": noise, "caption": condition}
            return to_uint8(self.generator(inputs, training=False))
        # A straight line through normal noise passes near the middle, where no noise
        # is: along the sphere it does not (White 2016, https://arxiv.org/abs/1609.04468).
        angle = share * (np.pi / 2)
        noise = np.cos(angle) * first + np.sin(angle) * last
        captions = [start] * steps if self.conditional else None
        return self.generate(captions, noise=noise)

    def save(self, run: Run):
        """Writes the networks into a run's `models/`, each whole or not at all."""
        run.save_network("discriminator", self.discriminator)
        run.save_network("generator", self.generator)


def to_uint8(images):
    """Images in [-1, 1] to uint8 0…255."""
    images = keras.ops.convert_to_numpy(images)
    return np.rint((np.clip(images, -1, 1) + 1) * 127.5).astype("uint8")


def load_gan(run) -> ImageGenerator:
    """Loads what a run of `train-gan` trained.

    Args:
        run: a run directory or a `Run`.

    Raises:
        UserError: when it is no such run, or has not finished.
    """
    run = run if isinstance(run, Run) else open_run(run)
    run.require_command("train-gan")
    if not (run.models / "generator.keras").is_file():
        captions_only = run.settings.training.stage == "captions"
        stage = " --stage images" if captions_only else ""
        raise UserError(
            f"{run.path} has not finished its images: continue it with"
            f" kerasgan train-gan{stage} --resume --run-dir {run.path}"
        )
    generator = run.load_network("generator")
    discriminator = run.load_network("discriminator")
    vectorizer = None
    if discriminator.text_branch is not None:
        gan = run.settings.gan
        sizes = gan.vocabulary_size, gan.caption_length
        vectorizer = stored_vectorizer(run.models / "vocabulary.txt", *sizes)
    return ImageGenerator(generator, discriminator, vectorizer)


def save_imgs(image_generator, path, captions=None, rows=6, columns=6, seed=0):
    """Draws a grid of generated images (paper A's `save_imgs`).

    Args:
        image_generator: a `ImageGenerator`, or the directory of a run.
        path: of the PNG; missing folders are made.
        captions: a row of images for each; needed for a run trained with captions.
        rows: rows without captions.
        columns: images a row; noise differs along a row and is the same in each.
        seed: of the noise.

    Returns:
        The path written.
    """
    if not isinstance(image_generator, ImageGenerator):
        image_generator = load_gan(image_generator)
    if captions is None:
        images = image_generator.generate(count=rows * columns, seed=seed)
    else:
        rows = len(captions)
        noise = np.tile(image_generator.noise(columns, seed), (rows, 1))
        repeated = [caption for caption in captions for _ in range(columns)]
        images = image_generator.generate(repeated, noise=noise)
    shape = (rows, columns, *images.shape[1:])
    return save_image_grid(path, images.reshape(shape), captions)
