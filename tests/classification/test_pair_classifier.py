"""The scikit-learn estimator.

Only the checks of scikit-learn that do not call `fit` apply. The others of
`check_estimator` fit matrices of floats `(n, features)`, which `PairClassifier` rejects
because they are not images: the checks of accuracy on such data, of NaN, sparse
matrices, dtypes, feature names and `n_features_in_`, of pickling, and of methods before
`fit`. The tests below check the same with images and texts where it makes sense.
"""

import inspect
import pickle

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils import estimator_checks

import kerasgan
from kerasgan.classification.classifier import Classifier
from kerasgan.classification.task import load_task
from kerasgan.classification.train_classifier import to_classifier, train_model
from kerasgan.config.settings import ClassifierConfig, DataConfig, Settings
from kerasgan.data.scenes import draw_scene

SCENES = [draw_scene(index, size=32, seed=0) for index in range(48)]
IMAGES = np.stack([scene.image for scene in SCENES])
TEXTS = [scene.captions[0] for scene in SCENES]
LABELS = np.array([scene.label for scene in SCENES])
PAIRS = kerasgan.image_text_pairs(IMAGES, TEXTS)
TINY = {
    "filters": (4,),
    "encoder_filters": (4, 4),
    "image_dim": 8,
    "text_dim": 8,
    "epochs": 2,
    "folds": 2,
    "minutes": None,
    "random_state": 0,
}


@pytest.fixture(scope="module")
def fitted():
    return kerasgan.PairClassifier(**TINY).fit(IMAGES, TEXTS, LABELS)


@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_parameters_default_constructible,
        estimator_checks.check_get_params_invariance,
        estimator_checks.check_set_params,
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_estimator_cloneable,
        estimator_checks.check_estimator_repr,
        estimator_checks.check_estimator_tags_renamed,
        estimator_checks.check_valid_tag_types,
        estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
        estimator_checks.check_mixin_order,
    ],
)
@pytest.mark.parametrize("multi_label", [False, True])
def test_checks_of_scikit_learn(check, multi_label):
    check("PairClassifier", kerasgan.PairClassifier(multi_label=multi_label))


def test_predicting_before_fit_is_an_error(tmp_path):
    classifier = kerasgan.PairClassifier()
    for call in (
        lambda: classifier.predict(PAIRS),
        lambda: classifier.predict_proba(PAIRS),
        lambda: classifier.score(PAIRS, LABELS),
        lambda: classifier.save(tmp_path / "model.keras"),
    ):
        with pytest.raises(NotFittedError):
            call()


def test_defaults_are_those_of_the_command_without_its_time_limit():
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(
            kerasgan.PairClassifier
        ).parameters.items()
    }
    config = ClassifierConfig(minutes=None).model_dump(exclude={"fill_captions"})
    for name, value in config.items():
        default = defaults[name]
        assert (list(default) if isinstance(value, list) else default) == value, name


def test_trains_the_same_as_the_command(data_dir):
    members = ["image", "words"]
    config = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in TINY.items()
        if name != "random_state"
    }
    settings = Settings(
        data=DataConfig(num_images=60, image_size=32, data_dir=str(data_dir)),
        classifier=ClassifierConfig(members=members, **config),
    )
    task = load_task(settings, progress=lambda line: None)
    for examples in (task.train, task.test):
        examples.texts = [[text] for text in examples.first_texts]
    expected = to_classifier(
        train_model(settings, task, progress=lambda line: None), task
    ).classify(task.test.images, task.test.first_texts)
    classifier = kerasgan.PairClassifier(**{**TINY, "members": members})
    labels = [task.label_names[label] for label in task.train.labels]
    classifier.fit(task.train.images, task.train.first_texts, labels)
    probabilities = classifier.predict_proba(task.test.images, task.test.first_texts)
    assert classifier.classes_.tolist() == task.label_names
    # Sums over two threads are not always rounded alike.
    np.testing.assert_allclose(probabilities, expected, atol=1e-4)


def test_predictions(fitted):
    assert is_classifier(fitted)
    assert isinstance(fitted.classifier_, Classifier)
    assert fitted.classes_.tolist() == sorted(set(LABELS))
    assert set(fitted.member_weights_["pair"]) == {"image", "lstm", "words"}
    probabilities = fitted.predict_proba(IMAGES[:9], TEXTS[:9])
    assert probabilities.shape == (9, len(fitted.classes_))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    predictions = fitted.predict(IMAGES, TEXTS)
    expected = fitted.classes_[fitted.predict_proba(IMAGES, TEXTS).argmax(1)]
    np.testing.assert_array_equal(predictions, expected)
    accuracy = (predictions == LABELS).mean()
    assert fitted.score(IMAGES, TEXTS, LABELS) == pytest.approx(accuracy)
    weights = (predictions == LABELS).astype(float)
    score = fitted.score(IMAGES, TEXTS, LABELS, sample_weight=weights)
    assert score == pytest.approx(1.0)


