"""`kerasgan train-gan`."""

import shutil
from typing import TYPE_CHECKING, Any

import click

from kerasgan.cli.options import (
    device_options,
    device_values,
    gather_settings,
    import_tensorflow,
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

if TYPE_CHECKING:
    from kerasgan.config.settings import Settings
    from kerasgan.runs import Run

TRAINING_OPTIONS = {"stage", "epochs", "minutes"}
NULL_COMMENT = """\
# null: gan.conditional, gan.augmentation, data.split and the columns are chosen from
# the data (see options.json and data.json of the run). Other options are off, without
# limit, or in their default place."""
CONDITIONAL_COMMENT = (
    "# gan.conditional is null: these are the networks for data with captions."
)


@click.command("train-gan")
@recipe_options("scenes-gan")
# Data.
@click.option("--dataset", help="Data set, as in load-data: scenes, flickr30k, table …")
@click.option("--source", metavar="PATH", help="Directory or file of the data set.")
@table_options
@click.option("--data-dir", metavar="DIR", help="Directory of prepared data sets.")
@click.option("--sample", metavar="all|paper|N", help="Size of the sample of images.")
# Training.
@click.option(
    "--stage",
    type=click.Choice(["both", "images", "captions"]),
    help="Train the generator of images, that of captions, or both.  [default: both]",
)
@click.option(
    "--epochs", type=click.IntRange(1), help="Number of epochs of the images stage."
)
@click.option(
    "--minutes", type=float, help="Time limit of the images stage in minutes."
)
@device_options
@click.option(
    "--seed", type=int, help="Seed of the sample, the split and the training."
)
# Run.
@click.option("--run-dir", metavar="DIR", help="The run directory.  [default: runs/N]")
@click.option("--resume", is_flag=True, help="Continue --run-dir, or the latest run.")
@click.option(
    "-n", "--dry-run", is_flag=True, help="Print settings and networks, and exit."
)
def command(
    config: str | None,
    assignments: tuple[str, ...],
    run_dir: str | None,
    resume: bool,
    dry_run: bool,
    seed: int | None,
    **named: Any,
) -> None:
    """Train generators of images and of captions, each against a discriminator.

    Afterwards the captions are evaluated as by `kerasgan evaluate`.

    --epochs and --minutes concern the images stage. The captions stage has settings of
    its own, such as captions.likelihood_minutes, see --set.

    \b
    Examples:
      kerasgan train-gan                                   # the embedded data set
      kerasgan train-gan --config flickr30k-gan --source DIR
      kerasgan train-gan --dataset table --source products.csv --minutes 15
      kerasgan train-gan --resume --run-dir runs/00000-train-gan-scenes
    """
    settings, run = _resolve(config, assignments, run_dir, resume, seed, named)
    if dry_run:
        return _print_dry_run(settings)
    run = own_run("train-gan", settings, run, run_dir)
    with run.lock():
        num_epochs = len(run.metrics)
        _train_or_stop(settings, run, resume)
    print_skipped(run.data)
    stage = settings.training.stage
    if resume and len(run.metrics) == num_epochs and stage == "images":
        click.echo(
            "The training is complete. To continue it, raise --epochs or --minutes,"
            " which include earlier sessions."
        )
    if stage != "captions":
        click.echo(f"Images: {run.images}")
    click.echo(f"Run: {run.path}")


def _train_or_stop(settings, run, resume):
    """Trains; says how to go on if it is interrupted, and removes a run of nothing."""
    try:
        _train(settings, run)
    except KeyboardInterrupt:
        click.echo(
            "Training stopped. Resume with: kerasgan train-gan --resume --run-dir"
            f" {run.path}"
        )
        raise SystemExit(130) from None
    except UserError:
        is_trained = any(run.checkpoints.iterdir()) or any(run.models.glob("*.keras"))
        if not resume and not is_trained:
            shutil.rmtree(run.path)  # nothing was trained
        raise


def _resolve(config, assignments, run_dir, resume, seed, named):
    """Resolves the options to settings and to the run that is resumed, if any."""
    values = device_values(named, ("training", "captions"))
    values |= {
        f"{'training' if key in TRAINING_OPTIONS else 'data'}.{key}": value
        for key, value in named.items()
    }
    values["data.sample"] = read_scalar(named["sample"])
    values |= {"data.seed": seed, "training.seed": seed}
    if named["epochs"] and named["minutes"] is None:
        # The default time limit would end the training before the given epochs.
        assignments = ("training.minutes=null", *assignments)
    run = run_to_resume("train-gan", run_dir) if resume else None
    base = run.settings if run else None
    return gather_settings(config, assignments, values, base=base), run


def _train(settings: "Settings", run: "Run") -> None:
    """Trains the stages, and evaluates the captions."""
    import_tensorflow()
    from kerasgan.captioning.caption_data import encoder_image_size
    from kerasgan.captioning.configured_networks import require_word_vectors
    from kerasgan.captioning.train_captions import train_captions
    from kerasgan.encoders.image_encoder import build_image_encoder
    from kerasgan.gan.train_gan import train_gan

    stage = settings.training.stage
    print_devices(settings, _stages(settings, run))
    if stage != "images":  # raises before the first stage if a package is missing
        require_word_vectors(settings, run)
        build_image_encoder(settings.captions.backbone, encoder_image_size(settings))
    if stage != "captions":
        train_gan(settings, run)
    if stage == "both" and not run.data["captions"]:
        click.echo("The data set has no captions: the captions stage was skipped.")
    elif stage != "images":
        from kerasgan.cli.evaluate import run_evaluation

        train_captions(settings, run)
        run_evaluation(run)


def _stages(settings, run):
    """Precision and global batch of each stage that is trained."""
    from kerasgan.config.recipes import resolve
    from kerasgan.encoders.precision import resolve_precision
    from kerasgan.gan.gan_settings import choose_batch

    settings = resolve(None, run.chosen, base=settings)
    settings = resolve(None, choose_batch(settings.training), base=settings)
    training, captions = settings.training, settings.captions
    precision = resolve_precision(captions.precision)
    stages = {
        "images": (training.precision, training.batch_size),
        "dual encoder": (precision, captions.dual_encoder_batch_size),
        "captions": (precision, captions.batch_size),
    }
    if training.stage == "captions":
        del stages["images"]
    return {"images": stages["images"]} if training.stage == "images" else stages


def _print_dry_run(settings: "Settings") -> None:
    """Prints the settings as YAML, and shapes and parameters of the networks."""
    import_tensorflow()
    from kerasgan.captioning.configured_networks import untrained_networks
    from kerasgan.gan.gan_settings import resolve_gan_settings

    settings, _ = resolve_gan_settings(settings)
    click.echo(NULL_COMMENT)
    print_settings(settings)

    stage, networks = settings.training.stage, []
    if stage != "captions":
        networks += _image_networks(settings)
        if settings.gan.conditional is None:
            click.echo(CONDITIONAL_COMMENT)
    if stage != "images":
        networks += untrained_networks(settings)
    for network in networks:
        network.summary(expand_nested=True)  # as wide as the terminal
    if stage != "images":
        _warn_without_packages(settings.captions)


def _warn_without_packages(config):
    from kerasgan.encoders.efficientnet_lite import VARIANTS, find_weights
    from kerasgan.encoders.image_encoder import split_backbone
    from kerasgan.encoders.word_vectors import check_word_vectors

    checks = [(check_word_vectors, config.word_vectors)]
    networks = split_backbone(config.backbone)
    checks += [(find_weights, name) for name in networks if name in VARIANTS]
    for check, name in checks:
        try:
            check(name)
        except UserError as error:
            click.echo(f"Warning: {error}", err=True)


def _image_networks(settings):
    from kerasgan.gan.build_gan import build_gan
    from kerasgan.layers.text_vectorization import build_vectorizer

    vectorizer, gan = None, settings.gan
    if gan.conditional is not False:
        words = [f"word{number}" for number in range(gan.vocabulary_size - 2)]
        vectorizer = build_vectorizer(
            None, words, gan.vocabulary_size, gan.caption_length
        )
    model = build_gan(settings, vectorizer)
    return model.generator, model.image_generator().counterpart
