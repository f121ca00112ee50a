"""COYO-700M as img2dataset downloads it: shards, then labels, then the commonest."""

import functools
import html
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from kerasgan.config.settings import DataConfig
from kerasgan.data.annotations import (
    Annotations,
    CaptionRow,
    clean_text,
    group_rows,
    label_names_of,
)
from kerasgan.data.layouts.columns import LABEL
from kerasgan.data.layouts.img2dataset import (
    Content,
    Sample,
    Shard,
    Skip,
    find_shards,
    read_shard,
)
from kerasgan.data.layouts.labels import (
    KEYS,
    UNSURE,
    Label,
    find_labels,
    key_of,
    label_column,
    label_files,
    label_of,
)
from kerasgan.data.layouts.table import text_of
from kerasgan.data.read_report import ReadReport
from kerasgan.data.sampling import sample_size, seeded_order
from kerasgan.data.threads import available_cores
from kerasgan.errors import UserError

# img2dataset renames --caption_col to `caption`; where that was forgotten, COYO's
# `text` may have been listed as an additional column.
TEXTS = ("caption", "text", "txt")
COLUMNS = {*TEXTS, *KEYS, *LABEL, "labels", "label_probs", "image_phash", "imagehash"}
LOST_HASH = (
    "no image_phash: only byte-equal images are kept on one side of the split; "
    'img2dataset saves it with --save_additional_columns \'["id", "image_phash"]\''
)


class Pair(NamedTuple):
    """A downloaded pair, what labels are looked up by, and the label of its own row."""

    row: CaptionRow
    keys: dict[str, str | None]  # of each of KEYS
    own: Label


def read(config: DataConfig, source: Path) -> Annotations:
    """Labelled pairs from as many shards as the sample needs.

    Shards are read in an order that only the seed and their names decide, until they
    hold the sample and twice as many more as --max-bad allows to be bad: so 5,000
    pairs of 700 million take as long as 5,000 of 10,000.
    """
    labels = label_files(config.labels)
    shards = [shard for shard in find_shards(source) if shard.path not in labels]
    names = seeded_order({shard.name for shard in shards}, config.seed, "shards")
    place = {name: number for number, name in enumerate(names)}
    ordered = sorted(shards, key=lambda shard: place[shard.name])
    ledger, pairs, used, bare = ReadReport(), [], [], []
    size = sample_size(config, sys.maxsize).size  # "all" is more than there is
    wanted = need = math.ceil(size * (1 + 2 * config.max_bad))
    rows, skips = [], []
    for content in _in_parallel(config, ordered, source):
        (bare if content.bare else used).append(content.shard)
        _enter(ledger, content.skips)
        pairs += (_pair(config, content.shard, sample) for sample in content.samples)
        if len(pairs) >= need:
            rows, skips = _labelled(config, pairs, ledger)
            if len(rows) >= wanted:
                break
            need = 2 * len(pairs)
    else:
        rows, skips = _labelled(config, pairs, ledger)
    _enter(ledger, skips)
    _refuse(config, source, pairs, rows, used, bare, ledger)
    _note(ledger, pairs, rows, used, bare, ordered)
    images = group_rows(rows, ledger)
    layout = f"img2dataset {', '.join(sorted({shard.kind for shard in used}))}"
    files = [shard.path for shard in used] + labels
    classes = label_names_of(images) or None
    return Annotations(layout, files, source, images, ledger, classes)


def _in_parallel(
    config: DataConfig, shards: list[Shard], source: Path
) -> Iterator[Content]:
    """Every shard's content in their order; only a few are read ahead."""
    root = source if source.is_dir() else source.parent
    columns = COLUMNS | {*filter(None, [config.label_column])}
    attempt = functools.partial(read_shard, columns=columns, root=root)
    workers = available_cores()
    with ThreadPoolExecutor(workers) as pool:
        for at in range(0, len(shards), workers):
            yield from pool.map(attempt, shards[at : at + workers])


