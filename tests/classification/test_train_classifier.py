"""From settings to a classifier."""

import json

import keras
import numpy as np
import pytest

from kerasgan.classification import task as task_module
from kerasgan.classification.classifier import load_classifier
from kerasgan.classification.examples import PairExamples
from kerasgan.classification.task import ClassificationTask, load_task
from kerasgan.classification.train_classifier import (
    fit_model,
    to_classifier,
    train_classifier,
    train_model,
)
from kerasgan.config.settings import ClassifierConfig, DataConfig, Settings
from kerasgan.data import load_data
from kerasgan.errors import JobError, UserError
from kerasgan.runs import new_run
from tests.data import makers

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


def make_settings(data_dir, **changes):
    return Settings(
        data=DataConfig(num_images=60, image_size=32, data_dir=str(data_dir)),
        classifier=TINY.model_copy(update=changes),
    )


def ignore(line):
    """Prints nothing."""


@pytest.fixture(scope="module")
def task(data_dir):
    return load_task(make_settings(data_dir), progress=ignore)


@pytest.fixture(scope="module")
def trained(data_dir, task):
    return train_model(make_settings(data_dir), task, progress=ignore)


@pytest.fixture(scope="module")
def classifier(task, trained):
    return to_classifier(trained, task)


@pytest.mark.parametrize("fusion", ["paper", "ensemble"])
def test_a_loss_that_is_not_finite_stops_every_classifier(fusion):
    images = np.full((12, 3), np.nan, "float32")
    labels = np.arange(12) % 2
    examples = PairExamples([""] * 12, images, [["a"]] * 12, labels)
    config = TINY.model_copy(update={"fusion": fusion, "modality": "image"})
    task = ClassificationTask(examples, ["a", "b"], image_encoder=object())
    with pytest.raises(JobError, match="epoch 1, step ., precision float32"):
        fit_model(config, task, progress=ignore)


def test_a_loaded_classifier_predicts_the_same(classifier, task, data_dir, tmp_path):
    run = new_run("train-classifier", make_settings(data_dir), tmp_path / "run")
    classifier.save(run)
    loaded = load_classifier(run.path)
    inputs = task.test.images, task.test.first_texts
    np.testing.assert_allclose(
        loaded.classify(*inputs), classifier.classify(*inputs), atol=1e-6
    )
    assert loaded.label_names == classifier.label_names
    assert list(loaded.member_weights["pair"]) == TINY.members
    assert set(run.read("models/classifier.json")) == {
        "label_names",
        "masked_words",
        "member_weights",
        "thresholds",
        "training_seconds",
    }


def test_damaged_fields_of_a_classifier_are_named(classifier, data_dir, tmp_path):
    run = new_run("train-classifier", make_settings(data_dir), tmp_path / "run")
    classifier.save(run)
    path = run.models / "classifier.json"
    text = path.read_text()
    fields = run.read("models/classifier.json")  # without its checksum, as once
    for damaged in (
        text.replace('"masked', '"naskeb'),
        json.dumps(fields | {"thresholds": "none"}),
        json.dumps({key: fields[key] for key in fields if key != "thresholds"}),
    ):
        path.write_text(damaged)
        with pytest.raises(UserError, match="classifier.json is damaged: it"):
            load_classifier(run)
    path.write_text(json.dumps(fields))
    assert load_classifier(run).label_names == classifier.label_names


def test_a_run_without_a_classifier_is_an_error(data_dir, tmp_path):
    run = new_run("train-classifier", make_settings(data_dir), tmp_path / "run")
    with pytest.raises(UserError, match="has no trained classifier"):
        load_classifier(run)


def test_the_serving_model_predicts_the_same_as_the_ensemble(classifier, trained, task):
    images, texts = task.test.images, task.test.first_texts
    by_member = trained.predict_log_proba_by_member(task.test)
    for missing, inputs in (
        ((), (images, texts)),
        (("text",), (images, None)),
        (("image",), (None, texts)),
    ):
        expected = trained.combine(by_member, task.test, missing)
        np.testing.assert_allclose(classifier.classify(*inputs), expected, atol=1e-4)


def test_a_frozen_encoder_is_part_of_the_serving_model(data_dir, monkeypatch):
    images = keras.Input((224, 224, 3))
    features = keras.layers.Conv2D(12, 32, strides=32)(images)
    features = keras.layers.Rescaling(1 / 255)(features)
    image_encoder = keras.Model(images, features, name="image_encoder")
    monkeypatch.setattr(task_module, "build_image_encoder", lambda *_: image_encoder)
    members = ["image", "linear_probe", "words", "wide"]
    settings = make_settings(data_dir, backbone="efficientnet-lite0", members=members)
    task = load_task(settings, progress=ignore)
    assert task.train.images.shape == (48, 12)
    trained = train_model(settings, task, progress=ignore)
    pairs = load_data(settings.data.model_copy(update={"image_size": 224}))
    inputs = list(pairs.test.images), task.test.first_texts
    probabilities = to_classifier(trained, task).classify(*inputs)
    expected = trained.predict_proba(task.test)
    np.testing.assert_allclose(probabilities, expected, atol=1e-3)


