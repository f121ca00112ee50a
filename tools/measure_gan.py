"""Measures a trained run's images beside real ones, a peer's and a wrong data set's.

    python tools/measure_gan.py RUN --classifier-dir cache --peer peer.npz --json

Half of the held-out images are the reference. The other half stands for a perfect
generator (real/real), its captions are what the run draws, and a data set that has
nothing to do with it stands for a bad one. All sets have the same number of images.
Labels are judged by a classifier trained apart (`independent_classifier.py`).
"""

import argparse
import functools
import importlib.util
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import numpy as np
from independent_classifier import cached_classifier

from kerasgan.data import load_data
from kerasgan.evaluation import image_metrics as measures

MOST = 1000  # images in each set
CAPTIONS, DRAWN = 40, 8  # captions, and images of each, for the spread within
COLUMNS = ("KID×1000", "±", "precision", "recall", "density", "coverage", "spread")


# Features --------------------------------------------------------------------


@functools.cache
def _lite0():
    from kerasgan.encoders.efficientnet_lite import efficientnet_lite0

    network = efficientnet_lite0()
    images = keras.Input((None, None, 3))
    large = keras.layers.Lambda(
        lambda x: keras.ops.clip(
            keras.ops.image.resize(x, (224, 224), "bicubic"), 0, 255
        )
    )(images)
    model = keras.Model(images, network(large)["pooled"])
    model.compile(jit_compile=False)  # XLA is slower on processors
    return model


def lite0_features(images):
    """EfficientNet-Lite0's pooled features `(n, 1280)` of images of any size."""
    return _lite0().predict(np.asarray(images), batch_size=32, verbose=0)


# Figures, from arrays ----------------------------------------------------------


def compare(reference, candidates, features):
    """Every set beside the reference, by one extractor.

    Features are divided by the reference's root mean square: KID's kernel is not free
    of scale, and the figures of extractors shall be of one order.

    Args:
        reference: uint8 images `(n, s, s, 3)`.
        candidates: `{name: uint8 images (m, s, s, 3)}`.
        features: images to features `(n, d)`.

    Returns:
        `{name: {"kid", "kid_deviation", "precision", "recall", "density",
        "coverage", "spread", "n"}}`.
    """
    real = features(reference)
    scale = np.sqrt(np.mean(real**2))
    return {
        name: _judge(real / scale, features(images) / scale)
        for name, images in candidates.items()
    }


def _judge(real, found):
    kid, deviation = measures.kernel_inception_distance(real, found)
    return {
        "kid": kid,
        "kid_deviation": deviation,
        **measures.precision_recall(real, found),
        **measures.density_coverage(real, found),
        "spread": measures.diversity_ratio(real, found),
        "n": len(found),
    }


def requested(classifier, images, labels):
    """How often an image shows the class of the caption that it was drawn from.

    Args:
        images: uint8 `(n, s, s, 3)`, one a caption.
        labels: `(n,)` the classes of the captions; those that the classifier does not
            know are left out.

    Returns:
        `{"found", "shuffled", "ratio", "n"}`: the share found; the same with the
        captions shuffled, exactly, as the mean over all shufflings; their ratio.
    """
    chosen = np.isin(labels, classifier.classes)
    labels, said = labels[chosen], classifier.predict(images[chosen])
    shuffled = sum(
        (said == name).mean() * (labels == name).mean() for name in classifier.classes
    )
    found = float((said == labels).mean())
    ratio = found / max(shuffled, 1e-9)
    return {
        "found": found,
        "shuffled": float(shuffled),
        "ratio": float(ratio),
        "n": len(labels),
    }


def spread_within_captions(draw, captions, real, labels, drawn=DRAWN):
    """How much noise alone changes an image, beside real images of one class.

    Args:
        draw: captions to uint8 images, one each, in their order.
        captions: `(m,)` strings.
        real, labels: real images `(n, s, s, 3)` and their classes `(n,)`.

    Returns:
        `{"generated", "real", "ratio"}`, the first two as RMS of pixels in [0, 1].
    """
    images = draw([text for text in captions for _ in range(drawn)])
    generated = measures.within_caption_diversity(
        images, np.repeat(range(len(captions)), drawn)
    )
    within = measures.within_caption_diversity(real, labels)
    return {"generated": generated, "real": within, "ratio": generated / within}


# A run ---------------------------------------------------------------------------


