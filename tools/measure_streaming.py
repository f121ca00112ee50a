"""Measures the memory of training on more images than fit into it.

    python tools/measure_streaming.py --images 1000000 --limit-gib 4

prepares a data set of N images of 64 pixels: drawn scenes that are repeated under other
ids. It trains a GAN on them from the disk for some steps, and prints a JSON object:
images per second, and the memory of the process after each round; no file backs
`RssAnon`. `bench.py --sections streaming` compares the speed with that from memory.
"""

import argparse
import json
import os
import resource
import shutil
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SCENES = 500  # that are drawn
SHARD_SIZE = 10_000  # images


def main():
    """Prepares, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--data-dir", type=Path, default=Path("/tmp/measure_streaming"))
    parser.add_argument("--limit-gib", type=float, help="RLIMIT_DATA of the process")
    parser.add_argument("--steps", type=int, default=50, help="in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=32)
    options = parser.parse_args()
    path = prepare_images(options.data_dir, options.images, options.image_size)
    if options.limit_gib:
        limit = round(options.limit_gib * 2**30)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    print(json.dumps(measure(path, options), indent=1))


def prepare_images(data_dir, count, image_size):
    """The path of the prepared data set, which is written if it is missing."""
    path = data_dir / f"{count}-{image_size}"
    if path.is_dir():
        return path
    from kerasgan import DataConfig, load_data

    config = DataConfig(
        num_images=SCENES,
        image_size=image_size,
        split=0.8,
        data_dir=str(data_dir),
    )
    original = load_data(config).path
    partial = path.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(original, partial, ignore=shutil.ignore_patterns("*index*"))
    repeat_scenes(partial, count)
    partial.rename(path)
    return path


def repeat_scenes(path, count):
    """Replaces the training split by `count` images."""
    import tensorflow as tf

    from kerasgan.files import read_json, write_json

    only = next(path.glob("*-train.tfrecord-*"))
    records = list(tf.data.TFRecordDataset(str(only)).as_numpy_iterator())
    examples = [tf.train.Example.FromString(record) for record in records]
    only.unlink()
    info = json.loads((path / "dataset_info.json").read_text())
    data = read_json(path / "data.json")
    ids = [f"image-{number:08d}" for number in range(count)]
    shards = -(-count // SHARD_SIZE)
    for shard in range(shards):
        name = f"scenes-train.tfrecord-{shard:05d}-of-{shards:05d}"
        first = shard * SHARD_SIZE
        with tf.io.TFRecordWriter(str(path / name)) as writer:
            for number in range(first, min(first + SHARD_SIZE, count)):
                example = examples[number % len(examples)]
                example.features.feature["image_id"].bytes_list.value[0] = ids[
                    number
                ].encode()
                writer.write(example.SerializeToString())
    for split in info["splits"]:
        if split["name"] == "train":
            sizes = [min(SHARD_SIZE, count - SHARD_SIZE * n) for n in range(shards)]
            split["shardLengths"] = [str(size) for size in sizes]
    (path / "dataset_info.json").write_text(json.dumps(info))
    data |= {"train_ids": ids, "train": count}
    write_json(path / "data.json", data, checksum=True)


def measure(path, options):
    """Trains from the disk."""
    start = time.perf_counter()
    from kerasgan.cli.options import import_tensorflow

    import_tensorflow()
    import tensorflow as tf

    from kerasgan.training.allocator import retain_freed_memory

    retain_freed_memory()
    gan, dataset = build_gan_and_data(path, "never")
    train_step = tf.function(gan.train_step)
    batches = iter(dataset.batches(options.batch_size, 0))

    def train(steps):
        begin = time.perf_counter()
        for _ in range(steps):
            losses = train_step(next(batches))
        float(losses["d_loss"])  # waits for the last step
        return steps * options.batch_size / (time.perf_counter() - begin)

    train(3)
    seconds = time.perf_counter() - start
    rates, anonymous = [], []
    for _ in range(options.rounds):
        rates.append(round(train(options.steps), 1))
        anonymous.append(anonymous_mib())
    return {
        "images": options.images,
        "batch_size": options.batch_size,
        "seconds_to_third_step": round(seconds, 1),
        "images_per_s": rates,
        "RssAnon_MiB": anonymous,
        "peak_rss_MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def build_gan_and_data(path, keep_in_memory):
    """A GAN with the discriminator `conv`, and its data."""
    from kerasgan import DataConfig, GanConfig, Settings
    from kerasgan.data.pipeline import Pairs
    from kerasgan.gan.gan_settings import resolve_gan_settings
    from kerasgan.gan.train_gan import prepare_training
    from kerasgan.runs import new_run
    from kerasgan.training.devices import distribution_strategy

    gan_config = GanConfig(discriminator="conv", augmentation=[])
    settings, _ = resolve_gan_settings(Settings(gan=gan_config))
    train = Pairs(path, config=DataConfig(keep_in_memory=keep_in_memory)).train
    with tempfile.TemporaryDirectory() as directory:
        run = new_run("train-gan", settings, directory)
        strategy = distribution_strategy()
        gan, dataset, _ = prepare_training(settings, run, train, strategy)
    return gan, dataset


def anonymous_mib():
    """RssAnon of the process in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    sizes = dict(line.split(":", 1) for line in lines)
    return int(sizes["RssAnon"].split()[0]) // 1024


if __name__ == "__main__":
    main()
