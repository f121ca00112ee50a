"""`kerasgan export`."""

import json

import click

from kerasgan.cli.options import import_tensorflow, json_option


@click.command("export")
@click.argument("run", metavar="[RUN]", required=False)
@click.option("--out", metavar="DIR", help="The directory to be written.")
@click.option(
    "--format",
    "name",
    type=click.Choice(["savedmodel", "keras", "litert", "onnx"]),
    default="savedmodel",
    show_default=True,
    help="SavedModels take bytes and strings; the others arrays.",
)
@click.option(
    "--images",
    metavar="PATH",
    help="An image, or a folder of them, to compare by.  [default: drawn ones]",
)
@click.option("--check", metavar="DIR", help="Try what was exported to DIR once more.")
@json_option
def command(run, out, name, images, check, as_json):
    """Write a run as models that need no kerasgan, and compare them with the run.

    A fresh process that can import neither kerasgan nor Keras loads what was written
    and runs every signature; each output is printed with how far it is from the run's
    own. DIR/README.md shows how each signature is called.

    \b
    Examples:
      kerasgan export runs/00000-train-gan-scenes --out exported
      kerasgan export RUN --out exported --format litert
      kerasgan export --check exported
    """
    if bool(check) == bool(run):
        raise click.UsageError("Give either a RUN with --out DIR, or --check DIR.")
    if bool(run) != bool(out):
        raise click.UsageError("--out DIR goes with a RUN, and a RUN with it.")
    if check:
        import_tensorflow()
        from kerasgan.export.verification import verify_export

        results, place = verify_export(check), check
    else:
        from kerasgan.runs import open_run

        open_run(run)
        import_tensorflow()
        from kerasgan.export.export_run import export_run

        results, place = export_run(run, out, name, images), out
    _show(results, place, as_json)


def _show(results, place, as_json):
    from pathlib import Path

    place = Path(place).expanduser().absolute()
    files = [path for path in place.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    examples = (place / "check.npz").stat().st_size
    if as_json:
        found = {"path": str(place), "bytes": size, "endpoints": results}
        return click.echo(json.dumps(found))
    click.echo("Compared with the run in a fresh process:")
    for endpoint, outputs in results.items():
        for output, found in outputs.items():
            click.echo(f"  {endpoint:<16} {output:<16} {_said(found)}")
    click.echo(
        f"{place}: {size / 1e6:.1f} MB, {examples / 1e6:.1f} MB of them examples"
        " (check.npz)"
    )


def _said(found):
    if found["off"] == 0:
        return "equal"
    levels = {"u": f"off by {found['off']:.0f} level of 255 at most"}
    return levels.get(found["kind"], f"off by {found['off']:.1e} at most")
