"""Jobs of `tools/faults.py` that train: images, captions and classes.

All train deterministically: a training that was disturbed and goes on has to end with
the same bits as one that was not. The data are prepared before.
"""

from pathlib import Path
from typing import Any

import numpy as np
from fault_runs import digest

from kerasgan.captioning.pipeline import STORE_FILE
from kerasgan.captioning.train_captions import train_captions
from kerasgan.config.settings import (
    CaptionsConfig,
    ClassifierConfig,
    DataConfig,
    GanConfig,
    Settings,
    TrainingConfig,
)
from kerasgan.data import load_data
from kerasgan.evaluation.compare_classifiers import compare_classifiers
from kerasgan.files import load_arrays, read_json_lines
from kerasgan.gan.train_gan import train_gan
from kerasgan.runs import new_run, open_run, training_run
from tests.data.makers import encoded, pixels

SIZE, NUM_IMAGES = 32, 16
EPOCHS = 3
ROWS = ("majority", "text")  # of the comparison of classifiers
SPLITS = 2
DETERMINISTIC: dict[str, Any] = {"minutes": None, "grid": 1, "deterministic": True}
GAN = GanConfig(
    discriminator="conv",
    latent_dim=4,
    generator_filters=4,
    discriminator_filters=4,
    max_filters=4,
    text_dim=4,
    caption_length=4,
    augmentation=[],
    validation=0.0,
)
CAPTIONS = CaptionsConfig(
    backbone="conv",
    precision="float32",
    validation=0.25,
    dual_encoder_members=1,
    joint_dim=8,
    dim=8,
    caption_length=6,
    dual_encoder_batch_size=8,
    batch_size=8,
    sampled_captions=2,
    dual_encoder_epochs=1,
    likelihood_epochs=1,
    adversarial_epochs=1,
    dual_encoder_minutes=None,
    likelihood_minutes=None,
    adversarial_minutes=None,
)
CLASSIFIER = ClassifierConfig(
    modality="text",
    fusion="paper",
    text_dim=4,
    text_length=4,
    epochs=1,
    minutes=None,
    validation=0.25,
)


# Data ---------------------------------------------------------------------------


def write_source(root: Path) -> None:
    """Writes a table of images with captions and classes."""
    folder = root / "source"
    folder.mkdir()
    rows = ["image,caption,label"]
    for seed in range(NUM_IMAGES):
        name, color = f"{seed}.png", ("red", "blue")[seed % 2]
        (folder / name).write_bytes(encoded(pixels(seed, SIZE, SIZE), "PNG"))
        rows.append(f"{name},a {color} dog {seed},{color}")
    (folder / "table.csv").write_text("\n".join(rows) + "\n")


def find_source(root: Path) -> Path:
    """Returns the folder of the table, which a fault may have moved."""
    moved = root / "moved"
    return moved if moved.is_dir() else root / "source"


def settings_of(root: Path, epochs: int = EPOCHS) -> Settings:
    """Settings of trainings that take seconds."""
    data = DataConfig(
        dataset="table",
        source=str(find_source(root) / "table.csv"),
        caption_columns=["caption"],
        label_column="label",
        image_size=SIZE,
        max_bad=0.0,
        split=0.75,
        data_dir=str(root / "data"),
    )
    training = TrainingConfig(epochs=epochs, batch_size=4, **DETERMINISTIC)
    sections = {"gan": GAN, "captions": CAPTIONS, "classifier": CLASSIFIER}
    return Settings(data=data, training=training, **sections)


def setup_training(root: Path, command: str = "train-gan") -> None:
    """Writes the table, prepares it and makes a run of it."""
    write_source(root)
    settings = settings_of(root)
    run = new_run(command, settings, root / "run")
    run.write_data(load_data(settings.data, progress=False).info)


# Images -------------------------------------------------------------------------


def train_images(root: Path, epochs: int = EPOCHS) -> None:
    """Trains images, or continues."""
    train_gan(settings_of(root, epochs), open_run(root / "run"), progress=False)


def begin_images(root: Path) -> None:
    """Trains images up to the epoch before the last."""
    train_images(root, EPOCHS - 1)


def check_images(root: Path) -> str:
    """Continues, and returns what the last checkpoint has.

    That are networks, moving average, optimizers and states of random numbers.
    """
    train_images(root)
    run = open_run(root / "run")
    last = load_arrays(run.checkpoints / f"epoch-{EPOCHS:06d}.npz")
    arrays = [array for name, array in last.items() if name != "seconds"]
    generator = run.load_network("generator").get_weights()
    return digest(*arrays, *generator, [line["epoch"] for line in run.metrics])


# Captions -----------------------------------------------------------------------


def train_caption_networks(root: Path) -> None:
    """Trains captions, or continues."""
    train_captions(settings_of(root), open_run(root / "run"), progress=False)


def begin_captions(root: Path) -> None:
    """Trains captions as far as a training that is killed before its last files."""
    train_caption_networks(root)
    (root / "run" / "models" / STORE_FILE).unlink(missing_ok=True)


def check_captions(root: Path) -> str:
    """Continues, and returns the weights."""
    train_caption_networks(root)
    run = open_run(root / "run")
    names = "image_encoder", "dual_encoder", "captioner-likelihood", "captioner"
    networks = [run.load_network(name) for name in names]
    stages = [line["stage"] for line in read_json_lines(run.path / "captions.jsonl")]
    return digest(*(w for n in networks for w in n.get_weights()), stages)


# Classes ------------------------------------------------------------------------


def setup_classifier(root: Path) -> None:
    """Makes a run of `train-classifier`."""
    setup_training(root, "train-classifier")


def compare(root: Path, splits: int = SPLITS) -> dict[str, Any]:
    """Trains and compares classifiers, or continues."""
    run, settings = open_run(root / "run"), settings_of(root)
    with training_run("train-classifier", settings, run):
        return compare_classifiers(run, ROWS, splits, lambda line: None)


def begin_classifier(root: Path) -> None:
    """Compares them on the first split."""
    compare(root, 1)


def check_classifier(root: Path) -> str:
    """Continues, and returns the results without seconds, and the weights."""
    results = compare(root)
    rows = {
        name: {key: value for key, value in row.items() if key != "seconds"}
        for name, row in results["rows"].items()
    }
    network = open_run(root / "run").load_network("classifier")
    return digest(rows, results["confusion"], *map(np.asarray, network.get_weights()))
