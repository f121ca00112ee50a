"""The sections of the benchmark and their rows."""

from benchmarks.rounds import Contender, Section
from kerasgan.cli import COMMANDS

BFLOAT16 = {"precision": "mixed_bfloat16"}


def _peer(name, function, **arguments):
    return Contender(name, f"benchmarks.{function}", arguments)


def _ours(name, function, **arguments):
    return Contender(name, f"benchmarks.{function}", arguments, ours=True)


def _pytorch(name, function, **arguments):
    return Contender(name, f"benchmarks.{function}", arguments, needs_torch=True)


GAN = Section(
    "Adversarial step, conv, at 64 px, batches of 64 (on a GPU of 256, with XLA)",
    "images/s",
    (
        _ours("kerasgan, float32", "gan_step:kerasgan_step"),
        _ours("kerasgan, mixed_bfloat16", "gan_step:kerasgan_step", **BFLOAT16),
        _ours("kerasgan, with its defaults", "gan_step:kerasgan_step", defaults=True),
        _peer("Keras-GAN idiom", "gan_step:keras_gan_step"),
        _peer("keras.io", "gan_step:keras_io_step"),
        _peer("keras.io, mixed_bfloat16", "gan_step:keras_io_step", **BFLOAT16),
        _peer("TensorFlow's tutorial", "gan_step:two_tapes_step"),
        _peer(
            "TensorFlow's tutorial, mixed_bfloat16",
            "gan_step:two_tapes_step",
            **BFLOAT16,
        ),
        *(
            _pytorch(
                f"PyTorch, {'bfloat16' if bfloat16 else 'float32'}"
                f"{', channels last' * channels_last}{', compiled' * compiled}",
                "gan_pytorch:pytorch_step",
                bfloat16=bfloat16,
                channels_last=channels_last,
                compiled=compiled,
            )
            for bfloat16, channels_last, compiled in (
                (False, False, False),
                (False, True, False),
                (True, True, False),
                (False, True, True),
                (True, True, True),
            )
        ),
    ),
)
INPUT = Section(
    "From JPEG files of 500 × 375 px to batches of 64 images of 64 px",
    "images/s",
    (
        _ours(
            "kerasgan, preparation and first epoch", "input_path:kerasgan_first_epoch"
        ),
        _ours("kerasgan, later epochs", "input_path:kerasgan_later_epoch"),
        _peer("image_dataset_from_directory", "input_path:keras_epoch"),
        _pytorch("PyTorch's DataLoader", "input_pytorch:pytorch_epoch"),
        _peer("decoder alone, Pillow", "input_path:pillow_decoder"),
        _peer("decoder alone, TensorFlow", "input_path:tensorflow_decoder"),
    ),
)
STREAMING = Section(
    "Training of a GAN at 64 px, batches of 32, from memory and from the disk",
    "images/s",
    (
        _ours("from the disk", "streaming:train", source="disk"),
        _ours("from memory", "streaming:train", source="memory"),
        _peer("one batch again and again", "streaming:train", source="batch"),
    ),
)
DETERMINISM = Section(
    "Training of a GAN at 64 px, batches of 32, without and with --deterministic",
    "images/s",
    (
        _ours("from memory", "streaming:train", source="memory"),
        _peer(
            "from memory, deterministic",
            "streaming:train",
            source="memory",
            deterministic=True,
        ),
        _ours("from the disk", "streaming:train", source="disk"),
        _peer(
            "from the disk, deterministic",
            "streaming:train",
            source="disk",
            deterministic=True,
        ),
    ),
)
CLASSIFIER = Section(
    "An epoch of paper B's network for image and text at 64 px, batches of 32",
    "images/s",
    (
        _ours("kerasgan, float32", "classifier:kerasgan_epoch"),
        _ours("kerasgan, mixed_bfloat16", "classifier:kerasgan_epoch", **BFLOAT16),
        _peer("plain Keras, float32", "classifier:plain_keras_epoch"),
        _peer(
            "plain Keras, mixed_bfloat16", "classifier:plain_keras_epoch", **BFLOAT16
        ),
    ),
)
CAPTIONS = Section(
    "Greedy captions from features",
    "images/s",
    (
        _ours("kerasgan, in the graph", "captions:kerasgan_captions"),
        _peer("predict for each word", "captions:predict_per_word"),
    ),
)
STARTUP = Section(
    "Start of the commands",
    "s",
    (
        _peer("import of TensorFlow and Keras", "startup:imports"),
        *(
            _peer(f"{name} --help", "startup:help_text", command=name)
            for name in COMMANDS
        ),
        *(
            _peer(f"{name}, first step", "startup:first_step", command=name)
            for name in ("train-gan", "train-classifier")
        ),
        _peer(
            "train-gan, first step, data not prepared",
            "startup:first_step",
            command="train-gan",
            prepared=False,
        ),
        _peer("save-imgs RUN", "startup:save_images"),
        _peer("caption RUN IMAGE", "startup:caption"),
    ),
)
LIMITS = Section(
    "The convolutions of the adversarial step beside a large matrix product",
    "GFLOP/s",
    (
        _ours("kerasgan's step, float32", "limits:gan_step"),
        _ours("kerasgan's step, mixed_bfloat16", "limits:gan_step", **BFLOAT16),
        _peer("matrix product, float32", "limits:matrix_product"),
        _peer("matrix product, bfloat16", "limits:matrix_product", **BFLOAT16),
    ),
)
SECTIONS = {
    "gan": GAN,
    "input": INPUT,
    "streaming": STREAMING,
    "determinism": DETERMINISM,
    "classifier": CLASSIFIER,
    "captions": CAPTIONS,
    "startup": STARTUP,
    "limits": LIMITS,
}
