"""Metrics of sets of generated images, from arrays."""

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import keras
import numpy as np

from kerasgan.evaluation import image_metrics

if TYPE_CHECKING:
    from independent_classifier import Classifier

    from kerasgan.runs import Run

IMAGES_PER_CAPTION = 8  # for the diversity within captions


@functools.cache
def _feature_model(name, image_size):
    from kerasgan.encoders.efficientnet_lite import efficientnet_lite

    network = efficientnet_lite(name, image_size=image_size)
    images = keras.Input((None, None, 3))
    resized = keras.layers.Lambda(
        lambda x: keras.ops.clip(
            keras.ops.image.resize(x, (image_size, image_size), "bicubic"), 0, 255
        )
    )(images)
    model = keras.Model(images, network(resized)["pooled"])
    model.compile(jit_compile=False)  # XLA is slower on CPUs
    return model


def efficientnet_features(
    name: str, images: np.ndarray, image_size: int = 224
) -> np.ndarray:
    """Extracts the pooled features of a pretrained network.

    Args:
        name: see `efficientnet_lite`.
        images: uint8 `(n, size, size, 3)` of any size.
        image_size: side in pixels to which images are resized; with 128 the network
            takes a third of the time.

    Returns:
        float32 `(n, 1280)`.
    """
    model = _feature_model(name, image_size)
    return model.predict(np.asarray(images), batch_size=32, verbose=0)


def independent_backbones(run: "Run") -> list[str]:
    """Returns the installed pretrained networks that did not train the generator.

    Args:
        run: a run of `train-gan`.
    """
    from kerasgan.encoders.efficientnet_lite import VARIANTS, is_installed

    gan = run.resolved_settings.gan
    # What discriminates cannot judge.
    excluded = gan.backbone if gan.discriminator == "projected" else None
    return [name for name in VARIANTS if is_installed(name) and name != excluded]


def compare_image_sets(
    reference: np.ndarray,
    image_sets: dict[str, np.ndarray],
    extract_features: Callable[[np.ndarray], np.ndarray],
) -> dict[str, dict]:
    """Compares sets of images with a reference set, by one feature extractor.

    Features are divided by the root mean square of the reference's features: KID's
    kernel depends on the scale, and the values of different extractors should have the
    same order of magnitude.

    Args:
        reference: uint8 images `(n, size, size, 3)`.
        image_sets: by name, uint8 images `(m, size, size, 3)`.
        extract_features: images to features `(n, d)`.

    Returns:
        For each name a dict with the keys `kid`, `kid_deviation`, `precision`,
        `recall`, `density`, `coverage`, `diversity` and `num_images`.
    """
    real = extract_features(reference)
    scale = np.sqrt(np.mean(real**2))
    return {
        name: _compare_features(real / scale, extract_features(images) / scale)
        for name, images in image_sets.items()
    }


def _compare_features(real, features):
    kid, deviation = image_metrics.kernel_inception_distance(real, features)
    return {
        "kid": kid,
        "kid_deviation": deviation,
        **image_metrics.precision_recall(real, features),
        **image_metrics.density_coverage(real, features),
        "diversity": image_metrics.diversity_ratio(real, features),
        "num_images": len(features),
    }


def class_match(
    classifier: "Classifier", images: np.ndarray, labels: np.ndarray
) -> dict[str, float]:
    """Computes how often an image shows the class of its caption.

    Args:
        classifier: predicts the classes that images show.
        images: uint8 `(n, size, size, 3)`.
        labels: int `(n,)`, the classes of the captions that the images were generated
            from; those that the classifier does not know are left out.

    Returns:
        `rate`: the share of images that show the class; `shuffled_rate`: the same with
        shuffled captions, exactly, as the mean over all permutations; `ratio`: `rate`
        divided by `shuffled_rate`; `num_images`.
    """
    is_known = np.isin(labels, classifier.classes)
    labels, predictions = labels[is_known], classifier.predict(images[is_known])
    rate = float((predictions == labels).mean())
    shuffled_rate = sum(
        (predictions == label).mean() * (labels == label).mean()
        for label in classifier.classes
    )
    return {
        "rate": rate,
        "shuffled_rate": float(shuffled_rate),
        "ratio": float(rate / max(shuffled_rate, 1e-9)),
        "num_images": len(labels),
    }


def within_caption_diversity(
    generate: Callable[[list[str]], np.ndarray],
    captions: Sequence[str],
    real: np.ndarray,
    labels: np.ndarray,
    images_per_caption: int = IMAGES_PER_CAPTION,
) -> dict[str, float]:
    """Compares images of one caption with real images of one class.

    Args:
        generate: captions to uint8 images, one for each caption.
        captions: m str.
        real: uint8 images `(n, size, size, 3)`.
        labels: int `(n,)`, the classes of the real images.
        images_per_caption: number of images that differ in their noise alone.

    Returns:
        `generated` and `real`: the mean root mean square difference of two images of
        one caption or class, with pixels in [0, 1]; `ratio`: the first divided by the
        second.
    """
    images = generate(np.repeat(captions, images_per_caption).tolist())
    groups = np.repeat(np.arange(len(captions)), images_per_caption)
    generated = image_metrics.within_caption_diversity(images, groups)
    within_class = image_metrics.within_caption_diversity(real, labels)
    return {
        "generated": generated,
        "real": within_class,
        "ratio": generated / within_class,
    }
