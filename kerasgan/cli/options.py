"""Options that several commands share, and how they become settings."""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from kerasgan.inference.prediction_writer import escape_unprintable

if TYPE_CHECKING:
    from kerasgan.config.settings import Settings
    from kerasgan.runs import Run


def recipe_options(default: str) -> Callable[[Callable], Callable]:
    """Adds `--config`, `--list-configs` and `--set` to a command that trains.

    Args:
        default: name of the recipe that holds the default settings, for the help.

    Returns:
        A decorator.
    """
    options = [
        click.option(
            "--config",
            metavar="NAME|FILE",
            help="Recipe: a name from --list-configs, or a YAML file.  [default:"
            f" {default}]",
        ),
        click.option(
            "--list-configs",
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_list_configs,
            help="List the recipes that come with kerasgan, and exit.",
        ),
        click.option(
            "--set",
            "assignments",
            multiple=True,
            metavar="SECTION.KEY=VALUE",
            help="Set any value of the recipe, e.g. gan.latent_dim=64 (repeatable).",
        ),
    ]

    def add(function):
        for option in reversed(options):
            function = option(function)
        return function

    return add


def _list_configs(context, option, value):
    if not value or context.resilient_parsing:
        return
    from kerasgan.config.recipes import list_recipes

    kind = "classifier" if context.info_name == "train-classifier" else "gan"
    recipes = [recipe for recipe in list_recipes() if kind in recipe[0]]
    width = max(len(name) for name, _ in recipes)
    for name, description in recipes:
        click.echo(f"{name:<{width}}  {description}")
    context.exit()


