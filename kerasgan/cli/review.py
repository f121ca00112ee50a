"""`kerasgan review`."""

from pathlib import Path

import click

from kerasgan.errors import UserError

NUM_INDEX_IMAGES = 100  # of an index, which may have many more than a page can hold


@click.command("review")
@click.argument("run", metavar="RUN|INDEX")
@click.option("--data-dir", metavar="DIR", help="Directory of prepared data sets.")
@click.option(
    "--out",
    metavar="FILE",
    help="Path of the page, ending in .html.  [default: review.html in the run]",
)
@click.option(
    "--row",
    metavar="NAME",
    help="Row of a run's evaluation whose captions are reviewed, such as human or"
    " nearest.  [default: the captioner's]",
)
@click.option(
    "--count",
    type=click.IntRange(1),
    help="Number of images, drawn at random.  [default: all of a run,"
    f" {NUM_INDEX_IMAGES} of an index]",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed of the draw and of the order.",
)
def command(
    run: str,
    data_dir: str | None,
    out: str | None,
    row: str | None,
    count: int | None,
    seed: int,
) -> None:
    """Write one HTML page on which people review captions.

    It shows the test images of a run with generated caption and references, or images
    of an index. Keys mark a caption as right, partly right or wrong, and its words can
    be corrected. The browser keeps the verdicts, and downloads them as a table for
    `kerasgan evaluate --verdicts`.

    \b
    Examples:
      kerasgan review runs/00000-train-gan-scenes --count 50
      kerasgan evaluate runs/00000-train-gan-scenes --verdicts verdicts.csv
      kerasgan review photographs.index --out review.html
      kerasgan evaluate photographs.index --verdicts verdicts.csv
    """
    from kerasgan.search.index_files import is_index

    if out is not None and not out.lower().endswith((".html", ".htm")):
        raise UserError(f"--out must end in .html. Received: {out}")
    path = Path(run).expanduser().absolute()
    if is_index(path):
        if out is None:
            raise UserError("Name the page about an index: --out review.html")
        for option, value in (("--row", row), ("--data-dir", data_dir)):
            if value is not None:
                raise UserError(f"{option} is for a run, and {path} is an index.")
        return _review_index(path, Path(out), count or NUM_INDEX_IMAGES, seed)
    _review_run(path, data_dir, out, row, count, seed)


def _review_run(path, data_dir, out, row, count, seed):
    from kerasgan.cli.options import import_tensorflow
    from kerasgan.runs import open_run

    opened = open_run(path, data_dir)
    opened.require_command("train-gan")
    import_tensorflow()  # for the test images
    from kerasgan.report.review_page import save_review_page

    click.echo(save_review_page(opened, out, row, count, seed))


def _review_index(path, out, count, seed):
    from kerasgan.data.read_report import ReadReport
    from kerasgan.report.review_page import write_review_page
    from kerasgan.report.tables import left_out_lines
    from kerasgan.search.review_items import review_items
    from kerasgan.search.search_index import SearchIndex

    report, index = ReadReport(), SearchIndex(path)
    items = review_items(index, count, seed, report)
    found = {"left_out": report.skipped, "examples": report.examples}
    for line in left_out_lines(found | {"notes": report.notes}):
        click.echo(line, err=True)
    click.echo(write_review_page(out, path, index.manifest["decoding"], items))
