"""Writes a new generation of an index's data, completely or not at all."""

import array
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from kerasgan.files import replace, write_json
from kerasgan.search.checksums import write_checksums
from kerasgan.search.index_files import (
    MANIFEST,
    RECORDS,
    IndexData,
    load_array,
    parse_record,
    save_array,
)
from kerasgan.search.journal import Journal
from kerasgan.search.nearest import LEADING, NEXT
from kerasgan.search.word_index import WordModel, save_word_index, select_captions

BLOCK_SIZE = 8192  # rows that are copied at once


def publish(
    path: Path,
    manifest: dict[str, Any],
    old: IndexData | None,
    kept: np.ndarray,
    journal: Journal,
    finished: np.ndarray,
) -> dict[str, Any]:
    """Makes rows of the present data and of the journal the data of an index.

    What was computed for the rows that remain is copied.

    A search that is running keeps the files that it has opened.

    Args:
        path: the directory of the index.
        manifest: its manifest.
        old: its present data, or None.
        kept: rows of `old` that remain, ascending.
        journal: the new rows.
        finished: rows of `journal` that are used, ascending.

    Returns:
        The manifest that was written.
    """
    number = int(manifest["data"].split("-")[1]) + 1 if manifest["data"] else 1
    target = path / f"data-{number:05d}"
    partial = path / f"{target.name}.partial"
    for leftover in (partial, target):  # of an interrupted call
        shutil.rmtree(leftover, ignore_errors=True)
    partial.mkdir()
    _write_records(partial, old, kept, journal.lines(finished))
    _write_vectors(partial, path / "model", old, kept, journal.vectors(), finished)
    words = WordModel.load(path / "model")
    kept_words = old and select_captions(old, kept, len(words.columns))
    records = (parse_record(line, partial) for line in journal.lines(finished))
    captions = (record["caption"] for record in records)
    save_word_index(partial, words, captions, kept_words)
    write_checksums(partial)
    replace(partial, target)
    replaced, manifest = (
        manifest["data"],
        manifest
        | {
            "data": target.name,
            "images": len(kept) + len(finished),
        },
    )
    write_json(path / MANIFEST, manifest, checksum=True)
    if replaced:
        shutil.rmtree(path / replaced, ignore_errors=True)
    journal.remove()
    return manifest


def _write_records(
    path: Path, old: IndexData | None, kept: np.ndarray, lines: Iterable[bytes]
) -> None:
    lengths = array.array("q")
    with open(path / RECORDS, "wb") as file:
        if old:
            lengths.extend(np.diff(old.offsets)[kept].tolist())
            for rows in np.split(kept, np.flatnonzero(np.diff(kept) > 1) + 1):
                if len(rows):  # consecutive ones
                    start, end = old.offsets[rows[0]], old.offsets[rows[-1] + 1]
                    file.write(memoryview(old.lines)[start:end])
        for line in lines:
            file.write(line)
            lengths.append(len(line))
    save_array(path / "offsets.npy", np.append(0, np.cumsum(lengths, dtype=np.int64)))


def _write_vectors(path, models, old, kept, vectors, finished):
    """Writes the rotated vectors of all rows, and the arrays that follow from them."""
    rotation = load_array(models / "rotation.npy", 2)
    bank = load_array(models / "caption-bank.npy", 2)
    num_rows, dim = len(kept) + len(finished), len(rotation)
    split = min(LEADING, max(1, dim // 2))

    def create(name, *shape):
        shape = (num_rows, *shape)
        return np.lib.format.open_memmap(path / f"{name}.npy", "w+", np.float32, shape)

    leading, trailing = create("leading", split), create("trailing", dim - split)
    residuals, tails, hubs = (create(n) for n in ("residuals", "tails", "hubness"))
    for start in range(0, len(kept), BLOCK_SIZE):
        rows = kept[start : start + BLOCK_SIZE]
        block = slice(start, start + len(rows))
        leading[block], trailing[block] = old.leading[rows], old.trailing[rows]
        residuals[block], tails[block] = old.residuals[rows], old.tails[rows]
        hubs[block] = old.hubness[rows]
    if len(finished):
        from kerasgan.captioning.hubness import hubness  # imports Keras
    for start in range(0, len(finished), BLOCK_SIZE):
        new = vectors[finished[start : start + BLOCK_SIZE]]
        block = slice(len(kept) + start, len(kept) + start + len(new))
        rotated = new @ rotation
        leading[block], trailing[block] = rotated[:, :split], rotated[:, split:]
        residuals[block] = np.linalg.norm(rotated[:, split:], axis=1)
        tails[block] = np.linalg.norm(rotated[:, split + NEXT :], axis=1)
        hubs[block] = hubness(new, bank)
    for mapped in (leading, trailing, residuals, tails, hubs):
        mapped.flush()
