"""Options that several commands share, and how they become settings."""

import os

import click


def recipe_options(function):
    """`--config` and `--set`, for every command that trains."""
    function = click.option(
        "--set",
        "assignments",
        multiple=True,
        metavar="SECTION.KEY=VALUE",
        help="Set any value of the recipe, e.g. gan.latent_dim=64 (repeatable).",
    )(function)
    return click.option(
        "--config", metavar="FILE", help="A recipe (YAML).  [default: scenes]"
    )(function)


def caption_column_option(function):
    """`--caption-column`; None where it was not given."""
    return click.option(
        "--caption-column",
        "caption_columns",
        metavar="NAME",
        multiple=True,
        callback=lambda context, option, names: list(names) or None,
        help="The table's column of texts, where no name is plain (repeatable; '' for"
        " none).",
    )(function)


def table_options(function):
    """Where a table's images lie, and which of its columns are used."""
    function = caption_column_option(function)
    for name, metavar, text in (
        (
            "--label-column",
            "NAME",
            "The table's column of classes, likewise ('' for none).",
        ),
        (
            "--image-column",
            "NAME",
            "The table's column of images, where no name is plain.",
        ),
        ("--image-root", "DIR", "Folder that the images' names start from."),
    ):
        function = click.option(name, metavar=metavar, help=text)(function)
    return function


def json_option(function):
    """`--json`: one JSON object on standard output and nothing else there."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON object, nothing else."
    )(function)


def png_name(context, option, name):
    """Refuses what cannot be drawn under its name, before anything is computed."""
    if name is not None and not name.lower().endswith(".png"):
        raise click.BadParameter(f"{name} does not end in .png.")
    if name is not None and os.path.isdir(name):
        raise click.BadParameter(f"{name} is a folder.")
    return name


def tell_losses(info):
    """Says on standard error what of the data was left out, and what was noted."""
    lost = [f"{count:,} × {reason}" for reason, count in info["skipped"].items()]
    for line in [*([f"Left out: {', '.join(lost)}."] if lost else []), *info["notes"]]:
        click.echo(line, err=True)


def read_scalar(text):
    """`"100"` is a number, `"paper"` a word."""
    try:
        return int(text)
    except (TypeError, ValueError):
        return text


def gather_settings(config, assignments, named, base=None):
    """Resolves a recipe, `--set` and the named options, in this order, and refuses a
    data set that cannot be, before anything is made for it.

    Args:
        config: path of a recipe, or None.
        assignments: texts as `gan.latent_dim=64`.
        named: `{"section.key": value}`; None is an option that was not given.
        base: settings to start from instead of the defaults.
    """
    from kerasgan.config.recipes import read_assignment, read_recipe, resolve
    from kerasgan.data.dataset_spec import check_dataset

    values = dict(read_assignment(text) for text in assignments)
    values |= {key: value for key, value in named.items() if value is not None}
    recipe = read_recipe(config) if config else None
    settings = resolve(recipe, values, base=base, place=str(config))
    check_dataset(settings.data)
    return settings


def run_to_resume(command, run_dir=None):
    """The run in `run_dir`, or the last one of `command`; of no other command."""
    from kerasgan.runs import latest_run, open_run

    run = open_run(run_dir) if run_dir else latest_run(command)
    run.require_command(command)
    return run


def import_tensorflow():
    """Imports TensorFlow and Keras without their notes on what they do not find."""
    from kerasgan.quiet import quiet_import

    with quiet_import():
        import keras  # noqa: F401
        import tensorflow as tf

        tf.config.list_physical_devices()
