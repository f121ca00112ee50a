"""A dual encoder that is trained on real images only, to evaluate generated ones."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from generated_image_metrics import efficientnet_features

import kerasgan
from kerasgan.captioning.dual_encoder import DualEncoder
from kerasgan.data.pipeline import Split
from kerasgan.training.callbacks.timed_cosine_decay import TimedCosineDecay

FEATURE_SIZE = 128  # side in pixels to which images are resized
MAX_EPOCHS, MINUTES = 30, 1


class ImageCaptionEncoder:
    """Embeds images, by the features of a pretrained network, and captions.

    Args:
        model: a dual encoder of features and captions.
        backbone: the pretrained network, see `efficientnet_lite`.
        feature_size: side in pixels to which images are resized.
    """

    def __init__(
        self, model: DualEncoder, backbone: str, feature_size: int = FEATURE_SIZE
    ):
        self.model, self.backbone, self.feature_size = model, backbone, feature_size

    def embed_images(self, images: np.ndarray) -> np.ndarray:
        """Returns unit vectors `(n, dim)` of uint8 images `(n, size, size, 3)`."""
        features = efficientnet_features(self.backbone, images, self.feature_size)
        return self.model.embed_images(features)

    def embed_captions(self, captions: Sequence[str]) -> np.ndarray:
        """Returns unit vectors `(n, dim)` of n captions."""
        return self.model.embed_captions(captions)


def train_dual_encoder(
    images: np.ndarray,
    captions: list[list[str]],
    backbone: str = "efficientnet-lite2",
    feature_size: int = FEATURE_SIZE,
    minutes: float = MINUTES,
    seed: int = 0,
) -> ImageCaptionEncoder:
    """Trains a dual encoder by contrast on the features of a pretrained network.

    Args:
        images: uint8 `(n, size, size, 3)`.
        captions: of each image; images without any are left out.
        backbone: the pretrained network, see `efficientnet_lite`.
        feature_size: side in pixels to which images are resized.
        minutes: time limit, without that of the features.
        seed: seed of all random numbers.

    Returns:
        An `ImageCaptionEncoder`.
    """
    keras.utils.set_random_seed(seed)
    rows = [row for row, texts in enumerate(captions) if texts]
    captions = [captions[row] for row in rows]
    features = efficientnet_features(backbone, images[rows], feature_size)
    vectorizer = kerasgan.build_vectorizer(
        [text for texts in captions for text in texts]
    )
    model = kerasgan.build_dual_encoder(
        feature_dim=features.shape[1], vectorizer=vectorizer
    )
    model.adapt(features)
    model.compile(keras.optimizers.Adam(1e-3), jit_compile=False)
    model.fit(
        features,
        captions,
        batch_size=256,
        epochs=MAX_EPOCHS,
        callbacks=[TimedCosineDecay(MAX_EPOCHS, minutes)],
        verbose=0,
    )
    return ImageCaptionEncoder(model, backbone, feature_size)


def cached_dual_encoder(
    train: Split, directory: str | Path, backbone: str = "efficientnet-lite2"
) -> ImageCaptionEncoder:
    """Trains the dual encoder of a data set, or loads it if it was trained before.

    Args:
        train: the training split, with captions.
        directory: where dual encoders are saved.
        backbone: the pretrained network, see `efficientnet_lite`.

    Returns:
        An `ImageCaptionEncoder`.
    """
    key = json.dumps([train.captions, backbone, FEATURE_SIZE]).encode()
    digest = hashlib.sha256(key + np.ascontiguousarray(train.images).tobytes())
    path = Path(directory) / f"dual-encoder-{digest.hexdigest()[:16]}.keras"
    if path.exists():
        return ImageCaptionEncoder(keras.models.load_model(path), backbone)
    encoder = train_dual_encoder(train.images, train.captions, backbone)
    path.parent.mkdir(parents=True, exist_ok=True)
    encoder.model.save(path)
    return encoder


def r_precision(
    dual_encoder: ImageCaptionEncoder,
    images: np.ndarray,
    captions: Sequence[str],
    num_distractors: int = 99,
    seed: int = 0,
) -> dict[str, float]:
    """Computes how often an image's own caption is the nearest (Xu et al. 2018).

    Each image's caption is ranked among itself and captions of other images, drawn at
    random, by its cosine with the image (https://arxiv.org/abs/1711.10485, section 4).
    Captions equal to its own are no distractors.

    Args:
        dual_encoder: embeds images and captions.
        images: uint8 `(n, size, size, 3)`.
        captions: n str, which the images were generated from.
        num_distractors: captions that each is ranked among.
        seed: of the distractors and of the shuffled captions.

    Returns:
        `rate`: the share of images whose caption is ranked first; `shuffled_rate`: the
        same with shuffled captions, by chance 1 / (`num_distractors` + 1);
        `num_images`.

    Raises:
        ValueError: a caption has fewer other captions than `num_distractors`.
    """
    captions, rng = np.asarray(captions), np.random.default_rng(seed)
    cosines = (
        dual_encoder.embed_images(images) @ dual_encoder.embed_captions(captions).T
    )
    order = rng.permutation(len(captions))
    return {
        "rate": _share_first(cosines, captions, num_distractors, rng),
        "shuffled_rate": _share_first(
            cosines[:, order], captions[order], num_distractors, rng
        ),
        "num_images": len(images),
    }


def _share_first(cosines, captions, num_distractors, rng):
    """The share of rows whose diagonal element is above those of distractors."""
    first = []
    for row, caption in enumerate(captions):
        others = np.flatnonzero(captions != caption)
        if len(others) < num_distractors:
            raise ValueError(
                f"R-precision needs {num_distractors} captions that differ from"
                f" {str(caption)!r}. Received: {len(others)}"
            )
        distractors = rng.choice(others, num_distractors, replace=False)
        first.append(cosines[row, row] > cosines[row, distractors].max())
    return float(np.mean(first))