def measure(draw, pairs, wrong, classifier=None, peers=None, extractors=None, seed=0):
    """All figures of one generator.

    Args:
        draw: captions (list of str), or None for a number of images without, and
            `count`, to uint8 images `(n, s, s, 3)`.
        pairs: what `load_data` returned.
        wrong: uint8 images `(n, s, s, 3)` of another data set.
        classifier: an `independent_classifier.Classifier`, where there are labels.
        peers: `{name: uint8 images}` of other generators.
        extractors: `{name: function from images to features}`.
    """
    order = np.random.default_rng(seed).permutation(len(pairs.test.ids))
    size = min(MOST, len(order) // 2)
    reference, other = order[:size], order[size : 2 * size]
    images, captions = pairs.test.images, pairs.test.captions
    asked = [captions[row][0] if captions[row] else "" for row in other]
    generated = draw(asked if any(asked) else None, size)
    candidates = {"real": images[other], "generated": generated}
    candidates |= {name: found[:size] for name, found in (peers or {}).items()}
    candidates["wrong data set"] = wrong[:size]
    result = {"n": size, "sets": {}, "requested": {}}
    for name, features in (extractors or {}).items():
        result["sets"][name] = compare(images[reference], candidates, features)
    _, distances = measures.nearest_images(generated[:200], pairs.train.images)
    _, usual = measures.nearest_images(images[other[:200]], pairs.train.images)
    result["nearest_training_image"] = {
        "generated": float(np.median(distances)),
        "real": float(np.median(usual)),
    }
    if classifier is not None:
        labels = pairs.test.labels
        result["classifier"] = {
            "accuracy_on_real": classifier.accuracy,
            "classes": len(classifier.classes),
        }
        for name in ("real", "generated", *(peers or {})):
            judged = candidates[name]
            result["requested"][name] = requested(
                classifier, judged, labels[other][: len(judged)]
            )
        if any(asked):
            result["spread_within"] = spread_within_captions(
                lambda texts: draw(texts, len(texts)), asked[:CAPTIONS], images, labels
            )
    return result


def table(result):
    """The figures as lines for a person."""
    lines = [f"{result['n']} images in each set; real held-out images as reference"]
    for extractor, sets in result["sets"].items():
        lines += ["", f"{extractor:20}" + "".join(f"{name:>10}" for name in COLUMNS)]
        for name, row in sets.items():
            figures = [1000 * row["kid"], 1000 * row["kid_deviation"]]
            figures += [row[column] for column in COLUMNS[2:]]
            lines.append(f"{name:20}" + "".join(f"{x:10.3f}" for x in figures))
    if result["requested"]:
        facts = result["classifier"]
        lines += [
            "",
            f"requested class, of {facts['classes']} (classifier's accuracy on "
            f"real images {facts['accuracy_on_real']:.3f})",
        ]
    for name, row in result["requested"].items():
        lines.append(
            f"{name:20}{row['found']:10.3f}  shuffled {row['shuffled']:.3f}"
            f"  ratio {row['ratio']:.2f}  n {row['n']}"
        )
    if "spread_within" in result:
        row = result["spread_within"]
        lines += [
            "",
            f"spread within a caption {row['generated']:.3f}, within a class of "
            f"real images {row['real']:.3f}, ratio {row['ratio']:.2f}",
        ]
    near = result["nearest_training_image"]
    lines += [
        "",
        "distance to the nearest training image, median: generated "
        f"{near['generated']:.3f}, held-out real {near['real']:.3f}",
    ]
    return "\n".join(lines)


def main():
    from kerasgan.config.settings import DataConfig
    from kerasgan.encoders.efficientnet_lite import WEIGHTS_PACKAGE
    from kerasgan.gan.image_generator import load_gan
    from kerasgan.runs import open_run

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--classifier-dir", type=Path, default=Path("classifiers"))
    parser.add_argument("--peer", type=Path, help=".npz with `images`")
    parser.add_argument(
        "--wrong",
        nargs="+",
        default=["scenes"],
        metavar=("DATASET", "SOURCE"),
        help="the data set that has nothing to do with it",
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    run, gan = open_run(options.run), load_gan(options.run)
    data = run.settings.data
    pairs = load_data(data, progress=False)
    wrong = DataConfig(
        **dict(zip(("dataset", "source"), options.wrong)), image_size=data.image_size
    )
    classifier, extractors = None, {}
    if pairs.label_names:
        classifier = cached_classifier(pairs, options.classifier_dir)
        extractors["classifier"] = classifier.features
    if importlib.util.find_spec(WEIGHTS_PACKAGE):
        extractors["Lite0, ImageNet"] = lite0_features
    result = measure(
        lambda captions, count: gan.generate(captions, seed=1, count=count),
        pairs,
        load_data(wrong, progress=False).train.images,
        classifier,
        {"peer": np.load(options.peer)["images"]} if options.peer else None,
        extractors,
    )
    print(json.dumps(result, indent=2) if options.json else table(result))


if __name__ == "__main__":
    main()
