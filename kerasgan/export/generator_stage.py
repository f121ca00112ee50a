"""The networks of a run's images stage, prepared for export."""

import numpy as np
import tensorflow as tf

from kerasgan.config.settings import GanConfig
from kerasgan.export.endpoints import Endpoint, Stage
from kerasgan.export.example_inputs import ExampleInputs
from kerasgan.export.networks import disable_cudnn
from kerasgan.gan.image_generator import ImageGenerator, load_gan, scale_images
from kerasgan.gan.pair_dataset import to_grayscale
from kerasgan.runs import Run

IMAGES = "uint8 `(n, {size}, {size}, {channels})`: the generated images"
PROBABILITY = "float32 `(n,)`: probability that the image is real"
# Losses for which the discriminator's sigmoid is trained to be a probability.
PROBABILISTIC_LOSSES = ("minimax", "non-saturating")
SIGMOID = (
    "float32 `(n,)`: sigmoid of the logit, not a probability with the loss {loss};"
    " high if the image is real"
)
LOGIT = "float32 `(n,)`: unbounded output of the discriminator"
MEAN = "float32 `(n, {latent_dim})`: the likeliest noise"
LOG_VARIANCE = "float32 `(n, {latent_dim})`: logarithm of the variance of the noise"


def generator_stage(run: Run) -> Stage:
    """Prepares the images stage of a run of `train-gan` for export.

    Args:
        run: a run whose images stage has finished.

    Returns:
        The `Stage` with the endpoints `generate`, and `discriminate` of a GAN or
        `encode` of a VAE.

    Raises:
        UserError: the run has no trained generator.
    """
    image_generator, settings = load_gan(run), run.resolved_settings
    networks = {
        "generator": image_generator.generator,
        image_generator.counterpart.name: image_generator.counterpart,
    }
    for network in networks.values():
        disable_cudnn(network)
    return Stage(
        name="images",
        networks=networks,
        image_size=image_generator.generator.output_shape[2],
        fit=settings.data.fit,
        latent_dim=image_generator.latent_dim,
        vectorizer=image_generator.vectorizer,
        endpoints=(
            _generate_endpoint(image_generator),
            _counterpart_endpoint(image_generator, settings.gan),
        ),
        network_inputs=lambda examples: _network_inputs(image_generator, examples),
    )


def _text_inputs(image_generator):
    return ("token_ids",) if image_generator.conditional else ()


def _generate_endpoint(image_generator: ImageGenerator) -> Endpoint:
    size, channels = image_generator.generator.output_shape[2:]
    conditional = image_generator.conditional
    return Endpoint(
        name="generate",
        description="Generates an image for each noise vector"
        + (" and caption." if conditional else "."),
        predict=lambda inputs: {"images": _generate(image_generator, inputs)},
        inputs=("noise", *_text_inputs(image_generator)),
        outputs={"images": IMAGES.format(size=size, channels=channels)},
        reference_outputs=lambda examples: {
            "images": image_generator.generate(
                examples.captions if conditional else None, noise=examples.noise
            )
        },
    )


def _counterpart_endpoint(image_generator: ImageGenerator, gan: GanConfig) -> Endpoint:
    if gan.model == "vae":
        return _encode_endpoint(image_generator)
    return _discriminate_endpoint(image_generator, gan.loss)


def _encode_endpoint(image_generator: ImageGenerator) -> Endpoint:
    return Endpoint(
        name="encode",
        description="Predicts the noise that draws an image"
        + (" from its caption." if image_generator.conditional else "."),
        predict=lambda inputs: _counterpart(image_generator, inputs),
        inputs=("image", *_text_inputs(image_generator)),
        outputs={
            name: text.format(latent_dim=image_generator.latent_dim)
            for name, text in (("mean", MEAN), ("log_variance", LOG_VARIANCE))
        },
        reference_outputs=lambda examples: {
            name: output.numpy()
            for name, output in _reference(image_generator, examples).items()
        },
    )


def _discriminate_endpoint(image_generator: ImageGenerator, loss: str) -> Endpoint:
    pair = " and the caption matches" if image_generator.conditional else ""
    probability = PROBABILITY if loss in PROBABILISTIC_LOSSES else SIGMOID
    return Endpoint(
        name="discriminate",
        description="Predicts whether an image is real"
        + (" and matches its caption." if image_generator.conditional else "."),
        predict=lambda inputs: _to_outputs(_counterpart(image_generator, inputs)),
        inputs=("image", *_text_inputs(image_generator)),
        outputs={"probability": probability.format(loss=loss) + pair, "logit": LOGIT},
        reference_outputs=lambda examples: _reference_logits(image_generator, examples),
    )


def _generate(image_generator, inputs):
    """Generates images as `ImageGenerator.generate` does, in the graph."""
    generator_inputs = inputs["noise"]
    if image_generator.conditional:
        text_branch = image_generator.counterpart.text_branch
        features = text_branch(inputs["token_ids"], training=False)
        generator_inputs = {"noise": inputs["noise"], "caption": features}
    images = image_generator.generator(generator_inputs, training=False)
    images = tf.clip_by_value(images, -1.0, 1.0)
    return tf.cast(tf.round((images + 1) * 127.5), tf.uint8)


def _is_grayscale(image_generator):
    return image_generator.generator.output_shape[-1] == 1


def _counterpart(image_generator, inputs):
    """Calls the network that sees images, in the graph."""
    images = inputs["image"]
    if _is_grayscale(image_generator):
        # As `kerasgan.gan.pair_dataset.to_grayscale`.
        gray = tf.linalg.matvec(tf.cast(images, tf.float32), [0.299, 0.587, 0.114])
        images = tf.round(gray)[..., None]
    network_inputs = {"image": scale_images(images)}
    if image_generator.conditional:
        network_inputs["token_ids"] = inputs["token_ids"]
    outputs = image_generator.counterpart(network_inputs, training=False)
    return tf.nest.map_structure(lambda tensor: tf.cast(tensor, tf.float32), outputs)


def _to_outputs(logits):
    return {"probability": tf.sigmoid(logits), "logit": logits}


def _reference(image_generator, examples):
    """Calls the network that sees images with images that Pillow decoded."""
    counterpart = image_generator.counterpart
    inputs = _network_inputs(image_generator, examples)[counterpart.name]
    return counterpart(inputs, training=False)


def _reference_logits(
    image_generator: ImageGenerator, examples: ExampleInputs
) -> dict[str, np.ndarray]:
    logits = _reference(image_generator, examples)
    return {name: output.numpy() for name, output in _to_outputs(logits).items()}


def _network_inputs(image_generator, examples):
    images = examples.images
    if _is_grayscale(image_generator):
        images = to_grayscale(images)
    counterpart_inputs = {"image": images.astype("float32") / 127.5 - 1}
    generator_inputs = {"inputs": examples.noise}
    if image_generator.conditional:
        counterpart_inputs["token_ids"] = examples.token_ids
        generator_inputs = {
            "noise": examples.noise,
            "caption": image_generator.encode_text(examples.captions),
        }
    counterpart = image_generator.counterpart.name
    return {"generator": generator_inputs, counterpart: counterpart_inputs}
