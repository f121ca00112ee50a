"""Paper B's figure 5: why a pair was given its class."""

import warnings
from pathlib import Path

import numpy as np

from kerasgan.classification.classifier import MODALITIES
from kerasgan.classification.examples import contains_text

CLASSES = 5  # the likeliest, that are shown
SIDE = 3.2  # inches
LONGEST_WORD = 30  # letters of a word that are shown


def explain_prediction(classifier, image, text):
    """How one pair was judged.

    Args:
        classifier: a `Classifier`.
        image: uint8 `(size, size, 3)`, or None.
        text: str, empty where there is none.

    Returns:
        `probabilities` `(classes,)`; `moved`: for each side how much the probability
        of the answer falls when it is left out, None where that cannot be asked;
        `words`: `(word, share of the attention)` in order, empty without attention.
    """
    found = classifier.classify([image], [text])[0]
    answer = found.argmax()
    moved = dict.fromkeys(MODALITIES)
    if classifier.accepts_missing and image is not None and contains_text(text):
        for side, pair in (("text", ([image], [""])), ("image", ([None], [text]))):
            moved[side] = float(found[answer] - classifier.classify(*pair)[0][answer])
    return {
        "probabilities": found,
        "moved": moved,
        "words": classifier.attention(text) if text else [],
    }


def save_explanation(classifier, images, texts, path):
    """Draws a row a pair into one PNG: the image, the words shaded by attention, how
    much each side moved the answer, and the likeliest classes.

    Returns:
        The path.
    """
    from matplotlib.figure import Figure

    figure = Figure((4 * SIDE, SIDE * len(texts)), layout="constrained")
    axes = figure.subplots(len(texts), 4, squeeze=False)
    for row, image, text in zip(axes, images, texts):
        found = explain_prediction(classifier, image, text)
        _image(row[0], image)
        _words(row[1], found["words"], text)
        _moved(row[2], found["moved"])
        _classes(row[3], found["probabilities"], classifier.label_names)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # Letters that the font has not are drawn as boxes.
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        figure.savefig(path, dpi=110)
    return path


def _image(axis, image):
    axis.set(xticks=[], yticks=[])
    if image is None:
        axis.text(0.5, 0.5, "no image", ha="center", va="center")
    else:
        axis.imshow(image)


def _words(axis, words, text):
    """Words in lines, the darker the more they were looked at."""
    axis.axis("off")
    axis.set(xlim=(0, 1), ylim=(0, 1))
    words = words or [(word, 0.0) for word in text.split()[:40]]
    most = max((share for _, share in words), default=0) or 1
    x, y = 0.0, 0.92
    for word, share in words:
        word = word[:LONGEST_WORD]
        width = 0.029 * (len(word) + 1.5)
        if x + width > 1 and x:
            x, y = 0.0, y - 0.1
        if y < 0.05:
            axis.text(0.0, y, "…", fontsize=9, va="top")
            break
        shade = {"facecolor": (1, 0.55, 0.1, 0.85 * share / most), "edgecolor": "none"}
        axis.text(
            x, y, word, fontsize=9, family="monospace", bbox=shade, va="top",
            parse_math=False,
        )  # fmt: skip
        x += width


def _moved(axis, moved):
    heights = [moved[side] or 0.0 for side in MODALITIES]
    bars = axis.bar(MODALITIES, heights, color=["tab:blue", "tab:orange"])
    axis.bar_label(
        bars, ["?" if moved[s] is None else f"{moved[s]:+.2f}" for s in moved]
    )
    axis.set_ylim(-1.1, 1.1)
    axis.axhline(0, color="grayscale", linewidth=0.5)
    axis.set_title("what leaving it out takes away", fontsize=9)


def _classes(axis, probabilities, label_names):
    best = np.argsort(-probabilities)[:CLASSES][::-1]
    axis.barh(range(len(best)), probabilities[best])
    axis.set_yticks(range(len(best)), [label_names[n][:24] for n in best])
    axis.tick_params(labelsize=8)
    axis.set_xlim(0, 1)
    axis.set_title("probability", fontsize=9)
