"""The plain DCGAN recipe that most Keras code follows, as a baseline to stand beside.

    python tools/keras_gan_peer.py --dataset scenes --minutes 15 --out peer

Unconditional: noise of 100 numbers, Adam(0.0002, 0.5), binary cross-entropy, batch
normalisation with momentum 0.8 and dropout 0.25, batches of 32. Three updates a step,
through compiled models: D on real images, D on generated ones, and G through a
combined model in which D is frozen. Its one change is a block more for 64 px RGB.
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

LATENT_DIM, BATCH_SIZE, GRID = 100, 32, 5


class FrozenDiscriminatorGAN:
    """G and D trained by `predict` and three calls of `train_on_batch`.

    In Keras 3 a model reads `.trainable` when its training step is first traced, not
    when it is compiled, so the switch is thrown before each call.

    Args:
        generator: noise `(n, latent_dim)` to images.
        discriminator: images to `(n, 1)`.
        from_logits: whether D ends without a sigmoid.
    """

    def __init__(self, generator, discriminator, from_logits=False):
        self.generator, self.discriminator = generator, discriminator
        self.latent_dim = generator.input_shape[1]
        loss = keras.losses.BinaryCrossentropy(from_logits=from_logits)
        discriminator.trainable = True
        discriminator.compile(_adam(), loss, jit_compile=False)
        self.combined = keras.Sequential([generator, discriminator])
        self.combined.compile(_adam(), loss, jit_compile=False)
        generator.compile(jit_compile=False)  # for `predict`

    def step(self, real):
        """One step on images `(n, s, s, 3)` in [-1, 1]; returns D's and G's loss."""
        ones, zeros = np.ones((len(real), 1)), np.zeros((len(real), 1))
        self.discriminator.trainable = True
        generated = self.generator.predict(self._noise(len(real)), verbose=0)
        on_real = self.discriminator.train_on_batch(real, ones)
        on_generated = self.discriminator.train_on_batch(generated, zeros)
        self.discriminator.trainable = False
        g_loss = self.combined.train_on_batch(self._noise(len(real)), ones)
        return (on_real + on_generated) / 2, g_loss

    def _noise(self, count):
        return np.random.normal(size=(count, self.latent_dim)).astype("float32")


def _adam():
    return keras.optimizers.Adam(2e-4, beta_1=0.5)


def build_generator(image_size=64):
    """Noise to images in [-1, 1]: upsampling, convolution, normalisation."""
    model = keras.Sequential([keras.Input((LATENT_DIM,))], name="generator")
    start = image_size // 8
    model.add(layers.Dense(128 * start * start, activation="relu"))
    model.add(layers.Reshape((start, start, 128)))
    for filters in (128, 64, 32):
        model.add(layers.UpSampling2D())
        model.add(layers.Conv2D(filters, 3, padding="same"))
        model.add(layers.BatchNormalization(momentum=0.8))
        model.add(layers.Activation("relu"))
    model.add(layers.Conv2D(3, 3, padding="same", activation="tanh"))
    return model


def build_discriminator(image_size=64):
    """Images to the probability of being real."""
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


def train(images, minutes, out=None, grid_every=60, seed=0):
    """Trains on uint8 images `(n, s, s, 3)` for so long and returns the generator.

    Args:
        out: directory for a grid of images every `grid_every` seconds, or None.
    """
    keras.utils.set_random_seed(seed)
    size = images.shape[1]
    gan = FrozenDiscriminatorGAN(build_generator(size), build_discriminator(size))
    fixed = np.random.normal(size=(GRID**2, LATENT_DIM)).astype("float32")
    start, shown, steps = time.monotonic(), 0, 0
    while (seconds := time.monotonic() - start) < 60 * minutes:
        rows = np.random.randint(0, len(images), BATCH_SIZE)
        losses = gan.step(images[rows].astype("float32") / 127.5 - 1)
        steps += 1
        if out and seconds >= shown:
            shown += grid_every
            save_grid(draw(gan.generator, fixed), Path(out) / f"{seconds:06.0f}s.png")
            print(
                f"{seconds:6.0f} s, {steps} steps, D {losses[0]:.3f}, "
                f"G {losses[1]:.3f}",
                flush=True,
            )
    return gan.generator


def draw(generator, noise):
    """uint8 images `(n, s, s, 3)`."""
    images = generator.predict(noise, batch_size=128, verbose=0)
    return np.rint(np.clip(images + 1, 0, 2) * 127.5).astype("uint8")


def save_grid(images, path):
    """Writes the first images as a square grid."""
    side = int(len(images) ** 0.5)
    rows = images[: side * side].reshape(side, side, *images.shape[1:])
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.vstack([np.hstack(row) for row in rows])).save(path)


def main():
    from kerasgan.config.settings import DataConfig
    from kerasgan.data import load_data

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dataset", default="scenes")
    parser.add_argument("--source")
    parser.add_argument("--label-column")
    parser.add_argument("--data-dir")
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--count", type=int, default=2000, help="images to draw")
    parser.add_argument("--out", type=Path, default=Path("peer"))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    names = ("dataset", "source", "label_column", "data_dir", "image_size")
    data = DataConfig(**{name: getattr(options, name) for name in names})
    images = load_data(data).train.images
    generator = train(images, options.minutes, options.out, seed=options.seed)
    noise = np.random.normal(size=(options.count, LATENT_DIM)).astype("float32")
    np.savez_compressed(options.out / "images.npz", images=draw(generator, noise))
    generator.save(options.out / "generator.keras")
    print(options.out / "images.npz")


if __name__ == "__main__":
    main()
