"""Compares a run's images with real ones, a peer's and those of an unrelated data set.

    python tools/measure_gan.py RUN --classifier-dir cache --peer peer.npz --json

Half of the held-out images are the reference. The other half stands for a perfect
generator (real), and the run generates images from its captions. An unrelated data set
stands for a bad generator. All sets have the same number of images. A classifier that
is trained separately predicts the labels (`independent_classifier.py`). With
`--r-precision`, so does a dual encoder the captions (`independent_dual_encoder.py`).
"""

import argparse
import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import numpy as np
from generated_image_metrics import (
    class_match,
    compare_image_sets,
    efficientnet_features,
    independent_backbones,
    within_caption_diversity,
)
from independent_classifier import Classifier, load_classifier
from independent_dual_encoder import (
    ImageCaptionEncoder,
    cached_dual_encoder,
    r_precision,
)

from kerasgan.data import Pairs, load_data
from kerasgan.data.pipeline import Split
from kerasgan.evaluation.image_metrics import nearest_images

if TYPE_CHECKING:
    from kerasgan.config.settings import DataConfig

MAX_IMAGES = 1000  # in each set
MAX_DIVERSITY_CAPTIONS = 40  # for the diversity within captions
MAX_NEAREST = 200  # images whose nearest training image is searched
UNRELATED = "unrelated data set"
COLUMNS = ("KID×1000", "±", "precision", "recall", "density", "coverage", "diversity")

Extractors = dict[str, Callable[[np.ndarray], np.ndarray]]


def measure(
    generate: Callable[[list[str] | None, int], np.ndarray],
    pairs: Pairs,
    unrelated: np.ndarray,
    classifier: Classifier | None = None,
    peers: dict[str, np.ndarray] | None = None,
    extractors: Extractors | None = None,
    dual_encoder: ImageCaptionEncoder | None = None,
    seed: int = 0,
) -> dict:
    """Measures one generator.

    Args:
        generate: captions, or None without captions, and the number of images, to
            uint8 images `(n, size, size, 3)`.
        pairs: the result of `load_data`.
        unrelated: uint8 images `(n, size, size, 3)` of another data set.
        classifier: predicts the labels; None without labels.
        peers: by name, uint8 images of other generators.
        extractors: by name, functions from images to features.
        dual_encoder: embeds images and captions; None for no R-precision.
        seed: int; chooses the reference.

    Returns:
        `num_images`, `sets` (by extractor and set) and `nearest_training_image` (median
        distances). With a classifier also `classifier`, `class_match` (by set) and,
        with captions, `within_caption_diversity`. With a dual encoder `r_precision`.
    """
    test = pairs.test
    reference, held_out, captions = halves(test, seed)
    size = len(held_out)
    image_sets = {
        "real": test.images[held_out],
        "generated": generate(captions, size),
        **{name: images[:size] for name, images in (peers or {}).items()},
        UNRELATED: unrelated[:size],
    }
    result = {
        "num_images": size,
        "sets": {
            name: compare_image_sets(test.images[reference], image_sets, extractor)
            for name, extractor in (extractors or {}).items()
        },
        "nearest_training_image": _nearest_distances(image_sets, pairs.train.images),
    }
    if classifier is not None:
        result |= _classifier_metrics(classifier, image_sets, test.labels[held_out])
    if classifier is not None and captions:
        result["within_caption_diversity"] = within_caption_diversity(
            lambda texts: generate(texts, len(texts)),
            captions[:MAX_DIVERSITY_CAPTIONS],
            test.images,
            test.labels,
        )
    if dual_encoder is not None and captions:
        result["r_precision"] = {
            name: r_precision(dual_encoder, image_sets[name], captions)
            for name in ("generated", "real")
        }
    return result


