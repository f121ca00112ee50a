"""`kerasgan review`."""

import click

from kerasgan.errors import UserError


@click.command("review")
@click.argument("run", metavar="RUN")
@click.option("--data-dir", metavar="DIR", help="Directory of prepared data sets.")
@click.option(
    "--out",
    metavar="FILE",
    help="Path of the page, ending in .html.  [default: review.html in the run]",
)
@click.option(
    "--row",
    metavar="NAME",
    help="Row of the evaluation whose captions are reviewed, such as human or nearest."
    "  [default: the captioner's]",
)
@click.option(
    "--count",
    type=click.IntRange(1),
    help="Number of images, drawn at random.  [default: all]",
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
    """Write one HTML page on which people review the captions of a run.

    It shows the test images with generated caption and references. Keys mark a caption
    as right, partly right or wrong, and its words can be corrected. The browser keeps
    the verdicts, and downloads them as a table for `kerasgan evaluate RUN --verdicts`.

    \b
    Examples:
      kerasgan review runs/00000-train-gan-scenes --count 50
      kerasgan evaluate runs/00000-train-gan-scenes --verdicts verdicts.csv
    """
    from kerasgan.cli.options import import_tensorflow
    from kerasgan.runs import open_run

    if out is not None and not out.lower().endswith((".html", ".htm")):
        raise UserError(f"--out must end in .html. Received: {out}")
    opened = open_run(run, data_dir)
    opened.require_command("train-gan")
    import_tensorflow()  # for the test images
    from kerasgan.report.review_page import save_review_page

    click.echo(save_review_page(opened, out, row, count, seed))