def _pair(config: DataConfig, shard: Shard, sample: Sample) -> Pair:
    record = sample.record
    keys = {name: key_of(name, record.get(name)) for name in KEYS}
    keys["key"] = sample.key
    # COYO's id is the same however the pair was downloaded, and so is what it decides.
    name = keys["id"] or clean_text(f"{shard.name}/{sample.key}")
    texts = (text_of(record.get(column)) for column in TEXTS)
    text = html.unescape(next(filter(None, texts), ""))
    own = label_of(config, record, label_column(config, record))
    row = CaptionRow(
        shard.path, sample.key, name, (text,), "", group=own.phash, read=sample.read
    )
    return Pair(row, keys, own)


def _labelled(
    config: DataConfig, pairs: list[Pair], ledger: ReadReport
) -> tuple[list[CaptionRow], list[Skip]]:
    """The rows of the commonest classes, and why the others are left out.

    All rows as they are if nothing tells any class.
    """
    label_for = _look_up(config, pairs, ledger)
    labelled = [(pair.row, label_for(pair)) for pair in pairs]
    if config.labels is None and all(label.name is None for _, label in labelled):
        return [pair.row for pair in pairs], []
    counts = Counter(label.name for _, label in labelled if label.name)
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    kept = set(ranked[: config.label_groups])
    rows, skips = [], []
    for row, (name, phash) in labelled:
        if name in kept:
            rows.append(row._replace(label=name, group=row.group or phash))
            continue
        reason = "class not among the commonest"
        if name is None:
            reason = "no label"
        elif name == UNSURE:
            reason = f"no class above {config.label_threshold:g}"
        skips.append(Skip(reason, row.file, row.line, f"{row.name} {name or ''}", 0))
    return rows, skips


def _look_up(
    config: DataConfig, pairs: list[Pair], ledger: ReadReport
) -> Callable[[Pair], Label]:
    if config.labels is None:
        return lambda pair: pair.own
    wanted = {name: {pair.keys[name] for pair in pairs} - {None} for name in KEYS}
    found = find_labels(config, wanted, ledger)
    nothing = Label(None, None)

    def label_for(pair: Pair) -> Label:
        hits = (found.get((name, pair.keys[name])) for name in KEYS)
        return next(filter(None, hits), nothing)

    return label_for


def _enter(ledger: ReadReport, skips: list[Skip]) -> None:
    for reason, file, line, value, bad in skips:
        ledger.rows += bad  # only what should have been a pair counts for --max-bad
        ledger.skip(clean_text(reason), file, line, clean_text(value), bad)


def _refuse(config, source: Path, pairs, rows, used, bare, ledger: ReadReport) -> None:
    """UserError where there is nothing to go on with."""
    if rows:
        return
    if pairs:
        where = f" in {config.labels}" if config.labels else ""
        raise UserError(
            f"None of the {len(pairs):,} pairs in {source} has a class{where} "
            f"({_counts(ledger)}). It is looked up by id, by url where that finds "
            "none, and by img2dataset's key."
        )
    if used:
        raise UserError(f"No pair can be read in {source}: {_counts(ledger)}")
    if bare:
        import pyarrow.parquet

        count = sum(pyarrow.parquet.read_metadata(s.path).num_rows for s in bare)
        raise UserError(
            f"{source} holds COYO's metadata ({count:,} rows with urls and texts in "
            f"{len(bare)} Parquet files) and no images. They have to be downloaded "
            "with img2dataset; docs/coyo.md tells how, step by step."
        )
    raise UserError(
        f"No COYO found in {source} or up to 3 folders below it. img2dataset's "
        "00000.tar, folders 00000/ or 00000.parquet with images are expected; "
        "docs/coyo.md tells how they are made."
    )


def _counts(ledger: ReadReport) -> str:
    return ", ".join(f"{n} × {why}" for why, n in ledger.skipped.most_common())


def _note(ledger: ReadReport, pairs, rows, used, bare, ordered) -> None:
    ledger.note(
        f"read {len(used)} of {len(ordered) - len(bare)} shards, with "
        f"{len(pairs):,} downloaded pairs"
    )
    if bare:
        ledger.note(f"{len(bare)} Parquet files without images, as {bare[0].path}")
    if not any(pair.keys["id"] for pair in pairs):
        ledger.note(
            "no id of COYO's: pairs are named by their key, labels joined by url"
        )
    if not any(row.group for row in rows):
        ledger.note(LOST_HASH)
