"""The models of a run: read, and recognized by their digests."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile, ZipFile

from kerasgan.errors import UserError

if TYPE_CHECKING:
    import keras

CAPTIONING_FILES = (  # models that caption and embed images
    *("image_encoder.keras", "dual_encoder.keras", "captioner.keras"),
    *("caption-vocabulary.txt", "caption-store.npz"),
)


def load_network(path: Path) -> "keras.Model":
    """Loads a Keras model.

    Args:
        path: of the `.keras` file.

    Returns:
        The model, not compiled.

    Raises:
        UserError: the file does not exist, or cannot be read.
    """
    import keras

    if not path.is_file():
        raise UserError(f"{path} does not exist: its training has not finished.")
    try:
        with ZipFile(path) as file:  # whose checksums Keras does not compare
            if damaged := file.testzip():
                raise BadZipFile(f"{damaged} has another checksum")
        return keras.saving.load_model(path, compile=False)
    except UserError:  # such as missing pretrained weights
        raise
    except Exception as error:  # Keras and zipfile raise any of them on malformed bytes
        reason = str(error).strip().partition("\n")[0]
        raise UserError(
            f"{path} is damaged, or was written by another version of kerasgan (see"
            f" options.json). Use that version, or train anew: {reason}"
        ) from error


def file_digest(path: Path) -> str:
    """Returns the SHA-256 of a file.

    Args:
        path: of the file.

    Raises:
        UserError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}") from error


def models_digest(models: Path) -> str:
    """Returns the SHA-256 of the models that caption and embed images.

    An index and an export keep it: if it is equal, their vectors share a space.

    Args:
        models: the directory of models of a run of `train-gan`.

    Raises:
        UserError: the run has not trained its captions.
    """
    digest = hashlib.sha256()
    for name in CAPTIONING_FILES:
        path = models / name
        if not path.is_file():
            raise UserError(
                f"{models.parent} has no trained captions: {path} does not exist."
            )
        digest.update(bytes.fromhex(file_digest(path)))
    return digest.hexdigest()