def test_a_missing_input_does_not_count(classifier, task):
    images, texts = task.test.images, task.test.first_texts
    by_image = classifier.classify(images, None)
    np.testing.assert_allclose(
        classifier.classify(images, ["?!"] * len(texts)), by_image, atol=1e-6
    )
    mixed = classifier.classify([None, images[1]], [texts[0], ""])
    np.testing.assert_allclose(mixed[1], by_image[1], atol=1e-5)
    np.testing.assert_allclose(
        mixed[0], classifier.classify(None, texts[:1])[0], atol=1e-5
    )
    neither = classifier.classify([None], [""])[0]
    assert neither.sum() == pytest.approx(1)
    with pytest.raises(ValueError, match="None for both"):
        classifier.classify()


@pytest.mark.parametrize("modality", ["pair", "image", "text"])
def test_papers_networks(modality, task, data_dir, tmp_path):
    settings = make_settings(data_dir, modality=modality, fusion="paper", patience=None)
    run = new_run("train-classifier", settings, tmp_path / "run")
    classifier = train_classifier(settings, run, progress=ignore)
    images, texts = task.test.images, task.test.first_texts
    probabilities = load_classifier(run).classify(images, texts)
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)
    assert (classifier.takes_images, classifier.takes_text) == (
        modality != "text",
        modality != "image",
    )
    if modality != "text":
        with pytest.raises(UserError, match="needs an image for each text"):
            classifier.classify(None, texts)


def test_training_texts_are_cleaned_as_the_classifier_cleans_them():
    class Split:
        ids, labels, images = ["a"], np.array([0]), np.zeros((1, 4, 4, 3), np.uint8)
        captions = [["caf&amp;amp;eacute;  on\ta\u00a0hill"]]
        groups = np.array([0])

    examples = task_module._load_examples(Split, None, "conv", "none")
    assert examples.texts == [["café on a hill"]]


def test_images_of_a_row_are_held_out_together(tmp_path):
    names = makers.names(36)
    makers.write_images(tmp_path, names)
    rows = [
        f"{';'.join(names[n : n + 3])},row {n},{'ab'[n % 2]}" for n in range(0, 36, 3)
    ]
    data = DataConfig(
        dataset="table",
        source=str(makers.table(tmp_path, ["image,text,label", *rows])),
        data_dir=str(tmp_path / "prepared"),
        image_size=32,
        split=0.84,
    )
    settings = Settings(data=data, classifier=TINY)
    train = load_task(settings, use_images=False, progress=ignore).train
    texts = np.array(train.first_texts)
    train_rows, held_out = train.hold_out(0.2)
    assert (len(train_rows), len(held_out)) == (24, 6)
    assert not set(texts[train_rows]) & set(texts[held_out])


def test_bfloat16_training_gives_a_float32_classifier(task, data_dir):
    settings = make_settings(data_dir, fusion="paper")
    training = settings.training.model_copy(update={"precision": "mixed_bfloat16"})
    settings = settings.model_copy(update={"training": training})
    trained = train_model(settings, task, progress=ignore)
    branch = trained.trainer.network.get_layer("image_branch")
    assert branch.layers[-1].compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == "float32"
    classifier = to_classifier(trained, task)
    assert all(layer.compute_dtype != "bfloat16" for layer in classifier.model.layers)
    probabilities = classifier.classify(task.test.images, task.test.first_texts)
    assert probabilities.dtype == "float32"
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_a_member_for_pairs_needs_members_for_image_and_text(task, data_dir):
    settings = make_settings(data_dir, members=["words", "pair"])
    with pytest.raises(UserError, match="needs one for the image"):
        train_model(settings, task, progress=ignore)


def test_members_must_suit_the_data(task, data_dir):
    settings = make_settings(data_dir, members=["words"], modality="image")
    with pytest.raises(UserError, match="None of the members"):
        train_model(settings, task, progress=ignore)


def test_attention_weights_belong_to_the_words(classifier):
    weights = classifier.attention_weights("A Cat on the beach!")
    assert [word for word, _ in weights] == ["a", "cat", "on", "the", "beach"]
    assert 0 < sum(weight for _, weight in weights) < 1  # the start token has the rest


def test_words_that_name_a_class_are_removed(data_dir):
    settings = make_settings(data_dir, mask_label_words=True)
    task = load_task(settings, progress=ignore)
    assert "cat" in task.masked_words
    words = " ".join(text for texts in task.train.texts for text in texts).split()
    assert not set(words) & {"cat", "cats", "turtle", "giraffe"}


def test_the_same_seed_gives_the_same_weights(data_dir):
    settings = make_settings(data_dir, fusion="paper", modality="text")
    probabilities = []
    for _ in range(2):
        task = load_task(settings, progress=ignore)
        trained = train_model(settings, task, progress=ignore)
        probabilities.append(trained.predict_proba(task.test))
    np.testing.assert_allclose(*probabilities, atol=1e-5)


def test_the_temperature_is_part_of_the_serving_model(task, data_dir):
    settings = make_settings(data_dir, fusion="paper", modality="image")
    trained = train_model(settings, task, progress=ignore)
    trained.trainer.temperature = 4.0
    probabilities = to_classifier(trained, task).classify(task.test.images)
    np.testing.assert_allclose(
        probabilities, trained.predict_proba(task.test), atol=1e-5
    )
    trained.trainer.temperature = 1.0
    assert (trained.predict_proba(task.test).max(1) > probabilities.max(1)).all()
