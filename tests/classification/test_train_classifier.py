"""From settings to a classifier."""

import keras
import numpy as np
import pytest

from kerasgan.classification import train_classifier as training
from kerasgan.classification.classifier import load_classifier
from kerasgan.classification.task import load_task
from kerasgan.classification.train_classifier import (
    to_classifier,
    train_classifier,
    train_model,
)
from kerasgan.config.settings import ClassifierConfig, DataConfig, Settings
from kerasgan.data import load_data
from kerasgan.errors import UserError
from kerasgan.runs import new_run

TINY = ClassifierConfig(
    filters=[4],
    encoder_filters=[4, 4],
    members=["image", "lstm", "words", "characters", "pair"],
    image_dim=8,
    text_dim=8,
    text_length=12,
    epochs=2,
    folds=2,
    minutes=None,
)


def settings(data_dir, **changes):
    return Settings(
        data=DataConfig(num_images=60, image_size=32, data_dir=str(data_dir)),
        classifier=TINY.model_copy(update=changes),
    )


def quiet(line):
    """Nobody is told."""


@pytest.fixture(scope="module")
def task(data_dir):
    return load_task(settings(data_dir), progress=quiet)


@pytest.fixture(scope="module")
def fitted(data_dir, task):
    return train_model(settings(data_dir), task, progress=quiet)


@pytest.fixture(scope="module")
def ours(task, fitted):
    return to_classifier(fitted, task)


def test_saved_is_what_was_trained(ours, task, data_dir, tmp_path):
    run = new_run("train-classifier", settings(data_dir), tmp_path / "run")
    ours.save(run)
    again, asked = (
        load_classifier(run.path),
        (task.test.images, task.test.first_texts),
    )
    np.testing.assert_allclose(again.classify(*asked), ours.classify(*asked), atol=1e-6)
    assert again.label_names == ours.label_names
    assert list(again.weights["pair"]) == TINY.parts


def test_served_is_what_was_judged(ours, fitted, task):
    images, texts = task.test.images, task.test.first_texts
    for without, asked in (
        ((), (images, texts)),
        (("text",), (images, None)),
        (("image",), (None, texts)),
    ):
        found = fitted.weigh(fitted.by_part(task.test), task.test, without)
        np.testing.assert_allclose(ours.classify(*asked), found, atol=1e-4)


def test_a_frozen_eye_looks_once_and_is_served_along(data_dir, monkeypatch):
    images = keras.Input((224, 224, 3))
    grid = keras.layers.Conv2D(12, 32, strides=32)(images)
    grid = keras.layers.Rescaling(1 / 255)(grid)
    image_encoder = keras.Model(images, grid, name="image_encoder")
    monkeypatch.setattr(training, "build_eye", lambda *_: image_encoder)
    parts = ["image", "words", "wide"]
    chosen = settings(data_dir, backbone="efficientnet-lite0", members=parts)
    task = load_task(chosen, progress=quiet)
    assert task.train.images.shape == (48, 12)
    fitted = train_model(chosen, task, progress=quiet)
    pairs = load_data(chosen.data.model_copy(update={"image_size": 224}))
    asked = list(pairs.test.images), task.test.first_texts
    found = to_classifier(fitted, task).classify(*asked)
    np.testing.assert_allclose(found, fitted.probabilities(task.test), atol=1e-3)


def test_a_missing_side_is_not_looked_at(ours, task):
    classifier = ours
    images, texts = task.test.images, task.test.first_texts
    alone = classifier.classify(images, None)
    np.testing.assert_allclose(
        classifier.classify(images, ["?!"] * len(texts)), alone, atol=1e-6
    )
    mixed = classifier.classify([None, images[1]], [texts[0], ""])
    np.testing.assert_allclose(mixed[1], alone[1], atol=1e-5)
    np.testing.assert_allclose(
        mixed[0], classifier.classify(None, texts[:1])[0], atol=1e-5
    )
    nothing = classifier.classify([None], [""])[0]
    assert nothing.sum() == pytest.approx(1)


@pytest.mark.parametrize("modality", ["pair", "image", "text"])
def test_the_papers_networks(modality, task, data_dir, tmp_path):
    wanted = settings(data_dir, modality=modality, fusion="paper", patience=None)
    run = new_run("train-classifier", wanted, tmp_path / "run")
    classifier = train_classifier(wanted, run, progress=quiet)
    images, texts = task.test.images, task.test.first_texts
    found = load_classifier(run).classify(images, texts)
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-5)
    assert (classifier.takes_images, classifier.takes_text) == (
        modality != "text",
        modality != "image",
    )
    if modality != "text":
        with pytest.raises(UserError, match="give one"):
            classifier.classify(None, texts)


def test_texts_are_cleaned_alike_in_training_and_afterwards():
    from kerasgan.classification import train_classifier as module

    class Split:
        ids, labels, images = ["a"], np.array([0]), np.zeros((1, 4, 4, 3), np.uint8)
        captions = [["caf&amp;amp;eacute;  on\ta\u00a0hill"]]

    found = module._examples(Split, None, "conv", "none")
    assert found.texts == [["café on a hill"]]


def test_half_precision_trains_and_answers_in_float32(task, data_dir):
    wanted = settings(data_dir, fusion="paper")
    training = wanted.training.model_copy(update={"precision": "mixed_bfloat16"})
    wanted = wanted.model_copy(update={"training": training})
    fitted = train_model(wanted, task, progress=quiet)
    branch = fitted.trainer.network.get_layer("image_branch")
    assert branch.layers[-1].compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == "float32"
    served = to_classifier(fitted, task)
    assert all(layer.compute_dtype != "bfloat16" for layer in served.model.layers)
    found = served.classify(task.test.images, task.test.first_texts)
    assert found.dtype == "float32"
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)


def test_a_part_for_both_needs_one_for_each_side(task, data_dir):
    wanted = settings(data_dir, members=["words", "pair"])
    with pytest.raises(UserError, match="needs one for the image"):
        train_model(wanted, task, progress=quiet)


def test_attention_shares_are_of_the_words(ours):
    shares = ours.attention("A Cat on the beach!")
    assert [word for word, _ in shares] == ["a", "cat", "on", "the", "beach"]
    assert 0 < sum(share for _, share in shares) < 1  # the opening has the rest


def test_words_that_name_a_class_are_left_out(data_dir):
    masked = load_task(settings(data_dir, mask_label_words=True), progress=quiet)
    assert "cat" in masked.masked
    words = " ".join(text for texts in masked.train.texts for text in texts).split()
    assert not set(words) & {"cat", "cats", "turtle", "giraffe"}


def test_the_weights_are_the_same_for_the_same_seed(data_dir):
    wanted = settings(data_dir, fusion="paper", modality="text")
    found = []
    for _ in range(2):
        task = load_task(wanted, progress=quiet)
        fitted = train_model(wanted, task, progress=quiet)
        found.append(fitted.probabilities(task.test))
    np.testing.assert_allclose(*found, atol=1e-5)
