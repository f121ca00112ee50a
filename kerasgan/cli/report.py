"""`kerasgan report`."""

import click

from kerasgan.errors import UserError


@click.command("report")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@click.option("--data-dir", metavar="DIR", help="Directory of prepared data sets.")
@click.option(
    "--out",
    metavar="FILE",
    help="Path of the page, ending in .html.  [default: report.html in the first run]",
)
def command(runs: tuple[str, ...], data_dir: str | None, out: str | None) -> None:
    """Write one HTML page about runs, which needs no other file.

    What was asked, training, generated images, the papers' tables beside what was
    measured, a threshold sweep, retrieval, confusion matrices, the best, median and
    worst captions, and what was not run. Several runs are also shown side by side.

    \b
    Examples:
      kerasgan report runs/00000-train-gan-scenes
      kerasgan report runs/* --out comparison.html
    """
    from kerasgan.cli.options import import_tensorflow
    from kerasgan.runs import open_run

    if out is not None and not out.lower().endswith((".html", ".htm")):
        raise UserError(f"--out must end in .html. Received: {out}")
    opened = [open_run(run, data_dir) for run in runs]
    if any((run.results / "predictions.csv").is_file() for run in opened):
        import_tensorflow()  # for the test images
    from kerasgan.report.run_report import save_report

    click.echo(save_report(opened, out))