def test_pairs_give_the_same_as_images_and_texts(fitted):
    expected = fitted.predict_proba(IMAGES, TEXTS)
    for pairs in (PAIRS, list(PAIRS)):
        np.testing.assert_array_equal(fitted.predict_proba(pairs), expected)
    assert fitted.score(PAIRS, LABELS) == fitted.score(IMAGES, TEXTS, LABELS)
    again = clone(fitted).fit(PAIRS, LABELS)
    np.testing.assert_allclose(again.predict_proba(PAIRS), expected, atol=1e-5)


def test_missing_images_and_texts(fitted):
    by_image, by_text = fitted.predict_proba(IMAGES), fitted.predict_proba(None, TEXTS)
    images, texts = [None, IMAGES[1]], [TEXTS[0], None]
    mixed = fitted.predict_proba(images, texts)
    np.testing.assert_allclose(mixed, [by_text[0], by_image[1]], atol=1e-5)
    mixed = fitted.predict_proba(kerasgan.image_text_pairs(images, texts))
    np.testing.assert_allclose(mixed, [by_text[0], by_image[1]], atol=1e-5)


def test_images_of_other_sizes_are_cropped_and_resized(fitted):
    large = IMAGES.repeat(2, axis=1).repeat(2, axis=2)
    wide = np.pad(large, ((0, 0), (0, 0), (8, 8), (0, 0)))
    expected = fitted.predict_proba(large)
    assert expected.shape == (48, 6)
    np.testing.assert_allclose(fitted.predict_proba(wide), expected, atol=1e-5)
    assert fitted.predict_proba([IMAGES[0], wide[1]]).shape == (2, 6)


def test_cross_val_score():
    words = kerasgan.PairClassifier(**{**TINY, "members": ("words",)})
    scores = cross_val_score(words, PAIRS, LABELS, cv=3, error_score="raise")
    assert scores.shape == (3,) and scores.mean() > 0.3


def test_grid_search():
    words = kerasgan.PairClassifier(**{**TINY, "members": ("words",)})
    grid = {"members": [("words",), ("words", "characters")], "folds": np.array([2])}
    search = GridSearchCV(
        words, grid, cv=2, scoring="neg_log_loss", error_score="raise"
    )
    search.fit(PAIRS, LABELS)
    assert len(search.cv_results_["mean_test_score"]) == 2
    assert search.predict(PAIRS).shape == (48,)


@pytest.mark.parametrize(
    "labels",
    [
        np.arange(48) % 3 + 10,
        np.arange(48) % 2 == 0,
        [("cat", n % 2) for n in range(48)],
        [("a", 1)[n % 2] for n in range(48)],
    ],
)
def test_labels_of_any_type(labels):
    words = kerasgan.PairClassifier(**{**TINY, "members": ("words",)})
    words.fit(None, TEXTS, labels)
    assert set(words.classes_.tolist()) == set(list(labels))
    assert set(words.predict(None, TEXTS).tolist()) <= set(list(labels))
    assert 0 <= words.score(None, TEXTS, labels) <= 1


def test_only_texts_or_only_images():
    arguments = {**TINY, "members": ("image", "words")}
    texts = kerasgan.PairClassifier(**arguments).fit(None, TEXTS, LABELS)
    assert set(texts.member_weights_["text"]) == {"words"}
    assert texts.predict_proba(None, TEXTS).shape == (48, 6)
    np.testing.assert_array_equal(  # images are ignored
        texts.predict_proba(IMAGES, TEXTS), texts.predict_proba(None, TEXTS)
    )
    with pytest.raises(ValueError, match="trained on texts"):
        texts.predict(IMAGES)
    images = kerasgan.PairClassifier(**arguments).fit(IMAGES, None, LABELS)
    assert set(images.member_weights_["image"]) == {"image"}
    with pytest.raises(ValueError, match="needs an image"):
        images.predict(None, TEXTS)


def test_the_papers_network():
    classifier = kerasgan.PairClassifier(**{**TINY, "fusion": "paper"})
    classifier.fit(PAIRS, LABELS)
    assert classifier.member_weights_ == {}
    assert set(classifier.model_.input) == {"image", "text"}
    assert classifier.predict_proba(PAIRS).shape == (48, 6)


def test_label_words_are_removed():
    words = kerasgan.PairClassifier(
        **{**TINY, "members": ("words",), "mask_label_words": True}
    )
    words.fit(None, TEXTS, LABELS)
    first, second = words.predict_proba(None, ["a cat on a hill", "a on a hill"])
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_a_frozen_backbone(monkeypatch):
    images = keras.Input((224, 224, 3))
    features = keras.layers.Conv2D(5, 32, strides=32)(images)
    image_encoder = keras.Model(images, keras.layers.Rescaling(1 / 255)(features))
    monkeypatch.setattr(
        "kerasgan.classification.task.build_image_encoder", lambda *_: image_encoder
    )
    members = ("image", "words", "wide")
    classifier = kerasgan.PairClassifier(
        **{**TINY, "members": members, "backbone": "efficientnet-lite0"}
    ).fit(PAIRS, LABELS)
    assert classifier.model_.input["image"].shape == (None, 224, 224, 3)
    assert list(classifier.member_weights_["pair"]) == list(members)
    assert classifier.predict_proba(PAIRS[:3]).shape == (3, 6)


