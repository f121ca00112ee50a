"""`kerasgan caption`."""

import click

from kerasgan.cli.batch import answer_all, batch_options
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
    help="How words are chosen.",
)
@click.option("--alternatives", type=click.IntRange(0), default=3, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option(
    "--attention",
    metavar="FILE",
    callback=png_name,
    help="Also draw what each word of each first choice looked at (PNG), of the first"
    " 24 images.",
)
@batch_options
def command(run, paths, decoding, alternatives, seed, attention, **where):
    """Put images into words: one JSON line an image, on standard output or in --out.

    Folders are searched for images, at any depth. A file that is no image gets a
    line with its `error`, and the exit status is 1 if no file was one.

    \b
    Examples:
      kerasgan caption runs/00000-train-gan-scenes photograph.jpg
      kerasgan caption RUN *.jpg --decoding beam --attention looks.png
      kerasgan caption RUN photographs/ --out captions.parquet
    """
    from kerasgan.runs import open_run

    opened = open_run(run)

    def load():
        import_tensorflow()
        from kerasgan.captioning.pipeline import load_captioner
        from kerasgan.data.images import read_square_image

        pipeline = load_captioner(opened)

        def see(one):
            return read_square_image(
                one.read(), pipeline.image_size, opened.settings.data.fit
            )

        def answer(images, _, start):
            found = _caption(pipeline, images, decoding, seed + start)
            return [_line(choices, alternatives) for choices in found]

        def draw(pairs):
            from kerasgan.report.attention_maps import save_attention_maps

            images, lines = zip(*pairs)
            captions = [line["caption"] for line in lines]
            save_attention_maps(pipeline, images, captions, attention)

        return see, answer, draw if attention else None

    question = {"command": "caption", "decoding": decoding, "seed": seed}
    question["alternatives"] = alternatives
    where["caption_columns"] = []
    answer_all(opened, question, paths, (), COLUMNS, load, **where)


def _caption(pipeline, images, decoding, seed):
    import numpy as np

    images = np.stack(images)
    grids = pipeline.encode_images(images)
    vectors = None
    if decoding == "rerank":
        vectors = pipeline.embed_images(images, grids)
    return pipeline.caption(grids, vectors, decoding, seed)


def _line(choices, alternatives):
    best, *rest = [{"caption": text, "score": score} for text, score in choices]
    return {**best, "alternatives": rest[:alternatives]}
