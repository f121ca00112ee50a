"""Samples and splits the prepared images, and describes the result."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, replace

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import Annotations
from kerasgan.data.dataset_spec import DatasetSpec
from kerasgan.data.preparation import PreparedImage
from kerasgan.data.read_report import ReadReport
from kerasgan.data.sampling import (
    SampleSize,
    connected_groups,
    sample_items,
    sample_size,
    split_groups,
)

PUBLISHED_TEST = "test"


@dataclass(frozen=True)
class Selection:
    """The sampled images, split into training and test images.

    Attributes:
        train: training images, in the order of the data set.
        test: test images, in the order of the data set.
        sample: size of the sample.
        split: how the split was made, such as `{"kind": "seeded", "share": 0.8}`.
    """

    train: list[PreparedImage]
    test: list[PreparedImage]
    sample: SampleSize
    split: dict


def select_sample(
    config: DataConfig, images: list[PreparedImage], report: ReadReport
) -> Selection:
    """Samples and splits images.

    A published split is kept if all images are used and no split is specified.

    Args:
        config: settings of the data set.
        images: the images that can be used.
        report: where images are counted that a published split leaves out.

    Returns:
        A `Selection`.

    Raises:
        UserError: If there are fewer images than the sample needs, or fewer than 2.
    """
    published = any(image.split for image in images)
    if config.sample == "all" and config.split is None and published:
        return _published_selection(images, report)
    sample, size = _draw_sample(config, images)
    groups = _group_images(config, sample)
    train_ids = split_groups(groups, config.train_share, config.seed)
    return Selection(
        [image for image in sample if image.id in train_ids],
        [image for image in sample if image.id not in train_ids],
        size,
        {"kind": "seeded", "share": config.train_share, "seed": config.seed},
    )


def _group_images(config: DataConfig, images: list[PreparedImage]) -> dict[str, str]:
    """Returns the group of each image, which the split does not divide."""
    include_captions = config.group_by == "captions"
    return connected_groups(
        {image.id: image.group_keys(include_captions) for image in images}
    )


def _draw_sample(
    config: DataConfig, images: list[PreparedImage]
) -> tuple[list[PreparedImage], SampleSize]:
    by_row = config.sample_unit == "row"
    units = [
        unit
        for image in images
        for unit in (_caption_keys(image) if by_row else [image.id])
    ]
    size = sample_size(config, len(units))
    sample = sample_items(units, size.size, config.seed)
    if not by_row:
        return [image for image in images if image.id in sample], size
    sampled = [_keep_captions(image, sample) for image in images]
    return [image for image in sampled if image.captions], size


def _caption_keys(image: PreparedImage) -> list[str]:
    return [f"{image.id}#{number}" for number in range(len(image.captions))]


def _keep_captions(image: PreparedImage, sample: set[str]) -> PreparedImage:
    pairs = zip(_caption_keys(image), image.captions, strict=True)
    return replace(image, captions=tuple(text for key, text in pairs if key in sample))


def _published_selection(images: list[PreparedImage], report: ReadReport) -> Selection:
    """Splits images as published: "test" is for testing, all others for training.

    The others are "train", "val", "dev" and "restval". Images without a split, and
    training images that are identical to a test image, are skipped.
    """
    test = [image for image in images if image.split == PUBLISHED_TEST]
    test_digests = {image.digest for image in test}
    train = []
    for image in images:
        if image.split is None:
            report.skip("not in a published split", "", "", image.id, bad_rows=0)
        elif image.split != PUBLISHED_TEST:
            if image.digest in test_digests:
                report.skip("identical to a test image", "", "", image.id, bad_rows=0)
            else:
                train.append(image)
    counts = Counter(image.split or "none" for image in images)
    split = {"kind": "published", "published": dict(counts)}
    return Selection(train, test, SampleSize(len(train) + len(test)), split)


def dataset_info(
    spec: DatasetSpec,
    images: list[PreparedImage],
    selection: Selection,
    report: ReadReport,
) -> dict:
    """Describes what was read and selected; the content of data.json.

    Args:
        spec: the data set.
        images: the images that can be used.
        selection: the sampled images.
        report: what was repaired and skipped.

    Returns:
        A JSON object with the settings, the counts of images, captions and rows,
        `kept` (images that can be used), `skipped` (counts by reason), `duplicates`
        (images that are identical to another one or belong to its group), `sample`,
        `split`, `label_names`, `content` (a digest of images, captions and labels), the
        ids of both splits, `records`, the record of each image that is one of several
        in a row of a table, and `groups`, the number of the group of each image that
        shares one.
    """
    config = spec.config
    groups = _equal_images(images)
    return {
        "dataset": config.dataset,
        "source": str(spec.source) if spec.source else None,
        **_annotations_info(spec.images.annotations),
        "prepared": str(spec.path),
        "image_size": config.image_size,
        "fit": config.fit,
        "seed": config.seed,
        **_image_counts(spec.images.annotations, images),
        "kept": len(images),
        "repaired": report.repaired,
        "skipped": dict(report.skipped),
        "rows": report.rows,
        "bad_rows": report.bad_rows,
        "examples": report.examples,
        "notes": report.notes,
        "duplicates": len(images) - len(set(groups.values())),
        "sample": {
            "unit": config.sample_unit,
            "n0": selection.sample.n0,
            "size": selection.sample.size,
            "formula": selection.sample.formula,
        },
        "split": selection.split,
        "label_names": spec.label_names,
        "content": _content_digest(spec, selection),
        "train": len(selection.train),
        "test": len(selection.test),
        "train_ids": [image.id for image in selection.train],
        "test_ids": [image.id for image in selection.test],
        **_groups_info(config, [*selection.train, *selection.test]),
    }


def _equal_images(images):
    """Groups images that are the same, not those that share a row of a table."""
    keys = {image.id: replace(image, record=None).group_keys() for image in images}
    return connected_groups(keys)


def _groups_info(config: DataConfig, images: list[PreparedImage]) -> dict:
    groups = _group_images(config, images)
    counts = Counter(groups.values())
    numbers: dict[str, int] = {}
    return {
        "records": {x.id: x.record for x in images if x.record is not None},
        "groups": {
            name: numbers.setdefault(group, len(numbers))
            for name, group in groups.items()
            if counts[group] > 1
        },
    }


def _content_digest(spec: DatasetSpec, selection: Selection) -> str:
    """Returns a digest of the images' files, captions and labels, for any size."""
    is_drawn = spec.images.annotations is None  # in this size, by the number
    images = (*selection.train, *selection.test)
    rows = [
        [x.id, not is_drawn and x.digest, x.captions, *(x.labels or [None])]
        for x in images
    ]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]


def _annotations_info(annotations: Annotations | None) -> dict:
    if annotations is None:
        return {"layout": "drawn", "image_root": None, "annotations": []}
    return {
        "layout": annotations.layout,
        "image_root": str(annotations.image_root),
        "annotations": [str(file) for file in annotations.files[:3]],
    }


def _image_counts(annotations: Annotations | None, images: list[PreparedImage]) -> dict:
    """Counts the annotated images and captions, or the drawn ones."""
    annotated = annotations.images.values() if annotations else images
    return {
        "images": len(annotated),
        "captions": sum(len(image.captions) for image in annotated),
    }
