"""Paper A's step 4a: how alike generated and real images are as vectors."""

import keras
import numpy as np

from kerasgan.data import load_data
from kerasgan.encoders.feature_cache import average_pool
from kerasgan.evaluation import image_metrics as measures
from kerasgan.evaluation.pair_protocol import derangements
from kerasgan.gan.image_generator import load_gan
from kerasgan.gan.pair_dataset import to_grayscale

MOST = 1000  # images in each set
FEWEST = 8  # KID and nearest neighbours need a few


def evaluate_images(run, pipeline, seed=0):
    """Judges a run's generated images by what its own image_encoder sees in them.

    For each test image one is generated, from its first caption where the run was
    trained with captions. Training images stand for a perfect generator.

    Args:
        run: a `Run` whose images' stage has finished.
        pipeline: the run's `CaptioningPipeline`.
        seed: of noise, sampling and dealing.

    Returns:
        What is written to `results/images.json`, or None where the test split has
        fewer than eight images. `cosine`: the mean cosine of a generated image
        with the real one whose caption it was drawn from (`matched`) and with another
        (`mismatched`), of vectors centred on the real ones. `sets`: KID against the
        test images, precision, recall, density, coverage and spread of `generated`
        and of `real` training images.
    """
    data = load_data(run.settings.data)
    real = data.test.images[:MOST]
    if len(real) < FEWEST or len(data.train.ids) < FEWEST:
        return None
    gan = load_gan(run)
    captions = [(texts or [""])[0] for texts in data.test.captions[:MOST]]
    generated = gan.generate(
        captions if gan.conditional else None, count=len(real), seed=seed
    )
    train = data.train.images
    if generated.shape[-1] == 1:
        real, train = to_grayscale(real), to_grayscale(train)
    rows = np.random.default_rng(seed).permutation(len(data.train.ids))[: len(real)]
    others = train[np.sort(rows)]
    sets = {"test": real, "generated": generated, "real": others}
    features = {name: _features(pipeline, images) for name, images in sets.items()}
    scale = np.sqrt(np.mean(features["test"] ** 2))
    features = {name: found / scale for name, found in features.items()}
    _, near = measures.nearest_images(generated[:200], train)
    _, usual = measures.nearest_images(real[:200], train)
    return {
        "features": f"pooled, of the image_encoder ({run.settings.captions.backbone})",
        "images": len(real),
        "seed": seed,
        "cosine": _cosines(features["generated"], features["test"], seed),
        "sets": {
            name: _compare(features["test"], features[name], seed)
            for name in ("generated", "real")
        },
        "nearest_training_image": {
            "generated": float(np.median(near)),
            "test": float(np.median(usual)),
        },
    }


def _features(pipeline, images):
    if images.shape[-1] == 1:
        images = np.repeat(images, 3, axis=-1)
    size = (pipeline.image_size, pipeline.image_size)
    found = []
    for start in range(0, len(images), 128):
        batch = images[start : start + 128]
        if batch.shape[1:3] != size:
            batch = keras.ops.image.resize(
                batch.astype("float32"), size, "bicubic", antialias=True
            )
            batch = np.clip(keras.ops.convert_to_numpy(batch), 0, 255)
        found.append(average_pool(pipeline.encode_images(batch)))
    return np.concatenate(found)


def _cosines(generated, real, seed):
    generated, real = (side - real.mean(axis=0) for side in (generated, real))
    generated, real = (
        side / np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
        for side in (generated, real)
    )
    order = derangements(len(real), 1, seed)[0]
    return {
        "matched": float((generated * real).sum(axis=1).mean()),
        "mismatched": float((generated * real[order]).sum(axis=1).mean()),
    }


def _compare(real, found, seed):
    kid, deviation = measures.kernel_inception_distance(real, found, seed=seed)
    return {
        "kid": kid,
        "kid_deviation": deviation,
        **measures.precision_recall(real, found),
        **measures.density_coverage(real, found),
        "spread": measures.diversity_ratio(real, found),
    }
