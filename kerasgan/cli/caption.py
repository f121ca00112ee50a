"""`kerasgan caption`."""

import json

import click

from kerasgan.cli.options import import_tensorflow


@click.command("caption")
@click.argument("run", metavar="RUN")
@click.argument("pictures", metavar="PICTURE...", nargs=-1, required=True)
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
    help="Also draw what each word of each first choice looked at (PNG).",
)
def command(run, pictures, decoding, alternatives, seed, attention):
    """Put pictures into words: one JSON line a picture, on standard output.

    A file that is no picture gets a line with its `error`, and the exit status is 1
    if no file was one.

    \b
    Examples:
      kerasgan caption runs/00000-train-gan-scenes photograph.jpg
      kerasgan caption RUN *.jpg --decoding beam --attention looks.png
    """
    from pathlib import Path

    from kerasgan.data.pictures import BadPicture, read_square, strict_pillow
    from kerasgan.runs import open_run

    opened = open_run(run)
    import_tensorflow()
    from kerasgan.training.caption_forger import load_captioner

    forger = load_captioner(opened)
    images, lines = {}, []
    with strict_pillow():
        for name in pictures:
            line = {"picture": name}
            try:
                images[name] = read_square(
                    Path(name), forger.image_size, opened.settings.data.fit
                )
            except (BadPicture, OSError) as error:
                line["error"] = getattr(error, "strerror", None) or str(error)
            lines.append(line)
    found = _caption(forger, list(images.values()), decoding, seed)
    said = dict(zip(images, found))
    for line in lines:
        if "error" not in line:
            (caption, score), *rest = said[line["picture"]]
            line |= {"caption": caption, "score": score}
            line["alternatives"] = [
                {"caption": caption, "score": score}
                for caption, score in rest[:alternatives]
            ]
        click.echo(json.dumps(line, ensure_ascii=False))
    if attention and images:
        from kerasgan.report.attention import save_attention

        captions = [choices[0][0] for choices in found]
        save_attention(forger, list(images.values()), captions, attention)
    if not images:
        raise SystemExit(1)


def _caption(forger, images, decoding, seed):
    if not images:
        return []
    import numpy as np

    images = np.stack(images)
    grids = forger.see(images)
    vectors = None
    if decoding == "rerank":
        vectors = forger.embed_pictures(images, grids)
    return forger.caption(grids, vectors, decoding, seed)
