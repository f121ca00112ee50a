"""TF-IDF of captions, the similarity of paper A's equation (5), for many captions.

Queries need neither scikit-learn, whose import takes a second, nor TensorFlow.
"""

import itertools
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kerasgan.errors import UserError
from kerasgan.evaluation.caption_words import normalize_caption
from kerasgan.files import write_text
from kerasgan.search.index_files import IndexData, damaged, load_array, save_array

if TYPE_CHECKING:
    from scipy import sparse
    from sklearn.feature_extraction.text import TfidfVectorizer

CHUNK_SIZE = 10_000  # captions that are transformed at once
WORDS, WEIGHTS = "words.txt", "idf.npy"


class WordModel:
    """Converts queries to TF-IDF, as the `TfidfVectorizer` that was saved.

    Args:
        words: the known words.
        weights: their inverse document frequencies, `(len(words),)`.
    """

    def __init__(self, words: list[str], weights: np.ndarray):
        self.columns = {word: column for column, word in enumerate(words)}
        self.weights = weights

    @classmethod
    def load(cls, path: Path) -> "WordModel":
        """Reads the files that `save_word_model` wrote.

        Args:
            path: the directory of the files.

        Raises:
            UserError: they are damaged.
        """
        words, weights = read_words(path / WORDS), load_array(path / WEIGHTS, 1)
        if len(words) != len(weights):
            raise damaged(path / WORDS, f"{len(words)} words, {len(weights)} weights")
        return cls(words, weights)

    def transform(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """Computes the TF-IDF vector of a text.

        Args:
            text: any text.

        Returns:
            The columns of its known words, int `(k,)`, and their values, of norm 1.
        """
        words = normalize_caption(text).split()
        counts = Counter(word for word in words if word in self.columns)
        columns = np.array([self.columns[word] for word in counts], np.int64)
        values = np.array(list(counts.values())) * self.weights[columns]
        return columns, values / max(float(np.linalg.norm(values)), 1e-12)


def save_word_model(path: Path, vectorizer: "TfidfVectorizer") -> None:
    """Writes the words and weights of a fitted vectorizer.

    Args:
        path: a directory.
        vectorizer: the result of `fit_tfidf`.
    """
    words = vectorizer.get_feature_names_out()
    write_text(path / WORDS, "".join(f"{word}\n" for word in words))
    save_array(path / WEIGHTS, vectorizer.idf_)


def read_words(path: Path) -> list[str]:
    """Reads words, one a line.

    Args:
        path: of the file.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8").split("\n")[:-1]
    except (OSError, UnicodeDecodeError) as error:
        raise damaged(path, error) from error


def select_captions(
    data: IndexData, rows: np.ndarray, num_words: int
) -> "sparse.csr_matrix":
    """Returns the TF-IDF vectors of some captions of an index.

    Args:
        data: of the index.
        rows: k row numbers, ascending.
        num_words: number of known words.

    Returns:
        float32 `(k, num_words)`.

    Raises:
        UserError: the vectors are damaged.
    """
    from scipy import sparse

    columns, entries, values = data.words
    try:
        matrix = sparse.csc_matrix(
            (values, entries, columns), shape=(len(data), num_words)
        )
        matrix.check_format(full_check=True)
    except ValueError as error:
        raise damaged(data.path / "words-rows.npy", error) from error
    return matrix.tocsr()[rows]


def save_word_index(
    path: Path,
    model: WordModel,
    captions: Iterable[str],
    previous: "sparse.csr_matrix | None" = None,
) -> None:
    """Writes the TF-IDF vectors of captions, by word.

    Args:
        path: the directory of the data.
        model: transforms captions.
        captions: n captions, of which few are in memory at once.
        previous: the vectors of captions before them, or None.
    """
    from scipy import sparse

    captions, chunks = iter(captions), [] if previous is None else [previous]
    while chunk := list(itertools.islice(captions, CHUNK_SIZE)):
        columns, values = zip(*map(model.transform, chunk), strict=True)
        starts = np.cumsum([0, *map(len, columns)])
        entries = np.concatenate(values).astype(np.float32), np.concatenate(columns)
        shape = (len(chunk), len(model.columns))
        chunks.append(sparse.csr_matrix((*entries, starts), shape))
    matrix = sparse.vstack(chunks, format="csc")
    save_array(path / "words-columns.npy", matrix.indptr.astype(np.int64))
    save_array(path / "words-rows.npy", matrix.indices.astype(np.int32))
    save_array(path / "words-values.npy", matrix.data)


def word_scores(
    arrays: tuple[np.ndarray, np.ndarray, np.ndarray],
    query: tuple[np.ndarray, np.ndarray],
    num_rows: int,
) -> np.ndarray:
    """Computes the cosines of a query and all captions.

    Args:
        arrays: `IndexData.words`.
        query: the result of `WordModel.transform`.
        num_rows: number of captions.

    Returns:
        float32 `(num_rows,)`, 0 where no word is shared.
    """
    columns, rows, values = arrays
    scores = np.zeros(num_rows, np.float32)
    for column, weight in zip(*query, strict=True):
        entries = slice(columns[column], columns[column + 1])
        # A caption has at most one entry of a word.
        try:
            scores[rows[entries]] += np.float32(weight) * values[entries]
        except IndexError as error:
            message = "The index is damaged: words of captions that it does not have."
            raise UserError(message) from error
    return scores
