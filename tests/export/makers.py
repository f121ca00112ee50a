"""Runs with small networks of random weights; nothing is trained."""

import functools
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow.saved_model  # Keras imports it later, which would replace the module
from click.testing import CliRunner

from kerasgan.captioning.caption_store import CaptionStore
from kerasgan.captioning.captioner import build_captioner
from kerasgan.captioning.dual_encoder import build_dual_encoder
from kerasgan.captioning.pipeline import CaptioningPipeline
from kerasgan.cli import main
from kerasgan.config.settings import CaptionsConfig, DataConfig, GanConfig, Settings
from kerasgan.export import verify_in_subprocess
from kerasgan.export.saved_model import (
    build_image_decoder,
    build_serving_function,
    build_text_cleaner,
)
from kerasgan.gan.discriminator import build_discriminator
from kerasgan.gan.generator import build_generator
from kerasgan.gan.image_generator import ImageGenerator
from kerasgan.gan.vae_encoder import build_vae_encoder
from kerasgan.layers.text_vectorization import (
    build_vectorizer,
    get_vocabulary,
    save_vocabulary,
)
from kerasgan.runs import new_run

WORDS = ["[START]", "a", "the", "red", "blue", "dog", "boat", "runs", "on", "beach"]
WORDS += ["grass", "3", "water"]
IMAGE_SIZE, CAPTION_LENGTH, LATENT_DIM, VOCABULARY_SIZE = 32, 6, 8, 40


def make_run(path, stages=("images", "captions"), decoder="lstm", **gan_settings):
    """Makes a finished run of `train-gan` at `path`."""
    settings = Settings(
        data=DataConfig(image_size=IMAGE_SIZE),
        gan=GanConfig(
            latent_dim=LATENT_DIM,
            caption_length=CAPTION_LENGTH,
            vocabulary_size=VOCABULARY_SIZE,
            **gan_settings,
        ),
        captions=CaptionsConfig(
            backbone="conv",
            decoder=decoder,
            caption_length=CAPTION_LENGTH,
            vocabulary_size=VOCABULARY_SIZE,
        ),
    )
    run = new_run("train-gan", settings, path)
    vectorizer = build_vectorizer(None, WORDS, VOCABULARY_SIZE, CAPTION_LENGTH)
    if "images" in stages:
        _save_images_stage(run, settings.gan, vectorizer)
    if "captions" in stages:
        _save_captions_stage(run, vectorizer)
    return run


def _save_images_stage(run, config, vectorizer):
    conditional = config.conditional is not False
    channels = {"rgb": 3, "grayscale": 1}[config.channels]
    generator = build_generator(
        image_size=IMAGE_SIZE,
        channels=channels,
        latent_dim=LATENT_DIM,
        min_filters=4,
        max_filters=8,
        text_dim=8 if conditional else None,
    )
    branches = {
        "image_size": IMAGE_SIZE,
        "channels": channels,
        "min_filters": 4,
        "max_filters": 8,
        "vocabulary_size": VOCABULARY_SIZE if conditional else None,
        "caption_length": CAPTION_LENGTH,
        "text_dim": 8,
        "text_branch": config.text_branch,
    }
    if config.model == "vae":
        counterpart = build_vae_encoder(**branches, latent_dim=LATENT_DIM)
    else:
        counterpart = build_discriminator(**branches)
    save_vocabulary(vectorizer, run.models / "vocabulary.txt")
    vectorizer = vectorizer if conditional else None
    ImageGenerator(generator, counterpart, vectorizer).save(run)


def _save_captions_stage(run, vectorizer):
    image_encoder = build_tiny_encoder("_")
    dual_encoder = build_dual_encoder(
        VOCABULARY_SIZE,
        CAPTION_LENGTH,
        image_encoder=build_tiny_encoder(),
        joint_dim=8,
        num_members=2,
    )
    start_id = 2 + get_vocabulary(vectorizer).index("[START]")
    captioner = build_captioner(
        image_encoder.output_shape[1:],
        2 + len(WORDS),
        start_id,
        caption_length=CAPTION_LENGTH,
        dim=8,
        noise_dim=4,
        decoder=run.settings.captions.decoder,
    )
    save_vocabulary(vectorizer, run.models / "caption-vocabulary.txt")
    store = CaptionStore(
        np.eye(2, 16),
        np.full((2, 1, CAPTION_LENGTH), 3, "int32"),
        np.ones(2 + len(WORDS)),
    )
    pipeline = CaptioningPipeline(
        image_encoder, dual_encoder, captioner, vectorizer, store
    )
    pipeline.save(run)


def build_tiny_encoder(prefix=""):
    """Builds an image encoder with one layer of each type.

    Args:
        prefix: of the names of layers; those of EfficientNet start with an underscore.
    """
    images = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(images)
    x = keras.layers.Conv2D(8, 16, strides=16, name=prefix + "conv")(x)
    x = keras.layers.BatchNormalization(name=prefix + "bn0")(x)
    return keras.Model(images, keras.layers.ReLU()(x), name="image_encoder")


def run_command(*arguments, status=0):
    """Runs `kerasgan` in this process and checks its exit status."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == status, result.output
    return result


def export_in_process(export):
    """Exports and verifies in this process: starting another one takes seconds.

    Args:
        export: a function without arguments that exports a run.

    Returns:
        A namespace with `result`, what `export` returned; `model`, the SavedModel, or
        None; and `predict`, a function that calls one of its signatures.
    """
    models, load = [], tf.saved_model.load
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "kerasgan.export.export_run.verify_export",
            verify_in_subprocess.check_endpoints,
        )
        patch.setattr(
            tf.saved_model, "load", lambda path: models.append(load(path)) or models[-1]
        )
        patch.setattr("sys.path", sys.path[:])
        try:
            result = export()
        finally:
            for name in ("preprocessing", "images", "label_words"):
                sys.modules.pop(name, None)  # the modules of this export

    model = models[0] if models else None

    def predict(signature, **inputs):
        tensors = {name: tf.constant(values) for name, values in inputs.items()}
        outputs = model.signatures[signature](**tensors)
        return {name: values.numpy() for name, values in outputs.items()}

    return SimpleNamespace(result=result, model=model, predict=predict)


image_decoder = functools.cache(build_image_decoder)


def call_serving_function(stage, endpoint, *inputs):
    """Calls the function of a signature without saving and loading a SavedModel."""
    serve = build_serving_function(
        stage,
        endpoint,
        image_decoder(stage.image_size, stage.fit),
        build_text_cleaner(stage),
    )
    outputs = serve(*(tf.constant(values) for values in inputs))
    return {name: values.numpy() for name, values in outputs.items()}
