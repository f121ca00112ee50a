"""`kerasgan caption`."""

import click

from kerasgan.cli.batch import answer_all, batch_options
from kerasgan.cli.options import import_tensorflow, png_name

CHOICE = {"caption": str, "score": float}
COLUMNS = {"picture": str, **CHOICE, "alternatives": [CHOICE], "error": str}


@click.command("caption")
@click.argument("run", metavar="RUN")
@click.argument("pictures", metavar="[PICTURE|FOLDER]...", nargs=-1)
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
    " 24 pictures.",
)
@batch_options
def command(run, pictures, decoding, alternatives, seed, attention, **where):
    """Put pictures into words: one JSON line a picture, on standard output or in --out.

    Folders are searched for pictures, at any depth. A file that is no picture gets a
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
        from kerasgan.data.pictures import read_square
        from kerasgan.training.caption_forger import load_captioner

        forger = load_captioner(opened)

        def see(one):
            return read_square(one.read(), forger.image_size, opened.settings.data.fit)

        def answer(images, _, start):
            found = _caption(forger, images, decoding, seed + start)
            return [_line(choices, alternatives) for choices in found]

        def draw(pairs):
            from kerasgan.report.attention import save_attention

            images, lines = zip(*pairs)
            captions = [line["caption"] for line in lines]
            save_attention(forger, images, captions, attention)

        return see, answer, draw if attention else None

    question = {"command": "caption", "decoding": decoding, "seed": seed}
    question["alternatives"] = alternatives
    where["caption_columns"] = []
    answer_all(opened, question, pictures, (), COLUMNS, load, **where)


def _caption(forger, images, decoding, seed):
    import numpy as np

    images = np.stack(images)
    grids = forger.see(images)
    vectors = None
    if decoding == "rerank":
        vectors = forger.embed_pictures(images, grids)
    return forger.caption(grids, vectors, decoding, seed)


def _line(choices, alternatives):
    best, *rest = [{"caption": text, "score": score} for text, score in choices]
    return {**best, "alternatives": rest[:alternatives]}
