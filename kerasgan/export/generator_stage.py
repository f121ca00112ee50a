"""The generator of images and its discriminator, ready to be exported."""

import tensorflow as tf

from kerasgan.export.endpoints import Endpoint, Stage, without_cudnn
from kerasgan.gan.gan import scale_images
from kerasgan.gan.image_generator import load_gan
from kerasgan.gan.pair_dataset import to_grayscale

IMAGES = "uint8 `(n, {size}, {size}, {channels})`: the images drawn"
PROBABILITY = "float32 `(n,)`: the chance that it is a real image"
SIGMOID = "float32 `(n,)`: the logit's sigmoid; under the loss {loss} no probability"
LOGIT = "float32 `(n,)`: what the discriminator says, unbounded"


def generator_stage(run):
    """What the images' stage of a run trained, as a `Stage`."""
    image_generator, settings = load_gan(run), run.settings
    networks = {
        "generator": image_generator.generator,
        "discriminator": image_generator.discriminator,
    }
    for network in networks.values():
        without_cudnn(network)
    words = ("token_ids",) if image_generator.conditional else ()
    size, channels = image_generator.generator.output_shape[2:]
    loss = settings.gan.loss
    chance = PROBABILITY if loss in ("minimax", "non-saturating") else SIGMOID
    pair = ", and that the caption is its own" if image_generator.conditional else ""
    generate = Endpoint(
        "generate",
        "Draws an image for each noise"
        + (" and caption." if image_generator.conditional else "."),
        lambda arrays: {"images": _drawn(image_generator, arrays)},
        ("noise", *words),
        {"images": IMAGES.format(size=size, channels=channels)},
        lambda examples: {
            "images": image_generator.generate(
                examples.captions if image_generator.conditional else None,
                noise=examples.noise,
            )
        },
    )
    discriminate = Endpoint(
        "discriminate",
        f"Says whether an image is real{pair}.",
        lambda arrays: _judged(_logits(image_generator, arrays)),
        ("image", *words),
        {"probability": chance.format(loss=loss) + pair, "logit": LOGIT},
        lambda examples: _run_judges(image_generator, examples),
    )
    return Stage(
        name="images",
        networks=networks,
        image_size=size,
        fit=settings.data.fit,
        latent_dim=image_generator.latent_dim,
        vectorizer=image_generator.vectorizer,
        endpoints=(generate, discriminate),
        samples=lambda examples: _samples(image_generator, examples),
    )


def _drawn(image_generator, arrays):
    """As `ImageGenerator.generate`."""
    inputs = arrays["noise"]
    if image_generator.conditional:
        condition = image_generator.discriminator.text_branch(
            arrays["token_ids"], training=False
        )
        inputs = {"noise": inputs, "caption": condition}
    images = tf.clip_by_value(
        image_generator.generator(inputs, training=False), -1.0, 1.0
    )
    return tf.cast(tf.round((images + 1) * 127.5), tf.uint8)


def _logits(image_generator, arrays):
    images = arrays["image"]
    if image_generator.generator.output_shape[-1] == 1:
        # As `to_grey`.
        grey = tf.linalg.matvec(tf.cast(images, tf.float32), [0.299, 0.587, 0.114])
        images = tf.round(grey)[..., None]
    inputs = {"image": scale_images(images)}
    if image_generator.conditional:
        inputs["token_ids"] = arrays["token_ids"]
    return tf.cast(image_generator.discriminator(inputs, training=False), tf.float32)


def _judged(logits):
    return {"probability": tf.sigmoid(logits), "logit": logits}


def _run_judges(image_generator, examples):
    """By the run's own discriminator, from pixels that Pillow decoded."""
    inputs = _samples(image_generator, examples)["discriminator"]
    logits = image_generator.discriminator(inputs, training=False)
    return {name: found.numpy() for name, found in _judged(logits).items()}


def _samples(image_generator, examples):
    images = examples.squares
    if image_generator.generator.output_shape[-1] == 1:
        images = to_grayscale(images)
    judged = {"image": images.astype("float32") / 127.5 - 1}
    condition = {"inputs": examples.noise}
    if image_generator.conditional:
        judged["token_ids"] = examples.token_ids
        condition = {
            "noise": examples.noise,
            "caption": image_generator.encode_text(examples.captions),
        }
    return {"generator": condition, "discriminator": judged}
