"""`kerasgan classify`."""

import os

import click

from kerasgan.cli.batch import answer_all, batch_options
from kerasgan.cli.options import caption_column_option, import_tensorflow, png_name
from kerasgan.errors import UserError

CHOICE = {"class": str, "probability": float}
COLUMNS = {
    **{"image": str, "text": str},
    **CHOICE,
    **{"alternatives": [CHOICE], "error": str},
}


@click.command("classify")
@click.argument("run", metavar="RUN")
@click.argument("paths", metavar="[IMAGE|FOLDER]...", nargs=-1)
@click.option(
    "--text",
    "texts",
    multiple=True,
    help="The words that come with an image; the first belongs to the first image"
    " and so on, a single one to all.",
)
@click.option("--top", type=click.IntRange(1), default=3, show_default=True)
@click.option(
    "--explain",
    metavar="FILE",
    callback=png_name,
    help="Also draw how each answer came about (PNG), of the first 24 pairs: paper B's"
    " figure 5.",
)
@batch_options
@caption_column_option
def command(run, paths, texts, top, explain, **where):
    """Tell the classes of images with words: one JSON line a pair, on standard
    output or in --out.

    Folders are searched for images, at any depth. Without images, the texts are
    classified alone; without --text, the images. A file that is no image gets a
    line with its `error`, and the exit status is 1 if no file was one.

    \b
    Examples:
      kerasgan classify RUN shoe.jpg --text "black running shoe"
      kerasgan classify RUN --text "black running shoe" --explain why.png
      kerasgan classify RUN --source products.csv --out classes.parquet
    """
    from kerasgan.runs import open_run

    if len(texts) > 1 and any(map(os.path.isdir, paths)):
        raise UserError(
            f"--text was given {len(texts)} times beside a folder, which holds any"
            " number of images. Give one for all, or a table of images and texts"
            " with --source."
        )
    if paths and len(texts) not in (0, 1, len(paths)):
        raise UserError(
            "Give no --text, one for all images, or one for each. Received:"
            f" images: {len(paths)}, texts: {len(texts)}"
        )
    opened = open_run(run)

    def load():
        import_tensorflow()
        from kerasgan.classification.classifier import load_classifier

        classifier = load_classifier(opened)

        def see(one):
            return _see(classifier, one, opened.settings.data.fit)

        def answer(images, asked, _):
            found = classifier.classify(images, [one.text for one in asked])
            return [_line(row, classifier.label_names, top) for row in found]

        def draw(pairs):
            from kerasgan.report.prediction_explanation import save_explanation

            images, lines = zip(*pairs)
            said = [line["text"] or "" for line in lines]
            save_explanation(classifier, images, said, explain)

        return see, answer, draw if explain else None

    question = {"command": "classify", "top": top}
    answer_all(opened, question, paths, texts, COLUMNS, load, **where)


def _see(classifier, one, fit):
    """The image as the classifier takes it; None where it needs or has none."""
    from kerasgan.data.images import BadImage, read_square_image

    if classifier.takes_images and (one.place or not classifier.accepts_missing):
        return read_square_image(one.read(), classifier.image_size, fit)
    if classifier.takes_text and one.text:
        return None
    raise BadImage("neither image nor text" if classifier.takes_images else "no text")


def _line(probabilities, label_names, top):
    order = probabilities.argsort()[::-1][:top]
    best, *rest = [
        {"class": label_names[n], "probability": float(probabilities[n])} for n in order
    ]
    return {**best, "alternatives": rest}