def device_options(function: Callable) -> Callable:
    """Adds the options of devices, precision and determinism to a training."""
    options = [
        click.option(
            "--device",
            type=click.Choice(["auto", "cpu", "gpu", "tpu"]),
            help="Train on this device.  [default: auto, a GPU if there is one]",
        ),
        click.option(
            "--strategy",
            type=click.Choice(["none", "mirrored", "multi-worker", "tpu"]),
            help="Train on several devices, or machines (TF_CONFIG).  [default: none]",
        ),
        click.option(
            "--precision",
            type=click.Choice(["float32", "mixed_bfloat16"]),
            help="Numeric precision of training.  [default: the recipe's]",
        ),
        click.option(
            "--batch-size",
            type=click.IntRange(2),
            help="Images in a step, over all devices.  [default: the recipe's, or one"
            " that suits the device]",
        ),
        click.option(
            "--deterministic",
            is_flag=True,
            default=None,
            help="Train to the same weights bit for bit, without time limits.",
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def device_values(named: dict[str, Any], sections: Sequence[str]) -> dict[str, Any]:
    """Takes the options of `device_options` out of others, as settings.

    Args:
        named: options by name, from which they are removed.
        sections: the sections with a `batch_size` that the command trains.

    Returns:
        `{"section.key": value}`; None for an option that was not given.
    """
    keys = "device", "strategy", "deterministic"
    values = {f"training.{key}": named.pop(key) for key in keys}
    batch_size, precision = named.pop("batch_size"), named.pop("precision")
    values |= {f"{section}.batch_size": batch_size for section in sections}
    values["training.precision"] = precision
    if "captions" in sections:
        values["captions.precision"] = precision
    return values


def print_devices(settings: "Settings", stages: dict[str, tuple[str, int]]) -> Any:
    """Chooses the devices of a training, and says which on standard error.

    Args:
        settings: all settings.
        stages: precision and global batch of each stage by name.

    Returns:
        The `tf.distribute.Strategy`.

    Raises:
        UserError: the device is not available.
    """
    from kerasgan.training.devices import describe_devices, use_device

    strategy = use_device(settings.training)
    click.echo(describe_devices(strategy), err=True)
    for name, (precision, batch_size) in stages.items():
        click.echo(
            f"{name}: precision {precision}, global batch {batch_size}", err=True
        )
    return strategy


def caption_column_option(function: Callable) -> Callable:
    """Adds `--caption-column`, which is None if it is not given."""
    return click.option(
        "--caption-column",
        "caption_columns",
        metavar="NAME",
        multiple=True,
        callback=lambda context, option, names: list(names) or None,
        help="Column of the table with texts (repeatable; '' for none).  [default:"
        " inferred]",
    )(function)


def table_options(function: Callable) -> Callable:
    """Adds the options for the images and columns of a table."""
    function = caption_column_option(function)
    for name, metavar, text in (
        ("--label-column", "NAME", "Column of the table with classes ('' for none)."),
        ("--image-column", "NAME", "Column of the table with images ('a;b': two)."),
        ("--image-root", "DIR", "Folder to which the file names are relative."),
    ):
        function = click.option(name, metavar=metavar, help=text)(function)
    return function


def json_option(function: Callable) -> Callable:
    """Adds `--json`, which prints one JSON object on standard output."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON object only."
    )(function)


def png_name(
    context: click.Context, option: click.Parameter, name: str | None
) -> str | None:
    """Validates the file name of a PNG before anything is computed."""
    if name is not None and not name.lower().endswith(".png"):
        raise click.BadParameter(f"{name} does not end in .png.")
    if name is not None and os.path.isdir(name):
        raise click.BadParameter(f"{name} is a folder.")
    return name


def print_skipped(info: dict) -> None:
    """Prints on standard error what was skipped in a data set, and its notes.

    Args:
        info: `Pairs.info`.
    """
    reasons = [f"{count:,} × {reason}" for reason, count in info["skipped"].items()]
    if reasons:
        line = f"Skipped: {', '.join(reasons)}."
        click.echo(escape_unprintable(line), err=True)
    for note in info["notes"]:
        click.echo(escape_unprintable(note), err=True)


def read_scalar(text: str | None) -> int | str | None:
    """Converts a number to int and returns other texts unchanged."""
    try:
        return int(text)
    except (TypeError, ValueError):
        return text


def gather_settings(
    config: str | None,
    assignments: Sequence[str],
    named: dict[str, object],
    base: "Settings | None" = None,
) -> "Settings":
    """Resolves a recipe, `--set` and named options, in this order.

    Args:
        config: name or path of a recipe, or None.
        assignments: texts such as `gan.latent_dim=64`.
        named: `{"section.key": value}`; None for an option that was not given.
        base: settings to start from instead of the defaults.

    Returns:
        The settings; the data set has been checked as far as possible without reading.

    Raises:
        UserError: a setting is invalid, or the data set cannot be read.
    """
    from kerasgan.config.recipes import read_assignment, read_recipe, resolve
    from kerasgan.data.dataset_spec import check_dataset

    values = dict(read_assignment(text) for text in assignments)
    values |= {key: value for key, value in named.items() if value is not None}
    recipe = read_recipe(config) if config else None
    settings = resolve(recipe, values, base=base, source=str(config))
    check_dataset(settings.data)
    return settings


def run_to_resume(command: str, run_dir: str | None = None) -> "Run":
    """Opens the run in `run_dir`, or the latest one of a command.

    Args:
        command: the command that trains.
        run_dir: path of a run directory, or None.

    Raises:
        UserError: there is no such run.
    """
    from kerasgan.runs import latest_run, open_run

    run = open_run(run_dir) if run_dir else latest_run(command)
    run.require_command(command)
    return run


def print_settings(settings: "Settings") -> None:
    """Prints settings as YAML."""
    import sys

    from ruamel.yaml import YAML

    YAML().dump(settings.model_dump(), sys.stdout)


def import_tensorflow() -> None:
    """Imports TensorFlow and Keras without their messages about missing devices."""
    from kerasgan.quiet import quiet_import

    with quiet_import():
        import keras  # noqa: F401
        import tensorflow as tf

        tf.config.list_physical_devices()
