"""Runs on the page: their models, which take the bytes of image files."""

from collections.abc import Sequence

import numpy as np

from kerasgan.captioning.pipeline import CaptioningPipeline
from kerasgan.classification.classifier import Classifier
from kerasgan.data.images import read_square_image
from kerasgan.gan.image_generator import ImageGenerator


class RunGenerator:
    """Draws images, see `ExportedGenerator`.

    Args:
        generator: of the run.
    """

    def __init__(self, generator: ImageGenerator):
        self.conditional, self.generate = generator.conditional, generator.generate
        vectorizer = generator.vectorizer
        self.words = vectorizer.get_vocabulary() if self.conditional else []


class RunCaptioner:
    """Captions and embeds images, see `ExportedCaptioner`.

    Args:
        pipeline: of the run.
        fit: how its images became squares, see `square_image`.
    """

    def __init__(self, pipeline: CaptioningPipeline, fit: str):
        self.pipeline, self.fit = pipeline, fit

    def describe(self, data: bytes) -> tuple[str, np.ndarray]:
        """Captions and embeds an image.

        Args:
            data: content of an image file.

        Returns:
            Its caption, and its unit vector float32 `(d,)`.

        Raises:
            BadImage: the image cannot be used. The message is the reason.
        """
        pixels = read_square_image(data, self.pipeline.image_size, self.fit)[None]
        features = self.pipeline.encode_images(pixels)
        vectors = self.pipeline.embed_images(pixels, features)
        return self.pipeline.caption(features, vectors)[0][0][0], vectors[0]

    def embed_captions(self, captions: Sequence[str]) -> np.ndarray:
        """Computes the vectors of captions, for an index.

        Args:
            captions: n str.

        Returns:
            Unit vectors float32 `(n, d)`.
        """
        return self.pipeline.embed_captions(captions)


class RunClassifier:
    """Classifies images with texts, see `ExportedClassifier`.

    Args:
        classifier: of the run.
        fit: how its images became squares, see `square_image`.
    """

    def __init__(self, classifier: Classifier, fit: str):
        self.classifier, self.fit = classifier, fit
        self.label_names = classifier.label_names
        self.takes_images = classifier.takes_images
        self.takes_text = classifier.takes_text
        self.accepts_missing = classifier.accepts_missing

    def classify(self, data: bytes | None, text: str) -> np.ndarray:
        """Computes the probabilities of the classes.

        Args:
            data: content of an image file; None if it is missing.
            text: empty if it is missing.

        Returns:
            float32 `(classes,)`.

        Raises:
            BadImage: the image cannot be used. The message is the reason.
        """
        images = None
        if data is not None and self.takes_images:
            size = self.classifier.image_size
            images = [read_square_image(data, size, self.fit)]
        return self.classifier.classify(images, [text])[0]
