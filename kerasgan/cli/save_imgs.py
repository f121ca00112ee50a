"""`kerasgan save-imgs`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kerasgan.cli.options import import_tensorflow
from kerasgan.errors import UserError

if TYPE_CHECKING:
    from kerasgan.gan.image_generator import ImageGenerator
    from kerasgan.runs import Run

ANIMATIONS = (".gif", ".webp")


@click.command("save-imgs")
@click.argument("run", metavar="RUN")
# What is generated.
@click.option("--caption", multiple=True, help="Caption of a row (repeatable).")
@click.option(
    "--captions",
    "captions_file",
    metavar="FILE",
    help="Captions, one a line (- for standard input), or a table with captions.",
)
@click.option("--interpolate", is_flag=True, help="Interpolate between the captions.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed of the noise.",
)
@click.option(
    "--truncation",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Factor of the noise: less than 1 gives more typical images.",
)
# How it is shown.
@click.option(
    "--rows",
    type=click.IntRange(1, 64),
    help="Number of rows, or of the run's captions to use.  [default: 6, or all"
    " captions]",
)
@click.option(
    "--columns", type=click.IntRange(1, 64), help="Images per row.  [default: 6]"
)
@click.option(
    "--count",
    type=click.IntRange(1),
    help="Write single PNGs with a table into the folder --out, so many a caption.",
)
@click.option(
    "--frames",
    type=click.IntRange(2, 1000),
    help="Frames from one caption to the next in an animation.  [default: 24]",
)
@click.option(
    "--nearest", is_flag=True, help="Show the nearest training image of each image."
)
@click.option(
    "--out",
    metavar="PATH",
    help="PNG, or GIF or WebP with --interpolate, or folder with --count.  [default: a"
    " PNG in RUN/images]",
)
def command(
    run: str,
    caption: tuple[str, ...],
    captions_file: str | None,
    interpolate: bool,
    seed: int,
    truncation: float,
    rows: int | None,
    columns: int | None,
    count: int | None,
    frames: int | None,
    nearest: bool,
    out: str | None,
) -> None:
    """Generate images with a trained generator: a grid, single files or an animation.

    Without captions, a conditional generator uses the captions of the run's image
    grids. With --interpolate each row of the grid leads from one caption to the next;
    with one caption or none, from one noise vector to another.

    \b
    Examples:
      kerasgan save-imgs runs/00000-train-gan-scenes
      kerasgan save-imgs RUN --caption "two dogs on grass" --caption "a red boat"
      kerasgan save-imgs RUN --captions titles.txt --count 100 --out drawn/
      kerasgan save-imgs RUN --nearest
      kerasgan save-imgs RUN --interpolate --columns 10 --out strip.png
      kerasgan save-imgs RUN --interpolate --caption "a dog" --caption "a boat" \\
          --out morph.gif
    """
    has_captions = bool(caption or captions_file)
    _check_combination(interpolate, rows, columns, count, frames, nearest, has_captions)
    from kerasgan.runs import open_run

    opened = open_run(run)
    path = Path(out or opened.images / _file_name(has_captions, interpolate, seed))
    _check_out(path, out, interpolate, count, frames)
    captions = [*caption, *(_read_captions(captions_file) if captions_file else ())]

    import_tensorflow()
    from kerasgan.gan.image_files import save_animation
    from kerasgan.gan.image_generator import load_gan, save_imgs

    generator = load_gan(opened)
    if captions and not generator.conditional:
        raise UserError(f"{run} was trained without captions and cannot use any.")
    if generator.conditional and not captions:
        captions = _grid_captions(opened, rows)
    texts, noise = captions or None, (seed, truncation)
    shape = rows or 6, columns or 6
    if count:
        path = _save_files(opened, generator, path, texts, count, *noise, nearest)
    elif path.suffix.lower() in ANIMATIONS:
        save_animation(generator, path, texts, frames or 24, *noise)
    elif interpolate:
        _save_strips(generator, path, texts, *shape, *noise)
    else:
        neighbors = _nearest_images(opened, generator)[0] if nearest else None
        save_imgs(generator, path, texts, *shape, *noise, neighbors)
    click.echo(path)


def _check_combination(
    interpolate, rows, columns, count, frames, nearest, has_captions
):
    """Rejects options that have no meaning together."""
    if has_captions and rows:
        raise click.UsageError(
            "--rows cannot be combined with --caption or --captions."
        )
    if interpolate and count:
        raise click.UsageError("--interpolate cannot be combined with --count.")
    if interpolate and nearest:
        raise click.UsageError("--interpolate cannot be combined with --nearest.")
    if count and columns:
        raise click.UsageError("--columns cannot be combined with --count.")
    if frames and not interpolate:
        raise click.UsageError("--frames needs --interpolate.")


def _check_out(path, out, interpolate, count, frames):
    """Rejects an output path of the wrong kind."""
    suffix = path.suffix.lower()
    if count:
        if out is None or suffix in (".png", *ANIMATIONS):
            raise click.BadParameter(
                f"--count needs a folder. Received: {out}", param_hint="--out"
            )
        return
    allowed = (".png", *ANIMATIONS) if interpolate else (".png",)
    if suffix not in allowed:
        raise click.BadParameter(
            f"must end in {' or '.join(allowed)}. Received: {out}", param_hint="--out"
        )
    if frames and suffix not in ANIMATIONS:
        raise click.BadParameter(
            f"--frames needs {' or '.join(ANIMATIONS)}. Received: {out}",
            param_hint="--out",
        )


def _file_name(has_captions, interpolate, seed):
    kind = "strip" if interpolate else "captions" if has_captions else "random"
    return f"{kind}-seed{seed}.png"


def _read_captions(path):
    from kerasgan.inference.caption_files import read_captions

    return read_captions(path)


def _grid_captions(run: "Run", rows: int | None) -> list[str]:
    """The captions of the run's image grids, or the first `rows` of them."""
    if rows and rows > len(run.captions):
        raise click.BadParameter(
            f"the run's grids show {len(run.captions)} captions. Received: {rows}",
            param_hint="--rows",
        )
    return run.captions[:rows]


def _nearest_images(run: "Run", generator: "ImageGenerator"):
    """Finds nearest training images of a run; also returns their ids."""
    from kerasgan.data import load_data
    from kerasgan.gan.nearest_images import NearestImages
    from kerasgan.gan.pair_dataset import to_grayscale

    train = load_data(run.settings.data).train
    images = train.images
    if generator.generator.output_shape[-1] == 1:
        images = to_grayscale(images)
    return NearestImages(images, progress=True), train.ids


def _save_files(run, generator, path, captions, count, seed, truncation, nearest):
    from kerasgan.gan.image_files import save_image_files

    neighbors, ids = _nearest_images(run, generator) if nearest else (None, ())
    return save_image_files(
        *(generator, path, captions, count, seed, truncation),
        nearest=neighbors,
        ids=ids,
        progress=True,
    )


def _save_strips(generator, path, captions, rows, columns, seed, truncation):
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
        generator.interpolate(
            start, stop, columns, seed + number * (start == stop), truncation
        )
        for number, (start, stop) in enumerate(pairs)
    ]
    titles = None
    if captions is not None:
        titles = [
            start if start == stop else f"{start} → {stop}" for start, stop in pairs
        ]
    save_image_grid(path, np.stack(strips), titles)
