"""Paper B's figure 5: why a classifier predicts its class."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasgan.classification.classifier import MODALITIES, Classifier
from kerasgan.classification.examples import contains_text

NUM_CLASSES = 5  # the most probable classes, which are shown
CELL_SIZE = 3.2  # inches
MAX_WORDS = 40  # words that are shown if there is no attention
MAX_WORD_LENGTH = 30  # letters of a word that are shown
MAX_CLASS_NAME_LENGTH = 24
# The words fill a square with sides of 1.
LETTER_WIDTH = 0.029
LINE_HEIGHT = 0.1
FIRST_LINE, LAST_LINE = 0.92, 0.05


def explain_prediction(
    classifier: Classifier, image: np.ndarray | None, text: str
) -> dict[str, Any]:
    """Explains the prediction for one pair.

    Args:
        classifier: a trained classifier.
        image: uint8 `(size, size, 3)`, or None if it is missing.
        text: the text, empty if it is missing.

    Returns:
        A dict. `"probabilities"`: float32 `(classes,)`. `"importance"`: for `"image"`
        and `"text"`, how much the probability of the predicted class falls without it;
        None if one of them is missing or needed. `"attention"`: the words with the
        weights of their attention, see `Classifier.attention_weights`.
    """
    probabilities = classifier.classify([image], [text])[0]
    predicted = probabilities.argmax()
    importance: dict[str, float | None] = dict.fromkeys(MODALITIES)
    if classifier.accepts_missing and image is not None and contains_text(text):
        without = {
            "image": classifier.classify([None], [text])[0],
            "text": classifier.classify([image], [""])[0],
        }
        for modality, rest in without.items():
            importance[modality] = float(probabilities[predicted] - rest[predicted])
    return {
        "probabilities": probabilities,
        "importance": importance,
        "attention": classifier.attention_weights(text) if text else [],
    }


def save_explanation(
    classifier: Classifier,
    images: Sequence[np.ndarray | None],
    texts: Sequence[str],
    path: str | Path,
) -> Path:
    """Draws the explanations of n pairs as one PNG, a row for each.

    A row has the image, the words shaded by attention, how much the probability falls
    without the image and without the text, and the most probable classes.

    Args:
        classifier: a trained classifier.
        images: n images, uint8 `(size, size, 3)`, or None if missing.
        texts: n texts, empty if missing.
        path: path of the PNG.

    Returns:
        The path.
    """
    from matplotlib.figure import Figure

    figure = Figure((4 * CELL_SIZE, CELL_SIZE * len(texts)), layout="constrained")
    axes = figure.subplots(len(texts), 4, squeeze=False)
    for row, image, text in zip(axes, images, texts, strict=True):
        explanation = explain_prediction(classifier, image, text)
        _draw_image(row[0], image)
        _draw_words(row[1], explanation["attention"], text)
        _draw_importance(row[2], explanation["importance"])
        _draw_classes(row[3], explanation["probabilities"], classifier.label_names)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # Letters that the font does not have are drawn as boxes.
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        figure.savefig(path, dpi=110)
    return path


def _draw_image(axis, image):
    axis.set(xticks=[], yticks=[])
    if image is None:
        axis.text(0.5, 0.5, "no image", ha="center", va="center")
    else:
        axis.imshow(image)


def _draw_words(axis, attention, text):
    """Draws words in lines, darker for more attention."""
    axis.axis("off")
    axis.set(xlim=(0, 1), ylim=(0, 1))
    attention = attention or [(word, 0.0) for word in text.split()[:MAX_WORDS]]
    max_weight = max((weight for _, weight in attention), default=0) or 1
    x, y = 0.0, FIRST_LINE
    for word, weight in attention:
        word = word[:MAX_WORD_LENGTH]
        width = LETTER_WIDTH * (len(word) + 1.5)
        if x + width > 1 and x:
            x, y = 0.0, y - LINE_HEIGHT
        if y < LAST_LINE:
            axis.text(0.0, y, "…", fontsize=9, va="top")
            break
        alpha = 0.85 * weight / max_weight
        axis.text(
            x,
            y,
            word,
            fontsize=9,
            family="monospace",
            bbox={"facecolor": (1, 0.55, 0.1, alpha), "edgecolor": "none"},
            va="top",
            parse_math=False,
        )
        x += width


def _draw_importance(axis, importance):
    heights = [importance[modality] or 0.0 for modality in MODALITIES]
    bars = axis.bar(MODALITIES, heights, color=["tab:blue", "tab:orange"])
    labels = [
        "?" if value is None else f"{value:+.2f}" for value in importance.values()
    ]
    axis.bar_label(bars, labels)
    axis.set_ylim(-1.1, 1.1)
    axis.axhline(0, color="gray", linewidth=0.5)
    axis.set_title("drop in probability without it", fontsize=9)


def _draw_classes(axis, probabilities, label_names):
    top = np.argsort(-probabilities)[:NUM_CLASSES][::-1]
    names = [label_names[label][:MAX_CLASS_NAME_LENGTH] for label in top]
    axis.barh(range(len(top)), probabilities[top])
    axis.set_yticks(range(len(top)), names)
    axis.tick_params(labelsize=8)
    axis.set_xlim(0, 1)
    axis.set_title("probability", fontsize=9)
