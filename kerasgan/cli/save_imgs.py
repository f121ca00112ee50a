"""`kerasgan save-imgs`."""

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kerasgan.cli.options import import_tensorflow, print_skipped
from kerasgan.errors import UserError

if TYPE_CHECKING:
    from kerasgan.gan.image_generator import ImageGenerator
    from kerasgan.runs import Run

ANIMATIONS = (".gif", ".webp")
MAX_FRAMES = 4000  # they are held in memory
MAX_CAPTIONS = 64  # of a grid or an animation


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
    type=click.IntRange(1, 1_000_000),
    help="Write this number of PNGs for each caption, and a table, into the folder"
    " --out.",
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
    rows: int | None,
    **options: Any,
) -> None:
    """Generate images with a trained generator: a grid, single files or an animation.

    Without captions, a conditional generator uses the captions of the run's image
    grids. With --interpolate each row of the grid leads from one caption to the next;
    with one caption or none, from one noise vector to another.

    \b
    Examples:
      kerasgan save-imgs runs/00000-train-gan-scenes
      kerasgan save-imgs RUN --caption "two dogs on grass" --caption "a red boat"
      kerasgan save-imgs RUN --captions titles.txt --count 100 --out generated/
      kerasgan save-imgs RUN --nearest
      kerasgan save-imgs RUN --interpolate --columns 10 --out strip.png
      kerasgan save-imgs RUN --interpolate --caption "a dog" --caption "a boat" \\
          --out morph.gif
    """
    _check_options(**options)
    if rows and (caption or captions_file is not None):
        raise click.UsageError(
            "--rows cannot be combined with --caption or --captions."
        )
    from kerasgan.runs import open_run

    opened = open_run(run)
    captions = [*caption, *_read_captions(captions_file)]
    if len(captions) > MAX_CAPTIONS and not options["count"]:
        raise click.UsageError(
            f"Grids and animations have at most {MAX_CAPTIONS} captions; use --count"
            f" and --out FOLDER for more. Received: {len(captions):,} captions."
        )
    if len(captions) * (options["frames"] or 0) > MAX_FRAMES:
        raise click.UsageError(
            f"An animation has at most {MAX_FRAMES:,} frames. Received:"
            f" {len(captions)} captions with {options['frames']} frames each."
        )
    import_tensorflow()
    from kerasgan.gan.image_generator import load_gan

    generator = load_gan(opened)
    if captions and not generator.conditional:
        raise UserError(f"{run} was trained without captions and cannot use any.")
    kind = "captions" if captions else "random"
    if generator.conditional and not captions:
        captions = _grid_captions(opened, rows)
    click.echo(_save(opened, generator, captions or None, kind, rows, **options))


def _check_options(
    interpolate, columns, count, frames, nearest, out, truncation, **others
):
    """Rejects options that have no meaning together, before anything is loaded."""
    if math.isnan(truncation):
        raise click.BadParameter("must be a number.", param_hint="--truncation")
    suffix = Path(out or "default.png").suffix.lower()
    is_animation = interpolate and suffix in ANIMATIONS
    for first, second, are_given in (
        ("--interpolate", "--count", interpolate and count),
        ("--interpolate", "--nearest", interpolate and nearest),
        ("--columns", "--count", columns and count),
        ("--columns", "an animation", columns and is_animation),
    ):
        if are_given:
            raise click.UsageError(f"{first} cannot be combined with {second}.")
    if frames and not is_animation:
        raise click.UsageError(
            "--frames needs --interpolate and an --out that ends in"
            f" {' or '.join(ANIMATIONS)}. Received: {out}"
        )
    if count:
        if out is None or suffix in (".png", *ANIMATIONS):
            raise click.UsageError(f"--count needs a folder as --out. Received: {out}")
        if os.path.exists(out) and not (os.path.isdir(out) and not os.listdir(out)):
            raise click.BadParameter(
                f"{out} is not an empty folder. Name another one.", param_hint="--out"
            )
        return
    allowed = (".png", *ANIMATIONS) if interpolate else (".png",)
    if suffix not in allowed:
        raise click.BadParameter(
            f"must end in {' or '.join(allowed)}. Received: {out}", param_hint="--out"
        )
    if out and os.path.isdir(out):
        raise click.BadParameter(f"{out} is a folder.", param_hint="--out")


def _read_captions(path):
    if path is None:
        return []
    from kerasgan.data.read_report import ReadReport
    from kerasgan.inference.caption_files import read_captions

    report = ReadReport()
    captions = read_captions(path, report)
    print_skipped({"skipped": report.skipped, "notes": report.notes})
    return captions


def _grid_captions(run: "Run", rows: int | None) -> list[str]:
    """The captions of the run's image grids, or the first `rows` of them."""
    if rows and rows > len(run.captions):
        raise click.BadParameter(
            f"the run's grids show {len(run.captions)} captions. Received: {rows}",
            param_hint="--rows",
        )
    return run.captions[:rows]


def _save(
    run: "Run",
    generator: "ImageGenerator",
    captions: list[str] | None,
    kind: str,
    rows: int | None,
    interpolate: bool,
    seed: int,
    truncation: float,
    columns: int | None,
    count: int | None,
    frames: int | None,
    nearest: bool,
    out: str | None,
) -> Path:
    """Saves what the options say, and returns the path."""
    from kerasgan.gan.image_files import make_empty_folder, save_image_files
    from kerasgan.gan.image_generator import save_imgs
    from kerasgan.gan.interpolation import save_animation, save_interpolation_grid
    from kerasgan.gan.nearest_images import load_nearest_images

    kind = "strip" if interpolate else kind
    path = Path(out or run.images / f"{kind}-seed{seed}.png")
    is_grid = not count and path.suffix.lower() not in ANIMATIONS
    if captions is None and rows and not is_grid:
        raise click.UsageError("--rows needs a grid or captions.")
    if count:
        make_empty_folder(path)  # before the training images are encoded
    neighbors = None
    if nearest:
        channels = generator.generator.output_shape[-1]
        neighbors = load_nearest_images(run, channels, progress=True)
    noise, shape = (seed, truncation), (rows or 6, columns or 6)
    if count:
        path = save_image_files(
            generator, path, captions, count, *noise, neighbors, progress=True
        )
    elif not is_grid:
        save_animation(generator, path, captions, frames or 24, *noise)
    elif interpolate:
        save_interpolation_grid(generator, path, captions, *shape, *noise)
    else:
        save_imgs(generator, path, captions, *shape, *noise, neighbors)
    if neighbors:
        click.echo(neighbors.summary(), err=True)
    return path
