"""A grid of generated images after each epoch."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kerasgan.training.image_grids import mean_distance, save_image_grid, tile_images
from kerasgan.training.input_checks import check_captions


class ImageGrid(keras.callbacks.Callback):
    """Saves a grid of generated images, with the same noise and captions each time.

    The model needs `generate(captions=..., noise=...)` and `latent_dim`, as `GAN` has.
    With real images, writes them to `reals.png`, and adds `diversity` to the logs: the
    mean distance between generated images over that between real ones.

    Args:
        directory: of the PNGs `epoch-0001.png` and so on; it is made where missing.
        captions: a row of the grid for each; None for a model without captions.
        real_images: uint8 `(n, size, size, channels)`. With captions: the image of each
            caption, shown in the first column.
        rows: rows of the grid, without captions.
        columns: generated images a row.
        every: epochs between two grids; the first epoch has one too.
        seed: of the noise.
        log_dir: TensorBoard directory that gets the grids as well, or None.
    """

    def __init__(
        self,
        directory: str | Path,
        captions: Sequence[str] | None = None,
        real_images: np.ndarray | None = None,
        rows: int = 6,
        columns: int = 6,
        every: int = 1,
        seed: int = 0,
        log_dir: str | Path | None = None,
    ):
        super().__init__()
        self.directory = Path(directory)
        check_captions(captions)
        self.captions = None if captions is None else list(captions)
        self.rows, self.columns = rows, columns
        self.every, self.seed = every, seed
        self.log_dir = log_dir
        self.real = None
        if real_images is not None:
            if self.captions and len(self.captions) != len(real_images):
                raise ValueError(
                    "With captions, real_images has an image for each. Received:"
                    f" {len(self.captions)} captions, {len(real_images)} images"
                )
            self.real = tile_images(real_images, 1 if self.captions else columns)

    def on_train_begin(self, logs=None):
        """Draws the noise and saves the real images."""
        count = self.columns * (1 if self.captions else self.rows)
        shape = (count, self.model.latent_dim)
        random = np.random.default_rng(self.seed)
        self.noise = random.standard_normal(shape, dtype="float32")
        if self.log_dir:
            self.writer = tf.summary.create_file_writer(str(self.log_dir))
        if self.real is not None:
            save_image_grid(self.directory / "reals.png", self.real, self.captions)

    def on_epoch_end(self, epoch, logs=None):
        """Saves a grid where one is due."""
        if epoch and (epoch + 1) % self.every:
            return
        images = self._generate()
        path = self.directory / f"epoch-{epoch + 1:04d}.png"
        rows = images
        if self.captions and self._has_real(images):
            rows = np.concatenate([self.real, images], axis=1)
        save_image_grid(path, rows, self.captions)
        if self.log_dir:
            grid = keras.utils.img_to_array(keras.utils.load_img(path)) / 255
            with self.writer.as_default():
                tf.summary.image("images", grid[None], step=epoch)
        if self.real is not None and logs is not None:
            distance = mean_distance(self.real)
            logs["diversity"] = mean_distance(images) / distance if distance else 1.0

    def on_train_end(self, logs=None):
        """Closes the TensorBoard writer."""
        if self.log_dir:
            self.writer.close()

    def _generate(self):
        """Generated images `(rows, columns, size, size, channels)`."""
        if not self.captions:
            return tile_images(self.model.generate(noise=self.noise), self.columns)
        captions = [text for text in self.captions for _ in range(self.columns)]
        noise = np.tile(self.noise, (len(self.captions), 1))
        images = self.model.generate(captions, noise=noise)
        return tile_images(images, self.columns)

    def _has_real(self, images):
        return self.real is not None and self.real.shape[-1] == images.shape[-1]
