"""`kerasgan load-data`."""

import typing
from collections.abc import Callable, Iterator

import click

from kerasgan.cli.options import (
    gather_settings,
    json_option,
    read_scalar,
    table_options,
)
from kerasgan.config.settings import DataConfig
from kerasgan.inference.prediction_writer import escape_unprintable, json_line

if typing.TYPE_CHECKING:
    from kerasgan.data.pipeline import Pairs

# Option, type, help. Defaults and choices are read from DataConfig.
OPTIONS = [
    ("--source", None, "Directory or file of the data set."),
    ("--labels", None, "`coyo`: parts of COYO-Labeled-300M, or a table of labels."),
    ("--label-threshold", float, "`coyo`: lowest probability of an image's class."),
    ("--label-groups", int, "`coyo`: number of classes, the most frequent."),
    (
        "--sample",
        None,
        "Size of the sample: all, paper (Cochran's formula) or a number.",
    ),
    ("--sample-unit", None, "Unit of the sample."),
    ("--split", float, "Share that trains.  [default: as published, else 0.8]"),
    ("--seed", int, "Seed of the sample, the split and the scenes."),
    ("--image-size", int, "Width and height of the prepared images."),
    ("--fit", None, "How to make images square."),
    ("--num-images", int, "`scenes`: number of images to generate."),
    ("--z", float, "Cochran: normal quantile of the confidence level."),
    ("--p", float, "Cochran: expected proportion."),
    ("--e", float, "Cochran: margin of error."),
    ("--rounding", None, "Cochran: rounding of the sample size."),
    ("--data-dir", None, "Directory of prepared data sets.  [default: that of TFDS]"),
    ("--max-bad", float, "Allowed share of invalid rows."),
]


def data_options(function: Callable) -> Callable:
    """Adds an option for each setting of `DataConfig`; None if it is not given."""
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
@click.option(
    "--beam-pipeline-options",
    metavar="KEY=VALUE,...",
    help="Prepare with Apache Beam, for example on a cluster:"
    " runner=FlinkRunner,flink_master=HOST:8081 (pip install 'kerasgan[beam]').",
)
@json_option
def command(
    dataset: str,
    as_json: bool,
    sample: str | None,
    beam_pipeline_options: str | None,
    **values: typing.Any,
) -> None:
    """Read, check, sample, split and prepare the data set DATASET.

    DATASET is a file or folder, whose format is found out, or one of: scenes (drawn by
    kerasgan), flickr30k, flickr8k, table (a CSV, TSV, JSONL or Parquet file), folder
    (of images, in class folders, beside texts, or with metadata.csv), coco, webdataset
    (tar files), coyo (shards of img2dataset). Data that are prepared already are not
    prepared again.

    \b
    Examples:
      kerasgan load-data photographs/
      kerasgan load-data flickr30k --source flickr30k/ --sample paper
      kerasgan load-data table --source products.csv --label-column category
    """
    dataset, values["source"] = _resolve_dataset(dataset, values["source"])
    values |= {"dataset": dataset, "sample": read_scalar(sample)}
    named = {f"data.{key}": value for key, value in values.items()}
    config = gather_settings(None, (), named).data

    from kerasgan.data import load_data

    pairs = load_data(config, beam_pipeline_options=beam_pipeline_options)
    if as_json:
        for note in pairs.info["notes"]:
            click.echo(escape_unprintable(note), err=True)
        click.echo(json_line(pairs.info), nl=False)
    else:
        print_table(pairs)


def _resolve_dataset(dataset: str, source: str | None) -> tuple[str, str | None]:
    """Returns name and source of a data set, of which only the source may be named."""
    from pathlib import Path

    from kerasgan.data.dataset_spec import DATASETS

    path = Path(dataset).expanduser()
    if dataset in DATASETS or source is not None or not path.exists():
        return dataset, source
    from kerasgan.data.layouts.detection import detect_dataset

    name, found = detect_dataset(path)
    click.echo(f"{dataset} is read as: {name} --source {found}", err=True)
    return name, str(found)


def print_table(pairs: "Pairs") -> None:
    """Prints what was read, skipped, sampled and prepared.

    Args:
        pairs: the data set.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    info = pairs.info
    title = escape_unprintable(f"{info['dataset']} ({info['layout']})")
    table = Table(title=title, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    when = " earlier" if pairs.was_prepared else ""
    for row in (*table_rows(info), (f"prepared{when}", info["prepared"])):
        table.add_row(*(Text(escape_unprintable(cell)) for cell in row))
    Console(markup=False, emoji=False).print(table)


def table_rows(info: dict) -> Iterator[tuple[str, str]]:
    """Yields name and value of each row of the table.

    Args:
        info: `Pairs.info`.
    """
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
