"""Evaluates generated images: paper A's step 4a, the similarity to real images."""

import functools
from typing import Any

import keras
import numpy as np

from kerasgan.captioning.pipeline import CaptioningPipeline
from kerasgan.data import load_data
from kerasgan.encoders.efficientnet_lite import VARIANTS, is_installed
from kerasgan.encoders.feature_cache import average_pool
from kerasgan.encoders.image_encoder import split_backbone
from kerasgan.encoders.pooled_features import pooled_features
from kerasgan.evaluation import image_metrics
from kerasgan.evaluation.pair_protocol import derangements
from kerasgan.gan.image_generator import load_gan
from kerasgan.gan.pair_dataset import to_grayscale
from kerasgan.runs import Run, require_same_data

MAX_IMAGES = 1000  # in each set
MIN_IMAGES = 8  # KID and the nearest neighbors need a few
MAX_NEAREST = 200  # images whose nearest training image is searched
BATCH_SIZE = 128  # images that are resized at once


def evaluate_images(
    run: Run, pipeline: CaptioningPipeline, seed: int = 0
) -> dict[str, Any] | None:
    """Compares the generated images of a run with real ones, by features.

    They are those of the run's image encoder, or of another installed network where
    that discriminated. One image is generated for each test image, from its first
    caption if there are captions. Training images stand for a perfect generator.

    Args:
        run: a `Run` whose images stage is finished.
        pipeline: the captioning pipeline of the run, whose image encoder computes the
            features.
        seed: seed of the noise, of the samples and of the derangement.

    Returns:
        The content of `results/images.json`, or None if a split has under eight images.

        - `features`: what computes them.
        - `images`: number of images in each set.
        - `seed`: see above.
        - `cosine`: mean cosine of a generated image with the real image of its caption
          (`matched`) and with another one (`mismatched`), of vectors from which the
          mean of the real ones is subtracted.
        - `sets`: `kid`, `kid_deviation`, `precision`, `recall`, `density`, `coverage`
          and `diversity`, of `generated` images and of `real` training images, both
          compared with the test images.
        - `nearest_training_image`: median distance of `generated` and of `test` images
          from the nearest training image.
    """
    data = load_data(run.settings.data)
    require_same_data(run, data.info)
    real = data.test.images[:MAX_IMAGES]
    if len(real) < MIN_IMAGES or len(data.train.ids) < MIN_IMAGES:
        return None
    gan = load_gan(run)
    captions = [(texts or [""])[0] for texts in data.test.captions[:MAX_IMAGES]]
    captions = captions if gan.conditional else None
    generated = gan.generate(captions, count=len(real), seed=seed)
    train = data.train.images
    if generated.shape[-1] == 1:
        real, train = to_grayscale(real), to_grayscale(train)
    rows = np.random.default_rng(seed).permutation(len(data.train.ids))[: len(real)]
    image_sets = {"test": real, "generated": generated, "real": train[np.sort(rows)]}
    name, compute_features = _feature_extractor(run, pipeline)
    features = _scaled_features(compute_features, image_sets)
    return {
        "features": name,
        "images": len(real),
        "seed": seed,
        "cosine": _mean_cosines(features["generated"], features["test"], seed),
        "sets": {
            name: image_metrics.compare_features(features["test"], features[name], seed)
            for name in ("generated", "real")
        },
        "nearest_training_image": {
            "generated": _median_nearest_distance(generated, train),
            "test": _median_nearest_distance(real, train),
        },
    }


def _feature_extractor(run, pipeline):
    """A name and a function from images to features, not those of D if possible."""
    gan, backbone = run.resolved_settings.gan, run.settings.captions.backbone
    compute_features = functools.partial(_pooled_features, pipeline)
    name = f"pooled, of the image encoder ({backbone})"
    discriminates = gan.discriminator == "projected"
    if not discriminates or gan.backbone not in split_backbone(backbone):
        return name, compute_features
    others = [
        other for other in VARIANTS if other != gan.backbone and is_installed(other)
    ]
    if not others:
        return f"{name}, which also discriminated", compute_features
    compute_features = functools.partial(pooled_features, backbone=others[-1])
    return f"pooled, of {others[-1]}", compute_features


def _scaled_features(compute_features, image_sets):
    """Divides features by the root mean square of those of the test images."""
    features = {name: compute_features(images) for name, images in image_sets.items()}
    scale = np.sqrt(np.mean(features["test"] ** 2))
    return {name: vectors / scale for name, vectors in features.items()}


def _pooled_features(pipeline, images):
    if images.shape[-1] == 1:
        images = np.repeat(images, 3, axis=-1)
    size = (pipeline.image_size, pipeline.image_size)
    features = []
    for start in range(0, len(images), BATCH_SIZE):
        batch = images[start : start + BATCH_SIZE]
        if batch.shape[1:3] != size:
            batch = keras.ops.image.resize(
                batch.astype("float32"), size, "bicubic", antialias=True
            )
            batch = np.clip(keras.ops.convert_to_numpy(batch), 0, 255)
        features.append(average_pool(pipeline.encode_images(batch)))
    return np.concatenate(features)


def _mean_cosines(generated, real, seed):
    mean = real.mean(axis=0)
    generated, real = _normalize(generated - mean), _normalize(real - mean)
    order = derangements(len(real), 1, seed)[0]
    return {
        "matched": float((generated * real).sum(axis=1).mean()),
        "mismatched": float((generated * real[order]).sum(axis=1).mean()),
    }


def _normalize(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def _median_nearest_distance(images, train):
    _, distances = image_metrics.nearest_images(images[:MAX_NEAREST], train)
    return float(np.median(distances))
