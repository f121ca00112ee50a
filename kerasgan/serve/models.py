"""What the page can do: the models of runs, exports and an index, loaded once."""

import threading
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from PIL import Image

from kerasgan.data.images import strict_pillow
from kerasgan.errors import UserError
from kerasgan.gan.image_files import to_pillow
from kerasgan.layers.text_vectorization import split_words
from kerasgan.search.page import read_thumbnail
from kerasgan.search.search_index import SearchIndex
from kerasgan.serve.exports import (
    ExportedCaptioner,
    ExportedClassifier,
    ExportedGenerator,
)
from kerasgan.serve.runs import RunCaptioner, RunClassifier, RunGenerator

NUM_IMAGES = 8  # that are drawn at once
NUM_RESULTS = 24  # of a search
NUM_CLASSES = 5  # that are shown
MAX_NAMED_WORDS = 10  # in a note
UNKNOWN_WORDS = "Unknown words are ignored: "


class Found(NamedTuple):
    """Images of an index.

    Attributes:
        rows: their row numbers.
        results: see `SearchIndex.results`, in the same order.
        note: a sentence, or an empty text.
    """

    rows: list[int]
    results: list[dict[str, Any]]
    note: str = ""


class Description(NamedTuple):
    """What the models say about a photograph or a text; None for what they cannot.

    Attributes:
        caption: the generated caption.
        classes: names and probabilities, the most probable first.
        nearest: the nearest images of the index.
    """

    caption: str | None = None
    classes: list[tuple[str, float]] | None = None
    nearest: Found | None = None


@dataclass
class Models:
    """The models of a page; None for what was not named.

    One thread at a time uses them: Pillow's switches are global, and memory is
    bounded by one image.

    Attributes:
        generator: draws images.
        captioner: captions images, and embeds them for the index.
        classifier: classifies images, texts or pairs.
        index: is searched.
    """

    generator: RunGenerator | ExportedGenerator | None = None
    captioner: RunCaptioner | ExportedCaptioner | None = None
    classifier: RunClassifier | ExportedClassifier | None = None
    index: SearchIndex | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def takes_images(self) -> bool:
        """Whether a photograph can be described."""
        return self.captioner is not None or bool(
            self.classifier and self.classifier.takes_images
        )

    @property
    def takes_text(self) -> bool:
        """Whether a text can be classified, alone or with a photograph."""
        return bool(self.classifier and self.classifier.takes_text)

    @property
    def needs_image(self) -> bool:
        """Whether a text alone cannot be classified."""
        classifier = self.classifier
        return not self.takes_text or (
            classifier.takes_images and not classifier.accepts_missing
        )

    def draw(self, caption: str, seed: int) -> tuple[list[Image.Image], str]:
        """Generates images from a caption.

        Args:
            caption: ignored by a generator that was trained without captions.
            seed: of the noise.

        Returns:
            Images, and a note on unknown words or an empty text.

        Raises:
            UserError: there is no caption, and the generator needs one.
        """
        generator, captions, note = self.generator, None, ""
        with self.lock:
            if generator.conditional:
                words = split_words(caption)
                if not words:
                    raise UserError("The caption has no words.")
                known = set(generator.words)
                unknown = [word for word in dict.fromkeys(words) if word not in known]
                captions, note = [caption] * NUM_IMAGES, _unknown_words(unknown)
            images = generator.generate(captions, NUM_IMAGES, seed)
        return [to_pillow(image) for image in images], note

    def describe(self, data: bytes | None, text: str = "") -> Description:
        """Captions and classifies an image, and finds the nearest ones of the index.

        Args:
            data: content of an image file; None to classify the text alone.
            text: for the classifier.

        Raises:
            BadImage: the image cannot be used. The message is the reason.
            UserError: a photograph or a text is missing.
        """
        if data is None and self.needs_image:
            raise UserError("Choose a photograph.")
        if data is None and not text:
            raise UserError("Choose a photograph, or type a text.")
        caption = classes = nearest = None
        with self.lock, strict_pillow():
            if data is not None and self.captioner:
                caption, nearest = self._caption(data)
            if self.classifier:
                classes = self._classify(data, text)
        return Description(caption, classes, nearest)

    def _caption(self, data):
        (caption, vector), index = self.captioner.describe(data), self.index
        return caption, index and self._nearest(vector @ index.rotation)

    def _classify(self, data, text):
        classifier = self.classifier
        probabilities = classifier.classify(data, text)
        order = probabilities.argsort()[::-1][:NUM_CLASSES]
        return [(classifier.label_names[n], float(probabilities[n])) for n in order]

    def search(self, query: str) -> Found:
        """Finds the images of the index that suit a query best.

        Args:
            query: a sentence.

        Raises:
            UserError: the query has no known word.
        """
        with self.lock:
            unknown = self.index.check_query(query)
            rows, scores = self.index.rank(query, count=NUM_RESULTS)
            return self._found(rows, scores, _unknown_words(unknown))

    def similar(self, row: int) -> Found:
        """Finds the images of the index that are nearest to one of them.

        Args:
            row: its number.

        Raises:
            IndexError: there is no such row.
        """
        with self.lock:
            self._check_row(row)
            return self._nearest(self.index.data.vectors([row])[0])

    def thumbnail(self, row: int) -> bytes:
        """Returns an image of the index as a small JPEG.

        Args:
            row: its number.

        Raises:
            IndexError: there is no such row.
            BadImage: its file cannot be used any more.
        """
        with self.lock, strict_pillow():
            self._check_row(row)
            return read_thumbnail(self.index.data.records([row])[0]["image"])

    def _check_row(self, row):
        if not 0 <= row < len(self.index.data):
            raise IndexError(row)

    def _nearest(self, vector):
        return self._found(*self.index.rank_alike(vector, NUM_RESULTS))

    def _found(self, rows, scores, note=""):
        return Found(list(map(int, rows)), self.index.results(rows, scores), note)


def _unknown_words(words):
    return UNKNOWN_WORDS + ", ".join(words[:MAX_NAMED_WORDS]) if words else ""
