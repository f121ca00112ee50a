"""What the page can do: the models of runs and an index, loaded once."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from kerasgan.captioning.pipeline import (
    STORE_FILE,
    CaptioningPipeline,
    load_captioner,
)
from kerasgan.classification.classifier import Classifier, load_classifier
from kerasgan.data.images import read_square_image, strict_pillow
from kerasgan.errors import UserError
from kerasgan.gan.image_files import to_pillow
from kerasgan.gan.image_generator import ImageGenerator, load_gan
from kerasgan.layers.text_vectorization import split_words
from kerasgan.runs import Run, open_run
from kerasgan.search.index_files import models_digest
from kerasgan.search.models import load_pipeline
from kerasgan.search.page import read_thumbnail
from kerasgan.search.search_index import SearchIndex

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
    """The models of a page; None for what the runs do not have.

    One thread at a time uses them: Pillow's switches are global, and memory is
    bounded by one image.

    Attributes:
        generator: draws images.
        captioner: captions images, and embeds them for the index.
        classifier: classifies images, texts or pairs.
        index: is searched.
        caption_fit: how the captioner's images became squares, see `square_image`.
        classifier_fit: the same for the classifier.
    """

    generator: ImageGenerator | None = None
    captioner: CaptioningPipeline | None = None
    classifier: Classifier | None = None
    index: SearchIndex | None = None
    caption_fit: str = "crop"
    classifier_fit: str = "crop"
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
        generator, note = self.generator, ""
        with self.lock:
            if not generator.conditional:
                images = generator.generate(count=NUM_IMAGES, seed=seed)
            else:
                words = split_words(caption)
                if not words:
                    raise UserError("The caption has no words.")
                known = set(generator.vectorizer.get_vocabulary())
                unknown = [word for word in dict.fromkeys(words) if word not in known]
                note = _unknown_words(unknown)
                images = generator.generate([caption] * NUM_IMAGES, seed=seed)
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
        pipeline, index = self.captioner, self.index
        pixels = read_square_image(data, pipeline.image_size, self.caption_fit)[None]
        features = pipeline.encode_images(pixels)
        vectors = pipeline.embed_images(pixels, features)
        caption = pipeline.caption(features, vectors)[0][0][0]
        return caption, index and self._nearest(vectors[0] @ index.rotation)

    def _classify(self, data, text):
        classifier, images = self.classifier, None
        if data is not None and classifier.takes_images:
            size = classifier.image_size
            images = [read_square_image(data, size, self.classifier_fit)]
        probabilities = classifier.classify(images, [text])[0]
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


def load_models(paths: Sequence[Path], message: Callable[[str], None]) -> Models:
    """Loads the models of runs and of an index.

    Args:
        paths: a run of `train-gan`, a run of `train-classifier` and an index, or some
            of them. If no run of `train-gan` is given, that of the index captions.
        message: called with what is not available.

    Raises:
        UserError: a path is neither a run nor an index, there are two of a kind, a run
            has not been trained, or the index was built with another run.
    """
    opened: dict[str, Any] = {}
    for path in paths:
        found = _open(path)
        kind = found.command if isinstance(found, Run) else "index"
        if kind in opened:
            raise UserError(f"Two of a kind: {opened[kind].path} and {found.path}.")
        opened[kind] = found
    models, run = Models(index=opened.get("index")), opened.get("train-gan")
    if run and models.index:
        _check_index(models.index, run)
    if run:
        _load_gan_run(models, run)
    if models.index:
        _load_index_run(models, message)
    if classifier_run := opened.get("train-classifier"):
        models.classifier = load_classifier(classifier_run)
        models.classifier_fit = classifier_run.settings.data.fit
    return models


def _open(path):
    if (path / "options.json").is_file():
        return open_run(path)
    if (path / "saved_model.pb").is_file():
        # Its graph could read and write any file.
        raise UserError(f"{path} is an export. Name the run that was exported.")
    return SearchIndex(path)


def _check_index(index, run):
    has_captioner = (run.models / STORE_FILE).is_file()
    if has_captioner and models_digest(run.models) != index.manifest["models"]:
        raise UserError(f"{index.path} was built with other models than {run.path}.")


def _load_gan_run(models, run):
    if (run.models / "generator.keras").is_file():
        models.generator = load_gan(run)
    if (run.models / STORE_FILE).is_file():
        models.captioner = load_captioner(run)
        models.caption_fit = run.settings.data.fit
    if not (models.generator or models.captioner):
        raise UserError(
            f"{run.path} has not finished a stage. Continue with kerasgan train-gan"
            f" --resume --run-dir {run.path}"
        )


def _load_index_run(models, message):
    """Captions photographs with the models of the index, if its run is there."""
    index = models.index
    if models.captioner is None:
        try:
            models.captioner = load_pipeline(index)
            models.caption_fit = open_run(index.manifest["run"]).settings.data.fit
        except UserError as error:
            message(f"Photographs are not captioned: {error}")
    captioner = models.captioner
    index.load_pipeline = lambda: captioner or load_pipeline(index)
