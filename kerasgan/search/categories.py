"""Assigns images to categories that are given only as words."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasgan.errors import UserError
from kerasgan.evaluation.caption_words import normalize_caption

if TYPE_CHECKING:
    from kerasgan.captioning.pipeline import CaptioningPipeline

NONE = "none of these"
MAX_FOLDER_NAME = 80  # characters


def read_categories(text: str) -> list[str]:
    """Reads categories.

    Args:
        text: categories separated by semicolons, or the path of a file with one a line.

    Returns:
        Different categories in their order.

    Raises:
        UserError: there are none, or one has no words.
    """
    if os.path.isfile(text):
        from kerasgan.inference.caption_files import read_captions

        names = read_captions(text)
    else:
        names = [" ".join(name.split()) for name in text.split(";")]
    names = list(dict.fromkeys(filter(None, names)))
    if not names:
        raise UserError('--categories needs names, such as "beach; street market".')
    for name in names:
        if not normalize_caption(name):
            raise UserError(f"The category {name!r} has no words.")
        if name == NONE:
            raise UserError(f"{NONE!r} is what images without a category get.")
    return names


def category_scores(
    image_vectors: np.ndarray, category_vectors: np.ndarray, known_images: np.ndarray
) -> np.ndarray:
    """Scores pairs of images and categories.

    Args:
        image_vectors: unit vectors `(n, d)`.
        category_vectors: unit vectors `(k, d)`.
        known_images: unit vectors of the training images, `(m, d)`.

    Returns:
        Cosines less the hubness of the category, `(n, k)`; see `hubness`. A category
        that is close to all images is not the best for most of them.
    """
    from kerasgan.captioning.hubness import hubness

    cosines = image_vectors @ category_vectors.T
    return cosines - hubness(category_vectors, known_images)


class Categorizer:
    """Finds the categories of images.

    Args:
        pipeline: the models.
        names: the categories.
        threshold: the least score of a category.
        several: whether an image may have several categories.

    Raises:
        UserError: a category has no word that the run knows.
    """

    def __init__(
        self,
        pipeline: "CaptioningPipeline",
        names: Sequence[str],
        threshold: float,
        several: bool,
    ):
        self.pipeline, self.names = pipeline, list(names)
        self.threshold, self.several = threshold, several
        known = set(pipeline.words[2:].tolist())
        for name in names:
            if not known.intersection(normalize_caption(name).split()):
                raise UserError(
                    f"The training captions of the run have no word of the category"
                    f" {name!r}."
                )
        self.vectors = pipeline.embed_captions(self.names)

    def predict(self, images: np.ndarray) -> list[dict[str, Any]]:
        """Finds the categories of some images.

        Args:
            images: uint8 `(n, size, size, 3)`.

        Returns:
            n dicts with `category`, the best one, or `none of these` below the
            threshold; `score`, its score in any case; and `alternatives`, dicts of
            `category` and `score`: with `several` all others that reach the threshold,
            else the others in descending order.
        """
        vectors = self.pipeline.embed_images(images)
        scores = category_scores(vectors, self.vectors, self.pipeline.store.vectors)
        return [self._to_prediction(row) for row in scores]

    def _to_prediction(self, scores):
        order = np.argsort(-scores, kind="stable")
        ranked = [
            {"category": self.names[place], "score": round(float(scores[place]), 4)}
            for place in order
        ]
        best, *others = ranked
        if scores[order[0]] < self.threshold:
            best, others = {"category": NONE, "score": best["score"]}, ranked
        if self.several:
            count = int((scores >= self.threshold).sum())
            others = others[: max(count - 1, 0)]
        return {**best, "alternatives": others}


class LinkFolders:
    """Folders of links to images, one folder for each category.

    Args:
        path: the folder that holds them.

    Raises:
        UserError: it exists and is not empty.
    """

    def __init__(self, path: Path):
        self.path = path
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise UserError(
                f"--links {path} exists already and is not an empty folder."
            )

    def add(self, image: str, categories: Sequence[str]) -> None:
        """Links an image.

        Args:
            image: the path of its file.
            categories: names of its categories.
        """
        image = os.path.abspath(image)
        for category in categories:
            folder = self.path / folder_name(category)
            folder.mkdir(parents=True, exist_ok=True)
            stem, suffix = os.path.splitext(os.path.basename(image))
            link, number = folder / f"{stem}{suffix}", 1
            while True:
                try:
                    os.symlink(image, link)
                    break
                except FileExistsError:  # another image of this name
                    number += 1
                    link = folder / f"{stem}-{number}{suffix}"


def folder_name(category: str) -> str:
    """Returns a category as the name of a folder.

    Args:
        category: any text.
    """
    name = re.sub(r"[^\w -]+", "_", category).strip(" .")[:MAX_FOLDER_NAME]
    return name or "_"
