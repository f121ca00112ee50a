"""Measures how truncated noise trades variety for agreement.

    python tools/measure_truncation.py RUN --out curve.png

The noise of the same held-out captions is multiplied by 0.4 to 1 (the truncation trick:
https://arxiv.org/abs/1812.04948). Reference and real images are as in `measure_gan.py`.
"""

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

from generated_image_metrics import (
    class_match,
    compare_image_sets,
    efficientnet_features,
    independent_backbones,
)
from independent_classifier import load_classifier
from measure_gan import MAX_IMAGES, halves

from kerasgan.data import load_data

TRUNCATIONS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
COLUMNS = ("kid", "precision", "recall", "coverage", "class_match")


def measure_truncation(
    run_dir: Path, classifier_dir: Path, feature_size: int, max_images: int
) -> dict[str, dict[str, float]]:
    """Measures a run's images at several truncations.

    Args:
        run_dir: a run of `train-gan`.
        classifier_dir: directory where independent classifiers are cached.
        feature_size: side in pixels to which images are resized for the features.
        max_images: in each set.

    Returns:
        For each truncation, and for `real`, the result of `compare_image_sets` and,
        with labels, `class_match`: the share of images that show the caption's class.
    """
    from kerasgan.gan.image_generator import load_gan
    from kerasgan.runs import open_run

    run, generator = open_run(run_dir), load_gan(run_dir)
    pairs = load_data(run.settings.data, progress=False)
    reference, held_out, captions = halves(pairs.test, max_images=max_images)
    noise = generator.noise(len(held_out), seed=1)
    image_sets = {
        str(truncation): generator.generate(captions, noise=truncation * noise)
        for truncation in TRUNCATIONS
    } | {"real": pairs.test.images[held_out]}
    backbone = max(independent_backbones(run), default="efficientnet-lite2")
    rows = compare_image_sets(
        pairs.test.images[reference],
        image_sets,
        lambda images: efficientnet_features(backbone, images, feature_size),
    )
    classifier = load_classifier(pairs, classifier_dir)
    if classifier is not None:
        labels = pairs.test.labels[held_out]
        for name, images in image_sets.items():
            rows[name]["class_match"] = class_match(classifier, images, labels)["rate"]
    return rows


def format_table(rows: dict[str, dict[str, float]]) -> str:
    """Formats the result of `measure_truncation` as text."""
    columns = [name for name in COLUMNS if name in rows["real"]]
    lines = [f"{'truncation':12}" + "".join(f"{name:>12}" for name in columns)]
    for name, row in rows.items():
        lines.append(f"{name:12}" + "".join(f"{row[key]:12.3f}" for key in columns))
    return "\n".join(lines)


def save_chart(rows: dict[str, dict[str, float]], path: Path) -> None:
    """Saves a chart of agreement against variety as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    points = rows.copy()
    real = points.pop("real")  # far from the curve, so that only the labels tell it
    variety = [row["recall"] for row in points.values()]
    for key in sorted({"precision", "class_match"} & set(real)):
        agreement = [row[key] for row in points.values()]
        axes.plot(variety, agreement, "o-", label=f"{key} (real {real[key]:.2f})")
        for name, *point in zip(points, variety, agreement, strict=True):
            axes.annotate(name, point, (4, 4), textcoords="offset points")
    axes.set(xlabel=f"recall (real {real['recall']:.2f})", ylabel="agreement")
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def main() -> None:
    """Measures a run, saves the chart and prints a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, default=Path("truncation.png"))
    parser.add_argument("--classifier-dir", type=Path, default=Path("classifiers"))
    parser.add_argument("--feature-size", type=int, default=224, help="pixels")
    parser.add_argument("--max-images", type=int, default=MAX_IMAGES)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = measure_truncation(
        options.run, options.classifier_dir, options.feature_size, options.max_images
    )
    save_chart(rows, options.out)
    print(json.dumps(rows, indent=2) if options.json else format_table(rows))


if __name__ == "__main__":
    main()
