"""`kerasgan classify`."""

import os
from typing import Any

import click

from kerasgan.cli.batch import BatchPredictor, batch_options, predict_all
from kerasgan.cli.options import caption_column_option, import_tensorflow, png_name
from kerasgan.errors import UserError

CHOICE = {"class": str, "probability": float}
COLUMNS = {
    "image": str,
    "text": str,
    **CHOICE,
    "alternatives": [CHOICE],
    "error": str,
}
MULTI_LABEL_COLUMNS = {
    "image": str,
    "text": str,
    "classes": [CHOICE],
    "alternatives": [CHOICE],
    "error": str,
}


@click.command("classify")
@click.argument("run", metavar="RUN")
@click.argument("paths", metavar="[IMAGE|FOLDER]...", nargs=-1)
@click.option(
    "--text",
    "texts",
    multiple=True,
    help="Text of an image (repeatable). The first belongs to the first image, and so"
    " on; a single text belongs to all images.",
)
@click.option(
    "--top",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Number of most probable classes to print; of several labels, at least.",
)
@click.option(
    "--explain",
    metavar="FILE",
    callback=png_name,
    help="Also draw an explanation of the first 24 predictions (PNG), as in figure 5"
    " of paper B.",
)
@batch_options
@caption_column_option
def command(
    run: str,
    paths: tuple[str, ...],
    texts: tuple[str, ...],
    top: int,
    explain: str | None,
    **batch: Any,
) -> None:
    """Predict classes: one line of JSON for each image, text or pair.

    The lines go to standard output, or to the file --out. Folders are searched for
    images at any depth. Without images the texts alone are classified, without --text
    the images alone. A classifier of several labels gives all `classes` from their
    thresholds on. A file that is not an image gets a line with `error`. The exit
    status is 1 if there is no prediction.

    \b
    Examples:
      kerasgan classify RUN shoe.jpg --text "black running shoe"
      kerasgan classify RUN --text "black running shoe" --explain explanation.png
      kerasgan classify RUN --source products.csv --out classes.parquet
    """
    from kerasgan.runs import open_run

    _check_texts(paths, texts)
    opened = open_run(run)

    def load() -> BatchPredictor:
        import_tensorflow()
        from kerasgan.classification.classifier import load_classifier

        classifier = load_classifier(opened)

        def load_image(item):
            return _load_image(classifier, item, opened.settings.data.fit)

        def predict(images, items, _):
            texts = [item.text for item in items]
            probabilities = classifier.classify_examples(images, texts)
            convert = _to_labels if classifier.multi_label else _to_prediction
            return [convert(row, classifier, top) for row in probabilities]

        def draw(pairs):
            from kerasgan.report.prediction_explanation import save_explanation

            images, predictions = zip(*pairs, strict=True)
            # Of several images of a row, the first one is shown.
            images = [x[0] if x is not None and x.ndim == 4 else x for x in images]
            texts = [prediction["text"] or "" for prediction in predictions]
            save_explanation(classifier, images, texts, explain)

        return BatchPredictor(load_image, predict, draw if explain else None)

    options = {"command": "classify", "top": top}
    multi_label = opened.settings.classifier.multi_label
    columns = MULTI_LABEL_COLUMNS if multi_label else COLUMNS
    predict_all(opened, options, paths, texts, columns, load, join_images=True, **batch)


def _check_texts(paths, texts):
    if len(texts) > 1 and any(map(os.path.isdir, paths)):
        raise UserError(
            f"--text was given {len(texts)} times with a folder, which has any number"
            " of images. Pass one text for all, or a table of images and texts with"
            " --source."
        )
    if paths and len(texts) not in (0, 1, len(paths)):
        raise UserError(
            "Pass no --text, one for all images, or one for each image. Received:"
            f" images: {len(paths)}, texts: {len(texts)}"
        )


def _load_image(classifier, item, fit):
    """Returns the image, or the images of a row `(k, size, size, 3)`.

    None if there is only a text and that is enough.
    """
    import numpy as np

    from kerasgan.data.images import BadImage, read_square_image

    if classifier.takes_images and (item.path or not classifier.accepts_missing):
        size = classifier.image_size
        if not item.others:
            return read_square_image(item.read(), size, fit)
        images = (item, *item.others)
        return np.stack([read_square_image(i.read(), size, fit) for i in images])
    if classifier.takes_text and item.text:
        return None
    raise BadImage("neither image nor text" if classifier.takes_images else "no text")


def _to_prediction(probabilities, classifier, top):
    order = probabilities.argsort()[::-1][:top]
    best, *others = _choices(probabilities, order, classifier)
    return {**best, "alternatives": others}


def _to_labels(probabilities, classifier, top):
    """All labels from their thresholds on, and the most probable of the others."""
    order = probabilities.argsort()[::-1]
    is_label = (probabilities >= classifier.thresholds)[order]
    labels, others = order[is_label], order[~is_label]
    return {
        "classes": _choices(probabilities, labels, classifier),
        "alternatives": _choices(
            probabilities, others[: max(0, top - len(labels))], classifier
        ),
    }


def _choices(probabilities, indices, classifier):
    return [
        {"class": classifier.label_names[x], "probability": float(probabilities[x])}
        for x in indices
    ]