def test_a_saved_model_predicts_the_same(fitted, tmp_path):
    path = tmp_path / "model.keras"
    fitted.save(path)
    model = keras.saving.load_model(path)
    inputs = {
        "image": tf.constant(IMAGES, tf.float32),
        "has_image": tf.ones(48, tf.bool),
        "text": tf.constant(TEXTS),
    }
    probabilities = model(inputs)
    np.testing.assert_allclose(
        probabilities, fitted.predict_proba(IMAGES, TEXTS), atol=1e-5
    )
    with pytest.raises(ValueError, match=r"must end in \.keras"):
        fitted.save(tmp_path / "model.h5")


def test_a_pickled_classifier_predicts_the_same(fitted):
    expected = fitted.predict_proba(IMAGES, TEXTS)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(IMAGES, TEXTS), expected)
    np.testing.assert_array_equal(again.predict(PAIRS), fitted.predict(PAIRS))
    assert again.member_weights_ == fitted.member_weights_


NAN_TEXTS = [*TEXTS[:-1], float("nan")]
NAN_LABELS = [*LABELS[:-1], float("nan")]


@pytest.mark.parametrize(
    "data, message",
    [
        ((IMAGES, TEXTS[1:], LABELS), "lengths differ. Received: 48 images, 47 texts"),
        ((IMAGES, TEXTS, LABELS[1:]), "lengths differ.* 47 labels"),
        ((PAIRS, LABELS[1:]), "lengths differ.* 47 labels"),
        ((IMAGES, TEXTS), "Labels are missing.* kerasgan.image_text_pairs"),
        ((None, None, LABELS), "neither images nor texts"),
        ((PAIRS, TEXTS, LABELS), "`texts` must be None"),
        ((IMAGES, TEXTS, ["cat"] * 48), "at least two classes. Received: only 'cat'"),
        ((IMAGES / 255, TEXTS, LABELS), "must be uint8 .* dtype=float64"),
        ((IMAGES * np.nan, TEXTS, LABELS), "must be uint8"),
        ((IMAGES[..., 0], TEXTS, LABELS), r"shape=\(48, 32, 32\)"),
        ((IMAGES[..., :1], TEXTS, LABELS), r"shape=\(48, 32, 32, 1\)"),
        (([*IMAGES[1:], IMAGES[0] / 2], TEXTS, LABELS), "at index 47: dtype=float64"),
        (([*IMAGES[1:], "a.jpg"], TEXTS, LABELS), "at index 47: 'a.jpg'"),
        (([*IMAGES[1:], None], TEXTS, LABELS), "an image for every pair"),
        ((IMAGES, NAN_TEXTS, LABELS), "string, or None.* index 47: nan"),
        ((IMAGES, "a cat", LABELS), "list of strings. Received: 'a cat'"),
        ((IMAGES, TEXTS, NAN_LABELS), "label is missing. Received at index 47: nan"),
        ((IMAGES, TEXTS, [None, *LABELS[1:]]), "label is missing.* index 0: None"),
        ((IMAGES, TEXTS, [["cat"]] * 48), "must be hashable"),
        ((IMAGES[:0], TEXTS[:0], LABELS[:0]), "0 pairs"),
        ((None, ["?!"] * 48, LABELS), "No text has a letter"),
    ],
)
def test_bad_data_is_a_value_error(data, message):
    with pytest.raises(ValueError, match=message):
        kerasgan.PairClassifier(**TINY).fit(*data)


@pytest.mark.parametrize(
    "parameters, message",
    [
        ({"epochs": 0}, "epochs"),
        ({"members": ("eyes",)}, "members"),
        ({"members": ("words", "pair")}, "needs one for the image"),
        ({"members": ("wide",)}, "None of the members"),
        ({"members": ("linear_probe",)}, "need a frozen backbone"),
        ({"members": ("linear_probe", "words", "pair")}, "need a frozen backbone"),
        ({"modality": "audio"}, "modality"),
        ({"random_state": "zero"}, "cannot be used to seed"),
    ],
)
def test_bad_parameters_are_a_value_error(parameters, message):
    with pytest.raises(ValueError, match=message):
        kerasgan.PairClassifier(**{**TINY, **parameters}).fit(PAIRS, LABELS)


def test_a_modality_needs_its_input():
    for modality, data in (("image", (None, TEXTS)), ("text", (IMAGES, None))):
        classifier = kerasgan.PairClassifier(modality=modality)
        with pytest.raises(ValueError, match=f"all {modality}s are None"):
            classifier.fit(*data, LABELS)


def test_bad_pairs_are_a_value_error(fitted):
    with pytest.raises(ValueError, match="lengths differ"):
        kerasgan.image_text_pairs(IMAGES, TEXTS[1:])
    with pytest.raises(ValueError, match="must be None"):
        fitted.predict(PAIRS, TEXTS)
    with pytest.raises(ValueError, match="lengths differ"):
        fitted.predict(IMAGES[1:], TEXTS)
