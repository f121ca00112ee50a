"""Runs with small networks of random weights: nothing here needs training."""

import functools
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow.saved_model  # as Keras does later, which makes it another module
from click.testing import CliRunner

from kerasgan.captioning.captioner import build_captioner
from kerasgan.captioning.dual_encoder import build_dual_encoder
from kerasgan.captioning.pipeline import CaptioningPipeline
from kerasgan.captioning.reranking import CaptionStore
from kerasgan.cli import main
from kerasgan.config.settings import CaptionsConfig, DataConfig, GanConfig, Settings
from kerasgan.data.text import build_vectorizer, save_vocabulary, vocabulary_of
from kerasgan.export import verify_in_subprocess
from kerasgan.export.saved_model import looking, reading, served
from kerasgan.gan.discriminator import build_discriminator
from kerasgan.gan.generator import build_generator
from kerasgan.gan.image_generator import ImageGenerator
from kerasgan.runs import new_run

WORDS = ["[START]", *"a the red blue dog boat runs on beach grass 3 water".split()]
SIZE, LENGTH, LATENT = 32, 6, 8


def make_run(path, stages=("images", "captions"), **gan):
    """A finished run of `train-gan` at `path`; `gan` are settings of the networks."""
    settings = Settings(
        data=DataConfig(image_size=SIZE),
        gan=GanConfig(
            latent_dim=LATENT, caption_length=LENGTH, vocabulary_size=40, **gan
        ),
        captions=CaptionsConfig(caption_length=LENGTH, vocabulary_size=40),
    )
    run = new_run("train-gan", settings, path)
    vectorizer = build_vectorizer(None, WORDS, 40, LENGTH)
    if "images" in stages:
        _save_images(run, settings.gan, vectorizer)
    if "captions" in stages:
        _save_captions(run, vectorizer)
    return run


def _save_images(run, gan, vectorizer):
    told = gan.conditional is not False
    channels = {"rgb": 3, "grayscale": 1}[gan.channels]
    generator = build_generator(SIZE, channels, LATENT, 4, 8, 8 if told else None)
    discriminator = build_discriminator(
        SIZE, channels, 4, 8, 40 if told else None, LENGTH, 8, gan.text_branch
    )
    save_vocabulary(vectorizer, run.models / "vocabulary.txt")
    ImageGenerator(generator, discriminator, vectorizer if told else None).save(run)


def _save_captions(run, vectorizer, noise_dim=4):
    image_encoder = tiny_eye("_")
    dual_encoder = build_dual_encoder(
        40, LENGTH, image_encoder=tiny_eye(), dim=8, members=2
    )
    start_id = 2 + vocabulary_of(vectorizer).index("[START]")
    captioner = build_captioner(
        image_encoder.output_shape[1:], 2 + len(WORDS), start_id, caption_length=LENGTH, dim=8,
        noise_dim=noise_dim,
    )  # fmt: skip
    save_vocabulary(vectorizer, run.models / "caption-vocabulary.txt")
    memory = CaptionStore(
        np.eye(2, 16),
        np.full((2, 1, LENGTH), 3, "int32"),
        np.ones(2 + len(WORDS)),
    )
    CaptioningPipeline(image_encoder, dual_encoder, captioner, vectorizer, memory).save(
        run
    )


def tiny_eye(prefix=""):
    """What `build_image_encoder` returns, with a layer of each kind. `prefix`: of the layers'
    names; EfficientNet's open with an underscore."""
    images = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(images)
    x = keras.layers.Conv2D(8, 16, strides=16, name=prefix + "conv")(x)
    x = keras.layers.BatchNormalization(name=prefix + "bn0")(x)
    return keras.Model(images, keras.layers.ReLU()(x), name="image_encoder")


def call(*arguments, status=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    return result


def export_here(export):
    """Calls `export`, which is compared in this process: a fresh one takes seconds to
    begin.

    Returns:
        What `export` returned, and a function that asks the SavedModel's signatures,
        and has it as `model`.
    """
    models, load = [], tf.saved_model.load
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "kerasgan.export.export_run.verify_export",
            verify_in_subprocess.try_endpoints,
        )
        patch.setattr(
            tf.saved_model, "load", lambda path: models.append(load(path)) or models[-1]
        )
        patch.setattr("sys.path", sys.path[:])
        try:
            found = export()
        finally:
            for name in ("preprocessing", "images", "label_words"):
                sys.modules.pop(name, None)  # those of this export

    def ask(name, **given):
        tensors = {key: tf.constant(values) for key, values in given.items()}
        answer = ask.model.signatures[name](**tensors)
        return {key: values.numpy() for key, values in answer.items()}

    ask.model = models[0] if models else None
    return found, ask


look = functools.cache(looking)


def ask_unsaved(stage, endpoint, *given):
    """What a signature would answer that is neither written nor loaded."""
    serve = served(stage, endpoint, look(stage.image_size, stage.fit), reading(stage))
    answer = serve(*(tf.constant(values) for values in given))
    return {name: values.numpy() for name, values in answer.items()}
