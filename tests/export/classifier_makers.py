"""Runs of `train-classifier` with small networks of random weights."""

from types import SimpleNamespace

import numpy as np

from kerasgan.classification.classifier import Classifier
from kerasgan.classification.ensemble import Ensemble
from kerasgan.classification.examples import PairExamples
from kerasgan.classification.linear_member import ANALYZERS, LinearMember
from kerasgan.classification.networks import (
    build_averaged_network,
    build_classifier,
    build_conv_branch,
    build_feature_branch,
)
from kerasgan.classification.trained_models import TrainedEnsemble, TrainedNetwork
from kerasgan.config.settings import DataConfig, Settings
from kerasgan.data.label_words import label_words
from kerasgan.encoders.text_branch import build_text_branch
from kerasgan.layers.text_vectorization import build_vectorizer
from kerasgan.runs import new_run
from tests.export.makers import (
    CAPTION_LENGTH,
    IMAGE_SIZE,
    VOCABULARY_SIZE,
    WORDS,
    build_tiny_encoder,
)

LABELS = ["FlipFlops", "Red Boat", "Dog"]
TEXTS = ["a thing for the beach", "red on water", "runs on 3 grass", "blue & red"]


def make_classifier_run(path, modalities=("image", "text"), is_ensemble=True):
    """Makes a finished run at `path`, with an ensemble or the network of paper B."""
    settings = Settings(data=DataConfig(image_size=IMAGE_SIZE))
    run = new_run("train-classifier", settings, path)
    vectorizer = None
    if "text" in modalities:
        vectorizer = build_vectorizer(None, WORDS, VOCABULARY_SIZE, CAPTION_LENGTH)
    if is_ensemble:
        trained = TrainedEnsemble(
            _build_ensemble(modalities), build_tiny_encoder("_"), vectorizer, IMAGE_SIZE
        )
    else:
        network = _build_network(modalities, build_conv_branch(IMAGE_SIZE, [4], 4))
        trainer = SimpleNamespace(network=network, temperature=2.0)
        trained = TrainedNetwork(trainer, None, vectorizer, IMAGE_SIZE)
    model, masked_words = trained.build_serving_model(), label_words(LABELS[:2])
    Classifier(model, LABELS, masked_words, trained.member_weights).save(run)
    return run


def _build_network(
    modalities, image_branch, name="classifier", text_branch="lstm-attention"
):
    return build_classifier(
        len(LABELS),
        image_branch if "image" in modalities else None,
        build_text_branch(VOCABULARY_SIZE, None, 4, text_branch)
        if "text" in modalities
        else None,
        name=name,
    )


def _build_ensemble(modalities):
    """Builds all members that a training has for these modalities."""
    members = {
        modality: _build_network_member(modality, [modality]) for modality in modalities
    }
    if "image" in modalities:
        members["linear_probe"] = LinearMember("image", "linear_probe", [], len(LABELS))
    if "text" in modalities:
        for name in ANALYZERS:
            members[name] = LinearMember("text", name, [name], len(LABELS))
    if len(modalities) == 2:
        members["wide"] = LinearMember("pair", "wide", list(ANALYZERS), len(LABELS))
        members["pair"] = _build_network_member("pair", modalities)
    labels = np.array([0, 1, 2, 1])
    features = np.random.default_rng(0).normal(size=(len(labels), 8))
    examples = PairExamples([], features, [[text] for text in TEXTS], labels)
    for member in members.values():
        if isinstance(member, LinearMember):
            member.refit(examples)
    member_modalities = np.array([member.modality for member in members.values()])
    weights = np.stack(
        [
            member_modalities != "",
            member_modalities == "image",
            member_modalities == "text",
        ]
    )
    return Ensemble(members, weights.astype("float32"), np.array([0.5, 0.3, 0.2]))


def _build_network_member(modality, modalities):
    network = _build_network(
        modalities,
        build_feature_branch(np.eye(8), 4),
        modality + "_network",
        "lstm-attention" if modality == "text" else "words",
    )
    weights = network.get_weights()
    doubled = [
        2 * array if weight.trainable else array
        for weight, array in zip(network.weights, weights, strict=True)
    ]
    network = build_averaged_network(network, [weights, doubled])

    def logits(inputs):
        return network({name: inputs[name] for name in network.input})

    return SimpleNamespace(modality=modality, logits=logits)
