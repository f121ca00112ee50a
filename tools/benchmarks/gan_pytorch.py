"""The training step of PyTorch's DCGAN tutorial, on the networks of `gan_step.py`."""

import contextlib
from collections.abc import Callable
from types import SimpleNamespace

import torch
from torch import nn
from torch.nn import functional

from benchmarks import Unavailable
from benchmarks.gan_sizes import LATENT_DIM, LEARNING_RATE, gan_sizes


class ModulatedBlock(nn.Module):
    """Convolves an image, normalizes and modulates its channels, and doubles it.

    Args:
        inputs: channels.
        outputs: channels.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.affine = nn.Linear(LATENT_DIM, 2 * outputs)

    def forward(self, image: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Returns images `(n, outputs, 2 * height, 2 * width)`."""
        x = self.convolution(image)
        x = x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-4)
        scale, shift = self.affine(noise)[:, :, None, None].chunk(2, 1)
        x = functional.leaky_relu(x * (1 + scale) + shift, 0.2)
        return functional.interpolate(x, scale_factor=2, mode="bilinear")


class Generator(nn.Module):
    """`kerasgan.build_generator` with its architecture `light`.

    Args:
        filters: of each size from 4×4 to half the image.
    """

    def __init__(self, filters: list[int]):
        super().__init__()
        self.base = nn.Linear(LATENT_DIM, 4 * 4 * filters[0])
        self.blocks = nn.ModuleList(
            ModulatedBlock(inputs, outputs)
            for inputs, outputs in zip([filters[0], *filters], filters, strict=False)
        )
        self.last = nn.Conv2d(filters[-1], filters[-1], 3, padding=1)
        self.to_rgb = nn.Conv2d(filters[-1], 3, 3, padding=1)

    def forward(self, noise: torch.Tensor) -> torch.Tensor:
        """Returns images `(n, 3, size, size)` in [-1, 1]."""
        x = self.base(noise).unflatten(1, (-1, 4, 4))
        for block in self.blocks:
            x = block(x, noise)
        return torch.tanh(self.to_rgb(functional.leaky_relu(self.last(x), 0.2)))


def build_discriminator(filters: list[int]) -> nn.Module:
    """Builds the discriminator `conv`: images to logits `(n, 1)`.

    Args:
        filters: of each convolution, the first at half the image's size.
    """
    layers: list[nn.Module] = []
    for inputs, outputs in zip([3, *filters], filters, strict=False):
        layers += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * 4 * filters[-1], 1))


def build_networks(sizes: SimpleNamespace) -> tuple[nn.Module, nn.Module]:
    """Builds generator and discriminator.

    Args:
        sizes: the result of `gan_sizes`.
    """
    depth = (sizes.image_size // 4).bit_length() - 1
    filters = [min(sizes.min_filters * 2**d, sizes.max_filters) for d in range(depth)]
    return Generator(filters[::-1]), build_discriminator(filters)


def pytorch_step(
    options: SimpleNamespace,
    bfloat16: bool = False,
    channels_last: bool = False,
    compiled: bool = False,
) -> Callable[[], int]:
    """Steps of PyTorch's DCGAN tutorial.

    Other than there, Adam is fused, and the generator's loss computes no gradients of
    the discriminator's weights, which would not be used.

    Args:
        options: of `bench.py`.
        bfloat16: whether with automatic mixed precision.
        channels_last: whether channels are the last axis in memory.
        compiled: whether `torch.compile` compiles both networks.

    Raises:
        Unavailable: `compiled` without a GPU.
    """
    has_gpu = torch.cuda.is_available()
    if compiled and not has_gpu:
        raise Unavailable("torch.compile is for GPUs here, and PyTorch finds none")
    device = torch.device("cuda" if has_gpu else "cpu")
    torch.set_float32_matmul_precision("high")  # TF32 on a GPU, as TensorFlow
    sizes = gan_sizes(options.tiny, has_gpu)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    networks = [
        network.to(device, memory_format=layout) for network in build_networks(sizes)
    ]
    if compiled:
        networks = [torch.compile(network) for network in networks]
    shape = sizes.batch_size, 3, sizes.image_size, sizes.image_size
    real = (2 * torch.rand(shape, device=device) - 1).to(memory_format=layout)
    step = _step(*networks, real, bfloat16)

    def run():
        for _ in range(sizes.steps):
            loss = step()
        loss.item()  # a GPU computes while Python goes on
        return sizes.steps * sizes.batch_size

    return run


def _step(generator, discriminator, real, bfloat16):
    g_weights, d_weights = (
        list(generator.parameters()),
        list(discriminator.parameters()),
    )
    g_optimizer, d_optimizer = (
        torch.optim.Adam(weights, LEARNING_RATE, betas=(0.5, 0.999), fused=True)
        for weights in (g_weights, d_weights)
    )
    ones = torch.ones((len(real), 1), device=real.device)
    zeros = torch.zeros_like(ones)

    def mixed_precision():
        if not bfloat16:
            return contextlib.nullcontext()
        return torch.autocast(real.device.type, torch.bfloat16)

    def loss_of(images, labels):
        logits = discriminator(images).float()
        return functional.binary_cross_entropy_with_logits(logits, labels)

    def step():
        noise = torch.randn((len(real), LATENT_DIM), device=real.device)
        discriminator.requires_grad_(True)
        with mixed_precision():
            generated = generator(noise)
            d_loss = loss_of(real, ones) + loss_of(generated.detach(), zeros)
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()
        discriminator.requires_grad_(False)
        with mixed_precision():
            g_loss = loss_of(generated, ones)
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        return g_loss

    return step
