"""`kerasgan train-classifier`."""

import json
import shutil

import click

from kerasgan.cli.options import (
    gather_settings,
    import_tensorflow,
    json_option,
    read_scalar,
    recipe_options,
    run_to_resume,
    table_options,
    tell_losses,
)
from kerasgan.errors import UserError

FOR_TABLES = (
    "The settings were those for the embedded data set; kerasgan's"
    " configs/table-classifier.yaml has better ones for tables, and takes longer."
)


@click.command("train-classifier")
@recipe_options
# Data.
@click.option("--dataset", help="scenes, coyo, table or another with classes.")
@click.option("--source", metavar="PATH", help="Directory or file of the data set.")
@table_options
@click.option("--data-dir", metavar="DIR", help="Where prepared data sets lie.")
@click.option("--sample", metavar="all|paper|N", help="How many images are used.")
@click.option(
    "--mask-label-words",
    is_flag=True,
    default=None,
    help="Leave words that name a class out of the texts; they are printed.",
)
# What is trained.
@click.option(
    "--modality",
    type=click.Choice(["pair", "image", "text"]),
    help="What the classifier is given.  [default: pair]",
)
@click.option(
    "--fusion",
    type=click.Choice(["ensemble", "paper"]),
    help="Parts trained alone and pooled, or the paper's one network. [default: ours]",
)
@click.option("--backbone", metavar="NAME", help="conv, efficientnet-lite0 or another.")
@click.option("--compare", is_flag=True, help="Train every row on the same pairs.")
@click.option(
    "--seeds", type=click.IntRange(1), default=1, show_default=True, help="Splits."
)
@click.option("--epochs", type=click.IntRange(1), help="Times through the pairs.")
@click.option("--seed", type=int, help="Of the sample, the split and the training.")
# The run.
@click.option("--run-dir", metavar="DIR", help="The run directory.  [default: runs/N]")
@click.option("--resume", is_flag=True, help="Go on with --run-dir, or the last run.")
@click.option("-n", "--dry-run", is_flag=True, help="Show the settings, and stop.")
@json_option
def command(
    config, assignments, compare, seeds, run_dir, resume, dry_run, as_json, **named
):
    """Train a classifier of images with words: paper B's, or ours, which is
    hardly ever worse than the better of the two alone.

    --compare trains the commonest class, TF-IDF with logistic regression, image
    alone, text alone, the paper's pair without and with attention, and ours, on the
    same pairs, and writes RUN/results/classification.json, a chart and confusion
    matrices.

    \b
    Examples:
      kerasgan train-classifier                            # the embedded data set
      kerasgan train-classifier --config configs/table-classifier.yaml \\
          --source products.csv --compare --seeds 3
    """
    settings, run = _settings(config, assignments, run_dir, resume, named)
    if dry_run:
        return _show(settings)
    run = run or _new_run(settings, run_dir)
    try:
        found = _train(settings, run, compare, seeds)
    except KeyboardInterrupt:
        click.echo(
            "Stopped. Go on: kerasgan train-classifier --resume --run-dir"
            f" {run.path} --seeds {seeds}{' --compare' if compare else ''}",
            err=True,
        )
        raise SystemExit(130) from None
    except UserError:
        if not resume and not any(run.results.iterdir()):
            shutil.rmtree(run.path)  # leave nothing behind
        raise
    tell_losses(run.data)
    if not (config or resume) and settings.data.dataset == "table":
        click.echo(FOR_TABLES, err=True)
    if as_json:
        return click.echo(json.dumps(found, ensure_ascii=False))
    from kerasgan.report.classification_report import classification_text

    click.echo(classification_text(found))
    click.echo(f"\nRun: {run.path}")


def _settings(config, assignments, run_dir, resume, named):
    training = {"epochs", "modality", "fusion", "backbone", "mask_label_words"}
    values = {
        f"{'classifier' if key in training else 'data'}.{key}": value
        for key, value in named.items()
    }
    values["data.sample"] = read_scalar(named["sample"])
    values["training.seed"] = named["seed"]
    run = run_to_resume("train-classifier", run_dir) if resume else None
    base = run.settings if run else None
    return gather_settings(config, assignments, values, base=base), run


def _train(settings, run, every_row, seeds):
    """Trains, judges, and draws what there is to look at."""
    import_tensorflow()
    from kerasgan.evaluation.compare_classifiers import (
        ROWS,
        compare_classifiers,
        row_of_settings,
    )
    from kerasgan.report.classification_report import save_images

    def say(line):
        click.echo(line, err=True)

    run.require_same_settings(settings)
    own = "majority", "tfidf", row_of_settings(settings.classifier)
    found = compare_classifiers(run, ROWS if every_row else own, seeds, say)
    save_images(found, run.results)
    return found


def _new_run(settings, run_dir):
    from kerasgan.runs import new_run

    return new_run("train-classifier", settings, run_dir)


def _show(settings):
    import sys

    from ruamel.yaml import YAML

    YAML().dump(settings.model_dump(), sys.stdout)
