"""Trains the plain DCGAN that most Keras code follows, as a baseline.

    python tools/keras_gan_peer.py --dataset scenes --minutes 15 --out peer

Unconditional: noise of 100 numbers, Adam(0.0002, 0.5), binary cross-entropy, batch
normalization with momentum 0.8, dropout 0.25 and batches of 32. A step makes three
updates through compiled models: the discriminator on real images, the discriminator on
generated images, and the generator through a combined model in which the discriminator
is frozen. The only change is one more block, for RGB images of 64 px.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import numpy as np
from keras import layers
from PIL import Image

LATENT_DIM, BATCH_SIZE, GRID_SIZE = 100, 32, 5
DATA_OPTIONS = ("dataset", "source", "label_column", "data_dir", "image_size")


class FrozenDiscriminatorGAN:
    """Trains both networks by `predict` and three calls of `train_on_batch`.

    In Keras 3 a model reads `trainable` when its training step is first traced, not
    when it is compiled, so `trainable` is set before each call.

    Args:
        generator: noise `(n, latent_dim)` to images.
        discriminator: images to `(n, 1)`.
        from_logits: whether the discriminator ends without a sigmoid.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        from_logits: bool = False,
    ):
        self.generator, self.discriminator = generator, discriminator
        self.latent_dim = generator.input_shape[1]
        loss = keras.losses.BinaryCrossentropy(from_logits=from_logits)
        discriminator.trainable = True
        discriminator.compile(_adam(), loss, jit_compile=False)
        self.combined = keras.Sequential([generator, discriminator])
        self.combined.compile(_adam(), loss, jit_compile=False)
        generator.compile(jit_compile=False)  # for `predict`

    def step(self, images: np.ndarray) -> tuple[float, float]:
        """Makes one training step.

        Args:
            images: real images, float32 `(n, size, size, 3)` in [-1, 1].

        Returns:
            The losses of the discriminator and of the generator.
        """
        ones, zeros = np.ones((len(images), 1)), np.zeros((len(images), 1))
        self.discriminator.trainable = True
        generated = self.generator.predict(self._noise(len(images)), verbose=0)
        real_loss = self.discriminator.train_on_batch(images, ones)
        generated_loss = self.discriminator.train_on_batch(generated, zeros)
        self.discriminator.trainable = False
        g_loss = self.combined.train_on_batch(self._noise(len(images)), ones)
        return (real_loss + generated_loss) / 2, g_loss

    def _noise(self, count):
        return np.random.normal(size=(count, self.latent_dim)).astype("float32")


def _adam():
    return keras.optimizers.Adam(2e-4, beta_1=0.5)


def build_generator(image_size: int = 64) -> keras.Model:
    """Builds a generator of upsampling, convolution and batch normalization.

    Args:
        image_size: side of the images in pixels, a multiple of 8.

    Returns:
        A `keras.Model`: noise `(n, 100)` to images `(n, size, size, 3)` in [-1, 1].
    """
    model = keras.Sequential([keras.Input((LATENT_DIM,))], name="generator")
    first_size = image_size // 8
    model.add(layers.Dense(128 * first_size * first_size, activation="relu"))
    model.add(layers.Reshape((first_size, first_size, 128)))
    for filters in (128, 64, 32):
        model.add(layers.UpSampling2D())
        model.add(layers.Conv2D(filters, 3, padding="same"))
        model.add(layers.BatchNormalization(momentum=0.8))
        model.add(layers.Activation("relu"))
    model.add(layers.Conv2D(3, 3, padding="same", activation="tanh"))
    return model


def build_discriminator(image_size: int = 64) -> keras.Model:
    """Builds a discriminator of strided convolutions.

    Args:
        image_size: side of the images in pixels, a multiple of 8.

    Returns:
        A `keras.Model`: images `(n, size, size, 3)` in [-1, 1] to the probability
        `(n, 1)` that they are real.
    """
    images = keras.Input((image_size, image_size, 3))
    model = keras.Sequential([images], name="discriminator")
    for filters, stride in ((32, 2), (64, 2), (128, 2), (256, 1)):
        model.add(layers.Conv2D(filters, 3, strides=stride, padding="same"))
        if filters > 32:
            model.add(layers.BatchNormalization(momentum=0.8))
        model.add(layers.LeakyReLU(negative_slope=0.2))
        model.add(layers.Dropout(0.25))
    model.add(layers.Flatten())
    model.add(layers.Dense(1, activation="sigmoid"))
    return model


