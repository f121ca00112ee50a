"""The generator of pictures and its judge, ready to be exported."""

import tensorflow as tf

from kerasgan.export.endpoints import Endpoint, Stage, without_cudnn
from kerasgan.training.feeding import to_grey
from kerasgan.training.gan import to_floats
from kerasgan.training.trained import load_gan

PICTURES = "uint8 `(n, {size}, {size}, {channels})`: the pictures drawn"
PROBABILITY = "float32 `(n,)`: the chance that it is a real picture"
SIGMOID = "float32 `(n,)`: the logit's sigmoid; under the loss {loss} no probability"
LOGIT = "float32 `(n,)`: what the discriminator says, unbounded"


def pictures_stage(run):
    """What the pictures' stage of a run trained, as a `Stage`."""
    forger, settings = load_gan(run), run.settings
    networks = {"generator": forger.generator, "discriminator": forger.discriminator}
    for network in networks.values():
        without_cudnn(network)
    words = ("token_ids",) if forger.conditional else ()
    size, channels = forger.generator.output_shape[2:]
    loss = settings.gan.loss
    chance = PROBABILITY if loss in ("minimax", "non-saturating") else SIGMOID
    pair = ", and that the caption is its own" if forger.conditional else ""
    generate = Endpoint(
        "generate",
        "Draws a picture for each noise"
        + (" and caption." if forger.conditional else "."),
        lambda arrays: {"pictures": _drawn(forger, arrays)},
        ("noise", *words),
        {"pictures": PICTURES.format(size=size, channels=channels)},
        lambda examples: {
            "pictures": forger.generate(
                examples.captions if forger.conditional else None, noise=examples.noise
            )
        },
    )
    discriminate = Endpoint(
        "discriminate",
        f"Says whether a picture is real{pair}.",
        lambda arrays: _judged(_logits(forger, arrays)),
        ("picture", *words),
        {"probability": chance.format(loss=loss) + pair, "logit": LOGIT},
        lambda examples: _run_judges(forger, examples),
    )
    return Stage(
        name="pictures",
        networks=networks,
        image_size=size,
        fit=settings.data.fit,
        latent_dim=forger.latent_dim,
        vectorizer=forger.vectorizer,
        endpoints=(generate, discriminate),
        samples=lambda examples: _samples(forger, examples),
    )


def _drawn(forger, arrays):
    """As `PictureForger.generate`."""
    inputs = arrays["noise"]
    if forger.conditional:
        told = forger.discriminator.text_branch(arrays["token_ids"], training=False)
        inputs = {"noise": inputs, "caption": told}
    pictures = tf.clip_by_value(forger.generator(inputs, training=False), -1.0, 1.0)
    return tf.cast(tf.round((pictures + 1) * 127.5), tf.uint8)


def _logits(forger, arrays):
    pictures = arrays["picture"]
    if forger.generator.output_shape[-1] == 1:
        # As `to_grey`.
        grey = tf.linalg.matvec(tf.cast(pictures, tf.float32), [0.299, 0.587, 0.114])
        pictures = tf.round(grey)[..., None]
    inputs = {"image": to_floats(pictures)}
    if forger.conditional:
        inputs["token_ids"] = arrays["token_ids"]
    return tf.cast(forger.discriminator(inputs, training=False), tf.float32)


def _judged(logits):
    return {"probability": tf.sigmoid(logits), "logit": logits}


def _run_judges(forger, examples):
    """By the run's own discriminator, from pixels that Pillow decoded."""
    inputs = _samples(forger, examples)["discriminator"]
    logits = forger.discriminator(inputs, training=False)
    return {name: found.numpy() for name, found in _judged(logits).items()}


def _samples(forger, examples):
    pictures = examples.squares
    if forger.generator.output_shape[-1] == 1:
        pictures = to_grey(pictures)
    judged = {"image": pictures.astype("float32") / 127.5 - 1}
    told = {"inputs": examples.noise}
    if forger.conditional:
        judged["token_ids"] = examples.token_ids
        told = {"noise": examples.noise, "caption": forger.read(examples.captions)}
    return {"generator": told, "discriminator": judged}
