"""Reads COYO-700M as img2dataset downloads it, with labels."""

import functools
import html
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import (
    Annotations,
    CaptionRow,
    clean_text,
    group_rows,
)
from kerasgan.data.image_labels import note_several_labels, sorted_label_names
from kerasgan.data.layouts.cells import cell_text
from kerasgan.data.layouts.columns import LABEL_COLUMNS
from kerasgan.data.layouts.img2dataset import (
    Sample,
    Shard,
    ShardContent,
    SkippedRow,
    find_shards,
    read_shard,
)
from kerasgan.data.layouts.labels import (
    JOIN_COLUMNS,
    PHASH_COLUMNS,
    Labels,
    find_labels,
    join_value,
    label_column,
    label_files,
    parse_labels,
)
from kerasgan.data.read_report import ReadReport
from kerasgan.data.sampling import sample_size, seeded_order
from kerasgan.data.threads import available_cores
from kerasgan.errors import UserError

# img2dataset renames --caption_col to `caption`. If that option was not used, COYO's
# `text` may be among the additional columns.
TEXT_COLUMNS = ("caption", "text", "txt")
COLUMNS = {
    *TEXT_COLUMNS,
    *JOIN_COLUMNS,
    *LABEL_COLUMNS,
    *PHASH_COLUMNS,
    "labels",
    "label_probs",
}
NO_PHASH_NOTE = (
    "no image_phash: only identical images are kept in the same split; "
    'img2dataset saves it with --save_additional_columns \'["id", "image_phash"]\''
)


class DownloadedPair(NamedTuple):
    """A downloaded pair of image and text.

    Attributes:
        row: its row, without labels.
        keys: its value in each of `JOIN_COLUMNS`, or None.
        row_labels: the labels in its own metadata.
    """

    row: CaptionRow
    keys: dict[str, str | None]
    row_labels: Labels


@dataclass
class _Shards:
    """What was read so far.

    Attributes:
        num_shards: number of all shards and metadata files.
        used: shards with images.
        metadata_only: Parquet files without images.
        pairs: the downloaded pairs.
        rows: those that have a label.
    """

    num_shards: int
    used: list[Shard] = field(default_factory=list)
    metadata_only: list[Shard] = field(default_factory=list)
    pairs: list[DownloadedPair] = field(default_factory=list)
    rows: list[CaptionRow] = field(default_factory=list)


def read(config: DataConfig, source: Path) -> Annotations:
    """Reads labeled pairs from as many shards as the sample needs.

    Shards are read in an order that depends on the seed and their names only, until
    they contain the sample and twice as many more as --max-bad allows to be bad. So
    5,000 pairs of 700 million take as long as 5,000 of 10,000.

    Args:
        config: settings of the data set.
        source: the folder of the shards.

    Returns:
        The annotations. Their images are read from the shards.

    Raises:
        UserError: If there are no shards, or no pair can be read or has a label.
    """
    labels = label_files(config.labels)
    shards = [shard for shard in find_shards(source) if shard.path not in labels]
    names = seeded_order({shard.name for shard in shards}, config.seed, "shards")
    positions = {name: position for position, name in enumerate(names)}
    shards = sorted(shards, key=lambda shard: positions[shard.name])
    report = ReadReport()
    result = _read_until_enough(config, shards, source, report)
    _check(config, source, result, report)
    _add_notes(result, report)
    images = group_rows(result.rows, report, several_labels=config.several_labels)
    note_several_labels(report)
    layout = f"img2dataset {', '.join(sorted({shard.kind for shard in result.used}))}"
    files = [shard.path for shard in result.used] + labels
    label_names = sorted_label_names(images) or None
    return Annotations(layout, files, source, images, report, label_names)


def _read_until_enough(
    config: DataConfig, shards: list[Shard], source: Path, report: ReadReport
) -> _Shards:
    result = _Shards(len(shards))
    skipped: list[SkippedRow] = []
    size = sample_size(config, sys.maxsize).size  # sys.maxsize stands for "all"
    needed_rows = needed_pairs = math.ceil(size * (1 + 2 * config.max_bad))
    for content in _read_shards(config, shards, source):
        kind = result.used if content.has_images else result.metadata_only
        kind.append(content.shard)
        _count_skipped(report, content.skipped)
        result.pairs += (
            _to_pair(config, content.shard, sample) for sample in content.samples
        )
        if len(result.pairs) >= needed_pairs:
            result.rows, skipped = _label_rows(config, result.pairs, report)
            if len(result.rows) >= needed_rows:
                break
            needed_pairs = 2 * len(result.pairs)
    else:
        result.rows, skipped = _label_rows(config, result.pairs, report)
    _count_skipped(report, skipped)
    return result


def _read_shards(
    config: DataConfig, shards: list[Shard], source: Path
) -> Iterator[ShardContent]:
    """Yields the contents of the shards in order; only a few are read ahead."""
    root = source if source.is_dir() else source.parent
    columns = COLUMNS | {*filter(None, [config.label_column])}
    read_one = functools.partial(read_shard, columns=columns, root=root)
    num_workers = available_cores()
    with ThreadPoolExecutor(num_workers) as executor:
        for start in range(0, len(shards), num_workers):
            yield from executor.map(read_one, shards[start : start + num_workers])


