"""A scikit-learn estimator for images with texts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from kerasgan.classification.pair_inputs import (
    resize_images,
    split_inputs,
    split_training_data,
)
from kerasgan.classification.pair_labels import encode_labels
from kerasgan.classification.pair_task import build_pair_task, pair_config
from kerasgan.classification.train_classifier import fit_model, to_classifier


class PairClassifier(ClassifierMixin, BaseEstimator):
    """Classifies images with texts by an ensemble, or by paper B's network.

    Trains on arrays in memory as `kerasgan train-classifier` does, without a run
    directory. Images or texts may be missing, both in training (all of them) and in
    predictions (any of them, if it was trained with both). Tools of scikit-learn take
    both as one array, the result of `image_text_pairs`. It can be pickled.

    Args:
        members: members of the ensemble. `"image"`: a residual network, or a layer on a
            frozen backbone. `"linear_probe"`: logistic regression on the features of a
            frozen backbone. `"lstm"`: the text branch. `"words"` and `"characters"`:
            logistic regression on TF-IDF. `"wide"`: logistic regression on all three.
            `"pair"`: paper B's network. Members that do not suit the data are left out.
        fusion: `"ensemble"`, or `"paper"` for paper B's network.
        modality: `"pair"`, or `"image"` or `"text"` to ignore the other.
        attention: whether LSTMs have attention.
        backbone: `"conv"`, which is trained; `"auto"`: `"efficientnet-lite0"` if its
            weights are installed; or see `build_image_encoder`.
        weights: weights of the backbone: `"imagenet"`, `"none"`, or the path of a file.
        filters: numbers of filters of the convolutions of paper B's network.
        encoder_filters: numbers of filters of the residual blocks of `"conv"`. Each
            block halves the image, and the image size must be a multiple of
            `2 ** (1 + len(encoder_filters))`.
        encoder_learning_rate: of the member `"image"`, unless its backbone is frozen.
        augment: whether to flip and translate the images of the member `"image"`.
        image_dim: size of the vectors of images.
        text_dim: size of the embeddings, of the LSTM and of the vectors of texts.
        vocabulary_size: maximum number of token ids of the LSTM.
        text_length: maximum number of tokens of a text of the LSTM.
        mask_label_words: whether to remove words that name a class from the texts.
        balance: whether rare classes count as much as frequent ones in training.
        multi_label: whether a pair has any number of labels, an array `(n, classes)` of
            zeros and ones, such as `sklearn.preprocessing.MultiLabelBinarizer` makes.
        threshold: of several labels, the probability from which a pair has a label; or
            `"f1"`: of each class, with the highest F1 on held-out pairs.
        dropout: share of the features that are dropped in training.
        epochs: maximum number of epochs.
        minutes: time limit for each training of a network. None, unlike the command's
            0.7, so that results do not depend on the speed of the machine.
        patience: epochs without a lower validation loss before training stops. None:
            paper B's network trains for all epochs.
        validation: share of the examples that paper B's network holds out for it.
        batch_size: number of images in a batch.
        learning_rate: learning rate of Adam.
        folds: number of folds for out-of-fold predictions.
        ensemble_pairs: out-of-fold predictions that are enough to fit the weights.
        image_size: side in pixels to which images are cropped and resized. None: the
            shorter side of the smallest image. A frozen backbone always gets 224.
        precision: `"float32"`, `"mixed_bfloat16"`, or `"auto"`.
        random_state: int, `numpy.random.RandomState`, or None for a different result
            each time. `fit` sets the global seeds of Python, NumPy and TensorFlow.
        verbose: whether to print the metrics of each epoch.

    Attributes:
        classes_: the distinct labels `(classes,)`, sorted; with `multi_label`, `[0, 1]`
            for each column of the labels, as in scikit-learn's `ClassifierChain`.
        classifier_: the trained `Classifier`.
        model_: its `keras.Model`, from a dict with `"image"`, `"has_image"` and
            `"text"` (those that are used) to the result of `predict_proba`.
        member_weights_: weights of the members, for `"pair"`, `"image"` and `"text"`.
        thresholds_: with `multi_label`, those of the classes `(classes,)`; else None.

    Example:
        ```python
        classifier = kerasgan.PairClassifier(random_state=0)
        classifier.fit(images, texts, labels)
        classifier.predict(new_images, new_texts)
        classifier.predict(new_images, None)  # the texts are missing

        pairs = kerasgan.image_text_pairs(images, texts)
        cross_val_score(classifier, pairs, labels)
        ```
    """

    def __init__(
        self,
        *,
        members: Sequence[str] = ("image", "lstm", "words"),
        fusion: str = "ensemble",
        modality: str = "pair",
        attention: bool = True,
        backbone: str = "conv",
        weights: str = "imagenet",
        filters: Sequence[int] = (32, 64, 128),
        encoder_filters: Sequence[int] = (32, 64, 96),
        encoder_learning_rate: float = 4e-3,
        augment: bool = False,
        image_dim: int = 128,
        text_dim: int = 128,
        vocabulary_size: int = 10_000,
        text_length: int = 32,
        mask_label_words: bool = False,
        balance: bool = False,
        multi_label: bool = False,
        threshold: float | str = 0.5,
        dropout: float = 0.2,
        epochs: int = 100,
        minutes: float | None = None,
        patience: int | None = 5,
        validation: float = 0.1,
        batch_size: int = 32,
        learning_rate: float = 1e-3,
        folds: int = 5,
        ensemble_pairs: int = 400,
        image_size: int | None = None,
        precision: str = "float32",
        random_state: int | np.random.RandomState | None = None,
        verbose: bool = False,
    ):
        self.members, self.fusion, self.modality = members, fusion, modality
        self.attention, self.backbone, self.weights = attention, backbone, weights
        self.filters, self.encoder_filters = filters, encoder_filters
        self.encoder_learning_rate, self.augment = encoder_learning_rate, augment
        self.image_dim, self.text_dim = image_dim, text_dim
        self.vocabulary_size, self.text_length = vocabulary_size, text_length
        self.mask_label_words, self.balance = mask_label_words, balance
        self.multi_label, self.threshold = multi_label, threshold
        self.dropout, self.epochs, self.minutes = dropout, epochs, minutes
        self.patience, self.validation = patience, validation
        self.batch_size, self.learning_rate = batch_size, learning_rate
        self.folds, self.ensemble_pairs = folds, ensemble_pairs
        self.image_size, self.precision = image_size, precision
        self.random_state, self.verbose = random_state, verbose

    def fit(
        self, images: Any, texts: Any = None, labels: Any = None
    ) -> "PairClassifier":
        """Trains the classifier: `fit(images, texts, labels)` or `fit(pairs, labels)`.

        Args:
            images: uint8 `(n, height, width, 3)`, or a list of such images of any
                size; None to train on texts only. Or pairs, see `image_text_pairs`.
            texts: n strings, or None for each missing text; None to train on images
                only. The labels, if `images` are pairs.
            labels: n hashable labels; or, with `multi_label`, zeros and ones `(n,
                classes)`, dense or sparse.

        Returns:
            This classifier.

        Raises:
            ValueError: the lengths differ, images or texts have a wrong type, dtype or
                shape, there is only one class, a class of several has no pair, or an
                argument of the constructor is invalid.
            JobError: a loss is not finite.
        """
        images, texts, labels = split_training_data(
            images, texts, labels, self.multi_label
        )
        config = pair_config(vars(self), images is not None, texts is not None)
        classes, names, targets = encode_labels(labels)
        size = self.image_size
        task = build_pair_task(config, images, texts, targets, names, size)
        seed = self.random_state
        if not isinstance(seed, int | np.integer):
            seed = check_random_state(seed).randint(2**31 - 1)
        progress = print if self.verbose else lambda message: None
        model = fit_model(config, task, int(seed), self.precision, progress)
        self.classes_ = classes
        self.classifier_ = to_classifier(model, task)
        self.model_ = self.classifier_.model
        self.member_weights_ = model.member_weights
        self.thresholds_ = model.thresholds
        return self

    def predict_proba(self, images: Any, texts: Any = None) -> np.ndarray:
        """Computes the probabilities of the classes.

        Args:
            images: uint8 `(n, height, width, 3)`; a list of such images, with None for
                each missing image; None if all are missing. Or pairs.
            texts: n strings, or None for each missing text; None if all are missing.

        Returns:
            float32 `(n, classes)`, in the order of `classes_`, or of the columns of the
            labels: probabilities of separate decisions, which do not sum to 1. Inputs
            that were not used in training are ignored.

        Raises:
            ValueError: the lengths differ, images or texts have a wrong type, dtype or
                shape, or an input is missing that the classifier needs.
            NotFittedError: `fit` was not called.
        """
        check_is_fitted(self)
        images, texts = split_inputs(images, texts)
        image_size = self.classifier_.image_size
        if image_size is None:
            if texts is None:
                raise ValueError("This classifier was trained on texts and needs them.")
            images = None
        elif images is not None:
            images = resize_images(images, image_size)
        return self.classifier_.classify(images, texts)

    def predict(self, images: Any, texts: Any = None) -> np.ndarray:
        """Returns the most probable class of each pair, `(n,)`; or all its classes.

        With `multi_label`, zeros and ones, int64 `(n, classes)`, by `thresholds_`.

        Args:
            images: see `predict_proba`.
            texts: see `predict_proba`.
        """
        probabilities = self.predict_proba(images, texts)
        if self.thresholds_ is not None:
            return (probabilities >= self.thresholds_).astype(np.int64)
        return self.classes_[probabilities.argmax(axis=1)]

    def score(
        self,
        images: Any,
        texts: Any = None,
        labels: Any = None,
        sample_weight: Sequence[float] | None = None,
    ) -> float:
        """Returns the accuracy: `score(images, texts, labels)`, `score(pairs, labels)`.

        Of several labels it is the subset accuracy: all labels of a pair are right.

        Args:
            images: see `predict_proba`.
            texts: see `predict_proba`. The labels, if `images` are pairs.
            labels: see `fit`.
            sample_weight: weights `(n,)`, or None.
        """
        images, texts, labels = split_training_data(
            images, texts, labels, self.multi_label
        )
        predictions = self.predict(images, texts)
        if self.multi_label:
            score = accuracy_score(labels, predictions, sample_weight=sample_weight)
            return float(score)
        is_correct = [a == b for a, b in zip(predictions, labels, strict=True)]
        return float(np.average(is_correct, weights=sample_weight))

    def save(self, path: str | Path) -> None:
        """Saves the model as one `.keras` file.

        Load it with `keras.saving.load_model` after `import kerasgan`, which registers
        its layers. Its inputs and outputs are those of `model_`; images have the size
        of the training. The file does not contain `classes_` and `thresholds_`. With
        `mask_label_words`, words must be removed from the texts before.

        Args:
            path: path of the file, which ends in `.keras`.

        Raises:
            ValueError: the path has another suffix.
            NotFittedError: `fit` was not called.

        Example:
            ```python
            model = keras.saving.load_model("classifier.keras")
            has_image = np.ones(len(images), bool)
            texts = tf.constant(texts)  # Keras rejects NumPy arrays of `str`
            model.predict({"image": images, "has_image": has_image, "text": texts})
            ```
        """
        check_is_fitted(self)
        if Path(path).suffix != ".keras":
            raise ValueError(f"The path must end in .keras. Received: {path}")
        self.model_.save(path)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.classifier_tags.multi_label = self.multi_label
        tags.non_deterministic = self.random_state is None or self.minutes is not None
        return tags
