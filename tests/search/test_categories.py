import os

import numpy as np
import pytest

from kerasgan.errors import UserError
from kerasgan.search.categories import (
    NONE,
    Categorizer,
    LinkFolders,
    category_scores,
    folder_name,
    read_categories,
)


class Pipeline:
    """Images are vectors; the first letter of a category is its dimension."""

    words = np.array(["", "[UNK]", "[START]", "apple", "boat", "cat"])

    class store:  # noqa: N801
        vectors = np.eye(3)

    def embed_images(self, images):
        return np.array(images)

    def embed_captions(self, captions):
        return np.eye(3)[["abc".index(caption[0]) for caption in captions]]


def test_reading(tmp_path):
    assert read_categories(" a boat; cat;;a  boat ") == ["a boat", "cat"]
    (tmp_path / "names.txt").write_text("a boat\n\ncat\n")
    assert read_categories(str(tmp_path / "names.txt")) == ["a boat", "cat"]
    for text, message in ((" ; ", "needs names"), ("a; !?", "no words"), (NONE, NONE)):
        with pytest.raises(UserError, match=message):
            read_categories(text)


def test_hubs_are_discounted():
    images = np.array([[0.8, 0.6], [0.8, 0.6]])
    known = np.array([[1.0, 0.0]] * 3)  # all training images are like the first one
    scores = category_scores(images, np.eye(2), known)
    assert (scores.argmax(1) == 1).all()


def test_predictions():
    images = [[0.8, 0.5, 0.1], [0.0, 0.0, 0.1]]
    one = Categorizer(Pipeline(), ["apple", "boat", "cat"], -0.8, several=False)
    best, none = one.predict(images)
    assert best["category"] == "apple"
    assert [o["category"] for o in best["alternatives"]] == ["boat", "cat"]
    assert none["category"] == NONE
    assert [o["category"] for o in none["alternatives"]] == ["cat", "apple", "boat"]
    several = Categorizer(Pipeline(), ["apple", "boat", "cat"], -0.8, several=True)
    best, none = several.predict(images)
    assert [o["category"] for o in best["alternatives"]] == ["boat"]
    assert none["category"] == NONE and none["alternatives"] == []
    assert none["score"] == several.predict(images)[1]["score"]
    with pytest.raises(UserError, match="no word of the category 'zebra'"):
        Categorizer(Pipeline(), ["apple", "zebra"], 0.0, several=False)


def test_folders_of_links(tmp_path):
    folders = LinkFolders(tmp_path / "links")
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.jpg").write_text(folder)
        folders.add(str(tmp_path / folder / "x.jpg"), ["../../etc", "boat"])
    found = sorted(os.listdir(tmp_path / "links" / "boat"))
    assert found == ["x-2.jpg", "x.jpg"]
    assert (tmp_path / "links" / "boat" / "x-2.jpg").read_text() == "b"
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "links"]
    with pytest.raises(UserError, match="exists already"):
        LinkFolders(tmp_path / "links")


@pytest.mark.parametrize("name", ["..", "/", "", "\x1b[31m", "a" * 300, "con/../x"])
def test_names_of_folders(name):
    folder = folder_name(name)
    assert folder not in ("", ".", "..") and "/" not in folder and len(folder) <= 80
    assert folder.isprintable()
