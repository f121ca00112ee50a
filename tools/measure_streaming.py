"""Measures training on more images than fit into memory.

    python tools/measure_streaming.py --images 1000000 --limit-gib 4

prepares a data set of N images of 64 pixels: drawn scenes that are repeated under other
ids. It trains a GAN on them for some steps, from the disk and, without `--only-disk`,
from memory, in turns in one process, and prints a JSON object: images per second of
both, their ratio, and the memory of the process; no file backs `RssAnon`.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SCENES = 500  # that are drawn
SHARD_SIZE = 10_000  # images
TEST_SIZE = 100  # images


def main():
    """Prepares, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--data-dir", default="/tmp/measure_streaming")
    parser.add_argument("--limit-gib", type=float, help="RLIMIT_DATA of the process")
    parser.add_argument("--only-disk", action="store_true", help="not from memory")
    parser.add_argument("--steps", type=int, default=50, help="in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=32)
    options = parser.parse_args()
    path = prepared_path(options)
    if options.limit_gib:
        limit = round(options.limit_gib * 2**30)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    print(json.dumps(measure(path, options), indent=1))


def prepared_path(options):
    """The prepared data set, which is written if it is missing."""
    path = Path(options.data_dir) / f"{options.images}-{options.image_size}"
    if path.is_dir():
        return path
    from kerasgan import DataConfig, load_data

    config = DataConfig(
        num_images=SCENES,
        image_size=options.image_size,
        split=0.8,
        data_dir=options.data_dir,
    )
    original = load_data(config).path
    partial = path.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(original, partial, ignore=shutil.ignore_patterns("*index*"))
    repeat_scenes(partial, options.images)
    partial.rename(path)
    return path


def repeat_scenes(path, count):
    """Replaces the training split by `count` images."""
    import tensorflow as tf

    only = next(path.glob("*-train.tfrecord-*"))
    records = list(tf.data.TFRecordDataset(str(only)).as_numpy_iterator())
    examples = [tf.train.Example.FromString(record) for record in records]
    only.unlink()
    info = json.loads((path / "dataset_info.json").read_text())
    data = json.loads((path / "data.json").read_text())
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
    (path / "data.json").write_text(json.dumps(data))


def measure(path, options):
    """Trains from the disk and from memory in turns."""
    start = time.perf_counter()
    from kerasgan.cli.options import import_tensorflow

    import_tensorflow()
    import tensorflow as tf

    from kerasgan.training.allocator import retain_freed_memory

    retain_freed_memory()
    report = {"images": options.images, "batch_size": options.batch_size}
    gan, datasets = build(path, options)
    train_step = tf.function(gan.train_step)

    def train(batches, steps):
        begin = time.perf_counter()
        for _ in range(steps):
            losses = train_step(next(batches))
        float(losses["d_loss"])  # waits for the last step
        return steps * options.batch_size / (time.perf_counter() - begin)

    iterators = {}
    for name, dataset in datasets.items():
        iterators[name] = iter(dataset.batches(options.batch_size, 0))
        train(iterators[name], 3)
    report["seconds_to_first_step"] = round(time.perf_counter() - start, 1)
    rates = {name: [] for name in datasets}
    anonymous = []
    for _ in range(options.rounds):
        for name, batches in iterators.items():
            rates[name].append(train(batches, options.steps))
        anonymous.append(anonymous_mib())
    for name, values in rates.items():
        report[f"{name}_images_per_s"] = [round(value, 1) for value in values]
    if len(rates) == 2:
        ratios = [a / b for a, b in zip(rates["disk"], rates["memory"], strict=True)]
        report["median_ratio"] = round(statistics.median(ratios), 3)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return report | {"RssAnon_MiB": anonymous, "peak_rss_MiB": peak}


def build(path, options):
    """A GAN, and its data from the disk and from memory."""
    from kerasgan import DataConfig, GanConfig, Settings
    from kerasgan.data.pipeline import Pairs
    from kerasgan.gan.train_gan import prepare_training
    from kerasgan.runs import new_run
    from kerasgan.training.devices import distribution_strategy

    strategy = distribution_strategy("cpu")
    settings = Settings(gan=GanConfig(discriminator="conv", augmentation=[]))
    datasets = {}
    with tempfile.TemporaryDirectory() as directory:
        run = new_run("train-gan", settings, directory)
        for name, keep_in_memory in (("disk", "never"), ("memory", "always")):
            if name == "disk" or not options.only_disk:
                config = DataConfig(keep_in_memory=keep_in_memory)
                gan, datasets[name], _ = prepare_training(
                    settings, run, Pairs(path, config=config).train, strategy
                )
    return gan, datasets


def anonymous_mib():
    """RssAnon of the process in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    sizes = dict(line.split(":", 1) for line in lines)
    return int(sizes["RssAnon"].split()[0]) // 1024


if __name__ == "__main__":
    main()
