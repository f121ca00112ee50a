"""Images captioned a second, beside the loop that calls `predict` once per word.

    python tools/bench_captions.py RUN

RUN is a finished run of `train-gan` with captions. Its test images' features are at
hand; both take the likeliest word each time. The loop is what tutorials write: the
caption so far goes through `model.predict`, the likeliest next word is put behind it.
"""

import time

import click
import numpy as np

import kerasgan  # noqa: F401  (sets oneDNN before TensorFlow is imported)


def loop_of(captioner):
    """`(grid, …)` of one image to its token ids."""
    import keras

    from kerasgan.captioning.captioner import END

    length = captioner.caption_length
    inputs = {
        "grid": keras.Input((None, None, captioner.channels), name="grid"),
        "token_ids": keras.Input((1, length), dtype="int32", name="token_ids"),
        "noise": keras.Input((captioner.noise_dim,), name="noise"),
    }
    model = keras.Model(inputs, captioner.log_probabilities(captioner(inputs)))
    model.compile(jit_compile=False)

    def write(grid):
        token_ids = np.zeros((1, 1, length), np.int32)
        token_ids[..., 0] = captioner.start_id
        noise = np.zeros((1, captioner.noise_dim), np.float32)
        for place in range(length - 1):
            fed = {"grid": grid[None], "token_ids": token_ids, "noise": noise}
            chances = model.predict(fed, verbose=0)
            token_ids[..., place + 1] = chances[0, 0, place].argmax()
            if token_ids[0, 0, place + 1] == END:
                break
        return token_ids

    return write


@click.command()
@click.argument("run")
@click.option("--rounds", default=5, show_default=True)
@click.option("--looped", default=3, show_default=True, help="Images of the loop.")
def main(run, rounds, looped):
    """Prints images a second of both, and the ratio."""
    from kerasgan.captioning.pipeline import load_captioner
    from kerasgan.captioning.train_captions import data_for_captions
    from kerasgan.data import load_data
    from kerasgan.encoders.feature_cache import cached_features
    from kerasgan.runs import open_run

    pipeline = load_captioner(run)
    settings = open_run(run).settings
    test = load_data(data_for_captions(settings), progress=False).test
    if settings.captions.backbone == "conv":
        grids = pipeline.encode_images(test.images)
    else:
        grids = cached_features(
            pipeline.image_encoder, settings.captions.backbone, test
        )
    grids = np.asarray(grids[:1024], np.float32)
    write = loop_of(pipeline.captioner)
    pipeline.write(grids[:128]), write(grids[0])  # trace the graphs
    speeds = {"predict per word": [], "in the graph": []}
    for _ in range(rounds):
        start = time.perf_counter()
        for grid in grids[:looped]:
            write(grid)
        speeds["predict per word"].append(looped / (time.perf_counter() - start))
        start = time.perf_counter()
        token_ids, _ = pipeline.write(grids)
        speeds["in the graph"].append(len(grids) / (time.perf_counter() - start))
    captions = {pipeline.detokenize(ids[0]) for ids in token_ids}
    for name, found in speeds.items():
        least, most = min(found), max(found)
        click.echo(f"{name:17} {np.median(found):8.2f} ({least:.2f} to {most:.2f})")
    ratios = np.array(speeds["in the graph"]) / speeds["predict per word"]
    click.echo(f"ratio: {np.median(ratios):.0f}, median of {rounds} rounds")
    click.echo(f"{len(captions)} different captions of {len(grids)} images")


if __name__ == "__main__":
    main()
