"""`kerasgan train-classifier`."""

import shutil
from typing import TYPE_CHECKING, Any

import click

from kerasgan.cli.options import (
    device_options,
    device_values,
    gather_settings,
    import_tensorflow,
    json_option,
    print_devices,
    print_settings,
    print_skipped,
    read_scalar,
    recipe_options,
    run_to_resume,
    table_options,
)
from kerasgan.cli.worker_runs import own_run
from kerasgan.errors import UserError
from kerasgan.inference.prediction_writer import json_line

if TYPE_CHECKING:
    from kerasgan.config.settings import Settings
    from kerasgan.runs import Run

CLASSIFIER_OPTIONS = {
    *("epochs", "modality", "fusion", "backbone", "mask_label_words", "multi_label"),
    *("balance", "fill_captions"),
}
TABLE_HINT = (
    "These are the settings for the embedded data set. --config table-classifier has"
    " better ones for tables, and takes longer."
)


@click.command("train-classifier")
@recipe_options("scenes-classifier")
# Data.
@click.option(
    "--dataset", help="Data set: scenes, coyo, table or another with classes."
)
@click.option("--source", metavar="PATH", help="Directory or file of the data set.")
@table_options
@click.option("--data-dir", metavar="DIR", help="Directory of prepared data sets.")
@click.option("--sample", metavar="all|paper|N", help="Size of the sample of images.")
@click.option(
    "--mask-label-words",
    is_flag=True,
    default=None,
    help="Remove words that name a class from the texts; they are printed.",
)
@click.option(
    "--fill-captions",
    metavar="RUN",
    help="Caption images without text by the captioner of this run of train-gan.",
)
@click.option(
    "--multi-label",
    is_flag=True,
    default=None,
    help="Pairs have any number of labels: a list, or separated by ; or |.",
)
# Model.
@click.option(
    "--modality",
    type=click.Choice(["pair", "image", "text"]),
    help="Inputs of the classifier.  [default: pair]",
)
@click.option(
    "--fusion",
    type=click.Choice(["ensemble", "paper"]),
    help="Train an ensemble, or the single network of paper B.  [default: ensemble]",
)
@click.option(
    "--backbone",
    metavar="NAME",
    help="Image encoder: conv, efficientnet-lite0, several such networks joined by +,"
    " or a network of keras.applications.",
)
@click.option(
    "--balance",
    is_flag=True,
    default=None,
    help="Let rare classes count as much as frequent ones in training.",
)
@click.option("--compare", is_flag=True, help="Train all models for comparison.")
@click.option(
    "--seeds",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Number of random splits.",
)
@click.option("--epochs", type=click.IntRange(1), help="Maximum number of epochs.")
@device_options
@click.option(
    "--seed", type=int, help="Seed of the sample, the split and the training."
)
# Run.
@click.option("--run-dir", metavar="DIR", help="The run directory.  [default: runs/N]")
@click.option("--resume", is_flag=True, help="Continue --run-dir, or the latest run.")
@click.option("-n", "--dry-run", is_flag=True, help="Print the settings, and exit.")
@json_option
def command(
    config: str | None,
    assignments: tuple[str, ...],
    compare: bool,
    seeds: int,
    run_dir: str | None,
    resume: bool,
    dry_run: bool,
    as_json: bool,
    **named: Any,
) -> None:
    """Train a classifier of images and texts: an ensemble, or paper B's network.

    --compare trains on the same pairs: the majority class, TF-IDF with logistic
    regression, the image only, the text only, paper B's network without and with
    attention, and the ensemble. It writes RUN/results/classification.json, a chart and
    confusion matrices.

    --multi-label predicts any number of labels for a pair, each with a probability of
    its own.

    \b
    Examples:
      kerasgan train-classifier                            # the embedded data set
      kerasgan train-classifier --config table-classifier \\
          --source products.csv --compare --seeds 3
    """
    settings, run = _resolve(config, assignments, run_dir, resume, named)
    if dry_run:
        return print_settings(settings)
    from kerasgan.runs import training_run

    run = own_run("train-classifier", settings, run, run_dir)
    with training_run("train-classifier", settings, run):
        results = _train_or_stop(settings, run, compare, seeds, resume)
    print_skipped(run.data)
    if not (config or resume) and settings.data.dataset == "table":
        click.echo(TABLE_HINT, err=True)
    if as_json:
        return click.echo(json_line(results), nl=False)
    from kerasgan.report.classification_report import comparison_text

    click.echo(comparison_text(results))
    click.echo(f"\nRun: {run.path}")


def _train_or_stop(settings, run, compare, seeds, resume):
    """Trains; says how to go on if it is interrupted, and removes a run of nothing."""
    try:
        return _train(settings, run, compare, seeds)
    except KeyboardInterrupt:
        click.echo(
            "Training stopped. Resume with: kerasgan train-classifier --resume"
            f" --run-dir {run.path} --seeds {seeds}{' --compare' if compare else ''}",
            err=True,
        )
        raise SystemExit(130) from None
    except UserError:
        if not resume and not any(run.results.iterdir()):
            shutil.rmtree(run.path)  # nothing was trained
        raise


def _resolve(config, assignments, run_dir, resume, named):
    """Resolves the options to settings and to the run that is resumed, if any."""
    values = device_values(named, ("classifier",))
    values |= {
        f"{'classifier' if key in CLASSIFIER_OPTIONS else 'data'}.{key}": value
        for key, value in named.items()
    }
    values["data.sample"] = read_scalar(named["sample"])
    values["training.seed"] = named["seed"]
    run = run_to_resume("train-classifier", run_dir) if resume else None
    base = run.settings if run else None
    return gather_settings(config, assignments, values, base=base), run


def _train(settings: "Settings", run: "Run", compare: bool, seeds: int) -> dict:
    """Trains and evaluates the models, and draws the figures."""
    import_tensorflow()
    from kerasgan.evaluation.compare_classifiers import (
        ROWS,
        compare_classifiers,
        row_of_settings,
    )
    from kerasgan.report.classification_report import save_charts

    stage = settings.training.precision, settings.classifier.batch_size
    print_devices(settings, {"classifier": stage})
    rows = ROWS
    if not compare:
        rows = "majority", "tfidf", row_of_settings(settings.classifier)
    results = compare_classifiers(
        run, rows, seeds, lambda line: click.echo(line, err=True)
    )
    save_charts(results, run.results)
    return results
