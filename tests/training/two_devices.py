"""Trains on one device and on two, and compares: run by `test_replicas.py`.

The two are halves of a processor, or, where `TF_CONFIG` is set, two processes. Runs
`train-gan` where that is the first argument.
"""

import os
import sys

import tensorflow as tf

if "TF_CONFIG" in os.environ:
    SEVERAL = tf.distribute.MultiWorkerMirroredStrategy()
else:
    processor = tf.config.list_physical_devices("CPU")[0]
    halves = [tf.config.LogicalDeviceConfiguration() for _ in range(2)]
    tf.config.set_logical_device_configuration(processor, halves)
    SEVERAL = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

import keras  # noqa: E402
import numpy as np  # noqa: E402

from kerasgan.captioning import teacher_forcing  # noqa: E402
from kerasgan.captioning.adversarial import train_adversarially  # noqa: E402
from kerasgan.captioning.captioner import build_captioner  # noqa: E402
from kerasgan.captioning.cider_reward import CiderReward  # noqa: E402
from kerasgan.captioning.teacher_forcing import (  # noqa: E402
    caption_batches,
    train_teacher_forcing,
)
from kerasgan.captioning.train_dual_encoder import train_dual_encoder  # noqa: E402
from kerasgan.classification.examples import PairExamples  # noqa: E402
from kerasgan.classification.network_trainer import NetworkTrainer  # noqa: E402
from kerasgan.classification.networks import (  # noqa: E402
    build_classifier,
    build_conv_branch,
)
from kerasgan.cli import main  # noqa: E402
from kerasgan.config.settings import CaptionsConfig, ClassifierConfig  # noqa: E402
from kerasgan.encoders.image_encoder import build_image_encoder  # noqa: E402
from kerasgan.encoders.text_branch import build_text_branch  # noqa: E402
from kerasgan.gan.discriminator import build_discriminator  # noqa: E402
from kerasgan.gan.gan import GAN  # noqa: E402
from kerasgan.gan.generator import build_generator  # noqa: E402

RANDOM = np.random.default_rng(0)
SAME_ON_ALL_REPLICAS = [  # all of which do the same to their shares of a batch
    *(keras.layers.Dropout, keras.layers.RandomFlip, keras.layers.RandomZoom),
    *(keras.layers.RandomTranslation, keras.layers.RandomBrightness),
]
IMAGES = RANDOM.integers(0, 256, (8, 8, 8, 3)).astype("uint8")
LARGE_IMAGES = RANDOM.integers(0, 256, (12, 16, 16, 3)).astype("uint8")
TOKEN_IDS = RANDOM.integers(3, 9, (8, 5)).astype("int32")

WORDS, LENGTH, START = 9, 5, 2
CAPTIONS = RANDOM.integers(3, WORDS, (12, 2, LENGTH)).astype("int32")
CAPTIONS[..., 0] = START
CAPTIONS[2, 0, 3:] = CAPTIONS[4:6, 1] = 0  # a short caption, two missing ones
FEATURES = RANDOM.normal(size=(12, 2, 2, 4)).astype("float16")
CAPTIONS_CONFIG = CaptionsConfig(
    caption_length=LENGTH,
    joint_dim=4,
    dim=8,
    dual_encoder_batch_size=8,
    batch_size=8,
    dual_encoder_epochs=2,
    likelihood_epochs=2,
    adversarial_epochs=2,
    sampled_captions=3,
    dual_encoder_minutes=None,
    likelihood_minutes=None,
    adversarial_minutes=None,
)


def fit_gan(**arguments):
    text = {"vocabulary_size": 9, "caption_length": 5, "text_dim": 6}
    gan = GAN(
        build_generator(8, 3, 4, 4, 4, text_dim=6, architecture="gated"),
        build_discriminator(8, 3, 4, 4, **text),
        r1_interval=2,
        **arguments,
    )
    rate = keras.optimizers.SGD(0.01)
    gan.compile(rate, keras.optimizers.SGD(0.01), jit_compile=False)
    batch = {"image": IMAGES, "token_ids": TOKEN_IDS}
    history = gan.fit(batch, batch_size=8, epochs=2, shuffle=False, verbose=0)
    return history.history, gan.get_weights()


