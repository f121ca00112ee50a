"""The networks of FastGAN in PyTorch; see `pytorch_fastgan_peer.py`."""

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

LATENT_DIM = 256
# Filters by resolution, as multiples of --filters.
G_FACTORS = {4: 16, 8: 8, 16: 4, 32: 2, 64: 2, 128: 1, 256: 0.5}
D_FACTORS = {8: 16, 16: 8, 32: 4, 64: 2, 128: 1, 256: 0.5}


def _conv(inputs, outputs, kernel=3, stride=1, padding=None):
    padding = (kernel - 1) // 2 if padding is None else padding
    return spectral_norm(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
    )


class NoiseInjection(nn.Module):
    """Adds noise that all channels share, times a learned weight."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Returns `x`, `(n, channels, height, width)`, with noise."""
        return x + self.weight * torch.randn_like(x[:, :1])


class SkipLayerExcitation(nn.Module):
    """Scales the channels of a high resolution by features of a low one.

    Args:
        low: channels of the low resolution.
        high: channels of the high resolution.
    """

    def __init__(self, low: int, high: int):
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(4),
            _conv(low, high, 4, padding=0),
            nn.LeakyReLU(0.1),
            _conv(high, high, 1),
            nn.Sigmoid(),
        )

    def forward(self, low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
        """Returns `high`, scaled."""
        return high * self.gate(low)


def _up_block(inputs, outputs, has_noise=False):
    """Upsampling, convolution and GLU; with noise there is a second convolution."""
    layers: list[nn.Module] = [nn.Upsample(scale_factor=2)]
    for channels in (inputs, outputs) if has_noise else (inputs,):
        layers.append(_conv(channels, 2 * outputs))
        layers += [NoiseInjection()] if has_noise else []
        layers += [nn.BatchNorm2d(2 * outputs), nn.GLU(1)]
    return nn.Sequential(*layers)


class Generator(nn.Module):
    """Generates images in [-1, 1] from noise `(n, 256)`.

    Args:
        image_size: a power of two from 32 to 256.
        filters: base of the numbers of filters; the paper's is 64.
    """

    def __init__(self, image_size: int, filters: int):
        super().__init__()
        channels = {size: int(k * filters) for size, k in G_FACTORS.items()}
        self.first = nn.Sequential(
            spectral_norm(
                nn.ConvTranspose2d(LATENT_DIM, 2 * channels[4], 4, bias=False)
            ),
            nn.BatchNorm2d(2 * channels[4]),
            nn.GLU(1),
        )
        self.blocks, self.skips = nn.ModuleDict(), nn.ModuleDict()
        self.sizes = [size for size in channels if 4 < size <= image_size]
        for index, size in enumerate(self.sizes):
            block = _up_block(channels[size // 2], channels[size], index % 2 == 0)
            self.blocks[str(size)] = block
            if size >= min(64, image_size):
                skip = SkipLayerExcitation(channels[max(4, size // 16)], channels[size])
                self.skips[str(size)] = skip
        self.output = nn.Sequential(_conv(channels[image_size], 3), nn.Tanh())

    def forward(self, noise: torch.Tensor) -> torch.Tensor:
        """Returns images `(n, 3, size, size)`."""
        features = {4: self.first(noise[:, :, None, None])}
        for size in self.sizes:
            x = self.blocks[str(size)](features[size // 2])
            if str(size) in self.skips:
                x = self.skips[str(size)](features[max(4, size // 16)], x)
            features[size] = x
        return self.output(x)


class DownBlock(nn.Module):
    """Halves the resolution by two convolutions, beside average pooling.

    Args:
        inputs: channels.
        outputs: channels.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.main = nn.Sequential(
            _conv(inputs, outputs, 4, 2),
            nn.BatchNorm2d(outputs),
            nn.LeakyReLU(0.2),
            _conv(outputs, outputs),
            nn.BatchNorm2d(outputs),
            nn.LeakyReLU(0.2),
        )
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2),
            _conv(inputs, outputs, 1),
            nn.BatchNorm2d(outputs),
            nn.LeakyReLU(0.2),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Returns the mean of both paths."""
        return (self.main(x) + self.shortcut(x)) / 2


def _decoder(inputs, filters, size):
    """Decodes features of 8 px to an image."""
    layers, channels = [], inputs
    for factor in (8, 4, 2, 1)[: size.bit_length() - 4]:
        layers.append(_up_block(channels, factor * filters // 2))
        channels = factor * filters // 2
    return nn.Sequential(*layers, _conv(channels, 3), nn.Tanh())


class Discriminator(nn.Module):
    """Discriminates images, and reconstructs real ones from its features.

    Args:
        image_size: a power of two from 32 to 256.
        filters: base of the numbers of filters; the paper's is 64.
    """

    def __init__(self, image_size: int, filters: int):
        super().__init__()
        channels = {size: int(k * filters) for size, k in D_FACTORS.items()}
        self.stem = nn.Sequential(_conv(3, channels[image_size]), nn.LeakyReLU(0.2))
        sizes = [size for size in reversed(channels) if size < image_size]
        blocks = [DownBlock(channels[size * 2], channels[size]) for size in sizes]
        self.to_16, self.to_8 = nn.Sequential(*blocks[:-1]), blocks[-1]
        self.head = nn.Sequential(
            _conv(channels[8], channels[8], 1),
            nn.BatchNorm2d(channels[8]),
            nn.LeakyReLU(0.2),
            _conv(channels[8], 1, 4, padding=0),
        )
        self.image_decoder = _decoder(channels[8], filters, min(128, image_size))
        self.crop_decoder = _decoder(channels[16], filters, image_size // 2)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Returns logits `(n, 1, 5, 5)` and features of 16 and 8 px."""
        middle = self.to_16(self.stem(images))
        last = self.to_8(middle)
        return self.head(last), middle, last

    def reconstruction_loss(
        self, images: torch.Tensor, middle: torch.Tensor, last: torch.Tensor
    ) -> torch.Tensor:
        """Compares images, and a random quarter of them, with reconstructions.

        Args:
            images: `(n, 3, size, size)`.
            middle: features of 16 px.
            last: features of 8 px.
        """
        row, column = torch.randint(2, (2,)).tolist()
        crop, middle = (
            x.unflatten(2, (2, -1))[:, :, row].unflatten(3, (2, -1))[:, :, :, column]
            for x in (images, middle)
        )
        whole = self.image_decoder(last)
        images = functional.adaptive_avg_pool2d(images, whole.shape[2])
        return functional.l1_loss(whole, images) + functional.l1_loss(
            self.crop_decoder(middle), crop
        )


def augment(images: torch.Tensor) -> torch.Tensor:
    """Changes color and position (DiffAugment, https://arxiv.org/abs/2006.10738).

    Args:
        images: `(n, 3, size, size)` in [-1, 1].
    """
    brightness, saturation, contrast = torch.rand(3, len(images), 1, 1, 1)
    images = images + brightness - 0.5
    gray = images.mean(1, keepdim=True)
    images = gray + (images - gray) * 2 * saturation
    mean = images.mean((1, 2, 3), keepdim=True)
    images = mean + (images - mean) * (contrast + 0.5)
    size, shift = images.shape[2], images.shape[2] // 8
    padded = functional.pad(images, [shift] * 4)
    corners = torch.randint(2 * shift + 1, (len(images), 2)).tolist()
    shifted = [
        image[:, row : row + size, column : column + size]
        for image, (row, column) in zip(padded, corners, strict=True)
    ]
    return torch.stack(shifted)
