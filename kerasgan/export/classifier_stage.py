"""The classifier, ready to be exported."""

import keras
import numpy as np
import tensorflow as tf

from kerasgan.classification.classifier import load_classifier
from kerasgan.data.label_words import mask_label_words
from kerasgan.export.endpoints import (
    CLASS,
    Endpoint,
    Stage,
    with_plain_names,
    without_cudnn,
)
from kerasgan.layers.ngram_logits import NgramLogits

BEST = "string `(n,)`: the name of the likeliest class"
PROBABILITIES = "float32 `(n, {classes})`: of the classes, in the order of labels.txt"
SIDES = {"image": "images", "token_ids": "texts", "text": "texts"}
NONE_OF_THESE = (
    " There is none for what belongs to no class: probabilities sum to 1 over the"
    " labels, whatever is shown."
)


def classifier_stage(run):
    """What a run of `train-classifier` trained, as a `Stage`."""
    classifier = load_classifier(run)
    network = with_plain_names(_over_arrays(classifier.model))
    without_cudnn(network)
    vectorizer, masked = None, None
    if classifier.takes_text:
        vectorizer = classifier.model.get_layer("vectorizer")
        masked = tuple(classifier.masked)
    sides = tuple(side for side in SIDES if side in network.input)
    classify = Endpoint(
        "classify",
        f"Tells classes by {' and '.join(SIDES[side] for side in sides)}."
        + NONE_OF_THESE,
        lambda arrays: {"probabilities": _ask(network, arrays)},
        sides,
        {
            CLASS: BEST,
            "probabilities": PROBABILITIES.format(classes=len(classifier.label_names)),
        },
        lambda examples: _run_says(classifier, examples),
        words="text",
    )
    return Stage(
        name="classes",
        networks={"classifier": network},
        image_size=classifier.image_size,
        fit=run.settings.data.fit,
        endpoints=(classify,),
        samples=lambda examples: {
            "classifier": _samples(classifier, network, examples)
        },
        vectorizer=vectorizer,
        masked=masked,
        labels=tuple(classifier.label_names),
        accepts_missing=classifier.accepts_missing,
    )


def _over_arrays(model):
    """The model from token ids on, unless it counts n-grams of the strings."""
    names = [layer.name for layer in model.layers]
    counts = any(isinstance(layer, NgramLogits) for layer in model.layers)
    if "vectorizer" not in names or counts:
        return model
    read = model.get_layer("vectorizer").output
    inputs = {name: tensor for name, tensor in model.input.items() if name != "text"}
    behind = keras.Model([*inputs.values(), read], model.output)
    inputs["token_ids"] = keras.Input(read.shape[1:], dtype="int32", name="token_ids")
    return keras.Model(inputs, behind([*inputs.values()]))


def _ask(network, arrays):
    fed = dict(arrays)
    if "image" in fed:
        fed["image"] = tf.cast(fed["image"], tf.float32)
        there = tf.ones_like(fed["image"][:, 0, 0, 0], tf.bool)
        fed = {"has_image": there} | fed
    fed = {name: fed[name] for name in network.input}
    return tf.cast(network(fed, training=False), tf.float32)


def _run_says(classifier, examples):
    """By the run's own classifier, from pixels that Pillow decoded."""
    images = None
    if classifier.takes_images:
        pairs = zip(examples.files, examples.squares)
        images = [square if data else None for data, square in pairs]
    found = classifier.classify(images, examples.captions)
    best = np.array(classifier.label_names)[found.argmax(axis=-1)]
    return {CLASS: best, "probabilities": found}


def _samples(classifier, network, examples):
    found = {
        "image": examples.squares,
        "has_image": np.array([bool(data) for data in examples.files]),
        "text": np.array(mask_label_words(examples.captions, classifier.masked)),
        "token_ids": examples.token_ids,
    }
    if classifier.takes_images:
        found["image"] = examples.squares.astype("float32")
    return {name: found[name] for name in network.input}
