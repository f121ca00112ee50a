"""`kerasgan save-imgs`."""

from typing import TYPE_CHECKING

import click

from kerasgan.cli.options import import_tensorflow

if TYPE_CHECKING:
    from kerasgan.runs import Run


@click.command("save-imgs")
@click.argument("run", metavar="RUN")
@click.option(
    "--caption", "captions", multiple=True, help="Caption of a row (repeatable)."
)
@click.option("--interpolate", is_flag=True, help="Interpolate between the captions.")
@click.option(
    "--rows",
    type=click.IntRange(1, 64),
    help="Number of rows, or of the run's captions to use.  [default: 6, or all"
    " captions]",
)
@click.option(
    "--columns",
    type=click.IntRange(1, 64),
    default=6,
    show_default=True,
    help="Number of images per row.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed of the noise.",
)
@click.option("--out", metavar="FILE", help="PNG to write.  [default: in RUN/images]")
def command(
    run: str,
    captions: tuple[str, ...],
    interpolate: bool,
    rows: int | None,
    columns: int,
    seed: int,
    out: str | None,
) -> None:
    """Generate a grid of images with a trained generator.

    Without --caption, a conditional generator uses the captions of the run's image
    grids. With --interpolate each row leads from one caption to the next; with one
    caption or none, from one noise vector to another.

    \b
    Examples:
      kerasgan save-imgs runs/00000-train-gan-scenes
      kerasgan save-imgs RUN --caption "two dogs on grass" --caption "a red boat"
      kerasgan save-imgs RUN --interpolate --columns 10 --out strip.png
    """
    from pathlib import Path

    from kerasgan.runs import open_run

    if captions and rows:
        raise click.UsageError("--rows cannot be combined with --caption.")
    opened = open_run(run)
    path = Path(out or opened.images / _file_name(captions, interpolate, seed))
    if path.suffix.lower() != ".png":
        raise click.BadParameter(
            f"must end in .png. Received: {out}", param_hint="--out"
        )

    import_tensorflow()
    from kerasgan.gan.image_generator import load_gan, save_imgs

    image_generator = load_gan(opened)
    texts = list(captions)
    if image_generator.conditional and not texts:
        texts = _grid_captions(opened, rows)
    if interpolate:
        _save_strips(image_generator, path, texts or None, rows or 6, columns, seed)
    else:
        save_imgs(image_generator, path, texts or None, rows or 6, columns, seed)
    click.echo(path)


def _file_name(captions, interpolate, seed):
    kind = "strip" if interpolate else "captions" if captions else "random"
    return f"{kind}-seed{seed}.png"


def _grid_captions(run: "Run", rows: int | None) -> list[str]:
    """The captions of the run's image grids, or the first `rows` of them."""
    if rows and rows > len(run.captions):
        raise click.BadParameter(
            f"the run's grids show {len(run.captions)} captions. Received: {rows}",
            param_hint="--rows",
        )
    return run.captions[:rows]


def _save_strips(image_generator, path, captions, rows, columns, seed):
    import itertools

    import numpy as np

    from kerasgan.training.image_grids import save_image_grid

    if captions is None:
        pairs = [(None, None)] * rows
    elif len(captions) == 1:
        pairs = [(captions[0], captions[0])]
    else:
        pairs = list(itertools.pairwise(captions))
    strips = [
        # Strips between captions share their noise, so that each begins with the last
        # image of the one before.
        image_generator.interpolate(
            start, stop, columns, seed + number * (start == stop)
        )
        for number, (start, stop) in enumerate(pairs)
    ]
    titles = None
    if captions is not None:
        titles = [
            start if start == stop else f"{start} → {stop}" for start, stop in pairs
        ]
    save_image_grid(path, np.stack(strips), titles)
