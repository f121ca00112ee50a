"""`kerasgan export`."""

import json

import click

from kerasgan.cli.options import import_tensorflow, json_option


@click.command("export")
@click.argument("run", metavar="[RUN]", required=False)
@click.option("--out", metavar="DIR", help="Directory to write the export to.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["savedmodel", "keras", "litert", "onnx"]),
    default="savedmodel",
    show_default=True,
    help="Format of the models. SavedModels take encoded images and strings, the others"
    " take arrays.",
)
@click.option(
    "--images",
    "--pictures",
    "images",
    metavar="PATH",
    help="Image, or folder of images, for the comparison.  [default: generated scenes]",
)
@click.option("--check", metavar="DIR", help="Verify an exported directory again.")
@json_option
def command(
    run: str | None,
    out: str | None,
    format_name: str,
    images: str | None,
    check: str | None,
    as_json: bool,
) -> None:
    """Export a run as models that do not need kerasgan, and verify them.

    A new process that can import neither kerasgan nor Keras loads the models and runs
    all signatures. The largest difference between each output and that of the run is
    printed. DIR/README.md shows how to call each signature.

    \b
    Examples:
      kerasgan export runs/00000-train-gan-scenes --out exported
      kerasgan export RUN --out exported --format litert
      kerasgan export --check exported
    """
    if bool(check) == bool(run):
        raise click.UsageError("Give either a RUN with --out DIR, or --check DIR.")
    if bool(run) != bool(out):
        raise click.UsageError("A RUN needs --out DIR, and --out DIR needs a RUN.")
    if check:
        import_tensorflow()
        from kerasgan.export.verification import verify_export

        results, directory = verify_export(check), check
    else:
        from kerasgan.runs import open_run

        open_run(run)
        import_tensorflow()
        from kerasgan.export.export_run import export_run

        results, directory = export_run(run, out, format_name, images), out
    _print_results(results, directory, as_json)


def _print_results(results, directory, as_json):
    from pathlib import Path

    directory = Path(directory).expanduser().absolute()
    files = [path for path in directory.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    example_size = (directory / "check.npz").stat().st_size
    if as_json:
        summary = {"path": str(directory), "bytes": size, "endpoints": results}
        return click.echo(json.dumps(summary))
    click.echo("Compared with the run in a new process:")
    for endpoint, outputs in results.items():
        for output, comparison in outputs.items():
            text = _describe_difference(comparison)
            click.echo(f"  {endpoint:<16} {output:<16} {text}")
    click.echo(
        f"{directory}: {size / 1e6:.1f} MB, including {example_size / 1e6:.1f} MB of"
        " examples (check.npz)"
    )


def _describe_difference(comparison):
    difference = comparison["difference"]
    if difference == 0:
        return "equal"
    if comparison["kind"] == "u":
        return f"largest difference: {difference:.0f} of 255"
    return f"largest difference: {difference:.1e}"
