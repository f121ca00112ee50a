"""`kerasgan load-data`: reads, checks, samples, splits and prepares a data set."""

import json
import typing

import click

from kerasgan.cli.options import (
    gather_settings,
    json_option,
    read_scalar,
    table_options,
)
from kerasgan.config.settings import DataConfig

# Option, type, help. Defaults and choices are DataConfig's, and stand there alone.
OPTIONS = [
    ("--source", None, "Directory or file that holds the data set."),
    ("--labels", None, "`coyo`: COYO-Labeled-300M's parts, or a table of labels."),
    ("--label-threshold", float, "`coyo`: least probability of an image's class."),
    ("--label-groups", int, "`coyo`: how many classes are kept, the commonest."),
    ("--sample", None, "all, paper (Cochran's formula) or a number of images."),
    ("--sample-unit", None, "What is counted for a sample."),
    ("--split", float, "Part that trains.  [default: as published, else 0.8]"),
    ("--seed", int, "Decides the sample, the split and the scenes."),
    ("--image-size", int, "Width and height of the prepared images."),
    ("--fit", None, "How an image becomes square."),
    ("--num-images", int, "How many `scenes` are drawn."),
    ("--z", float, "Cochran: normal quantile of the confidence level."),
    ("--p", float, "Cochran: expected proportion."),
    ("--e", float, "Cochran: margin of error."),
    ("--rounding", None, "Cochran: how the size is rounded."),
    ("--data-dir", None, "Where prepared data sets lie.  [default: TFDS's own]"),
    ("--max-bad", float, "Share of bad rows that stops."),
]


def data_options(function):
    """Every setting of DataConfig as an option; None where it was not given."""
    for name, kind, text in reversed(OPTIONS):
        field = DataConfig.model_fields[name.removeprefix("--").replace("-", "_")]
        if typing.get_origin(field.annotation) is typing.Literal:
            kind = click.Choice(typing.get_args(field.annotation))
        if field.default is not None:
            text += f"  [default: {field.default}]"
        function = click.option(name, type=kind, help=text)(function)
    return function


@click.command("load-data")
@click.argument("dataset")
@data_options
@table_options
@click.option(
    "--population-correction/--no-population-correction",
    default=None,
    help="Cochran: correct for the finite population.",
)
@json_option
def command(dataset, as_json, sample, **values):
    """Reads, checks, samples, splits and prepares the data set DATASET.

    DATASET is scenes (drawn here), flickr30k, flickr8k, table (a CSV, TSV, JSONL or
    Parquet file) or coyo (shards of img2dataset). What is prepared already is not
    prepared again.
    """
    values |= {"dataset": dataset, "sample": read_scalar(sample)}
    named = {f"data.{key}": value for key, value in values.items()}
    config = gather_settings(None, (), named).data

    from kerasgan.data import load_data

    pairs = load_data(config)
    if as_json:
        click.echo(json.dumps(pairs.info, ensure_ascii=False))
    else:
        print_table(pairs)


def print_table(pairs):
    """What was read and chosen, for people."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    info = pairs.info
    table = Table(title=f"{info['dataset']} ({info['layout']})", show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in table_rows(info):
        table.add_row(name, Text(value))
    before = ", before this call" if pairs.was_prepared else ""
    table.add_row("prepared" + before, Text(info["prepared"]))
    Console().print(table)


def table_rows(info):
    """(name, value) of each line of the table."""
    if info["source"]:
        yield "source", info["source"]
    yield "images", f"{info['images']:,}"
    yield "captions", f"{info['captions']:,}"
    yield "kept", f"{info['kept']:,}"
    yield "repaired", f"{info['repaired']:,}"
    yield "skipped", f"{sum(info['skipped'].values()):,}"
    for reason, count in info["skipped"].items():
        yield f"  {reason}", f"{count:,}"
    for example in info["examples"]:
        place = f"{example['file']}:{example['line']}"
        yield f"  {example['reason']}", f"{place}: {example['value']}"
    for note in info["notes"]:
        yield "note", note
    sample = info["sample"]
    yield "sample", sample["formula"] or f"{sample['size']:,}, by {sample['unit']}"
    kind = info["split"]["kind"]
    yield "train / test", f"{info['train']:,} / {info['test']:,} ({kind})"
