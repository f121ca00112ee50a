"""Near-duplicates: images of an index whose vectors are nearly equal."""

from collections.abc import Iterator

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from kerasgan.search.index_files import IndexData
from kerasgan.search.nearest import ROUNDING

ROWS, COLUMNS = 1024, 16384  # of a block of pairs


def find_duplicates(data: IndexData, threshold: float) -> list[np.ndarray]:
    """Groups images whose vectors have at least a given cosine.

    All pairs are compared, so that the time grows with the square of the number of
    images; the memory does not.

    Args:
        data: n images.
        threshold: the cosine, in (0, 1].

    Returns:
        Groups of at least two rows, ascending, the first row's group first. Two images
        of a group are linked by a chain of pairs.
    """
    labels = np.arange(len(data))
    for rows, columns in _similar_pairs(data, threshold):
        # An edge from each row to its group's first member keeps earlier groups.
        edges = np.append(rows, np.arange(len(data))), np.append(columns, labels)
        graph = sparse.coo_matrix(
            (np.ones(len(edges[0]), bool), edges), [len(data)] * 2
        )
        _, components = csgraph.connected_components(graph, directed=False)
        _, first = np.unique(components, return_index=True)
        labels = first[components]
    order = np.argsort(labels, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
    return [group for group in groups if len(group) > 1]


def _similar_pairs(
    data: IndexData, threshold: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for start in range(0, len(data), ROWS):
        block = slice(start, start + ROWS)
        for other in range(start, len(data), COLUMNS):
            others = slice(other, other + COLUMNS)
            cosines = data.leading[block] @ data.leading[others].T
            # The rest of the vectors adds at most the product of their norms.
            slack = np.multiply.outer(data.residuals[block], data.residuals[others])
            slack += cosines
            rows, columns = np.nonzero(slack >= threshold - ROUNDING)
            after = columns + other > rows + start
            rows, columns = rows[after], columns[after]
            exact = cosines[rows, columns] + np.einsum(
                "nd,nd->n", data.trailing[rows + start], data.trailing[columns + other]
            )
            found = exact >= threshold - ROUNDING
            if found.any():
                yield rows[found] + start, columns[found] + other
