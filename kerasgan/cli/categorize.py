"""`kerasgan categorize`."""

from collections import Counter
from pathlib import Path
from typing import Any

import click

from kerasgan.cli.batch import BatchPredictor, batch_options, predict_all
from kerasgan.cli.options import import_tensorflow
from kerasgan.errors import UserError

CHOICE = {"category": str, "score": float}
COLUMNS = {"image": str, **CHOICE, "alternatives": [CHOICE], "error": str}
MAX_SHOWN = 60  # images of each category on a page


@click.command("categorize")
@click.argument("run", metavar="RUN")
@click.argument("paths", metavar="[IMAGE|FOLDER]...", nargs=-1)
@click.option(
    "--categories",
    metavar="NAMES|FILE",
    required=True,
    help='Categories, such as "beach; street market", or a file with one a line.',
)
@click.option(
    "--several", is_flag=True, help="Images may have several categories, or none."
)
@click.option(
    "--threshold",
    type=float,
    help="Least score of a category.  [default: chosen on the validation images]",
)
@click.option("--html", metavar="PAGE", help="Also write a page with thumbnails.")
@click.option(
    "--links", metavar="DIR", help="Also make a folder of links for each category."
)
@batch_options
def command(
    run: str,
    paths: tuple[str, ...],
    categories: str,
    several: bool,
    threshold: float | None,
    html: str | None,
    links: str | None,
    **batch: Any,
) -> None:
    """Assign images to categories given as words: one line of JSON for each image.

    An image whose best score is below the threshold gets the category "none of these".
    The lines go to standard output, or to the file --out.

    \b
    Examples:
      kerasgan categorize RUN photographs/ --categories "beach; street market"
      kerasgan categorize RUN photographs/ --categories names.txt --out categories.csv
      kerasgan categorize RUN photographs/ --categories names.txt --links sorted/
    """
    from kerasgan.runs import open_run
    from kerasgan.search.categories import LinkFolders, read_categories

    opened, names = open_run(run), read_categories(categories)
    opened.require_command("train-gan")
    if batch["resume"] and (html or links):
        raise UserError("--html and --links cannot be combined with --resume.")
    folders = LinkFolders(Path(links)) if links else None
    shown = _BestImages()

    def load() -> BatchPredictor:
        return _load(opened, names, threshold, several, folders, shown)

    options = {"command": "categorize", "categories": names, "several": several}
    options["threshold"] = threshold
    batch["caption_columns"] = []
    predict_all(opened, options, paths, (), COLUMNS, load, **batch)
    if html:
        _save_page(Path(html), names, shown)


def _load(run, names, threshold, several, folders, shown):
    import_tensorflow()
    import numpy as np

    from kerasgan.captioning.pipeline import load_captioner
    from kerasgan.data.images import read_square_image
    from kerasgan.search.categories import NONE, Categorizer
    from kerasgan.search.validation import validate

    pipeline = load_captioner(run)
    categorizer = Categorizer(pipeline, names, 0.0, several)
    if threshold is None:
        choices = validate(run, pipeline, None, lambda text: click.echo(text, err=True))
        threshold = choices["categories"]["threshold"]
    categorizer.threshold = threshold

    def load_image(item):
        return read_square_image(
            item.read(), pipeline.image_size, run.settings.data.fit
        )

    def predict(images, items, _):
        predictions = categorizer.predict(np.stack(images))
        for item, prediction in zip(items, predictions, strict=True):
            path = item.file
            assigned = [prediction]
            if several and prediction["category"] != NONE:
                assigned += prediction["alternatives"]
            if folders:
                folders.add(path, [choice["category"] for choice in assigned])
            for choice in assigned:
                shown.add(choice["category"], path, choice["score"])
        return predictions

    return BatchPredictor(load_image, predict)


class _BestImages:
    """The images of each category with the highest scores, and their numbers."""

    def __init__(self):
        self.counts, self.results = Counter(), {}

    def add(self, category, image, score):
        self.counts[category] += 1
        results = self.results.setdefault(category, [])
        results.append({"image": image, "score": score})
        if len(results) > 2 * MAX_SHOWN:
            results[:] = self.best(category)

    def best(self, category):
        results = self.results.get(category, [])
        return sorted(results, key=lambda result: -result["score"])[:MAX_SHOWN]


def _save_page(path, names, shown):
    from kerasgan.search.categories import NONE
    from kerasgan.search.page import save_page

    sections = []
    for name in (*names, NONE):
        note = f"{shown.counts[name]:,} images"
        if shown.counts[name] > MAX_SHOWN:
            note += f", of which the {MAX_SHOWN} best are shown"
        sections.append({"title": name, "note": note, "results": shown.best(name)})
    save_page(path, "Categories", sections, lambda text: click.echo(text, err=True))
    click.echo(f"Page: {path}", err=True)
