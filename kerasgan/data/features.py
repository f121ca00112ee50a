"""The features of all data sets, as TFDS describes them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tensorflow_datasets as tfds


def pair_features(
    image_size: int | None, label_names: list[str] | None, multi_label: bool = False
) -> "tfds.features.FeaturesDict":
    """Returns the features of a data set.

    Args:
        image_size: width and height of the images in pixels, or None if it varies.
        label_names: class names in the order of their numbers, or None.
        multi_label: whether an image has any number of `labels`, not one `label`.
    """
    import tensorflow_datasets as tfds

    features = {
        "image_id": tfds.features.Text(),
        "image": tfds.features.Image(shape=(image_size, image_size, 3)),
        "captions": tfds.features.Sequence(tfds.features.Text()),
    }
    if label_names:
        label = tfds.features.ClassLabel(names=label_names)
        if multi_label:
            features["labels"] = tfds.features.Sequence(label)
        else:
            features["label"] = label
    return tfds.features.FeaturesDict(features)