def halves(
    test: Split, seed: int = 0, max_images: int = MAX_IMAGES
) -> tuple[np.ndarray, np.ndarray, list[str] | None]:
    """Divides the test split into a reference and images to compare with it.

    Args:
        test: the test split.
        seed: int; chooses the reference.
        max_images: in each half.

    Returns:
        The rows of the reference, the other rows, and the first caption of each of
        these; None without captions.
    """
    order = np.random.default_rng(seed).permutation(len(test.ids))
    size = min(max_images, len(order) // 2)
    captions = [(test.captions[row] or [""])[0] for row in order[size : 2 * size]]
    return order[:size], order[size : 2 * size], captions if any(captions) else None


def _classifier_metrics(classifier, image_sets, labels):
    return {
        "classifier": {
            "accuracy_on_real": classifier.accuracy,
            "num_classes": len(classifier.classes),
        },
        "class_match": {
            name: class_match(classifier, images, labels[: len(images)])
            for name, images in image_sets.items()
            if name != UNRELATED
        },
    }


def _nearest_distances(image_sets, training):
    """The median distances to the nearest training image."""
    distances = {
        name: nearest_images(image_sets[name][:MAX_NEAREST], training)[1]
        for name in ("generated", "real")
    }
    return {name: float(np.median(values)) for name, values in distances.items()}


def format_table(result: dict) -> str:
    """Formats measurements as text.

    Args:
        result: the result of `measure`.
    """
    lines = [
        f"{result['num_images']} images in each set; the reference is real held-out"
        " images"
    ]
    for extractor, rows in result["sets"].items():
        lines += ["", f"{extractor:20}" + "".join(f"{name:>10}" for name in COLUMNS)]
        for name, row in rows.items():
            values = [1000 * row["kid"], 1000 * row["kid_deviation"]]
            values += [row[column] for column in COLUMNS[2:]]
            lines.append(f"{name:20}" + "".join(f"{value:10.3f}" for value in values))
    if "classifier" in result:
        lines += ["", *_class_match_lines(result)]
    if "r_precision" in result:
        lines += ["", "share of images whose own caption is the nearest of 100"]
        lines += [_rate_line(*item) for item in result["r_precision"].items()]
    if "within_caption_diversity" in result:
        diversity = result["within_caption_diversity"]
        lines += [
            "",
            f"diversity within a caption {diversity['generated']:.3f}, within a class"
            f" of real images {diversity['real']:.3f}, ratio {diversity['ratio']:.2f}",
        ]
    nearest = result["nearest_training_image"]
    lines += [
        "",
        "distance to the nearest training image, median: generated "
        f"{nearest['generated']:.3f}, held-out real {nearest['real']:.3f}",
    ]
    return "\n".join(lines)


def _class_match_lines(result):
    classifier = result["classifier"]
    yield (
        f"share of images that show the caption's class, of "
        f"{classifier['num_classes']} classes (the classifier's accuracy on real images"
        f" is {classifier['accuracy_on_real']:.3f})"
    )
    for name, row in result["class_match"].items():
        yield _rate_line(name, row) + f"  ratio {row['ratio']:.2f}"


def _rate_line(name, row):
    return (
        f"{name:20}{row['rate']:10.3f}  shuffled {row['shuffled_rate']:.3f}"
        f"  n {row['num_images']}"
    )


def measure_run(
    run_dir: Path,
    classifier_dir: Path,
    peer: Path | None,
    unrelated: "DataConfig",
    has_r_precision: bool = False,
) -> dict:
    """Measures the generator of a run of `train-gan`.

    Args:
        run_dir: the run directory.
        classifier_dir: directory where independent classifiers are cached.
        peer: `.npz` file with an array `images` of another generator's images, or None.
        unrelated: settings of the unrelated data set; the run's `image_size` is used.
        has_r_precision: whether R-precision is computed, for which a dual encoder is
            trained.

    Returns:
        The result of `measure`.
    """
    from kerasgan.gan.image_generator import load_gan
    from kerasgan.runs import open_run

    run, image_generator = open_run(run_dir), load_gan(run_dir)
    pairs = load_data(run.settings.data, progress=False)
    image_size = {"image_size": run.settings.data.image_size}
    classifier = load_classifier(pairs, classifier_dir)
    extractors, dual_encoder = {}, None
    if classifier is not None:
        extractors["classifier"] = classifier.features
    backbones = independent_backbones(run)
    for name in backbones:
        extractors[name] = functools.partial(efficientnet_features, name)
    if has_r_precision:
        backbone = max(backbones, default="efficientnet-lite2")
        dual_encoder = cached_dual_encoder(pairs.train, classifier_dir, backbone)
    return measure(
        lambda captions, count: image_generator.generate(captions, count, seed=1),
        pairs,
        load_data(unrelated.model_copy(update=image_size), progress=False).train.images,
        classifier,
        {"peer": np.load(peer)["images"]} if peer else None,
        extractors,
        dual_encoder,
    )


def main() -> None:
    """Measures a run and prints a table or JSON."""
    from kerasgan.config.settings import DataConfig

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--classifier-dir", type=Path, default=Path("classifiers"))
    parser.add_argument("--peer", type=Path, help=".npz with `images`")
    parser.add_argument(
        "--wrong",
        nargs="+",
        default=["scenes"],
        metavar=("DATASET", "SOURCE"),
        help="the unrelated data set",
    )
    parser.add_argument(
        "--r-precision", action="store_true", help="trains a dual encoder, for minutes"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    # The source may be missing: `scenes` has none.
    names = zip(("dataset", "source"), options.wrong, strict=False)
    result = measure_run(
        options.run,
        options.classifier_dir,
        options.peer,
        DataConfig(**dict(names)),
        options.r_precision,
    )
    print(json.dumps(result, indent=2) if options.json else format_table(result))


if __name__ == "__main__":
    main()