def train(
    images: np.ndarray,
    minutes: float,
    output_dir: str | Path | None = None,
    grid_every: float = 60,
    seed: int = 0,
) -> keras.Model:
    """Trains both networks for a given time.

    Args:
        images: uint8 `(n, size, size, 3)`.
        minutes: time to train.
        output_dir: directory for image grids; None for no grids and no log.
        grid_every: seconds between two image grids.
        seed: int; seeds weights, noise and batches.

    Returns:
        The generator.
    """
    keras.utils.set_random_seed(seed)
    size = images.shape[1]
    gan = FrozenDiscriminatorGAN(build_generator(size), build_discriminator(size))
    grid_noise = np.random.normal(size=(GRID_SIZE**2, LATENT_DIM)).astype("float32")
    start, next_grid, steps = time.monotonic(), 0, 0
    while (seconds := time.monotonic() - start) < 60 * minutes:
        rows = np.random.randint(0, len(images), BATCH_SIZE)
        d_loss, g_loss = gan.step(images[rows].astype("float32") / 127.5 - 1)
        steps += 1
        if output_dir and seconds >= next_grid:
            next_grid += grid_every
            path = Path(output_dir) / f"{seconds:06.0f}s.png"
            save_image_grid(generate_images(gan.generator, grid_noise), path)
            print(
                f"{seconds:6.0f} s, {steps} steps, d_loss {d_loss:.3f}, "
                f"g_loss {g_loss:.3f}",
                flush=True,
            )
    return gan.generator


def generate_images(generator: keras.Model, noise: np.ndarray) -> np.ndarray:
    """Generates images from noise.

    Args:
        generator: the result of `build_generator`.
        noise: float32 `(n, 100)`.

    Returns:
        uint8 images `(n, size, size, 3)`.
    """
    images = generator.predict(noise, batch_size=128, verbose=0)
    return np.rint(np.clip(images + 1, 0, 2) * 127.5).astype("uint8")


def save_image_grid(images: np.ndarray, path: Path) -> None:
    """Saves a square grid of images.

    Args:
        images: uint8 `(n, size, size, 3)`; those that do not fill a square are left
            out.
        path: of the PNG; missing directories are made.
    """
    side = int(len(images) ** 0.5)
    rows = images[: side * side].reshape(side, side, *images.shape[1:])
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.vstack([np.hstack(row) for row in rows])).save(path)


def peer_parser(description: str) -> argparse.ArgumentParser:
    """Returns the options that all peers have.

    Args:
        description: what the peer is, for `--help`.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--dataset", default="scenes")
    parser.add_argument("--source")
    parser.add_argument("--label-column")
    parser.add_argument("--data-dir")
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--count", type=int, default=2000, help="images to generate")
    parser.add_argument("--out", type=Path, default=Path("peer"))
    parser.add_argument("--seed", type=int, default=0)
    return parser


def training_images(options: argparse.Namespace) -> np.ndarray:
    """Loads the training split, uint8 `(n, size, size, 3)`.

    Args:
        options: parsed by `peer_parser`.
    """
    from kerasgan.config.settings import DataConfig
    from kerasgan.data import load_data

    data = DataConfig(**{name: getattr(options, name) for name in DATA_OPTIONS})
    return load_data(data).train.images


def main() -> None:
    """Trains on a data set and saves the generator and its images."""
    options = peer_parser(__doc__.split("\n")[0]).parse_args()
    images = training_images(options)
    generator = train(images, options.minutes, options.out, seed=options.seed)
    noise = np.random.normal(size=(options.count, LATENT_DIM)).astype("float32")
    path = options.out / "images.npz"
    np.savez_compressed(path, images=generate_images(generator, noise))
    generator.save(options.out / "generator.keras")
    print(path)


if __name__ == "__main__":
    main()
