"""`kerasgan evaluate`."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from kerasgan.cli.options import import_tensorflow, json_option, table_options
from kerasgan.errors import UserError

if TYPE_CHECKING:
    from kerasgan.runs import Run

TABLE_OPTIONS = (
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
    help="Evaluate a classifier on all rows of another table with the same classes. Its"
    " columns are those of the run unless they are named.",
)
@table_options
@click.option(
    "--max-bad", type=click.FloatRange(0, 1), help="Allowed share of invalid rows."
)
@click.option("--data-dir", metavar="DIR", help="Directory of prepared data sets.")
@click.option(
    "--without",
    type=click.Choice(["image", "text"]),
    help="Evaluate a classifier with this input missing.",
)
@json_option
def command(run: str, data_dir: str | None, as_json: bool, **options: Any) -> None:
    """Evaluate a run.

    A run of train-gan: its captions by the protocol of paper A, beside baselines, and
    its dual encoder by retrieval in both directions. Thresholds are chosen on
    validation images, the figures are those of the test images. RUN/results contains
    similarity.json, captions.json, retrieval.json, predictions.csv with the scores of
    each caption, images.json if the run generates images, and examples.png with the
    best, median and worst captions.

    A run of train-classifier: its predictions on its test pairs, or on --source.

    \b
    Examples:
      kerasgan evaluate runs/00000-train-gan-scenes
      kerasgan evaluate runs/00000-train-classifier-table --source more.csv
    """
    from kerasgan.runs import open_run

    opened = open_run(run, data_dir)
    if opened.command == "train-classifier":
        if not options["source"]:
            _reject(options, TABLE_OPTIONS, "needs --source.")
        _evaluate_classifier(opened, as_json, **options)
    else:
        _reject(options, options, "is for runs of train-classifier.")
        run_evaluation(opened, as_json)


def run_evaluation(run: "Run", as_json: bool = False) -> None:
    """Evaluates a run of train-gan and prints the results.

    Args:
        run: the run.
        as_json: whether one JSON object is printed instead of tables.
    """
    import_tensorflow()
    from kerasgan.evaluation.evaluate_captions import evaluate_captions
    from kerasgan.report.caption_examples import save_run_examples
    from kerasgan.report.tables import evaluation_text

    results = evaluate_captions(run, lambda line: click.echo(line, err=True))
    if "reranked" in results["similarity"]["rows"]:
        save_run_examples(run)
    if as_json:
        return click.echo(json.dumps(results, ensure_ascii=False))
    click.echo(evaluation_text(results))
    click.echo(f"\nResults: {run.results}")


def _reject(options: dict[str, Any], names: Iterable[str], reason: str) -> None:
    """Raises a UserError for the first of `names` that was given."""
    parameters = click.get_current_context().command.params
    spelling = {parameter.name: parameter.opts[0] for parameter in parameters}
    for name in names:
        if options[name] is not None:
            raise UserError(f"{spelling[name]} {reason}")


def _evaluate_classifier(run, as_json, source, without, **columns):
    import_tensorflow()
    from kerasgan.evaluation.evaluate_classifier import evaluate_classifier
    from kerasgan.report.classification_report import scores_text

    scores = evaluate_classifier(run, source, without, **columns)
    if as_json:
        return click.echo(json.dumps(scores, ensure_ascii=False))
    click.echo(scores_text(scores))
