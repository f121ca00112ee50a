"""What `caption` and `classify` share: any number of images, answered in chunks."""

import os
import sys

import click

from kerasgan.errors import UserError


def batch_options(function):
    """Where images come from and answers go, beside IMAGE…"""
    options = [
        ("--source", "TABLE", "Ask about the rows of a CSV, TSV, JSONL or Parquet."),
        ("--image-root", "DIR", "Folder of its images.  [default: the table's own]"),
        ("--image-column", "NAME", "Its column of images, where no name is plain."),
        ("--out", "FILE", "Write the answers into this .jsonl or .parquet."),
    ]
    function = click.option(
        "--resume", is_flag=True, help="Go on with an interrupted --out."
    )(function)
    for name, metavar, text in reversed(options):
        function = click.option(name, metavar=metavar, help=text)(function)
    return function


def answer_all(run, question, paths, texts, columns, load, out, resume, **table):
    """Answers all that a command asks about, on standard output or into a file.

    Args:
        run: a `Run`.
        question: the command's name, and its options that the answers depend on.
        paths, texts: as the command line names them.
        columns: of the answers, see `Journal.finish`.
        load: called once all is checked; returns `see` and `answer`, see `answers`,
            and None or a function that draws `(image, line)` pairs.
        out, resume, table: the values of the options above, and `caption_columns`.

    Raises:
        SystemExit: 1 when nothing had an answer, 130 when it was interrupted.
    """
    from kerasgan.data.read_report import ReadReport
    from kerasgan.inference.batch import (
        CHUNK_SIZE,
        BatchSummary,
        predict_batches,
        reload_images,
    )
    from kerasgan.inference.inputs import inputs_fingerprint
    from kerasgan.inference.prediction_writer import PredictionWriter, json_line
    from kerasgan.progress import progress_bar

    if resume and not out:
        raise UserError("--resume goes on with a file: name it with --out.")
    ask, ledger = _asking(paths, texts, table), ReadReport()
    journal = PredictionWriter(out, resume) if out else None
    if journal and journal.finished:
        return click.echo(f"{journal.out} is whole: nothing left to do.", err=True)
    total, digest = inputs_fingerprint(ask(ledger))
    if not total:
        raise UserError("There is no image in what was given.")
    question = question | _state(run) | table
    question |= {"images": total, "digest of names and texts": digest}
    tally, done = BatchSummary(), 0
    if journal:
        done = journal.begin(question, CHUNK_SIZE)
        tally.add(journal if done else ())
    see, answer, draw = load()
    many = bool(out or table["source"] or any(map(os.path.isdir, paths)))
    barred = many and bool(out or not sys.stdout.isatty())
    try:
        with progress_bar(question["command"], total, barred, done) as advance:
            told = "text" in columns
            for lines in predict_batches(ask(ReadReport()), see, answer, told, done):
                tally.add(lines)
                if journal:
                    journal.append(lines)
                else:
                    click.echo("".join(map(json_line, lines)), nl=False)
                advance(len(lines))
    except KeyboardInterrupt:
        kept = f" Go on with --resume: {journal.partial} is kept." if journal else ""
        click.echo(f"Stopped.{kept}", err=True)
        raise SystemExit(130) from None
    if journal:
        journal.finish(columns)
    if many:
        click.echo(_summary(tally, ledger), err=True)
    if not tally.good:
        raise SystemExit(1)
    if draw and (pairs := list(reload_images(ask(ReadReport()), see, tally.first))):
        draw(pairs)
        if tally.good > len(pairs):
            note = f"The sheet shows the first {len(pairs)} of {tally.good:,}."
            click.echo(note, err=True)


def _asking(paths, texts, table):
    """A function of a ledger that lists all that is asked about."""
    from kerasgan.data.dataset_spec import dataset_config
    from kerasgan.inference.inputs import inputs_from_paths, inputs_from_table

    if table["source"] is None:
        if any(table.values()):
            raise UserError("--image-root and the columns belong to a --source.")
        if not paths and not texts:
            raise UserError("Nothing is asked: name images, a folder or a --source.")
        return lambda ledger: inputs_from_paths(paths, texts)
    if paths or texts:
        raise UserError("--source names its own images and texts: give no others.")
    for name in ("source", "image_root"):
        if table[name]:
            table[name] = os.path.abspath(os.path.expanduser(table[name]))
    config = dataset_config("table", None, table | {"label_column": ""})
    return lambda ledger: inputs_from_table(config, ledger)


def _state(run):
    """Which run it is, and when its networks were trained."""
    from datetime import UTC, datetime

    times = [path.stat().st_mtime for path in run.models.glob("*")]
    trained = datetime.fromtimestamp(max(times, default=0), UTC)
    return {"run": str(run.path), "trained": trained.isoformat()}


def _summary(tally, ledger):
    rows = ", ".join(f"{n:,} × {why}" for why, n in ledger.skipped.items())
    left_out = [f"Rows left out: {rows}."] if rows else []
    return " ".join([f"{tally}.", *left_out, *ledger.notes])
