"""`kerasgan evaluate`."""

import json

import click

from kerasgan.cli.options import import_tensorflow, json_option, table_options
from kerasgan.errors import UserError

OF_A_TABLE = (
    "image_root",
    "image_column",
    "caption_columns",
    "label_column",
    "max_bad",
)


@click.command("evaluate")
@click.argument("run", metavar="RUN")
@click.option(
    "--source",
    metavar="FILE",
    help="For a classifier: another table with the same labels, judged whole; its"
    " columns are the run's where they are not named.",
)
@table_options
@click.option(
    "--max-bad", type=click.FloatRange(0, 1), help="Share of its rows that may be bad."
)
@click.option("--data-dir", metavar="DIR", help="Where prepared data sets lie.")
@click.option(
    "--without",
    type=click.Choice(["image", "text"]),
    help="For a classifier: judge it with this side missing.",
)
@json_option
def command(run, data_dir, as_json, **options):
    """Judge a run.

    Of train-gan: its captions by paper A's protocol, beside what they must be better
    than, and its matcher by retrieval both ways. Thresholds are chosen on validation
    images, figures are of the test images. RUN/results holds all of them:
    similarity.json, captions.json, retrieval.json, predictions.csv with every
    caption's scores, images.json where the run generates images, and examples.png
    with the best, middle and worst captions.

    Of train-classifier: its classes, on its test pairs or on --source.

    \b
    Examples:
      kerasgan evaluate runs/00000-train-gan-scenes
      kerasgan evaluate runs/00000-train-classifier-table --source more.csv
    """
    from kerasgan.runs import open_run

    opened = open_run(run, data_dir)
    if opened.command == "train-classifier":
        if not options["source"]:
            _refuse(options, OF_A_TABLE, "goes with --source.")
        return _judge_classifier(opened, as_json, **options)
    _refuse(options, options, "is for runs of train-classifier.")
    judge(opened, as_json)


def _refuse(options, names, why):
    parameters = click.get_current_context().command.params
    spelt = {parameter.name: parameter.opts[0] for parameter in parameters}
    for name in names:
        if options[name] is not None:
            raise UserError(f"{spelt[name]} {why}")


def _judge_classifier(run, as_json, source, without, **columns):
    import_tensorflow()
    from kerasgan.evaluation.evaluate_classifier import evaluate_classifier
    from kerasgan.report.classification_report import scores_table

    scores = evaluate_classifier(run, source, without, **columns)
    if as_json:
        return click.echo(json.dumps(scores, ensure_ascii=False))
    click.echo(scores_table(scores))


def judge(run, as_json=False):
    """Judges an opened run and prints what came of it."""
    import_tensorflow()
    from kerasgan.evaluation.evaluate_captions import evaluate_captions
    from kerasgan.report.caption_examples import save_run_examples
    from kerasgan.report.tables import protocol_tables

    results = evaluate_captions(run, lambda line: click.echo(line, err=True))
    if "reranked" in results["similarity"]["rows"]:
        save_run_examples(run)
    if as_json:
        return click.echo(json.dumps(results, ensure_ascii=False))
    click.echo(protocol_tables(results))
    click.echo(f"\nResults: {run.results}")
