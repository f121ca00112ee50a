"""Paper A's step 4a: how alike generated and real pictures are as vectors."""

import keras
import numpy as np

from kerasgan.data import load_data
from kerasgan.evaluation import images as measures
from kerasgan.evaluation.judgement import derangements
from kerasgan.training.feeding import to_grey
from kerasgan.training.seeing import pooled
from kerasgan.training.trained import load_gan

MOST = 1000  # pictures in each set
FEWEST = 8  # KID and nearest neighbours need a few


def evaluate_pictures(run, forger, seed=0):
    """Judges a run's generated pictures by what its own eye sees in them.

    For each test picture one is generated, from its first caption where the run was
    trained with captions. Training pictures stand for a perfect generator.

    Args:
        run: a `Run` whose pictures' stage has finished.
        forger: the run's `CaptionForger`.
        seed: of noise, sampling and dealing.

    Returns:
        What is written to `results/images.json`, or None where the test split has
        fewer than eight pictures. `cosine`: the mean cosine of a generated picture
        with the real one whose caption it was drawn from (`matched`) and with another
        (`mismatched`), of vectors centred on the real ones. `sets`: KID against the
        test pictures, precision, recall, density, coverage and spread of `generated`
        and of `real` training pictures.
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
        real, train = to_grey(real), to_grey(train)
    rows = np.random.default_rng(seed).permutation(len(data.train.ids))[: len(real)]
    others = train[np.sort(rows)]
    sets = {"test": real, "generated": generated, "real": others}
    features = {name: _features(forger, pictures) for name, pictures in sets.items()}
    scale = np.sqrt(np.mean(features["test"] ** 2))
    features = {name: found / scale for name, found in features.items()}
    _, near = measures.nearest_pictures(generated[:200], train)
    _, usual = measures.nearest_pictures(real[:200], train)
    return {
        "features": f"pooled, of the eye ({run.settings.captions.backbone})",
        "pictures": len(real),
        "seed": seed,
        "cosine": _cosines(features["generated"], features["test"], seed),
        "sets": {
            name: _compare(features["test"], features[name], seed)
            for name in ("generated", "real")
        },
        "nearest_training_picture": {
            "generated": float(np.median(near)),
            "test": float(np.median(usual)),
        },
    }


def _features(forger, pictures):
    if pictures.shape[-1] == 1:
        pictures = np.repeat(pictures, 3, axis=-1)
    size = (forger.image_size, forger.image_size)
    found = []
    for start in range(0, len(pictures), 128):
        batch = pictures[start : start + 128]
        if batch.shape[1:3] != size:
            batch = keras.ops.image.resize(
                batch.astype("float32"), size, "bicubic", antialias=True
            )
            batch = np.clip(keras.ops.convert_to_numpy(batch), 0, 255)
        found.append(pooled(forger.see(batch)))
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
        "spread": measures.spread_ratio(real, found),
    }