def fit_classifier():
    texts = [[] for _ in IMAGES]
    examples = PairExamples([""] * 8, IMAGES, texts, np.arange(8) % 3)
    examples.token_ids = TOKEN_IDS[:, None]
    network = build_classifier(
        3, build_conv_branch(8, [4], 4), build_text_branch(9, None, 4), dropout=0.0
    )
    config = ClassifierConfig(minutes=None, batch_size=4)
    trainer = NetworkTrainer(network, config)
    keras.utils.set_random_seed(1)  # of the order
    trainer.fit(examples, np.arange(8), epochs=2)
    predictions = trainer.predict_log_proba(examples)
    return trainer.model.history.history, [*network.get_weights(), predictions]


class Logs(keras.callbacks.Callback):
    """The logs of all epochs."""

    def on_train_begin(self, logs=None):
        self.epochs = []

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append({name: np.ravel(logs[name])[0] for name in logs})

    def by_name(self):
        return {name: [logs[name] for logs in self.epochs] for name in self.epochs[0]}


def fit_dual_encoder(inputs, image_encoder=None, word_vectors=None):
    logs, validation = Logs(), (inputs[:5], CAPTIONS[:5])
    model = train_dual_encoder(
        *(CAPTIONS_CONFIG, (inputs, CAPTIONS), validation, WORDS),
        *(image_encoder, word_vectors, [logs]),
    )
    return logs.by_name(), model.get_weights()


def fit_feature_dual_encoder():
    word_vectors = np.random.default_rng(1).normal(size=(WORDS, 3))
    return fit_dual_encoder(FEATURES.mean((1, 2), "float32"), word_vectors=word_vectors)


def fit_image_dual_encoder():
    return fit_dual_encoder(
        LARGE_IMAGES, build_image_encoder("conv", 16, filters=(4, 4, 4))
    )


def captioner(decoder="lstm"):
    return build_captioner(
        (2, 2, 4), WORDS, START, LENGTH, dim=8, noise_dim=3, decoder=decoder
    )


def fit_captioner(decoder="lstm"):
    logs, model, train = Logs(), captioner(decoder), ([FEATURES[:8]], CAPTIONS[:8])
    validation = [FEATURES[:5]], CAPTIONS[:5]
    teacher_forcing.CLIP_NORM = 0.1  # so that gradients are clipped
    train_teacher_forcing(model, CAPTIONS_CONFIG, train, validation, [logs])
    return logs.by_name(), model.get_weights()


def fit_transformer():
    return fit_captioner("transformer")


def fit_adversarially():
    logs, model = Logs(), captioner()
    replicas = model.distribute_strategy.num_replicas_in_sync
    batches = caption_batches([FEATURES[:8]], CAPTIONS[:8], 3, 8, replicas)
    rewards = CiderReward(CAPTIONS, WORDS)
    train_adversarially(model, CAPTIONS_CONFIG, batches, rewards, [logs])
    return logs.by_name(), model.get_weights()


def unchanged(layer, inputs, training=False):
    return inputs


def fit_penalized_gan():
    augmentation = ["color", "translation", "cutout"]
    return fit_gan(
        loss="wasserstein-gp", order="alternating", augmentation=augmentation
    )


def compare(fit):
    results = []
    for strategy in (tf.distribute.OneDeviceStrategy("/cpu:0"), SEVERAL):
        keras.utils.set_random_seed(0)
        with strategy.scope():
            results.append(fit())
    (one, one_weights), (two, two_weights) = results
    assert one.keys() == two.keys()
    for name in one:
        message = f"{fit.__name__}: {name}"
        np.testing.assert_allclose(two[name], one[name], 2e-3, 2e-4, err_msg=message)
    for a, b in zip(one_weights, two_weights, strict=True):
        np.testing.assert_allclose(b, a, rtol=2e-3, atol=2e-4)


CAPTIONS_STAGE = {
    "dual-encoder": fit_feature_dual_encoder,
    "image-dual-encoder": fit_image_dual_encoder,
    "captioner": fit_captioner,
    "transformer": fit_transformer,
    "adversarial": fit_adversarially,
}
FITS = CAPTIONS_STAGE | {
    "gan": fit_gan,
    "penalties": fit_penalized_gan,
    "classifier": fit_classifier,
}
if sys.argv[1] == "train-gan":
    main(sys.argv[1:])
for name in sys.argv[1:]:
    if name in CAPTIONS_STAGE:
        for layer in SAME_ON_ALL_REPLICAS:
            layer.call = unchanged
    compare(FITS[name])
