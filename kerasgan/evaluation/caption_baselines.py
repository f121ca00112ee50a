"""Captions that no captioner wrote: what any caption of ours has to be better than."""

from collections import Counter

import numpy as np


class CaptionBaselines:
    """Captions taken from the training images.

    Args:
        captions: for each training image its captions, at least one.
        vectors: the same images' vectors `(n, d)`, of length 1.
        vectorizer: what `fit_tfidf` returned.
    """

    def __init__(self, captions, vectors, vectorizer):
        self.captions, self.vectors = captions, vectors
        flat = [text for group in captions for text in group]
        self.bags = vectorizer.transform(flat)
        self.flat = np.array(flat, dtype=object)
        ends = np.cumsum([len(group) for group in captions])
        self.rows = np.split(np.arange(len(flat)), ends[:-1])

    def frequent(self, count):
        """The commonest training caption, every time."""
        return [Counter(self.flat).most_common(1)[0][0]] * count

    def random(self, count, seed=0):
        """Training captions drawn by lot."""
        return list(np.random.default_rng(seed).choice(self.flat, count))

    def nearest(self, vectors):
        """The first caption of the training image that is most like each of ours."""
        return [self.captions[row][0] for row in (vectors @ self.vectors.T).argmax(1)]

    def consensus(self, vectors, neighbours):
        """Of the captions of the so many nearest training images, the one that is on
        average most like the others by TF-IDF (Devlin et al. 2015,
        https://arxiv.org/abs/1505.04467)."""
        found = []
        for cosines in vectors @ self.vectors.T:
            near = np.argsort(-cosines, kind="stable")[:neighbours]
            rows = np.concatenate([self.rows[row] for row in near])
            said = self.bags[rows]
            found.append(self.flat[rows[(said @ said.sum(0).T).argmax()]])
        return found
