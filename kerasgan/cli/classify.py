"""`kerasgan classify`."""

import json

import click

from kerasgan.cli.options import import_tensorflow
from kerasgan.errors import UserError


@click.command("classify")
@click.argument("run", metavar="RUN")
@click.argument("pictures", metavar="[PICTURE]...", nargs=-1)
@click.option(
    "--text",
    "texts",
    multiple=True,
    help="The words that come with a picture; the first belongs to the first picture"
    " and so on, a single one to all.",
)
@click.option("--top", type=click.IntRange(1), default=3, show_default=True)
@click.option(
    "--explain",
    metavar="FILE",
    help="Also draw how each answer came about (PNG): paper B's figure 5.",
)
def command(run, pictures, texts, top, explain):
    """Tell the classes of pictures with words: one JSON line a pair, on standard
    output.

    Without pictures, the texts are classified alone; without --text, the pictures. A
    file that is no picture gets a line with its `error`, and the exit status is 1 if
    no file was one.

    \b
    Examples:
      kerasgan classify RUN shoe.jpg --text "black running shoe"
      kerasgan classify RUN --text "black running shoe" --explain why.png
    """
    from kerasgan.runs import open_run

    if not pictures and not texts:
        raise UserError("Nothing to classify: give pictures, --text, or both.")
    if pictures and len(texts) not in (0, 1, len(pictures)):
        raise UserError(
            f"{len(pictures)} pictures take no --text, one, or {len(pictures)}."
            f" Received: {len(texts)}"
        )
    opened = open_run(run)
    import_tensorflow()
    from kerasgan.training.trained_classifier import load_classifier

    classifier = load_classifier(opened)
    names = pictures or (None,) * len(texts)
    said = list(texts) if len(texts) == len(names) else list(texts or [""]) * len(names)
    read = [_read(name, classifier, opened) for name in names]
    good = [n for n, (_, error) in enumerate(read) if error is None]
    images, kept = [read[n][0] for n in good], [said[n] for n in good]
    found = iter(classifier.classify(images, kept) if good else ())
    for name, text, (_, error) in zip(names, said, read):
        line = {"picture": name, "text": text or None}
        line |= {"error": error} if error else _answer(next(found), classifier, top)
        click.echo(json.dumps(line, ensure_ascii=False))
    if explain and good:
        from kerasgan.report.explanation import save_explanation

        save_explanation(classifier, images, kept, explain)
    if not good:
        raise SystemExit(1)


def _read(name, classifier, run):
    """A picture as the classifier takes it, and what is wrong with its file."""
    from pathlib import Path

    from kerasgan.data.pictures import BadPicture, read_square, strict_pillow

    if name is None or not classifier.looks:
        return None, None
    try:
        with strict_pillow():
            size, fit = classifier.image_size, run.settings.data.fit
            return read_square(Path(name), size, fit), None
    except (BadPicture, OSError) as error:
        return None, getattr(error, "strerror", None) or str(error)


def _answer(probabilities, classifier, top):
    order = probabilities.argsort()[::-1][:top]
    best = [
        {"class": classifier.label_names[n], "probability": float(probabilities[n])}
        for n in order
    ]
    return {**best[0], "alternatives": best[1:]}
