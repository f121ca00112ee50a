"""The models that `check_gpu.py` trains, and what they train on."""

import keras
import numpy as np
import tensorflow as tf

import kerasgan
from kerasgan.captioning.adversarial import (
    _AdversarialCaptioning,
    build_caption_discriminator,
)
from kerasgan.captioning.cider_reward import CiderReward
from kerasgan.classification.networks import build_classifier, build_conv_branch
from kerasgan.config.settings import CaptionsConfig
from kerasgan.encoders.text_branch import build_text_branch
from kerasgan.training.devices import can_jit_compile

WORDS, LENGTH, START = 2000, 24, 2


class Sizes:
    """Sizes of data and networks; small ones for the CPU."""

    def __init__(self, small):
        self.batch, self.image, self.dim = (8, 32, 16) if small else (256, 64, 256)
        self.filters, self.steps = (4, 4) if small else (32, 30)
        random = np.random.default_rng(0)
        shape = self.batch, self.image, self.image, 3
        self.images = random.integers(0, 256, shape).astype("uint8")
        ids = random.integers(3, WORDS, (self.batch, 5, LENGTH)).astype("int32")
        lengths = random.integers(3, LENGTH, (self.batch, 5, 1))
        ids = np.where(np.arange(LENGTH) < lengths, ids, 0)
        ids[..., 0] = START
        ids[::7, 4] = 0  # images with fewer captions
        self.token_ids = ids
        self.features = random.normal(size=(self.batch, 4, 4, 256)).astype("float32")
        noise = random.normal(size=(self.batch, 16)).astype("float32")
        self.captions = {
            "features": np.maximum(self.features, 0),
            "token_ids": ids,
            "noise": noise,
        }


def adam():
    """Returns an optimizer with the captioner's clipping."""
    return keras.optimizers.Adam(1e-3, clipnorm=5.0)


def gan(sizes, projected=False):
    """Returns the GAN and a batch."""
    text = {"vocabulary_size": WORDS, "caption_length": LENGTH}
    model = kerasgan.GAN(
        kerasgan.build_generator(
            sizes.image,
            min_filters=sizes.filters,
            text_dim=128,
            architecture="gated" if projected else "light",
        ),
        kerasgan.build_discriminator(
            sizes.image,
            min_filters=sizes.filters,
            backbone="efficientnet-lite0" if projected else None,
            **text,
        ),
        loss="hinge" if projected else "non-saturating",
        r1=0.0 if projected else 1.0,
    )
    networks = model.generator, model.discriminator
    model.compile(adam(), adam(), jit_compile=jit(*networks))
    return model, {"image": sizes.images, "token_ids": sizes.token_ids[:, 0]}


def projected_gan(sizes):
    """Returns the GAN with a projected discriminator."""
    return gan(sizes, projected=True)


def dual_encoder(sizes):
    """Returns the dual encoder of features."""
    model = kerasgan.build_dual_encoder(WORDS, LENGTH, feature_dim=256)
    networks = model.image_encoder, model.text_encoder
    model.compile(adam(), jit_compile=jit(*networks))
    features = sizes.features.mean((1, 2))
    return model, {"image": features, "token_ids": sizes.token_ids}


def vae(sizes):
    """Returns the variational autoencoder."""
    text = {"vocabulary_size": WORDS, "caption_length": LENGTH}
    model = kerasgan.VAE(
        kerasgan.build_generator(sizes.image, min_filters=sizes.filters, text_dim=128),
        kerasgan.build_vae_encoder(sizes.image, min_filters=sizes.filters, **text),
    )
    model.compile(adam(), jit_compile=jit(model.generator, model.encoder))
    return model, {"image": sizes.images, "token_ids": sizes.token_ids[:, 0]}


def captioner(sizes, decoder="lstm"):
    """Returns the captioner, by maximum likelihood."""
    model = kerasgan.build_captioner(
        (4, 4, 256), WORDS, START, dim=sizes.dim, decoder=decoder
    )
    model.compile(adam(), jit_compile=jit(model))
    return model, sizes.captions


def transformer_captioner(sizes):
    """Returns the captioner with a transformer as its decoder."""
    return captioner(sizes, "transformer")


def adversarial(sizes):
    """Returns the captioner against its discriminator."""
    model = _AdversarialCaptioning(
        captioner(sizes)[0],
        build_caption_discriminator(256, WORDS, LENGTH),
        CiderReward(sizes.token_ids, WORDS),
        CaptionsConfig(),
    )
    model.compile(adam(), adam(), jit(model.captioner, model.discriminator))
    return model, sizes.captions


def classifier(sizes):
    """Returns paper B's network."""
    filters = [sizes.filters, 2 * sizes.filters]
    model = build_classifier(
        10, build_conv_branch(sizes.image, filters), build_text_branch(WORDS, LENGTH)
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(adam(), loss, jit_compile=jit(model))
    inputs = {"image": sizes.images, "token_ids": sizes.token_ids[:, 0]}
    return model, (inputs, np.arange(sizes.batch) % 10)


def jit(*networks):
    """Returns whether XLA compiles networks on the present device."""
    return can_jit_compile(tf.distribute.get_strategy(), *networks)


JOBS = {
    "gan": (gan, ("float32", "mixed_bfloat16")),
    "gan, projected": (projected_gan, ("float32",)),
    "vae": (vae, ("float32", "mixed_bfloat16")),
    "dual encoder": (dual_encoder, ("float32", "mixed_bfloat16")),
    "captioner, likelihood": (captioner, ("float32", "mixed_bfloat16")),
    "captioner, transformer": (transformer_captioner, ("float32", "mixed_bfloat16")),
    "captioner, adversarial": (adversarial, ("float32", "mixed_bfloat16")),
    "classifier": (classifier, ("float32", "mixed_bfloat16")),
}
