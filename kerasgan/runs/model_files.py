"""Writes and reads the models of a run, notices damaged ones, and tells them apart."""

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile, ZipFile

from kerasgan.errors import UserError
from kerasgan.files import replace, sync

if TYPE_CHECKING:
    import keras

CAPTIONING_FILES = (  # models that caption and embed images
    *("image_encoder.keras", "dual_encoder.keras", "captioner.keras"),
    *("caption-vocabulary.txt", "caption-store.npz"),
)


@contextlib.contextmanager
def partial_networks(
    folder: Path, networks: Mapping[str, "keras.Model"]
) -> Iterator[dict[Path, Path]]:
    """Saves Keras models in files that get their names when the context ends.

    Args:
        folder: of the files.
        networks: by the name of the file, without `.keras`.

    Yields:
        The complete files by their later paths. If an exception is raised, nothing is
        kept.
    """
    partials = {
        folder / f"{name}.keras": folder / f"{name}.partial.keras" for name in networks
    }
    try:
        for network, partial in zip(networks.values(), partials.values(), strict=True):
            network.save(partial)
            sync(partial)
        yield partials
        for path, partial in partials.items():
            replace(partial, path)
    finally:
        for partial in partials.values():
            partial.unlink(missing_ok=True)


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
