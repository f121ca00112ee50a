"""Indexes without a run: words and vectors are given, nothing is trained."""

import os

import numpy as np

from kerasgan.files import read_json, write_json, write_text
from kerasgan.search.checksums import write_checksums
from kerasgan.search.index_files import FORMAT, MANIFEST, save_array
from kerasgan.search.journal import Journal
from kerasgan.search.nearest import fit_rotation
from kerasgan.search.publish import publish
from kerasgan.search.search_index import SearchIndex
from kerasgan.search.text_embedding import ARRAYS, TOKENS

WORDS = ["a", "the", "red", "blue", "dog", "boat", "runs", "on", "beach", "犬"]
DIM = 16
RANDOM = np.random.default_rng(0)


def unit_vectors(count, dim=DIM, seed=0, decay=0.8):
    """Unit vectors whose later dimensions are shorter."""
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(count, dim)) * decay ** np.arange(dim)
    mixing = np.linalg.qr(np.random.default_rng(1).normal(size=(dim, dim)))[0]
    vectors = vectors @ mixing
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype("float32")


def make_index(path, captions, vectors=None, names=None, current=False, **manifest):
    """Writes an index of images that need not exist unless they are current."""
    vectors = unit_vectors(len(captions)) if vectors is None else vectors
    dim = vectors.shape[1]
    manifest = {
        **{"format": FORMAT, "run": "/no/run", "models": "x", "decoding": "greedy"},
        **{"sources": [], "data": None, "images": 0, "dim": dim},
        **{"caption_length": 8, "needs_tensorflow": False},
        "ranking": {"default": "blend", "weight": 0.5},
        **manifest,
    }
    make_models(path / "model", vectors)
    write_json(path / MANIFEST, manifest, checksum=True)
    names = names or [f"/no/{number}.jpg" for number in range(len(captions))]
    records = []
    for n, (name, text) in enumerate(zip(names, captions, strict=True)):
        record = {"image": name, "size": 1, "mtime_ns": 1, "sha256": f"{n:064x}"}
        if current:
            status = os.stat(name)
            record |= {"size": status.st_size, "mtime_ns": status.st_mtime_ns}
        records.append(record | {"caption": text})
    header = {name: manifest[name] for name in ("models", "decoding", "dim")}
    journal = Journal(path, header)
    journal.append(records, vectors)
    publish(path, manifest, None, np.arange(0), journal, np.arange(len(records)))
    return SearchIndex(path)


def make_models(path, vectors):
    path.mkdir(parents=True)
    dim = vectors.shape[1]
    write_text(path / "words.txt", "".join(f"{word}\n" for word in WORDS))
    save_array(path / "idf.npy", 1 + np.arange(len(WORDS)) / 4)
    save_array(path / "rotation.npy", fit_rotation(vectors))
    save_array(path / "caption-bank.npy", unit_vectors(20, dim, seed=5))
    write_text(path / TOKENS, "".join(f"{word}\n" for word in ["[START]", *WORDS]))
    size, hidden = len(WORDS) + 3, dim // 2
    shapes = {
        "embedding": (2, size, dim),
        "weight": (2, size),
        "hidden-kernel": (2, dim, hidden),
        "hidden-bias": (2, hidden),
        "linear-kernel": (2, dim, hidden),
        "linear-bias": (2, hidden),
        "output-kernel": (2, hidden, hidden),
        "output-bias": (2, hidden),
    }
    for name in ARRAYS:
        array = RANDOM.normal(size=shapes[name]).astype("float32")
        save_array(path / f"text-{name}.npy", array)
    write_checksums(path)


def set_manifest(path, **values):
    file = path / MANIFEST
    write_json(file, read_json(file) | values)
