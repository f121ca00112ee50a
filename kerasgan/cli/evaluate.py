"""`kerasgan evaluate`."""

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kerasgan.cli.options import import_tensorflow, json_option, table_options
from kerasgan.errors import UserError
from kerasgan.inference.prediction_writer import json_line

if TYPE_CHECKING:
    from kerasgan.runs import Run

TABLE_OPTIONS = (
    "image_root",
    "image_column",
    "caption_columns",
    "label_column",
    "max_bad",
)
OTHER_SYSTEM_OPTIONS = (
    "predictions",
    "images",
    "references",
    "captions",
    "dual_encoder",
    "train_captions",
    "threshold",
    "multi_label",
    "label_separators",
)


@click.command("evaluate")
@click.argument("run", metavar="[RUN|INDEX]", required=False)
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
@click.option(
    "--rerank",
    metavar="N",
    type=click.IntRange(1),
    help="Also rank the best N captions of each image, and images of each caption, by"
    " the captioner. Takes minutes for 1,000 images, and memory for all pairs.",
)
@click.option(
    "--verdicts",
    metavar="FILE",
    multiple=True,
    callback=lambda context, option, files: list(files) or None,
    help="Evaluate what a reviewer said on the page of `kerasgan review` (repeatable).",
)
@click.option(
    "--predictions",
    metavar="FILE",
    help="Evaluate the captions or classes of any system: a table, or JSON of COCO.",
)
@click.option(
    "--images", metavar="FOLDER", help="Evaluate the images of any generator."
)
@click.option(
    "--references",
    metavar="PATH",
    help="What --predictions or --images are compared with: a table, annotations of"
    " COCO, Karpathy or Flickr, or a folder of images.",
)
@click.option(
    "--captions",
    metavar="FILE",
    help="The captions that --images were generated from, in any format of"
    " --references; with --dual-encoder.",
)
@click.option(
    "--dual-encoder",
    metavar="RUN",
    help="Judge by the dual encoder of this run of train-gan whether --images agree"
    " with --captions. It must not be the generator's own run.",
)
@click.option(
    "--train-captions",
    metavar="FILE",
    help="Captions that TF-IDF is fitted on.  [default: the training split of"
    " --references, or else all of them]",
)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    help="Threshold of --predictions.  [default: chosen on half of the images]",
)
@click.option(
    "--multi-label",
    is_flag=True,
    default=None,
    help="Compare sets of classes.  [default: if a row has several]",
)
@click.option(
    "--label-separators",
    metavar="TEXT",
    help="Characters between the classes of a row of --predictions or --references, ''"
    " for none.  [default: ;|]",
)
@json_option
def command(
    run: str | None, data_dir: str | None, as_json: bool, **options: Any
) -> None:
    """Evaluate a run, or the predictions or images of any system.

    A run of train-gan: its captions by the protocol of paper A, beside baselines, and
    its dual encoder by retrieval in both directions. Thresholds are chosen on
    validation images, the figures are those of the test images. RUN/results contains
    similarity.json, captions.json, retrieval.json, predictions.csv with the scores of
    each caption, images.json if the run generates images, and examples.png with the
    best, median and worst captions.

    With --verdicts: what people said of the captions, beside the TF-IDF cosine, and how
    far they agree (RUN/results/verdicts.json); or of the captions of an index.

    A run of train-classifier: its predictions on its test pairs, or on --source.

    Another system: its captions by the same protocol, its classes, or its images by
    KID, precision, recall, density and coverage, and by R-precision with the captions
    that they were generated from.

    \b
    Examples:
      kerasgan evaluate runs/00000-train-gan-scenes
      kerasgan evaluate runs/00000-train-classifier-table --source more.csv
      kerasgan evaluate --predictions captions.json --references dataset_coco.json
      kerasgan evaluate --images generated/ --references photographs/
      kerasgan evaluate --images generated/ --references photographs/ \\
          --captions generated/images.csv --dual-encoder runs/00001-train-gan-scenes
    """
    if run is None:
        return _evaluate_other_system(data_dir, as_json, options)
    _reject(options, OTHER_SYSTEM_OPTIONS, "is for evaluating without a RUN.")
    options = {
        name: value
        for name, value in options.items()
        if name not in OTHER_SYSTEM_OPTIONS
    }
    verdicts = options.pop("verdicts")
    if verdicts:
        _reject(options, options, "cannot be combined with --verdicts.")
        return _evaluate_verdicts(run, data_dir, verdicts, as_json)
    from kerasgan.runs import open_run

    opened, rerank = open_run(run, data_dir), options.pop("rerank")
    if opened.command == "train-classifier":
        if rerank is not None:
            raise UserError("--rerank is for runs of train-gan.")
        if not options["source"]:
            _reject(options, TABLE_OPTIONS, "needs --source.")
        _evaluate_classifier(opened, as_json, **options)
    else:
        _reject(options, options, "is for runs of train-classifier.")
        run_evaluation(opened, as_json, rerank)


def _evaluate_verdicts(name, data_dir, files, as_json):
    from kerasgan.evaluation.verdicts import evaluate_verdicts, summarize_verdicts
    from kerasgan.report.verdict_tables import verdicts_text
    from kerasgan.runs import open_run
    from kerasgan.search.index_files import is_index
    from kerasgan.search.review_items import captions_by_image
    from kerasgan.search.search_index import SearchIndex

    path, similarity = Path(name).expanduser().absolute(), None
    if is_index(path):
        captions = captions_by_image(SearchIndex(path))
        results, _ = summarize_verdicts(captions, *captions, files)
    else:
        run = open_run(path, data_dir)
        run.require_command("train-gan")
        results = evaluate_verdicts(run, files)
        similarity = run.read("results/similarity.json")["rows"][results["row"]]
    if as_json:
        return click.echo(json_line(results), nl=False)
    click.echo(verdicts_text(results, similarity))


def _evaluate_other_system(data_dir, as_json, options):
    from kerasgan.cli.evaluate_files import TABLE_COLUMNS, evaluate_other_system

    _reject(
        {**options, "data_dir": data_dir},
        sorted({*options, "data_dir"} - {*OTHER_SYSTEM_OPTIONS, *TABLE_COLUMNS}),
        "needs a RUN.",
    )
    evaluate_other_system(as_json, options)


def run_evaluation(
    run: "Run", as_json: bool = False, rerank: int | None = None
) -> None:
    """Evaluates a run of train-gan and prints the results.

    Args:
        run: the run.
        as_json: whether one JSON object is printed instead of tables.
        rerank: number of matches, see `evaluate_captions`.
    """
    import_tensorflow()
    from kerasgan.evaluation.evaluate_captions import evaluate_captions
    from kerasgan.report.caption_examples import save_run_examples
    from kerasgan.report.tables import evaluation_text

    progress = functools.partial(click.echo, err=True)
    results = evaluate_captions(run, progress, rerank)
    if "reranked" in results["similarity"]["rows"]:
        save_run_examples(run)
    if as_json:
        return click.echo(json_line(results), nl=False)
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
        return click.echo(json_line(scores), nl=False)
    click.echo(scores_text(scores))
