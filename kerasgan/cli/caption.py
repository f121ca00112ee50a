"""`kerasgan caption`."""

from typing import Any

import click

from kerasgan.cli.batch import BatchPredictor, batch_options, predict_all
from kerasgan.cli.options import import_tensorflow, png_name

CHOICE = {"caption": str, "score": float}
COLUMNS = {"image": str, **CHOICE, "alternatives": [CHOICE], "error": str}


@click.command("caption")
@click.argument("run", metavar="RUN")
@click.argument("paths", metavar="[IMAGE|FOLDER]...", nargs=-1)
@click.option(
    "--decoding",
    type=click.Choice(["greedy", "beam", "top-p", "rerank"]),
    default="rerank",
    show_default=True,
    help="The decoding algorithm.",
)
@click.option(
    "--alternatives",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    help="Number of further captions of each image.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed of the sampled captions, for top-p and rerank.",
)
@click.option(
    "--attention",
    metavar="FILE",
    callback=png_name,
    help="Also draw the attention of each word of the captions of the first 24 images"
    " (PNG).",
)
@batch_options
def command(
    run: str,
    paths: tuple[str, ...],
    decoding: str,
    alternatives: int,
    seed: int,
    attention: str | None,
    **batch: Any,
) -> None:
    """Generate captions: one line of JSON for each image.

    The lines go to standard output, or to the file --out. Folders are searched for
    images at any depth. A file that is not an image gets a line with `error`. The exit
    status is 1 if no file is an image.

    \b
    Examples:
      kerasgan caption runs/00000-train-gan-scenes photograph.jpg
      kerasgan caption RUN *.jpg --decoding beam --attention attention.png
      kerasgan caption RUN photographs/ --out captions.parquet
    """
    from kerasgan.runs import open_run

    opened = open_run(run)

    def load() -> BatchPredictor:
        import_tensorflow()
        from kerasgan.captioning.pipeline import load_captioner
        from kerasgan.data.images import read_square_image

        pipeline = load_captioner(opened)

        def load_image(item):
            return read_square_image(
                item.read(), pipeline.image_size, opened.settings.data.fit
            )

        def predict(images, _, start):
            captions = _caption(pipeline, images, decoding, seed + start)
            return [_to_prediction(choices, alternatives) for choices in captions]

        def draw(pairs):
            from kerasgan.report.attention_maps import save_attention_maps

            images, predictions = zip(*pairs, strict=True)
            captions = [prediction["caption"] for prediction in predictions]
            save_attention_maps(pipeline, images, captions, attention)

        return BatchPredictor(load_image, predict, draw if attention else None)

    options = {
        "command": "caption",
        "decoding": decoding,
        "seed": seed,
        "alternatives": alternatives,
    }
    batch["caption_columns"] = []
    predict_all(opened, options, paths, (), COLUMNS, load, **batch)


def _caption(pipeline, images, decoding, seed):
    import numpy as np

    images = np.stack(images)
    features = pipeline.encode_images(images)
    vectors = None
    if decoding == "rerank":
        vectors = pipeline.embed_images(images, features)
    return pipeline.caption(features, vectors, decoding, seed)


def _to_prediction(choices, alternatives):
    best, *others = [{"caption": text, "score": score} for text, score in choices]
    return {**best, "alternatives": others[:alternatives]}