def _to_pair(config: DataConfig, shard: Shard, sample: Sample) -> DownloadedPair:
    record = sample.record
    keys = {name: join_value(name, record.get(name)) for name in JOIN_COLUMNS}
    keys["key"] = sample.key
    # COYO's id does not depend on how the pair was downloaded, so neither do sample
    # and split.
    name = keys["id"] or clean_text(f"{shard.name}/{sample.key}")
    missing = config.missing_values
    texts = (cell_text(record.get(column), missing) for column in TEXT_COLUMNS)
    text = html.unescape(next(filter(None, texts), ""))
    labels = parse_labels(config, record, label_column(config, record))
    assert not isinstance(sample.read, str)  # those are skipped
    row = CaptionRow(
        shard.path, sample.key, name, (text,), "", group=labels.phash, read=sample.read
    )
    return DownloadedPair(row, keys, labels)


def _label_rows(
    config: DataConfig, pairs: list[DownloadedPair], report: ReadReport
) -> tuple[list[CaptionRow], list[SkippedRow]]:
    """Returns the rows of the most frequent classes, and the others as skipped.

    If no pair has a label, all rows are returned without labels.
    """
    find_labels_of = _label_lookup(config, pairs, report)
    labeled = [(pair.row, find_labels_of(pair)) for pair in pairs]
    if config.labels is None and all(labels.names is None for _, labels in labeled):
        return [pair.row for pair in pairs], []
    limit = None if config.several_labels == "all" else 1
    counts = Counter(
        name for _, labels in labeled for name in (labels.names or ())[:limit]
    )
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    frequent = set(ranked[: config.label_groups])
    rows, skipped = [], []
    for row, (names, phash) in labeled:
        kept = tuple(name for name in (names or ())[:limit] if name in frequent)
        if kept:
            kept += names[1:] if limit else ()  # are counted where rows are grouped
            rows.append(row._replace(labels=kept, group=row.group or phash))
            continue
        reason = "label not among the most frequent"
        if names is None:
            reason = "missing label"
        elif not names:
            reason = f"label probability below {config.label_threshold:g}"
        value = " ".join([row.name, *(names or ())])
        skipped.append(SkippedRow(reason, row.file, str(row.line), value, bad_rows=0))
    return rows, skipped


def _label_lookup(
    config: DataConfig, pairs: list[DownloadedPair], report: ReadReport
) -> Callable[[DownloadedPair], Labels]:
    """Returns a function that finds the labels of a pair."""
    if config.labels is None:
        return lambda pair: pair.row_labels
    keys = {name: {pair.keys[name] for pair in pairs} - {None} for name in JOIN_COLUMNS}
    labels = find_labels(config, keys, report)
    missing = Labels(None, None)

    def find_labels_of(pair: DownloadedPair) -> Labels:
        matches = (labels.get((name, pair.keys[name])) for name in JOIN_COLUMNS)
        return next(filter(None, matches), missing)

    return find_labels_of


def _count_skipped(report: ReadReport, skipped: Iterable[SkippedRow]) -> None:
    for reason, file, line, value, bad_rows in skipped:
        report.rows += bad_rows  # --max-bad ignores failed downloads
        report.skip(clean_text(reason), file, line, clean_text(value), bad_rows)


def _check(
    config: DataConfig, source: Path, result: _Shards, report: ReadReport
) -> None:
    """Raises UserError if there are no rows."""
    if result.rows:
        return
    counts = ", ".join(f"{n} × {why}" for why, n in report.skipped.most_common())
    if result.pairs:
        place = f" in {config.labels}" if config.labels else ""
        raise UserError(
            f"None of the {len(result.pairs):,} pairs in {source} has a label{place} "
            f"({counts}). Labels are matched by id, else by url, else by img2dataset's "
            "key."
        )
    if result.used:
        raise UserError(f"No pair in {source} can be read: {counts}")
    if result.metadata_only:
        import pyarrow.parquet

        files = [shard.path for shard in result.metadata_only]
        num_rows = sum(pyarrow.parquet.read_metadata(file).num_rows for file in files)
        raise UserError(
            f"{source} contains COYO's metadata ({num_rows:,} rows with urls and texts "
            f"in {len(files)} Parquet files) but no images. Download them with "
            "img2dataset as described in docs/coyo.md."
        )
    raise UserError(
        f"No COYO found in {source} or up to 3 folders below it. Expected "
        "img2dataset's 00000.tar, folders 00000/ or 00000.parquet with images. "
        "docs/coyo.md describes how to create them."
    )


def _add_notes(result: _Shards, report: ReadReport) -> None:
    num_files = len(result.metadata_only)
    report.note(
        f"read {len(result.used)} of {result.num_shards - num_files} shards, with "
        f"{len(result.pairs):,} downloaded pairs"
    )
    if num_files:
        path = result.metadata_only[0].path
        report.note(f"skipped {num_files} Parquet files without images, such as {path}")
    if not any(pair.keys["id"] for pair in result.pairs):
        report.note(
            "no id of COYO: pairs are named by their key, and labels joined by url"
        )
    if not any(row.group for row in result.rows):
        report.note(NO_PHASH_NOTE)
