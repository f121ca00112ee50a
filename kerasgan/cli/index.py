"""`kerasgan index`."""

import click

from kerasgan.cli.options import import_tensorflow
from kerasgan.inference.prediction_writer import escape_unprintable


@click.command("index")
@click.argument("run", metavar="RUN")
@click.argument("paths", metavar="[FOLDER|IMAGE]...", nargs=-1)
@click.option(
    "--source", metavar="TABLE", help="Also the images of a CSV, TSV, JSONL or Parquet."
)
@click.option(
    "--image-root",
    metavar="DIR",
    help="Folder of the table's images.  [default: folder of the table]",
)
@click.option(
    "--image-column",
    metavar="NAME",
    help="Column of the table with file names of images.  [default: inferred]",
)
@click.option("--out", metavar="INDEX", required=True, help="Directory of the index.")
@click.option(
    "--decoding",
    type=click.Choice(["greedy", "beam", "rerank"]),
    default="beam",
    show_default=True,
    help="The decoding algorithm of the captions. rerank finds better ones, and takes"
    " more than twice as long.",
)
def command(
    run: str, paths: tuple[str, ...], out: str, decoding: str, **table: str | None
) -> None:
    """Caption and embed images, so that `kerasgan search` finds them.

    Folders are searched for images at any depth. The same command continues after an
    interruption, and brings the index up to date later: only new and changed images
    are captioned, and deleted ones are removed. Then no folder needs to be named;
    others that are named are added.

    \b
    Examples:
      kerasgan index RUN photographs/ --out photographs.index
      kerasgan index RUN --source products.csv --out products.index
      kerasgan index RUN --out photographs.index           # up to date again
    """
    from pathlib import Path

    from kerasgan.runs import open_run
    from kerasgan.search.build_index import update_index
    from kerasgan.search.sources import to_sources

    opened = open_run(run)
    opened.require_command("train-gan")

    def load():
        import_tensorflow()
        from kerasgan.captioning.pipeline import load_captioner

        return load_captioner(opened)

    def message(text):
        click.echo(text, err=True)

    path = Path(out).expanduser().absolute()
    sources = to_sources(paths, table)
    try:
        result = update_index(opened, path, sources, decoding, load, message)
    except KeyboardInterrupt:
        message("Stopped. The same command continues.")
        raise SystemExit(130) from None
    counts = f"{result.added:,} added, {result.changed:,} changed"
    counts = f"{result.images:,} images: {counts}, {result.removed:,} removed"
    failed = result.summary.errors
    reasons = ", ".join(f"{n:,} × {reason}" for reason, n in failed.most_common())
    skipped = ", ".join(f"{n:,} × {why}" for why, n in result.report.skipped.items())
    for title, text in (("Failed", reasons), ("Skipped rows", skipped)):
        if text:
            message(escape_unprintable(f"{title}: {text}."))
    click.echo(f"{path}: {counts}.")
    _print_ranking(result.manifest["ranking"])


def _print_ranking(ranking):
    recalls = ranking.get("recall")
    if not recalls:
        return
    click.echo(
        f"Recall at 1, 5 and 10 for {ranking['queries']:,} captions of"
        f" {ranking['images']:,} validation images:"
    )
    for name, recall in recalls.items():
        values = " ".join(f"{recall[key]:5.1f}" for key in ("r1", "r5", "r10"))
        note = "  (default of searches)" if name == ranking["default"] else ""
        click.echo(f"  {name:<9} {values}{note}")
