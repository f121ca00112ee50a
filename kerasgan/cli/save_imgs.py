"""`kerasgan save-imgs`."""

import click

from kerasgan.cli.options import import_tensorflow


@click.command("save-imgs")
@click.argument("run", metavar="RUN")
@click.option("--caption", "captions", multiple=True, help="Draw this (repeatable).")
@click.option("--interpolate", is_flag=True, help="The way from one to the next.")
@click.option(
    "--rows",
    type=click.IntRange(1, 64),
    help="Rows, or how many of the run's captions.  [default: 6, or all captions]",
)
@click.option("--columns", type=click.IntRange(1, 64), default=6, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--out", metavar="FILE", help="The PNG.  [default: in RUN/images]")
def command(run, captions, interpolate, rows, columns, seed, out):
    """Draw images with a trained generator.

    Without captions, a run that was trained with them draws those of its grids.
    With --interpolate each strip leads from one caption to the next or, of a single
    caption or none, from one noise to another.

    \b
    Examples:
      kerasgan save-imgs runs/00000-train-gan-scenes
      kerasgan save-imgs RUN --caption "two dogs on grass" --caption "a red boat"
      kerasgan save-imgs RUN --interpolate --columns 10 --out strip.png
    """
    from pathlib import Path

    from kerasgan.runs import open_run

    if captions and rows:
        raise click.UsageError("--rows does not go with --caption: each has its row.")
    opened = open_run(run)
    path = Path(out or opened.images / _name(captions, interpolate, seed))
    if path.suffix.lower() != ".png":
        raise click.BadParameter(
            f"must end in .png. Received: {out}", param_hint="--out"
        )

    import_tensorflow()
    from kerasgan.gan.image_generator import load_gan, save_imgs

    image_generator = load_gan(opened)
    if image_generator.conditional and not captions:
        captions = _own_captions(opened, rows)
    captions, rows = list(captions) or None, rows or 6
    if interpolate:
        _save_strips(image_generator, path, captions, rows, columns, seed)
    else:
        save_imgs(image_generator, path, captions, rows, columns, seed)
    click.echo(path)


def _name(captions, interpolate, seed):
    kind = "strip" if interpolate else "captions" if captions else "random"
    return f"{kind}-seed{seed}.png"


def _own_captions(run, rows):
    """The captions that the run's own grids show, or the first `rows` of them."""
    if rows and rows > len(run.captions):
        raise click.BadParameter(
            f"the run's grids show {len(run.captions)} captions. Received: {rows}",
            param_hint="--rows",
        )
    return run.captions[:rows]


def _save_strips(image_generator, path, captions, rows, columns, seed):
    import numpy as np

    from kerasgan.training.image_grids import save_image_grid

    if captions is None:
        ways = [(None, None)] * rows
    elif len(captions) == 1:
        ways = [(captions[0], captions[0])]
    else:
        ways = list(zip(captions, captions[1:]))
    strips = [
        # The same noise all the way, so that one strip ends where the next begins.
        image_generator.interpolate(
            start, stop, columns, seed + number * (start == stop)
        )
        for number, (start, stop) in enumerate(ways)
    ]
    titles = None
    if captions is not None:
        titles = [a if a == b else f"{a} → {b}" for a, b in ways]
    save_image_grid(path, np.stack(strips), titles)
