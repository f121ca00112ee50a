"""From the good images to the sample and its two sides, and the account of it."""

from collections import Counter
from dataclasses import dataclass, replace

from kerasgan.config.settings import DataConfig
from kerasgan.data import sampling
from kerasgan.data.dataset_spec import DatasetSpec
from kerasgan.data.preparation import PreparedImage
from kerasgan.data.read_report import ReadReport
from kerasgan.data.sampling import SampleSize

PUBLISHED_TEST = "test"


@dataclass(frozen=True)
class Selection:
    """The chosen images on their two sides, each in the data set's order."""

    train: list[PreparedImage]
    test: list[PreparedImage]
    sample: SampleSize
    split: dict  # how it came about: {"kind": "seeded", "share": 0.8}


def select_sample(
    config: DataConfig, entries: list[PreparedImage], ledger: ReadReport
) -> Selection:
    """Samples and splits; published splits are kept where nothing is sampled.

    Raises:
        UserError: fewer good images than the sample needs, or fewer than 2.
    """
    published = any(entry.split for entry in entries)
    if config.sample == "all" and config.split is None and published:
        return _published(entries, ledger)
    chosen, size = _sample(config, entries)
    captions = config.group_by == "captions"
    groups = sampling.connected_groups(
        {entry.id: entry.keys(captions) for entry in chosen}
    )
    train = sampling.split_groups(groups, config.train_share, config.seed)
    return Selection(
        [entry for entry in chosen if entry.id in train],
        [entry for entry in chosen if entry.id not in train],
        size,
        {"kind": "seeded", "share": config.train_share, "seed": config.seed},
    )


def _sample(config: DataConfig, entries: list[PreparedImage]):
    rows = config.sample_unit == "row"
    units = [
        unit
        for entry in entries
        for unit in (_caption_keys(entry) if rows else [entry.id])
    ]
    size = sampling.sample_size(config, len(units))
    chosen = sampling.sample_items(units, size.size, config.seed)
    if not rows:
        return [entry for entry in entries if entry.id in chosen], size
    kept = [_with_captions(entry, chosen) for entry in entries]
    return [entry for entry in kept if entry.captions], size


def _caption_keys(entry: PreparedImage) -> list[str]:
    return [f"{entry.id}#{number}" for number in range(len(entry.captions))]


def _with_captions(entry: PreparedImage, chosen: set[str]) -> PreparedImage:
    pairs = zip(_caption_keys(entry), entry.captions)
    return replace(entry, captions=tuple(text for key, text in pairs if key in chosen))


def _published(entries: list[PreparedImage], ledger: ReadReport) -> Selection:
    """Test is test; train, val, dev and restval train; unlisted ones are left out.

    An image that is byte-equal to one of the test is left out of the training.
    """
    test = [entry for entry in entries if entry.split == PUBLISHED_TEST]
    seen = {entry.digest for entry in test}
    train = []
    for entry in entries:
        if entry.split is None:
            ledger.skip("in no published split", "", "", entry.id, bad_rows=0)
        elif entry.split != PUBLISHED_TEST:
            if entry.digest in seen:
                ledger.skip("byte-equal to a test image", "", "", entry.id, 0)
            else:
                train.append(entry)
    counts = Counter(entry.split or "none" for entry in entries)
    split = {"kind": "published", "published": dict(counts)}
    return Selection(train, test, SampleSize(len(train) + len(test)), split)


def dataset_info(
    plan: DatasetSpec,
    entries: list[PreparedImage],
    selection: Selection,
    ledger: ReadReport,
) -> dict:
    """What was read and chosen: the object that is kept as data.json."""
    config, annotations = plan.config, plan.images.annotations
    named = annotations.images if annotations else {}
    groups = sampling.connected_groups({entry.id: entry.keys() for entry in entries})
    return {
        "dataset": config.dataset,
        "source": str(plan.source) if plan.source else None,
        "layout": annotations.layout if annotations else "drawn",
        "image_root": str(annotations.image_root) if annotations else None,
        "annotations": [str(file) for file in annotations.files[:3]]
        if annotations
        else [],
        "prepared": str(plan.path),
        "image_size": config.image_size,
        "fit": config.fit,
        "seed": config.seed,
        "images": len(named) or len(entries),
        "captions": sum(len(image.captions) for image in named.values())
        or sum(len(entry.captions) for entry in entries),
        "kept": len(entries),
        "repaired": ledger.repaired,
        "skipped": dict(ledger.skipped),
        "rows": ledger.rows,
        "bad_rows": ledger.bad_rows,
        "examples": ledger.examples,
        "notes": ledger.notes,
        "duplicates": len(entries) - len(set(groups.values())),
        "sample": {
            "unit": config.sample_unit,
            "n0": selection.sample.n0,
            "size": selection.sample.size,
            "formula": selection.sample.formula,
        },
        "split": selection.split,
        "label_names": plan.label_names,
        "train": len(selection.train),
        "test": len(selection.test),
        "train_ids": [entry.id for entry in selection.train],
        "test_ids": [entry.id for entry in selection.test],
    }
