"""`kerasgan train-gan`."""

import shutil

import click

from kerasgan.cli.options import (
    gather_settings,
    import_tensorflow,
    read_scalar,
    recipe_options,
    run_to_resume,
    table_options,
    tell_losses,
)
from kerasgan.errors import UserError

WHAT_NULL_MEANS = """\
# No value (null) means: gan.conditional, gan.augmentation, data.split and the columns
# are chosen from the data (a run's options.json and data.json hold the choice), the
# others are off, without limit or the usual place."""
AS_WITH_CAPTIONS = "# gan.conditional is open: these are the networks with captions."


@click.command("train-gan")
@recipe_options
# Data.
@click.option("--dataset", help="scenes, flickr30k, flickr8k, coyo or table.")
@click.option("--source", metavar="PATH", help="Directory or file of the data set.")
@table_options
@click.option("--data-dir", metavar="DIR", help="Where prepared data sets lie.")
@click.option("--sample", metavar="all|paper|N", help="How many images are used.")
# Training.
@click.option(
    "--stage",
    type=click.Choice(["both", "images", "captions"]),
    help="What is trained: the generator of images, that of captions, or one after"
    " the other.  [default: both]",
)
@click.option("--epochs", type=click.IntRange(1), help="Times through the images.")
@click.option("--minutes", type=float, help="Stop after this long, if not earlier.")
@click.option("--seed", type=int, help="Of the sample, the split and the training.")
# The run.
@click.option("--run-dir", metavar="DIR", help="The run directory.  [default: runs/N]")
@click.option("--resume", is_flag=True, help="Go on with --run-dir, or the last run.")
@click.option(
    "-n", "--dry-run", is_flag=True, help="Show what would be done, and stop."
)
def command(config, assignments, run_dir, resume, dry_run, seed, **named):
    """Train a generator of images and one of captions, each against its judge, and
    judge the captions as `kerasgan evaluate` does.

    --epochs and --minutes are of the images' stage; the captions' stage has its own
    (captions.likelihood_minutes and the like, by --set).

    \b
    Examples:
      kerasgan train-gan                                   # the embedded data set
      kerasgan train-gan --config configs/flickr30k-gan.yaml --source DIR
      kerasgan train-gan --dataset table --source products.csv --minutes 15
      kerasgan train-gan --resume --run-dir runs/00000-train-gan-scenes
    """
    training = {"stage", "epochs", "minutes"}
    values = {
        f"{'training' if key in training else 'data'}.{key}": value
        for key, value in named.items()
    }
    values["data.sample"] = read_scalar(named["sample"])
    values |= {"data.seed": seed, "training.seed": seed}
    if named["epochs"] and named["minutes"] is None:
        # Whoever counts epochs does not want a default's minutes.
        assignments = ("training.minutes=null", *assignments)
    run = run_to_resume("train-gan", run_dir) if resume else None
    settings = gather_settings(
        config, assignments, values, base=run.settings if run else None
    )
    if dry_run:
        return _show(settings)
    run = run or _new_run(settings, run_dir)
    try:
        epochs = len(run.metrics)
        _train(settings, run)
    except KeyboardInterrupt:
        click.echo(f"Stopped. Go on: kerasgan train-gan --resume --run-dir {run.path}")
        raise SystemExit(130) from None
    except UserError:
        trained = any(run.checkpoints.iterdir()) or any(run.models.glob("*.keras"))
        if not resume and not trained:
            shutil.rmtree(run.path)  # leave nothing behind
        raise
    tell_losses(run.data)
    if resume and len(run.metrics) == epochs and settings.training.stage == "images":
        click.echo(
            "Nothing left to train: raise --epochs or --minutes, which count all."
        )
    if settings.training.stage != "captions":
        click.echo(f"Images: {run.images}")
    click.echo(f"Run: {run.path}")


def _train(settings, run):
    import_tensorflow()
    from kerasgan.captioning.train_captions import encoder_image_size, train_captions
    from kerasgan.encoders.image_encoder import build_image_encoder
    from kerasgan.gan.train_gan import train_gan

    stage = settings.training.stage
    if stage != "images":  # what is missing shall be said before the first stage
        build_image_encoder(settings.captions.backbone, encoder_image_size(settings))
    if stage != "captions":
        train_gan(settings, run)
    if stage == "both" and not run.data["captions"]:
        click.echo("The images have no captions: only images were trained.")
    elif stage != "images":
        from kerasgan.cli.evaluate import judge

        train_captions(settings, run)
        judge(run)


def _new_run(settings, run_dir):
    from kerasgan.runs import new_run

    return new_run("train-gan", settings, run_dir)


def _show(settings):
    """Prints the settings as YAML, and shapes and parameters of the networks."""
    import sys

    from ruamel.yaml import YAML

    click.echo(WHAT_NULL_MEANS)
    YAML().dump(settings.model_dump(), sys.stdout)

    import_tensorflow()
    from kerasgan.captioning.train_captions import untrained_networks

    stage, networks = settings.training.stage, []
    if stage != "captions":
        networks += _image_networks(settings)
        if settings.gan.conditional is None:
            click.echo(AS_WITH_CAPTIONS)
    if stage != "images":
        networks += untrained_networks(settings)
    for network in networks:
        network.summary(expand_nested=True)  # as wide as what it is printed to


def _image_networks(settings):
    from kerasgan.data.text import build_vectorizer
    from kerasgan.gan.train_gan import build_gan

    vectorizer = None
    if settings.gan.conditional is not False:
        words = [f"word{n}" for n in range(settings.gan.vocabulary_size - 2)]
        size, length = settings.gan.vocabulary_size, settings.gan.caption_length
        vectorizer = build_vectorizer(None, words, size, length)
    gan = build_gan(settings, vectorizer, settings.training.batch_size)
    return gan.generator, gan.discriminator
