"""A scikit-learn estimator for images with texts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from kerasgan.classification.examples import PairExamples, contains_text
from kerasgan.classification.pair_inputs import (
    find_classes,
    prepare_images,
    resize_images,
    split_inputs,
    split_training_data,
    to_config_value,
)
from kerasgan.classification.task import ClassificationTask, build_frozen_encoder
from kerasgan.classification.train_classifier import fit_model, to_classifier
from kerasgan.config.settings import ClassifierConfig
from kerasgan.data.label_words import label_words, mask_label_words


class PairClassifier(ClassifierMixin, BaseEstimator):
    """Classifies images with texts by an ensemble, or by paper B's network.

    Trains on arrays in memory as `kerasgan train-classifier` does, without a run
    directory. Images or texts may be missing, both in training (all of them) and in
    predictions (any of them, if it was trained with both). Tools of scikit-learn take
    both as one array, the result of `image_text_pairs`. It can be pickled.

    Args:
        members: members of the ensemble. `"image"`: a residual network, or a layer on a
            frozen backbone. `"lstm"`: the text branch. `"words"` and `"characters"`:
            logistic regression on TF-IDF. `"wide"`: logistic regression on both and on
            the features of a frozen backbone. `"pair"`: paper B's network. Members that
            do not suit the data are left out.
        fusion: `"ensemble"`, or `"paper"` for paper B's network.
        modality: `"pair"`, or `"image"` or `"text"` to ignore the other.
        attention: whether LSTMs have attention.
        backbone: `"conv"`, which is trained; `"efficientnet-lite0"`; `"auto"`; or the
            name of a network of `keras.applications`.
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
        classes_: the distinct labels `(classes,)`, sorted.
        classifier_: the trained `Classifier`.
        model_: its `keras.Model`, from a dict with `"image"`, `"has_image"` and
            `"text"` (those that are used) to probabilities in the order of `classes_`.
        member_weights_: weights of the members, for `"pair"`, `"image"` and `"text"`.

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
            labels: n hashable labels.

        Returns:
            This classifier.

        Raises:
            ValueError: the lengths differ, images or texts have a wrong type, dtype or
                shape, there is only one class, or an argument of the constructor is
                invalid.
            JobError: a loss is not finite.
        """
        images, texts, labels = split_training_data(images, texts, labels)
        config = self._config(images is not None, texts is not None)
        classes = find_classes(labels)
        task = self._build_task(config, images, texts, labels, list(classes))
        seed = self.random_state
        if not isinstance(seed, int | np.integer):
            seed = check_random_state(seed).randint(2**31 - 1)
        progress = print if self.verbose else lambda message: None
        model = fit_model(config, task, int(seed), self.precision, progress)
        self.classes_ = classes
        self.classifier_ = to_classifier(model, task)
        self.model_ = self.classifier_.model
        self.member_weights_ = model.member_weights
        return self

    def _config(self, has_images, has_texts):
        fields = vars(self).keys() & ClassifierConfig.model_fields  # one label a pair
        values = {name: to_config_value(getattr(self, name)) for name in fields}
        for name, is_given in (("image", has_images), ("text", has_texts)):
            if self.modality == name and not is_given:
                raise ValueError(f"modality is {name!r}, but all {name}s are None.")
        if not (has_images and has_texts):
            values["modality"] = "image" if has_images else "text"
        return ClassifierConfig(**values)

    def _build_task(self, config, images, texts, labels, classes):
        image_encoder = None
        if config.modality == "text":
            images = None
        else:
            if any(image is None for image in images):
                raise ValueError("Training needs an image for every pair, or for none.")
            image_encoder = build_frozen_encoder(config.backbone, config.weights)
            images = prepare_images(images, image_encoder, self.image_size)
        names = [str(label) for label in classes]
        masked_words = label_words(names) if config.mask_label_words else []
        texts = mask_label_words(texts or [""] * len(labels), masked_words)
        if config.modality == "text" and not any(map(contains_text, texts)):
            raise ValueError("No text has a letter or a digit.")
        index_of = {label: index for index, label in enumerate(classes)}
        targets = np.array([index_of[label] for label in labels], np.int64)
        ids = [str(index) for index in range(len(labels))]
        captions = [[text] if text else [] for text in texts]
        examples = PairExamples(ids, images, captions, targets)
        return ClassificationTask(examples, names, image_encoder, masked_words)

    def predict_proba(self, images: Any, texts: Any = None) -> np.ndarray:
        """Computes the probabilities of the classes.

        Args:
            images: uint8 `(n, height, width, 3)`; a list of such images, with None for
                each missing image; None if all are missing. Or pairs.
            texts: n strings, or None for each missing text; None if all are missing.

        Returns:
            float32 `(n, classes)`, in the order of `classes_`. Inputs that were not
            used in training are ignored.

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
        """Returns the most probable class of each pair, `(n,)`.

        Args:
            images: see `predict_proba`.
            texts: see `predict_proba`.
        """
        classes = self.predict_proba(images, texts).argmax(axis=1)
        return self.classes_[classes]

    def score(
        self,
        images: Any,
        texts: Any = None,
        labels: Any = None,
        sample_weight: Sequence[float] | None = None,
    ) -> float:
        """Returns the accuracy: `score(images, texts, labels)`, `score(pairs, labels)`.

        Args:
            images: see `predict_proba`.
            texts: see `predict_proba`. The labels, if `images` are pairs.
            labels: n labels.
            sample_weight: weights `(n,)`, or None.
        """
        images, texts, labels = split_training_data(images, texts, labels)
        predictions = self.predict(images, texts)
        is_correct = [a == b for a, b in zip(predictions, labels, strict=True)]
        return float(np.average(is_correct, weights=sample_weight))

    def save(self, path: str | Path) -> None:
        """Saves the model as one `.keras` file.

        Load it with `keras.saving.load_model` after `import kerasgan`, which registers
        its layers. Its inputs and outputs are those of `model_`; images have the size
        of the training. The file does not contain `classes_`. With `mask_label_words`,
        words must be removed from the texts before.

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
        tags.non_deterministic = self.random_state is None or self.minutes is not None
        return tags
