"""Trains FastGAN in PyTorch, as a baseline.

    pip install torch==2.13.0
    python tools/pytorch_fastgan_peer.py --dataset scenes --minutes 15 --out peer

Written from the paper (Liu et al. 2021, https://arxiv.org/abs/2101.04775):
unconditional, noise of 256 numbers, Adam(0.0002, 0.5), batches of 8, hinge loss,
spectral normalization, and a moving average of the generator's weights.

The paper's networks are for images of 256 to 1024 px. In smaller ones the skip-layer
excitation begins at 4 px and the decoders have fewer blocks. Reconstructions are
compared by the mean absolute error, without a pretrained network. The decay of the
moving average grows from 0.1 to 0.999, or else the initial weights would dominate a
short training. By default it has a quarter of the paper's filters: with all, two shared
cores train on half an image of 64 px a second.
"""

import copy
import os
import time
from pathlib import Path

# If other programs use the processor, threads that wait actively block each other.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from keras_gan_peer import GRID_SIZE, peer_parser, save_image_grid, training_images
from pytorch_fastgan import LATENT_DIM, Discriminator, Generator, augment

BATCH_SIZE, EMA_DECAY = 8, 0.999


class FastGAN:
    """Trains both networks.

    Args:
        image_size: a power of two from 32 to 256.
        filters: base of the numbers of filters.

    Attributes:
        average: the moving average of the generator.
    """

    def __init__(self, image_size: int, filters: int):
        self.generator = Generator(image_size, filters)
        self.discriminator = Discriminator(image_size, filters)
        self.average = copy.deepcopy(self.generator)
        self.g_optimizer, self.d_optimizer = (
            torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999))
            for network in (self.generator, self.discriminator)
        )
        self.steps = 0

    def step(self, images: torch.Tensor) -> tuple[float, float]:
        """Makes one training step.

        Args:
            images: real images, float32 `(n, 3, size, size)` in [-1, 1].

        Returns:
            The losses of the discriminator and of the generator.
        """
        generated = self.generator(torch.randn(len(images), LATENT_DIM))
        real = augment(images)
        real_logits, middle, last = self.discriminator(real)
        fake_logits = self.discriminator(augment(generated.detach()))[0]
        d_loss = (1 - real_logits).relu().mean() + (1 + fake_logits).relu().mean()
        d_loss = d_loss + self.discriminator.reconstruction_loss(real, middle, last)
        _minimize(d_loss, self.d_optimizer)
        self.discriminator.requires_grad_(False)
        g_loss = -self.discriminator(augment(generated))[0].mean()
        _minimize(g_loss, self.g_optimizer)
        self.discriminator.requires_grad_(True)
        self.steps += 1
        self._update_average()
        return d_loss.item(), g_loss.item()

    @torch.no_grad()
    def _update_average(self):
        decay = min(EMA_DECAY, self.steps / (self.steps + 9))
        pairs = zip(self.average.parameters(), self.generator.parameters(), strict=True)
        for average, weight in pairs:
            average.lerp_(weight, 1 - decay)
        pairs = zip(self.average.buffers(), self.generator.buffers(), strict=True)
        for average, buffer in pairs:
            average.copy_(buffer)


def _minimize(loss, optimizer):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def train(
    images: np.ndarray,
    minutes: float,
    output_dir: str | Path | None = None,
    filters: int = 16,
    grid_every: float = 60,
    seed: int = 0,
) -> Generator:
    """Trains both networks for a given time.

    Args:
        images: uint8 `(n, size, size, 3)`; the size is a power of two from 32 to 256.
        minutes: time to train.
        output_dir: directory for image grids; None for no grids and no log.
        filters: base of the numbers of filters.
        grid_every: seconds between two image grids.
        seed: int; seeds weights, noise and batches.

    Returns:
        The moving average of the generator.
    """
    torch.manual_seed(seed)
    gan = FastGAN(images.shape[1], filters)
    grid_noise = torch.randn(GRID_SIZE**2, LATENT_DIM)
    start, next_grid = time.monotonic(), 0
    while (seconds := time.monotonic() - start) < 60 * minutes:
        rows = torch.randint(len(images), (BATCH_SIZE,)).numpy()
        batch = torch.from_numpy(images[rows]).permute(0, 3, 1, 2)
        d_loss, g_loss = gan.step(batch.float() / 127.5 - 1)
        if output_dir and seconds >= next_grid:
            next_grid += grid_every
            path = Path(output_dir) / f"{seconds:06.0f}s.png"
            save_image_grid(generate_images(gan.average, grid_noise), path)
            print(
                f"{seconds:6.0f} s, {gan.steps} steps, d_loss {d_loss:.3f}, "
                f"g_loss {g_loss:.3f}",
                flush=True,
            )
    rate = gan.steps * BATCH_SIZE / (time.monotonic() - start)
    print(f"{gan.steps} steps, {rate:.1f} images/s")
    return gan.average


@torch.no_grad()
def generate_images(generator: Generator, noise: torch.Tensor) -> np.ndarray:
    """Generates images from noise.

    Batch normalization uses the batch's statistics: those of the training are not of
    the averaged weights.

    Args:
        generator: the result of `train`.
        noise: float32 `(n, 256)`.

    Returns:
        uint8 images `(n, size, size, 3)`.
    """
    batches = [generator(batch) for batch in noise.split(64)]
    images = torch.cat(batches).permute(0, 2, 3, 1)
    return ((images + 1) * 127.5).round().to(torch.uint8).numpy()


def main() -> None:
    """Trains on a data set and saves the generator and its images."""
    parser = peer_parser(__doc__.split("\n")[0])
    parser.add_argument("--filters", type=int, default=16, help="the paper's is 64")
    options = parser.parse_args()
    images = training_images(options)
    generator = train(
        images, options.minutes, options.out, options.filters, seed=options.seed
    )
    path = options.out / "images.npz"
    noise = torch.randn(options.count, LATENT_DIM)
    np.savez_compressed(path, images=generate_images(generator, noise))
    torch.save(generator.state_dict(), options.out / "generator.pt")
    print(path)


if __name__ == "__main__":
    main()
