"""The classifier of a run, prepared for export."""

import keras
import numpy as np
import tensorflow as tf

from kerasgan.classification.classifier import Classifier, load_classifier
from kerasgan.data.label_words import mask_label_words
from kerasgan.export.endpoints import CLASS_OUTPUT, Endpoint, Stage
from kerasgan.export.example_inputs import ExampleInputs
from kerasgan.export.networks import disable_cudnn, with_valid_layer_names
from kerasgan.layers.ngram_logits import NgramLogits
from kerasgan.runs import Run

CLASS = "string `(n,)`: the name of the most probable class"
PROBABILITIES = "float32 `(n, {num_classes})`: in the order of labels.txt"
MODALITIES = {"image": "images", "token_ids": "texts", "text": "texts"}
DESCRIPTION = (
    "Predicts classes from {modalities}. There is no class for other inputs: the"
    " probabilities always sum to 1 over the labels."
)
MULTI_LABEL_DESCRIPTION = (
    "Predicts any number of classes from {modalities}: those whose probability is at"
    " least the threshold, in the order of labels.txt: {thresholds}. The probabilities"
    " do not sum to 1."
)


def classifier_stage(run: Run) -> Stage:
    """Prepares the classifier of a run of `train-classifier` for export.

    Args:
        run: a finished run.

    Returns:
        The `Stage` with the endpoint `classify`.

    Raises:
        UserError: the run has no trained classifier.
    """
    classifier = load_classifier(run)
    network = with_valid_layer_names(_replace_text_input(classifier.model))
    disable_cudnn(network)
    vectorizer, masked_words = None, None
    if classifier.takes_text:
        masked_words = tuple(classifier.masked_words)
        layers = {layer.name: layer for layer in classifier.model.layers}
        vectorizer = layers.get("vectorizer")  # n-grams need none
    inputs = tuple(name for name in MODALITIES if name in network.input)
    modalities = " and ".join(MODALITIES[name] for name in inputs)
    probabilities = PROBABILITIES.format(num_classes=len(classifier.label_names))
    outputs = {"probabilities": probabilities}
    if not classifier.multi_label:
        outputs = {CLASS_OUTPUT: CLASS} | outputs
    classify = Endpoint(
        name="classify",
        description=_description(classifier, modalities),
        predict=lambda tensors: {"probabilities": _call_network(network, tensors)},
        inputs=inputs,
        outputs=outputs,
        reference_outputs=lambda examples: _reference_outputs(classifier, examples),
        text_input="text",
    )
    return Stage(
        name="classes",
        networks={"classifier": network},
        image_size=classifier.image_size,
        fit=run.settings.data.fit,
        endpoints=(classify,),
        network_inputs=lambda examples: {
            "classifier": _network_inputs(classifier, network, examples)
        },
        vectorizer=vectorizer,
        masked_words=masked_words,
        label_names=tuple(classifier.label_names),
        accepts_missing=classifier.accepts_missing,
    )


def _description(classifier, modalities):
    if not classifier.multi_label:
        return DESCRIPTION.format(modalities=modalities)
    thresholds = ", ".join(f"{x:.3g}" for x in classifier.thresholds)
    return MULTI_LABEL_DESCRIPTION.format(modalities=modalities, thresholds=thresholds)


def _replace_text_input(model: keras.Model) -> keras.Model:
    """Replaces the input `text` by `token_ids`, unless n-grams are counted."""
    names = [layer.name for layer in model.layers]
    counts_ngrams = any(isinstance(layer, NgramLogits) for layer in model.layers)
    if "vectorizer" not in names or counts_ngrams:
        return model
    token_ids = model.get_layer("vectorizer").output
    inputs = {name: tensor for name, tensor in model.input.items() if name != "text"}
    after_vectorizer = keras.Model([*inputs.values(), token_ids], model.output)
    inputs["token_ids"] = keras.Input(
        token_ids.shape[1:], dtype="int32", name="token_ids"
    )
    return keras.Model(inputs, after_vectorizer([*inputs.values()]))


def _call_network(network, tensors):
    inputs = dict(tensors)
    if "image" in inputs:
        inputs["image"] = tf.cast(inputs["image"], tf.float32)
        has_image = tf.ones_like(inputs["image"][:, 0, 0, 0], tf.bool)
        inputs = {"has_image": has_image} | inputs
    inputs = {name: inputs[name] for name in network.input}
    return tf.cast(network(inputs, training=False), tf.float32)


def _reference_outputs(
    classifier: Classifier, examples: ExampleInputs
) -> dict[str, np.ndarray]:
    """Calls the classifier of the run with images that Pillow decoded."""
    images = None
    if classifier.takes_images:
        pairs = zip(examples.files, examples.images, strict=True)
        images = [image if data else None for data, image in pairs]
    probabilities = classifier.classify(images, examples.captions)
    if classifier.multi_label:
        return {"probabilities": probabilities}
    classes = np.array(classifier.label_names)[probabilities.argmax(axis=-1)]
    return {CLASS_OUTPUT: classes, "probabilities": probabilities}


def _network_inputs(classifier, network, examples):
    inputs = {
        "image": examples.images,
        "has_image": np.array([bool(data) for data in examples.files]),
        "text": np.array(mask_label_words(examples.captions, classifier.masked_words)),
        "token_ids": examples.token_ids,
    }
    if classifier.takes_images:
        inputs["image"] = examples.images.astype("float32")
    return {name: inputs[name] for name in network.input}
