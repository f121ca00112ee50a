"""Batch inference, which `caption` and `classify` share."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from kerasgan.errors import UserError
from kerasgan.inference.prediction_writer import escape_unprintable

if TYPE_CHECKING:
    from kerasgan.data.read_report import ReadReport
    from kerasgan.inference.batch import BatchSummary, ImageLoader, Predictor
    from kerasgan.inference.inputs import InferenceInput
    from kerasgan.inference.prediction_writer import PredictionWriter
    from kerasgan.runs import Run


@dataclass(frozen=True)
class BatchPredictor:
    """A loaded model, ready for batches.

    Attributes:
        load_image: see `predict_batches`.
        predict: see `predict_batches`.
        draw: None, or a function of `(image, prediction)` pairs that draws a sheet.
    """

    load_image: "ImageLoader"
    predict: "Predictor"
    draw: Callable[[list[tuple]], None] | None = None


def batch_options(function: Callable) -> Callable:
    """Adds the options for the inputs and the output of a batch."""
    options = [
        (
            "--source",
            "TABLE",
            "Predict for the rows of a CSV, TSV, JSONL or Parquet file.",
        ),
        (
            "--image-root",
            "DIR",
            "Folder of the table's images.  [default: folder of the table]",
        ),
        (
            "--image-column",
            "NAME",
            "Column of the table with file names of images.  [default: inferred]",
        ),
        ("--out", "FILE", "Write the predictions to a .jsonl, .csv or .parquet file."),
    ]
    function = click.option(
        "--resume", is_flag=True, help="Continue the interrupted file of --out."
    )(function)
    for name, metavar, text in reversed(options):
        function = click.option(name, metavar=metavar, help=text)(function)
    return function


def predict_all(
    run: "Run",
    options: dict[str, Any],
    paths: Sequence[str],
    texts: Sequence[str],
    columns: dict[str, Any],
    load: Callable[[], BatchPredictor],
    out: str | None,
    resume: bool,
    **table: Any,
) -> None:
    """Predicts for all inputs, and prints the results or writes them to a file.

    Args:
        run: the run of the model.
        options: the command, and its options on which the predictions depend.
        paths: files and folders.
        texts: of the inputs.
        columns: of the output, see `PredictionWriter.finish`.
        load: loads the model, once all inputs have been checked.
        out: path of the output, or None for standard output.
        resume: whether `out` is continued.
        **table: the others of `batch_options`, `caption_columns`, and `join_images`.

    Raises:
        UserError: contradicting options, or no inputs.
        SystemExit: 1 without any prediction, 130 after Ctrl-C.
    """
    from kerasgan.inference.prediction_writer import PredictionWriter

    if resume and not out:
        raise UserError("--resume needs the file to continue, as --out.")
    writer = PredictionWriter(out, resume) if out else None
    if writer and writer.finished:
        return click.echo(f"{writer.out} is complete already.", err=True)
    with contextlib.closing(writer) if writer else contextlib.nullcontext():
        _predict_inputs(run, options, (paths, texts, table), columns, load, writer)


def _predict_inputs(run, options, inputs, columns, load, writer):
    """Predicts for inputs that are given as paths, texts and the options of a table."""
    from kerasgan.data.read_report import ReadReport
    from kerasgan.inference.batch import CHUNK_SIZE, BatchSummary
    from kerasgan.inference.inputs import inputs_fingerprint

    paths, _, table = inputs
    list_inputs, report = _input_lister(*inputs), ReadReport()
    total, fingerprint = inputs_fingerprint(list_inputs(report))
    if not total:
        raise UserError("Found no images.")
    num_done, summary = 0, BatchSummary()
    if writer:
        settings = options | _run_state(run) | table
        settings |= {"images": total, "digest of names and texts": fingerprint}
        num_done = writer.begin(settings, CHUNK_SIZE)
        summary.add(writer if num_done else ())
    predictor, inputs = load(), list_inputs(ReadReport())
    is_batch = any([writer, table["source"], *map(os.path.isdir, paths)])
    has_bar = is_batch and (writer is not None or not sys.stdout.isatty())
    bar = options["command"], total, has_bar, num_done
    _predict(predictor, inputs, bar, "text" in columns, summary, writer)
    if writer:
        writer.finish(columns)
    if is_batch:
        click.echo(_summary_text(summary, report), err=True)
    if not summary.num_predicted:
        raise SystemExit(1)
    _draw(predictor, list_inputs(ReadReport()), summary)


def _predict(
    predictor: BatchPredictor,
    inputs: "Iterator[InferenceInput]",
    progress: tuple[str, int, bool, int],
    include_text: bool,
    summary: "BatchSummary",
    writer: "PredictionWriter | None",
) -> None:
    """Predicts chunk by chunk; each is written before the next."""
    from kerasgan.inference.batch import predict_batches
    from kerasgan.inference.prediction_writer import json_line
    from kerasgan.progress import progress_bar

    *_, num_done = progress
    chunks = predict_batches(
        inputs, predictor.load_image, predictor.predict, include_text, num_done
    )
    try:
        with progress_bar(*progress) as advance:
            for predictions in chunks:
                summary.add(predictions)
                if writer:
                    writer.append(predictions)
                else:
                    click.echo("".join(map(json_line, predictions)), nl=False)
                advance(len(predictions))
    except KeyboardInterrupt:
        hint = f" Resume with --resume; {writer.partial} is kept." if writer else ""
        click.echo(f"Stopped.{hint}", err=True)
        raise SystemExit(130) from None


def _draw(predictor, inputs, summary: "BatchSummary") -> None:
    from kerasgan.inference.batch import reload_images

    if not predictor.draw:
        return
    pairs = list(reload_images(inputs, predictor.load_image, summary.previews))
    if not pairs:
        return
    predictor.draw(pairs)
    if summary.num_predicted > len(pairs):
        click.echo(
            f"The figure shows the first {len(pairs)} of {summary.num_predicted:,}.",
            err=True,
        )


def _input_lister(
    paths: Sequence[str], texts: Sequence[str], table: dict[str, Any]
) -> "Callable[[ReadReport], Iterator[InferenceInput]]":
    """Returns a function that lists all inputs; takes `join_images` out of `table`."""
    from kerasgan.data.dataset_spec import dataset_config
    from kerasgan.inference.inputs import inputs_from_paths, inputs_from_table

    join_images = table.pop("join_images", False)
    if table["source"] is None:
        if any(table.values()):
            raise UserError("--image-root and the columns need a table: --source.")
        if not paths and not texts:
            raise UserError("No inputs. Pass images, a folder, or a table as --source.")
        return lambda report: inputs_from_paths(paths, texts)
    if paths or texts:
        raise UserError("--source cannot be combined with images or texts.")
    for name in ("source", "image_root"):
        if table[name]:
            table[name] = os.path.abspath(os.path.expanduser(table[name]))
    config = dataset_config("table", None, table | {"label_column": ""})
    return lambda report: inputs_from_table(config, report, join_images)


def _run_state(run: "Run") -> dict[str, str]:
    """Path of the run, and when its models were written."""
    from datetime import UTC, datetime

    times = [path.stat().st_mtime for path in run.models.glob("*")]
    trained = datetime.fromtimestamp(max(times, default=0), UTC)
    return {"run": str(run.path), "trained": trained.isoformat()}


def _summary_text(summary: "BatchSummary", report: "ReadReport") -> str:
    rows = ", ".join(f"{n:,} × {reason}" for reason, n in report.skipped.items())
    skipped = [f"Skipped rows: {rows}."] if rows else []
    return escape_unprintable(" ".join([f"{summary}.", *skipped, *report.notes]))
