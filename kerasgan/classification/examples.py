"""Images with texts and labels, as arrays that a classifier trains on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from sklearn.utils.class_weight import compute_sample_weight

from kerasgan.data.groups import hold_out_groups
from kerasgan.data.stored_arrays import StoredImages, gather_function, select_rows
from kerasgan.layers.text_vectorization import tokenize

MAX_CAPTIONS = 5  # captions of an image that are used for training


@dataclass
class PairExamples:
    """Images with captions and labels.

    Attributes:
        ids: n strings.
        images: uint8 `(n, size, size, 3)`, in memory or on the disk; features `(n, d)`
            of a frozen image encoder; or None if only texts are used.
        texts: the captions of each image: none, one or several.
        labels: int64 `(n,)`; or uint8 `(n, classes)` of zeros and ones, if a pair has
            any number of labels.
        token_ids: int32 `(n, k, length)`, zero beyond the last caption of an image;
            set by `tokenize`.
        groups: int `(n,)`, equal for images that validation does not separate. By
            default, each is alone.
    """

    ids: list[str]
    images: np.ndarray | StoredImages | None
    texts: list[list[str]]
    labels: np.ndarray
    token_ids: np.ndarray | None = None
    groups: np.ndarray | None = None

    def __post_init__(self):
        if self.groups is None:
            self.groups = np.arange(len(self.ids))

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: Sequence[int] | np.ndarray) -> "PairExamples":
        return PairExamples(
            [self.ids[row] for row in rows],
            None if self.images is None else select_rows(self.images, rows),
            [self.texts[row] for row in rows],
            self.labels[rows],
            None if self.token_ids is None else self.token_ids[rows],
            self.groups[rows],
        )

    def hold_out(self, share: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Divides the examples at random, without separating a group.

        Args:
            share: of the examples that validates, in (0, 1).
            seed: int.

        Returns:
            Rows to train on, and at least one row to validate with.

        Raises:
            UserError: all examples are of one group.
        """
        order = np.random.default_rng(seed).permutation(len(self))
        return hold_out_groups(order, self.groups, max(1, round(share * len(self))))

    def tokenize(self, vectorizer: keras.layers.TextVectorization | None) -> None:
        """Sets `token_ids`.

        An image without captions has one empty text.

        Args:
            vectorizer: the result of `build_vectorizer`, or None if texts are not used:
                `token_ids` is then a placeholder of ones.
        """
        captions = [(texts or [""])[:MAX_CAPTIONS] for texts in self.texts]
        if vectorizer is None:
            self.token_ids = np.ones((len(captions), 1, 1), np.int32)
            return
        counts = np.array([len(texts) for texts in captions])
        mask = np.arange(counts.max(initial=1)) < counts[:, None]
        token_ids = tokenize(vectorizer, [text for texts in captions for text in texts])
        self.token_ids = np.zeros((*mask.shape, token_ids.shape[1]), np.int32)
        self.token_ids[mask] = token_ids

    @property
    def first_texts(self) -> list[str]:
        """The first caption of each image, `""` if it has none."""
        return [texts[0] if texts else "" for texts in self.texts]

    @property
    def has_text(self) -> np.ndarray:
        """Whether the first caption of each image contains text, bool `(n,)`."""
        return np.array([contains_text(text) for text in self.first_texts], bool)

    @property
    def balanced_weight(self) -> np.ndarray:
        """Weights by which all classes count the same, float64 `(n,)`, with mean 1."""
        return compute_sample_weight("balanced", self.labels)

    def inputs(self, network: keras.Model) -> dict[str, np.ndarray]:
        """Returns the inputs of a network, with the first caption of each image.

        Args:
            network: the result of `build_classifier`.

        Returns:
            Arrays by the name of the input. Padding at the end of all captions is
            removed.

        Raises:
            ValueError: `tokenize` was not called.
        """
        if self.token_ids is None:
            raise ValueError("Call `tokenize` first: the examples have no `token_ids`.")
        token_ids = self.token_ids[:, 0]
        longest = (token_ids != 0).sum(axis=1).max(initial=1)
        arrays: dict[str, Any] = {
            "image": self.images,
            "token_ids": token_ids[:, :longest],
        }
        return {name: arrays[name] for name in network.input}


def contains_text(text: str) -> bool:
    """Returns whether a string has a letter or a digit, as `layers.ContainsText` does.

    Args:
        text: any string.
    """
    return any(character.isalnum() for character in text)


def training_batches(
    examples: PairExamples,
    rows: Sequence[int] | np.ndarray,
    network: keras.Model,
    batch_size: int,
    trim_padding: bool = True,
    replicas: int = 1,
    sample_weight: np.ndarray | None = None,
) -> tf.data.Dataset:
    """Builds a dataset for training.

    Each iteration yields every image once, in a new order, with one of its captions
    chosen at random.

    Args:
        examples: with `token_ids` and `labels`.
        rows: indices of the examples that are used.
        network: the result of `build_classifier`, which determines the inputs.
        batch_size: number of images in a batch.
        trim_padding: whether padding at the end of all captions of a batch is removed,
            which saves time; XLA needs batches of the same shape.
        replicas: of the strategy. With several, batches have equal shares for them, and
            examples that do not fill a batch are left for another epoch.
        sample_weight: weights of all examples in the loss, `(len(examples),)`, or None.

    Returns:
        A `tf.data.Dataset` of `(inputs, labels)`, or with weights of `(inputs, labels,
        weights)`, where `inputs` is a dict of tensors.
    """
    names = set(network.input)
    targets: list[Any] = [examples.labels]
    if sample_weight is not None:
        targets.append(sample_weight.astype("float32"))
    images = gather_function(examples.images) if "image" in names else None
    with tf.device("/cpu:0"):
        token_ids, *targets = map(tf.constant, (examples.token_ids, *targets))
        rows = tf.constant(rows, tf.int32)
    counts = tf.reduce_sum(tf.cast(token_ids[..., 0] != 0, tf.int32), axis=1)
    num_captions = tf.cast(tf.maximum(counts, 1), tf.float32)

    def gather(rows):
        inputs = {}
        if "token_ids" in names:
            caption = tf.random.uniform(tf.shape(rows)) * tf.gather(num_captions, rows)
            indices = tf.stack([rows, tf.cast(caption, tf.int32)], axis=-1)
            batch = tf.gather_nd(token_ids, indices)
            if trim_padding:
                is_used = tf.reduce_any(batch != 0, axis=0)
                batch = batch[:, : tf.reduce_sum(tf.cast(is_used, tf.int32))]
            inputs["token_ids"] = batch
        # After the random numbers, whose seed depends on the operations before them.
        if "image" in names:
            inputs["image"] = images(rows)
        return inputs, *[tf.gather(target, rows) for target in targets]

    dataset = tf.data.Dataset.from_tensor_slices(rows).shuffle(len(rows))
    # Not in parallel: the random captions would depend on the order of the threads.
    batch_size = max(min(batch_size, len(rows)) // replicas, 1) * replicas
    dataset = dataset.batch(batch_size, drop_remainder=replicas > 1)
    return dataset.map(gather).prefetch(2)
