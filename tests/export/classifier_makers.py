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
from kerasgan.data.text import build_vectorizer
from kerasgan.encoders.text_branch import build_text_branch
from kerasgan.runs import new_run
from tests.export.makers import LENGTH, SIZE, WORDS, tiny_eye

LABELS = ["FlipFlops", "Red Boat", "Dog"]
TEXTS = ["a thing for the beach", "red on water", "runs on 3 grass", "blue & red"]


def make_classifier_run(path, sides=("image", "text"), ours=True):
    """A finished run at `path`, of ours or the paper's, that takes some `sides`."""
    run = new_run("train-classifier", Settings(data=DataConfig(image_size=SIZE)), path)
    vectorizer = build_vectorizer(None, WORDS, 40, LENGTH) if "text" in sides else None
    if ours:
        fitted = TrainedEnsemble(_pool(sides), tiny_eye("_"), vectorizer, SIZE)
    else:
        look = build_conv_branch(SIZE, [4], 4)
        trainer = SimpleNamespace(network=_network(sides, look))
        fitted = TrainedNetwork(trainer, None, vectorizer, SIZE)
    masked = label_words(LABELS[:2])
    Classifier(fitted.serve(), LABELS, masked, fitted.weights).save(run)
    return run


def _network(sides, look, name="classifier", kind="lstm-attention"):
    look = look if "image" in sides else None
    read = build_text_branch(40, None, 4, kind) if "text" in sides else None
    return build_classifier(len(LABELS), look, read, name=name)


def _pool(sides):
    """All the parts that a training makes of these sides, believed alike."""
    parts = {side: _part(side, [side]) for side in sides}
    if "text" in sides:
        labels = np.array([0, 1, 2, 1])
        seen = np.random.default_rng(0).normal(size=(len(labels), 8))
        examples = PairExamples([], seen, [[text] for text in TEXTS], labels)
        for name in ANALYZERS:
            parts[name] = LinearMember("text", name, [name], len(LABELS))
    if len(sides) == 2:
        parts["wide"] = LinearMember("pair", "wide", list(ANALYZERS), len(LABELS))
        parts["pair"] = _part("pair", sides)
    for part in parts.values():
        if isinstance(part, LinearMember):
            part.refit(examples)
    kinds = np.array([part.modality for part in parts.values()])
    weights = np.stack([kinds != "", kinds == "image", kinds == "text"])
    return Ensemble(parts, weights.astype("float32"), np.array([0.5, 0.3, 0.2]))


def _part(modality, sides):
    kind = "lstm-attention" if modality == "text" else "words"
    look = build_feature_branch(8, 4)
    network = _network(sides, look, modality + "_network", kind)
    weights = network.get_weights()
    network = build_averaged_network(network, [weights, [2 * each for each in weights]])

    def logits(tensors):
        return network({name: tensors[name] for name in network.input})

    return SimpleNamespace(modality=modality, logits=logits)
