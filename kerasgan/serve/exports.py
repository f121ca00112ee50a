"""Exports on the page: signatures of a SavedModel, which need no Keras."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from kerasgan.data.images import prepare_image
from kerasgan.errors import JobError, UserError
from kerasgan.export.verification import check_digests, read_manifest
from kerasgan.runs.environment import compatibility_error

# The signatures of each stage that the page calls, and their output that it shows.
OUTPUTS = {
    "images": {"generate": "images"},
    "captions": {
        "caption_beam": "captions",
        "embed_image": "vectors",
        "embed_text": "vectors",
    },
    "classes": {"classify": "probabilities"},
}


class Export:
    """A SavedModel that `kerasgan export` wrote.

    Args:
        path: the directory.

    Attributes:
        command: that trained the exported run.
        stages: settings of the exported stages by name, see `build_manifest`.

    Raises:
        UserError: it is not an export, of another format or version, incomplete or
            damaged.
    """

    def __init__(self, path: Path):
        self.path, self.stages = path, _read_stages(path)
        self.command = "train-classifier" if "classes" in self.stages else "train-gan"
        try:
            self._model = tf.saved_model.load(path)
        except Exception as error:  # TensorFlow raises many kinds for damaged models
            reason = str(error).strip().partition("\n")[0]
            raise UserError(
                f"The SavedModel in {path} cannot be loaded. Export the run again:"
                f" {reason}"
            ) from error
        for stage in self.stages:
            for signature, output in OUTPUTS[stage].items():
                self._check_signature(signature, output)

    def _check_signature(self, name, output):
        signature = self._model.signatures.get(name)
        if signature is None or output not in signature.structured_outputs:
            raise UserError(
                f"The SavedModel in {self.path} has no signature {name} with the output"
                f" {output}. Export the run again."
            )

    def input_specs(self, signature: str) -> dict[str, tf.TensorSpec]:
        """Returns the inputs of a signature.

        Args:
            signature: its name.
        """
        return self._model.signatures[signature].structured_input_signature[1]

    def predict(self, stage: str, signature: str, **inputs: object) -> np.ndarray:
        """Calls a signature.

        Args:
            stage: `"images"`, `"captions"` or `"classes"`.
            signature: its name in `OUTPUTS`.
            **inputs: arrays or lists, n rows each.

        Returns:
            Its output in `OUTPUTS`, n rows.
        """
        tensors = {name: tf.constant(values) for name, values in inputs.items()}
        outputs = self._model.signatures[signature](**tensors)
        return outputs[OUTPUTS[stage][signature]].numpy()

    def prepare_image(self, stage: str, data: bytes) -> bytes:
        """Checks an image file and makes it small, before TensorFlow decodes it.

        Args:
            stage: that takes the image.
            data: content of any image file.

        Returns:
            The square image as the stage was trained on it, as BMP or JPEG.

        Raises:
            BadImage: the image cannot be used. The message is the reason.
        """
        settings = self.stages[stage]
        return prepare_image(data, settings["image_size"], settings["fit"])

    def read_lines(self, name: str) -> list[str]:
        """Reads a vocabulary, or the names of the classes.

        Args:
            name: of the file in `assets/`.
        """
        text = (self.path / "assets" / name).read_text(encoding="utf-8")
        return text.split("\n")[:-1]


def _read_stages(path):
    """The stages of an export, whose files are all there and unchanged."""
    try:
        manifest = read_manifest(path)
        if reason := compatibility_error(manifest["versions"]):
            raise UserError(f"{path} {reason}")
        if manifest["format"] != "savedmodel":
            raise UserError(
                f"{path} is an export in the format {manifest['format']!r}, which"
                " takes arrays. Name the run, or export it with --format savedmodel."
            )
        check_digests(path, manifest.get("sha256", {}))
    except JobError as error:  # of `kerasgan export --check`
        raise UserError(str(error)) from None
    stages = {name: manifest["stages"].get(name) for name in OUTPUTS}
    return {name: settings for name, settings in stages.items() if settings}


class ExportedGenerator:
    """Draws images.

    Args:
        export: an export with the stage `images`.

    Attributes:
        conditional: whether it needs captions.
        words: that captions may use.
    """

    def __init__(self, export: Export):
        self.export = export
        specs = export.input_specs("generate")
        self.latent_dim = specs["noise"].shape[1]
        self.conditional = "captions" in specs
        self.words = (
            export.read_lines("vocabulary-images.txt") if self.conditional else []
        )

    def generate(
        self, captions: Sequence[str] | None, count: int, seed: int
    ) -> np.ndarray:
        """Generates the images that the run generates, see `ImageGenerator.generate`.

        Args:
            captions: `count` str; None without captions.
            count: of the images.
            seed: of the noise.

        Returns:
            uint8 `(count, size, size, channels)`.
        """
        shape = (count, self.latent_dim)
        noise = np.random.default_rng(seed).standard_normal(shape, dtype="float32")
        inputs = {} if captions is None else {"captions": captions}
        return self.export.predict("images", "generate", noise=noise, **inputs)


class ExportedCaptioner:
    """Captions images by beam search, and embeds images and captions.

    Args:
        export: an export with the stage `captions`.
    """

    def __init__(self, export: Export):
        self.export = export

    def describe(self, data: bytes) -> tuple[str, np.ndarray]:
        """Captions and embeds an image.

        Args:
            data: content of an image file.

        Returns:
            Its caption, and its unit vector float32 `(d,)`.

        Raises:
            BadImage: the image cannot be used. The message is the reason.
        """
        files = [self.export.prepare_image("captions", data)]
        captions, vectors = (
            self.export.predict("captions", signature, image_bytes=files)
            for signature in ("caption_beam", "embed_image")
        )
        return captions[0, 0].decode(), vectors[0]

    def embed_captions(self, captions: Sequence[str]) -> np.ndarray:
        """Computes the vectors of captions, for an index.

        Args:
            captions: n str.

        Returns:
            Unit vectors float32 `(n, d)`.
        """
        return self.export.predict("captions", "embed_text", captions=captions)


class ExportedClassifier:
    """Classifies images with texts.

    Args:
        export: an export with the stage `classes`.

    Attributes:
        label_names: names of the classes.
        takes_images: whether it uses images.
        takes_text: whether it uses texts.
        accepts_missing: whether the image may be missing.
    """

    def __init__(self, export: Export):
        self.export, specs = export, export.input_specs("classify")
        self.label_names = export.read_lines("labels.txt")
        self.takes_images, self.takes_text = "image_bytes" in specs, "text" in specs
        self.accepts_missing = export.stages["classes"].get("accepts_missing", False)

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
        inputs: dict[str, list] = {}
        if self.takes_images:
            file = b"" if data is None else self.export.prepare_image("classes", data)
            inputs["image_bytes"] = [file]
        if self.takes_text:
            inputs["text"] = [text]
        return self.export.predict("classes", "classify", **inputs)[0]
