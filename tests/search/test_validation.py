import numpy as np

from kerasgan.search.validation import choose_threshold

WORDS = ["dog", "boat", "tree"]


class Images:
    """Each image shows one thing, and its caption says so."""

    captions = [[f"a {WORDS[n % 3]} {n}", "a photograph"] for n in range(12)]
    vectors = np.eye(3)[np.arange(12) % 3]

    def __len__(self):
        return 12


class Pipeline:
    class store:  # noqa: N801
        vectors = np.eye(3)

    def embed_captions(self, captions):
        return np.stack(
            [np.eye(3)[WORDS.index(c)] if c in WORDS else np.zeros(3) for c in captions]
        )


def test_the_threshold_separates_words_of_an_image_from_others(monkeypatch):
    monkeypatch.setattr("kerasgan.search.validation.MAX_SHARE", 0.4)
    found = choose_threshold(Images(), Pipeline())
    # "a" and "photograph" describe all images, and numbers only one.
    assert found["words"] == 3 and found["f1"] == 1.0
    assert found["threshold"] > -0.5
    monkeypatch.setattr("kerasgan.search.validation.MIN_IMAGES", 100)
    assert choose_threshold(Images(), Pipeline())["words"] == 0
